"""The command `packyard`: the null path first, everything else only when it cannot answer."""

import fcntl
import os
import sys
import time

from packyard.tasks import null


def main() -> int:
    """Run the command line; returns the exit status (0, 1 errors, 2 usage, 130 interrupted)."""
    words = sys.argv[1:]
    try:
        if all(word[:1] != "-" for word in words):
            done = _nothing_to_do(words)
            if done is not None:
                _say(done)
                return 0
        from packyard.tasks.cli import run  # slow to import: the whole application

        return run(words)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _say(text: str) -> None:
    if sys.stdout is None:  # closed by the caller
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:  # nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _nothing_to_do(names: list[str]) -> str | None:
    """What to say when every target asked for is fresh; None when that is not so, or cannot be told from stats."""
    start = time.monotonic()
    root = null.find_root(".")
    if root is None or (names and ":" not in names[0] and names != ["all"]):
        return None
    try:
        lock = os.open(os.path.join(root, null.FOLDER, "lock"), os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None  # never built, or another run holds it
    count = null.fresh_targets(root, None if names in ([], ["all"]) else names)
    os.close(lock)
    if count is None:
        return None
    return f"nothing to do: {count} targets are fresh ({time.monotonic() - start:.2f} s)\n"


if __name__ == "__main__":
    sys.exit(main())
