"""Which targets a change touches, from two graphs and the files that differ."""

from __future__ import annotations

from dataclasses import replace

from packyard.tasks.engine.graph.affected import affected
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.target.target import Output, Source, Target, Use


def target(name: str, *sources: str, uses: tuple[str, ...] = (), **more: object) -> Target:
    return Target(
        name=name, doc="", place="packyard.toml", run="m:f", outputs=(Output(at="out"),),
        sources=tuple(Source(path=path, at=path) for path in sources),
        uses=tuple(Use(target=use, at=use) for use in uses), **more,  # type: ignore[arg-type]
    )  # fmt: skip


INNER = target("archive:inner", "a.txt", "b.txt")
OUTER = target("archive:outer", "c.txt", uses=("archive:inner",))
OTHER = target("archive:other", "d.txt")
THEN = (INNER, OUTER, OTHER)


def graph(*targets: Target) -> Graph:
    return Graph({target.name: target for target in targets})


def test_nothing_changed_touches_nothing() -> None:
    assert affected(graph(*THEN), graph(*THEN), set()) == {}
    assert affected(graph(*THEN), graph(*THEN), {"e.txt"}) == {}


def test_changed_file_touches_its_target_and_what_is_made_from_it() -> None:
    assert affected(graph(*THEN), graph(*THEN), {"a.txt"}) == {
        "archive:inner": ("a.txt changed",),
        "archive:outer": ("made from archive:inner",),
    }


def test_all_reasons_are_told() -> None:
    assert affected(graph(*THEN), graph(*THEN), {"b.txt", "a.txt", "c.txt"}) == {
        "archive:inner": ("a.txt changed", "b.txt changed"),
        "archive:outer": ("c.txt changed", "made from archive:inner"),
    }


def test_files_that_come_and_go_are_told_so() -> None:
    now = (target("archive:inner", "a.txt", "new.txt"), OUTER, OTHER)
    assert affected(graph(*now), graph(*THEN), {"new.txt", "b.txt"})["archive:inner"] == (
        "new.txt is new",
        "b.txt is gone",
    )


def test_declaration_counts_and_words_for_people_do_not() -> None:
    told = "its declaration changed (packyard.toml)"
    for changed in (
        replace(OTHER, params={"format": "zip"}),
        replace(OTHER, run="m:g"),
        replace(OTHER, outputs=(Output(at="out", artifact="dist/other"),)),
        replace(OTHER, sources=(Source(path="d.txt", at="elsewhere/d.txt"),)),
    ):
        assert affected(graph(INNER, OUTER, changed), graph(*THEN), set()) == {"archive:other": (told,)}
    for same in (replace(OTHER, doc="another text"), replace(OTHER, place="other.toml")):
        assert affected(graph(INNER, OUTER, same), graph(*THEN), set()) == {}


def test_target_and_workspace_that_were_not_there_are_new() -> None:
    assert affected(graph(*THEN), graph(INNER, OUTER), set()) == {"archive:other": ("it is new",)}
    assert affected(graph(*THEN), None, set()) == {
        "archive:inner": ("it is new",),
        "archive:outer": ("it is new", "made from archive:inner"),
        "archive:other": ("it is new",),
    }


def test_target_that_is_gone_is_not_told() -> None:
    assert affected(graph(OTHER), graph(*THEN), {"a.txt", "c.txt"}) == {}
