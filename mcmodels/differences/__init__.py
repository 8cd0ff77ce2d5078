"""Derivatives from values of functions alone: extrapolated differences and the complex step."""

from mcmodels.differences.extrapolation import (
    Array,
    difference_quotient,
    difference_with_error,
)
from mcmodels.differences.hessian import numerical_hessian
from mcmodels.differences.jacobian import NumericalDerivative, numerical_derivative
from mcmodels.differences.triangles import of_symmetric_matrix

__all__ = [
    "Array",
    "NumericalDerivative",
    "difference_quotient",
    "difference_with_error",
    "numerical_derivative",
    "numerical_hessian",
    "of_symmetric_matrix",
]
