"""Questions to the whole graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from packyard.tasks.engine.graph.critical import longest_chain, users
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.target.target import Target, Use


def graph(**needs: str) -> Graph:
    return Graph(
        {
            name: Target(name=name, doc="", place="", run="", uses=tuple(Use(target=use) for use in uses.split()))
            for name, uses in needs.items()
        }
    )


DIAMOND = graph(a="", b="a", c="a", d="b c", e="")


@pytest.mark.parametrize(
    ("names", "seconds", "chain"),
    [
        ("abcde", {"a": 1, "b": 5, "c": 2, "d": 1}, "abd"),
        ("abcde", {"a": 1, "b": 2, "c": 5, "d": 1}, "acd"),
        ("abcde", {"a": 1, "b": 2, "c": 5, "d": 1, "e": 8}, "e"),
        ("abc", {"b": 2, "c": 5}, "ac"),
        ("e", {"e": 1}, "e"),
    ],
)
def test_longest_chain_goes_by_the_seconds_of_its_targets(
    names: Sequence[str], seconds: Mapping[str, float], chain: str
) -> None:
    assert "".join(longest_chain(DIAMOND, list(names), seconds)) == chain


def test_longest_chain_of_ten_thousand_is_no_recursion() -> None:
    one = graph(**{f"t{n}": f"t{n - 1}" if n else "" for n in range(10_000)})
    assert longest_chain(one, list(one.targets), dict.fromkeys(one.targets, 1.0)) == list(one.targets)


@pytest.mark.parametrize(("names", "expected"), [("a", "bcd"), ("b", "d"), ("ce", "d"), ("de", ""), ("", "")])
def test_users_are_all_that_is_made_from_a_target(names: str, expected: str) -> None:
    assert users(DIAMOND, names) == set(expected)
