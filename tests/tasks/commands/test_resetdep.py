"""`packyard reset-dep`."""

from __future__ import annotations

from tests.tasks.commands.conftest import Space


def test_resetdep_is_refused_with_its_reason(space: Space) -> None:
    message = (
        "error: reset-dep: an artifact is fresh because it was made from its inputs; it cannot be declared fresh "
        "afterwards\n  hint: run 'packyard': what the store has is restored, nothing runs twice\n"
    )
    assert space.run("reset-dep", "archive:inner") == (1, "", message)
