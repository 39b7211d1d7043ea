"""Teach a network of two layers the exclusive or, and print what it has learned."""

from nn import Linear, squared_error, tanh_of, tanh_slope
from nn.optim import Descent
from tensor import Generator, Matrix, multiply, scaled, subtract


def main() raises:
    var x = Matrix(4, 2)
    var expected = Matrix(4, 1)
    for row in range(4):
        x[row, 0] = Float64(row // 2)
        x[row, 1] = Float64(row % 2)
        expected[row, 0] = Float64((row // 2) ^ (row % 2))

    var generator = Generator(seed=7)
    var hidden = Linear(2, 8, generator)
    var output = Linear(8, 1, generator)
    var descent = Descent(rate=0.1)
    for _ in range(2000):
        var inner = tanh_of(hidden.forward(x))
        var answers = output.forward(inner)
        var slope = scaled(subtract(answers, expected), 0.5)
        var inner_slope = multiply(descent.step(output, inner, slope), tanh_slope(inner))
        _ = descent.step(hidden, x, inner_slope)

    var answers = output.forward(tanh_of(hidden.forward(x)))
    for row in range(4):
        print(Int(x[row, 0]), "xor", Int(x[row, 1]), "is", Int(answers[row, 0] + 0.5))
    print("learned" if squared_error(answers, expected) < 0.001 else "not learned")
