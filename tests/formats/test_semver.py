from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.semver import is_step, next_version, read_version


@pytest.mark.parametrize("text", ["0.1.0", "1.2.3-rc.1+build.5", "10.20.30"])
def test_version_semantic_is_kept(text: str) -> None:
    assert read_version(text) == text


@pytest.mark.parametrize("text", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0 ", "not-semver"])
def test_version_other_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_version(text)
    assert str(caught.value) == f"{text!r} is not a version; expected a SemVer version like 0.1.0"


@pytest.mark.parametrize(
    ("text", "step", "after"),
    [
        ("0.1.3", "patch", "0.1.4"),
        ("0.1.3", "minor", "0.2.0"),
        ("0.1.3", "major", "1.0.0"),
        ("1.0.0-rc.1", "patch", "1.0.0"),
        ("1.0.0-rc.1", "minor", "1.0.0"),
        ("1.2.3+build", "patch", "1.2.4"),
        ("1.2", "patch", "1.2.1"),
        ("1.2rc1", "patch", "1.2.0"),
        ("2026.1.0.4", "minor", "2026.2.0"),
    ],
)
def test_next_version_goes_by_one_step(text, step, after):
    assert next_version(text, step) == after


@pytest.mark.parametrize("text", ["one", "1!2.0", "1" * 5000])
def test_next_version_of_another_text_is_refused(text):
    with pytest.raises(FormatError) as caught:
        next_version(text, "patch")
    assert str(caught.value) == f"{text!r} is not a version; expected one like 0.1.0"


@pytest.mark.parametrize(
    ("before", "after", "enough"),
    [("0.1.0", "0.2.0", True), ("0.1.0", "0.1.1", False), ("0.1.0", "1.0.0", True), ("0.1.5", "0.2.0-rc.1", False)],
)
def test_is_step_compares_with_the_least_that_would_do(before, after, enough):
    assert is_step(before, after, "minor") is enough
