from __future__ import annotations

import gzip

import pytest
from packyard.formats.pspf.stored import stored_member


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 200_000])
def test_stored_member_is_gzip_of_the_same_bytes(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    member = b"".join(stored_member([data[: size // 2], data[size // 2 : size]]))
    assert gzip.decompress(member) == data[:size]


def test_stored_member_has_the_bytes_of_the_page() -> None:
    assert b"".join(stored_member([b"{}"])).hex(" ") == (
        "1f 8b 08 00 00 00 00 00 00 ff 00 02 00 fd ff 7b 7d 01 00 00 ff ff 43 bf a6 a3 02 00 00 00"
    )
