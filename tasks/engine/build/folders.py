"""Folders as artifacts (`site/`): each file of one is placed, watched and removed as an artifact of its own.

A record names such a file by the part that its folder is, a slash, and its path in it: 'site/index.html'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from packyard.tasks.engine.store.store import Store
from packyard.tasks.nullpath import ARTIFACTS
from packyard.tasks.target.target import Made, Target


def with_files(target: Target, outputs: Mapping[str, Made], store: Store) -> dict[str, Made]:
    """What a target made, and each file of its folders that the workspace keeps."""
    found = dict(outputs)
    for output in target.outputs:
        if output.tree and output.artifact:
            files = store.trees.files(outputs[output.part].digest)
            found |= {f"{output.part}/{path}": made for path, made in files.items()}
    return found


def artifact_paths(target: Target, outputs: Mapping[str, Made]) -> dict[str, str]:
    """Where the workspace keeps what a target made: part -> path, of a folder each file."""
    found: dict[str, str] = {}
    for output in target.outputs:
        if output.artifact and output.tree:
            start = f"{output.part}/"
            found |= {part: f"{output.artifact}/{part[len(start) :]}" for part in outputs if part.startswith(start)}
        elif output.artifact:
            found[output.part] = output.artifact
    return found


def file_source(part: str, outputs: Mapping[str, Made], store: Store) -> Callable[[Path], None]:
    """What writes an artifact's bytes to a new file."""
    folder, _, path = part.partition("/")
    made = outputs[part]
    if path:
        return partial(store.trees.copy_out, outputs[folder].digest, path, made)
    return partial(store.copy_out, made.digest, executable=made.executable)


def shown_artifacts(target: Target) -> tuple[str, ...]:
    """The artifacts of a target as people are told of them: a folder is one, with a slash at its end."""
    kept = [output for output in target.outputs if output.artifact]
    return tuple(f"{output.artifact}/" if output.tree else str(output.artifact) for output in kept)


def remove_empty(root: Path, path: str) -> None:
    """Remove the folders that a removed artifact leaves empty, but for `dist/` itself."""
    for parent in Path(path).parents:
        if parent.as_posix() in (".", ARTIFACTS) or any((root / parent).iterdir()):
            return
        (root / parent).rmdir()
