"""Matrices of floating-point numbers, and what can be done with them."""

from .matrix import Matrix, identity
from .elementwise import add, subtract, multiply, scaled
from .random import Generator
