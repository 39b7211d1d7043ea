"""What a bundle of ours holds, as an application: distributions, commands, seal (`packyard verify --deep`)."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from packyard.formats.archive.tarball import read_tar
from packyard.formats.digest import Digest
from packyard.formats.errors import FormatError
from packyard.formats.pspf import Bundle, Contents, Finding, open_slot, read_contents, seal, unpacked
from packyard.formats.pspf.contents import LARGEST_CONTENTS
from packyard.formats.pspf.operations import Operation, read_chain
from packyard.formats.pspf.seal import PLACE_PREFIX
from packyard.formats.python.entrypoint import parse_entry_point, read_entry_point
from packyard.formats.python.record import read_record
from packyard.tasks.kinds.bundle.programfiles import MODULE
from packyard.tasks.kinds.python.wheelparts import missing_part

_RECORD = re.compile(r"(.*site-packages)/[^/]+\.dist-info/RECORD")
_FACTS = re.compile(rf"(.*site-packages)/{MODULE}/program\.json")
_PLACE = rf"\{{workenv\}}/({re.escape(PLACE_PREFIX)}[0-9a-f]+)/"
_STARTED = re.compile(rf'"(?:{_PLACE}|\{{workenv\}}/)([^"]+)"')
_LARGEST_TEXT = 1 << 24  # bytes of one file that is looked into
_CHUNK = 1 << 20


def verify_program(bundle: Bundle) -> list[Finding]:
    """What is wrong with the application in an intact bundle; nothing for a bundle that has no such application."""
    if not bundle.covered:
        return []
    findings = list(_seal_findings(bundle))
    try:
        contents, texts = _read(bundle, lambda path: bool(_RECORD.fullmatch(path) or _FACTS.fullmatch(path)))
        for path, data in texts.items():
            if found := _RECORD.fullmatch(path):
                findings.extend(_record_findings(path, found[1], data, contents))
        for path, data in texts.items():
            if found := _FACTS.fullmatch(path):
                findings.extend(_command_findings(bundle, found[1], data, contents))
        findings.extend(_program_findings(bundle, contents))
    except (FormatError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        findings.append(Finding("content", f"the application cannot be read: {error}"))
    return findings


def _seal_findings(bundle: Bundle) -> Iterator[Finding]:
    metadata = bundle.metadata
    if metadata.coverage is None or not metadata.coverage.sealed:
        return
    place = re.search(_PLACE, metadata.execution.command)
    gone = [slot.path for slot in metadata.slots if slot.lifecycle == "init"]
    try:
        tree = Digest.parse(metadata.coverage.tree)
    except FormatError as error:
        yield Finding("seal", f"it is marked as sealed, but {error}")
        return
    wanted = seal(tree, place=place[1] if place else "", gone=gone)
    if wanted not in metadata.setup_commands[:1]:
        yield Finding("seal", "the first set-up command is not the seal of the signed tree")


def _record_findings(path: str, site: str, data: bytes, contents: Contents) -> Iterator[Finding]:
    for row in read_record(data.decode("utf-8")):
        if not row.hash:
            continue
        at = posixpath.normpath(f"{site}/{row.path}")
        digest = base64.urlsafe_b64encode(bytes.fromhex(contents.get(at, ""))).rstrip(b"=").decode()
        if at not in contents:
            yield Finding("record", f"{path}: {row.path!r} is not in the bundle")
        elif row.hash != f"sha256={digest}":
            yield Finding("record", f"{path}: {row.path!r} is not the file that it lists")


def _command_findings(bundle: Bundle, site: str, data: bytes, contents: Contents) -> Iterator[Finding]:
    facts = json.loads(data)
    entries = {str(name): parse_entry_point(read_entry_point(str(text))) for name, text in facts["commands"].items()}
    if facts["default"] not in entries:
        yield Finding("command", f"the default command {facts['default']!r} is not one of its commands")
    tops = {entry.module.partition(".")[0] for entry in entries.values()}
    starts = tuple(f"{site}/{top}{end}" for top in tops for end in ("/", ".py"))
    _, texts = _read(bundle, lambda path: path.startswith(starts) and path.endswith(".py"))
    for name, entry in entries.items():
        missing = missing_part(entry, partial(_module_text, texts, site), f"{site}/")
        top = entry.module.partition(".")[0]
        if missing == "" and not any(path.startswith(f"{site}/{top}.") for path in contents):
            missing = f"no module {top!r} is in the bundle"  # a compiled one is believed
        if missing:
            yield Finding("command", f"{name}: {missing}")


def _module_text(texts: Mapping[str, bytes], site: str, path: str) -> str | None:
    data = texts.get(f"{site}/{path}")
    return None if data is None else data.decode("utf-8", "replace")


def _program_findings(bundle: Bundle, contents: Contents) -> Iterator[Finding]:
    """The interpreter that the command names has to be there."""
    found = _STARTED.search(bundle.metadata.execution.command)
    if found and found[2] not in contents:
        yield Finding("command", f"{found[2]!r}, which the launcher runs, is not in the bundle")


def _read(bundle: Bundle, wanted: Callable[[str], bool]) -> tuple[dict[str, str], dict[str, bytes]]:
    """The contents of all slots, and the bytes of the wanted files in trees."""
    contents: dict[str, str] = {}
    texts: dict[str, bytes] = {}
    for position, slot in enumerate(bundle.metadata.table):
        chain = read_chain(slot.operations)
        with open_slot(bundle, position) as stored:
            if Operation.TAR not in chain:
                contents.update(read_contents(stored, chain, slot.path))
                continue
            for member in read_tar(unpacked(stored, chain), limit=LARGEST_CONTENTS):
                if member.kind != "file":
                    continue
                keeps = wanted(member.path)
                if keeps and member.size > _LARGEST_TEXT:
                    raise FormatError(f"{member.path!r} has {member.size} bytes, too many for such a file")
                state, data = hashlib.sha256(), bytearray()
                while chunk := member.body.read(_CHUNK):
                    state.update(chunk)
                    if keeps:
                        data += chunk
                contents[member.path] = state.hexdigest()
                if keeps:
                    texts[member.path] = bytes(data)
    return contents, texts
