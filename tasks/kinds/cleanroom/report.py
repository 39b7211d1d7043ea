"""What a clean room has shown: checks passed or failed, each failure with its cause, as JSON and as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from packyard.tasks.errors import ActionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was tried: `what` in a few words; for a failure its `cause`, and the tool's own lines."""

    what: str
    cause: str = ""
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether it went well."""
        return not self.cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """All that was tried with one artifact. `present` is what lay in the clean room, with digests: nothing else did.
    `not_shown` is what could not be tried there, in words."""

    subject: str
    compiler: str
    present: dict[str, str]
    checks: tuple[Check, ...]
    not_shown: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def json(self) -> str:
        """The report for programs; the same room gives the same text."""
        values = {
            "format": "cleanroom/1",
            "subject": self.subject,
            "passed": not self.failures,
            "compiler": self.compiler,
            "present": self.present,
            "checks": [{"passed": check.passed, **asdict(check)} for check in self.checks],
            "not_shown": list(self.not_shown),
        }
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    def table(self) -> str:
        """The report for people."""
        lines = [f"{self.subject}, in a clean room{f' with {self.compiler}' if self.compiler else ''}", ""]
        lines += [f"  present  {name}  {digest[:12]}" for name, digest in self.present.items()]
        lines += ["", *_rows(self.checks), *(f"  not shown: {what}" for what in self.not_shown), ""]
        count = len(self.checks)
        failed = f", {len(self.failures)} failed" if self.failures else ""
        lines.append(f"{count - len(self.failures)} of {count} checks passed{failed}")
        return "\n".join(lines) + "\n"

    def failure(self) -> str:
        """What a person needs to see when something failed: the causes, and what the tools said."""
        lines: list[str] = []
        for check in self.failures:
            lines.append(f"{check.what}: {check.cause}")
            lines += [f"    {line}" for line in check.detail.splitlines()]
        return "\n".join(lines)


def conclude(proof: Proof, folder: Path) -> None:
    """Write the report into a folder, as `cleanroom.json` and `cleanroom.txt`; ActionError with the causes when
    something failed."""
    if proof.failures:
        count, of = len(proof.failures), len(proof.checks)
        raise ActionError(f"{proof.subject}: {count} of {of} checks failed in the clean room", detail=proof.failure())
    (folder / "cleanroom.json").write_text(proof.json(), encoding="utf-8")
    (folder / "cleanroom.txt").write_text(proof.table(), encoding="utf-8")


def _rows(checks: Sequence[Check]) -> list[str]:
    width = max((len(check.what) for check in checks if not check.passed), default=0)
    return [
        f"  passed  {check.what}" if check.passed else f"  FAILED  {check.what.ljust(width)}  {check.cause}"
        for check in checks
    ]
