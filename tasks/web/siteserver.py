"""Serving a site on this machine only, as a web server would: indexes for folders, 404.html for missing pages."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from packyard.tasks.errors import ActionError

HOST = "127.0.0.1"


def site_server(folder: Path, port: int, missing: Callable[[str], None]) -> ThreadingHTTPServer:
    """A server for the files of `folder`, not yet serving; `port` 0 picks a free one. `missing` gets each requested
    path that does not exist. ActionError if the port is not available."""
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Handler, folder, missing))
    except OverflowError:
        raise ActionError(f"{port} is not a port; expected a number up to 65535") from None
    except OSError as error:
        hint = (
            "choose another port with --port, or any free one with --port 0" if error.errno == errno.EADDRINUSE else ""
        )
        raise ActionError(f"{HOST}:{port}: cannot be served: {error.strerror}", hint=hint) from None


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, folder: Path, missing: Callable[[str], None], *args: Any) -> None:
        self._folder = folder
        self._missing = missing
        super().__init__(*args, directory=str(folder))

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # the site is rebuilt while it is being read
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The site's own page for missing pages."""
        page = self._folder / "404.html"
        if code != 404:
            super().send_error(code, message, explain)
            return
        self._missing(self.path)
        body = page.read_bytes() if page.is_file() else b"not found\n"
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8" if page.is_file() else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def list_directory(self, path: Any) -> None:
        """A folder without an index is missing."""
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:
        """Successful requests are not reported."""
