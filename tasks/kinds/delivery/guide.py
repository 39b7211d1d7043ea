"""The kind `guide`: what receivers read of all that a workspace gives, `dist/README.md` and `dist/INSTALL.md`.

It is asked after the other kinds, because it tells of what they make; by name only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from packyard.formats.mojo.packagemanifest import SUFFIX
from packyard.tasks.kinds.delivery.make_guide import GuideParams, ProductParams, make_install, make_readme
from packyard.tasks.kinds.delivery.product import Product, find_products, script_name, title_of
from packyard.tasks.target.params import call
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Target, Use
from packyard.tasks.texts import installguide, readme
from packyard.tasks.texts.template import read_template
from packyard.tasks.workspace.workspace import MANIFEST, Workspace

_WHAT = {
    "bundle": "a program",
    "mojo": "a Mojo package",
    "morloc": "a morloc package",
    "archive": "an archive",
    "docs": "offline documentation",
}


def targets(workspace: Workspace, made: Mapping[str, Target]) -> Iterator[Target]:
    """The two papers, where the workspace wants them and there is anything to tell of."""
    products = find_products(workspace, made)
    if products:
        yield _readme(workspace, products)
        yield _install(workspace, products)


def _readme(workspace: Workspace, products: Sequence[Product]) -> Target:
    template = read_template(readme.README, readme.BUILT_IN, workspace.watch, readme.PLACES)
    uses = [use for product in products for use in (_artifact(product), *_manifest(product))]
    return _target("README.md", make_readme, _params(workspace, template, products), uses)


def _install(workspace: Workspace, products: Sequence[Product]) -> Target:
    template = read_template(installguide.INSTALL, installguide.BUILT_IN, workspace.watch, installguide.PLACES)
    uses = [
        use
        for product in products
        for use in (_script(product) if product.pieces else _artifact(product), *_manifest(product))
    ]
    return _target("INSTALL.md", make_install, _params(workspace, template, products), uses)


def _target(name: str, make: Callable[[Room[GuideParams]], None], params: GuideParams, uses: Sequence[Use]) -> Target:
    return Target(
        name=f"guide:{name}",
        doc=f"{name}, about everything in dist/",
        place=MANIFEST,
        **call(make, params),
        uses=tuple(uses),
        outputs=(Output(at=name, artifact=f"dist/{name}"),),
    )


def _artifact(product: Product) -> Use:
    return Use(target=product.target, at=product.file)


def _script(product: Product) -> Use:
    return Use(target=f"installer:{product.name}", at=f"scripts/{product.name}")


def _manifest(product: Product) -> tuple[Use, ...]:
    """What tells the compiler of a Mojo package."""
    if product.kind != "mojo":
        return ()
    return (Use(target=product.target, part="manifest", at=f"{product.file}{SUFFIX}"),)


def _params(workspace: Workspace, template: str, products: Sequence[Product]) -> GuideParams:
    described = tuple(_described(product) for product in products)
    return GuideParams(title=workspace.manifest.name, template=template, products=described)


def _described(product: Product) -> ProductParams:
    what = f"{_WHAT[product.kind]}: {product.description}" if product.description else _WHAT[product.kind]
    return ProductParams(
        kind=product.kind,
        name=product.name,
        title=title_of(product),
        file=product.file,
        what=what.rstrip("."),
        version=product.version,
        license=product.license,
        needs=product.platform,
        script=script_name(product) if product.pieces else "",
        pieces=tuple((piece.file, piece.to) for piece in product.pieces),
    )
