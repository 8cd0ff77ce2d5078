"""Marginal effects of models with offsets, of rows here and elsewhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Weights
from mcmodels.estimators.arguments import check_choice, check_flag
from mcmodels.estimators.offset_methods import OffsetRows
from mcmodels.inference.estimate import check_level
from mcmodels.inference.marginal_effects import At, effects_of_rows, indicators_of, marginal_effects
from mcmodels.inference.responses import Response
from mcmodels.tables.dask_results import lazily
from mcmodels.tables.dask_stream import is_dask

__all__ = ["EffectMethods"]


class EffectMethods(OffsetRows):
    """Marginal effects on what a model predicts: probabilities, or means."""

    @abstractmethod
    def _response(self) -> Response:
        """Predictions as functions of linear predictors."""

    @abstractmethod
    def _names_of_effects(self) -> tuple[str, ...]:
        """Names of the effects: features, for each class where there are more than two."""

    def _marginal_effects(
        self,
        X: Any,
        at: At,
        discrete: bool,
        level: float,
        sample_weight: Weights,
        offsets: Mapping[str, Any],
    ) -> Any:
        check_choice("at", at, ("average", "means", "rows"))
        check_flag("discrete", discrete)
        check_level(level)
        if at == "rows" and sample_weight is not None:
            raise ValueError(
                "at='rows' takes no mean, so that sample_weight has no effect; leave it out."
            )
        record, names = self._record(), list(self._names_of_effects())
        rows, index = self._indexed_rows(X, sample_weight, weighted=at != "rows", **offsets)
        indicators = indicators_of(rows) if discrete else np.zeros(0, dtype=np.intp)
        if at != "rows":
            record.warn_of_perfect_fit()
            found = marginal_effects(record.model, self._response(), rows, indicators, at=at)
            shown = not record.is_penalised
            table = replace(found, names=tuple(names)).table(level, p_values=shown)
            return table.set_axis(names)
        if is_dask(X):
            like = pd.DataFrame(columns=names, dtype=np.float64)
            given = {"X": X, **offsets}
            return lazily(self, "_effects_in_part", given, like=like, indicators=indicators)
        effects = effects_of_rows(record.model, self._response(), rows, indicators)
        return pd.DataFrame(effects, columns=names, index=index)

    def _effects_in_part(self, X: Any, *, indicators: Any, **offsets: Any) -> pd.DataFrame:
        """Effects in some of the rows, where it is known which features are 0 or 1 in all."""
        rows, index = self._indexed_rows(X, **offsets)
        effects = effects_of_rows(self._record().model, self._response(), rows, indicators)
        return pd.DataFrame(effects, columns=list(self._names_of_effects()), index=index)
