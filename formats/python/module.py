"""Python source, examined without running it: which names a module has, which modules it imports, what a name is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from packyard.formats.errors import FormatError, Problem


def read_module(text: str, place: str) -> ast.Module:
    """The syntax tree of a module; FormatError at `place`, its file, with the line when it is not Python."""
    try:
        return ast.parse(text, place)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        message = getattr(error, "msg", None) or str(error)
        raise FormatError(Problem(f"is not Python: {message}", place=f"{place}:{line}" if line else place)) from None
    except (RecursionError, MemoryError):
        raise FormatError(Problem("is nested too deeply", place=place)) from None


def defines(module: ast.Module, name: str) -> bool:
    """Whether a module has the name `name` at its top level, as far as can be seen: a module with a star import or a
    `__getattr__` may have any."""
    names = set(_names(module.body))
    return bool(names & {name, "*", "__getattr__"})


def imports(module: ast.Module) -> set[str]:
    """The top-level names of the modules that a module imports, anywhere in it; without relative imports."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return found


def literal(module: ast.Module, name: str) -> object:
    """The value of `name = <literal>` at the top level; None if there is no such line."""
    value: object = None
    for node in module.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            try:
                value = ast.literal_eval(node.value)
            except (ValueError, TypeError, RecursionError, MemoryError):  # `{[]: 1}` is a literal, and has no value
                value = None
    return value


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import() | ast.ImportFrom():
                yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                for field in ("body", "orelse", "finalbody"):
                    yield from _names(getattr(node, field, []))
                for handler in getattr(node, "handlers", []):
                    yield from _names(handler.body)


def cached_path(source: str, version: str) -> str:
    """The bytecode file of a module by the path of its source: for CPython 3.12 `a/b.py` has
    `a/__pycache__/b.cpython-312.pyc`."""
    folder, slash, name = source.rpartition("/")
    return f"{folder}{slash}__pycache__/{name.removesuffix('.py')}.cpython-{version.replace('.', '')}.pyc"
