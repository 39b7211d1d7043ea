"""What a run knows of its targets: how their files look, what they made, and what was decided of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from packyard.tasks.engine.build.folders import artifact_paths
from packyard.tasks.engine.build.verdict import FRESH, NEVER_MADE, Verdict
from packyard.tasks.engine.execute.executor import Inputs
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Made, Target
from packyard.tasks.workspace.memo import Look, Memo


class Forgotten(Exception):
    """The trace does not tell any more what a target made that was fresh: it was torn meanwhile."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Known:
    """The knowledge of one run over one graph. Each file is looked at once."""

    def __init__(self, root: Path, graph: Graph, trace: Trace) -> None:
        self.graph = graph
        self.trace = trace
        self.memo = Memo(root)
        self.verdicts: dict[str, Verdict] = {}  # the final ones: a verdict of waiting is never kept
        self._made: dict[str, Mapping[str, Made]] = {}

    def is_fresh(self, name: str) -> bool:
        """Whether a target is known to be done."""
        return self.verdicts.get(name) == FRESH

    def unmade(self, name: str) -> list[str]:
        """What a target is made from that is not done yet."""
        return [other for other in self.graph.nodes[name].needs if not self.is_fresh(other)]

    def remembers(self, name: str) -> bool:
        """Whether the trace tells what a fresh target made; else it must be made again, and is not fresh after all."""
        try:
            self.made(name)
        except Forgotten:
            self.verdicts[name] = NEVER_MADE
            return False
        return True

    def made(self, name: str) -> Mapping[str, Made]:
        """What a target made that is done, by part; Forgotten when the trace has lost it."""
        if name not in self._made:
            record = self.trace.record(name)
            if record is None:
                raise Forgotten(name)
            self._made[name] = record.outputs
        return self._made[name]

    def keep(self, name: str, outputs: Mapping[str, Made]) -> None:
        """A target is done, and made this."""
        self._made[name] = outputs
        self.verdicts[name] = FRESH

    def recall(self, name: str) -> Record | None:
        """What a target was last made from, and with it how its files looked then."""
        for _, looks, record in self.trace.recall([name]):
            for path, look in looks.items():
                self.memo.remember(path, look)
            return record
        return None

    def missing(self, target: Target) -> list[str]:
        """The sources of a target that are not there."""
        return [source.path for source in target.sources if self.memo.look(source.path) is None]

    def inputs(self, target: Target) -> Inputs:
        """What a target is made from as it is now, when all that it uses is done; ActionError with the sources that are
        missing."""
        looks = {source.path: look for source in target.sources if (look := self.memo.look(source.path)) is not None}
        if missing := self.missing(target):
            raise ActionError("\n".join(f"{path}: is missing; {target.place} needs it" for path in missing))
        uses = {f"{use.target}#{use.part}": self.made(use.target)[use.part] for use in target.uses}
        return Inputs(looks=looks, uses=uses)

    def row(self, target: Target, outputs: Mapping[str, Made]) -> dict[str, Look]:
        """Every file whose stat tells whether a target that made this may have changed: its sources, then its
        artifacts."""
        paths = [source.path for source in target.sources]
        paths += artifact_paths(target, outputs).values()
        return {path: look for path in paths if (look := self.memo.look(path))}

    def look_again(self, target: Target) -> None:
        """The sources of a target may have changed since they were looked at."""
        for source in target.sources:
            self.memo.forget(source.path)
