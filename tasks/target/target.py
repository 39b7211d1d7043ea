"""A target: one node of the graph, described entirely as data, so that it can be compared, stored, shown and sent
elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any  # None, bool, int, float, str, and lists and string-keyed dicts of these
Resource = Literal["cpu", "io", "memory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An input file. `path` is relative to the workspace, or absolute for a file outside it. A private key is refused,
    unless `key` says that the workspace allows it."""

    path: str
    at: str  # where it is below the action's input folder
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An input that another target makes: the artifact `part` ('' is the main one) of `target`.

    A file is staged at `at` below the input folder; an `at` that is '' or ends with '/' gets the artifact's own
    file name (the last part of its Output.at) when the graph is put together. A tree (a toolchain) is never
    copied: the action finds it as `room.trees[target]`, and `at` is ''.
    """

    target: str
    part: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file (or, with `tree`, a folder) that the action leaves at `at` below its output folder.

    `artifact` is where the workspace keeps it ('dist/hello-0.1.0.psp'); None keeps it only in the store. What commands
    of the workspace wrote is searched for private keys: `keys` are the paths in it that may be some, and None is for
    all other outputs.
    """

    part: str = ""
    at: str
    artifact: str | None = None
    tree: bool = False
    keys: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """What must exist before a target can be planned or made: the file `path`, relative to the workspace or absolute.

    `run` names the function that makes it ('module:function'). It is called if the file does not exist, with its
    parameters, the workspace's root, and `downloads`, where files of the package index are kept; `doing` describes it
    to people. With `planned`, the graph itself is read from the file, so it is made before that; otherwise when the
    target is made, or earlier in the same run. `refusal` is what `--locked` says instead, '' if it allows this; unless
    `settled`, it says so even if the file exists, because it was not committed.
    """

    run: str
    params: Mapping[str, Json] = field(default_factory=dict)
    path: str
    doing: str
    refusal: str = ""
    hint: str = ""
    settled: bool = True
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What is asked of every target in a graph, so that most need not be unpacked: what it `needs` (targets, each once,
    sorted), whether it is final and has something local, the artifacts it leaves, the resource it uses most, and the
    module of its function."""

    needs: tuple[str, ...]
    final: bool
    local: bool
    doc: str
    artifacts: tuple[str, ...]
    resource: Resource
    module: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing to make: from what, how, and where it goes.

    `run` names the function that makes it ('packyard.tasks.kinds.archive.archive:make'), called with a Room. `params`
    is everything else the function reads; together with the bytes of sources and uses it decides the result. `network`
    allows the action to download (its result must be pinned by digests in its inputs). `local` says where on this
    machine the action finds a private key, or a program whose identity is in an input: it decides nothing, so it is not
    part of the action's key, and an action that has it can run nowhere else.
    """

    name: str
    doc: str
    place: str  # the file that declares it, for messages
    run: str
    params: Mapping[str, Json] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    uses: tuple[Use, ...] = ()
    outputs: tuple[Output, ...] = ()
    prepares: tuple[Prepare, ...] = ()
    network: bool = False
    local: Mapping[str, Json] = field(default_factory=dict)
    resource: Resource = "cpu"
    final: bool = False  # belongs to the group `all`

    @property
    def kind(self) -> str:
        """The part of the name before the colon."""
        return self.name.partition(":")[0]

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The names of the targets used, each once, sorted."""
        return tuple(sorted({use.target for use in self.uses}))

    @property
    def node(self) -> Node:
        """The target's entry in a graph's index."""
        return Node(
            needs=tuple(map(sys.intern, self.dependencies)),  # the same names in many nodes
            final=self.final,
            local=bool(self.local),
            doc=self.doc,
            artifacts=tuple(output.artifact for output in self.outputs if output.artifact),
            resource=self.resource,
            module=sys.intern(self.run.partition(":")[0]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One artifact as it came out: SHA-256 in hexadecimal, size in bytes. For a tree, both are its receipt's."""

    digest: str
    size: int
    executable: bool = False
    tree: bool = False
