"""Git, driven by argument lists: which commit a reference means, and the files of a commit, byte by byte.

What a checkout would change (line ends, keywords, filters, files left out on export) is switched off, so the same
commit gives the same bytes under every configuration. Credentials and URL rewriting are the user's own.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from packyard.formats.entry import Entry
from packyard.formats.errors import FormatError
from packyard.formats.tarball import Stream, read_tar
from packyard.tasks import process
from packyard.tasks.errors import ActionError
from packyard.tasks.exclusion import exclusive

LARGEST = 512 << 20  # bytes of all files of a commit
_PLAIN = "* -text !eol -ident -filter -export-subst -export-ignore !working-tree-encoding\n"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_KEPT = ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM")
_SPACES = {"branch": "refs/heads/", "tag": "refs/tags/"}


def commit_of(url: str, form: str, ref: str, cache: Path) -> str:
    """The commit that a reference means now, asked of the remote; a whole hash is its own answer.

    `form` is '' (the default branch), 'branch', 'tag' or 'hash'. FormatError when the remote does not know it.
    """
    if form == "hash":
        return ref if _COMMIT.fullmatch(ref) else _abbreviated(url, ref, cache)
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
    """The files of a commit, links replaced by what they point at; FormatError when it cannot be had or holds a link
    out of the repository. `cache` is a folder of bare repositories that grows."""
    with _repository(url, cache) as repository:
        if not _has(repository, commit):
            if offline:
                raise FormatError(f"{url} was never fetched at {commit[:12]}, and nothing may be fetched (--offline)")
            _fetch(repository, url, commit)
        tree = _git(repository, "rev-parse", "--verify", f"{commit}^{{tree}}").strip()
        archive = repository / f"packyard-{os.getpid()}.tar"
        try:
            _git(repository, "archive", "--format=tar", f"--output={archive}", tree)
            with archive.open("rb") as stream:
                return read_files(stream)
        finally:
            archive.unlink(missing_ok=True)


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
    found = dict(files)
    for path, first in links.items():
        target = first
        for _ in links:
            target = links.get(target, target)
        inner = [other for other in files if other == target or other.startswith(f"{target}/") or not target]
        if not inner or path.startswith(f"{target}/"):
            raise FormatError(f"{path!r} is a link that leads nowhere, or round in a circle")
        for other in inner:
            copy = path + other[len(target) :]
            found[copy] = Entry(copy, files[other].content, files[other].executable)
    return list(found.values())


def _abbreviated(url: str, digits: str, cache: Path) -> str:
    with _repository(url, cache) as repository:
        for attempt in (1, 2):
            try:
                return _git(repository, "rev-parse", "--verify", "--quiet", f"{digits}^{{commit}}").strip()
            except ActionError:
                if attempt == 1:
                    _fetch(repository, url, "")
    raise FormatError(f"{url} has no commit {digits!r}, or several that begin so")


@contextmanager
def _repository(url: str, cache: Path) -> Iterator[Path]:
    """The bare repository that keeps what was fetched from `url`, held alone."""
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
    """Fetch one commit, or everything where the server does not give out single commits."""
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
        raise FormatError(f"{url} has no commit {commit[:12]} any more")


def _git(repository: Path | None, *words: str) -> str:
    where = ["--git-dir", os.fspath(repository)] if repository else []
    argv = ["git", "-c", "protocol.ext.allow=never", "-c", "gc.auto=0", *where, *words]
    return process.capture(argv, env=environment())


def environment() -> dict[str, str]:
    """The user's, without what a surrounding git (a hook) has set, and without questions."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _KEPT}
    return {**own, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
