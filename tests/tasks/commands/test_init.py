"""`packyard init`, and stock doit in the workspace that it writes."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest
from packyard.tasks.commands.table import plugins
from packyard.tasks.engine.graph.graph import build_graph
from packyard.tasks.kinds import TABLE
from packyard.tasks.workspace.workspace import read_workspace

from tests.tasks.commands.conftest import MANIFEST, Space, Tree

FILES = [".gitignore", "dodo.py", "doit.cfg", "packyard.toml"]


def doit(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run stock doit with the Packyard under test."""
    typings = Path(__file__).parents[3] / "typings"
    environment = {**os.environ, "PYTHONPATH": str(typings), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "doit", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_init_writes_a_workspace_that_can_be_read(space: Space) -> None:
    assert space.output("init", "new one!") == (
        "wrote    new one!/packyard.toml\n"
        "wrote    new one!/dodo.py\n"
        "wrote    new one!/.gitignore\n"
        "wrote    new one!/doit.cfg\n"
    )
    assert sorted(os.listdir("new one!")) == FILES
    assert Path("new one!/.gitignore").read_text() == "/.packyard/\n/dist/\n/site/\n"
    workspace = read_workspace(Path("new one!").resolve())
    assert (workspace.manifest.name, workspace.members) == ("new-one", ())


def test_init_names_the_members_that_are_there(space: Space) -> None:
    space.write("new/apps/web/pyproject.toml", '[project]\nname = "web"\nversion = "1.0.0"\n')
    space.write("new/apps/web/vendored/mojo.toml", "belongs to web")
    space.write("new/lint/pyproject.toml", "[tool.ruff]\n")
    space.write("new/mojo/tensor/mojo.toml", "")
    space.write("new/dist/old/package.yaml", "")
    space.write("new/.venv/x/pyproject.toml", "[project]\n")
    space.output("init", "new")
    assert tomllib.loads(Path("new/packyard.toml").read_text()) == {
        "workspace": {"name": "new", "members": ["apps/web", "mojo/tensor"]},
        "toolchain": {"mojo": "1.0.0"},  # a Mojo package needs a compiler
    }


@pytest.mark.parametrize(
    ("files", "sites"),
    [
        ({"mkdocs.yml": "site_name: X\n", "docs/index.md": "# X\n"}, ["docs"]),
        ({"mkdocs.yml": "site_name: X\ndocs_dir: pages\n", "pages/index.md": "# X\n"}, ["docs"]),
        ({"mkdocs.yml": "site_name: X\n"}, []),  # without pages the workspace could not be read
        ({"mkdocs.yml": "{", "docs/index.md": "# X\n"}, []),
        ({"docs/index.md": "# X\n"}, []),
    ],
)
def test_init_proposes_a_site_where_mkdocs_has_one(space: Space, files: dict[str, str], sites: list[str]) -> None:
    for path, text in files.items():
        space.write(f"new/{path}", text)
    space.output("init", "new")
    workspace = read_workspace(Path("new").resolve())
    assert [spec.name for spec in workspace.manifest.docs] == sites
    assert list(build_graph(workspace, TABLE).final) == [f"docs:{name}" for name in sites]


def test_init_again_changes_nothing(space: Space, tree: Tree) -> None:
    space.output("init", "new")
    before = tree(Path("new"))
    assert space.output("init", "new") == "".join(
        f"kept     new/{name}\n" for name in ("packyard.toml", "dodo.py", ".gitignore", "doit.cfg")
    )
    assert tree(Path("new")) == before


def test_init_keeps_what_exists_and_adds_what_lacks(space: Space) -> None:
    space.write("dodo.py", "mine = 1\n")
    space.write(".gitignore", "*.pyc\n/dist/*\n!/dist/.gitkeep")
    space.write("doit.cfg", "[COMMAND]\nplan = mine:Plan\n\n[GLOBAL]\nverbosity = 2")
    assert space.output("init") == (
        "kept     packyard.toml\nkept     dodo.py\nextended .gitignore\nextended doit.cfg\n"
        "note: dodo.py is yours and was kept; for plain doit, add to it: from packyard.tasks import *\n"
    )
    assert Path("packyard.toml").read_text() == MANIFEST
    assert Path("dodo.py").read_text() == "mine = 1\n"
    assert Path(".gitignore").read_text() == "*.pyc\n/dist/*\n!/dist/.gitkeep\n/.packyard/\n/site/\n"
    settings = ConfigParser()
    settings.read("doit.cfg")
    assert dict(settings["COMMAND"]) == plugins() | {"plan": "mine:Plan"}
    assert dict(settings["GLOBAL"]) == {"verbosity": "2"}


def test_init_extends_a_pyproject_and_keeps_its_format(space: Space) -> None:
    project = '# ours\n[project]\nname = "small"   # as it is\n\n[tool.doit]\nverbosity = 2\n'
    space.write("pyproject.toml", project)
    assert space.output("init").splitlines()[-1] == "extended pyproject.toml"
    text = Path("pyproject.toml").read_text()
    assert text.startswith(project)
    assert tomllib.loads(text)["tool"]["doit"] == {"verbosity": 2, "plugins": {"command": plugins()}}
    assert not Path("doit.cfg").exists()
    assert space.output("init").splitlines()[-1] == "kept     pyproject.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool",
            "error: new/pyproject.toml: line 1, column 6: is not TOML: "
            "expected ']' at the end of a table declaration\n",
        ),
        ("tool.doit = 3\n", "error: new/pyproject.toml: tool.doit.plugins.command: is not a table\n"),
    ],
)
def test_init_beside_a_pyproject_it_cannot_extend_writes_nothing(space: Space, text: str, message: str) -> None:
    space.write("new/pyproject.toml", text)
    assert space.run("init", "new") == (1, "", message)
    assert os.listdir("new") == ["pyproject.toml"]


def test_init_where_a_file_is_in_the_way_says_so(space: Space) -> None:
    assert space.run("init", "README.md") == (1, "", "error: README.md: cannot be written: File exists\n")


# stock doit --------------------------------------------------------------------------------------------------


def test_doit_lists_our_commands(space: Space) -> None:
    space.output("init")
    done = doit(space.root, "help")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["plan", "show", "what"] in [words[1:4] for words in lines]
    assert {words[1] for words in lines if len(words) > 1} >= set(plugins())


def test_doit_runs_our_commands(space: Space) -> None:
    space.output("init")
    done = doit(space.root, "plan")
    assert (done.returncode, done.stdout) == (0, space.output("plan"))
    assert doit(space.root).returncode == 0
    assert doit(space.root, "plan", "archive:outer").stdout == "nothing to do: 2 targets fresh\n"
    assert doit(space.root, "why", "archive:inner").stdout == space.output("why", "archive:inner")
    assert doit(space.root, "graph", "--format", "dot").stdout == space.output("graph", "--format", "dot")
    assert doit(space.root, "forget", "archive:inner").stdout == "forgot 1 target\n"


def test_doit_gives_our_status_and_message(space: Space) -> None:
    space.output("init")
    for words, status in ((("why", "archive:none"), 2), (("ignore", "archive:inner"), 1), (("plan", "--no"), 2)):
        done = doit(space.root, *words)
        assert (done.returncode, done.stdout, done.stderr) == space.run(*words)
        assert done.returncode == status
