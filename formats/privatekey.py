"""Private keys, known by their bytes: what must not get into an artifact by mistake.

PEM (RFC 7468; PKCS#8, PKCS#1, SEC 1, OpenSSH, PGP), also where a line of it is indented or quoted as in JSON; the
binary form of PKCS#8 (RFC 5958); the key files of minisign, signify, age and PuTTY. A text that only speaks of keys,
or a public key or certificate, is none.
"""

from __future__ import annotations

import binascii
import re

LOOKED_AT = 1 << 20  # bytes from the start of a file: keys are small, and files may be large

_MARK = b"PRIVATE KEY"
_AGE_MARK = b"AGE-SECRET-KEY-1"
_AGE = re.compile(_AGE_MARK + rb"[A-Z0-9]{58}")
_AGE_WITHIN = 1 << 12  # bytes: comments may come first
# A line's end, as it is or as a text in another text spells it.
_END = rb"(?:\r?\n|\\r|\\n)"
# Behind the first line come headers, perhaps, and 40 digits of base64: no key is shorter, and no sentence goes on so.
_PEM = re.compile(
    rb"-----BEGIN (?P<label>(?:[A-Z0-9]+ )*)PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:\s*[A-Za-z][A-Za-z0-9-]*: [^\n]{1,200}\n)*"
    rb"(?:(?:" + _END + rb"[ \t]*)*[A-Za-z0-9+/]){40}"
)
# version 0 or 1; algorithm RSA, elliptic curve, or one of RFC 8410 (Ed25519 and its kin)
_DER = re.compile(
    rb"\x30(?:[\x20-\x7f]|\x81.|\x82..)\x02\x01[\x00\x01]\x30.{1,2}?\x06"
    rb"(?:\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01|\x07\x2a\x86\x48\xce\x3d\x02\x01|\x03\x2b\x65[\x6e-\x71])",
    re.DOTALL,
)
_LABELS = {b"": "PKCS#8", b"ENCRYPTED ": "PKCS#8, encrypted", b"OPENSSH ": "OpenSSH", b"PGP ": "PGP"}
_SIGNIFY, _MINISIGN = 104, 158  # bytes of a secret key; public keys and signatures have 42 and 74


def private_key_in(data: bytes) -> str:
    """What kind of private key the start of a file holds ('PKCS#8', 'OpenSSH'), '' for none."""
    if _MARK in data and (found := _PEM.search(data)):
        label = found["label"]
        return _LABELS.get(label) or label.decode("ascii").strip()
    if data.startswith(b"untrusted comment:"):
        return _signing(data)
    if data.find(_AGE_MARK, 0, _AGE_WITHIN) >= 0 and _AGE.search(data):
        return "age"
    if data.startswith(b"PuTTY-User-Key-File-"):
        return "PuTTY"
    return "PKCS#8, binary" if data.startswith(b"\x30") and _DER.match(data) else ""


def _signing(data: bytes) -> str:
    """minisign's secret key or signify's: a comment, and a line of base64 that begins with the algorithm."""
    line = data.split(b"\n", 2)[1:2]
    try:
        raw = binascii.a2b_base64(line[0].strip(), strict_mode=True) if line else b""
    except binascii.Error:
        return ""
    if not raw.startswith(b"Ed"):
        return ""
    return {_SIGNIFY: "signify", _MINISIGN: "minisign"}.get(len(raw), "")
