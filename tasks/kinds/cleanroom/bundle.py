"""Trying a bundle where there is nothing else: each of its commands is started, by each launcher there is.

Where bubblewrap may make sandboxes, the started program sees the system, an empty home and the bundle; elsewhere the
machine's other files can be seen as well, and the log says so.
"""

from __future__ import annotations

import re
import shlex
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from packyard.formats.errors import FormatError
from packyard.formats.pspf import (
    Launcher,
    Verdict,
    judge,
    key_from_seed,
    open_bundle,
    verify,
    verify_contents,
    write_bundle,
)
from packyard.formats.units import duration_text
from packyard.formats.workspace.cleanroom import Check
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.cleanroom.mojo import ending_of, said
from packyard.tasks.target.room import Room

_PATIENCE = 60  # seconds for a first start, in which everything is unpacked
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc")
_MISSING = re.compile(r"^ModuleNotFoundError: No module named '([^']+)'", re.MULTILINE)
_SEED = "clean room"  # of the key for bundles that are thrown away


def check_bundle(path: Path) -> Check:
    """Whether a bundle is as it was signed, down to what its slots unpack to."""
    what = f"{path.name} is as signed"
    try:
        bundle = open_bundle(path)
        findings = [*verify(bundle), *verify_contents(bundle)]
    except FormatError as error:
        return Check(what=what, cause="corrupt file", detail=str(error))
    if judge(bundle, findings) is Verdict.DAMAGED:
        return Check(what=what, cause="corrupt file", detail="\n".join(map(str, findings)))
    return Check(what=what)


def check_starts(
    room: Room[object], path: Path, launchers: Mapping[str, Path], commands: Mapping[str, Sequence[str]]
) -> Iterator[Check]:
    """Start every command (name -> words after it) with the bundle's own launcher, and with each of `launchers`, which
    gets the same slots."""
    hiding = _hiding(room)
    own = open_bundle(path).metadata.launcher.tool
    for number, language in enumerate((own, *sorted({*launchers} - {own}))):
        folder = room.scratch / f"launcher-{number}"  # not by its name, which is whatever the bundle says
        folder.mkdir()
        file = folder / path.name
        if language == own:
            shutil.copy(path, file)
        else:
            _put_behind(launchers[language], language, path, file, folder)
        yield from (_start(room, hiding, file, language, name, words) for name, words in commands.items())
        shutil.rmtree(folder)


def _start(
    room: Room[object], hiding: Sequence[str], file: Path, language: str, name: str, words: Sequence[str]
) -> Check:
    """Whether a command ends well, or serves on the port that it was given."""
    home, temporary, port = file.parent / "home", file.parent / "tmp", _free_port()
    for folder in (home, temporary):
        folder.mkdir(exist_ok=True)
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "FLAVOR_LOG_LEVEL": "error",
        "PORT": str(port),
    }
    bound = ["--bind", str(file.parent), str(file.parent), "--"] if hiding else []
    argv = [*hiding, *bound, str(file), "--packyard-run", name, *words]
    output = said(room, argv, cwd=home, env=env, timeout=_PATIENCE, until=lambda: _listens(port))
    what = f"{shlex.join([name, *words])} starts with the {language} launcher"
    if not output:
        return Check(what=what)
    text, _, ending = output.rstrip().rpartition("\n")
    if "was stopped after" in ending:
        cause = f"it neither exited nor listened on $PORT within {duration_text(_PATIENCE)}"
    elif missing := _MISSING.findall(text):
        cause = f"missing dependency {missing[-1]!r}: no module in the bundle has that name"
    else:
        cause = ending_of(output)
    return Check(what=what, cause=cause, detail=text)


def _put_behind(launcher: Path, language: str, path: Path, out: Path, scratch: Path) -> None:
    """Write the bundle anew with another launcher, signed with a key that nobody trusts."""
    bundle = open_bundle(path)
    slots = []
    with path.open("rb") as stream:
        for position, descriptor in enumerate(bundle.descriptors):
            stream.seek(descriptor.offset)
            slot = scratch / f"slot-{position}"
            slot.write_bytes(stream.read(descriptor.size))
            slots.append(slot)
    metadata = replace(
        bundle.metadata, launcher=Launcher(tool=language, tool_version=bundle.metadata.launcher.tool_version)
    )
    try:
        write_bundle(out, launcher=launcher, metadata=metadata, slots=slots, key=key_from_seed(_SEED))
    except FormatError as error:
        raise ActionError(f"the bundle cannot be put behind the {language} launcher: {error}") from None
    for slot in slots:
        slot.unlink()


def _hiding(room: Room[object]) -> list[str]:
    """The words before a command that hide everything but the system; none where that is not possible."""
    program = shutil.which("bwrap")
    words = ["bwrap", "--die-with-parent", "--unshare-pid", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for folder in _SYSTEM:
        words += ["--ro-bind-try", folder, folder]
    if program is not None:
        words[0] = program
        try:
            room.run([*words, "--", "true"])
        except ActionError:
            program = None
    if program is None:
        room.say(
            "bubblewrap cannot hide the rest of this machine: anything missing from the bundle may have been "
            "found there"
        )
        return []
    return words


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    """A port for a command that serves; nobody else asks for it in this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
