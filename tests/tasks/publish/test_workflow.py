"""Workflows: their texts for a workspace, against the published schema, and what becomes of a file that was edited."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from packyard.formats.errors import FormatError
from packyard.tasks.publish.workflow import workflows
from packyard.tasks.publish.workflowtexts import ACTIONS
from packyard.tasks.workspace.workspace import read_workspace

jsonschema = pytest.importorskip("jsonschema")
pytest.importorskip("check_jsonschema")

SCHEMA = files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-workflows.json"
MANIFEST = """\
[workspace]
name = "odyssey"
members = ["mojo/*"]

[toolchain]
mojo = "1.0.0"
python = "3.13"

[[archive]]
name = "benchmarks"
version = "0.1.0"
include = ["scripts/benchmarks", "mojo:tensor", "notes/**"]
smoke = ["./scripts/benchmarks/run_all.sh"]

[[docs]]
name = "guide"
version = "0.1.0"
"""
FILES = {
    "packyard.toml": MANIFEST,
    "mojo/tensor/mojo.toml": '[project]\nname = "tensor"\nversion = "0.1.0"\n',
    "mojo/tensor/__init__.mojo": "",
    "scripts/benchmarks/run_all.sh": "#!/bin/sh\n",
    "docs/index.md": "# Guide\n",
    "mkdocs.yml": "site_name: Guide\n",
}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, FILES)
    return tmp_path


def write(root: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def texts(root: Path) -> dict[str, str]:
    return {Path(one.path).stem: one.text for one in workflows(read_workspace(root), "0.1.0")}


def read(text: str) -> Any:
    values = yaml.safe_load(text)
    values["on"] = values.pop(True)  # YAML 1.1, which PyYAML reads, takes `on` for a boolean
    return values


def states(root: Path) -> dict[str, str]:
    return {Path(one.path).stem: one.state for one in workflows(read_workspace(root), "0.1.0")}


@pytest.mark.parametrize(
    "change",
    [
        "",
        '[sign]\nseed_env = "RELEASE_SEED"\n',
        '[sign]\nkey = "keys/release key.pem"\n',
        f'[ci.pins]\n"actions/checkout" = "{COMMIT}"\n',
        '[cache]\ndirectory = ".store"\n',
    ],
)
def test_workflows_meet_the_published_schema(root: Path, change: str) -> None:
    (root / "packyard.toml").write_text(MANIFEST + change)
    validator = jsonschema.validators.validator_for(json.loads(SCHEMA.read_text()))
    schema = validator(json.loads(SCHEMA.read_text()))
    found = texts(root)
    assert list(found) == ["package", "benchmark", "docs"]
    for name, text in found.items():
        assert [error.message for error in schema.iter_errors(read(text))] == [], name
        assert "@" not in [part for part in text.split() if part.startswith("@")]


def test_schema_refuses_what_is_no_workflow() -> None:
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert list(validator.iter_errors({"on": {"push": {"branch": ["main"]}}, "jobs": {}}))


def test_workflows_run_on_what_they_are_for(root: Path) -> None:
    found = {name: read(text)["on"] for name, text in texts(root).items()}
    assert found["package"]["push"] == {"branches": ["main"], "tags": ["v*", "*-v*"]}
    assert found["package"]["pull_request"]["paths"] == [
        "mojo/*/**",
        "scripts/benchmarks",
        "scripts/benchmarks/**",
        "notes/**",
        "docs/**",
        "mkdocs.yml",
        "packyard.toml",
        "packyard.lock",
        "pylock.*.toml",
        "uv.lock",
        "README.md",
        "CHANGELOG.md",
        "LICENSE*",
        "templates/**",
        ".github/workflows/package.yml",
    ]
    assert found["benchmark"]["push"] == found["docs"]["push"] == {"branches": ["main"]}
    assert found["benchmark"]["schedule"] == [{"cron": "0 0 * * 0"}]


def test_package_workflow_runs_on_what_each_site_is_made_from(root: Path) -> None:
    write(
        root,
        {
            "packyard.toml": MANIFEST
            + '[[docs]]\nname = "api"\nversion = "0.1.0"\nconfig = "web/mkdocs.yml"\ninclude = ["CHANGELOG.md"]\n'
            + '[[docs]]\nname = "more"\nversion = "0.1.0"\nsource = "more"\nconfig = "more.yml"\n',
            "web/mkdocs.yml": (
                "site_name: A\ndocs_dir: pages\ntheme: {name: null, custom_dir: theme}\nhooks: [hook.py]\n"
            ),
            "web/hook.py": "",
        },
    )
    paths = read(texts(root)["package"])["on"]["pull_request"]["paths"]
    assert paths[4 : paths.index("packyard.toml")] == [
        "docs/**", "mkdocs.yml", "web/pages/**", "web/mkdocs.yml", "CHANGELOG.md", "web/theme/**", "web/hook.py",
        "more/**", "more.yml",
    ]  # fmt: skip


def test_workflows_name_actions_by_release_and_pins_by_commit(root: Path) -> None:
    def used(root: Path) -> set[str]:
        jobs = [job for text in texts(root).values() for job in read(text)["jobs"].values()]
        return {step["uses"] for job in jobs for step in job["steps"] if "uses" in step}

    assert used(root) == {f"{action}@{release}" for action, release in ACTIONS.items()}
    (root / "packyard.toml").write_text(MANIFEST + f'[ci.pins]\n"actions/checkout" = "{COMMIT}"\n')
    assert f"actions/checkout@{COMMIT}" in used(root)
    assert f"uses: actions/checkout@{COMMIT} # v4\n" in texts(root)["package"]


def test_workflows_give_secrets_to_the_environment_alone(root: Path) -> None:
    (root / "packyard.toml").write_text(MANIFEST + '[sign]\nseed_env = "RELEASE_SEED"\n')
    job = read(texts(root)["package"])["jobs"]["package"]
    assert job["env"] == {"RELEASE_SEED": "${{ secrets.RELEASE_SEED || 'a seed that everyone knows' }}"}
    for text in texts(root).values():
        steps = [step for job in read(text)["jobs"].values() for step in job["steps"]]
        assert not [step for step in steps if "${{" in step.get("run", "")], "an expression in a script is injected"


def test_workflows_are_written_for_what_the_workspace_has(root: Path) -> None:
    (root / "packyard.toml").write_text(
        '[workspace]\nname = "odyssey"\nmembers = ["mojo/*"]\n[toolchain]\nmojo="1.0.0"\n'
    )
    assert list(texts(root)) == ["package"]


def test_workflow_of_a_workspace_that_is_one_member_runs_on_every_pull_request(tmp_path: Path) -> None:
    write(tmp_path, {"packyard.toml": '[workspace]\nname = "a"\nmembers = ["."]\n'})
    write(tmp_path, {"pyproject.toml": '[project]\nname = "Packyard"\nversion = "1.0"\n'})
    text = texts(tmp_path)["package"]
    assert read(text)["on"]["pull_request"] is None
    assert "run: python -m pip install ./\n" in text


def test_workflow_state_tells_an_edited_file_from_an_old_one(root: Path) -> None:
    assert states(root) == {"package": "missing", "benchmark": "missing", "docs": "missing"}
    write(root, {f".github/workflows/{name}.yml": text for name, text in texts(root).items()})
    assert states(root) == {"package": "current", "benchmark": "current", "docs": "current"}
    (root / "packyard.toml").write_text(MANIFEST.partition("[[docs]]")[0].replace("3.13", "3.12"))
    assert states(root) == {"package": "outdated", "benchmark": "outdated", "docs": "needless"}
    package = root / ".github/workflows/package.yml"
    package.write_text(package.read_text() + "# mine\n")
    write(root, {".github/workflows/docs.yml": "name: my own\n"})
    assert states(root) == {"package": "edited", "benchmark": "outdated", "docs": "current"}


def test_workflow_template_of_the_workspace_goes_before_the_built_in_one(root: Path) -> None:
    write(root, {"templates/docs_workflow.yml": "name: Ours\non: push\njobs:\n  a:\n    steps:\n      @setup@\n"})
    text = texts(root)["docs"]
    assert "\nname: Ours\n" in text
    assert read(text)["jobs"]["a"]["steps"][1]["with"]["python-version"] == "3.13"


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (
            "templates/docs_workflow.yml",
            "name: @sit@\n",
            "templates/docs_workflow.yml:1: unknown place '@sit@'\n  hint: did you mean '@sites@'?",
        ),
        (
            "templates/docs_workflow.yml",
            "name: [\n",
            "templates/docs_workflow.yml: line 2 of what it gives: is not YAML: "
            "expected the node content, but found '<stream end>'",
        ),
        (
            "packyard.toml",
            MANIFEST + '[ci.pins]\n"actions/chekout" = "main"\n',
            "packyard.toml: ci.pins.actions/chekout: 'main' is not a commit; expected 40 hexadecimal digits",
        ),
        (
            "packyard.toml",
            MANIFEST + f'[ci.pins]\n"actions/chekout" = "{COMMIT}"\n',
            "packyard.toml: ci.pins.actions/chekout: 'actions/chekout' is not an action of the built-in workflows\n"
            f"  hint: known: {', '.join(ACTIONS)}",
        ),
    ],
)
def test_workflow_problems_are_said_with_their_place(root: Path, path: str, text: str, message: str) -> None:
    write(root, {path: text})
    with pytest.raises(FormatError) as caught:
        texts(root)
    assert str(caught.value) == message
