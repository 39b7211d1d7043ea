"""The metadata of a bundle: the JSON that is signed, as dataclasses (docs/pspf.md, "Metadata").

`to_json` writes every key that either launcher needs and no null, sorted and compact, so equal metadata gives equal
bytes. `read_metadata` accepts what any builder writes: unknown keys are ignored, known ones must be right.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from packyard.formats.digest import digest_of
from packyard.formats.errors import FormatError
from packyard.formats.policy import Policy
from packyard.formats.pspf.parts import (
    Build,
    Coverage,
    Environment,
    Execution,
    Json,
    Launcher,
    Slot,
    Validation,
    build_values,
    coverage_values,
    environment_values,
    execution_values,
    launcher_values,
    part_of,
    policy_values,
    read_build,
    read_coverage,
    read_environment,
    read_execution,
    read_launcher,
    read_policy,
    read_slot,
    read_validation,
    slot_values,
)
from packyard.formats.text.table import Table, reading

FORMAT: Final = "PSPF/2025"
LARGEST: Final = 1 << 20  # the Rust launcher reads no more JSON than this


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Everything the JSON says. `epoch` (seconds) is when the bundle was built, 0 if it does not say.

    `lazy` are slots that are in the table after all others, and which no launcher unpacks: the program takes them from
    the bundle when it needs them.
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
        """The canonical bytes, which are what is signed; FormatError if they are more than a launcher reads."""
        data = canonical(_values(self))
        if len(data) > LARGEST:
            raise FormatError(f"the metadata is {len(data)} bytes long, but the launchers read at most {LARGEST}")
        return data


def canonical(value: Json) -> bytes:
    """JSON with sorted keys, no spaces and ASCII only: one value, one text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def policy_hash(policy: Policy | None) -> bytes:
    """What the index says about a policy: the hexadecimal digest of its canonical JSON, or zeros without one."""
    return bytes(64) if policy is None else digest_of(canonical(policy_values(policy))).hex.encode("ascii")


def read_metadata(data: bytes) -> Metadata:
    """The metadata in the bytes of a JSON text; FormatError with everything that is wrong with it."""
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
        package = part_of(top, "package", required=True)
        return Metadata(
            name=package.text("name", required=True),
            version=package.text("version", required=True),
            description=package.text("description"),
            slots=tuple(read_slot(table) for table in top.tables("slots")),
            lazy=tuple(read_slot(table) for table in part_of(top, "packyard").tables("lazy")),
            execution=read_execution(part_of(top, "execution")),
            environment=read_environment(part_of(part_of(top, "runtime"), "env")),
            setup_commands=tuple(_list(top, "setup_commands")),
            cache_validation=read_validation(part_of(top, "cache_validation")) if "cache_validation" in top else None,
            policy=read_policy(part_of(top, "policy")) if "policy" in top else None,
            build=read_build(part_of(top, "build")),
            launcher=read_launcher(part_of(top, "launcher")),
            coverage=read_coverage(part_of(top, "packyard")) if "packyard" in top else None,
            epoch=part_of(top, "packyard").integer("epoch"),
        )


def with_identity(metadata: Metadata, check_file: str) -> Metadata:
    """`metadata` with a cache validation: the file holds a digest of everything else the JSON says.

    Both launchers unpack again if the file of the same name is another bundle; `check_file` is relative to the work
    environment and written by the last set-up command, that is, only after all others succeeded.
    """
    identity = digest_of(metadata.to_json()).hex
    stamp = {"type": "write_file", "path": f"{{workenv}}/{check_file}", "content": identity}
    return replace(
        metadata,
        setup_commands=(*metadata.setup_commands, stamp),
        cache_validation=Validation(check_file=f"{{workenv}}/{check_file}", expected_content=identity),
    )


def _values(metadata: Metadata) -> dict[str, Json]:
    values: dict[str, Json] = {
        "format": FORMAT,
        "format_version": "1.0.0",
        "package": {"name": metadata.name, "version": metadata.version, "description": metadata.description},
        "slots": [slot_values(position, slot) for position, slot in enumerate(metadata.slots)],
        "execution": execution_values(metadata.execution),
        "runtime": {"env": environment_values(metadata.environment)},
        "setup_commands": list(metadata.setup_commands),
        "verification": {
            "integrity_seal": {"required": True, "algorithm": "ed25519"},
            "signed": True,
            "require_verification": True,
        },
        "build": build_values(metadata.build),
        "launcher": launcher_values(metadata.launcher),
        "compatibility": {"min_format_version": "1.0.0", "features": []},
    }
    if metadata.cache_validation is not None:
        values["cache_validation"] = asdict(metadata.cache_validation)
    if metadata.policy is not None:
        values["policy"] = policy_values(metadata.policy)
    if metadata.coverage is not None:
        lazy = [slot_values(len(metadata.slots) + n, slot) for n, slot in enumerate(metadata.lazy)]
        values["packyard"] = {
            **coverage_values(metadata.coverage),
            "epoch": metadata.epoch,
            **({"lazy": lazy} if lazy else {}),
        }
    return values


def _list(table: Table, key: str) -> list[Json]:
    value = table.raw(key)
    if value is None:
        return []
    if not isinstance(value, list):
        table.problem(key, "is not a list")
        return []
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """A JSON object without its nulls; a key that appears twice would mean two things to two readers."""
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise FormatError(f"has the key {key[:60]!r} twice in one object")
        found[key] = value
    return {key: value for key, value in found.items() if value is not None}


def _constant(text: str) -> Json:
    raise FormatError(f"is not JSON: {text} is not a number")
