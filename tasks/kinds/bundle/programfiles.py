"""The files that make a program out of an environment in a bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from packyard.tasks.kinds.bundle.hostpython import Asked, start_files

# closure: packyard.tasks.kinds.bundle.inside.runtime_module
# closure: packyard.tasks.kinds.bundle.inside.runtime_slots

MODULE = "packyard_runtime"
_MAIN = f"""\
import sys

from {MODULE} import run

if __name__ == "__main__":
    sys.exit(run())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The commands (name -> 'module:function'), which of them runs by default, the slots (id -> 'path' below the
    Python prefix, 'lifecycle' and 'purpose'), where the TLS library looks for certificates of authorities, and what is
    asked of the Python that it starts with, None when it travels with one."""

    name: str
    version: str
    commands: Mapping[str, str]
    default: str
    slots: Mapping[str, Mapping[str, str]]
    trust: tuple[str, ...] = ()
    asked: Asked | None = None


def program_files(
    program: Program, *, root: str = "../../../..", site: str = "lib/python3/site-packages"
) -> dict[str, bytes]:
    """The files that start it, by path below site-packages, which is `site` below the Python prefix; `root` leads from
    their folder to that prefix."""
    facts = {
        "name": program.name,
        "version": program.version,
        "default": program.default,
        "commands": dict(program.commands),
        "slots": {name: dict(slot) for name, slot in program.slots.items()},
        "trust": list(program.trust),
        "asked": None if program.asked is None else asdict(program.asked),
        "root": root,
    }
    started = {} if program.asked is None else start_files(program.asked, name=program.name, site=site)
    return {
        **{f"{MODULE}/{name}": data for name, data in started.items()},
        f"{MODULE}/__init__.py": Path(__file__).with_name("inside").joinpath("runtime_module.py").read_bytes(),
        f"{MODULE}/runtime_slots.py": Path(__file__).with_name("inside").joinpath("runtime_slots.py").read_bytes(),
        f"{MODULE}/__main__.py": _MAIN.encode(),
        f"{MODULE}/program.json": json.dumps(facts, indent=1, sort_keys=True).encode() + b"\n",
    }
