"""pip as a bundle carries it: its wheel as it came, and beside it the few files that have to be files.

It would be a third of the files of a small bundle, each of them unpacked and digested at a first start that hardly ever
runs it. Its package is a folder whose path goes on in the wheel; its .dist-info stands where those of others do, so it
lists, checks and replaces itself as ever.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.tasks.index.unpackwheel import Distribution, read_distribution

NAME = "pip"
_WHEEL = "pip.whl"
# The runner is started by its path. Licences of what pip brings along stand in the wheel.
_FILES = re.compile(r"pip/(__init__|__pip-runner__)\.py|[^/]+\.dist-info/(?!licenses/src/).*")
_GO_ON = f"""
# The rest of this package is in the wheel beside this file.
__path__.append(__path__[0] + "/{_WHEEL}/pip")
"""


def read_pip(wheel: Path, aside: Path, *, site: str) -> Distribution:
    """What goes into a bundle of the wheel of pip; FormatError as `read_distribution`."""
    found = read_distribution(wheel, aside, name=NAME, site=site, chosen=_FILES)
    start = f"{site}/pip/__init__.py"
    entries = [
        replace(entry, content=entry.data() + _GO_ON.encode()) if entry.path == start else entry
        for entry in found.entries
    ]
    return replace(found, entries=[*entries, Entry(f"{site}/pip/{_WHEEL}", wheel)])
