"""A pull request's summary of its artifacts: Markdown, with sizes and digests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packyard.formats.units import size_text
from packyard.tasks.engine.build.artifacts import size_of
from packyard.tasks.publish.checklist.checklist import Judged
from packyard.tasks.publish.checklist.evidence import Evidence


def summary(evidence: Evidence, judged: Sequence[Judged]) -> str:
    """The fresh artifacts, and what failed on the checklist."""
    rows = list(_rows(evidence))
    lines = ["## Artifacts", ""]
    lines += ["| artifact | size | SHA-256 |", "|---|---|---|", *rows] if rows else ["None."]
    items = [(one.subject, item) for one in judged for item in one.items]
    failed = [(subject, item) for subject, item in items if item.verdict == "failed"]
    passed = sum(item.verdict == "passed" for _, item in items)
    lines += ["", "## Checklist", "", f"{passed} of {passed + len(failed)} items passed."]
    lines += ["", *(f"- [ ] {subject}: {item.name}: {item.text}" for subject, item in failed)] if failed else []
    return "\n".join(lines)


def _rows(evidence: Evidence) -> Iterator[str]:
    for target in evidence.graph.targets.values():
        if not target.final or not evidence.is_fresh(target):
            continue
        made = evidence.made(target)
        for part, path in evidence.artifacts(target).items():
            if part in made:
                shown = f"{path}/" if made[part].tree else path
                yield f"| `{shown}` | {size_text(size_of(evidence.root / path))} | `{made[part].digest}` |"
