from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from packyard.tasks.kinds.docs.onlinelinks import dead_addresses


class Handler(BaseHTTPRequestHandler):
    """/STATUS answers with that status; /get/STATUS refuses HEAD with 405."""

    def do_HEAD(self) -> None:
        self.answer(405 if self.path.startswith("/get/") else int(self.path.rpartition("/")[2]))

    def do_GET(self) -> None:
        self.answer(int(self.path.rpartition("/")[2]))

    def answer(self, status: int) -> None:
        if status == 999:
            self.wfile.write(b"garbage\r\n\r\n")
            return
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_addresses_that_do_not_answer_are_told_with_their_pages(host: str) -> None:
    links = {
        f"{host}/200": ["a.html"],
        f"{host}/302": ["a.html"],
        f"{host}/get/200": ["a.html"],
        f"{host}/403": ["a.html"],
        f"{host}/429": ["a.html"],
        f"{host}/404": ["a.html", "b.html", "c.html"],
        f"{host}/get/410": ["b.html"],
        f"{host}/500": ["b.html"],
        f"{host}/999": ["b.html"],
        "http://127.0.0.1:1/": ["c.html"],
        "http://[": ["c.html"],
    }
    assert [str(one) for one in dead_addresses(links)] == [
        f"{host}/404: answers 404 Not Found (linked on a.html and on 2 more)",
        f"{host}/get/410: answers 410 Gone (linked on b.html)",
        f"{host}/500: answers 500 Internal Server Error (linked on b.html)",
        f"{host}/999: garbage (linked on b.html)",
        "http://127.0.0.1:1/: Connection refused (linked on c.html)",
        "http://[: Invalid IPv6 URL (linked on c.html)",
    ]
