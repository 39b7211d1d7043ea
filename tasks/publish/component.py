"""What a workspace releases under versions of their own: its members, and what packyard.toml makes of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from packyard.formats.errors import FormatError, Problem
from packyard.formats.text.edit import Path
from packyard.formats.text.toml import read_toml
from packyard.formats.workspace.manifest import ArchiveSpec, DocsSpec
from packyard.formats.workspace.metaspec import MetaSpec
from packyard.tasks.errors import UsageError
from packyard.tasks.kinds.mojo.package import Package
from packyard.tasks.kinds.mojo.plan import sound_packages
from packyard.tasks.kinds.python.version import version as python_version
from packyard.tasks.workspace.workspace import MANIFEST, Member, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One thing with a version, which is in the file `place` at `key`.

    `kind` is 'mojo', 'meta', 'bundle', 'wheel', 'morloc', 'archive' or 'docs', as targets have it; `names` are the
    names it may be called by: its own name first, then the import names of its Mojo packages. `folder` is the member's,
    or ''. `packages` are its Mojo packages; of a meta-package, itself.
    """

    kind: str
    name: str
    version: str
    place: str
    key: Path
    folder: str = ""
    names: tuple[str, ...] = ()
    packages: tuple[Package, ...] = field(default=(), compare=False)
    is_dynamic: bool = False

    @property
    def is_member(self) -> bool:
        """Whether it has a folder with a manifest of its own."""
        return self.place != MANIFEST


def components(workspace: Workspace) -> tuple[Component, ...]:
    """Every component: members by name, then meta-packages, archives and sites in the order of packyard.toml."""
    packages = sound_packages(workspace).packages
    return (
        *(component for member in workspace.members for component in _of_member(member, packages, workspace)),
        *_of_manifest(workspace, packages),
    )


def choose(known: Sequence[Component], name: str) -> list[Component]:
    """The components that a name means; UsageError if there are none."""
    chosen = [component for component in known if name in component.names]
    if not chosen:
        names = sorted({spelling for component in known for spelling in component.names})
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
        raise UsageError(
            Problem(f"{name!r} is not a member, meta-package, archive or site of this workspace", hint=hint)
        )
    return chosen


def leads(component: Component, known: Sequence[Component], workspace: str) -> bool:
    """Whether a tag with only a version (`v0.2.0`) belongs to it: to the component named like the workspace, or to all
    components if they have the same version."""
    if any(other.name == workspace for other in known):
        return component.name == workspace
    return len({other.version for other in known}) == 1


def tags(component: Component, known: Sequence[Component], workspace: str) -> tuple[str, ...]:
    """The git tags that mean this version of a component; the first is always valid: 'tensor-v0.2.0', 'v0.2.0'."""
    own = f"{component.name}-v{component.version}"
    return (own, f"v{component.version}") if leads(component, known, workspace) else (own,)


def _of_member(member: Member, packages: Sequence[Package], workspace: Workspace) -> Iterator[Component]:
    if member.mojo is not None:
        own = tuple(package for package in packages if package.member is member)
        place = member.path("mojo.toml")
        table = "package" if "package" in read_toml(workspace.watch.text(place), place) else "project"
        yield Component(
            kind="mojo",
            name=member.name,
            version=member.mojo.version,
            place=place,
            key=(table, "version"),
            folder=member.folder,
            names=tuple(dict.fromkeys((member.name, *(package.name for package in own)))),
            packages=own,
        )
    if member.project is not None:
        try:
            found = python_version(member, workspace)
        except FormatError:
            found = ""  # which the kind `wheel` says
        yield Component(
            kind="bundle" if member.project.flavor else "wheel",
            name=member.name,
            version=found,
            place=member.path("pyproject.toml"),
            key=("project", "version"),
            folder=member.folder,
            names=(member.name,),
            is_dynamic=not member.project.version,
        )
    if member.morloc is not None:
        yield Component(
            kind="morloc",
            name=member.name,
            version=member.morloc.version,
            place=member.path("package.yaml"),
            key=("version",),
            folder=member.folder,
            names=(member.name,),
        )


def _of_manifest(workspace: Workspace, packages: Sequence[Package]) -> Iterator[Component]:
    manifest = workspace.manifest
    tables: dict[str, Sequence[MetaSpec | ArchiveSpec | DocsSpec]] = {
        "meta": manifest.metas,
        "archive": manifest.archives,
        "docs": manifest.docs,
    }
    for kind, specs in tables.items():
        for position, spec in enumerate(specs):
            own = tuple(package for package in packages if kind == "meta" and package.label == spec.name)
            yield Component(
                kind=kind,
                name=spec.name,
                version=spec.version,
                place=MANIFEST,
                key=(kind, position, "version"),
                names=tuple(dict.fromkeys((spec.name, *(package.name for package in own)))),
                packages=own,
            )
