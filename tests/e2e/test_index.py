"""Applications whose dependencies an index on loopback has, that demands a password: locked, built, bumped, offline."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from packyard.tasks.kinds.interpreter.choice import RUNNING

from tests.conftest import Space
from tests.index import Index, serving

SECRET = "swordfish-7"
APP = """\
[project]
name = "{name}"
version = "1.0"
dependencies = [{dependencies}]

[tool.flavor]
entry_point = "{name}:main"

[tool.flavor.build]
pip = false
"""


@dataclass(frozen=True)
class Yard:
    """A workspace, and the index that it asks."""

    space: Space
    index: Index

    def add_app(self, name: str, *dependencies: str) -> None:
        listed = ", ".join(f'"{text}"' for text in dependencies)
        self.space.write(f"{name}/pyproject.toml", APP.format(name=name, dependencies=listed))
        self.space.write(f"{name}/{name}.py", "def main(): ...\n")


@pytest.fixture(scope="module")
def built(space_in: Callable[[str], Space]) -> Iterator[Yard]:
    """Two applications that need different versions of one distribution, locked and built once."""
    with serving(Index()) as index:
        index.password = f"me:{SECRET}"
        space = space_in("index")
        url = index.url.replace("//", f"//me:{SECRET}@")
        env = {"UV_DEFAULT_INDEX": url, "UV_CACHE_DIR": str(space.home / "uv"), "PACKYARD_KEY_SEED": "s1"}
        yard = Yard(replace(space, env=env), index)
        for version in ("1.0", "2.0"):
            index.add_wheel("good", version, requires=("plain",))
        index.add_wheel("plain", "1.0")
        space.write(
            "packyard.toml",
            '[workspace]\nname = "w"\nmembers = ["web", "old"]\n'
            f'[toolchain]\npython = "{RUNNING}"\nlauncher = "./launcher"\n',
        )
        space.write("launcher", Path("/bin/true").read_bytes()).chmod(0o755)
        yard.add_app("web", "good>=1")
        yard.add_app("old", "good<2")
        yard.space.packyard("lock")
        yard.space.packyard()
        yield yard


@pytest.fixture
def yard(built: Yard) -> Iterator[Yard]:
    """A copy of the built workspace, with its trace and the same store; what the index has is as before."""
    files, served = dict(built.index.files), list(built.index.served)
    root = built.space.root.with_name(f"copy-{len(list(built.space.root.parent.iterdir()))}")
    shutil.copytree(built.space.root, root, symlinks=True)
    yield Yard(replace(built.space, root=root), built.index)
    built.index.files, built.index.served = files, served


def kinds(names: list[str]) -> list[str]:
    """Target names without what only a digest can tell."""
    return sorted(name.partition(f"-py{RUNNING}")[0] for name in names)


def test_password_of_the_index_is_in_no_file_of_ours(built: Yard) -> None:
    assert sorted(built.index.served) == ["good-1.0-py3-none-any.whl", "good-2.0-py3-none-any.whl",
                                          "plain-1.0-py3-none-any.whl"]  # fmt: skip
    looked = 0
    for folder in (built.space.root, built.space.home):
        for path in folder.rglob("*"):
            if path.is_file() and "uv" not in path.relative_to(folder).parts:
                looked += 1
                assert SECRET.encode() not in path.read_bytes(), path
    assert looked > 50
    assert f'url = "{built.index.file_url("good-2.0-py3-none-any.whl")}"' in built.space.text("web/pylock.toml")


def test_applications_with_conflicting_versions_share_the_rest(yard: Yard) -> None:
    yard.space.expect_nothing()
    plan = yard.space.packyard("graph", "bundle:web", "bundle:old").out
    assert {f"dist:{one}" for one in ("good-1.0", "good-2.0", "plain-1.0")} == {
        word.partition("-py")[0].strip('"') for word in plan.split() if word.strip('"').startswith("dist:")
    }


def test_one_distribution_bumped_costs_one_download_and_one_piece(yard: Yard) -> None:
    yard.index.add_wheel("good", "2.1", requires=("plain",))
    yard.index.served.clear()
    said = yard.space.packyard("lock", "web", "--upgrade", "good").out
    assert said == "wrote    web/pylock.toml  2 distributions\n           good 2.0 -> 2.1\n"
    plan = yard.space.packyard("plan").out
    assert plan.startswith("stale    dist:good-2.1-")
    assert re.search(r"\n1 stale, 3 waiting, \d+ fresh\n$", plan)
    done = yard.space.packyard()
    assert kinds(done.ran) == ["bundle:web", "dist:good-2.1", "env:web", "slot:web/app"]
    assert done.restored == []
    assert yard.index.served == ["good-2.1-py3-none-any.whl"]
    yard.space.expect_nothing()


def test_offline_uses_what_is_there_and_says_what_is_missing(yard: Yard) -> None:
    yard.index.add_wheel("rare", "1.0")
    yard.add_app("web", "good>=1", "rare")
    assert "'rare' was added" in yard.space.packyard("--locked", status=1).err
    done = yard.space.packyard("lock", "web", "--offline", status=1)
    assert done.err.startswith("error: web/pylock.toml: no versions found for good>=1, rare\n")
    assert done.err.endswith("  hint: downloads are disabled (--offline, UV_OFFLINE): lock once with network access\n")
    assert yard.space.packyard("lock", "web").out == (
        "wrote    web/pylock.toml  3 distributions\n           rare (new) -> 1.0\n"
    )
    yard.index.served.clear()
    done = yard.space.packyard("--offline", status=1)
    assert kinds(done.failed) == ["dist:rare-1.0"]
    assert (
        "  not downloaded yet, and downloads are disabled (--offline, UV_OFFLINE): rare-1.0-py3-none-any.whl\n"
        "    hint: build once with network access\n"
    ) in done.out
    assert yard.index.served == []
    assert kinds(yard.space.packyard().ran) == ["bundle:web", "dist:rare-1.0", "env:web", "slot:web/app"]
    yard.space.remove("dist")
    assert yard.space.packyard("--offline").restored == ["bundle:old", "bundle:web"]


def test_locked_takes_nothing_that_a_build_resolved(yard: Yard) -> None:
    assert yard.space.packyard("--locked").out.startswith("nothing to do")
    for name in ("web", "old"):
        yard.space.remove(f"{name}/pylock.toml")
    refused = "".join(
        f"error: {name}/pylock.toml: is missing, and resolving is disabled (--locked)\n"
        "  hint: run 'packyard lock', and commit it\n"
        for name in ("old", "web")
    )
    assert yard.space.packyard("--locked", status=1).err == refused
    yard.space.packyard()  # resolves into .packyard/locks/
    assert yard.space.packyard("--locked", status=1).err == refused
    assert yard.space.packyard("--locked", "wheel:web").failed == []  # which needs no lock
    pinned = {"good==2.0": "good-2.0-py3-none-any.whl", "plain==1.0": "plain-1.0-py3-none-any.whl"}
    lines = (f"{text} --hash=sha256:{yard.index.digest(file)}\n" for text, file in pinned.items())
    yard.space.write("web/requirements.txt", "".join(lines))
    assert yard.space.packyard("--locked", "bundle:web").failed == []  # it pins all that is needed
    yard.space.replace("web/pyproject.toml", "pip = false", "pip = true")
    assert yard.space.packyard("--locked", "bundle:web", status=1).err == "".join(refused.partition("error: web")[1:])


@pytest.mark.parametrize("wanted", ["good>=3", "connector>=3"])  # a name is no sign of a lost connection
def test_lock_that_no_versions_satisfy_leaves_the_old_one(yard: Yard, wanted: str) -> None:
    yard.index.add_wheel("connector", "1.0")
    before = yard.space.files()
    yard.space.replace("web/pyproject.toml", "good>=1", wanted)
    done = yard.space.packyard("lock", "web", status=1)
    assert done.err.startswith(f"error: web/pylock.toml: no versions found for {wanted}\n")
    assert done.err.endswith("  hint: change the versions in the manifest, or remove what conflicts\n")
    yard.space.replace("web/pyproject.toml", wanted, "good>=1")
    assert yard.space.files() == before


def test_lock_that_only_other_platforms_cannot_have_says_how_to_leave_them_out(yard: Yard) -> None:
    yard.index.add_wheel("good", "3.0", requires=["rare>=9; sys_platform == 'win32'"])
    yard.index.add_wheel("rare", "1.0")
    yard.space.replace("web/pyproject.toml", "good>=1", "good>=3")
    done = yard.space.packyard("lock", "web", status=1)
    assert done.err.endswith(
        "  hint: change the versions in the manifest, or remove what conflicts; if only other platforms need what is "
        "missing, name yours: [tool.uv] environments = [\"sys_platform == 'linux'\"] in pyproject.toml\n"
    )


def test_wrong_password_is_told_without_the_password(yard: Yard) -> None:
    yard.index.add_wheel("good", "2.2")
    url = yard.index.url.replace("//", "//me:mistyped@")
    wrong = replace(
        yard.space, env={**yard.space.env, "UV_DEFAULT_INDEX": url, "UV_CACHE_DIR": str(yard.space.root / "uv")}
    )
    done = wrong.packyard("lock", "web", "--upgrade", status=1)
    assert done.err.startswith("error: web/pylock.toml: cannot ask the package index for good>=1\n")
    assert "401" in done.err
    assert "mistyped" not in done.err + done.out
    assert done.err.endswith(
        "  hint: put its user and password into the URL of UV_DEFAULT_INDEX or UV_INDEX, or into ~/.netrc\n"
    )


def test_index_that_the_manifest_names_for_uv_gets_its_password_from_variables(yard: Yard) -> None:
    yard.index.add_wheel("inhouse", "1.0")
    yard.add_app("web", "good>=1", "inhouse")
    yard.space.append(
        "web/pyproject.toml",
        f'[[tool.uv.index]]\nname = "in-house"\nurl = "{yard.index.url}"\ndefault = true\n',
    )
    env = {name: value for name, value in yard.space.env.items() if name != "UV_DEFAULT_INDEX"}
    named = {"UV_INDEX_IN_HOUSE_USERNAME": "me", "UV_INDEX_IN_HOUSE_PASSWORD": SECRET}
    space = replace(yard.space, env={**env, **named})
    assert "inhouse (new) -> 1.0" in space.packyard("lock", "web").out
    yard.index.served.clear()
    assert "dist:inhouse-1.0" in kinds(space.packyard("env:web").ran)
    assert yard.index.served == ["inhouse-1.0-py3-none-any.whl"]
    assert SECRET.encode() not in space.read(".packyard/trace.sqlite")


BACKEND = """
from pathlib import Path
import re, zipfile

def build_wheel(folder, *_):
    text = Path("pyproject.toml").read_text()
    needs = re.search('dependencies = \\\\["([^"]*)"', text)[1]
    info = "app-1.0.dist-info"
    with zipfile.ZipFile(f"{folder}/app-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("app.py", Path("app.py").read_text())
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(f"{info}/METADATA",
            f"Metadata-Version: 2.1\\nName: app\\nVersion: 1.0\\nRequires-Dist: {needs}\\n")
        archive.writestr(f"{info}/RECORD", "")
    return "app-1.0-py3-none-any.whl"
"""


def test_password_in_a_manifest_signs_in_and_gets_nowhere(space_in: Callable[[str], Space]) -> None:
    """In a direct URL, and in the URL of an index for what runs and for what builds."""
    with serving(Index()) as index:
        index.password = f"me:{SECRET}"
        index.add_wheel("good", "1.0", requires=("plain",))
        index.add_wheel("plain", "1.0")
        index.add_wheel("maker", "1.0", {"maker.py": BACKEND})
        space = space_in("manifest")
        space = replace(space, env={"UV_CACHE_DIR": str(space.home / "uv")})
        signed = index.url.replace("//", f"//me:{SECRET}@")
        url = index.file_url("good-1.0-py3-none-any.whl").replace("//", f"//me:{SECRET}@")
        space.write("packyard.toml", f'[workspace]\nname = "w"\nmembers = ["app"]\n[toolchain]\npython = "{RUNNING}"\n')
        space.write("app/app.py", "def main(): ...\n")
        space.write(
            "app/pyproject.toml",
            APP.format(name="app", dependencies=f'"good @ {url}", "plain"')
            + '[build-system]\nrequires = ["maker"]\nbuild-backend = "maker"\n'
            + f'[[tool.uv.index]]\nname = "priv"\nurl = "{signed}"\ndefault = true\n',
        )
        space.packyard("lock")
        made = space.packyard("env:app", "wheel:app")
        assert sorted({*index.served}) == [f"{name}-1.0-py3-none-any.whl" for name in ("good", "maker", "plain")]
        assert f'url = "{index.file_url("good-1.0-py3-none-any.whl")}"' in space.text("app/pylock.toml")
        assert SECRET not in made.out + made.err
        for folder in (space.root, space.home):
            for path in folder.rglob("*"):
                if path.is_file() and "uv" not in path.relative_to(folder).parts and path.name != "pyproject.toml":
                    assert SECRET.encode() not in _unpacked(path), path


def _unpacked(path: Path) -> bytes:
    """The bytes of a file, and of what is in it when it is a zip."""
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return path.read_bytes() + b"".join(map(archive.read, archive.namelist()))
