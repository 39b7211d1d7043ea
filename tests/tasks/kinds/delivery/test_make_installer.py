from __future__ import annotations

import os
import subprocess
from pathlib import Path

from packyard.tasks.kinds.delivery.make_installer import InstallerParams, PieceParams, make_installer
from packyard.tasks.target.room import Room
from packyard.tasks.texts.installscript import Beside


def test_installer_places_the_files_that_were_built_and_refuses_others(tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("inputs", "outputs", "scratch", "home")}
    for place in places.values():
        place.mkdir()
    (places["inputs"] / "tool").write_text("#!/bin/sh\necho tool\n")
    params = InstallerParams(
        name="tool",
        title="tool 1.0",
        pieces=(PieceParams(file="tool", how="program", to="bin/tool"),),
        beside=(Beside(to="share/tool/note", text="a note"),),
        notes=("Bring your own shell.",),
    )
    make_installer(Room(**places, params=params, log=tmp_path / "log"))
    script = places["outputs"] / "install.sh"
    assert script.read_text().startswith(
        "#!/bin/sh\n# Installs tool 1.0 below a prefix, or removes it again.\n# Bring your own shell.\n"
    )
    words = [script, "--from", places["inputs"], "--prefix", tmp_path / "prefix"]
    subprocess.run(words, check=True, capture_output=True)
    assert os.access(tmp_path / "prefix/bin/tool", os.X_OK)
    assert (tmp_path / "prefix/share/tool/note").read_text() == "a note\n"
    (places["inputs"] / "tool").write_text("another")
    refused = subprocess.run(words, check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: {places['inputs']}/tool is not the file that was built")
