"""How a command ends."""

from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError, Problem
from packyard.tasks.console.status import complain
from packyard.tasks.errors import ActionError, PlanError, UsageError


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UsageError(Problem("is unknown", place="x")), 2, "error: x: is unknown\n"),
        (PlanError(Problem("is unknown", place="x")), 1, "error: x: is unknown\n"),
        (FormatError(Problem("one"), Problem("two", hint="mend it")), 1, "error: one\nerror: two\n  hint: mend it\n"),
        (ActionError("failed", detail="why", hint="mend it"), 1, "error: failed\nwhy\n  hint: mend it\n"),
    ],
)
def test_error_has_its_status_and_is_said_whole(
    capsys: pytest.CaptureFixture[str], error: FormatError | ActionError, status: int, said: str
) -> None:
    assert complain(error) == status
    assert capsys.readouterr() == ("", said)
