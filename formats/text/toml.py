"""TOML texts; syntax errors are reported with line and column. Also: how to write a string in TOML."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from packyard.formats.errors import FormatError, Problem

_WHERE = re.compile(r"(?P<message>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)


def read_toml(text: str, place: str) -> dict[str, Any]:
    """The tables of `text`; FormatError names `place`, line and column when it is not TOML."""
    if text.startswith("\ufeff"):  # it is invisible, and tomllib only says that the statement is invalid
        hint = "save it as UTF-8 without a byte order mark"
        raise FormatError(Problem("is not TOML: begins with a byte order mark", "line 1, column 1", place, hint))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, where = _spot(str(error), text)
        raise FormatError(Problem(f"is not TOML: {message}", where, place)) from None
    except ValueError as error:  # a number of more digits than Python converts
        raise FormatError(Problem(f"is not TOML: {str(error).partition(';')[0].lower()}", place=place)) from None
    except RecursionError:
        raise FormatError(Problem("is nested too deeply", place=place)) from None


def quoted(text: str) -> str:
    """`text` as a TOML string; FormatError if it contains a control character, which none of our values do."""
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise FormatError(f"{text!r} contains a control character")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _spot(message: str, text: str) -> tuple[str, str]:
    match = _WHERE.fullmatch(message)
    if match is None:
        return message[:1].lower() + message[1:], ""
    line, column = match["line"], match["column"]
    if line is None:
        lines = text.split("\n")
        line, column = str(len(lines)), str(len(lines[-1]) + 1)
    message = match["message"]
    return message[:1].lower() + message[1:], f"line {line}, column {column}"
