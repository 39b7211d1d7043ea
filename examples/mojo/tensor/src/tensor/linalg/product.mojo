"""The product of two matrices."""

from tensor.matrix import Matrix


def matmul(left: Matrix, right: Matrix) raises -> Matrix:
    """The matrix product; an error when the shapes do not fit."""
    if left.columns != right.rows:
        raise Error("the left matrix needs as many columns as the right one has rows")
    var result = Matrix(left.rows, right.columns)
    for row in range(left.rows):
        for inner in range(left.columns):
            var factor = left[row, inner]
            for column in range(right.columns):
                result[row, column] = result[row, column] + factor * right[inner, column]
    return result^
