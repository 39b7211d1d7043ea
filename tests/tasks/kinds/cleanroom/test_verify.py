"""Trying artifacts as files: archives and morloc packages; Mojo packages are tried in tests/e2e."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.kinds.cleanroom.verify import Verified, verify_artifact
from packyard.tasks.workspace.workspace import read_workspace

MANIFEST = """\
[workspace]
name = "w"

[[archive]]
name = "tools"
version = "0.1.0"
include = ["run.sh"]
prefix = "inner"
smoke = ["./run.sh", "now"]
"""


def tar(path: Path, files: dict[str, str]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def shown(found: Verified) -> str:
    return found.shown().replace(str(found.path), "FILE")


def test_verify_runs_the_smoke_command_of_an_archive_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "packyard.toml").write_text(MANIFEST)
    path = tar(tmp_path / "dist/tools-0.1.0.tar.gz", {"inner/run.sh": '#!/bin/sh\necho "run $1"\n'})
    found = verify_artifact(path, (), read_workspace(tmp_path))
    digest = found.report.present[path.name]
    assert (
        shown(found)
        == f"""\
FILE: works

tools-0.1.0.tar.gz, in a clean room

  present  tools-0.1.0.tar.gz  {digest[:12]}

  passed  tools-0.1.0.tar.gz unpacks
  passed  ./run.sh now runs

2 of 2 checks passed"""
    )
    assert found.log == "$ ./run.sh now\nrun now\n"
    assert json.loads(json.dumps(found.json()))["verdict"] == "works"


def test_verify_shows_what_the_smoke_command_said_when_it_failed(tmp_path: Path) -> None:
    (tmp_path / "packyard.toml").write_text(MANIFEST)
    path = tar(tmp_path / "dist/tools-0.1.0.tar.gz", {"inner/run.sh": "#!/bin/sh\necho too slow\nexit 4\n"})
    found = verify_artifact(path, (), read_workspace(tmp_path))
    assert not found.passed
    assert shown(found) == (
        "FILE: 1 of 2 checks failed in the clean room\n"
        "./run.sh now runs: it ended with status 4\n    too slow\n    'run.sh' ended with status 4"
    )


def test_verify_of_somebody_elses_archive_unpacks_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    found = verify_artifact(tmp_path / "a.zip", (), None)
    assert [check.what for check in found.report.checks] == ["a.zip unpacks"]


def test_verify_of_a_site_follows_its_links(tmp_path: Path) -> None:
    pages = {"site/index.html": '<a href="a.html#x">a</a>', "site/a.html": '<p id="x"></p><a href="https://b.invalid">'}
    path = tmp_path / "docs-offline-0.1.0.zip"

    def written() -> Verified:
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in pages.items():
                archive.writestr(name, text)
        return verify_artifact(path, (), None)

    assert "\n  passed  the links between its 2 pages\n" in shown(written())
    pages["site/a.html"] = '<a href="b.html">'
    assert shown(written()) == (
        "FILE: 1 of 2 checks failed in the clean room\nthe links between its 2 pages: 2 are broken\n"
        "    a.html: 'b.html' does not lead to a page or file of the site\n"
        "    index.html: 'a.html#x' does not lead to an anchor of a.html"
    )


def test_verify_names_what_is_wrong_with_a_damaged_archive(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_text("no archive")
    assert shown(verify_artifact(tmp_path / "a.tar.gz", (), None)) == (
        "FILE: 1 of 1 checks failed in the clean room\na.tar.gz unpacks: corrupt file\n    this is not gzip data"
    )


def test_verify_of_a_distribution_without_a_compiler_does_not_pass(tmp_path: Path) -> None:
    files = {"o-v0.1.0/packages/a.mojopkg": "x", "o-v0.1.0/packages/a.mojopkg.json": "{}"}
    found = verify_artifact(tar(tmp_path / "o-v0.1.0.tar.gz", files), (), None)
    assert shown(found) == (
        "FILE: there is no Mojo compiler to verify its packages with\n  hint: name one with --compiler"
    )


def test_verify_reads_a_morloc_package_strictly(tmp_path: Path) -> None:
    good = {"geo/package.yaml": "name: geo\nversion: 0.1.0\n", "geo/main.loc": "module geo ()\n"}
    found = verify_artifact(tar(tmp_path / "geo-0.1.0.morloc.tar.gz", good), (), None)
    assert [check.what for check in found.report.checks][:3] == [
        "geo-0.1.0.morloc.tar.gz unpacks, as geo 0.1.0", "its name matches its manifest",
        "geo and its dependencies install from their archives alone",
    ]  # fmt: skip
    bad = tar(tmp_path / "geo-0.1.0.morloc.tar.gz", {"geo/package.yaml": "name: geo\nversio: 0.1.0\n"})
    assert "package.yaml: version: is missing" in shown(verify_artifact(bad, (), None))
    none = tar(tmp_path / "geo-0.1.0.morloc.tar.gz", {"geo/main.loc": "module geo ()\n"})
    assert shown(verify_artifact(none, (), None)) == (
        "FILE: 1 of 1 checks failed in the clean room\n"
        "geo-0.1.0.morloc.tar.gz unpacks: corrupt file or wrong manifest\n"
        "    FILE: has no package.yaml; expected a morloc package"
    )


def test_verify_of_a_damaged_mojo_package_calls_it_one(tmp_path: Path) -> None:
    path = tmp_path / "a-0.1.0.mojopkg"
    path.write_bytes(b"x")
    assert shown(verify_artifact(path, (), None)) == (
        "FILE: '78' is not the start of a Mojo package; expected '4d 50 4b 47' (MPKG) or '4d 4c ef 52' (MLIR)"
    )


def test_verify_of_no_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        verify_artifact(tmp_path / "none.zip", (), None)
    assert str(caught.value) == f"{tmp_path}/none.zip: is not a file"
