"""Distributions from the package index, installed in a folder: compilers, launchers, what builds and hooks need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import tomlkit
from packyard.tasks.errors import ActionError
from packyard.tasks.host import network, programs
from packyard.tasks.index.credentials import passwords_in
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
    settings = room.scratch / "uv.toml"
    if urls := passwords_in(room.local.get("manifests", ())):
        settings.touch(0o600)  # not in words or variables of a command, which others on the machine may read
        settings.write_text(tomlkit.dumps({"index": list(_hosts(urls))}), encoding="utf-8")
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
    finally:
        settings.unlink(missing_ok=True)


def _hosts(urls: Iterable[str]) -> Iterator[dict[str, str | bool]]:
    """Indexes that uv asks for nothing, and whose passwords it gives to their hosts."""
    for number, netloc in enumerate(sorted({(urlsplit(url).scheme, urlsplit(url).netloc) for url in urls})):
        yield {"name": f"host-{number}", "url": f"{'://'.join(netloc)}/", "explicit": True}
