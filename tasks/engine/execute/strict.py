"""The strict sandbox: an action in a process of its own that sees its declared inputs and the system, nothing else.

Bubblewrap gives it a file system that holds /usr, /bin, /lib and /etc, this Python, Packyard, the toolchain trees that
the target uses, and the paths that its parameters name, all read-only, and its own room. An action that does not
declare `network` has none. A read that was not declared finds no file; a write ends with the sandbox.
"""

from __future__ import annotations

import json
import os
import shutil
import site
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packyard.tasks.engine.execute.executor import Action, Inputs
from packyard.tasks.engine.execute.local import run_here
from packyard.tasks.engine.store.store import Result, Store
from packyard.tasks.errors import ActionError
from packyard.tasks.host import network, own, process
from packyard.tasks.target.room import Room

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc")
_FILE, _ANSWER = "action.json", "answer.json"


@dataclass(frozen=True, slots=True)
class Strict:
    """Actions of the workspace at `root`, each alone in a sandbox of bubblewrap."""

    root: Path
    store: Store
    reuses: bool = True

    def run(self, action: Action, inputs: Inputs) -> Result:
        """As Executor.run."""
        return run_here(action, inputs, self.root, self.store, invoke_strictly)


def invoke_strictly(run: str, room: Room[Any], *, path: Sequence[Path] = ()) -> None:
    """Call the function 'module:name' in `room`, alone in a sandbox; `path` are more folders to import from."""
    invoke_alone(run, room, _sandbox(room, path), path=path)


def invoke_alone(run: str, room: Room[Any], prefix: Sequence[str], *, path: Sequence[Path] = ()) -> None:
    """Call the function in a process of its own, whose command line begins with `prefix`. It also gets the variables
    that `room.local` names. ActionError as the action raises it."""
    place = room.inputs.parent
    answer = place / _ANSWER
    paths = {name: os.fspath(getattr(room, name)) for name in ("inputs", "outputs", "scratch", "home", "log")}
    trees = {name: os.fspath(tree) for name, tree in room.trees.items()}
    told = {"params": room.params, "local": room.local, "network": room.network}
    described = {**told, **paths, "trees": trees, "downloads": os.fspath(room.downloads) if room.downloads else ""}
    text = json.dumps({"run": run, "room": described, "answer": os.fspath(answer)})
    (place / _FILE).write_text(text, encoding="utf-8")
    python = [sys.executable, "-P", "-m", "packyard.tasks.engine.execute.action", os.fspath(place / _FILE)]
    named = {name: os.environ[name] for name in _texts(room.local) if name in os.environ}
    environment = {**room.environment(), **named}
    if room.network and room.downloads:
        room.downloads.mkdir(parents=True, exist_ok=True)
    if path:
        environment["PYTHONPATH"] = os.pathsep.join(map(os.fspath, path))
    try:
        process.run([*prefix, *python], cwd=place, env=environment, log=room.log, shown=False)
    except ActionError as error:
        try:
            said = json.loads(answer.read_bytes())
        except (OSError, ValueError):
            raise error from None  # it did not end by itself
        raise ActionError(**said) from None
    finally:
        answer.unlink(missing_ok=True)
        (place / _FILE).unlink(missing_ok=True)


@cache
def bubblewrap() -> str:
    """The program; ActionError when it is not here, or may not do its work."""
    program = shutil.which("bwrap")
    if program is None:
        raise ActionError("--sandbox=strict needs bubblewrap, which is not installed", hint="install 'bubblewrap'")
    try:
        process.capture([program, *_namespaces(network=False), "--ro-bind", "/", "/", "true"])
    except ActionError as error:
        raise ActionError(
            "--sandbox=strict: bubblewrap is not allowed to make sandboxes here", detail=error.detail
        ) from None
    return program


def _sandbox(room: Room[Any], path: Sequence[Path]) -> list[str]:
    argv = [bubblewrap(), *_namespaces(network=room.network), "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    if room.network:
        argv += ["--ro-bind-try", "/run", "/run"]  # where name servers are found
    for folder in (*SYSTEM, *sorted(readable(room, path))):
        argv += ["--ro-bind-try", os.fspath(folder), os.fspath(folder)]
    for folder in (*kept(room), os.fspath(room.inputs.parent), os.fspath(room.log)):
        argv += ["--bind", folder, folder]
    return [*argv, "--chdir", os.fspath(room.inputs.parent), "--"]


def _namespaces(*, network: bool) -> list[str]:
    argv = ["--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "packyard"]
    return argv if network else [*argv, "--unshare-net"]


def readable(room: Room[Any], path: Sequence[Path]) -> Iterator[str]:
    """What an action may read beside the system: Python, Packyard, its trees, and what its parameters name."""
    folders = [Path(sys.prefix), Path(sys.base_prefix), *own.FOLDERS, *path, *room.trees.values()]
    if room.network:
        folders += map(Path, network.files())
    if site.ENABLE_USER_SITE:
        folders.append(Path(site.getusersitepackages()))
    for text in _texts([room.params, room.local]):
        if text.startswith("/") and os.path.exists(text):
            folders += _installation(Path(text))
    for folder in {os.fspath(folder) for folder in folders}:
        if folder != "/" and not any(folder == known or folder.startswith(f"{known}/") for known in SYSTEM):
            yield folder


def _installation(named: Path) -> Iterator[Path]:
    """A file or folder; for the program of an installation (it has bin/ and lib/), all of that."""
    for path in {named, named.resolve()}:
        above = path.parent.parent
        yield above if path.is_file() and path.parent.name == "bin" and (above / "lib").is_dir() else path


def kept(room: Room[Any]) -> Iterator[str]:
    """The download caches that an action with a network may keep."""
    if room.network:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        for folder in (Path(os.environ.get("UV_CACHE_DIR") or base / "uv"), room.downloads):
            if folder and folder.is_dir():
                yield os.fspath(folder)


def _texts(value: Any) -> Iterator[str]:
    """Every text in parameters."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
