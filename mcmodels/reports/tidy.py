"""Coefficients and measures of fit as plain tables, with the column names of R's broom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np
import pandas as pd

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_flag
from mcmodels.estimators.parameter_methods import RobustOptions
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import check_level
from mcmodels.inference.ratios import exponentiated
from mcmodels.records.glm import GlmFit
from mcmodels.records.linear import LinearFit
from mcmodels.records.logistic import LogisticFit
from mcmodels.records.overall import wald_of_slopes
from mcmodels.reports.ratios import require_ratios
from mcmodels.reports.reported import Reported, recorded
from mcmodels.reports.results import Results, results

__all__ = ["glance", "tidy"]

_OUTPUT = {"class": "y.level", "target": "response"}


def tidy(
    fitted: Any,
    X: MatrixLike | None = None,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    *,
    level: float | None = None,
    exponentiate: bool = False,
    reference: object = None,
    **robust: Unpack[RobustOptions],
) -> pd.DataFrame:
    """One row for each coefficient, with the column names of R's ``broom::tidy``.

    Parameters
    ----------
    fitted : estimator or Results
        A fitted model with coefficients; a pipeline or search that ends in one; or results of it.
    X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream, default=None
        The training rows as ``fitted`` takes them, for a robust covariance.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Their weights.
    level : float, default=None
        Coverage of intervals, in (0, 1); None for no intervals.
    exponentiate : bool, default=False
        Whether estimate, conf.low and conf.high are exp of what they are otherwise. As in broom,
        std.error stays that of the coefficient.
    reference : label, default=None
        With more than two classes, the class that the others are compared with; by default the
        first.
    **robust
        Options of the model's ``covariance``: ``kind``, ``groups``, ``max_lags``, ….

    Returns
    -------
    DataFrame
        Columns term, estimate, std.error, statistic (t or z), p.value, and with ``level``
        conf.low and conf.high. With more than two classes the first column is y.level, with several
        targets it is response. Where coefficients have degrees of freedom of their own, they are
        the column df. Penalised fits have no statistic and no p.value. The intercept is the last
        term, ``(intercept)``.

    Raises
    ------
    TypeError
        If there are no coefficients, as of PCA.
    ValueError
        If ``exponentiate`` is asked of a model whose link is no logarithm.

    See Also
    --------
    mcmodels.glance : Measures of the whole fit.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression, tidy
    >>> cars = pd.read_csv("datasets/mtcars.csv")
    >>> model = LinearRegression().fit(cars[["wt"]], cars["mpg"])
    >>> print(tidy(model).round(3))
              term  estimate  std.error  statistic  p.value
    0           wt    -5.344      0.559     -9.559      0.0
    1  (intercept)    37.285      1.878     19.858      0.0
    """
    check_flag("exponentiate", exponentiate)
    if level is not None:
        check_level(level)
    if exponentiate:
        require_ratios((fitted if isinstance(fitted, Results) else results(fitted)).model)
    rows = {"X": X, "y": y, "sample_weight": sample_weight}
    found = Reported.of(fitted, "tidy", rows, robust, reference)
    tables = found.tables(0.95 if level is None else level)
    table = pd.concat(tables)
    values = exponentiated(table) if exponentiate else table
    columns: dict[str, Any] = {}
    what, labels = found.outputs
    if what:
        columns[_OUTPUT[what]] = np.repeat(np.asarray(labels, dtype=object), len(tables[0]))
    columns |= {"term": table.index, "estimate": values["coefficient"]}
    columns["std.error"] = table["standard_error"]
    if "df" in table:
        columns["df"] = table["df"]
    if found.shows_tests:
        columns["statistic"] = table[found.estimate.statistic_name]
        columns["p.value"] = table["p_value"]
    if level is not None:
        columns |= {"conf.low": values["lower"], "conf.high": values["upper"]}
    return pd.DataFrame({name: np.asarray(column) for name, column in columns.items()})


def glance(fitted: Any) -> pd.DataFrame:
    """Measures of a fit in one row, with the column names of R's ``broom::glance``.

    Parameters
    ----------
    fitted : estimator or Results
        A fitted LinearRegression, LogisticRegression or GeneralizedLinearRegressor; a pipeline or
        search that ends in one; or results of it.

    Returns
    -------
    DataFrame
        One row. Of linear models (broom's of ``lm``): r.squared, adj.r.squared, sigma, statistic,
        p.value and df (of F of all slopes), logLik, AIC, BIC, deviance, df.residual, nobs. Of
        generalized linear models and two classes (``glm``): null.deviance, df.null, logLik, AIC,
        BIC, deviance, df.residual, nobs. With more classes (``multinom``): edf, deviance, AIC,
        nobs. NaN stands for what the fit does not have, as AIC of a penalised fit.

    Raises
    ------
    TypeError
        If the model is none of these.
    InferenceError
        If a linear model has several targets.

    Notes
    -----
    AIC and BIC count parameters as R does, an estimated variance or dispersion included; ``aic_``
    and ``bic_`` do not count the variance of linear fits. The log-likelihood of gamma, inverse
    Gaussian and Tweedie's targets is at Pearson's dispersion, in R at ``deviance/n``. Where weights
    count rows, nobs is their sum. Beside an offset a generalized linear model has no null.deviance
    here, as it takes a fit of its own; see :mod:`mcmodels.inference.null_deviance`. F of
    results with a robust covariance is Wald's.

    See Also
    --------
    mcmodels.tidy : The coefficients.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression, glance
    >>> cars = pd.read_csv("datasets/mtcars.csv")
    >>> model = LinearRegression().fit(cars[["wt"]], cars["mpg"])
    >>> print(glance(model)[["r.squared", "sigma", "df", "AIC", "df.residual", "nobs"]].round(3))
       r.squared  sigma  df      AIC  df.residual  nobs
    0      0.753  3.046   1  166.029         30.0  32.0
    """
    found, record = recorded(fitted, "glance")
    if isinstance(record, LinearFit):
        record.refuse_several_targets("glance")
        return pd.DataFrame([_of_linear(record, found)])
    if isinstance(record, LogisticFit):
        return pd.DataFrame([_of_classes(record)])
    if isinstance(record, GlmFit):
        return pd.DataFrame([_of_glm(record)])
    raise TypeError(
        f"glance has no measures of a {type(found.model).__name__}, whose likelihood is known up "
        "to a constant at best; its summary() has what there is."
    )


def _of_linear(record: LinearFit, found: Results) -> dict[str, Any]:
    model = record.model
    statistic, p = _slopes(record, found)
    return {
        "r.squared": float(model.r_squared[0]),
        "adj.r.squared": _or_nan(lambda: float(model.adjusted_r_squared[0])),
        "sigma": float(np.sqrt(model.noise_covariance[0, 0])),
        "statistic": statistic,
        "p.value": p,
        "df": model.n_slopes,
        **_criteria(record, 1),
        "deviance": record.residual_squares,
        "df.residual": model.df,
        "nobs": model.n_observations,
    }


def _slopes(record: LinearFit, found: Results) -> tuple[float, float]:
    """F of all slopes and its p-value, with the covariance that the results have chosen."""
    try:
        chosen = found._estimate() if hasattr(found, "_estimate") else None
    except InferenceError:  # without a covariance F may be known all the same
        chosen = None
    try:
        test = (
            record.f_test
            if chosen is None or chosen.kind == "nonrobust"
            else wald_of_slopes(record, chosen)
        )
    except InferenceError:
        return np.nan, np.nan
    return test.statistic, test.p_value


def _of_classes(record: LogisticFit) -> dict[str, Any]:
    n, parameters = record.n_observations, record.n_free_params
    deviance, criteria = -2.0 * record.log_likelihood, _criteria(record, 0)
    if len(record.classes) > 2:
        return {"edf": parameters, "deviance": deviance, "AIC": criteria["AIC"], "nobs": n}
    return {
        "null.deviance": record.null_deviance,
        "df.null": n - record.intercept,
        **criteria,
        "deviance": deviance,
        "df.residual": n - parameters,
        "nobs": n,
    }


def _of_glm(record: GlmFit) -> dict[str, Any]:
    n, was_estimated = record.n_observations, bool(np.isfinite(record.df))
    return {
        "null.deviance": record.null_deviance,
        "df.null": n - record.intercept,
        **_criteria(record, int(was_estimated)),
        "deviance": record.deviance,
        "df.residual": n - record.n_free_params + (record.theta_derivatives is not None),
        "nobs": n,
    }


def _criteria(record: Any, variances: int) -> dict[str, float]:
    """Log-likelihood, AIC and BIC, with so many variances among the parameters."""

    def of(measure: str) -> float:
        return _or_nan(lambda: float(getattr(record, measure)))

    n = record.n_observations
    return {
        "logLik": of("log_likelihood"),
        "AIC": of("aic") + 2.0 * variances,
        "BIC": of("bic") + float(np.log(n)) * variances,
    }


def _or_nan(measure: Callable[[], float]) -> float:
    """A measure, or NaN where a fit has none."""
    try:
        return measure()
    except InferenceError:
        return np.nan
