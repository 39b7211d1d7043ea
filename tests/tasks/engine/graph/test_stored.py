"""The graph as the trace keeps it: read back, decoded in part, asked again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.mojo.source import imported_packages
from packyard.tasks.engine.graph import stored
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.graph.stored import changed_targets, read_graph, renewed, store_graph, write_graph
from packyard.tasks.host.closure import Closure, closure_of
from packyard.tasks.target.packed import pack_target
from packyard.tasks.target.target import Output, Prepare, Source, Target, Use
from packyard.tasks.workspace.memo import pack_stat
from packyard.tasks.workspace.watch import Watch


def target(name: str, *uses: str, **values: object) -> Target:
    return Target(name=name, doc="", place="", run="m:f", uses=tuple(Use(target=u) for u in uses), **values)  # type: ignore[arg-type]


def graph(*targets: Target) -> Graph:
    return Graph({target.name: target for target in targets}, "cache")


ONE = target(
    "x:a", sources=(Source(path="a", at="b"),), params={"n": [1, {"x": None}, "é\n"]}, final=True,
    outputs=(Output(at="a", artifact="dist/a"), Output(part="p", at="p")), local={"key": "k"},
)  # fmt: skip
TWO = target("x:b", "x:a", prepares=(Prepare(run="m:f", params={"of": ["r>=1"]}, path="l", doing="making l"),))


def test_text_is_read_back() -> None:
    made = graph(ONE, TWO)
    again = read_graph(write_graph(made))
    assert (again.nodes, again.targets, again.cache) == (made.nodes, made.targets, "cache")
    assert (list(again.targets), len(again.targets), "x:b" in again.targets, "x" in again.targets) == (
        ["x:a", "x:b"], 2, True, False,
    )  # fmt: skip
    assert (again.final, again.owners, again.dependents["x:a"]) == (("x:a",), {"dist/a": "x:a"}, ("x:b",))
    assert write_graph(again) == write_graph(made)


def test_text_is_decoded_where_it_is_asked_for() -> None:
    packed = pack_target(ONE)
    again = read_graph(write_graph(graph(ONE, TWO)).replace(packed, bytes(len(packed))))
    assert again.closure(["x:b"]) == ["x:a", "x:b"]
    assert again.targets["x:b"] == TWO
    with pytest.raises(ValueError, match="unknown compression method"):
        again.targets["x:a"]


@pytest.mark.parametrize("text", [b"", b"{}", b"{}\n", b"[]\n", b'{"cache":"","targets":[[1]]}\n'])
def test_text_we_did_not_write_is_an_error(text: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_graph(text)


def test_targets_changed_are_those_with_another_text() -> None:
    old = write_graph(graph(ONE, TWO))
    new = write_graph(graph(target("x:0"), ONE, replace(TWO, params={"n": 1})))
    assert changed_targets(old, new) == {"x:0", "x:b"}
    assert changed_targets(new, old) == {"x:b"}
    assert changed_targets(old, old) == set()
    assert changed_targets(b"torn", old) == {"x:a", "x:b"}


def test_targets_changed_are_those_whose_function_another_closure_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    both = graph(ONE, replace(TWO, run="n:f"))
    old = write_graph(both)
    closures = {"m": Closure(digest="1", files=(), libraries=()), "n": closure_of("n")}
    monkeypatch.setattr(stored, "closure_of", closures.__getitem__)
    assert changed_targets(old, write_graph(both)) == {"x:a"}


def test_graph_is_renewed_while_everything_tells_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.mojo").write_text("import x\n")
    (tmp_path / "b.toml").write_text("b")
    watch = Watch(tmp_path)
    assert list(watch.files("")) == ["a.mojo", "b.toml"]
    watch.scan("a.mojo", imported_packages)
    watch.text("b.toml")
    stored = store_graph(graph(ONE), watch, ("HOME",))
    assert renewed(stored, tmp_path, []) == stored
    (tmp_path / "a.mojo").write_text("import x  # with a comment\n")
    os.utime(tmp_path / "b.toml", (1, 1))
    again = renewed(stored, tmp_path, [0, 1, 2])
    assert again == replace(stored, stats=again.stats)  # type: ignore[union-attr]
    times = pack_stat((tmp_path / "b.toml").stat())[1:]  # the size is unsure, so young is the file
    assert again.stats[72:] == b"".join(number.to_bytes(8, "little") for number in times)  # type: ignore[union-attr]
    (tmp_path / "a.mojo").write_text("import y\n")
    assert renewed(stored, tmp_path, [1]) is None
    (tmp_path / "a.mojo").unlink()
    assert renewed(stored, tmp_path, [0]) is None


@pytest.mark.parametrize("values", [{"answers": b""}, {"questions": ()}, {"paths": b""}, {"stats": b"x"}])
def test_graph_that_we_did_not_write_is_not_renewed(tmp_path: Path, values: dict[str, object]) -> None:
    (tmp_path / "a").write_text("a")
    watch = Watch(tmp_path)
    watch.text("a")
    assert renewed(replace(store_graph(graph(ONE), watch, ()), **values), tmp_path, [0]) is None  # type: ignore[arg-type]
