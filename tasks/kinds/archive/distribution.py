"""The layout `distribution` of an archive: NAME-vVERSION/ with packages/, examples/, README.md, LICENSE, INSTALL.md;
packages/README.md tells what is in that folder.

Packages stand there under the names that programs import, with all that they need, so that `-I packages` is enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from packyard.formats.errors import Problem
from packyard.formats.workspace.manifest import ArchiveSpec
from packyard.tasks.kinds.archive.make_archive import DistributionParams, MovedImports
from packyard.tasks.kinds.mojo.package import Package, placed_examples
from packyard.tasks.kinds.mojo.plan import MojoPlan
from packyard.tasks.target.target import Source, Use
from packyard.tasks.texts import installguide, readme
from packyard.tasks.texts.distribution import INSTALL
from packyard.tasks.texts.template import read_template
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import MANIFEST

_DEMANDED = {
    "LICENSE": ("LICENSE", "LICENSE.md", "LICENSE.txt", "COPYING"),
    "README.md": ("README.md", "README.rst", "README.txt", "README"),
}


@dataclass(slots=True)
class Layout:
    """What stands in a distribution beside what its `include` names. `moved` are the examples whose imports are to be
    moved below a meta-package: where each stands, the names, and the package."""

    sources: dict[str, Source] = field(default_factory=dict)
    uses: dict[Use, None] = field(default_factory=dict)
    moved: dict[str, MovedImports] = field(default_factory=dict)


def folder_name(spec: ArchiveSpec) -> str:
    """The top folder of a distribution, and its file's name without the end."""
    return f"{spec.name}-v{spec.version}"


def lay_out(included: Iterable[str], chosen: Iterable[str], plan: MojoPlan, watch: Watch) -> Layout:
    """What belongs to a distribution with the files `included` and the packages of the targets `chosen`."""
    layout = Layout()
    files = set(included)
    for names in _DEMANDED.values():
        found = next((name for name in names if name in files or watch.is_file(name)), None)
        if found is not None and found not in files:
            layout.sources[found] = Source(path=found, at=found)
    if watch.is_file(INSTALL):
        layout.sources[INSTALL] = Source(path=INSTALL, at=INSTALL)
    for package in _with_needs(set(chosen), plan):
        for part in ("", "manifest"):
            layout.uses[Use(target=package.target, part=part, at="packages/")] = None
        for path, at in placed_examples(
            package, watch, files | {source.at for source in layout.sources.values()}
        ).items():
            if path in layout.sources:
                continue
            layout.sources[path] = Source(path=path, at=at)
            if package.parts:
                layout.moved[at] = MovedImports(
                    names=tuple(sorted(part.name for part in package.parts)), below=package.name
                )
    return layout


def missing(sources: Iterable[Source], key: str) -> list[Problem]:
    """What a distribution must have and has not."""
    places = {source.at for source in sources}
    return [
        Problem(
            f"is 'distribution', which requires a {wanted}, but there is none",
            key=f"{key}.layout",
            place=MANIFEST,
            hint=f"write one beside {MANIFEST}, or include it",
        )
        for wanted, names in _DEMANDED.items()
        if not places.intersection(names)
    ]


def distribution_params(spec: ArchiveSpec, layout: Layout, watch: Watch) -> DistributionParams:
    """The parameters of a distribution's archive."""
    return DistributionParams(
        title=f"{spec.name} {spec.version}",
        readme=read_template(readme.README, readme.BUILT_IN, watch, readme.PLACES),
        install=read_template(installguide.INSTALL, installguide.BUILT_IN, watch, installguide.PLACES),
        moved=layout.moved,
    )


def _with_needs(chosen: set[str], plan: MojoPlan) -> list[Package]:
    """The packages of some targets and all that they need."""
    wanted = {package.name for package in plan.packages if package.target in chosen}
    wanted |= {other.name for name in tuple(wanted) for other in plan.needs[name].all}
    return [package for package in plan.packages if package.name in wanted]
