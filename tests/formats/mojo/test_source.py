from __future__ import annotations

import pytest
from packyard.formats.mojo.source import Import, move_imports, scan_imports


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("import a", [Import("a", 1)]),
        ("import a.b as c, d", [Import("a.b", 1), Import("d", 1)]),
        ("from a.b import c, d as e", [Import("a.b", 1)]),
        ("from . import a", [Import("", 1, 1)]),
        ("from .a import b", [Import("a", 1, 1)]),
        ("from ...a.b import c", [Import("a.b", 1, 3)]),
        ("from . . a import b", [Import("a", 1, 2)]),
        ("from a import (\n    b,\n    c,\n)\nimport d", [Import("a", 1), Import("d", 5)]),
        ("from a \\\n  import b\nimport c", [Import("a", 1), Import("c", 3)]),
        ("import a, \\\n    b", [Import("a", 1), Import("b", 1)]),
        ("def f():\n    from a import b\n\timport c", [Import("a", 2), Import("c", 3)]),
        ("if x: import a; from b import c", [Import("a", 1), Import("b", 1)]),
        ("import a\r\nfrom b import c\r\n", [Import("a", 1), Import("b", 2)]),
        ("from `my-mod` import a", [Import("my-mod", 1)]),
        ("import a  # import b", [Import("a", 1)]),
    ],
)
def test_imports_statement_is_found(text: str, imports: list[Import]) -> None:
    assert list(scan_imports(text)) == imports


@pytest.mark.parametrize(
    "text",
    [
        '"""\nimport a\nfrom b import c\n"""',
        "'''\nimport a\n'''",
        'x = """ \\""" \nimport a\n"""',
        'x = "quote \\" \\\nimport a"',
        "# import a",
        "importer = 1\nfromage = 2",
        "x.import_a()",
        "`import` = 1",
        'fn f(): """A doc.\n\n    import a\n    """',
        'x = f"{y}: import a"',
        '"""never closed\nimport a',
    ],
)
def test_imports_lookalike_is_ignored(text: str) -> None:
    assert scan_imports(text) == ()


def test_imports_after_an_unclosed_string_are_found() -> None:
    assert scan_imports("x = 'open\nimport a") == (Import("a", 2),)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from a import x", "from o.a import x"),
        ("from a.b.c import x, y as z", "from o.a.b.c import x, y as z"),
        ("from ab import a", "from ab import a"),
        ("from .a import a", "from .a import a"),
        ("from . import a", "from . import a"),
        ("import a", "import o.a as a"),
        ("import a as n, x, b", "import o.a as n, x, o.b as b"),
        ("import a.c as n\nn.f()", "import o.a.c as n\nn.f()"),
        ("import a.c\nx = a.c.f(a.d) + y.a.c + a", "import o.a.c\nx = o.a.c.f(o.a.d) + y.a.c + a"),
        ('import a.c\n"a.c" # a.c\n', 'import o.a.c\n"a.c" # a.c\n'),
        ("def f():\n    import a.c; a.c.f()\n", "def f():\n    import o.a.c; o.a.c.f()\n"),
        ('"""\nimport a\n"""\nfrom std import a\n', '"""\nimport a\n"""\nfrom std import a\n'),
        ("if x: from a import b; from b import c", "if x: from o.a import b; from o.b import c"),
        ("from a \\\n  import x\nimport a, \\\n  b", "from o.a \\\n  import x\nimport o.a as a, \\\n  o.b as b"),
    ],
)
def test_moved_imports_come_from_below_the_other_package(before: str, after: str) -> None:
    assert move_imports(before, {"a", "b"}, "o") == after
