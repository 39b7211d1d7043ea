from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.pspf.operations import chain_name, check_portable, pack_chain, read_chain, unpack_chain


@pytest.mark.parametrize(
    ("text", "packed", "name"),
    [
        ("raw", 0x0, "raw"),
        ("none", 0x0, "raw"),
        ("", 0x0, "raw"),
        ("tar", 0x01, "tar"),
        ("gzip", 0x10, "gzip"),
        ("tgz", 0x1001, "tgz"),
        ("tar.gz", 0x1001, "tgz"),
        ("tar.bz2", 0x1301, "tar.bz2"),
        ("txz", 0x1601, "tar.xz"),
        ("zstd", 0x1B, "zstd"),
    ],
)
def test_chain_of_a_name_packs_and_unpacks(text: str, packed: int, name: str) -> None:
    chain = read_chain(text)
    assert pack_chain(chain) == packed
    assert unpack_chain(packed) == chain
    assert chain_name(chain) == name


def test_unnamed_chain_is_spelled_by_its_operations() -> None:
    assert chain_name(unpack_chain(0x1010)) == "gzip|gzip"


@pytest.mark.parametrize("packed", [0x02, 0x100001, 0x10_0000_0000_0000_02])
def test_unknown_operation_is_refused(packed: int) -> None:
    with pytest.raises(FormatError) as caught:
        unpack_chain(packed)
    assert str(caught.value) == (
        f"{packed:#x} is not an operation chain; expected tar 0x1, gzip 0x10, or tar then gzip 0x1001"
    )


def test_unknown_name_is_refused() -> None:
    with pytest.raises(FormatError) as caught:
        read_chain("rar")
    assert str(caught.value) == "'rar' is not an operation; expected raw, tar, gzip or tgz"


@pytest.mark.parametrize("name", ["raw", "tar", "gzip", "tgz"])
def test_portable_chain_is_taken(name: str) -> None:
    check_portable(read_chain(name))


@pytest.mark.parametrize("packed", [0x13, 0x1601, 0x0110, 0x100101])
def test_chain_that_the_launchers_cannot_undo_is_refused(packed: int) -> None:
    with pytest.raises(FormatError, match="cannot be unpacked by the launchers; use raw, tar, gzip or tgz"):
        check_portable(unpack_chain(packed))
