from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.listing import Listed, check_owners, listed, read_listing, write_listing
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


# Few characters, and those that separate things in a listing, so that two files often look alike.
TEXTS = st.text('a \n-x0\u2028\r"', max_size=5)
LISTED = st.builds(
    Listed,
    path=TEXTS,
    executable=st.booleans(),
    size=st.integers(0, 99),
    sha256=st.sampled_from(["0a", "1b"]),
    owner=TEXTS,
)


@given(st.lists(LISTED, max_size=3, unique_by=lambda file: file.path))
def test_listing_reads_back_as_itself_or_is_refused(files: list[Listed]) -> None:
    odd = [file for file in files if "\n" in file.path or {" ", "\n"} & {*file.owner}]
    if not odd:
        assert set(read_listing(write_listing(files))) == set(files)
        return
    with pytest.raises(FormatError) as error:
        write_listing(files)
    assert str(error.value) == "\n".join(f"{file.path!r} of {file.owner!r} cannot stand in a listing" for file in odd)
