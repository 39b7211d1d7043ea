"""A package index on loopback, with distributions of its own, that may demand a password and counts what it serves."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import socket
import ssl
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Index:
    """An index: its files by name, and the names of those that were asked for. With `password` ('user:word') it
    answers nobody else; `moved` are files that another URL has; `failures` is how often it fails at first. `origin`
    is what people call it, '' for where it is."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.served: list[str] = []
        self.password = ""
        self.moved: dict[str, str] = {}
        self.failures = 0
        self.headers: list[dict[str, str]] = []
        self.port = 0
        self.origin = ""

    @property
    def url(self) -> str:
        """Where the index answers, without a password."""
        return f"{self.origin or f'http://127.0.0.1:{self.port}'}/simple/"

    def file_url(self, name: str) -> str:
        """Where one file is."""
        return f"{self.origin or f'http://127.0.0.1:{self.port}'}/files/{name}"

    def add_wheel(self, name: str, version: str, files: Mapping[str, str | bytes] | None = None, **how: Any) -> str:
        """Add a wheel; the name of its file."""
        file = f"{name}-{version}-{how.pop('tag', 'py3-none-any')}.whl"
        self.files[file] = wheel(name, version, files or {f"{name}.py": f"version = '{version}'\n"}, **how)
        return file

    def add_source(self, name: str, version: str, files: Mapping[str, str]) -> str:
        """Add a source distribution; the name of its file."""
        file = f"{name}-{version}.tar.gz"
        out = io.BytesIO()
        about = {"PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n"}
        with (
            gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w") as archive,
        ):
            for path, text in {**about, **files}.items():
                entry = tarfile.TarInfo(f"{name}-{version}/{path}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        self.files[file] = out.getvalue()
        return file

    def lock(self, *files: str) -> str:
        """A lock that lists files of the index."""
        text = 'lock-version = "1.0"\ncreated-by = "test"\n'
        found: dict[tuple[str, str], list[str]] = {}
        for file in files:
            name, version = file.removesuffix(".tar.gz").split("-")[:2]
            found.setdefault((name, version), []).append(file)
        for (name, version), those in found.items():
            sources = [self._source(file) for file in those]
            key = f"wheels = [{', '.join(sources)}]" if those[0].endswith(".whl") else f"sdist = {sources[0]}"
            text += f'\n[[packages]]\nname = "{name}"\nversion = "{version}"\n{key}\n'
        return text

    def digest(self, file: str) -> str:
        """The SHA-256 of a file."""
        return hashlib.sha256(self.files[file]).hexdigest()

    def _source(self, file: str) -> str:
        return f'{{ url = "{self.file_url(file)}", hashes = {{ sha256 = "{self.digest(file)}" }} }}'


def wheel(
    name: str,
    version: str,
    files: Mapping[str, str | bytes],
    *,
    requires: tuple[str, ...] = (),
    extras: tuple[str, ...] = (),
    modes: Mapping[str, int] | None = None,
) -> bytes:
    """The bytes of a wheel; `modes` gives members other modes, and so other kinds."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {text}\n" for text in requires)
    needs += "".join(f"Provides-Extra: {text}\n" for text in extras)
    members = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in members.items()}
    rows = [f"{path},sha256={_urlsafe(content)},{len(content)}\n" for path, content in contents.items()]
    contents[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"]).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in contents.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = (modes or {}).get(path, 0o100644) << 16
            archive.writestr(member, content)
    return out.getvalue()


@contextmanager
def serving(index: Index, tls: ssl.SSLContext | None = None) -> Iterator[Index]:
    """The index answers, at a port of its own, until the block ends."""
    server = _Server(("127.0.0.1", 0), _handler(index), tls)
    index.port = server.server_port
    with _running(server):
        yield index


@contextmanager
def proxying(index: Index, seen: list[str]) -> Iterator[str]:
    """A proxy that has one index behind it, whatever host is asked for; gives its address, and notes each demand."""
    server = _Server(("127.0.0.1", 0), _proxy(index, seen))
    with _running(server):
        yield f"http://127.0.0.1:{server.server_port}"


class _Server(ThreadingHTTPServer):
    """A server that may speak TLS; each connection shakes hands in its own thread, and those that fail are dropped."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: Any, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(address, handler)
        self.tls = tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            if self.tls:
                request = self.tls.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        except OSError:
            return
        if self.tls:
            request.close()


@contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _told(file: str) -> str:
    return ' data-core-metadata="true"' if file.endswith(".whl") else ""


def _metadata(content: bytes) -> bytes:
    """What a wheel says of itself (PEP 658: a resolver need not fetch the whole of it)."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(next(path for path in archive.namelist() if path.endswith(".dist-info/METADATA")))


def _urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _handler(index: Index) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, kind, body = self.answer()
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
            if status == 302:
                self.send_header("Location", body.decode())
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def answer(self) -> tuple[int, str, bytes]:
            index.headers.append(dict(self.headers))
            wanted = f"Basic {base64.b64encode(index.password.encode()).decode()}"
            if index.password and self.headers.get("Authorization") != wanted:
                return 401, "text/plain", b""
            folder, _, name = self.path.strip("/").partition("/")
            if folder == "simple":
                files = [file for file in index.files if file.partition("-")[0].replace("_", "-") == name]
                links = [
                    f'<a href="{index.file_url(file)}#sha256={index.digest(file)}"{_told(file)}>{file}</a>'
                    for file in files
                ]
                return (200, "text/html", "\n".join(links).encode()) if links else (404, "text/plain", b"")
            if name in index.moved:
                return 302, "text/plain", index.moved[name].encode()
            if name.endswith(".whl.metadata"):
                return 200, "text/plain", _metadata(index.files[name.removesuffix(".metadata")])
            if name not in index.files:
                return 404, "text/plain", b""
            if index.failures:
                index.failures -= 1
                return 503, "text/plain", b""
            if self.command == "GET":
                index.served.append(name)
            return 200, "application/octet-stream", index.files[name]

        def log_message(self, *words: object) -> None: ...

    return Handler


def _proxy(index: Index, seen: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            seen.append(f"CONNECT {self.path}")
            with socket.create_connection(("127.0.0.1", index.port)) as other:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=_pump, args=(other, self.connection), daemon=True)
                back.start()
                _pump(self.connection, other)
                back.join()

        def do_GET(self) -> None:
            seen.append(f"{self.command} {self.path}")
            headers = {name: value for name, value in self.headers.items() if name.lower() != "proxy-connection"}
            connection = HTTPConnection("127.0.0.1", index.port)
            connection.request(self.command, "/" + self.path.split("/", 3)[3], headers=headers)
            with connection.getresponse() as answer:
                body = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            connection.close()

        do_HEAD = do_GET

        def log_message(self, *words: object) -> None: ...

    return Handler


def _pump(source: socket.socket, goal: socket.socket) -> None:
    """Carry bytes from one connection to another until either ends."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            goal.sendall(data)
    with suppress(OSError):
        goal.shutdown(socket.SHUT_WR)
