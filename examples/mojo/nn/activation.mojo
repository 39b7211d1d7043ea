"""Activations, and their slopes in terms of their values."""

from std.math import exp

from tensor import Matrix


def tanh_of(matrix: Matrix) -> Matrix:
    """The hyperbolic tangent of each element."""
    var result = matrix.copy()
    for index in range(len(result.elements)):
        var power = exp(2.0 * result.elements[index])
        result.elements[index] = (power - 1.0) / (power + 1.0)
    return result^


def tanh_slope(values: Matrix) -> Matrix:
    """The slope of the hyperbolic tangent where it has these values."""
    var result = values.copy()
    for index in range(len(result.elements)):
        result.elements[index] = 1.0 - result.elements[index] * result.elements[index]
    return result^
