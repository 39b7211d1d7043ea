"""What commands print on standard output: lines for people, or one JSON document for programs."""

from __future__ import annotations

import json
import os
import sys

from packyard.tasks.errors import ActionError


def say(*lines: str) -> None:
    """Write lines. What the terminal's encoding cannot show is escaped, so that a strange file name stops nothing.
    ActionError when they cannot be written (a full disk); a reader that is gone is BrokenPipeError."""
    text = "".join(f"{line}\n" for line in lines)
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what Python holds back would fail again
        raise ActionError(f"standard output: cannot be written: {error.strerror}") from None


def say_json(value: object) -> None:
    """Write one JSON document, indented."""
    say(json.dumps(value, indent=2))
