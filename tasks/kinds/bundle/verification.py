"""What is true of a bundle: its bytes against its signature, and its key against those that are trusted."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.errors import FormatError
from packyard.formats.pspf import (
    Bundle,
    Finding,
    Verdict,
    judge,
    open_bundle,
    verify,
    verify_contents,
)
from packyard.tasks.kinds.bundle.deepcheck import verify_program
from packyard.tasks.target.target import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The outcome of verifying one file. `bundle` is None when the file could not even be opened as one."""

    path: Path
    verdict: Verdict
    findings: tuple[Finding, ...]
    bundle: Bundle | None = None

    def passed(self, *, strict: bool = False) -> bool:
        """Whether the file may be used; `strict` wants every byte under the signature."""
        return self.verdict in (Verdict.INTACT, Verdict.AUTHENTIC, *(() if strict else (Verdict.UNCOVERED,)))

    def json(self) -> dict[str, Json]:
        """The outcome as data."""
        bundle = self.bundle
        return {
            "file": os.fspath(self.path),
            "verdict": str(self.verdict),
            "name": bundle.metadata.name if bundle else None,
            "version": bundle.metadata.version if bundle else None,
            "public_key": bundle.index.public_key.hex() if bundle else None,
            "findings": [
                {"cause": finding.cause, "message": finding.message, "note": finding.note} for finding in self.findings
            ],
        }

    def text(self) -> str:
        """The outcome in lines: the verdict, then what was found."""
        lines = [f"{self.path}: {self.verdict}"]
        if self.bundle is not None:
            lines[0] += f" (key {self.bundle.index.public_key.hex()[:16]}...)"
        return "\n".join([*lines, *(f"  {one_line(str(finding))}" for finding in self.findings)])


def verify_file(path: Path, trusted: Collection[bytes] = (), *, deep: bool = False) -> Verification:
    """Verify a file; `trusted` are the raw public keys that make it authentic, `deep` unpacks every slot as well."""
    try:
        bundle = open_bundle(path)
    except FormatError as error:
        findings = tuple(Finding("file", problem.message) for problem in error.problems)
        return Verification(path=path, verdict=Verdict.DAMAGED, findings=findings)
    found = verify(bundle)
    if deep and all(finding.note for finding in found):
        found += verify_contents(bundle) or verify_program(bundle)
    return Verification(path=path, verdict=judge(bundle, found, trusted), findings=tuple(found), bundle=bundle)


def one_line(text: str) -> str:
    """`text` on one line and without what a terminal would act on: a bundle may say anything."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
