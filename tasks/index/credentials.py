"""User and password for an index: from its URL, the user's keyring or netrc."""

from __future__ import annotations

import netrc
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from packyard.formats.python.requirement import passwords
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.host.network import _indexes, _netrc, environment


def sign_in(url: str, indexes: Sequence[str] = ()) -> tuple[str, str] | None:
    """The user and password for a URL: its own, those of an index on the same host, or those in netrc; None if there
    are none.

    `indexes` are more indexes ('NAME=URL') for which variables may hold passwords, and URLs that have their own.
    """
    known = environment()
    known["UV_INDEX"] = " ".join([known.get("UV_INDEX", ""), *indexes])
    for candidate in (url, *(index for _, index in _indexes(known))):
        parts = urlsplit(candidate)
        if _origin(parts) == _origin(urlsplit(url)) and parts.username is not None:
            user = unquote(parts.username)
            if parts.password is not None:
                return user, unquote(parts.password)
            if (password := _from_keyring(candidate, parts, user, known)) is not None:
                return user, password
    for name, index in _indexes(known):
        prefix = f"UV_INDEX_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}"
        if name and _origin(urlsplit(index)) == _origin(urlsplit(url)) and f"{prefix}_PASSWORD" in known:
            return known.get(f"{prefix}_USERNAME", ""), known[f"{prefix}_PASSWORD"]
    return _from_netrc(urlsplit(url).hostname or "", known)


def passwords_in(manifests: Iterable[str | Path]) -> list[str]:
    """The URLs with a user or a password in some manifests; one that is not there any more has none."""
    found: list[str] = []
    for path in manifests:
        with suppress(OSError, ValueError):
            found.extend(passwords(Path(path).read_text(encoding="utf-8")))
    return found


def signed(text: str, urls: Iterable[str]) -> str:
    """A text for uv's eyes alone: the URLs in it with the user and password of one of `urls` at the same host."""
    for url in urls:
        netloc = urlsplit(url).netloc
        text = text.replace(f"://{netloc.rpartition('@')[2]}/", f"://{netloc}/")
    return text


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port


def _from_keyring(url: str, parts: SplitResult, user: str, known: Mapping[str, str]) -> str | None:
    """The password that the program `keyring` has for a user at an index, if it may be asked."""
    if known.get("UV_KEYRING_PROVIDER") != "subprocess":
        return None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    for service in (bare, parts.hostname or ""):
        try:
            return process.capture(["keyring", "get", service, user], env=dict(os.environ)).rstrip("\r\n")
        except ActionError:
            continue
    return None


def _from_netrc(host: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    try:
        entry = netrc.netrc(os.fspath(_netrc(known))).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return None
    return (entry[0], entry[2] or "") if entry else None
