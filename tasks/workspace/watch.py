"""Reading the workspace for the graph, and remembering every file and folder that was looked at, and what the answer
was.

The graph is a function of exactly these: while their stats do not change, the stored graph is right. It is also right
while all that were touched give the same answers as before; so each is remembered with the question it was asked (its
bytes, its listing, or what a scan finds in it) and a checksum of the answer.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import xxhash
from packyard.formats.errors import FormatError, Problem
from packyard.tasks.workspace.globs import Entries, matches
from packyard.tasks.workspace.memo import ABSENT, PACKED_STAT, pack_stat, settle

SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", ".packyard", "__pycache__", ".venv", "venv", "node_modules", ".tox", ".nox",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".DS_Store",
    }
)  # fmt: skip

BYTES, LISTING, STAT, GIT = "bytes", "listing", "stat", "git"  # questions; any other is a scan, 'MODULE:FUNCTION'
Data = bytes  # a Watch has a method of that name
Answer = tuple[str, Data]  # the question, and xxh3_128 of the answer; STAT has no answer to compare


_FORMATS = "packyard.formats."
NOTHING = bytes(17)  # the answer to STAT, whose number is 0


class Watch:
    """A view of the workspace at `root`. Paths are relative to it, with forward slashes; '' is the root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.seen: dict[str, Data] = {}  # files read and folders listed, with their stats just before (PACKED_STAT)
        self.questions: dict[str, int] = {STAT: 0}  # everything that was asked, numbered
        self.answers: dict[str, Data] = {}  # the number of each path's question, and xxh3_128 of the answer
        self.variables: set[str] = set()  # variables of the environment that decided anything
        self.derived: dict[str, Any] = {}  # what several kinds ask about the same files, by the function that finds it
        self._top = os.fspath(root)
        self._folders: dict[str, Entries | None] = {}

    def bytes(self, path: str) -> Data:
        """The content of a file; FormatError (naming it) when it cannot be read."""
        data = self._read(path)
        self._note(path, BYTES, data, data)
        return data

    def text(self, path: str) -> str:
        """The content of a UTF-8 file."""
        return _decoded(self.bytes(path), path)

    def scan(self, path: str, scan: Callable[[str], Any]) -> Any:
        """What a function of packyard.formats finds in a UTF-8 file, as JSON. For callers that need nothing else from
        the file: while an edit does not change this, the graph need not be read again."""
        data = self._read(path)
        found = scan(_decoded(data, path))
        question = f"{scan.__module__.removeprefix(_FORMATS)}:{scan.__name__}"
        self._note(path, question, json.dumps(found, sort_keys=True).encode(), data)
        return found

    def tells_the_same(self, path: str, answer: Answer) -> bool:
        """Whether a file or folder, asked the same question again, gives the answer it gave an earlier watch."""
        question = answer[0]
        try:
            if question == LISTING:
                self._list(path)
            elif question == BYTES:
                self.bytes(path)
            elif question == GIT:
                self.tell(path, GIT, _git_checksum(self))
            elif question != STAT:
                module, _, name = question.partition(":")
                self.scan(path, getattr(importlib.import_module(_FORMATS + module), name))
        except (FormatError, ImportError, AttributeError):
            return False
        return self.answer(path) == answer

    def answer(self, path: str) -> Answer | None:
        """What a path was asked, and the answer; None if it was not asked."""
        packed = self.answers.get(path)
        return (list(self.questions)[packed[0]], packed[1:]) if packed else None

    def tell(self, path: str, question: str, answer: Data) -> None:
        """Remember what somebody else found out who looks at a file; there may be none."""
        try:
            self._see(path)
        except OSError:
            self.seen[path] = PACKED_STAT.pack(*ABSENT)
        self._note(path, question or STAT, answer, answer)

    def is_file(self, path: str) -> bool:
        """Whether a file exists. Its folder is watched, so the answer is remembered as long as it is valid."""
        folder, _, name = path.rpartition("/")
        entries = self._list(folder)
        return entries is not None and name in entries[1]

    def is_folder(self, path: str) -> bool:
        """Whether a folder exists."""
        if path in ("", "."):
            return True
        folder, _, name = path.rpartition("/")
        entries = self._list(folder)
        return entries is not None and name in entries[0]

    def folders(self, path: str) -> list[str]:
        """The names of the folders in a folder, sorted; without links to folders and SKIPPED ones."""
        entries = self._list(path)
        return [] if entries is None else list(entries[0])

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

    def whole(self, path: str, enters: Callable[[str], bool]) -> Iterator[str]:
        """Every file below a folder, as `files` gives them, but links are followed and no name is SKIPPED: for
        folders that tools made. `enters` gets each folder's path and decides whether to look into it."""
        folders: list[str] = []
        files: list[str] = []
        try:
            self.see(path)
            with os.scandir(self.root / path) as entries:
                for entry in entries:
                    (folders if entry.is_dir() else files).append(entry.name)
        except OSError:
            return
        for name in sorted([*(f"{folder}/" for folder in folders), *files], key=os.fsencode):
            if name.endswith("/"):
                if enters(f"{path}/{name[:-1]}"):
                    yield from self.whole(f"{path}/{name[:-1]}", enters)
            else:
                yield f"{path}/{name}"

    def matching_files(self, pattern: str, skip: Callable[[str], bool] | None = None) -> list[str]:
        """The files that a pattern matches, sorted: `*` and `?` stay inside one name, `**` crosses folders, and a
        folder stands for everything below it."""
        found: dict[str, None] = {}
        for path, folder in matches(self._list, pattern):
            found.update(dict.fromkeys(self.files(path, skip) if folder else [path]))
        return sorted((path for path in found if skip is None or not skip(path)), key=os.fsencode)

    def matching_folders(self, pattern: str) -> list[str]:
        """The folders that a pattern matches, sorted; '' names the root."""
        if pattern == "":
            return [""]
        return sorted({path for path, folder in matches(self._list, pattern) if folder}, key=os.fsencode)

    def _list(self, folder: str) -> Entries | None:
        """The names of the folders and of the files in a folder, each sorted."""
        if folder in self._folders:
            return self._folders[folder]
        folders: list[str] = []
        files: list[str] = []
        try:
            self._see(folder)
            with os.scandir(os.path.join(self._top, folder)) as entries:
                for entry in entries:
                    if entry.name in SKIPPED:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(sys.intern(entry.name))  # a workspace has the same names in many folders
                    elif not _leads_to_folder(entry):
                        files.append(sys.intern(entry.name))  # also a dangling link or a device: reading it will say so
        except OSError:
            self._folders[folder] = None
            parent = folder.rpartition("/")[0]
            if folder:
                self._list(parent)  # its absence is known from the parent's listing
            return None
        listed = (dict.fromkeys(sorted(folders)), dict.fromkeys(sorted(files)))
        self._folders[folder] = listed
        self._note(folder, LISTING, os.fsencode("/".join([*listed[0], "", *listed[1]])), b"")
        return listed

    def see(self, path: str) -> None:
        """Remember a file or folder that the caller looks at itself; OSError if it is missing."""
        self._see(path)
        self.answers[path] = NOTHING

    def expect(self, path: str) -> None:
        """Remember a file or folder that may not exist: the graph changes if it appears or disappears."""
        try:
            self.see(path)
        except OSError:
            self.seen[path] = PACKED_STAT.pack(*ABSENT)
            self.answers[path] = NOTHING

    def _see(self, path: str) -> None:
        if path not in self.seen:
            found = pack_stat(os.stat(os.path.join(self._top, path)))
            self.seen[path] = PACKED_STAT.pack(*settle(found, time.time_ns()))

    def _read(self, path: str) -> Data:
        try:
            self._see(path)
            with open(os.path.join(self._top, path), "rb", buffering=0) as stream:
                return stream.readall()
        except OSError as error:
            raise FormatError(Problem(f"cannot be read: {error.strerror}", place=path)) from None

    def _note(self, path: str, question: str, answer: Data, data: Data) -> None:
        """Remember a path's answer. If it was asked several questions, all its bytes count."""
        number = self.questions.setdefault(question, len(self.questions))
        known = self.answers[path][0] if path in self.answers else number
        if known == self.questions[STAT]:
            return
        if known != number:
            number, answer = self.questions.setdefault(BYTES, len(self.questions)), data
        self.answers[path] = bytes([number]) + xxhash.xxh3_128_digest(answer)


def _decoded(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(Problem(f"is not UTF-8 (byte {error.start})", place=path)) from None


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _git_checksum(watch: Watch) -> Data:
    """What git says of the files of the workspace, asked again, and once."""
    from packyard.tasks.errors import ActionError
    from packyard.tasks.host.gitfiles import read_gitfiles  # most runs need none of what it imports

    if GIT not in watch.derived:
        try:
            found = read_gitfiles(watch.root.resolve())
        except ActionError:
            found = None
        watch.derived[GIT] = found.checksum if found else b""
    checksum: Data = watch.derived[GIT]
    return checksum
