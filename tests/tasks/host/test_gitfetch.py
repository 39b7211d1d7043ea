from __future__ import annotations

import os
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.errors import ActionError
from packyard.tasks.host import gitfetch

from tests.tasks.kinds.morloc.remote import Remote


def url(remote: Remote, name: str) -> str:
    return remote.url(name).removeprefix("git+")


def test_references_mean_commits(remote: Remote, tmp_path: Path) -> None:
    first = remote.publish("a", {"main.loc": "1"}, tag="v1")
    remote.git(remote.folder / "a.work", "tag", "--annotate", "--message=x", "v1-annotated")
    remote.git(remote.folder / "a.work", "push", "--quiet", "origin", "--tags", "HEAD:dev")
    second = remote.publish("a", {"main.loc": "2"})
    cache = tmp_path / "git"
    found = {
        f"{form}:{ref}": gitfetch.commit_of(url(remote, "a"), form, ref, cache)
        for form, ref in [("", ""), ("branch", "dev"), ("tag", "v1"), ("tag", "v1-annotated"), ("hash", first[:9])]
    }
    assert found == {
        ":": second, "branch:dev": first, "tag:v1": first, "tag:v1-annotated": first, f"hash:{first[:9]}": first,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("form", "ref", "expected"),
    [
        ("tag", "v9", "has no tag 'v9'"),
        ("branch", "gone", "has no branch 'gone'"),
        ("hash", "0123456", "has no commit"),
    ],
)
def test_reference_unknown_is_said(remote: Remote, tmp_path: Path, form: str, ref: str, expected: str) -> None:
    with pytest.raises(FormatError, match=expected):
        gitfetch.commit_of(url(remote, "root"), form, ref, tmp_path / "git")


def test_repository_unknown_is_an_action_error(remote: Remote, tmp_path: Path) -> None:
    with pytest.raises(ActionError, match="'git' ended with status"):
        gitfetch.commit_of(f"file://{tmp_path}/none.git", "", "", tmp_path / "git")


def test_files_are_the_bytes_of_the_commit(remote: Remote, tmp_path: Path) -> None:
    """Neither attributes nor filters of the repository change them."""
    commit = remote.publish(
        "a",
        {
            ".gitattributes": "*.txt eol=crlf\n*.id ident\nhidden export-ignore\n*.s export-subst\n",
            "a.txt": "one\ntwo\n",
            "b.id": "$Id$\n",
            "hidden": "h",
            "c.s": "$Format:%H$\n",
            "run.sh": "#!/bin/sh\n",
            "to": "-> sub/file",
            "sub/file": "f",
            "folder": "-> sub",
        },
        executable="run.sh",
    )
    entries = {entry.path: entry for entry in gitfetch.files_of(url(remote, "a"), commit, tmp_path / "git")}
    assert {
        path: entry.content for path, entry in entries.items() if path not in ("package.yaml", ".gitattributes")
    } == {
        "a.txt": b"one\ntwo\n",
        "b.id": b"$Id$\n",
        "hidden": b"h",
        "c.s": b"$Format:%H$\n",
        "run.sh": b"#!/bin/sh\n",
        "to": b"f",
        "sub/file": b"f",
        "folder/file": b"f",
    }
    assert [path for path, entry in entries.items() if entry.executable] == ["run.sh"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("../../etc/passwd", "is a link to '../../etc/passwd'; expected a target inside"),
        ("/etc/passwd", "is a link to '/etc/passwd'; expected a target inside"),
        ("gone", "is a broken or circular link"),
        ("link", "is a broken or circular link"),
    ],
)
def test_link_that_leads_out_or_nowhere_is_refused(remote: Remote, tmp_path: Path, target: str, expected: str) -> None:
    commit = remote.publish("a", {"link": f"-> {target}"})
    with pytest.raises(FormatError, match=expected):
        gitfetch.files_of(url(remote, "a"), commit, tmp_path / "git")


def test_links_through_links_are_followed(remote: Remote, tmp_path: Path) -> None:
    """As a checkout reads: a link may lead through another, and a folder that is linked to may hold links."""
    files = {
        "real/x": "x",
        "real/deep/y": "y",
        "real/side": "-> deep",
        "real/up": "-> ../other.txt",
        "other.txt": "o",
        "alias": "-> real",
        "through": "-> alias/deep/y",
        "twice": "-> through",
        "inner/again": "-> ../alias/side",
    }
    commit = remote.publish("a", files)
    entries = gitfetch.files_of(url(remote, "a"), commit, tmp_path / "git")
    found = {entry.path: entry.content for entry in entries if entry.path != "package.yaml"}
    linked = {"x": b"x", "deep/y": b"y", "side/y": b"y", "up": b"o"}
    assert found == {
        **{f"real/{path}": content for path, content in linked.items()},
        **{f"alias/{path}": content for path, content in linked.items()},
        "other.txt": b"o", "through": b"y", "twice": b"y", "inner/again/y": b"y",
    }  # fmt: skip


@pytest.mark.parametrize(
    "files",
    [
        {"a/loop": "-> ../a", "a/x": "x"},
        {"a/loop": "-> ../b", "b/loop": "-> ../a"},
        {"a": "-> b/c", "b": "-> a"},
    ],
)
def test_links_in_a_circle_are_refused(remote: Remote, tmp_path: Path, files: dict[str, str]) -> None:
    commit = remote.publish("a", files)
    with pytest.raises(FormatError, match="is a broken or circular link"):
        gitfetch.files_of(url(remote, "a"), commit, tmp_path / "git")


@pytest.mark.long
def test_links_that_stand_for_too_much_are_refused() -> None:
    """Twenty links, of which each doubles what the one before it stands for."""
    bomb = BytesIO()
    with tarfile.open(fileobj=bomb, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("d0/x"))
        for level in range(1, 20):
            for name in "ab":
                link = tarfile.TarInfo(f"d{level}/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, f"../d{level - 1}"
                archive.addfile(link)
    bomb.seek(0)
    with pytest.raises(FormatError, match="exceeds the limit: with its links it unpacks to more than is allowed"):
        gitfetch.read_files(bomb)


def test_tags_are_known_with_the_commits_they_mean(remote: Remote) -> None:
    first = remote.publish("a", {"main.loc": "1"}, tag="v1.0.0")
    remote.git(remote.folder / "a.work", "tag", "--annotate", "--message=x", "v1.0.1")
    remote.git(remote.folder / "a.work", "push", "--quiet", "origin", "--tags")
    second = remote.publish("a", {"main.loc": "2"}, tag="v2.0.0")
    assert gitfetch.tags_of(url(remote, "a")) == {"v1.0.0": first, "v1.0.1": first, "v2.0.0": second}


def test_git_sees_what_it_needs_of_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PACKYARD_KEY_SEED", "AWS_SECRET_ACCESS_KEY", "GIT_DIR", "UV_INDEX_PASSWORD", "LD_PRELOAD"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    seen = gitfetch.environment()
    assert "secret" not in seen.values()
    assert (seen["SSH_AUTH_SOCK"], seen["PATH"], seen["GIT_TERMINAL_PROMPT"]) == ("/run/agent", os.environ["PATH"], "0")


def test_files_fetched_once_need_no_remote(remote: Remote, tmp_path: Path) -> None:
    cache = tmp_path / "git"
    commit = gitfetch.commit_of(url(remote, "root"), "", "", cache)
    with pytest.raises(FormatError, match=r"was never fetched at .*, and fetching is disabled \(--offline\)"):
        gitfetch.files_of(url(remote, "root"), commit, cache, offline=True)
    before = gitfetch.files_of(url(remote, "root"), commit, cache)
    (remote.folder / "root.git").rename(remote.folder / "away.git")
    assert gitfetch.files_of(url(remote, "root"), commit, cache, offline=True) == before


def test_commit_that_is_gone_is_said(remote: Remote, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no longer has commit 012345678901"):
        gitfetch.files_of(url(remote, "root"), "0123456789" * 4, tmp_path / "git")


def test_git_of_a_surrounding_hook_is_not_ours(remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    commit = gitfetch.commit_of(url(remote, "root"), "", "", tmp_path / "git")
    assert gitfetch.files_of(url(remote, "root"), commit, tmp_path / "git")
