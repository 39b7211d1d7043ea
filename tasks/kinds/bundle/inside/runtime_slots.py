"""Where a running program finds the slots of its bundle; travels in every bundle beside `packyard_runtime`.

Only the standard library of any Python that a bundle may carry, and nothing of Packyard. What a slot's lifecycle
promises is kept here, because launchers unpack everything and keep it for good:

- runtime, platform: in the work environment;
- persistent: copied to the user's folder once, and theirs from then on;
- temporary: a copy for each process, removed when it ends, however it ends;
- lazy: in the bundle file until it is asked for;
- init: gone before the program starts.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any, BinaryIO

# What only some lifecycles need is imported by them: every program waits for this module.

_HERE = Path(__file__).resolve().parent
_CHUNK = 1 << 20
_STAMP = ".packyard-bundle"  # in the work environment: which bundle was unpacked there
_TRAILER = 8196  # from the start of the index to the end of the file
_DESCRIPTOR = 64

# Waits until whoever holds the other end of its input is gone, then removes the folder. Nobody waits for it.
_WATCHER = 'exec 3<&0; (trap "" HUP INT TERM; cat <&3; rm -rf -- "$1") >/dev/null 2>&1 &'

_copies: dict[str, Path] = {}  # temporary slots of this process
_held: list[int] = []  # the ends of pipes that tell the watcher that this process lives


def slot(name: str) -> Path:
    """The folder or file of the slot `name`.

    KeyError for a slot that this bundle does not have, RuntimeError when a lazy one cannot be read from the bundle
    file, OSError when it cannot be copied to where it belongs.
    """
    slots = facts()["slots"]
    if name not in slots:
        raise KeyError("no slot {!r} in this bundle; there are: {}".format(name, ", ".join(sorted(slots)) or "none"))
    spec = slots[name]
    lifecycle = spec["lifecycle"]
    if lifecycle == "init":
        raise KeyError(f"the slot {name!r} is of lifecycle 'init': it is gone before the program starts")
    if lifecycle == "persistent":
        return _kept(spec)
    if lifecycle == "temporary":
        return _copied(name, spec)
    if lifecycle == "lazy":
        return _asked(name, spec)
    return root().joinpath(*spec["path"].split("/"))


def announce() -> None:
    """At a program's start: set PACKYARD_SLOT_NAME for each slot that has a place now, and PACKYARD_BUNDLE.

    A lazy slot gets its variable when it is asked for. One that cannot be copied gets none, and `slot` says why.
    """
    _copies.clear()
    if bundle := _started_file():
        os.environ["PACKYARD_BUNDLE"] = bundle
    for name, spec in facts()["slots"].items():
        os.environ.pop(_variable(name), None)  # of another bundle, that started this one
        if spec["lifecycle"] not in ("init", "lazy"):
            try:
                os.environ[_variable(name)] = str(slot(name))
            except OSError:
                continue


def facts() -> dict[str, Any]:
    """What the build knew of the program: name, version, default, commands, slots, root."""
    found: dict[str, Any] = json.loads((_HERE / "program.json").read_text(encoding="utf-8"))
    return found


def root() -> Path:
    """The Python prefix that the slots were laid over."""
    return _HERE.joinpath(facts()["root"]).resolve()


def _variable(name: str) -> str:
    return "PACKYARD_SLOT_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


# persistent ----------------------------------------------------------------------------------------------------


def _kept(spec: dict[str, str]) -> Path:
    place = _user_folder(spec["purpose"] == "config").joinpath(facts()["name"], *spec["path"].split("/"))
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        _copy_once(root().joinpath(*spec["path"].split("/")), place)
    return place


def _user_folder(config: bool) -> Path:
    """Where the system wants a user's settings or data."""
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA" if config else "LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    given = os.environ.get("XDG_CONFIG_HOME" if config else "XDG_DATA_HOME", "")
    return Path(given) if os.path.isabs(given) else home / (".config" if config else ".local/share")


def _copy_once(source: Path, place: Path) -> None:
    """Copy a file or folder whole, unless somebody else was faster: then theirs stays."""
    import shutil
    import tempfile

    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        _copy(source, aside / place.name)
        _move(aside / place.name, place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _copy(source: Path, place: Path) -> None:
    import shutil

    if source.is_dir():
        shutil.copytree(source, place)
    else:
        shutil.copy(source, place)


def _move(source: Path, place: Path) -> None:
    """Give `source` its name, unless that is taken."""
    try:
        if source.is_dir() or sys.platform == "win32":
            source.rename(place)  # onto a folder that holds something, this fails
        else:
            os.link(source, place)
    except OSError:
        if not place.exists():
            source.rename(place)  # a file system without hard links


# temporary -----------------------------------------------------------------------------------------------------


def _copied(name: str, spec: dict[str, str]) -> Path:
    if name in _copies:
        return _copies[name]
    inherited = os.environ.get(_variable(name))
    if inherited:  # a Python that the program started: it shares the program's copy
        return Path(inherited)
    import tempfile

    folder = tempfile.mkdtemp(prefix="{}-{}-".format(facts()["name"], name))
    _remove_at_end(folder)
    place = Path(folder) / spec["path"].rpartition("/")[2]
    _copy(root().joinpath(*spec["path"].split("/")), place)
    _copies[name] = place
    return place


def _remove_at_end(folder: str) -> None:
    """Remove the folder when this process ends: at once when it ends by itself, and by a watcher when it is killed."""
    import atexit
    import shutil
    import subprocess

    process = os.getpid()

    def remove() -> None:
        if os.getpid() == process:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    if os.name != "posix":
        return
    reading, writing = os.pipe()
    _held.append(writing)
    quiet = subprocess.DEVNULL
    try:
        subprocess.run(
            ["/bin/sh", "-c", _WATCHER, "sh", folder], stdin=reading, stdout=quiet, stderr=quiet,
            cwd="/", env={"PATH": "/usr/bin:/bin"}, start_new_session=True, check=False,
        )  # fmt: skip
    finally:
        os.close(reading)


# lazy ----------------------------------------------------------------------------------------------------------


def _asked(name: str, spec: dict[str, str]) -> Path:
    import struct
    import tarfile

    place = root().joinpath(*spec["path"].split("/"))
    if not place.exists():
        bundle = os.environ.get("PACKYARD_BUNDLE", "")
        try:
            with open(bundle, "rb") as stream:
                _unpack(name, _metadata(stream), stream, place)
        except OSError as error:
            raise RuntimeError(f"slot {name!r}: it is in the bundle file {bundle!r}: {error.strerror}") from error
        except (ValueError, KeyError, struct.error, tarfile.TarError, EOFError) as error:
            raise RuntimeError(
                f"slot {name!r}: the bundle file {bundle!r} is not the one that was started: {error}"
            ) from error
    os.environ[_variable(name)] = str(place)
    return place


def _started_file() -> str:
    """The full path of the bundle's file: one launcher tells it, the other what was typed."""
    typed = os.environ.get("FLAVOR_ORIGINAL_COMMAND", "")
    if typed and not os.path.dirname(typed):
        import shutil

        typed = shutil.which(typed) or ""
    return os.path.abspath(typed) if typed else os.environ.get("PACKYARD_BUNDLE", "")


def _metadata(stream: BinaryIO) -> dict[str, Any]:
    """The signed metadata in the file, shown to be those that the launcher verified when it unpacked: their digest
    is in the stamp. ValueError otherwise."""
    import gzip
    import hashlib
    import struct

    stream.seek(-_TRAILER, os.SEEK_END)
    index = stream.read(_TRAILER)
    offset, size, _ = struct.unpack_from("<3Q", index, 24)
    stream.seek(offset)
    values: dict[str, Any] = json.loads(gzip.decompress(stream.read(size)))
    rest = {**values, "setup_commands": values["setup_commands"][:-1]}
    del rest["cache_validation"]
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    stamps = [folder / _STAMP for folder in (root(), root().parent) if (folder / _STAMP).is_file()]
    if not stamps or stamps[0].read_text().strip() != hashlib.sha256(text.encode("ascii")).hexdigest():
        raise ValueError("its metadata differs")
    values["table"] = struct.unpack_from("<Q", index, 40)[0]
    return values


def _unpack(name: str, metadata: dict[str, Any], stream: BinaryIO, place: Path) -> None:
    """Put the slot at `place`, whole or not at all; ValueError when its bytes are not the signed bytes."""
    import gzip
    import shutil
    import struct
    import tempfile

    (entry,) = [entry for entry in metadata["packyard"]["lazy"] if entry["id"] == name]
    stream.seek(metadata["table"] + _DESCRIPTOR * entry["slot"])
    offset, size = struct.unpack_from("<2Q", stream.read(_DESCRIPTOR), 16)
    if size != entry["size"]:
        raise ValueError("its slot table has another size")
    stream.seek(offset)
    stored = _Stored(stream, size)
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".packyard-lazy-", dir=root()))
    try:
        whole = aside / "slot"
        if entry["operations"] in ("tar", "tgz"):
            _unpack_tar(stored, entry["operations"] == "tgz", whole)
            whole = whole.joinpath(*facts()["slots"][name]["path"].split("/"))
        else:
            with whole.open("wb") as out:
                content: Any = stored
                if entry["operations"] == "gzip":
                    content = gzip.GzipFile(fileobj=content, mode="rb")
                shutil.copyfileobj(content, out, _CHUNK)
            whole.chmod(int(entry["permissions"], 8))
        if "sha256:" + stored.digest() != entry["checksum"]:
            raise ValueError("its bytes are not the signed bytes")
        _move(whole, place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _unpack_tar(stored: _Stored, packed: bool, folder: Path) -> None:
    import shutil
    import tarfile

    with tarfile.open(fileobj=stored, mode="r|gz" if packed else "r|") as archive:  # type: ignore[call-overload]
        for member in archive:
            parts = member.name.split("/")
            if os.path.isabs(member.name) or ".." in parts or not (member.isfile() or member.isdir()):
                raise ValueError(f"it holds {member.name!r}")
            place = folder.joinpath(*parts)
            if member.isdir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(member)
            assert content is not None
            with place.open("xb") as out:
                shutil.copyfileobj(content, out, _CHUNK)
            place.chmod(member.mode & 0o777)


class _Stored:
    """The stored bytes of a slot as a stream that digests what is read."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size
        import hashlib

        self._state = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        self._state.update(data)
        return data

    def digest(self) -> str:
        """Of everything, read or not."""
        while self.read(_CHUNK):
            pass
        return self._state.hexdigest()
