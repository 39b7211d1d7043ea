"""What end-to-end tests share with those of the rooms."""

from __future__ import annotations

from tests.tasks.conftest import compiler_tree

__all__ = ["compiler_tree"]
