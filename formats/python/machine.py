"""The Python and the system that distributions are chosen for: wheel tags (PEP 425, 600) and marker values (PEP 508).

The machine that runs this does not matter: the choice is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.markers import Environment
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
_OLDEST_GLIBC = {"x86_64": 5, "aarch64": 17}  # the minor version; no wheels exist for older ones
_NEWEST_GLIBC = 60  # newer than every glibc
_MACOS = (13, 0)  # the oldest macOS that bundles are promised to run on


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`python` is 'X.Y', `release` 'X.Y.Z' or '' when it is not known, `platform` 'linux_amd64' or the like.

    `glibc` is the newest that distributions should ask for; with `strict` they must not need more, otherwise such
    wheels come last: their tag is an upper bound, and they may need less.
    """

    python: str
    platform: str
    release: str = ""
    glibc: tuple[int, int] = (2, 17)
    strict: bool = False

    def tags(self) -> list[Tag]:
        """Every tag of a wheel that fits, best first."""
        major, minor = (int(part) for part in self.python.split("."))
        name, platforms = f"cp{major}{minor}", list(self._platforms())
        return [
            *cpython_tags((major, minor), abis=[name], platforms=platforms),
            *compatible_tags((major, minor), interpreter=name, platforms=platforms),
        ]

    def environment(self) -> Environment:
        """The values of environment markers."""
        system, machine = self._system, self._processor
        # Of another platform's Python only X.Y is known; conditions are nearly always lower bounds.
        release = self.release or f"{self.python}.99"
        return {
            "implementation_name": "cpython",
            "implementation_version": release,
            "os_name": "nt" if system == "windows" else "posix",
            "platform_machine": machine,
            "platform_release": "",
            "platform_system": {"linux": "Linux", "darwin": "Darwin", "windows": "Windows"}[system],
            "platform_version": "",
            "python_full_version": release,
            "platform_python_implementation": "CPython",
            "python_version": self.python,
            "sys_platform": "win32" if system == "windows" else system,
        }

    @property
    def _system(self) -> str:
        return self.platform.partition("_")[0]

    @property
    def _processor(self) -> str:
        """The processor as this system names it."""
        if self.platform.endswith("_amd64"):
            return "AMD64" if self._system == "windows" else "x86_64"
        return {"linux": "aarch64", "darwin": "arm64", "windows": "ARM64"}[self._system]

    def _platforms(self) -> Iterator[str]:
        if self._system == "darwin":
            yield from mac_platforms(_MACOS, self._processor)
        elif self._system == "windows":
            yield f"win_{self._processor.lower()}"
        else:
            yield from self._policies()
            yield f"linux_{self._processor}"

    def _policies(self) -> Iterator[str]:
        """The manylinux policies: those within `glibc` from the newest, then those above it from the oldest."""
        floor = self.glibc[1] if self.glibc[0] == 2 else _NEWEST_GLIBC
        within = range(floor, _OLDEST_GLIBC[self._processor] - 1, -1)
        above = () if self.strict else range(floor + 1, _NEWEST_GLIBC + 1)
        for minor in (*within, *above):
            yield f"manylinux_2_{minor}_{self._processor}"
            if legacy := _LEGACY.get((2, minor)):
                yield f"{legacy}_{self._processor}"
