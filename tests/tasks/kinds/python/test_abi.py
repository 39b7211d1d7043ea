from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.errors import FormatError
from packyard.formats.python.machine import Machine
from packyard.tasks.kinds.python.abi import MachineParams, check_abi, glibc_of, machine_of, newest

FACTS = {"abi": "cpython-312-x86_64-linux-gnu", "glibc": "2.17"}


def library(glibc: str, machine: int = 62) -> bytes:
    """A shared library of one segment that asks libc for one symbol version."""
    strings = b"\0libc.so.6\0" + glibc.encode() + b"\0"
    size = 64 + 2 * 56
    versions = struct.pack("<2H3I", 1, 1, 1, 16, 0) + struct.pack("<I2H2I", 0, 0, 2, 11, 0)
    tags = [(1, 1), (5, size), (0x6FFFFFFE, size + len(strings)), (0x6FFFFFFF, 1), (0, 0)]
    dynamic = b"".join(struct.pack("<2Q", *tag) for tag in tags)
    body = strings + versions
    end = size + len(body)
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<2HI3QI6H", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<2I6Q", 1, 5, 0, 0, 0, end + len(dynamic), end + len(dynamic), 4096)
    return header + load + struct.pack("<2I6Q", 2, 6, end, end, end, len(dynamic), len(dynamic), 8) + body + dynamic


def machine(*manylinux: str) -> MachineParams:
    return MachineParams(python="3.12", platform="linux_amd64", manylinux=manylinux)


def check(files: Mapping[str, bytes], manylinux: list[str] | None = None, facts: Mapping[str, str] = FACTS) -> str:
    entries = [Entry(path, data) for path, data in files.items()]
    return check_abi([("fast", entries)], machine(*(manylinux or [])), facts)


@pytest.mark.parametrize(
    ("files", "needed"),
    [
        ({}, ""),
        ({"a.py": b"x = 1\n", "a.so": b"\x7fELF but no more"}, ""),
        ({"fast.cpython-312-x86_64-linux-gnu.so": library("GLIBC_2.17")}, "2.17"),
        ({"fast.abi3.so": library("GLIBC_2.5"), "a.cpython-311-x86_64-linux-gnu.so": library("GLIBC_2.9")}, "2.9"),
        ({"fast.abi3.so": library("GLIBC_2.5"), "other.abi3.so": library("GLIBC_2.99", machine=183)}, "2.5"),
        ({"libdata.so": library("CXXABI_9.9")}, "0.0"),
    ],
)
def test_binaries_that_fit_are_taken(files: dict[str, bytes], needed: str) -> None:
    assert check(files) == needed


@pytest.mark.parametrize(
    ("manylinux", "glibc", "strict"),
    [
        ((), (2, 17), False),
        (("musllinux_1_2",), (2, 17), False),
        (("manylinux_2_28", "manylinux2014"), (2, 28), True),
    ],
)
def test_wheels_are_chosen_for_what_the_manifest_states_else_for_the_bundle_s_python(
    manylinux: tuple[str, ...], glibc: tuple[int, int], strict: bool
) -> None:
    facts = {"version": "3.12.4", "glibc": "2.17"}
    wanted = Machine(python="3.12", platform="linux_amd64", release="3.12.4", glibc=glibc, strict=strict)
    assert machine_of(machine(*manylinux), facts) == wanted
    assert machine_of(machine(), facts | {"version": "3.12"}).release == ""


def test_newest_glibc_is_no_text_that_sorts_last() -> None:
    assert (newest("2.9", "2.17", ""), newest("", "")) == ("2.17", "")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"bin/tool": library("GLIBC_2.28")},
            "'fast' needs glibc 2.28 (bin/tool), but the Python of this bundle needs no more than 2.17\n"
            '  hint: choose another version of fast, or set manylinux = ["manylinux_2_28"] in [tool.flavor.build]',
        ),
        (
            {"fast.cpython-311-x86_64-linux-gnu.so": library("GLIBC_2.5")},
            "'fast' is for the ABI cpython-311-x86_64-linux-gnu (fast.cpython-311-x86_64-linux-gnu.so); expected "
            "amd64 and cpython-312-x86_64-linux-gnu",
        ),
        (
            {"fast.abi3.so": library("GLIBC_2.5", machine=183)},
            "'fast' is for a processor arm64 (fast.abi3.so); expected amd64 and cpython-312-x86_64-linux-gnu",
        ),
    ],
)
def test_binaries_that_do_not_fit_are_refused(files: dict[str, bytes], message: str) -> None:
    with pytest.raises(FormatError) as error:
        check(files)
    assert str(error.value) == message


def test_stated_policy_replaces_the_floor_of_the_python() -> None:
    check({"tool": library("GLIBC_2.28")}, ["manylinux_2_28"])
    with pytest.raises(FormatError) as error:
        check({"tool": library("GLIBC_2.28")}, ["manylinux2014"])
    assert "but tool.flavor.build.manylinux needs no more than 2.17" in str(error.value)


def test_python_without_known_needs_refuses_no_glibc() -> None:
    check({"tool": library("GLIBC_2.99")}, facts={"abi": "", "glibc": "0.0"})


@pytest.mark.parametrize(
    ("policy", "glibc"),
    [("manylinux_2_28", (2, 28)), ("manylinux2014", (2, 17)), ("manylinux1", (2, 5)), ("musllinux_1_2", None)],
)
def test_glibc_of_policy(policy: str, glibc: tuple[int, int] | None) -> None:
    assert glibc_of(policy) == glibc
