"""The summary of a model, alone or at the end of a pipeline, in one call."""

from __future__ import annotations

from typing import Any

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.inference.summary import Summary
from mcmodels.reports.results import Results
from mcmodels.reports.route import Route

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
        A fitted model of this package; a fitted Pipeline that ends in one; a
        ``TransformedTargetRegressor`` of either; or a search with such a ``best_estimator_``.
    X : {array-like, sparse matrix} of shape (n_samples, n_features) or RowStream, default=None
        The training rows as the pipeline takes them, for a robust covariance; a stream also holds y
        and the weights.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Their weights.
    **options
        Those of the model's ``summary``: ``level``, ``kind``, ``groups``, ``exponentiate``, …

    Returns
    -------
    Summary

    Raises
    ------
    TypeError
        When the last step is not a model of this package.
    NotFittedError
        Before a fit.
    InferenceError
        If a step was fitted to y, such as a selection of columns.

    See Also
    --------
    mcmodels.results : All other results by the same way.

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
    found = None if isinstance(fitted, Results) else Results(fitted, Route.of(fitted, "summarize"))
    return (found or fitted).summary(X, y, sample_weight, **options)
