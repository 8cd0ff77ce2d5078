"""Our models for the Python package marginaleffects: predictions at any parameters, covariances."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Unpack

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, VectorLike, Weights
from mcmodels.estimators.arguments import listed
from mcmodels.estimators.parameter_methods import RobustOptions
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.reports.reported import Reported
from mcmodels.reports.results import Results, results

__all__ = ["for_marginaleffects"]


def for_marginaleffects(
    fitted: Any,
    X: pd.DataFrame,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    **robust: Unpack[RobustOptions],
) -> Any:
    """A fitted model as the functions of the package marginaleffects take it.

    ``avg_slopes(for_marginaleffects(model, X))``, and likewise ``predictions``, ``comparisons``,
    ``hypotheses``, …, have standard errors by the delta method.

    Parameters
    ----------
    fitted : estimator or Results
        A fitted model with coefficients; a pipeline or search that ends in one, of which X are the
        raw columns; or results of it.
    X : DataFrame
        The rows over which effects are averaged: the training rows, for a robust covariance. Text
        becomes categories.
    y : array-like of shape (n_samples,), default=None
        Their targets, for a robust covariance; it becomes a column of the rows.
    sample_weight : array-like of shape (n_samples,), default=None
        Their weights in the fit, for a robust covariance.
    **robust
        Options of the model's ``covariance``: ``kind``, ``groups``, ``max_lags``, …. Without
        ``kind`` the covariance is that of the model, or of the results.

    Returns
    -------
    marginaleffects.classes.ModelAbstract
        Predictions are probabilities of classifiers (of the second class, or of each), and means
        of regressors. Where the model has Student's t, so have tests and intervals.

    Raises
    ------
    ImportError
        If marginaleffects 0.6 or later is not installed.
    TypeError
        If X is no DataFrame.
    InferenceError
        If there are no standard errors, if y has several targets, or if the fit had an offset.

    Notes
    -----
    marginaleffects takes slopes by differences, to about six digits, and their errors by forward
    differences in the parameters, whose own steps may leave two digits of them: with
    ``eps_vcov=1e-6`` four are left, of linear models with ``eps_vcov=1e-2`` six. It needs a Polars
    before version 2.
    """
    base, vault, polars = _package()
    if not isinstance(X, pd.DataFrame):
        raise TypeError(
            f"X={example_of(X)} must be a DataFrame, whose columns marginaleffects takes as "
            "variables."
        )
    given: dict[str, Any] = {"X": None, "y": None, "sample_weight": None}
    if robust.get("kind") not in (None, "nonrobust"):
        given = {"X": X, "y": y, "sample_weight": sample_weight}
    options = robust if given["X"] is not None else {}
    found = fitted if isinstance(fitted, Results) else results(fitted)
    reported = Reported.of(found, "for_marginaleffects", given, options)
    if getattr(reported.record, "n_targets", 1) > 1:
        raise InferenceError(
            "for_marginaleffects is for one target, and y had several; fit each separately."
        )
    if getattr(getattr(reported.record, "training", None), "offset", None) is not None:
        raise InferenceError(
            "the model was fitted with an offset, which marginaleffects cannot pass on; take "
            "marginal_effects of the model."
        )
    target = _free_name(getattr(y, "name", None) or "y", X)
    rows = X.reset_index(drop=True)
    if y is not None:
        rows = rows.assign(**{target: np.asarray(y)})
    if rows.isna().any(axis=None):
        raise ValueError("X and y must have no missing values for marginaleffects.")
    data = polars.DataFrame({str(name): _column(column, polars) for name, column in rows.items()})
    adapter = type("ModelMcmodels", (base,), dict(_METHODS))
    about = vault(
        coef=reported.whole.params.copy(),
        coefnames=np.array(reported.whole.names),
        formula=_as_it_is,
        modeldata=data,
        package="mcmodels",
        vcov=reported.whole.covariance.copy(),
        variable_names=[target, *map(str, X.columns)],
    )
    made = adapter(reported.model, about)
    made.predictions_at = _predictions(found, tuple(X.columns), polars)
    # Where it is there, tests and intervals are those of Student's t; a fallback is our model.
    df = reported.whole.df
    made.df_resid = float(df) if np.ndim(df) == 0 and np.isfinite(df) else None
    return made


def _package() -> tuple[Any, Any, Any]:
    """The classes of marginaleffects that an adapter needs, and Polars."""
    try:
        import polars
        from marginaleffects.classes import ModelAbstract, ModelVault
    except ImportError as error:
        raise ImportError(
            "for_marginaleffects needs the package marginaleffects; install it with: pip install "
            "'marginaleffects>=0.6' 'polars<2'"
        ) from error
    return ModelAbstract, ModelVault, polars


def _as_it_is(data: Any) -> tuple[None, Any]:
    """The rows themselves, where marginaleffects asks for a formula."""
    return None, data


def _free_name(name: Any, X: pd.DataFrame) -> str:
    found, taken = str(name), set(map(str, X.columns))
    while found in taken:
        found += "_"
    return found


def _column(column: pd.Series, polars: Any) -> Any:
    """A column for Polars: numbers, truth values, or categories."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return polars.Series(column.to_numpy())
    texts = column.astype(str)
    known = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else texts
    levels = list(dict.fromkeys(map(str, known)))
    order = levels if known is not texts else sorted(levels)
    return polars.Series(texts.tolist(), dtype=polars.Enum(order))


def _predictions(
    found: Results, columns: tuple[Any, ...], polars: Any
) -> Callable[[Array, Any], Any]:
    """A function of parameters and rows that returns predictions as marginaleffects takes them."""
    model, route = found.model, found._route
    named = hasattr(found.fitted, "feature_names_in_")

    def predictions(params: Array, newdata: Any) -> Any:
        frame = pd.DataFrame({name: newdata[str(name)].to_list() for name in columns})
        rows = route.rows(frame if named else frame.to_numpy())
        moved = _at(model, np.asarray(params, dtype=np.float64))
        if not hasattr(model, "classes_"):
            values, groups = moved.predict(rows), None
        else:
            values, groups = moved.predict_proba(rows), list(map(str, model.classes_))
            if len(groups) == 2:
                values, groups = values[:, 1], None
        n = len(frame)
        if groups is None:
            return polars.DataFrame({"rowid": np.arange(n, dtype=np.int32), "estimate": values})
        order = sorted(range(len(groups)), key=groups.__getitem__)
        return polars.DataFrame(
            {
                "rowid": np.tile(np.arange(n, dtype=np.int32), len(groups)),
                "group": np.repeat([groups[k] for k in order], n),
                "estimate": values[:, order].T.ravel(),
            }
        )

    return predictions


def _at(model: Any, params: Array) -> Any:
    """A copy of a model that predicts with other parameters."""
    moved, shape = copy.copy(model), model.params_.shape
    found = params.reshape(shape)
    p = np.shape(model.coef_)[-1]
    moved.coef_ = found[..., :p].reshape(np.shape(model.coef_))
    if shape[-1] > p:
        intercept = found[..., p].reshape(np.shape(model.intercept_))
        moved.intercept_ = intercept if intercept.ndim else float(intercept)
    return moved


def _get_predict(self: Any, params: Array, newdata: Any) -> Any:
    return self.predictions_at(params, newdata)


def _get_exog(self: Any, newdata: Any) -> Any:
    return newdata


def _get_vcov(self: Any, vcov: Any = True) -> Array | None:
    if vcov is True:
        return self.vault.vcov
    if vcov is None or vcov is False:
        return None
    raise ValueError(
        f"vcov={example_of(vcov)}: the covariance is chosen by for_marginaleffects(…, kind=…); "
        f"here {listed(['True', 'False', 'a square array'])} are possible."
    )


_METHODS = {"get_predict": _get_predict, "get_exog": _get_exog, "get_vcov": _get_vcov}
