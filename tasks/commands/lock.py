"""`packyard lock`: writes the locks that are committed, and tells whether they still fit."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name
from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.lock import as_pins, as_snapshot
from packyard.formats.python.lockchange import lock_changes
from packyard.formats.python.pylock import BUILD_NAME, NAME, read_pylock
from packyard.formats.units import count_text
from packyard.formats.workspace.lock import HEAD, WorkspaceLock, read_lock, with_interpreters, write_lock
from packyard.tasks import nullpath
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.engine.store.store import downloads_in
from packyard.tasks.errors import ActionError, PlanError, UsageError
from packyard.tasks.host import network
from packyard.tasks.host.atomic import rewrite
from packyard.tasks.host.cachefolder import store_folder
from packyard.tasks.index.lock import resolve
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.docs.site import LOCK as DOCS_NAME
from packyard.tasks.kinds.interpreter.pin import pin_archive
from packyard.tasks.kinds.morloc.lock import drift_of_morloc, is_settled, lock_morloc
from packyard.tasks.publish.committedlocks import (
    MOJO_NAME,
    CommittedLock,
    compiler_locks,
    held_names,
    member_locks,
    misfits,
    site_locks,
    toolchain_pins,
)
from packyard.tasks.workspace.workspace import LOCK, Member, Workspace, read_standalone, read_workspace

_EXPORTS = {"pins": as_pins, "snapshot": as_snapshot}


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
        say(_EXPORTS[options.export](workspace.lock.morloc).rstrip("\n"))
        return 0
    if options.interpreter:
        _write_interpreters(workspace, options.interpreter)
        return 0
    members = _chosen(workspace, options.member)
    locks = list(member_locks(members, workspace))
    compilers = {} if options.member else compiler_locks(workspace)
    mojo = ", ".join(compilers)
    locks.extend(compilers.values())
    if not options.member:
        locks.extend(site_locks(workspace))
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
            _write_tools(workspace, replace(workspace.lock, toolchains=toolchain_pins(compilers)), f"Mojo {mojo}")
        if morloc:  # last, because it needs other servers than the package index
            text = lock_morloc(workspace, _text(workspace), upgrade=upgrade, offline=network.offline(), notify=say)
            _write_text(workspace, text, count_text(len(read_lock(text, LOCK).morloc), "morloc package"))
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
            raise UsageError(Problem(f"{word!r} is not a member of this workspace", hint=hint))
    return [known[name] for name in dict.fromkeys(words or known)]


def _refuse_unknown(workspace: Workspace, locks: Sequence[CommittedLock], upgrade: Sequence[str]) -> None:
    """Refuse to upgrade what no lock holds: every lock would stay as it is, as if all were new."""
    held = held_names(locks, workspace) if upgrade else None
    if held is None:
        return  # whatever is made anew takes the versions that there are
    for name in upgrade:
        if name not in held and canonicalize_name(name) not in held:
            near = difflib.get_close_matches(name, sorted(held), 1)
            hint = f"did you mean {near[0]!r}?" if near else "locks list what they hold as [[packages]]"
            if name in {member.name for member in workspace.members}:
                hint = f"to upgrade everything of a member: 'packyard lock {name} --upgrade'"
            raise UsageError(Problem(f"{name!r} is not in any lock", place="--upgrade", hint=hint))


# writing -----------------------------------------------------------------------------------------------------


def _write(workspace: Workspace, pin: Pin, upgrade: Sequence[str] | None) -> None:
    root = workspace.root
    path = root / pin.path
    old = path.read_bytes() if path.exists() else b""
    if pin.taken == pin.path:
        lock = read_pylock(path.read_text(encoding="utf-8"), pin.path)
        count = count_text(len(lock.packages), "distribution")
        say(f"kept     {os.path.relpath(path)}  {count}, as {lock.maker or 'another tool'!r} wrote it")
        return
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


def _write_tools(workspace: Workspace, lock: WorkspaceLock, said: str) -> None:
    _write_text(workspace, write_lock(lock, _text(workspace) or HEAD), said)


def _text(workspace: Workspace) -> str:
    """The text of packyard.lock, '' when there is none."""
    path = workspace.root / LOCK
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _write_text(workspace: Workspace, text: str, said: str) -> None:
    path = workspace.root / LOCK
    same = path.exists() and _text(workspace) == text
    if not same:
        try:
            rewrite(path, text)
        except OSError as error:
            raise ActionError(f"{LOCK}: cannot be written: {error.strerror}") from None
    say(f"{'kept    ' if same else 'wrote   '} {os.path.relpath(path)}  {said}")


def _write_interpreters(workspace: Workspace, places: Sequence[str]) -> None:
    """Pin the archives in packyard.lock."""
    pins = [pin_archive(place, workspace.root) for place in places]
    said = ", ".join(f"Python {pin.version} for {pin.platform}" for pin in pins)
    _write_tools(workspace, with_interpreters(workspace.lock, pins), said)


# comparing ---------------------------------------------------------------------------------------------------


def _check(workspace: Workspace, locks: Sequence[CommittedLock], *, compilers: Collection[str], morloc: bool) -> None:
    """Say that all fit; PlanError with every one that does not."""
    problems = [problem for lock in locks for problem in misfits(lock, workspace)]
    differences = drift_of_morloc(workspace, _text(workspace)) if morloc else []
    pinned = {pin.mojo for pin in workspace.lock.toolchains}
    differences = [*(f"Mojo {version} is not in it" for version in compilers if version not in pinned), *differences]
    problems += [Problem(difference, place=LOCK, hint="run 'packyard lock'") for difference in differences]
    if problems:
        raise PlanError(*problems)
    say(f"the locks fit ({count_text(len(locks), 'pylock')}{f', {LOCK}' if compilers or morloc else ''})")


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard lock",
        description=f"Resolve what members need and lock it with hashes: '{NAME}' and '{BUILD_NAME}' beside each "
        f"manifest, the Mojo compiler in '{MOJO_NAME}', the tools that build sites in '{DOCS_NAME}'; '{LOCK}' "
        "names the compiler's and the morloc packages. Versions that still fit are kept. Commit these files.",
        examples=("packyard lock", "packyard lock greet --upgrade", "packyard lock --check"),
    )
    parser.add_argument("member", nargs="*", help="names (default: all members, sites, and the Mojo compiler)")
    parser.add_argument("--check", action="store_true", help="only check whether the locks fit the manifests")
    parser.add_argument("--offline", action="store_true", help="download nothing: use what is cached, or fail")
    parser.add_argument(
        "--interpreter", action="append", default=[], metavar="ARCHIVE",
        help=f"pin this Python for bundles in {LOCK}, and do nothing else: the path or URL of an archive in the "
            "install_only layout; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--export", choices=sorted(_EXPORTS),
        help="print the locked morloc packages for the compiler: pins of a package.yaml, or lines of a snapshot",
    )  # fmt: skip
    parser.add_argument(
        "--upgrade", nargs="?", const="", action="append", default=[], metavar="NAME",
        help="use the newest version of this distribution, or of all",
    )  # fmt: skip
    return parser
