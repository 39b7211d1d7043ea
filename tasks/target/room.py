"""The room an action works in: its inputs, its outputs, its parameters, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from packyard.tasks.host import network, process
from packyard.tasks.target.target import Json

P_co = TypeVar("P_co", covariant=True)  # a function that reads no parameters takes a Room[object], which is any room


@dataclass(frozen=True, slots=True, kw_only=True)
class Room(Generic[P_co]):
    """What the function of an action gets. It changes neither cwd, umask nor environment, and prints nothing.

    `params` is the dataclass that the action's function declares (params.py). `inputs` holds the staged inputs
    (read-only by agreement), `outputs` is where results are left, `scratch` is an empty folder for anything else; all
    three are removed afterwards. `trees` maps a used target to its tree in the store. `log` is the file that `say` and
    children write to. `local` is where a private key or a program is (Target.local), `downloads` where files of the
    package index are kept, None: no longer than the room.
    """

    inputs: Path
    outputs: Path
    scratch: Path
    home: Path
    params: P_co
    log: Path
    trees: Mapping[str, Path] = field(default_factory=dict)
    network: bool = False
    local: Mapping[str, Json] = field(default_factory=dict)
    downloads: Path | None = None

    def say(self, text: str) -> None:
        """Write a line to the action's log."""
        with self.log.open("a", encoding="utf-8") as log:
            log.write(text.rstrip("\n") + "\n")

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        fixed_layout: bool = False,
        reaching: bool = True,
        until: Callable[[], bool] | None = None,
    ) -> None:
        """Run a tool to completion, its output going to the log; ActionError with the log's end when it fails.

        `env` is added to the constant environment of every action; `fixed_layout` switches address randomisation off
        where the system permits it; a tool that runs forever is stopped when `until` says that it is well. With
        `reaching` false the tool gets none of the user's network settings even if the action may download: third-party
        code must not see passwords.
        """
        process.run(
            [os.fspath(word) for word in argv],
            cwd=cwd or self.inputs,
            env={**(self.environment() if reaching else self.constant()), **(env or {})},
            log=self.log,
            timeout=timeout,
            fixed_layout=fixed_layout,
            until=until,
        )

    def environment(self) -> dict[str, str]:
        """The environment of tools: an action that may download also gets the user's network settings."""
        return {**self.constant(), **network.environment()} if self.network else self.constant()

    def constant(self) -> dict[str, str]:
        """The environment that is the same for everybody."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": os.fspath(self.home),
            "TMPDIR": os.fspath(self.scratch),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SOURCE_DATE_EPOCH": str(self._epoch()),
        }

    def _epoch(self) -> int:
        params = self.params  # JSON, where an action's own dataclass of parameters is not known
        epoch: int = params.get("epoch", 0) if isinstance(params, Mapping) else getattr(params, "epoch", 0)
        return epoch
