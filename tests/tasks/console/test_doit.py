"""The tasks that doit gets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from doit.control import TaskControl, TaskDispatcher
from doit.task import dict_to_task
from packyard.tasks.console import doit
from packyard.tasks.console.display import Plain
from packyard.tasks.engine.build.opening import Opened
from packyard.tasks.engine.build.session import Session
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.target.kinds import Kinds
from packyard.tasks.target.target import Output, Target, Use


def target(number: int) -> Target:
    uses = (Use(target=f"x:{number - 1}", at="a"),) if number else ()
    return Target(name=f"x:{number}", doc="", place="", run="m:f", uses=uses, outputs=(Output(at="a"),), final=True)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Session]:
    """A chain of 250 targets."""
    graph = Graph({f"x:{number}": target(number) for number in range(250)})
    opened = Opened(tmp_path, graph, Trace(tmp_path, readonly=True))
    session = Session(tmp_path, Kinds(), Plain(io.StringIO()), opened=lambda: opened)
    yield session
    session.close()


def task_deps(session: Session, names: list[str]) -> dict[str, list[str]]:
    return {task["basename"]: task["task_dep"] for task in doit.tasks(session, names)}


def test_task_in_a_long_chain_also_asks_for_milestones(chain: Session) -> None:
    found = task_deps(chain, list(chain.graph.nodes))
    assert found["x:0"] == []
    assert found["x:99"] == ["x:98"]
    assert found["x:100"] == ["x:99"]
    assert found["x:101"] == ["x:99", "x:100"]
    assert found["x:249"] == ["x:99", "x:199", "x:248"]


def test_milestones_are_of_what_takes_part(chain: Session) -> None:
    found = task_deps(chain, [f"x:{number}" for number in range(150, 250)])
    assert found["x:150"] == []
    assert found["x:249"] == ["x:248"]


def test_doit_keeps_few_ancestors_of_a_task_in_a_long_chain(chain: Session) -> None:
    tasks = [
        dict_to_task({"name": values.pop("basename"), **values}) for values in doit.tasks(chain, [*chain.graph.nodes])
    ]
    control = TaskControl(tasks)
    control.process(["x:249"])
    dispatcher: TaskDispatcher = control.task_dispatcher()
    done = []
    node = None
    while True:
        try:
            node = dispatcher.generator.send(node)
        except StopIteration:
            break
        done.append(node.task.name)
        node.run_status = "up-to-date"
    assert done == [f"x:{number}" for number in range(250)]
    assert max(len(node.ancestors) for node in dispatcher.nodes.values()) <= 102
