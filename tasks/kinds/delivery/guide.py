"""The kind `guide`: what receivers read of all that a workspace gives, `dist/README.md` and `dist/INSTALL.md`.

It is asked after the other kinds, because it tells of what they make; by name only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from packyard.formats.digest import digest_stream
from packyard.formats.mojo.packagemanifest import SUFFIX, read_package_manifest
from packyard.tasks.kinds.delivery.product import Product, find_products, script_name
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json, Output, Target, Use
from packyard.tasks.texts import installguide, readme
from packyard.tasks.texts.installguide import Installable, guide_text
from packyard.tasks.texts.readme import Row, readme_text
from packyard.tasks.texts.template import read_template
from packyard.tasks.workspace.workspace import MANIFEST, Workspace

_WHAT = {
    "bundle": "a program",
    "mojo": "a Mojo package",
    "morloc": "a morloc package",
    "archive": "an archive",
    "docs": "documentation to read without a network",
}


def targets(workspace: Workspace, made: Mapping[str, Target]) -> Iterator[Target]:
    """The two papers, where the workspace wants them and there is anything to tell of."""
    products = find_products(workspace, made)
    if products:
        yield _target(workspace, products, "README.md", readme.README, readme.BUILT_IN, readme.PLACES)
        yield _target(
            workspace, products, "INSTALL.md", installguide.INSTALL, installguide.BUILT_IN, installguide.PLACES
        )


def make_readme(room: Room[Any]) -> None:
    """Write the README, with digests and sizes of the files as they are."""
    rows = []
    for product in room.params["products"]:
        path = room.inputs / product["file"]
        with path.open("rb") as stream:
            digest = digest_stream(stream).hex
        rows.append(
            Row(
                file=product["file"],
                what=product["what"],
                version=product["version"],
                license=product["license"],
                size=path.stat().st_size,
                sha256=digest,
                needs=_needs(room, product),
            )
        )
    text = readme_text(room.params["template"], room.params["title"], rows, "[INSTALL.md](INSTALL.md) tells.")
    (room.outputs / "README.md").write_text(text, encoding="utf-8")


def make_install(room: Room[Any]) -> None:
    """Write INSTALL.md."""
    products = [
        Installable(
            kind=product["kind"],
            name=product["name"],
            title=product["title"],
            what=product["what"][0].upper() + product["what"][1:],
            file=product["file"],
            script=product["script"],
            pieces=tuple((file, to) for file, to in product["pieces"]),
            needs=_needs(room, product),
        )
        for product in room.params["products"]
    ]
    text = guide_text(room.params["template"], room.params["title"], products)
    (room.outputs / "INSTALL.md").write_text(text, encoding="utf-8")


def _needs(room: Room[Any], product: Mapping[str, Json]) -> str:
    """What it takes to use a product: of a Mojo package its manifest tells the compiler."""
    manifest = room.inputs / f"{product['file']}{SUFFIX}"
    if product["kind"] == "mojo":
        return read_package_manifest(manifest.read_text(encoding="utf-8"), manifest.name).compiler.accepted_by
    needs: str = product["needs"]
    return needs


def _target(
    workspace: Workspace,
    products: tuple[Product, ...],
    name: str,
    template: str,
    built_in: str,
    places: tuple[str, ...],
) -> Target:
    is_readme = name == "README.md"
    uses: dict[Use, None] = {}
    for product in products:
        if product.pieces and not is_readme:
            uses[Use(target=f"installer:{product.name}", at=f"scripts/{product.name}")] = None
        else:
            uses[Use(target=product.target, at=product.file)] = None
        if product.kind == "mojo":
            uses[Use(target=product.target, part="manifest", at=f"{product.file}{SUFFIX}")] = None
    return Target(
        name=f"guide:{name}",
        doc=f"{name}, about everything in dist/",
        place=MANIFEST,
        run=f"packyard.tasks.kinds.delivery.guide:make_{name.partition('.')[0].lower()}",
        params={
            "title": workspace.manifest.name,
            "template": read_template(template, built_in, workspace.watch, places),
            "products": [_described(product) for product in products],
        },
        uses=tuple(uses),
        outputs=(Output(at=name, artifact=f"dist/{name}"),),
    )


def _described(product: Product) -> dict[str, Json]:
    what = f"{_WHAT[product.kind]}: {product.description}" if product.description else _WHAT[product.kind]
    return {
        "kind": product.kind,
        "name": product.name,
        "title": f"{product.name} {product.version}".strip(),
        "file": product.file,
        "what": what.rstrip("."),
        "version": product.version,
        "license": product.license,
        "needs": product.platform,
        "script": script_name(product) if product.pieces else "",
        "pieces": [[piece.file, piece.to] for piece in product.pieces],
    }
