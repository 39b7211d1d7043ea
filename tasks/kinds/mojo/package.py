"""Where the Mojo packages of the workspace lie: which folders are one, what each is imported as, and its sources.

A manifest stands beside the package's `__init__.mojo`, above `src/NAME/`, or it lists folders in `[packages]`. The
folder's name (there: the key) is what programs import; the manifest's own name is only the distribution's. A `[[meta]]`
of the workspace is a package too: one made of the sources of several, each below it.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packyard.formats.errors import FormatError, Problem
from packyard.formats.mojo.manifest import MojoManifest
from packyard.formats.naming import read_import_name
from packyard.formats.workspace.metaspec import MetaSpec
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.kinds.mojo.compiler import compiles_plain_folders, extension
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import MANIFEST, Member, Workspace

_INIT = "__init__.mojo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A Mojo package: `name` is what it is imported as, `folder` is relative to the workspace, `compiler` the version
    of Mojo that compiles it ('' when neither it nor the workspace names one).

    A meta-package has `parts`, no folder of its own, and a manifest and a member made from its `[[meta]]`;
    `is_flat` tells that it offers at its top what its parts export.
    """

    name: str
    folder: str
    member: Member
    manifest: MojoManifest
    compiler: str
    parts: tuple[Package, ...] = ()
    is_flat: bool = False

    @property
    def place(self) -> str:
        """The manifest's path."""
        return MANIFEST if self.parts else self.member.path("mojo.toml")

    @property
    def label(self) -> str:
        """What its target and its artifacts are called: the import name, for a meta-package its name as written."""
        return self.manifest.name if self.parts else self.name

    @property
    def target(self) -> str:
        """The name of the target that compiles it."""
        return f"mojo:{self.label}"


def find_packages(workspace: Workspace) -> tuple[Package, ...]:
    """Every package of every member and every meta-package, sorted by name; FormatError with each folder that is no
    package, each unknown part, and equal names."""
    problems: list[FormatError] = []
    found: dict[str, Package] = {}
    for member in workspace.members:
        if member.mojo is None:
            continue
        for key, name, folder in _folders(member, member.mojo, workspace.watch):
            compiler = member.mojo.compiler or workspace.manifest.toolchain.mojo
            package = Package(name=name, folder=folder, member=member, manifest=member.mojo, compiler=compiler)
            problem = _problem(package, key, workspace.watch)
            other = found.setdefault(name, package)
            if problem is None and other is not package:
                message = f"the package '{folder}' is imported as {name!r}, as is '{other.folder}' of {other.place}"
                problem = Problem(message, key, package.place)
            if problem is not None:
                problems.append(FormatError(problem))
    metas: list[Package] = []
    for position, spec in enumerate(workspace.manifest.metas):
        try:
            metas.append(_meta(spec, f"meta[{position}]", found))
        except FormatError as error:
            problems.append(error)
    gather(problems)
    found |= {meta.name: meta for meta in metas}
    return tuple(found[name] for name in sorted(found))


def artifact_name(package: Package) -> str:
    """The file that a package is distributed as."""
    return f"{package.label}-{package.manifest.version}.{extension(package.compiler)}"


def source_texts(package: Package, files: Iterable[str], watch: Watch) -> dict[str, str]:
    """The texts of a package's files by their paths inside it."""
    return {path.removeprefix(f"{package.folder}/"): watch.text(path) for path in files}


def sources(package: Package, watch: Watch) -> list[str]:
    """The files that its compiler would read of a package, sorted; its example programs are none of them."""
    if package.parts:
        return [path for part in package.parts for path in sources(part, watch)]
    programs = set(examples(package, watch))

    def is_left_out(path: str) -> bool:
        if path.endswith("/"):
            return not (compiles_plain_folders(package.compiler) or watch.is_file(path + _INIT))
        return not path.endswith(".mojo") or path in programs

    return list(watch.files(package.folder, is_left_out))


def examples(package: Package, watch: Watch) -> list[str]:
    """The example programs that the manifest names, sorted; those of a meta-package are its parts'. FormatError when a
    pattern names none: nothing would be shown by a clean room that runs them."""
    if package.parts:
        return sorted({path for part in package.parts for path in examples(part, watch)})
    found: set[str] = set()
    for pattern in package.manifest.examples:
        files = watch.matching_files(package.member.path(pattern))
        if not files:
            raise FormatError(
                Problem(f"{pattern!r} matches no file", key="examples", place=package.member.path("mojo.toml"))
            )
        found.update(files)
    return sorted(found)


def placed_examples(package: Package, watch: Watch, taken: Collection[str] = ()) -> dict[str, str]:
    """The example programs by path, and where each stands in a folder of its package: never two at one place."""
    found: dict[str, str] = {}
    for part in package.parts or (package,):
        for path in examples(part, watch):
            inner = path.removeprefix(f"{part.member.folder}/") if part.member.folder else path
            at = inner if inner.startswith("examples/") else f"examples/{inner}"
            if at in taken or at in found.values():
                at = f"examples/{part.name}/{inner.removeprefix('examples/')}"
            found[path] = at
    return found


def nearest_hint(name: str, packages: Iterable[Package]) -> str:
    """The package that may have been meant by a name that is none's, as a hint; or nothing."""
    known = {spelling for other in packages for spelling in (other.name, other.manifest.name)}
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"did you mean {near[0]!r}?" if near else ""


def _meta(spec: MetaSpec, key: str, found: Mapping[str, Package]) -> Package:
    """A meta-package; PlanError with each of its parts that is unknown, and when its name is taken."""
    problems: list[Problem] = []
    parts: dict[str, Package] = {}
    for number, name in enumerate(spec.members):
        chosen = [part for part in found.values() if name in (part.name, part.manifest.name)]
        if not chosen:
            message, hint = f"{name!r} is not a Mojo package of this workspace", nearest_hint(name, found.values())
            problems.append(Problem(message, f"{key}.members[{number}]", MANIFEST, hint))
        parts |= {part.name: part for part in chosen}
    other = found.get(spec.import_name)
    if other is not None:
        message = f"{spec.name!r} is imported as {spec.import_name!r}, as is '{other.folder}' of {other.place}"
        problems.append(Problem(message, f"{key}.name", MANIFEST))
    if len({part.compiler for part in parts.values()}) > 1:
        versions = ", ".join(f"{part.name!r} by {part.compiler}" for part in parts.values())
        message = f"need different compilers, but the parts of one package must share one: {versions}"
        problems.append(Problem(message, f"{key}.members", MANIFEST))
    if not spec.members:
        problems.append(Problem("is empty; expected the names of Mojo packages", f"{key}.members", MANIFEST))
    if problems:
        raise PlanError(*problems)
    manifests = [part.manifest for part in parts.values()]
    manifest = MojoManifest(
        name=spec.name,
        version=spec.version,
        description=spec.description or f"{', '.join(sorted(parts))} in one package",
        authors=tuple(dict.fromkeys(author for manifest in manifests for author in manifest.authors)),
        ships_source=all(manifest.ships_source for manifest in manifests),
        license=" AND ".join(dict.fromkeys(manifest.license for manifest in manifests if manifest.license)),
    )
    return Package(
        name=spec.import_name,
        folder="",
        member=Member(name=spec.name, folder="", mojo=manifest),
        manifest=manifest,
        compiler=next(part.compiler for part in parts.values()),
        parts=tuple(parts[name] for name in sorted(parts)),
        is_flat=spec.layout == "flat",
    )


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
        message = f"'{package.folder or '.'}' contains no {_INIT}; expected a Mojo package"
        return Problem(message, key, package.place)
    if not watch.is_file(f"{package.folder}/{_INIT}".lstrip("/")):
        looked = f"'{package.folder}'" if key else f"its folder nor '{package.member.path('src')}'"
        message = f"neither {looked} nor a folder in it contains an {_INIT}"
        hint = "list folders of packages elsewhere as [packages] NAME = FOLDER"
        return Problem(message, key, package.place, hint)
    named = f'name the package: [packages] with NAME = "{_inside(package) or "."}"'
    if not package.name:
        return Problem("the package has no folder in the workspace to name it after", key, package.place, named)
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
