from __future__ import annotations

import pytest
from packyard.formats.morloc.installerscan import scan_as_compiler


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a\nimport b (f, g)\nimport c(h)\nimport a\n", ("a", "b", "c")),
        ("import a.b.c\nimport .local\nimport owner/x\n", ("a", "owner/x")),
        ("import  a\nimport\tb\n", ()),
        ("import a\r\nimport b as c\r\n", ("a", "b")),
        ("  import a\n", ("a",)),
        ("-- import a\nimportant a\n", ()),
        ("{- import a\nimport b\n-} import c\nimport d\n", ("d",)),
        ('s = """\nimport a\n"""\n', ("a",)),
    ],
)
def test_scan_sees_what_the_compilers_installer_sees(text: str, expected: tuple[str, ...]) -> None:
    assert scan_as_compiler(text) == expected
