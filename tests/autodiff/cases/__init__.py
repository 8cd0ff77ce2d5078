"""Functions to differentiate, one or more for each rule and each function of NumPy with rules."""

from mcmodels.autodiff import linalg, signal
from mcmodels.autodiff.tables import FUNCTIONS, RULES
from tests.autodiff.cases import (  # noqa: F401  (each adds its cases)
    arrangement,
    cancelling,
    complex_numbers,
    elementwise,
    entries,
    filled,
    matrices,
    numpy_entries,
    numpy_sampled,
    products,
    scipy_linalg,
    scipy_signal,
    scipy_special,
    special_functions,
)
from tests.autodiff.cases.drawing import CASES

__all__ = ["CASES", "EVERY_KEY"]

EVERY_KEY = set(RULES) | set(FUNCTIONS)
EVERY_KEY |= {getattr(module, name) for module in (linalg, signal) for name in module.__all__}
