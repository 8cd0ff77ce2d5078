"""Intervals and sets by models that were fitted again without each unit, which are kept.

``μ₋ᵢ(x)`` is what model i predicts, by its own ``predict`` or ``predict_proba``. Formulas are those
of :mod:`mcmodels.reweighting.conformal`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _num_samples

from mcmodels.arrays import Array, Codes, Weights
from mcmodels.estimators.glm_methods import GlmMethods
from mcmodels.estimators.parameter_methods import output_table
from mcmodels.exceptions import InferenceError
from mcmodels.inference.weighting import Weighting
from mcmodels.resampling.new_row_tables import NewRowTable
from mcmodels.resampling.outcomes import Means
from mcmodels.reweighting.compared_rows import ComparedRows
from mcmodels.reweighting.conformal import (
    adaptive_strangeness,
    less_strange,
    margin_strangeness,
    needed_weight,
    residual_strangeness,
    sets_of,
    upper_ends,
)
from mcmodels.rows import RowStream
from mcmodels.tables.dask_stream import is_dask

__all__ = [
    "IntervalsByModels",
    "OneClass",
    "RefittedModels",
    "SetsByModels",
    "TableByModels",
    "at_the_end",
]

# Numbers that are held at a time, of new rows and training rows.
_ENTRIES = 2**22
# Probabilities of zero: their logarithms are finite.
_LEAST = 1e-300


def at_the_end(model: Any, X: Any = None) -> tuple[Any, Any]:
    """The model behind the steps of pipelines and searches, and X, if any, as it takes them."""
    while True:
        if isinstance(model, Pipeline):
            if X is not None and len(model.steps) > 1:
                X = model[:-1].transform(X)
            model = model.steps[-1][1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return model, X


class OneClass:
    """The fit of rows of a single class."""

    def __init__(self, label: Any) -> None:
        self.classes_ = np.array([label])

    def predict_proba(self, X: Any, **offsets: Any) -> Array:
        """One for each row."""
        return np.ones((_num_samples(X), 1))


@dataclass(frozen=True)
class RefittedModels:
    """The models without each unit.

    Parameters
    ----------
    model : estimator
        The fit of all rows.
    models : list of estimator
        Those without each unit.
    names : sequence
        Names of the targets.
    """

    model: Any
    models: list[Any]
    names: Any

    def means(self, X: Any, offsets: dict[str, Any]) -> tuple[Array, Array]:
        """Predictions of new rows, shape (b, T), and by each of the models, shape (m, b, T)."""
        here = self._mean(self.model, X, offsets)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            others = [self._mean(one, X, offsets) for one in self.models]
        return here, np.stack(others)

    def probabilities(self, X: Any, offsets: dict[str, Any]) -> tuple[Array, Array]:
        """The same of classes, shapes (b, K) and (m, b, K)."""
        here = np.asarray(self.model.predict_proba(X, **offsets), np.float64)
        others = np.zeros((len(self.models), *here.shape))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for one, found in zip(self.models, others, strict=True):
                place = np.searchsorted(self.model.classes_, one.classes_)
                found[:, place] = one.predict_proba(X, **offsets)
        return here, others

    def deviation(self, mean: Array) -> Array:
        """``√V(μ)``; one of models that are no family."""
        end, _ = at_the_end(self.model)
        return Means(end).deviation(mean) if isinstance(end, GlmMethods) else np.ones_like(mean)

    @property
    def range(self) -> tuple[float, float]:
        """Between these are all targets."""
        end, _ = at_the_end(self.model)
        return Means(end).range if isinstance(end, GlmMethods) else (-np.inf, np.inf)

    @staticmethod
    def _mean(model: Any, X: Any, offsets: dict[str, Any]) -> Array:
        found = np.asarray(model.predict(X, **offsets), np.float64)
        return found.reshape(len(found), -1)


def compared(strange: Array, weights: Array, codes: Codes) -> ComparedRows:
    """Training rows in the order of their strangeness; all are computed."""
    return ComparedRows.of(strange, weights, codes, np.zeros((int(codes.max()) + 1, 1)))


@dataclass(frozen=True)
class IntervalsByModels:
    """Prediction, lower and upper end of each new row and target, shape (b, T, 3).

    Parameters are those of :class:`~mcmodels.resampling.new_rows.IntervalsOfRows`.
    """

    fits: RefittedModels
    compared: tuple[ComparedRows, ...]
    scaled: bool
    precise: bool
    counted: bool
    level: float

    def of(self, X: Any, weights: Array, offsets: dict[str, Any]) -> Array:
        """The intervals of new rows with these weights."""
        here, means = self.fits.means(X, offsets)
        deviations = self.fits.deviation(means) if self.scaled else np.ones_like(means)
        if self.precise:
            deviations = deviations / np.sqrt(weights)[:, np.newaxis]
        found = np.empty((*here.shape, 3))
        found[:, :, 0] = here
        new = weights if self.counted else np.ones(len(weights))
        for t, rows in enumerate(self.compared):
            needed = needed_weight(self.level, rows.total, new)
            for part in _parts(len(here), len(rows.codes)):
                mean = means[rows.codes, part, t].T
                width = rows.strange * deviations[rows.codes, part, t].T
                for column, sign in ((1, -1.0), (2, 1.0)):
                    ends = upper_ends(sign * mean + width, rows.weights, needed[part])
                    found[part, t, column] = sign * ends
        found[:, :, 1:] = np.clip(found[:, :, 1:], *self.fits.range)
        return found


@dataclass(frozen=True)
class SetsByModels:
    """Which classes are in the set of each new row, shape (b, number of classes).

    Parameters are those of :class:`~mcmodels.resampling.new_rows.SetsOfRows`.
    """

    fits: RefittedModels
    compared: tuple[ComparedRows, ...]
    score: str
    by_class: bool
    counted: bool
    level: float
    nonempty: bool

    def of(self, X: Any, weights: Array, offsets: dict[str, Any]) -> npt.NDArray[np.bool_]:
        """The sets of new rows with these weights."""
        here, others = self.fits.probabilities(X, offsets)
        of_fit = strangeness(here.T, self.score).T
        by_models = strangeness(np.moveaxis(others, 2, 0), self.score)  # (K, m, b)
        less = np.empty(of_fit.shape)
        for k, rows in enumerate(self.compared):
            for part in _parts(len(here), len(rows.codes)):
                of_new = by_models[k][rows.codes, part].T
                less[part, k] = less_strange(rows.strange, of_new, rows.weights)
        totals = np.array([rows.total for rows in self.compared])
        new = weights if self.counted else np.ones(len(weights))
        return sets_of(less, totals, of_fit, new, self.level, nonempty=self.nonempty)


def strangeness(p: Array, score: str) -> Array:
    """How strange each class is, of probabilities of shape (K, …)."""
    eta = np.log(np.maximum(p, _LEAST))
    return margin_strangeness(eta) if score == "probability" else adaptive_strangeness(eta)


def residuals_of(fits: RefittedModels, y: Array, mean: Array, roots: Any, scaled: bool) -> Array:
    """How strange the targets of training rows are to the models without them, shape (n, T)."""
    deviation = fits.deviation(mean) if scaled else np.ones_like(mean)
    return residual_strangeness(y, mean, deviation / roots)


def _parts(count: int, width: int) -> list[slice]:
    height = max(1, _ENTRIES // max(width, 1))
    return [slice(start, start + height) for start in range(0, count, height)]


@dataclass(frozen=True)
class TableByModels(NewRowTable):
    """The table of new rows by models that were fitted again."""

    weighting: Weighting = Weighting.FREQUENCY

    @property
    def _weighting(self) -> Weighting:
        return self.weighting

    def of(self, X: Any, *, sample_weight: Weights = None, **offsets: Any) -> pd.DataFrame:
        """The table of rows that are in memory."""
        weights = self._weights_of(np.empty((_num_samples(X), 0)), sample_weight)
        given = {name: value for name, value in offsets.items() if value is not None}
        found = self.values.of(X, weights, given)
        index = X.index if isinstance(X, pd.DataFrame) else None
        if isinstance(self.values, IntervalsByModels):
            names = self.values.fits.names if found.shape[1] > 1 else range(1)
            return output_table(found, ["prediction", "lower", "upper"], names, "target", index)
        table = pd.DataFrame(found, columns=self.model.classes_, index=index)
        table["size"] = found.sum(axis=1)
        return table

    def refuse_streams(self, *given: Any) -> None:
        """Refuse new rows that are not in memory."""
        if any(isinstance(one, RowStream) or is_dask(one) for one in given):
            raise InferenceError(
                f"{self.method}: {type(self.model).__name__} was fitted again without each row, "
                "and these fits predict rows in memory; pass arrays."
            )
