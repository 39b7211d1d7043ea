"""The lock that a target reads: which one it is, and the question it answers."""

from __future__ import annotations

from dataclasses import dataclass

from packyard.tasks.target.params import Params, as_json
from packyard.tasks.target.target import Prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin(Params):
    """A lock: if `path` does not exist, a build resolves it once (lock.resolve) and says so.

    `requirements` are PEP 508 texts; `python` is 'X.Y'; `platform` is 'linux_amd64' or the like. `taken` is the lock of
    another tool that decides, `project` the folder whose settings for uv count, `indexes` those that it names. `absent`
    is the lock that would have to be committed so that nothing is left to resolve, '' if nothing is. `platforms` are
    those it has to answer for, () for `platform` alone; `members` those packages of `taken` that are folders of members
    of the workspace. `settings` are what uv is told in the project that decides which distributions answer
    ('KEY = JSON'), without passwords; those are in `manifests`, files of the workspace.
    """

    path: str
    requirements: tuple[str, ...]
    python: str
    platform: str
    taken: str = ""
    project: str = ""
    indexes: tuple[str, ...] = ()
    absent: str = ""
    platforms: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()

    @property
    def prepare(self) -> Prepare:
        """What a target that reads this lock declares about it."""
        what = f"taking {self.taken}" if self.taken else f"resolving {', '.join(self.requirements)}"
        is_open = bool(self.absent) or not self.taken  # whether anything may have to be resolved
        is_short = bool(self.taken) and self.absent == self.taken
        lacking = "does not pin all that the bundle needs" if is_short else "is missing"
        message = f"{self.absent or self.path}: {lacking}, and resolving is disabled (--locked)"
        hint = "run 'packyard lock', and commit it"
        if is_short:
            hint = "lock pip with the rest, or set tool.flavor.build.pip = false"
        return Prepare(
            run="packyard.tasks.index.lock:resolve",
            params=as_json(self),
            path=self.path,
            doing=f"no lock yet, {what} into {self.path}",
            refusal=message if is_open else "",
            hint=hint if is_open else "",
            settled=not self.absent,
        )
