"""doit's side: every target as a task, freshness from our traces, events for our display.

`DOIT_CONFIG` and `task_packyard` are what a dodo.py imports; `Loader` is what the command `packyard` uses.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from doit.cmd_base import TaskLoader2
from doit.exceptions import BaseFail, InvalidDodoFile, TaskFailed, UnmetDependency
from doit.task import Task
from packyard.formats.errors import FormatError
from packyard.tasks.console.display import Aside, choose_display
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.engine.build.results import discard
from packyard.tasks.engine.build.session import Session
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds import TABLE
from packyard.tasks.target.target import Node

GROUP = "all"
_FAR = 100  # targets in a chain


class Reporter:
    """Hands doit's events to the display of the run. The tasks know their session, doit makes the reporter."""

    desc = "Packyard's display"

    def __init__(self, outstream: Any, options: Mapping[str, Any]) -> None:
        self._session: Session | None = None

    def initialize(self, tasks: Mapping[str, Task], selected_tasks: Sequence[str]) -> None:
        """What a run is about; it starts when the first of our tasks is asked whether it must be made."""
        entry: Entry = tasks[GROUP].meta["packyard"]
        graph = entry.session.graph
        chosen = [name for word in selected_tasks for name in (graph.final if word == GROUP else (word,))]
        entry.selected = [
            name for name in chosen if name in graph.nodes
        ]  # there may be tasks of the user's beside ours
        self._session = entry.session

    def get_status(self, task: Task) -> None:
        """doit looks whether a task is fresh."""

    def execute_task(self, task: Task) -> None:
        """A task starts."""

    def add_failure(self, task: Task, fail: BaseFail) -> None:
        """A task failed, or was not tried because another did."""
        run = self._session.run if self._session else None
        if run is None or task.name == GROUP:
            return
        if isinstance(fail, UnmetDependency):
            run.blocked(task.name)
        else:
            run.failed(task.name, fail.get_msg().strip())

    def add_success(self, task: Task) -> None:
        """A task ended well."""

    def skip_uptodate(self, task: Task) -> None:
        """A task is fresh."""
        if self._session and self._session.run and task.name != GROUP:
            self._session.run.fresh(task.name)

    def skip_ignore(self, task: Task) -> None:
        """A task is ignored; doit forgets that with the run, so this never happens."""

    def cleanup_error(self, exception: Exception) -> None:
        """A teardown failed; our tasks have none."""

    def runtime_error(self, msg: str) -> None:
        """doit itself failed."""
        if self._session is not None:
            self._session.note(msg)

    def teardown_task(self, task: Task) -> None:
        """Our tasks have no teardown."""

    def complete_run(self) -> None:
        """The run is over."""
        if self._session is not None:
            self._session.finish()


class Entry:
    """Where doit comes in. `selected` is what its run is about, None while nobody has told: only our own reporter is
    told of that, and doit may run with another."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.selected: Sequence[str] | None = None
        self.is_refused = False

    def begin(self) -> None:
        """A run begins, whatever doit was started with; InvalidDodoFile when it cannot."""
        if self.session.run is not None or self.is_refused:
            return
        if self.selected is None:
            self.session.display = Aside()
            atexit.register(self.session.finish)  # doit tells nobody but its reporter that a run is over
        try:
            self.session.begin(self.selected)
        except (FormatError, ActionError) as error:
            if threading.active_count() == 1:
                raise InvalidDodoFile(str(error)) from None
            self.is_refused = True  # threads of doit run tasks of the user's, and would wait for ever: ours fail
            self.session.note(f"error: {error}")


class Verdict:
    """doit's `uptodate` item: asks our traces; its repr is the reason that `doit info` prints.

    doit asks the same question for `list --status` and `info`, where nothing may be written, as in a run. What tells
    them apart is that doit's runner has decided just before how much the task is to print: until then the task has no
    `verbosity`, since we give it none.
    """

    __slots__ = ("_entry", "_name")

    def __init__(self, entry: Entry, name: str) -> None:
        self._entry = entry
        self._name = name

    def __call__(self, task: Task) -> bool:
        if task.verbosity is not None:
            self._entry.begin()
        return not self._entry.is_refused and self._entry.session.verdict(self._name).state == "fresh"

    def __repr__(self) -> str:
        return str(self._entry.session.verdict(self._name))


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
        session = Session(find_workspace(Path.cwd()), TABLE, choose_display(json=False))
        names = list(session.graph.nodes)
    except (FormatError, ActionError) as error:
        raise InvalidDodoFile(str(error)) from None
    yield from tasks(session, names)


def tasks(session: Session, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The tasks of these targets, and the group `all` over those of them that are final."""
    entry, graph = Entry(session), session.graph
    chosen = set(names)
    milestones = _milestones(graph, names)
    for name in names:
        yield _task(entry, name, graph.nodes[name], chosen, milestones[name])
    yield {
        "basename": GROUP,
        "doc": "every final artifact",
        "actions": None,
        "task_dep": [name for name in graph.final if name in chosen],
        "meta": {"packyard": entry},
    }


class Loader(TaskLoader2):  # type: ignore[misc]
    """Loads the tasks of one workspace without a dodo.py: all, or for a run only what is not fresh, in the order in
    which it should begin (dependencies first)."""

    def __init__(self, session: Session, remaining: Sequence[str] | None = None) -> None:
        super().__init__()
        self._session = session
        self._remaining = remaining

    def load_doit_config(self) -> dict[str, Any]:
        """The settings of a dodo.py; a run selects each task by itself, so that no chain is too deep."""
        return {**DOIT_CONFIG, "default_tasks": list(self._remaining or [GROUP])}

    def load_tasks(self, cmd: Any, pos_args: Sequence[str]) -> list[Task]:
        """doit's task objects; `packyard` plans before, so doit sees only what takes part."""
        names = list(self._session.graph.nodes) if self._remaining is None else self._remaining
        made = tasks(self._session, names)
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


def _task(entry: Entry, name: str, node: Node, chosen: Set[str], milestones: tuple[str, ...]) -> dict[str, Any]:
    return {
        "basename": name,
        "doc": node.doc,
        "actions": [(_make, [entry.session, name])],
        "task_dep": [*milestones, *(other for other in node.needs if other in chosen and other not in milestones[-1:])],
        "targets": node.artifacts,
        "uptodate": [Verdict(entry, name)],
        "clean": [(_clean, [entry.session, name])] if node.artifacts else [],
        "io": {"capture": False},
    }


def _make(session: Session, name: str) -> TaskFailed | None:
    outcome = session.make(name)
    return TaskFailed(outcome.message, report=False) if outcome.how == "failed" else None


def _clean(session: Session, name: str, dryrun: bool) -> None:
    if not dryrun:
        session.lock()
    try:
        for path, ours in discard(session.build, name, dry_run=dryrun):
            print(f"removing {path}" if ours else f"keeping {path}: it is not what Packyard made")  # noqa: T201
    except OSError as error:  # doit would show where in our code
        print(f"error: {error.filename}: cannot be removed: {error.strerror}", file=sys.stderr)  # noqa: T201
