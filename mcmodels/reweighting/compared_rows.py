"""Which training rows decide an interval or a set: the others are known by bounds.

A fit without a row predicts nearly what the fit of all rows does: ``|z(x)ᵀu| ≤ ‖z(x)‖‖u‖``. With
training rows in the order of their strangeness, most are on the same side of an end, or of a class,
for every value within these bounds. Only the others are computed, and the few whose u is long: of
a million rows some hundreds. The results are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array, Codes

__all__ = ["ComparedRows", "Positions"]

# So many rows with the longest steps, or this share of all, are always computed.
_FAR, _SHARE = 64, 1 / 1000
# Bounds are widened by this share, which rounding does not reach.
_SLACK = 1e-9

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class ComparedRows:
    """Training rows in the order of their strangeness.

    Rows without a step, whose fits are not determined, are as strange as can be in all that is
    computed of them. They are in ``total`` alone.

    Parameters
    ----------
    strange : ndarray of shape (n,)
        How strange each row is, ascending.
    weights : ndarray of shape (n,)
        Their weights, positive.
    codes : ndarray of shape (n,)
        Their groups.
    total : float
        The weight of all rows.
    is_far : ndarray of shape (n,), bool
        Whether the step without the group is longer than ``reach``.
    reach : float
        The length that the other steps have at most.
    """

    strange: Array
    weights: Array
    codes: Codes
    total: float
    is_far: npt.NDArray[np.bool_]
    reach: float

    @classmethod
    def of(cls, strange: Array, weights: Array, codes: Codes, steps: Array) -> ComparedRows:
        """The rows of positive weight of a result with these steps of groups."""
        length = np.linalg.norm(steps, axis=1)[codes]
        known = (weights > 0) & np.isfinite(length) & ~np.isnan(strange)
        rows = np.nonzero(known)[0]
        rows = rows[np.argsort(strange[rows], kind="stable")]
        length = length[rows]
        near = len(rows) - max(_FAR, int(_SHARE * len(rows)))
        reach = length.max(initial=0.0) if near < 1 else float(np.partition(length, near)[near])
        return cls(
            strange[rows],
            weights[rows],
            codes[rows],
            float(weights.sum()),
            length > reach,
            reach,
        )

    @cached_property
    def weight_before(self) -> Array:
        """The weight of the rows before each position that are not far, shape (n + 1,)."""
        return np.concatenate([[0.0], np.cumsum(np.where(self.is_far, 0.0, self.weights))])

    def between(self, first: float, last: float) -> tuple[Positions, float]:
        """Rows of a range of strangeness, with those that are far, and the weight before them."""
        start = 0 if np.isnan(first) else int(np.searchsorted(self.strange, first, "left"))
        stop = len(self.strange)
        if not np.isnan(last):
            stop = max(start, int(np.searchsorted(self.strange, last, "right")))
        far = np.nonzero(self.is_far)[0]
        outside = far[(far < start) | (far >= stop)]
        return np.concatenate([np.arange(start, stop), outside]), float(self.weight_before[start])

    def near_ends(
        self, needed: Array, means: tuple[Array, Array], deviations: tuple[Array, Array]
    ) -> tuple[Positions, float]:
        """The rows that decide the upper ends of some new rows, and the weight of those below.

        Parameters
        ----------
        needed : ndarray of shape (b,)
            The weight of the rows that an end is not below.
        means, deviations : tuple of two ndarray of shape (b,)
            Least and largest μ and σ of new rows by fits without rows that are not far.
        """
        if len(self.strange) == 0:
            return self.between(np.nan, np.nan)
        before = self.weight_before[1:]
        far = float(self.weights[self.is_far].sum())
        # The end is above that of the smallest values, with far rows below it, ...
        least = self._at(np.searchsorted(before, needed - far), beyond=float(self.strange[-1]))
        least = np.where(needed > far, least, -np.inf)
        # ... and below that of the largest values, with far rows above it.
        largest = self._at(np.searchsorted(before, needed), beyond=np.inf)
        with np.errstate(all="ignore"):
            lowest = means[0] + least * deviations[0]
            highest = means[1] + largest * deviations[1]
            size = np.abs(means[0]) + np.abs(means[1])
            first = (lowest - means[1] - _SLACK * (np.abs(lowest) + size)) / deviations[1]
            last = (highest - means[0] + _SLACK * (np.abs(highest) + size)) / deviations[0]
        return self.between(float(first.min()), float(last.max()))

    def _at(self, position: Positions, beyond: float) -> Array:
        last = len(self.strange) - 1
        return np.where(position > last, beyond, self.strange[np.minimum(position, last)])
