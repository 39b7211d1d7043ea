"""`packyard ci`: the workflows that build, try and publish the workspace."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from packyard.formats.errors import Problem
from packyard.tasks.console.output import say, say_json
from packyard.tasks.console.parser import Parser
from packyard.tasks.engine.build.opening import find_workspace
from packyard.tasks.errors import ActionError, PlanError
from packyard.tasks.host.atomic import rewrite
from packyard.tasks.host.own import version
from packyard.tasks.publish.workflow import Workflow, workflows
from packyard.tasks.texts.template import FOLDER as TEMPLATES
from packyard.tasks.workspace.workspace import read_workspace

_DONE = {"current": "kept", "missing": "wrote", "outdated": "wrote", "edited": "wrote", "needless": "removed"}


def run(words: list[str]) -> int:
    """Write the workflows, or show what would be written; the exit status."""
    options = parser().parse_args(words)
    workspace = read_workspace(find_workspace(Path.cwd()))
    found = workflows(workspace, version())
    if options.diff:
        for workflow in found:
            say(*_diff(workflow))
        return 0
    if not options.force:
        _refuse_edited(found)
    _write(workspace.root, found)
    if options.json:
        say_json([{"path": workflow.path, "state": workflow.state} for workflow in found])
    else:
        say(*(f"{_DONE[workflow.state]:8} {workflow.path}" for workflow in found))
    return 0


def _refuse_edited(found: Sequence[Workflow]) -> None:
    """PlanError with each file that would lose what a person wrote."""
    problems = [
        Problem(
            "was edited since Packyard wrote it, and would be overwritten",
            place=workflow.path,
            hint=f"move the changes to {TEMPLATES}/{Path(workflow.path).stem}_workflow.yml; "
            "--diff shows them, --force overwrites",
        )
        for workflow in found
        if workflow.state == "edited"
    ]
    if problems:
        raise PlanError(*problems)


def _write(root: Path, found: Sequence[Workflow]) -> None:
    for workflow in found:
        path = root / workflow.path
        try:
            if workflow.state == "needless":
                path.unlink()
            elif workflow.state != "current":
                rewrite(path, workflow.text)
        except OSError as error:
            raise ActionError(f"{workflow.path}: cannot be written: {error.strerror}") from None


def _diff(workflow: Workflow) -> list[str]:
    before = [] if workflow.there is None else workflow.there.splitlines()
    after = workflow.text.splitlines() if workflow.state != "current" else before
    ends = ("/dev/null" if workflow.there is None else workflow.path, workflow.path if workflow.text else "/dev/null")
    return list(difflib.unified_diff(before, after, *ends, lineterm=""))


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard ci",
        description="Write GitHub Actions workflows for this workspace: package.yml; benchmark.yml when an archive "
        "has a smoke command; docs.yml when there is a site. Files that were edited are not overwritten.",
        epilog=f"Files {TEMPLATES}/NAME_workflow.yml replace the built-in texts; [ci] pins names commits of actions "
        "to use instead of releases.",
        examples=("packyard ci --diff", "packyard ci"),
    )
    parser.add_argument("--diff", action="store_true", help="show what would change, and write nothing")
    parser.add_argument("--force", action="store_true", help="overwrite files that were edited")
    parser.add_argument("--json", action="store_true", help="the files and their states as JSON")
    return parser
