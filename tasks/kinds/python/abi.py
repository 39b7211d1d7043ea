"""What the binaries of distributions ask of the machine that a bundle runs on: its processor, glibc, Python's ABI.

A program that was linked against a newer glibc than the machine has does not start there, so a bundle would need
more than its Python does, without a word. Such a wheel is an error when the bundle is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap

from packyard.formats.archive.entry import Entry
from packyard.formats.elf import MAGIC, Elf, read_elf
from packyard.formats.errors import FormatError, Problem
from packyard.formats.python.machine import Machine
from packyard.tasks.kinds.interpreter.prefix import Prefix, prefix_of

_EXTENSION = re.compile(r"[^/]*?\.(?:(?P<abi>cpython-[^./]+|pypy[^./]+)|abi3)\.so")
_POLICIES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_POLICY = re.compile(r"manylinux_(\d+)_(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineParams:
    """What a bundle is for: its Python ('3.12'), its platform, and the `manylinux` policies that the manifest states;
    without any, the glibc of that Python counts."""

    python: str
    platform: str
    manylinux: tuple[str, ...]

    @property
    def prefix(self) -> Prefix:
        """Where things stand in the bundle's Python."""
        return prefix_of(self.python, self.platform)

    @property
    def glibc(self) -> tuple[int, int] | None:
        """The newest glibc that a stated policy allows, None when none is stated."""
        return max((policy for text in self.manylinux if (policy := glibc_of(text))), default=None)


def machine_of(params: MachineParams, facts: Mapping[str, str]) -> Machine:
    """What wheels are chosen for: the bundle's Python, described by `facts`, and a glibc no newer than that was linked
    for."""
    release = facts["version"]
    return Machine(
        python=params.python,
        platform=params.platform,
        release=release if release != params.python else "",
        glibc=params.glibc or _version(facts["glibc"]),
        strict=params.glibc is not None,
    )


def check_abi(found: Iterable[tuple[str, Iterable[Entry]]], params: MachineParams, facts: Mapping[str, str]) -> str:
    """The newest glibc that the binaries need, '' when there are none for this machine.

    FormatError with every distribution (a name and its files) that the Python described by `facts` cannot load, or that
    needs a newer glibc than this Python or the stated `manylinux`.
    """
    floor = params.glibc or _version(facts["glibc"])
    who = "tool.flavor.build.manylinux" if params.glibc else "the Python of this bundle"
    machine = params.platform.rpartition("_")[2]
    problems: list[Problem] = []
    needed: list[tuple[int, int]] = []
    for owner, entries in found:
        files = [(entry.path, elf) for entry in entries if (elf := _elf(entry))]
        problems.extend(_misfits(owner, files, machine, facts["abi"]))
        fitting = [elf.glibc for _, elf in files if elf.machine == machine]
        own = max(fitting, default=(0, 0))
        needed += fitting
        if floor != (0, 0) and own > floor:
            path = next(path for path, elf in files if elf.machine == machine and elf.glibc == own)
            problems.append(
                Problem(
                    f"{owner!r} needs glibc {_text(own)} ({path}), but {who} needs no more than {_text(floor)}",
                    hint=f"choose another version of {owner}, or set manylinux = "
                    f'["manylinux_{own[0]}_{own[1]}"] in [tool.flavor.build]',
                )
            )
    if problems:
        raise FormatError(*problems)
    return _text(max(needed)) if needed else ""


def newest(*versions: str) -> str:
    """The newest of some versions of glibc, '' for none."""
    return max(filter(None, versions), key=_version, default="")


def glibc_of(policy: str) -> tuple[int, int] | None:
    """The glibc that a policy (PEP 600, 'manylinux_2_28', 'manylinux2014') allows; None for what is not a policy."""
    if match := _POLICY.fullmatch(policy):
        return int(match[1]), int(match[2])
    return _POLICIES.get(policy)


def _misfits(owner: str, files: list[tuple[str, Elf]], machine: str, abi: str) -> Iterator[Problem]:
    """Extension modules that this Python never loads; no harm beside such as it does load."""
    extensions = [(path, elf, match) for path, elf in files if (match := _EXTENSION.fullmatch(path.rpartition("/")[2]))]
    known = (None, abi) if abi else (None, *(match["abi"] for _, _, match in extensions))
    if extensions and not any(elf.machine == machine and match["abi"] in known for _, elf, match in extensions):
        path, elf, match = extensions[0]
        what = f"a processor {elf.machine}" if elf.machine != machine else f"the ABI {match['abi']}"
        yield Problem(f"{owner!r} is for {what} ({path}); expected {machine} and {abi or 'another ABI'}")


def _elf(entry: Entry) -> Elf | None:
    """What the loader reads of a 64-bit ELF file; None for every other file."""
    try:
        if isinstance(entry.content, bytes):
            return read_elf(entry.content) if entry.content.startswith(MAGIC) else None
        with entry.content.open("rb") as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                return None
            with mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
                return read_elf(data)
    except FormatError:
        return None  # data that only looks like it, or a 32-bit program among data


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
