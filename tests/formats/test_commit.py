from __future__ import annotations

import pytest
from packyard.formats.commit import is_commit, read_commit
from packyard.formats.errors import FormatError

SHA1, SHA256 = "0123456789abcdef0123" * 2, "0123456789abcdef" * 4


@pytest.mark.parametrize("text", [SHA1, SHA256, SHA1.upper()])
def test_commit_is_read_in_lower_case(text: str) -> None:
    assert read_commit(text) == text.lower()
    assert is_commit(text) == (text == text.lower())


@pytest.mark.parametrize("text", ["", SHA1[:-1], SHA1 + "0", SHA256 + "0", "v1.0", "g" * 40, SHA1[:-1] + "\u0661"])
def test_commit_that_is_abbreviated_or_none_is_refused(text: str) -> None:
    assert not is_commit(text)
    with pytest.raises(FormatError) as caught:
        read_commit(text)
    assert str(caught.value) == f"{text!r} is not a commit; expected 40 or 64 hexadecimal digits"
