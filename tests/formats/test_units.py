from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.formats.errors import FormatError
from packyard.formats.units import count_text, duration_text, read_size, size_text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0 B", 0),
        ("500 MB", 500_000_000),
        ("1.5 GiB", 3 * 2**29),
        ("2KB", 2000),
        ("1.001 MB", 1_001_000),  # as a binary fraction it is a byte less
        ("0.0009 kB", 0),
    ],
)
def test_size_is_read_to_the_byte(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "10", "10 G", "GB", "1. GB", "-1 GB", "1 gb", f"{'9' * 16} TB", "1 GB "])
def test_size_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_size(text)
    assert str(caught.value) == f"{text!r} is not a size; expected one like '10 GB'"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_500_000, "1.5 MB"),
        (2_000_000_000, "2.0 GB"),
        (5 * 10**12, "5.0 TB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_size_as_people_read_it(size: int, text: str) -> None:
    assert size_text(size) == text


@given(st.integers(0, 10**18))
def test_size_that_was_written_is_read_back_to_the_digit_shown(size: int) -> None:
    text = size_text(size)
    assert size_text(read_size(text)) == text
    assert abs(read_size(text) - size) <= size * 0.06


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (0.005, "0.01 s"),
        (59.99, "59.99 s"),
        (59.999, "1 min"),
        (60, "1 min"),
        (61.5, "1 min 1 s"),
        (300, "5 min"),
        (3725.9, "62 min 5 s"),
    ],
)
def test_duration_as_people_read_it(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files")])
def test_count_has_the_number_of_its_noun(number: int, text: str) -> None:
    assert count_text(number, "file") == text
