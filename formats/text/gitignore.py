""".gitignore: which files of one folder tree git ignores (gitignore(5)).

The last pattern that matches decides; `!` negates, but not below a folder that is ignored. A pattern with a '/' before
its end is matched from the file's own folder, else at any depth; a final '/' means folders only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

NAME = ".gitignore"


# Crossing folders twice is the same as once. An unclosed bracket matches nothing.
_TOKEN = re.compile(r"(?:\*\*+/)+|/\*\*+$|\*+|\?|\[[!^]?\]?(?:\[:\w*:\]|\\.|[^\]\\])*\]|\\.|.", re.DOTALL)
_MEMBER = re.compile(r"\[:(?P<named>\w*):\]|(?P<low>\\.|.)(?:-(?P<high>\\.|.))?", re.DOTALL)
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@[-`{-~", "space": r" \t-\r", "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    takes_back: bool
    folders_only: bool


def read_gitignores(texts: Mapping[str, str]) -> Callable[[str], bool]:
    """Whether git ignores a file, by its path; `texts` are the .gitignore files by their folder ('' is the top)."""
    rules = {folder: _rules(text) for folder, text in texts.items()}
    known: dict[str, bool] = {"": False}

    def folder_out(folder: str) -> bool:
        if folder not in known:
            known[folder] = folder_out(folder.rpartition("/")[0]) or _decide(rules, folder, is_folder=True)
        return known[folder]

    return lambda path: folder_out(path.rpartition("/")[0]) or _decide(rules, path, is_folder=False)


def _decide(rules: Mapping[str, list[_Rule]], path: str, *, is_folder: bool) -> bool:
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        below = path[len(folder) + 1 :] if folder else path
        for rule in reversed(rules.get(folder, ())):
            if (is_folder or not rule.folders_only) and rule.pattern.fullmatch(below):
                return not rule.takes_back
    return False


def _rules(text: str) -> list[_Rule]:
    found = []
    for raw in text.removeprefix("\ufeff").split("\n"):
        line = re.sub(r"(?<!\\) +$", "", raw.removesuffix("\r"))
        if not line or line.startswith("#"):
            continue
        takes_back = line.startswith("!")
        pattern = line[1:] if takes_back else line
        folders_only = pattern.endswith("/")
        pattern = pattern.removesuffix("/")
        anchored = "/" in pattern
        expression = _expression(pattern.removeprefix("/"))
        compiled = re.compile(expression if anchored else f"(?:.*/)?{expression}", re.DOTALL)
        found.append(_Rule(compiled, takes_back, folders_only))
    return found


def _expression(pattern: str) -> str:
    pieces: list[str] = []
    for piece in _TOKEN.findall(pattern):
        if piece.endswith("*/"):
            pieces.append("(?:.*/)?")
        elif piece.startswith("/*"):
            pieces.append("/.*")
        elif piece.startswith("*"):
            pieces.append("[^/]*")
        elif piece == "?":
            pieces.append("[^/]")
        elif piece.startswith("["):
            pieces.append(_class(piece[1:-1]))
        else:
            pieces.append(re.escape(piece.removeprefix("\\") or piece))
    return "".join(pieces)


def _class(text: str) -> str:
    """What is between brackets; an unknown class has no members."""
    inverted = text.startswith(("!", "^"))
    members = ""
    for match in _MEMBER.finditer(text, 1 if inverted else 0):
        if match["low"] is None:
            members += _CLASSES.get(match["named"], "")
            continue
        low, high = match["low"][-1], (match["high"] or match["low"])[-1]  # without a backslash
        members += f"{re.escape(low)}-{re.escape(max(low, high))}"  # a backward range is only its beginning
    if not members:
        return "[^/]" if inverted else r"(?!)"
    return f"(?!/)[{'^' if inverted else ''}{members}]"


def with_folders(text: str, folders: Iterable[str]) -> str:
    """`text` with a line for each folder of the top that has none yet; unchanged if all have one."""
    there = {line.strip().strip("/").removesuffix("/*") for line in text.splitlines()}
    missing = [f"/{folder}/\n" for folder in folders if folder not in there]
    end = "" if text.endswith("\n") or not text else "\n"
    return text + end + "".join(missing) if missing else text
