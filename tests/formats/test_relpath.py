from __future__ import annotations

from collections.abc import Callable

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.relpath import check_collisions, check_name, read_relpath


@pytest.mark.parametrize(
    ("text", "path"),
    [("a", "a"), ("./a//b/", "a/b"), (".", ""), ("", ""), ("a/./b", "a/b"), ("größe/x y", "größe/x y"), ("..a", "..a")],
)
def test_path_is_normalised(text: str, path: str) -> None:
    assert read_relpath(text) == path


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_relpath, "/a", "'/a' is absolute; expected a relative path"),
        (read_relpath, "C:a", "'C:a' is absolute; expected a relative path"),
        (read_relpath, "a/../b", "'a/../b' leaves its folder through '..'; expected a path inside"),
        (read_relpath, "a\\b", "'a\\\\b' contains a control character or slash; expected a plain file name"),
        (read_relpath, "a\nb", "'a\\nb' contains a control character or slash; expected a plain file name"),
        (read_relpath, "a/\udc80", "'\\udc80' is not UTF-8"),
        (read_relpath, "a" * 256, f"'{'a' * 40}...' is 256 bytes long; expected at most 255"),
        (read_relpath, "é" * 128, f"'{'é' * 40}...' is 256 bytes long; expected at most 255"),
        (check_name, "", "'' is not a file name"),
        (check_name, "..", "'..' is not a file name"),
        (check_name, "a/b", "'a/b' contains a control character or slash; expected a plain file name"),
    ],
)
def test_path_wrong_is_refused(read: Callable[[str], object], text: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        read(text)
    assert str(error.value) == message


def test_paths_that_are_one_where_case_or_unicode_forms_are_folded_are_refused() -> None:
    check_collisions(["a", "a/b", "b", "a"])
    with pytest.raises(FormatError) as error:
        check_collisions(["README", "readme", "e\u0301", "\u00e9"])
    assert str(error.value) == (
        "'readme' and 'README' are the same file on case-insensitive systems\n"
        "'\u00e9' and 'e\u0301' are the same file on case-insensitive systems"
    )
