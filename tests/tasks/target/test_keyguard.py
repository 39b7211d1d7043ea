"""Private keys among sources and outputs; the bytes that tell are tried in tests/formats/test_privatekey.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.pspf.signature import key_from_seed, private_pem
from packyard.tasks.errors import ActionError
from packyard.tasks.target.keyguard import KEY_HINT, key_of_file, let_through, refuse_key, refuse_written_keys
from packyard.tasks.target.target import Output, Source, Target

PEM = private_pem(key_from_seed("of a test"))
TARGET = Target(name="x:a", doc="", place="p", run="m:f")


def test_key_of_the_workspace_is_refused() -> None:
    with pytest.raises(ActionError) as caught:
        refuse_key(TARGET, Source(path="a/key", at="b"), "OpenSSH")
    assert str(caught.value) == f"'x:a' would contain the private key 'a/key' (OpenSSH)\n  hint: {KEY_HINT}"


def test_key_that_is_let_through_or_lies_elsewhere_is_taken() -> None:
    refuse_key(TARGET, Source(path="a/key", at="b", key=True), "OpenSSH")
    refuse_key(TARGET, Source(path="/an/interpreter/test/key.pem", at="b"), "OpenSSH")


def test_keys_that_commands_wrote_are_refused(tmp_path: Path) -> None:
    for name in ("made/one.pem", "made/two.pem", "made/test.pem", "made/other.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PEM if name.endswith("pem") else b"text")
    with pytest.raises(ActionError) as caught:
        refuse_written_keys(TARGET, Output(at="out", tree=True, keys=("made/test.pem",)), tmp_path)
    assert caught.value.message == ("'x:a' wrote the private key 'made/one.pem' (PKCS#8), 'made/two.pem' (PKCS#8)")
    refuse_written_keys(TARGET, Output(at="out", tree=True), tmp_path)  # what others made is not looked through


def test_key_that_a_command_wrote_as_its_one_output_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(PEM)
    with pytest.raises(ActionError) as caught:
        refuse_written_keys(TARGET, Output(at="out", keys=()), tmp_path / "out")
    assert caught.value.message == "'x:a' wrote the private key 'out' (PKCS#8)"
    refuse_written_keys(TARGET, Output(at="out", keys=("out",)), tmp_path / "out")


def test_keys_that_are_let_through_are_told_and_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(PEM)
    (tmp_path / "text").write_bytes(b"text")
    sources = (Source(path="key", at="a", key=True), Source(path="text", at="b", key=True), Source(path="key", at="c"))
    target = Target(name="x:a", doc="", place="p", run="m:f", sources=sources)
    assert let_through(tmp_path, target) == ["key"]
    assert [key_of_file(tmp_path / name) for name in ("key", "text", "none", ".")] == ["PKCS#8", "", "", ""]
