"""Solve three equations with three unknowns: x + y + z = 6, 2y + 5z = -4, 2x + 5y - z = 27."""

from tensor import Matrix
from tensor.linalg import matmul, solve


def main() raises:
    var a = Matrix(3, 3)
    var numbers: List[Float64] = [1.0, 1.0, 1.0, 0.0, 2.0, 5.0, 2.0, 5.0, -1.0]
    for index in range(9):
        a.elements[index] = numbers[index]
    var b = Matrix(3, 1)
    b[0, 0] = 6.0
    b[1, 0] = -4.0
    b[2, 0] = 27.0
    var x = solve(a, b)
    print("x =", x[0, 0], "y =", x[1, 0], "z =", x[2, 0])
    print("check:", matmul(a, x).sum())
