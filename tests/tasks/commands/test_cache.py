"""`packyard cache`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packyard.tasks.engine.build.opening import open_workspace
from packyard.tasks.engine.store.store import Store
from packyard.tasks.kinds import TABLE

from tests.tasks.commands.conftest import Space


def store_of(space: Space) -> Store:
    return Store(open_workspace(space.root, TABLE, readonly=True).store_folder)


def test_cache_stats_tells_what_is_there(space: Space) -> None:
    space.build()
    lines = space.output("cache", "stats").splitlines()
    assert lines[0] == f"folder   {store_of(space).folder}"
    assert lines[1].endswith(", no limit")
    assert lines[2:5] == ["results  2", "blobs    3", "trees    0"]  # both logs are empty, so they are one blob
    assert lines[5].startswith("oldest   last used ")


def test_cache_stats_json_has_the_limit_of_the_manifest(space: Space) -> None:
    space.write("packyard.toml", (space.root / "packyard.toml").read_text() + '\n[cache]\nlimit = "2 kB"\n')
    assert json.loads(space.output("cache", "stats", "--json"))["limit"] == 2_000


def test_cache_gc_without_a_limit_says_what_to_do(space: Space) -> None:
    assert space.run("cache", "gc") == (
        2,
        "",
        "error: no size limit is set\n  hint: set [cache] limit in packyard.toml, or give --limit\n",
    )


def test_cache_gc_keeps_below_the_limit_and_a_build_goes_on(space: Space) -> None:
    space.build()
    kept = {path.name: path.read_bytes() for path in (space.root / "dist").iterdir()}
    said = space.output("cache", "gc", "--limit", "1 B")
    assert said.startswith("removed 2 results, 3 blobs, 0 trees, 0 downloads: ")
    space.write("README.md", "other\n")
    assert space.build() == {"archive:outer": "ran"}  # the inner archive lies in dist/ and is taken from there
    assert (space.root / "dist/inner-0.1.0.tar.gz").read_bytes() == kept["inner-0.1.0.tar.gz"]


def test_cache_gc_takes_the_limit_of_the_manifest(space: Space) -> None:
    space.build()
    space.write("packyard.toml", (space.root / "packyard.toml").read_text() + '\n[cache]\nlimit = "1 B"\n')
    assert space.output("cache", "gc").startswith("removed 2 results")


def test_cache_clear_beside_a_build_gives_up(space: Space) -> None:
    space.build()
    store = store_of(space)
    store.hold()
    assert space.run("cache", "clear") == (
        1,
        "",
        "error: a build is using the store; nothing was removed\n  hint: try again when it is done\n",
    )
    store.close()
    assert space.output("cache", "clear").endswith("; 0 B left\n")


def test_cache_verify_finds_damage_and_the_next_build_repairs_it(space: Space) -> None:
    space.build()
    assert space.output("cache", "verify").endswith(": all intact\n")
    store = store_of(space)
    record = open_workspace(space.root, TABLE, readonly=True).trace.record("archive:inner")
    assert record is not None
    digest = record.outputs[""].digest
    path = store.folder / "blob" / digest[:2] / digest[2:]
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    status, out, err = space.run("cache", "verify")
    assert (status, err) == (1, "")
    assert out.splitlines()[0] == f"corrupt  blob {digest}, removed"
    assert out.endswith(": 1 corrupt: the next build makes them again\n")
    space.write("README.md", "other\n")
    assert space.build()["archive:outer"] == "ran"


@pytest.mark.parametrize("words", [(), ("sweep",), ("gc", "--limit", "much")])
def test_cache_with_wrong_words_is_a_usage_error(space: Space, words: tuple[str, ...]) -> None:
    assert space.run("cache", *words)[0] == 2


def test_cache_outside_a_workspace_looks_at_the_users_store(
    space: Space, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    space.build()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert json.loads(space.output("cache", "stats", "--json"))["results"] == 2


def test_cache_of_a_workspace_lies_where_its_manifest_says(
    space: Space, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PACKYARD_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "unused"))
    space.write("packyard.toml", (space.root / "packyard.toml").read_text() + '\n[cache]\ndirectory = "../shared"\n')
    space.build()
    assert json.loads(space.output("cache", "stats", "--json"))["results"] == 2
    assert (tmp_path / "shared/store/v2/blob").is_dir()
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("words", [("cache", "stats"), ("plan",), ("lock",)])
def test_cache_of_a_relative_variable_is_one_error(
    space: Space, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    space.build()
    space.write("web/pyproject.toml", '[project]\nname = "web"\nversion = "1"\n[build-system]\nrequires = ["x"]\n')
    manifest = (space.root / "packyard.toml").read_text()
    space.write("packyard.toml", manifest.replace("[workspace]", '[workspace]\nmembers = ["web"]'))
    monkeypatch.setenv("PACKYARD_CACHE_DIR", "cache")
    assert space.run(*words) == (
        1,
        "",
        "error: PACKYARD_CACHE_DIR: 'cache' is relative; expected an absolute path\n"
        "  hint: a folder in one workspace is [cache] directory in packyard.toml\n",
    )
    assert not (space.root / "cache").exists()
