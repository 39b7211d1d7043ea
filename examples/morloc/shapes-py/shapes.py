"""Plane figures; the signatures are those of the package shapes."""

import math


def circle_area(radius):
    return math.pi * radius * radius


def circle_perimeter(radius):
    return 2 * math.pi * radius


def rectangle_area(width, height):
    return width * height


def rectangle_perimeter(width, height):
    return 2 * (width + height)


def is_square(width, height):
    return math.isclose(width, height)


def polygon_area(corners):
    """Half the absolute sum of the cross products of neighbouring corners."""
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in _sides(corners))) / 2


def polygon_perimeter(corners):
    return float(sum(math.dist(start, end) for start, end in _sides(corners)))


def _sides(corners):
    return zip(corners, [*corners[1:], *corners[:1]])
