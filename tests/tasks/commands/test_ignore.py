"""`packyard ignore`."""

from __future__ import annotations

from tests.tasks.commands.conftest import Space


def test_ignore_is_refused_with_its_reason(space: Space) -> None:
    message = (
        "error: ignore: ignoring a target would leave a stale artifact that looks fresh\n"
        "  hint: name the targets to build: 'packyard TARGET...'\n"
    )
    assert space.run("ignore", "archive:inner") == (1, "", message)
