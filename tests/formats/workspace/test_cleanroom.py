from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.formats.errors import FormatError
from packyard.formats.workspace.cleanroom import Check, Proof, proof_table, read_proof, write_proof

SUM = "0123456789abcdef" * 4
CHECKS = (Check(what="a is whole"), Check(what="b runs", cause="it ended with status 2", detail="one\ntwo"))
PROOF = Proof(
    subject="a 1.0.0", compiler="Mojo 1.0.0", present={"a.mojopkg": SUM}, checks=CHECKS, not_shown=("its types",)
)
TEXT = f"""\
{{
  "format": "cleanroom/1",
  "subject": "a 1.0.0",
  "passed": false,
  "compiler": "Mojo 1.0.0",
  "present": {{
    "a.mojopkg": "{SUM}"
  }},
  "checks": [
    {{
      "passed": true,
      "what": "a is whole",
      "cause": "",
      "detail": ""
    }},
    {{
      "passed": false,
      "what": "b runs",
      "cause": "it ended with status 2",
      "detail": "one\\ntwo"
    }}
  ],
  "not_shown": [
    "its types"
  ]
}}
"""


def test_proof_is_written_in_one_form_and_read_back() -> None:
    assert write_proof(PROOF) == TEXT
    assert read_proof(TEXT, "a.json") == PROOF
    assert PROOF.failures == CHECKS[1:]


def test_proof_as_a_table_shows_what_failed_and_why() -> None:
    assert proof_table(PROOF) == (
        "a 1.0.0, in a clean room with Mojo 1.0.0\n\n  present  a.mojopkg  0123456789ab\n\n"
        "  passed  a is whole\n  FAILED  b runs  it ended with status 2\nnot checked:  its types\n\n"
        "1 of 2 checks passed, 1 failed\n"
    )
    passed = replace(PROOF, compiler="", checks=CHECKS[:1], not_shown=())
    assert proof_table(passed) == (
        "a 1.0.0, in a clean room\n\n  present  a.mojopkg  0123456789ab\n\n  passed  a is whole\n\n"
        "1 of 1 checks passed\n"
    )


def test_proof_that_is_wrong_is_refused_with_all_that_is() -> None:
    values = json.loads(TEXT)
    values["format"] = "cleanroom/2"
    values["present"]["b"] = "abc"
    values["passed"] = True
    values["checks"][0]["cause"] = "none"
    values["time"] = 1
    with pytest.raises(FormatError) as caught:
        read_proof(json.dumps(values), "a.json")
    assert str(caught.value).splitlines() == [
        "a.json: format: unknown value 'cleanroom/2'; expected one of 'cleanroom/1'",
        "  hint: did you mean 'cleanroom/1'?",
        "a.json: present.b: 'abc' is not a digest; expected sha256: and 64 hexadecimal digits",
        "a.json: checks[0].passed: does not agree with the cause",
        "a.json: passed: does not agree with the checks",
        "a.json: time: unknown key",
        "  hint: known keys: checks, compiler, format, not_shown, passed, present, subject",
    ]


@given(
    st.builds(
        Proof,
        subject=st.text(min_size=1),
        compiler=st.text(),
        present=st.dictionaries(st.text(), st.just(SUM)),
        checks=st.lists(st.builds(Check, what=st.text(min_size=1), cause=st.text(), detail=st.text())).map(tuple),
        not_shown=st.lists(st.text()).map(tuple),
    )
)
def test_proof_that_was_written_is_read_back(proof: Proof) -> None:
    assert read_proof(write_proof(proof), "a.json") == proof
