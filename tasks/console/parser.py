"""The parser of a command's words, whose help ends with examples."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose help shows, at its end, lists of words with what they mean, and `examples`: whole command
    lines."""

    def __init__(
        self, *, examples: Sequence[str], lists: Mapping[str, Mapping[str, str]] | None = None, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.examples = examples
        self._lists = lists or {}

    def format_help(self) -> str:
        """What --help prints."""
        width = shutil.get_terminal_size().columns - 2  # as wide as the rest of the help
        parts = {title: [_entry(*item, width) for item in words.items()] for title, words in self._lists.items()}
        parts["examples"] = [f"  {line}" for line in self.examples]
        return "\n".join([super().format_help(), *("\n".join([f"{title}:", *parts[title], ""]) for title in parts)])


def _entry(word: str, meaning: str, width: int) -> str:
    return textwrap.fill(meaning, width, initial_indent=f"  {word:12}", subsequent_indent=" " * 14)
