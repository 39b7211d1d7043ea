"""The kind `installer`: for each artifact that can be installed without a tool of its own, a script that does it.

It is asked after the other kinds, because it tells of what they make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packyard.tasks.kinds.delivery.make_installer import InstallerParams, PieceParams, make_installer
from packyard.tasks.kinds.delivery.product import Product, find_products, script_name, title_of
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Target
from packyard.tasks.workspace.workspace import MANIFEST, Workspace


def targets(workspace: Workspace, made: Mapping[str, Target]) -> Iterator[Target]:
    """An installer for each program, Mojo or morloc package, archive and site, where the workspace wants them; by name
    only. A program for Windows has none: no shell script runs there."""
    for product in find_products(workspace, made):
        if product.pieces:
            yield _target(product)


def _target(product: Product) -> Target:
    return Target(
        name=f"installer:{product.name}",
        doc=f"the script that installs {product.file}",
        place=MANIFEST,
        **call(
            make_installer,
            InstallerParams(
                name=product.name,
                title=title_of(product),
                pieces=tuple(PieceParams(file=piece.file, how=piece.how, to=piece.to) for piece in product.pieces),
                beside=product.beside,
                notes=product.notes,
            ),
        ),
        uses=tuple(piece.use for piece in product.pieces),
        outputs=(Output(at="install.sh", artifact=f"dist/{script_name(product)}"),),
    )
