"""Fetching a file that is named by a URL and known by its digest."""

from __future__ import annotations

import base64
import os
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from functools import cache
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from packyard.tasks.errors import ActionError
from packyard.tasks.host import network
from packyard.tasks.index import credentials

_TIMEOUT = 60  # seconds without a byte
_PAUSES = (0.5, 2)  # seconds before the second and third attempt
# Where systems keep the certificates of authorities, for a Python whose TLS library looks elsewhere.
_TRUSTED = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def download(url: str, place: Path, indexes: Sequence[str] = ()) -> None:
    """Download `url` (https, http or file) to `place`; ActionError if that fails.

    Proxies, certificates and passwords are those that uv and pip are configured with; `indexes` as in
    credentials.sign_in. The caller checks the digest.
    """
    if not url.startswith(("https://", "http://", "file://")):
        raise ActionError(f"{url!r} cannot be fetched; expected an https, http or file URL")
    known = network.environment()
    if not url.startswith("file://") and network.offline():
        raise ActionError(f"{url} was not fetched: downloads are disabled (--offline, UV_OFFLINE)")
    bare = _bare(url)
    request = urllib.request.Request(bare, headers={"User-Agent": "packyard"})
    _authorize(request, url, indexes)
    proxies = urllib.request.ProxyHandler(_proxies(known))
    secured = [] if url.startswith("file://") else [urllib.request.HTTPSHandler(context=_context(bare, known))]
    opener = urllib.request.build_opener(proxies, *secured, _Redirect(indexes))
    for pause in (*_PAUSES, None):
        try:
            with opener.open(request, timeout=_TIMEOUT) as answer, place.open("wb") as out:
                shutil.copyfileobj(answer, out, 1 << 20)
            return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 or pause is None:
                raise ActionError(f"{bare} cannot be fetched: {error}", hint=_hint(error.code)) from None
        except (urllib.error.URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, ssl.SSLCertVerificationError):
                hint = "point SSL_CERT_FILE to the certificates of your authorities"
                raise ActionError(f"{bare} cannot be fetched: {reason}", hint=hint) from None
            if pause is None or url.startswith("file://"):
                raise ActionError(f"{bare} cannot be fetched: {reason}", hint=_hint(0)) from None
        time.sleep(pause)


class _Redirect(urllib.request.HTTPRedirectHandler):
    """Gives a password to the host it is for, and to no other that a response redirects to."""

    def __init__(self, indexes: Sequence[str]) -> None:
        self._indexes = indexes

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        request = super().redirect_request(req, fp, code, msg, headers, _bare(newurl))
        if request is not None:
            _authorize(request, newurl, self._indexes)
        return request


def _authorize(request: urllib.request.Request, url: str, indexes: Sequence[str]) -> None:
    if urlsplit(url).scheme != "file" and (known := credentials.sign_in(url, indexes)):
        words = base64.b64encode(":".join(known).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {words}")


def _bare(url: str) -> str:
    """A URL without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else url


def _proxies(known: Mapping[str, str]) -> dict[str, str]:
    """The proxy of each scheme, except for the hosts that are reached without one (urllib reads NO_PROXY itself)."""
    found = {name[:-6].lower(): value for name, value in known.items() if name.lower().endswith("_proxy") and value}
    everything = found.pop("all", "")
    found.pop("no", None)
    if other := {urlsplit(value).scheme for value in (everything, *found.values())} - {"http", "https", ""}:
        raise ActionError(f"proxy type {min(other)!r} is not supported; expected an http or https proxy")
    return {"http": everything, "https": everything, **found} if everything else found


def _context(url: str, known: Mapping[str, str]) -> ssl.SSLContext:
    client = known.get("SSL_CLIENT_CERT") or ""
    if network.trusts(url):
        return _trusting_all(client)
    file = known.get("SSL_CERT_FILE") or known.get("REQUESTS_CA_BUNDLE") or None
    folder = known.get("SSL_CERT_DIR") or None
    paths = ssl.get_default_verify_paths()
    if not (file or folder or paths.cafile or paths.capath):
        file = next((path for path in _TRUSTED if os.path.exists(path)), None)
    return _trusting(file, folder, client)


def _trusting_all(client: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if client:
        context.load_cert_chain(client)
    return context


@cache
def _trusting(file: str | None, folder: str | None, client: str) -> ssl.SSLContext:
    """The TLS context for these certificates. Those of a system take 0.05 s to read, and there are many downloads."""
    try:
        context = ssl.create_default_context(cafile=file, capath=folder)
    except OSError as error:
        raise ActionError(f"the certificates {file or folder} cannot be read: {error.strerror or error}") from None
    if client:
        context.load_cert_chain(client)
    return context


def _hint(code: int) -> str:
    if code in (401, 403):
        return "put its user and password into the URL of UV_DEFAULT_INDEX or UV_INDEX, or into ~/.netrc"
    return "check the network, HTTPS_PROXY and SSL_CERT_FILE; or fetch it another way, and pin its path"
