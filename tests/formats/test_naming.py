from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.naming import read_import_name, read_member_name


@pytest.mark.parametrize("text", ["a", "ml-odyssey-data", "9lives", "lib.c++_1"])
def test_member_name_plain_is_kept(text: str) -> None:
    assert read_member_name(text) == text


@pytest.mark.parametrize("text", ["", "-a", ".hidden", "a b", "a/b", "ü", "a\n"])
def test_member_name_other_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_member_name(text)
    assert str(caught.value) == (
        f"{text!r} is not a name; expected letters, digits and . _ + -, starting with a letter or digit"
    )


@pytest.mark.parametrize("text", ["a", "_x", "Data2"])
def test_import_name_identifier_is_kept(text: str) -> None:
    assert read_import_name(text) == text


@pytest.mark.parametrize("text", ["bad-name", "2d", "", "é", "a.b"])
def test_import_name_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_import_name(text)
    assert str(caught.value) == f"{text!r} cannot be imported; expected an identifier (letters, digits, _)"


@pytest.mark.parametrize("text", ["class", "fn", "struct"])
def test_import_name_keyword_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_import_name(text)
    assert str(caught.value) == f"{text!r} cannot be imported: it is a keyword"
