"""`packyard lint`: what is wrong or doubtful with the morloc packages of the workspace."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.formats.units import count_text
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.errors import UsageError
from packyard.tasks.kinds.morloc.lint import lint
from packyard.tasks.kinds.morloc.lock import known_packages
from packyard.tasks.kinds.morloc.members import read_packages
from packyard.tasks.kinds.morloc.scan import Finding
from packyard.tasks.workspace import answers
from packyard.tasks.workspace.workspace import Workspace, read_workspace


def run(words: list[str]) -> int:
    """Show the findings in the packages that `words` name; 1 when there are errors, with --strict also warnings."""
    options = parser().parse_args(words)
    known, everything = _found(find_workspace(Path.cwd()))
    findings = _chosen(options.package, known, everything)
    errors = sum(finding.level == "error" for finding in findings)
    if options.json:
        say_json([_value(finding) for finding in findings])
    else:
        say(*map(str, findings))
        warnings = len(findings) - errors
        say(f"{count_text(errors, 'error')}, {count_text(warnings, 'warning')}" if findings else "nothing found")
    return 1 if errors or (options.strict and findings) else 0


def _found(root: Path) -> tuple[list[str], list[Finding]]:
    """The names of the morloc packages, and everything found in them; unchanged files are not read again."""
    kept = answers.recall(root, "lint", os.fspath(root))
    if kept is not None:
        return kept["packages"], [Finding(**{**one, "problem": Problem(**one["problem"])}) for one in kept["findings"]]
    workspace = read_workspace(root)
    packages = [member.name for member in workspace.members if member.morloc]
    findings = findings_of(workspace)
    answer = {"packages": packages, "findings": [asdict(finding) for finding in findings]}
    answers.keep(root, "lint", os.fspath(root), workspace.watch.seen, answer)
    return packages, findings


def findings_of(workspace: Workspace) -> list[Finding]:
    """Everything found in the workspace's morloc packages."""
    return lint(read_packages(workspace), known_packages(workspace), root=workspace.root.name)


def _chosen(names: Sequence[str], known: Sequence[str], findings: list[Finding]) -> list[Finding]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
            raise UsageError(Problem(f"{name!r} is not a morloc package of this workspace", hint=hint))
    return [finding for finding in findings if not names or finding.package in names]


def _value(finding: Finding) -> dict[str, str]:
    return {"level": finding.level, "code": finding.code, "package": finding.package, **asdict(finding.problem)}


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard lint",
        description="Show errors and warnings about the morloc packages of this workspace.",
        examples=("packyard lint", "packyard lint stats --strict"),
    )
    parser.add_argument("package", nargs="*", metavar="NAME", help="only these packages (default: all)")
    parser.add_argument("--json", action="store_true", help="as JSON, each finding with a code")
    parser.add_argument("--strict", action="store_true", help="exit status 1 for warnings too")
    return parser
