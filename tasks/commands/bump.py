"""`packyard bump`: the next version of a member, wherever it stands, shown before it is written."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.formats.semver import STEPS
from packyard.formats.units import count_text
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.errors import UsageError
from packyard.tasks.publish.bump import Change, Plan, commit_bump, plan_bump, refuse_commit, write_bump
from packyard.tasks.publish.metagrowth import Growth, growths
from packyard.tasks.workspace.workspace import Workspace, read_workspace


def run(words: list[str]) -> int:
    """Show and write what the words ask for, or show what is due; the exit status, 1 when the user declines."""
    options = parser().parse_args(words)
    workspace = read_workspace(find_workspace(Path.cwd()))
    if options.step is None:
        return _show_due(workspace, json=options.json)
    if not options.member:
        raise UsageError(Problem("is missing; expected the name of a member", place="MEMBER"))
    plan = plan_bump(workspace, options.member, options.step, time.strftime("%Y-%m-%d", time.gmtime()))
    if options.tag:
        refuse_commit(workspace.root, plan)
    if options.json:
        say_json({**asdict(plan), "texts": sorted(plan.texts), "tag": plan.tag if options.tag else None})
    else:
        say(*_lines(plan, tag=options.tag))
    if options.dry_run or not (options.yes or _agreed()):
        return 0 if options.dry_run else 1
    write_bump(workspace.root, plan)
    if options.tag:
        commit_bump(workspace.root, plan)
    if not options.json:
        tagged = f", committed and tagged {plan.tag}" if options.tag else ""
        say(f"wrote {count_text(len(plan.texts), 'file')}{tagged}")
    return 0


def _show_due(workspace: Workspace, *, json: bool) -> int:
    due = growths(workspace.root, workspace.manifest.metas)
    if json:
        say_json({"due": [asdict(growth) for growth in due.values()]})
    else:
        say(*([_due_line(growth) for growth in due.values()] or ["no step is due"]))
    return 0


def _lines(plan: Plan, *, tag: bool) -> list[str]:
    widths = [max(len(getattr(change, name)) for change in plan.changes) for name in ("place", "key")]
    lines = [_line(change, *widths) for change in plan.changes]
    lines += [f"tag {plan.tag}"] if tag else []
    lines += [f"note: {note}" for note in plan.notes]
    return lines + [f"note: {_due_line(growth)}" for growth in plan.due]


def _line(change: Change, place: int, key: int) -> str:
    why = f"  ({change.why})" if change.why else ""
    return f"{change.place.ljust(place)}  {change.key.ljust(key)}  {change.before} -> {change.after}{why}"


def _due_line(growth: Growth) -> str:
    return f"a minor step is due, because {growth}: packyard bump minor {growth.name}"


def _agreed() -> bool:
    """Whether the person at the terminal wants it; without one, the command is answer enough."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    sys.stdout.write("write this? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    say("nothing was written")
    return False


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard bump",
        description="Bump members, meta-packages, archives or sites to their next version: in their manifests, "
        "which keep their formatting and comments; in the meta-packages made of them; in the version ranges of "
        "members that need them; and in CHANGELOG.md, where the unreleased entries get the version as their "
        "heading. The plan is shown first; on a terminal, Packyard asks before it writes. Without arguments, "
        "show which steps are due.",
        examples=("packyard bump", "packyard bump minor greet --dry-run", "packyard bump patch greet --tag --yes"),
    )
    parser.add_argument("step", nargs="?", choices=STEPS, metavar="|".join(STEPS), help="the number to increase")
    parser.add_argument("member", nargs="*", metavar="MEMBER", help="the name of a member, or its import name")
    parser.add_argument("--tag", action="store_true", help="commit the changes and tag them: v0.2.0, NAME-v0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="only show the plan")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    return parser
