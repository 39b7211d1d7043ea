from __future__ import annotations

import pytest
from packyard.formats.text.changelog import find_entry, release, title_of

TEXT = """\
# Changelog

## [Unreleased]

### Added

- A thing.

## [0.1.0] - 2026-01-01

- First.

[unreleased]: https://example.invalid/compare/v0.1.0...HEAD
[0.1.0]: https://example.invalid/tag/v0.1.0
"""


@pytest.mark.parametrize(
    ("heading", "name", "version", "found"),
    [
        ("## [0.2.0] - 2026-11-25", "tensor", "0.2.0", True),
        ("## 0.2.0", "tensor", "0.2.0", True),
        ("## v0.2.0 (2026-11-25)", "tensor", "0.2.0", True),
        ("## [0.2.0](https://example.invalid) - today", "tensor", "0.2.0", True),
        ("## [tensor 0.2.0, nn 0.1.1] - 2026-11-25", "tensor", "0.2.0", True),
        ("## [tensor 0.2.0, nn 0.1.1] - 2026-11-25", "nn", "0.2.0", False),
        ("## 1.0rc1", "web", "1.0rc1", True),
        ("## [0.2.1] - 2026-11-25", "tensor", "0.2.0", False),
        ("### [0.2.0]", "tensor", "0.2.0", False),
        ("## Added in 0.2.0 or so", "tensor", "0.2.0", False),
    ],
)
def test_find_entry_knows_the_ways_to_head_one(heading, name, version, found):
    entry = find_entry(f"# Changes\n\n{heading}\n\n- It is there.\n", name, version)
    assert (entry is not None) is found
    assert entry is None or (entry.text, entry.is_unreleased) == ("- It is there.", False)


def test_find_entry_says_that_a_version_is_not_released():
    entry = find_entry("## [0.1.0] - unreleased\n\n- It.\n", "a", "0.1.0")
    assert entry is not None
    assert entry.is_unreleased


def test_release_moves_what_is_unreleased_and_follows_the_links():
    assert release(TEXT, "0.2.0", "2026-11-25") == TEXT.replace(
        "## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-11-25\n"
    ).replace("v0.1.0...HEAD\n", "v0.2.0...HEAD\n[0.2.0]: https://example.invalid/compare/v0.1.0...v0.2.0\n")


def test_release_follows_the_link_of_its_own_candidate():
    released = release(
        "## Unreleased\n\n- It.\n\n[unreleased]: https://h/compare/v1.0.0-rc1...HEAD\n", "1.0.0", "today"
    )
    assert released is not None
    assert released.endswith(
        "\n[unreleased]: https://h/compare/v1.0.0...HEAD\n[1.0.0]: https://h/compare/v1.0.0-rc1...v1.0.0\n"
    )
    assert release(released, "1.0.0", "today") is None


def test_release_keeps_the_ends_of_lines():
    text = TEXT.replace("\n", "\r\n")
    released = release(text, "0.2.0", "2026-11-25")
    assert released is not None
    assert released.replace("\r\n", "\n") == release(TEXT, "0.2.0", "2026-11-25")
    assert released.count("\n") == released.count("\r\n")


def test_release_gives_a_date_to_a_version_that_had_none():
    assert release("## [0.1.0] - unreleased\n\n- It.\n", "0.1.0", "2026-11-25") == "## [0.1.0] - 2026-11-25\n\n- It.\n"


@pytest.mark.parametrize("text", ["", "# Changes\n", "## [Unreleased]\n\n### Added\n\n## [0.1.0]\n\n- It.\n"])
def test_release_has_nothing_to_move(text):
    assert release(text, "0.2.0", "2026-11-25") is None


def test_title_names_packages_only_where_their_versions_differ():
    assert title_of([("tensor", "0.2.0"), ("all", "0.2.0")]) == "0.2.0"
    assert title_of([("tensor", "0.2.0"), ("all", "1.0.0")]) == "tensor 0.2.0, all 1.0.0"
