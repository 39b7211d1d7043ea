"""How far a network's answers are from the right ones."""

from tensor import Matrix, multiply, subtract


def squared_error(answers: Matrix, expected: Matrix) -> Float64:
    """The mean of the squared differences."""
    var difference = subtract(answers, expected)
    return multiply(difference, difference).sum() / Float64(len(difference.elements))
