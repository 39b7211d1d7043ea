from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.policy import Policy
from packyard.formats.python.flavor import BuildSpec, Flavor, RuntimeEnv, read_buildconfig
from packyard.formats.python.pyproject import read_project
from packyard.formats.python.slots import SlotSpec

PROJECT = '[project]\nname = "webapp"\nversion = "1.0.0"\n'
BUNDLE = PROJECT + '[tool.flavor]\nentry_point = "webapp:main"\n'


def said(text: str) -> list[str]:
    """What the reader says of a wrong manifest, without the place."""
    with pytest.raises(FormatError) as caught:
        read_project(text, "p.toml")
    return [line.removeprefix("p.toml: ") for line in str(caught.value).splitlines()]


def flavor(text: str) -> Flavor:
    manifest = read_project(BUNDLE + text, "p.toml")
    assert manifest.flavor is not None
    return manifest.flavor


def test_flavor_defaults_are_filled() -> None:
    assert flavor("") == Flavor(entry_point="webapp:main", package_name="webapp")


def test_flavor_scripts_serve_as_entry_point() -> None:
    manifest = read_project(PROJECT + '[project.scripts]\nweb = "webapp:main"\n[tool.flavor]\n', "p.toml")
    assert manifest.scripts == {"web": "webapp:main"}
    assert manifest.flavor == Flavor(package_name="webapp")


def test_flavor_smoke_names_commands_of_the_bundle() -> None:
    assert flavor('[tool.flavor.smoke]\nwebapp = ["--version"]\n').smoke == {"webapp": ("--version",)}
    assert said(BUNDLE + "[tool.flavor.smoke]\nweb = []\n") == [
        "tool.flavor.smoke.web: is not a command of the bundle; expected one of webapp"
    ]


def test_flavor_full_table_is_read() -> None:
    text = """
        python_version = "3.12"
        launcher = "go"
        platforms = ["linux_amd64", "darwin_arm64"]
        [tool.flavor.metadata]
        package_name = "web-custom"
        [[tool.flavor.slots]]
        id = "templates"
        source = "templates/"
        purpose = "static-resources"
        [[tool.flavor.slots]]
        id = "models"
        source = "mojo:tensor"
        target = "{workenv}/share/models"
        purpose = "data-files"
        lifecycle = "lazy"
        operations = "tar.gz"
        permissions = "0644"
        exclude = ["*.tmp"]
        platform = "linux_amd64"
        [tool.flavor.build]
        dependencies = ["../lib"]
        extra_packages = ["gunicorn>=20"]
        exclude = ["docs/"]
        manylinux = "manylinux2014"
        pre_build = ["pytest -q 'my tests'", "scripts/prepare.py", ["tool", "a b"]]
        post_build = ["scripts/verify.py"]
        hook_requires = ["pytest"]
        pip = false
        include_tests = true
        runtime = false
        [tool.flavor.execution.runtime.env]
        unset = ["*"]
        pass = ["HOME", "LC_*"]
        set = { APP_ENV = "production" }
        map = { HOST_VAR = "APP_VAR" }
        isolated = false
        [tool.flavor.policy]
        platforms = ["linux_amd64"]
        refuse_root = true
        max_age_days = 30
        require_env = ["TOKEN"]
    """
    assert flavor(text) == Flavor(
        entry_point="webapp:main",
        python_version="3.12",
        package_name="web-custom",
        launcher="go",
        platforms=("linux_amd64", "darwin_arm64"),
        slots=(
            SlotSpec(id="templates", source="templates/", target="templates", purpose="media"),
            SlotSpec(
                id="models",
                source="mojo:tensor",
                target="share/models",
                purpose="data",
                lifecycle="lazy",
                operations="tgz",
                permissions=0o644,
                exclude=("*.tmp",),
                platform="linux_amd64",
            ),
        ),
        build=BuildSpec(
            dependencies=("../lib",),
            extra_packages=("gunicorn>=20",),
            exclude=("docs/",),
            manylinux=("manylinux2014",),
            pre_build=(("pytest", "-q", "my tests"), ("scripts/prepare.py",), ("tool", "a b")),
            post_build=(("scripts/verify.py",),),
            hook_requires=("pytest",),
            pip=False,
            include_tests=True,
            runtime=False,
        ),
        runtime_env=RuntimeEnv(
            unset=("*",),
            pass_=("HOME", "LC_*"),
            set={"APP_ENV": "production"},
            map={"HOST_VAR": "APP_VAR"},
            isolated=False,
        ),
        policy=Policy(platforms=("linux_amd64",), refuse_root=True, max_age_days=30, require_env=("TOKEN",)),
    )


BUILDCONFIG = """
[build]
dependencies = ["../lib"]
manylinux = "manylinux_2_28"

[build.execution.runtime.env]
set = { MODE = "x" }
"""


def test_buildconfig_goes_before_the_build_table_key_by_key() -> None:
    project = read_project(BUNDLE + '[tool.flavor.build]\ndependencies = ["a"]\nexclude = ["b"]\n', "p")
    changed = read_buildconfig(BUILDCONFIG, "buildconfig.toml", project.flavor)
    assert changed is not None
    assert changed.build == BuildSpec(dependencies=("../lib",), exclude=("b",), manylinux=("manylinux_2_28",))
    assert changed.runtime_env == RuntimeEnv(set={"MODE": "x"})


def test_buildconfig_has_no_say_in_an_environment_that_the_manifest_rules() -> None:
    project = read_project(BUNDLE + '[tool.flavor.execution.runtime.env]\nunset = ["A"]\n', "p")
    changed = read_buildconfig(BUILDCONFIG, "buildconfig.toml", project.flavor)
    assert changed is not None
    assert changed.runtime_env == RuntimeEnv(unset=("A",))


def test_buildconfig_wrong_is_said() -> None:
    text = '[build]\nexlude = ["a"]\nmanylinux = "x"\n[other]\n'
    with pytest.raises(FormatError) as error:
        read_buildconfig(text, "buildconfig.toml", None)
    assert str(error.value) == (
        "buildconfig.toml: build.manylinux: 'x' is not a manylinux tag; expected one like 'manylinux2014' or "
        "'manylinux_2_28'\n"
        "buildconfig.toml: other: unknown key\n  hint: known keys: build\n"
        "buildconfig.toml: build.exlude: unknown key\n  hint: did you mean 'exclude'?"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            PROJECT + "[tool.flavor]\n",
            [
                "tool.flavor.entry_point: is missing; expected 'module:function'",
                "  hint: or name commands in [project.scripts]",
            ],
        ),
        (BUNDLE + "slotz = 1\n", ["tool.flavor.slotz: unknown key", "  hint: did you mean 'slots'?"]),
        (
            BUNDLE + "python_version = 3.11\n",
            ["tool.flavor.python_version: 3.11 is a number; expected a string"],
        ),
        (
            BUNDLE + 'launcher = "rst"\n',
            ["tool.flavor.launcher: 'rst' is not a launcher; expected 'rust', 'go' or a path like './launcher'"],
        ),
        (
            BUNDLE + 'platforms = ["linux"]\n',
            [
                "tool.flavor.platforms[0]: 'linux' is not a platform; expected one of linux_amd64, linux_arm64, "
                "darwin_amd64, darwin_arm64, windows_amd64, windows_arm64"
            ],
        ),
        (
            BUNDLE + 'package_name = "a"\n[tool.flavor.metadata]\npackage_name = "b"\n',
            ["tool.flavor.metadata.package_name: is also given in [tool.flavor]; expected only one of them"],
        ),
        (
            BUNDLE
            + '[tool.flavor.build]\npre_build = ["", 3, "it\'s", ["a", 1]]\npost_build = "x"\nmanylinux = ["x"]\n',
            [
                "tool.flavor.build.manylinux[0]: 'x' is not a manylinux tag; expected one like 'manylinux2014' or "
                "'manylinux_2_28'",
                "tool.flavor.build.pre_build[0]: '' is not a command; expected a string or a list of words",
                "tool.flavor.build.pre_build[1]: 3 is not a command; expected a string or a list of words",
                'tool.flavor.build.pre_build[2]: "it\'s" is not a command; expected a string or a list of words',
                "tool.flavor.build.pre_build[3]: ['a', 1] is not a command; expected a string or a list of words",
                "tool.flavor.build.post_build: 'x' is a string; expected a list",
            ],
        ),
        (
            BUNDLE + '[tool.flavor.execution.runtime.env]\npass = ["A=B"]\nset = { "X Y" = "1" }\nuset = ["A"]\n',
            [
                "tool.flavor.execution.runtime.env.pass[0]: 'A=B' is not a variable; expected letters, digits and _",
                "tool.flavor.execution.runtime.env.set.X Y: 'X Y' is not a variable; expected letters, digits and _",
                "tool.flavor.execution.runtime.env.uset: unknown key",
                "  hint: did you mean 'unset'?",
            ],
        ),
        (
            BUNDLE + "[tool.flavor.policy]\nmax_age_days = true\n",
            ["tool.flavor.policy.max_age_days: true is true or false; expected an integer"],
        ),
        (
            BUNDLE + "[tool.flavor.policy]\nmax_age_days = 0\n",
            ["tool.flavor.policy.max_age_days: 0 is not a number of days; expected 1 or more"],
        ),
    ],
)
def test_flavor_wrong_is_said(text: str, expected: list[str]) -> None:
    assert said(text) == expected
