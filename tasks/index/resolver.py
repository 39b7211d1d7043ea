"""Asking uv: which versions satisfy requirements, with the files and hashes of each, for every platform."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from packyard.formats.python.requirement import without_password
from packyard.tasks.errors import ActionError
from packyard.tasks.host import network, process, programs
from packyard.tasks.index.credentials import signed

_ANSWER = "pylock.toml"
_LOST = ("dns error", "failed to fetch", "error sending request", "client error (connect)")  # uv's words

_FOR_SOME = re.compile(r"\{[^{}]*(?:sys_platform|os_name|platform_\w+)[^{}]*\}")  # uv: a distribution with its marker
_UNHASHED = "missing hashes"
_ENVIRONMENTS = "[tool.uv] environments = [\"sys_platform == 'linux'\"] in pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`place` is the lock that is being made, for messages; `project` the folder whose settings for uv count ([tool.uv]
    of its pyproject.toml, or uv.toml, there or above); `earlier` its text until now, whose versions stay while they
    fit, except for those named in `upgrade` (None: all). `pinned` requirements limit what may be chosen. `uv` are
    the tables `sources` and `index` of [tool.uv] for the requirements, which uv reads in a pyproject.toml alone.
    `signing` are URLs with the passwords of hosts; they are in no message and no answer."""

    place: str
    requirements: tuple[str, ...]
    python: str
    project: Path
    earlier: str = ""
    upgrade: tuple[str, ...] | None = ()
    pinned: tuple[str, ...] = ()
    uv: Mapping[str, Any] = field(default_factory=dict)
    signing: tuple[str, ...] = field(default=(), repr=False)


def compiled(question: Question, *how: str) -> str:
    """A pylock.toml that answers the question; ActionError, with uv's words, when there is none. `how` are further
    options of uv."""
    with tempfile.TemporaryDirectory(prefix="packyard-lock-") as name:
        folder = Path(name)
        answer, limits = folder / _ANSWER, folder / "limits.txt"
        asked = folder / ("pyproject.toml" if question.uv else "requirements.in")
        asked.write_text(signed(_asked(question), question.signing), encoding="utf-8")
        limits.write_text(_text(question.pinned), encoding="utf-8")
        if question.earlier:
            answer.write_text(question.earlier, encoding="utf-8")
        argv = [
            programs.uv(), "pip", "compile", "--quiet", "--universal", "--python-version", question.python,
            "--python", sys.executable, "--no-python-downloads", "--no-header", "--no-annotate", "--no-progress",
            "--format", "pylock.toml", "--output-file", _ANSWER, "--constraint", "limits.txt", "--project",
            os.fspath(question.project.absolute()), *how, asked.name,
        ]  # fmt: skip
        if question.upgrade is None:
            argv.append("--upgrade")
        else:
            argv += [word for name in question.upgrade for word in ("--upgrade-package", name)]
        try:
            process.capture(argv, cwd=folder, env=_environment())
        except ActionError as error:
            raise _refusal(question, error.detail) from None
        return without_password(answer.read_text(encoding="utf-8"))


def exported(folder: Path, place: str) -> str:
    """What the uv.lock of the project in `folder` pins, as a pylock.toml; ActionError if uv refuses it."""
    argv = [
        programs.uv(), "export", "--quiet", "--frozen", "--format", "pylock.toml", "--no-header",
        "--no-default-groups", "--no-emit-local", "--no-python-downloads", "--no-progress",
    ]  # fmt: skip
    hint = "run 'uv lock'"
    try:
        return without_password(process.capture([*argv, "--offline"], cwd=folder, env=_environment()))
    except ActionError as error:
        detail = error.detail
    if _UNHASHED in detail and network.offline():
        hint = (
            "its index gives no digests, and downloads are disabled (--offline, UV_OFFLINE): lock with network access"
        )
    elif _UNHASHED in detail:
        try:
            # It downloads each file to take its digest.
            return without_password(process.capture(argv, cwd=folder, env=_environment()))
        except ActionError as error:
            detail, hint = error.detail, "check the network, and the password of the index"
    raise ActionError(f"{place}: uv rejects it", detail=without_password(detail), hint=hint)


def _asked(question: Question) -> str:
    """The requirements as a file for uv."""
    if not question.uv:
        return _text(question.requirements)
    project = {"name": "packyard-question", "version": "0", "dependencies": list(question.requirements)}
    return tomlkit.dumps({"project": project, "tool": {"uv": question.uv}})


def _text(requirements: Sequence[str]) -> str:
    return "".join(f"{text}\n" for text in requirements)


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, **network.environment(wishes=True)}


def upgrades(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """The distributions to upgrade, None meaning all."""
    return None if names is None else tuple(names)


def _refusal(question: Question, detail: str) -> ActionError:
    """What uv's output means for the requirements, and what to do."""
    wanted, lower = ", ".join(question.requirements), detail.lower()
    message = f"{question.place}: no versions found for {wanted}"
    hint = "change the versions in the manifest, or remove what conflicts"
    if _FOR_SOME.search(lower):
        hint += "; if only other platforms need what is missing, name yours: " + _ENVIRONMENTS
    if network.offline():
        hint = "downloads are disabled (--offline, UV_OFFLINE): lock once with network access"
    elif "401 unauthorized" in lower or "403 forbidden" in lower:
        message = f"{question.place}: cannot ask the package index for {wanted}"
        hint = "put its user and password into the URL of UV_DEFAULT_INDEX or UV_INDEX, or into ~/.netrc"
    elif any(words in lower for words in _LOST):
        message = f"{question.place}: cannot ask the package index for {wanted}"
        hint = "check the network, UV_DEFAULT_INDEX, HTTPS_PROXY, SSL_CERT_FILE"
    return ActionError(message, detail=without_password(detail), hint=hint)
