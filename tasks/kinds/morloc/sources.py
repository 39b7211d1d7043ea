"""Where a morloc package comes from: the workspace, a folder, an archive, or a repository at a commit."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.morloc.lock import ARCHIVE, DEFAULT, FOLDER, MEMBER, LockedPackage, content_digest
from packyard.formats.morloc.reference import (
    ARCHIVE_SUFFIX,
    STANDARD,
    STANDARD_SET,
    GitRef,
    InstallRef,
    LocalRef,
    Named,
    over_ssh,
    read_install,
)
from packyard.formats.morloc.resolution import Candidate, resolve
from packyard.formats.versionrange import newest
from packyard.formats.workspace.manifest import MorlocSpec
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.host import gitfetch
from packyard.tasks.kinds.morloc.archivefile import read_archive
from packyard.tasks.kinds.morloc.lint import find_errors
from packyard.tasks.kinds.morloc.members import read_folder
from packyard.tasks.kinds.morloc.modules import needs_of, select
from packyard.tasks.kinds.morloc.package import Package, read_entries
from packyard.tasks.kinds.morloc.scan import Scan, scan
from packyard.tasks.workspace.watch import Watch

# What stops a resolution before anything is fetched: a misspelt import must not be looked for in a repository.
_NAMING = frozenset({"unknown-import", "unknown-dependency", "unreadable-module", "package-cycle"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """A package with what a lock says of it."""

    package: Package
    locked: LockedPackage

    @property
    def name(self) -> str:
        """The package's name."""
        return self.locked.name


@dataclass(kw_only=True)
class Sources:
    """All places that packages can come from, asked in this order: those `preset` whole, those `given` by hand,
    members, [morloc.sources], vendored archives, those `present` in a plane, the repository that the lock names,
    the default repository.

    `root` is what relative paths of `spec` start from. A commit of the lock is kept while its source is written the
    same, but for the names in `upgrade` (None: all). `notify` hears of every fetch.
    """

    spec: MorlocSpec
    root: Path
    cache: Path
    scan_members: Callable[[], Scan] = lambda: Scan({}, {}, ())
    given: Mapping[str, InstallRef] = field(default_factory=dict)
    archives: Mapping[str, Path] = field(default_factory=dict)
    locked: Mapping[str, LockedPackage] = field(default_factory=dict)
    upgrade: Collection[str] | None = ()
    offline: bool = False
    only_locked: bool = False
    present: Mapping[str, Provided] = field(default_factory=dict)
    preset: Mapping[str, Provided] = field(default_factory=dict)
    notify: Callable[[str], None] = lambda line: None
    _provided: dict[tuple[str, str], Provided] = field(default_factory=dict)
    _chosen: dict[str, Provided] = field(default_factory=dict)

    @cached_property
    def members(self) -> Scan:
        """The members, read when they are first needed."""
        return self.scan_members()

    def resolve(self, roots: Iterable[str]) -> tuple[Provided, ...]:
        """`roots` and all that they need, dependencies first; FormatError with everything that stands in the way."""
        found = resolve(roots, self.find, self.choose)
        return tuple(self._chosen[candidate.name] for candidate in found)

    def find(self, name: str, pin: str) -> Candidate:
        """The candidate for a name, at the commit `pin` unless it comes from no repository."""
        provided = self._provided.get((name, pin))
        if provided is None:
            provided = self._provide(name, pin)
            self._provided[name, pin] = provided
        self._chosen[name] = provided  # the last answer counts
        manifest = provided.package.manifest
        return Candidate(
            name=name,
            version=provided.locked.version,
            needs=provided.locked.dependencies,
            ranges=manifest.requires,
            pins={p.name: p.git_hash for p in manifest.morloc_dependencies},
            commit=provided.locked.commit,
        )

    def choose(self, name: str, ranges: tuple[str, ...]) -> str:
        """The commit of the newest tagged version ('v0.7.1', '0.7.1') that meets all `ranges`; '' when the package is
        no repository whose default branch was taken, or nothing may be fetched."""
        reference = self._repository(name)
        if reference is None or reference.form or self.offline or self.only_locked:
            return ""
        try:
            tags = gitfetch.tags_of(self._url(reference))
        except ActionError as error:
            raise _unreachable(name, reference, error) from None
        return newest({tag.removeprefix("v"): commit for tag, commit in tags.items()}, ranges)

    def _repository(self, name: str) -> GitRef | None:
        """The repository that a package would come from, None when it comes from elsewhere."""
        if name in self.preset or (name in self.members.packages and name not in self.given):
            return None
        text = self.spec.sources.get(name)
        reference = self.given.get(name) or (read_install(text) if text else None)
        if reference is None and name not in self.archives:
            reference = Named(name)
        if isinstance(reference, Named):
            url = self.spec.default_repository.replace("{name}", name)
            return GitRef(url, url)
        return reference if isinstance(reference, GitRef) else None

    def _url(self, reference: GitRef) -> str:
        return over_ssh(reference.url) if self.spec.ssh else reference.url

    def known(self) -> set[str]:
        """The names that can be had without asking the default repository."""
        return {*self.preset, *self.given, *self.members.packages, *self.spec.sources, *self.archives}

    def _provide(self, name: str, pin: str) -> Provided:
        if name in self.preset:
            return self.preset[name]
        if name in self.given:
            return self._from(name, self.given[name], pin)
        if name in self.members.packages:
            package = self.members.packages[name]
            modules = self.members.modules[name]
            needs = needs_of(package, modules)
            package = select(package, modules, self.spec.content)
            version = package.manifest.version
            return Provided(
                package=package,
                locked=LockedPackage(name=name, version=version, source=MEMBER, dependencies=needs),
            )
        if name in self.spec.sources:
            reference = read_install(self.spec.sources[name])
            if isinstance(reference, LocalRef):
                reference = LocalRef(os.fspath(self.root / reference.path))
            return self._from(name, reference, pin)
        if name in self.archives:
            return self._from(name, LocalRef(os.fspath(self.archives[name])), pin)
        if name in self.present and pin in ("", self.present[name].locked.commit):
            return self.present[name]
        return self._from(name, Named(name), pin)

    def _from(self, name: str, reference: InstallRef, pin: str) -> Provided:
        match reference:
            case LocalRef() if reference.is_archive:
                return self._checked(read_archive(Path(reference.path), name), name, ARCHIVE)
            case LocalRef():
                if not os.path.isdir(reference.path):
                    expected = f"expected a folder or an archive NAME-VERSION{ARCHIVE_SUFFIX}"
                    raise PlanError(Problem(f"is not a folder; {expected}", place=reference.path))
                package = read_folder(Watch(Path(reference.path)), "", reference.path, name)
                return self._checked(package, name, FOLDER)
            case GitRef():
                return self._cloned(name, reference, str(reference), pin)
            case Named():
                url = self.spec.default_repository.replace("{name}", name)
                return self._cloned(name, GitRef(url, url), DEFAULT, pin)

    def _cloned(self, name: str, reference: GitRef, source: str, pin: str) -> Provided:
        url = self._url(reference)
        try:
            with inside(name):
                commit, expected = self._commit(name, reference, source, pin)
                self.notify(f"{name}: {url} at {commit[:12]}")
                entries = gitfetch.files_of(url, commit, self.cache / "git", offline=self.offline)
        except ActionError as error:
            raise _unreachable(name, reference, error) from None
        provided = self._checked(read_entries(entries, name, name), name, source, commit)
        if expected is not None and expected.content != provided.locked.content:
            message = f"its content at {commit[:12]} is {provided.locked.content}, but {expected.content} is locked"
            raise FormatError(Problem(message, place=name))
        return provided

    def _commit(self, name: str, reference: GitRef, source: str, pin: str) -> tuple[str, LockedPackage | None]:
        """The commit to take, and what the lock says of it when it is the locked one."""
        old = self.locked.get(name)
        upgraded = self.upgrade is None or name in self.upgrade
        same = old is not None and old.source == source and bool(old.commit)
        if pin:
            if reference.form == "hash" and not pin.startswith(reference.ref):
                raise FormatError(f"is requested at {reference.ref[:12]}, but pinned to {pin[:12]}")
            return pin, old if same and old is not None and old.commit == pin else None
        if same and old is not None and not upgraded:
            if reference.form == "tag" and not (self.offline or self.only_locked):
                now = gitfetch.commit_of(self._url(reference), "tag", reference.ref, self.cache / "git")
                if now != old.commit:
                    raise FormatError(
                        f"the tag {reference.ref!r} of {reference.url} moved from {old.commit[:12]} to {now[:12]}",
                        hint=f"if that is intended, run 'packyard lock --upgrade {name}'",
                    )
            return old.commit, old
        if self.only_locked:
            raise FormatError("is not locked", hint="run 'packyard lock'")
        if self.offline and not (reference.form == "hash" and len(reference.ref) >= 40):
            raise FormatError("is not locked, and fetching is disabled (--offline)")
        return gitfetch.commit_of(self._url(reference), reference.form, reference.ref, self.cache / "git"), None

    def _checked(self, package: Package, name: str, source: str, commit: str = "") -> Provided:
        """A package that is not a member, refused when it cannot work."""
        scanned = scan({name: package})
        problems = [found.problem for found in find_errors(scanned)]
        if problems:
            raise FormatError(*problems)
        known = {*self.known(), *STANDARD}
        locked = LockedPackage(
            name=name,
            version=package.manifest.version,
            source=source,
            commit=commit,
            content=content_digest(package.entries()),
            dependencies=needs_of(package, scanned.modules[name], known),
        )
        return Provided(package=package, locked=locked)


def _unreachable(name: str, reference: GitRef, error: ActionError) -> FormatError:
    lines = error.detail.strip().splitlines() or [error.message]
    said = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
    return FormatError(Problem(f"{reference.url} cannot be fetched: {said.removeprefix('fatal: ')}", place=name))


def expand(references: Iterable[InstallRef]) -> Iterator[InstallRef]:
    """The references with the standard set's one name replaced by its packages."""
    for reference in references:
        if reference == Named(STANDARD_SET):
            yield from (Named(name) for name in STANDARD)
        else:
            yield reference


def naming_problems(members: Scan, known: Collection[str], root: str) -> list[Problem]:
    """What is wrong with the members' own names of packages, so that nothing need be fetched to say it."""
    return [found.problem for found in find_errors(members, known, root=root) if found.code in _NAMING]
