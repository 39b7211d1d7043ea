"""`packyard install`: packages into a home or a library folder, decided as a whole and put there in one step."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packyard.formats.errors import FormatError, Problem
from packyard.formats.morloc.home import PlanePaths
from packyard.formats.morloc.reference import DEFAULT_REPOSITORY, STANDARD_SET, read_install, read_plane_name
from packyard.formats.units import count_text
from packyard.formats.workspace.manifest import WorkspaceManifest
from packyard.formats.workspace.manifest import read_workspace as read_manifest
from packyard.tasks import nullpath
from packyard.tasks.commands.mojolibrary import install_mojo, names_mojo
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.errors import PlanError, UsageError
from packyard.tasks.kinds.morloc.install import Step, carry_out, decide, default_home, plain_run
from packyard.tasks.kinds.morloc.lint import find_errors
from packyard.tasks.kinds.morloc.lock import workspace_sources
from packyard.tasks.kinds.morloc.members import read_packages
from packyard.tasks.kinds.morloc.planechange import changing
from packyard.tasks.kinds.morloc.planefolder import Plane
from packyard.tasks.kinds.morloc.scan import Scan, scan
from packyard.tasks.kinds.morloc.sources import Sources
from packyard.tasks.kinds.morloc.wish import read_wish
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import LOCK, MANIFEST, read_workspace, source_epoch, workspace_lock

_DONE = {"install": "installed", "replace": "replaced", "repair": "repaired", "keep": "kept"}
_WOULD = {"install": "would install", "replace": "would replace", "repair": "would repair", "keep": "would keep"}
_SUFFIXES = (".psp",)


def run(words: list[str]) -> int:
    """Install what `words` name; the exit status."""
    options = parser().parse_args(words)
    if any(map(names_mojo, options.package)):
        return install_mojo(options)
    _refuse_malformed(options.package)
    return install_morloc(options.package, options)


def _refuse_malformed(words: Sequence[str]) -> None:
    """Refuse words that can mean no package, wherever one would be looked for."""
    problems: list[Problem] = []
    for word in words:
        if word.endswith(_SUFFIXES):
            problems.append(Problem(f"{word!r} is neither a Mojo nor a morloc package"))
            continue
        try:
            read_install(word)
        except FormatError as error:
            problems.extend(error.problems)
    if problems:
        raise UsageError(*problems)


def install_morloc(packages: Sequence[str], options: argparse.Namespace) -> int:
    """Install morloc packages as the options of `add_options` say; the exit status."""
    here = find_here()
    plane = plane_of(options, here)
    sources = _sources(here, options)
    allowed = {*options.allow_setup, *here.manifest.morloc.allow_setup}
    if options.dry_run:
        _show(decide(read_wish(packages), sources, plane, upgrade=options.upgrade), _WOULD)
        return 0
    wish = read_wish(packages)
    with changing(plane.home):
        steps = decide(wish, sources, plane, upgrade=options.upgrade)
        _check_members(steps, sources)
        skipped = carry_out(steps, plane, epoch=source_epoch(), allow_setup=allowed, run=plain_run, cache=sources.cache)
    _show(steps, _DONE)
    for name in skipped:
        say(f"note: the setup script of {name} was not run (--allow-setup {name} runs it)")
    say(f"{count_text(len(steps), 'package')} in {plane.folder}")
    return 0


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of everything that installs morloc packages."""
    add_place(parser)
    parser.add_argument(
        "--offline", action="store_true", help="fetch nothing: use what is present or was fetched before"
    )
    parser.add_argument("--ssh", action="store_true", help="fetch over ssh instead of https")
    parser.add_argument("--locked", action="store_true", help=f"use only the commits that {LOCK} names")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done")
    parser.add_argument(
        "--allow-setup", action="append", default=[], metavar="NAME", help="run the setup script of this package"
    )


def add_place(parser: argparse.ArgumentParser) -> None:
    """The options that say which plane is meant."""
    parser.add_argument(
        "--to",
        metavar="FOLDER",
        help="the morloc home (default: MORLOC_HOME, or ~/.local/share/morloc); for Mojo packages, the library folder",
    )
    parser.add_argument("--plane", metavar="NAME", help="the plane (default: the workspace's, or 'default')")


@dataclass(frozen=True)
class Here:
    """The workspace around the current folder, whose settings and packages count; outside one, the folder itself."""

    watch: Watch
    manifest: WorkspaceManifest

    def scan_members(self) -> Scan:
        """The morloc members; none outside a workspace."""
        return scan(read_packages(read_workspace(self.watch.root)) if self.manifest.members else {})


def find_here() -> Here:
    """The surroundings of a command; the members are not read yet."""
    root = nullpath.find_root(os.getcwd())
    if root is None:
        return Here(Watch(Path.cwd()), WorkspaceManifest(name=""))
    watch = Watch(Path(root))
    return Here(watch, read_manifest(watch.text(MANIFEST), MANIFEST))


def plane_of(options: argparse.Namespace, here: Here) -> Plane:
    """The plane that the options of `add_place` mean."""
    home = Path(options.to) if options.to else default_home()
    name = options.plane or here.manifest.morloc.plane
    try:
        read_plane_name(name)
    except FormatError as error:
        raise UsageError(*(replace(problem, place="--plane") for problem in error.problems)) from None
    return Plane(Path(os.path.abspath(home)), PlanePaths(name))


def _sources(here: Here, options: argparse.Namespace) -> Sources:
    sources = workspace_sources(
        here.manifest,
        here.watch,
        here.scan_members,
        workspace_lock(here.watch).packages,
        upgrade=None if options.upgrade else (),
        offline=options.offline,
        notify=_tell,
    )
    sources.only_locked = options.locked
    sources.spec = replace(sources.spec, ssh=sources.spec.ssh or options.ssh)
    return sources


def _tell(line: str) -> None:
    """Say what is being fetched to whoever waits for it; a program that reads the output is not told."""
    if sys.stderr.isatty():
        sys.stderr.write(f"{line}\n")


def _check_members(steps: Sequence[Step], sources: Sources) -> None:
    """Refuse members that the compiler could not use."""
    chosen = {step.provided.name for step in steps if step.provided.package.member}
    known = {step.provided.name for step in steps}
    found = find_errors(sources.members, known, root=sources.root.name) if chosen else ()
    problems = [finding.problem for finding in found if finding.package in chosen]
    if problems:
        raise PlanError(*problems)


def _show(steps: Sequence[Step], words: dict[str, str]) -> None:
    for step in steps:
        locked = step.provided.locked
        before = f" (was {step.before})" if step.how == "replace" else ""
        commit = f" {locked.commit[:12]}" if locked.commit else ""
        say(f"{words[step.how]} {locked.name} {locked.version}{before} from {locked.source}{commit}")


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard install",
        description="Install morloc packages and everything they need, or compiled Mojo packages (files) into a "
        "library folder; if anything is wrong, install nothing.",
        epilog=f"A bare name is a member of the workspace or a package of the default repository "
        f"({DEFAULT_REPOSITORY}, or default_repository in [morloc] of packyard.toml); '{STANDARD_SET}' is the "
        "standard set.",
        examples=(
            "packyard install root-py",
            "packyard install github:morloclib/math@tag:v0.5.0 --dry-run",
            "packyard install dist/tensor-0.1.0.mojopkg --to lib",
        ),
    )
    parser.add_argument(
        "package",
        nargs="+",
        help="NAME, github:USER/REPO[@tag:T|@branch:B|@hash:H], git+URL, ./FOLDER, an archive, or a Mojo package",
    )
    parser.add_argument(
        "--compiler", metavar="PATH", help="the compiler that will import Mojo packages (default: the one on PATH)"
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="fetch the named packages again even if they are present"
    )
    add_options(parser)
    return parser
