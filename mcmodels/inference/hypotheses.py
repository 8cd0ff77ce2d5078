"""Tests of hypotheses on parameters: Wald and likelihood ratio, and the result of a test."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from scipy import linalg, stats

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.restrictions import Restrictions
from mcmodels.inference.summary import facts_html, number, p_value, short
from mcmodels.inference.tolerances import EIGENVALUE_ROUNDING

__all__ = ["HypothesisTest", "slopes_test", "wald_test"]

_LINE_WIDTH, _LONGEST_SHOWN = 100, 400


@dataclass(frozen=True, repr=False)
class HypothesisTest:
    """The result of a test: its statistic and p-value.

    Parameters
    ----------
    hypothesis : str
        What was tested.
    statistic : float
        The statistic.
    df : float
        Degrees of freedom: the number of restrictions.
    df_denominator : float or None
        Degrees of freedom of the denominator of F; None if the distribution is χ².

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> test = LinearRegression().fit(X, y).wald_test("x1 = 0")
    >>> print(test)
    x1 = 0: F(1, 97) = 2.14003, p = 0.147
    >>> round(test.p_value, 3)
    0.147
    """

    hypothesis: str
    statistic: float
    df: float
    df_denominator: float | None = None

    @property
    def distribution(self) -> str:
        """The distribution under the hypothesis: "F" or "chi2"."""
        return "chi2" if self.df_denominator is None else "F"

    @property
    def p_value(self) -> float:
        """Probability of a statistic at least as large if the hypothesis is true."""
        if self.df_denominator is None:
            return float(stats.chi2.sf(self.statistic, self.df))
        return float(stats.f.sf(self.statistic, self.df, self.df_denominator))

    def __str__(self) -> str:
        p = "<1e-16" if self.p_value < 1e-16 else f"= {self.p_value:.3g}"
        found = f"{self._name} = {self.statistic:.6g}, p {p}"
        lines = textwrap.wrap(f"{self._short}: {found}", _LINE_WIDTH, break_on_hyphens=False)
        if len(lines) > 1:
            lines = [*textwrap.wrap(f"{self._short}:", _LINE_WIDTH, break_on_hyphens=False), found]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        shown = {self._name: number(self.statistic), "p-value": p_value(self.p_value)}
        return facts_html({"hypothesis": self._short} | shown)

    @property
    def _short(self) -> str:
        """The hypothesis without its middle where it is long: 1000 restrictions, say."""
        return short(self.hypothesis, _LONGEST_SHOWN)

    @property
    def _name(self) -> str:
        """The distribution with its degrees of freedom."""
        df = f"{self.df:g}"
        if self.df_denominator is not None:
            df += f", {self.df_denominator:g}"
        return f"{self.distribution}({df})"


def wald_test(estimate: Estimate, restrictions: Any) -> HypothesisTest:
    """Test ``Rθ = q`` by the statistic ``(Rθ̂ - q)ᵀ (RVRᵀ)⁻¹ (Rθ̂ - q)``.

    It is approximately χ², with one degree of freedom for each of the r rows of R. If the estimate
    has finite degrees of freedom, the statistic is divided by r and compared with F. Source: Greene
    (2018), *Econometric Analysis*, 8th ed., eq. 5-18 and §14.6.2. Where each estimate has its own
    degrees of freedom, those of the restrictions are η of Hotelling's T²: the statistic times
    ``(η - r + 1)/(ηr)`` is compared with F with r and ``η - r + 1``.

    Parameters
    ----------
    estimate : Estimate
        θ̂ and V.
    restrictions : str, array-like of shape (r, k), or pair (R, q)
        See :meth:`Restrictions.of`.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    InferenceError
        If a restricted combination has no error, or is not estimable.
    ValueError
        If the restrictions contradict or repeat each other, or name unknown parameters.
    """
    stated = Restrictions.of(restrictions, estimate.names)
    R = stated.R
    if len(estimate.clusters) == 1 and len(R) >= estimate.clusters[0] and _independent(R):
        _refuse_more_than(estimate.clusters[0] - 1, stated, estimate)
    gap = R @ estimate.params - stated.q
    stated_each = [f"{term} cannot be tested: it" for term in stated.each(estimate.names)]
    V, _, _ = estimate.covariance_of(R, tuple(stated_each))
    scale = np.sqrt(np.diagonal(V))
    if np.isnan(scale).any():
        lost = R[np.isnan(scale)].any(axis=0)
        raise InferenceError(
            f"{short(stated, _LONGEST_SHOWN)} cannot be tested: no variance is left of a "
            f"combination of {', '.join(np.asarray(estimate.names, dtype=object)[lost])}. Use a "
            "covariance of another kind, or leave it out."
        )
    if not scale.all():
        raise InferenceError(
            f"{short(stated, _LONGEST_SHOWN)} cannot be tested: what it restricts is known "
            "without error, as in a fit with no residuals."
        )
    unit = V / np.outer(scale, scale)
    values, vectors = linalg.eigh(unit)
    rounding = len(V) * float(np.finfo(np.float64).eps)
    if estimate.root is None:  # V is a difference, with the rounding errors of what is subtracted
        rounding = EIGENVALUE_ROUNDING * max(len(V), len(estimate.params))
    if values[0] <= rounding * values[-1]:
        if _independent(R):
            rank = int(np.count_nonzero(values > rounding * values[-1]))
            _refuse_more_than(rank, stated, estimate)
        raise ValueError(
            f"the restrictions {short(stated, _LONGEST_SHOWN)} repeat or contradict each other; "
            "leave out those that follow from the rest."
        )
    statistic = float(np.sum((vectors.T @ (gap / scale)) ** 2 / values))
    if estimate.satterthwaite is not None:
        return _hotelling_test(statistic, estimate.satterthwaite.hotelling(R), stated)
    if estimate.statistic_name == "t":
        assert not isinstance(estimate.df, np.ndarray)
        return HypothesisTest(str(stated), statistic / len(R), len(R), estimate.df)
    return HypothesisTest(str(stated), statistic, len(R))


def slopes_test(estimate: Estimate, slopes: npt.NDArray[np.bool_]) -> HypothesisTest:
    """Wald's test that these parameters are zero, of which there are so many as there are slopes.

    Parameters
    ----------
    estimate : Estimate
        All parameters.
    slopes : ndarray of bool of shape (k,)
        Which of them are slopes.

    Returns
    -------
    HypothesisTest
    """
    found = wald_test(estimate, np.eye(len(estimate.params))[slopes])
    return replace(found, hypothesis="every slope is zero")


def _hotelling_test(statistic: float, eta: float, stated: Restrictions) -> HypothesisTest:
    """Hotelling's T² with η degrees of freedom as F."""
    r = len(stated.R)
    left = eta - r + 1.0
    if not left > 0:
        raise InferenceError(
            f"{short(stated, _LONGEST_SHOWN)} are {r} restrictions, and the clusters leave "
            f"{eta:.3g} degrees of freedom for the covariance of what they restrict. Test fewer at "
            "once, or take kind='cluster' or wild_bootstrap_test."
        )
    return HypothesisTest(str(stated), statistic * left / (eta * r), r, left)


def _independent(R: Array) -> bool:
    """Whether no restriction follows from the others, whatever the scale of rows and columns."""
    unit = R / np.maximum(np.abs(R).max(axis=0), np.finfo(np.float64).tiny)
    unit /= np.linalg.norm(unit, axis=1)[:, np.newaxis]
    return int(np.linalg.matrix_rank(unit)) == len(R)


def _refuse_more_than(rank: int, stated: Restrictions, estimate: Estimate) -> NoReturn:
    """Raise: the covariance allows fewer restrictions than are stated."""
    why = f"the covariance of what they restrict has rank {rank}"
    if estimate.clusters:
        counts = " and ".join(map(str, estimate.clusters[:2]))
        why = f"{counts} clusters allow {rank}" + (
            " (one less than there are clusters)" if len(estimate.clusters) == 1 else " here"
        )
    raise InferenceError(
        f"{short(stated, _LONGEST_SHOWN)} are {len(stated.R)} restrictions, and {why}. Test fewer "
        "at once, or use a covariance of another kind."
    )
