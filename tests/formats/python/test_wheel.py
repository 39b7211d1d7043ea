from __future__ import annotations

import io
import zipfile

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.wheel import info_folder, is_python_script, placed, read_wheel, record_of, write_wheel

INFO = {
    "my_app-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: my-app\nVersion: 1.0\n",
    "my_app-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\nTag: py2-none-any\n",
    "my_app-1.0.dist-info/RECORD": "stale,,\n",
}


def packed(files: dict[str, str], *, reverse: bool = False) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if reverse else zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files, reverse=reverse):
            archive.writestr(zipfile.ZipInfo(name, (1999 if reverse else 2020, 1, 1, 0, 0, 0)), files[name])
    return out


def test_write_same_files_from_another_zip_give_the_same_bytes() -> None:
    files = {**INFO, "my_app/__init__.py": "x = 1\n", "my_app/__pycache__/a.pyc": "junk"}
    made = []
    for reverse in (False, True):
        out = io.BytesIO()
        wheel = read_wheel(packed(files, reverse=reverse))
        write_wheel(wheel, out)
        made.append(out.getvalue())
    assert made[0] == made[1]
    assert wheel.file_name == "my_app-1.0-py2.py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(made[0])) as archive:
        assert archive.namelist() == sorted({*INFO, "my_app/__init__.py"})
        assert archive.read("my_app-1.0.dist-info/RECORD").decode().count("\n") == 4


def test_placed_has_data_and_leaves_out_python_scripts_headers_and_installer_notes() -> None:
    files = {
        **INFO,
        "my_app/__init__.py": "",
        "my_app/tests/test_x.py": "",
        "my_app-1.0.dist-info/direct_url.json": "{}",
        "my_app-1.0.data/data/share/my/x.txt": "x",
        "my_app-1.0.data/scripts/run": "#!python\n",
        "my_app-1.0.data/scripts/tool": "ELF",
        "my_app-1.0.data/headers/x.h": "",
        "my_app-1.0.data/platlib/fast.so": "elf",
    }
    wheel = read_wheel(packed(files))
    found = placed(wheel, site="lib/python3.12/site-packages", left_out=["my_app/tests/test_x.py"])
    found.append(record_of(wheel, found, site="lib/python3.12/site-packages"))
    site = "lib/python3.12/site-packages"
    assert sorted(entry.path for entry in found) == [
        "bin/tool",
        f"{site}/fast.so",
        f"{site}/my_app-1.0.dist-info/METADATA",
        f"{site}/my_app-1.0.dist-info/RECORD",
        f"{site}/my_app-1.0.dist-info/WHEEL",
        f"{site}/my_app/__init__.py",
        "share/my/x.txt",
    ]
    record = next(entry.content for entry in found if entry.path.endswith("RECORD"))
    assert isinstance(record, bytes)
    assert [line.partition(",")[0] for line in record.decode().splitlines()] == [
        "../../../bin/tool",
        "../../../share/my/x.txt",
        "fast.so",
        "my_app-1.0.dist-info/METADATA",
        "my_app-1.0.dist-info/RECORD",
        "my_app-1.0.dist-info/WHEEL",
        "my_app/__init__.py",
    ]


def test_read_zip_that_is_no_wheel_is_refused() -> None:
    with pytest.raises(FormatError) as error:
        read_wheel(packed({"a.py": ""}))
    assert str(error.value) == "this is not a wheel (expected one .dist-info with METADATA and WHEEL)"


@pytest.mark.parametrize(
    ("name", "version", "folder"),
    [("My.App-x", "1.0", "my_app_x-1.0.dist-info"), ("a", "1.0+local", "a-1.0+local.dist-info")],
)
def test_info_folder_is_escaped(name: str, version: str, folder: str) -> None:
    assert info_folder(name, version) == folder


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"#!python\nimport x\n", True),
        (b"#!pythonw\n", True),
        (b"#!/usr/bin/python3.12\nimport sys\n", True),
        (b"#!/bin/sh\n'''exec' '/a long/python' \"$0\" \"$@\"\n' '''\n", True),
        (b"#!/bin/sh\nexec tool\n", False),
        (b"\x7fELF", False),
        (b"", False),
    ],
)
def test_is_python_script_knows_what_installers_write(start: bytes, expected: bool) -> None:
    assert is_python_script(start) is expected


@pytest.mark.parametrize("scheme", ["scripts", "data", "purelib", "platlib"])
def test_file_in_the_place_of_a_folder_for_files_is_refused(scheme: str) -> None:
    """It would stand where the folder of all scripts, or the whole prefix, stands."""
    wheel = read_wheel(packed({**INFO, f"my_app-1.0.data/{scheme}": "x"}))
    with pytest.raises(FormatError) as caught:
        placed(wheel, site="lib/python3.12/site-packages")
    assert str(caught.value) == f"'my_app-1.0.data/{scheme}' is a file; expected a folder of that name"
