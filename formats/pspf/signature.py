"""Ed25519 as bundles use it (RFC 8032): keys from seeds and PEM files, and the one message they sign.

The signature covers the uncompressed bytes of the metadata JSON and nothing else; that is why those bytes carry
the digests of everything else.

What computes is imported where it is needed: reading manifests does not need its 7 MB.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from packyard.formats.errors import FormatError
from packyard.formats.privatekey import LOOKED_AT, private_key_in

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PrivateKey: TypeAlias = "Ed25519PrivateKey"

SIGNATURE_SIZE: Final = 64
KEY_SIZE: Final = 32

_PRIME: Final = 2**255 - 19
# The y coordinates of the eight points whose order divides 8: with such a key any message can be "signed".
_EIGHTH: Final = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_SMALL_ORDER: Final = frozenset({0, 1, _PRIME - 1, _EIGHTH, _PRIME - _EIGHTH})


def sign(key: PrivateKey, metadata: bytes) -> bytes:
    """The 64 bytes of the signature over the metadata JSON."""
    return key.sign(metadata)


def check_signature(public_key: bytes, signature: bytes, metadata: bytes) -> None:
    """FormatError if the key can never be trusted, or the signature is not of these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    check_public_key(public_key)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, metadata)
    except (InvalidSignature, ValueError):
        raise FormatError("the signature does not match the metadata") from None


def check_public_key(raw: bytes) -> None:
    """Refuse keys of small order and keys that are not in canonical form."""
    y = int.from_bytes(raw, "little") & (1 << 255) - 1
    if len(raw) != KEY_SIZE or y >= _PRIME:
        raise FormatError(f"{raw.hex()} is not an Ed25519 public key")
    if y in _SMALL_ORDER:
        raise FormatError(f"{raw.hex()} is a weak public key (of small order): anyone can sign for it")


def public_key(key: PrivateKey) -> bytes:
    """The 32 raw bytes of the public key."""
    return key.public_key().public_bytes_raw()


def key_from_seed(seed: str) -> PrivateKey:
    """The private key of a seed text: its SHA-256 is the secret, as in all builders of the format."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode("utf-8")).digest())


def new_key() -> PrivateKey:
    """A new key from the system's random source."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def private_pem(key: PrivateKey) -> bytes:
    """PKCS#8 in PEM, not encrypted."""
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(raw: bytes) -> bytes:
    """SubjectPublicKeyInfo in PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(raw).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def read_private_key(pem: bytes) -> PrivateKey:
    """The key in a PKCS#8 PEM text; FormatError, which quotes none of it, if it is anything else.

    Nothing signs that is not known as a private key where files are packed.
    """
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise FormatError("is encrypted; expected a PKCS#8 PEM file without a password") from None
    except (ValueError, UnsupportedAlgorithm, InternalError):  # the last for a curve of another size
        raise FormatError("is not a private key; expected a PKCS#8 PEM file") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise FormatError("is a private key of another type; expected Ed25519")
    if not private_key_in(pem[:LOOKED_AT]):
        raise FormatError("is not a private key; expected a PKCS#8 PEM file")
    return key


def read_public_key(data: bytes) -> bytes:
    """The raw key in a SubjectPublicKeyInfo PEM text, or in 64 hexadecimal digits."""
    text = data.strip()
    if re.fullmatch(rb"[0-9a-fA-F]{64}", text):
        raw = bytes.fromhex(text.decode("ascii"))
    else:
        from cryptography.exceptions import InternalError, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key = serialization.load_pem_public_key(data)
        except (ValueError, UnsupportedAlgorithm, InternalError):
            raise FormatError("is not a public key; expected a PEM file or 64 hexadecimal digits") from None
        if not isinstance(key, Ed25519PublicKey):
            raise FormatError("is a public key of another type; expected Ed25519")
        raw = key.public_bytes_raw()
    check_public_key(raw)
    return raw


def fingerprint(public: bytes) -> str:
    """The name of a key for people and trust stores: the hexadecimal SHA-256 of its raw bytes."""
    return hashlib.sha256(public).hexdigest()
