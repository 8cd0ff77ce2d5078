"""How precisely principal components are known, and how many there are.

For n rows from a normal distribution with distinct variances, ν = n - 1, and the sample's λ and v,
asymptotically (Anderson 1963, *Asymptotic theory for principal component analysis*, Annals of
Mathematical Statistics 34(1), theorem 1; Jolliffe 2002, *Principal Component Analysis*, 2nd ed.,
§3.6)

=====================  ====================================================================
variance λₖ            ``2λₖ²/ν``, independent of the other λ and of v
loadings vₖ            ``λₖ/ν Σ_{j≠k} λⱼ/(λⱼ - λₖ)² vⱼvⱼᵀ``
share ``λₖ/Σλ``        from these by the delta method
interval of λₖ         on the scale of its logarithm: ``λₖ exp(±q √(2/ν))``
interval of a share    on the scale of its log-odds
=====================  ====================================================================

Samples spread variances: λₖ is too large by ``λₖ/ν Σ_{j≠k} λⱼ/(λₖ - λⱼ)`` on average (Lawley 1956,
*Tests of significance for the latent roots of covariance and correlation matrices*, Biometrika
43), which is little beside its standard error once rows tell the variances apart.

How many components to keep: those whose variance exceeds what independent columns of the same
variances show by chance (parallel analysis, Horn 1965, *A rationale and test for the number of
factors in factor analysis*, Psychometrika 30(2)), or whose share exceeds that of the longest pieces
of a stick broken at random (Jolliffe §6.1.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy import linalg, special, stats

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import check_level
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.rows import Covariance, FactoredCovariance

__all__ = ["ComponentCount", "Spectrum", "sphericity_test"]

# Rounding errors of variances are at most about this many times their number of the largest.
_EPSILON = 8 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class ComponentCount:
    """How many components to keep by a rule, and what it compared.

    Parameters
    ----------
    count : int
        Leading components above their thresholds.
    table : DataFrame
        One row a component: its value and its threshold.
    """

    count: int
    table: pd.DataFrame


@dataclass(frozen=True)
class Spectrum:
    """All variances and axes of a sample covariance.

    Parameters
    ----------
    variances : ndarray of shape (r,)
        Variances, descending; zero where there is nothing but rounding noise.
    axes : ndarray of shape (r, p)
        Their axes; what S has beyond them is zero.
    column_variances : ndarray of shape (p,)
        Diagonal of S.
    nu : float
        Degrees of freedom, ``Σ wᵢ - 1``.
    squared : bool
        Whether they come from squares, so that all carry ε of the largest variance; else λₖ carries
        ε ``√(λ₁λₖ)``.
    """

    variances: Array
    axes: Array
    column_variances: Array
    nu: float
    squared: bool

    @classmethod
    def completing(
        cls, variances: Array, axes: Array, covariance: Covariance, nu: float, *, squared: bool
    ) -> Self:
        """The leading variances (k,) and axes (k, p) of S, and the others that S has."""
        if isinstance(covariance, FactoredCovariance):
            table, eigenpairs = covariance.F, _of_factor
            columns = np.einsum("ij,ij->j", table, table)
        else:
            table, eigenpairs = covariance.matrix(), _of_matrix
            columns = np.diagonal(table).copy()
        k = variances.size
        if k < min(table.shape):
            values, vectors = eigenpairs(table)
            smallest = variances.min(initial=np.inf)
            variances = np.append(variances, np.minimum(values[k:], smallest))
            axes = np.vstack([axes, vectors[k:]])
        return cls(variances, axes, columns, nu, squared)

    @property
    def shares(self) -> Array:
        """Share of the total variance of each component; zeros when there is none."""
        return self.variances / (self.variances.sum() or 1.0)

    def loading_errors(self, count: int) -> Array:
        """Standard errors of the loadings of the leading components, shape (count, p).

        Infinite where a variance is repeated: any axes of that plane would do.
        """
        p = self.axes.shape[1]
        positive = self.variances > 0
        single_zero = p - np.count_nonzero(positive) == 1
        roots = np.sqrt(self.variances)
        errors = np.full((count, p), np.inf)
        for k in range(count):
            others = np.arange(roots.size) != k
            gaps = np.abs(self.variances - self.variances[k])
            rounding = _EPSILON * p * roots[0] * (roots[0] if self.squared else roots[k])
            if (gaps[others] > rounding).all() if positive[k] else single_zero:
                scales = np.divide(roots[k] * roots, gaps, out=np.zeros_like(gaps), where=others)
                errors[k] = np.sqrt(scales**2 @ self.axes**2 / self.nu)
        return errors

    def share_errors(self, count: int, *, cumulative: bool) -> Array:
        """Standard errors of the leading shares, or of their running sums; shape (count,).

        With P and Q the sum of the shares in question and of the others, and P₂, Q₂ that of their
        squares, the variance is ``2/ν (Q²P₂ + P²Q₂)``.
        """
        shares, r = self.shares, self.variances.size
        inside = np.tri(count, r) if cumulative else np.eye(count, r)
        outside = 1.0 - inside
        variance = (outside @ shares) ** 2 * (inside @ shares**2)
        variance += (inside @ shares) ** 2 * (outside @ shares**2)
        return np.sqrt(2.0 / self.nu * variance)

    def broken_stick(self) -> ComponentCount:
        """Components whose share exceeds that of the pieces of a stick broken at random."""
        p = self.column_variances.size
        pieces = np.cumsum(1.0 / np.arange(p, 0, -1))[::-1] / p
        return _counted("share", self.shares, pieces[: self.shares.size])

    def parallel_analysis(
        self, quantile: float, n_draws: int, random: np.random.RandomState
    ) -> ComponentCount:
        """Components whose variance exceeds a quantile of that of independent normal columns.

        The columns drawn have the sample variances of those at hand, as Horn's have one. Their
        scatter matrices come from their own (Wishart's) distribution by Bartlett's decomposition
        (Anderson 2003, *An Introduction to Multivariate Statistical Analysis*, 3rd ed., corollary
        7.2.1): no rows are made, however many there were.
        """
        deviations = np.sqrt(self.column_variances)
        p, nu = deviations.size, self.nu
        drawn = np.zeros((n_draws, self.variances.size))
        for draw in drawn:
            if nu > p - 1:
                root = np.tril(random.standard_normal((p, p)), -1)
                root[np.diag_indices(p)] = np.sqrt(random.chisquare(nu - np.arange(p)))
            else:
                root = random.standard_normal((p, max(round(nu), 1)))
            root *= (deviations / linalg.norm(root, axis=1))[:, np.newaxis]
            few = root if p <= root.shape[1] else root.T
            values = np.linalg.eigvalsh(few @ few.T)[::-1][: draw.size]
            draw[: values.size] = np.clip(values, 0.0, None)
        return _counted("variance", self.variances, np.quantile(drawn, quantile, axis=0))


def variance_interval(variances: Array, nu: float, level: float) -> Array:
    """Ends of ``λ exp(±q √(2/ν))``, shape (k, 2)."""
    reach = stats.norm.isf((1.0 - check_level(level)) / 2.0) * np.sqrt(2.0 / nu)
    return np.outer(variances, np.exp([-reach, reach]))


def share_interval(shares: Array, errors: Array, level: float) -> Array:
    """Ends on the scale of the log-odds, shape (k, 2); a share of none or all is known."""
    quantile = stats.norm.isf((1.0 - check_level(level)) / 2.0)
    slope = shares * (1.0 - shares)
    spread = np.divide(errors, slope, out=np.zeros_like(errors), where=slope > 0)
    ends = special.logit(shares)[:, np.newaxis] + np.outer(spread, [-quantile, quantile])
    return special.expit(ends)


def sphericity_test(
    covariance: Covariance, mean: Array, nu: float, names: Sequence[str]
) -> HypothesisTest:
    """Whether the columns are uncorrelated: ``-(ν - (2p + 5)/6) log det R`` is about χ².

    R is the correlation matrix, and p(p - 1)/2 the degrees of freedom. Source: Bartlett (1950),
    *Tests of significance in factor analysis*, British Journal of Statistical Psychology 3(2).

    Raises
    ------
    InferenceError
        Where the determinant is zero or not defined; the message says of what.
    """
    S = covariance.matrix()
    p = len(S)
    deviations = np.sqrt(np.diagonal(S))
    if p < 2:
        raise InferenceError("there is a single column, with nothing to be correlated with.")
    constant = np.nonzero(deviations <= _EPSILON * np.abs(mean))[0]
    if constant.size:
        raise InferenceError(
            f"column {names[constant[0]]} is constant, and has no correlations. Leave it out."
        )
    values = linalg.eigvalsh(S / np.outer(deviations, deviations))
    if nu < p or values[0] <= _EPSILON * p * values[-1]:
        raise InferenceError(
            "the correlation matrix is singular, and its determinant zero: columns are linearly "
            "dependent, or rows no more than columns. Leave columns out."
        )
    statistic = -(nu - (2.0 * p + 5.0) / 6.0) * np.log(values).sum()
    return HypothesisTest("uncorrelated columns", max(float(statistic), 0.0), p * (p - 1) / 2)


def _of_matrix(S: Array, /) -> tuple[Array, Array]:
    """Eigenvalues of S, descending and zero where there is only rounding noise, and their axes."""
    values, vectors = linalg.eigh(S, check_finite=False)
    return np.where(values > _EPSILON * len(S) * values[-1], values, 0.0)[::-1], vectors.T[::-1]


def _of_factor(F: Array, /) -> tuple[Array, Array]:
    """Those of ``FᵀF``."""
    _, roots, axes = linalg.svd(F, full_matrices=False, check_finite=False)
    return np.where(roots > _EPSILON * max(F.shape) * roots[0], roots, 0.0) ** 2, axes


def _counted(name: str, values: Array, thresholds: Array) -> ComponentCount:
    # By more than rounding: a single column has all of the variance, and so has its threshold.
    above = np.logical_and.accumulate(values > thresholds * (1.0 + _EPSILON * values.size))
    table = pd.DataFrame(
        {name: values, "threshold": thresholds},
        index=[f"component {k + 1}" for k in range(values.size)],
    )
    return ComponentCount(int(above.sum()), table)
