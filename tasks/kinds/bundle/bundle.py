"""The kind `bundle`: one signed executable file made of a launcher, a Python, an environment, an app and its slots.

The work environment is a Python prefix: every slot is laid over it, `bin/python3.X` beside `lib/python3.X/...`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import Version
from packyard.formats.archive.listing import read_listing
from packyard.formats.digest import Digest, digest_of
from packyard.formats.errors import FormatError, Problem
from packyard.formats.pspf import (
    Build,
    Contents,
    Coverage,
    Environment,
    Execution,
    Launcher,
    Metadata,
    Policy,
    Slot,
    Verdict,
    contents_digest,
    judge,
    merged,
    open_bundle,
    read_contents,
    seal,
    verify,
    write_bundle,
)
from packyard.formats.pspf.operations import chain_name, read_chain
from packyard.formats.pspf.seal import PLACE_PREFIX
from packyard.formats.pspf.stored import stored_member
from packyard.formats.python.pyproject import Flavor, RuntimeEnv
from packyard.formats.python.slots import SlotSpec
from packyard.tasks.errors import ActionError, PlanError, gather
from packyard.tasks.kinds.bundle import signing
from packyard.tasks.kinds.bundle.hostpython import START
from packyard.tasks.kinds.bundle.launcherchoice import VERSION, choice
from packyard.tasks.kinds.bundle.program import MODULE
from packyard.tasks.kinds.bundle.slotsource import hook_of, is_single
from packyard.tasks.kinds.interpreter import choice as interpreter_choice
from packyard.tasks.kinds.interpreter.prefix import at, platforms_of, prefix_of
from packyard.tasks.kinds.python.abi import newest
from packyard.tasks.kinds.python.version import version
from packyard.tasks.target.room import Room
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
_SAFE_PATH = Version("3.11")
_CHUNK = 1 << 20


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


def make_bundle(room: Room) -> None:
    """Write the bundle, sign it, read it back from the disk and verify it."""
    params = room.params
    launcher = room.inputs / "launcher"
    packed = [_slot(room, params_of_slot) for params_of_slot in params["slots"]]
    # An environment without dependencies: the Rust launcher takes an empty tar for no tar.
    present = [one for one in packed if one[2]]
    unpacked = [one for one in present if one[0].lifecycle != "lazy"]
    lazy = [one for one in present if one[0].lifecycle == "lazy"]
    key = signing.load_key({**room.local, "public_key": params["public_key"]})
    out = room.outputs / params["file"]
    try:
        tree = contents_digest(merged(contents for _, _, contents in unpacked))
        metadata = _metadata(
            params, [slot for slot, _, _ in unpacked], [slot for slot, _, _ in lazy], tree, _needs(room)
        )
        paths = [path for _, path, _ in (*unpacked, *lazy)]
        write_bundle(out, launcher=launcher, metadata=metadata, slots=paths, key=key)
        bundle = open_bundle(out)
        findings = verify(bundle)
    except FormatError as error:
        raise ActionError(f"the bundle cannot be written: {error}") from None
    if judge(bundle, findings) is not Verdict.INTACT:
        raise ActionError("the bundle is not what was written", detail="\n".join(map(str, findings)))
    room.say(f"{params['file']}: {bundle.size} bytes, signed with the key {params['public_key'][:16]}...")


def _target(workspace: Workspace, member: Member, platform: str, key: signing.Key) -> Target:
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
        run="packyard.tasks.kinds.bundle.bundle:make_bundle",
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


def _slot(room: Room, params: Mapping[str, Json]) -> tuple[Slot, Path, Contents]:
    """The slot as metadata, the file with its stored bytes, and what it unpacks to."""
    path = room.inputs / "slots" / params["id"]
    operations = params["operations"]
    permissions = params.get("permissions") or ("0755" if os.access(path, os.X_OK) else "0644")
    if operations == "raw" and _looks_like_json(path):
        # The Rust launcher logs errors at each start about stored bytes that begin like JSON.
        path, operations = _wrapped(path, room.scratch / f"{params['id']}.gz"), "gzip"
    slot = Slot(
        id=params["id"],
        source=params["source"],
        target=params["target"],
        operations=chain_name(read_chain(operations)),
        purpose=params["purpose"],
        lifecycle=params.get("lifecycle", "runtime"),
        permissions=permissions,
    )
    try:
        contents = _contents(room, path, slot)
    except FormatError as error:
        raise ActionError(f"slot {slot.id!r} cannot go into a bundle: {error}") from None
    return replace(slot, content=str(contents_digest(contents))), path, contents


def _contents(room: Room, path: Path, slot: Slot) -> Contents:
    """What a slot unpacks to: as its listing says, which was made with it, else from its bytes."""
    known = room.inputs / "files" / slot.id
    if known.is_file():
        return {file.path: file.sha256 for file in read_listing(known.read_text(encoding="utf-8"))}
    with path.open("rb") as stream:
        return read_contents(stream, read_chain(slot.operations), slot.path)


def _looks_like_json(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(1) in (b"{", b"[")


def _wrapped(path: Path, out: Path) -> Path:
    with path.open("rb") as stream, out.open("wb") as target:
        target.writelines(stored_member(iter(lambda: stream.read(_CHUNK), b"")))
    return out


def _needs(room: Room) -> str:
    """What the bundle needs of the machine that it is started on: 'linux_amd64, glibc 2.36 or newer'."""
    facts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((room.inputs / "facts").iterdir())]
    platform: str = room.params["platform"]
    glibc = newest(*(fact["glibc"] for fact in facts))
    if asked := "".join(fact.get("asked", "") for fact in facts):
        return f"{platform}, {asked}"
    return f"{platform}, glibc {glibc} or newer" if glibc not in ("", "0.0") else platform


def _metadata(
    params: Mapping[str, Json], slots: Sequence[Slot], lazy: Sequence[Slot], tree: Digest, needs: str
) -> Metadata:
    policy = params["policy"]
    place = _place(tree, lazy) if params["sealed"] else ""
    gone = [slot.path for slot in slots if slot.lifecycle == "init"]
    return Metadata(
        name=params["name"],
        version=params["version"],
        slots=tuple(slots),
        lazy=tuple(lazy),
        execution=Execution(command=_command(params, place)),
        environment=Environment(**params["environment"]),
        setup_commands=(seal(tree, place=place, gone=gone),) if params["sealed"] else (),
        policy=None if policy is None else Policy(**policy),
        build=Build(
            tool="packyard",
            timestamp=datetime.fromtimestamp(params["epoch"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            os=params["os"],
            arch=params["arch"],
        ),
        launcher=Launcher(tool=params["launcher"], tool_version=params["launcher_version"]),
        coverage=Coverage(tree=str(tree), sealed=params["sealed"], needs=needs),
        epoch=params["epoch"],
    )


def _place(tree: Digest, lazy: Sequence[Slot]) -> str:
    """The folder of the work environment that the content moves to: another one for any other content."""
    return PLACE_PREFIX + digest_of("\0".join([tree.hex, *(slot.content for slot in lazy)]).encode()).hex[:16]


def _command(params: Mapping[str, Json], place: str) -> str:
    """What the launcher runs. It looks neither at PYTHONSAFEPATH nor at the current folder for modules."""
    python, platform = params["python"], params["platform"]
    prefix, content = prefix_of(python, platform), "/".join(["{workenv}", *([place] if place else [])])
    if not params["runtime"]:
        return f'/bin/sh "{content}/{prefix.site}/{MODULE}/{START}"'
    program = f"{content}/{prefix.program}"
    start = f"-sP -m {MODULE}"
    if Version(python) < _SAFE_PATH:  # -P came with 3.11
        start = f'-s -c "import sys; del sys.path[0]; from {MODULE} import run; sys.exit(run())"'
    if platform.startswith("windows"):
        return f'"{program}" {start}'
    # The launchers give the program their own file's name as argv[0], and Python finds itself by argv[0]:
    # so a shell starts it by its path. The quotes hold a work environment with spaces together.
    return f'/bin/sh -c \'exec "$0" "$@"\' "{program}" {start}'
