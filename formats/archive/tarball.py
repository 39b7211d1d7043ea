"""Tar archives: a writer that gives one result for one set of files, and a reader that trusts nothing (headers:
ustar.py)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packyard.formats.archive.entry import Entry, arrange, check_path, parents
from packyard.formats.archive.ustar import BLOCK, Header, Kind, read_exactly, read_header, write_header
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.relpath import check_collisions
from packyard.formats.stream import Sink, Stream

END = bytes(2 * BLOCK)  # two zero blocks close an archive
_CHUNK = 1 << 20


def write_tar(entries: Iterable[Entry], out: Sink, *, epoch: int = 0, end: bool = True) -> None:
    """Write `entries` as a tar: sorted by path bytes, no owners, 0755 or 0644, every time `epoch` (seconds).

    No folder entries: every reader makes the parents. Without `end` the closing zero blocks are left out,
    so that another tar can follow. FormatError as `arrange`, or when a file changes while it is read.
    """
    for entry in arrange(entries):
        with entry.open() as (size, content):
            out.write(write_header(entry.path, mode=entry.mode, size=size, epoch=epoch))
            copied = 0
            while chunk := content.read(_CHUNK):
                copied += len(chunk)
                out.write(chunk)
            if copied != size:
                raise FormatError(Problem("changed while being read", place=str(entry.content)))
            out.write(bytes(-size % BLOCK))
    if end:
        out.write(END)


class Body:
    """The content of one member, to be read before the next member is asked for."""

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes, or all that is left."""
        wanted = self._left if size < 0 else min(size, self._left)
        self._left -= wanted
        return read_exactly(self._stream, wanted)

    def skip(self) -> None:
        """Read past what is left."""
        while self.read(_CHUNK):
            pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member as it was read. `target` is where a link points, as a path from the archive's root."""

    path: str
    kind: Kind
    executable: bool
    size: int
    body: Body
    target: str = ""


def read_tar(stream: Stream, *, limit: int, links: bool = False) -> Iterator[Member]:
    """The members of a tar in their order, each refused unless it is safe to write below an empty folder.

    Regular files and folders; with `links` also links whose target stays inside. Paths must be canonical (a leading
    `./` and a folder's final `/` are removed) and none may appear twice or collide when case is ignored. `limit` is how
    many bytes all contents together may have. Reads `stream` to its end, where nothing but zeros may follow the
    archive. FormatError names the member.

    What was yielded before an error may be hostile too: write into a fresh folder, and keep it only at the end.
    """
    seen: dict[str, Kind] = {}
    folders: dict[str, None] = {}  # also those that only appear in longer paths
    left = limit
    while (block := stream.read(BLOCK)) != bytes(BLOCK):
        if not block and seen:
            break  # no closing blocks: a truncated download looks like this too, but gzip's trailer reveals it
        member = _member(stream, read_header(stream, block))
        with inside(member.path):
            _check_member(member, seen, folders, links=links)
            left -= member.size
            if left < 0:
                raise FormatError(f"the archive unpacks to more than {limit} bytes")
        if member.path:  # the root folder itself means nothing
            seen[member.path] = member.kind
            folders.update(dict.fromkeys(parents(member.path)))
            yield member
        member.body.skip()
        if read_exactly(stream, -member.size % BLOCK).strip(b"\0"):
            raise FormatError(f"{member.path!r} is not padded with zeros")
    while rest := stream.read(_CHUNK):
        if rest.strip(b"\0"):
            raise FormatError("the archive has data after its end")
    check_collisions([*folders, *seen])


def _member(stream: Stream, header: Header) -> Member:
    target = _target(header) if header.kind in ("link", "hardlink") else ""
    body = Body(stream, header.size)
    return Member(
        path=header.path, kind=header.kind, executable=header.executable, size=header.size, body=body, target=target
    )


def _target(header: Header) -> str:
    """Where a link leads, from the root; FormatError if that is outside."""
    path, text = header.path, header.link
    if not text or text.startswith("/"):
        raise FormatError(f"{path!r} is a link to {text!r}; expected a target inside")
    parts = path.split("/")[:-1] if header.kind == "link" else []
    for part in text.split("/"):
        if part == "..":
            if not parts:
                raise FormatError(f"{path!r} is a link to {text!r}; expected a target inside")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _check_member(member: Member, seen: Mapping[str, Kind], folders: Collection[str], *, links: bool) -> None:
    if member.path:
        check_path(member.path)
    elif member.kind != "folder":
        raise FormatError("a member has no name")
    if member.kind in ("link", "hardlink"):
        if not links:
            raise FormatError(f"is a link to {member.target!r}; expected only files and folders")
        if member.target:
            check_path(member.target)
    known = seen.get(member.path)
    if known is not None and not (known == member.kind == "folder"):
        raise FormatError("appears twice in the archive")
    if member.kind != "folder" and member.path in folders:
        raise FormatError("is both a file and a folder")
    for parent in parents(member.path):
        if seen.get(parent, "folder") != "folder":
            raise FormatError(f"is below {parent!r}, which is not a folder")
