"""Asking uv: which versions answer to requirements, with the files and hashes of each, for every platform."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packyard.tasks import installed, network, process
from packyard.tasks.errors import ActionError

_ANSWER = "pylock.toml"
_NONE, _UNREACHED = "no versions were found for", "the package index cannot be asked for"
_CONNECTION = ("dns error", "failed to fetch", "error sending request", "client error (connect)")  # uv's words


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`place` is the lock that is being made, for messages; `project` the folder whose settings for uv count ([tool.uv]
    of its pyproject.toml, or uv.toml, there or above); `earlier` its text until now, whose versions stay while
    they fit, but for those named in `upgrade` (None: all). `pinned` requirements limit what may be chosen."""

    place: str
    requirements: tuple[str, ...]
    python: str
    project: Path
    earlier: str = ""
    upgrade: tuple[str, ...] | None = ()
    pinned: tuple[str, ...] = ()


def compiled(question: Question, *how: str) -> str:
    """A pylock.toml that answers; ActionError, with uv's words, when there is none. `how` are more options of uv's."""
    with tempfile.TemporaryDirectory(prefix="packyard-lock-") as name:
        folder = Path(name)
        answer, limits = folder / _ANSWER, folder / "limits.txt"
        (folder / "requirements.in").write_text(_text(question.requirements), encoding="utf-8")
        limits.write_text(_text(question.pinned), encoding="utf-8")
        if question.earlier:
            answer.write_text(question.earlier, encoding="utf-8")
        argv = [
            installed.uv(), "pip", "compile", "--quiet", "--universal", "--python-version", question.python,
            "--python", sys.executable, "--no-python-downloads", "--no-header", "--no-annotate", "--no-progress",
            "--format", "pylock.toml", "--output-file", _ANSWER, "--constraint", "limits.txt", "--project",
            os.fspath(question.project.absolute()), *how, "requirements.in",
        ]  # fmt: skip
        if question.upgrade is None:
            argv.append("--upgrade")
        else:
            argv += [word for name in question.upgrade for word in ("--upgrade-package", name)]
        try:
            process.capture(argv, cwd=folder, env=_environment())
        except ActionError as error:
            what, hint = _cause(error.detail)
            message = f"{question.place}: {what} {', '.join(question.requirements)}"
            raise ActionError(message, detail=error.detail, hint=hint) from None
        return answer.read_text(encoding="utf-8")


def exported(folder: Path, place: str) -> str:
    """What the uv.lock of the project in `folder` pins, as a pylock.toml; ActionError when uv refuses it."""
    argv = [
        installed.uv(), "export", "--quiet", "--frozen", "--offline", "--format", "pylock.toml", "--no-header",
        "--no-dev", "--no-emit-local", "--no-python-downloads", "--no-progress",
    ]  # fmt: skip
    try:
        return process.capture(argv, cwd=folder, env=_environment())
    except ActionError as error:
        message = f"{place}: uv does not take it"
        raise ActionError(message, detail=error.detail, hint="run 'uv lock'") from None


def _text(requirements: Sequence[str]) -> str:
    return "".join(f"{text}\n" for text in requirements)


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, **network.environment(wishes=True)}


def upgrades(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """The distributions to upgrade, None meaning all."""
    return None if names is None else tuple(names)


def _cause(detail: str) -> tuple[str, str]:
    """What uv's words mean for the requirements, and what to do."""
    lower = detail.lower()
    if network.offline():
        return _NONE, "nothing may be downloaded (--offline, UV_OFFLINE): lock once with the network"
    if "401 unauthorized" in lower or "403 forbidden" in lower:
        hint = "put its user and password into the URL of UV_DEFAULT_INDEX or UV_INDEX, or into ~/.netrc"
        return _UNREACHED, hint
    if any(words in lower for words in _CONNECTION):
        return _UNREACHED, "check the network, UV_DEFAULT_INDEX, HTTPS_PROXY, SSL_CERT_FILE"
    return _NONE, "ask for other versions in the manifest, or leave out what cannot be had together"
