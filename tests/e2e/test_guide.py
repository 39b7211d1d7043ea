"""What receivers get beside the artifacts: installers, README.md, INSTALL.md. Their commands are run as printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Space

WORKSPACE = """\
[workspace]
name = "tools"
members = ["morloc/*"]
distribute = true

[[archive]]
name = "scripts"
version = "0.1.0"
include = ["scripts"]

[[archive]]
name = "pages"
version = "0.2.0"
format = "zip"
include = ["scripts/run.sh", "LICENSE"]
"""
PACKAGE = "name: flat\nversion: 0.3.0\nlicense: MIT\nsynopsis: flat things\n"


@pytest.fixture
def space(make_space: Callable[[str], Space]) -> Space:
    space = make_space("tools")
    space.write("packyard.toml", WORKSPACE)
    space.write("LICENSE", "as you like\n")
    space.write("scripts/run.sh", "#!/bin/sh\necho it runs\n").chmod(0o755)
    space.write("scripts/data.txt", "data\n")
    space.write("morloc/flat/package.yaml", PACKAGE)
    space.write("morloc/flat/main.loc", "module flat (area)\narea a = a\n")
    return space


def commands(text: str, section: str) -> list[str]:
    """The commands below the heading of a section, in order."""
    body = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [line[4:] for line in body.splitlines() if line.startswith("    ")]


def try_out(dist: Path, home: Path, lines: list[str]) -> list[str]:
    """Give the commands one after the other in a copy of dist/, with an empty home; what is installed after each."""
    shutil.copytree(dist, home / "dist")
    tools = home / "tools"
    tools.mkdir()
    typings = Path(__file__).parents[2] / "typings"
    (tools / "packyard").write_text(
        f'#!/bin/sh\nPYTHONPATH="{typings}" exec "{sys.executable}" -m packyard.tasks "$@"\n'
    )
    (tools / "packyard").chmod(0o755)
    env = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    found = []
    for line in lines:
        done = subprocess.run(
            ["sh", "-euc", line], cwd=home / "dist", env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        local = [path for path in (home / ".local").rglob("*") if path.is_file() and "packyard" not in path.parts]
        found.append(" ".join(sorted(path.relative_to(home).as_posix() for path in local)))
    return found


def test_guides_tell_of_everything_and_are_by_name_only(space: Space) -> None:
    assert "guide:README.md" not in space.packyard().out
    done = space.packyard("dist/README.md", "dist/INSTALL.md")
    assert done.ran == ["guide:INSTALL.md", "guide:README.md", "installer:flat", "installer:pages", "installer:scripts"]
    readme, install = space.text("dist/README.md"), space.text("dist/INSTALL.md")
    assert re.findall(r"^\| `(\S+)` \| (.*?) \| (\S+) \| (.*?) \| \d+ \| `[0-9a-f]{64}` \|$", readme, re.M) == [
        ("flat-0.3.0.morloc.tar.gz", "a morloc package: flat things", "0.3.0", "MIT"),
        ("pages-0.2.0.zip", "an archive", "0.2.0", "not stated"),
        ("scripts-0.1.0.tar.gz", "an archive", "0.1.0", "not stated"),
    ]
    assert "- morloc: `flat-0.3.0.morloc.tar.gz`\n" in readme
    assert "- MIT: `flat-0.3.0.morloc.tar.gz`\n" in readme
    assert re.findall(r"^## (.*)$", install, re.M) == ["flat 0.3.0", "pages 0.2.0", "scripts 0.1.0"]
    assert space.packyard("guide:README.md", "guide:INSTALL.md").out.startswith("nothing to do: ")
    space.append("scripts/data.txt", "more\n")
    made = space.packyard("guide:README.md", "guide:INSTALL.md").ran
    assert made == ["archive:scripts", "guide:INSTALL.md", "guide:README.md", "installer:scripts"]
    space.expect_nothing()


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_commands_of_the_guide_work_as_printed(space: Space, tmp_path: Path) -> None:
    space.packyard("guide:INSTALL.md")
    text = space.text("dist/INSTALL.md")
    lines = commands(text, "scripts 0.1.0")
    assert lines == [
        "sh install_scripts.sh --dry-run",
        "sh install_scripts.sh",
        "sh install_scripts.sh --uninstall",
        "mkdir scripts",
        "tar -xzf scripts-0.1.0.tar.gz -C scripts",
        "rm -r scripts",
    ]
    placed = ".local/share/scripts/scripts/data.txt .local/share/scripts/scripts/run.sh"
    assert try_out(space.root / "dist", tmp_path / "a", lines) == ["", placed, "", "", "", ""]
    try_out(space.root / "dist", tmp_path / "b", commands(text, "pages 0.2.0"))
    lines = commands(text, "flat 0.3.0")
    assert lines == [
        "sh install_flat.sh --dry-run",
        "sh install_flat.sh",
        "sh install_flat.sh --uninstall",
        "packyard install ./flat-0.3.0.morloc.tar.gz --to morloc",
        "packyard uninstall flat --to morloc",
    ]
    placed = (
        ".local/share/morloc/fdb/flat.module .local/share/morloc/src/morloc/plane/default/flat/main.loc "
        ".local/share/morloc/src/morloc/plane/default/flat/package.yaml"
    )
    assert try_out(space.root / "dist", tmp_path / "c", lines)[:3] == ["", placed, ""]


def test_installer_puts_the_archive_in_place(space: Space, tmp_path: Path) -> None:
    space.packyard("installer:scripts", "installer:pages")
    assert os.access(space.root / "dist/install_scripts.sh", os.X_OK)
    for name, run in (("scripts", "scripts/scripts/run.sh"), ("pages", "pages/scripts/run.sh")):
        script = space.root / f"dist/install_{name}.sh"
        subprocess.run([script, "--prefix", tmp_path / "p"], check=True, capture_output=True)
        assert subprocess.check_output([tmp_path / "p/share" / run]) == b"it runs\n"
    space.append("LICENSE", "more\n")
    space.packyard()
    script = space.root / "dist/install_pages.sh"
    done = subprocess.run([script, "--prefix", tmp_path / "q"], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(
        r"error: .*/dist/pages-0.2.0.zip is not the file that was built \(its SHA-256 is not [0-9a-f]{64}\)\n",
        done.stderr,
    )
    assert not (tmp_path / "q").exists()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_installer_of_a_morloc_package_brings_the_members_that_it_needs(space: Space, tmp_path: Path) -> None:
    """What it makes is what `packyard install` makes, but for our own notes; others must be there before."""
    more = "dependencies: [flat, root]\nexpose: {cpp: [include]}\n"
    space.write("morloc/flat-cpp/package.yaml", PACKAGE.replace("flat", "flat-cpp") + more)
    space.write(
        "morloc/flat-cpp/main.loc",
        'module flat-cpp (*)\nimport flat\nimport root\nsource Cpp from "include/f.hpp" ("f")\n',
    )
    space.write("morloc/flat-cpp/include/f.hpp", "// f\n")
    space.packyard("installer:flat-cpp", "installer:flat", "guide:INSTALL.md")
    assert "\nA morloc package: flat-cpp things, for morloc with root in its home.\n" in space.text("dist/INSTALL.md")
    scripts = [space.root / f"dist/install_{name}.sh" for name in ("flat-cpp", "flat")]
    assert subprocess.run(["shellcheck", *scripts], check=False).returncode == 0
    home = tmp_path / "p/share/morloc"
    root = home / "src/morloc/plane/default/root"

    def run(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
        argv = ["sh", script, "--prefix", tmp_path / "p", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    done = run(scripts[0])
    assert (done.returncode, done.stderr) == (
        1,
        f"error: flat-cpp 0.3.0 requires the morloc package root, which is not in {root}: install it first\n",
    )
    assert not (tmp_path / "p").exists()
    root.mkdir(parents=True)
    (root / "package.yaml").write_text("name: root\nversion: 0.1.0\n")
    (root / "main.loc").write_text("module root (*)\n")
    assert run(scripts[0]).returncode == run(scripts[1]).returncode == 0
    made = {path.relative_to(home).as_posix(): path.read_text() for path in home.rglob("*") if path.is_file()}
    space.packyard("install", "./morloc/flat-cpp", str(root), "--to", "home")
    other = {
        path.relative_to(space.root / "home").as_posix(): path.read_text()
        for path in (space.root / "home").rglob("*")
        if path.is_file()
    }
    wanted = {
        path: text for path, text in other.items() if not path.startswith("packyard/") and path != "fdb/root.module"
    }
    assert made.keys() == wanted.keys()
    for path, text in made.items():
        if path.startswith("fdb/"):
            ours, theirs = json.loads(text), json.loads(wanted[path])
            assert {**ours, "install_source": "", "install_reason": ""} == {
                **theirs, "install_source": "", "install_reason": "",
            }  # fmt: skip
        else:
            assert text == wanted[path]
    assert run(scripts[0], "--uninstall").returncode == 0
    assert (home / "src/morloc/plane/default/flat/main.loc").is_file()  # installed by its own script, too
    assert not (home / "src/morloc/plane/default/flat-cpp").exists()


def test_templates_of_the_workspace_take_the_place_of_ours(space: Space) -> None:
    space.packyard("guide:README.md", "guide:INSTALL.md")
    space.write("templates/package_readme.md", "# @name@ of Example Ltd.\n\n@contents@\n")
    space.write("templates/install_instructions.md", "# Get @title@\n\nAsk us.\n\n@sections@\n")
    assert space.packyard("guide:README.md", "guide:INSTALL.md").ran == ["guide:INSTALL.md", "guide:README.md"]
    assert space.text("dist/README.md").startswith("# tools of Example Ltd.\n\n| file | description |")
    assert space.text("dist/INSTALL.md").startswith("# Get tools\n\nAsk us.\n\nRun each command")
    space.write("templates/package_readme.md", "# @nam@\n")
    assert space.packyard(status=1).err == (
        "error: templates/package_readme.md:1: unknown place '@nam@'\n  hint: did you mean '@name@'?\n"
    )


def test_workspace_that_does_not_distribute_has_neither(space: Space) -> None:
    space.replace("packyard.toml", "distribute = true", "distribute = false")
    assert not re.search("installer:|guide:", space.packyard("list", "--all", "--quiet").out)


def test_products_of_one_name_have_installers_of_their_own(space: Space) -> None:
    space.append("packyard.toml", '\n[[docs]]\nname = "scripts"\nversion = "1.0.0"\n')
    space.write("mkdocs.yml", "site_name: X\n")
    space.write("docs/index.md", "# X\n")
    listed = space.packyard("list", "--all", "--quiet").out.split()
    assert {"installer:scripts", "installer:scripts.docs", "installer:pages", "installer:flat"} == {
        name for name in listed if name.startswith("installer:")
    }
