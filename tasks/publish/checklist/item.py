"""One item of the checklist, as it was judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an item found: `text` says what, `fix` what to do about it. A skipped item had nothing to judge."""

    verdict: Verdict
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A `Found` with the name of the item that found it."""

    name: str
    verdict: Verdict
    text: str
    fix: str = ""


def passed(text: str) -> Found:
    """It is as it should be."""
    return Found(verdict="passed", text=text)


def failed(text: str, fix: str) -> Found:
    """It is not, and what to do."""
    return Found(verdict="failed", text=text, fix=fix)


def skipped(text: str) -> Found:
    """There is nothing to judge, and why."""
    return Found(verdict="skipped", text=text)
