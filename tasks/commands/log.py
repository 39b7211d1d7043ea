"""`packyard log`: what the action of a target wrote when it last ran, here or wherever its result came from."""

from __future__ import annotations

import hashlib
from pathlib import Path

from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.selection import open_here, select
from packyard.tasks.engine.build.opening import Opened
from packyard.tasks.engine.store.blobs import Damaged
from packyard.tasks.engine.store.store import Store
from packyard.tasks.errors import ActionError


def run(words: list[str]) -> int:
    """Print the logs of the targets that `words` name; the exit status."""
    options = parser().parse_args(words)
    opened = open_here()
    names = select(opened, options.target)
    for name in names:
        text = read_log(opened, name, made=options.made)
        say(*([f"==> {name} <=="] if len(names) > 1 else []), *text.splitlines())
    return 0


def read_log(opened: Opened, name: str, *, made: bool = False) -> str:
    """What the action of `name` wrote; ActionError when it never ran or nothing of it is left."""
    failure = None if made else opened.trace.failure(name)
    record = opened.trace.record(name)
    if failure is not None:
        data = _bytes(Path(failure.log))
        return (data if data is not None else failure.message.encode()).decode("utf-8", "replace")
    if record is None:
        raise ActionError(f"{name}: it was never built here", hint=f"run 'packyard {name}'")
    data = _bytes(opened.root / ".packyard" / "logs" / f"{name.replace('/', '=')}.log")
    if data is None or hashlib.sha256(data).hexdigest() != record.log:
        try:
            data = Store(opened.store_folder).read(record.log)
        except Damaged:
            hint = f"run 'packyard forget {name}' and 'packyard {name}' to rebuild it"
            raise ActionError(f"{name}: its log is no longer in the store", hint=hint) from None
    return data.decode("utf-8", "replace")


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard log",
        description="Print a target's build log: of its last failure if it failed, else of the run that made its "
        "artifacts, even if they were restored from the store.",
        examples=("packyard log bundle:greet", "packyard log wheel:greet --made"),
    )
    parser.add_argument("target", nargs="+", help="KIND:NAME, or the path of an artifact")
    parser.add_argument(
        "--made", action="store_true", help="show the run that made the artifacts, even after a failure"
    )
    return parser
