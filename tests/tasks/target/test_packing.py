"""How actions pack: what decides the bytes is in the parameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from packyard.formats.archive.gzipped import COMPRESSOR, LEVELS
from packyard.tasks.target.packing import Packing, PackingParams
from packyard.tasks.target.params import as_json, read_params
from packyard.tasks.target.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxParams(PackingParams):
    name: str


@pytest.mark.parametrize("profile", ["fast", "small"])
def test_profile_decides_the_level(profile: str) -> None:
    wanted = {"epoch": 5, "compressor": COMPRESSOR, "level": LEVELS[profile]}
    assert as_json(Packing.of(profile, epoch=5)) == wanted


def test_tools_of_an_action_that_packs_have_the_time_of_its_archive(tmp_path: Path) -> None:
    params = BoxParams(name="box", packing=Packing.of("fast", epoch=5))
    places = {name: tmp_path / name for name in ("inputs", "outputs", "scratch", "home", "log")}
    assert Room(params=params, **places).constant()["SOURCE_DATE_EPOCH"] == "5"
    assert read_params(BoxParams, as_json(params)) == params
