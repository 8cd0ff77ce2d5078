"""Profiles of a likelihood of several classes.

The data determine differences between the classes alone, and so profiles are of differences: of
``θ_kj - θ_rj``, the parameter j of class k against a class r of reference. The profile

    ``f(t) = min { f(θ) : θ_kj - θ_rj = t }``

does not depend on how the parameters are made unique, and that of r against k is its mirror image.
A likelihood-ratio test leaves a column out of all classes: K - 1 restrictions. Where the classes
are separated, profiles and tests are those of :mod:`mcmodels.inference.limit_profiles`, with the
differences for parameters. With Jeffreys' prior f is the penalised objective; what is left out is
held at zero, and the prior stays that of the whole model, as in :mod:`mcmodels.solvers.held_fits`.
Sources as in :mod:`mcmodels.inference.profiles`; Agresti (2013), *Categorical Data Analysis*, 3rd
ed., §8.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.limit_profiles import LimitProfiles
from mcmodels.inference.profiles import FiniteProfiles, LikelihoodProfiles, Scale
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.choices import ChoiceLoss, ChoiceObjective
from mcmodels.rows import PairRows, Rows, WithoutColumn
from mcmodels.solvers.choice_limits import ChoiceLimits
from mcmodels.solvers.exact_units import ExactUnits
from mcmodels.solvers.held_fits import HeldFits
from mcmodels.solvers.limits import Limit
from mcmodels.solvers.profile import Information
from mcmodels.solvers.refits import least_without

__all__ = ["ClassLimitProfiles", "ClassProfiles"]


@dataclass(frozen=True)
class ClassProfiles(FiniteProfiles):
    """Profiles of differences between classes about a maximum.

    Parameters
    ----------
    refits : HeldFits or None
        Fits with differences held, of an objective with Jeffreys' prior; None without it.
    objective : LinearPredictorObjective
        Minus the log-likelihood, penalised or not.
    params : ndarray of shape (K, P)
        Its minimum.
    """

    refits: HeldFits | None
    objective: LinearPredictorObjective
    params: Array

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the objective is without columns, given by their positions."""
        if self.refits is None:
            least = [least_without(self.objective, self.params, k) for k in chosen]
        else:
            zeros, P = np.zeros(len(self.params) - 1), self.params.shape[-1]
            of_column = [[k + P * m for m in range(len(zeros))] for k in chosen]
            least = [self.refits.least_of(positions, zeros) for positions in of_column]
        return np.array([self.above_minimum(value) for value in least])


class ClassLimitProfiles(LikelihoodProfiles):
    """Profiles of differences between classes that are separated.

    They are computed in columns of about unit variance near zero, which are exact. The
    difference of two intercepts is that at zero, so that it has columns about zero.

    Parameters
    ----------
    rows : Rows
        The rows of the fit, with class codes.
    names : sequence of str
        Names of the differences, for messages.
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
        names: Sequence[str],
        scale: Scale,
        n_classes: int,
        reference: int,
        columns: Sequence[str],
    ) -> None:
        self.scale, self._n_columns = scale, rows.n_params
        units = ExactUnits.of(rows)
        self._units = np.append(units.unit, np.ones(int(rows.intercept)))

        def profiles(of: ExactUnits) -> _ChoiceProfiles:
            return _ChoiceProfiles(of.rows(rows), names, scale, n_classes, reference, columns)

        self._of_features = self._of_intercepts = profiles(units)
        if units.centre.any():
            self._of_intercepts = profiles(units.about_zero())

    def ends(self, chosen: Sequence[int], level: float) -> Array:
        """The ends of profile intervals, shape (k, 2)."""
        found = [self._of(k).ends([k], level)[0] / self._unit(k) for k in chosen]
        return np.array(found, dtype=np.float64).reshape(-1, 2)

    def score_ends(self, chosen: Sequence[int], level: float, information: Information) -> Array:
        """The ends of the intervals of score tests, shape (k, 2)."""
        ends = [self._of(k).score_ends([k], level, information)[0] for k in chosen]
        found = [end / self._unit(k) for k, end in zip(chosen, ends, strict=True)]
        return np.array(found, dtype=np.float64).reshape(-1, 2)

    def points(self, chosen: Sequence[int], level: float, count: int) -> Array:
        """Values, ``2(f - f̂)/φ`` there and its signed root, shape (k, count, 3)."""
        tables = [
            self._of(k).points([k], level, count)[0] / [self._unit(k), 1.0, 1.0] for k in chosen
        ]
        return np.array(tables).reshape(-1, count, 3)

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the infimum is without columns, given by their positions."""
        return np.array([self._of(k).excesses([k])[0] for k in chosen])

    def _of(self, k: int) -> _ChoiceProfiles:
        is_last = k % self._n_columns == self._n_columns - 1
        return self._of_intercepts if is_last else self._of_features

    def _unit(self, k: int) -> float:
        return float(self._units[k % self._n_columns])


class _ChoiceProfiles(LimitProfiles):
    """The same, in the columns of the rows. Parameters are those of the whole."""

    def __init__(
        self,
        rows: Rows,
        names: Sequence[str],
        scale: Scale,
        n_classes: int,
        reference: int,
        columns: Sequence[str],
    ) -> None:
        self._rows, self._columns = rows, columns
        self._classes = n_classes, reference
        objective = self._choices(rows)
        super().__init__(objective, np.zeros(objective.rows.n_params), names, scale)
        self._limits = ChoiceLimits(objective)

    def excesses(self, chosen: Sequence[int]) -> Array:
        """How much higher the infimum is without columns of all classes."""

        def without(k: int) -> float:
            small = ChoiceLimits(self._choices(WithoutColumn(self._rows, k))).limit_of()
            return self._proved(small, f" without {self._columns[k]}").value

        return np.array([without(k) for k in chosen]) - self._limit.value

    def _limit_of(self, without: int | None = None, held: float = 0.0) -> Limit | None:
        return self._limits.limit_of(without, held)

    def _choices(self, rows: Rows) -> ChoiceObjective:
        return ChoiceObjective(PairRows(rows, *self._classes), ChoiceLoss())
