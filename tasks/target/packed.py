"""Targets as bytes, each packed separately: ten thousand of them take a fraction of the memory they would take as
objects, and only those that are needed are unpacked."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from packyard.tasks.target.target import Output, Prepare, Source, Target, Use

_KEPT = 200  # unpacked targets
_LEVEL = 1  # of zlib; 6 takes a quarter longer and saves 7 %
_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def pack_target(target: Target) -> bytes:
    """The target as zlib-compressed JSON; equal targets give equal bytes."""
    values = _values(target)
    values["sources"] = list(map(_packed_source, target.sources))
    for name in ("uses", "outputs", "prepares"):
        values[name] = [_values(one) for one in values[name]]
    return zlib.compress(_encode(values).encode(), _LEVEL)


def unpack_target(packed: bytes) -> Target:
    """The target that `pack_target` packed; ValueError, KeyError or TypeError when it did not."""
    try:
        values = json.loads(zlib.decompress(packed))
    except zlib.error as error:
        raise ValueError(str(error)) from None
    return Target(
        **values
        | {
            "sources": tuple(map(_source, values["sources"])),
            "uses": tuple(Use(**use) for use in values["uses"]),
            "outputs": tuple(map(_output, values["outputs"])),
            "prepares": tuple(Prepare(**prepare) for prepare in values["prepares"]),
        }
    )


def packed_targets(targets: Mapping[str, Target]) -> Mapping[str, bytes]:
    """Targets by name, packed."""
    if isinstance(targets, PackedTargets):
        return targets.packed
    return {name: pack_target(target) for name, target in targets.items()}


class PackedTargets(Mapping[str, Target]):
    """Targets by name, each unpacked on demand; the most recent are kept, since a target is needed several times while
    it is made."""

    def __init__(self, packed: Mapping[str, bytes]) -> None:
        self.packed = packed
        self._unpack = lru_cache(_KEPT)(lambda name: unpack_target(packed[name]))

    def __getitem__(self, name: str) -> Target:
        return self._unpack(name)

    def __contains__(self, name: object) -> bool:
        return name in self.packed

    def __iter__(self) -> Iterator[str]:
        return iter(self.packed)

    def __len__(self) -> int:
        return len(self.packed)


def _values(value: Target | Use | Output | Prepare) -> dict[str, Any]:
    """The fields of a value; asdict() would copy all that is in them."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _packed_source(source: Source) -> str | list[str]:
    """A source staged at its own path, as most are, is written as that path; a third item says that it is a key."""
    if source.key:
        return [source.path, source.at, "key"]
    return source.path if source.at == source.path else [source.path, source.at]


def _source(value: str | list[str]) -> Source:
    path, at, *key = (value, value) if isinstance(value, str) else value
    return Source(path=path, at=at, key=bool(key))


def _output(values: dict[str, Any]) -> Output:
    return Output(**values if values["keys"] is None else values | {"keys": tuple(values["keys"])})
