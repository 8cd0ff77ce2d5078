"""One step of the bootstrap: draws of the sum of the scores, times the inverse Hessian of the fit.

With weights ``wᵢ m_c/κ_c`` in place of w, the gradient at the fit is ``Σ_c (m_c - κ_c) S_c``, where
``S_c = Σ sᵢzᵢ/κ_c`` sums the scores ``sᵢ = wᵢ ∂ℓ/∂η`` of the rows of unit c. The step with the
Hessian of the fit, which is the identity in these coordinates, is

    u = -Σ_c (m_c - κ_c) S_c.

Given the rows its mean is zero, and with independent m its covariance is ``Σ κ_c S_cS_cᵀ``: the
sandwich HC0, or that of clusters, without corrections for small samples. Sources: Wu (1986),
*Jackknife, bootstrap and other resampling methods in regression analysis*, Annals of Statistics
14(4); Kline and Santos (2012), *A score based approach to wild bootstrap inference*, Journal of
Econometric Methods 1(1).

Of very many units, random groups are drawn together: then all rows are read once, whatever the
number of draws. The sums of the groups are centred, and moved by the linear map P that is nearest
to the identity of all with ``P(ΣSSᵀ)P = Σ κ_c S_cS_cᵀ`` (the optimal map between two normal
distributions), so that the covariance of the draws is exactly the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from scipy import linalg, sparse

from mcmodels.arrays import Array, Codes
from mcmodels.inference.robust import Totals
from mcmodels.inference.tolerances import EIGENVALUE_ROUNDING
from mcmodels.reweighting.multipliers import Multipliers
from mcmodels.reweighting.units import Units
from mcmodels.reweighting.whitened_fit import WhitenedFit, weights_of
from mcmodels.rows import RowBlock, Rows, single_threaded_blas
from mcmodels.rows.threads import ordered_sum

__all__ = ["MOST_UNITS", "ScoreSums", "Scores", "score_draws", "scores_of"]

# Units that are drawn one by one; of more, this many random groups. The skewness of the draws is
# then right to about 1/√groups of itself.
MOST_UNITS = 2**12
# The scores ``Σₖ sᵢₖzᵢₖ`` of the rows of a block, shape (b, R).
Scores = Callable[[RowBlock], Array]


@dataclass(frozen=True)
class ScoreSums:
    """The sums of scores of units.

    Parameters
    ----------
    sums : ndarray of shape (G, R)
        S.
    counts : ndarray of shape (G,)
        κ.
    """

    sums: Array
    counts: Array

    @classmethod
    def of(cls, rows: Rows, scores: Scores, units: Units, entropy: tuple[int, ...]) -> ScoreSums:
        """In one pass over the rows.

        Parameters
        ----------
        rows : Rows
            Those of the fit.
        scores : callable
            Takes a block; returns the scores of its rows.
        units : Units
            What is drawn as a whole.
        entropy : tuple of int
            The seed of random groups.
        """
        most = MOST_UNITS
        count, divisors = len(units.counts), np.where(units.counts > 0, units.counts, 1.0)
        if count <= most:
            return cls(_sums(rows, scores, units.codes, divisors, count), units.counts)
        # The scores of a group are sums of √κ S, so that all have the same κ of one.
        present = units.counts > 0
        groups = np.zeros(count, dtype=np.intp)
        rng = np.random.default_rng(np.random.SeedSequence(list(entropy)))
        groups[present] = rng.permutation(int(np.count_nonzero(present))) % most
        if units.are_clusters:
            each = _sums(rows, scores, units.codes, divisors, count)
            sums, squares = _by_group(groups, each, most), each.T @ each
        else:
            sums, squares = _grouped_rows(rows, scores, groups, np.sqrt(divisors), most)
        sizes = np.bincount(groups[present], minlength=most)
        sums -= np.outer(sizes / sizes.sum(), sums.sum(axis=0))
        return cls(sums @ _nearest_map(sums.T @ sums, squares), np.ones(most))


def scores_of(fit: WhitenedFit) -> Scores:
    """The scores of a fit."""

    def scores(block: RowBlock) -> Array:
        eta = block.linear_predictor(fit.params)
        slope = np.asarray(fit.loss.gradient(block.y, eta))
        slope = (slope.T * weights_of(block)).T.reshape(len(eta), -1)
        found: Any = 0.0
        for k, root in enumerate(fit.basis.root):  # of all outputs at once Z may be large
            one = replace(fit.basis, root=root[np.newaxis])
            found = found + slope[:, k : k + 1] * one.rows_of(block)[:, 0]
        return np.asarray(found)

    return scores


def score_draws(scores: ScoreSums, multipliers: Multipliers) -> Array:
    """Where each draw is: u, shape (B, R)."""

    def of_part(first: int) -> list[Array]:
        found = multipliers.of(first, first + multipliers.step)
        found -= scores.counts
        return [-(found @ scores.sums)]

    with single_threaded_blas() as n_threads:
        starts = range(0, multipliers.draws, multipliers.step)
        parts = [functools.partial(of_part, first) for first in starts]
        return np.concatenate(cast(list[Array], ordered_sum(parts, n_threads)))


def _sums(rows: Rows, scores: Scores, codes: Codes, divisors: Array, count: int) -> Array:
    """S of each unit."""
    sums = rows.reduce(lambda block: _by_group(codes[block.rows], scores(block), count))
    return np.asarray(sums / divisors[:, np.newaxis])


def _grouped_rows(
    rows: Rows, scores: Scores, groups: Codes, roots: Array, count: int
) -> tuple[Array, Array]:
    """Sums of ``√κ S`` of rows over random groups, and ``Σ κ SSᵀ``."""

    def summarise(block: RowBlock) -> Totals:
        each = scores(block) / roots[block.rows, np.newaxis]
        return Totals([_by_group(groups[block.rows], each, count), each.T @ each])

    sums, squares = rows.reduce(summarise)
    return sums, squares


def _by_group(groups: Codes, values: Array, count: int) -> Array:
    """Sums of the rows of values over groups, shape (count, R)."""
    place = np.arange(len(values))
    chosen = sparse.csr_array((np.ones(len(values)), (groups, place)), shape=(count, len(values)))
    return np.asarray(chosen @ values)


def _nearest_map(have: Array, want: Array) -> Array:
    """The symmetric P with ``P·have·P = want``, both positive semi-definite.

    ``P = A⁻¹(A·want·A)^½A⁻¹`` with A the root of ``have``: Olkin and Pukelsheim (1982), *The
    distance between two random vectors with given dispersion matrices*, Linear Algebra and its
    Applications 48.
    """
    values, vectors = linalg.eigh(have)
    known = values > EIGENVALUE_ROUNDING * len(values) * max(values[-1], 0.0)
    roots = np.sqrt(values[known])
    A = (vectors[:, known] * roots) @ vectors[:, known].T
    inverse = (vectors[:, known] / roots) @ vectors[:, known].T
    squares, turned = linalg.eigh(A @ want @ A)
    middle = (turned * np.sqrt(np.clip(squares, 0.0, None))) @ turned.T
    return np.asarray(inverse @ middle @ inverse)
