from __future__ import annotations

import json
from dataclasses import replace

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.policy import Policy
from packyard.formats.pspf.metadata import LARGEST, Metadata, policy_hash, read_metadata, with_identity
from packyard.formats.pspf.parts import Coverage, Environment, Execution, Slot

FULL = Metadata(
    name="app",
    version="1.0",
    description="what it is for",
    slots=(Slot(id="app", source="slot:app/app", target="{workenv}", operations="tgz", content="sha256:" + "a" * 64),),
    execution=Execution(command="run it", env={"A": "b"}),
    environment=Environment(unset=("PYTHONPATH",), pass_=("PATH",), map={"OLD": "NEW"}, set={"X": "1"}),
    setup_commands=({"type": "chmod", "path": "{workenv}/x", "mode": "0755"},),
    policy=Policy(platforms=("linux_amd64",), refuse_root=True, max_age_days=3, require_env=("HOME",)),
    coverage=Coverage(tree="sha256:" + "b" * 64, sealed=True),
    epoch=1700000000,
)


def test_metadata_round_trip() -> None:
    assert read_metadata(FULL.to_json()) == FULL
    assert read_metadata(FULL.to_json()).to_json() == FULL.to_json()


def test_json_is_sorted_compact_ascii_without_nulls() -> None:
    text = replace(FULL, description="für").to_json()
    values = json.loads(text)
    assert text == json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")
    assert b"null" not in text


def test_json_has_every_key_that_a_launcher_needs() -> None:
    values = json.loads(Metadata(name="a", version="1", slots=(Slot(id="s", target="t"),)).to_json())
    needed = {"slot", "id", "source", "target", "size", "checksum", "operations", "purpose", "lifecycle", "permissions"}
    assert needed <= set(values["slots"][0])
    assert {"format", "package", "slots", "execution", "verification", "build", "launcher", "compatibility"} <= set(
        values
    )
    assert {"tool", "tool_version", "timestamp", "platform"} <= set(values["build"])
    assert {"tool", "tool_version", "size", "checksum", "capabilities"} <= set(values["launcher"])
    assert values["setup_commands"] == []


def test_policy_always_has_the_keys_whose_absence_disables_it() -> None:
    values = json.loads(replace(FULL, policy=Policy()).to_json())
    assert values["policy"] == {"platforms": [], "refuse_root": False, "require_env": []}
    assert policy_hash(None) == bytes(64)
    assert len(policy_hash(Policy()).decode("ascii")) == 64


def test_identity_changes_with_every_part_and_is_checked_by_the_file() -> None:
    one = with_identity(FULL, ".stamp")
    other = with_identity(replace(FULL, version="1.1"), ".stamp")
    assert one.cache_validation is not None and other.cache_validation is not None
    assert one.cache_validation.check_file == "{workenv}/.stamp"
    assert one.setup_commands[-1] == {
        "type": "write_file",
        "path": "{workenv}/.stamp",
        "content": one.cache_validation.expected_content,
    }
    assert one.cache_validation.expected_content != other.cache_validation.expected_content


def test_metadata_larger_than_a_launcher_reads_are_refused() -> None:
    with pytest.raises(FormatError, match=f"the launchers read at most {LARGEST}"):
        replace(FULL, description="x" * LARGEST).to_json()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"[]", "is not a JSON object"),
        (b'{"a":1,"a":2}', "has the key 'a' twice in one object"),
        (b'{"a":NaN}', "is not JSON: NaN is not a number"),
        (
            b'{"a":"\\ud800"}',
            "is not JSON: 'utf-8' codec can't encode character '\\ud800' in position 7: surrogates not allowed",
        ),
        ("{}".encode("utf-16"), "is not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"package":{"name":"a","version":"1"},"slots":{}}', "metadata: slots: {} is a table; expected a list"),
        (b'{"package":{"name":"a"}}', "metadata: package.version: is missing; expected a string"),
        (
            b'{"package":{"name":"a","version":"1"},"packyard":{"coverage":2}}',
            "metadata: packyard.coverage: 2 is not a known version; expected 1",
        ),
    ],
)
def test_wrong_metadata_are_refused(text: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_metadata(text)
    assert str(caught.value) == message


def test_deep_nesting_is_refused_without_a_crash() -> None:
    with pytest.raises(FormatError, match="is not JSON"):
        read_metadata(b"[" * 500_000)


def test_foreign_metadata_are_read_past_unknown_keys_and_nulls() -> None:
    text = json.dumps(
        {
            "format": "PSPF/2025",
            "package": {"name": "a", "version": "1"},
            "slots": [{"id": "s", "checksum": "0123456789abcdef", "permissions": None, "self_ref": True}],
            "launcher": {"checksum": "sha256:sha256:" + "c" * 64},
        }
    ).encode()
    metadata = read_metadata(text)
    assert metadata.slots[0].permissions == ""
    assert metadata.slots[0].digest is None
    assert metadata.launcher.digest is not None
    assert metadata.coverage is None
