"""Profiles of the likelihood where columns depend on each other: those without the dependent ones.

A parameter that is estimable is the same in the model without enough of the columns that depend on
others, and so are its profile and its tests. Of the others there is nothing to profile: held at any
value, or left out, they change no prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.inference.profiles import LikelihoodProfiles, Scale
from mcmodels.solvers.profile import Information

__all__ = ["DeterminedProfiles"]


class DeterminedProfiles(LikelihoodProfiles):
    """Profiles of the parameters that the data determine; NaN for the others.

    Parameters
    ----------
    profiles : LikelihoodProfiles or None
        Of the fit without dependent columns; None where no column is left.
    scale : Scale
        Of these profiles.
    kept : sequence of int
        The parameters of a linear predictor that it has.
    determined : ndarray of bool of shape (P,)
        Which parameters of a linear predictor are estimable.
    """

    def __init__(
        self,
        profiles: LikelihoodProfiles | None,
        scale: Scale,
        kept: Sequence[int],
        determined: npt.NDArray[np.bool_],
    ) -> None:
        self.scale, self._profiles = scale, profiles
        self._kept, self._determined = list(kept), determined

    def determined(self, chosen: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Which of the chosen parameters the data determine."""
        return self._determined[np.asarray(chosen, dtype=int) % len(self._determined)]

    def ends(self, chosen: Sequence[int], level: float) -> Array:
        """The ends of profile intervals, shape (k, 2)."""
        return self._filled(chosen, lambda of, some: of.ends(some, level), (2,))

    def score_ends(self, chosen: Sequence[int], level: float, information: Information) -> Array:
        """The ends of the intervals of score tests, shape (k, 2)."""
        return self._filled(chosen, lambda of, some: of.score_ends(some, level, information), (2,))

    def points(self, chosen: Sequence[int], level: float, count: int) -> Array:
        """Values, ``2(f - f̂)/φ`` there and its signed root, shape (k, count, 3)."""
        return self._filled(chosen, lambda of, some: of.points(some, level, count), (count, 3))

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the objective is where parameters are zero, shape (k,)."""
        return self._filled(chosen, lambda of, some: of.excesses(some), ())

    def _filled(
        self,
        chosen: Sequence[int],
        said: Callable[[LikelihoodProfiles, list[int]], Array],
        shape: tuple[int, ...],
    ) -> Array:
        """What is known of the determined ones, with NaN for the others."""
        determined = self.determined(chosen)
        found = np.full((len(determined), *shape), np.nan)
        P = len(self._determined)
        inner = [
            k // P * len(self._kept) + self._kept.index(k % P)
            for k, known in zip(chosen, determined, strict=True)
            if known
        ]
        if inner and self._profiles is not None:
            found[determined] = said(self._profiles, inner)
        return found
