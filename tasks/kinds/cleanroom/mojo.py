"""Trying compiled Mojo packages where there is nothing else: each export is imported, each example is run.

The compiler finds a missing module only when something of the package is used, so every export of every module is
imported by name. A program that does so and does nothing else compiles when all is there.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.digest import digest_file
from packyard.formats.errors import FormatError
from packyard.formats.mojo.package import read_package
from packyard.formats.mojo.packagemanifest import PackageManifest
from packyard.formats.workspace.cleanroom import Check
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.mojo.compiler import Compiler
from packyard.tasks.target.room import Room

_TIMEOUT = 300  # seconds for one program
_PROGRAM = "imports.mojo"
_SHOWN_LINES = 20
_ROUNDS = 8  # of looking for the exports that are missing, when some are
_ERROR = re.compile(rf"(?:^|/){re.escape(_PROGRAM)}:(?P<line>\d+):\d+: error: .*$", re.MULTILINE)
_COMPILING = re.compile(r":\d+(?::\d+)?: error: ")  # an error of a program that runs has no line
_NOISE = re.compile(r".*failed to parse the provided Mojo source module.*\n?")

# Names of files are strings of the bytecode, each with a NUL at its end; those of the standard library are relative.
_SOURCE = re.compile(rb"\0(/[^\0\n]+\.mojo)\0")

_CAUSES = (
    (r"unable to locate module '(?P<name>[^']+)'", "missing dependency {name!r}: no package here provides it"),
    (r"does not contain '(?P<name>[^']+)'", "export {name!r} does not exist"),
    (r"is older than compiler version|is newer than compiler version|has incompatible MLIR bytecode", "wrong compiler"),
    (r"invalid magic bytes|unknown attribute code|attempting to parse a byte at the end", "wrong compiler"),
    (r"failed to decompress|bytes when only", "corrupt file"),
    (r"was stopped after", "takes too long"),
    (r"crashed \(", "the compiler crashed, as it does on a package made against other dependencies: rebuild it"),
)


@dataclass(frozen=True, slots=True)
class Bench:
    """The clean room: `folder` with nothing in it but `packages/` and what is put there, and a home of its own."""

    room: Room[object]
    compiler: Compiler
    folder: Path

    def packages(self) -> dict[str, str]:
        """The files in `packages/` with their SHA-256."""
        return {path.name: digest_file(path).hex for path in sorted((self.folder / "packages").iterdir())}

    def run(self, program: str) -> str:
        """Run a Mojo program of the folder; what it and the compiler said when it failed, else ''."""
        argv: list[str | Path] = [self.compiler.program, "run", "-I", "packages", program]
        return said(self.room, argv, cwd=self.folder, env=self.compiler.environment())


def make_bench(room: Room[object], compiler: Compiler, files: Mapping[str, Path]) -> Bench:
    """An empty folder with `files` under `packages/`, by the names they are imported as."""
    folder = room.scratch / "room"
    (folder / "packages").mkdir(parents=True)
    for name, path in files.items():
        shutil.copyfile(path, folder / "packages" / name)
    return Bench(room, compiler, folder)


def check_file(path: Path, manifest: PackageManifest, compiler: Compiler) -> Check:
    """Whether a file is the one its manifest describes, made by this compiler, and free of paths to its sources."""
    what = f"{path.name} is intact, and made by this compiler"
    try:
        with path.open("rb") as stream:
            header = read_package(stream)
    except FormatError as error:
        return Check(what=what, cause="corrupt file", detail=str(error))
    if not header.fits(compiler.library()):
        return Check(what=what, cause=f"wrong compiler: it fits {header.accepted_by}")
    if digest_file(path).hex != manifest.sha256:
        return Check(what=what, cause="it is not the file that its manifest describes")
    recorded = _SOURCE.search(path.read_bytes())
    if recorded:
        detail = recorded[1].decode(errors="replace")
        cause = "source fallback: it records the path of its sources, where the compiler looks for missing modules"
        return Check(what=what, cause=cause, detail=detail)
    return Check(what=what)


def check_dependencies(manifest: PackageManifest, present: Mapping[str, str]) -> Iterator[Check]:
    """Whether the packages that lie there are those that this one was compiled against."""
    digests = {name.rpartition(".")[0]: digest for name, digest in present.items()}
    for needed in manifest.dependencies:
        what = f"{needed.name} is what {manifest.name} was compiled against"
        if needed.name not in digests:
            yield Check(what=what, cause=f"missing dependency {needed.name!r}: no package here provides it")
        elif digests[needed.name] != needed.sha256:
            yield Check(what=what, cause="stale package: its dependency was rebuilt", detail="rebuild both")
        else:
            yield Check(what=what)


def check_imports(bench: Bench, exports: Mapping[str, Sequence[str]]) -> Iterator[Check]:
    """Import every name of every module. Names that fail are left out and the rest is tried again, so that each
    failure is found."""
    lines = _lines(exports)
    failed: dict[tuple[str, str], Check] = {}
    rounds = 0
    while left := [line for line in lines if line not in failed]:
        (bench.folder / _PROGRAM).write_text(_program(left), encoding="utf-8")
        output = bench.run(_PROGRAM)
        if not output:
            break
        messages: dict[int, str] = {}
        for match in _ERROR.finditer(output):
            messages.setdefault(int(match["line"]) - 1, match[0])
        guilty = {left[number]: message for number, message in messages.items() if number < len(left)}
        rounds += 1
        for line in guilty if guilty and rounds < _ROUNDS else left:  # an error that stands nowhere is everybody's
            shown = guilty.get(line, output)
            failed[line] = Check(what=_statement(*line), cause=cause_of(shown), detail=_shown(shown))
    (bench.folder / _PROGRAM).unlink(missing_ok=True)
    yield from (failed.get(line) or Check(what=_statement(*line)) for line in lines)


def import_program(exports: Mapping[str, Sequence[str]]) -> str:
    """A program that imports every name of every module, and does nothing."""
    return _program(_lines(exports))


def check_examples(bench: Bench, examples: Mapping[str, str]) -> Iterator[Check]:
    """Run each example (its path in the room, and its text)."""
    for at, text in examples.items():
        place = bench.folder / at
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        output = bench.run(at)
        yield Check(what=f"{at} runs", cause=cause_of(output) if output else "", detail=_shown(output))


def said(
    room: Room[object],
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float = _TIMEOUT,
    until: Callable[[], bool] | None = None,
) -> str:
    """Run a tool; what it said, and how it ended, when it failed, else ''. `timeout` and `until` as in `Room.run`."""
    start = room.log.stat().st_size if room.log.exists() else 0
    try:
        room.run(argv, cwd=cwd, env=env, timeout=timeout, until=until)
    except ActionError as error:
        with room.log.open("rb") as log:
            log.seek(start)
            _command, _, output = log.read().decode("utf-8", errors="replace").partition("\n")
        return f"{_NOISE.sub('', output)}{error.message}\n".replace(f"{cwd}/", "")
    return ""


def cause_of(output: str) -> str:
    """Why a program failed, by what it said."""
    for pattern, cause in _CAUSES:
        if match := re.search(pattern, output):
            return cause.format(**match.groupdict())
    return "it does not compile" if _COMPILING.search(output) else ending_of(output)


def ending_of(output: str) -> str:
    """How a tool ended, by the last line of what `said` gave."""
    last = output.rstrip().rpartition("\n")[2]
    if "Permission denied" in last:
        return "it is not executable: chmod +x, and build the archive again"
    return "it " + re.sub("^'[^']*' ", "", last)


def _lines(exports: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Each module with each of its names; with '' when it has none."""
    return [(module, name) for module, names in exports.items() for name in names or ("",)]


def _program(lines: Sequence[tuple[str, str]]) -> str:
    imports = [
        f"from {module} import {name} as name_{number}" if name else f"import {module} as name_{number}"
        for number, (module, name) in enumerate(lines)
    ]
    return "\n".join([*imports, "", "", "def main():", "    pass", ""])


def _statement(module: str, name: str) -> str:
    return f"from {module} import {name}" if name else f"import {module}"


def _shown(output: str) -> str:
    lines = output.splitlines()
    left = len(lines) - _SHOWN_LINES
    return "\n".join([*lines[:_SHOWN_LINES], *([f"... and {left} more lines"] if left > 0 else [])])
