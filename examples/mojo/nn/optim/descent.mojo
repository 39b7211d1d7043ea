"""Gradient descent with a constant rate."""

from nn.layer import Linear
from tensor import Matrix, scaled, subtract
from tensor.linalg import matmul


@fieldwise_init
struct Descent(Copyable, Movable):
    """Moves weights against their gradient, `rate` times its length."""

    var rate: Float64

    def step(self, mut layer: Linear, x: Matrix, slope: Matrix) raises -> Matrix:
        """Improve a layer that had the input `x`, given the loss's slope in its output; the slope in its input."""
        var before = matmul(slope, layer.weights.transposed())
        layer.weights = subtract(layer.weights, scaled(matmul(x.transposed(), slope), self.rate))
        for column in range(slope.columns):
            for row in range(slope.rows):
                layer.bias[0, column] = layer.bias[0, column] - self.rate * slope[row, column]
        return before^
