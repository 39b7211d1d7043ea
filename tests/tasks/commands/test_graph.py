"""`packyard graph`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from packyard.tasks.engine.trace.trace import Trace

from tests.tasks.commands.conftest import Space

DIAMOND = """\
[workspace]
name = "diamond"

[[archive]]
name = "base"
version = "1.0.0"
include = ["README.md"]

[[archive]]
name = "left"
version = "1.0.0"
include = ["archive:base"]

[[archive]]
name = "right"
version = "1.0.0"
include = ["archive:left"]

[[archive]]
name = "top"
version = "1.0.0"
include = ["archive:left", "archive:right"]
"""


@pytest.fixture
def diamond(space: Space) -> Space:
    """A workspace in which one target is needed by two."""
    space.write("packyard.toml", DIAMOND)
    return space


def test_graph_as_tree_opens_each_target_once(diamond: Space) -> None:
    assert diamond.output("graph") == (
        "archive:top\n  archive:left\n    archive:base\n  archive:right\n    archive:left (see above)\n"
    )


def test_graph_of_one_target_leaves_others_out(diamond: Space) -> None:
    assert diamond.output("graph", "archive:left") == "archive:left\n  archive:base\n"


def test_graph_as_dot_points_at_what_is_needed(space: Space) -> None:
    assert space.output("graph", "--format", "dot") == (
        "digraph packyard {\n"
        "  rankdir=LR; node [shape=box, style=rounded];\n"
        '  "archive:inner" [style=bold];\n'
        '  "archive:outer" [style=bold];\n'
        '  "archive:outer" -> "archive:inner";\n'
        "}\n"
    )


def test_graph_as_mermaid_names_nodes_by_number(space: Space) -> None:
    assert space.output("graph", "--format", "mermaid") == (
        'flowchart LR\n  t0[["archive:inner"]]\n  t1[["archive:outer"]]\n  t1 --> t0\n'
    )


def test_graph_as_json_tells_all_of_a_target(space: Space) -> None:
    assert json.loads(space.output("graph", "archive:outer", "--format", "json"))[1] == {
        "name": "archive:outer",
        "kind": "archive",
        "doc": "the archive outer-0.2.0.zip",
        "declared_in": "packyard.toml",
        "final": True,
        "needs": ["archive:inner"],
        "sources": ["README.md"],
        "artifacts": ["dist/outer-0.2.0.zip"],
    }


def test_graph_of_a_deep_chain_is_walked_without_recursion(space: Space) -> None:
    links = "".join(
        f'[[archive]]\nname = "a{number}"\nversion = "1.0.0"\ninclude = ["archive:a{number - 1}"]\n'
        for number in range(1, 1200)
    )
    first = '[[archive]]\nname = "a0"\nversion = "1.0.0"\ninclude = ["README.md"]\n'
    space.write("packyard.toml", f'[workspace]\nname = "chain"\n{first}{links}')
    lines = space.output("graph").splitlines()
    assert (len(lines), lines[-1]) == (1200, f"{'  ' * 1199}archive:a0")


def test_graph_lists_what_is_made_from_a_target(diamond: Space) -> None:
    assert diamond.output("graph", "--users", "archive:left") == "archive:right\narchive:top\n"
    assert diamond.output("graph", "--users", "archive:top") == ""


def test_graph_shows_the_chain_that_takes_longest(diamond: Space) -> None:
    assert diamond.output("graph", "--longest", "archive:base") == (
        "not made yet  archive:base\n      0.00 s  in all: no number of jobs makes it faster\n"
    )
    diamond.build()
    trace = Trace(diamond.root)
    for name, seconds in (("base", 61.0), ("left", 2.0), ("right", 3.0), ("top", 1.0)):
        record = trace.record(f"archive:{name}")
        assert record is not None
        trace.commit(f"archive:{name}", replace(record, seconds=seconds), {}, needed=True, deps=(), dependents=())
    trace.close()
    assert diamond.output("graph", "--longest") == (
        "   1 min 1 s  archive:base\n"
        "      2.00 s  archive:left\n"
        "      3.00 s  archive:right\n"
        "      1.00 s  archive:top\n"
        "   1 min 7 s  in all: no number of jobs makes it faster\n"
    )
