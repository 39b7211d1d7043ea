from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.reference import TargetRef, read_reference


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mojo:tensor", TargetRef("mojo:tensor")),
        ("docs:guide#site", TargetRef("docs:guide", "site")),
        ("bundle:web@linux_arm64", TargetRef("bundle:web@linux_arm64")),
        ("slot:web/static", TargetRef("slot:web/static")),
        ("README.md", "README.md"),
        ("static/", "static"),
        ("./a:b", "a:b"),
        ("docs/**/*.md", "docs/**/*.md"),
        (".", ""),
    ],
)
def test_reference_text_is_target_or_path(text: str, expected: TargetRef | str) -> None:
    assert read_reference(text) == expected


def test_target_written_is_what_was_read() -> None:
    assert [str(read_reference(text)) for text in ("mojo:a", "docs:b#site")] == ["mojo:a", "docs:b#site"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "C:/x",
            "'C:/x' is not a target; expected KIND:NAME or KIND:NAME#PART\n"
            "  hint: start a path that contains a colon with './': './C:/x'",
        ),
        (
            "mojo:",
            "'mojo:' is not a target; expected KIND:NAME or KIND:NAME#PART\n"
            "  hint: start a path that contains a colon with './': './mojo:'",
        ),
        ("", "'' is empty; expected a path or a target (KIND:NAME)"),
        ("../x", "'../x' leaves its folder through '..'; expected a path inside"),
        ("/x", "'/x' is absolute; expected a relative path"),
    ],
)
def test_reference_neither_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_reference(text)
    assert str(caught.value) == message
