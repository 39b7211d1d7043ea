"""`packyard graph`: the targets and what they are made from, as a tree, Graphviz dot, Mermaid or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from packyard.formats.units import duration_text
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.selection import open_here, select
from packyard.tasks.engine.graph.graph import Graph


def run(words: list[str]) -> int:
    """Print the graph of the targets that `words` name, the whole one when they name none; the exit status."""
    options = parser().parse_args(words)
    opened = open_here()
    graph = opened.graph
    chosen = select(opened, options.target) if options.target else list(graph.nodes)
    if options.users or options.longest:
        from packyard.tasks.engine.graph import critical  # with networkx, which takes a quarter of a second

        if options.users:
            found = critical.users(graph, chosen)
            say(*(name for name in graph.nodes if name in found))
        else:
            names = graph.closure(chosen)
            seconds = opened.trace.seconds(names)
            say(*_chain(critical.longest_chain(graph, names, seconds), seconds))
        return 0
    names = graph.closure(chosen)
    match options.format:
        case "tree":
            roots = chosen if options.target else [name for name in names if not graph.dependents[name]]
            say(*_tree(graph, roots))
        case "dot":
            say(*_dot(graph, names))
        case "mermaid":
            say(*_mermaid(graph, names))
        case _:
            say_json([_values(graph, name) for name in names])
    return 0


def _tree(graph: Graph, roots: Sequence[str]) -> Iterator[str]:
    """Each target with what it needs below it; what was shown before is not opened again."""
    shown: set[str] = set()
    waiting = [(name, 0) for name in reversed(roots)]  # a list, because a chain may be deeper than Python's stack
    while waiting:
        name, depth = waiting.pop()
        needs = graph.targets[name].dependencies
        again = name in shown and bool(needs)
        yield f"{'  ' * depth}{name}{' (see above)' if again else ''}"
        if name not in shown:
            shown.add(name)
            waiting.extend((other, depth + 1) for other in reversed(needs))


def _chain(names: Sequence[str], seconds: Mapping[str, float]) -> Iterator[str]:
    """Each target of a chain with the time that it took when it last ran, and the sum."""
    for name in names:
        yield f"{duration_text(seconds[name]) if name in seconds else 'not made yet':>12}  {name}"
    yield (
        f"{duration_text(sum(seconds.get(name, 0.0) for name in names)):>12}  in all: no number of jobs makes it faster"
    )


def _dot(graph: Graph, names: Sequence[str]) -> Iterator[str]:
    yield "digraph packyard {"
    yield "  rankdir=LR; node [shape=box, style=rounded];"
    for name in names:
        yield f"  {json.dumps(name)}{' [style=bold]' if graph.targets[name].final else ''};"
    for name in names:
        for other in graph.targets[name].dependencies:
            yield f"  {json.dumps(name)} -> {json.dumps(other)};"
    yield "}"


def _mermaid(graph: Graph, names: Sequence[str]) -> Iterator[str]:
    ids = {name: f"t{number}" for number, name in enumerate(names)}
    yield "flowchart LR"
    for name in names:
        left, right = ("[[", "]]") if graph.targets[name].final else ("[", "]")
        yield f'  {ids[name]}{left}"{name}"{right}'
    for name in names:
        for other in graph.targets[name].dependencies:
            yield f"  {ids[name]} --> {ids[other]}"


def _values(graph: Graph, name: str) -> dict[str, object]:
    target = graph.targets[name]
    return {
        "name": name,
        "kind": target.kind,
        "doc": target.doc,
        "declared_in": target.place,
        "final": target.final,
        "needs": target.dependencies,
        "sources": [source.path for source in target.sources],
        "artifacts": [output.artifact for output in target.outputs if output.artifact],
    }


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard graph",
        description="Show targets and what they are made from. An arrow points from a target to what it needs.",
        examples=(
            "packyard graph",
            "packyard graph bundle:greet --format mermaid",
            "packyard graph wheel:greet --users",
        ),
    )
    parser.add_argument("target", nargs="*", help="KIND:NAME, or the path of an artifact (default: every target)")
    style = parser.add_mutually_exclusive_group()
    style.add_argument(
        "--users", action="store_true", help="list what is made from these targets, directly or indirectly"
    )
    style.add_argument(
        "--longest", action="store_true", help="show the chain that takes longest, by the times of earlier runs"
    )
    style.add_argument("--format", choices=("tree", "dot", "json", "mermaid"), default="tree")
    return parser
