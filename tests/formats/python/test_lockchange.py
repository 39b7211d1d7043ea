from __future__ import annotations

from packyard.formats.python.lockchange import lock_changes
from packyard.formats.python.pylock import Build, stamp_pylock


def lock(*packages: tuple[str, str, str]) -> str:
    text = 'lock-version = "1.0"\ncreated-by = "x"\n'
    for name, version, hashes in packages:
        wheels = ", ".join(f'{{ url = "u/{letter}", hashes = {{ sha256 = "{letter * 64}" }} }}' for letter in hashes)
        text += f'\n[[packages]]\nname = "{name}"\nversion = "{version}"\nwheels = [{wheels}]\n'
    return text


def test_changes_name_versions_files_and_what_builds() -> None:
    before, after = lock(("a", "1", "ab"), ("b", "1", "c"), ("d", "1", "d"), ("d", "2", "e")), lock(
        ("a", "1", "bcd"), ("c", "1", "c"), ("d", "2", "e")
    )  # fmt: skip
    builds = [Build(name="s", requires=("t",), lock=lock(("t", version, ""))) for version in "12"]
    old, new = (
        stamp_pylock(text, requirements=[], python="3.12", builds=[build])
        for text, build in zip((before, after), builds)
    )
    assert list(lock_changes(old, new, "pylock.toml")) == [
        "a 1: files +2 -1",
        "b 1 -> (removed)",
        "c (new) -> 1",
        "d 1, 2 -> 2",
        "s is built with t 1 -> 2",
    ]
    assert list(lock_changes(new, new, "pylock.toml")) == []
