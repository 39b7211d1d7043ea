"""Private keys among what a target is made from, or what commands of the workspace wrote: recognised by their bytes and
refused.

Links and copies make no difference, and every file that could sign a bundle is known (formats/privatekey.py). Keys that
distributions in a lock contain are left alone: `packyard inspect` reports them. So are files outside the workspace,
such as those of an interpreter.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from packyard.formats.privatekey import LOOKED_AT, private_key_in
from packyard.tasks.errors import ActionError
from packyard.tasks.target.target import Output, Source, Target

KEY_HINT = "exclude it, or keep keys outside what is packed; one for tests alone: [workspace] allow_keys"


def refuse_key(target: Target, source: Source, kind: str) -> None:
    """ActionError if a source that is a private key of this kind may not be one."""
    if not source.key and not os.path.isabs(source.path):
        raise ActionError(f"{target.name!r} would contain the private key '{source.path}' ({kind})", hint=KEY_HINT)


def refuse_written_keys(target: Target, output: Output, folder: Path) -> None:
    """ActionError with every private key in an output of commands of the workspace that may not be one."""
    if output.keys is None:
        return
    found = [f"'{path}' ({kind})" for path, kind in _keys_below(folder) if path not in output.keys]
    if found:
        raise ActionError(f"{target.name!r} wrote the private key {', '.join(found)}", hint=KEY_HINT)


def let_through(root: Path, target: Target) -> list[str]:
    """The private keys that a target holds because the workspace lets them through."""
    return [source.path for source in target.sources if source.key and key_of_file(root / source.path)]


def key_of_file(path: Path) -> str:
    """What kind of private key a file contains, '' if none or no file."""
    try:
        with path.open("rb", buffering=0) as stream:
            return private_key_in(stream.read(LOOKED_AT))
    except OSError:
        return ""


def _keys_below(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else (folder,):
        if path.is_file() and (kind := key_of_file(path)):
            yield path.relative_to(folder).as_posix() if path != folder else folder.name, kind
