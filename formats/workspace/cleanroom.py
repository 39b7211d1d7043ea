"""The report of a clean room, `FILE.cleanroom.json`: what was checked about an artifact where there is nothing else.

    {"format": "cleanroom/1", "subject": ..., "passed": true, "compiler": ..., "present": {FILE: SHA-256},
     "checks": [{"passed": true, "what": ..., "cause": "", "detail": ""}], "not_shown": [...]}

The same as a table for people is in `FILE.cleanroom.txt`, which is never read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from packyard.formats.digest import read_sha256
from packyard.formats.text.json import read_json
from packyard.formats.text.table import Table, reading

FORMAT: Final = "cleanroom/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was checked: `what`, in a few words; for a failure its `cause`, and the tool's own output."""

    what: str
    cause: str = ""
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return not self.cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Everything that was checked about one artifact. `present` is what was in the clean room, with SHA-256 digests:
    nothing else was. `not_shown` says in words what could not be checked there."""

    subject: str
    compiler: str
    present: Mapping[str, str]
    checks: tuple[Check, ...]
    not_shown: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def values(self) -> dict[str, Any]:
        """What the JSON says."""
        return {
            "format": FORMAT,
            "subject": self.subject,
            "passed": not self.failures,
            "compiler": self.compiler,
            "present": dict(self.present),
            "checks": [{"passed": check.passed, **asdict(check)} for check in self.checks],
            "not_shown": list(self.not_shown),
        }


def write_proof(proof: Proof) -> str:
    """The report for programs; equal reports give equal text."""
    return json.dumps(proof.values(), indent=2, ensure_ascii=False) + "\n"


def read_proof(text: str, place: str) -> Proof:
    """Read what `write_proof` wrote; FormatError with all its problems."""
    with reading(read_json(text, place), place) as top:
        top.choice("format", (FORMAT,), required=True)
        present = top.table("present", required=True)
        proof = Proof(
            subject=top.text("subject", required=True),
            compiler=top.text("compiler"),
            present={name: present.parse(name, read_sha256, "") for name in present},
            checks=tuple(_check(table) for table in top.tables("checks")),
            not_shown=top.texts("not_shown"),
        )
        if top.flag("passed") == bool(proof.failures):
            top.problem("passed", "does not agree with the checks")
    return proof


def proof_table(proof: Proof) -> str:
    """The report for people."""
    count, failed = len(proof.checks), len(proof.failures)
    lines = [f"{proof.subject}, in a clean room{f' with {proof.compiler}' if proof.compiler else ''}", ""]
    lines += [f"  present  {name}  {digest[:12]}" for name, digest in proof.present.items()]
    lines += ["", *_rows(proof), *(f"not checked:  {what}" for what in proof.not_shown), ""]
    lines.append(f"{count - failed} of {count} checks passed{f', {failed} failed' if failed else ''}")
    return "\n".join(lines) + "\n"


def _rows(proof: Proof) -> Iterator[str]:
    width = max((len(check.what) for check in proof.failures), default=0)
    for check in proof.checks:
        yield f"  passed  {check.what}" if check.passed else f"  FAILED  {check.what.ljust(width)}  {check.cause}"


def _check(table: Table) -> Check:
    check = Check(what=table.text("what", required=True), cause=table.text("cause"), detail=table.text("detail"))
    if table.flag("passed") != check.passed:
        table.problem("passed", "does not agree with the cause")
    return check
