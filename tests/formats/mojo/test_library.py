from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.mojo.library import read_library, write_library
from packyard.formats.mojo.packagemanifest import PackageManifest, Stamp


def manifest(name: str) -> PackageManifest:
    return PackageManifest(
        name=name, distribution=name, version="0.1.0", file=f"{name}.mojopkg", installed_as=f"{name}.mojopkg", size=1,
        sha256="d" * 64, compiler=Stamp(version="1.0.0", identity="a" * 64, producer="", container=2),
    )  # fmt: skip


def test_record_is_sorted_and_read_back() -> None:
    record = write_library([manifest("tensor"), manifest("nn")])
    assert record == write_library([manifest("nn"), manifest("tensor")])
    assert read_library(record, "record") == {"nn": manifest("nn"), "tensor": manifest("tensor")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": "mojo-library/1", "packages": [1]}', "packages[0]: 1 is an integer; expected a table"),
        ('{"packages": []}', "format: is missing; expected a string"),
        ("[]", "is not a JSON object ({...})"),
    ],
)
def test_record_wrong_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        read_library(text, "record")
    assert str(error.value) == f"record: {message}"
