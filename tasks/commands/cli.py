"""The command line: finds the command that its first word names, and speaks to people in one voice."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from packyard.formats.errors import FormatError
from packyard.tasks.commands.table import BY_NAME
from packyard.tasks.console.status import ERRORS, INTERRUPTED, complain
from packyard.tasks.errors import ActionError

if TYPE_CHECKING:
    from packyard.tasks.nullpath import Early


def run(words: Sequence[str], early: Early | None = None) -> int:
    """Run one command line; returns the exit status. `early` is what its start found out already."""
    name, *rest = words if words and words[0] in BY_NAME else ("run", *words)
    try:
        command = importlib.import_module(BY_NAME[name].module)
        return int(command.run(rest, early) if name == "run" else command.run(rest))
    except (FormatError, ActionError) as error:
        return complain(error)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERRORS
