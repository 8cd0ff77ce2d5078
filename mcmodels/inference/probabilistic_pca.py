"""The normal distribution of probabilistic PCA: covariance, precision, log-likelihood of rows.

``x ~ N(x̄, Vᵀ(Λ - σ²I)V + σ²I)`` with k orthonormal axes V, their variances Λ, and σ² the noise in
all other directions. Source: Tipping and Bishop (1999), *Probabilistic principal component
analysis*, JRSS B 61(3), §3.2; for a singular covariance, Mardia, Kent and Bibby (1979),
*Multivariate Analysis*, §2.5.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.covariance import centred_near


@dataclass(frozen=True)
class ProbabilisticPCA:
    """A normal distribution with k free variances and a common one in all other directions.

    Parameters
    ----------
    mean : ndarray of shape (p,)
        Centre.
    axes : ndarray of shape (k, p)
        Orthonormal axes.
    variances : ndarray of shape (k,)
        Variance along each axis.
    noise_variance : float
        Variance in all other directions; an axis with less has this, too.
    """

    mean: Array
    axes: Array
    variances: Array
    noise_variance: float

    def covariance(self) -> Array:
        """``Vᵀ(Λ - σ²I)V + σ²I``, shape (p, p)."""
        return self._matrix(np.maximum(self.variances, self.noise_variance), self.noise_variance)

    def precision(self) -> Array:
        """Inverse of the covariance (pseudoinverse if it is singular), shape (p, p)."""
        return self._matrix(self._precision_along, self._precision_across)

    def log_likelihood(self, rows: Rows) -> Array:
        """Log density of each row, shape (n,).

        If the covariance is singular, this is the density on the subspace that has variance, and
        -inf for rows outside it.
        """
        along, across = self._precision_along, self._precision_across
        precisions = np.concatenate([along, np.full(self.mean.size - along.size, across)])
        present = precisions[precisions > 0]
        constant = np.log(present).sum() - present.size * np.log(2.0 * np.pi)
        axes = self.axes[along > 0]

        def summarise(block: RowBlock) -> Array:
            scores = self.scores(block)[:, along > 0]
            distance = np.einsum("ik,k,ik->i", scores, along[along > 0], scores)
            if len(axes) == self.mean.size:
                return 0.5 * (constant - distance)
            centred = block.X.dense() - self.mean
            outside = np.linalg.norm(centred - scores @ axes, axis=1)
            if across > 0:
                return 0.5 * (constant - distance - across * outside**2)
            size = np.linalg.norm(centred, axis=1) + np.linalg.norm(self.mean)
            off = outside > np.sqrt(rows.epsilon) * size
            return np.where(off, -np.inf, 0.5 * (constant - distance))

        return rows.map(summarise)

    def scores(self, block: RowBlock) -> Array:
        """Coordinates of rows along the axes, shape (b, k)."""
        return scores(block, self.mean, self.axes)

    def _matrix(self, along: Array, across: float) -> Array:
        matrix = (self.axes.T * (along - across)) @ self.axes
        matrix[np.diag_indices_from(matrix)] += across
        return matrix

    @property
    def _precision_along(self) -> Array:
        variances = np.maximum(self.variances, self.noise_variance)
        return np.divide(1.0, variances, out=np.zeros_like(variances), where=variances > 0)

    @property
    def _precision_across(self) -> float:
        return 1.0 / self.noise_variance if self.noise_variance > 0 else 0.0


def scores(block: RowBlock, mean: Array, axes: Array) -> Array:
    """``(x - mean) axesᵀ`` of the rows of a block, shape (b, k)."""
    X, offset = centred_near(block.X, mean)
    return np.asarray(X.X @ axes.T) - axes @ offset


def rows_of_scores(scores: Array, mean: Array, axes: Array, variances: Array | None) -> Array:
    """``scores axes + mean``; scores divided by their deviations where ``variances`` are given."""
    if variances is not None:
        axes = axes * np.sqrt(variances)[:, np.newaxis]
    return scores @ axes + mean


def inverse_deviations(variances: Array, rank: int) -> Array:
    """``1/√λ`` of the leading ``rank`` variances; zero of the others, which are rounding noise."""
    deviations = np.sqrt(variances)
    varies = deviations > 0
    varies[rank:] = False
    return np.divide(1.0, deviations, out=np.zeros_like(deviations), where=varies)
