"""What a target was made from, and the text that the trace keeps of it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from packyard.tasks.target.target import Made

_BODY = len('{"sum":"12345678",')


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a target was made from (the ingredients of its key), and what came out, by part."""

    key: str
    ingredients: Mapping[str, Any]
    outputs: Mapping[str, Made]
    artifacts: Mapping[str, str] = field(default_factory=dict)  # part -> path in the workspace
    seconds: float = 0.0
    at: float = 0.0
    log: str = ""  # digest of the action's log in the store


def record_text(name: str, record: Record) -> str:
    """The record as JSON. It begins with a sum over itself and the target's name, so that one which was altered, or put
    in another's row, is not believed."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}  # asdict() would copy all of it
    values["outputs"] = {part: asdict(made) for part, made in record.outputs.items()}
    body = json.dumps(values, separators=(",", ":"))[1:]
    return f'{{"sum":"{_sum(name, body)}",{body}'


def read_record(name: str, text: str) -> Record | None:
    """The record, None when the text is not one that we wrote: then its target was never made, as far as we know."""
    try:
        values = json.loads(text)
        if values.pop("sum") != _sum(name, text[_BODY:]):
            return None
        values["outputs"] = {part: Made(**made) for part, made in values["outputs"].items()}
        return Record(**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _sum(name: str, body: str) -> str:
    return f"{zlib.crc32(f'{name} {body}'.encode('utf-8', 'surrogateescape')):08x}"
