"""Hooks before and after a build, run by the command as a user runs it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.applications import start

pytestmark = [pytest.mark.real, pytest.mark.long]

MANIFEST = """
[project]
name = "myapp"
version = "1.0.0"
dependencies = ["click"]

[tool.flavor]
entry_point = "myapp:main"

[tool.flavor.build]
pre_build = ["pytest -q -p no:cacheprovider", "myapp/scripts/prepare.py --colour 'deep red'"]
post_build = [
    "myapp/scripts/verify.py",
    ["python", "-c", "import click, os; print(os.path.basename(os.environ['PACKYARD_BUNDLE']))"],
]
hook_requires = ["pytest"]
hook_outputs = ["myapp/colours.py", "made/"]
exclude = ["tests"]

[[tool.flavor.slots]]
id = "made"
source = "made/"

[[tool.flavor.slots]]
id = "list"
source = "made/list.txt"
"""
FILES = {
    "myapp/__init__.py": """\
from pathlib import Path

def main():
    import packyard_runtime
    from myapp.colours import COLOUR
    print(COLOUR, (packyard_runtime.slot("made") / "deep/x.txt").read_text(), packyard_runtime.slot("list").read_text())
""",
    "myapp/scripts/prepare.py": """\
import pathlib, sys
import click, myapp
pathlib.Path("myapp/colours.py").write_text(f"COLOUR = {sys.argv[2]!r}\\n")
pathlib.Path("made/deep").mkdir(parents=True)
pathlib.Path("made/deep/x.txt").write_text("x")
pathlib.Path("made/list.txt").write_text("list")
""",
    "myapp/scripts/verify.py": """\
import os, subprocess, sys
done = subprocess.run([os.environ["PACKYARD_BUNDLE"]], capture_output=True, text=True)
sys.exit(0 if done.stdout == "deep red x list\\n" else f"it says {done.stdout!r}")
""",
    "tests/test_myapp.py": "import myapp\n\ndef test_main():\n    assert myapp.main\n",
}


@pytest.fixture
def project(app_in, tmp_path: Path):  # type: ignore[no-untyped-def]
    space = app_in("project", {**FILES, "pyproject.toml": MANIFEST})
    space.append("tests/test_myapp.py", f"# {tmp_path}\n")  # so that its hooks are its own, and run
    return space


def test_hooks_run_before_and_after_and_their_outputs_go_in(project, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = project.packyard("pack", "-v")
    assert {"hook:myapp/pre_build", "hook:myapp/post_build"} <= set(done.ran)
    assert "1 passed" in done.out
    run = r"packyard\.tasks\.kinds\.python\.make_hook:make_pre_build"
    assert re.search(rf"^hook:myapp/pre_build: {run}, key [0-9a-f]{{64}}$", done.out, re.M)
    assert re.search(r"^  \$ pytest -q -p no:cacheprovider$", done.out, re.M)
    assert "\n  myapp-1.0.0.psp\n" in done.out
    assert set(project.files()) == {*FILES, "pyproject.toml", "myapp-1.0.0.psp"}
    ran = start(project.root / "myapp-1.0.0.psp", home=tmp_path / "home")
    assert ran.stdout == "deep red x list\n", ran.stderr
    assert project.packyard("pack").ran == []
    # A test that changes is run again; what it does not change is not made again.
    project.append("tests/test_myapp.py", "\ndef test_more():\n    pass\n")
    assert project.packyard("pack").ran == ["hook:myapp/post_build", "hook:myapp/pre_build"]


@pytest.mark.parametrize(
    ("path", "old", "new", "hook", "words"),
    [
        ("tests/test_myapp.py", "assert myapp.main", "assert not myapp.main", "pre_build", "1 failed"),
        ("myapp/scripts/verify.py", "deep red", "blue", "post_build", "it says 'deep red x list"),
        ("myapp/scripts/prepare.py", '"made/list.txt"', '"made/other.txt"', "", "not as a file"),
        (
            "myapp/scripts/prepare.py",
            '"myapp/colours.py"',
            '"myapp/c.py"',
            "pre_build",
            "left no file 'myapp/colours.py'",
        ),
        ("pyproject.toml", "/prepare.py", "/prepar.py", "pre_build", "there is no file 'myapp/scripts/prepar.py'"),
        ("pyproject.toml", '"pytest -q', '"no-such-tool -q', "pre_build", "tools come from the dependencies"),
    ],
)
def test_failing_hook_fails_the_build(  # type: ignore[no-untyped-def]
    project, path: str, old: str, new: str, hook: str, words: str
) -> None:
    project.replace(path, old, new)
    done = project.packyard("pack", status=1)
    assert words in done.out
    assert not hook or f"hook:myapp/{hook}" in done.failed
    assert not (project.root / "myapp-1.0.0.psp").exists()


def test_declared_inputs_are_all_that_a_hook_sees(project) -> None:  # type: ignore[no-untyped-def]
    project.replace("pyproject.toml", "hook_requires", 'hook_inputs = ["myapp/**", "tests"]\nhook_requires')
    project.write("secret.txt", "s")
    project.append("myapp/scripts/prepare.py", "assert not pathlib.Path('secret.txt').exists()\n")
    project.packyard("pack")
    project.append("secret.txt", "t")
    assert "hook:myapp/pre_build" not in project.packyard("pack").ran
    project.replace("pyproject.toml", '"tests"]', '"nothing/*"]')
    assert (
        "pyproject.toml: tool.flavor.build.hook_inputs[1]: 'nothing/*' matches no file"
        in project.packyard("pack", status=1).err
    )


def test_buildconfig_goes_before_the_manifest(project) -> None:  # type: ignore[no-untyped-def]
    project.write(
        "buildconfig.toml", '[build]\npre_build = ["myapp/scripts/prepare.py --colour green"]\npost_build = []\n'
    )
    project.env["FOUNDATION_LOG_LEVEL"] = "debug"
    done = project.packyard("pack")
    run = r"packyard\.tasks\.kinds\.bundle\.make_bundle:make_bundle"
    assert re.search(rf"^bundle:myapp: {run}, key [0-9a-f]{{64}}$", done.out, re.M)
    assert "prepare.py --colour green" in done.out
    assert "1 passed" not in done.out
    assert "hook:myapp/post_build" not in done.ran


def test_local_folder_is_a_dependency(app_in, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    space = app_in("folders", {})
    space.write("lib/pyproject.toml", '[project]\nname = "mylib"\nversion = "0.1"\n[project.scripts]\nx = "mylib:x"\n')
    space.write("lib/mylib.py", "def x():\n    return 'from the library'\n")
    space.write(
        "app/pyproject.toml",
        '[project]\nname = "app"\nversion = "1"\n[tool.flavor]\nentry_point = "app:main"\n'
        '[tool.flavor.build]\npip = false\ndependencies = ["../lib"]\nextra_packages = ["six"]\n',
    )
    space.write("app/app.py", "import mylib, six\n\ndef main():\n    print(mylib.x(), six.PY3)\n")
    space.packyard("pack", "--manifest", "app/pyproject.toml")
    ran = start(space.root / "app-1.psp", home=tmp_path)
    assert ran.stdout == "from the library True\n"
