"""The rules: one line a function, for both modes, with the identity it is.

``elementwise`` and ``special`` hold functions of entries, ``arrangement`` what moves, joins and
sums entries, ``products`` and ``linear_algebra`` what makes matrices of matrices;
the modules ``numpy_…`` say how other functions of NumPy are made of these.
"""

from mcmodels.autodiff.rules import (  # noqa: F401  (each fills the tables)
    arrangement,
    elementwise,
    linear_algebra,
    numpy_algebra,
    numpy_arrangement,
    numpy_reductions,
    products,
    special,
    without_derivative,
)
from mcmodels.autodiff.tables import FUNCTIONS, NOT_DIFFERENTIATED, RULES, STEPS

__all__ = ["FUNCTIONS", "NOT_DIFFERENTIATED", "RULES", "STEPS"]
