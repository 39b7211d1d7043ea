"""doit's side: every target as a task, freshness from our traces, events for our display.

`DOIT_CONFIG` and `task_packyard` are what a dodo.py imports; `Loader` is what the command `packyard` uses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from doit.cmd_base import TaskLoader2
from doit.exceptions import BaseFail, InvalidDodoFile, TaskFailed, UnmetDependency
from doit.task import Task
from packyard.formats.errors import FormatError
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.engine.build.session import Front
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Node

GROUP = "all"
_FAR = 100  # targets in a chain


class Reporter:
    """Hands doit's events to the display of the run. The tasks know their run, doit makes the reporter."""

    desc = "Packyard's display"

    def __init__(self, outstream: Any, options: Mapping[str, Any]) -> None:
        self._front: Front | None = None

    def initialize(self, tasks: Mapping[str, Task], selected_tasks: Sequence[str]) -> None:
        """A run starts."""
        front: Front = tasks[GROUP].meta["front"]
        self._front = front
        names = [name for chosen in selected_tasks for name in ([chosen] if chosen != GROUP else front.graph.final)]
        try:
            front.begin(names)
        except (FormatError, ActionError) as error:
            raise InvalidDodoFile(str(error)) from None

    def get_status(self, task: Task) -> None:
        """doit looks whether a task is fresh."""

    def execute_task(self, task: Task) -> None:
        """A task starts."""

    def add_failure(self, task: Task, fail: BaseFail) -> None:
        """A task failed, or was not tried because another did."""
        if self._front is None or task.name == GROUP:
            return
        if isinstance(fail, UnmetDependency):
            self._front.blocked(task.name)
        else:
            self._front.failed(task.name, fail.get_msg().strip())

    def add_success(self, task: Task) -> None:
        """A task ended well."""

    def skip_uptodate(self, task: Task) -> None:
        """A task is fresh."""
        if self._front is not None and task.name != GROUP:
            self._front.fresh(task.name)

    def skip_ignore(self, task: Task) -> None:
        """A task is ignored; doit forgets that with the run, so this never happens."""

    def cleanup_error(self, exception: Exception) -> None:
        """A teardown failed; our tasks have none."""

    def runtime_error(self, msg: str) -> None:
        """doit itself failed."""
        if self._front is not None:
            self._front.display.note(msg)

    def teardown_task(self, task: Task) -> None:
        """Our tasks have no teardown."""

    def complete_run(self) -> None:
        """The run is over."""
        if self._front is not None:
            self._front.finish()


class Verdict:
    """doit's `uptodate` item: asks our traces; its repr is the reason that `doit info` prints."""

    __slots__ = ("_front", "_name")

    def __init__(self, front: Front, name: str) -> None:
        self._front = front
        self._name = name

    def __call__(self) -> bool:
        return self._front.verdict(self._name).state == "fresh"

    def __repr__(self) -> str:
        return str(self._front.verdict(self._name))


# doit keeps no opinion of its own: its database lives in memory and dies with the run.
DOIT_CONFIG: dict[str, Any] = {
    "backend": "sqlite3",
    "dep_file": ":memory:",
    "par_type": "thread",
    "num_process": os.cpu_count() or 1,
    "continue": True,
    "default_tasks": [GROUP],
    "reporter": Reporter,
}


def task_packyard() -> Iterator[dict[str, Any]]:
    """All targets of the workspace as tasks, dependencies first, and the group of the final ones."""
    try:
        front = Front(find_workspace(Path.cwd()))
        names = list(front.graph.nodes)
    except (FormatError, ActionError) as error:
        raise InvalidDodoFile(str(error)) from None
    yield from tasks(front, names)


def tasks(front: Front, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The tasks of these targets, and the group `all` over those of them that are final."""
    chosen = set(names)
    milestones = _milestones(front.graph, names)
    for name in names:
        yield _task(front, name, front.graph.nodes[name], chosen, milestones[name])
    yield {
        "basename": GROUP,
        "doc": "every final artifact",
        "actions": None,
        "task_dep": [name for name in front.graph.final if name in chosen],
        "meta": {"front": front},
    }


class Loader(TaskLoader2):  # type: ignore[misc]
    """Loads the tasks of one workspace without a dodo.py: all, or for a run only what is not fresh, in the order in
    which it should begin (dependencies first)."""

    def __init__(self, front: Front, remaining: Sequence[str] | None = None) -> None:
        super().__init__()
        self._front = front
        self._remaining = remaining

    def load_doit_config(self) -> dict[str, Any]:
        """The settings of a dodo.py; a run selects each task by itself, so that no chain is too deep."""
        return {**DOIT_CONFIG, "default_tasks": list(self._remaining or [GROUP])}

    def load_tasks(self, cmd: Any, pos_args: Sequence[str]) -> list[Task]:
        """doit's task objects; `packyard` plans before, so doit sees only what takes part."""
        names = list(self._front.graph.nodes) if self._remaining is None else self._remaining
        made = tasks(self._front, names)
        if self._remaining is not None:  # a run cleans nothing
            made = (values | {"clean": ()} for values in made)
        return [_Lean(values.pop("basename"), **values) for values in made]


class _Lean(Task):  # type: ignore[misc]
    """A task without a dictionary, which takes a kilobyte in each of ten thousand. It never leaves its process."""

    __slots__ = tuple(vars(Task("", None)))

    def pickle_safe_dict(self) -> dict[str, Any]:
        """What is handed to a thread and back, by whose name both find the same object."""
        return {"name": self.name}

    def update_from_pickle(self, pickle_obj: Mapping[str, Any]) -> None:
        """Nothing else came back."""


def _milestones(graph: Graph, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each of `names` (dependencies first) every so-many-th target of the longest chain below it. doit keeps for a
    task all those that led to it, which is quadratic in a chain; with these asked for first, none is far away."""
    depths: dict[str, int] = {}
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        below = max((need for need in graph.nodes[name].needs if need in depths), key=depths.__getitem__, default=None)
        depths[name] = 1 if below is None else depths[below] + 1
        far = below is not None and depths[below] % _FAR == 0
        found[name] = () if below is None else (*found[below], below) if far else found[below]
    return found


def _task(front: Front, name: str, node: Node, chosen: Set[str], milestones: tuple[str, ...]) -> dict[str, Any]:
    return {
        "basename": name,
        "doc": node.doc,
        "actions": [(_make, [front, name])],
        "task_dep": [*milestones, *(other for other in node.needs if other in chosen and other not in milestones[-1:])],
        "targets": node.artifacts,
        "uptodate": [Verdict(front, name)],
        "clean": [(_clean, [front, name])] if node.artifacts else [],
        "io": {"capture": False},
    }


def _make(front: Front, name: str) -> TaskFailed | None:
    outcome = front.make(name)
    return TaskFailed(outcome.message, report=False) if outcome.how == "failed" else None


def _clean(front: Front, name: str, dryrun: bool) -> None:
    if not dryrun:
        front.lock()
    try:
        for path, ours in front.build.discard(name, dry_run=dryrun):
            print(f"removing {path}" if ours else f"keeping {path}: it is not what was made here")  # noqa: T201
    except OSError as error:  # doit would show where in our code
        print(f"error: {error.filename}: cannot be removed: {error.strerror}", file=sys.stderr)  # noqa: T201
