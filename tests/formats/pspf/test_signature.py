from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from packyard.formats.errors import FormatError
from packyard.formats.pspf.signature import (
    check_public_key,
    check_signature,
    fingerprint,
    key_from_seed,
    new_key,
    private_pem,
    public_key,
    public_pem,
    read_private_key,
    read_public_key,
    sign,
)

PRIME = 2**255 - 19


def test_key_of_a_seed_is_the_one_all_builders_make() -> None:
    raw = public_key(key_from_seed("s1")).hex()
    assert raw.startswith("edcf7af5bd190357")
    assert raw.endswith("a9de8743")


def test_signature_matches_its_message_only() -> None:
    key = key_from_seed("s1")
    signature = sign(key, b"message")
    check_signature(public_key(key), signature, b"message")
    with pytest.raises(FormatError, match="the signature does not match the metadata"):
        check_signature(public_key(key), signature, b"Message")
    with pytest.raises(FormatError, match="the signature does not match the metadata"):
        check_signature(public_key(new_key()), signature, b"message")


def small_order_points() -> list[int]:
    """The y coordinates of all points P with 8 P = 0, found from the first points of the curve."""
    d = -121665 * pow(121666, -1, PRIME) % PRIME

    def add(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
        (x1, y1), (x2, y2) = p, q
        k = d * x1 * x2 * y1 * y2
        x3 = (x1 * y2 + x2 * y1) * pow(1 + k, -1, PRIME)
        y3 = (y1 * y2 + x1 * x2) * pow(1 - k, -1, PRIME)
        return x3 % PRIME, y3 % PRIME

    for y in range(2, 200):
        x2 = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
        x = pow(x2, (PRIME + 3) // 8, PRIME)
        if x * x % PRIME != x2:
            x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
        if x * x % PRIME != x2:
            continue
        point = (x, y)
        # Times the prime order of the base point, only the part of small order is left.
        order, result = 2**252 + 27742317777372353535851937790883648493, (0, 1)
        while order:
            if order & 1:
                result = add(result, point)
            point, order = add(point, point), order >> 1
        points = [result]
        while points[-1] != (0, 1):
            points.append(add(points[-1], result))
        if len(points) == 8:
            return [y for _, y in points]
    raise AssertionError("no point of order 8 was found")


def test_public_key_of_small_order_is_refused() -> None:
    points = small_order_points()
    assert len(points) == 8
    for y in points:
        for sign_bit in (0, 1 << 255):
            raw = (y | sign_bit).to_bytes(32, "little")
            with pytest.raises(FormatError, match="is a weak public key"):
                check_public_key(raw)


@pytest.mark.parametrize("raw", [b"", bytes(31), PRIME.to_bytes(32, "little"), b"\xff" * 32])
def test_public_key_that_is_no_point_encoding_is_refused(raw: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        check_public_key(raw)
    assert str(caught.value) == f"{raw.hex()} is not an Ed25519 public key"


def test_key_files_round_trip() -> None:
    key = key_from_seed("s1")
    assert private_pem(key).startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert public_key(read_private_key(private_pem(key))) == public_key(key)
    assert read_public_key(public_pem(public_key(key))) == public_key(key)
    assert read_public_key(public_key(key).hex().encode() + b"\n") == public_key(key)


def test_private_key_of_another_kind_is_refused() -> None:
    other = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    locked = key_from_seed("s1").private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
    )
    for pem, message in (
        (other, "is a private key of another type; expected Ed25519"),
        (locked, "is encrypted; expected a PKCS#8 PEM file without a password"),
        (b"secret", "is not a private key; expected a PKCS#8 PEM file"),
        # X448, with a key of 32 bytes
        (
            private_pem(key_from_seed("s1")).replace(b"K2Vw", b"K2Vv"),
            "is not a private key; expected a PKCS#8 PEM file",
        ),
    ):
        with pytest.raises(FormatError) as caught:
            read_private_key(pem)
        assert str(caught.value) == message


def test_text_that_is_no_public_key_is_refused() -> None:
    with pytest.raises(FormatError) as caught:
        read_public_key(b"ed25519")
    assert str(caught.value) == "is not a public key; expected a PEM file or 64 hexadecimal digits"


def test_fingerprint_is_the_digest_of_the_raw_key() -> None:
    assert fingerprint(public_key(key_from_seed("s1"))) == (
        "123b3456462c7d4e96ec06d57d3f65ecb9a7afa27c188bc50b776827aa3e3619"
    )
