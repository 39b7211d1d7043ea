"""A Mojo compiler: where its tree keeps what we call, what it wants to be told, and how its versions differ.

A tree is laid out as the compiler's own distributions are: `bin/mojo`, and its libraries in `lib/mojo`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.version import Version
from packyard.formats.errors import FormatError
from packyard.formats.mojo.package import MojoPackage, read_package
from packyard.tasks.errors import ActionError

# What compilers before 1.0 let a program import without a leading `std`; such a name beats a package of the user's.
_BARE_MODULES = frozenset(
    {
        "algorithm", "base64", "benchmark", "bit", "buffer", "builtin", "collections", "compile", "complex",
        "documentation", "ffi", "format", "gpu", "hashlib", "io", "iter", "itertools", "layout", "logger", "math",
        "memory", "os", "pathlib", "prelude", "pwd", "python", "random", "reflection", "runtime", "stat",
        "subprocess", "sys", "tempfile", "testing", "time", "utils",
    }
)  # fmt: skip
_LIBRARIES = ("std.mojoc", "std.mojopkg", "stdlib.mojopkg")


@dataclass(frozen=True, slots=True)
class Compiler:
    """The compiler `version` in the folder `tree`."""

    version: str
    tree: Path

    @property
    def program(self) -> Path:
        """The compiler's program."""
        return self.tree / "bin" / "mojo"

    def environment(self) -> dict[str, str]:
        """The variables that tell the program where its parts are, and that it is to report nothing to its makers."""
        tree = os.fspath(self.tree)
        return self._linking() | {
            "MODULAR_MAX_PACKAGE_ROOT": tree,
            "MODULAR_MOJO_MAX_PACKAGE_ROOT": tree,
            "MODULAR_MOJO_MAX_DRIVER_PATH": f"{tree}/bin/mojo",
            "MODULAR_MOJO_MAX_IMPORT_PATH": f"{tree}/lib/mojo",
            "MODULAR_CRASH_REPORTING_ENABLED": "false",
            "MODULAR_TELEMETRY_ENABLED": "false",
        }

    def _linking(self) -> dict[str, str]:
        """What compilers before 0.26 do not find by themselves when they link a program."""
        if _from(self.version, "0.26"):
            return {}
        end = ".dylib" if sys.platform == "darwin" else ".so"
        lib = self.tree / "lib"
        shared = [
            f"{lib}/lib{name}{end}" for name in ("AsyncRTMojoBindings", "AsyncRTRuntimeGlobals", "MSupportGlobals")
        ]
        return {
            "MODULAR_MOJO_MAX_COMPILERRT_PATH": f"{lib}/libKGENCompilerRTShared{end}",
            "MODULAR_MOJO_MAX_SHARED_LIBS": ",".join([*shared, "-Xlinker", "-rpath", "-Xlinker", os.fspath(lib)]),
            "MODULAR_MOJO_MAX_SYSTEM_LIBS": "-lm" if sys.platform == "darwin" else "-lrt,-ldl,-lpthread,-lm",
            "MODULAR_MOJO_MAX_LLD_PATH": f"{self.tree}/bin/lld",
        }

    def library(self) -> MojoPackage:
        """The header of the standard library, whose identity is the compiler's; ActionError when there is none."""
        path = self.library_path()
        try:
            with path.open("rb") as stream:
                return read_package(stream)
        except FormatError as error:
            raise ActionError(f"{path.name} of Mojo {self.version}: {error}") from None

    def library_path(self) -> Path:
        """The file of the standard library; ActionError when there is none."""
        for name in _LIBRARIES:
            path = self.tree / "lib" / "mojo" / name
            if path.is_file():
                return path
        raise ActionError(f"Mojo {self.version} has no standard library in lib/mojo ({', '.join(_LIBRARIES)})")


def toolchain_of(version: str) -> str:
    """The name of the target that makes the tree of a version."""
    return f"toolchain:mojo-{version}"


def verb(version: str) -> str:
    """The compiler's word for making a package."""
    return "precompile" if _from(version, "1.0") else "package"


def extension(version: str) -> str:
    """The name's end of the packages that a version makes and imports."""
    return "mojoc" if _from(version, "1.1") else "mojopkg"


def records_paths(version: str) -> bool:
    """Whether a version writes absolute paths of sources into packages, unless told to strip them."""
    return not _from(version, "1.0")


def compiles_plain_folders(version: str) -> bool:
    """Whether a version takes folders without an `__init__.mojo` as part of the package around them."""
    return _from(version, "1.0")


def bare_modules(version: str) -> frozenset[str]:
    """The top-level names that a version takes from its own library, whatever else bears them."""
    return frozenset({"std"}) if _from(version, "1.0") else _BARE_MODULES | {"std", "stdlib"}


def agrees(found: str, version: str) -> bool:
    """Whether a version that may be told in part (a series) is `version`."""
    parts = Version(found).release
    return parts == Version(version).release[: len(parts)]


@cache
def _from(version: str, first: str) -> bool:
    return Version(version).release >= Version(first).release
