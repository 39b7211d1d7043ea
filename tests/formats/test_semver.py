from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.semver import read_version


@pytest.mark.parametrize("text", ["0.1.0", "1.2.3-rc.1+build.5", "10.20.30"])
def test_version_semantic_is_kept(text: str) -> None:
    assert read_version(text) == text


@pytest.mark.parametrize("text", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0 ", "not-semver"])
def test_version_other_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_version(text)
    assert str(caught.value) == f"{text!r} is not a version, a SemVer version like 0.1.0 was expected"
