from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from packyard.formats.digest import Digest, digest_file, digest_of, digest_stream, read_sha256
from packyard.formats.errors import FormatError

HEX = hashlib.sha256(b"x").hexdigest()


def test_digest_is_read_back_with_and_without_its_algorithm() -> None:
    digest = digest_of(b"x")
    assert (str(digest), digest.raw) == (f"sha256:{HEX}", hashlib.sha256(b"x").digest())
    assert Digest.parse(str(digest)) == Digest.parse(HEX) == digest_stream(io.BytesIO(b"x")) == digest


def test_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * (3 << 20))
    assert digest_file(tmp_path / "file") == digest_of(b"x" * (3 << 20))
    with pytest.raises(FileNotFoundError):
        digest_file(tmp_path / "none")


def test_digest_can_be_read_as_its_digits() -> None:
    assert read_sha256(f"sha256:{HEX}") == read_sha256(HEX) == HEX


@pytest.mark.parametrize("text", ["", HEX[:-1], HEX.upper(), f"md5:{HEX}", f"sha256:sha256:{HEX}", f"{HEX}\n"])
def test_digest_wrong_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as error:
        Digest.parse(text)
    assert str(error.value) == f"{text!r} is not a digest; expected sha256: and 64 hexadecimal digits"
