"""Inference from a least-squares fit without its rows: covariance, likelihood, R² and F.

With P parameters for each of m targets, n observations (``Σ wᵢ``, or the rows: what weights are is
said in :mod:`mcmodels.inference.weighting`), and the squares of
residuals ``E = Σ wᵢ rᵢ rᵢᵀ``, the classical linear model gives (Greene 2018, *Econometric
Analysis*, 8th ed., §4.3, §5.6 and §14.9.1; for several targets Mardia, Kent and Bibby 1979,
*Multivariate Analysis*, §6.3)

==============  =====================================================
noise           ``Σ̂ = E / (n - P)``
covariance      ``Σ̂ ⊗ (X̃ᵀWX̃)⁻¹`` of the parameters, target by target
log-likelihood  ``-n/2 (m log 2π + log det(E/n) + m)``; with precisions ``+ m/2 Σ log wᵢ``
R²              ``1 - E/T``, T the squares of y about their mean
F               ``((T - E)/k) / (E/(n - P))`` of k slopes
==============  =====================================================

Without an intercept T is about zero, unless a combination of the columns is constant, as the sum of
all indicators of a factor is. Then the fit is that with an intercept and one column less, and so
are R² and F.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.tolerances import (
    CONSTANT_ROUNDING,
    LARGEST_CONSTANT_REST,
    ROUNDING_OF_MEAN,
    SMALLEST_SQUARES,
    WEIGHT_ROUNDING,
)
from mcmodels.inference.weighting import Weighting
from mcmodels.inference.whitening import Whitening
from mcmodels.rows import RowBlock
from mcmodels.solvers.least_squares import LeastSquares

__all__ = ["LinearModelInference", "LinearRobustModel"]


# Parameters of several targets whose joint covariance is formed: it takes 1.2 GB, and its root as
# much.
_LARGEST_JOINT = 12_000


@dataclass(frozen=True)
class LinearModelInference:
    """Inference from a least-squares fit.

    Parameters
    ----------
    fit : LeastSquares
        The fit.
    rank : int
        Rank of the features.
    estimable : EstimableSpace or None
        Which functions of the parameters are determined; None if all.
    names : tuple of str
        Names of the parameters, target by target.
    n_present : int
        Number of rows of positive weight.
    weighting : Weighting
        What the weights are.
    log_weights : float
        ``Σ log wᵢ`` of precisions.
    """

    fit: LeastSquares
    rank: int
    estimable: EstimableSpace | None
    names: tuple[str, ...]
    n_present: int
    weighting: Weighting
    log_weights: float

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters, target by target."""
        return self.names

    @property
    def n_observations(self) -> float:
        """n, the sum of the weights or the number of rows."""
        return self.weighting.count(self.fit.moments.weight, self.n_present)

    @property
    def n_targets(self) -> int:
        """Number of targets m."""
        return self.fit.params.shape[0]

    @property
    def intercept(self) -> bool:
        """Whether there is an intercept."""
        return self.fit.params.shape[1] > self.fit.moments.n_features

    @property
    def df(self) -> float:
        """Degrees of freedom of the residuals: n minus the rank of the design."""
        return self.n_observations - self.rank - self.intercept

    @property
    def n_free_params(self) -> int:
        """Number of parameters that the data determine, without the variance of the noise."""
        return self.n_targets * (self.rank + self.intercept)

    @property
    def noise_covariance(self) -> Array:
        """Σ̂, shape (m, m); raises if no degree of freedom is left."""
        self.refuse_underflow()
        if not self.df > WEIGHT_ROUNDING * self.n_observations:
            counts = self.weighting.counts_rows
            remedy = "; weights count rows, so name those that do not by weights='precision'"
            raise InferenceError(
                f"there are {self.weighting.counted(self.n_observations)} for "
                f"{self.rank + self.intercept} parameters: nothing is left to estimate the noise "
                f"from. Fit fewer columns or more rows{remedy if counts else ''}."
            )
        scatter = self.fit.residual_scatter.copy()
        # Of an exact fit in twice the working precision the squares may be negative by rounding.
        np.fill_diagonal(scatter, np.diagonal(scatter).clip(0.0))
        unit = self.weighting.relative(self.fit.moments.weight, self.n_present)
        return unit * scatter / self.df

    @functools.cached_property
    def whitening(self) -> Whitening:
        """The map to rows z with ``Σ wᵢ zᵢ zᵢᵀ = I``."""
        return Whitening.of_least_squares(self.fit, self.estimable)

    @property
    def estimate(self) -> Estimate:
        """The parameters, with the covariance of the classical model."""
        refuse_large_covariance(self.fit.params, "their joint covariance")
        values, vectors = np.linalg.eigh(self.noise_covariance)
        noise_root = vectors * np.sqrt(np.clip(values, 0.0, None))
        T: Array = np.asarray(np.kron(noise_root, self.whitening.matrix), dtype=np.float64)
        found = Estimate.of_root(self.fit.params.ravel(), T, self.names, self.df)
        return found.within(self.estimable)

    @property
    def log_likelihood(self) -> float:
        """Maximum of the log-likelihood with normal noise; infinite if all residuals are zero.

        Of sampling weights the pseudo-log-likelihood, in which a row counts as often as its weight.
        """
        self.refuse_underflow()
        m = self.n_targets
        n = self.weighting.count_in_likelihood(self.fit.moments.weight, self.n_present)
        sign, logdet = np.linalg.slogdet(self.fit.residual_scatter / n)
        if sign <= 0:
            return np.inf
        return float(-n / 2 * (m * np.log(2 * np.pi) + logdet + m) + m * self.log_weights / 2)

    @functools.cached_property
    def has_constant(self) -> bool:
        """Whether a combination of the columns is constant: the intercept, or one of features.

        The squares ``Σ wᵢ (1 - xᵢᵀa)²`` that least squares leaves of a constant are rounding errors
        if they are small beside the squares of its terms.
        """
        moments = self.fit.moments
        if self.intercept or moments.left_out is None:
            return self.intercept
        b = moments.left_out.x_sums[:, np.newaxis]
        a = self.fit.inverse.apply(b)
        a = a + self.fit.inverse.apply(b - moments.scatter_times(a))
        terms = np.sqrt(moments.weight) + np.abs(a[:, 0]) @ np.sqrt(moments.x_squares)
        unit = CONSTANT_ROUNDING * moments.rounding
        least = min(unit * float(terms**2), max(LARGEST_CONSTANT_REST, unit) * moments.weight)
        return moments.squares_left_of_constant(a[:, 0]) <= least

    @property
    def n_slopes(self) -> int:
        """Number of slopes that the data determine: the rank, without a constant."""
        return self.rank + self.intercept - self.has_constant

    @property
    def r_squared(self) -> Array:
        """R² of each target, shape (m,); NaN for a constant target, for which it is undefined."""
        total, left = self._squares
        if self.n_slopes == 0:  # the same squares, but for rounding
            left = total
        return np.where(total > 0, 1.0 - left / np.where(total > 0, total, 1.0), np.nan)

    @property
    def adjusted_r_squared(self) -> Array:
        """``1 - (1 - R²)(n - c)/(n - P)`` of each target, c = 1 with a constant, else 0."""
        self.noise_covariance  # noqa: B018  raises if there are no degrees of freedom
        return 1.0 - (1.0 - self.r_squared) * (self.n_observations - self.has_constant) / self.df

    @property
    def f_test(self) -> HypothesisTest:
        """Test that every slope is zero, for a single target."""
        if self.n_targets > 1:
            raise InferenceError(
                f"y has {self.n_targets} targets, and the F test is for one; fit each target "
                "separately."
            )
        if self.n_slopes == 0:
            raise InferenceError("X has no column that varies, so there is no slope to test.")
        (noise,) = np.diagonal(self.noise_covariance)
        (total,), (left,) = self._squares
        if not total > 0:
            raise InferenceError("y is constant, so that there is nothing for slopes to explain.")
        explained = max(total - left, 0.0)
        statistic = np.inf if explained > 0 else 0.0
        if noise > 0:
            statistic = explained / self.n_slopes / noise
        return HypothesisTest("every slope is zero", float(statistic), self.n_slopes, self.df)

    @property
    def variance_inflation_factors(self) -> Array:
        """``Sⱼⱼ (S⁻¹)ⱼⱼ = 1/(1 - Rⱼ²)``, Rⱼ² of column j fitted to the others; shape (p,).

        About the mean with an intercept, about zero without. Source: Belsley, Kuh and Welsch
        (1980), *Regression Diagnostics*, §3.1. Infinite for a column that is a combination of the
        others, of which ``Rⱼ² = 1``.
        """
        root = self.whitening.root
        found = self.fit.moments.x_squares * np.einsum("jk,jk->j", root, root)
        if self.estimable is None:
            return found
        return np.where(self.estimable.determined_of_one[: len(found)], found, np.inf)

    @property
    def _squares(self) -> tuple[Array, Array]:
        """Squares of the targets, and of the residuals; those of a constant target are zero."""
        self.refuse_underflow()
        moments = self.fit.moments
        total, mean = moments.y_squares, moments.y_mean
        if self.has_constant and moments.left_out is not None:
            total, mean = moments.left_out.y_squares, moments.left_out.y_mean
        total = np.where(total > moments.weight * (ROUNDING_OF_MEAN * mean) ** 2, total, 0.0)
        return total, np.diagonal(self.fit.residual_scatter)

    def refuse_underflow(self) -> None:
        """Raise if the squares of a target or of its residuals are too small for float64."""
        moments, left = self.fit.moments, np.diagonal(self.fit.residual_scatter)
        total = moments.y_squares + moments.weight * moments.y_mean**2
        present = (moments.y_mean != 0) | self.fit.params.any(axis=1)
        lost = (total < SMALLEST_SQUARES) & ((total > 0) | present)
        lost |= (left > 0) & (left < SMALLEST_SQUARES)
        if lost.any():
            raise InferenceError(
                f"the squares of target(s) {np.nonzero(lost)[0].tolist()} of y, or of their "
                "residuals, underflow float64; multiply y, or the weights, by a power of ten."
            )


def refuse_large_covariance(params: Array, wanted: str) -> None:
    """Refuse a matrix over the parameters of several targets that is larger than the largest."""
    if len(params) > 1 and params.size > _LARGEST_JOINT:
        raise InferenceError(
            f"{len(params)} targets have {params.size} parameters, and {wanted} would have as many "
            f"rows and columns; the limit is {_LARGEST_JOINT}. Fit the targets in groups."
        )


@dataclass(frozen=True)
class LinearRobustModel:
    """What a robust covariance needs of a least-squares fit; y has shape (n, m)."""

    whitening: Whitening
    params: Array
    weighting: Weighting

    def __post_init__(self) -> None:
        """Refuse a covariance that is too large before a pass sums matrices of its size."""
        refuse_large_covariance(self.params, "their joint covariance")

    @property
    def bread(self) -> Array:
        """``I ⊗ T``."""
        return np.asarray(np.kron(np.eye(len(self.params)), self.whitening.matrix), np.float64)

    @property
    def n_params(self) -> int:
        """P, the parameters of one target that the rows determine."""
        return self.whitening.n_params

    def residuals(self, block: RowBlock) -> Array:
        """``y - ŷ``, shape (n_rows, m)."""
        return block.y - block.linear_predictor(self.params)

    def leverage(self, block: RowBlock, Z: Array) -> Array:
        """``x̃ᵀ(X̃ᵀWX̃)⁻¹x̃`` of each row."""
        return np.einsum("ij,ij->i", Z, Z)
