from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.mojo.package import MojoPackage
from packyard.formats.mojo.packagemanifest import (
    Needed,
    PackageManifest,
    read_package_manifest,
    stamp_of,
    write_package_manifest,
)

HEADER = MojoPackage(container=2, version="1.0.0", identity="a" * 64, producer="", unpacked=7)
TENSOR = PackageManifest(
    name="tensor", distribution="ml-tensor", version="0.1.0", description="Tenseurs: é", authors=("A <a@example.org>",),
    license="MIT", file="ml-tensor-0.1.0.mojopkg", installed_as="tensor.mojopkg", size=7, sha256="b" * 64,
    compiler=stamp_of(HEADER), exports={"": ("Tensor",), "ops": ()},
    dependencies=(Needed(name="nn", distribution="nn", version="0.2.0", sha256="c" * 64, range=">=0.2"),),
    components=("tensor",),
)  # fmt: skip
BARE = PackageManifest(
    name="nn", distribution="nn", version="", file="nn.mojopkg", installed_as="nn.mojopkg", size=1, sha256="d" * 64,
    compiler=stamp_of(HEADER),
)  # fmt: skip


@pytest.mark.parametrize("manifest", [TENSOR, BARE])
def test_manifest_is_read_back(manifest: PackageManifest) -> None:
    assert read_package_manifest(write_package_manifest(manifest), "x.json") == manifest


def test_stamp_names_the_compilers_that_take_the_package() -> None:
    assert TENSOR.compiler.accepted_by == "Mojo 1.0.0, only the build aaaaaaaaaaaa"


def test_manifest_wrong_is_refused_with_all_its_problems() -> None:
    values = {"format": "mojo-package/2", **asdict(TENSOR), "file": "../x", "sha256": "b", "size": "7", "more": 1}
    values["dependencies"] = [{"name": "n-n", "distribution": "nn", "version": "2", "sha256": "c" * 64}]
    with pytest.raises(FormatError) as error:
        read_package_manifest(json.dumps(values), "x.json")
    assert str(error.value).splitlines() == [
        "x.json: format: unknown value 'mojo-package/2'; expected one of 'mojo-package/1'",
        "  hint: did you mean 'mojo-package/1'?",
        "x.json: file: '../x' contains a control character or slash; expected a plain file name",
        "x.json: size: '7' is a string; expected an integer",
        "x.json: sha256: 'b' is not a digest; expected sha256: and 64 hexadecimal digits",
        "x.json: dependencies[0].name: 'n-n' cannot be imported; expected an identifier (letters, digits, _)",
        "x.json: dependencies[0].version: '2' is not a version; expected a SemVer version like 0.1.0",
        "x.json: more: unknown key",
        "  hint: known keys: authors, compiler, components, dependencies, description, distribution, exports, file, "
        "format, installed_as, license, name, sha256, size, version",
    ]
