from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.slots import SlotSpec, read_slots
from packyard.formats.text.table import reading
from packyard.formats.text.toml import read_toml

SLOT = '[[slots]]\nid = "s"\nsource = "static/"\n'


def slots(text: str) -> tuple[SlotSpec, ...]:
    with reading(read_toml(text, "p"), "p") as table:
        return read_slots(table)


def said(text: str) -> str:
    with pytest.raises(FormatError) as caught:
        slots(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "purpose"),
    [
        ("code", "code"),
        ("media", "media"),
        ("python-environment", "code"),
        ("application-code", "code"),
        ("configuration", "config"),
        ("static-resources", "media"),
        ("data-files", "data"),
    ],
)
def test_purpose_documented_is_the_formats(written: str, purpose: str) -> None:
    assert slots(f'{SLOT}purpose = "{written}"')[0].purpose == purpose


@pytest.mark.parametrize(
    ("written", "lifecycle"),
    [
        ("cached", "runtime"),
        ("startup", "runtime"),
        ("eager", "runtime"),
        ("config", "persistent"),
        ("init", "init"),
        ("lazy", "lazy"),
        ("temporary", "temporary"),
    ],
)
def test_lifecycle_synonym_is_what_the_bundle_does(written: str, lifecycle: str) -> None:
    assert slots(f'{SLOT}lifecycle = "{written}"')[0].lifecycle == lifecycle


@pytest.mark.parametrize("key", ["operations", "compression"])
@pytest.mark.parametrize(("written", "operations"), [("raw", "raw"), ("tar|gzip", "tgz"), ("gz", "gzip")])
def test_operations_synonym_is_one_of_four(key: str, written: str, operations: str) -> None:
    assert slots(f'{SLOT}{key} = "{written}"')[0].operations == operations


@pytest.mark.parametrize(("written", "bits"), [("0755", 0o755), ("644", 0o644), ("0o600", 0o600)])
def test_permissions_octal_text_is_bits(written: str, bits: int) -> None:
    assert slots(f'{SLOT}permissions = "{written}"')[0].permissions == bits


def test_slots_one_id_twice_names_both() -> None:
    assert said(SLOT + SLOT) == "p: slots[1].id: 's' is also the id of slots[0]; each slot needs its own"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[[slots]]\n",
            "p: slots[0].id: is missing; expected a string\np: slots[0].source: is missing; expected a string",
        ),
        (
            SLOT + 'lifecycle = "shutdown"',
            "p: slots[0].lifecycle: 'shutdown' is not supported: no launcher runs anything when a program ends; use "
            "'temporary' for what must be removed then",
        ),
        (
            SLOT + 'lifecycle = "dev"',
            "p: slots[0].lifecycle: 'dev' is not supported: a bundle has no development mode; leave out the slot",
        ),
        (
            SLOT + 'lifecycle = "volatile"',
            "p: slots[0].lifecycle: 'volatile' is not supported: no launcher keeps a slot in memory; use 'temporary'",
        ),
        (
            SLOT + 'lifecycle = "platform"',
            "p: slots[0].lifecycle: 'platform' requires the key platform\n  hint: name one: platform = \"linux_amd64\"",
        ),
        (
            SLOT + 'operations = "tar.zst"',
            "p: slots[0].operations: 'tar.zst' is not supported: no launcher can unpack it; expected raw, tar, gzip "
            "or tgz",
        ),
        (
            SLOT + 'operations = "zip"',
            "p: slots[0].operations: 'zip' is not an operation; expected raw, tar, gzip or tgz",
        ),
        (
            SLOT + 'operations = "raw"\ncompression = "tgz"',
            "p: slots[0].compression: is another name for operations; expected only one of them",
        ),
        (
            SLOT + "permissions = 0o755",
            "p: slots[0].permissions: 493 is an integer; expected a string",
        ),
        (
            SLOT + 'permissions = "4755"',
            "p: slots[0].permissions: '4755' are not permissions; expected an octal string like '0644'",
        ),
        (
            SLOT + 'target = "{workenv}"',
            "p: slots[0].target: '{workenv}' is not a path in the work environment; expected one like 'share/models'",
        ),
        (
            SLOT + 'target = "../x"',
            "p: slots[0].target: '../x' leaves its folder through '..'; expected a path inside",
        ),
        (
            SLOT + 'purpose = "cod"',
            "p: slots[0].purpose: unknown value 'cod'; expected one of 'data', 'code', 'config', 'media', "
            "'python-environment', 'application-code', 'configuration', 'static-resources', 'data-files'\n"
            "  hint: did you mean 'code'?",
        ),
    ],
)
def test_slot_wrong_is_said(text: str, message: str) -> None:
    assert said(text) == message
