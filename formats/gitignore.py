""".gitignore: which files of a folder git does not keep (gitignore(5)), for the files of one folder tree.

The last pattern that matches decides; `!` takes back, but not below a folder that is left out. A pattern with a '/'
before its end is matched from the file's own folder, else at any depth; a final '/' means folders only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

NAME = ".gitignore"


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    takes_back: bool
    folders_only: bool


def read_gitignores(texts: Mapping[str, str]) -> Callable[[str], bool]:
    """Whether git leaves a file out, by its path; `texts` are the .gitignore files by their folder ('' is the top)."""
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
    for raw in text.splitlines():
        line = re.sub(r"(?<!\\) +$", "", raw)
        if not line or line.startswith("#"):
            continue
        takes_back = line.startswith("!")
        pattern = line[1:] if takes_back else line
        folders_only = pattern.endswith("/")
        pattern = pattern.rstrip("/")
        anchored = "/" in pattern
        expression = _expression(pattern.removeprefix("/"))
        try:
            compiled = re.compile(expression if anchored else f"(?:.*/)?{expression}", re.DOTALL)
        except re.error:  # `[z-a]`: git lets such a pattern match nothing
            continue
        found.append(_Rule(compiled, takes_back, folders_only))
    return found


def _expression(pattern: str) -> str:
    pieces: list[str] = []
    at = 0
    token = re.compile(r"\*\*/|/\*\*$|\*+|\?|\[!?\]?[^\]]*\]|\\.|.", re.DOTALL)
    while match := token.match(pattern, at):
        piece, at = match[0], match.end()
        if piece == "**/":
            pieces.append("(?:.*/)?")
        elif piece == "/**":
            pieces.append("/.*")
        elif piece.startswith("*"):
            pieces.append("[^/]*")
        elif piece == "?":
            pieces.append("[^/]")
        elif piece.startswith("[") and len(piece) > 1:
            inner = piece[1:-1].replace("\\", r"\\").replace("[", r"\[")
            pieces.append(f"(?!/)[{'^' + inner[1:] if inner.startswith('!') else inner}]")
        else:
            pieces.append(re.escape(piece.removeprefix("\\") or piece))
    return "".join(pieces)


def with_folders(text: str, folders: Iterable[str]) -> str:
    """`text` with a line for each folder of the top that has none yet; as it is when all have."""
    there = {line.strip().strip("/").removesuffix("/*") for line in text.splitlines()}
    missing = [f"/{folder}/\n" for folder in folders if folder not in there]
    end = "" if text.endswith("\n") or not text else "\n"
    return text + end + "".join(missing) if missing else text
