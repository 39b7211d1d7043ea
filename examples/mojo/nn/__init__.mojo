"""Small neural networks on the matrices of tensor."""

from .activation import tanh_of, tanh_slope
from .layer import Linear
from .loss import squared_error
