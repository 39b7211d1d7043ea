"""The kind `slot`: the files of one slot of a bundle, in the form in which the bundle stores them.

`slot:APP/app` is the app itself: its wheel and those of the members it needs, and the module that starts its
commands. Every other is declared in the manifest: a folder or pattern as a tar.gz whose paths begin with the
slot's target (launchers unpack a tar at the root of the work environment), a single file as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from packyard.formats.errors import FormatError, Problem
from packyard.formats.python import pylock
from packyard.formats.python.slots import SlotSpec
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.kinds.bundle.make_slot import AppParams, SlotParams, make_app, make_slot
from packyard.tasks.kinds.bundle.program import program_of
from packyard.tasks.kinds.bundle.slotsource import slot_source
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.platforms import at, platforms_of
from packyard.tasks.kinds.python.abi import MachineParams
from packyard.tasks.kinds.python.dependencies import dependencies
from packyard.tasks.kinds.python.lockedenv import lock_of
from packyard.tasks.kinds.python.version import version
from packyard.tasks.kinds.python.wheelsources import commands
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.workspace import Member, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """The slots of each member with [tool.flavor]; FormatError with every slot whose source is missing."""
    problems: list[FormatError] = []
    for member in workspace.members:
        if not (member.project and member.project.flavor):
            continue
        platforms = platforms_of(member.project.flavor, workspace)
        for platform in platforms:
            try:
                yield _app(member, workspace, platform)
            except FormatError as error:
                problems.append(error)
        for position, spec in enumerate(member.project.flavor.slots):
            if spec.platform not in ("", *platforms):
                continue
            try:
                yield _declared(member, workspace, spec, f"tool.flavor.slots[{position}].source")
            except FormatError as error:
                problems.append(error)
    gather(problems)


def _app(member: Member, workspace: Workspace, platform: str) -> Target:
    project = member.project
    assert project is not None and project.flavor is not None
    build, place = project.flavor.build, member.path("pyproject.toml")
    python, uses = choice.python_for(choice.find(choice.version(member, workspace), workspace))
    env = f"env:{member.name}{at(platform, workspace)}"
    pin = None if build.runtime else lock_of(member, workspace)
    if pin:  # the lock tells which Pythons the bundle is for
        uses = (*uses, Use(target=env, part="facts", at="env-facts"))
    params = AppParams(
        python=python,
        machine=MachineParams(python=python.version, platform=platform, manylinux=build.manylinux),
        foreign=platform != workspace.platform,
        wheels=(member.name, *dependencies(member, workspace, platform).members),
        commands=commands(member),
        place=place,
        include_tests=build.include_tests,
        strip=build.strip,
        requires=project.requires_python if pin else None,
        program=program_of(project, version(member, workspace), platform),
        packing=Packing.of(workspace.manifest.compression, epoch=workspace.epoch),
    )
    return Target(
        name=f"slot:{member.name}/app{at(platform, workspace)}",
        doc=f"{member.name} itself, as it stands in its bundle",
        place=place,
        **call(make_app, params),
        sources=(Source(path=pin.path, at=pylock.NAME),) if pin else (),
        uses=(
            *uses,
            choice.facts_use(member, workspace, platform, at="runtime"),
            *(Use(target=f"wheel:{name}", at=f"wheels/{name}") for name in params.wheels),
            Use(target=env, part="files", at="env"),
        ),
        prepares=(pin.prepare,) if pin else (),
        outputs=(Output(at="app.tar.gz"), Output(part="files", at="files"), Output(part="facts", at="facts.json")),
    )


def _declared(member: Member, workspace: Workspace, spec: SlotSpec, key: str) -> Target:
    source = slot_source(member, workspace, spec, key)
    operations = spec.operations or ("raw" if source.single else "tgz")
    if operations in ("raw", "gzip") and not source.single:
        raise PlanError(
            Problem(
                f"{operations!r} holds one file, but {spec.source!r} is a folder or pattern",
                key.replace(".source", ".operations"),
                member.path("pyproject.toml"),
                "leave out operations for a tar.gz",
            )
        )
    params = SlotParams(
        operations=operations,
        target=spec.target,
        single=source.single,
        hook=source.hook,
        written=source.written,
        exclude=spec.exclude,
        permissions=spec.permissions,
        packing=Packing.of(workspace.manifest.compression, epoch=workspace.epoch),
    )
    return Target(
        name=f"slot:{member.name}/{spec.id}",
        doc=f"the slot {spec.id} of {member.name}: {spec.source}",
        place=member.path("pyproject.toml"),
        **call(make_slot, params),
        sources=source.sources,
        uses=source.uses,
        outputs=(Output(at="slot"),),
    )
