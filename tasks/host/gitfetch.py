"""Git, driven by argument lists: which commit a reference means, and the files of a commit, byte by byte.

What a checkout would change (line ends, keywords, filters, files left out on export) is switched off, so the same
commit gives the same bytes under every configuration. Credentials and URL rewriting are the user's own.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.tarball import read_tar
from packyard.formats.commit import is_commit
from packyard.formats.errors import FormatError
from packyard.formats.stream import Stream
from packyard.tasks.errors import ActionError
from packyard.tasks.host import network, process
from packyard.tasks.host.filelock import exclusive

LARGEST = 512 << 20  # bytes of all files of a commit
_MOST = 200_000  # files, when links are followed
_MOST_HOPS = 40  # links from one path to its file, as in the kernel
_PLAIN = "* -text !eol -ident -filter -export-subst -export-ignore !working-tree-encoding\n"
# What reaches a git child: where it finds itself, its settings, and what unlocks repositories; it needs nothing else of
# the user's environment.
_KEPT = frozenset(
    {
        "PATH", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "KRB5CCNAME",
        "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GH_TOKEN", "GITHUB_TOKEN", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO",
        "GIT_ASKPASS", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM",
    }
)  # fmt: skip
_SPACES = {"branch": "refs/heads/", "tag": "refs/tags/"}


def commit_of(url: str, form: str, ref: str, cache: Path) -> str:
    """The commit that a reference means now, asked of the remote; a full hash is its own answer.

    `form` is '' (the default branch), 'branch', 'tag' or 'hash'. FormatError if the remote does not know it.
    """
    if form == "hash":
        return ref if is_commit(ref) else _abbreviated(url, ref, cache)
    name = f"{_SPACES[form]}{ref}" if form else "HEAD"
    wanted = [name, f"{name}^{{}}"] if form == "tag" else [name]  # ^{}: what an annotated tag points at
    found: dict[str, str] = {}
    for line in _git(None, "ls-remote", "--", url, *wanted).splitlines():
        said, _, what = line.partition("\t")
        found[what] = said
    commit = found.get(wanted[-1]) or found.get(name)
    if commit is None:
        raise FormatError(f"{url} has {f'no {form} {ref!r}' if form else 'no commits'}")
    return commit


def files_of(url: str, commit: str, cache: Path, *, offline: bool = False) -> list[Entry]:
    """The files of a commit, links replaced by what they point at; FormatError if it is not available or contains a
    link that leaves the repository. `cache` is a folder of bare repositories that grows."""
    with _repository(url, cache) as repository:
        if not _has(repository, commit):
            if offline:
                raise FormatError(f"{url} was never fetched at {commit[:12]}, and fetching is disabled (--offline)")
            _fetch(repository, url, commit)
        tree = _git(repository, "rev-parse", "--verify", f"{commit}^{{tree}}").strip()
        archive = repository / f"packyard-{os.getpid()}.tar"
        try:
            _git(repository, "archive", "--format=tar", f"--output={archive}", tree)
            with archive.open("rb") as stream:
                return read_files(stream)
        finally:
            archive.unlink(missing_ok=True)


def tags_of(url: str) -> dict[str, str]:
    """The tags of a repository, and the commit of each, asked of the remote."""
    found: dict[str, str] = {}
    for line in _git(None, "ls-remote", "--tags", "--", url).splitlines():
        commit, _, name = line.partition("\t")
        tag = name.removeprefix(_SPACES["tag"])
        if tag.endswith("^{}") or tag not in found:  # ^{}: what an annotated tag points at
            found[tag.removesuffix("^{}")] = commit
    return found


def read_files(stream: Stream) -> list[Entry]:
    """The files of a tar, links replaced by what they point at; FormatError with the member as its key."""
    files: dict[str, Entry] = {}
    links: dict[str, str] = {}
    try:
        for member in read_tar(stream, limit=LARGEST, links=True):
            if member.kind == "file":
                files[member.path] = Entry(member.path, member.body.read(), member.executable)
            elif member.kind in ("link", "hardlink"):
                links[member.path] = member.target
    except FormatError as error:
        raise FormatError(*(replace(p, place="", key=p.place or p.key) for p in error.problems)) from None
    return list(_without_links(files, links)) if links else list(files.values())


def _without_links(files: Mapping[str, Entry], links: Mapping[str, str]) -> Iterator[Entry]:
    """The files as found by following every link, also links that lead through other links."""
    below: dict[str, set[str]] = {"": set()}
    waiting = [*files, *links]
    for path in waiting:  # grows by the folders above
        parent = path.rpartition("/")[0]
        if parent not in below:
            below[parent] = set()
            waiting.append(parent)
        below[parent].add(path)
    left = [_MOST, LARGEST]  # links to links can expand to more than any disk holds

    def walk(at: str, real: str, inside: frozenset[str]) -> Iterator[Entry]:
        for path in sorted(below[real]):
            seen = f"{at}/{path.rpartition('/')[2]}".lstrip("/")
            goal = _goal(path, links) if path in links else path
            if goal in files:
                entry = files[goal]
                left[0] -= 1
                left[1] -= len(entry.content) if isinstance(entry.content, bytes) else 0
                if min(left) < 0:
                    raise FormatError(f"{seen!r} exceeds the limit: with its links it unpacks to more than is allowed")
                yield replace(entry, path=seen)
            elif goal in below and goal not in inside:
                yield from walk(seen, goal, inside | {goal})
            else:
                raise FormatError(f"{seen!r} is a broken or circular link")

    return walk("", "", frozenset({""}))


def _goal(path: str, links: Mapping[str, str]) -> str:
    """Where a path leads when each link in it is followed; the root if that never ends."""
    done, todo, hops = "", path.split("/"), 0
    while todo:
        done = f"{done}/{todo.pop(0)}".lstrip("/")
        if done in links:
            hops += 1
            if hops > _MOST_HOPS:
                return "."
            done, todo = "", [*filter(None, links[done].split("/")), *todo]
    return done


def _abbreviated(url: str, digits: str, cache: Path) -> str:
    with _repository(url, cache) as repository:
        for attempt in (1, 2):
            try:
                return _git(repository, "rev-parse", "--verify", "--quiet", f"{digits}^{{commit}}").strip()
            except ActionError:
                if attempt == 1:
                    _fetch(repository, url, "")
    raise FormatError(f"{url} has no commit {digits!r}, or several that start with it")


@contextmanager
def _repository(url: str, cache: Path) -> Iterator[Path]:
    """The bare repository that keeps what was fetched from `url`, held exclusively."""
    folder = cache / hashlib.sha256(url.encode()).hexdigest()[:24]
    cache.mkdir(parents=True, exist_ok=True)
    with exclusive(cache / f"{folder.name}.lock", keep=True):
        if not (folder / "HEAD").exists():
            _git(None, "init", "--quiet", "--bare", "--template=", "--", os.fspath(folder))
        (folder / "info").mkdir(exist_ok=True)
        (folder / "info" / "attributes").write_text(_PLAIN)
        yield folder


def _has(repository: Path, commit: str) -> bool:
    try:
        _git(repository, "cat-file", "-e", f"{commit}^{{commit}}")
    except ActionError:
        return False
    return True


def _fetch(repository: Path, url: str, commit: str) -> None:
    """Fetch one commit, or everything if the server does not serve single commits."""
    if commit:
        try:
            _git(repository, "fetch", "--quiet", "--depth=1", "--no-tags", "--", url, commit)
        except ActionError:
            pass
        else:
            return
    _git(
        repository, "fetch", "--quiet", "--force", "--prune", "--update-shallow", "--",
        url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
    )  # fmt: skip
    if commit and not _has(repository, commit):
        raise FormatError(f"{url} no longer has commit {commit[:12]}")


def _git(repository: Path | None, *words: str) -> str:
    where = ["--git-dir", os.fspath(repository)] if repository else []
    argv = ["git", "-c", "protocol.ext.allow=never", "-c", "gc.auto=0", *where, *words]
    return process.capture(argv, env=environment())


def environment() -> dict[str, str]:
    """What git children see: nothing that a surrounding git (a hook) has set, no secrets of ours, no prompts."""
    own = {name: value for name, value in os.environ.items() if name in _KEPT}
    return {**network.connection(), **own, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
