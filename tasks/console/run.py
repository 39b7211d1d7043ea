"""A run: what is stale of some targets, made by doit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from packyard.tasks.console.status import ERRORS

if TYPE_CHECKING:
    from packyard.tasks.engine.build.session import Session


def carry_out(session: Session, names: Sequence[str], *, keep_going: bool = True) -> int:
    """Make what is stale of `names` and of all that they need; the exit status."""
    run = session.begin(names)
    run.pass_fresh()
    if not run.remaining:
        session.finish()
        return 0
    from doit.doit_cmd import DoitMain  # costs 0.1 s, only what runs needs it
    from packyard.tasks.console.doit import Loader

    arguments = ["run", "-n", str(run.gate.threads), *([] if keep_going else ["--no-continue"])]
    return ERRORS if DoitMain(Loader(session, run.remaining), config_filenames=()).run(arguments) else 0


def debugging() -> bool:
    """Whether the environment asks for details, by the names that FlavorPack has."""
    return "debug" in (os.environ.get(name, "").lower() for name in ("FOUNDATION_LOG_LEVEL", "FLAVOR_LOG_LEVEL"))
