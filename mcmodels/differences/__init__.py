"""Derivatives by values of functions alone: extrapolated differences and the complex step."""

from mcmodels.differences.extrapolation import difference_quotient, difference_with_error
from mcmodels.differences.measurement import Measured, measured
from mcmodels.differences.second import measured_hessian

__all__ = [
    "Measured",
    "difference_quotient",
    "difference_with_error",
    "measured",
    "measured_hessian",
]
