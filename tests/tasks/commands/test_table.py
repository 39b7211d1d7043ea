"""The table of commands, and everything that is made from it."""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from itertools import groupby
from pathlib import Path
from typing import get_args

import pytest
from packyard.tasks.commands import cli, plugin
from packyard.tasks.commands.table import COMMANDS, Command, Group, plugins
from packyard.tasks.console.parser import Parser
from packyard.tasks.kinds import KINDS

from tests.tasks.commands.conftest import Space

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "tasks/commands"


def by_name(command: Command) -> str:
    return command.name


def parser_of(command: Command) -> Parser:
    parser = importlib.import_module(command.module).parser()
    assert isinstance(parser, Parser)
    return parser


def imported(path: Path) -> set[str]:
    """The modules of the room that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "packyard.tasks.commands":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("packyard.tasks.commands."):
            found.add(str(node.module).rpartition(".")[2])
    return found


def test_rows_have_names_of_their_own_and_stand_in_their_groups() -> None:
    names = [command.name for command in COMMANDS]
    assert len({*names}) == len(names)
    assert [group for group, _ in groupby(COMMANDS, lambda command: command.group)] == [*get_args(Group)]


def test_every_file_of_the_room_is_a_command_or_serves_one() -> None:
    rows = {command.module.rpartition(".")[2] for command in COMMANDS}
    entries = {"__init__", "cli", "plugin"}  # what the entry point and doit import
    serving = set().union(*(imported(path) for path in FOLDER.glob("*.py")))
    assert {path.stem for path in FOLDER.glob("*.py")} == rows | entries | serving


@pytest.mark.parametrize("command", COMMANDS, ids=by_name)
def test_help_of_a_command_ends_with_examples(space: Space, command: Command) -> None:
    out = space.output("help", command.name)
    assert space.run(command.name, "--help") == (0, out, "")
    examples = parser_of(command).examples
    assert examples
    assert out.endswith("\n\nexamples:\n" + "".join(f"  {line}\n" for line in examples))
    for option in ("--db-file", "--dep-file", "--backend", "--check_file_uptodate"):
        assert option not in out


class Parsed(Exception):
    """The command line was understood."""


@pytest.mark.parametrize("line", [line for command in COMMANDS for line in parser_of(command).examples])
def test_example_is_understood(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(parser: Parser, words: list[str]) -> None:
        argparse.ArgumentParser.parse_args(parser, words)
        raise Parsed

    monkeypatch.setattr(Parser, "parse_args", parse)
    program, *words = shlex.split(line.partition("|")[0])
    assert program == "packyard"
    with pytest.raises(Parsed):
        cli.run(words)


@pytest.mark.parametrize("command", [command for command in COMMANDS if not command.stock], ids=by_name)
def test_plugin_of_a_command_is_there(command: Command) -> None:
    module, name = plugins()[command.name].split(":")
    found = getattr(importlib.import_module(module), name)
    assert (found.get_name(), found.doc_purpose) == (command.name, command.summary)


def test_plugin_of_no_command_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"^module 'packyard.tasks.commands.plugin' has no attribute 'Nothing'$"):
        _ = plugin.Nothing


def test_stock_doit_of_this_repository_has_every_command() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["doit"]["plugins"]["command"] == plugins(), "'packyard init' enters what is missing"


def test_readme_has_the_table(space: Space) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## Commands\n\n")[2].partition("\n\n")[0]
    assert f"{section}\n" == space.output("help", "--markdown")


def test_no_kind_bears_the_name_of_a_command() -> None:
    """But for a command that builds the targets of that kind."""
    from doit.doit_cmd import DoitMain

    others = {command.name for command in COMMANDS if command.builds != command.name} | {"all"}
    doits = {command.get_name() for command in DoitMain.DOIT_CMDS}
    assert not {*KINDS} & (others | doits)
    assert {command.builds for command in COMMANDS} - {""} <= {*KINDS}


# start-up ----------------------------------------------------------------------------------------------------

QUICK = (
    "help",
    "completion bash",
    "trust list",
    "cache stats",
    "dumpdb",
    "forget --all",
    "lint",
    "bump",
    "plan",
    "why archive:inner",
    "graph archive:outer",
)
SLOW = {"graph --users archive:inner": "networkx", "list": "doit"}
SCRIPT = """\
import contextlib, importlib, io, sys
from packyard.tasks.commands import cli, table
for command in table.COMMANDS:
    importlib.import_module(command.module).parser().format_help()
for line in ["", *sys.argv[1:]]:
    with contextlib.redirect_stdout(io.StringIO()):
        assert not line or cli.run(line.split()) == 0
    found = {"doit", "rich", "networkx"} & {*sys.modules}
    if found:
        sys.exit(f"{line}: {' '.join(found)}")
"""


def imports(*lines: str) -> str:
    """The first of these command lines that imports a slow package, and which; nothing when none does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "typings")}
    words = [sys.executable, "-c", SCRIPT, *lines]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False).stderr


def test_command_imports_nothing_slow_that_it_does_not_need(space: Space) -> None:
    assert imports(*QUICK) == ""


@pytest.mark.parametrize("line", SLOW)
def test_slow_package_is_noticed(space: Space, line: str) -> None:
    assert imports(line) == f"{line}: {SLOW[line]}\n"


# one command more --------------------------------------------------------------------------------------------


def example() -> tuple[str, str]:
    """The module and the row that CONTRIBUTING shows."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## Add a command\n")[2]
    module, row = re.findall(r"^   ```\w+\n(.*?)^   ```$", section.partition("\n## ")[0], re.M | re.S)
    return textwrap.dedent(module), textwrap.dedent(row)


class Copy:
    """A copy of Packyard's sources, to be changed, and a workspace in which it runs."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._folder = folder
        self._typings = root
        self.commands = root / "packyard/tasks/commands"
        shutil.copytree(ROOT / "tasks", root / "packyard/tasks", ignore=shutil.ignore_patterns("__pycache__"))
        (root / "packyard/formats").symlink_to(ROOT / "formats")

    def run(self, program: str, *words: str) -> tuple[int, str, str]:
        """Run `packyard` or `doit`: the exit status, and both outputs."""
        module = {"packyard": "packyard.tasks", "doit": "doit"}[program]
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(self._typings), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


def test_command_is_added_by_one_file_and_one_row(space: Space, tmp_path: Path) -> None:
    copy = Copy(tmp_path / "copy", space.root)
    space.write("packyard.toml", '[workspace]\nname = "small"\nmembers = ["lib"]\n')
    space.write("lib/pyproject.toml", '[project]\nname = "lib"\nversion = "1.0.0"\n')
    table = (copy.commands / "table.py").read_text()
    module, row = example()
    (copy.commands / "members.py").write_text(module)
    (copy.commands / "table.py").write_text(table.replace("COMMANDS = (\n", f"COMMANDS = (\n    {row}", 1))

    assert copy.run("packyard", "members") == (0, "lib\n", "")
    assert copy.run("packyard", "init")[0] == 0
    assert copy.run("doit", "members") == (0, "lib\n", "")
    told = "list the members of this workspace"
    assert f"\n  members     {told}\n" in copy.run("packyard", "help")[1]
    assert f"| `packyard members` | {told} |" in copy.run("packyard", "help", "--markdown")[1]
    assert copy.run("packyard", "members", "--help")[1].endswith("\nexamples:\n  packyard members\n")
    assert " members " in copy.run("packyard", "completion", "bash")[1].replace('"', " ")
    assert any("members" in line and told in line for line in copy.run("doit", "help")[1].splitlines())

    (copy.commands / "members.py").unlink()
    (copy.commands / "table.py").write_text(table)
    message = "error: 'members' is neither a target nor a command\n  hint: 'packyard list' shows them\n"
    assert copy.run("packyard", "members") == (2, "", message)
    assert "members " not in copy.run("packyard", "help")[1].partition("\nbuild:\n")[2]
