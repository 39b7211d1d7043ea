from __future__ import annotations

import os
from pathlib import Path

import pytest
import xxhash
from packyard.formats.errors import FormatError
from packyard.formats.mojo.source import imported_packages
from packyard.tasks.workspace.memo import PACKED_STAT, pack_stat
from packyard.tasks.workspace.watch import SKIPPED, Watch


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path in (
        "a.md",
        "b.txt",
        "src/a.txt",
        "src/b.md",
        "src/deep/c.md",
        "src/deep/er/d.md",
        "src.d/x.md",
        "z/y.txt",
    ):
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(path)
    for name in (".git", "__pycache__", ".packyard"):
        (tmp_path / "src" / name).mkdir()
        (tmp_path / "src" / name / "left-out.md").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a.md", ["a.md"]),
        ("*.md", ["a.md"]),
        ("?.md", ["a.md"]),
        ("[ab].*", ["a.md", "b.txt"]),
        ("src", ["src/a.txt", "src/b.md", "src/deep/c.md", "src/deep/er/d.md"]),
        ("src/*", ["src/a.txt", "src/b.md", "src/deep/c.md", "src/deep/er/d.md"]),
        ("src/*.md", ["src/b.md"]),
        ("src/**/*.md", ["src/b.md", "src/deep/c.md", "src/deep/er/d.md"]),
        ("src/**", ["src/a.txt", "src/b.md", "src/deep/c.md", "src/deep/er/d.md"]),
        ("**/*.md", ["a.md", "src.d/x.md", "src/b.md", "src/deep/c.md", "src/deep/er/d.md"]),
        ("*/deep", ["src/deep/c.md", "src/deep/er/d.md"]),
        ("src/deep/**/d.md", ["src/deep/er/d.md"]),
        ("none", []),
        ("none/*.md", []),
        ("a.md/x", []),
        ("A.md", []),
        (".git", []),
        ("src/.git/left-out.md", []),
    ],
)
def test_pattern_names_files(tree, pattern, found):
    assert Watch(tree).matching_files(pattern) == found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("*", ["src", "src.d", "z"]), ("src/*", ["src/deep"]), ("", [""]), ("*.md", []), ("**/er", ["src/deep/er"])],
)
def test_pattern_names_folders(tree, pattern, found):
    assert Watch(tree).matching_folders(pattern) == found


def test_pattern_skips_what_the_caller_leaves_out(tree):
    watch = Watch(tree)
    assert watch.matching_files("src", lambda path: path in ("src/deep/", "src/a.txt")) == ["src/b.md"]
    assert "src/deep" not in watch.seen


def test_files_are_sorted_by_bytes_at_each_level(tmp_path):
    for name in ("a.txt", "a/b", "a-b", "A", "é"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert list(Watch(tmp_path).files("")) == ["A", "a-b", "a.txt", "a/b", "é"]


def test_seen_holds_every_file_read_and_folder_listed(tree):
    watch = Watch(tree)
    watch.bytes("b.txt")
    watch.matching_files("src/*.md")
    assert sorted(watch.seen) == ["", "b.txt", "src"]
    assert PACKED_STAT.unpack(watch.seen["b.txt"])[1:] == pack_stat((tree / "b.txt").stat())[1:]


def test_absence_is_seen_in_the_nearest_folder(tree):
    watch = Watch(tree)
    assert not watch.is_file("none/deeper/x")
    assert sorted(watch.seen) == [""]
    assert not watch.is_file("src/none/x")
    assert sorted(watch.seen) == ["", "src"]


def test_folders_and_files_are_told_apart(tree):
    watch = Watch(tree)
    assert (watch.is_file("a.md"), watch.is_folder("a.md")) == (True, False)
    assert (watch.is_file("src"), watch.is_folder("src"), watch.is_folder("")) == (False, True, True)
    assert watch.folders("src") == ["deep"]


def test_links_to_files_count_and_links_to_folders_do_not(tree):
    (tree / "link.md").symlink_to("a.md")
    (tree / "folder").symlink_to("src")
    (tree / "up").symlink_to("..")
    assert Watch(tree).matching_files("*.md") == ["a.md", "link.md"]
    assert Watch(tree).matching_files("folder") == []
    assert Watch(tree).folders("") == ["src", "src.d", "z"]


def test_link_that_leads_nowhere_is_listed_so_that_reading_says_so(tree):
    (tree / "src/loop").symlink_to("loop")
    (tree / "src/gone").symlink_to("nowhere")
    watch = Watch(tree)
    assert watch.matching_files("src/*o*") == ["src/gone", "src/loop"]
    with pytest.raises(FormatError) as caught:
        watch.bytes("src/loop")
    assert str(caught.value) == "src/loop: cannot be read: Too many levels of symbolic links"


def test_name_that_is_not_utf8_is_listed(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.md")).write_text("")
    assert Watch(tmp_path).matching_files("*.md") == ["\udcff.md"]


def test_text_that_is_not_utf8_is_said(tmp_path):
    (tmp_path / "a").write_bytes(b"ab\xff")
    with pytest.raises(FormatError) as caught:
        Watch(tmp_path).text("a")
    assert str(caught.value) == "a: is not UTF-8 (byte 2)"


def test_file_that_cannot_be_read_is_said(tree):
    with pytest.raises(FormatError) as caught:
        Watch(tree).bytes("none")
    assert str(caught.value) == "none: cannot be read: No such file or directory"


@pytest.mark.parametrize("name", sorted(SKIPPED))
def test_skipped_names_are_never_members_or_inputs(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "x").write_text("")
    watch = Watch(tmp_path)
    assert (watch.folders(""), list(watch.files("")), watch.matching_files(f"{name}/x")) == ([], [], [])


# asking again ------------------------------------------------------------------------------------------------


def test_scan_tells_the_same_while_what_it_finds_does(tree):
    (tree / "m.mojo").write_text("import a\n")
    watch = Watch(tree)
    assert watch.scan("m.mojo", imported_packages) == ["a"]
    answer = watch.answer("m.mojo")
    assert answer[0] == "mojo.source:imported_packages"
    (tree / "m.mojo").write_text("# a comment\nimport a.b\n")
    assert Watch(tree).tells_the_same("m.mojo", answer)
    (tree / "m.mojo").write_text("import a, b\n")
    assert not Watch(tree).tells_the_same("m.mojo", answer)
    (tree / "m.mojo").write_bytes(b"\xff")
    assert not Watch(tree).tells_the_same("m.mojo", answer)


def test_folder_tells_the_same_while_its_names_do(tree):
    watch = Watch(tree)
    watch.matching_files("src/*.md")
    (tree / "src/b.md").write_text("longer")
    (tree / "src/__pycache__/x").write_text("")
    assert Watch(tree).tells_the_same("src", watch.answer("src"))
    (tree / "src/c.md").mkdir()
    assert not Watch(tree).tells_the_same("src", watch.answer("src"))


def test_text_tells_the_same_while_its_bytes_do(tree):
    watch = Watch(tree)
    watch.text("a.md")
    os.utime(tree / "a.md", (1, 1))
    assert Watch(tree).tells_the_same("a.md", watch.answer("a.md"))
    (tree / "a.md").write_text("A.md")
    assert not Watch(tree).tells_the_same("a.md", watch.answer("a.md"))
    (tree / "a.md").unlink()
    assert not Watch(tree).tells_the_same("a.md", watch.answer("a.md"))


@pytest.mark.parametrize("first", ["scan", "text"])
def test_all_bytes_count_of_what_is_asked_twice(tree, first):
    watch = Watch(tree)
    asks = [lambda: watch.scan("a.md", imported_packages), lambda: watch.text("a.md")]
    for ask in asks if first == "scan" else asks[::-1]:
        ask()
    assert watch.answer("a.md") == ("bytes", xxhash.xxh3_128_digest(b"a.md"))


def test_what_was_only_seen_never_tells_the_same(tree):
    watch = Watch(tree)
    watch.text("a.md")
    watch.see("a.md")
    watch.text("a.md")
    assert not Watch(tree).tells_the_same("a.md", watch.answer("a.md"))


@pytest.mark.parametrize("question", ["os:system", "mojosource:nothing", "nothing:nothing", "x"])
def test_question_nobody_knows_is_not_answered(tree, question):
    assert not Watch(tree).tells_the_same("a.md", (question, bytes(16)))
