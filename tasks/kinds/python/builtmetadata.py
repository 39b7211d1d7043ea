"""What a finished wheel says of itself, compared with what was planned from its manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from email.parser import Parser

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packyard.formats.python.wheel import Wheel
from packyard.tasks.errors import ActionError


def check_requirements(wheel: Wheel, planned: Collection[str]) -> None:
    """Refuse a wheel that requires a distribution which is not among the `planned` ones (canonical names): its backend
    computed that, nobody would install it, and the program would end with an ImportError. What only an extra requires
    does not count."""
    lost = sorted({name for name in _required(wheel) if name not in planned})
    if lost:
        raise ActionError(
            f"the wheel requires {', '.join(map(repr, lost))}; the manifest does not tell of it, because its "
            "dependencies are computed",
            hint="state it in dependencies of [project], or in extra_packages of [tool.flavor.build]",
        )


def _required(wheel: Wheel) -> Iterator[str]:
    content = wheel.files[f"{wheel.info}/METADATA"].content
    assert isinstance(content, bytes)
    metadata = Parser().parsestr(content.decode("utf-8", "replace"), headersonly=True)
    for text in metadata.get_all("Requires-Dist", []):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            raise ActionError(f"the wheel requires {text!r}, which is not a dependency (PEP 508)") from None
        if "extra" not in str(requirement.marker or ""):
            yield canonicalize_name(requirement.name)
