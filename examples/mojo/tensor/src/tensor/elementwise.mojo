"""Arithmetic element by element. Both operands have the same shape."""

from .matrix import Matrix


def add(left: Matrix, right: Matrix) -> Matrix:
    """The sums of the elements."""
    var result = left.copy()
    for index in range(len(result.elements)):
        result.elements[index] += right.elements[index]
    return result^


def subtract(left: Matrix, right: Matrix) -> Matrix:
    """The differences of the elements."""
    var result = left.copy()
    for index in range(len(result.elements)):
        result.elements[index] -= right.elements[index]
    return result^


def multiply(left: Matrix, right: Matrix) -> Matrix:
    """The products of the elements."""
    var result = left.copy()
    for index in range(len(result.elements)):
        result.elements[index] *= right.elements[index]
    return result^


def scaled(matrix: Matrix, factor: Float64) -> Matrix:
    """Each element times a number."""
    var result = matrix.copy()
    for index in range(len(result.elements)):
        result.elements[index] *= factor
    return result^
