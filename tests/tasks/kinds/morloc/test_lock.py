from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packyard.formats.errors import FormatError
from packyard.formats.workspace.lock import read_lock
from packyard.tasks.kinds.morloc.lock import check_morloc, drift_of_morloc, is_settled, lock_morloc, refuse_drift
from packyard.tasks.workspace.workspace import Workspace, read_workspace

from tests.tasks.kinds.morloc.corpus import PACKAGES, SOUND, Files, manifest, module, plain, write_corpus, write_package
from tests.tasks.kinds.morloc.remote import Remote

SHAPES = {"shapes": plain("shapes", "root"), "shapes-py": plain("shapes-py", "shapes", "root-py")}


def workspace(remote: Remote, root: Path, members: Mapping[str, Files] = SHAPES, *, more: str = "") -> Workspace:
    remote.write_workspace(root, more=more)
    for name, files in members.items():
        write_package(root / "m" / name, files)
    return read_workspace(root)


def said(remote: Remote, root: Path, members: Mapping[str, Files], *, more: str = "", earlier: str = "") -> list[str]:
    with pytest.raises(FormatError) as caught:
        lock_morloc(workspace(remote, root, members, more=more), earlier)
    return str(caught.value).replace(str(remote.folder), "REMOTE").splitlines()


def test_lock_names_members_and_what_they_need(remote: Remote, tmp_path: Path) -> None:
    heard: list[str] = []
    text = lock_morloc(workspace(remote, tmp_path / "w"), notify=heard.append)
    packages = read_lock(text, "packyard.lock").morloc
    assert [(p.name, p.version, p.source, p.dependencies) for p in packages] == [
        ("internal", "0.1.0", "default", ()),
        ("root", "0.1.0", "default", ("internal",)),
        ("root-py", "0.1.0", "default", ("root",)),
        ("shapes", "0.1.0", "member", ("root",)),
        ("shapes-py", "0.1.0", "member", ("root-py", "shapes")),
    ]
    assert [bool(p.commit) and bool(p.content) for p in packages] == [True, True, True, False, False]
    assert [line.partition(":")[0] for line in heard] == ["root", "root-py", "internal"]
    assert str(tmp_path) not in text


def test_lock_made_elsewhere_and_in_another_order_is_the_same(remote: Remote, tmp_path: Path) -> None:
    names = list(SOUND)
    texts = []
    for place in ("a", "much-longer-place"):
        root = remote.write_workspace(tmp_path / place)
        for name in names:
            write_package(root / "m" / name, PACKAGES[name])
        texts.append(lock_morloc(read_workspace(root)))
        random.Random(7).shuffle(names)
    assert texts[0] == texts[1]
    assert texts[0].count("[[morloc]]") == len(SOUND) + 5  # the standard set but math


def test_lock_keeps_a_commit_until_it_is_upgraded(remote: Remote, tmp_path: Path) -> None:
    here = workspace(remote, tmp_path / "w")
    first = lock_morloc(here)
    newer = remote.publish("root", {"new.txt": "new"})
    assert lock_morloc(here, first) == first
    assert newer in lock_morloc(here, first, upgrade=["root"])
    assert newer in lock_morloc(here, first, upgrade=None)


def test_lock_without_morloc_members_stays_as_it_is(remote: Remote, tmp_path: Path) -> None:
    other = {"lib": {"pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n'}}
    assert lock_morloc(workspace(remote, tmp_path / "w", other), "# nothing\n") == "# nothing\n"


def test_lock_of_a_third_party_package_infers_libraries(remote: Remote, tmp_path: Path) -> None:
    text = lock_morloc(workspace(remote, tmp_path / "w", {"user": plain("user", "math")}))
    packages = {p.name: p for p in read_lock(text, "packyard.lock").morloc}
    assert list(packages) == ["cppbase", "math", "user"]
    assert packages["math"].dependencies == ("cppbase",)


def test_lock_takes_sources_and_vendored_archives(remote: Remote, tmp_path: Path) -> None:
    root = tmp_path / "w"
    write_package(root / "third/helper", plain("helper"))
    url = remote.url("root")
    more = f'[morloc.sources]\nhelper = "./third/helper"\nroot = "{url}@tag:v0.1.0"\n'
    members = {"a": plain("a", "helper", "root")}
    packages = {p.name: p for p in read_lock(lock_morloc(workspace(remote, root, members, more=more)), "").morloc}
    assert (packages["helper"].source, packages["helper"].commit) == ("folder", "")
    assert packages["root"].source == f"{url}@tag:v0.1.0"


def test_tag_that_moved_is_refused_until_it_is_upgraded(remote: Remote, tmp_path: Path) -> None:
    more = f'[morloc.sources]\nroot = "{remote.url("root")}@tag:v0.1.0"\n'
    here = workspace(remote, tmp_path / "w", more=more)
    first = lock_morloc(here)
    old = next(p.commit for p in read_lock(first, "").morloc if p.name == "root")
    new = remote.publish("root", {"new.txt": "new"}, tag="v0.1.0")
    with pytest.raises(FormatError) as caught:
        lock_morloc(here, first)
    assert str(caught.value).replace(str(remote.folder), "REMOTE") == (
        f"root: the tag 'v0.1.0' of file://REMOTE/root.git moved from {old[:12]} to {new[:12]} (needed by shapes)\n"
        "  hint: if that is intended, run 'packyard lock --upgrade root'"
    )
    assert new in lock_morloc(here, first, upgrade=["root"])


def test_content_that_is_not_the_locked_one_is_refused(remote: Remote, tmp_path: Path) -> None:
    here = workspace(remote, tmp_path / "w", {"a": plain("a", "internal")})
    first = lock_morloc(here)
    content = next(str(p.content) for p in read_lock(first, "").morloc if p.content)
    with pytest.raises(FormatError) as caught:
        lock_morloc(here, first.replace(content, f"sha256:{'0' * 64}"))
    commit = next(p.commit for p in read_lock(first, "").morloc if p.commit)
    assert str(caught.value) == (
        f"internal: its content at {commit[:12]} is {content}, but sha256:{'0' * 64} is locked (needed by a)"
    )


def test_pinned_commit_is_taken(remote: Remote, tmp_path: Path) -> None:
    old = remote.git(remote.folder / "root.work", "rev-parse", "HEAD").strip()
    remote.publish("root", {"new.txt": "new"})
    pins = f"morloc-dependencies: [{{name: root, git-hash: '{old}'}}]\n"
    members = {"a": {"package.yaml": manifest("a", "root", more=pins), "main.loc": module("a", "root")}}
    assert old in lock_morloc(workspace(remote, tmp_path / "w", members))


def test_range_takes_the_newest_tag_that_meets_it(remote: Remote, tmp_path: Path) -> None:
    """Two packages with a range each; the default branch is beyond both."""
    commits = {
        version: remote.publish("lib", {"package.yaml": f"name: lib\nversion: {version}\n", "main.loc": module("lib")},
                                tag=f"v{version}")
        for version in ("0.7.0", "0.7.2", "0.8.0", "1.0.0")
    }  # fmt: skip

    def needing(name: str, text: str) -> Files:
        more = f'x-packyard: {{requires: {{lib: "{text}"}}}}\n'
        return {"package.yaml": manifest(name, more=more), "main.loc": module(name, "lib")}

    more = f'[morloc.sources]\nlib = "{remote.url("lib")}"\n'
    here = workspace(remote, tmp_path / "w", {"a": needing("a", "<1"), "b": needing("b", "~0.7.0")}, more=more)
    first = lock_morloc(here)
    assert [(p.version, p.commit) for p in read_lock(first, "").morloc if p.name == "lib"] == [
        ("0.7.2", commits["0.7.2"])
    ]
    remote.publish("lib", {"package.yaml": "name: lib\nversion: 0.7.3\n"}, tag="v0.7.3")
    assert lock_morloc(here, first) == first
    assert "0.7.3" in lock_morloc(here, first, upgrade=["lib"])
    with pytest.raises(FormatError, match=r"^lib: has version 0\.7\.3, but a requires '>=2'$"):
        lock_morloc(workspace(remote, tmp_path / "v", {"a": needing("a", ">=2")}, more=more))


def test_repositories_are_fetched_by_ssh_when_the_workspace_says_so(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for ssh tells who was called, and gives what the server would."""
    log, ssh = tmp_path / "log", tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\nfor word; do last=$word; done\necho "$*" >> {log}\n'
        f'set -- $(echo "$last" | tr -d "\'")\nexec $1 {remote.folder}/$(basename $2)\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH", str(ssh))
    here = workspace(remote, tmp_path / "w", {"a": plain("a", "internal")}, more="ssh = true\n")
    manifest_file = tmp_path / "w/packyard.toml"
    manifest_file.write_text(manifest_file.read_text().replace(remote.template, "https://example.org/all/{name}.git"))
    text = lock_morloc(read_workspace(here.root))
    assert 'source = "default"' in text
    assert {line.split(" git-upload-pack ")[-1] for line in log.read_text().splitlines()} == {"'/all/internal.git'"}
    assert all("git@example.org" in line for line in log.read_text().splitlines())


def test_lock_of_morloc_members_alone_is_known_to_be_settled(remote: Remote, tmp_path: Path) -> None:
    root = workspace(remote, tmp_path / "w").root
    assert is_settled(root) == 0
    (root / "packyard.lock").write_text(lock_morloc(read_workspace(root)))
    time.sleep(0.05)  # a file that is too young is not trusted
    (root / "packyard.lock").write_text(lock_morloc(read_workspace(root), (root / "packyard.lock").read_text()))
    assert is_settled(root) == 5
    (root / "m/shapes/main.loc").write_text(module("shapes"))
    assert is_settled(root) == 0


@pytest.mark.parametrize(
    ("members", "more", "expected"),
    [
        (
            {"a": {"package.yaml": manifest("a"), "main.loc": module("a", "rooot")}},
            "",
            [
                "m/a/main.loc: line 2: 'rooot' is imported but is neither a member nor in the standard set "
                "(internal, root, root-py, root-cpp, root-r, math)",
                "  hint: add the package rooot to the workspace as a member",
            ],
        ),
        (
            {"a": plain("a", "b"), "b": plain("b", "a")},
            "",
            ["m/a/package.yaml: the packages depend on each other in a cycle: a -> b -> a"],
        ),
        (
            {
                "a": {
                    "package.yaml": manifest("a", more="x-packyard: {requires: {root: '>=2,<3'}}\n"),
                    "main.loc": module("a", "root"),
                }
            },
            "",
            ["root: has version 0.1.0, but a requires '>=2,<3'"],
        ),
        (
            {"a": plain("a", "extra")},
            '[morloc.sources]\nextra = "git+file:///nowhere/extra.git"\n',
            [
                "extra: file:///nowhere/extra.git cannot be fetched: '/nowhere/extra.git' does not appear to be "
                "a git repository (needed by a)"
            ],
        ),
        (
            {"a": plain("a", "extra")},
            '[morloc.sources]\nextra = "./gone"\n',
            ["gone: is not a folder; expected a folder or an archive NAME-VERSION.morloc.tar.gz (needed by a)"],
        ),
    ],
)
def test_lock_that_cannot_be_made_is_said(
    remote: Remote, tmp_path: Path, members: Mapping[str, Files], more: str, expected: list[str]
) -> None:
    lines = said(remote, tmp_path / "w", members, more=more)
    assert [line.replace(f"{tmp_path}/w/", "") for line in lines] == expected


def test_third_party_package_that_cannot_work_is_refused(remote: Remote, tmp_path: Path) -> None:
    remote.publish("root", {"main.loc": module("root", more='source Py from "gone.py" ("f")\n')})
    assert said(remote, tmp_path / "w", {"a": plain("a", "root")}) == [
        "root/main.loc: line 2: 'gone.py' is sourced but missing; expected the file 'root/gone.py' (needed by a)"
    ]


def test_drift_is_told_in_words(remote: Remote, tmp_path: Path) -> None:
    here = workspace(remote, tmp_path / "w")
    text = lock_morloc(here)
    assert drift_of_morloc(here, text) == []
    check_morloc(here, text)
    write_package(tmp_path / "w/m/new", plain("new", "math"))
    write_package(tmp_path / "w/m/shapes", {"package.yaml": manifest("shapes").replace("0.1.0", "0.2.0")})
    write_package(tmp_path / "w/m/shapes", {"main.loc": module("shapes")})
    now = read_workspace(tmp_path / "w")
    assert drift_of_morloc(now, text) == ["new is not in it", "shapes is 0.2.0, but was locked at 0.1.0"]
    with pytest.raises(FormatError) as caught:
        check_morloc(now, text)
    assert str(caught.value).splitlines() == [
        "packyard.lock: does not fit the workspace: new is not in it",
        "packyard.lock: does not fit the workspace: shapes is 0.2.0, but was locked at 0.1.0",
        "  hint: run 'packyard lock'",
    ]


def test_drift_of_sources_and_dependencies_is_told(remote: Remote, tmp_path: Path) -> None:
    here = workspace(remote, tmp_path / "w")
    text = lock_morloc(here)
    write_package(tmp_path / "w/m/shapes-py", plain("shapes-py", "shapes"))
    remote.write_workspace(tmp_path / "w", more='[morloc.sources]\nroot = "github:u/root"\n')
    assert drift_of_morloc(read_workspace(tmp_path / "w"), text) == [
        "shapes-py no longer needs root-py",
        "root now comes from 'github:u/root', but was locked as 'default'",
        "nothing needs root-py now",
    ]


def test_corpus_of_sound_packages_locks_without_warnings(remote: Remote, tmp_path: Path) -> None:
    write_corpus(tmp_path / "w", SOUND)
    remote.write_workspace(tmp_path / "w")
    here = read_workspace(tmp_path / "w")
    assert drift_of_morloc(here, lock_morloc(here)) == []


def test_drift_is_refused_only_where_there_is_a_lock(remote: Remote, tmp_path: Path) -> None:
    here = workspace(remote, tmp_path / "w")
    refuse_drift(tmp_path / "w")
    (tmp_path / "w/packyard.lock").write_text(lock_morloc(here))
    refuse_drift(tmp_path / "w")
    write_package(tmp_path / "w/m/new", plain("new"))
    with pytest.raises(FormatError, match=r"packyard.lock: does not fit the workspace: new is not in it"):
        refuse_drift(tmp_path / "w")


@st.composite
def packages(draw: st.DrawFn) -> dict[str, list[str]]:
    """Packages of which each needs some before it, in any order of their names."""
    names = draw(st.permutations([f"{letter}-{n}" for n in range(3) for letter in "abc"]))
    return {
        name: draw(st.lists(st.sampled_from(names[:at]), unique=True, max_size=4)) if at else []
        for at, name in enumerate(names)
    }


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=packages(), data=st.data())
def test_lock_is_the_same_in_whatever_order_files_are_written(
    tmp_path_factory: pytest.TempPathFactory, graph: dict[str, list[str]], data: st.DataObject
) -> None:
    texts = []
    for _ in range(2):
        root = tmp_path_factory.mktemp("w")
        (root / "packyard.toml").write_text('[workspace]\nname = "w"\nmembers = ["m/*"]\n')
        for name in data.draw(st.permutations(list(graph))):
            declared, imported = (data.draw(st.permutations(graph[name])) for _ in range(2))
            files = {"package.yaml": manifest(name, *declared), "main.loc": module(name, *imported)}
            write_package(root / "m" / name, files)
        texts.append(lock_morloc(read_workspace(root)))
    assert texts[0] == texts[1]
    assert [p.name for p in read_lock(texts[0], "").morloc] == sorted(graph)
