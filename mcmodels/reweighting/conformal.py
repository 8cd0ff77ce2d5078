"""Intervals and sets of predictions that cover without a distribution, from fits without each row.

With ``sᵢ = s(xᵢ, yᵢ; -i)`` the strangeness of row i to the fit without it (without its fold), and
``s(x, y; -i)`` that of a new row to the same fit, the p-value of a value y at x is

    p(y) = (w + Σᵢ wᵢ 1[sᵢ ≥ s(x, y; -i)]) / (w + Σᵢ wᵢ),

w the weight of the new row (without weights all are one). The set of all y with ``p(y) > 1 -
level`` covers a new row of the same distribution with probability ``1 - 2(1 - level)`` at least,
and nearly always with about ``level``. Of classes it is computed as it stands. Of numbers, with
``s = |y - μ|/σ``, the interval between the quantiles of ``μ₋ᵢ(x) ± sᵢσ₋ᵢ(x)`` is taken, which
holds the set: the k-th largest of the lower and the k-th smallest of the upper ends, ``k =
⌈level(n + 1)⌉``, infinite where k > n.

Equal strangeness counts for y, and so does a fit that is not determined (NaN): both can only make a
set larger.

Sources: Barber, Candès, Ramdas and Tibshirani (2021), *Predictive inference with the jackknife+*,
Annals of Statistics 49(1), eq. 1.3, theorems 1 and 4; Vovk (2015), *Cross-conformal predictors*,
Annals of Mathematics and Artificial Intelligence 74; Gupta, Kuchibhotla and Ramdas (2022), *Nested
conformal prediction and quantile out-of-bag ensemble methods*, Pattern Recognition 127, §4 (other
measures of strangeness); Romano, Sesia and Candès (2020), *Classification with valid and adaptive
coverage*, NeurIPS 33, theorem 2 (classes); Tibshirani, Barber, Candès and Ramdas (2019), *Conformal
prediction under covariate shift*, NeurIPS 32, eq. 7 (weights of the new row).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Codes

__all__ = [
    "adaptive_strangeness",
    "bounds_with_ties",
    "less_strange",
    "margin_strangeness",
    "needed_weight",
    "of_observed",
    "residual_strangeness",
    "sets_of",
    "upper_ends",
]

# Sums of weights that should be equal differ by this share of them.
_ROUNDING = 1e-12
# A row that is there once more is as strange as itself, up to rounding: it counts for its class.
_TIE = 1e-10


def needed_weight(level: float, total: Any, new: Array) -> Array:
    """The weight of rows that must be less strange than what is left out of a set.

    ``total`` is that of the training rows, ``new`` that of new rows.
    """
    return (level - _ROUNDING) * (total + new)


def upper_ends(values: Array, weights: Array, needed: Array) -> Array:
    """The least value of each line that as much weight as needed is not above; infinite if none is.

    Parameters
    ----------
    values : ndarray of shape (b, n)
        ``μ₋ᵢ(x) + sᵢσ₋ᵢ(x)``; NaN, where it is not defined, is infinite. They are overwritten.
    weights : ndarray of shape (n,)
        Of the training rows, positive.
    needed : ndarray of shape (b,)
        The weight that is needed.
    """
    values[np.isnan(values)] = np.inf
    n = len(weights)
    found = np.full(len(values), np.inf)
    if n == 0:
        return found
    if (weights == weights[0]).all():
        k = np.ceil(needed / weights[0]).astype(np.intp)
        for one in np.unique(k[k <= n]):
            rows = k == one
            found[rows] = np.partition(values[rows], one - 1, axis=1)[:, one - 1]
        return found
    order = np.argsort(values, axis=1)
    reached = np.cumsum(weights[order], axis=1) >= needed[:, np.newaxis]
    rows = np.nonzero(reached[:, -1])[0]
    first = reached[rows].argmax(axis=1)
    found[rows] = values[rows, order[rows, first]]
    return found


def residual_strangeness(y: Array, mean: Array, deviation: Array) -> Array:
    """``|y - μ|/σ``; infinite where it is not defined."""
    with np.errstate(all="ignore"):
        distance = np.abs(y - mean)
        found = np.where(distance == 0.0, 0.0, distance / deviation)
    return np.where(np.isnan(found), np.inf, found)


def less_strange(strange: Array, of_new: Array, weights: Array) -> Array:
    """The weight of the training rows that are less strange than a class of each new row.

    Parameters
    ----------
    strange : ndarray of shape (n,)
        sᵢ of the training rows.
    of_new : ndarray of shape (b, n)
        ``s(x, k; -i)``; NaN, where it is not defined, is below all.
    weights : ndarray of shape (n,)
        Of the training rows, positive.
    """
    less = strange + _tie(strange) < of_new
    if weights.size and (weights == weights[0]).all():
        return weights[0] * np.count_nonzero(less, axis=1)
    return less @ weights


def bounds_with_ties(low: Array, high: Array) -> tuple[float, float]:
    """Strangeness below and above which :func:`less_strange` has no doubt."""
    # Ten ties wide, which covers the rounding errors of the bounds as well.
    return float((low - 10.0 * _tie(low)).min()), float((high + 10.0 * _tie(high)).max())


def _tie(strange: Array) -> Array:
    return _TIE * (1.0 + np.abs(strange))


def sets_of(
    less: Array, totals: Array, of_fit: Array, new: Array, level: float, *, nonempty: bool
) -> npt.NDArray[np.bool_]:
    """Which classes are in the sets of new rows, shape (b, K).

    Parameters
    ----------
    less : ndarray of shape (b, K)
        The weight of the training rows that are less strange than each class.
    totals : ndarray of shape (K,)
        That of the training rows that each class is compared with.
    of_fit : ndarray of shape (b, K)
        How strange each class is to the fit of all rows.
    new : ndarray of shape (b,)
        Weights of the new rows.
    level : float
        1 - α.
    nonempty : bool
        Whether the class with the largest p-value is always in the set.
    """
    new = new[:, np.newaxis]
    found = less < needed_weight(level, totals, new)
    if nonempty:
        empty = np.nonzero(~found.any(axis=1))[0]
        share = less[empty] / (totals + new[empty])
        least = share == share.min(axis=1, keepdims=True)
        found[empty, np.where(least, of_fit[empty], np.inf).argmin(axis=1)] = True
    return found


def margin_strangeness(eta: Array) -> Array:
    """A function of ``1 - p`` that increases and keeps its digits: ``log((1 - p)/p)``.

    Parameters
    ----------
    eta : ndarray of shape (K, …)
        Linear predictors; one (K = 1) for two classes, by the log-odds of the second.

    Returns
    -------
    ndarray of shape (number of classes, …)
    """
    if len(eta) == 1:
        return np.concatenate([eta, -eta])
    others, relative = _others(eta)
    with np.errstate(divide="ignore"):
        return np.log(others) - relative


def adaptive_strangeness(eta: Array) -> Array:
    """Minus the probability of all classes that are less likely than the class.

    That is ``Σ p`` of the classes that are at least as likely, less one: the measure of Romano and
    others without their random part. Shapes are those of :func:`margin_strangeness`.
    """
    if len(eta) == 1:
        eta = np.concatenate([np.zeros_like(eta), eta])
    relative = eta - eta.max(axis=0)
    p = np.exp(relative)
    p /= p.sum(axis=0)
    return -np.stack([np.where(eta < one, p, 0.0).sum(axis=0) for one in eta])


def _others(eta: Array) -> tuple[Array, Array]:
    """``Σ e^(η_j - M)`` of the classes other than each, and ``η - M``, M the largest η."""
    largest = eta.argmax(axis=0)[np.newaxis]
    relative = eta - np.take_along_axis(eta, largest, axis=0)
    e = np.exp(relative)
    np.put_along_axis(e, largest, 0.0, axis=0)
    rest = e.sum(axis=0)
    others = 1.0 + (rest - e)
    np.put_along_axis(others, largest, rest[np.newaxis], axis=0)
    return others, relative


def of_observed(strange: Array, codes: Codes) -> Array:
    """The strangeness of the class of each row, of shape (K, n) the entries (codes[i], i)."""
    found: Any = np.take_along_axis(strange, codes[np.newaxis].astype(np.intp), axis=0)
    return found[0]
