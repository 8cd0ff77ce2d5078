"""Tests of hypotheses on parameters: Wald and likelihood ratio, and the result of a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, stats

from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.restrictions import Restrictions

__all__ = ["HypothesisTest", "wald_test"]


@dataclass(frozen=True)
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
        df = f"{self.df:g}"
        if self.df_denominator is not None:
            df += f", {self.df_denominator:g}"
        return (
            f"{self.hypothesis}: {self.distribution}({df}) = {self.statistic:.6g}, "
            f"p {'<1e-16' if self.p_value < 1e-16 else f'= {self.p_value:.3g}'}"
        )


def wald_test(estimate: Estimate, restrictions: Any) -> HypothesisTest:
    """Test ``Rθ = q`` by the statistic ``(Rθ̂ - q)ᵀ (RVRᵀ)⁻¹ (Rθ̂ - q)``.

    It is approximately χ², with one degree of freedom for each of the r rows of R. If the estimate
    has finite degrees of freedom, the statistic is divided by r and compared with F. Source: Greene
    (2018), *Econometric Analysis*, 8th ed., eq. 5-18 and §14.6.2.

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
        If a restricted combination has no error.
    ValueError
        If the restrictions contradict or repeat each other, or name unknown parameters.
    """
    stated = Restrictions.of(restrictions, estimate.names)
    R = stated.R
    gap = R @ estimate.params - stated.q
    V = estimate.image(R, gap, tuple(map(str, range(len(R))))).covariance
    scale = np.sqrt(np.diagonal(V))
    if not scale.all():
        raise InferenceError(
            f"{stated} cannot be tested: what it restricts is known without error, as in a fit "
            "with no residuals."
        )
    unit = V / np.outer(scale, scale)
    values, vectors = linalg.eigh(unit)
    if values[0] <= len(V) * np.finfo(np.float64).eps * values[-1]:
        raise ValueError(
            f"the restrictions {stated} repeat or contradict each other; leave out those that "
            "follow from the rest."
        )
    statistic = float(np.sum((vectors.T @ (gap / scale)) ** 2 / values))
    if np.isfinite(estimate.df):
        return HypothesisTest(str(stated), statistic / len(R), len(R), estimate.df)
    return HypothesisTest(str(stated), statistic, len(R))
