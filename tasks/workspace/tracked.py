"""Which files of the workspace belong to it: those that git tracks or would track.

Git is asked once, when somebody first wants to know, and not at all while the graph stands: what it told is remembered
with its index and .git/info/exclude as the question GIT, and each .gitignore as a file that the graph depends on.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable

from packyard.formats.errors import Problem
from packyard.formats.text import gitignore
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.host import gitfiles
from packyard.tasks.host.gitfiles import GitFiles
from packyard.tasks.workspace.watch import GIT, Watch

_DERIVED = "tracked"


class Tracked:
    """What git says of the folder at `base`, a path from the workspace's root ('' is the root itself); `alone` leaves
    the repository around it out of account."""

    def __init__(self, watch: Watch, base: str, *, alone: bool = False) -> None:
        self._watch = watch
        self._base = base
        self._noticed: set[str] = set()
        self._matchers: dict[str, Callable[[str], bool]] = {}
        self._found = _asked(watch, base, alone=alone)
        if self._found is not None:
            for path in self._found.inputs:
                watch.tell(path, GIT if not (base or alone) else "", self._found.checksum)

    def keeps(self, path: str) -> bool:
        """Whether a file below the base is tracked, or would be when git were told to add everything."""
        inner = posixpath.relpath(path, self._base) if self._base else path
        folder = inner.rpartition("/")[0]
        if folder not in self._noticed:
            self._notice(folder)
        if self._found is None:
            return not self._matcher(folder)(inner)
        return inner in self._found.files

    def keeps_any(self, folder: str) -> bool:
        """Whether a file below a folder is kept."""
        return any(self.keeps(path) for path in self._watch.files(folder))

    def ignores(self, folder: str) -> bool:
        """Whether a folder is ignored as a whole: what somebody names is then all that is in it."""
        if self.keeps_any(folder) or not self._watch.is_folder(folder):
            return False
        inner = os.path.relpath(folder, self._base or ".")
        if self._found is None:
            return self._matcher(inner)(f"{inner}/\0")  # no file has this name
        return gitfiles.is_ignored(self._watch.root / self._base, inner, self._found)

    def _notice(self, folder: str) -> None:
        """Depend on the .gitignore of a folder, and of those above it; that one comes, the folder's listing tells."""
        while folder not in self._noticed:
            self._noticed.add(folder)
            path = posixpath.join(self._base, folder, gitignore.NAME)
            if self._watch.is_file(path):
                self._watch.expect(path)
            folder = posixpath.dirname(folder)

    def _matcher(self, folder: str) -> Callable[[str], bool]:
        """Where there is no git: the .gitignore files of a folder and of those above it, read by ourselves."""
        if folder not in self._matchers:
            texts: dict[str, str] = {}
            above = folder
            while True:
                path = posixpath.join(self._base, above, gitignore.NAME)
                if self._watch.is_file(path):
                    texts[above] = self._watch.bytes(path).decode("utf-8", "surrogateescape")
                if not above:
                    break
                above = posixpath.dirname(above)
            self._matchers[folder] = gitignore.read_gitignores(texts)
        return self._matchers[folder]


def tracked(watch: Watch, base: str = "", *, alone: bool = False) -> Tracked:
    """What git says of the workspace, asked once; of a folder outside of the root it is asked at that folder."""
    known: dict[tuple[str, bool], Tracked] = watch.derived.setdefault(_DERIVED, {})
    if (base, alone) not in known:
        known[base, alone] = Tracked(watch, base, alone=alone)
    return known[base, alone]


def tracked_of(watch: Watch, folder: str, manifest: str) -> Tracked:
    """What git says of the member in a folder. One that is ignored itself, with its manifest, but named as a member, is
    taken as a folder without git."""
    if folder.startswith(".."):
        return tracked(watch, folder)
    whole = tracked(watch)
    return whole if whole.keeps(manifest) else tracked(watch, folder, alone=True)


def _asked(watch: Watch, base: str, *, alone: bool) -> GitFiles | None:
    try:
        return gitfiles.read_gitfiles(watch.root.resolve() / base, alone=alone)
    except ActionError as error:
        raise PlanError(Problem(f"git cannot tell which files belong to it: {error}", place=base or ".")) from None
