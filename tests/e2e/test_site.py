"""Sites as users meet them, made by the real mkdocs: built, checked, served, carried in archives."""

from __future__ import annotations

import io
import re
import shutil
import signal
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import NETWORK, Space

pytestmark = [pytest.mark.real, pytest.mark.long]

PLAIN = 'requires = ["mkdocs>=1.6,<2"]\n'
WORKSPACE = f"""\
[workspace]
name = "manual"

[[docs]]
name = "manual"
version = "0.1.0"
{PLAIN}
[[archive]]
name = "all"
version = "0.1.0"
include = ["docs:manual#site", "docs:manual"]
"""
CONFIG = "site_name: Manual\nsite_url: https://docs.example.org/manual/\ncopyright: Our own\n"
INDEX = """\
# Welcome

Read [how to start](guide/start.md#first-steps), or the [picture](picture.svg).
"""
START = "# Start\n\n## First steps\n\nBack to the [front](../index.md#welcome).\n"


@pytest.fixture(scope="session")
def site(space_in: Callable[[str], Space]) -> Space:
    """A workspace with a site of mkdocs' own theme, built once; no test changes it."""
    space = with_network(space_in("manual"))
    space.write("packyard.toml", WORKSPACE)
    space.write("mkdocs.yml", CONFIG)
    space.write("docs/index.md", INDEX)
    space.write("docs/guide/start.md", START)
    space.write("docs/picture.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    space.write("docs/raw.html", b"<p>as it is: \xe9</p>")
    done = space.packyard()
    assert "docs:manual" in done.ran
    assert re.search(r"^made +site/ +[\d.]+ [kM]B$", done.out, re.M)
    return space


def with_network(space: Space) -> Space:
    return replace(space, env=NETWORK)


def copy(site: Space, name: str, **env: str) -> Space:
    """The same workspace elsewhere, with the environment of mkdocs at hand."""
    other = site.beside(f"{name}/work", **env)
    (other.root / "site").exists() and other.remove("site")
    return other


def offline(space: Space) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(space.read("dist/docs-offline-0.1.0.zip")))


def test_site_and_copy_are_whole(site: Space) -> None:
    pages = {path for path in site.files("site") if path.endswith(".html")}
    assert pages == {"site/index.html", "site/guide/start/index.html", "site/404.html", "site/raw.html"}
    assert 'href="guide/start/#first-steps"' in site.text("site/index.html")
    with offline(site) as archive:
        names = archive.namelist()
        assert {"site/index.html", "site/guide/start.html", "site/picture.svg", "site/raw.html"} < {*names}
        assert not {"site/404.html", "site/sitemap.xml", "site/sitemap.xml.gz"} & {*names}
        index = archive.read("site/index.html").decode()
        assert 'href="guide/start.html#first-steps"' in index
        told = [archive.read(name).decode() for name in names if name.endswith(".html") and "raw" not in name]
    told += [site.text(page) for page in pages if "raw" not in page]
    assert len(told) == 5
    assert all("manual 0.1.0" in page for page in told)
    assert "Our own · manual 0.1.0" in index
    assert site.read("site/raw.html") == b"<p>as it is: \xe9</p>"
    site.expect_nothing()


def test_archive_carries_the_site(site: Space) -> None:
    with tarfile.open(site.root / "dist/all-0.1.0.tar.gz") as archive:
        names = set(archive.getnames())
    assert names == {*(path for path in site.files("site")), "docs-offline-0.1.0.zip"}


def test_site_is_the_same_everywhere(site: Space, tmp_path: Path) -> None:
    own = {"PACKYARD_CACHE_DIR": str(tmp_path / "store"), "PACKYARD_CONFIG_DIR": str(tmp_path / "config")}
    other = copy(site, "a/longer/path", TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7", HOME=str(tmp_path), **own)
    shutil.copytree(site.root / ".packyard/locks", other.root / ".packyard/locks")
    assert "docs:manual" in other.packyard("docs:manual").ran  # with a store of its own
    assert other.files("site") == site.files("site")
    assert other.read("dist/docs-offline-0.1.0.zip") == site.read("dist/docs-offline-0.1.0.zip")


def test_edit_rebuilds_the_site_and_nothing_else(site: Space) -> None:
    other = copy(site, "edit")
    other.packyard()
    other.append("docs/index.md", "\nMore.\n")
    assert other.packyard().ran == ["archive:all", "docs:manual"]
    assert "<p>More.</p>" in other.text("site/index.html")
    other.remove("docs/guide")
    other.write("docs/index.md", "# Alone\n")
    assert other.packyard().ran == ["archive:all", "docs:manual"]
    assert not (other.root / "site/guide").exists()
    other.remove("site/index.html")
    assert other.packyard().restored == ["docs:manual"]
    other.expect_nothing()
    cleaned = other.packyard("clean", "docs:manual").out
    assert "removing site/index.html" in cleaned
    assert "executing" not in cleaned
    assert not (other.root / "site").exists()
    assert other.packyard("docs:manual").restored == ["docs:manual"]


def test_version_stands_on_the_pages_of_a_theme_that_shows_none(site: Space) -> None:
    other = copy(site, "bare")
    other.write("theme/main.html", "<html><body>{{ page.content }}</body></html>")
    other.write("mkdocs.yml", "site_name: X\ntheme: {name: null, custom_dir: theme}\n")
    other.packyard("docs:manual")
    for page in ("site/index.html", "site/guide/start/index.html"):
        assert other.text(page).endswith("<p>manual 0.1.0</p>\n</body></html>")


def test_dead_links_fail_the_site(site: Space) -> None:
    other = copy(site, "dead")
    other.write("docs/index.md", INDEX + "\n[a](nope.md) [b](guide/start.md#last-steps) [c](no.png)\n")
    done = other.packyard("docs:manual", status=1)
    assert [line.strip() for line in done.out.splitlines() if "does not lead to" in line] == [
        "docs/index.md:5: 'nope.md' does not lead to a page or file of the site",
        "docs/index.md:5: 'guide/start/#last-steps' does not lead to an anchor of guide/start/index.html; the "
        "nearest is '#first-steps'",
        "docs/index.md:5: 'no.png' does not lead to a page or file of the site",
    ]
    other.write("docs/index.md", INDEX + '\n<a href="guide/start/">as it is served</a>\n')
    assert (
        "  docs/index.md:5: 'guide/start/' does not lead to a page or file of the offline copy\n"
        "    hint: it is an address of the served site; write [text](PAGE.md) in Markdown, and mkdocs makes the right "
        "one\n"
    ) in other.packyard("docs:manual", status=1).out
    assert not (other.root / "site").exists()
    other.write("mkdocs.yml", CONFIG + "theme: nothing-like-it\n")
    done = other.packyard("docs:manual", status=1)
    assert "Unrecognised theme name: 'nothing-like-it'" in done.out


def test_site_is_served_until_interrupted(site: Space) -> None:
    other = copy(site, "served")
    child = other.start("serve", "--port", "0")
    assert child.stdout is not None
    address = ""
    while not address:
        line = child.stdout.readline()
        assert line or child.poll() is None, child.communicate()
        if found := re.match(r"serving site/ at (http://127\.0\.0\.1:\d+/) ", line):
            address = found[1]
    with urllib.request.urlopen(f"{address}guide/start/", timeout=10) as answer:
        assert b"First steps" in answer.read()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{address}nope", timeout=10)
    with caught.value as answer:
        assert (answer.code, b"manual 0.1.0" in answer.read()) == (404, True)
    assert child.stdout.readline() == "not found: /nope\n"
    child.send_signal(signal.SIGINT)
    assert (child.communicate(timeout=30)[1], child.returncode) == ("interrupted\n", 130)
    assert "'99999' is not a port" in other.packyard("serve", "--port", "99999", status=2).err
    done = other.packyard("serve", "archive:all", status=2)
    assert done.err == "error: expected one site; there are: docs:manual\n"


def test_addresses_on_other_hosts_are_asked_for_only_when_wanted(site: Space) -> None:
    other = copy(site, "online", no_proxy="127.0.0.1")
    other.write("mkdocs.yml", "site_name: Manual\ntheme: {name: readthedocs, include_homepage_in_sidebar: false}\n")
    other.write("docs/index.md", "# Welcome\n\n[dead](http://127.0.0.1:1/x)\n")
    other.packyard("docs:manual")
    done = other.packyard("docs:manual", "--online", status=1)
    assert "error: http://127.0.0.1:1/x: Connection refused (linked on site/index.html)\n" in done.err
    checked = other.packyard("check", "manual", "--online", status=1).out
    assert "http://127.0.0.1:1/x: Connection refused (linked on site/index.html)" in checked
    assert "other hosts were not checked: packyard check --online" in other.packyard("check", "manual", status=1).out
    assert re.search(r"^\d+ of \d+ addresses on other hosts answer$", done.out, re.M)


def test_several_sites_have_folders_and_copies_of_their_own(site: Space) -> None:
    other = copy(site, "several")
    other.write("packyard.toml", WORKSPACE.partition("[[archive]]")[0])
    other.append("packyard.toml", f'[[docs]]\nname = "api"\nversion = "2.1.0"\nconfig = "api/mkdocs.yml"\n{PLAIN}')
    other.write("api/mkdocs.yml", "site_name: Calls\ndocs_dir: pages\n")
    other.write("api/pages/index.md", "# Calls\n")
    assert other.packyard().made("ran") == ["docs:api", "docs:manual"]
    assert sorted(path for path in other.files("dist")) == [
        "dist/api-docs-offline-2.1.0.zip", "dist/manual-docs-offline-0.1.0.zip",
    ]  # fmt: skip
    assert {path.split("/")[1] for path in other.files("site")} == {"api", "manual"}
    assert "<title>Calls</title>" in other.text("site/api/index.html")
    assert "api 2.1.0" in other.text("site/api/index.html")
    assert "api" not in other.text("site/manual/index.html")
    with zipfile.ZipFile(io.BytesIO(other.read("dist/api-docs-offline-2.1.0.zip"))) as archive:
        assert "api 2.1.0" in archive.read("site/index.html").decode()
    other.expect_nothing()


def test_theme_of_users_comes_from_the_index(make_space: Callable[[str], Space]) -> None:
    """Material, as users have it: the requirements that a `[[docs]]` has of itself."""
    space = with_network(make_space("material"))
    space.write("packyard.toml", WORKSPACE.replace(PLAIN, "").partition("[[archive]]")[0])
    space.write("mkdocs.yml", "site_name: Manual\ntheme: {name: material}\n")
    space.write("docs/index.md", "# Welcome\n\nText.\n")
    space.packyard("--json")
    assert "manual 0.1.0" in space.text("site/index.html")
    assert "fonts.googleapis.com" in space.text("site/index.html")
    with offline(space) as archive:
        page = archive.read("site/index.html").decode()
    assert "manual 0.1.0" in page
    assert re.findall(r'(?:src|href)="(https?://[^"]*)"', page) == ["https://squidfunk.github.io/mkdocs-material/"]
    space.expect_nothing()
