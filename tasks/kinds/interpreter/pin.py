"""Pinning an archive of an interpreter: its digest, and what is in it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from packyard.formats.digest import digest_stream
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.python.interpreterarchive import identify
from packyard.formats.workspace.lock import InterpreterPin
from packyard.tasks.errors import PlanError
from packyard.tasks.index.download import download


def pin_archive(place: str, root: Path) -> InterpreterPin:
    """The pin of the archive at `place`, a URL or a path; paths are kept relative to the workspace at `root` where they
    lie in it. ActionError when it cannot be downloaded, FormatError when it is not the archive of an interpreter."""
    if "://" in place:
        with tempfile.TemporaryDirectory(prefix="packyard-lock-") as folder:
            file = Path(folder, "archive")
            download(place, file)
            return _pin(file, place, url=place)
    file = Path(place).resolve()
    if not file.is_file():
        raise PlanError(Problem("is missing; expected an archive in the install_only layout", place=place))
    inner = file.is_relative_to(root.resolve())
    return _pin(file, place, path=os.path.relpath(file, root.resolve()) if inner else os.fspath(file))


def _pin(file: Path, place: str, *, url: str = "", path: str = "") -> InterpreterPin:
    with inside(place), file.open("rb") as stream:
        try:
            version, platform = identify(stream)
        except FormatError as error:
            raise FormatError(f"is not an interpreter archive: {error}") from None
        stream.seek(0)
        return InterpreterPin(version=version, platform=platform, url=url, path=path, sha256=digest_stream(stream))
