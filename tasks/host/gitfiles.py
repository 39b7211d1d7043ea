"""The files of a folder that git tracks or would track: not those that .gitignore or .git/info/exclude leave out.

Git itself is asked, without `core.excludesFile`: what one user's settings ignore is built all the same. A folder that
is in no repository (an export), or that a repository around it ignores as a whole (a home folder that is kept in git),
is asked as if it were a repository with nothing in it, so that its .gitignore files count. A repository inside, be it a
submodule, has its own say.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from packyard.tasks.errors import ActionError
from packyard.tasks.host import gitfetch, process

_SUBMODULE = "160000 "  # the mode of a commit of another repository


@dataclass(frozen=True, slots=True)
class GitFiles:
    """`files` are the paths below the folder; `inputs` is what else decides: files that may or may not be there, as
    absolute paths. The .gitignore files in the folder and below it are not named. `is_repository` tells whether a
    repository said so."""

    files: frozenset[str]
    inputs: tuple[str, ...]
    is_repository: bool = False

    @property
    def checksum(self) -> bytes:
        """Equal when the files are."""
        return hashlib.sha256("\0".join(sorted(self.files)).encode("utf-8", "surrogateescape")).digest()


def read_gitfiles(folder: Path, *, alone: bool = False) -> GitFiles | None:
    """What git says of a folder; None when there is no git. `alone` asks as if no repository were around it.
    ActionError when git fails."""
    if shutil.which("git") is None:
        return None
    outer = [] if alone else [folder, *folder.parents]
    top = next((place for place in outer if os.path.exists(place / ".git")), None)
    if top is not None:
        try:
            found = _in_repository(folder, top)
        except ActionError as error:
            if "not a git repository" not in str(error):  # what is left of one: a worktree without its repository
                raise
        else:
            if found.files or top == folder:
                return found
    files: dict[str, None] = {}
    inputs: dict[str, None] = {os.fspath(place / ".git/HEAD"): None for place in outer}
    with _empty_repository(folder) as where:
        _ask(folder, files, inputs, *where)
    return GitFiles(frozenset(files), tuple(inputs))


def is_ignored(folder: Path, path: str, found: GitFiles) -> bool:
    """Whether git ignores a folder below `folder` as a whole, and not only what is in it; `found` is what it said of
    `folder`."""
    question = ("check-ignore", "--no-index", "--", path)
    try:
        if found.is_repository:
            return bool(_git(folder, *question))
        with _empty_repository(folder) as where:
            return bool(_git(folder, *where, *question))
    except ActionError:  # how git says no
        return False


def _in_repository(folder: Path, top: Path) -> GitFiles:
    files: dict[str, None] = {}
    inputs: dict[str, None] = {}
    _ask(folder, files, inputs)
    above = [place for place in folder.parents if place.is_relative_to(top)]
    inputs.update({os.fspath(place / ".gitignore"): None for place in above})
    inputs.update({os.fspath(place / ".git/HEAD"): None for place in (folder, *above) if place != top})
    inputs.update(dict.fromkeys(_own_files(top)))
    return GitFiles(frozenset(files), tuple(inputs), is_repository=True)


def _own_files(top: Path) -> Iterator[str]:
    """The files of the repository at `top` that decide: its index, and what else the clone leaves out."""
    if os.path.isdir(top / ".git"):
        yield from (os.fspath(top / ".git/index"), os.fspath(top / ".git/info/exclude"))
        return
    for name in _git(top, "rev-parse", "--git-path", "index", "--git-path", "info/exclude").splitlines():
        yield os.path.normpath(os.path.join(top, name))  # of a worktree or a submodule


@contextmanager
def _empty_repository(folder: Path) -> Iterator[tuple[str, ...]]:
    """The options that make git take a folder for the files of a repository with nothing in it."""
    with TemporaryDirectory(prefix="packyard-git-") as empty:
        os.mkdir(f"{empty}/objects")
        os.mkdir(f"{empty}/refs")
        Path(empty, "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
        yield f"--git-dir={empty}", f"--work-tree={folder}"


def _ask(folder: Path, files: dict[str, None], inputs: dict[str, None], *where: str) -> None:
    """Add the files below a folder, and what they depend on, those of the repositories in it included."""
    for path, is_repository in _listed(folder, *where):
        if not is_repository:
            files[path] = None
        elif os.path.exists(folder / path / ".git"):
            inner = read_gitfiles(folder / path)
            if inner is not None:
                files.update({f"{path}/{file}": None for file in inner.files})
                inputs.update(dict.fromkeys(inner.inputs))


def _listed(folder: Path, *where: str) -> Iterator[tuple[str, bool]]:
    """Each path, and whether another repository is there."""
    said = _git(folder, *where, "ls-files", "-z", "-t", "--stage", "--cached", "--others", "--exclude-standard")
    for line in filter(None, said.split("\0")):
        if line.startswith("? "):
            yield line[2:].rstrip("/"), line.endswith("/")
        else:  # 'TAG MODE OBJECT STAGE<tab>PATH'
            yield line.partition("\t")[2], line.startswith(_SUBMODULE, 2)


def _git(folder: Path, *words: str) -> str:
    """What git prints in a folder, whoever owns it: its files are read, and nothing of it is run."""
    fixed = ("core.excludesFile=", "core.fsmonitor=false", "gc.auto=0", "safe.directory=*")
    options = [word for setting in fixed for word in ("-c", setting)]
    env = {**gitfetch.environment(), "GIT_OPTIONAL_LOCKS": "0"}
    return process.capture(["git", *options, "-C", os.fspath(folder), *words], env=env, errors="surrogateescape")
