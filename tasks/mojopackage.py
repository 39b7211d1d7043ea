"""Where the Mojo packages of the workspace lie: which folders are one, what each is imported as, and its sources.

A manifest stands beside the package's `__init__.mojo`, above `src/NAME/`, or it lists folders in `[packages]`. The
folder's name (there: the key) is what programs import; the manifest's own name is only the distribution's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packyard.formats.errors import FormatError, Problem
from packyard.formats.mojo import MojoManifest
from packyard.formats.naming import read_import_name
from packyard.tasks.compiler import compiles_plain_folders
from packyard.tasks.errors import gather
from packyard.tasks.watch import Watch
from packyard.tasks.workspace import Member, Workspace

_INIT = "__init__.mojo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A Mojo package: `name` is what it is imported as, `folder` is relative to the workspace."""

    name: str
    folder: str
    member: Member
    manifest: MojoManifest

    @property
    def place(self) -> str:
        """The manifest's path."""
        return self.member.path("mojo.toml")

    @property
    def target(self) -> str:
        """The name of the target that compiles it."""
        return f"mojo:{self.name}"


def find_packages(workspace: Workspace) -> tuple[Package, ...]:
    """Every package of every member, sorted by name; FormatError with each folder that is none, and equal names."""
    problems: list[FormatError] = []
    found: dict[str, Package] = {}
    for member in workspace.members:
        if member.mojo is None:
            continue
        for key, name, folder in _folders(member, member.mojo, workspace.watch):
            package = Package(name=name, folder=folder, member=member, manifest=member.mojo)
            problem = _problem(package, key, workspace.watch)
            other = found.setdefault(name, package)
            if problem is None and other is not package:
                message = f"the package '{folder}' is imported as {name!r}, as is '{other.folder}' of {other.place}"
                problem = Problem(message, key, package.place)
            if problem is not None:
                problems.append(FormatError(problem))
    gather(problems)
    return tuple(found[name] for name in sorted(found))


def sources(package: Package, watch: Watch, version: str) -> list[str]:
    """The files that the compiler `version` would read of a package, sorted; its example programs are none of them."""
    programs = {
        path for pattern in package.manifest.examples for path in watch.matching_files(package.member.path(pattern))
    }

    def is_left_out(path: str) -> bool:
        if path.endswith("/"):
            return not (compiles_plain_folders(version) or watch.is_file(path + _INIT))
        return not path.endswith(".mojo") or path in programs

    return list(watch.files(package.folder, is_left_out))


def _folders(member: Member, manifest: MojoManifest, watch: Watch) -> Iterator[tuple[str, str, str]]:
    """The packages of a member: the manifest's key that names each ('' for none), its import name, its folder."""
    if manifest.packages:
        for name, folder in manifest.packages.items():
            yield f"packages.{name}", name, member.path(folder).rstrip("/")
        return
    if not manifest.source and watch.is_file(member.path(_INIT)):
        yield "", _last(member.folder), member.folder
        return
    key = "build.src" if manifest.source else ""
    source = member.path(manifest.source or "src")
    if watch.is_file(f"{source}/{_INIT}"):
        yield key, _last(source), source
        return
    inner = [folder for folder in watch.folders(source) if watch.is_file(f"{source}/{folder}/{_INIT}")]
    for folder in inner:
        yield key, folder, f"{source}/{folder}"
    if not inner:
        yield key, "", source if manifest.source else member.folder


def _problem(package: Package, key: str, watch: Watch) -> Problem | None:
    if key.startswith("packages."):
        if watch.is_file(f"{package.folder}/{_INIT}".lstrip("/")):
            return None
        message = f"'{package.folder or '.'}' holds no {_INIT}, a Mojo package was expected"
        return Problem(message, key, package.place)
    if not watch.is_file(f"{package.folder}/{_INIT}".lstrip("/")):
        looked = f"'{package.folder}'" if key else f"its folder nor '{package.member.path('src')}'"
        message = f"neither {looked} nor a folder in it holds an {_INIT}"
        hint = "the folders of packages elsewhere are listed as [packages] NAME = FOLDER"
        return Problem(message, key, package.place, hint)
    named = f'name the package: [packages] with NAME = "{_inside(package) or "."}"'
    if not package.name:
        return Problem("the package has no folder in the workspace to be named by", key, package.place, named)
    try:
        read_import_name(package.name)
    except FormatError as error:
        message = f"the package's folder {error.problems[0].message}"
        return Problem(message, key, package.place, f"rename the folder, or {named}")
    return None


def _inside(package: Package) -> str:
    """The package's folder as its manifest says it."""
    return package.folder.removeprefix(package.member.folder).lstrip("/")


def _last(folder: str) -> str:
    return folder.rpartition("/")[2]
