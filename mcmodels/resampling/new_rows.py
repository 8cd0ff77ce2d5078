"""Intervals and sets of the new rows of a block, by the fits without groups of training rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Codes
from mcmodels.resampling.outcomes import Means, Strangeness
from mcmodels.reweighting.compared_rows import ComparedRows, Positions
from mcmodels.reweighting.conformal import (
    bounds_with_ties,
    less_strange,
    needed_weight,
    sets_of,
    upper_ends,
)
from mcmodels.reweighting.whitened_fit import Basis
from mcmodels.rows import RowBlock

__all__ = ["NEW_WEIGHT", "IntervalsOfRows", "SetsOfRows", "Without"]

# Numbers of a new row and a training row that are held at a time, in each of a few arrays.
_ENTRIES = 2**19
# So many new rows that are like each other are served together.
_TOGETHER = 64
# New rows that are served together compute all training rows that any of them needs. Their needs
# differ; so of many training rows fewer new rows are served together: this number over theirs.
_CALL = 2**17
# The extra of a block that has the weights of the new rows.
NEW_WEIGHT = "new_weight"


@dataclass(frozen=True)
class Without:
    """Linear predictors of new rows by the fit of all rows, and by those without groups.

    Parameters
    ----------
    basis, params
        Those of the fit of all rows.
    steps : ndarray of shape (m, R)
        To the fits without groups.
    """

    basis: Basis
    params: Array
    steps: Array

    def rows_of(self, block: RowBlock) -> tuple[Array, Array]:
        """Rows z of a block, shape (b, K, R), and their η by the fit, shape (b, K)."""
        Z = self.basis.rows_of(block)
        return Z, block.linear_predictor(self.params).reshape(Z.shape[:2])

    def predictors(self, Z: Array, eta: Array, codes: Codes) -> Array:
        """η of new rows by the fits without some groups, shape (K, b, number of codes)."""
        b, K, R = Z.shape
        flat = Z.transpose(1, 0, 2).reshape(-1, R)
        if len(codes) < len(self.steps):
            changes = flat @ self.steps[codes].T
        else:
            changes = (flat @ self.steps.T)[:, codes]
        return eta.T[:, :, np.newaxis] + changes.reshape(K, b, -1)


def _parts(rows: Positions, height: int) -> Iterator[Positions]:
    for start in range(0, len(rows), max(1, height)):
        yield rows[start : start + max(1, height)]


@dataclass(frozen=True)
class IntervalsOfRows:
    """Prediction, lower and upper end of each new row and target, shape (b, T, 3).

    Parameters
    ----------
    without : Without
        The fits without groups.
    compared : tuple of ComparedRows
        The training rows in the order of their residuals, of each target.
    means : Means
        Of the model.
    scaled, precise, counted : bool
        Whether residuals are divided by ``√V(μ)``, and multiplied by √w of the row; whether w
        counts among the training rows.
    level : float
        1 - α.
    """

    without: Without
    compared: tuple[ComparedRows, ...]
    means: Means
    scaled: bool
    precise: bool
    counted: bool
    level: float

    def __call__(self, block: RowBlock) -> Array:
        """The intervals of the rows of a block."""
        Z, eta = self.without.rows_of(block)
        weights = block.extras[NEW_WEIGHT]
        found = np.empty((*eta.shape, 3))
        found[:, :, 0] = self.means.of(eta)
        length = np.linalg.norm(Z, axis=2)
        for target, compared in enumerate(self.compared):
            for rows in _parts(np.argsort(length[:, target], kind="stable"), _TOGETHER):
                away = length[rows, target] * compared.reach
                bounds = self._bounds(eta[rows, target], away, weights[rows])
                new = weights[rows] if self.counted else np.ones(len(rows))
                needed = needed_weight(self.level, compared.total, new)
                for column, sign in ((1, -1.0), (2, 1.0)):
                    chosen, below = compared.near_ends(needed, *_signed(sign, *bounds))
                    for part in _parts(np.arange(len(rows)), _ENTRIES // max(len(chosen), 1)):
                        at = rows[part]
                        of_part = Z[at][:, [target]], eta[at][:, [target]], weights[at]
                        values = self._values(compared, chosen, sign, *of_part)
                        ends = upper_ends(values, compared.weights[chosen], needed[part] - below)
                        found[at, target, column] = sign * ends
        found[:, :, 1:] = np.clip(found[:, :, 1:], *self.means.range)
        return found

    def _bounds(
        self, eta: Array, away: Array, weights: Array
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Least and largest μ and σ with η less than some way away; NaN where not known."""
        if not self.means.is_monotone or (self.scaled and not self.means.has_monotone_deviation):
            unknown = np.full(len(eta), np.nan)
            return (unknown, unknown), (unknown, unknown)
        mean = self.means.of(np.stack([eta - away, eta + away]))
        deviation = self._deviation(mean, weights)
        return (mean.min(0), mean.max(0)), (deviation.min(0), deviation.max(0))

    def _deviation(self, mean: Array, weights: Array) -> Array:
        found = self.means.deviation(mean) if self.scaled else np.ones_like(mean)
        return found / np.sqrt(weights) if self.precise else found

    def _values(
        self,
        compared: ComparedRows,
        chosen: Positions,
        sign: float,
        Z: Array,
        eta: Array,
        weights: Array,
    ) -> Array:
        """``±μ₋ᵢ(x) + sᵢσ₋ᵢ(x)`` of the chosen training rows, shape (b, number of them)."""
        mean = self.means.of(self.without.predictors(Z, eta, compared.codes[chosen])[0])
        deviation = self._deviation(mean, weights[:, np.newaxis])
        with np.errstate(all="ignore"):
            return sign * mean + compared.strange[chosen] * deviation


def _signed(
    sign: float, means: tuple[Array, Array], deviations: tuple[Array, Array]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    low, high = means
    return ((low, high) if sign > 0 else (-high, -low)), deviations


@dataclass(frozen=True)
class SetsOfRows:
    """Which classes are in the set of each new row, shape (b, number of classes).

    Parameters
    ----------
    without : Without
        The fits without groups.
    compared : tuple of ComparedRows
        The training rows that each class is compared with, in the order of their strangeness.
    strangeness : Strangeness
        Of the classes.
    by_class : bool
        Whether these are the rows of the class.
    counted : bool
        Whether weights of new rows count among those of the training rows.
    level : float
        1 - α.
    nonempty : bool
        Whether the class with the largest p-value is always in the set.
    """

    without: Without
    compared: tuple[ComparedRows, ...]
    strangeness: Strangeness
    by_class: bool
    counted: bool
    level: float
    nonempty: bool

    def __call__(self, block: RowBlock) -> npt.NDArray[np.bool_]:
        """The sets of the rows of a block."""
        Z, eta = self.without.rows_of(block)
        b, K = eta.shape
        of_fit = self.strangeness.of(eta.T).T
        length = np.linalg.norm(Z, axis=2)
        less = np.empty(of_fit.shape)
        for k, compared in enumerate(self.compared):
            widest = length.max(axis=1) + (length[:, k] if K > 1 else 0.0)
            together = min(_TOGETHER, _CALL // max(len(compared.strange), 1))
            for rows in _parts(np.argsort(of_fit[:, k], kind="stable"), together):
                first = last = np.nan
                if self.strangeness.is_margin:
                    away = widest[rows] * compared.reach
                    near = of_fit[rows, k]
                    first, last = bounds_with_ties(near - away, near + away)
                chosen, below = compared.between(first, last)
                strange, of_rows = compared.strange[chosen], compared.weights[chosen]
                for part in _parts(rows, _ENTRIES // max(K * len(chosen), 1)):
                    by_fits = self.without.predictors(Z[part], eta[part], compared.codes[chosen])
                    of_new = self.strangeness.of(by_fits)[k]
                    less[part, k] = below + less_strange(strange, of_new, of_rows)
        totals = np.array([compared.total for compared in self.compared])
        new = block.extras[NEW_WEIGHT] if self.counted else np.ones(b)
        return sets_of(less, totals, of_fit, new, self.level, nonempty=self.nonempty)
