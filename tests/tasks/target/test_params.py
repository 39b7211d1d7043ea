"""Parameters of actions: dataclasses that become JSON and come back exactly, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from packyard.formats.digest import Digest
from packyard.formats.errors import FormatError
from packyard.tasks.target.params import NoParams, Params, as_json, call, read_params, typed
from packyard.tasks.target.room import Room

HEX = "0123456789abcdef" * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    path: str
    mode: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything(Params):
    name: str
    share: float
    whole: bool
    form: Literal["zip", "tar.gz"]
    digest: Digest
    parts: tuple[Part, ...]
    pair: tuple[str, int]
    main: Part | None
    where: Mapping[str, tuple[str, ...]]
    epoch: int = 7
    more: Mapping[str, Part] = field(default_factory=dict)


WHOLE = Everything(
    name="a", share=0.5, whole=True, form="zip", digest=Digest(HEX), parts=(Part(path="x"), Part(path="y", mode=3)),
    pair=("p", 1), main=None, where={"k": ("v", "w")},
)  # fmt: skip
JSON = {
    "name": "a", "share": 0.5, "whole": True, "form": "zip", "digest": f"sha256:{HEX}",
    "parts": [{"path": "x", "mode": None}, {"path": "y", "mode": 3}], "pair": ["p", 1], "main": None,
    "where": {"k": ["v", "w"]}, "epoch": 7, "more": {},
}  # fmt: skip


def make_everything(room: Room[Everything]) -> None:
    """An action."""


def make_untyped(room: Any) -> None:
    """An action whose parameters nobody declared."""


def room(tmp_path: Path, params: Any) -> Room[Any]:
    places = {name: tmp_path / name for name in ("inputs", "outputs", "scratch", "home", "log")}
    return Room(params=params, **places)


def test_parameters_become_json_and_come_back() -> None:
    assert as_json(WHOLE) == JSON
    assert read_params(Everything, JSON) == WHOLE
    assert as_json(NoParams()) == {}
    assert read_params(NoParams, {}) == NoParams()


def test_call_names_the_function_and_holds_json() -> None:
    assert call(make_everything, WHOLE) == {"run": f"{__name__}:make_everything", "params": JSON}


def test_room_is_given_the_dataclass_that_the_function_declares(tmp_path: Path) -> None:
    assert typed(make_everything, room(tmp_path, JSON)).params == WHOLE
    plain = room(tmp_path, {"any": 1})
    assert typed(make_untyped, plain) is plain


def test_epoch_of_the_parameters_is_that_of_tools(tmp_path: Path) -> None:
    assert room(tmp_path, WHOLE).constant()["SOURCE_DATE_EPOCH"] == "7"
    assert room(tmp_path, {"epoch": 8}).constant()["SOURCE_DATE_EPOCH"] == "8"
    assert room(tmp_path, NoParams()).constant()["SOURCE_DATE_EPOCH"] == "0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 1}, "params.name: 1; expected str"),
        ({"share": "much"}, "params.share: 'much'; expected float"),
        ({"whole": 1}, "params.whole: 1; expected bool"),
        ({"epoch": True}, "params.epoch: True; expected int"),
        ({"form": "rar"}, "params.form: 'rar'; expected 'zip' or 'tar.gz'"),
        ({"parts": "x"}, "params.parts: 'x'; expected a list"),
        ({"parts": [{"path": "x", "mode": "r"}]}, "params.parts[0].mode: 'r'; expected int"),
        ({"pair": ["p"]}, "params.pair: ['p']; expected 2 values"),
        ({"main": []}, "params.main: []; expected a table"),
        ({"where": []}, "params.where: []; expected a table"),
        ({"where": {"k": [1]}}, "params.where.k[0]: 1; expected str"),
        ({"odd": 1}, "params.odd: expected exactly the fields of Everything"),
    ],
)
def test_json_that_is_not_these_parameters_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_params(Everything, JSON | change)
    assert str(caught.value) == message


def test_every_missing_parameter_is_named() -> None:
    with pytest.raises(FormatError) as caught:
        read_params(Part, {"mode": 1})  # type: ignore[type-var]
    assert str(caught.value) == "params.path: expected exactly the fields of Part"
