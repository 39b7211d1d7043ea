from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.record import Recorded, read_record, recorded, write_record


def test_write_record_is_sorted_quoted_and_lists_itself() -> None:
    text = write_record([recorded("b.py", b""), recorded('odd,"name".py', b"x")], at="a-1.dist-info/RECORD").decode()
    assert text == (
        "a-1.dist-info/RECORD,,\n"
        "b.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
        '"odd,""name"".py",sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE,1\n'
    )
    assert read_record(text)[1] == Recorded(
        path="b.py", hash="sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", size=0
    )


@pytest.mark.parametrize(
    "text", ["a.py\n", "a.py,sha256=x,big\n", "ok,,\na,b,c,d\n", "a,," + "9" * 5000, "a,,-1\n", 'ok,,\n"a"b,,\n"', "\n"]
)
def test_read_record_bad_line_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match=r"^line \d of RECORD is not 'path,hash,size'$"):
        read_record(text)
