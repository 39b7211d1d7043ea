"""The kind `bundle`: one signed executable file made of a launcher, a Python, an environment, an app and its slots.

The work environment is a Python prefix: every slot is laid over it, `bin/python3.X` beside `lib/python3.X/...`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from packyard.formats.errors import FormatError, Problem
from packyard.formats.pspf.seal import PLACE_PREFIX
from packyard.formats.python.pyproject import Flavor, RuntimeEnv
from packyard.formats.python.slots import SlotSpec
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.kinds.bundle import key, signing
from packyard.tasks.kinds.bundle.launcherchoice import VERSION, choice
from packyard.tasks.kinds.bundle.slotsource import is_single
from packyard.tasks.kinds.interpreter import choice as interpreter_choice
from packyard.tasks.kinds.interpreter.platforms import at, platforms_of
from packyard.tasks.kinds.python.hooknames import hook_of
from packyard.tasks.kinds.python.version import version
from packyard.tasks.target.target import Json, Output, Source, Target, Use
from packyard.tasks.workspace.workspace import Member, Workspace

# What a Python started by somebody else may have left in the environment.
ISOLATED = (
    "PYTHONPATH", "PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONEXECUTABLE", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT",
    "UV_CACHE_DIR",
)  # fmt: skip
# The Go launcher sets these before it unsets by pattern; the Rust launcher sets them afterwards.
_LAUNCHERS_OWN = ("FLAVOR_*", "PATH")
# Of a slot, as a manifest says it -> as the format says it.
_LIFECYCLES = {
    "runtime": "runtime",
    "init": "init",
    "persistent": "config",
    "lazy": "lazy",
    "temporary": "temporary",
    "platform": "platform",
}
_PASSING = frozenset({"init", "lazy", "persistent", "temporary"})  # not simply there for good
_PYTHONS = ("bin", "lib", "Lib", "DLLs", "python.exe")


def targets(workspace: Workspace) -> Iterator[Target]:
    """One target for each member with `[tool.flavor]`; FormatError with everything that a bundle cannot do."""
    problems: list[FormatError] = []
    members = [member for member in workspace.members if member.project and member.project.flavor]
    key = signing.choose_key(workspace) if members else {}
    for member in members:
        try:
            assert member.project is not None and member.project.flavor is not None
            for platform in platforms_of(member.project.flavor, workspace):
                yield _target(workspace, member, platform, key)
        except FormatError as error:
            problems.append(error)
    gather(problems)


def _target(workspace: Workspace, member: Member, platform: str, key: key.Key) -> Target:
    project = member.project
    assert project is not None and project.flavor is not None
    flavor, place = project.flavor, member.path("pyproject.toml")
    if problems := list(_unsupported(workspace, flavor, place, platform)):
        raise PlanError(*problems)
    release = version(member, workspace)
    suffix = at(platform, workspace)
    system, _, processor = platform.partition("_")
    file = f"{flavor.package_name}-{release}{suffix.replace('@', '-')}.psp{'.exe' if system == 'windows' else ''}"
    starter = choice(member, workspace, platform)
    python = interpreter_choice.version(member, workspace)
    sources = (Source(path=starter.path, at="launcher"),) if starter.path else ()
    uses = [Use(target=starter.target, at="launcher")] if starter.target else []
    slots: list[dict[str, Json]] = []
    parts = {
        "python": interpreter_choice.target_name(member, workspace, platform),
        "env": f"env:{member.name}{suffix}",
        "app": f"slot:{member.name}/app{suffix}",
    }
    if not flavor.build.runtime:
        del parts["python"]
    for ident, target in parts.items():
        uses.append(Use(target=target, at=f"slots/{ident}"))
        uses.append(Use(target=target, part="files", at=f"files/{ident}"))
        uses.append(Use(target=target, part="facts", at=f"facts/{ident}"))
        slots.append({"id": ident, "source": target, "target": "{workenv}", "operations": "tgz", "purpose": "code"})
    if flavor.build.pre_build:
        uses.append(Use(target=hook_of(member)))  # tests that fail stop the bundle, too
    for spec in flavor.slots:
        if spec.platform in ("", platform):
            target = f"slot:{member.name}/{spec.id}"
            uses.append(Use(target=target, at=f"slots/{spec.id}"))
            slots.append(_slot_params(workspace, member, spec, target))
    return Target(
        name=f"bundle:{member.name}{suffix}",
        doc=f"the signed bundle {file}",
        place=place,
        run="packyard.tasks.kinds.bundle.make_bundle:make_bundle",
        params={
            "file": file,
            "name": flavor.package_name,
            "version": release,
            "python": python,
            "runtime": flavor.build.runtime,
            "platform": platform,
            "environment": _environment(flavor.runtime_env),
            "policy": None if flavor.policy is None else asdict(flavor.policy),
            "launcher": starter.language or "custom",
            "launcher_version": VERSION if starter.language else "",
            "slots": slots,
            "os": system,
            "arch": processor,
            "sealed": system != "windows",
            "epoch": workspace.epoch,
            "public_key": key["public_key"],
        },
        local={name: value for name, value in key.items() if name != "public_key"},
        sources=sources,
        uses=tuple(uses),
        outputs=(Output(at=file, artifact=f"{workspace.dist}/{file}" if workspace.dist else None),),
        resource="io",
        final=True,
    )


def _unsupported(workspace: Workspace, flavor: Flavor, place: str, platform: str) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    if not flavor.build.runtime and platform.startswith("windows"):
        yield Problem(
            f"is false, and a bundle for {platform!r} cannot look for a Python: that takes a POSIX shell",
            "tool.flavor.build.runtime",
            place,
            "leave that platform out, or let the bundle carry its Python",
        )
    for position, spec in enumerate(flavor.slots):
        key = f"tool.flavor.slots[{position}]"
        if spec.id in ("python", "env", "app"):
            yield Problem(f"{spec.id!r} is the id of a slot that every bundle has", f"{key}.id", place)
        if spec.target.startswith(PLACE_PREFIX):
            yield Problem(f"{spec.target!r} starts like what Packyard keeps beside the content", f"{key}.target", place)
        if spec.lifecycle not in _PASSING:
            continue
        if spec.target.partition("/")[0] in _PYTHONS:
            yield Problem(
                f"{spec.target!r} is where Python lies, and the slot is not there for good, another place was expected",
                f"{key}.target",
                place,
            )
    for position, spec in enumerate(flavor.slots):
        for path in (spec.target, *_above(spec.target)):
            other = taken.get(path)
            if other and {spec.lifecycle, other.partition(" ")[0]} & _PASSING:
                yield Problem(
                    f"{spec.target!r} lies in the slot {other.partition(' ')[2]!r}, a place of its own was expected",
                    f"tool.flavor.slots[{position}].target",
                    place,
                )
        taken[spec.target] = f"{spec.lifecycle} {spec.id}"
    if flavor.policy and flavor.policy.max_age_days is not None and not workspace.epoch:
        yield Problem(
            "needs a bundle that says when it was built, and reproducible builds are undated",
            "tool.flavor.policy.max_age_days",
            place,
            "set SOURCE_DATE_EPOCH to the time of the release",
        )


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _slot_params(workspace: Workspace, member: Member, spec: SlotSpec, target: str) -> dict[str, Json]:
    """A declared slot; without `operations` a folder or pattern is a tar.gz, a single file is raw."""
    operations = spec.operations or ("raw" if is_single(spec, member, workspace) else "tgz")
    return {
        "id": spec.id,
        "source": target,
        "target": f"{{workenv}}/{spec.target}",
        "operations": operations,
        "purpose": spec.purpose,
        "lifecycle": _LIFECYCLES[spec.lifecycle],
        "permissions": None if spec.permissions is None else f"{spec.permissions:04o}",
    }


def _environment(env: RuntimeEnv) -> dict[str, Json]:
    unset = (*(ISOLATED if env.isolated else ()), *env.unset)
    patterns = any("*" in name or "?" in name for name in unset)
    return {
        "unset": list(dict.fromkeys(unset)),
        "pass_": list(dict.fromkeys((*env.pass_, *(_LAUNCHERS_OWN if patterns else ())))),
        "map": dict(env.map),
        "set": dict(env.set),
    }
