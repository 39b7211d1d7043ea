"""Write the script that installs an artifact."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packyard.formats.digest import digest_file
from packyard.tasks.target.params import Params
from packyard.tasks.target.room import Room
from packyard.tasks.texts.installscript import Beside, Placed, install_script

How = Literal["copy", "program", "tar", "zip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceParams:
    """One file that is installed: its name, how it is put in place, and where it goes below a prefix: a file, or for an
    archive the folder that it is unpacked into."""

    file: str
    how: How
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallerParams(Params):
    """The parameters of an installer: the product's name and its title ('hello 0.1.0'), its files, what goes with them,
    and lines for people at the top of the script."""

    name: str
    title: str
    pieces: tuple[PieceParams, ...]
    beside: tuple[Beside, ...]
    notes: tuple[str, ...]


def make_installer(room: Room[InstallerParams]) -> None:
    """Write the script, with the digests of the files as they are."""
    params = room.params
    placed = [_placed(piece, room.inputs / piece.file) for piece in params.pieces]
    script = room.outputs / "install.sh"
    text = install_script(params.name, params.title, placed, params.notes, params.beside)
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)


def _placed(piece: PieceParams, path: Path) -> Placed:
    return Placed(file=piece.file, sha256=digest_file(path).hex, how=piece.how, to=piece.to)
