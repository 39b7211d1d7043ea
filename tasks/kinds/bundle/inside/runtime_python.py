"""Which Python of a machine runs a bundle that carries none; travels in such bundles beside `packyard_runtime`.

`start.sh` lets each candidate ask `adopt` whether it fits. The first that does is made the base of a virtual
environment, whose prefix is the bundle's content: programs see it as `sys.executable`, and nothing of what else is
installed for it. It stays until it is gone or is another one; each start looks.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
_START = os.path.join(_HERE, "start.sh")
_NAMES = {"cpython": "CPython", "pypy": "PyPy"}
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # one name for each processor


def adopt() -> int:
    """Make the Python that runs this the one that the bundle starts with; 1, having said why, when it does not fit."""
    asked, prefix = _asked()
    said = misfit(asked)
    if not said:
        try:
            _link(asked, prefix)
        except OSError as error:
            said = f"one that fits, but {error.filename!r} cannot be written: {error.strerror}"
    sys.stdout.write(said)
    return 1 if said else 0


def misfit(asked: dict[str, str]) -> str:
    """What the Python that runs this is, in words, when it does not fit; '' when it does."""
    name, version = sys.implementation.name, sys.version_info[:2]
    found = f"{_NAMES.get(name, name)} {_release()}"
    if name != "cpython" or version < _version(asked["python"]):
        return found
    if asked["newest"] and version > _version(asked["newest"]):
        return found
    if asked["abi"] and f".{asked['abi']}.so" not in EXTENSION_SUFFIXES:
        return f"{found}, which does not load extension modules for {asked['abi']}"
    machine = os.uname().machine.lower()
    if asked["machine"] and sys.maxsize < 1 << 32:
        return f"{found} of 32 bits"
    if asked["machine"] and _MACHINES.get(machine, machine) != asked["machine"]:
        return f"{found} for {machine}"
    libc, release = _libc()
    if asked["glibc"] and (libc != "glibc" or _version(release) < _version(asked["glibc"])):
        return f"{found} with {f'{libc} {release}' if libc else 'another libc than glibc'}"
    return ""


def start() -> Any:
    """Run the program with the Python that was adopted; look for another when it does not fit any more."""
    asked, prefix = _asked()
    if misfit(asked) or not os.path.isdir(os.path.join(prefix, "lib", _folder())):
        os.unlink(os.path.join(prefix, "bin", "python3"))
        os.execv("/bin/sh", ["/bin/sh", _START, *sys.argv[1:]])
    # Neither the folder of this file nor the current one is looked into for modules.
    sys.path[:] = [path for path in sys.path if path not in ("", _HERE)]
    from packyard_runtime import run  # type: ignore[import-not-found]

    return run()


def _asked() -> tuple[dict[str, str], str]:
    with open(os.path.join(_HERE, "program.json"), encoding="utf-8") as stream:
        program = json.load(stream)
    return program["asked"], os.path.abspath(os.path.join(_HERE, program["root"]))


def _link(asked: dict[str, str], prefix: str) -> None:
    """Lay a virtual environment of this Python over the content; whichever start is first decides."""
    import fcntl

    base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    program = os.path.join(prefix, "bin", "python3")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    with open(os.path.join(prefix, ".python"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.access(program, os.X_OK):
            return
        modules = os.path.join(prefix, "lib", _folder())
        if not os.path.isdir(modules):
            os.symlink(f"python{asked['python']}", modules)
        aside = os.path.join(prefix, f".python.{os.getpid()}")
        with open(aside, "w", encoding="utf-8") as out:
            out.write(f"home = {os.path.dirname(base)}\ninclude-system-site-packages = false\nversion = {_release()}\n")
        os.replace(aside, os.path.join(prefix, "pyvenv.cfg"))
        os.symlink(base, aside)
        os.replace(aside, program)  # the last: who sees it sees the rest


def _folder() -> str:
    return "python{}.{}".format(*sys.version_info)


def _release() -> str:
    return "{}.{}.{}".format(*sys.version_info)


def _libc() -> tuple[str, str]:
    """The C library and its version, both '' when it does not say."""
    try:
        name, _, release = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, ValueError, OSError):
        return "", ""
    return name, release


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


if __name__ == "__main__":
    sys.exit(start())
