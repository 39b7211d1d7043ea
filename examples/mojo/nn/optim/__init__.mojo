"""Ways to improve the weights of a layer."""

from .descent import Descent
