"""The matrix: a shape, and its elements row by row."""


struct Matrix(Copyable, Movable):
    """A matrix of `Float64`. Indices count from 0; they are not checked."""

    var rows: Int
    var columns: Int
    var elements: List[Float64]

    def __init__(out self, rows: Int, columns: Int, fill: Float64 = 0.0):
        self.rows = rows
        self.columns = columns
        self.elements = List[Float64](capacity=rows * columns)
        for _ in range(rows * columns):
            self.elements.append(fill)

    def __getitem__(self, row: Int, column: Int) -> Float64:
        return self.elements[row * self.columns + column]

    def __setitem__(mut self, row: Int, column: Int, value: Float64):
        self.elements[row * self.columns + column] = value

    def transposed(self) -> Matrix:
        """The matrix with rows and columns exchanged."""
        var result = Matrix(self.columns, self.rows)
        for row in range(self.rows):
            for column in range(self.columns):
                result[column, row] = self[row, column]
        return result^

    def sum(self) -> Float64:
        """The sum of all elements."""
        var total: Float64 = 0.0
        for index in range(len(self.elements)):
            total += self.elements[index]
        return total


def identity(size: Int) -> Matrix:
    """The square matrix with ones on its diagonal."""
    var result = Matrix(size, size)
    for index in range(size):
        result[index, index] = 1.0
    return result^
