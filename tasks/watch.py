"""Reading the workspace for the graph, and remembering every file and folder that was looked at.

The graph is a function of exactly these: while their stats stand still, the stored graph is right.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from packyard.formats.errors import FormatError, Problem

SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", ".packyard", "__pycache__", ".venv", "venv", "node_modules", ".tox", ".nox",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".DS_Store",
    }
)  # fmt: skip


class Watch:
    """A view of the workspace at `root`. Paths are relative to it, with forward slashes; '' is the root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.seen: dict[str, None] = {}  # insertion order; files read and folders listed
        self._folders: dict[str, tuple[list[str], list[str]] | None] = {}

    def bytes(self, path: str) -> bytes:
        """The content of a file; FormatError (naming it) when it cannot be read."""
        self.seen[path] = None
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            raise FormatError(Problem(f"cannot be read: {error.strerror}", place=path)) from None

    def text(self, path: str) -> str:
        """The content of a UTF-8 file."""
        try:
            return self.bytes(path).decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(Problem(f"is not UTF-8 (byte {error.start})", place=path)) from None

    def is_file(self, path: str) -> bool:
        """Whether a file is there. Its folder is watched, so the answer is remembered as long as it holds."""
        folder, _, name = path.rpartition("/")
        entries = self._list(folder)
        return entries is not None and name in entries[1]

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        if path in ("", "."):
            return True
        folder, _, name = path.rpartition("/")
        entries = self._list(folder)
        return entries is not None and name in entries[0]

    def folders(self, path: str) -> list[str]:
        """The names of the folders in a folder, sorted; links to folders and SKIPPED ones left out."""
        entries = self._list(path)
        return [] if entries is None else entries[0]

    def files(self, path: str, skip: Callable[[str], bool] | None = None) -> Iterator[str]:
        """Every file below a folder, sorted by path bytes at each level; SKIPPED names left out.

        `skip` gets a workspace path (folders with a final '/') and may leave it out, with all below it.
        """
        entries = self._list(path)
        if entries is None:
            return
        prefix = f"{path}/" if path else ""
        for name in sorted([*(f"{folder}/" for folder in entries[0]), *entries[1]], key=os.fsencode):
            if skip is not None and skip(prefix + name):
                continue
            if name.endswith("/"):
                yield from self.files(prefix + name[:-1], skip)
            else:
                yield prefix + name

    def _list(self, folder: str) -> tuple[list[str], list[str]] | None:
        if folder in self._folders:
            return self._folders[folder]
        folders: list[str] = []
        files: list[str] = []
        try:
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    if entry.name in SKIPPED:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.is_file():
                        files.append(entry.name)
                    elif not entry.is_dir():
                        files.append(entry.name)  # a dangling link or a device: reading it will say so
        except OSError:
            self._folders[folder] = None
            parent = folder.rpartition("/")[0]
            if folder:
                self._list(parent)  # its absence is known from the parent's listing
            return None
        self.seen[folder] = None
        self._folders[folder] = (sorted(folders), sorted(files))
        return self._folders[folder]
