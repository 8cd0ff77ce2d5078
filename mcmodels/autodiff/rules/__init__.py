"""The rules of all functions: one entry each, for both modes, with the identity that it states.

``elementwise`` and ``special`` have the elementwise functions, ``arrangement`` those that move,
join and sum entries, ``products`` and ``linear_algebra`` those of matrices. The modules ``numpy_…``
write other functions of NumPy in terms of these.
"""

from mcmodels.autodiff.rules import (  # noqa: F401  (each adds its rules to the tables)
    arrangement,
    bessel,
    beta_moments,
    complex_numbers,
    densities,
    elementwise,
    fourier,
    gamma_moments,
    linear_algebra,
    mills,
    numpy_algebra,
    numpy_arrangement,
    numpy_reductions,
    products,
    scipy_matrices,
    special,
    special_integrals,
    weighted_logsumexp,
    without_derivative,
)
from mcmodels.autodiff.tables import FUNCTIONS, NOT_DIFFERENTIATED, RULES, STEPS

__all__ = ["FUNCTIONS", "NOT_DIFFERENTIATED", "RULES", "STEPS"]
