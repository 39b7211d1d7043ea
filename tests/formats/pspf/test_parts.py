from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from packyard.formats.digest import Digest
from packyard.formats.errors import FormatError
from packyard.formats.policy import Policy
from packyard.formats.pspf import parts
from packyard.formats.pspf.parts import Build, Coverage, Environment, Execution, Launcher, Slot
from packyard.formats.text.table import Table, reading

HEX = "ab" * 32


@pytest.mark.parametrize(
    ("value", "values", "read"),
    [
        (
            Slot(id="s", source="a", target="{workenv}/x", size=1, checksum=HEX, operations="tgz", purpose="code",
                 lifecycle="init", permissions="0755", content="c"),
            lambda slot: parts.slot_values(3, slot), parts.read_slot,
        ),
        (Execution(command="run it", env={"A": "b"}), parts.execution_values, parts.read_execution),
        (
            Environment(unset=("A",), pass_=("B",), map={"C": "D"}, set={"E": "f"}),
            parts.environment_values, parts.read_environment,
        ),
        (Policy(platforms=("p",), refuse_root=True, max_age_days=3, require_env=("H",)), parts.policy_values,
         parts.read_policy),
        (Policy(), parts.policy_values, parts.read_policy),
        (Build(tool="t", tool_version="1", timestamp="now", os="linux", arch="amd64"), parts.build_values,
         parts.read_build),
        (Launcher(tool="rust", tool_version="1", size=2, checksum=HEX), parts.launcher_values, parts.read_launcher),
        (Coverage(tree=HEX, sealed=True, needs="glibc 2.36"), parts.coverage_values, parts.read_coverage),
        (Coverage(), parts.coverage_values, parts.read_coverage),
    ],
    ids=lambda value: type(value).__name__ if not callable(value) else "",
)  # fmt: skip
def test_part_that_was_written_is_read_back(
    value: object, values: Callable[[Any], dict[str, Any]], read: Callable[[Table], object]
) -> None:
    with reading(values(value), "metadata") as table:
        found = read(table)
        table.ignore_rest()
    assert found == value


def test_slot_tells_its_place_in_the_table() -> None:
    assert parts.slot_values(3, Slot(id="s", target="t")) == {
        "slot": 3, "id": "s", "source": "", "target": "t", "size": 0, "checksum": "", "operations": "raw",
        "purpose": "data", "lifecycle": "runtime", "permissions": "0644", "resolution": "build", "content": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("target", "path"), [("{workenv}", ""), ("{workenv}/share/x", "share/x"), ("share/x", "share/x")]
)
def test_path_of_a_slot_is_below_the_work_environment(target: str, path: str) -> None:
    assert Slot(id="s", target=target).path == path


@pytest.mark.parametrize(
    ("text", "digest"),
    [(f"sha256:{HEX}", Digest(HEX)), (HEX, None), ("0123456789abcdef", None), ("", None), (f"sha256:{HEX[1:]}", None)],
)
def test_digest_is_known_where_it_is_whole(text: str, digest: Digest | None) -> None:
    assert Slot(id="s", target="t", checksum=text).digest == digest
    assert Launcher(checksum=text).digest == digest


def test_digest_of_a_launcher_may_have_its_prefix_twice() -> None:
    assert Launcher(checksum=f"sha256:sha256:{HEX}").digest == Digest(HEX)


def test_coverage_of_another_version_is_refused() -> None:
    with pytest.raises(FormatError) as caught, reading({"coverage": 2}, "metadata") as table:
        parts.read_coverage(table)
        table.ignore_rest()
    assert str(caught.value) == "metadata: coverage: 2 is not a known version; expected 1"
