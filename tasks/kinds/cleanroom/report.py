"""The end of a clean room: its report is written, or what failed is told."""

from __future__ import annotations

from pathlib import Path

from packyard.formats.workspace.cleanroom import Proof, proof_table, write_proof
from packyard.tasks.errors import ActionError

FILE, TABLE = "cleanroom.json", "cleanroom.txt"  # in the folder of the outputs


def conclude(proof: Proof, folder: Path) -> None:
    """Write the report into a folder, for programs and for people; ActionError with the causes when something
    failed."""
    if proof.failures:
        count, of = len(proof.failures), len(proof.checks)
        raise ActionError(f"{proof.subject}: {count} of {of} checks failed in the clean room", detail=_causes(proof))
    (folder / FILE).write_text(write_proof(proof), encoding="utf-8")
    (folder / TABLE).write_text(proof_table(proof), encoding="utf-8")


def _causes(proof: Proof) -> str:
    """What a person needs to see when something failed: the causes, and what the tools said."""
    lines: list[str] = []
    for check in proof.failures:
        lines.append(f"{check.what}: {check.cause}")
        lines += [f"    {line}" for line in check.detail.splitlines()]
    return "\n".join(lines)
