"""Analysis of deviance: the deviances of nested models that differ by one term.

Of two nested models the difference of the deviances, by the dispersion, is about χ² with as many
degrees of freedom as the larger one has more parameters. Where the dispersion was estimated from
the largest model, it is divided by its degrees of freedom, and is about F. Source: McCullagh and
Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.3, §8.3; R's ``anova.glm``. A logistic model
has the deviance ``-2ℓ``, and the dispersion one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.glm_model import GlmInference, GlmSums
from mcmodels.inference.sums_of_squares import RESIDUALS, AddedTerm
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import Rows, RowsOfColumns
from mcmodels.solvers import Status, irls
from mcmodels.solvers.bounded_means import fit_within_bounds
from mcmodels.solvers.conclusion import conclude
from mcmodels.solvers.family_starts import family_start
from mcmodels.solvers.fit_state import Progress
from mcmodels.solvers.starts import log_odds_start

__all__ = ["Deviances", "added_terms_table", "deviance_table", "statistic_of_gain"]

# Smaller models end at this gradient, by the total weight, or after so many steps.
_TOLERANCE, _MAX_STEPS = 1e-10, 100


@dataclass(frozen=True)
class Deviances:
    """The least deviances of models with some of the columns.

    Parameters
    ----------
    rows : Rows
        The training rows.
    fit : callable
        Takes rows and what the model has, in words; returns the least deviance, and the number of
        parameters that the rows determine.
    n : float
        Number of observations.
    dispersion, df : float
        φ of the whole model, and its degrees of freedom: infinite where it is known.
    """

    rows: Rows
    fit: Callable[[Rows, str], tuple[float, int]]
    n: float
    dispersion: float = 1.0
    df: float = np.inf
    _found: dict[frozenset[int], tuple[float, int]] = field(default_factory=dict)

    @classmethod
    def of_family(cls, model: GlmInference, loss: FamilyLoss, rows: Rows) -> Self:
        """Those of a generalized linear model without a penalty, with this family and link."""

        def fit(part: Rows, what: str) -> tuple[float, int]:
            return _deviance_of_family(loss, part, what)

        return cls(rows, fit, model.n_observations, model.dispersion, model.df)

    @classmethod
    def of_classes(
        cls, objective: LinearPredictorObjective, class_totals: Array, n_observations: float
    ) -> Self:
        """Those of a logistic model; ``objective`` is that of the whole, without a penalty."""
        outputs = max(len(class_totals) - 1, 1)

        def fit(part: Rows, what: str) -> tuple[float, int]:
            deviance, n_params = _deviance_of_classes(objective.over(part, 0.0), class_totals, what)
            return deviance, outputs * n_params

        return cls(objective.rows, fit, outputs * n_observations)

    def of(self, columns: Sequence[int], what: str) -> tuple[float, int]:
        """The least deviance with these columns, and the number of parameters."""
        key = frozenset(columns)
        if key not in self._found:
            self._found[key] = self.fit(RowsOfColumns(self.rows, sorted(key)), what)
        return self._found[key]

    def added(self, gain: float, df: int) -> tuple[float, float, float, float]:
        """Degrees of freedom and deviance that a term adds, the statistic and its p-value."""
        if df <= 0:
            return 0.0, 0.0, np.nan, np.nan
        return df, gain, *statistic_of_gain(gain, df, self.dispersion, self.df)


def statistic_of_gain(
    gain: float, df: float, dispersion: float, freedom: float
) -> tuple[float, float]:
    """F of what ``df`` parameters explain, or χ² where ``freedom`` is infinite; and its p-value."""
    scaled = max(gain, 0.0) / dispersion
    if np.isfinite(freedom):
        return scaled / df, float(stats.f.sf(scaled / df, df, freedom))
    return scaled, float(stats.chi2.sf(scaled, df))


def deviance_table(
    deviances: Deviances, terms: Sequence[tuple[str, Sequence[int]]]
) -> pd.DataFrame:
    """What each term adds to those before it.

    Parameters
    ----------
    deviances : Deviances
        Those of the models.
    terms : sequence of tuple
        The name and the columns of each term, in order.

    A term that adds nothing, because it depends on those before it, has 0 degrees of freedom and no
    test (NaN).
    """
    columns: list[int] = []
    n = deviances.n
    deviance, n_params = deviances.of(columns, "no features")
    table = [[np.nan, np.nan, n - n_params, deviance, np.nan, np.nan]]
    for name, of in terms:
        columns = [*columns, *of]
        left, rank = deviances.of(columns, f"the terms up to {name!r}")
        df, explained, *test = deviances.added(deviance - left, rank - n_params)
        table.append([df, explained, n - rank, left, *test])
        deviance, n_params = left, rank
    names = ["df", "deviance", "residual_df", "residual_deviance", "statistic", "p_value"]
    return pd.DataFrame(table, index=["(none)", *(name for name, _ in terms)], columns=names)


def added_terms_table(deviances: Deviances, tests: Sequence[AddedTerm]) -> pd.DataFrame:
    """What each term adds to a base of its own, and what the whole model leaves, in the last row.

    A term that adds nothing, because it depends on its base, has 0 degrees of freedom and no test
    (NaN).
    """
    table: list[list[float]] = []
    for name, columns, base, _ in tests:
        before, n_before = deviances.of(base, f"what {name!r} is added to")
        after, n_after = deviances.of([*base, *columns], f"{name!r} and what it is added to")
        table.append([*deviances.added(before - after, n_after - n_before)])
    every = [j for test in tests[:1] for part in test[1:] for j in part]
    left, n_params = deviances.of(every, "all terms")
    table.append([deviances.n - n_params, left, np.nan, np.nan])
    index = [*(test.name for test in tests), RESIDUALS]
    return pd.DataFrame(table, index, ["df", "deviance", "statistic", "p_value"])


def _deviance_of_classes(
    objective: LinearPredictorObjective, class_totals: Array, what: str
) -> tuple[float, int]:
    """The least deviance, and the number of parameters of one class that the rows determine."""
    rows, start = objective.rows, log_odds_start(class_totals, objective.rows)
    if rows.n_params == 0:
        return 2.0 * objective.value(start), 0
    *_, step = irls.fit(objective, start, tol=_TOLERANCE, max_iter=_MAX_STEPS)
    params, rank = _concluded(objective, step, what)
    return 2.0 * objective.value(params), rank


def _deviance_of_family(loss: FamilyLoss, rows: Rows, what: str) -> tuple[float, int]:
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
    params, rank = _concluded(objective, step, what)
    return GlmSums.of(rows, loss, params).deviance, rank


def _concluded(objective: LinearPredictorObjective, step: Progress, what: str) -> tuple[Array, int]:
    """The parameters at the maximum of the likelihood, and how many of them are determined."""
    solution = conclude(objective, step)
    if solution.status not in (Status.CONVERGED, Status.RANK_DEFICIENT):
        raise InferenceError(
            f"the model with {what} has no largest likelihood, or it was not found "
            f"(status {solution.status.value!r}): its deviance is unknown."
        )
    return solution.value.params, solution.rank + objective.rows.intercept
