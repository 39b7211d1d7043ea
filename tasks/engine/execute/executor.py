"""Who carries out actions: one Protocol, and its ways (plain.py, strict.py, audit.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from packyard.tasks.engine.store.store import Result
from packyard.tasks.target.target import Made, Target
from packyard.tasks.workspace.memo import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is to be done: the function of `target` with its parameters. `key` names the result; `log` is the file that
    gets what the action writes."""

    target: Target
    key: str
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What an action is made from, as it was planned: each source by its path, each used artifact by 'TARGET#PART'."""

    looks: Mapping[str, Look]
    uses: Mapping[str, Made]


class Executor(Protocol):
    """Makes results. `run` is called from as many threads as there are actions to run, so an executor that has more
    room than this machine may collect them. It answers in digests: whoever needs bytes asks the store for them, which
    has them here, gets them, or says that they are lost (Damaged)."""

    @property
    def reuses(self) -> bool:
        """Whether an earlier result will do; else the action runs in any case."""

    def run(self, action: Action, inputs: Inputs) -> Result:
        """Carry out one action. Changed when a source is not what was planned, Damaged when an artifact that it uses is
        gone, ActionError when the action fails."""
