"""Questions to the whole graph, by networkx: which chain of targets is the longest, and what is made from a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import networkx as nx
from packyard.tasks.engine.graph.graph import Graph

_START = ""  # where every chain begins, so that the time of its first target counts; no target has this name


def longest_chain(graph: Graph, names: Sequence[str], seconds: Mapping[str, float]) -> list[str]:
    """The targets among `names`, dependencies first, that no number of jobs could make in less than their sum of
    `seconds`; those without any count as one."""
    chosen = set(names)
    chains: nx.DiGraph[str] = nx.DiGraph()
    for name in names:
        makers = [need for need in graph.nodes[name].needs if need in chosen] or [_START]
        chains.add_weighted_edges_from((maker, name, seconds.get(name, 1.0)) for maker in makers)
    return list(nx.dag_longest_path(chains)[1:])


def users(graph: Graph, names: Iterable[str]) -> set[str]:
    """Everything that is made from any of `names`, directly or not."""
    edges: nx.DiGraph[str] = nx.DiGraph()
    edges.add_nodes_from(graph.nodes)
    edges.add_edges_from((need, name) for name, node in graph.nodes.items() for need in node.needs)
    return set().union(*(nx.descendants(edges, name) for name in names))
