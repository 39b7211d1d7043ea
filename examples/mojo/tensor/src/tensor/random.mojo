"""Random numbers that are the same on every machine."""

from .matrix import Matrix

comptime MULTIPLIER = 1103515245
comptime INCREMENT = 12345
comptime MODULUS = 2147483648


struct Generator(Copyable, Movable):
    """A linear congruential generator; good enough for first weights, for nothing else."""

    var state: Int

    def __init__(out self, seed: Int):
        self.state = seed % MODULUS

    def next(mut self) -> Float64:
        """The next number, at least 0 and less than 1."""
        self.state = (self.state * MULTIPLIER + INCREMENT) % MODULUS
        return Float64(self.state) / Float64(MODULUS)

    def matrix(mut self, rows: Int, columns: Int, spread: Float64) -> Matrix:
        """A matrix of numbers between -spread and spread."""
        var result = Matrix(rows, columns)
        for index in range(rows * columns):
            result.elements[index] = (self.next() * 2.0 - 1.0) * spread
        return result^
