"""Probability distributions of ``scipy.stats`` that can be differentiated.

SciPy converts its arguments to plain arrays, so that calls of ``scipy.stats`` cannot be followed.
The distributions here have its names, its arguments and its values. They are differentiable by the
point, by ``loc`` and ``scale``, and by the shape parameters.

Parameters that are not allowed, such as a negative scale, raise an error, where SciPy returns NaN.
"""

from mcmodels.autodiff.stats.continuous import (
    beta,
    cauchy,
    chi2,
    expon,
    gamma,
    gumbel_l,
    gumbel_r,
    halfnorm,
    invgamma,
    laplace,
    logistic,
    lognorm,
    norm,
    pareto,
    t,
    uniform,
    vonmises,
    weibull_min,
)
from mcmodels.autodiff.stats.discrete import bernoulli, binom, geom, nbinom, poisson
from mcmodels.autodiff.stats.multivariate import (
    dirichlet,
    multinomial,
    multivariate_normal,
    multivariate_t,
)

__all__ = [
    "bernoulli",
    "beta",
    "binom",
    "cauchy",
    "chi2",
    "dirichlet",
    "expon",
    "gamma",
    "geom",
    "gumbel_l",
    "gumbel_r",
    "halfnorm",
    "invgamma",
    "laplace",
    "logistic",
    "lognorm",
    "multinomial",
    "multivariate_normal",
    "multivariate_t",
    "nbinom",
    "norm",
    "pareto",
    "poisson",
    "t",
    "uniform",
    "vonmises",
    "weibull_min",
]
