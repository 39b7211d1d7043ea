"""Building twice, in copies of the workspace with empty stores, under circumstances as different as can be arranged.

Whatever then differs was made from something that is not a declared input. A circumstance that alone brings out the
difference is its cause; when none does, the action differs from run to run by itself.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from packyard.formats.archive.receipt import read_receipt
from packyard.formats.pspf.difference import first_difference
from packyard.tasks.engine.build.verdict import compare
from packyard.tasks.engine.graph.graph import Graph
from packyard.tasks.engine.store.store import FORMAT
from packyard.tasks.engine.trace.record import Record
from packyard.tasks.engine.trace.trace import Trace
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.nullpath import ARTIFACTS, FOLDER
from packyard.tasks.target.target import Made
from packyard.tasks.workspace.watch import SKIPPED

_SKEW = "+965h"  # another hour, day and month; certificates should outlast it


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Under what a build runs. `env` is put over the user's environment; `prefix` starts the command."""

    folder: str = "folder"
    env: Mapping[str, str] = field(default_factory=dict)
    umask: int = 0o022
    jobs: int = 1
    prefix: tuple[str, ...] = ()
    keeps_times: bool = True  # whether the copied sources have the times of the originals


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A target that came out in two ways, although all that it was made from was the same."""

    name: str
    differences: tuple[str, ...]
    followers: tuple[str, ...]  # targets that differ because this one does
    causes: tuple[str, ...] | None = None  # circumstances that alone bring it out; none: it differs by itself


@dataclass(frozen=True, slots=True)
class _Built:
    """One finished build: its records by target, and its store."""

    store: Path
    records: Mapping[str, Record]

    def path(self, made: Made) -> Path:
        return self.store / "blob" / made.digest[:2] / made.digest[2:]


def variations(home: Path) -> dict[str, Circumstances]:
    """Every circumstance that can be varied here, alone, by its name. `home` is an empty folder."""
    found = {
        "path": Circumstances(folder="another folder/of a longer name", keeps_times=False),
        "time zone": Circumstances(env={"TZ": "Asia/Kathmandu"}),
        "locale": Circumstances(env={"LC_ALL": "C", "LANG": "tr_TR.UTF-8", "LANGUAGE": "tr"}),
        "umask": Circumstances(umask=0o077),
        "HOME": Circumstances(env={"HOME": os.fspath(home), "USER": "somebody", "LOGNAME": "somebody"}),
        "hash seed": Circumstances(env={"PYTHONHASHSEED": "4321"}),
        "job count": Circumstances(jobs=4),
    }
    if faketime := shutil.which("faketime"):
        found["clock"] = Circumstances(prefix=(faketime, "-f", _SKEW))
    return found


def together(parts: Iterable[Circumstances]) -> Circumstances:
    """All of these at once."""
    plain = Circumstances()
    folder, umask, jobs, prefix, env = plain.folder, plain.umask, plain.jobs, plain.prefix, dict[str, str]()
    keeps_times = True
    for part in parts:
        folder = part.folder if part.folder != plain.folder else folder
        umask = part.umask if part.umask != plain.umask else umask
        jobs, prefix = max(jobs, part.jobs), (*prefix, *part.prefix)
        keeps_times = keeps_times and part.keeps_times
        env.update(part.env)
    return Circumstances(folder=folder, env=env, umask=umask, jobs=jobs, prefix=prefix, keeps_times=keeps_times)


def reproduce(
    root: Path, graph: Graph, names: Sequence[str], scratch: Path, notify: Callable[[str], None], *, causes: bool = True
) -> list[Finding]:
    """Build `names` twice and compare everything that was made on the way; what differs, dependencies first.

    With `causes`, each differing target is built again under one circumstance after the other. ActionError when a
    build fails. `scratch` is an empty folder for copies and stores.
    """
    wanted = graph.closure(names)
    home = scratch / "home"
    home.mkdir()
    varied = variations(home)
    one = _build(root, names, Circumstances(env={"PYTHONHASHSEED": "0"}), scratch / "a", "plain", notify)
    other = _build(root, names, together(varied.values()), scratch / "b", f"different {', '.join(varied)}", notify)
    found = list(_findings(graph, wanted, one, other))
    if causes and found:
        named = _causes(root, graph, found, one, varied, scratch, notify)
        found = [
            Finding(name=f.name, differences=f.differences, followers=f.followers, causes=named[f.name]) for f in found
        ]
    return found


def _causes(
    root: Path, graph: Graph, found: Sequence[Finding], one: _Built, varied: Mapping[str, Circumstances],
    scratch: Path, notify: Callable[[str], None],
) -> dict[str, tuple[str, ...]]:  # fmt: skip
    """Which circumstances alone make each differing target differ; none when it differs even under the same ones."""
    names = [finding.name for finding in found]
    causes: dict[str, list[str]] = {name: [] for name in names}
    by_itself: set[str] = set()
    trials = {"": Circumstances(env={"PYTHONHASHSEED": "0"}), **varied}
    for position, (cause, circumstances) in enumerate(trials.items()):
        fixed = Circumstances(
            folder=circumstances.folder, env={"PYTHONHASHSEED": "0", **circumstances.env}, umask=circumstances.umask,
            jobs=circumstances.jobs, prefix=circumstances.prefix, keeps_times=circumstances.keeps_times,
        )  # fmt: skip
        waiting = [name for name in names if name not in by_itself]
        if not waiting:
            break
        other = _build(
            root, waiting, fixed, scratch / str(position), f"only a different {cause}" if cause else "same", notify
        )
        for finding in _findings(graph, graph.closure(waiting), one, other):
            if finding.name in causes:
                if cause:
                    causes[finding.name].append(cause)
                else:
                    by_itself.add(finding.name)
    return {name: tuple(causes[name]) for name in names}


def _build(
    root: Path, names: Sequence[str], under: Circumstances, folder: Path, title: str, notify: Callable[[str], None]
) -> _Built:
    """One build. Its copy and its store lie at the same place each time, unless the path is what varies."""
    there = folder.parent / "at" / under.folder
    work, cache, log = there / "work", there / "cache", folder.parent / "log"
    there.mkdir(parents=True)
    log.unlink(missing_ok=True)
    _copy(root, work, keeps_times=under.keeps_times)
    notify(f"building under circumstances: {title}")
    command = [sys.executable, "-m", "packyard.tasks", "run", "--jobs", str(under.jobs), "--fail-fast", *names]
    shell = ["/bin/sh", "-c", f'umask {under.umask:03o}; exec "$@"', "sh"]
    try:
        process.run([*shell, *under.prefix, *command], cwd=work, env=_environment(cache, under.env), log=log)
    except ActionError as error:
        raise ActionError(f"the build failed under other circumstances: {title}", detail=error.detail) from None
    trace = Trace(work, readonly=True)
    records = trace.records()
    trace.close()
    folder.mkdir()
    cache.rename(folder / "cache")
    shutil.rmtree(folder.parent / "at")
    return _Built(folder / "cache" / "store" / FORMAT, records)


def _environment(cache: Path, over: Mapping[str, str]) -> dict[str, str]:
    """The user's environment with an own store, but the keys and download caches where they are although HOME moves."""
    config = os.environ.get("PACKYARD_CONFIG_DIR") or platformdirs.user_config_path("packyard")
    kept = {
        "PACKYARD_CONFIG_DIR": os.fspath(config),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or os.fspath(platformdirs.user_cache_path("uv")),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    return {**os.environ, **kept, "PACKYARD_CACHE_DIR": os.fspath(cache), **over}


def _copy(root: Path, work: Path, *, keeps_times: bool) -> None:
    def skipped(folder: str, names: list[str]) -> set[str]:
        at_root = {ARTIFACTS, "site"} if folder == os.fspath(root) else set()
        return {name for name in names if name in SKIPPED or name in at_root}

    copy = shutil.copy2 if keeps_times else shutil.copy
    shutil.copytree(root, work, symlinks=True, ignore=skipped, copy_function=copy)
    if (root / FOLDER / "locks").is_dir():  # what was resolved once is an input
        shutil.copytree(root / FOLDER / "locks", work / FOLDER / "locks")


def _findings(graph: Graph, wanted: Iterable[str], one: _Built, other: _Built) -> Iterator[Finding]:
    differing: dict[str, list[str]] = {}
    for name in wanted:
        target, a, b = graph.targets[name], one.records[name], other.records[name]
        if a.outputs == b.outputs and a.ingredients == b.ingredients:
            continue
        sources = [before for before in target.dependencies if before in differing]
        own = [reason for reason in compare(target, a.ingredients, b.ingredients) if not _is_use(reason, sources)]
        if sources and not own:
            differing[name] = []
            continue
        differing[name] = [f"its inputs differ: {reason}" for reason in own]
        if a.outputs != b.outputs:
            differing[name] += _output_differences(one, other, a, b)
    for name, reasons in differing.items():
        if reasons:
            after = set(_dependents(graph, name))
            yield Finding(
                name=name, differences=tuple(reasons),
                followers=tuple(o for o, own in differing.items() if not own and o in after),
            )  # fmt: skip


def _is_use(reason: str, sources: Sequence[str]) -> bool:
    return any(reason == f"{name} changed" or reason.startswith(f"{name}#") for name in sources)


def _dependents(graph: Graph, name: str) -> Iterator[str]:
    waiting, seen = [name], {name}
    while waiting:
        for other in graph.dependents[waiting.pop()]:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
                yield other


def _output_differences(one: _Built, other: _Built, a: Record, b: Record) -> Iterator[str]:
    for part, made in a.outputs.items():
        if "/" in part or made == (twin := b.outputs[part]):
            continue  # a file of a folder, which is compared as a whole
        label = a.artifacts.get(part) or part or "its artifact"
        if made.executable != twin.executable:
            yield f"{label}: one is executable, the other is not"
        if made.digest == twin.digest:
            continue
        if made.tree:
            yield f"{label}: {_tree_difference(one, other, made, twin)}"
        else:
            difference = first_difference(one.path(made).read_bytes(), other.path(twin).read_bytes())
            yield f"{label}: {difference}"


def _tree_difference(one: _Built, other: _Built, made: Made, twin: Made) -> str:
    """The first line of the receipts that differs, and the first byte of that file."""
    lines = [
        {item.path: item for item in read_receipt(built.path(m).read_bytes())}
        for built, m in ((one, made), (other, twin))
    ]
    for path in dict.fromkeys((*lines[0], *lines[1])):
        if lines[0].get(path) == lines[1].get(path):
            continue
        if path not in lines[0] or path not in lines[1]:
            return f"only the {'first' if path in lines[0] else 'second'} contains {path!r}"
        files = [built.store / "tree" / m.digest / path for built, m in ((one, made), (other, twin))]
        if any(file.is_symlink() for file in files):
            return f"{path}: is a link to {' and '.join(repr(os.readlink(f)) for f in files if f.is_symlink())}"
        if any(file.is_dir() for file in files):
            return f"{path}: one is an empty folder, the other is not"
        difference = first_difference(files[0].read_bytes(), files[1].read_bytes())
        return f"{path}: {difference or 'differs in its mode'}"
    return "its receipt differs"
