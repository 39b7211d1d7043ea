"""Where the cache is, in which Packyard keeps what other runs and other workspaces can use.

store/    the store (tasks/engine/store/store.py), and in it what was downloaded from the package index
git/      repositories that morloc packages were fetched from (tasks/host/gitfetch.py)
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
from packyard.formats.errors import Problem
from packyard.tasks.errors import PlanError

VARIABLE = "PACKYARD_CACHE_DIR"


def cache_folder(root: Path | None = None, directory: str = "") -> Path:
    """The folder of the cache; nothing is made. The first of these that is set:

    - PACKYARD_CACHE_DIR, an absolute path;
    - `directory`, the `[cache] directory` of the workspace at `root`: an absolute path, or one relative to `root`;
    - `packyard` in the cache folder of this user (on Linux XDG_CACHE_HOME, else ~/.cache).

    PlanError if PACKYARD_CACHE_DIR is a relative path, which would be a different folder depending on where a run is
    started.
    """
    given = os.environ.get(VARIABLE, "")
    if given and not os.path.isabs(given):
        hint = "a folder in one workspace is [cache] directory in packyard.toml"
        raise PlanError(Problem(f"{given!r} is relative; expected an absolute path", place=VARIABLE, hint=hint))
    if given:
        return Path(given)
    if root is not None and directory:
        return root / directory
    return platformdirs.user_cache_path("packyard")


def store_folder(root: Path | None = None, directory: str = "") -> Path:
    """The folder of the store in the cache; arguments and PlanError as for `cache_folder`."""
    return cache_folder(root, directory) / "store"
