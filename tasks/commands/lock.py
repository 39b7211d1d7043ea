"""`packyard lock`: writes the locks that are committed, and tells whether they still fit."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tomlkit
from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.lock import as_pins, as_snapshot, read_morloc_lock
from packyard.formats.python.lockchange import lock_changes
from packyard.formats.python.pylock import BUILD_NAME, HOOK_NAME, NAME, drift, read_pylock
from packyard.formats.text.toml import read_toml
from packyard.formats.units import count_text
from packyard.formats.workspace.lock import read_toolchain_pins
from packyard.tasks import nullpath
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.engine.store.store import downloads_in
from packyard.tasks.errors import ActionError, PlanError, UsageError, gather
from packyard.tasks.host import network
from packyard.tasks.host.atomic import rewrite
from packyard.tasks.host.cachefolder import store_folder
from packyard.tasks.index.adoptedlock import check_taken, taken_lock
from packyard.tasks.index.lock import resolve, taken_drift
from packyard.tasks.index.projectindexes import indexes_of
from packyard.tasks.kinds.docs.site import LOCK as DOCS_NAME
from packyard.tasks.kinds.docs.site import docs_python, docs_requirements
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.pin import pin_archive
from packyard.tasks.kinds.mojo import toolchain
from packyard.tasks.kinds.mojo.make_toolchain import ToolchainParams
from packyard.tasks.kinds.morloc.lock import drift_of_morloc, is_settled, lock_morloc
from packyard.tasks.kinds.python.backend import build_requirements
from packyard.tasks.kinds.python.dependencies import dependencies
from packyard.tasks.target.params import read_params
from packyard.tasks.target.target import Pin
from packyard.tasks.workspace.workspace import LOCK, Member, Workspace, read_standalone, read_workspace

_MOJO = "pylock.mojo.toml"  # beside packyard.lock, which names it
_EXPORTS = {"pins": as_pins, "snapshot": as_snapshot}
_TOOLS_HEAD = "# What the tools of this workspace are pinned to; 'packyard lock' writes [[toolchain]].\n\n"


@dataclass(frozen=True, slots=True)
class _Lock:
    """A lock that is to be committed: its question, and for whom it is asked."""

    owner: str
    pin: Pin


def run(words: list[str]) -> int:
    """Write (or with --check compare) the locks that `words` name; the exit status."""
    options = parser().parse_args(words)
    if options.offline:
        os.environ["UV_OFFLINE"] = "1"
    application = _application()
    root = application or find_workspace(Path.cwd())
    if not words and (known := is_settled(root)):
        say(f"kept     {os.path.relpath(root / LOCK)}  {count_text(known, 'morloc package')}")
        return 0
    workspace = read_standalone(root, lambda project: project) if application else read_workspace(root)
    if options.export:
        say(_EXPORTS[options.export](read_morloc_lock(_tools(workspace), LOCK)).rstrip("\n"))
        return 0
    if options.interpreter:
        _write_interpreters(workspace, options.interpreter)
        return 0
    members = _chosen(workspace, options.member)
    locks = list(_locks(members, workspace))
    compilers = {} if options.member else _mojo_locks(workspace)
    mojo = ", ".join(compilers)
    locks.extend(compilers.values())
    if not options.member:
        locks.extend(_docs_lock(workspace))
    morloc = any(member.morloc for member in members)
    if not locks and not morloc:
        say("nothing to lock: no Python or morloc member, no site, and no Mojo compiler")
    elif options.check:
        _check(workspace, locks, compilers=compilers, morloc=morloc)
    else:
        upgrade = None if "" in options.upgrade else options.upgrade
        _refuse_unknown(workspace, locks, upgrade or ())
        for lock in locks:
            _write(workspace, lock.pin, upgrade)
        if mojo:
            _write_tools(workspace.root, _with_mojo(_tools(workspace), compilers), f"Mojo {mojo}")
        if morloc:  # last, because it needs other servers than the package index
            text = lock_morloc(workspace, _tools(workspace), upgrade=upgrade, offline=network.offline(), notify=say)
            _write_tools(workspace.root, text, count_text(len(read_morloc_lock(text, LOCK)), "morloc package"))
    return 0


def _application() -> Path | None:
    """The current folder when it is that of an application in no workspace, as `packyard pack` takes it."""
    here = Path.cwd()
    return here if nullpath.find_root(os.fspath(here)) is None and (here / "pyproject.toml").is_file() else None


def _chosen(workspace: Workspace, words: Sequence[str]) -> list[Member]:
    """The members of these names, all when there are none."""
    known = {member.name: member for member in workspace.members}
    for word in words:
        if word not in known:
            near = difflib.get_close_matches(word, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
            raise UsageError(Problem(f"{word!r} is no member of this workspace", hint=hint))
    return [known[name] for name in dict.fromkeys(words or known)]


def _refuse_unknown(workspace: Workspace, locks: Sequence[_Lock], upgrade: Sequence[str]) -> None:
    """Refuse to upgrade what no lock holds: every lock would stay as it is, as if all were new."""
    held = {locked.name for locked in read_morloc_lock(_tools(workspace), LOCK)}
    held |= {member.name for member in workspace.members if member.morloc}
    for lock in locks if upgrade else ():
        path = workspace.root / lock.pin.path
        try:
            pylock = read_pylock(path.read_text(encoding="utf-8"), lock.pin.path)
        except (OSError, FormatError):
            return  # it is made anew, with whatever versions there are
        inner = (read_pylock(build.lock, lock.pin.path) for build in pylock.builds)
        held |= {name for one in (pylock, *inner) for name, _ in one.packages}
    for name in upgrade:
        if name not in held and canonicalize_name(name) not in held:
            near = difflib.get_close_matches(name, sorted(held), 1)
            hint = f"did you mean {near[0]!r}?" if near else "locks list what they hold as [[packages]]"
            if name in {member.name for member in workspace.members}:
                hint = f"for all of a member: 'packyard lock {name} --upgrade'"
            raise UsageError(Problem(f"{name!r} is in none of the locks", place="--upgrade", hint=hint))


def _locks(members: Sequence[Member], workspace: Workspace) -> Iterator[_Lock]:
    """What applications need to run, and what builds the wheel of each member."""
    problems: list[FormatError] = []
    for member in members:
        if member.project is None:
            continue
        try:
            python = choice.version(member, workspace)
            if member.project.flavor:
                wanted = dependencies(member, workspace).requirements
                pin = _pin(member.path(NAME), wanted, python, workspace, member)
                if taken := taken_lock(member, workspace):
                    check_taken(taken, member, wanted, python)
                    pin = replace(pin, taken=taken.path)
                yield _Lock(member.name, pin)
            if member.project.build_backend:
                wanted = build_requirements(member)
                yield _Lock(member.name, _pin(member.path(BUILD_NAME), wanted, python, workspace, member))
            if member.project.flavor and (requires := member.project.flavor.build.hook_requires):
                yield _Lock(member.name, _pin(member.path(HOOK_NAME), requires, python, workspace, member))
        except FormatError as error:
            problems.append(error)
    gather(problems)


def _pin(
    path: str, requirements: Sequence[str], python: str, workspace: Workspace, member: Member | None = None
) -> Pin:
    return Pin(
        path=path,
        requirements=tuple(sorted(set(requirements))),
        python=python,
        platform=workspace.platform,
        project=member.folder if member else "",
        indexes=tuple(indexes_of(member, workspace)) if member else (),
    )


def _mojo_locks(workspace: Workspace) -> dict[str, _Lock]:
    """The lock of each compiler by its version; those that are on the machine already have none."""
    found: dict[str, _Lock] = {}
    for target in toolchain.targets(workspace):
        for pin in target.pins:
            version = read_params(ToolchainParams, target.params).version
            own = version == workspace.manifest.toolchain.mojo
            path = _MOJO if own else _MOJO.replace(".toml", f"-{version}.toml")
            found[version] = _Lock(target.name, replace(pin, path=path))
    return found


def _docs_lock(workspace: Workspace) -> Iterator[_Lock]:
    """The lock of what makes the workspace's sites."""
    if requirements := docs_requirements(workspace):
        yield _Lock("[[docs]]", _pin(DOCS_NAME, requirements, docs_python(workspace), workspace))


# writing -----------------------------------------------------------------------------------------------------


def _write(workspace: Workspace, pin: Pin, upgrade: Sequence[str] | None) -> None:
    root = workspace.root
    path = root / pin.path
    old = path.read_bytes() if path.exists() else b""
    downloads = downloads_in(store_folder(root, workspace.manifest.cache.directory))
    resolve(pin, root, downloads=downloads, upgrade=upgrade)
    new = path.read_bytes()
    packages = read_pylock(new.decode("utf-8"), pin.path).packages
    source = f", as {os.path.relpath(root / pin.taken)} says" if pin.taken else ""
    said = f"{os.path.relpath(path)}  {count_text(len(packages), 'distribution')}{source}"
    say(f"{'kept   ' if new == old else 'wrote  '}  {said}")
    try:
        changes = list(lock_changes(old.decode("utf-8", "replace"), new.decode("utf-8"), pin.path)) if old else []
    except FormatError:
        return  # it was replaced: what was wrong with it does not matter any more
    for change in changes:
        say(f"           {change}")


def _tools(workspace: Workspace) -> str:
    """The text of packyard.lock, '' when there is none."""
    path = workspace.root / LOCK
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _with_mojo(text: str, compilers: Mapping[str, _Lock]) -> str:
    """The packyard.lock `text` with the locks that the compilers are installed from; what else it says stays."""
    wanted = [{"mojo": version, "lock": lock.pin.path} for version, lock in compilers.items()]
    if read_toml(text, LOCK).get("toolchain") == wanted:
        return text
    document = tomlkit.parse(text or _TOOLS_HEAD)
    entries = tomlkit.aot()
    for values in wanted:
        entry = tomlkit.table()
        entry.update(values)
        entries.append(entry)
    document["toolchain"] = entries
    return tomlkit.dumps(document)


def _write_tools(root: Path, text: str, said: str) -> None:
    path = root / LOCK
    same = path.exists() and path.read_text(encoding="utf-8") == text
    if not same:
        try:
            rewrite(path, text)
        except OSError as error:
            raise ActionError(f"{LOCK}: cannot be written: {error.strerror}") from None
    say(f"{'kept    ' if same else 'wrote   '} {os.path.relpath(path)}  {said}")


def _write_interpreters(workspace: Workspace, places: Sequence[str]) -> None:
    """Pin the archives in packyard.lock, each in place of an earlier one of its version and platform."""
    text = _tools(workspace)
    read_toml(text, LOCK)
    document = tomlkit.parse(text or _TOOLS_HEAD)
    entries = document.setdefault("interpreter", tomlkit.aot())
    said = []
    for place in places:
        pin = pin_archive(place, workspace.root)
        same = (pin.version, pin.platform)
        for entry in [entry for entry in entries if (entry.get("version"), entry.get("platform")) == same]:
            entries.remove(entry)
        entry = tomlkit.table()
        where = {"url": pin.url} if pin.url else {"path": pin.path}
        entry.update({"version": pin.version, "platform": pin.platform, **where, "sha256": str(pin.sha256)})
        entries.append(entry)
        said.append(f"Python {pin.version} for {pin.platform}")
    _write_tools(workspace.root, tomlkit.dumps(document), ", ".join(said))


# comparing ---------------------------------------------------------------------------------------------------


def _check(workspace: Workspace, locks: Sequence[_Lock], *, compilers: Mapping[str, _Lock], morloc: bool) -> None:
    """Say that all fit; PlanError with every one that does not."""
    problems = [problem for lock in locks for problem in _misfits(workspace, lock)]
    text = _tools(workspace)
    differences = drift_of_morloc(workspace, text) if morloc else []
    pinned = {pin.mojo for pin in read_toolchain_pins(text, LOCK)} if compilers else set()
    differences = [*(f"Mojo {version} is not in it" for version in compilers if version not in pinned), *differences]
    problems += [Problem(difference, place=LOCK, hint="run 'packyard lock'") for difference in differences]
    if problems:
        raise PlanError(*problems)
    say(f"the locks fit ({count_text(len(locks), 'pylock')}{f', {LOCK}' if compilers or morloc else ''})")


def _misfits(workspace: Workspace, lock: _Lock) -> Iterator[Problem]:
    pin = lock.pin
    hint = "run 'packyard lock'" if pin.path in (_MOJO, DOCS_NAME) else f"run 'packyard lock {lock.owner}'"
    if not workspace.watch.is_file(pin.path):
        if pin.taken:
            return  # it fits, else its member would have been refused
        yield Problem("is missing", place=pin.path, hint=hint)
        return
    found = read_pylock(workspace.watch.text(pin.path), pin.path)
    changes = [*drift(found, requirements=pin.requirements, python=pin.python), *taken_drift(found, workspace)]
    if changes:
        yield Problem(f"does not fit {lock.owner!r} any more: {', '.join(changes)}", place=pin.path, hint=hint)


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard lock",
        description=f"Resolve what members need, with hashes: '{NAME}' and '{BUILD_NAME}' beside each manifest, the "
        f"Mojo compiler in '{_MOJO}', what makes sites in '{DOCS_NAME}'; '{LOCK}' names the compiler's and the morloc "
        "packages. Versions stay while they fit. Commit these files.",
        examples=("packyard lock", "packyard lock greet --upgrade", "packyard lock --check"),
    )
    parser.add_argument("member", nargs="*", help="names (default: all members, sites, and the Mojo compiler)")
    parser.add_argument("--check", action="store_true", help="only tell whether the locks fit the manifests")
    parser.add_argument("--offline", action="store_true", help="download nothing: take what is in caches, or fail")
    parser.add_argument(
        "--interpreter", action="append", default=[], metavar="ARCHIVE",
        help=f"pin this Python for bundles in {LOCK}, and do nothing else: the path or URL of an archive in the "
        "install_only layout; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--export", choices=sorted(_EXPORTS),
        help="print the locked morloc packages for the compiler: pins of a package.yaml, or lines of a snapshot",
    )  # fmt: skip
    parser.add_argument(
        "--upgrade", nargs="?", const="", action="append", default=[], metavar="NAME",
        help="take the newest version of this distribution, or of all",
    )  # fmt: skip
    return parser
