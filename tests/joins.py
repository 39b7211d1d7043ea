"""Every place in the code where a folder is joined with text that is not spelled out there, and why each is safe.

`tests/joins.txt` has the reasons. `python -m tests.joins` writes it anew after a change: what is gone is taken out, and
what has come stands in it without a reason, which the test of this table refuses until somebody has written one.

Seen are `folder / text`, joinpath, with_name, with_stem, os.path.join, Path(folder, text), and paths that are put
together in the very call of open or os. Not asked for a reason are literals, constants, numbers and digests that are
made on the spot, paths relative to their own folder, and what `read_relpath` or `read_file_name` has just checked.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("joins.txt")
KINDS = ("graph", "listed", "made", "named", "read", "user")
MISSING = "?: say why"

_READERS = {"read_relpath", "read_file_name"}
_SAFE_CALLS = {"relative_to", "hexdigest", "getpid", "getuid", "get_ident", "time_ns", "len", *_READERS}

Joins = dict[str, Counter[str]]  # by module: what is joined, and how often
Reasons = dict[tuple[str, str], dict[str, int]]  # by module and reason: likewise


def joins_in_code() -> Joins:
    """The joins of all modules that have one to explain."""
    found = {
        path.relative_to(ROOT).as_posix(): Counter(joined_texts(path.read_text(encoding="utf-8")))
        for top in ("formats", "tasks")
        for path in sorted((ROOT / top).rglob("*.py"))
    }
    return {module: joins for module, joins in found.items() if joins}


def joined_texts(source: str) -> Iterator[str]:
    """What is joined to a folder anywhere in the source of a module, as it stands there."""
    for node in ast.walk(ast.parse(source)):
        for word in _joined(node):
            text = word.value if isinstance(word, ast.Starred) else word
            if not _is_safe(text):
                yield ast.unparse(text).replace('"', "'")  # which of them differs from one Python to the next


def _joined(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return [node.right]
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
        return [node.value]
    if not isinstance(node, ast.Call):
        return []
    called = ast.unparse(node.func)
    if called.rpartition(".")[2] in ("joinpath", "with_name", "with_stem"):
        return node.args
    if called in ("os.path.join", "Path"):
        return node.args[1:]
    if called == "open" or called.startswith("os."):
        return [part for text in node.args if isinstance(text, ast.JoinedStr) for part in _below(text)]
    return []


def _below(text: ast.JoinedStr) -> Iterator[ast.expr]:
    """What stands behind a slash in a text that is put together."""
    for before, part in zip(text.values, text.values[1:]):
        slash = isinstance(before, ast.Constant) and "/" in str(before.value)
        if slash and isinstance(part, ast.FormattedValue):
            yield part.value


def _is_safe(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.isupper()
        case ast.JoinedStr(values=parts):
            return all(_is_safe(part.value if isinstance(part, ast.FormattedValue) else part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_safe(left) and _is_safe(right)
        case ast.Subscript(value=value):
            return _is_safe(value)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _SAFE_CALLS:
            return True
        case ast.Call(func=ast.Attribute(value=value, attr="hex" | "as_posix")):
            return _is_safe(value)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="urandom")):
            return True
    return False


def read_table(text: str) -> Reasons:
    """The table: lines of MODULE | JOINED; JOINED *TIMES | KIND: REASON."""
    found: Reasons = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            module, joined, reason = line.split(" | ", 2)
            for one in joined.split("; "):
                what, _, times = one.partition(" *")
                found.setdefault((module, reason), {})[what] = int(times or 1)
    return found


def write_table(reasons: Reasons, head: str) -> str:
    """What `read_table` reads, sorted, behind the comment that a table begins with."""
    lines = []
    for (module, reason), joined in sorted(reasons.items()):
        listed = "; ".join(f"{what} *{times}" if times > 1 else what for what, times in sorted(joined.items()))
        lines.append(f"{module} | {listed} | {reason}\n")
    return head + "".join(lines)


def renewed(reasons: Reasons, code: Joins) -> Reasons:
    """The table for the code as it is: reasons stand while as many joins of a module join the same; what is not
    explained has no reason yet."""
    known = {
        (module, what): (times, reason) for (module, reason), those in reasons.items() for what, times in those.items()
    }
    found: Reasons = {}
    for module, joined in code.items():
        for what, times in joined.items():
            before, reason = known.get((module, what), (0, MISSING))
            found.setdefault((module, reason if before == times else MISSING), {})[what] = times
    return found


if __name__ == "__main__":
    text = TABLE.read_text(encoding="utf-8")
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    TABLE.write_text(write_table(renewed(read_table(text), joins_in_code()), head), encoding="utf-8")
