"""`packyard pack`: one application into one bundle, also where there is no workspace.

The folder of the manifest is then a workspace of one member. What such a workspace remembers, `.packyard/` with locks
and logs, lies beside the manifest, where it lies when a packyard.toml is added: nothing is made again then.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packyard.formats.archive.gzipped import LEVELS
from packyard.formats.errors import FormatError, Problem, inside
from packyard.formats.platform import PLATFORMS
from packyard.formats.pspf import read_public_key
from packyard.formats.python.pyproject import ProjectManifest
from packyard.formats.units import size_text
from packyard.tasks import nullpath
from packyard.tasks.console.display import Plain, Quiet
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.run import carry_out, debugging
from packyard.tasks.engine.build.events import Display
from packyard.tasks.engine.build.opening import Opened, open_standalone
from packyard.tasks.engine.build.results import deliver, fact
from packyard.tasks.engine.build.session import Session
from packyard.tasks.errors import ActionError, PlanError, UsageError
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.bundle import key, signing
from packyard.tasks.kinds.bundle.verification import verify_file
from packyard.tasks.kinds.python.hooknames import PRE_BUILD
from packyard.tasks.target.target import Target

_MANIFEST = "pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wishes:
    """What the command line changes in the manifest."""

    launcher: str = ""
    platforms: tuple[str, ...] = ()
    strip: bool = False
    runtime: bool = True
    compression: str = "fast"

    def apply(self, project: ProjectManifest) -> ProjectManifest:
        """The manifest with them."""
        flavor = project.flavor
        if flavor is None:
            return project
        flavor = replace(
            flavor,
            launcher=self.launcher or flavor.launcher,
            platforms=self.platforms or flavor.platforms,
            build=replace(
                flavor.build,
                strip=self.strip or flavor.build.strip,
                runtime=self.runtime and flavor.build.runtime,
            ),
        )
        return replace(project, flavor=flavor)


def run(words: list[str]) -> int:
    """Pack the application that `words` name; the exit status."""
    options = parser().parse_args(words)
    _keys(options)
    if options.offline:
        os.environ["UV_OFFLINE"] = "1"
    root = _folder(options.manifest)
    wishes = _Wishes(
        launcher=os.path.abspath(options.launcher_bin) if options.launcher_bin else options.launcher or "",
        platforms=tuple(options.platform),
        strip=options.strip,
        runtime=options.runtime,
        compression=options.compression,
    )
    outer = _workspace_of(root)
    if outer is not None and wishes != _Wishes():
        raise _told_by_the_manifest(root, outer)
    display: Display = Quiet(sys.stderr) if options.quiet else Plain(sys.stdout)
    session = Session(
        outer or root,
        TABLE,
        display,
        locked=options.locked,
        jobs=os.cpu_count() or 1,
        opened=None if outer else lambda: open_standalone(root, TABLE, wishes.apply, compression=wishes.compression),
        debug=options.debug or debugging(),
    )
    session.stays_open = True
    try:
        session.lock()
        bundles, hooks = _chosen(session.opened, root)
        outs = _outs(options.output, bundles)
        status = _build(session, [*(target.name for target in bundles), *hooks])
        if status:
            return status
        for target, out in zip(bundles, outs, strict=True):
            deliver(session.build, target.name, out)
        saved: Counter[str] = Counter()
        for name in _trimmed(bundles):
            saved.update(fact(session.build, name, "facts", "saved"))
    except OSError as error:
        raise ActionError(f"{error.filename or options.output}: cannot be written: {error.strerror}") from None
    finally:
        session.close()
    return _tell(outs, quiet=options.quiet, verified=options.verify, saved=saved)


def _told_by_the_manifest(root: Path, outer: Path) -> UsageError:
    return UsageError(
        Problem(
            f"is a member of the workspace {os.fspath(outer)!r}, where the manifest decides this",
            place=os.fspath(root),
            hint=f"set it in {_MANIFEST}: tool.flavor.launcher, tool.flavor.platforms, tool.flavor.build.strip, "
            "tool.flavor.build.runtime; or in packyard.toml: workspace.compression",
        )
    )


def _folder(manifest: str) -> Path:
    """The folder of the manifest that a user names."""
    path = Path(manifest)
    path = path / _MANIFEST if path.is_dir() else path
    if path.name != _MANIFEST:
        raise UsageError(Problem(f"{path.name!r} is not a manifest's name; expected {_MANIFEST!r}", place="--manifest"))
    if not path.is_file():
        raise PlanError(Problem("is missing", place=os.fspath(path), hint="name one with --manifest"))
    return path.resolve().parent


def _workspace_of(folder: Path) -> Path | None:
    """The workspace that the folder is a member of."""
    found = nullpath.find_root(os.fspath(folder))
    if found is None:
        return None
    from packyard.tasks.workspace.workspace import read_workspace

    root = Path(found)
    members = read_workspace(root).members
    return root if any((root / member.folder).resolve() == folder for member in members) else None


def _chosen(opened: Opened, root: Path) -> tuple[list[Target], list[str]]:
    """The targets that make the bundles of the application in a folder, and those that run its hooks on them."""
    place = root / _MANIFEST
    targets = opened.graph.targets.values()
    own = [target for target in targets if (opened.root / target.place).resolve() == place]
    bundles = [target for target in own if target.kind == "bundle"]
    if not bundles:
        raise PlanError(Problem("has no [tool.flavor]", place=os.fspath(place)))
    return bundles, [target.name for target in own if target.kind == "hook" and not target.name.endswith(PRE_BUILD)]


def _outs(given: str, bundles: Sequence[Target]) -> list[Path]:
    """Where each bundle goes: a folder gets it under its own name, a file name is for one alone."""
    out = Path(given)
    if given.endswith(("/", os.sep)) or given == "" or out.is_dir():
        return [out / target.outputs[0].at for target in bundles]
    if len(bundles) > 1:
        raise UsageError(
            Problem(f"{given!r} is a single file, but {len(bundles)} bundles are made; expected a folder",
                    place="--output", hint=f"'{given}/' is a folder")
        )  # fmt: skip
    return [out]


def _trimmed(bundles: Sequence[Target]) -> Iterator[str]:
    """The targets that tell how much they left out: what comes out of wheels."""
    for target in bundles:
        yield from (use.target for use in target.uses if use.at in ("slots/env", "slots/app"))


def _build(session: Session, names: Sequence[str]) -> int:
    back = Path.cwd()
    os.chdir(session.root)
    try:
        return carry_out(session, names)
    finally:
        os.chdir(back)


def _tell(outs: Sequence[Path], *, quiet: bool, verified: bool, saved: Counter[str]) -> int:
    status = 0
    for out in outs:
        lines = [f"made     {out}  {size_text(out.stat().st_size)}"]
        if "symbols" in saved:
            lines.append(f"stripped {size_text(saved['symbols'])} of symbols")
        if kinds := {kind: size for kind, size in saved.items() if kind != "symbols"}:
            told = ", ".join(f"{kind} {size_text(size)}" for kind, size in kinds.items())
            lines.append(f"trimmed  {size_text(sum(kinds.values()))} of the dependencies: {told}")
        if verified:
            found = verify_file(out)
            lines.append(found.text())
            status = status if found.passed() else 1
        if not quiet or status:
            say(*lines)
    return status


def _keys(options: argparse.Namespace) -> None:
    """Hand the key over as the environment does; a public key has to be the other half of it."""
    if options.private_key and options.key_seed is not None:
        raise UsageError(Problem("--private-key and --key-seed name two keys; expected only one of them"))
    if options.private_key:
        os.environ[signing.KEY_VARIABLE] = os.path.abspath(options.private_key)
    elif options.key_seed is not None:
        os.environ.pop(signing.KEY_VARIABLE, None)
        os.environ[signing.SEED_VARIABLES[0]] = options.key_seed
    if not options.public_key:
        return
    if not options.private_key:
        raise UsageError(Problem("requires --private-key", place="--public-key"))
    try:
        with inside(options.public_key):
            public = read_public_key(Path(options.public_key).read_bytes())
    except OSError as error:
        raise FormatError(Problem(f"cannot be read: {error.strerror}", place=options.public_key)) from None
    if public != key.read_public_half(Path(options.private_key)):
        raise FormatError(
            Problem(f"is not the public key of {options.private_key!r}", place=options.public_key,
                    hint="'packyard keygen' makes a pair")
        )  # fmt: skip


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard pack",
        description="Pack the application of a pyproject.toml into one file, NAME-VERSION.psp. No workspace is "
        "needed; what is remembered between runs is kept in .packyard/ beside the manifest.",
        epilog="Without a key option or [sign], the seed in FLAVOR_SEED or PACKYARD_KEY_SEED signs, else your "
        "development key. FOUNDATION_LOG_LEVEL=debug is --debug.",
        examples=(
            "packyard pack",
            "packyard pack --manifest apps/greet/pyproject.toml --output dist/",
            "packyard pack --platform linux_arm64 --private-key keys/private.pem",
        ),
    )
    parser.add_argument("--manifest", default=_MANIFEST, metavar="FILE", help=f"default: {_MANIFEST}")
    parser.add_argument("--output", default="", metavar="PATH", help="a file, or a folder (default: the current one)")
    parser.add_argument("--private-key", metavar="FILE", help="sign with this key (PKCS#8 PEM)")
    parser.add_argument("--public-key", metavar="FILE", help="fail unless this is the public key")
    parser.add_argument("--key-seed", metavar="TEXT", help="sign with the key derived from this text")
    starter = parser.add_mutually_exclusive_group()
    starter.add_argument("--launcher", choices=("rust", "go"), help="default: as the manifest says, else rust")
    starter.add_argument("--launcher-bin", metavar="FILE", help="the path of your own launcher")
    parser.add_argument(
        "--platform", action="append", default=[], choices=PLATFORMS, metavar="PLATFORM",
        help=f"may be repeated (default: as the manifest says, else this machine's): {', '.join(PLATFORMS)}",
    )  # fmt: skip
    parser.add_argument(
        "--compression",
        choices=tuple(LEVELS),
        default="fast",
        help="'small', for releases, takes longer (default: fast)",
    )
    parser.add_argument("--strip", action="store_true", help="strip symbols from compiled code in wheels")
    parser.add_argument(
        "--no-runtime", dest="runtime", action="store_false",
        help="carry no Python: the bundle runs with a Python of the machine it is started on",
    )  # fmt: skip
    parser.add_argument(
        "--verify", action=argparse.BooleanOptionalAction, default=True, help="read the file back from the disk"
    )
    parser.add_argument("--locked", action="store_true", help="fail if a committed lock is missing")
    parser.add_argument("--offline", action="store_true", help="download nothing: use what is cached, or fail")
    parser.add_argument("--quiet", action="store_true", help="print only what is wrong")
    parser.add_argument("-v", "--debug", action="store_true", help="show actions, their keys and what they run")
    return parser
