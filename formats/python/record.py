"""RECORD: the files of an installed distribution (PyPA "Recording installed projects", PEP 376, PEP 627)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from packyard.formats.errors import FormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One file: `path` relative to site-packages, `hash` as 'sha256=...' or '', `size` in bytes or None."""

    path: str
    hash: str = ""
    size: int | None = None


def read_record(text: str) -> list[Recorded]:
    """The lines of a RECORD; FormatError if one is malformed."""
    rows: list[Recorded] = []
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in lines:
            path, digest, size = row
            if not re.fullmatch(r"\d{0,20}", size, re.ASCII):
                raise ValueError(size)
            rows.append(Recorded(path=path, hash=digest, size=int(size) if size else None))
    except (csv.Error, ValueError):
        raise FormatError(f"line {lines.line_num} of RECORD is not 'path,hash,size'") from None
    return rows


def write_record(rows: Iterable[Recorded], *, at: str) -> bytes:
    """The RECORD that is at `at` (a path relative to site-packages) and lists `rows` and itself.

    Sorted by path bytes, so that one set of files has one RECORD.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in sorted([*rows, Recorded(path=at)], key=lambda row: row.path.encode()):
        writer.writerow([row.path, row.hash, "" if row.size is None else row.size])
    return out.getvalue().encode()


def recorded(path: str, data: bytes) -> Recorded:
    """The row of a file whose content is `data`."""
    return Recorded(path=path, hash=hash_of(hashlib.sha256(data).hexdigest()), size=len(data))


def hash_of(sha256: str) -> str:
    """A hexadecimal SHA-256 as RECORD writes it: URL-safe base64 without padding."""
    return "sha256=" + base64.urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=").decode()
