"""Text tables of a fitted model: what a person reads after a fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mcmodels._validation import listed
from mcmodels.linear import LinearRegression
from mcmodels.logistic import LogisticRegression
from mcmodels.pca import PCA
from mcmodels.rows.blocks import Array

__all__ = ["fit_report", "level_name", "levels_by_column"]

_LINE_WIDTH = 100
_TITLES = {
    LinearRegression: "Linear regression",
    LogisticRegression: "Logistic regression",
    PCA: "Principal components",
}


def fit_report(
    pipeline: Pipeline, X: pd.DataFrame, y: Any, sample_weight: Any, about: Mapping[str, str | None]
) -> str:
    """Coefficients or loadings of a fitted model, and how the fit went.

    Parameters
    ----------
    pipeline : Pipeline
        A step "encode" that codes columns, and a step "model", one of this package.
    X : DataFrame
        The rows it was fitted to.
    y : array-like or None
        Their target.
    sample_weight : array-like or None
        Their weights.
    about : mapping of str to (str or None)
        Names of the file, the target and the weights; None where there are none.

    Returns
    -------
    str
        Lines of text.
    """
    model, encoded = pipeline["model"], pipeline["encode"].transform(X)
    header = dict(_data_facts(pipeline, X, y, sample_weight, about))
    table = _loadings(model, encoded) if isinstance(model, PCA) else _coefficients(model, encoded)
    body = table.to_string(float_format=_entry, line_width=_LINE_WIDTH)
    conclusion = dict(_fit_facts(model, encoded, y, sample_weight))
    return "\n\n".join([_TITLES[type(model)], _aligned(header), body, _aligned(conclusion)])


def level_name(column: str, level: Any) -> str:
    """Name of the 0/1 column of a level, ``sex=male``; saved models refer to this function."""
    return f"{column}={level}"


def levels_by_column(pipeline: Pipeline) -> dict[str, Array]:
    """The levels of each categorical column, the baseline first."""
    encoder = pipeline["encode"].named_transformers_.get("categories")
    if encoder is None:
        return {}
    return dict(zip(encoder.feature_names_in_, encoder.categories_, strict=True))


def _coefficients(model: Any, X: pd.DataFrame) -> pd.DataFrame:
    """One row a parameter; a column for each class when there are more than two."""
    names = [*X.columns, "(intercept)"] if model.fit_intercept else list(X.columns)
    columns = ["coefficient"] if model.params_.ndim == 1 else model.classes_
    return pd.DataFrame(np.atleast_2d(model.params_).T, index=names, columns=columns)


def _loadings(model: PCA, X: pd.DataFrame) -> pd.DataFrame:
    """One column a component; below its loadings its variance and share of the variance."""
    names = model.get_feature_names_out()
    loadings = pd.DataFrame(model.components_.T, index=X.columns, columns=names)
    share = model.explained_variance_ratio_
    variances = [model.explained_variance_, share, share.cumsum()]
    below = pd.DataFrame(variances, index=["(variance)", "(share)", "(cumulative)"], columns=names)
    return pd.concat([loadings, below])


def _data_facts(
    pipeline: Pipeline, X: pd.DataFrame, y: Any, sample_weight: Any, about: Mapping[str, str | None]
) -> Iterator[tuple[str, str]]:
    model, levels = pipeline["model"], levels_by_column(pipeline)
    yield "file", str(about["file"])
    yield "rows", str(len(X))
    yield "features", f"{X.shape[1]}: {listed(X.columns)}"
    if levels and not isinstance(model, PCA):
        yield "baseline", listed(level_name(column, levels[column][0]) for column in levels)
    if sample_weight is not None:
        yield "weights", f"{about['weights']}, sum {_number(sample_weight.sum())}"
    if about["target"] is not None:
        yield "target", about["target"]
    if isinstance(model, LogisticRegression):
        counts = np.unique(y, return_counts=True)[1]
        classes = [f"{c} ({n} rows)" for c, n in zip(model.classes_, counts, strict=True)]
        of = f"; coefficients are log-odds of {model.classes_[1]}" if len(classes) == 2 else ""
        yield "classes", listed(classes) + of
        penalty = f"|coefficients|^2 / (2C), C = {_number(model.C)}"
        yield "penalty", "none" if np.isinf(model.C) else penalty


def _fit_facts(
    model: Any, X: pd.DataFrame, y: Any, sample_weight: Any
) -> Iterator[tuple[str, str]]:
    yield "objective", _number(model.objective(X, y, sample_weight=sample_weight))
    yield "largest gradient entry", f"{np.abs(model.gradient_).max(initial=0.0):.3g}"
    if isinstance(model, PCA):
        yield "rank", f"{model.rank_} of {model.n_components_}"
    else:
        yield "Hessian condition number", _condition(model)
        yield "iterations", str(np.max(model.n_iter_))
    yield "solver", model.solver_
    yield "status", model.status_
    if isinstance(model, LinearRegression):
        present = y if sample_weight is None else y[sample_weight > 0]
        undefined = len(present) < 2 or np.ptp(present) == 0
        yield "R²", "undefined" if undefined else _number(model.score(X, y, sample_weight))
    elif isinstance(model, LogisticRegression):
        yield "accuracy", _number(model.score(X, y, sample_weight))


def _condition(model: Any) -> str:
    """Condition number of the Hessian, or the largest that float64 can tell."""
    eigenvalues = np.linalg.eigvalsh(model.hessian_)
    free = _softmax_invariances(model)
    smallest, largest = eigenvalues[free], eigenvalues[-1]
    resolution = len(eigenvalues) * np.finfo(np.float64).eps
    if smallest <= resolution * largest:
        return f"above {1.0 / resolution:.0e}"
    apart = " (without the shift common to all classes)" if free else ""
    return _number(largest / smallest) + apart


def _softmax_invariances(model: Any) -> int:
    """Directions that move all classes alike, unpenalised: the Hessian is zero there."""
    if model.params_.ndim == 1 or not isinstance(model, LogisticRegression):
        return 0
    return model.params_.shape[1] if np.isinf(model.C) else int(model.fit_intercept)


def _aligned(facts: Mapping[str, str]) -> str:
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())


def _entry(value: float) -> str:
    """Six digits, trailing zeros too, so that the columns of a table align."""
    return f"{value:#.6g}".removesuffix(".")


def _number(value: Array | float) -> str:
    return f"{value:.6g}"
