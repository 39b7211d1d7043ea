"""`packyard check`: the checklist of packaging, gone through by a program."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.formats.text.gitignore import NAME as GITIGNORE
from packyard.formats.text.gitignore import with_folders
from packyard.tasks.console.display import Plain, choose_display
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.console.run import carry_out
from packyard.tasks.console.status import ERRORS
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.engine.build.session import Session
from packyard.tasks.errors import ActionError, UsageError
from packyard.tasks.host.atomic import rewrite
from packyard.tasks.host.own import version
from packyard.tasks.kinds import TABLE
from packyard.tasks.publish.checklist.artifacts import scripts_without_bit
from packyard.tasks.publish.checklist.checklist import Judged, go_through
from packyard.tasks.publish.checklist.evidence import Evidence
from packyard.tasks.publish.checklist.repository import not_ignored
from packyard.tasks.publish.checklist.summary import summary

_WORDS = {"passed": "passed", "failed": "FAILED", "skipped": "-"}


def run(words: list[str]) -> int:
    """Go through the checklist; the exit status, 1 when an item failed."""
    options = parser().parse_args(words)
    root = find_workspace(Path.cwd())
    quiet = options.json or options.summary
    if options.build:
        _build(root, quiet=quiet)
    evidence = Evidence(root, version(), options.tag, online=options.online)
    if options.fix:
        done = list(_fix(evidence))
        if not quiet:
            say(*done)
        evidence = Evidence(root, version(), options.tag, online=options.online)
    names = {*options.member}  # those that components are called, besides their own: of packages that they have
    wanted = names | {one.name for one in evidence.components if names & {*one.names}} if names else names
    judged = [one for one in go_through(evidence) if not wanted or one.subject.partition(" ")[0] in wanted]
    if not judged:
        raise UsageError(
            Problem(f"{', '.join(map(repr, options.member))} has no items", hint="'packyard check' lists all")
        )
    counts: Counter[str] = Counter(item.verdict for one in judged for item in one.items)
    if options.json:
        items = [{"subject": one.subject, "kind": one.kind, **asdict(item)} for one in judged for item in one.items]
        say_json({"passed": not counts["failed"], "counts": dict(sorted(counts.items())), "items": items})
    elif options.summary:
        say(summary(evidence, judged))
        return 0
    else:
        say(*_lines(judged, quiet=options.quiet), _count_line(counts))
    return ERRORS if counts["failed"] else 0


def _build(root: Path, *, quiet: bool) -> None:
    """Make what is stale of the artifacts and the clean rooms; what fails is for the checklist to tell."""
    session = Session(root, TABLE, Plain(sys.stderr) if quiet else choose_display(json=False), jobs=os.cpu_count() or 1)
    here = Path.cwd()
    try:
        session.lock()
        tried = [name for name in session.graph.targets if name.startswith(("cleanroom:", "installer:", "guide:"))]
        os.chdir(root)
        carry_out(session, [*session.graph.final, *tried])
    finally:
        os.chdir(here)
        session.close()


def _fix(evidence: Evidence) -> Iterator[str]:
    """Mend what needs no judgement: .gitignore, and scripts that cannot be executed."""
    try:
        missing = not_ignored(evidence) if evidence.git("rev-parse", "--git-dir") else []
        if missing:
            path = evidence.root / GITIGNORE
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            rewrite(path, with_folders(before, missing))
            yield f"fixed  {GITIGNORE}: {', '.join(f'/{folder}/' for folder in missing)}"
        for script in scripts_without_bit(evidence):
            path = evidence.root / script
            path.chmod(path.stat().st_mode | 0o111)
            yield f"fixed  {script}: chmod +x"
    except OSError as error:
        raise ActionError(f"{error.filename}: cannot be written: {error.strerror}") from None


def _lines(judged: Sequence[Judged], *, quiet: bool) -> Iterator[str]:
    width = max(len(item.name) for one in judged for item in one.items)
    for one in judged:
        items = [item for item in one.items if item.verdict == "failed" or not quiet]
        if not items:
            continue
        yield one.heading
        for item in items:
            yield f"  {_WORDS[item.verdict]:6}  {item.name.ljust(width)}  {item.text}"
            if item.fix:
                yield f"          {' ' * width}  fix: {item.fix}"
        yield ""


def _count_line(counts: Counter[str]) -> str:
    parts = [f"{counts['passed']} passed", f"{counts['failed']} failed"]
    return ", ".join([*parts, *([f"{counts['skipped']} skipped"] if counts["skipped"] else [])])


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard check",
        description="Go through the packaging checklist for every member, meta-package, archive and site: artifacts "
        "that exist and were verified in a clean room, documents, licence, version, changelog, tag, workflows. "
        "Nothing is built: what is stale or was never verified does not pass.",
        examples=("packyard check", "packyard check greet --build", "packyard check --summary"),
    )
    parser.add_argument("member", nargs="*", metavar="NAME", help="only check these (default: all)")
    parser.add_argument("--build", action="store_true", help="first build everything and verify it in clean rooms")
    parser.add_argument("--fix", action="store_true", help="write .gitignore and make scripts executable")
    parser.add_argument("--tag", default="", metavar="TAG", help="the tag being released: it must match the version")
    parser.add_argument("--online", action="store_true", help="also check the links of sites to other hosts")
    parser.add_argument("-q", "--quiet", action="store_true", help="show only what failed")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--summary", action="store_true", help="print a summary for a pull request: artifacts, digests")
    form.add_argument("--json", action="store_true", help="the items as JSON")
    return parser
