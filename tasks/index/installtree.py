"""Distributions from the package index, installed in a folder: compilers, launchers, what builds and hooks need."""

from __future__ import annotations

from pathlib import Path

from packyard.tasks.errors import ActionError
from packyard.tasks.host import network, programs
from packyard.tasks.target.room import Room


def install_as_is(
    room: Room[object],
    requirements: Path,
    folder: Path,
    *,
    python: str | Path,
    platform: str = "",
    what: str,
    linked: bool = False,
) -> None:
    """Let uv install the wheels that a lock or a list with hashes names; ActionError, with its words, when it cannot.

    `linked` files may be uv's own and must only be read.

    Whatever the user's configuration says of sources, links and bytecode: the files are those of the wheels.
    """
    try:
        room.run(
            [
                programs.uv(), "pip", "install", "--no-progress", "--require-hashes", "--no-deps",
                "--only-binary", ":all:", "--no-compile-bytecode", "--no-python-downloads", "--link-mode",
                "hardlink" if linked else "copy",
                *(["--python-platform", platform] if platform else []), "--python", python, "--target", folder,
                "--requirements", requirements,
            ],
            cwd=room.scratch,
            env={"UV_NO_INSTALLER_METADATA": "1"},
        )  # fmt: skip
    except ActionError as error:
        if network.offline():
            message = f"{what} cannot be installed from earlier downloads, and downloads are disabled (--offline)"
            raise ActionError(message, detail=error.detail, hint="build once with network access") from None
        raise ActionError(f"{what} cannot be installed: {error.message}", detail=error.detail) from None
