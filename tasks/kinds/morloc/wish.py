"""What an installation of morloc packages is asked for: names, and where some of them come from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.reference import PLANE_SUFFIX, GitRef, InstallRef, LocalRef, Named, read_install
from packyard.tasks.kinds.morloc.archivefile import archive_name
from packyard.tasks.kinds.morloc.planearchive import read_plane_archive
from packyard.tasks.kinds.morloc.sources import Provided, expand


@dataclass(frozen=True, slots=True)
class Wish:
    """What an installation was asked for: names to install, and where some of them come from."""

    roots: tuple[str, ...]
    given: Mapping[str, InstallRef]
    preset: Mapping[str, Provided]
    auto: frozenset[str] = frozenset()  # of a plane's archive, what is there for others only


def read_wish(words: Iterable[str]) -> Wish:
    """What the words of an installation name; FormatError with everything that is wrong with them."""
    given: dict[str, InstallRef] = {}
    preset: dict[str, Provided] = {}
    roots: set[str] = set()
    auto: set[str] = set()
    problems: list[Problem] = []
    for word in words:
        try:
            for reference in expand([read_install(word)]):
                if isinstance(reference, LocalRef) and reference.path.endswith(PLANE_SUFFIX):
                    found = read_plane_archive(Path(reference.path))
                    preset.update({name: provided for name, (provided, _) in found.items()})
                    auto.update(name for name, (_, reason) in found.items() if reason == "auto")
                    roots.update(found)
                    continue
                name = _name_of(reference)
                if not isinstance(reference, Named):
                    if name in given and given[name] != reference:
                        raise FormatError(f"{given[name]} and {reference} both contain {name!r}; expected one")
                    given[name] = reference
                roots.add(name)
        except FormatError as error:
            problems.extend(error.problems)
    if problems:
        raise FormatError(*problems)
    return Wish(tuple(sorted(roots)), given, preset, frozenset(auto))


def _name_of(reference: InstallRef) -> str:
    """The package that a reference is expected to hold."""
    match reference:
        case Named() | GitRef():
            return reference.name
        case LocalRef() if reference.is_archive:
            return archive_name(Path(reference.path))
    return Path(os.path.realpath(reference.path)).name
