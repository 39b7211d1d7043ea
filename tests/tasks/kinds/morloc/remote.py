"""Bare git repositories of morloc packages, and a workspace whose default repository they are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.tasks.kinds.morloc.corpus import manifest, module, write_package

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "t"), ("EMAIL", "t@example.org"), ("DATE", "2026-01-01T00:00:00Z"))
}
# Package -> its files. `math` lists libraries as its dependencies, as the real one does.
STANDARD: dict[str, Mapping[str, str]] = {
    "internal": {"main.loc": module("internal")},
    "root": {"main.loc": module("root", "internal"), "LICENSE": "free\n"},
    "root-py": {
        "main.loc": module("root-py", "root", more='source Py from "core.py" ("f")\n'),
        "core.py": "def f(): pass\n",
    },
    "root-cpp": {
        "main.loc": module("root-cpp", "root", more='source Cpp from "core.hpp" ("f")\n'),
        "core.hpp": "// core\n",
        "package.yaml": manifest("root-cpp", more="expose: {cpp: [core.hpp]}\n"),
    },
    "root-r": {"main.loc": module("root-r", "root")},
    "cppbase": {"main.loc": module("cppbase")},
    "math": {
        "main.loc": module("math", "cppbase", more='source Cpp from "gsl" ("f")\n'),
        "package.yaml": manifest("math", "m", "gsl", "gslcblas", more="gcc-flags: [-O2]\n"),
    },
}


@dataclass(frozen=True)
class Remote:
    """A folder of bare repositories, NAME.git, and the clones they are written from."""

    folder: Path

    @property
    def template(self) -> str:
        """The URL of a package, for default_repository."""
        return f"file://{self.folder}/{{name}}.git"

    def url(self, name: str) -> str:
        """The URL of one package, for an installation."""
        return f"git+file://{self.folder}/{name}.git"

    def publish(self, name: str, files: Mapping[str, str], *, tag: str = "", executable: str = "") -> str:
        """Commit files to the repository of a package; the commit."""
        work, bare = self.folder / f"{name}.work", self.folder / f"{name}.git"
        if not bare.exists():
            self.git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main", os.fspath(bare))
            self.git(self.folder, "clone", "--quiet", os.fspath(bare), os.fspath(work))
            self.git(work, "remote", "set-url", "origin", f"../{name}.git")  # so that all may be copied elsewhere
        write_package(work, {"package.yaml": manifest(name), **files})
        if executable:
            (work / executable).chmod(0o755)
        self.git(work, "add", "--all")
        self.git(work, "commit", "--quiet", "--allow-empty", "--message=next")
        if tag:
            self.git(work, "tag", "--force", tag)
        self.git(work, "push", "--quiet", "--force", "--tags", "origin", "HEAD:main")
        return self.git(work, "rev-parse", "HEAD").strip()

    def git(self, folder: Path, *words: str) -> str:
        """Run git without anyone's settings."""
        environment = {
            **os.environ, **_IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip
        argv = ["git", "-c", "init.defaultBranch=main", *words]
        return subprocess.run(argv, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout

    def write_workspace(self, root: Path, *, more: str = "") -> Path:
        """An empty workspace that takes packages from here."""
        root.mkdir(parents=True, exist_ok=True)
        text = f'[workspace]\nname = "w"\nmembers = ["m/*"]\n[morloc]\ndefault_repository = "{self.template}"\n{more}'
        (root / "packyard.toml").write_text(text)
        (root / "m").mkdir(exist_ok=True)
        return root


def publish_standard(folder: Path) -> Remote:
    """The standard set and what it needs, in repositories below `folder`."""
    folder.mkdir()
    found = Remote(folder)
    for name, files in STANDARD.items():
        found.publish(name, files, tag="v0.1.0")
    return found
