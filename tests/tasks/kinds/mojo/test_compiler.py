from __future__ import annotations

from pathlib import Path

import pytest
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.mojo.compiler import (
    Compiler,
    bare_modules,
    compiles_plain_folders,
    extension,
    records_paths,
    toolchain_of,
    verb,
)


@pytest.mark.parametrize(
    ("version", "word", "end", "strips", "plain"),
    [
        ("0.25.6.1", "package", "mojopkg", True, False),
        ("0.26.2.0", "package", "mojopkg", True, False),
        ("1.0.0", "precompile", "mojopkg", False, True),
        ("1.1.0", "precompile", "mojoc", False, True),
        ("1.2.0", "precompile", "mojoc", False, True),
        ("1.10.0", "precompile", "mojoc", False, True),
        ("1.1.0rc1", "precompile", "mojoc", False, True),
    ],
)
def test_compiler_of_each_version_has_its_ways(version: str, word: str, end: str, strips: bool, plain: bool) -> None:
    assert (verb(version), extension(version)) == (word, end)
    assert (records_paths(version), compiles_plain_folders(version)) == (strips, plain)


def test_compiler_before_1_takes_names_of_its_library_without_std() -> None:
    assert {"math", "utils", "std"} <= bare_modules("0.26.2.0")
    assert bare_modules("1.0.0") == {"std"}


def test_compiler_environment_names_its_tree_and_reports_nothing() -> None:
    assert Compiler("1.0.0", Path("/t")).environment() == {
        "MODULAR_MAX_PACKAGE_ROOT": "/t",
        "MODULAR_MOJO_MAX_PACKAGE_ROOT": "/t",
        "MODULAR_MOJO_MAX_DRIVER_PATH": "/t/bin/mojo",
        "MODULAR_MOJO_MAX_IMPORT_PATH": "/t/lib/mojo",
        "MODULAR_CRASH_REPORTING_ENABLED": "false",
        "MODULAR_TELEMETRY_ENABLED": "false",
    }


def test_compiler_without_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActionError) as caught:
        Compiler("9.9", tmp_path).library()
    assert str(caught.value) == (
        "Mojo 9.9 has no standard library in lib/mojo (std.mojoc, std.mojopkg, stdlib.mojopkg)"
    )


def test_compiler_with_damaged_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lib/mojo").mkdir(parents=True)
    (tmp_path / "lib/mojo/std.mojoc").write_bytes(b"MPKG")
    with pytest.raises(ActionError) as caught:
        Compiler("1.0.0", tmp_path).library()
    assert str(caught.value) == "std.mojoc of Mojo 1.0.0: ends at byte 4, inside its header"


def test_toolchain_of_a_version_is_a_target() -> None:
    assert toolchain_of("1.0.0") == "toolchain:mojo-1.0.0"


def test_compiler_before_0_26_is_told_what_to_link() -> None:
    told = Compiler("0.25.7.0", Path("/t")).environment()
    assert told.keys() - Compiler("0.26.1.0", Path("/t")).environment().keys() == {
        "MODULAR_MOJO_MAX_COMPILERRT_PATH",
        "MODULAR_MOJO_MAX_SHARED_LIBS",
        "MODULAR_MOJO_MAX_SYSTEM_LIBS",
        "MODULAR_MOJO_MAX_LLD_PATH",
    }
