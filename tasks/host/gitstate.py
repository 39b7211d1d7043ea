"""A revision of the git repository around a workspace: which files differ from it now, and its files on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from packyard.formats.errors import FormatError
from packyard.tasks.errors import ActionError
from packyard.tasks.host import gitfetch, process


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository at `top`, seen from the workspace at `root`, which is in it at `prefix`."""

    root: Path
    top: Path
    prefix: str  # '' or 'folder/'
    commit: str

    def changed(self) -> set[str]:
        """The files that differ now: committed since, edited, new (if git does not ignore them) or gone. Relative to
        the workspace, absolute outside it, as a target names its sources."""
        said = git_said(self.top, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", self.commit, "--")
        said += git_said(self.top, "ls-files", "--others", "--exclude-standard", "-z")
        paths = (path for path in said.split("\0") if path)
        return {
            path.removeprefix(self.prefix) if path.startswith(self.prefix) else os.fspath(self.top / path)
            for path in paths
        }

    @contextmanager
    def files(self) -> Iterator[Path | None]:
        """The workspace as it was then, in a temporary folder; None if there was none. Git's state is not touched."""
        with TemporaryDirectory(prefix="packyard-revision-") as folder:
            index = {"GIT_INDEX_FILE": os.path.join(folder, "index")}
            tree = f"{self.commit}:{self.prefix.rstrip('/')}"
            try:
                git_said(self.top, "rev-parse", "--verify", "--quiet", "--end-of-options", tree)
            except ActionError:
                yield None
                return
            git_said(self.top, "read-tree", tree, **index)
            git_said(self.top, "checkout-index", "--all", "--quiet", f"--prefix={folder}/files/", **index)
            yield Path(folder, "files")


def read_revision(root: Path, name: str) -> Revision:
    """The revision that `name` means; FormatError if there is no repository, or no such commit in it."""
    try:
        top = Path(git_said(root, "rev-parse", "--show-toplevel").removesuffix("\n"))
    except ActionError as error:
        raise FormatError(f"{root} is not in a git repository: {str(error).splitlines()[-1].strip()}") from None
    try:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        commit = git_said(root, *words).strip()
    except ActionError:
        raise FormatError(f"{name!r} is not a commit in the repository at {top}") from None
    prefix = git_said(root, "rev-parse", "--show-prefix").removesuffix("\n")
    return Revision(root, top, prefix, commit)


def git_said(folder: Path, *words: str, **variables: str) -> str:
    """What git prints in a folder, without its background helpers; ActionError if it fails."""
    argv = ["git", "-c", "gc.auto=0", "-c", "core.fsmonitor=false", "-C", os.fspath(folder), *words]
    return process.capture(argv, env=gitfetch.environment() | variables, errors="surrogateescape")
