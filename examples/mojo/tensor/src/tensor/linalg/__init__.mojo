"""Products of matrices, and systems of linear equations."""

from .product import matmul
from .system import solve
