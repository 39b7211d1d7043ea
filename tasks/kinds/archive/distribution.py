"""The layout `distribution` of an archive: NAME-vVERSION/ with packages/, examples/, README.md, LICENSE, INSTALL.md;
packages/README.md tells what is in that folder.

Packages stand there under the names that programs import, with all that they need, so that `-I packages` is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from packyard.formats.errors import Problem
from packyard.formats.mojo.packagemanifest import PackageManifest
from packyard.formats.workspace.manifest import ArchiveSpec
from packyard.tasks.kinds.mojo.package import Package, placed_examples
from packyard.tasks.kinds.mojo.plan import MojoPlan
from packyard.tasks.target.target import Json, Source, Use
from packyard.tasks.texts import installguide, readme
from packyard.tasks.texts.readme import Row, readme_text
from packyard.tasks.texts.template import fill, read_template
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import MANIFEST

INSTALL = "INSTALL.md"
CONTENTS = "packages/README.md"
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
    moved: dict[str, Json] = field(default_factory=dict)


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
                layout.moved[at] = {"names": sorted(part.name for part in package.parts), "below": package.name}
    return layout


def missing(sources: Iterable[Source], key: str) -> list[Problem]:
    """What a distribution must have and has not."""
    places = {source.at for source in sources}
    return [
        Problem(
            f"is 'distribution', which needs a {wanted}, and there is none",
            key=f"{key}.layout",
            place=MANIFEST,
            hint=f"write one beside {MANIFEST}, or include it",
        )
        for wanted, names in _DEMANDED.items()
        if not places.intersection(names)
    ]


def templates(watch: Watch) -> dict[str, Json]:
    """The templates of what is written for a distribution, as parameters of its action."""
    return {
        "install": read_template(installguide.INSTALL, installguide.BUILT_IN, watch, installguide.PLACES),
        "readme": read_template(readme.README, readme.BUILT_IN, watch, readme.PLACES),
    }


def contents_text(template: str, title: str, packages: Sequence[PackageManifest]) -> str:
    """The README of the folder `packages/`."""
    rows = [
        Row(
            file=package.installed_as,
            what=package.description or "a Mojo package",
            version=package.version,
            license=package.license,
            size=package.size,
            sha256=package.sha256,
            needs=package.compiler.accepted_by,
        )
        for package in packages
    ]
    return readme_text(template, title, rows, "[INSTALL.md](../INSTALL.md) tells.")


def install_text(template: str, title: str, packages: Sequence[PackageManifest], examples: Sequence[str]) -> str:
    """INSTALL.md of a distribution. Every indented line is a command that can be given as it stands."""
    return fill(template, {"title": title, "sections": "\n".join(_install_lines(packages, examples))})


def _install_lines(packages: Sequence[PackageManifest], examples: Sequence[str]) -> list[str]:
    if not packages:
        return ["This archive is complete as it is: unpack it, and read its README.md."]
    made = sorted({package.compiler.accepted_by for package in packages})
    files = " ".join(f"packages/{package.installed_as}" for package in packages)
    end = packages[0].installed_as.rpartition(".")[2]
    return [
        f"The packages in `packages/` are compiled. They take {' and '.join(made)}.",
        "",
        "| package | version | licence | needs | SHA-256 |",
        "|---|---|---|---|---|",
        *(
            f"| `{package.name}` | {package.version} | {package.license or 'not stated'} | "
            f"{', '.join(f'`{needed.name}`' for needed in package.dependencies) or 'nothing'} | `{package.sha256}` |"
            for package in packages
        ),
        "",
        "The commands below are given in this folder.",
        "",
        "## Use them where they are",
        "",
        "A compiler finds them by `-I packages`; a program of your own takes the place of the example.",
        "",
        *(f"    mojo run -I packages {example}" for example in examples[:1]),
        *([] if examples else ["    mojo run -I packages PROGRAM.mojo"]),
        "",
        "## Install them",
        "",
        "With Packyard, which checks the files, the compiler and the dependencies before it writes anything:",
        "",
        f"    packyard install {files} --to lib",
        "    packyard installed --to lib",
        "",
        "Without it, copy them. Keep their names: each is compiled into its file.",
        "",
        "    mkdir -p copied",
        f"    cp packages/*.{end} copied/",
        "",
        "## Remove them",
        "",
        f"    packyard uninstall {' '.join(package.name for package in packages)} --to lib",
        "    rm -r copied",
    ]


def _with_needs(chosen: set[str], plan: MojoPlan) -> list[Package]:
    """The packages of some targets and all that they need."""
    wanted = {package.name for package in plan.packages if package.target in chosen}
    wanted |= {other.name for name in tuple(wanted) for other in plan.needs[name].all}
    return [package for package in plan.packages if package.name in wanted]
