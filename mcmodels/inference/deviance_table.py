"""Analysis of deviance: the deviance of nested models, one term after another.

Of two nested models the difference of the deviances, by the dispersion, is about χ² with as many
degrees of freedom as the larger one has more parameters. Where the dispersion was estimated from
the largest model, it is divided by its degrees of freedom, and is about F. Source: McCullagh and
Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.3, §8.3; R's ``anova.glm``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from mcmodels.exceptions import InferenceError
from mcmodels.inference.glm_model import GlmInference, GlmSums
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import Rows, RowsOfColumns
from mcmodels.solvers import Status
from mcmodels.solvers.bounded_means import fit_within_bounds
from mcmodels.solvers.conclusion import conclude
from mcmodels.solvers.family_starts import family_start

__all__ = ["deviance_table"]

# Smaller models end at this gradient, by the total weight, or after so many steps.
_TOLERANCE, _MAX_STEPS = 1e-10, 100


def deviance_table(
    model: GlmInference,
    loss: FamilyLoss,
    rows: Rows,
    terms: Sequence[tuple[str, list[int]]],
) -> pd.DataFrame:
    """What each term adds to those before it.

    Parameters
    ----------
    model : GlmInference
        The whole model, without a penalty.
    loss : FamilyLoss
        Its family and link.
    rows : Rows
        The training rows.
    terms : sequence of tuple
        The name and the columns of each term, in order.
    """
    columns: list[int] = []
    deviance, n_params = _deviance(loss, RowsOfColumns(rows, []), "no features")
    n = model.n_observations
    table = [[np.nan, np.nan, n - n_params, deviance, np.nan, np.nan]]
    for name, of in terms:
        columns = columns + of
        part = RowsOfColumns(rows, columns)
        left, rank = _deviance(loss, part, f"the terms up to {name!r}")
        explained, df = deviance - left, rank - n_params
        statistic = p_value = np.nan
        if df > 0:
            scaled = max(explained, 0.0) / model.dispersion
            if np.isfinite(model.df):
                statistic, p_value = scaled / df, stats.f.sf(scaled / df, df, model.df)
            else:
                statistic, p_value = scaled, stats.chi2.sf(scaled, df)
        table.append([df, explained, n - rank, left, statistic, p_value])
        deviance, n_params = left, rank
    names = ["df", "deviance", "residual_df", "residual_deviance", "statistic", "p_value"]
    return pd.DataFrame(table, index=["(none)", *(name for name, _ in terms)], columns=names)


def _deviance(loss: FamilyLoss, rows: Rows, what: str) -> tuple[float, int]:
    """The least deviance, and the number of parameters that the rows determine."""
    if rows.n_params == 0:
        deviance = GlmSums.of(rows, loss, np.zeros(0)).deviance
        if not np.isfinite(deviance):
            raise InferenceError(
                f"the model with {what} and no intercept gives some row no mean of the family "
                f"{loss.family.name!r}: its deviance is unknown. Fit an intercept."
            )
        return deviance, 0
    objective = UserObjective(rows, UserLoss(loss))
    start = family_start(objective, loss)
    if start is None:
        raise InferenceError(f"the model with {what} has no parameters that give each row a mean.")
    *_, step = fit_within_bounds(objective, loss, start, tol=_TOLERANCE, max_iter=_MAX_STEPS)
    solution = conclude(objective, step)
    if solution.status not in (Status.CONVERGED, Status.RANK_DEFICIENT):
        raise InferenceError(
            f"the model with {what} has no largest likelihood, or it was not found "
            f"(status {solution.status.value!r}): its deviance is unknown."
        )
    deviance = GlmSums.of(rows, loss, solution.value.params).deviance
    return deviance, solution.rank + rows.intercept
