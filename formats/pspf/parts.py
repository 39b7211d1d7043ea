"""The parts of a bundle's metadata (docs/pspf.md, "Metadata"): each a value, read from its table and written as
JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from packyard.formats.digest import Digest
from packyard.formats.policy import Policy
from packyard.formats.text.table import Table

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
    """One slot. The launchers act on `target` (of a slot that is not a tar), `lifecycle` ("init") and `permissions`.

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
        """The full digest of the stored bytes, None if a builder wrote something else."""
        return _digest(self.checksum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What runs: `command` is split as a shell would, but no shell runs; `{workenv}` stands for the work
    environment."""

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
        """The full digest of the launcher (one builder doubles the prefix), None if none is given."""
        return _digest(self.checksum.replace("sha256:sha256:", "sha256:"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """When an unpacked work environment may be reused: if `check_file` contains `expected_content`."""

    check_file: str
    expected_content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Ours: says that index, table and padding are a function of this metadata, and that every slot and the launcher is
    digested.

    `tree` is the digest of the listing of the whole unpacked content; `sealed` says that a set-up command compares it
    at the first start. `needs` says in words what the bundle needs from the machine it is started on.
    """

    version: int = COVERAGE_VERSION
    tree: str = ""
    sealed: bool = False
    needs: str = ""


def part_of(table: Table, key: str, *, required: bool = False) -> Table:
    """The table at `key`, in which builders may write more than is known here."""
    part = table.table(key, required=required)
    part.ignore_rest()
    return part


def read_slot(table: Table) -> Slot:
    """One of `slots`, or of the lazy ones."""
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


def slot_values(position: int, slot: Slot) -> dict[str, Json]:
    """The slot at `position` in the slot table."""
    return {"slot": position, "resolution": "build", **asdict(slot)}


def read_execution(table: Table) -> Execution:
    """`execution`."""
    return Execution(command=table.text("command"), env=table.mapping("env"))


def execution_values(execution: Execution) -> dict[str, Json]:
    """`execution`."""
    return {"command": execution.command, "env": dict(execution.env)}


def read_environment(table: Table) -> Environment:
    """`runtime.env`."""
    return Environment(
        unset=table.texts("unset"), pass_=table.texts("pass"), map=table.mapping("map"), set=table.mapping("set")
    )


def environment_values(environment: Environment) -> dict[str, Json]:
    """`runtime.env`."""
    return {
        "unset": list(environment.unset),
        "pass": list(environment.pass_),
        "map": dict(environment.map),
        "set": dict(environment.set),
    }


def read_policy(table: Table) -> Policy:
    """`policy`."""
    return Policy(
        platforms=table.texts("platforms"),
        refuse_root=table.flag("refuse_root"),
        max_age_days=table.integer("max_age_days") if "max_age_days" in table else None,
        require_env=table.texts("require_env"),
    )


def policy_values(policy: Policy) -> dict[str, Json]:
    """`policy`. A launcher that misses one of the first three keys skips all of it, so they are always there."""
    age = {} if policy.max_age_days is None else {"max_age_days": policy.max_age_days}
    return {
        "platforms": list(policy.platforms),
        "refuse_root": policy.refuse_root,
        "require_env": list(policy.require_env),
        **age,
    }


def read_build(table: Table) -> Build:
    """`build`."""
    platform = part_of(table, "platform")
    return Build(
        tool=table.text("tool"),
        tool_version=table.text("tool_version"),
        timestamp=table.text("timestamp"),
        os=platform.text("os"),
        arch=platform.text("arch"),
    )


def build_values(build: Build) -> dict[str, Json]:
    """`build`."""
    return {
        "tool": build.tool,
        "tool_version": build.tool_version,
        "timestamp": build.timestamp,
        "deterministic": True,
        "platform": {"os": build.os, "arch": build.arch},
    }


def read_launcher(table: Table) -> Launcher:
    """`launcher`."""
    return Launcher(
        tool=table.text("tool"),
        tool_version=table.text("tool_version"),
        size=table.integer("size"),
        checksum=table.text("checksum"),
    )


def launcher_values(launcher: Launcher) -> dict[str, Json]:
    """`launcher`."""
    return {**asdict(launcher), "capabilities": []}


def read_validation(table: Table) -> Validation:
    """`cache_validation`."""
    return Validation(check_file=table.text("check_file"), expected_content=table.text("expected_content"))


def read_coverage(table: Table) -> Coverage:
    """`packyard`, except for the epoch and the lazy slots."""
    version = table.integer("coverage")
    if version != COVERAGE_VERSION:
        table.problem("coverage", f"{version} is not a known version; expected {COVERAGE_VERSION}")
    return Coverage(version=version, tree=table.text("tree"), sealed=table.flag("sealed"), needs=table.text("needs"))


def coverage_values(coverage: Coverage) -> dict[str, Json]:
    """`packyard`, except for the epoch and the lazy slots."""
    needs = {"needs": coverage.needs} if coverage.needs else {}
    return {"coverage": coverage.version, "tree": coverage.tree, "sealed": coverage.sealed, **needs}


def _digest(text: str) -> Digest | None:
    return Digest.parse(text) if re.fullmatch(r"sha256:[0-9a-f]{64}", text) else None
