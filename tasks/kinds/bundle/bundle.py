"""The kind `bundle`: one signed executable file made of a launcher, a Python, an environment, an app and its slots.

The work environment is a Python prefix: every slot is laid over it, `bin/python3.X` beside `lib/python3.X/...`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packyard.formats.errors import FormatError, Problem
from packyard.formats.pspf import Environment
from packyard.formats.pspf.seal import PLACE_PREFIX
from packyard.formats.python.flavor import Flavor, RuntimeEnv
from packyard.formats.python.slots import SlotSpec
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.kinds.bundle import signing
from packyard.tasks.kinds.bundle.key import Key
from packyard.tasks.kinds.bundle.launcherchoice import VERSION, choice
from packyard.tasks.kinds.bundle.make_bundle import BundledSlot, BundleParams, make_bundle
from packyard.tasks.kinds.bundle.slotsource import is_single
from packyard.tasks.kinds.interpreter import choice as interpreter_choice
from packyard.tasks.kinds.interpreter.platforms import at, platforms_of
from packyard.tasks.kinds.python.hooknames import hook_of
from packyard.tasks.kinds.python.version import version
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target, Use
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
    if not members:
        return
    key = signing.choose_key(workspace)
    for member in members:
        try:
            assert member.project is not None and member.project.flavor is not None
            for platform in platforms_of(member.project.flavor, workspace):
                yield _target(workspace, member, platform, key)
        except FormatError as error:
            problems.append(error)
    gather(problems)


def _target(workspace: Workspace, member: Member, platform: str, key: Key) -> Target:
    project = member.project
    assert project is not None and project.flavor is not None
    flavor, place = project.flavor, member.path("pyproject.toml")
    if problems := list(_unsupported(workspace, flavor, place, platform)):
        raise PlanError(*problems)
    release, suffix = version(member, workspace), at(platform, workspace)
    end = ".psp.exe" if platform.startswith("windows") else ".psp"
    file = f"{flavor.package_name}-{release}{suffix.replace('@', '-')}{end}"
    starter = choice(member, workspace, platform)
    parts = _parts(workspace, member, flavor, platform)
    declared = [spec for spec in flavor.slots if spec.platform in ("", platform)]
    params = BundleParams(
        file=file,
        name=flavor.package_name,
        version=release,
        python=interpreter_choice.version(member, workspace),
        runtime=flavor.build.runtime,
        platform=platform,
        environment=_environment(flavor.runtime_env),
        policy=flavor.policy,
        launcher=starter.language or "custom",
        launcher_version=VERSION if starter.language else "",
        slots=(
            *(_code(ident, target) for ident, target in parts.items()),
            *(_slot(workspace, member, spec) for spec in declared),
        ),
        epoch=workspace.epoch,
        public_key=key.public_key,
    )
    return Target(
        name=f"bundle:{member.name}{suffix}",
        doc=f"the signed bundle {file}",
        place=place,
        **call(make_bundle, params),
        local={"source": key.source, "place": key.place},
        sources=(Source(path=starter.path, at="launcher"),) if starter.path else (),
        uses=(
            *([Use(target=starter.target, at="launcher")] if starter.target else []),
            *_uses_of(parts),
            *([Use(target=hook_of(member))] if flavor.build.pre_build else []),  # tests that fail stop the bundle, too
            *(Use(target=_target_of(member, spec), at=f"slots/{spec.id}") for spec in declared),
        ),
        prepares=signing.prepares(key),
        outputs=(Output(at=file, artifact=f"{workspace.dist}/{file}" if workspace.dist else None),),
        resource="io",
        final=True,
    )


def _parts(workspace: Workspace, member: Member, flavor: Flavor, platform: str) -> dict[str, str]:
    """The slots that every bundle has, by id: the targets that make them."""
    suffix = at(platform, workspace)
    python = {"python": interpreter_choice.target_name(member, workspace, platform)} if flavor.build.runtime else {}
    return {**python, "env": f"env:{member.name}{suffix}", "app": f"slot:{member.name}/app{suffix}"}


def _uses_of(parts: Mapping[str, str]) -> Iterator[Use]:
    for ident, target in parts.items():
        yield Use(target=target, at=f"slots/{ident}")
        yield Use(target=target, part="files", at=f"files/{ident}")
        yield Use(target=target, part="facts", at=f"facts/{ident}")


def _unsupported(workspace: Workspace, flavor: Flavor, place: str, platform: str) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    if not flavor.build.runtime and platform.startswith("windows"):
        yield Problem(
            f"is false, but a bundle for {platform!r} cannot look for Python: that requires a POSIX shell",
            "tool.flavor.build.runtime",
            place,
            "leave out that platform, or let the bundle carry its Python",
        )
    for position, spec in enumerate(flavor.slots):
        key = f"tool.flavor.slots[{position}]"
        if spec.id in ("python", "env", "app"):
            yield Problem(f"{spec.id!r} is the id of a slot that every bundle has", f"{key}.id", place)
        if spec.target.startswith(PLACE_PREFIX):
            yield Problem(
                f"{spec.target!r} starts like the names that Packyard uses beside the content", f"{key}.target", place
            )
        if spec.lifecycle not in _PASSING:
            continue
        if spec.target.partition("/")[0] in _PYTHONS:
            yield Problem(
                f"{spec.target!r} is where Python is unpacked, but the slot is not permanent; expected another target",
                f"{key}.target",
                place,
            )
    for position, spec in enumerate(flavor.slots):
        for path in (spec.target, *_above(spec.target)):
            other = taken.get(path)
            if other and {spec.lifecycle, other.partition(" ")[0]} & _PASSING:
                yield Problem(
                    f"{spec.target!r} is inside the slot {other.partition(' ')[2]!r}; expected a separate target",
                    f"tool.flavor.slots[{position}].target",
                    place,
                )
        taken[spec.target] = f"{spec.lifecycle} {spec.id}"
    if flavor.policy and flavor.policy.max_age_days is not None and not workspace.epoch:
        yield Problem(
            "requires a bundle that says when it was built, but reproducible builds are undated",
            "tool.flavor.policy.max_age_days",
            place,
            "set SOURCE_DATE_EPOCH to the time of the release",
        )


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _code(ident: str, target: str) -> BundledSlot:
    """A slot that is laid over the Python prefix."""
    return BundledSlot(id=ident, source=target, target="{workenv}", operations="tgz", purpose="code")


def _target_of(member: Member, spec: SlotSpec) -> str:
    return f"slot:{member.name}/{spec.id}"


def _slot(workspace: Workspace, member: Member, spec: SlotSpec) -> BundledSlot:
    """A declared slot; without `operations` a folder or pattern is a tar.gz, a single file is raw."""
    return BundledSlot(
        id=spec.id,
        source=_target_of(member, spec),
        target=f"{{workenv}}/{spec.target}",
        operations=spec.operations or ("raw" if is_single(spec, member, workspace) else "tgz"),
        purpose=spec.purpose,
        lifecycle=_LIFECYCLES[spec.lifecycle],
        permissions=None if spec.permissions is None else f"{spec.permissions:04o}",
    )


def _environment(env: RuntimeEnv) -> Environment:
    unset = (*(ISOLATED if env.isolated else ()), *env.unset)
    patterns = any("*" in name or "?" in name for name in unset)
    return Environment(
        unset=tuple(dict.fromkeys(unset)),
        pass_=tuple(dict.fromkeys((*env.pass_, *(_LAUNCHERS_OWN if patterns else ())))),
        map=env.map,
        set=env.set,
    )
