"""The links inside a site: each must lead to a page or file of it, and to an anchor that is there."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packyard.formats.errors import FormatError, Problem
from packyard.formats.text.html import HtmlPage, is_external, is_internal, read_html

_TOP = ("", "top")  # anchors that every page has


@dataclass(frozen=True)
class Site:
    """The files of a folder, and `url`, where they will be served ('' for anywhere); `what` people call it."""

    folder: Path
    url: str = ""
    what: str = "the site"

    @cached_property
    def files(self) -> frozenset[str]:
        """The path of every file."""
        return frozenset(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())

    @cached_property
    def pages(self) -> Mapping[str, HtmlPage]:
        """Every page by its path, sorted."""
        paths = sorted(path for path in self.files if path.endswith((".html", ".htm")))
        return {path: read_html((self.folder / path).read_text("utf-8", "replace")) for path in paths}

    def dead_links(self) -> Iterator[tuple[str, str, str]]:
        """Each link that leads nowhere: its page, its address, and what is wrong with it."""
        for page, content in self.pages.items():
            for link in content.links:
                inner = self._inside(link)
                if inner is not None and (wrong := self._wrong(page, inner)):
                    yield page, link, wrong

    def external_links(self) -> dict[str, list[str]]:
        """The addresses on other hosts, without their anchors, and the pages that link each."""
        found: dict[str, list[str]] = {}
        for page, content in self.pages.items():
            for link in content.links:
                if is_external(link) and self._inside(link) is None:
                    address = (f"https:{link}" if link.startswith("//") else link).partition("#")[0]
                    if page not in (pages := found.setdefault(address, [])):
                        pages.append(page)
        return dict(sorted(found.items()))

    def _inside(self, link: str) -> str | None:
        """The link as one inside the site, an absolute path from its top; None for what leads elsewhere."""
        if self.url and link.startswith(self.url.rstrip("/") + "/"):
            return "/" + link[len(self.url.rstrip("/")) + 1 :]
        if not is_internal(link):
            return None
        base = urlsplit(self.url).path.rstrip("/")
        return link[len(base) :] if base and link.startswith(f"{base}/") else link

    def _wrong(self, page: str, link: str) -> str:
        parts = urlsplit(link)
        path = unquote(parts.path)
        if path:
            goal = posixpath.normpath(posixpath.join("/", posixpath.dirname(page), path)).lstrip("/")
            outside = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)).startswith("..")
            file = self._file(goal, is_folder=path.endswith(("/", "/.", "/..")) or path in (".", ".."))
            if file is None or (outside and not path.startswith("/")):
                return f"{link!r} does not lead to a page or file of {self.what}"
        else:
            file = page
        anchor = unquote(parts.fragment)
        if anchor in _TOP or anchor.startswith(":~:") or file not in self.pages:
            return ""
        anchors = self.pages[file].anchors
        if anchor in anchors or parts.fragment in anchors:
            return ""
        near = difflib.get_close_matches(anchor, anchors, 1)
        return f"{link!r} does not lead to an anchor of {file}" + (f"; the nearest is '#{near[0]}'" if near else "")

    def _file(self, goal: str, *, is_folder: bool) -> str | None:
        index = posixpath.join(goal, "index.html") if goal else "index.html"
        found = [index] if is_folder or not goal else [goal, index]
        return next((path for path in found if path in self.files), None)


def check_links(site: Site, pages: Path, name: str, hint: str = "") -> None:
    """Follow every link inside a site; FormatError with all that are dead, each at the source it was written in, as far
    as that can be told, and with `hint`. `name` is what people call the folder `pages`."""
    found: dict[str, list[tuple[str, str]]] = {}
    for page, link, wrong in site.dead_links():
        found.setdefault(wrong, []).append((page, link))
    problems = []
    for wrong, where in found.items():
        page, link = where[0]
        more = f" (on {len(where)} pages)" if len(where) > 1 else ""
        problems.append(Problem(f"{wrong}{more}", place=_place(page, link, pages, name), hint=hint))
    if problems:
        raise FormatError(*problems)


def _place(page: str, link: str, pages: Path, name: str) -> str:
    """The source of a page, with the line of a link in it."""
    stem = page.removesuffix(".html")
    folder = stem.removesuffix("index").rstrip("/")
    candidates = [f"{stem}.md", f"{folder}.md", f"{folder}/README.md".lstrip("/"), page]
    source = next((path for path in candidates if (pages / path).is_file()), None)
    if source is None:
        return f"the page {page}"
    # mkdocs leaves a link as it was written when it finds nothing there; of others the anchor stays.
    lines = (pages / source).read_text("utf-8", "replace").splitlines()
    for text in filter(None, (link, link[link.find("#") :] if "#" in link else "")):
        wanted = re.compile(rf"{re.escape(text)}(?![\w/-])")
        for number, line in enumerate(lines, 1):
            if wanted.search(line):
                return f"{name}/{source}:{number}"
    return f"{name}/{source}"
