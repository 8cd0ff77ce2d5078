"""Standard errors and intervals of principal components, and how many of them to keep.

For n rows from a normal distribution with distinct variances, ν = n - 1, and the sample's λ and v,
asymptotically (Anderson 1963, *Asymptotic theory for principal component analysis*, Annals of
Mathematical Statistics 34(1), theorem 1; Jolliffe 2002, *Principal Component Analysis*, 2nd ed.,
§3.6)

=====================  ====================================================================
variance λₖ            ``2λₖ²/ν``, independent of the other λ and of v
loadings vₖ            ``λₖ/ν Σ_{j≠k} λⱼ/(λⱼ - λₖ)² vⱼvⱼᵀ``
share ``λₖ/Σλ``        by the delta method
interval of λₖ         on the scale of its logarithm: ``λₖ exp(±q √(2/ν))``
interval of a share    on the scale of its log-odds
=====================  ====================================================================

λₖ has the bias ``λₖ/ν Σ_{j≠k} λⱼ/(λₖ - λⱼ)`` (Lawley 1956, *Tests of significance for the latent
roots of covariance and correlation matrices*, Biometrika 43). It is small beside the standard error
if n is large enough for the variances to be distinguished.

How many components to keep: those whose variance is larger than that of independent columns with
the same variances (parallel analysis, Horn 1965, *A rationale and test for the number of factors in
factor analysis*, Psychometrika 30(2)), or those whose share is larger than the pieces of a stick
that is broken at random (Jolliffe §6.1.3).
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
from mcmodels.inference.summary import Summarised, Summary
from mcmodels.inference.tolerances import VARIANCE_ROUNDING
from mcmodels.rows import Covariance, FactoredCovariance

__all__ = ["ComponentCount", "Spectrum", "sphericity_test"]


@dataclass(frozen=True, repr=False, eq=False)
class ComponentCount(Summarised):
    """How many components to keep by a rule, and the numbers that it compared.

    Parameters
    ----------
    count : int
        Leading components above their thresholds.
    table : DataFrame
        One row a component: its value and its threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import PCA
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 1)) + 0.3 * rng.normal(size=(200, 4))
    >>> found = PCA().fit(X).broken_stick()
    >>> found.count
    1
    >>> print(found.table.round(2))
          share  threshold
    pca0   0.94       0.52
    pca1   0.02       0.27
    pca2   0.02       0.15
    pca3   0.02       0.06
    """

    count: int
    table: pd.DataFrame

    def summary(self) -> Summary:
        """The count, and the table that it was read from."""
        return Summary("Number of components", {"components": str(self.count)}, {"": self.table})


@dataclass(frozen=True)
class Spectrum:
    """All variances and axes of a sample covariance.

    Parameters
    ----------
    variances : ndarray of shape (r,)
        Variances, descending; zero where there is only rounding error.
    axes : ndarray of shape (r, p)
        Their axes; S has no variance in other directions.
    column_variances : ndarray of shape (p,)
        Diagonal of S.
    nu : float
        Degrees of freedom, ``Σ wᵢ - 1``.
    squared : bool
        Whether the variances were computed from S: then each has a rounding error of ``ε λ₁``. If
        they were computed from a factor of S, that of λₖ is ``ε √(λ₁λₖ)``.
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
        """From the leading variances (k,) and axes (k, p) of S; the others are computed."""
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

        Infinite where a variance is repeated: the axes of that plane are arbitrary.
        """
        p = self.axes.shape[1]
        positive = self.variances > 0
        single_zero = p - np.count_nonzero(positive) == 1
        roots = np.sqrt(self.variances)
        errors = np.full((count, p), np.inf)
        for k in range(count):
            others = np.arange(roots.size) != k
            gaps = np.abs(self.variances - self.variances[k])
            rounding = VARIANCE_ROUNDING * p * roots[0] * (roots[0] if self.squared else roots[k])
            if (gaps[others] > rounding).all() if positive[k] else single_zero:
                scales = np.divide(roots[k] * roots, gaps, out=np.zeros_like(gaps), where=others)
                errors[k] = np.sqrt(scales**2 @ self.axes**2 / self.nu)
        return errors

    def share_errors(self, count: int, *, cumulative: bool) -> Array:
        """Standard errors of the leading shares, or of their running sums; shape (count,).

        Let P be the sum of the shares in question and Q that of the others, and P₂ and Q₂ the sums
        of their squares. Then the variance is ``2/ν (Q²P₂ + P²Q₂)``.
        """
        shares, r = self.shares, self.variances.size
        inside = np.tri(count, r) if cumulative else np.eye(count, r)
        outside = 1.0 - inside
        variance = (outside @ shares) ** 2 * (inside @ shares**2)
        variance += (inside @ shares) ** 2 * (outside @ shares**2)
        return np.sqrt(2.0 / self.nu * variance)

    def broken_stick(self) -> ComponentCount:
        """Components whose share is larger than the pieces of a stick broken at random."""
        p = self.column_variances.size
        pieces = np.cumsum(1.0 / np.arange(p, 0, -1))[::-1] / p
        return _counted("share", self.shares, pieces[: self.shares.size])

    def parallel_analysis(
        self, quantile: float, n_draws: int, random: np.random.RandomState
    ) -> ComponentCount:
        """Components whose variance is larger than a quantile of that of independent columns.

        The columns are normal, with the sample variances of the given ones (in Horn's paper, with
        variance one). Their scatter matrices are drawn from Wishart's distribution by Bartlett's
        decomposition (Anderson 2003, *An Introduction to Multivariate Statistical Analysis*, 3rd
        ed., corollary 7.2.1). So no rows are drawn, and n does not matter for the time.
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
    """Ends on the scale of the log-odds, shape (k, 2); a share of 0 or 1 has no error."""
    quantile = stats.norm.isf((1.0 - check_level(level)) / 2.0)
    slope = shares * (1.0 - shares)
    spread = np.divide(errors, slope, out=np.zeros_like(errors), where=slope > 0)
    ends = special.logit(shares)[:, np.newaxis] + np.outer(spread, [-quantile, quantile])
    return special.expit(ends)


def sphericity_test(
    covariance: Covariance, mean: Array, nu: float, names: Sequence[str]
) -> HypothesisTest:
    """Test that the columns are uncorrelated, by ``-(ν - (2p + 5)/6) log det R``.

    R is the correlation matrix. The statistic is approximately χ² with p(p - 1)/2 degrees of
    freedom. Source: Bartlett (1950),
    *Tests of significance in factor analysis*, British Journal of Statistical Psychology 3(2).

    Raises
    ------
    InferenceError
        If the determinant is zero or not defined; the message says why.
    """
    S = covariance.matrix()
    p = len(S)
    deviations = np.sqrt(np.diagonal(S))
    if p < 2:
        raise InferenceError("there is only one column, so there are no correlations.")
    constant = np.nonzero(deviations <= VARIANCE_ROUNDING * np.abs(mean))[0]
    if constant.size:
        raise InferenceError(
            f"column {names[constant[0]]} is constant, and has no correlations. Leave it out."
        )
    values = linalg.eigvalsh(S / np.outer(deviations, deviations))
    if nu < p or values[0] <= VARIANCE_ROUNDING * p * values[-1]:
        raise InferenceError(
            "the correlation matrix is singular, and its determinant zero: columns are linearly "
            "dependent, or there are no more rows than columns. Leave columns out."
        )
    statistic = -(nu - (2.0 * p + 5.0) / 6.0) * np.log(values).sum()
    return HypothesisTest("uncorrelated columns", max(float(statistic), 0.0), p * (p - 1) / 2)


def _of_matrix(S: Array, /) -> tuple[Array, Array]:
    """Eigenvalues of S, descending and zero where there is only rounding error, and their axes."""
    values, vectors = linalg.eigh(S, check_finite=False)
    values = np.where(values > VARIANCE_ROUNDING * len(S) * values[-1], values, 0.0)
    return values[::-1], vectors.T[::-1]


def _of_factor(F: Array, /) -> tuple[Array, Array]:
    """Eigenvalues and axes of ``FᵀF``, in the same way."""
    _, roots, axes = linalg.svd(F, full_matrices=False, check_finite=False)
    return np.where(roots > VARIANCE_ROUNDING * max(F.shape) * roots[0], roots, 0.0) ** 2, axes


def _counted(name: str, values: Array, thresholds: Array) -> ComponentCount:
    # Larger by more than rounding error: for a single column, value and threshold are equal.
    above = np.logical_and.accumulate(values > thresholds * (1.0 + VARIANCE_ROUNDING * values.size))
    table = pd.DataFrame(
        {name: values, "threshold": thresholds},
        index=[f"pca{k}" for k in range(values.size)],
    )
    return ComponentCount(int(above.sum()), table)
