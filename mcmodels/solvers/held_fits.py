"""Fits of a loss with Jeffreys' prior with combinations of the parameters held.

The penalty stays that of the whole model. This is the profile penalised likelihood of Heinze and
Schemper (2002), *A solution to the problem of separation in logistic regression*, Statistics in
Medicine 21, §2.2: a parameter that is left out is held at zero, and its column stays in the
information.

The objective may have several minima. So a fit goes out from two starts, and the lower end counts.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.solvers.jeffreys import Trust, prior_iterates
from mcmodels.solvers.jeffreys_coordinates import PenalisedByInformation
from mcmodels.solvers.refits import BoundsOfProfile
from mcmodels.solvers.solution import Status

__all__ = ["HeldFits"]

# Fits end at this gradient, by the total weight, or after so many steps.
_PRECISE, _MAX_STEPS = 1e-10, 200


class HeldFits(BoundsOfProfile):
    """Fits with combinations of the parameters held.

    Parameters
    ----------
    objective : PenalisedByInformation
        The objective.
    params : ndarray of shape (P,) or (K, P)
        Its minimum.
    combinations : ndarray of shape (m, n)
        Combinations of the raveled parameters; of several classes each sums to zero over them.
    """

    def __init__(
        self, objective: PenalisedByInformation, params: Array, combinations: Array
    ) -> None:
        super().__init__(combinations @ params.ravel())
        self._params, self._combinations = params, combinations
        self._bound = _PRECISE * objective.rows.total_weight
        self._place = objective.place_at(params)

    def least(self, position: int, value: float) -> float:
        """The least value of the objective with one combination held; NaN if it was not found."""
        return self.least_of([position], np.array([value]))

    def least_of(self, positions: list[int], values: Array) -> float:
        """The least value of the objective with combinations held; NaN if it was not found.

        Parameters
        ----------
        positions : list of int
            Which combinations, none of which follows from the others.
        values : ndarray of shape (k,)
            Where they are held.
        """
        place, params = self._place, self._params
        inner = place.inner
        first = inner.without_shift(place.from_users(params))
        r = first.shape[-1]
        C = self._combinations[positions].reshape(len(positions), *params.shape)
        C = (C @ place.to_users(np.eye(r)).T).reshape(len(positions), -1)
        lengths = np.linalg.norm(C, axis=1)
        C, values = C / lengths[:, np.newaxis], values / lengths
        shifts = np.kron(np.ones((1, len(first))), np.eye(r)) if first.ndim > 1 else C[:0]
        free = linalg.null_space(np.vstack([C, shifts]))
        found = np.nan
        # From the minimum, and from where nothing else is different from zero.
        for start in (first, np.zeros_like(first)):
            moved = linalg.lstsq(C, values - C @ start.ravel())[0].reshape(first.shape)
            begin = start + inner.without_shift(moved)
            if np.isfinite(inner.value(begin)):
                *_, last = prior_iterates(inner, begin, self._bound, _MAX_STEPS, 0, Trust(), free)
                if last.status is Status.CONVERGED:
                    left = max(last.direction.decrease, 0.0) / 2.0
                    found = np.fmin(found, last.derivatives.value - left)
        return float(found) + place.constant(len(np.atleast_2d(params)))
