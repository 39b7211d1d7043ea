"""morloc sources (.loc): headers, imports, sourced files and data files, found by a tokenizer.

Comments (`--` to the end of the line, nested `{- -}`) and strings (with escapes and `#{...}` in them) hide words; the
keywords are reserved, so anywhere else they begin a declaration if what follows has its shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packyard.formats.errors import FormatError, Problem

_NAME = r"[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*"  # '--' begins a comment, also after a name
_DOTTED = rf"{_NAME}(?:\.{_NAME})*"

_INTEREST = re.compile(
    r"""
      (?P<comment> --[^\n]* | \{- )
    | (?P<quote> (?<![\w']) ''' | \""" | " )
    | ` [^`\n]* `?
    | (?<![\w'.]) (?P<keyword> module | import | source ) (?![\w'])
    | @ (?P<datafile> datafile ) (?![\w'])
    """,
    re.VERBOSE,
)
_BLANK = re.compile(r"(?: \s+ | --[^\n]* )+", re.VERBOSE)
_COMMENT_EDGE = re.compile(r"\{-|-\}")
_EXPRESSION_EDGE = re.compile(
    r"""(?P<brace>[{}]) | (?P<comment> --[^\n]* | \{- ) | (?P<quote> (?<![\w']) ''' | \""" | ")""", re.VERBOSE
)
_HEADER_NAME = re.compile(_DOTTED)
_EXPORT = re.compile(r"\*|[A-Za-z_][\w']*|\(\s*(?P<operator>[^\s()]+)\s*\)")
_IMPORT_NAME = re.compile(rf"\.{_DOTTED}|{_NAME}/{_DOTTED}|{_DOTTED}")
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\+\+)?")
_FROM = re.compile(r"from(?![\w'])")
_QUOTE = re.compile(r"'''|\"\"\"|\"")


@dataclass(frozen=True, slots=True)
class Header:
    """`module NAME (...)`; the name is '' for an anonymous module. `exports` are the words in the parentheses: '*',
    or names of functions and types, and operators without parentheses of their own."""

    name: str
    line: int
    exports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """`import NAME`, as written: `a.b`, `owner/a`, or `.a.b` for a file of the same program."""

    name: str
    line: int

    @property
    def local(self) -> bool:
        """Whether it names a file beside the entry file rather than a package."""
        return self.name.startswith(".")

    @property
    def package(self) -> str:
        """The package it is taken from ('a' for `a.b`, 'owner/a' for `owner/a.b`), '' when local."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Sourced:
    """`source LANGUAGE from "PATH"`; the path is '' for what the language itself has."""

    language: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Datafile:
    """`@datafile "PATH"`: a file that the program reads when it runs."""

    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MorlocSource:
    """What one .loc file declares, each in the order of the text."""

    headers: tuple[Header, ...]
    imports: tuple[Import, ...]
    sources: tuple[Sourced, ...]
    datafiles: tuple[Datafile, ...]


def scan_morloc(text: str, place: str) -> MorlocSource:
    """Scan a .loc file; FormatError if a comment or string in it never ends."""
    try:
        found = list(_declarations(text))
    except _UnclosedError as error:
        line = text.count("\n", 0, error.at) + 1
        raise FormatError(Problem(f"this {error.what} is never closed", f"line {line}", place)) from None
    except RecursionError:
        raise FormatError(Problem("is nested too deeply", place=place)) from None
    return MorlocSource(
        headers=tuple(item for item in found if isinstance(item, Header)),
        imports=tuple(item for item in found if isinstance(item, Import)),
        sources=tuple(item for item in found if isinstance(item, Sourced)),
        datafiles=tuple(item for item in found if isinstance(item, Datafile)),
    )


class _UnclosedError(Exception):
    def __init__(self, what: str, at: int) -> None:
        super().__init__(what, at)
        self.what = what
        self.at = at


def _declarations(text: str) -> Iterator[Header | Import | Sourced | Datafile]:
    at, line, counted = 0, 1, 0
    while match := _INTEREST.search(text, at):
        at = match.end()
        if match["comment"]:
            at = _after_comment(text, match.start(), match["comment"])
        elif match["quote"]:
            at = _after_string(text, at, match["quote"])
        elif word := match["keyword"] or match["datafile"]:
            line += text.count("\n", counted, match.start())
            counted = match.start()
            declaration = _READERS[word](text, _after_blank(text, at), line)
            if declaration is not None:
                found, at = declaration
                yield found


def _header(text: str, at: int, line: int) -> tuple[Header, int] | None:
    name = _HEADER_NAME.match(text, at)
    end = _after_blank(text, name.end()) if name else at
    if not text.startswith("(", end):
        return None
    return Header(name[0] if name else "", line, tuple(_exports(text, end + 1))), end


def _exports(text: str, at: int) -> Iterator[str]:
    """The words of the export list that begins at `at`."""
    while word := _EXPORT.match(text, at := _after_blank(text, at)):
        yield word["operator"] or word[0]
        at = _after_blank(text, word.end())
        if not text.startswith(",", at):
            return
        at += 1


def _import(text: str, at: int, line: int) -> tuple[Import, int] | None:
    name = _IMPORT_NAME.match(text, at)
    return (Import(name[0], line), name.end()) if name else None


def _source(text: str, at: int, line: int) -> tuple[Sourced, int] | None:
    language = _LANGUAGE.match(text, at)
    if language is None:
        return None
    end = _after_blank(text, language.end())
    if text.startswith("(", end):
        return Sourced(language[0], "", line), end
    word = _FROM.match(text, end)
    path = _string(text, _after_blank(text, word.end())) if word else None
    return (Sourced(language[0], path[0], line), path[1]) if path else None


def _datafile(text: str, at: int, line: int) -> tuple[Datafile, int] | None:
    path = _string(text, at)
    return (Datafile(path[0], line), path[1]) if path else None


_READERS = {"module": _header, "import": _import, "source": _source, "datafile": _datafile}


def _string(text: str, at: int) -> tuple[str, int] | None:
    """The string that begins at `at`, its escapes resolved, and where it ends."""
    quote = _QUOTE.match(text, at)
    if quote is None:
        return None
    end = _after_string(text, quote.end(), quote[0])
    return re.sub(r"\\(.)", r"\1", text[quote.end() : end - len(quote[0])], flags=re.DOTALL), end


def _after_blank(text: str, at: int) -> int:
    while True:
        if blank := _BLANK.match(text, at):
            at = blank.end()
        if not text.startswith("{-", at):
            return at
        at = _after_comment(text, at, "{-")


def _after_comment(text: str, start: int, opening: str) -> int:
    if opening != "{-":
        return start + len(opening)
    at, depth = start + 2, 1
    while depth:
        edge = _COMMENT_EDGE.search(text, at)
        if edge is None:
            raise _UnclosedError("comment", start)
        depth += 1 if edge[0] == "{-" else -1
        at = edge.end()
    return at


def _after_string(text: str, at: int, quote: str) -> int:
    start = at - len(quote)
    edge = re.compile(rf"\\.|\#\{{|{quote}", re.DOTALL)
    while match := edge.search(text, at):
        at = match.end()
        if match[0] == quote:
            return at
        if match[0] == "#{":
            at = _after_expression(text, at)
    raise _UnclosedError("string", start)


def _after_expression(text: str, at: int) -> int:
    """The position after the '}' that ends an expression inside a string; strings and comments in it may contain
    braces."""
    start, depth = at - 2, 1
    while match := _EXPRESSION_EDGE.search(text, at):
        at = match.end()
        if match["comment"]:
            at = _after_comment(text, match.start(), match["comment"])
        elif match["quote"]:
            at = _after_string(text, at, match["quote"])
        else:
            depth += 1 if match["brace"] == "{" else -1
            if not depth:
                return at
    raise _UnclosedError("expression", start)
