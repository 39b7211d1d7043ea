"""Write what receivers read: the README and the guide to installing."""

from __future__ import annotations

from dataclasses import dataclass

from packyard.formats.digest import digest_file
from packyard.formats.mojo.packagemanifest import SUFFIX, read_package_manifest
from packyard.tasks.target.params import Params
from packyard.tasks.target.room import Room
from packyard.tasks.texts.installguide import Installable, guide_text
from packyard.tasks.texts.readme import Row, readme_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductParams:
    """What the two papers say of one product: `title` is its name and version, `what` its kind and description,
    `needs` what it takes to use it (of a Mojo package its manifest tells), `script` its installer ('' is none),
    `pieces` the files that are installed and where each goes below a prefix."""

    kind: str
    name: str
    title: str
    file: str
    what: str
    version: str
    license: str
    needs: str
    script: str
    pieces: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideParams(Params):
    """The parameters of either paper: what all of it is called, the template, and the products."""

    title: str
    template: str
    products: tuple[ProductParams, ...]


def make_readme(room: Room[GuideParams]) -> None:
    """Write the README, with digests and sizes of the files as they are."""
    params = room.params
    rows = [_row(room, product) for product in params.products]
    text = readme_text(params.template, params.title, rows, "[INSTALL.md](INSTALL.md) tells.")
    (room.outputs / "README.md").write_text(text, encoding="utf-8")


def make_install(room: Room[GuideParams]) -> None:
    """Write INSTALL.md."""
    params = room.params
    products = [_installable(room, product) for product in params.products]
    text = guide_text(params.template, params.title, products)
    (room.outputs / "INSTALL.md").write_text(text, encoding="utf-8")


def _row(room: Room[GuideParams], product: ProductParams) -> Row:
    path = room.inputs / product.file
    digest = digest_file(path).hex
    return Row(
        file=product.file,
        what=product.what,
        version=product.version,
        license=product.license,
        size=path.stat().st_size,
        sha256=digest,
        needs=_needs(room, product),
    )


def _installable(room: Room[GuideParams], product: ProductParams) -> Installable:
    return Installable(
        kind=product.kind,
        name=product.name,
        title=product.title,
        what=product.what[0].upper() + product.what[1:],
        file=product.file,
        script=product.script,
        pieces=product.pieces,
        needs=_needs(room, product),
    )


def _needs(room: Room[GuideParams], product: ProductParams) -> str:
    """What it takes to use a product: of a Mojo package its manifest tells the compiler."""
    if product.kind != "mojo":
        return product.needs
    manifest = room.inputs / f"{product.file}{SUFFIX}"
    return read_package_manifest(manifest.read_text(encoding="utf-8"), manifest.name).compiler.accepted_by
