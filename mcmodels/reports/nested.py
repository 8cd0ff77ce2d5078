"""Nested models one after another: what each explains beyond the one before."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.exceptions import InferenceError
from mcmodels.inference.deviance_table import statistic_of_gain
from mcmodels.records.glm import GlmFit
from mcmodels.records.linear import LinearFit
from mcmodels.records.logistic import LogisticFit
from mcmodels.reports.comparison import likelihood_ratio_test
from mcmodels.reports.route import Route

__all__ = ["anova"]


def anova(*fitted: Any) -> pd.DataFrame:
    """Compare fitted models, each of which is a special case of the next: R's ``anova(m1, m2)``.

    Of linear models the statistic is F: the squares that the larger model explains, by its further
    parameters, over the variance of the noise in the largest of all models. Of other models it is
    the difference of the deviances over the dispersion, χ²; where the dispersion was estimated, F,
    with that of the largest model.

    Parameters
    ----------
    *fitted : fitted LinearRegression, LogisticRegression or GeneralizedLinearRegressor
        Two or more, from the smallest to the largest, fitted to the same rows without a penalty; or
        pipelines that end in one; or results of these. :func:`likelihood_ratio_test` says what
        makes them nested.

    Returns
    -------
    DataFrame
        One row for each model, by its number. Columns df and sum_of_squares (deviance), which the
        model adds to the one before, residual_df and residual_sum_of_squares (residual_deviance),
        F (statistic) and p_value.

    Raises
    ------
    TypeError, ValueError, InferenceError
        As :func:`likelihood_ratio_test` of two neighbours, whose numbers the message has.

    See Also
    --------
    mcmodels.Results.anova : The terms of one linear model.
    mcmodels.Results.deviance_table : The terms of another model.

    References
    ----------
    Seber and Lee (2003), *Linear Regression Analysis*, 2nd ed., theorem 4.1; McCullagh and Nelder
    (1989), *Generalized Linear Models*, 2nd ed., §8.3.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression, anova
    >>> X = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 6], "b": [0.0, 1, 0, 1, 1, 0]})
    >>> y = [1.2, 3.1, 2.9, 5.3, 6.1, 5.8]
    >>> small, big = LinearRegression().fit(X[["a"]], y), LinearRegression().fit(X, y)
    >>> anova(small, big).round(3)
        df  sum_of_squares  residual_df  residual_sum_of_squares       F  p_value
    1  NaN             NaN          4.0                    2.268     NaN      NaN
    2  1.0           2.202          3.0                    0.067  99.167    0.002
    """
    if len(fitted) < 2:
        raise ValueError(
            f"anova compares two or more fitted models, and {len(fitted)} was given; for the terms "
            "of one, call results(model).anova()."
        )
    for k, (small, big) in enumerate(itertools.pairwise(fitted), 1):
        try:
            likelihood_ratio_test(small, big)
        except (TypeError, ValueError) as error:
            raise type(error)(f"models {k} (small) and {k + 1} (big): {error}") from error
    records = [Route.of(one, "anova").model._fit for one in fitted]
    left = [_left(record) for record in records]
    dispersion, freedom = _noise(records[-1])
    table = [[np.nan, np.nan, left[0][1], left[0][0], np.nan, np.nan]]
    for (before, df_before), (after, df_after) in itertools.pairwise(left):
        gain, df = max(before - after, 0.0), df_before - df_after
        table.append([df, gain, df_after, after, *statistic_of_gain(gain, df, dispersion, freedom)])
    linear = isinstance(records[-1], LinearFit)
    what, statistic = ("sum_of_squares", "F") if linear else ("deviance", "statistic")
    columns = ["df", what, "residual_df", f"residual_{what}", statistic, "p_value"]
    return pd.DataFrame(table, range(1, len(fitted) + 1), columns)


def _left(record: Any) -> tuple[float, float]:
    """Squares of residuals or the deviance, and its degrees of freedom."""
    n, k = record.n_observations, record.n_free_params
    if isinstance(record, LinearFit):
        record.refuse_several_targets("anova")
        return max(record.residual_squares, 0.0), record.model.df
    if isinstance(record, GlmFit):
        return record.deviance, n - k
    if isinstance(record, LogisticFit):
        return -2.0 * record.log_likelihood, (len(record.classes) - 1) * n - k
    raise InferenceError(
        "anova is of linear, logistic and generalized linear models; compare others by "
        "likelihood_ratio_test(small, big)."
    )


def _noise(record: Any) -> tuple[float, float]:
    """The dispersion of the largest model, and its degrees of freedom."""
    if isinstance(record, LinearFit):
        return float(record.model.noise_covariance[0, 0]), record.model.df
    return getattr(record, "likelihood_scale", (1.0, np.inf))
