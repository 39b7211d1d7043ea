from __future__ import annotations

import pytest
from packyard.formats.text.html import HtmlPage, is_external, is_internal, read_html

PAGE = """<!doctype html>
<link rel="preconnect" href="https://fonts.example"><link rel="canonical" href="https://own.example">
<link rel="stylesheet" href="a.css">
<h1 id="top&amp;more">X</h1><a name="old">y</a><p name="no">
<a href=" b/#c "> <a href="b/#c"> <a href="?a=1&amp;b=2"> <a>
<img src="i.png" srcset="i.png 1x, i2.png 2x"><video src="v.mp4" poster="p.png">
<script src=s.js>if (a < b) { "<a href='not'>" }</script>
<!-- <a href="commented"> --><object data="o.svg">
"""


def test_anchors_and_links_of_a_page() -> None:
    assert read_html(PAGE) == HtmlPage(
        anchors=frozenset({"top&more", "old"}),
        links=("a.css", "b/#c", "?a=1&b=2", "i.png", "i2.png", "v.mp4", "p.png", "s.js", "o.svg"),
    )


@pytest.mark.parametrize("odd", ["<![foo[x]]>", "<![?CDATA[x]]>", "<![if IE]>", "<!x>", "<!>"])
def test_unknown_declaration_is_passed_over(odd: str) -> None:
    assert read_html(f"<a href=x>{odd}<a href=y>").links == ("x", "y")


def test_broken_html_is_read_as_far_as_it_goes() -> None:
    assert read_html("<a href='x'>&<p id=q><<<a href=y") == HtmlPage(anchors=frozenset({"q"}), links=("x",))
    assert read_html("") == HtmlPage(anchors=frozenset(), links=())


@pytest.mark.parametrize(
    ("link", "internal", "external"),
    [
        ("a/b.html#c", True, False),
        ("/a", True, False),
        ("#c", True, False),
        ("", True, False),
        ("https://host/a", False, True),
        ("HTTP://host", False, True),
        ("//host/a", False, True),
        ("mailto:a@b.c", False, False),
        ("data:image/png;base64,x", False, False),
        ("javascript:void(0)", False, False),
    ],
)
def test_where_a_link_leads(link: str, internal: bool, external: bool) -> None:
    assert (is_internal(link), is_external(link)) == (internal, external)
