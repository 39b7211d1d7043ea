"""What a slot unpacks to: its files with their digests, read from the stored bytes without writing anything.

The listing of files is text as `sha256sum` prints it, sorted by path, so a host can make it with its own tools
and compare digests (see `seal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from packyard.formats.archive.gzipped import Reader
from packyard.formats.archive.tarball import read_tar
from packyard.formats.digest import Digest, digest_of, digest_stream
from packyard.formats.errors import FormatError
from packyard.formats.pspf.operations import Chain, Operation, check_portable
from packyard.formats.stream import Stream

Contents = Mapping[str, str]  # path below the work environment -> hexadecimal SHA-256 of the file

LARGEST_CONTENTS: Final = 1 << 36  # bytes that one slot may unpack to: 64 GiB

_CHUNK: Final = 1 << 20


def read_contents(stored: Stream, chain: Chain, target: str, *, limit: int = LARGEST_CONTENTS) -> Contents:
    """The files in a slot's stored bytes; `target` is the path of the one file of a slot that is not a tar.

    FormatError for everything that a launcher refuses or that two readers could read differently: links and devices,
    paths that leave the work environment or appear twice, a corrupt or a second gzip member.
    """
    stream = unpacked(stored, chain, limit=limit)
    if Operation.TAR not in chain:
        return {target: digest_stream(stream).hex}
    # A tar has headers beside the contents, so the limit counts twice: for the stream and for the files.
    return {
        member.path: digest_stream(member.body).hex for member in read_tar(stream, limit=limit) if member.kind == "file"
    }


def unpacked(stored: Stream, chain: Chain, *, limit: int = LARGEST_CONTENTS) -> Stream:
    """The file or the tar in a slot's stored bytes; FormatError for a chain that the launchers cannot undo."""
    check_portable(chain)
    return Reader(stored, limit=limit) if Operation.GZIP in chain else stored


def merged(parts: Iterable[Contents]) -> Contents:
    """The contents of several slots together; FormatError if two of them contain the same file with different
    content."""
    found: dict[str, str] = {}
    for part in parts:
        for path, digest in part.items():
            if found.setdefault(path, digest) != digest:
                raise FormatError(f"{path!r} is in two slots, with different contents")
    return found


def listing(contents: Contents) -> bytes:
    """A line `DIGEST  ./PATH` for each file, sorted by the bytes of the path."""
    lines = sorted((f"./{path}".encode(), digest.encode()) for path, digest in contents.items())
    return b"".join(digest + b"  " + path + b"\n" for path, digest in lines)


def contents_digest(contents: Contents) -> Digest:
    """The digest of the listing, which identifies the contents."""
    return digest_of(listing(contents))
