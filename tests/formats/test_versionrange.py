from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.versionrange import newest, range_for, read_range


@pytest.mark.parametrize(
    ("text", "admitted", "refused"),
    [
        ("0.1.0", ["0.1.0", "0.1.9"], ["0.0.9", "0.2.0", "0.2.0-rc.1", "1.0.0"]),
        ("0.1", ["0.1.0", "0.1.9"], ["0.2.0"]),
        ("1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0"]),
        ("1", ["1.0.0", "1.9.0"], ["0.9.0", "2.0.0"]),
        ("0", ["0.0.1", "0.9.0"], ["1.0.0"]),
        ("0.0.3", ["0.0.3"], ["0.0.2", "0.0.4"]),
        ("0.0.0", ["0.0.0"], ["0.0.1"]),
        ("^0.1.0", ["0.1.4"], ["0.2.0"]),
        ("=0.1.0", ["0.1.0", "0.1.0+build.5"], ["0.1.1", "0.1.0-rc.1"]),
        ("==0.1.0", ["0.1.0"], ["0.1.1"]),
        ("=0.1", ["0.1.0", "0.1.7"], ["0.2.0"]),
        ("~1.2.3", ["1.2.9"], ["1.3.0"]),
        ("~1", ["1.9.0"], ["2.0.0"]),
        (">=0.1.0,<0.3.0", ["0.1.0", "0.2.9"], ["0.3.0", "0.3.0-rc.1", "0.0.9"]),
        (">= 0.1, < 0.3", ["0.2.0"], ["0.3.0"]),
        (">0.1.0", ["0.1.1"], ["0.1.0"]),
        ("<=0.1.0", ["0.1.0"], ["0.1.1"]),
        ("<0.3.0-rc.2", ["0.3.0-rc.1"], ["0.3.0-rc.2"]),
        (">=0.1.0-rc.1", ["0.1.0-rc.1", "0.1.0"], ["0.1.0-beta"]),
        ("*", ["0.0.0", "9.9.9-rc.1"], []),
    ],
)
def test_range_admits_what_it_says(text: str, admitted: list[str], refused: list[str]) -> None:
    found = read_range(text)
    assert [version for version in [*admitted, *refused] if found.admits(version)] == admitted


@pytest.mark.parametrize("text", ["", "latest", "0.1.x", "01.2.3", ">=", "0.1.0,", "1.2.3.4", "0.1-rc.1", "!=0.1.0"])
def test_range_of_other_text_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_range(text)
    assert str(caught.value) == (f"{text!r} is not a version range; expected one like '0.1.0' or '>=0.1.0,<0.3.0'")


def test_range_of_bad_prerelease_is_refused() -> None:
    with pytest.raises(FormatError) as caught:
        read_range(">=0.1.0-01")
    assert str(caught.value) == "'>=0.1.0-01' contains no SemVer version; expected one like 0.1.0"


@pytest.mark.parametrize(
    ("text", "version", "after"),
    [
        ("0.1.0", "0.1.4", "0.1.0"),
        ("0.1.0", "0.2.0", "0.2.0"),
        ("=0.1.0", "0.1.1", "=0.1.1"),
        ("0.1", "0.2.0", "0.2"),
        ("^1.2.0", "2.0.0", "^2.0.0"),
        ("~ 1.2", "1.3.0", "~ 1.3"),
        (">=0.1.0,<0.2.0", "0.2.0", ">=0.2.0,<0.3.0"),
        (">=1,<2", "2.0.1", ">=2.0.1,<3.0.0"),
        ("*", "9.0.0", "*"),
    ],
)
def test_range_for_follows_a_version_in_the_same_form(text, version, after):
    assert range_for(text, version) == after
    assert read_range(after).admits(version)


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        (["*"], "c"),
        ([">=0.1,<1"], "b"),
        ([">=0.1,<1", "<0.10"], "a"),
        ([">=3"], ""),
        ([], "c"),
    ],
)
def test_newest_of_versions_is_in_every_range(ranges: list[str], expected: str) -> None:
    versions = {"0.9.0": "a", "0.10.0": "b", "1.0.0": "c", "2.0.0-rc.1": "d", "nightly": "e", "9": "f"}
    assert newest(versions, ranges) == expected
