"""How an action is kept to its declared inputs."""

from __future__ import annotations

from typing import Literal

Mode = Literal["plain", "strict", "audit"]  # how an action is kept to its declared inputs
