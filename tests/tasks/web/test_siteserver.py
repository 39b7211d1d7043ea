from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from packyard.tasks.errors import ActionError
from packyard.tasks.web.siteserver import site_server

Got = tuple[int, str]


@pytest.fixture
def missed() -> list[str]:
    return []


@pytest.fixture
def address(tmp_path: Path, missed: list[str]) -> Iterator[str]:
    (tmp_path / "site/guide").mkdir(parents=True)
    (tmp_path / "site/empty").mkdir()
    (tmp_path / "site/index.html").write_text("home")
    (tmp_path / "site/guide/index.html").write_text("guide")
    (tmp_path / "secret").write_text("secret")
    with site_server(tmp_path / "site", 0, missed.append) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def get(address: str, method: str = "GET") -> Got:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_pages_are_served_and_nothing_above_them(address: str, missed: list[str]) -> None:
    assert get(f"{address}/") == (200, "home")
    assert get(f"{address}/guide/") == get(f"{address}/guide") == (200, "guide")
    assert get(f"{address}/guide/", "HEAD") == (200, "")
    assert missed == []
    assert get(f"{address}/%2e%2e/secret") == (404, "not found\n")
    assert get(f"{address}/empty/") == (404, "not found\n")
    assert missed == ["/%2e%2e/secret", "/empty/"]


def test_page_of_the_site_tells_what_is_not_there(address: str, tmp_path: Path) -> None:
    (tmp_path / "site/404.html").write_text("<h1>404</h1>")
    assert get(f"{address}/nope") == (404, "<h1>404</h1>")
    assert get(f"{address}/nope", "HEAD") == (404, "")
    assert get(f"{address}/", "POST")[0] == 501


def test_port_that_is_taken_is_told(address: str, tmp_path: Path) -> None:
    port = int(address.rpartition(":")[2])
    with pytest.raises(ActionError) as caught:
        site_server(tmp_path / "site", port, print)
    assert str(caught.value) == (
        f"127.0.0.1:{port}: cannot be served: Address already in use\n"
        "  hint: choose another port with --port, or any free one with --port 0"
    )
    with pytest.raises(ActionError, match="70000 is not a port; expected a number up to 65535"):
        site_server(tmp_path / "site", 70000, print)
