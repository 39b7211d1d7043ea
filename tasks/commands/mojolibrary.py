"""`packyard install`, `uninstall` and `installed` for compiled Mojo packages: a library folder, which `--to` names."""

from __future__ import annotations

import argparse
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.formats.units import count_text
from packyard.tasks.console.output import say, say_json
from packyard.tasks.errors import UsageError
from packyard.tasks.kinds.mojo.foundcompiler import compiler_on_path, find_compiler
from packyard.tasks.kinds.mojo.install import (
    Step,
    carry_out,
    changing,
    decide,
    decide_removal,
    installed,
    is_library,
    remove,
    state,
)
from packyard.tasks.kinds.mojo.packagefile import ENDS, is_mojo_package

_DONE = {"install": "installed", "replace": "replaced", "repair": "repaired", "keep": "kept"}
_WOULD = {"install": "would install", "replace": "would replace", "repair": "would repair", "keep": "would keep"}


def names_mojo(word: str) -> bool:
    """Whether a word of `install` means a Mojo package: by the file's header, or the name of a file that is none."""
    return is_mojo_package(Path(word)) or word.endswith(ENDS)


def install_mojo(options: argparse.Namespace) -> int:
    """Install the files that `options.package` names into the folder `options.to`; the exit status."""
    others = [word for word in options.package if not names_mojo(word)]
    if others:
        message = f"{others[0]!r} is not a Mojo package; only one kind of package can be installed at once"
        raise UsageError(Problem(message))
    if not options.to:
        raise UsageError(Problem("is missing; expected the library folder for Mojo packages", place="--to"))
    files, folder = [Path(word) for word in options.package], Path(options.to)
    compiler = find_compiler(options.compiler) if options.compiler else compiler_on_path()
    library = compiler.library() if compiler else None
    if options.dry_run:
        _show(decide(files, folder, library), _WOULD)
        return 0
    decide(files, folder, library)  # before the folder is made
    with changing(folder):
        steps = decide(files, folder, library)
        carry_out(steps, folder)
    _show(steps, _DONE)
    if library is None:
        say("note: no compiler found to check against; name one with --compiler")
    say(f"{count_text(len(steps), 'package')} in {folder}, for programs run with: mojo run -I {folder}")
    return 0


def uninstall_mojo(options: argparse.Namespace) -> int:
    """Take the packages that `options.package` names out of the folder `options.to`; the exit status."""
    folder = Path(options.to)
    if options.dry_run:
        for package in decide_removal(options.package, folder):
            say(f"would remove {package.name}")
        return 0
    with changing(folder):
        packages = decide_removal(options.package, folder)
        remove(packages, folder)
    for package in packages:
        say(f"removed {package.name}")
    return 0


def installed_mojo(options: argparse.Namespace) -> int:
    """List what is in the folder `options.to`; the exit status."""
    folder = Path(options.to)
    rows = [
        {
            "name": package.name,
            "version": package.version,
            "state": state(folder, package),
            "compiler": package.compiler.version,
            "identity": package.compiler.identity,
            "sha256": package.sha256,
            "dependencies": [needed.name for needed in package.dependencies],
        }
        for package in installed(folder).values()
    ]
    if options.json:
        say_json(rows)
    elif not rows:
        say(f"nothing is installed in {folder}")
    else:
        cells = [[str(row[key]) for key in ("name", "version", "state")] for row in rows]
        widths = [max(len(row[column]) for row in cells) for column in range(3)]
        for row, (name, version, how) in zip(rows, cells):
            words = [name.ljust(widths[0]), version.ljust(widths[1]), how.ljust(widths[2])]
            say("  ".join([*words, f"Mojo {row['compiler']}"]).rstrip())
    return 0


def is_mojo_place(options: argparse.Namespace) -> bool:
    """Whether `options.to` is a library folder."""
    return bool(options.to) and is_library(Path(options.to))


def _show(steps: tuple[Step, ...], words: dict[str, str]) -> None:
    for step in steps:
        manifest = step.manifest
        before = f" (was {step.before})" if step.how == "replace" and step.before else ""
        version = f" {manifest.version}" if manifest.version else ""
        say(f"{words[step.how]} {manifest.name}{version}{before} as {manifest.installed_as}")
        if not step.is_described:
            say(f"note: no manifest is beside {step.file}, so its dependencies were not checked")
