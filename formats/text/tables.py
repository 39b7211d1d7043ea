"""A TOML text that is a list of tables, [[name]] after [[name]]: written, and split up so that comments can be kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from packyard.formats.text.toml import quoted

_HEADER = re.compile(r"\[\[([A-Za-z0-9_-]+)\]\]")

Values = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One table as it is written: the comments that stand alone before it, those right above it, and itself."""

    name: str
    free: str
    above: str
    text: str


def write_table(name: str, values: Values) -> str:
    """One table with its keys in order; empty values are left out. FormatError as `quoted`."""
    lines = [f"[[{name}]]"]
    for key, value in values.items():
        if isinstance(value, str):
            lines += [f"{key} = {quoted(value)}"] * bool(value)
        elif value:
            lines.append(f"{key} = [{', '.join(map(quoted, value))}]")
    return "\n".join(lines) + "\n"


def take_apart(text: str) -> tuple[list[Part], str]:
    """The tables of a text, and the comments after the last one. A header that is not written as [[name]] at the start
    of a line is not seen: compare the parts with what was read."""
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    parts: list[Part] = []
    done = 0  # lines that are in a part
    for start, end in pairwise([*starts, len(lines)]):
        above = start
        while above > done and lines[above - 1].strip():
            above -= 1
        header = _HEADER.match(lines[start])
        assert header is not None
        free, comments = lines[done:above], lines[above:start]
        done = end
        while not _says_something(lines[done - 1]):
            done -= 1
        table = lines[start:done]
        parts.append(Part(name=header[1], free=_joined(free), above=_joined(comments), text=_joined(table)))
    return parts, _joined(lines[done:])


def put_together(paragraphs: Iterable[str]) -> str:
    """A text of these paragraphs, separated by empty lines; '' if there are none."""
    return "\n".join(f"{paragraph}\n" for paragraph in _filled(paragraphs))


def _filled(paragraphs: Iterable[str]) -> Iterator[str]:
    return (stripped for paragraph in paragraphs if (stripped := paragraph.strip("\n")))


def _says_something(line: str) -> bool:
    return bool(line.partition("#")[0].strip())


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines).strip("\n") + "\n" if any(map(str.strip, lines)) else ""
