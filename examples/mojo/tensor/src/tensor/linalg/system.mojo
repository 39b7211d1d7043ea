"""Systems of linear equations."""

from ..matrix import Matrix


def solve(coefficients: Matrix, constants: Matrix) raises -> Matrix:
    """The column `x` for which `coefficients * x = constants`, by elimination with the largest pivot."""
    var size = coefficients.rows
    var a = coefficients.copy()
    var x = constants.copy()
    for step in range(size):
        var pivot = step
        for row in range(step + 1, size):
            if abs(a[row, step]) > abs(a[pivot, step]):
                pivot = row
        if a[pivot, step] == 0.0:
            raise Error("the equations have no single solution")
        if pivot != step:
            _exchange(a, pivot, step)
            _exchange(x, pivot, step)
        for row in range(step + 1, size):
            var factor = a[row, step] / a[step, step]
            for column in range(step, size):
                a[row, column] = a[row, column] - factor * a[step, column]
            x[row, 0] = x[row, 0] - factor * x[step, 0]
    for back in range(size):
        var row = size - 1 - back
        for column in range(row + 1, size):
            x[row, 0] = x[row, 0] - a[row, column] * x[column, 0]
        x[row, 0] = x[row, 0] / a[row, row]
    return x^


def _exchange(mut matrix: Matrix, one: Int, other: Int):
    for column in range(matrix.columns):
        var kept = matrix[one, column]
        matrix[one, column] = matrix[other, column]
        matrix[other, column] = kept
