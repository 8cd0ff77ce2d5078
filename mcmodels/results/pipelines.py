"""Summaries of models inside pipelines, by the names that the pipeline gives to the columns."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.exceptions import example_of
from mcmodels.inference.summary import Summary
from mcmodels.results.principal_components import PrincipalComponents
from mcmodels.results.record import ParameterFit
from mcmodels.rows import RowStream

__all__ = ["summarize"]


def summarize(
    fitted: Any,
    X: MatrixLike | None = None,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    **options: Any,
) -> Summary:
    """Summary of a model, alone or at the end of a pipeline, with the names of its columns.

    Parameters
    ----------
    fitted : estimator
        A fitted model of this package; a fitted Pipeline that ends in one; or a search with such a
        ``best_estimator_``.
    X : {array-like, sparse matrix} of shape (n_samples, n_features) or RowStream, default=None
        The training rows as the pipeline takes them, for a robust covariance; a stream also holds y
        and the weights.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Their weights.
    **options
        Those of the model's ``summary``: ``level``, ``kind``, ``groups``, …

    Returns
    -------
    Summary

    Raises
    ------
    TypeError
        When the last step is not a model of this package.
    NotFittedError
        Before a fit.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from mcmodels import LinearRegression, summarize
    >>> X = pd.DataFrame({"age": [20.0, 30, 40, 50, 60], "tenure": [1.0, 5, 2, 8, 4]})
    >>> y = [10.0, 14, 19, 25, 28]
    >>> pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
    >>> summarize(pipeline).to_frame()[["coefficient", "standard_error"]].round(4)
                 coefficient  standard_error
    age               6.4318          0.4179
    tenure            0.4138          0.4179
    (intercept)      19.2000          0.3571
    """
    if isinstance(fitted, type) or not hasattr(fitted, "fit"):
        found = f"the class {fitted.__name__}" if isinstance(fitted, type) else example_of(fitted)
        raise TypeError(f"summarize needs a fitted model of mcmodels; found {found}.")
    check_is_fitted(fitted)
    model = getattr(fitted, "best_estimator_", fitted)
    names, where = None, ""
    if isinstance(model, Pipeline):
        before, model, where = model[:-1], model[-1], " at the end of the pipeline"
        if len(before):
            with contextlib.suppress(AttributeError):  # a step may give no names
                names = tuple(map(str, before.get_feature_names_out()))
            X = None if X is None else _transformed(before, X)
    record = getattr(model, "_fit", None)
    if not isinstance(record, ParameterFit | PrincipalComponents):
        kind = type(model)
        library = kind.__module__.partition(".")[0]
        found = f"found {kind.__name__}{where}"
        if library == "mcmodels" and hasattr(model, "_unchecked_record"):
            model._unchecked_record()  # coefficients that were assigned without a fit
        if library == "mcmodels":
            raise TypeError(
                f"summarize needs a model with a table of parameters; {found}, a network. There "
                "are LinearRegression, LogisticRegression, FirthLogisticRegression, "
                "GeneralizedLinearRegressor, PCA, ObjectiveRegressor and ObjectiveClassifier."
            )
        raise TypeError(
            f"the model comes from {library}; summarize needs a model of mcmodels; {found}."
        )
    named: Any = copy.copy(model)
    if names is not None:
        named._fit = replace(record, names=names)
    if isinstance(record, PrincipalComponents):
        if not (X is None and y is None and sample_weight is None):
            raise ValueError(
                "X, y and sample_weight are for robust covariances, and PCA has none; leave them "
                "out."
            )
        return named.summary(**options)
    return named.summary(X, y, sample_weight, **options)


def _transformed(steps: Pipeline, X: Any) -> Any:
    """X as the steps give it to the model; of a stream, block by block."""
    if not isinstance(X, RowStream):
        return steps.transform(X)
    return RowStream(
        lambda: ((steps.transform(block), *others) for _, (block, *others) in X.nonempty())
    )
