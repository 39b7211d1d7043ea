"""JSON texts that are one object; syntax errors are reported with line and column."""

from __future__ import annotations

import json
from typing import Any

from packyard.formats.errors import FormatError, Problem


def read_json(text: str, place: str) -> dict[str, Any]:
    """The object that `text` is; FormatError names `place`, line and column when it is not JSON or not an object."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise FormatError(Problem(message, f"line {error.lineno}, column {error.colno}", place)) from None
    except ValueError as error:  # a number of more digits than Python converts
        raise FormatError(Problem(f"is not JSON: {str(error).partition(';')[0].lower()}", place=place)) from None
    except RecursionError:
        raise FormatError(Problem("is nested too deeply", place=place)) from None
    if not isinstance(values, dict):
        raise FormatError(Problem("is not a JSON object ({...})", place=place))
    return values
