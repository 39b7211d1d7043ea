"""Which launcher a bundle starts with: one of the two that the package index has, or a file."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from packyard.tasks.workspace.workspace import MANIFEST, Member, Workspace

LANGUAGES = ("rust", "go")
VERSION = "0.5.4"  # of FlavorPack, whose launchers they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`language` is 'rust' or 'go' and `path` '', or `language` is '' and `path` the file, and `place` who said so."""

    language: str = ""
    path: str = ""
    platform: str
    place: str

    @property
    def target(self) -> str:
        """The target that fetches it; '' for a file."""
        return f"launcher:{self.language}-{self.platform}" if self.language else ""


def choice(member: Member, workspace: Workspace, platform: str = "") -> Choice:
    """A member's launcher, for this platform or another. A path is relative to the manifest that names it."""
    platform = platform or workspace.platform
    own = member.project.flavor.launcher if member.project and member.project.flavor else ""
    text = own or workspace.manifest.toolchain.launcher
    place = member.path("pyproject.toml") if own else MANIFEST
    if text in LANGUAGES:
        return Choice(language=text, platform=platform, place=place)
    path = posixpath.normpath(member.path(text) if own and not text.startswith("/") else text)
    return Choice(path=path, platform=platform, place=place)
