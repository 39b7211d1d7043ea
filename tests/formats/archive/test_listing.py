from __future__ import annotations

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.listing import check_owners, listed, read_listing, write_listing
from packyard.formats.errors import FormatError

FILES = [Entry("lib/b c.py", b"b"), Entry("bin/a", b"a", executable=True)]
TEXT = """\
ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb x 1 app bin/a
3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d - 1 app lib/b c.py
"""


def test_listing_is_sorted_and_read_back() -> None:
    assert write_listing(listed(FILES, owner="app")) == TEXT
    assert [(file.path, file.executable, file.size, file.owner) for file in read_listing(TEXT)] == [
        ("bin/a", True, 1, "app"),
        ("lib/b c.py", False, 1, "app"),
    ]


@pytest.mark.parametrize("line", ["nonsense", "", f"0 x {'9' * 5000} app a", "0 x \u0661 app a"])
def test_read_bad_line_is_refused(line: str) -> None:
    with pytest.raises(FormatError) as error:
        read_listing(f"{TEXT}{line}\n")
    assert str(error.value) == "line 3 is not 'SHA256 x|- SIZE OWNER PATH'"


def test_check_owners_equal_files_may_be_shared_and_different_ones_name_both() -> None:
    one = list(listed([Entry("x", b"1"), Entry("same", b"s")], owner="one"))
    two = list(listed([Entry("x", b"2"), Entry("same", b"s")], owner="two"))
    check_owners([one, two[1:]])
    check_owners([one, list(listed([Entry("same", b"s", executable=True)], owner="two"))])
    with pytest.raises(FormatError) as error:
        check_owners([one, two])
    assert str(error.value) == "'x' is in 'one' and in 'two', with different contents"
