from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError, Problem
from packyard.formats.workspace.manifest import SignSpec, WorkspaceManifest
from packyard.tasks.engine.graph import graph
from packyard.tasks.engine.graph.graph import Graph, build_graph
from packyard.tasks.errors import PlanError
from packyard.tasks.target.kinds import Kinds
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import Workspace


def target(name: str, *uses: str | Use, artifact: str | None = None, **values) -> Target:
    outputs = (Output(at=f"{name.partition(':')[2]}.out", artifact=artifact),)
    found = tuple(Use(target=use) if isinstance(use, str) else use for use in uses)
    return Target(
        **{"name": name, "doc": "", "place": f"{name}.toml", "run": "m:f", "outputs": outputs, **values, "uses": found}
    )


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Builds the graph of these targets, given by one kind for each argument."""
    workspace = Workspace(
        root=tmp_path, watch=Watch(tmp_path), manifest=WorkspaceManifest(name="w"), members=(), platform="linux_amd64"
    )

    def make(*kinds: list[Target] | Exception) -> Graph:
        modules = {}
        for number, made in enumerate(kinds):

            def targets(_: Workspace, made: list[Target] | Exception = made) -> Iterator[Target]:
                if isinstance(made, Exception):
                    raise made
                yield from made

            modules[f"kind{number}"] = types.SimpleNamespace(targets=targets)
        monkeypatch.setattr(graph.importlib, "import_module", modules.__getitem__)
        return build_graph(make.workspace, Kinds({name: name for name in modules}))

    make.workspace = workspace
    return make


def problems(build, *kinds) -> str:
    with pytest.raises(PlanError) as caught:
        build(*kinds)
    return str(caught.value)


def test_graph_puts_no_private_key_into_an_action(build) -> None:  # type: ignore[no-untyped-def]
    keys = Source(path="scripts/keys/flavor-private.key", at="scripts/keys/flavor-private.key")
    with pytest.raises(PlanError) as error:
        build([target("archive:tools", sources=(keys,))])
    assert str(error.value) == (
        "archive:tools.toml: 'archive:tools' would contain the private key 'scripts/keys/flavor-private.key'\n"
        "  hint: exclude it, or keep keys outside what is packed; one for tests alone: [workspace] allow_keys"
    )


def test_graph_marks_the_private_keys_that_are_let_through(build, tmp_path: Path) -> None:
    named = "keys/flavor-private.key"
    build.workspace = replace(build.workspace, manifest=WorkspaceManifest(name="w", allow_keys=(named,)))
    sources = (Source(path="a", at="a"), Source(path=named, at="k"))
    made = build([target("archive:tools", sources=sources), target("archive:other", sources=sources[:1])])
    assert made.targets["archive:tools"].sources == (sources[0], Source(path=named, at="k", key=True))
    assert made.targets["archive:other"].sources == sources[:1]
    assert set(build.workspace.watch.seen) == {named}


@pytest.mark.parametrize("told", ["manifest", "variable", "target"])
def test_graph_lets_the_key_that_signs_through_by_nothing(build, tmp_path, monkeypatch, told: str) -> None:
    (tmp_path / "our.key").write_bytes(b"secret")
    (tmp_path / "test.key").symlink_to("our.key")
    sign = SignSpec(key="our.key" if told == "manifest" else "")
    manifest = WorkspaceManifest(name="w", allow_keys=("none", "test.key"), sign=sign)
    build.workspace = replace(build.workspace, manifest=manifest)
    monkeypatch.setenv("PACKYARD_PRIVATE_KEY", "our.key" if told == "variable" else "")
    local = {"path": str(tmp_path / "our.key")} if told == "target" else {}
    assert problems(build, [target("bundle:a", local=local)]) == (
        "packyard.toml: workspace.allow_keys[1]: 'test.key' is the key that signs bundles; "
        "expected one that is for tests alone"
    )


def test_order_puts_dependencies_first(build):
    made = build([target("x:c", "x:b"), target("x:b", "x:a")], [target("x:a"), target("x:0", "x:c")])
    assert list(made.targets) == ["x:a", "x:b", "x:c", "x:0"]
    assert made.dependents == {"x:a": ("x:b",), "x:b": ("x:c",), "x:c": ("x:0",), "x:0": ()}


def test_order_does_not_depend_on_the_order_of_kinds(build):
    one, two = [target("x:a"), target("x:c")], [target("x:b", "x:c"), target("x:d")]
    assert list(build(one, two).targets) == list(build(two, one).targets)


def test_closure_holds_all_that_is_needed_in_order(build):
    made = build([target("x:a"), target("x:b", "x:a"), target("x:c", "x:b"), target("x:d", "x:a")])
    assert made.closure(["x:c"]) == ["x:a", "x:b", "x:c"]
    assert made.closure(["x:d", "x:b"]) == [name for name in made.targets if name != "x:c"]
    assert made.closure([]) == []


def test_final_targets_are_the_group(build):
    assert build([target("x:a"), target("x:b", "x:a", final=True)]).final == ("x:b",)


def test_open_place_of_a_use_is_the_name_of_the_artifact(build):
    made = build([target("x:a"), target("x:b", Use(target="x:a", at="in/")), target("x:c", Use(target="x:a", at="y"))])
    assert [made.targets[name].uses[0].at for name in ("x:b", "x:c")] == ["in/a.out", "y"]


def test_tree_used_has_no_place(build):
    tree = Target(name="x:t", doc="", place="", run="m:f", outputs=(Output(at="t", tree=True),))
    assert build([tree, target("x:a", "x:t")]).targets["x:a"].uses == (Use(target="x:t"),)


@pytest.mark.long
def test_chain_of_ten_thousand_is_ordered(build):
    chain = [target("x:0")] + [target(f"x:{n}", f"x:{n - 1}") for n in range(1, 10_000)]
    made = build(chain[::-1])
    assert list(made.targets)[:2] + list(made.targets)[-1:] == ["x:0", "x:1", "x:9999"]
    assert len(made.closure(["x:9999"])) == 10_000


# what is refused ---------------------------------------------------------------------------------------------


def test_cycle_by_one_path_is_shown(build):
    message = problems(build, [target("x:b", "x:c"), target("x:c", "x:a"), target("x:a", "x:b")])
    assert message == "x:a.toml: the targets depend on each other in a cycle: x:a -> x:b -> x:c -> x:a"


def test_cycle_reached_by_two_paths_is_shown(build):
    message = problems(build, [target("x:a", "x:b", "x:c"), target("x:b", "x:c"), target("x:c", "x:b")])
    assert message == "x:b.toml: the targets depend on each other in a cycle: x:b -> x:c -> x:b"


def test_cycle_of_one_is_shown(build):
    assert problems(build, [target("x:a", "x:a")]) == (
        "x:a.toml: the targets depend on each other in a cycle: x:a -> x:a"
    )


def test_name_declared_twice_names_both_places(build):
    message = problems(build, [target("x:a", place="one.toml")], [target("x:a", place="two.toml")])
    assert message == "two.toml: 'x:a' is declared twice; the other is in one.toml"


def test_artifact_with_two_owners_names_both_places(build):
    message = problems(build, [target("x:a", artifact="dist/o"), target("x:b", artifact="dist/o")])
    assert message == "x:b.toml: 'dist/o' is made by 'x:b' and by 'x:a' (x:a.toml)"


def test_artifacts_that_differ_in_case_alone_are_one_on_some_systems(build):
    message = problems(build, [target("x:a", artifact="dist/Web"), target("x:b", artifact="dist/web")])
    assert message == (
        "x:b.toml: 'dist/web' is made by 'x:b' and by 'x:a' (x:a.toml)\n"
        "  hint: on case-insensitive systems it is the same as 'dist/Web'"
    )
    message = problems(build, [target("x:a", artifact="Site/o"), target("x:b", artifact="site/o/p")])
    assert message == "x:b.toml: 'site/o/p' of 'x:b' lies inside 'Site/o' of 'x:a' (x:a.toml)"


def test_artifact_inside_another_is_refused(build):
    message = problems(build, [target("x:a", artifact="site/o"), target("x:b", artifact="site/o/p/q")])
    assert message == "x:b.toml: 'site/o/p/q' of 'x:b' lies inside 'site/o' of 'x:a' (x:a.toml)"


def test_unknown_targets_and_parts_are_all_named(build):
    message = problems(build, [target("x:apple"), target("x:b", "x:aple", Use(target="x:apple", part="core"))])
    assert message == (
        "x:b.toml: 'x:b' needs 'x:aple', which no member or tool makes\n  hint: did you mean 'x:apple'?\n"
        "x:b.toml: 'x:b' needs 'x:apple#core', which has no such part (parts: none)"
    )


def test_two_inputs_in_one_place_are_refused(build):
    wanted = target("x:b", Use(target="x:a", at="in/"), sources=(Source(path="src/a", at="in/a.out"),))
    assert problems(build, [target("x:a"), wanted]) == "x:b.toml: 'x:b' would find both 'src/a' and 'x:a' at 'in/a.out'"


@pytest.mark.parametrize("at", ["../escaped", "/escaped", "in/../../escaped", "..", "in/.."])
def test_place_outside_of_its_folder_is_refused(build, at: str) -> None:
    wrong = f"x:b.toml: 'x:b' would have a file at {at!r}; expected a place inside of its folder"
    source = target("x:b", sources=(Source(path="a", at="a"), Source(path="b", at=at)))
    use = target("x:b", Use(target="x:a", at=at))
    output = replace(target("x:b"), outputs=(Output(at=at),))
    artifact = target("x:b", artifact=at)
    assert {problems(build, [target("x:a"), one]) for one in (source, use, output, artifact)} == {wrong}


def test_place_that_only_looks_like_one_outside_is_taken(build) -> None:
    names = ["..a", "a..", "a/..b/c", "...", "a\nb", "a/.b"]
    sources = tuple(Source(path=f"src/{name}", at=name) for name in names)
    assert [source.at for source in build([target("x:a", sources=sources)]).targets["x:a"].sources] == names


def test_problems_of_all_kinds_are_gathered(build):
    message = problems(
        build,
        FormatError(Problem("first", place="a"), Problem("second", place="b")),
        [target("x:a", "x:nothing")],  # uses are not looked at while targets may be missing
        FormatError(Problem("third", place="c")),
    )
    assert message == "a: first\nb: second\nc: third"
