"""The links out of a site: each address is asked for once, and those that do not answer as a page are told.

It is not part of a build: what other hosts say today decides nothing about the bytes of an artifact.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packyard.tasks.kinds.docs.links import Site

_AT_ONCE = 8
_TIMEOUT = 20.0  # seconds
_REFUSES_HEAD = (403, 404, 405, 406, 501)  # some servers answer a GET and no HEAD
_LIVES = (401, 403, 429)  # it is there, but not for us, or not now


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadAddress:
    """An address that leads nowhere: what its host answered, and the pages that link it."""

    address: str
    answer: str
    pages: tuple[str, ...]

    def __str__(self) -> str:
        first, *others = self.pages
        more = f" and on {len(others)} more" if others else ""
        return f"{self.address}: {self.answer} (linked on {first}{more})"


def ask_links(root: Path, folders: Iterable[str]) -> tuple[int, list[DeadAddress]]:
    """Ask for every address that the sites in these folders of a workspace link on other hosts: how many there are, and
    which of them are dead."""
    links: dict[str, list[str]] = {}
    for folder in folders:
        for address, pages in Site(root / folder).external_links().items():
            links.setdefault(address, []).extend(f"{folder}/{page}" for page in pages)
    return len(links), dead_addresses(links)


def dead_addresses(links: Mapping[str, list[str]]) -> list[DeadAddress]:
    """Those of the addresses (with the pages that link each) that do not answer, in order."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(_answer, links))
    return [
        DeadAddress(address=address, answer=answer, pages=tuple(pages))
        for (address, pages), answer in zip(links.items(), answers)
        if answer
    ]


def _answer(address: str) -> str:
    """What is wrong with an address, '' for nothing."""
    said = _ask(address, "HEAD")
    return _words(_ask(address, "GET") if said in _REFUSES_HEAD else said)


def _ask(address: str, method: str) -> int | str:
    try:
        request = urllib.request.Request(address, method=method, headers={"User-Agent": "Mozilla/5.0 (packyard)"})
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError as error:
        reason = error.reason
        if isinstance(reason, ssl.SSLError):
            return f"its certificate is refused ({reason.reason})"
        return reason.strerror or str(reason) if isinstance(reason, OSError) else str(reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error).strip() or type(error).__name__


def _words(said: int | str) -> str:
    if isinstance(said, str):
        return said
    return "" if said < 400 or said in _LIVES else f"answers {said} {http.client.responses.get(said, '')}".rstrip()
