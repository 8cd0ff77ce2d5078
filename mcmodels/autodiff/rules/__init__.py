"""The rules of all functions: one entry each, for both modes, with the identity that it states.

``elementwise`` and ``special`` have the elementwise functions, ``arrangement`` those that move,
join and sum entries, ``products``, ``linear_algebra`` and ``factorisations`` those of matrices,
``ufunc_methods`` the ``reduce``, ``accumulate``, ``reduceat`` and ``outer`` of ufuncs. The modules
``numpy_…`` write other functions of NumPy in terms of these.
"""

from mcmodels.autodiff.rules import (  # noqa: F401  (each adds its rules to the tables)
    arrangement,
    bessel,
    beta_moments,
    closed_forms,
    combinations,
    complex_factorisations,
    complex_numbers,
    dawson,
    densities,
    elementwise,
    exponentials,
    factorisations,
    fourier,
    gamma_moments,
    linear_algebra,
    mills,
    numpy_algebra,
    numpy_arrangement,
    numpy_choices,
    numpy_convolutions,
    numpy_factorisations,
    numpy_grids,
    numpy_joining,
    numpy_nans,
    numpy_order,
    numpy_polynomials,
    numpy_reductions,
    numpy_series,
    numpy_statistics,
    products,
    remainders_and_signs,
    scipy_matrices,
    signal_filters,
    special,
    special_integrals,
    special_others,
    special_transforms,
    ufunc_methods,
    weighted_logsumexp,
    without_derivative,
)
from mcmodels.autodiff.rules.ufunc_methods import METHODS, REDUCED
from mcmodels.autodiff.tables import FUNCTIONS, JUMPS, NOT_DIFFERENTIATED, RULES, STEPS

__all__ = ["FUNCTIONS", "JUMPS", "METHODS", "NOT_DIFFERENTIATED", "REDUCED", "RULES", "STEPS"]
