"""Answers that a command found before, valid as long as every file it looked at is unchanged.

They are in `.packyard/answers/`, one file each; a corrupt or unwritable one costs the time to find the answer again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packyard.tasks.host.atomic import replacing
from packyard.tasks.host.own import own_files
from packyard.tasks.nullpath import FOLDER
from packyard.tasks.workspace.memo import PACKED_STAT, pack_stat


def recall(root: Path, name: str, question: str) -> Any:
    """The answer to `question` that was kept under `name`, None when there is none or a file has changed."""
    try:
        kept = json.loads(_place(root, name).read_bytes())
        if kept["question"] != _asked(question):
            return None
        top = f"{os.fspath(root)}/"
        for path, look in kept["looks"].items():
            if list(pack_stat(os.stat(path if path[:1] == "/" else top + path))) != look:
                return None
        return kept["answer"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(root: Path, name: str, question: str, stats: Mapping[str, bytes], answer: Any) -> None:
    """Keep an answer that was found by looking at these files and folders, with these stats (a Watch's `seen`)."""
    own = {os.fspath(path): pack_stat(path.stat()) for path in own_files()}
    looks = {path: PACKED_STAT.unpack(packed) for path, packed in stats.items()} | own
    kept = {"question": _asked(question), "looks": looks, "answer": answer}
    place = _place(root, name)
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as aside:
            aside.write_text(json.dumps(kept, separators=(",", ":")), encoding="utf-8")


def _place(root: Path, name: str) -> Path:
    return root / FOLDER / "answers" / f"{name}.json"


def _asked(question: str) -> str:
    return hashlib.sha256(f"{sys.version}\0{question}".encode("utf-8", "surrogateescape")).hexdigest()
