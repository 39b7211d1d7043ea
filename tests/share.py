"""How much is tried of what could be tried without end: mutations, random steps, faults, damage.

PACKYARD_TESTS_SHARE says which share of each such set (1/50; `.ci/run` tries 1/10, `.ci/long` all of it), and
PACKYARD_TESTS_SEED which part that is (0).
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

Thing = TypeVar("Thing")

SHARE = Fraction(os.environ.get("PACKYARD_TESTS_SHARE") or "1/50")
SEED = int(os.environ.get("PACKYARD_TESTS_SEED") or "0")


def amount(variable: str, whole: int) -> int:
    """How many of a set of `whole` are tried, one at least; the variable of the set says another number."""
    return int(os.environ.get(variable) or 0) or max(1, math.ceil(whole * SHARE))


def drawn(things: Sequence[Thing], name: str) -> list[Thing]:
    """The share of `things` that the seed draws, one at least, in their order; `name` is the set's."""
    count = min(len(things), max(1, math.ceil(len(things) * SHARE)))
    kept = random.Random(f"{SEED} {name}").sample(range(len(things)), count)
    return [things[number] for number in sorted(kept)]
