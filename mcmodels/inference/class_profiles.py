"""Profiles of a likelihood of several classes.

The data determine differences between the classes alone, and so profiles are of differences: of
``θ_kj - θ_rj``, the parameter j of class k against a class r of reference. The profile

    ``f(t) = min { f(θ) : θ_kj - θ_rj = t }``

does not depend on how the parameters are made unique, and that of r against k is its mirror image.
A likelihood-ratio test leaves a column out of all classes: K - 1 restrictions. Where the classes
are separated, profiles and tests are those of :mod:`mcmodels.inference.limit_profiles`, with the
differences for parameters. Sources as in :mod:`mcmodels.inference.profiles`; Agresti (2013),
*Categorical Data Analysis*, 3rd ed., §8.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.limit_profiles import LimitProfiles
from mcmodels.inference.profiles import FiniteProfiles, Scale
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.choices import ChoiceLoss, ChoiceObjective
from mcmodels.rows import PairRows, Rows, WithoutColumn
from mcmodels.solvers.choice_limits import ChoiceLimits
from mcmodels.solvers.limits import Limit
from mcmodels.solvers.refits import least_without

__all__ = ["ClassLimitProfiles", "ClassProfiles"]


@dataclass(frozen=True)
class ClassProfiles(FiniteProfiles):
    """Profiles of differences between classes about a maximum.

    Parameters
    ----------
    objective : LinearPredictorObjective
        Minus the log-likelihood.
    params : ndarray of shape (K, P)
        Its minimum.
    """

    objective: LinearPredictorObjective
    params: Array

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the objective is without columns, given by their positions."""
        least = [least_without(self.objective, self.params, k) for k in chosen]
        return np.array(least) - self.profile.minimum


class ClassLimitProfiles(LimitProfiles):
    """Profiles of differences between classes that are separated.

    Parameters
    ----------
    rows : Rows
        The rows of the fit, with class codes.
    params : ndarray of shape ((K - 1)P,)
        Differences from the class of reference where the fit has stopped.
    names : sequence of str
        Names of these differences, for messages.
    scale : Scale
        φ, which must be known.
    n_classes, reference : int
        K, and the class of reference.
    columns : sequence of str
        Names of the columns, the intercept last.
    """

    def __init__(
        self,
        rows: Rows,
        params: Array,
        names: Sequence[str],
        scale: Scale,
        n_classes: int,
        reference: int,
        columns: Sequence[str],
    ) -> None:
        self._rows, self._columns = rows, columns
        self._classes = n_classes, reference
        objective = self._choices(rows)
        super().__init__(objective, params, names, scale)
        self._limits = ChoiceLimits(objective)

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the infimum is without columns, given by their positions."""

        def without(k: int) -> float:
            small = ChoiceLimits(self._choices(WithoutColumn(self._rows, k))).limit_of()
            return self._proved(small, f" without {self._columns[k]}").value

        return np.array([without(k) for k in chosen]) - self._limit.value

    def _limit_of(self, without: int | None = None, held: float = 0.0) -> Limit | None:
        return self._limits.limit_of(without, held)

    def _choices(self, rows: Rows) -> ChoiceObjective:
        return ChoiceObjective(PairRows(rows, *self._classes), ChoiceLoss())
