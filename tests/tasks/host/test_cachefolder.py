from __future__ import annotations

from pathlib import Path

import pytest
from packyard.tasks.errors import PlanError
from packyard.tasks.host.cachefolder import cache_folder, store_folder


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's own folder for all caches, and no other setting."""
    monkeypatch.delenv("PACKYARD_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


@pytest.mark.parametrize(
    ("variable", "root", "directory", "expected"),
    [
        ("", None, "", "{user}/packyard"),
        ("", Path("/ws"), "", "{user}/packyard"),
        ("", Path("/ws"), "cache", "/ws/cache"),
        ("", Path("/ws"), "../cache", "/ws/../cache"),
        ("", Path("/ws"), "/shared/cache", "/shared/cache"),
        ("/mine", None, "", "/mine"),
        ("/mine", Path("/ws"), "cache", "/mine"),
    ],
)
def test_cache_is_where_variable_workspace_or_user_have_it(
    user: Path, monkeypatch: pytest.MonkeyPatch, variable: str, root: Path | None, directory: str, expected: str
) -> None:
    monkeypatch.setenv("PACKYARD_CACHE_DIR", variable)
    assert cache_folder(root, directory) == Path(expected.format(user=user))
    assert store_folder(root, directory) == Path(expected.format(user=user)) / "store"


@pytest.mark.parametrize("root", [None, Path("/ws")])
@pytest.mark.parametrize("variable", ["cache", "./cache", "~/cache", "."])
def test_cache_of_a_relative_variable_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, root: Path | None
) -> None:
    monkeypatch.setenv("PACKYARD_CACHE_DIR", variable)
    with pytest.raises(PlanError) as caught:
        cache_folder(root, "cache")
    assert str(caught.value) == (
        f"PACKYARD_CACHE_DIR: {variable!r} is relative; expected an absolute path\n"
        "  hint: a folder in one workspace is [cache] directory in packyard.toml"
    )
