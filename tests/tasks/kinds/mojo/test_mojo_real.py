"""Mojo packages made by real compilers: what users get, and the traps that the compilers set."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from packyard.formats.mojo.package import read_package
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.host.unpack import unpack
from packyard.tasks.kinds.mojo.compiler import Compiler, extension, records_paths, verb

from tests.tasks.yard import Yard, spent

pytestmark = [pytest.mark.real, pytest.mark.long]

CompilerTree = Callable[[str], Path]
MakeYard = Callable[[Path, str], Yard]
EXAMPLES = Path(__file__).parents[4] / "examples" / "mojo"
VERSIONS = ["0.26.2.0", "1.0.0", "1.2.0"]

CHAIN = {
    "a/mojo.toml": '[package]\nname = "a"\nversion = "0.1.0"\n',
    "a/__init__.mojo": "from .ops import one, SCALE\n",
    "a/ops.mojo": "comptime SCALE = 2\n\n\ndef one() -> Int:\n    return 1\n",
    "b/mojo.toml": '[package]\nname = "b"\nversion = "0.1.0"\n[dependencies]\na = "0.1.0"\n',
    "b/__init__.mojo": "from b.sub.leaf import two\n",
    "b/sub/__init__.mojo": "",
    "b/base.mojo": "@fieldwise_init\nstruct Number(Copyable, Movable):\n    var value: Int\n",
    "b/sub/leaf.mojo": (
        "from a import one, SCALE\nfrom b.base import Number\n\n\n"
        "def two() -> Int:\n    return Number(one() * SCALE).value\n"
    ),
    "c/mojo.toml": '[package]\nname = "c"\nversion = "0.1.0"\n[dependencies]\nb = "0.1.0"\n',
    "c/__init__.mojo": "from b import two\n\n\ndef three() -> Int:\n    return two() + 1\n",
}
PROGRAM = "from c import three\n\n\ndef main():\n    print(three())\n"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, make_yard: MakeYard) -> Callable[[str], dict[str, bytes]]:
    """The packages of CHAIN by compiler version, compiled once, far from where the tests compile."""

    @functools.cache
    def packages(version: str) -> dict[str, bytes]:
        yard = make_yard(tmp_path_factory.mktemp("chain") / "quite/another/and/deeper/w", version)
        yard.write(CHAIN)
        return yard.build()

    return packages


@pytest.fixture(params=VERSIONS)
def yard(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    make_yard: MakeYard,
    chain: Callable[[str], dict[str, bytes]],
) -> Yard:
    """CHAIN ready to be built, and in `before` what it was built to elsewhere."""
    version: str = request.param
    yard = make_yard(tmp_path / "w", version)
    yard.write(CHAIN)
    yard.before = dict(chain(version))
    return yard


@pytest.fixture
def yard_1(tmp_path: Path, make_yard: MakeYard) -> Yard:
    yard = make_yard(tmp_path / "w", "1.0.0")
    yard.write(CHAIN)
    return yard


def empty_folder(root: Path, packages: Mapping[str, bytes], end: str) -> Path:
    """A folder with nothing but packages."""
    root.mkdir()
    for name, data in packages.items():
        (root / f"{name}.{end}").write_bytes(data)
    return root


def test_mojo_chain_of_three_is_the_same_from_another_folder_and_runs_without_sources(
    yard: Yard, tmp_path: Path
) -> None:
    packages = yard.build()
    assert packages == yard.before
    shutil.rmtree(yard.root)
    shutil.rmtree(tmp_path / "rooms")
    place = empty_folder(tmp_path / "place", packages, extension(yard.version))
    (place / "main.mojo").write_text(PROGRAM)
    done = yard.compile("run", "-I", ".", "main.mojo", cwd=place)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


def test_mojo_chain_without_a_link_does_not_pass(yard: Yard, tmp_path: Path) -> None:
    # Compilers before 1.0 find a missing package by the recorded path of the sources, if it is recorded.
    del yard.before["a"]
    place = empty_folder(tmp_path / "place", yard.before, extension(yard.version))
    (place / "main.mojo").write_text(PROGRAM)
    done = yard.compile("run", "-I", ".", "main.mojo", cwd=place)
    assert done.returncode == 1
    assert "unable to locate module 'a'" in done.stderr


def test_mojo_package_is_of_its_compiler_and_holds_no_path(yard: Yard, tmp_path: Path) -> None:
    library = yard.compiler.library()
    for data in yard.before.values():
        path = tmp_path / "package"
        path.write_bytes(data)
        with path.open("rb") as stream:
            assert read_package(stream).fits(library)
        assert b"another/and/deeper" not in data


def test_mojo_comment_at_a_line_end_changes_nothing(yard: Yard) -> None:
    yard.write({"a/ops.mojo": CHAIN["a/ops.mojo"].replace("return 1", "return 1  # the first")})
    assert yard.build("mojo:a")["a"] == yard.before["a"]


def test_mojo_body_edit_stops_at_the_next_level_from_1_on(yard: Yard) -> None:
    yard.write({"a/ops.mojo": CHAIN["a/ops.mojo"].replace("return 1", "return 10 - 9")})
    after = yard.build("mojo:b")
    assert after["a"] != yard.before["a"]
    assert (after["b"] == yard.before["b"]) == (not records_paths(yard.version))


def test_mojo_constant_of_a_dependency_reaches_who_was_compiled_against_it(yard: Yard, tmp_path: Path) -> None:
    yard.write({"a/ops.mojo": CHAIN["a/ops.mojo"].replace("SCALE = 2", "SCALE = 5")})
    after = yard.build()
    assert after["b"] != yard.before["b"]
    place = empty_folder(tmp_path / "place", after, extension(yard.version))
    (place / "main.mojo").write_text(PROGRAM)
    assert yard.compile("run", "-I", ".", "main.mojo", cwd=place).stdout == "6\n"
    # A dependant that is not compiled again keeps the old constant, and nothing complains.
    (place / f"b.{extension(yard.version)}").write_bytes(yard.before["b"])
    assert yard.compile("run", "-I", ".", "main.mojo", cwd=place).stdout == "3\n"


def test_mojo_constant_handed_on_reaches_who_takes_it_from_there(yard_1: Yard, tmp_path: Path) -> None:
    """The package between has the same bytes as before, so these alone cannot tell whom to compile again."""
    yard_1.write(
        {
            "b/__init__.mojo": "from a import SCALE\n",
            "c/__init__.mojo": (
                "from b import SCALE\n\ncomptime MORE = SCALE + 1\n\n\ndef three() -> Int:\n    return MORE\n"
            ),
        }
    )
    shutil.rmtree(yard_1.root / "b/sub")
    before = yard_1.build()
    yard_1.write({"a/ops.mojo": CHAIN["a/ops.mojo"].replace("SCALE = 2", "SCALE = 5")})
    after = yard_1.build()
    assert after["b"] == before["b"]
    place = empty_folder(tmp_path / "place", after, "mojopkg")
    (place / "main.mojo").write_text(PROGRAM)
    assert yard_1.compile("run", "-I", ".", "main.mojo", cwd=place).stdout == "6\n"
    (place / "c.mojopkg").write_bytes(before["c"])
    assert yard_1.compile("run", "-I", ".", "main.mojo", cwd=place).stdout == "3\n"


@pytest.mark.parametrize("version", ["1.0.0", "1.2.0"])
def test_mojo_body_edit_reaches_over_a_package_that_stays_the_same(
    tmp_path: Path, make_yard: MakeYard, version: str
) -> None:
    """`b` calls `a` in a body alone and `c` names `a` nowhere: neither bytes nor sources tell that `c` depends on it,
    but the compiler reads it, and folds into `c` what it finds."""
    end = extension(version)
    yard = make_yard(tmp_path / "w", version)
    yard.write({path: text for path, text in CHAIN.items() if path.endswith(".toml")})
    body = 'from a import one\n\n\n@always_inline("builtin")\ndef two(x: Int) -> Int:\n    return one(x)\n'
    yard.write(
        {
            "a/__init__.mojo": '@always_inline("builtin")\ndef one(x: Int) -> Int:\n    return x + 1\n',
            "b/__init__.mojo": body,
            "c/__init__.mojo": "from b import two\n\ncomptime N = two(2)\n\n\ndef three() -> Int:\n    return N\n",
        }
    )
    before = yard.build()
    yard.write({"a/__init__.mojo": '@always_inline("builtin")\ndef one(x: Int) -> Int:\n    return x + 7\n'})
    after = yard.build()
    assert {name: after[name] == before[name] for name in "abc"} == {"a": False, "b": True, "c": False}
    place = empty_folder(tmp_path / "place", after, end)
    (place / "main.mojo").write_text(PROGRAM)
    assert yard.compile("run", "-I", ".", "main.mojo", cwd=place).stdout == "9\n"
    (place / f"c.{end}").write_bytes(before["c"])
    assert yard.compile("run", "-I", ".", "main.mojo", cwd=place).stdout == "3\n"
    # No compile of `c` does without `a`, so none can be left out because of what it did not read.
    (place / f"a.{end}").unlink()
    shutil.copytree(yard.root / "c", tmp_path / "alone/c")
    done = yard.compile(verb(version), "c", "-I", place, "-o", tmp_path / f"c.{end}", cwd=tmp_path / "alone")
    assert done.returncode == 1
    assert "unable to locate module 'a'" in done.stderr


def test_mojo_package_survives_its_versioned_name_as_no_other_does(yard: Yard, tmp_path: Path) -> None:
    end = extension(yard.version)
    place = empty_folder(tmp_path / "place", yard.before, end)
    (place / "main.mojo").write_text("from b import two\n\n\ndef main():\n    print(two())\n")
    (place / f"b.{end}").rename(place / f"b-0.1.0.{end}")  # as dist/ keeps it
    (place / f"b-0.1.0.{end}").rename(place / f"b.{end}")  # as it is installed
    assert yard.compile("run", "-I", ".", "main.mojo", cwd=place).stdout == "2\n"
    # The trap: what is compiled to the versioned name and renamed later does not find itself.
    source = tmp_path / "source"
    shutil.copytree(yard.root / "b", source / "b")
    word = verb(yard.version)
    done = yard.compile(word, "b", "-I", place, "-o", place / f"b-0.1.0.{end}", cwd=source)
    assert done.returncode == 0
    shutil.rmtree(source)
    (place / f"b-0.1.0.{end}").replace(place / f"b.{end}")
    done = yard.compile("run", "-I", ".", "main.mojo", cwd=place)
    assert done.returncode == 1
    assert "unable to locate module 'b-0" in done.stderr


def test_mojo_source_beside_a_package_serves_another_compiler(
    yard_1: Yard, tmp_path: Path, make_yard: MakeYard
) -> None:
    yard_1.write({"b/mojo.toml": CHAIN["b/mojo.toml"] + "[build]\nwith_source = true\n"})
    yard_1.build("mojo:b")
    archive = yard_1.made["mojo:b"].with_name("b.source.tar.gz")
    place = tmp_path / "place"
    unpack(archive, place)
    assert sorted(path.relative_to(place).as_posix() for path in place.rglob("*.mojo")) == [
        "b/__init__.mojo", "b/base.mojo", "b/sub/__init__.mojo", "b/sub/leaf.mojo",
    ]  # fmt: skip
    other = make_yard(tmp_path / "other", "1.2.0")
    other.write({path: CHAIN[path] for path in ("a/mojo.toml", "a/__init__.mojo", "a/ops.mojo")})
    (place / "a.mojoc").write_bytes(other.build()["a"])
    (place / "main.mojo").write_text("from b import two\n\n\ndef main():\n    print(two())\n")
    done = other.compile("run", "-I", ".", "main.mojo", cwd=place)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_mojo_under_a_listed_name_finds_itself(yard: Yard, tmp_path: Path) -> None:
    yard.write({"b/mojo.toml": CHAIN["b/mojo.toml"] + '[packages]\nb2 = "."\n'})
    for path in ("b/__init__.mojo", "b/sub/leaf.mojo"):
        yard.write({path: CHAIN[path].replace("from b.", "from b2.")})
    shutil.rmtree(yard.root / "c")
    place = empty_folder(tmp_path / "place", yard.build(), extension(yard.version))
    (place / "main.mojo").write_text("from b2 import two\n\n\ndef main():\n    print(two())\n")
    done = yard.compile("run", "-I", ".", "main.mojo", cwd=place)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_mojo_failed_compile_takes_its_old_output_with_it(yard: Yard, tmp_path: Path) -> None:
    """The trap, because of which nothing is compiled to where an artifact lies; see the monorepo's test."""
    old = tmp_path / f"a.{extension(yard.version)}"
    old.write_bytes(yard.before["a"])
    yard.write({"a/ops.mojo": "def one( -> Int:\n"})
    assert yard.compile(verb(yard.version), "a", "-o", old, cwd=yard.root).returncode == 1
    assert not old.exists()


def test_mojo_variables_of_the_user_would_lead_the_compiler_astray(yard_1: Yard, tmp_path: Path) -> None:
    """The trap, because of which the compiler gets none of them; see the monorepo's test."""
    more = {"MODULAR_MOJO_MAX_IMPORT_PATH": "/nowhere"}
    assert yard_1.compile("precompile", "a", "-o", tmp_path / "a.mojopkg", cwd=yard_1.root, **more).returncode == 1


def test_mojo_compiler_is_called_alike_wherever_and_by_whomever(
    yard_1: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What of a call gets into a package, or could: its words, its folder, variables, and how memory is laid out. No
    package that differs with the last could be made for a test, so it is the call that is looked at."""
    monkeypatch.setenv("MODULAR_MOJO_MAX_IMPORT_PATH", "/nowhere")
    monkeypatch.setenv("MODULAR_HOME", "/nowhere")
    tree, real, seen = tmp_path / "watched", yard_1.compiler, tmp_path / "seen"
    (tree / "bin").mkdir(parents=True)
    (tree / "lib").symlink_to(real.tree / "lib")
    words = " ".join(f"{name}='{value}'" for name, value in real.environment().items())
    (tree / "bin/mojo").write_text(
        f"#!/bin/sh\n{{ cat /proc/$$/personality; pwd; env | cut -d= -f1 | sort; }} >'{seen}'\n"
        f"printf '%s\\n' \"$@\" >'{seen}.words'\n"
        f'exec env {words} {real.program} "$@"\n'
    )
    (tree / "bin/mojo").chmod(0o755)
    yard_1.compiler = Compiler("1.0.0", tree)
    yard_1.build("mojo:a")
    personality, folder, *names = seen.read_text().splitlines()
    assert int(personality, 16) & 0x0040000 or not process.fixes_layout()  # ADDR_NO_RANDOMIZE of personality(2)
    room = tmp_path / "rooms/0000"
    assert Path(folder) == room / "in/package"
    assert (tmp_path / "seen.words").read_text().split() == [
        "precompile", "a", "-I", "../deps", "-o", f"{room}/tmp/made/a.mojopkg",
    ]  # fmt: skip
    assert {name for name in names if name != "_"} == {
        "HOME", "LANG", "LC_ALL", "MODULAR_CRASH_REPORTING_ENABLED", "MODULAR_MAX_PACKAGE_ROOT",
        "MODULAR_MOJO_MAX_DRIVER_PATH", "MODULAR_MOJO_MAX_IMPORT_PATH", "MODULAR_MOJO_MAX_PACKAGE_ROOT",
        "MODULAR_TELEMETRY_ENABLED", "PATH", "PWD", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH",
        "TMPDIR", "TZ",
    }  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_mojo_package_of_forty_modules_is_the_same_again_and_whole(
    tmp_path: Path, make_yard: MakeYard, version: str
) -> None:
    """A repeat alone: no package of a test's size was seen to differ by where its compiler's memory lies."""
    count = 40
    files = {
        "big/mojo.toml": '[package]\nname = "big"\nversion = "0.1.0"\n',
        "big/__init__.mojo": "".join(f"from .part{n // 10}.m{n} import f{n}\n" for n in range(count)),
    }
    for n in range(count):
        before = f"from big.part{(n - 1) // 10}.m{n - 1} import f{n - 1}\n\n\n" if n else "\n"
        body = f"f{n - 1}() + 1" if n else "1"
        many = "".join(f"\n\ndef g{n}_{k}[T: AnyType](x: T) -> Int:\n    return {k}\n" for k in range(20))
        files[f"big/part{n // 10}/__init__.mojo"] = ""
        files[f"big/part{n // 10}/m{n}.mojo"] = f"{before}def f{n}() -> Int:\n    return {body}\n{many}"
    made = []
    for place in ("w", "another/and/deeper/w"):
        yard = make_yard(tmp_path / place, version)
        yard.write(files)
        made.append(yard.build()["big"])
    assert made[0] == made[1]
    place = empty_folder(tmp_path / "place", {"big": made[0]}, extension(version))
    imports = "".join(f"from big import f{n}\n" for n in range(count))
    (place / "main.mojo").write_text(f"{imports}\n\ndef main():\n    print(f{count - 1}())\n")
    done = yard.compile("run", "-I", ".", "main.mojo", cwd=place)
    assert (done.returncode, done.stdout) == (0, f"{count}\n"), done.stderr


def test_mojo_syntax_error_shows_the_compilers_line(yard: Yard) -> None:
    yard.write({"libs/b/mojo.toml": CHAIN["b/mojo.toml"] + '[packages]\nb = "code"\n'})
    shutil.move(yard.root / "b", yard.root / "libs/b/code")
    shutil.rmtree(yard.root / "c")
    yard.write({"packyard.toml": (yard.root / "packyard.toml").read_text().replace('["*"]', '["a", "libs/b"]')})
    yard.write({"libs/b/code/sub/leaf.mojo": "def two( -> Int:\n    return 2\n"})
    with pytest.raises(ActionError) as caught:
        yard.build()
    assert caught.value.message == f"libs/b/code: does not compile with Mojo {yard.version}"
    assert "\nlibs/b/code/sub/leaf.mojo:1:10: error: " in f"\n{caught.value.detail}"
    assert "failed to parse the provided" not in caught.value.detail


def test_mojo_program_in_a_package_is_the_compilers_to_refuse(yard: Yard) -> None:
    yard.write({"a/program.mojo": "def main():\n    pass\n"})
    with pytest.raises(ActionError) as caught:
        yard.build()
    assert "\na/program.mojo:1:5: error: " in f"\n{caught.value.detail}"
    assert "within packages" in caught.value.detail or "within a package" in caught.value.detail


def test_mojo_crash_is_reported_as_one(yard_1: Yard, tmp_path: Path) -> None:
    tree = tmp_path / "crashing"
    shutil.copytree(yard_1.compiler.tree / "lib/mojo", tree / "lib/mojo")
    (tree / "bin").mkdir()
    (tree / "bin/mojo").write_text("#!/bin/sh\necho 'Stack dump:' >&2\nkill -SEGV $$\n")
    (tree / "bin/mojo").chmod(0o755)
    yard_1.compiler = Compiler("1.0.0", tree)
    with pytest.raises(ActionError) as caught:
        yard_1.build()
    assert str(caught.value) == (
        "a: the compiler itself crashed on it: 'mojo' crashed (SIGSEGV)\nStack dump:\n"
        "  hint: this is a bug in Mojo 1.0.0: try another version, or the package without its newest part"
    )


def test_mojo_compiler_that_cannot_start_is_reported(yard_1: Yard, tmp_path: Path) -> None:
    yard_1.compiler = Compiler("1.0.0", tmp_path / "nowhere")
    with pytest.raises(ActionError) as caught:
        yard_1.build()
    assert "cannot" in str(caught.value)


def test_mojo_package_of_another_compiler_is_noticed(yard_1: Yard, tmp_path: Path, compiler_tree: CompilerTree) -> None:
    tree = tmp_path / "mixed"
    shutil.copytree(compiler_tree("1.2.0") / "lib/mojo", tree / "lib/mojo")
    (tree / "bin").mkdir()
    foreign = tmp_path / "a.mojopkg"
    foreign.write_bytes(yard_1.build()["a"])
    # `-o FILE` are the last two words.
    (tree / "bin/mojo").write_text(f"#!/bin/sh\nfor word; do last=$word; done\ncp '{foreign}' \"$last\"\n")
    (tree / "bin/mojo").chmod(0o755)
    yard_1.compiler = Compiler("1.0.0", tree)
    with pytest.raises(ActionError) as caught:
        yard_1.build()
    assert caught.value.message == (
        f"a.mojopkg fits {_accepted(foreign)}, but the compiler's own library {_accepted(tree / 'lib/mojo/std.mojoc')}"
    )


def _accepted(path: Path) -> str:
    with path.open("rb") as stream:
        return read_package(stream).accepted_by


@pytest.mark.parametrize("version", VERSIONS)
def test_mojo_examples_run_against_their_packages_alone(tmp_path: Path, make_yard: MakeYard, version: str) -> None:
    yard = make_yard(tmp_path / "w", version)
    for name in ("tensor", "nn"):
        shutil.copytree(EXAMPLES / name, yard.root / name)
    packages = yard.build()
    place = empty_folder(tmp_path / "place", packages, extension(version))
    for program in yard.root.glob("*/examples/*.mojo"):
        shutil.copy(program, place)
    shutil.rmtree(yard.root)
    shutil.rmtree(tmp_path / "rooms")
    solved = yard.compile("run", "-I", ".", "solve.mojo", cwd=place)
    assert solved.stdout == "x = 5.0 y = 3.0 z = -2.0\ncheck: 29.0\n", solved.stderr
    built = yard.compile("build", "-I", ".", "xor.mojo", "-o", "xor", cwd=place)
    assert built.returncode == 0, built.stderr
    said = subprocess.run([place / "xor"], env={}, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said == "0 xor 0 is 0\n0 xor 1 is 1\n1 xor 0 is 1\n1 xor 1 is 0\nlearned\n"


def test_mojo_where_addresses_stay_random_says_so(
    yard_1: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "fixes_layout", lambda: False)
    yard_1.build()
    said = (tmp_path / "rooms/0000/log").read_text()
    assert said.startswith("this system keeps addresses random: a large package may have different bytes next time")


def test_mojo_costs_little_over_the_compiler(yard_1: Yard, tmp_path: Path) -> None:
    yard_1.build("mojo:a")  # warms the file system's cache
    ours, alone = [], []
    for _ in range(3):
        yard_1.build("mojo:a")
        ours.append(yard_1.seconds["mojo:a"])
        start = spent()
        assert yard_1.compile("precompile", "a", "-o", tmp_path / "a.mojopkg", cwd=yard_1.root).returncode == 0
        alone.append(spent() - start)
    assert min(ours) - min(alone) < 0.15
