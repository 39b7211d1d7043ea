"""`packyard plan`."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from packyard.tasks.engine.build.opening import open_workspace
from packyard.tasks.engine.store.runs import recall
from packyard.tasks.kinds import TABLE

from tests.tasks.commands.conftest import MANIFEST, Space, Tree

APP = """\
[project]
name = "app"
version = "1.0"

[tool.flavor]
entry_point = "app:main"
"""
NEVER = """\
stale    archive:inner
           it was never built here
waiting  archive:outer
           archive:inner is not done
1 stale, 1 waiting
"""


def test_plan_before_the_first_build_names_all(space: Space) -> None:
    assert space.output("plan") == NEVER


def test_plan_of_fresh_targets_is_nothing_to_do(space: Space) -> None:
    space.build()
    assert space.output("plan") == "nothing to do: 2 targets fresh\n"


def test_plan_after_an_edit_names_file_and_those_who_wait(space: Space) -> None:
    space.build()
    space.write("src/a.txt", "other\n")
    space.write("src/b.txt", "new\n")
    assert space.output("plan") == (
        "stale    archive:inner\n"
        "           src/a.txt changed\n"
        "           src/b.txt is new\n"
        "waiting  archive:outer\n"
        "           archive:inner is not done\n"
        "1 stale, 1 waiting\n"
    )


def test_plan_names_the_nearest_earlier_run_and_what_differs(space: Space) -> None:
    space.write("src/b.txt", "b\n")
    space.build()
    run = next(recall(space.root.parent / "cache/store", "archive:inner"))
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.at))
    space.write("src/a.txt", "other\n")
    space.write("src/b.txt", "other too\n")
    space.build()
    space.write("src/a.txt", "a\n")
    space.write("src/b.txt", "a third\n")
    assert space.output("plan", "archive:inner") == (
        "stale    archive:inner\n"
        "           src/a.txt changed\n"
        "           src/b.txt changed\n"
        f"           compared with the nearest run, {when} here:\n"
        "             src/b.txt changed\n"
        "1 stale\n"
    )


def test_plan_of_many_reasons_sums_them_up(space: Space) -> None:
    space.build()
    for number in range(10):
        space.write(f"src/{number}.txt", "new\n")
    shown = "".join(f"           src/{number}.txt is new\n" for number in range(7))
    assert space.output("plan", "archive:inner") == (
        f"stale    archive:inner\n{shown}           and 3 more (--json lists all)\n1 stale\n"
    )


def test_plan_of_an_artifact_path_takes_its_target(space: Space) -> None:
    space.build()
    (space.root / "dist/inner-0.1.0.tar.gz").unlink()
    assert space.output("plan", "dist/inner-0.1.0.tar.gz") == (
        "stale    archive:inner\n           dist/inner-0.1.0.tar.gz is missing\n1 stale\n"
    )


def test_plan_in_a_folder_below_takes_paths_from_there(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    space.build()
    monkeypatch.chdir(space.root / "src")
    assert space.output("plan", "../dist/outer-0.2.0.zip") == "nothing to do: 2 targets fresh\n"


def test_plan_as_json_has_every_verdict(space: Space) -> None:
    assert json.loads(space.output("plan", "--json")) == [
        {"name": "archive:inner", "state": "stale", "reasons": ["it was never built here"], "nearest": None},
        {"name": "archive:outer", "state": "waiting", "reasons": ["archive:inner is not done"], "nearest": None},
    ]


def test_plan_writes_nothing(space: Space, tree: Tree) -> None:
    before = tree(space.root)
    space.run("plan")
    assert tree(space.root) == before
    assert not (space.root.parent / "cache").exists()


def test_plan_of_an_unknown_target_is_a_usage_error(space: Space) -> None:
    assert space.run("plan", "archive:iner") == (
        2,
        "",
        "error: 'archive:iner' is neither a target nor a command\n  hint: did you mean 'archive:inner'?\n",
    )


def test_plan_of_a_broken_workspace_names_file_and_key(space: Space) -> None:
    space.write("packyard.toml", '[workspace]\nname = "small"\nmembrs = ["apps/*"]\n')
    status, out, err = space.run("plan")
    assert (status, out) == (1, "")
    assert err == "error: packyard.toml: workspace.membrs: unknown key\n  hint: did you mean 'members'?\n"


def test_plan_outside_a_workspace_says_how_to_start_one(space: Space) -> None:
    (space.root / "packyard.toml").unlink()
    assert space.run("plan") == (
        1,
        "",
        f"error: {space.root}: no packyard.toml here or in a folder above\n  hint: 'packyard init' writes one\n",
    )


QUESTIONS = (["plan"], ["list"], ["graph"], ["info", "bundle:app"], ["why", "bundle:app"])


def test_question_makes_no_key_and_a_run_makes_one(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    config = space.root.parent / "config"
    monkeypatch.setenv("PACKYARD_CONFIG_DIR", str(config))
    for name in ("PACKYARD_PRIVATE_KEY", "PACKYARD_KEY_SEED", "FLAVOR_SEED"):
        monkeypatch.delenv(name, raising=False)
    space.write("packyard.toml", MANIFEST.replace('name = "small"\n', 'name = "small"\nmembers = ["app"]\n'))
    space.write("app/pyproject.toml", APP)
    space.write("app/app.py", "def main():\n    pass\n")
    for words in QUESTIONS:
        _, _, err = space.run(*words)
        assert (err, config.exists()) == ("", False), words
    planned = open_workspace(space.root, TABLE, readonly=True).graph.targets["bundle:app"]
    assert planned.params["public_key"] == ""
    run = open_workspace(space.root, TABLE)
    made = run.graph.targets["bundle:app"]
    assert list(config.iterdir()) == [config / "development.key"]
    assert len(made.params["public_key"]) == 64
    (waited,) = planned.prepares
    assert (waited.path, waited.planned) == (str(config / "development.key"), True)
    assert made == replace(planned, params={**planned.params, "public_key": made.params["public_key"]}, prepares=())
    # Stock doit reads the graph before it knows that this is a run.
    (config / "development.key").unlink()
    run.keep_graph()
    run.trace.close()
    early = open_workspace(space.root, TABLE, readonly=True)
    late = early.reopened()
    assert late.graph.targets["bundle:app"].params["public_key"] not in ("", made.params["public_key"])
    late.trace.close()


def test_release_is_refused_as_not_yet_supported(space: Space) -> None:
    for words in (("release",), ("plan", "release")):
        assert space.run(*words) == (
            2, "",
            "error: 'release' is not supported yet\n"
"  hint: 'packyard check --summary' lists the artifacts with their digests\n",
        )  # fmt: skip
