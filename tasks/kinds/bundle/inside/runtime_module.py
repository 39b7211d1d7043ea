"""What travels in every bundle as `packyard_runtime`: it chooses the command and runs it; `slot` finds the slots.

Only the standard library, and nothing of Packyard: this file is copied, not imported, by the build. Beside it lie
`runtime_slots.py` and `program.json`: name, version, default, commands (name -> 'module:function'), slots (id -> path,
lifecycle and purpose), trust (where the TLS library looks for authorities), root (from here to the Python prefix).
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from .runtime_slots import announce, facts, root, slot

# Where systems keep the certificates of the authorities that they trust.
_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
)

__all__ = ["run", "slot"]

_HERE = Path(__file__).resolve().parent


def run() -> Any:
    """Run the command the bundle was started for; returns what `sys.exit` takes."""
    program = facts()
    commands: dict[str, str] = program["commands"]
    arguments = sys.argv[1:]
    if arguments[:1] == ["--packyard-run"]:
        if len(arguments) < 2 or arguments[1] not in commands:
            sys.stderr.write(f"--packyard-run: expected one of {', '.join(sorted(commands))}\n")
            return 2
        name, arguments = arguments[1], arguments[2:]
    elif arguments[:1] == ["--packyard-slot"]:
        return _show_slot(arguments[1:], program["slots"])
    else:
        name = _named_like(_started_as(), commands, program["version"]) or program["default"]
    os.environ["PATH"] = os.pathsep.join(filter(None, [str(root() / "bin"), os.environ.get("PATH")]))
    announce()
    _trust(program.get("trust", []))
    sys.argv = [name, *arguments]
    # Started as a module, but to be seen as a script: argparse and click say `name`, not `python -m ...`.
    main = sys.modules["__main__"]
    main.__spec__ = None
    main.__package__ = None
    found = _load(commands[name])
    result = found if _is_wsgi(found) else found()
    return _serve(result) if _is_wsgi(result) else result


def _trust(compiled_in: list[str]) -> None:
    """Tell the TLS library where this system keeps certificates of authorities, when it is not where the library
    was compiled to look: it may come from another distribution of Linux. Where the system has none, those of the
    distribution `certifi` serve, if it is in the bundle."""
    if not compiled_in or "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ:
        return
    if any(os.path.isfile(path) or (os.path.isdir(path) and os.listdir(path)) for path in compiled_in):
        return
    for path in (*_AUTHORITIES, str(_HERE.parent / "certifi" / "cacert.pem")):
        if os.path.isfile(path):
            os.environ["SSL_CERT_FILE"] = path
            return


def _show_slot(words: list[str], known: dict[str, Any]) -> int:
    """Print where a slot is, for programs that are not written in Python; a lazy one is unpacked by that."""
    if len(words) != 1 or words[0] not in known:
        sys.stderr.write(f"--packyard-slot: expected one of {', '.join(sorted(known)) or '(none)'}\n")
        return 2
    announce()
    try:
        sys.stdout.write(f"{slot(words[0])}\n")
    except (KeyError, OSError, RuntimeError) as error:
        sys.stderr.write(f"{error.args[0] if isinstance(error, KeyError) else error}\n")
        return 1
    return 0


def _started_as() -> str:
    """The name the bundle was started under. One launcher tells a link's own name, the other only what it points
    to; then some shells leave the word that was typed in `_`."""
    original = os.environ.get("FLAVOR_ORIGINAL_COMMAND", "")
    typed = os.environ.get("_", "")
    if typed and original and os.path.realpath(typed) == os.path.realpath(original):
        return os.path.basename(typed)
    return os.path.basename(os.environ.get("FLAVOR_COMMAND_NAME") or original)


def _named_like(name: str, commands: dict[str, str], version: str) -> str:
    """The command that a file name means: `web`, `web.psp`, `web-1.0.psp`, `web-1.0-linux_arm64.psp`."""
    stem = re.sub(r"(\.exe)?$", "", name)
    stem = re.sub(r"\.pspf?$", "", stem)
    for command in (name, stem):
        if command in commands:
            return command
    starts = [command for command in commands if f"{stem}-".startswith(f"{command}-{version}-")]
    return max(starts, key=len, default="")


def _load(entry: str) -> Any:
    """The object that 'module:name' means; `pkg:name` is also the function `name` in the module `pkg.name`."""
    module_name, _, path = entry.partition(":")
    module = importlib.import_module(module_name)
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part, None)
    if found is None or isinstance(found, ModuleType):
        try:
            found = getattr(importlib.import_module(f"{module_name}.{path}"), path.rpartition(".")[2], None)
        except ModuleNotFoundError as error:
            if error.name != f"{module_name}.{path}":
                raise
    if found is None or isinstance(found, ModuleType):
        raise SystemExit(f"{entry}: there is no such function in this bundle")
    return found


def _is_wsgi(value: Any) -> bool:
    """Whether a value is a WSGI application (PEP 3333): callable, with exactly two arguments that it needs."""
    if not callable(value) or inspect.isclass(value):
        return False
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(needed) == 2


def _serve(application: Any) -> int:
    """Serve a WSGI application on 127.0.0.1, port $PORT (8000): by gunicorn when it is bundled, else by wsgiref."""
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or int(text) > 65535:
        sys.stderr.write(f"PORT: {text!r} is not a port; expected a number up to 65535\n")
        return 2
    try:
        gunicorn = importlib.import_module("gunicorn.app.base")
    except ImportError:
        return _serve_plainly(application, int(text))

    class Server(gunicorn.BaseApplication):  # type: ignore[misc, name-defined]
        def load_config(self) -> None:
            self.cfg.set("bind", f"127.0.0.1:{text}")

        def load(self) -> Any:
            return application

    Server().run()
    return 0


def _serve_plainly(application: Any, port: int) -> int:
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIServer, make_server

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    with make_server("127.0.0.1", port, application, server_class=Server) as server:
        sys.stderr.write(f"serving on http://127.0.0.1:{server.server_port}\n")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 130
    return 0
