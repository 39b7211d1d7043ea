from __future__ import annotations

from dataclasses import replace

from packyard.tasks.index.pin import Pin
from packyard.tasks.target.params import read_params

OWN = Pin(
    path=".packyard/locks/a/pylock.1.toml", requirements=("b", "c>=1"), python="3.12", platform="linux_amd64",
    absent="a/pylock.toml",
)  # fmt: skip


def test_lock_of_our_own_is_refused_while_nobody_committed_one() -> None:
    prepare = OWN.prepare
    assert prepare.run == "packyard.tasks.index.lock:resolve"
    assert read_params(Pin, prepare.params) == OWN
    assert prepare.path == OWN.path
    assert prepare.doing == "no lock yet, resolving b, c>=1 into .packyard/locks/a/pylock.1.toml"
    assert prepare.refusal == "a/pylock.toml: is missing, and resolving is disabled (--locked)"
    assert prepare.hint == "run 'packyard lock', and commit it"
    assert not prepare.settled


def test_lock_that_is_committed_is_refused_only_when_it_is_gone() -> None:
    prepare = replace(OWN, path="a/pylock.toml", absent="").prepare
    assert prepare.refusal == "a/pylock.toml: is missing, and resolving is disabled (--locked)"
    assert prepare.settled


def test_lock_of_another_tool_is_taken_also_when_nothing_may_be_resolved() -> None:
    prepare = replace(OWN, taken="a/uv.lock", absent="").prepare
    assert prepare.doing == "no lock yet, taking a/uv.lock into .packyard/locks/a/pylock.1.toml"
    assert (prepare.refusal, prepare.hint, prepare.settled) == ("", "", True)


def test_lock_of_another_tool_that_lacks_something_is_refused() -> None:
    prepare = replace(OWN, taken="a/uv.lock").prepare
    assert prepare.refusal == "a/pylock.toml: is missing, and resolving is disabled (--locked)"
    assert not prepare.settled
