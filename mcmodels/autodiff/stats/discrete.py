"""Discrete distributions, with the names, parameters and values of ``scipy.stats``.

Masses and distribution functions: Johnson, Kemp and Kotz (2005), *Univariate Discrete
Distributions*, 3rd ed., (3.4), (4.3), (5.1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.stats.distributions import Discrete, require_positive

__all__ = ["bernoulli", "binom", "geom", "nbinom", "poisson"]


def _refuse_unless(condition: Any, called: str, needs: str, found: Any) -> None:
    if not np.all(condition):
        raise ValueError(f"{called} needs {needs}; found {found!s:.60}.")


def _probability(called: str, p: Any) -> None:
    _refuse_unless((p >= 0) & (p <= 1), called, "0 ≤ p ≤ 1", p)


def _positive_probability(called: str, p: Any) -> None:
    _refuse_unless((p > 0) & (p <= 1), called, "0 < p ≤ 1", p)


def _trials(called: str, n: Any, p: Any) -> None:
    _refuse_unless((n >= 0) & (n == np.floor(n)), called, "whole numbers n ≥ 0", n)
    _probability(called, p)


def _successes(called: str, n: Any, p: Any) -> None:
    require_positive(called, n=n)
    _positive_probability(called, p)


def _mean(called: str, mu: Any) -> None:
    _refuse_unless(mu >= 0, called, "mu ≥ 0", mu)


def _log_binomial(k: Any, n: Any, p: Any) -> Any:
    choices = -sp.betaln(k + 1, n - k + 1) - np.log(n + 1)
    return choices + sp.xlogy(k, p) + sp.xlog1py(n - k, -p)


poisson = Discrete(
    "poisson",
    ("mu",),
    _mean,
    0,
    lambda mu: math.inf,
    lambda k, mu: sp.xlogy(k, mu) - sp.gammaln(k + 1) - mu,
    lambda k, mu: sp.gammaincc(k + 1, mu),
    lambda k, mu: sp.gammainc(k + 1, mu),
)
binom = Discrete(
    "binom",
    ("n", "p"),
    _trials,
    0,
    lambda n, p: n,
    _log_binomial,
    lambda k, n, p: sp.betaincc(k + 1, n - k, p),
    lambda k, n, p: sp.betainc(k + 1, n - k, p),
)
bernoulli = Discrete(
    "bernoulli",
    ("p",),
    _probability,
    0,
    lambda p: 1,
    lambda k, p: sp.xlogy(k, p) + sp.xlog1py(1 - k, -p),
    lambda k, p: 1 - p + 0 * k,
    lambda k, p: p + 0 * k,
)
geom = Discrete(
    "geom",
    ("p",),
    _positive_probability,
    1,
    lambda p: math.inf,
    lambda k, p: sp.xlog1py(k - 1, -p) + np.log(p),
    lambda k, p: -np.expm1(sp.xlog1py(k, -p)),
    lambda k, p: np.exp(sp.xlog1py(k, -p)),
)
nbinom = Discrete(
    "nbinom",
    ("n", "p"),
    _successes,
    0,
    lambda n, p: math.inf,
    lambda k, n, p: (
        sp.gammaln(n + k) - sp.gammaln(k + 1) - sp.gammaln(n) + n * np.log(p) + sp.xlog1py(k, -p)
    ),
    lambda k, n, p: sp.betainc(n, k + 1, p),
    lambda k, n, p: sp.betaincc(n, k + 1, p),
)
