from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.morloc.source import Datafile, Header, Import, Sourced, scan_morloc


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("import foo", [Import("foo", 1)]),
        ("import foo(bar, baz as b)", [Import("foo", 1)]),
        ("import foo as ns", [Import("foo", 1)]),
        ("import  foo", [Import("foo", 1)]),  # the compiler's own scan misses two blanks
        ("import\tfoo", [Import("foo", 1)]),
        ("import\n  -- which one\n  {- this -} foo", [Import("foo", 1)]),
        ("import root-py", [Import("root-py", 1)]),
        ("import foo--bar", [Import("foo", 1)]),
        ("import a.b.c", [Import("a.b.c", 1)]),
        ("import .local.path", [Import(".local.path", 1)]),
        ("import owner/foo", [Import("owner/foo", 1)]),
        ("import foo\r\nimport bar\r\n", [Import("foo", 1), Import("bar", 2)]),
        ("{- {- nested -} -} import foo", [Import("foo", 1)]),
        ("module main (*)\nimport foo", [Import("foo", 2)]),
        ('x = "#{f "a}" {- } -}}" import foo', [Import("foo", 1)]),
    ],
)
def test_imports_statement_is_found(text: str, imports: list[Import]) -> None:
    assert list(scan_morloc(text, "p").imports) == imports


@pytest.mark.parametrize(
    "text",
    [
        "-- import foo",
        "--' import foo",
        "x = 1 -- import foo",
        "{- import foo -}",
        "{- {- -} import foo -}",
        '"import foo"',
        '"a \\" import foo"',
        '"""\nimport foo\n"""',
        "'''\nimport foo\n'''",
        '"#{ import foo }"',
        "important = 1",
        "x.import foo",
        "import' foo",
        "`import foo`",
    ],
)
def test_imports_lookalike_is_ignored(text: str) -> None:
    assert scan_morloc(text, "p").imports == ()


@pytest.mark.parametrize(
    ("name", "package", "local"),
    [("foo", "foo", False), ("a.b", "a", False), ("owner/a.b", "owner/a", False), (".a.b", "", True)],
)
def test_import_name_tells_its_package(name: str, package: str, local: bool) -> None:
    imported = Import(name, 1)
    assert (imported.package, imported.local) == (package, local)


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("module root-py (*)", [Header("root-py", 1, ("*",))]),
        ("module\n  foo\n  (a, b)", [Header("foo", 1, ("a", "b"))]),
        ("module foo (Map -- a type\n, f' {- , g -}, (+), )", [Header("foo", 1, ("Map", "f'", "+"))]),
        ("module foo ()", [Header("foo", 1)]),
        ("module (*)", [Header("", 1, ("*",))]),
        ("module a (*)\nmodule b.c (x)", [Header("a", 1, ("*",)), Header("b.c", 2, ("x",))]),
        ("-- module foo (*)", []),
        ("module = 1", []),
    ],
)
def test_headers_are_found(text: str, headers: list[Header]) -> None:
    assert list(scan_morloc(text, "p").headers) == headers


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ('source Py from "core.py" ("f" as g)', [Sourced("Py", "core.py", 1)]),
        ('source cpp from "src/a.hpp" where\n  f\n  g', [Sourced("cpp", "src/a.hpp", 1)]),
        ('source c++ from\n  "a.hpp" ("f")', [Sourced("c++", "a.hpp", 1)]),
        ('source R ("sum")', [Sourced("R", "", 1)]),
        ('instance Eq a where\n  %inline\n  source py from "eq.py" ("eq")', [Sourced("py", "eq.py", 3)]),
        ('source Py from "a\\"b.py" ("f")', [Sourced("Py", 'a"b.py', 1)]),
        ('source Py from "a.py" (`import`, `source Py`)', [Sourced("Py", "a.py", 1)]),
        ("source :: Str", []),
        ('-- source Py from "a.py" ("f")', []),
    ],
)
def test_sources_are_found(text: str, sources: list[Sourced]) -> None:
    assert list(scan_morloc(text, "p").sources) == sources


def test_datafiles_are_found() -> None:
    assert scan_morloc('x = @datafile "data/a.csv"\n-- @datafile "b"', "p").datafiles == (Datafile("data/a.csv", 1),)


def test_primes_of_a_name_begin_no_string() -> None:
    assert scan_morloc("x''' = 1\nimport foo", "p").imports == (Import("foo", 2),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x\n{- {- -}", "p: line 2: this comment is never closed"),
        ('\n\n"abc', "p: line 3: this string is never closed"),
        ("'''a''", "p: line 1: this string is never closed"),
        ('"#{ a', "p: line 1: this expression is never closed"),
        ('"#{' * 10_000, "p: is nested too deeply"),
    ],
)
def test_scan_unclosed_names_the_line(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        scan_morloc(text, "p")
    assert str(caught.value) == message
