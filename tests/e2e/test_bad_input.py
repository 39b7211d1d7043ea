"""Bad input: one clear message, status 1, and nothing written; stock doit shows the same without a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HEAD = '[workspace]\nname = "bad"\n'


def archive(name: str, include: str, more: str = "") -> str:
    return f'[[archive]]\nname = "{name}"\nversion = "1.0.0"\ninclude = [{include}]\n{more}'


CASES = {
    "cycle": (
        HEAD + archive("a", '"archive:b"') + archive("b", '"archive:c"') + archive("c", '"archive:a"'),
        "packyard.toml: the targets depend on each other in a cycle: archive:a -> archive:b -> archive:c -> archive:a",
    ),
    "cycle by two paths": (
        HEAD + archive("a", '"archive:b", "archive:c"') + archive("b", '"archive:c"') + archive("c", '"archive:b"'),
        "packyard.toml: the targets depend on each other in a cycle: archive:b -> archive:c -> archive:b",
    ),
    "cycle of one": (
        HEAD + archive("a", '"archive:a"'),
        "packyard.toml: the targets depend on each other in a cycle: archive:a -> archive:a",
    ),
    "name twice": (
        HEAD + archive("a", '"x.txt"') + archive("a", '"x.txt"'),
        "packyard.toml: archive[1].name: 'a' is also the name of archive[0]; each needs its own",
    ),
    "artifact owned twice": (
        HEAD
        + archive("a-1.0.0", '"x.txt"').replace('version = "1.0.0"', 'version = "2.0.0"')
        + archive("a", '"x.txt"').replace('version = "1.0.0"', 'version = "1.0.0-2.0.0"'),
        "packyard.toml: 'dist/a-1.0.0-2.0.0.tar.gz' is made by 'archive:a' and by 'archive:a-1.0.0' (packyard.toml)",
    ),
    "pattern without match": (
        HEAD + archive("a", '"x.txt", "no/*.md"'),
        "packyard.toml: archive[0].include[1]: 'no/*.md' matches no file",
    ),
    "unknown target": (
        HEAD + archive("tools", '"x.txt"') + archive("b", '"archive:tolls"'),
        "packyard.toml: 'archive:b' needs 'archive:tolls', which no member or tool makes\n"
        "  hint: did you mean 'archive:tools'?",
    ),
    "unknown part": (
        HEAD + archive("a", '"x.txt"') + archive("b", '"archive:a#doc"'),
        "packyard.toml: 'archive:b' needs 'archive:a#doc', which has no such part (parts: none)",
    ),
    "two inputs in one place": (
        HEAD + archive("a", '"x.txt"') + archive("b", '"archive:a", "a-1.0.0.tar.gz"'),
        "packyard.toml: 'archive:b' would find both 'a-1.0.0.tar.gz' and 'archive:a' at 'a-1.0.0.tar.gz'",
    ),
    "version": (
        HEAD + archive("a", '"x.txt"').replace("1.0.0", "1.0"),
        "packyard.toml: archive[0].version: '1.0' is not a version; expected a SemVer version like 0.1.0",
    ),
    "member pattern without match": (
        '[workspace]\nname = "bad"\nmembers = ["apps/*"]\n',
        "packyard.toml: workspace.members[0]: 'apps/*' matches no folder",
    ),
    "member without manifest": (
        '[workspace]\nname = "bad"\nmembers = ["folder"]\n',
        "folder: is a member without a manifest; expected one of mojo.toml, pyproject.toml, package.yaml\n"
        "  hint: add one, or remove the folder from workspace.members in packyard.toml",
    ),
    "not TOML": ("[workspace\nname = 1\n", "packyard.toml: "),
    "not UTF-8": (b"[workspace]\nname = '\xff'\n", "packyard.toml: is not UTF-8 (byte 20)"),
    "empty": ("", "packyard.toml: workspace: "),
    "unknown key": (HEAD + archive("a", '"x.txt"', "prefx = 'a'\n"), "prefx"),
    "path out of the workspace": (
        HEAD + archive("a", '"../x.txt"'),
        "packyard.toml: archive[0].include[0]: '../x.txt' leaves its folder through '..'; expected a path inside",
    ),
}


@pytest.fixture
def bad(make_space):
    space = make_space("bad")
    space.write("x.txt", "x\n")
    space.write("a-1.0.0.tar.gz", "a file of this name\n")
    space.write("folder/y.txt", "y\n")
    return space


@pytest.mark.parametrize("case", CASES)
def test_bad_workspace_is_said_once_and_nothing_is_written(bad, case):
    text, message = CASES[case]
    bad.write("packyard.toml", text)
    bad.write("dodo.py", "from packyard.tasks import *\n")
    before = bad.files()
    done = bad.packyard(status=1)
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert message in done.err
    stock = bad.doit(status=3)
    assert message in stock.err
    bad.remove("__pycache__") if (bad.root / "__pycache__").exists() else None
    assert bad.files() == before
    assert not (bad.home / "cache").exists()


def test_bad_workspace_keeps_what_was_built(bad):
    bad.write("packyard.toml", HEAD + archive("a", '"x.txt"'))
    bad.packyard()
    before = bad.files("dist")
    bad.write("packyard.toml", CASES["cycle"][0])
    bad.packyard(status=1)
    assert bad.files("dist") == before
    bad.write("packyard.toml", HEAD + archive("a", '"x.txt"'))
    bad.expect_nothing()


def test_no_workspace_is_said(make_space):
    space = make_space("empty")
    done = space.packyard(status=1)
    assert done.err == (
        f"error: {space.root}: no packyard.toml here or in a folder above\n  hint: 'packyard init' writes one\n"
    )
    assert "no packyard.toml here" in space.doit(status=3).err


def test_unknown_target_is_a_usage_error(bad):
    bad.write("packyard.toml", HEAD + archive("tools", '"x.txt"'))
    done = bad.packyard("archive:tolls", status=2)
    assert done.err == (
        "error: 'archive:tolls' is neither a target nor a command\n  hint: did you mean 'archive:tools'?\n"
    )
    bad.packyard("--jobs", "0", status=2)
    bad.packyard("--no-such-option", status=2)


def test_same_file_by_two_spellings_is_one_file(bad):
    bad.write("packyard.toml", HEAD + archive("a", '"x.txt", "./x.txt", ".//x.txt"'))
    assert bad.packyard().ran == ["archive:a"]
    bad.append("x.txt", "more\n")
    assert bad.packyard().ran == ["archive:a"]


def test_same_target_twice_is_one_input(bad):
    bad.write("packyard.toml", HEAD + archive("a", '"x.txt"') + archive("b", '"archive:a", "archive:a"'))
    assert bad.packyard().ran == ["archive:a", "archive:b"]


def test_link_that_leads_nowhere_is_said(bad):
    bad.write("packyard.toml", HEAD + archive("a", '"folder"') + archive("b", '"x.txt"'))
    (bad.root / "folder/link").symlink_to("nowhere")
    (bad.root / "folder/loop").symlink_to("loop")
    done = bad.packyard(status=1)
    assert done.failed == ["archive:a"]
    assert "folder/link: is missing; packyard.toml needs it" in done.out
    assert "folder/loop: is missing; packyard.toml needs it" in done.out
    assert done.ran == ["archive:b"]
    assert "to run it alone: packyard archive:a" in done.out


def test_file_that_may_not_be_read_is_said(bad):
    if os.getuid() == 0:
        pytest.skip("root may read everything")
    bad.write("packyard.toml", HEAD + archive("a", '"x.txt"'))
    (bad.root / "x.txt").chmod(0)
    assert "x.txt: " in bad.packyard(status=1).out


def test_name_that_is_not_utf8_is_said(bad):
    bad.write("packyard.toml", HEAD + archive("a", '"folder"'))
    Path(os.fsdecode(os.fsencode(bad.root / "folder") + b"/\xff.txt")).write_text("strange")
    done = bad.packyard(status=1)
    assert "is not UTF-8" in done.out + done.err


def test_folder_whose_name_is_not_utf8_and_unused_does_no_harm(bad):
    bad.write("packyard.toml", HEAD + archive("a", '"**/y.txt"'))
    Path(os.fsdecode(os.fsencode(bad.root) + b"/f\xff")).mkdir()
    assert bad.packyard().ran == ["archive:a"]
    bad.expect_nothing()


def test_failure_is_tried_again_and_others_go_on(bad):
    bad.write("packyard.toml", HEAD + archive("a", '"folder"') + archive("b", '"archive:a"') + archive("c", '"x.txt"'))
    (bad.root / "folder/link").symlink_to("nowhere")
    done = bad.packyard(status=1)
    assert (done.ran, done.failed) == (["archive:c"], ["archive:a"])
    assert "skipped because of that: archive:b" in done.out
    again = bad.packyard(status=1)
    assert (again.ran, again.failed) == ([], ["archive:a"])
    bad.remove("folder/link")
    assert bad.packyard().ran == ["archive:a", "archive:b"]
    bad.expect_nothing()


@pytest.mark.long
def test_chain_of_two_thousand_targets_is_built_and_found_fresh(bad):
    lines = [HEAD, archive("n0000", '"x.txt"')]
    lines += [archive(f"n{n:04}", f'"archive:n{n - 1:04}"') for n in range(1, 2000)]
    bad.write("packyard.toml", "".join(lines))
    done = bad.packyard("archive:n0300")
    assert len(done.ran) == 301
    assert bad.packyard("archive:n0300").out.startswith("nothing to do: 301 targets")
    assert len(bad.packyard("plan", "--json").out) > 2000
