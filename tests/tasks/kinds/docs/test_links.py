from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.kinds.docs.links import Site, check_links

URL = "https://docs.example/proj/"


def site(folder: Path, url: str = "", **files: str) -> Site:
    for name, text in files.items():
        place = folder / name.replace("__", "/").replace("_html", ".html")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return Site(folder, url)


def dead(folder: Path, link: str, url: str = "") -> list[str]:
    found = site(
        folder, url,
        index_html=f"<h2 id='here'><a href='{link}'>", guide__a__index_html="<h1 id='foo-bar'><h2 id='ä'>",
        data_html="plain",
    )  # fmt: skip
    (folder / "with space.png").write_bytes(b"x")
    return [wrong for _, _, wrong in found.dead_links()]


@pytest.mark.parametrize(
    "link",
    [
        "", "#", "#top", "#here", "#:~:text=x", ".", "./", "guide/a/", "guide/a", "guide/a/index.html",
        "guide/a/?q=1#foo-bar", "guide/a/#%C3%A4", "guide/a/#ä", "/guide/a/#foo-bar", "/", "/proj/guide/a/",
        "with%20space.png", "with%20space.png#x", f"{URL}guide/a/#foo-bar", URL, "guide/../#here",
        "mailto:a@b.c", "https://elsewhere.example/x#y", "//elsewhere.example",
    ],
)  # fmt: skip
def test_link_that_leads_somewhere_is_good(tmp_path: Path, link: str) -> None:
    assert dead(tmp_path, link, URL) == []


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("nope.md", "'nope.md' does not lead to a page or file of the site"),
        ("guide/", "'guide/' does not lead to a page or file of the site"),
        ("Guide/a/", "'Guide/a/' does not lead to a page or file of the site"),
        ("data.html/", "'data.html/' does not lead to a page or file of the site"),
        ("../index.html", "'../index.html' does not lead to a page or file of the site"),
        ("/other/", "'/other/' does not lead to a page or file of the site"),
        (f"{URL}other/", "'/other/' does not lead to a page or file of the site"),
        ("#there", "'#there' does not lead to an anchor of index.html; the nearest is '#here'"),
        (
            "guide/a/#foobar",
            "'guide/a/#foobar' does not lead to an anchor of guide/a/index.html; the nearest is '#foo-bar'",
        ),
        ("data.html#x", "'data.html#x' does not lead to an anchor of data.html"),
    ],
)
def test_link_that_leads_nowhere_is_dead(tmp_path: Path, link: str, wrong: str) -> None:
    assert dead(tmp_path, link, URL) == [wrong]


def test_dead_links_are_told_at_their_sources(tmp_path: Path) -> None:
    pages = tmp_path / "docs"
    (pages / "guide").mkdir(parents=True)
    (pages / "index.md").write_text("# X\n\n[a](nope.md) and [b][ref]\n\n[ref]: guide/a.md#gone\n")
    (pages / "guide/README.md").write_text('\n<a href="../x.png">\n')
    made = site(
        tmp_path / "site",
        index_html="<a href='nope.md'><a href='guide/a/#gone'><a href='nav/'>",
        guide__index_html="<a href='../x.png'><a href='nav/'>",
        guide__a__index_html="",
    )
    with pytest.raises(FormatError) as caught:
        check_links(made, pages, "docs")
    assert str(caught.value) == (
        "docs/guide/README.md:2: '../x.png' does not lead to a page or file of the site\n"
        "docs/guide/README.md: 'nav/' does not lead to a page or file of the site (on 2 pages)\n"
        "docs/index.md:3: 'nope.md' does not lead to a page or file of the site\n"
        "docs/index.md:5: 'guide/a/#gone' does not lead to an anchor of guide/a/index.html"
    )
    (pages / "index.md").unlink()
    with pytest.raises(FormatError, match=r"the page index\.html: 'nope.md' does not lead to a page"):
        check_links(made, pages, "docs")


def test_links_to_other_hosts_are_listed_with_their_pages(tmp_path: Path) -> None:
    made = site(
        tmp_path, URL,
        a_html=f"<a href='https://b.example/x#y'><a href='//c.example/'><a href='{URL}q'>",
        b_html="<a href='https://b.example/x'><link rel='preconnect' href='https://d.example'>",
    )  # fmt: skip
    assert made.external_links() == {"https://b.example/x": ["a.html", "b.html"], "https://c.example/": ["a.html"]}
