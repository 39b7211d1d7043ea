"""A page of HTML, as far as links from it and to it are concerned (WHATWG HTML, sections 4 and 7.4.6.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

_ADDRESSES = {
    "a": ("href",), "area": ("href",), "link": ("href",), "script": ("src",), "img": ("src",), "iframe": ("src",),
    "source": ("src",), "video": ("src", "poster"), "audio": ("src",), "track": ("src",), "embed": ("src",),
    "object": ("data",),
}  # fmt: skip
_NO_LINK = {"preconnect", "dns-prefetch", "canonical"}  # the first two name a host, the last the page itself
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlPage:
    """The anchors of a page (what `#...` may lead to), and the addresses that it links, each once, in order."""

    anchors: frozenset[str]
    links: tuple[str, ...]


def read_html(text: str) -> HtmlPage:
    """Read a page; HTML has no errors, so this raises none."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return HtmlPage(anchors=frozenset(reader.anchors), links=tuple(reader.links))


def is_external(link: str) -> bool:
    """Whether an address leads to another host."""
    return link.startswith("//") or link.lower().startswith(("http:", "https:"))


def is_internal(link: str) -> bool:
    """Whether an address leads to a page or file of the same site; `mailto:` and the like lead to none."""
    return not link.startswith("//") and not _SCHEME.match(link)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: dict[str, None] = {}

    def parse_html_declaration(self, i: int) -> int:
        """What begins with `<![` is a comment up to the next '>'; the parser refuses forms of it that it does not
        know."""
        try:
            return super().parse_html_declaration(i)
        except AssertionError:
            return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", *(("name",) if tag == "a" else ())) if values.get(name))
        if tag == "link" and _NO_LINK & {*values.get("rel", "").lower().split()}:
            return
        found = [values[name] for name in _ADDRESSES.get(tag, ()) if name in values]
        if tag in ("img", "source") and "srcset" in values:
            found += [part.split()[0] for part in values["srcset"].split(",") if part.split()]
        self.links.update(dict.fromkeys(link.strip() for link in found))
