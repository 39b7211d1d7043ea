"""The metadata of a bundle: the JSON that is signed, as dataclasses (docs/pspf.md, "Metadata").

`to_json` writes every key that either launcher needs and no null, sorted and compact, so equal metadata are equal
bytes. `read_metadata` takes what any builder writes: unknown keys are ignored, known ones have to be right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from packyard.formats.digest import Digest, digest_of
from packyard.formats.errors import FormatError
from packyard.formats.policy import Policy
from packyard.formats.text.table import Table, reading

FORMAT: Final = "PSPF/2025"
LARGEST: Final = 1 << 20  # the Rust launcher reads no more JSON than this
COVERAGE_VERSION: Final = 1

PURPOSES: Final = {"data": 0, "code": 1, "config": 2, "media": 3}
LIFECYCLES: Final = {
    "init": 0,
    "startup": 1,
    "runtime": 2,
    "shutdown": 3,
    "cache": 4,
    "temporary": 5,
    "lazy": 6,
    "eager": 7,
    "dev": 8,
    "config": 9,
    "platform": 10,
    "attestation": 11,
}

Json = Any  # None, bool, int, float, str, and lists and string-keyed dicts of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One slot. The launchers act on `target` (of a slot that is no tar), `lifecycle` ("init") and `permissions`.

    `checksum` is `sha256:` and the digest of the stored bytes, `size` their number; the writer fills both in.
    `content` (ours) is the digest of the slot's listing, see `contents`. `permissions` is octal text.
    """

    id: str
    source: str = ""
    target: str
    size: int = 0
    checksum: str = ""
    operations: str = "raw"
    purpose: str = "data"
    lifecycle: str = "runtime"
    permissions: str = "0644"
    content: str = ""

    @property
    def path(self) -> str:
        """The target below the work environment."""
        return "" if self.target == "{workenv}" else self.target.removeprefix("{workenv}/")

    @property
    def digest(self) -> Digest | None:
        """The whole digest of the stored bytes, None where a builder wrote another thing."""
        return _digest(self.checksum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What runs: `command` is split like a shell does, without one; `{workenv}` stands for the work environment."""

    command: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the program sees of the environment: `unset`, then `map` (old name -> new), then `set`; `pass_` is kept."""

    unset: tuple[str, ...] = ()
    pass_: tuple[str, ...] = ()
    map: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Who made the bundle and for which platform; `timestamp` is UTC in ISO 8601."""

    tool: str = ""
    tool_version: str = ""
    timestamp: str = ""
    os: str = ""
    arch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """The executable at the front; the writer fills in `size` and `checksum`."""

    tool: str = ""
    tool_version: str = ""
    size: int = 0
    checksum: str = ""

    @property
    def digest(self) -> Digest | None:
        """The whole digest of the launcher (one builder doubles the prefix), None where none is given."""
        return _digest(self.checksum.replace("sha256:sha256:", "sha256:"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """When an unpacked work environment may be used again: `check_file` holds `expected_content`."""

    check_file: str
    expected_content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Ours: that index, table and padding are a function of this metadata, and every slot and the launcher digested.

    `tree` is the digest of the listing of the whole unpacked content; `sealed` says that a set-up command compares
    it at the first start. `needs` says in words what the bundle needs of the machine that it is started on.
    """

    version: int = COVERAGE_VERSION
    tree: str = ""
    sealed: bool = False
    needs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Everything the JSON says. `epoch` (seconds) is when the bundle was built, 0 when that stays unsaid.

    `lazy` are slots that stand in the table after all others, and which no launcher unpacks: the program takes
    them out of the bundle when it needs them.
    """

    name: str
    version: str
    description: str = ""
    slots: tuple[Slot, ...] = ()
    lazy: tuple[Slot, ...] = ()
    execution: Execution = field(default_factory=Execution)
    environment: Environment = field(default_factory=Environment)
    setup_commands: tuple[Json, ...] = ()
    cache_validation: Validation | None = None
    policy: Policy | None = None
    build: Build = field(default_factory=Build)
    launcher: Launcher = field(default_factory=Launcher)
    coverage: Coverage | None = None
    epoch: int = 0

    @property
    def table(self) -> tuple[Slot, ...]:
        """All slots, in the order of the slot table."""
        return (*self.slots, *self.lazy)

    def to_json(self) -> bytes:
        """The canonical bytes, which are what is signed; FormatError when they are more than a launcher reads."""
        data = canonical(_json(self))
        if len(data) > LARGEST:
            raise FormatError(f"the metadata have {len(data)} bytes, the launchers read at most {LARGEST}")
        return data


def canonical(value: Json) -> bytes:
    """JSON with sorted keys, no spaces and ASCII only: one value, one text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def policy_hash(policy: Policy | None) -> bytes:
    """What the index holds of a policy: the hexadecimal digest of its canonical JSON, or zeros without one."""
    return bytes(64) if policy is None else digest_of(canonical(_policy_json(policy))).hex.encode("ascii")


def read_metadata(data: bytes) -> Metadata:
    """The metadata in the bytes of a JSON text; FormatError with all that is wrong with them."""
    try:
        values = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
        # Half a character (\ud800) cannot be encoded, and one launcher refuses it.
        json.dumps(values, ensure_ascii=False).encode("utf-8")
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise FormatError("is not a JSON object")
    with reading(values, "metadata") as top:
        top.ignore_rest()
        if top.text("format", FORMAT) != FORMAT:
            top.problem("format", f"{top.text('format')!r} is not {FORMAT!r}")
        package = _part(top, "package", required=True)
        execution = _part(top, "execution")
        return Metadata(
            name=package.text("name", required=True),
            version=package.text("version", required=True),
            description=package.text("description"),
            slots=tuple(_slot(table) for table in top.tables("slots")),
            lazy=tuple(_slot(table) for table in _part(top, "packyard").tables("lazy")),
            execution=Execution(command=execution.text("command"), env=execution.mapping("env")),
            environment=_environment(_part(_part(top, "runtime"), "env")),
            setup_commands=tuple(_list(top, "setup_commands")),
            cache_validation=_validation(top),
            policy=_policy(_part(top, "policy")) if "policy" in top else None,
            build=_build(_part(top, "build")),
            launcher=_launcher(_part(top, "launcher")),
            coverage=_coverage(_part(top, "packyard")) if "packyard" in top else None,
            epoch=_part(top, "packyard").integer("epoch"),
        )


def with_identity(metadata: Metadata, check_file: str) -> Metadata:
    """`metadata` with a cache validation: the file holds a digest of everything else the JSON says.

    Both launchers unpack again when the file under the same name is another bundle; `check_file` is relative to
    the work environment and written by the last set-up command, so only after all others succeeded.
    """
    identity = digest_of(metadata.to_json()).hex
    stamp = {"type": "write_file", "path": f"{{workenv}}/{check_file}", "content": identity}
    return replace(
        metadata,
        setup_commands=(*metadata.setup_commands, stamp),
        cache_validation=Validation(check_file=f"{{workenv}}/{check_file}", expected_content=identity),
    )


def _json(metadata: Metadata) -> dict[str, Json]:
    values: dict[str, Json] = {
        "format": FORMAT,
        "format_version": "1.0.0",
        "package": {"name": metadata.name, "version": metadata.version, "description": metadata.description},
        "slots": [_slot_json(position, slot) for position, slot in enumerate(metadata.slots)],
        "execution": {"command": metadata.execution.command, "env": dict(metadata.execution.env)},
        "runtime": {
            "env": {
                "unset": list(metadata.environment.unset),
                "pass": list(metadata.environment.pass_),
                "map": dict(metadata.environment.map),
                "set": dict(metadata.environment.set),
            }
        },
        "setup_commands": list(metadata.setup_commands),
        "verification": {
            "integrity_seal": {"required": True, "algorithm": "ed25519"},
            "signed": True,
            "require_verification": True,
        },
        "build": {
            "tool": metadata.build.tool,
            "tool_version": metadata.build.tool_version,
            "timestamp": metadata.build.timestamp,
            "deterministic": True,
            "platform": {"os": metadata.build.os, "arch": metadata.build.arch},
        },
        "launcher": {
            "tool": metadata.launcher.tool,
            "tool_version": metadata.launcher.tool_version,
            "size": metadata.launcher.size,
            "checksum": metadata.launcher.checksum,
            "capabilities": [],
        },
        "compatibility": {"min_format_version": "1.0.0", "features": []},
    }
    if metadata.cache_validation is not None:
        values["cache_validation"] = {
            "check_file": metadata.cache_validation.check_file,
            "expected_content": metadata.cache_validation.expected_content,
        }
    if metadata.policy is not None:
        values["policy"] = _policy_json(metadata.policy)
    if metadata.coverage is not None:
        values["packyard"] = {
            "coverage": metadata.coverage.version,
            "tree": metadata.coverage.tree,
            "sealed": metadata.coverage.sealed,
            **({"needs": metadata.coverage.needs} if metadata.coverage.needs else {}),
            "epoch": metadata.epoch,
        }
        if metadata.lazy:
            first = len(metadata.slots)
            values["packyard"]["lazy"] = [_slot_json(first + n, slot) for n, slot in enumerate(metadata.lazy)]
    return values


def _slot_json(position: int, slot: Slot) -> dict[str, Json]:
    return {
        "slot": position,
        "id": slot.id,
        "source": slot.source,
        "target": slot.target,
        "size": slot.size,
        "checksum": slot.checksum,
        "operations": slot.operations,
        "purpose": slot.purpose,
        "lifecycle": slot.lifecycle,
        "permissions": slot.permissions,
        "resolution": "build",
        "content": slot.content,
    }


def _policy_json(policy: Policy) -> dict[str, Json]:
    # A launcher that misses one of the first three keys skips the whole policy, so they are always there.
    age = {} if policy.max_age_days is None else {"max_age_days": policy.max_age_days}
    return {
        "platforms": list(policy.platforms),
        "refuse_root": policy.refuse_root,
        "require_env": list(policy.require_env),
        **age,
    }


def _slot(table: Table) -> Slot:
    table.ignore_rest()
    return Slot(
        id=table.text("id", required=True),
        source=table.text("source"),
        target=table.text("target"),
        size=table.integer("size"),
        checksum=table.text("checksum"),
        operations=table.text("operations"),
        purpose=table.text("purpose"),
        lifecycle=table.text("lifecycle"),
        permissions=table.text("permissions"),
        content=table.text("content"),
    )


def _environment(table: Table) -> Environment:
    return Environment(
        unset=table.texts("unset"), pass_=table.texts("pass"), map=table.mapping("map"), set=table.mapping("set")
    )


def _policy(table: Table) -> Policy:
    return Policy(
        platforms=table.texts("platforms"),
        refuse_root=table.flag("refuse_root"),
        max_age_days=table.integer("max_age_days") if "max_age_days" in table else None,
        require_env=table.texts("require_env"),
    )


def _build(table: Table) -> Build:
    platform = _part(table, "platform")
    return Build(
        tool=table.text("tool"),
        tool_version=table.text("tool_version"),
        timestamp=table.text("timestamp"),
        os=platform.text("os"),
        arch=platform.text("arch"),
    )


def _launcher(table: Table) -> Launcher:
    return Launcher(
        tool=table.text("tool"),
        tool_version=table.text("tool_version"),
        size=table.integer("size"),
        checksum=table.text("checksum"),
    )


def _validation(top: Table) -> Validation | None:
    table = _part(top, "cache_validation")
    if "cache_validation" not in top:
        return None
    return Validation(check_file=table.text("check_file"), expected_content=table.text("expected_content"))


def _coverage(table: Table) -> Coverage:
    version = table.integer("coverage")
    if version != COVERAGE_VERSION:
        table.problem("coverage", f"{version} is not a version known here, {COVERAGE_VERSION} was expected")
    return Coverage(version=version, tree=table.text("tree"), sealed=table.flag("sealed"), needs=table.text("needs"))


def _part(table: Table, key: str, *, required: bool = False) -> Table:
    part = table.table(key, required=required)
    part.ignore_rest()
    return part


def _list(table: Table, key: str) -> list[Json]:
    value = table.raw(key)
    if value is None:
        return []
    if not isinstance(value, list):
        table.problem(key, "is not a list")
        return []
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """A JSON object without its nulls; a key that stands twice would mean two things to two readers."""
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise FormatError(f"has the key {key[:60]!r} twice in one object")
        found[key] = value
    return {key: value for key, value in found.items() if value is not None}


def _constant(text: str) -> Json:
    raise FormatError(f"is not JSON: {text} is no number")


def _digest(text: str) -> Digest | None:
    return Digest.parse(text) if re.fullmatch(r"sha256:[0-9a-f]{64}", text) else None
