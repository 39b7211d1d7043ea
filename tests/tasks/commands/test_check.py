"""The checklist on archives: what passes, what fails with which fix, and what is printed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

import pytest
from packyard.tasks.publish.checklist.checklist import COMMON, ITEMS

from tests.tasks.commands.conftest import Space

Git = Callable[..., str]

MANIFEST = """\
[workspace]
name = "small"

[[archive]]
name = "tools"
version = "0.1.0"
include = ["scripts", "README.md", "LICENSE"]
smoke = ["./scripts/run_all.sh"]
"""


@pytest.fixture
def git(space: Space, monkeypatch: pytest.MonkeyPatch) -> Git:
    config = space.root.parent / "gitconfig"
    config.write_text('[user]\n    name = "A"\n    email = "a@b.invalid"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.fspath(config))

    def run(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=space.root, check=True, capture_output=True, text=True)
        return done.stdout

    return run


@pytest.fixture
def tools(space: Space, git: Git) -> Space:
    """A workspace of one tooling archive in git, with all that the checklist asks for but artifacts."""
    space.write("packyard.toml", MANIFEST)
    space.write("README.md", "# Tools\n\n## Install\n\nUnpack them.\n")
    space.write("LICENSE", "free\n")
    space.write("CHANGELOG.md", "# Changes\n\n## [0.1.0] - 2026-01-01\n\n- First.\n")
    space.write(".gitignore", "/dist/\n/site/\n/.packyard/\n")
    space.write("scripts/run_all.sh", "#!/bin/sh\nexit 0\n")
    (space.root / "scripts/run_all.sh").chmod(0o755)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    assert space.output("ci").startswith("wrote")
    return space


@pytest.fixture
def packaged(tools: Space) -> Space:
    tools.build()
    return tools


def failures(space: Space, *words: str) -> dict[str, tuple[str, str]]:
    """What failed, with the fix, by item."""
    _, out, err = space.run("check", "--json", *words)
    assert err == ""
    return {
        item["name"]: (item["text"], item["fix"]) for item in json.loads(out)["items"] if item["verdict"] == "failed"
    }


def test_check_passes_what_is_truly_packaged(packaged: Space) -> None:
    assert (
        packaged.output("check")
        == """\
tools 0.1.0, archive
  passed  artifact          dist/tools-0.1.0.tar.gz, 199 B
  passed  file name         tools-0.1.0.tar.gz
  passed  clean room        dist/tools-0.1.0.tar.gz.cleanroom.json: 2 of 2 checks passed
  passed  executable        scripts/run_all.sh
  passed  documentation     README.md
  passed  licence           LICENSE
  passed  semantic version  0.1.0
  passed  changelog         CHANGELOG.md: [0.1.0] - 2026-01-01
  -       tag               no tag here is for it; expected v0.1.0

small
  passed  workflows         .github/workflows/package.yml, .github/workflows/benchmark.yml
  passed  ignored by git    dist/, site/, .packyard/
  passed  not in git        no artifact is committed
  passed  installation      README.md
  passed  overview          README.md

13 passed, 0 failed, 1 skipped
"""
    )
    assert packaged.output("check", "-q") == "13 passed, 0 failed, 1 skipped\n"
    assert packaged.output("check", "-q", "tools") == "8 passed, 0 failed, 1 skipped\n"


def test_check_without_artifacts_passes_nothing_whatever_documents_exist(tools: Space) -> None:
    assert failures(tools) == {
        "artifact": ("dist/tools-0.1.0.tar.gz: it was never built here", "packyard archive:tools"),
        "file name": ("there is no file to check", "packyard archive:tools"),
        "clean room": ("it was never built here", "packyard cleanroom:tools"),
    }
    assert not (tools.root / "dist").exists()
    assert tools.run("check", "-q")[0] == 1


def test_check_notices_that_the_artifact_is_older_than_its_sources(packaged: Space) -> None:
    packaged.write("scripts/more.txt", "more\n")
    assert failures(packaged)["artifact"] == (
        "dist/tools-0.1.0.tar.gz: it is not up to date: scripts/more.txt is new", "packyard archive:tools",
    )  # fmt: skip
    assert failures(packaged)["clean room"] == (
        "it is not up to date: archive:tools: scripts/more.txt is new", "packyard cleanroom:tools",
    )  # fmt: skip


def test_check_tells_why_the_clean_room_failed(tools: Space) -> None:
    (tools.root / "scripts/run_all.sh").write_text("#!/bin/sh\necho no >&2\nexit 3\n")
    tools.build()
    assert failures(tools)["clean room"] == (
        "tools-0.1.0.tar.gz: 1 of 2 checks failed in the clean room; ./scripts/run_all.sh runs: it ended with status 3",
        "fix it, and run 'packyard cleanroom:tools'",
    )


@pytest.mark.parametrize(
    ("change", "item", "text", "fix"),
    [
        (
            lambda space: (space.root / "scripts/run_all.sh").chmod(0o644),
            "executable",
            "not executable: scripts/run_all.sh",
            "chmod +x scripts/run_all.sh, or packyard check --fix",
        ),
        (
            lambda space: space.write("packyard.toml", MANIFEST.replace('"README.md", ', "")),
            "documentation",
            "it contains no README that explains its usage",
            "add one to its include",
        ),
        (
            lambda space: space.write("packyard.toml", MANIFEST.replace(', "LICENSE"', "")),
            "licence",
            "it contains no LICENSE",
            'add "LICENSE" to its include',
        ),
        (
            lambda space: space.write("packyard.toml", MANIFEST.replace("smoke", "# smoke")),
            "clean room",
            "nothing says how to run it",
            'smoke = ["./run.sh"] in its [[archive]] is run from its copy',
        ),
        (
            lambda space: (space.root / "CHANGELOG.md").unlink(),
            "changelog",
            "there is no CHANGELOG.md",
            "write one with a heading '## [0.1.0] - DATE'",
        ),
        (
            lambda space: space.write("CHANGELOG.md", "## [0.1.0]\n\n## [0.0.9]\n\n- It.\n"),
            "changelog",
            "CHANGELOG.md says nothing about 0.1.0",
            "say there what changed, below '## [0.1.0]'",
        ),
        (
            lambda space: space.write("CHANGELOG.md", "## [Unreleased]\n\n- It.\n"),
            "changelog",
            "CHANGELOG.md has no entry for 0.1.0",
            "say there what changed, below '## [0.1.0]'",
        ),
        (
            lambda space: space.write(".gitignore", "/dist/\n"),
            "ignored by git",
            "git does not ignore site/ and .packyard/",
            "packyard check --fix",
        ),
        (
            lambda space: space.write("README.md", "# Tools\n"),
            "installation",
            "nothing says how to install it",
            "write INSTALL.md beside packyard.toml, or distribute = true in its [workspace]",
        ),
        (
            lambda space: (space.root / ".github/workflows/package.yml").unlink(),
            "workflows",
            ".github/workflows/package.yml is missing",
            "packyard ci",
        ),
        (
            lambda space: space.write(".github/workflows/package.yml", "name: mine\n"),
            "workflows",
            ".github/workflows/package.yml was edited by hand",
            "packyard ci",
        ),
    ],
)
def test_check_names_what_is_missing_and_the_fix(
    packaged: Space, change: Callable[[Space], object], item: str, text: str, fix: str
) -> None:
    change(packaged)
    assert failures(packaged)[item] == (text, fix)


def test_check_finds_artifacts_in_git(packaged: Space, git: Git) -> None:
    git("add", "-f", "dist/tools-0.1.0.tar.gz")
    assert failures(packaged)["not in git"] == (
        "dist/tools-0.1.0.tar.gz is committed", "git rm --cached dist/tools-0.1.0.tar.gz",
    )  # fmt: skip


def test_check_compares_the_tag_of_the_commit(packaged: Space, git: Git) -> None:
    git("tag", "v0.2.0")
    assert failures(packaged)["tag"] == (
        "the tag is v0.2.0, but the version is 0.1.0", "git tag -d v0.2.0, or change packyard.toml",
    )  # fmt: skip
    git("tag", "-d", "v0.2.0")
    git("tag", "tools-v0.1.0")
    git("tag", "others-v9.0.0")
    assert failures(packaged) == {}


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("v0.1.0", {}),
        ("tools-v0.1.0", {}),
        (
            "v0.2.0",
            {"tag": ("the tag is v0.2.0, but the version is 0.1.0", "git tag -d v0.2.0, or change packyard.toml")},
        ),
        (
            "nightly",
            {"release": ("'nightly' is not the tag of anything here", "a tag is one of vVERSION, tools-vVERSION")},
        ),
    ],
)
def test_check_of_a_release_compares_the_given_tag(
    packaged: Space, tag: str, found: dict[str, tuple[str, str]]
) -> None:
    assert failures(packaged, "--tag", tag) == found


def test_check_of_a_release_wants_a_date_in_the_changelog(packaged: Space) -> None:
    packaged.write("CHANGELOG.md", "## [0.1.0] - unreleased\n\n- It.\n")
    assert failures(packaged) == {}
    assert failures(packaged, "--tag", "v0.1.0") == {
        "changelog": ("CHANGELOG.md calls 0.1.0 unreleased", "replace that with the date")
    }


def test_check_fix_mends_what_needs_no_judgement(packaged: Space) -> None:
    packaged.write(".gitignore", "*.pyc\n/dist/")
    (packaged.root / "scripts/run_all.sh").chmod(0o644)
    out = packaged.run("check", "--fix", "-q")[1]
    assert out.startswith("fixed  .gitignore: /site/, /.packyard/\nfixed  scripts/run_all.sh: chmod +x\n")
    assert (packaged.root / ".gitignore").read_text() == "*.pyc\n/dist/\n/site/\n/.packyard/\n"
    assert failures(packaged) == {}


def test_check_build_makes_what_is_asked_for_first(tools: Space) -> None:
    status, out, err = tools.run("check", "--build", "-q")
    assert (status, err) == (0, "")
    assert out.endswith("\n13 passed, 0 failed, 1 skipped\n")
    status, out, err = tools.run("check", "--build", "--json")
    assert json.loads(out)["counts"] == {"passed": 13, "skipped": 1}
    assert err.startswith("nothing to do: ")


def test_check_summary_is_what_a_pull_request_says(packaged: Space) -> None:
    (packaged.root / "CHANGELOG.md").unlink()
    digest = packaged.output("dumpdb", "archive:tools")
    sha256 = json.loads(digest)["outputs"][""]["digest"]
    assert (
        packaged.output("check", "--summary")
        == f"""\
## Artifacts

| artifact | size | SHA-256 |
|---|---|---|
| `dist/tools-0.1.0.tar.gz` | 199 B | `{sha256}` |

## Checklist

12 of 13 items passed.

- [ ] tools 0.1.0: changelog: there is no CHANGELOG.md
"""
    )


def test_check_without_git_judges_the_rest(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", os.fspath(space.root.parent))
    items = json.loads(space.run("check", "--json")[1])["items"]
    skipped = {item["name"]: item["text"] for item in items if item["verdict"] == "skipped"}
    assert {skipped[name] for name in ("tag", "ignored by git", "not in git")} == {"this workspace is not in git"}


def test_check_of_an_unknown_name_is_a_usage_error(space: Space) -> None:
    assert space.run("check", "nix") == (2, "", "error: 'nix' has no items\n  hint: 'packyard check' lists all\n")


def test_every_item_has_a_sentence_that_says_what_it_wants() -> None:
    for judge in [*COMMON.values(), *(judge for items in ITEMS.values() for judge in items.values())]:
        assert judge.__doc__
        assert judge.__doc__.endswith(".")


# the other kinds, not built ---------------------------------------------------------------------------------------

BARE = {
    "packyard.toml": """\
[workspace]
name = "yard"
members = ["*/*"]
[toolchain]
mojo = "1.0.0"
[[meta]]
name = "whole"
version = "0.1.0"
members = ["tensor"]
""",
    "mojo/tensor/mojo.toml": '[project]\nname = "tensor"\nversion = "0.1.0"\n',
    "mojo/tensor/__init__.mojo": "def one() -> Int:\n    return 1\n",
    "mojo/nn/mojo.toml": '[project]\nname = "nn"\nversion = "0.1.0"\n',
    "mojo/nn/__init__.mojo": "def two() -> Int:\n    return 2\n",
    "morloc/geo/package.yaml": "name: geo\nversion: 0.1.0\n",
    "morloc/geo/main.loc": "module geo ()\n",
    "py/lib/pyproject.toml": '[project]\nname = "lib"\nversion = "1.2"\n',
}


@pytest.fixture
def bare(space: Space, git: Git) -> Space:
    """A Mojo package, a meta-package, a morloc package and a library, with manifests that say as little as they may."""
    for path in ("README.md", "src/a.txt"):
        (space.root / path).unlink()
    for path, text in BARE.items():
        space.write(path, text)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    return space


def failed_items(space: Space, *names: str) -> dict[str, dict[str, str]]:
    """What failed, by subject and item."""
    found: dict[str, dict[str, str]] = {}
    for item in json.loads(space.run("check", "--json", *names)[1])["items"]:
        if item["verdict"] == "failed":
            found.setdefault(item["subject"], {})[item["name"]] = item["text"]
    return found


def test_check_wants_of_each_kind_what_it_must_show(bare: Space) -> None:
    unmade = "it was never built here"
    found = failed_items(bare)
    assert list(found) == ["geo 0.1.0", "nn 0.1.0", "tensor 0.1.0", "whole 0.1.0", "yard"]  # a library alone is none
    assert found["tensor 0.1.0"] == {
        "artifact": f"dist/tensor-0.1.0.mojopkg: {unmade}",
        "file name": "there is no file to check",
        "imports": unmade,
        "examples": unmade,
        "verify script": f"dist/install_verify_tensor.sh: {unmade}",
        "manifest": "mojo/tensor/mojo.toml has no description, authors, license",
        "documentation": "there is no mojo/tensor/README.md",
        "licence": "there is no LICENSE",
        "dependencies": "the manifest beside the package is missing",
        "changelog": "there is no CHANGELOG.md",
    }
    assert found["geo 0.1.0"] == {
        "artifact": f"dist/geo-0.1.0.morloc.tar.gz: {unmade}",
        "file name": "there is no file to check",
        "clean room": unmade,
        "manifest": "morloc/geo/package.yaml has no synopsis, author, license",
        "documentation": "there is no morloc/geo/README.md",
        "licence": "there is no LICENSE",
        "changelog": "there is no CHANGELOG.md",
    }
    assert found["yard"] == {
        "workflows": ".github/workflows/package.yml is missing",
        "ignored by git": "git does not ignore dist/ and site/ and .packyard/",
        "installation": "nothing says how to install it",
        "overview": "no README says what is distributed",
    }


def test_check_fails_until_a_grown_meta_package_took_its_minor_step(bare: Space) -> None:
    assert "minor step" not in failed_items(bare, "whole")["whole 0.1.0"]
    manifest = bare.root / "packyard.toml"
    manifest.write_text(manifest.read_text().replace('members = ["tensor"]', 'members = ["tensor", "nn"]'))
    assert failed_items(bare, "whole")["whole 0.1.0"]["minor step"] == "'nn' is new in whole since 0.1.0"
    assert bare.output("bump") == (
        "a minor step is due, because 'nn' is new in whole since 0.1.0: packyard bump minor whole\n"
    )
    assert bare.run("bump", "patch", "whole")[1].startswith("packyard.toml  meta[0].version  0.1.0 -> 0.2.0  ('nn' is")
    assert "minor step" not in failed_items(bare, "whole")["whole 0.2.0"]
