"""What a report says of the rows of a fit, in memory or read in blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mcmodels.arrays import Array
from mcmodels.cli.model_files import formula_of, level_name, levels_by_column
from mcmodels.glm import GeneralizedLinearRegressor
from mcmodels.linear import LinearRegression
from mcmodels.logistic import LogisticRegression
from mcmodels.pca import PCA
from mcmodels.rows import RowStream

__all__ = ["FitData"]


@dataclass(frozen=True)
class FitData:
    """The rows of a fit, and what is counted of them.

    Parameters
    ----------
    rows : tuple
        X, y and weights, as methods of the model take them; or a stream alone.
    n_rows : int
        Their number.
    features : sequence of str
        Columns of the file.
    names : sequence of str
        Columns of X.
    baselines : list of str
        Names of the levels that have no column.
    total_weight : float
        The sum of the weights.
    objective : float
        The objective at the solution.
    target_varies : bool
        Whether a linear model has something to explain.
    class_counts : sequence of int
        The number of rows of each class; empty without classes.
    accuracy : float
        The share of weight that a classifier gets right; NaN without classes.
    """

    rows: tuple[Any, ...]
    n_rows: int
    features: Sequence[str]
    names: Sequence[str]
    baselines: list[str]
    total_weight: float
    objective: float
    target_varies: bool = True
    class_counts: Sequence[int] = field(default_factory=list)
    accuracy: float = np.nan

    @classmethod
    def in_memory(
        cls,
        pipeline: Pipeline,
        X: pd.DataFrame,
        y: Any,
        sample_weight: Array | None,
        offsets: Mapping[str, Array],
    ) -> Self:
        """Those of a frame whose columns the pipeline codes."""
        model, levels = pipeline["model"], levels_by_column(pipeline)
        encoded = pipeline["encode"].transform(X)
        found: dict[str, Any] = {}
        if isinstance(model, LinearRegression):
            present = y if sample_weight is None else y[sample_weight > 0]
            found["target_varies"] = bool(
                np.ptp(present) > 0 if model.fit_intercept else np.any(present)
            )
        if isinstance(model, LogisticRegression):
            found["class_counts"] = np.unique(y, return_counts=True)[1].tolist()
            found["accuracy"] = model.score(encoded, y, sample_weight)
        # Levels of components have a column each, and contrasts of a formula need no baseline.
        if not isinstance(model, PCA) and formula_of(pipeline) is None:
            found["baselines"] = [level_name(name, levels[name][0]) for name in levels]
        return cls(
            rows=(encoded, y, sample_weight),
            n_rows=len(X),
            features=list(X.columns),
            names=list(encoded.columns),
            objective=model.objective(encoded, y, sample_weight=sample_weight, **offsets),
            total_weight=len(X) if sample_weight is None else float(sample_weight.sum()),
            **{"baselines": [], **found},
        )

    @classmethod
    def in_blocks(cls, model: Any, rows: Any) -> Self:
        """Those of a scan. One more pass counts classes, or squares; no target is kept."""
        columns = model.table_columns_
        found: dict[str, Any] = {}
        if isinstance(model, LinearRegression):
            found["target_varies"] = bool(np.isfinite(getattr(model, "r_squared_", np.nan)))
            found["objective"] = sum(  # it has no penalty
                model.objective(X, y, sample_weight=w) for _, (X, y, w, *_) in rows.nonempty()
            )
        if isinstance(model, LogisticRegression):
            found["class_counts"], found["accuracy"] = _counted(model, rows)
            found["objective"] = model._record().objective
        if isinstance(model, GeneralizedLinearRegressor):
            found["objective"] = model.objective_
        if isinstance(model, PCA):
            found["objective"] = model.objective(rows)
        return cls(
            rows=(rows,),
            n_rows=rows.n_rows,
            features=columns.features,
            names=columns.names,
            baselines=[f"{name}_{known[0]}" for name, known in columns.levels.items()],
            total_weight=float(model._record().seen.total_weight),
            **found,
        )


def _counted(model: LogisticRegression, rows: RowStream) -> tuple[list[int], float]:
    """The number of rows of each class, and the share of weight that is predicted rightly."""
    counts = np.zeros(len(model.classes_), dtype=int)
    right = total = 0.0
    for _, (X, y, weights, *_) in rows.nonempty():
        hits, w = model.predict(X) == y, np.ones(len(y)) if weights is None else weights
        right, total = right + float(w[hits].sum()), total + float(w.sum())
        counts += np.bincount(np.searchsorted(model.classes_, y), minlength=len(counts))
    return counts.tolist(), right / total
