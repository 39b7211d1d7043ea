"""Run by `python -m pytest` in the package's folder."""

import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import shapes

TRIANGLE = [(0.0, 0.0), (4.0, 0.0), (0.0, 3.0)]


def test_circle():
    assert shapes.circle_area(2.0) == 4 * math.pi
    assert shapes.circle_perimeter(2.0) == 4 * math.pi


def test_rectangle():
    assert shapes.rectangle_area(2.0, 3.0) == 6.0
    assert shapes.rectangle_perimeter(2.0, 3.0) == 10.0
    assert shapes.is_square(2.0, 2.0)
    assert not shapes.is_square(2.0, 3.0)


def test_polygon():
    assert shapes.polygon_area(TRIANGLE) == 6.0
    assert shapes.polygon_perimeter(TRIANGLE) == 12.0
    assert shapes.polygon_area([]) == 0.0
