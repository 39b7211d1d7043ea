from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from packyard.formats.archive.gzipped import COMPRESSOR, LEVELS
from packyard.formats.errors import FormatError
from packyard.formats.workspace.manifest import ArchiveSpec, WorkspaceManifest
from packyard.tasks.kinds.archive.archive import targets
from packyard.tasks.kinds.archive.make_archive import ArchiveParams, make_archive
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import Workspace

FILES = {
    "README.md": "read\n",
    "src/a.txt": "a\n",
    "src/deep/b.txt": "b\n",
    "src/deep/c.bin": "c",
    "dist/old.zip": "old",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def made(root: Path, *specs: ArchiveSpec, epoch: int = 0) -> list[Target]:
    manifest = WorkspaceManifest(name="w", archives=specs)
    return list(
        targets(
            Workspace(root=root, watch=Watch(root), manifest=manifest, members=(), platform="linux_amd64", epoch=epoch)
        )
    )


def spec(*include: str, **values) -> ArchiveSpec:
    return ArchiveSpec(**{"name": "box", "version": "0.1.0", "include": include, **values})


def paths(target: Target) -> list[str]:
    return [source.path for source in target.sources]


def test_target_says_everything_that_decides(root):
    assert made(root, spec("src/a.txt", prefix="top"), epoch=5) == [
        Target(
            name="archive:box",
            doc="the archive box-0.1.0.tar.gz",
            place="packyard.toml",
            run="packyard.tasks.kinds.archive.make_archive:make_archive",
            params={
                "name": "box-0.1.0.tar.gz", "format": "tar.gz", "prefix": "top",
                "packing": {"epoch": 5, "compressor": COMPRESSOR, "level": LEVELS["small"]},
                "trees": {}, "distribution": None,
            },
            sources=(Source(path="src/a.txt", at="src/a.txt"),),
            outputs=(Output(at="box-0.1.0.tar.gz", artifact="dist/box-0.1.0.tar.gz"),),
            final=True,
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("include", "exclude", "found"),
    [
        (["src"], [], ["src/a.txt", "src/deep/b.txt", "src/deep/c.bin"]),
        (["src", "README.md", "src/a.txt"], [], ["README.md", "src/a.txt", "src/deep/b.txt", "src/deep/c.bin"]),
        (["src"], ["src/deep"], ["src/a.txt"]),
        (["src"], ["*.bin"], ["src/a.txt", "src/deep/b.txt"]),
        (["src/*.txt", "./README.md"], [], ["README.md", "src/a.txt"]),
        (["**/*.txt"], ["src/a.txt"], ["src/deep/b.txt"]),
        (["."], [], ["README.md", "src/a.txt", "src/deep/b.txt", "src/deep/c.bin"]),
    ],
)
def test_patterns_choose_files(root, include, exclude, found):
    if include == ["."]:
        include = ["*"]
    assert paths(made(root, spec(*include, exclude=tuple(exclude)))[0]) == found


def test_targets_included_are_used_once(root):
    target = made(root, spec("mojo:tensor", "archive:other", "archive:other", "docs:guide#site"))[0]
    assert target.uses == (
        Use(target="mojo:tensor", at="packages/"),
        Use(target="archive:other"),
        Use(target="docs:guide", part="site"),
    )


def test_patterns_without_a_match_are_all_named(root):
    with pytest.raises(FormatError) as caught:
        made(root, spec("src", "no", "dist/*"), spec("none", name="other"))
    assert str(caught.value) == (
        "packyard.toml: archive[0].include[1]: 'no' matches no file\n"
        "packyard.toml: archive[0].include[2]: 'dist/*' matches no file\n"
        "packyard.toml: archive[1].include[0]: 'none' matches no file"
    )


# the action --------------------------------------------------------------------------------------------------


def archive(folder: Path, files: dict[str, str], umask: int = 0o022, epoch: int = 0, **params) -> bytes:
    """What `make_archive` writes in a room that holds these files."""
    places = {name: folder / name for name in ("inputs", "outputs", "scratch", "home")}
    old = os.umask(umask)
    try:
        for place in places.values():
            place.mkdir(parents=True)
        for path, text in files.items():
            (places["inputs"] / path).parent.mkdir(parents=True, exist_ok=True)
            (places["inputs"] / path).write_text(text)
            if text.startswith("#!"):
                (places["inputs"] / path).chmod(0o755 & ~umask)
        values = {
            "name": "box",
            "format": "tar.gz",
            "prefix": "",
            "packing": Packing.of("small", epoch=epoch),
            **params,
        }
        make_archive(Room(**places, params=ArchiveParams(**values), log=folder / "log"))
    finally:
        os.umask(old)
    return (places["outputs"] / "box").read_bytes()


INSIDE = {"b/x.txt": "x\n", "a.txt": "a\n", "b/tool": "#!/bin/sh\n", "é.txt": "é\n"}


def test_tarball_is_in_order_and_owned_by_nobody(tmp_path):
    with tarfile.open(fileobj=io.BytesIO(archive(tmp_path, INSIDE, prefix="top", epoch=9))) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        assert [member.name for member in members] == ["top/a.txt", "top/b/tool", "top/b/x.txt", "top/é.txt"]
        assert [oct(member.mode) for member in members] == ["0o644", "0o755", "0o644", "0o644"]
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", 9)}
        found = tar.extractfile("top/b/x.txt")
        assert found is not None
        assert found.read() == b"x\n"


def test_zip_is_in_order_and_dated_1980(tmp_path):
    with zipfile.ZipFile(io.BytesIO(archive(tmp_path, INSIDE, format="zip"))) as read:
        assert read.testzip() is None
        files = [info for info in read.infolist() if not info.is_dir()]
        assert [info.filename for info in files] == ["a.txt", "b/tool", "b/x.txt", "é.txt"]
        assert {info.date_time for info in files} == {(1980, 1, 1, 0, 0, 0)}
        assert [oct(info.external_attr >> 16 & 0o777) for info in files] == ["0o644", "0o755", "0o644", "0o644"]


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_archive_is_the_same_wherever_and_however_it_is_made(tmp_path, form):
    one = archive(tmp_path / "one", INSIDE, format=form)
    turned = dict(reversed(INSIDE.items()))
    assert archive(tmp_path / "a-longer-name" / "two", turned, umask=0o077, format=form) == one


def test_archive_holds_what_git_tracks_or_would_track_and_what_is_named(root):
    (root / ".gitignore").write_text("*.bin\n/README.md\n")
    assert paths(*made(root, spec("src"))) == ["src/a.txt", "src/deep/b.txt"]
    assert paths(*made(root, spec("src/**", "src/deep/c.bin", "README.md"))) == [
        "README.md", "src/a.txt", "src/deep/b.txt", "src/deep/c.bin",
    ]  # fmt: skip
    with pytest.raises(FormatError) as error:
        made(root, spec("**/*.bin"))
    assert str(error.value) == (
        "packyard.toml: archive[0].include[0]: '**/*.bin' matches no file\n"
        "  hint: git ignores src/deep/c.bin; name it without a wildcard, or in include of [tool.packyard]"
    )
