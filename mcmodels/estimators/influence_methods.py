"""The influence of training rows on a fit: how rows are read, whatever was fitted."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, Matrix
from mcmodels.estimators.linear_predictor import index_of
from mcmodels.estimators.offsets import with_offsets
from mcmodels.estimators.parameter_methods import ParameterMethods
from mcmodels.inference.influence import influence_columns
from mcmodels.rows import Rows, rows_of
from mcmodels.tables.dask_results import lazily
from mcmodels.tables.dask_stream import in_parts, is_dask

__all__ = ["InfluenceMethods"]


class InfluenceMethods(ParameterMethods):
    """Influence of the training rows, here or in the partitions of collections of Dask."""

    # Columns of the table between leverage and DFBETAS.
    _influence_measures: tuple[str, ...]

    @abstractmethod
    def _influence_of(self, rows: Rows, index: pd.Index | None, scale: float) -> pd.DataFrame:
        """The table of rows without weights; those of the fit are ``extras["frequency"]``."""

    def _scale_of_influence(self, rows: Rows) -> float:
        """The scale of the scores of all training rows, for models whose fit has none."""
        return 1.0

    def _influence(self, **given: Any) -> Any:
        """The influence of the training rows; the arguments are X, y, weights and offsets."""
        record = self._record()
        _ = record.model.whitening  # raises if there is none, before any row is read
        if (stream := in_parts(**given)) is not None and is_dask(given["X"]):
            rows = self._rows_in_parts(stream)
            self._require_training_rows(rows)
            record.warn_of_perfect_fit()
            columns = influence_columns(self._influence_measures, record.model.names)
            like = pd.DataFrame(columns=columns, dtype=np.float64)
            scale = self._scale_of_influence(rows)
            return lazily(self, "_influence_in_part", given, like=like, scale=scale)
        X, y, sample_weight, _, offsets = with_offsets(**given)
        index = index_of(X)
        X, targets, weights = self._training_rows(X, y, sample_weight, **offsets)
        index = index_of(X) if index is None else index
        record.warn_of_perfect_fit()
        extras = self._offsets_of(X, **offsets)
        rows = rows_of(X, targets, weights, extras, intercept=record.intercept)
        scale = self._scale_of_influence(rows)
        return self._influence_of(self._unweighted(X, targets, weights, extras), index, scale)

    def _influence_in_part(
        self, X: Any, y: Any, sample_weight: Any, *, scale: float, **offsets: Any
    ) -> pd.DataFrame:
        """Influence of some of the training rows, which may all have weight 0."""
        rows, targets, weights = self._validated(X, y, sample_weight, allow_all_zero=True)
        unweighted = self._unweighted(rows, targets, weights, self._offsets_of(rows, **offsets))
        return self._influence_of(unweighted, index_of(X), scale)

    def _unweighted(
        self, X: Matrix, targets: Any, weights: Array | None, extras: dict[str, Array]
    ) -> Rows:
        extras = extras if weights is None else extras | {"frequency": weights}
        return rows_of(X, targets.ravel(), extras=extras, intercept=self._record().intercept)
