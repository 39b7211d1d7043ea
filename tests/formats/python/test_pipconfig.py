from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.pipconfig import read_pip_config

TEXT = """\
[global]
index_url = https://one.example/simple
trusted-host =
    one.example
    two.example
timeout = 60
[install]
index-url = https://two.example/50%%/simple
[list]
cert = never.pem
"""


def test_config_is_what_pip_reads_of_it_a_later_section_first() -> None:
    assert read_pip_config(TEXT, "pip.conf") == {
        "index-url": "https://two.example/50%%/simple",
        "trusted-host": "one.example two.example",
    }
    assert read_pip_config("", "pip.conf") == {}


@pytest.mark.parametrize("text", ["index-url = x\n", "[global]\nnonsense\n", "[global]\ncert = a\ncert = b\n"])
def test_config_wrong_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match=r"^pip\.conf: is not a configuration of pip: "):
        read_pip_config(text, "pip.conf")
