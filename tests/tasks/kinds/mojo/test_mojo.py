"""Planning Mojo packages: layouts, dependencies, imports. What the compilers do is in test_mojo_real.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.engine.graph.graph import build_graph
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.mojo.mojo import targets
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.workspace import read_workspace


def plan(
    root: Path, files: Mapping[str, str], *, mojo: str = "1.0.0", members: str = '"*"', metas: str = ""
) -> dict[str, Target]:
    """The targets of a workspace with these files, by name."""
    toolchain = f'[toolchain]\nmojo = "{mojo}"\n' if mojo else ""
    everything = {"packyard.toml": f'[workspace]\nname = "w"\nmembers = [{members}]\n{toolchain}{metas}', **files}
    for path, text in everything.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return {target.name: target for target in targets(read_workspace(root))}


def manifest(name: str, *rest: str, version: str = "0.1.0") -> str:
    return "\n".join(["[package]", f'name = "{name}"', f'version = "{version}"', *rest, ""])


def refusal(root: Path, files: Mapping[str, str], *, mojo: str = "1.0.0", members: str = '"*"', metas: str = "") -> str:
    with pytest.raises(FormatError) as caught:
        plan(root, files, mojo=mojo, members=members, metas=metas)
    return str(caught.value)


def staged(target: Target) -> dict[str, str]:
    return {source.path: source.at for source in target.sources}


def test_mojo_of_workspace_without_packages_is_none(tmp_path: Path) -> None:
    assert plan(tmp_path, {"lib/pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n'}, mojo="") == {}


def test_mojo_beside_init_is_named_by_its_folder(tmp_path: Path) -> None:
    files = {
        "data/mojo.toml": manifest("ml-odyssey-data", 'description = "Data"', 'authors = ["Ada"]', 'license = "MIT"'),
        "data/__init__.mojo": "",
        "data/loader/__init__.mojo": "",
        "data/loader/csv.mojo": "",
        "data/README.md": "",
    }
    assert plan(tmp_path, files) == {
        "mojo:data": Target(
            name="mojo:data",
            doc="Data",
            place="data/mojo.toml",
            run="packyard.tasks.kinds.mojo.make_mojo:make_mojo",
            params={
                "name": "data",
                "compiler": "1.0.0",
                "folders": {"data": "data"},
                "manifest": {
                    "distribution": "ml-odyssey-data",
                    "version": "0.1.0",
                    "description": "Data",
                    "authors": ["Ada"],
                    "license": "MIT",
                    "file": "data-0.1.0.mojopkg",
                    "components": [],
                    "dependencies": [],
                },
                "source": None,
                "meta": None,
            },
            sources=(
                Source(path="data/__init__.mojo", at="package/data/__init__.mojo"),
                Source(path="data/loader/__init__.mojo", at="package/data/loader/__init__.mojo"),
                Source(path="data/loader/csv.mojo", at="package/data/loader/csv.mojo"),
            ),
            uses=(Use(target="toolchain:mojo-1.0.0"),),
            outputs=(
                Output(at="data.mojopkg", artifact="dist/data-0.1.0.mojopkg"),
                Output(part="manifest", at="data.mojopkg.json", artifact="dist/data-0.1.0.mojopkg.json"),
            ),
            final=True,
        )
    }


@pytest.mark.parametrize(
    ("source", "build"),
    [("src/tensor", ""), ("code/tensor", '[build]\nsrc = "code"'), ("tensor", '[build]\nsrc = "tensor"')],
)
def test_mojo_below_a_source_folder_is_named_by_its_own(tmp_path: Path, source: str, build: str) -> None:
    files = {"it/mojo.toml": manifest("x-tensor", build), f"it/{source}/__init__.mojo": "", "it/tests/test.mojo": ""}
    found = plan(tmp_path, files)
    assert list(found) == ["mojo:tensor"]
    assert staged(found["mojo:tensor"]) == {f"it/{source}/__init__.mojo": "package/tensor/__init__.mojo"}


def test_mojo_with_several_source_folders_makes_one_each(tmp_path: Path) -> None:
    files = {
        "it/mojo.toml": manifest("it"),
        "it/src/a/__init__.mojo": "",
        "it/src/b/__init__.mojo": "",
        "it/src/c/x.mojo": "",
    }
    assert list(plan(tmp_path, files)) == ["mojo:a", "mojo:b"]


def test_mojo_of_listed_packages_makes_one_each_under_the_listed_name(tmp_path: Path) -> None:
    listed = '[packages]\nshared = "shared"\ntools = "scripts/tooling"'
    files = {
        "mojo.toml": manifest("odyssey", listed, version="2.0.0-rc.1"),
        "shared/__init__.mojo": "",
        "scripts/tooling/__init__.mojo": "from shared import x\n",
    }
    found = plan(tmp_path, files, members='"."')
    assert {name: target.outputs[0].artifact for name, target in found.items()} == {
        "mojo:shared": "dist/shared-2.0.0-rc.1.mojopkg",
        "mojo:tools": "dist/tools-2.0.0-rc.1.mojopkg",
    }
    assert staged(found["mojo:tools"]) == {"scripts/tooling/__init__.mojo": "package/tools/__init__.mojo"}
    assert found["mojo:tools"].dependencies == ("mojo:shared", "toolchain:mojo-1.0.0")


def test_mojo_listed_at_its_own_folder_takes_the_listed_name(tmp_path: Path) -> None:
    files = {"mojo.toml": manifest("it", '[packages]\nit = "."'), "__init__.mojo": "", "ops.mojo": ""}
    found = plan(tmp_path, files, members='"."')
    assert staged(found["mojo:it"]) == {"__init__.mojo": "package/it/__init__.mojo", "ops.mojo": "package/it/ops.mojo"}


def test_mojo_from_1_1_on_has_the_other_extension(tmp_path: Path) -> None:
    files = {"a/mojo.toml": manifest("a"), "a/__init__.mojo": ""}
    assert plan(tmp_path, files, mojo="1.2.0")["mojo:a"].outputs == (
        Output(at="a.mojoc", artifact="dist/a-0.1.0.mojoc"),
        Output(part="manifest", at="a.mojoc.json", artifact="dist/a-0.1.0.mojoc.json"),
    )


def test_mojo_sources_beside_a_package_are_a_part_of_its_target(tmp_path: Path) -> None:
    asked = "[build]\nwith_source = true"
    metas = '[[meta]]\nname = "both"\nversion = "0.1.0"\nmembers = ["a", "b"]\n'
    found = plan(tmp_path, member("a", asked) | member("b", asked), metas=metas)
    for name in ("a", "both"):
        assert found[f"mojo:{name}"].outputs[2:] == (
            Output(part="source", at=f"{name}.source.tar.gz", artifact=f"dist/{name}-0.1.0.source.tar.gz"),
        )
    assert len(plan(tmp_path, member("b"), metas=metas)["mojo:both"].outputs) == 2


@pytest.mark.parametrize(("mojo", "extra"), [("1.0.0", ["a/plain/x.mojo", "a/sub/deep/y.mojo"]), ("0.26.2.0", [])])
def test_mojo_inputs_are_what_the_compiler_reads(tmp_path: Path, mojo: str, extra: list[str]) -> None:
    files = {
        "a/mojo.toml": manifest("a", 'examples = ["examples/*.mojo", "demo.mojo"]'),
        "a/__init__.mojo": "",
        "a/demo.mojo": "",
        "a/examples/one.mojo": "",
        "a/plain/x.mojo": "",
        "a/sub/__init__.mojo": "",
        "a/sub/deep/y.mojo": "",
        "a/sub/notes.txt": "",
    }
    expected = sorted(["a/__init__.mojo", "a/sub/__init__.mojo", *extra])
    assert sorted(staged(plan(tmp_path, files, mojo=mojo)["mojo:a"])) == expected


def test_mojo_examples_that_name_no_file_are_an_error(tmp_path: Path) -> None:
    files = {"a/mojo.toml": manifest("a", 'examples = ["exampels/*.mojo"]'), "a/__init__.mojo": ""}
    with pytest.raises(FormatError) as error:
        plan(tmp_path, files)
    assert str(error.value) == "a/mojo.toml: examples: 'exampels/*.mojo' matches no file"


@pytest.mark.parametrize("spelling", ["tensor", "x-tensor"])
def test_mojo_dependency_takes_either_name(tmp_path: Path, spelling: str) -> None:
    files = {
        "tensor/mojo.toml": manifest("x-tensor"),
        "tensor/__init__.mojo": "",
        "nn/mojo.toml": manifest("x-nn", f'[dependencies]\n{spelling} = "0.1.0"'),
        "nn/__init__.mojo": "from tensor import Matrix\n",
    }
    assert plan(tmp_path, files)["mojo:nn"].uses == (
        Use(target="toolchain:mojo-1.0.0"),
        Use(target="mojo:tensor", at="deps/tensor.mojopkg"),
    )


def test_mojo_dependency_of_a_dependency_is_staged_too(tmp_path: Path) -> None:
    files = {
        "a/mojo.toml": manifest("a"),
        "a/__init__.mojo": "",
        "b/mojo.toml": manifest("b", '[dependencies]\na = "=0.1.0"'),
        "b/__init__.mojo": "import a\n",
        "c/mojo.toml": manifest("c", '[dependencies]\nb = "*"'),
        "c/__init__.mojo": "",
        "c/x.mojo": "from b.inner import f\n",
    }
    assert plan(tmp_path, files)["mojo:c"].uses == (
        Use(target="toolchain:mojo-1.0.0"),
        Use(target="mojo:a", at="deps/a.mojopkg"),
        Use(target="mojo:b", at="deps/b.mojopkg"),
    )


def test_mojo_dependency_on_a_distribution_takes_all_its_packages(tmp_path: Path) -> None:
    files = {
        "two/mojo.toml": manifest("two"),
        "two/src/a/__init__.mojo": "",
        "two/src/b/__init__.mojo": "",
        "c/mojo.toml": manifest("c", '[dependencies]\ntwo = "0.1.0"'),
        "c/__init__.mojo": "",
    }
    assert plan(tmp_path, files)["mojo:c"].dependencies == ("mojo:a", "mojo:b", "toolchain:mojo-1.0.0")


def test_mojo_import_of_library_own_or_unknown_package_is_left_to_the_compiler(tmp_path: Path) -> None:
    files = {
        "utils/mojo.toml": manifest("utils"),
        "utils/__init__.mojo": "",
        "a/mojo.toml": manifest("a"),
        "a/__init__.mojo": "import std.math\nfrom a.x import f\nfrom .utils import g\nimport nowhere\nimport utils\n",
    }
    # Before 1.0 this `utils` is the library's, from then on it is the member.
    assert plan(tmp_path, files, mojo="0.26.2.0")["mojo:a"].dependencies == ("toolchain:mojo-0.26.2.0",)
    assert refusal(tmp_path, files) == (
        "a/__init__.mojo:5: imports 'utils' of utils/mojo.toml, which a/mojo.toml does not declare\n"
        '  hint: add utils = "0.1.0" to its [dependencies]'
    )


ELSEWHERE = "list folders of packages elsewhere as [packages] NAME = FOLDER"


def member(folder: str, *rest: str, name: str = "", version: str = "0.1.0", init: str = "") -> dict[str, str]:
    """A member whose manifest stands beside its `__init__.mojo`."""
    return {
        f"{folder}/mojo.toml": manifest(name or folder, *rest, version=version),
        f"{folder}/__init__.mojo": init,
    }


def needing(*names: str) -> str:
    return "\n".join(["[dependencies]", *(f'{name} = "0.1.0"' for name in names)])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a/mojo.toml": manifest("a")},
            "a/mojo.toml: neither its folder nor 'a/src' nor a folder in it contains an __init__.mojo\n"
f"  hint: {ELSEWHERE}",
        ),
        (
            member("a", '[build]\nsrc = "code"'),
            f"a/mojo.toml: build.src: neither 'a/code' nor a folder in it contains an __init__.mojo\n  hint: "
            f"{ELSEWHERE}",
        ),
        (
            member("a", '[packages]\nx = "code"\ny = "."'),
            "a/mojo.toml: packages.x: 'a/code' contains no __init__.mojo; expected a Mojo package",
        ),
        (
            member("my-data"),
            "my-data/mojo.toml: the package's folder 'my-data' cannot be imported; expected an identifier (letters, "
            'digits, _)\n  hint: rename the folder, or name the package: [packages] with NAME = "."',
        ),
        (
            {"d/mojo.toml": manifest("data"), "d/src/struct/__init__.mojo": ""},
            "d/mojo.toml: the package's folder 'struct' cannot be imported: it is a keyword\n"
            '  hint: rename the folder, or name the package: [packages] with NAME = "src/struct"',
        ),
        (
            member("x") | {"b/mojo.toml": manifest("b"), "b/src/x/__init__.mojo": ""},
            "x/mojo.toml: the package 'x' is imported as 'x', as is 'b/src/x' of b/mojo.toml",
        ),
        (
            member("a", needing("tensr")) | member("tensor"),
            "a/mojo.toml: dependencies.tensr: 'tensr' is not a Mojo package of this workspace\n"
"  hint: did you mean 'tensor'?",
        ),
        (
            member("a", '[dependencies]\nb = "new"\nc = "0.2.0"')
            | member("b")
            | member("c", name="x", version="0.3.0"),
            "a/mojo.toml: dependencies.b: 'new' is not a version range; expected one like '0.1.0' or '>=0.1.0,<0.3.0'\n"
"a/mojo.toml: dependencies.c: '0.2.0' does not admit version 0.3.0 of 'x' (c/mojo.toml)",
        ),
        (
            member("a", needing("b"))
            | {"b/mojo.toml": manifest("b"), "b/src/x/__init__.mojo": ""}
            | {"c/mojo.toml": manifest("c"), "c/src/b/__init__.mojo": ""},
            "a/mojo.toml: dependencies.b: 'b' is ambiguous (b/mojo.toml (b) and c/mojo.toml (c)); expected the "
            "other name of the one you mean",
        ),
        (
            member("a", init="\n\nfrom b import f\n")
            | {"a/x.mojo": "def f():\n    import b, c.d\n"}
            | member("b", name="x-b")
            | member("c"),
            "a/__init__.mojo:3: imports 'b' of b/mojo.toml, which a/mojo.toml does not declare\n"
            '  hint: add x-b = "0.1.0" to its [dependencies]\n'
            "a/x.mojo:2: imports 'b' of b/mojo.toml, which a/mojo.toml does not declare\n"
            '  hint: add x-b = "0.1.0" to its [dependencies]\n'
            "a/x.mojo:2: imports 'c' of c/mojo.toml, which a/mojo.toml does not declare\n"
            '  hint: add c = "0.1.0" to its [dependencies]',
        ),
        (
            member("a", needing("b"), init="import c\n") | member("b", needing("c")) | member("c"),
            "a/__init__.mojo:1: imports 'c' of c/mojo.toml, which a/mojo.toml does not declare\n"
            '  hint: add c = "0.1.0" to its [dependencies]',
        ),
        (member("a", needing("a")), "a/mojo.toml: dependencies.a: is the package itself; remove this line"),
    ],
    ids=[
        "no init", "no init in src", "no init in a listed folder", "folder no identifier", "folder a keyword",
        "import name twice", "dependency unknown", "ranges", "dependency ambiguous", "imports not declared",
        "import declared by another", "own dependency",
    ],
)  # fmt: skip
def test_mojo_of_wrong_workspace_is_refused(tmp_path: Path, files: dict[str, str], message: str) -> None:
    assert refusal(tmp_path, files) == message


def test_mojo_at_the_root_without_a_name_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, {"mojo.toml": manifest("a"), "__init__.mojo": ""}, members='"."') == (
        "mojo.toml: the package has no folder in the workspace to name it after\n"
        '  hint: name the package: [packages] with NAME = "."'
    )


def test_mojo_without_a_compiler_version_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, member("a"), mojo="") == (
        "packyard.toml: toolchain.mojo: is missing; expected the version of a Mojo compiler: "
        'a/mojo.toml is a Mojo package\n  hint: one is mojo = "1.0.0"'
    )


def test_mojo_dependency_hidden_by_the_library_is_refused_before_1(tmp_path: Path) -> None:
    files = {
        "utils/mojo.toml": manifest("x-utils"),
        "utils/__init__.mojo": "",
        "a/mojo.toml": manifest("a", '[dependencies]\nx-utils = "0.1.0"'),
        "a/__init__.mojo": "",
    }
    assert refusal(tmp_path, files, mojo="0.26.2.0") == (
        "a/mojo.toml: dependencies.x-utils: 'utils' is hidden from imports by the module of this name in Mojo "
        "0.26.2.0 itself\n  hint: give the package another import name, or use Mojo 1.0.0 or later"
    )
    assert "mojo:utils" in plan(tmp_path, files)["mojo:a"].dependencies


CYCLE = (
    member("a", needing("b"), version="0.2.0")
    | member("b", needing("c"), init="import c\n")
    | member("c", '[dependencies]\na = "0.2.0"')
    | member("d", '[dependencies]\na = "*"')
    | member("e")
)


def test_mojo_in_a_cycle_says_how_it_can_be_built_and_stops_no_other(tmp_path: Path) -> None:
    found = plan(tmp_path, CYCLE)
    assert {name: target.run.partition(":")[2] for name, target in found.items()} == {
        "mojo:a": "refuse_mojo",
        "mojo:b": "refuse_mojo",
        "mojo:c": "refuse_mojo",
        "mojo:d": "make_mojo",
        "mojo:e": "make_mojo",
    }
    assert found["mojo:b"].final
    assert found["mojo:b"].dependencies == ()
    assert (
        found["mojo:b"].params["message"] == "b/mojo.toml: the packages import each other in a cycle: b -> c -> a -> b"
    )
    assert found["mojo:b"].params["hint"] == (
        "they compile as one package; declare it in packyard.toml like this:\n\n"
        '[[meta]]\nname = "w"\nversion = "0.2.0"\nmembers = ["a", "b", "c"]\n'
    )
    assert found["mojo:d"].dependencies == ("mojo:a", "mojo:b", "mojo:c", "toolchain:mojo-1.0.0")


def test_mojo_in_a_cycle_of_a_workspace_named_as_one_of_them_gets_a_free_name(tmp_path: Path) -> None:
    files = member("w", needing("a")) | member("a", needing("w"))
    assert 'name = "a_w"' in plan(tmp_path, files)["mojo:a"].params["hint"]


def test_mojo_in_a_cycle_within_a_meta_is_left_to_it(tmp_path: Path) -> None:
    found = plan(tmp_path, CYCLE, metas='[[meta]]\nname = "all-of-it"\nversion = "1.0.0"\nmembers = ["a", "b", "c"]\n')
    assert not found["mojo:a"].final
    assert found["mojo:a"].params["hint"] == (
        "it is part of 'mojo:all-of-it': import 'all_of_it.a', and depend on that"
    )
    assert found["mojo:all-of-it"].final


META = '[[meta]]\nname = "ml-odyssey"\nversion = "2.0.0"\nmembers = ["nn", "x-tensor"]\n'
PARTS = {
    "libs/tensor/mojo.toml": manifest("x-tensor", 'authors = ["Ada"]\nlicense = "MIT"'),
    "libs/tensor/src/tensor/__init__.mojo": "from .ops import one\n",
    "libs/tensor/src/tensor/ops.mojo": "def one() -> Int:\n    return 1\n",
    "libs/nn/mojo.toml": manifest("nn", 'license = "BSD-3-Clause"', needing("x-tensor", "base")),
    "libs/nn/__init__.mojo": "from tensor import one\n",
    "libs/base/mojo.toml": manifest("base"),
    "libs/base/__init__.mojo": "",
}


def test_mojo_meta_package_is_made_of_the_sources_of_its_parts(tmp_path: Path) -> None:
    target = plan(tmp_path, PARTS, members='"libs/*"', metas=META)["mojo:ml-odyssey"]
    assert staged(target) == {
        "libs/nn/__init__.mojo": "package/ml_odyssey/nn/__init__.mojo",
        "libs/tensor/src/tensor/__init__.mojo": "package/ml_odyssey/tensor/__init__.mojo",
        "libs/tensor/src/tensor/ops.mojo": "package/ml_odyssey/tensor/ops.mojo",
    }
    assert target.dependencies == ("mojo:base", "toolchain:mojo-1.0.0")
    assert target.outputs == (
        Output(at="ml_odyssey.mojopkg", artifact="dist/ml-odyssey-2.0.0.mojopkg"),
        Output(part="manifest", at="ml_odyssey.mojopkg.json", artifact="dist/ml-odyssey-2.0.0.mojopkg.json"),
    )
    assert target.place == "packyard.toml"
    assert target.params == {
        "name": "ml_odyssey",
        "compiler": "1.0.0",
        "folders": {"ml_odyssey/nn": "libs/nn", "ml_odyssey/tensor": "libs/tensor/src/tensor"},
        "meta": {"moved": ["nn", "tensor"], "exports": {}},
        "source": None,
        "manifest": {
            "distribution": "ml-odyssey",
            "version": "2.0.0",
            "description": "nn, tensor in one package",
            "authors": ["Ada"],
            "license": "BSD-3-Clause AND MIT",
            "file": "ml-odyssey-2.0.0.mojopkg",
            "components": ["nn", "tensor"],
            "dependencies": [{"name": "base", "distribution": "base", "version": "0.1.0", "range": "0.1.0"}],
        },
    }


def test_mojo_meta_package_can_be_depended_on(tmp_path: Path) -> None:
    files = PARTS | {
        "libs/app/mojo.toml": manifest("app", '[dependencies]\nml-odyssey = "2.0.0"'),
        "libs/app/__init__.mojo": "from ml_odyssey.nn import one\n",
    }
    assert plan(tmp_path, files, members='"libs/*"', metas=META)["mojo:app"].uses == (
        Use(target="toolchain:mojo-1.0.0"),
        Use(target="mojo:base", at="deps/base.mojopkg"),
        Use(target="mojo:ml-odyssey", at="deps/ml_odyssey.mojopkg"),
    )


def test_mojo_flat_meta_package_offers_what_its_parts_export(tmp_path: Path) -> None:
    flat = META.replace('["nn", "x-tensor"]', '["tensor"]\nlayout = "flat"')
    target = plan(tmp_path, PARTS, members='"libs/*"', metas=flat)["mojo:ml-odyssey"]
    assert target.params["meta"] == {"moved": ["tensor"], "exports": {"tensor": ["one"]}}


@pytest.mark.parametrize(
    ("metas", "message"),
    [
        (
            META + 'layout = "flat"\n',
            "packyard.toml: meta 'ml-odyssey': 'one' is exported by 'nn' and by 'tensor'; a flat package can export "
            "it only once",
        ),
        (
            META.replace("x-tensor", "tensr"),
            "packyard.toml: meta[0].members[1]: 'tensr' is not a Mojo package of this workspace\n"
            "  hint: did you mean 'tensor'?",
        ),
        (
            META.replace("ml-odyssey", "tensor"),
            "packyard.toml: meta[0].name: 'tensor' is imported as 'tensor', "
            "as is 'libs/tensor/src/tensor' of libs/tensor/mojo.toml",
        ),
        (
            META.replace('["nn", "x-tensor"]', "[]"),
            "packyard.toml: meta[0].members: is empty; expected the names of Mojo packages",
        ),
        (
            META.replace("ml-odyssey", "3d"),
            "packyard.toml: meta[0].name: '3d' cannot be imported; expected an identifier (letters, digits, _)",
        ),
    ],
    ids=["exported twice", "part unknown", "name taken", "no parts", "name no identifier"],
)
def test_mojo_wrong_meta_package_is_refused(tmp_path: Path, metas: str, message: str) -> None:
    assert refusal(tmp_path, PARTS, members='"libs/*"', metas=metas) == message


# a compiler for a member -----------------------------------------------------------------------------------------


def test_mojo_of_a_member_with_a_compiler_of_its_own(tmp_path: Path) -> None:
    files = member("a") | member("b", '[build]\nmojo = "1.2.0"')
    found = plan(tmp_path, files)
    assert found["mojo:a"].dependencies == ("toolchain:mojo-1.0.0",)
    assert found["mojo:b"].dependencies == ("toolchain:mojo-1.2.0",)
    assert found["mojo:b"].params["compiler"] == "1.2.0"
    assert found["mojo:b"].outputs[0].artifact == "dist/b-0.1.0.mojoc"
    graph = build_graph(read_workspace(tmp_path), TABLE)
    assert [name for name in graph.targets if name.startswith("toolchain:")] == [
        "toolchain:mojo-1.0.0",
        "toolchain:mojo-1.2.0",
    ]
    assert list(plan(tmp_path, member("b", '[build]\nmojo = "1.2.0"'), mojo="", members='"b"')) == ["mojo:b"]


def test_mojo_dependency_of_another_compiler_is_refused(tmp_path: Path) -> None:
    files = member("a", '[dependencies]\nb = "0.1.0"') | member("b", '[build]\nmojo = "1.2.0"')
    assert refusal(tmp_path, files) == (
        "a/mojo.toml: dependencies.b: 'b' is compiled with Mojo 1.2.0, but this package with 1.0.0\n"
        "  hint: a package can only import packages made by the same compiler"
    )
    metas = '[[meta]]\nname = "m"\nversion = "0.1.0"\nmembers = ["a", "b"]\n'
    assert refusal(tmp_path, member("a") | member("b", '[build]\nmojo = "1.2.0"'), metas=metas) == (
        "packyard.toml: meta[0].members: need different compilers, but the parts of one package must share one: 'a' "
        "by 1.0.0, 'b' by 1.2.0"
    )
