from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.resolution import Candidate, Find, find_cycle, order, resolve

A, B = "a" * 40, "b" * 40


def shelf(**needs: str) -> dict[str, Candidate]:
    """Candidates at 1.0.0 by name, each with the names that it needs."""
    return {name: Candidate(name=name, version="1.0.0", needs=tuple(text.split())) for name, text in needs.items()}


def finder(candidates: Mapping[str, Candidate]) -> Find:
    def find(name: str, pin: str) -> Candidate:
        if name not in candidates:
            raise FormatError(Problem("is nowhere to be had", place=name))
        found = candidates[name]
        return Candidate(
            name=name, version=found.version, needs=found.needs, ranges=found.ranges, pins=found.pins, commit=pin
        )

    return find


def names(*roots: str, **needs: str) -> list[str]:
    return [found.name for found in resolve(roots, finder(shelf(**needs)))]


def said(candidates: Mapping[str, Candidate], *roots: str) -> list[str]:
    with pytest.raises(FormatError) as caught:
        resolve(roots, finder(candidates))
    return str(caught.value).splitlines()


def test_resolution_of_a_diamond_puts_dependencies_first_then_names() -> None:
    assert names("top", top="right left", left="bottom", right="bottom", bottom="") == [
        "bottom",
        "left",
        "right",
        "top",
    ]


def test_resolution_leaves_out_what_nothing_needs() -> None:
    assert names("a", a="b", b="", c="") == ["b", "a"]


def test_resolution_of_nothing_is_nothing() -> None:
    assert names() == []


def test_missing_packages_are_all_said_with_their_paths() -> None:
    assert said(shelf(a="b c", b="gone", c="lost"), "a") == [
        "gone: is nowhere to be had (needed by a -> b)",
        "lost: is nowhere to be had (needed by a -> c)",
    ]


def test_missing_root_is_said_without_a_path() -> None:
    assert said({}, "a") == ["a: is nowhere to be had"]


def test_cycle_is_said_with_its_path() -> None:
    assert said(shelf(z="c", c="a", a="b", b="c"), "z") == [
        "the packages depend on each other in a cycle: a -> b -> c -> a"
    ]


def test_range_that_is_not_met_is_said_with_both_sides() -> None:
    candidates = shelf(a="b", b="c", c="")
    candidates["b"] = Candidate(name="b", version="1.0.0", needs=("c",), ranges={"c": ">=2,<3"})
    assert said(candidates, "a") == ["c: has version 1.0.0, but a -> b requires '>=2,<3'"]


def test_pin_of_the_nearest_package_decides() -> None:
    candidates = shelf(a="b c", b="", c="")
    candidates["a"] = Candidate(name="a", version="1.0.0", needs=("b", "c"), pins={"c": A})
    candidates["b"] = Candidate(name="b", version="1.0.0", needs=("c",), pins={"c": B})
    assert {found.name: found.commit for found in resolve(["a"], finder(candidates))} == {"a": "", "b": "", "c": A}


def test_pins_that_contradict_each_other_are_said_with_their_paths() -> None:
    candidates = shelf(a="b c", b="", c="", d="")
    candidates["b"] = Candidate(name="b", version="1.0.0", needs=("d",), pins={"d": A})
    candidates["c"] = Candidate(name="c", version="1.0.0", needs=("d",), pins={"d": B})
    assert said(candidates, "a") == [
        "d: is pinned to different commits: aaaaaaaaaaaa by a -> b, bbbbbbbbbbbb by a -> c"
    ]


def test_pin_may_bring_other_packages_that_pin() -> None:
    """The pinned `b` needs another `c` than the newest one does."""

    def find(name: str, pin: str) -> Candidate:
        if name == "b" and pin:
            return Candidate(name="b", version="1.0.0", needs=("c",), pins={"c": B}, commit=pin)
        if name == "a":
            return Candidate(name="a", version="1.0.0", needs=("b",), pins={"b": A})
        return Candidate(name=name, version="1.0.0", commit=pin)

    assert [(found.name, found.commit[:1]) for found in resolve(["a"], find)] == [("c", "b"), ("b", "a"), ("a", "")]


def test_range_that_is_not_met_asks_for_another_commit_once() -> None:
    """What was chosen may need others, and the ranges of all who want the package count."""
    asked: list[tuple[str, tuple[str, ...]]] = []

    def find(name: str, pin: str) -> Candidate:
        match name:
            case "a":
                return Candidate(name="a", version="1.0.0", needs=("lib", "b"), ranges={"lib": "<2"})
            case "b":
                return Candidate(name="b", version="1.0.0", needs=("lib",), ranges={"lib": ">=1.1"})
            case "lib" if pin == A:
                return Candidate(name="lib", version="1.5.0", needs=("old",), commit=pin)
            case "lib":
                return Candidate(name="lib", version="2.0.0", commit=B)
        return Candidate(name=name, version="1.0.0")

    def choose(name: str, ranges: tuple[str, ...]) -> str:
        asked.append((name, ranges))
        return A

    found = resolve(["a"], find, choose)
    assert [(each.name, each.version) for each in found] == [
        ("old", "1.0.0"), ("lib", "1.5.0"), ("b", "1.0.0"), ("a", "1.0.0"),
    ]  # fmt: skip
    assert asked == [("lib", ("<2", ">=1.1"))]
    with pytest.raises(FormatError, match=r"lib: has version 2\.0\.0, but a requires '<2'"):
        resolve(["a"], find)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Packages of which each needs some before it."""
    names = [f"p{n}" for n in range(draw(st.integers(1, 20)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:at]), unique=True)) if at else [] for at, name in enumerate(names)
    }


@given(graph=graphs(), data=st.data())
def test_resolution_is_the_same_in_whatever_order_things_stand(
    graph: dict[str, list[str]], data: st.DataObject
) -> None:
    shuffled = {name: data.draw(st.permutations(graph[name])) for name in data.draw(st.permutations(list(graph)))}
    roots = data.draw(st.permutations(list(graph)))
    plain = resolve(graph, finder(shelf(**{name: " ".join(sorted(needs)) for name, needs in graph.items()})))
    other = resolve(roots, finder(shelf(**{name: " ".join(needs) for name, needs in shuffled.items()})))
    assert [found.name for found in plain] == [found.name for found in other]
    place = {found.name: at for at, found in enumerate(plain)}
    assert all(place[need] < place[name] for name, needs in graph.items() for need in needs)


def test_order_ignores_what_is_no_key() -> None:
    assert order({"b": ["outside", "a"], "a": []}) == ["a", "b"]


def test_cycle_of_none_is_empty() -> None:
    assert find_cycle({"a": ["b"], "b": []}) == []
