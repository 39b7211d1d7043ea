"""`packyard strace`."""

from __future__ import annotations

from tests.tasks.commands.conftest import Space


def test_strace_is_refused_with_its_reason(space: Space) -> None:
    message = (
        "error: strace: an action sees only its declared inputs, so there is nothing to trace\n"
        "  hint: 'packyard dumpdb TARGET' prints what it was made from\n"
    )
    assert space.run("strace", "archive:inner") == (1, "", message)
