"""INT and TERM end a run at once: everything that it has written is whole at every moment."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from packyard.tasks.engine.execute import sandbox
from packyard.tasks.host import process

INTERRUPTED = 130


def end_when_interrupted(stop: Callable[[], None]) -> None:
    """From now on INT and TERM kill the children, `stop` what is shown, and end the process. Only the main thread can
    ask for that; another one asks for nothing."""
    if threading.current_thread() is not threading.main_thread():
        return

    def end(number: int, frame: FrameType | None) -> None:
        try:
            process.kill_all()
            stop()  # RuntimeError: it was writing just now
            os.write(2, b"interrupted; finished targets are kept\n")
            sandbox.abandon()
        except (OSError, RuntimeError, ValueError):
            pass
        finally:
            os._exit(INTERRUPTED)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
