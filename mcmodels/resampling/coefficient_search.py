"""Fits without rows, and effects of rows, of a coefficient and its interval."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.estimators.influence_methods import InfluenceMethods
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.robust import HC_KINDS
from mcmodels.resampling.exact_effects import by_targets
from mcmodels.resampling.fit_functions import fit_function
from mcmodels.resampling.groups import given_or_held
from mcmodels.resampling.influential_search import Effects, FoundSet, Point, smallest_set
from mcmodels.resampling.parameter_names import named_coefficient
from mcmodels.resampling.training_data import TrainingData
from mcmodels.reweighting.effects import effects_of_rows
from mcmodels.reweighting.error_effects import (
    Noise,
    model_variance_effects,
    sandwich_variance_effects,
)
from mcmodels.reweighting.whitened_fit import GROUP, weights_of

__all__ = ["KINDS", "CoefficientSearch", "Goal", "goals_of"]

# Covariances that a search knows.
KINDS = ("nonrobust", *HC_KINDS, "cluster")
# Fits of so many entries take milliseconds.
_FEW_ENTRIES = 200_000


@dataclass(frozen=True)
class Goal:
    """``g = by_estimate θ + by_error q s > 0``; q s is half the length of the interval."""

    by_estimate: float
    by_error: float

    def of(self, estimate: Estimate, level: float) -> float:
        """The number g of an estimate."""
        return self.at(*_center_and_reach(estimate, level))

    def at(self, center: float, reach: float) -> float:
        """The number g of an interval: its centre, and half its length."""
        return self.by_estimate * center + self.by_error * reach


def _center_and_reach(estimate: Estimate, level: float) -> tuple[float, float]:
    """The estimate, and half the length of its interval."""
    reach = float(np.ravel(estimate.quantile(level))[0]) * float(estimate.standard_errors[0])
    return float(estimate.params[0]), reach


def goals_of(before: Estimate, change: str, level: float) -> list[Goal]:
    """What must become positive for a change; for an interval that gets free of zero, two goals."""
    sign = float(np.sign(before.params[0]))
    if change == "sign":
        return [Goal(-sign, 0.0)]
    if change == "significant opposite":
        return [Goal(-sign, -1.0)]
    lower, upper = before.intervals(level)[0]
    if lower <= 0 <= upper:
        return [Goal(sign, -1.0), Goal(-sign, -1.0)]
    return [Goal(-sign, 1.0)]


def _kind_in_use(record: Any, kind: str | None, has_groups: bool) -> str:
    """The kind of covariance: that of the model, or HC1 where it has none."""
    if kind is None and record.chosen is not None:
        kind = record.chosen.kind
        if kind not in (KINDS if has_groups else KINDS[:-1]):
            raise InferenceError(
                f"the covariance in use is {kind!r}; pass one of {', '.join(map(repr, KINDS))} as "
                "kind, and groups for 'cluster'."
            )
    if kind == "nonrobust":
        record.weighting.refuse_model_covariance(kind)
    of_model = record.weighting.has_likelihood and getattr(record, "is_likelihood", True)
    return kind or ("nonrobust" if of_model else "HC1")


class CoefficientSearch:
    """Fits without rows and effects of rows, of one coefficient of a model.

    Parameters
    ----------
    data : TrainingData
        The model with its rows.
    of : str or tuple
        Name of the coefficient.
    kind : str or None
        Of the covariance.
    groups : array-like or None
        Clusters.
    level : float
        Of intervals.
    """

    def __init__(
        self, data: TrainingData, of: Any, kind: str | None, groups: Any, level: float
    ) -> None:
        self.data, self.level = data, level
        training = data.training({})
        known = given_or_held(groups, data.X)
        self.kind = _kind_in_use(data.model._record(), kind, known is not None)
        if self.kind == "cluster":
            groups = known
        self.groups = groups
        if (groups is not None) != (self.kind == "cluster"):
            raise ValueError(
                f"kind={self.kind!r} needs groups, the cluster of each row."
                if groups is None
                else f"groups was given, but kind={self.kind!r}; pass kind='cluster'."
            )
        self.codes: dict[str, Any] = {}
        if groups is not None:
            if np.ndim(groups) != 1:
                raise ValueError(
                    "most_influential takes clusters of one grouping: one label a row."
                )
            self.codes = {GROUP: pd.factorize(np.asarray(groups))[0]}
        self.place, self.coefficient = named_coefficient(data.model._record(), of)
        self.weights = training.fit.rows.map(lambda block: np.array(weights_of(block)))
        self.index, self.n_all = training.index, len(self.weights)
        self.present = self.weights > 0
        self.n_rows = int(np.count_nonzero(self.present))
        self.n_entries = self.n_all * training.fit.rows.n_features
        # Of sets that were fitted: the estimate, and half the length of its interval.
        self._intervals: dict[tuple[int, ...], tuple[float, float]] = {}

    def estimate_of(self, data: TrainingData) -> Estimate:
        """The coefficient with the covariance in use, of the model of these rows."""
        model: InfluenceMethods = data.model
        record = model._record()
        if self.kind == "nonrobust":
            found = record.fitted_estimate
        else:
            given = (data.X, data.y, data.sample_weight)
            options = (
                data.offsets if self.groups is None else {**data.offsets, "groups": self.groups}
            )
            found = model._estimate(*given, kind=self.kind, **options)[1]
        reported, place = record.reported(found), self.place
        one = np.zeros((1, len(reported.names)))
        one[0, place] = 1.0
        return reported.image(one, reported.params[[place]], (self.coefficient.name,))

    def smallest(self, goal: Goal, most: int, most_tried: int | None = None) -> FoundSet:
        """The smallest set that was found for a goal; see :func:`smallest_set`."""

        def known(rows: tuple[int, ...]) -> float | None:
            return goal.at(*self._intervals[rows]) if rows in self._intervals else None

        return smallest_set(
            self._fit_without(goal),
            self._effects_at(goal),
            np.flatnonzero(self.present),
            most,
            thorough=self.n_entries <= _FEW_ENTRIES,
            most_tried=most_tried,
            known=known,
        )

    def _fit_without(self, goal: Goal) -> Callable[[tuple[int, ...]], Point]:
        def fit_without(rows: tuple[int, ...]) -> Point:
            if not rows:
                estimate = self.estimate_of(self.data)
                return Point(goal.of(estimate, self.level), (self.data.model, estimate))
            return self._without(rows, goal)

        return fit_without

    def _without(self, rows: tuple[int, ...], goal: Goal) -> Point:
        fewer = self.data.without(self._mask(rows))
        shape = np.shape(self.data.model._record().params)
        try:
            with warnings.catch_warnings():  # one for each fit would say nothing of the answer
                warnings.simplefilter("ignore")
                model = fewer.fitted()
                record = model._record()
                if record.undetermined or np.shape(record.params) != shape:
                    return self._no_fit(rows)
                estimate = self.estimate_of(fewer.of(model))
        except ValueError:  # a class is gone, or nothing is left to estimate a variance from
            return self._no_fit(rows)
        self._intervals[rows] = _center_and_reach(estimate, self.level)
        return Point(goal.at(*self._intervals[rows]), (model, estimate))

    def _no_fit(self, rows: tuple[int, ...]) -> Point:
        self._intervals[rows] = np.nan, np.nan
        return Point(np.nan, None)

    def _effects_at(self, goal: Goal) -> Effects:
        def effects_at(rows: tuple[int, ...], point: Point, *, of_all: bool = False) -> Array:
            model, estimate = point.fit
            data = self.data.without(self._mask(rows)) if rows else self.data
            fit = by_targets(data.of(model).training({"given": self.weights, **self.codes}).fit)
            given = "given" if of_all else None
            a = fit_function(model, self.coefficient).slope(fit)
            effects = goal.by_estimate * effects_of_rows(fit, a, given=given)
            if goal.by_error:
                reach = self._reach_effects(model, estimate, fit, a, given)
                effects = effects + goal.by_error * reach
            effects[~self.present] = np.nan
            if not of_all:
                effects[list(rows)] = np.nan
            return effects

        return effects_at

    def _reach_effects(
        self, model: Any, estimate: Estimate, fit: Any, a: Array, given: str | None
    ) -> Array:
        """Changes of half the length of the interval without each row."""
        record = model._record()
        weighting = record.weighting
        df = float(np.ravel(estimate.df)[0])
        robust = self.kind != "nonrobust"
        is_single = fit.basis.n_outputs == 1
        if robust and is_single:
            relative = sandwich_variance_effects(
                fit,
                a,
                counts_rows=weighting.counts_rows,
                clustered=bool(self.codes),
                given=given,
            )
        elif not robust:
            noise = Noise(df, weighting.in_row) if np.isfinite(df) and is_single else None
            relative = model_variance_effects(fit, a, noise, given=given)
        else:
            relative = np.zeros(self.n_all)
        q = float(np.ravel(estimate.quantile(self.level))[0])
        s = float(estimate.standard_errors[0])
        lower = q
        if np.isfinite(df) and df > 1 and not self.codes:  # of clusters it is their number
            lower = float(stats.t.isf((1 - self.level) / 2, df - 1))
        # Variances of a linear extrapolation may be negative; a tenth of the error is a floor.
        return np.asarray(lower * s * np.sqrt(np.maximum(1.0 + relative, 0.01)) - q * s)

    def _mask(self, rows: tuple[int, ...]) -> npt.NDArray[np.bool_]:
        mask = np.zeros(self.n_all, dtype=bool)
        mask[list(rows)] = True
        return mask
