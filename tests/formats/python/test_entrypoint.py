from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.entrypoint import EntryPoint, parse_entry_point


def test_entry_point_parts_are_told() -> None:
    assert parse_entry_point("pkg.cli:App.run") == EntryPoint("pkg.cli", "App.run")
    assert str(EntryPoint("pkg.cli", "App.run")) == "pkg.cli:App.run"


@pytest.mark.parametrize(
    "text", ["", "pkg", "pkg:", ":main", "pkg:main()", "my-pkg:main", "pkg.:x", "a:b:c", "a:class"]
)
def test_entry_point_other_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_entry_point(text)
    assert str(caught.value) == f"{text!r} is not an entry point; expected 'module:function'"
