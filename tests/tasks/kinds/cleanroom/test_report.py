from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.workspace.cleanroom import Check, Proof, proof_table, read_proof
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.cleanroom.report import conclude

GOOD = Check(what="a is whole")
BAD = Check(what="b runs", cause="it ended with status 2", detail="one\ntwo")


def test_report_of_what_passed_is_written_for_programs_and_people(tmp_path: Path) -> None:
    proof = Proof(subject="a 1.0.0", compiler="", present={}, checks=(GOOD,))
    conclude(proof, tmp_path)
    assert read_proof((tmp_path / "cleanroom.json").read_text(), "") == proof
    assert (tmp_path / "cleanroom.txt").read_text() == proof_table(proof)


def test_report_of_what_failed_is_an_error_with_the_causes_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(ActionError) as caught:
        conclude(Proof(subject="a 1.0.0", compiler="", present={}, checks=(GOOD, BAD)), tmp_path)
    assert caught.value.message == "a 1.0.0: 1 of 2 checks failed in the clean room"
    assert caught.value.detail == "b runs: it ended with status 2\n    one\n    two"
    assert list(tmp_path.iterdir()) == []
