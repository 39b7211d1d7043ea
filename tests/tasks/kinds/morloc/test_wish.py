from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.morloc.reference import STANDARD, LocalRef
from packyard.tasks.kinds.morloc.wish import read_wish


def test_wish_names_packages_and_where_some_come_from(tmp_path: Path) -> None:
    (tmp_path / "shapes").mkdir()
    wish = read_wish(["root", f"{tmp_path}/shapes"])
    assert wish.roots == ("root", "shapes")
    assert wish.given == {"shapes": LocalRef(f"{tmp_path}/shapes")}
    assert (wish.preset, wish.auto) == ({}, frozenset())


def test_wish_for_the_standard_set_names_its_packages() -> None:
    assert read_wish(["stdlib-core"]).roots == tuple(sorted(STANDARD))


def test_wish_for_one_package_from_two_places_is_refused(tmp_path: Path) -> None:
    one, two = f"{tmp_path}/one/shapes", f"{tmp_path}/two/shapes"
    with pytest.raises(FormatError) as caught:
        read_wish([one, two])
    assert str(caught.value) == f"{LocalRef(one)} and {LocalRef(two)} both contain 'shapes'; expected one"


def test_every_word_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    missing = tmp_path / "a-1.0.0.morloc.tar.gz"
    plane = tmp_path / "w.plane.tar.gz"
    with pytest.raises(FormatError) as caught:
        read_wish([str(missing), "root", str(plane)])
    assert str(caught.value).splitlines() == [
        f"{missing}: cannot be read: No such file or directory",
        f"{plane}: cannot be read: No such file or directory",
    ]
