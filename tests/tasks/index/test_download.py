"""Fetching from an index on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from packyard.tasks.errors import ActionError
from packyard.tasks.index.download import download

from tests.index import Index, serving


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"})
    monkeypatch.setattr("packyard.tasks.index.download._PAUSES", (0, 0))
    index = Index()
    index.files["a.whl"] = b"content"
    with serving(index):
        yield index


def with_password(index: Index) -> str:
    index.password = "me:word"
    return f"http://me:word@127.0.0.1:{index.port}/simple/"


def test_download_signs_in_as_at_the_index(index: Index, tmp_path: Path) -> None:
    os.environ["UV_DEFAULT_INDEX"] = with_password(index)
    download(index.file_url("a.whl"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"content"


def test_download_without_the_password_says_where_to_put_it(index: Index, tmp_path: Path) -> None:
    with_password(index)
    with pytest.raises(ActionError) as error:
        download(f"http://me:wrong@127.0.0.1:{index.port}/files/a.whl", tmp_path / "a")
    assert str(error.value) == (
        f"{index.file_url('a.whl')} cannot be fetched: HTTP Error 401: Unauthorized\n"
        "  hint: put its user and password into the URL of UV_DEFAULT_INDEX or UV_INDEX, or into ~/.netrc"
    )


def test_download_gives_the_password_to_no_other_host(index: Index, tmp_path: Path) -> None:
    other = Index()
    other.files["a.whl"] = b"from elsewhere"
    with serving(other):
        index.moved["a.whl"] = other.file_url("a.whl")
        os.environ["UV_DEFAULT_INDEX"] = with_password(index)
        download(index.file_url("a.whl"), tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == b"from elsewhere"
        assert "Authorization" in index.headers[-1]
        assert "Authorization" not in other.headers[-1]


def test_download_tries_again_when_a_server_fails_and_not_for_ever(index: Index, tmp_path: Path) -> None:
    index.failures = 2
    download(index.file_url("a.whl"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"content"
    index.failures = 9
    with pytest.raises(ActionError, match="HTTP Error 503"):
        download(index.file_url("a.whl"), tmp_path / "b")
    assert index.failures == 6


def test_download_goes_through_the_proxy_but_where_none_is_wanted(index: Index, tmp_path: Path) -> None:
    os.environ["HTTP_PROXY"] = f"http://127.0.0.1:{index.port}"
    with pytest.raises(ActionError, match="404"):  # the index stands for a proxy, and has no such file
        download("http://other.example/a.whl", tmp_path / "a")
    assert index.headers[-1]["Host"] == "other.example"
    os.environ["NO_PROXY"] = "127.0.0.1"
    os.environ["HTTP_PROXY"] = "http://127.0.0.1:1"
    download(index.file_url("a.whl"), tmp_path / "b")
    os.environ["HTTP_PROXY"] = "socks5://me:word@127.0.0.1:1"
    with pytest.raises(ActionError) as error:
        download(index.file_url("a.whl"), tmp_path / "c")
    assert str(error.value) == "proxy type 'socks5' is not supported; expected an http or https proxy"


def test_download_that_is_switched_off_fetches_files_alone(index: Index, tmp_path: Path) -> None:
    os.environ["UV_OFFLINE"] = "1"
    (tmp_path / "here").write_text("here")
    download((tmp_path / "here").as_uri(), tmp_path / "a")
    with pytest.raises(ActionError) as error:
        download(index.file_url("a.whl"), tmp_path / "b")
    assert str(error.value) == (
        f"{index.file_url('a.whl')} was not fetched: downloads are disabled (--offline, UV_OFFLINE)"
    )
