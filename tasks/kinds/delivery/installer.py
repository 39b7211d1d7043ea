"""The kind `installer`: for each artifact that can be installed without a tool of its own, a script that does it.

It is asked after the other kinds, because it tells of what they make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from packyard.formats.digest import digest_stream
from packyard.tasks.kinds.delivery.product import Product, find_products, script_name
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Target
from packyard.tasks.texts.installscript import Beside, Placed, install_script
from packyard.tasks.workspace.workspace import MANIFEST, Workspace


def targets(workspace: Workspace, made: Mapping[str, Target]) -> Iterator[Target]:
    """An installer for each program, Mojo or morloc package, archive and site, where the workspace wants them; by name
    only. A program for Windows has none: no shell script runs there."""
    for product in find_products(workspace, made):
        if product.pieces:
            yield _target(product)


def make_installer(room: Room[Any]) -> None:
    """Write the script, with the digests of the files as they are."""
    placed = []
    for file, how, to in room.params["pieces"]:
        with (room.inputs / file).open("rb") as stream:
            placed.append(Placed(file=file, sha256=digest_stream(stream).hex, how=how, to=to))
    script = room.outputs / "install.sh"
    beside = [Beside(**values) for values in room.params["beside"]]
    text = install_script(room.params["name"], room.params["title"], placed, room.params["notes"], beside)
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)


def _target(product: Product) -> Target:
    return Target(
        name=f"installer:{product.name}",
        doc=f"the script that installs {product.file}",
        place=MANIFEST,
        run="packyard.tasks.kinds.delivery.installer:make_installer",
        params={
            "name": product.name,
            "title": f"{product.name} {product.version}".strip(),
            "pieces": [[piece.file, piece.how, piece.to] for piece in product.pieces],
            "beside": [asdict(one) for one in product.beside],
            "notes": list(product.notes),
        },
        uses=tuple(piece.use for piece in product.pieces),
        outputs=(Output(at="install.sh", artifact=f"dist/{script_name(product)}"),),
    )
