"""Keys are made here, each by its own format, and thrown away."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from packyard.formats.errors import FormatError
from packyard.formats.privatekey import private_key_in
from packyard.formats.pspf.signature import key_from_seed, private_pem, public_key, public_pem, read_private_key

ED25519, X25519 = ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
EC, RSA = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
PEM = private_pem(key_from_seed("s1"))
LOCKED = serialization.BestAvailableEncryption(b"word")


def written(key, encoding: Encoding, form: PrivateFormat, lock=None) -> bytes:  # type: ignore[no-untyped-def]
    return key.private_bytes(encoding, form, lock or NoEncryption())  # type: ignore[no-any-return]


def armoured(label: str, headers: str, raw: bytes) -> bytes:
    body = base64.encodebytes(raw).decode()
    return f"-----BEGIN {label}-----\n{headers}\n{body}-----END {label}-----\n".encode()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PEM, "PKCS#8"),
        (written(RSA, Encoding.PEM, PrivateFormat.PKCS8), "PKCS#8"),
        (written(EC, Encoding.PEM, PrivateFormat.PKCS8, LOCKED), "PKCS#8, encrypted"),
        (written(RSA, Encoding.PEM, PrivateFormat.TraditionalOpenSSL), "RSA"),
        (written(RSA, Encoding.PEM, PrivateFormat.TraditionalOpenSSL, LOCKED), "RSA"),
        (written(EC, Encoding.PEM, PrivateFormat.TraditionalOpenSSL), "EC"),
        (written(ED25519, Encoding.PEM, PrivateFormat.OpenSSH), "OpenSSH"),
        (armoured("PGP PRIVATE KEY BLOCK", "Version: 2\nComment: of a test\n", bytes(96)), "PGP"),
        (written(ED25519, Encoding.DER, PrivateFormat.PKCS8), "PKCS#8, binary"),
        (written(X25519, Encoding.DER, PrivateFormat.PKCS8), "PKCS#8, binary"),
        (written(ed448.Ed448PrivateKey.generate(), Encoding.DER, PrivateFormat.PKCS8), "PKCS#8, binary"),
        (written(EC, Encoding.DER, PrivateFormat.PKCS8), "PKCS#8, binary"),
        (written(RSA, Encoding.DER, PrivateFormat.PKCS8), "PKCS#8, binary"),
        (b"untrusted comment: a secret key\n" + base64.b64encode(b"EdBK" + bytes(100)) + b"\n", "signify"),
        (b"untrusted comment: a secret key\n" + base64.b64encode(b"EdScB2" + bytes(152)) + b"\n", "minisign"),
        (b"# created: now\nAGE-SECRET-KEY-1" + b"Q" * 58 + b"\n", "age"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", "PuTTY"),
        (b"the certificate\n" + PEM, "PKCS#8"),
        (json.dumps({"type": "account", "private_key": PEM.decode()}).encode(), "PKCS#8"),
        (b"secret:\n" + b"".join(b"    " + line + b"\n" for line in PEM.splitlines()), "PKCS#8"),
        (PEM.replace(b"\n", b"\r\n"), "PKCS#8"),
    ],
)  # fmt: skip
def test_private_key_is_known(data: bytes, kind: str) -> None:
    assert private_key_in(data) == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PRIVATE KEY",
        b'MARK = b"-----BEGIN PRIVATE KEY-----"\n',
        b"A file with the line -----BEGIN PRIVATE KEY-----\nfollowed by what nobody but its owner should ever see\n",
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA...\n-----END PRIVATE KEY-----\n",
        public_pem(public_key(key_from_seed("s1"))),
        RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        ED25519.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        armoured("CERTIFICATE", "", bytes(96)),
        armoured("PGP PUBLIC KEY BLOCK", "", bytes(96)),
        b"untrusted comment: a public key\n" + base64.b64encode(b"Ed" + bytes(40)) + b"\n",
        b"untrusted comment: a signature\n" + base64.b64encode(b"Ed" + bytes(72)) + b"\n",
        b"untrusted comment: nothing",
        b"untrusted comment: not base64\n====\n",
        b"age1" + b"q" * 58,
        bytes(range(256)) * 100,
        b"\x30" + bytes(200),
    ],
)
def test_what_is_no_private_key_is_none(data: bytes) -> None:
    assert private_key_in(data) == ""


@given(width=st.integers(1, 70), before=st.text(max_size=50), end=st.sampled_from(["\n", "\r\n"]))
def test_every_file_that_could_sign_a_bundle_is_known(width: int, before: str, end: str) -> None:
    """However its lines are broken, and whatever stands before it: what is read as a signing key is known as one."""
    first, *body, last = PEM.decode().splitlines()
    digits = "".join(body)
    lines = [digits[at : at + width] for at in range(0, len(digits), width)]
    data = f"{before}\n{end.join([first, *lines, last])}{end}".encode("utf-8", "surrogatepass")
    try:
        read_private_key(data)
    except FormatError:  # nothing that signs: lines of that width, or a text before them, are not taken
        return
    assert private_key_in(data) == "PKCS#8"
