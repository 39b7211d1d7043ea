"""entry_points.txt of a distribution: its groups, and the object that each name of a group means.

The PyPA's "Entry points specification": INI as configparser reads it, UTF-8, names with their case, `=` alone between a
name and its object reference; `#` and `;` begin comments. `importlib.metadata` is faster and accepts more. It drops
what is before the first group, it lets a name or a group appear twice, and it treats an indented line as a line of its
own. Each of these means something different to another reader, so all are refused here.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass

from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.entrypoint import EntryPoint
from packyard.formats.relpath import FileName, read_file_name

NAME = "entry_points.txt"
COMMANDS = "console_scripts"  # the group from which installers make commands

_GROUP = re.compile(r"\w+(\.\w+)*")
_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_EXTRA = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"  # an identifier of PEP 508
_REFERENCE = re.compile(
    rf"(?P<module>{_DOTTED})(?:\s*:\s*(?P<attribute>{_DOTTED}))?"
    rf"(?:\s*\[\s*(?P<extras>(?:{_EXTRA}(?:\s*,\s*{_EXTRA})*)?)\s*\])?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReference:
    """A module, or with `attribute` an object in it; `extras` are those of the distribution that it needs."""

    module: str
    attribute: str = ""
    extras: tuple[str, ...] = ()


def read_entry_points(data: bytes, place: str) -> dict[str, dict[str, ObjectReference]]:
    """The object references by group and name; FormatError, at `place`, with what is wrong."""
    problems: list[Problem] = []
    found: dict[str, dict[str, ObjectReference]] = {}
    groups = _parsed(data, place)
    for group in groups.sections():
        if not _GROUP.fullmatch(group):
            message = f"{group!r} is not the name of a group; expected letters, digits and _ joined by dots"
            problems.append(Problem(message, place=place))
        found[group] = {}
        for name, text in groups[group].items():
            try:
                found[group][name] = read_object_reference(text)
            except FormatError as error:
                problems.extend(Problem(f"{name!r}: {problem.message}", group, place) for problem in error.problems)
    if problems:
        raise FormatError(*problems)
    return found


def read_commands(data: bytes, place: str) -> dict[FileName, EntryPoint]:
    """The functions that a distribution's commands call, by the commands' names; FormatError as `read_entry_points`,
    and for a name that cannot be a file's, or calls no function."""
    problems: list[Problem] = []
    found: dict[FileName, EntryPoint] = {}
    for name, reference in read_entry_points(data, place).get(COMMANDS, {}).items():
        try:
            command = read_file_name(name)
            if not reference.attribute:
                raise FormatError(f"{name!r} names the module {reference.module!r} alone; expected 'module:function'")
            found[command] = EntryPoint(reference.module, reference.attribute)
        except FormatError as error:
            problems.extend(Problem(problem.message, COMMANDS, place) for problem in error.problems)
    if problems:
        raise FormatError(*problems)
    return found


def read_object_reference(text: str) -> ObjectReference:
    """What 'module', 'module:object' or 'module:object [extra, ...]' means, with the spaces that the specification
    allows."""
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        raise FormatError(f"{text!r} is not an object reference; expected 'module:object'")
    extras = tuple(extra.strip() for extra in match["extras"].split(",")) if match["extras"] else ()
    return ObjectReference(module=match["module"], attribute=match["attribute"] or "", extras=extras)


def write_commands(commands: Mapping[str, str]) -> str:
    """An entry_points.txt with commands and the functions that they call, '' when there are none."""
    lines = "".join(f"{name} = {commands[name]}\n" for name in sorted(commands))
    return f"[{COMMANDS}]\n{lines}" if lines else ""


def _parsed(data: bytes, place: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(
        delimiters=("=",), interpolation=None, empty_lines_in_values=False, default_section=""
    )
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # names keep their case
    try:
        parser.read_string(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise FormatError(Problem(f"is not UTF-8 (byte {error.start})", place=place)) from None
    except configparser.MissingSectionHeaderError as error:
        message = f"{error.line.rstrip()!r} stands in no group; expected a line like '[{COMMANDS}]' above it"
        raise FormatError(Problem(message, f"line {error.lineno}", place)) from None
    except configparser.DuplicateSectionError as error:
        message = f"the group {error.section!r} stands twice; expected each once"
        raise FormatError(Problem(message, f"line {error.lineno}", place)) from None
    except configparser.DuplicateOptionError as error:
        message = f"{error.option!r} stands twice in the group {error.section!r}; expected each name once"
        raise FormatError(Problem(message, f"line {error.lineno}", place)) from None
    except configparser.ParsingError as error:
        lines = [number for number, _ in error.errors]
        message = "is not a name with its object; expected 'name = module:object'"
        raise FormatError(*(Problem(message, f"line {number}", place) for number in lines)) from None
    return parser
