"""What differs between two locks (pylock.toml), in words: versions, files, and build dependencies of sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name
from packyard.formats.python.pylock import read_pylock
from packyard.formats.text.toml import read_toml


@dataclass(frozen=True, slots=True)
class _Package:
    """The versions of one distribution, and the SHA-256 of its files."""

    versions: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return ", ".join(self.versions)


def lock_changes(before: str, after: str, place: str) -> Iterator[str]:
    """What became of each distribution, by name: 'click 8.1.7 -> 8.2.0', 'six (new) -> 1.17', 'toml 0.10 -> (removed)',
    'lxml 6.0: files +3 -1'. FormatError if one of the two is not a lock."""
    old, new = _packages(before, place), _packages(after, place)
    for name in sorted({*old, *new}):
        was, now = old.get(name, _Package()), new.get(name, _Package())
        if was.versions != now.versions:
            yield f"{name} {was if name in old else '(new)'} -> {now if name in new else '(removed)'}"
        elif was.files != now.files:
            counts = ((len(now.files - was.files), "+"), (len(was.files - now.files), "-"))
            yield f"{name} {now}: files {' '.join(f'{sign}{count}' for count, sign in counts if count)}"
    builds = {build.name: build.lock for build in read_pylock(before, place).builds}
    for build in read_pylock(after, place).builds:
        if build.name in builds:
            changes = lock_changes(builds[build.name], build.lock, place)
            yield from (f"{build.name} is built with {change}" for change in changes)


def _packages(text: str, place: str) -> dict[str, _Package]:
    found: dict[str, _Package] = {}
    for name, version in read_pylock(text, place).packages:
        found.setdefault(name, _Package()).versions.append(version or "(source)")
    for package in read_toml(text, place).get("packages", []):
        files = [*package.get("wheels", []), package.get("sdist", {}), package.get("archive", {})]
        hashes = {file["hashes"]["sha256"] for file in files if file}
        found[canonicalize_name(package["name"])].files.update(hashes)
    return found
