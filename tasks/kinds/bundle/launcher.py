"""The kind `launcher`: the program at the front of a bundle, taken out of the flavorpack wheel of its platform.

FlavorPack itself is not installed anywhere: the wheel is fetched by its digest, one file is taken out and compared
with its own. All digests below were computed from the wheels of the package index.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from packyard.formats.digest import Digest, digest_file
from packyard.tasks.errors import ActionError
from packyard.tasks.index.installtree import install_as_is
from packyard.tasks.kinds.bundle.launcherchoice import LANGUAGES, VERSION, choice
from packyard.tasks.kinds.interpreter.platforms import platforms_of_all
from packyard.tasks.target.params import Params, call
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Target
from packyard.tasks.workspace.workspace import MANIFEST, Workspace


@dataclass(frozen=True, slots=True)
class Wheel:
    """The wheel of one platform: what uv calls the platform, and the SHA-256 of the wheel and of its launchers."""

    platform: str
    sha256: str
    rust: str
    go: str


WHEELS = {
    "linux_amd64": Wheel(
        "x86_64-manylinux2014",
        "a3efa7299d8e9d974ad5586c37b7805b24b1dbc29db9b1c7074ad21440acbd94",
        rust="5a7677943d8486621517610e3e8489dc9f98a12637c40b7246eae89277223e0e",
        go="3b27ef04c8279e7a2eb463de1ff227f5a724d972b9ca7746455bf74b327c7607",
    ),
    "linux_arm64": Wheel(
        "aarch64-manylinux2014",
        "d37dbea137f10c0831e6f7c9d300e51df09407e4773dc36e536eb97fde6041b0",
        rust="216a0329dd360f834ee5ab6fcc75e94aef87907505615fbd511a2ad8cc1298fb",
        go="77e68d5ab04bd83d5c4884cec9dd218767f6f0e4d2791462b3b6013bcc560c83",
    ),
    "darwin_amd64": Wheel(
        "x86_64-apple-darwin",
        "44c1fc39f00845c80993f8e80bdd818f6a2151491f6fe30e61e7653bae62943e",
        rust="086d5745f2e7b7bd76df6acc68362816b7df2acb5ce9ed5dda7a2ae41ede0d88",
        go="a0388a64b4e4c24e939417d6e9a906280957cfec1d3c000c765eb6e03b724873",
    ),
    "darwin_arm64": Wheel(
        "aarch64-apple-darwin",
        "3b697457416028f07be12ad5410c4e1735b9da1fc5831641464bf521e0c8c611",
        rust="34616994bb1eae79b55eea13a664d11e1bef70ef5bfc4b28e1c3b3a0b748be1a",
        go="a295b0003dd9c9dcf83c2af1b4f3b712f39ba226196e2df96753746bb99f34fd",
    ),
    "windows_amd64": Wheel(
        "x86_64-pc-windows-msvc",
        "908b5ad7a668c998bf9188050d346ee7e480efdee959ae09b7ae3263aea1e8a1",
        rust="e40a387a5b445beee102c5c7fdcb522f40db5785b0b249f1c6af598e743202b6",
        go="ec35fb9b1e4583445766324940734ec55e10e79256d7a3af7d149ed788b16856",
    ),
    "windows_arm64": Wheel(
        "aarch64-pc-windows-msvc",
        "4c329d61471692837101e2a42f15e3963e8f12b5dce9510555adde0879758c33",
        rust="1c04749d79ad7cd92b35f69dfb070ef714bf0fb21b00716cf35906329068f4f5",
        go="e1c5a68ae17655a9defdd5a9f2d4af235f75f596418248655915db8a19d1f41f",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LauncherParams(Params):
    """The parameters of a launcher: the wheel that holds it, as a requirement with its hash; what uv calls the
    platform; the launcher's path in the wheel; and its digest."""

    requirement: str
    platform: str
    file: str
    digest: Digest


def targets(workspace: Workspace) -> Iterator[Target]:
    """The launchers that the workspace's bundles start with; of this platform both, for clean rooms try both."""
    bundles = platforms_of_all(workspace).values()
    wanted = {
        (one.language, one.platform)
        for member, platforms in bundles
        for platform in platforms
        if (one := choice(member, workspace, platform)).language
    }
    if any(workspace.platform in platforms for _, platforms in bundles):
        wanted |= {(language, workspace.platform) for language in LANGUAGES}
    for language, platform in sorted(wanted):
        yield launcher_target(language, platform)


def launcher_target(language: str, platform: str) -> Target:
    """The target that fetches one launcher ('rust' or 'go')."""
    wheel = WHEELS[platform]
    return Target(
        name=f"launcher:{language}-{platform}",
        doc=f"the {language.capitalize()} launcher of FlavorPack {VERSION} for {platform}",
        place=MANIFEST,
        **call(
            make_launcher,
            LauncherParams(
                requirement=f"flavorpack=={VERSION} --hash=sha256:{wheel.sha256}",
                platform=wheel.platform,
                file=_file(language, platform),
                digest=Digest(wheel.rust if language == "rust" else wheel.go),
            ),
        ),
        outputs=(Output(at="launcher"),),
        network=True,
        resource="io",
    )


def make_launcher(room: Room[LauncherParams]) -> None:
    """Fetch the wheel by its digest, take the launcher out, and compare it with its own digest."""
    params = room.params
    requirements = room.scratch / "requirements.txt"
    requirements.write_text(params.requirement + "\n", encoding="utf-8")
    wheel = room.scratch / "wheel"
    install_as_is(
        room, requirements, wheel, python=sys.executable, platform=params.platform, what="the launcher",
        linked=True,
    )  # fmt: skip
    found = wheel / params.file
    if not found.is_file():
        raise ActionError(f"the wheel contains no {params.file!r}")
    digest = digest_file(found)
    if digest != params.digest:
        raise ActionError(f"{found.name!r} has digest {digest}; expected {params.digest}")
    launcher = room.outputs / "launcher"
    shutil.copyfile(found, launcher)
    launcher.chmod(0o755)


def _file(language: str, platform: str) -> str:
    short = "rs" if language == "rust" else "go"
    suffix = ".exe" if platform.startswith("windows") else ""
    return f"flavor/helpers/bin/flavor-{short}-launcher-{VERSION}-{platform}{suffix}"
