"""Opening a bundle of any builder: its records, its metadata, and the bytes of its slots.

Nothing here trusts a number in the file: what is allocated is bounded by the file's size and by the limits below.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from packyard.formats.archive.gzipped import decompress
from packyard.formats.errors import FormatError, Problem
from packyard.formats.pspf.layout import (
    DESCRIPTOR_SIZE,
    END_MAGIC,
    START_MAGIC,
    TRAILER_SIZE,
    Index,
    SlotDescriptor,
)
from packyard.formats.pspf.metadata import LARGEST, Metadata, read_metadata
from packyard.formats.pspf.signature import SIGNATURE_SIZE
from packyard.formats.stream import Stream

MOST_SLOTS: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle on disk: its records and metadata. Launcher and slots stay in the file."""

    path: Path
    size: int
    index: Index
    index_bytes: bytes
    descriptors: tuple[SlotDescriptor, ...]
    metadata: Metadata
    metadata_json: bytes
    metadata_stored: bytes

    @property
    def signature(self) -> bytes:
        """The 64 bytes of the Ed25519 signature."""
        return self.index.integrity_signature[:SIGNATURE_SIZE]

    @property
    def covered(self) -> bool:
        """Whether the builder promises that the signed metadata determines every byte of the file."""
        return self.metadata.coverage is not None


def open_bundle(path: Path) -> Bundle:
    """Read the records and the metadata of a bundle; FormatError, with the path, if it is not one."""
    try:
        with path.open("rb") as stream:
            return _open(path, stream)
    except OSError as error:
        raise FormatError(Problem(f"cannot be read: {error.strerror}", place=str(path))) from None
    except FormatError as error:
        raise FormatError(*(Problem(p.message, p.key, str(path), p.hint) for p in error.problems)) from None


def read_bundle(data: bytes) -> Bundle:
    """As `open_bundle`, of bytes; FormatError if they are not a bundle. Functions that read slots do not work on it,
    because its path is empty."""
    return _open(Path(), io.BytesIO(data))


@contextmanager
def open_slot(bundle: Bundle, position: int) -> Iterator[Stream]:
    """The stored bytes of a slot; FormatError if the table has no such slot, or puts it outside the file."""
    if position >= len(bundle.descriptors):
        raise FormatError(f"slot {position} is not in the slot table, which has {len(bundle.descriptors)}")
    descriptor = bundle.descriptors[position]
    if descriptor.offset + descriptor.size > bundle.size:
        raise FormatError(f"slot {position} extends past the end of the file")
    with bundle.path.open("rb") as stream:
        yield Region(stream, descriptor.offset, descriptor.size)


def _open(path: Path, stream: BinaryIO) -> Bundle:
    size = stream.seek(0, 2)
    if size < TRAILER_SIZE:
        raise FormatError(f"is not a bundle: {size} bytes is less than a trailer")
    trailer = _part(stream, size - TRAILER_SIZE, TRAILER_SIZE)
    if not trailer.endswith(END_MAGIC) or not trailer.startswith(START_MAGIC):
        raise FormatError("is not a bundle: its trailer lacks the magic numbers")
    block = trailer[len(START_MAGIC) : -len(END_MAGIC)]
    index = Index.unpack(block)
    body = size - TRAILER_SIZE
    if index.metadata_size > 2 * LARGEST or index.metadata_offset + index.metadata_size > body:
        raise FormatError(_outside("metadata", index.metadata_offset, index.metadata_size, body))
    if index.slot_count > MOST_SLOTS:
        raise FormatError(f"is corrupt: {index.slot_count} slots; expected at most {MOST_SLOTS}")
    table_size = DESCRIPTOR_SIZE * index.slot_count
    if index.slot_table_offset + table_size > body:
        raise FormatError(_outside("slot table", index.slot_table_offset, table_size, body))
    stored = _part(stream, index.metadata_offset, index.metadata_size)
    table = _part(stream, index.slot_table_offset, table_size)
    try:
        json = decompress(stored, limit=LARGEST)
    except FormatError as error:
        raise FormatError(f"is corrupt: metadata: {error}") from None
    return Bundle(
        path=path,
        size=size,
        index=index,
        index_bytes=block,
        descriptors=tuple(
            SlotDescriptor.unpack(table[start : start + DESCRIPTOR_SIZE])
            for start in range(0, table_size, DESCRIPTOR_SIZE)
        ),
        metadata=read_metadata(json),
        metadata_json=json,
        metadata_stored=stored,
    )


def _outside(name: str, offset: int, size: int, body: int) -> str:
    return f"is corrupt: the {name} (offset {offset}, {size} bytes) does not fit in the {body} bytes before the index"


def _part(stream: BinaryIO, offset: int, size: int) -> bytes:
    return Region(stream, offset, size).read(size)


class Region:
    """A part of a file as a stream that ends where the part ends; FormatError if the file ends earlier."""

    def __init__(self, stream: BinaryIO, offset: int, size: int) -> None:
        self._stream = stream
        self._left = size
        stream.seek(offset)

    def read(self, size: int, /) -> bytes:
        wanted = min(size, self._left)
        data = self._stream.read(wanted)
        if len(data) != wanted:
            raise FormatError("shrank while being read")
        self._left -= wanted
        return data
