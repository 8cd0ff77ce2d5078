"""Continuous distributions, with the names, parameters and values of ``scipy.stats``.

Densities: Johnson, Kotz and Balakrishnan (1994, 1995), *Continuous Univariate Distributions*; the
parametrisation of each is SciPy's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.stats.distributions import Continuous, log1mexp
from mcmodels.autodiff.tracing import constant

__all__ = [
    "beta",
    "cauchy",
    "chi2",
    "expon",
    "gamma",
    "gumbel_l",
    "gumbel_r",
    "halfnorm",
    "invgamma",
    "laplace",
    "logistic",
    "lognorm",
    "norm",
    "pareto",
    "t",
    "uniform",
    "vonmises",
    "weibull_min",
]

_LOG_2 = math.log(2.0)
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_ROOT_2 = math.sqrt(2.0)
_LINE, _HALF_LINE = (-math.inf, math.inf), (0.0, math.inf)


def _laplace_halves(z: Any) -> tuple[Any, Any, Any]:
    """Whether z is negative, and z and -z, each where it is negative and 0 elsewhere."""
    below = np.asarray(constant(z)) < 0
    return below, np.where(below, z, 0.0), np.where(below, 0.0, -z)


def _laplace_distribution(z: Any) -> Any:
    below, down, up = _laplace_halves(z)
    return np.where(below, 0.5 * np.exp(down), 1 - 0.5 * np.exp(up))


def _log_laplace_distribution(z: Any) -> Any:
    below, down, up = _laplace_halves(z)
    return np.where(below, down - _LOG_2, np.log1p(-0.5 * np.exp(up)))


norm = Continuous(
    "norm",
    (),
    _LINE,
    lambda z: -0.5 * z * z - _HALF_LOG_2PI,
    lambda z: sp.ndtr(z),
    lambda z: sp.ndtr(-z),
    lambda z: sp.log_ndtr(z),
    lambda z: sp.log_ndtr(-z),
)
halfnorm = Continuous(
    "halfnorm",
    (),
    _HALF_LINE,
    lambda z: -0.5 * z * z + (_LOG_2 - _HALF_LOG_2PI),
    lambda z: sp.erf(z / _ROOT_2),
    lambda z: sp.erfc(z / _ROOT_2),
    log_survival=lambda z: sp.log_ndtr(-z) + _LOG_2,
)
lognorm = Continuous(
    "lognorm",
    ("s",),
    _HALF_LINE,
    lambda z, s: -0.5 * (np.log(z) / s) ** 2 - np.log(s * z) - _HALF_LOG_2PI,
    lambda z, s: sp.ndtr(np.log(z) / s),
    lambda z, s: sp.ndtr(-np.log(z) / s),
    lambda z, s: sp.log_ndtr(np.log(z) / s),
    lambda z, s: sp.log_ndtr(-np.log(z) / s),
)
t = Continuous(
    "t",
    ("df",),
    _LINE,
    lambda z, df: (
        -0.5 * (df + 1) * np.log1p(z * z / df) - 0.5 * np.log(df) - sp.betaln(0.5 * df, 0.5)
    ),
    lambda z, df: sp.stdtr(df, z),
    lambda z, df: sp.stdtr(df, -z),
)
cauchy = Continuous(
    "cauchy",
    (),
    _LINE,
    lambda z: -np.log1p(z * z) - math.log(math.pi),
    lambda z: np.arctan2(1.0, -z) / math.pi,
    lambda z: np.arctan2(1.0, z) / math.pi,
)
gamma = Continuous(
    "gamma",
    ("a",),
    _HALF_LINE,
    lambda z, a: sp.xlogy(a - 1, z) - z - sp.gammaln(a),
    lambda z, a: sp.gammainc(a, z),
    lambda z, a: sp.gammaincc(a, z),
)
invgamma = Continuous(
    "invgamma",
    ("a",),
    _HALF_LINE,
    lambda z, a: -(a + 1) * np.log(z) - 1 / z - sp.gammaln(a),
    lambda z, a: sp.gammaincc(a, 1 / z),
    lambda z, a: sp.gammainc(a, 1 / z),
)
chi2 = Continuous(
    "chi2",
    ("df",),
    _HALF_LINE,
    lambda z, df: sp.xlogy(0.5 * df - 1, 0.5 * z) - 0.5 * z - sp.gammaln(0.5 * df) - _LOG_2,
    lambda z, df: sp.chdtr(df, z),
    lambda z, df: sp.chdtrc(df, z),
)
beta = Continuous(
    "beta",
    ("a", "b"),
    (0.0, 1.0),
    lambda z, a, b: sp.xlogy(a - 1, z) + sp.xlog1py(b - 1, -z) - sp.betaln(a, b),
    lambda z, a, b: sp.betainc(a, b, z),
    lambda z, a, b: sp.betaincc(a, b, z),
)
uniform = Continuous("uniform", (), (0.0, 1.0), lambda z: 0 * z, lambda z: z, lambda z: 1 - z)
expon = Continuous(
    "expon",
    (),
    _HALF_LINE,
    lambda z: -z,
    lambda z: -np.expm1(-z),
    lambda z: np.exp(-z),
    lambda z: log1mexp(z),
    lambda z: -z,
)
weibull_min = Continuous(
    "weibull_min",
    ("c",),
    _HALF_LINE,
    lambda z, c: np.log(c) + sp.xlogy(c - 1, z) - z**c,
    lambda z, c: -np.expm1(-(z**c)),
    lambda z, c: np.exp(-(z**c)),
    lambda z, c: log1mexp(z**c),
    lambda z, c: -(z**c),
)
pareto = Continuous(
    "pareto",
    ("b",),
    (1.0, math.inf),
    lambda z, b: np.log(b) - (b + 1) * np.log(z),
    lambda z, b: -np.expm1(-b * np.log(z)),
    lambda z, b: z**-b,
    log_survival=lambda z, b: -b * np.log(z),
)
laplace = Continuous(
    "laplace",
    (),
    _LINE,
    lambda z: -np.abs(z) - _LOG_2,
    lambda z: _laplace_distribution(z),
    lambda z: _laplace_distribution(-z),
    lambda z: _log_laplace_distribution(z),
    lambda z: _log_laplace_distribution(-z),
)
logistic = Continuous(
    "logistic",
    (),
    _LINE,
    lambda z: sp.log_expit(z) + sp.log_expit(-z),
    lambda z: sp.expit(z),
    lambda z: sp.expit(-z),
    lambda z: sp.log_expit(z),
    lambda z: sp.log_expit(-z),
)
gumbel_r = Continuous(
    "gumbel_r",
    (),
    _LINE,
    lambda z: -z - np.exp(-z),
    lambda z: np.exp(-np.exp(-z)),
    lambda z: -np.expm1(-np.exp(-z)),
    lambda z: -np.exp(-z),
    lambda z: log1mexp(np.exp(-z)),
)
gumbel_l = Continuous(
    "gumbel_l",
    (),
    _LINE,
    lambda z: z - np.exp(z),
    lambda z: -np.expm1(-np.exp(z)),
    lambda z: np.exp(-np.exp(z)),
    lambda z: log1mexp(np.exp(z)),
    lambda z: -np.exp(z),
)
vonmises = Continuous(
    "vonmises",
    ("kappa",),
    _LINE,
    lambda z, kappa: kappa * sp.cosm1(z) - np.log(sp.i0e(kappa)) - 2 * _HALF_LOG_2PI,
)
