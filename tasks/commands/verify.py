"""`packyard verify`: whether bundles are what was signed and by whom, and whether every other artifact works."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from packyard.formats.errors import FormatError, Problem
from packyard.formats.pspf import Verdict
from packyard.tasks import nullpath
from packyard.tasks.commands import verifyplane
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.selection import choose_targets
from packyard.tasks.engine.build.opening import Opened, open_workspace
from packyard.tasks.engine.store.blobs import Damaged
from packyard.tasks.engine.store.store import Store
from packyard.tasks.errors import UsageError
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.bundle import signing, trustedkeys
from packyard.tasks.kinds.bundle.verification import Verification, verify_file
from packyard.tasks.kinds.cleanroom.make_cleanroom import BundleProofParams
from packyard.tasks.kinds.cleanroom.verify import ARCHIVE_ENDS, Verified, start_bundle, verify_artifact
from packyard.tasks.kinds.mojo.compiler import Compiler
from packyard.tasks.kinds.mojo.foundcompiler import compiler_on_path, find_compiler
from packyard.tasks.kinds.mojo.packagefile import is_mojo_package
from packyard.tasks.target.params import read_params
from packyard.tasks.target.target import Use
from packyard.tasks.workspace.workspace import Workspace, read_workspace


def run(words: list[str]) -> int:
    """Print the verdict on each file that `words` name; the exit status, 1 when one of them does not pass."""
    if any(word == "--plane" or word.startswith("--plane=") for word in words):
        return verifyplane.run(words)
    options = parser().parse_args(words)
    given = [signing.read_trusted(text) for text in options.trust]
    trusted = given or [one.public for one in trustedkeys.trusted()]
    here = _Here(options.compiler)
    found: list[Verification | Verified] = []
    paths = [here.path(word) for word in options.file]
    if absent := [path for path in paths if not path.is_file()]:
        raise FormatError(*(Problem("is not a file", place=os.fspath(path)) for path in absent))
    for path in paths:
        if _is_other(path):
            found.append(verify_artifact(path, here.compilers, here.workspace))
            continue
        bundle = verify_file(path, trusted, deep=options.deep)
        found.append(bundle)
        if options.run and bundle.passed(strict=options.strict) and not (given and _is_stranger(bundle)):
            found.append(here.start(path))
    strangers = [one for one in found if given and isinstance(one, Verification) and _is_stranger(one)]
    if options.json:
        say_json([one.json() for one in found])
    else:
        for one in found:
            say(_text(one), *(["  key: is not one of the trusted keys"] if one in strangers else []))
            if isinstance(one, Verified) and options.output:
                say(one.log.rstrip("\n"))
    return 0 if not strangers and all(_passed(one, strict=options.strict) for one in found) else 1


def _is_stranger(one: Verification) -> bool:
    """Whether a bundle is whole, and signed with a key that is none of the given ones."""
    return one.passed() and one.verdict is not Verdict.AUTHENTIC


def _is_other(path: Path) -> bool:
    """Whether a file is not a bundle; what is of no known kind is called a damaged one."""
    return is_mojo_package(path) or path.name.endswith(ARCHIVE_ENDS)


def _passed(one: Verification | Verified, *, strict: bool) -> bool:
    return one.passed if isinstance(one, Verified) else one.passed(strict=strict)


def _text(one: Verification | Verified) -> str:
    return one.text() if isinstance(one, Verification) else one.shown()


class _Here:
    """What the workspace around the current folder gives to a verification, read when it is asked for."""

    def __init__(self, compiler: str | None) -> None:
        self._compiler = compiler
        self._root = nullpath.find_root(os.getcwd())

    @cached_property
    def workspace(self) -> Workspace | None:
        """The workspace; None outside of one, and when something is wrong with it: files can be tried without."""
        try:
            return read_workspace(Path(self._root)) if self._root else None
        except FormatError:
            return None

    @cached_property
    def _opened(self) -> Opened | None:
        return open_workspace(Path(self._root), TABLE, readonly=True) if self._root else None

    @cached_property
    def compilers(self) -> Sequence[Compiler]:
        """The compilers to try Mojo packages with: the given one, or the workspace's as far as they were made, and the
        one on PATH."""
        if self._compiler:
            return (find_compiler(self._compiler),)
        on_path = compiler_on_path()
        return (*self._made(), *([on_path] if on_path else []))

    def start(self, path: Path) -> Verified:
        """Start the commands of a bundle that this workspace makes, by each launcher that was made here."""
        opened = self._opened
        for target in opened.graph.targets.values() if opened else ():
            if opened is None or target.kind != "cleanroom" or "commands" not in target.params:
                continue
            bundle, *starters = target.uses
            artifact = opened.graph.targets[bundle.target].outputs[0].artifact
            if artifact and path.resolve() == (opened.root / artifact).resolve():
                with TemporaryDirectory(prefix="packyard-launchers-") as folder:
                    launchers = dict(_launchers(opened, starters, Path(folder)))
                    commands = read_params(BundleProofParams, target.params).commands
                    return start_bundle(path, commands, launchers)
        message = "is not a bundle of this workspace, so its commands are unknown"
        raise UsageError(Problem(message, place=str(path), hint="leave out --run"))

    def path(self, word: str) -> Path:
        """The file that a word means: its path, or the target of the workspace that makes it."""
        opened = self._opened if ":" in word and not os.path.exists(word) else None
        if opened is None:
            return Path(word)
        (name,) = choose_targets([word], opened.graph.nodes, {}, opened.root)
        outputs = opened.graph.targets[name].outputs if name in opened.graph.targets else ()
        artifact = next((output.artifact for output in outputs if output.artifact), None)
        if artifact is None:
            raise UsageError(Problem(f"{word!r} keeps no artifact in the workspace"))
        return Path(os.path.relpath(opened.root / artifact))

    def _made(self) -> Iterator[Compiler]:
        opened = self._opened if self.workspace else None
        if opened is None:
            return
        for name in opened.graph.targets:
            kind, _, version = name.partition("mojo-")
            record = opened.trace.record(name) if kind == "toolchain:" else None
            if record is not None:
                with suppress(Damaged):
                    yield Compiler(version, Store(opened.store_folder).trees.place(record.outputs[""].digest))


def _launchers(opened: Opened, uses: Sequence[Use], folder: Path) -> Iterator[tuple[str, Path]]:
    """The launchers that were made, by language, copied out of the store."""
    for use in uses:
        record = opened.trace.record(use.target)
        if record is not None:
            with suppress(Damaged):
                Store(opened.store_folder).copy_out(record.outputs[use.part].digest, folder / use.at, executable=True)
                yield use.at, folder / use.at


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard verify",
        description="Check the bytes of bundles against their signatures, and verify every other artifact in a "
        "clean room: import what a Mojo package exports, unpack an archive and run its smoke command.",
        epilog="A bundle is authentic if it is signed with a key given by --trust or pinned by 'packyard trust "
        "add'; otherwise it can only be shown to be intact: as it was signed with the key that it names itself. "
        "Nothing in a bundle is run without --run. 'packyard verify --plane HOME' compares a morloc plane with "
        "its lock.",
        examples=(
            "packyard verify dist/greet-0.1.0.psp",
            "packyard verify dist/greet-0.1.0.psp --trust keys/public.pem --deep",
            "packyard verify --plane ~/.local/share/morloc",
        ),
    )
    parser.add_argument("file", nargs="+", help="a file, or the target that makes it: archive:tools")
    parser.add_argument("--strict", action="store_true", help="refuse bundles whose slots the signature does not cover")
    parser.add_argument("--deep", action="store_true", help="also unpack every slot of a bundle and compare its files")
    parser.add_argument(
        "--trust", action="append", default=[], metavar="KEY",
        help="a public key (PEM file, or 64 hexadecimal digits); a bundle signed with any other key does not pass",
    )  # fmt: skip
    parser.add_argument(
        "--compiler", metavar="PATH", help="the Mojo compiler (default: the workspace's, else the one on PATH)"
    )
    parser.add_argument(
        "--run", action="store_true", help="also start the commands of the workspace's bundles if their bytes pass"
    )
    parser.add_argument("--output", action="store_true", help="also show what the programs in clean rooms printed")
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    return parser
