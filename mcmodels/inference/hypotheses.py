"""Tests of hypotheses on parameters: Wald and likelihood ratio, and the result of a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import linalg, stats

from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.restrictions import Restrictions
from mcmodels.inference.tolerances import LIKELIHOOD_ROUNDING

__all__ = ["HypothesisTest", "likelihood_ratio_test", "wald_test"]


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
            f"p = {self.p_value:.3g}"
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


class HasLikelihood(Protocol):
    """What a likelihood-ratio test needs of a fitted model."""

    @property
    def log_likelihood_(self) -> float:
        """The maximised log-likelihood."""
        ...

    @property
    def n_free_params_(self) -> int:
        """Number of parameters over which it was maximised."""
        ...

    @property
    def n_observations_(self) -> float:
        """Number of rows over which it is a sum."""
        ...


def likelihood_ratio_test(small: HasLikelihood, big: HasLikelihood) -> HypothesisTest:
    """Test whether the parameters that only ``big`` has are zero, by ``2(ℓ_big - ℓ_small)``.

    The statistic is approximately χ². Source: Casella and Berger (2002), *Statistical Inference*,
    2nd ed., theorem 10.3.3.

    Parameters
    ----------
    small, big : fitted LinearRegression, LogisticRegression, ObjectiveRegressor or …Classifier
        Of the same class, fitted to the same rows without a penalty; the parameters of ``small``
        must be those of ``big`` under the hypothesis (nested models). Only their numbers are
        checked.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    ValueError
        If the two cannot be nested (other classes, other numbers of rows, or no more parameters),
        or if a fit is penalised.
    """
    if type(small) is not type(big):
        raise ValueError(
            f"small is a {type(small).__name__} and big a {type(big).__name__}; likelihoods of "
            "different models cannot be compared this way."
        )
    if small.n_observations_ != big.n_observations_:
        raise ValueError(
            f"small was fitted to {small.n_observations_:g} rows and big to "
            f"{big.n_observations_:g}; both need the same rows."
        )
    df = big.n_free_params_ - small.n_free_params_
    if df <= 0:
        raise ValueError(
            f"big has {big.n_free_params_} parameters and small {small.n_free_params_}; big must "
            "have more. Swap them if they were given the other way round."
        )
    for name, model in (("small", small), ("big", big)):
        C, alpha = getattr(model, "C", np.inf), getattr(model, "alpha", 0.0)
        if np.isfinite(C) or alpha > 0:
            found, without = ("C", "C=np.inf") if np.isfinite(C) else ("alpha", "alpha=0")
            raise ValueError(
                f"{name} was fitted with a penalty ({found}={getattr(model, found)!r}), and does "
                f"not maximise the likelihood; fit both with {without}."
            )
    if getattr(small, "loss", None) != getattr(big, "loss", None):
        raise ValueError(
            "small and big have different losses, whose constants do not cancel; fit both with the "
            "same."
        )
    gain = 2.0 * (big.log_likelihood_ - small.log_likelihood_)
    if gain < -LIKELIHOOD_ROUNDING * abs(big.log_likelihood_):
        raise ValueError(
            f"big has a lower likelihood than small (by {-gain / 2:g}), so small is not nested in "
            "it, or a fit has not converged."
        )
    return HypothesisTest("small is enough", max(gain, 0.0), df)
