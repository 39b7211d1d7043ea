"""Setup scripts of morloc packages: run where the package was put, in a home that is still being assembled."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from packyard.formats.archive.entry import Entry, check_path
from packyard.formats.morloc.home import Installed, PlanePaths, exposed_folders, home_files
from packyard.tasks.errors import ActionError

# Runs words in a folder with variables; ActionError when they fail.
Run = Callable[[Sequence[str], Path, Mapping[str, str]], None]


def set_up(home: Path, paths: PlanePaths, package: Installed, run: Run, *, epoch: int) -> tuple[Entry, ...]:
    """Write the package into `home`, run its script there, and give the files of the package as they are then.

    The script gets the variables that the compiler's installer gives it; what it leaves beside the package and its
    exposed folders is not kept.
    """
    write_entries(home, home_files(paths, package, epoch=epoch))
    name, folder = package.locked.name, home / paths.package(package.locked.name)
    exposed = {language: home / path for language, path in exposed_folders(name).items()}
    for path in exposed.values():
        path.mkdir(parents=True, exist_ok=True)
    variables = {
        "MORLOC_HOME": os.fspath(home),
        "MORLOC_MODULE_NAME": name,
        "MORLOC_MODULE_VERSION": package.manifest.version,
        "MORLOC_MODULE_DIR": os.fspath(folder),
        "MORLOC_PLANE": paths.plane,
        "MORLOC_PLANE_DIR": os.fspath(home / paths.packages),
        "MORLOC_EXPOSE_CPP_DIR": os.fspath(exposed["cpp"]),
        "MORLOC_EXPOSE_PY_DIR": os.fspath(exposed["py"]),
        "MORLOC_EXPOSE_R_DIR": os.fspath(exposed["r"]),
    }
    try:
        run(["bash", os.fspath(folder / package.manifest.setup)], folder, variables)
    except ActionError as error:
        raise ActionError(f"the setup script of {name!r} failed: {error.message}", detail=error.detail) from None
    return tuple(read_tree(folder))


def write_entries(root: Path, entries: Iterable[Entry], *, mask: int = 0o777) -> None:
    """Write entries below a folder, their modes within `mask`; each path is checked to be one of an archive."""
    made: set[str] = set()
    top = os.fspath(root)
    for entry in entries:
        check_path(entry.path)
        path = f"{top}/{entry.path}"
        folder = path.rpartition("/")[0]
        if folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        with entry.open() as (_, stream):
            data = stream.read()
        out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            while data:
                data = data[os.write(out, data) :]
            os.fchmod(out, entry.mode & mask)  # whatever the umask says
        finally:
            os.close(out)


def read_tree(folder: Path) -> list[Entry]:
    """The files below a folder, in memory, sorted by path; ActionError for a link that leads nowhere."""
    found: list[Entry] = []
    for root, folders, files in os.walk(folder):
        folders.sort()
        for file in files:
            path = Path(root, file)
            try:
                executable = bool(path.stat().st_mode & stat.S_IXUSR)
                found.append(Entry(path.relative_to(folder).as_posix(), path.read_bytes(), executable))
            except OSError as error:
                raise ActionError(f"{path}: cannot be read: {error.strerror}") from None
    return sorted(found, key=lambda entry: os.fsencode(entry.path))
