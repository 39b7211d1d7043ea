"""The fully connected layer."""

from tensor import Generator, Matrix
from tensor.linalg import matmul


struct Linear(Copyable, Movable):
    """`x * weights + bias` for each row of `x`."""

    var weights: Matrix
    var bias: Matrix

    def __init__(out self, inputs: Int, outputs: Int, mut generator: Generator):
        self.weights = generator.matrix(inputs, outputs, 1.0)
        self.bias = Matrix(1, outputs)

    def forward(self, x: Matrix) raises -> Matrix:
        """The layer's values for a batch, a row for each example."""
        var result = matmul(x, self.weights)
        for row in range(result.rows):
            for column in range(result.columns):
                result[row, column] = result[row, column] + self.bias[0, column]
        return result^
