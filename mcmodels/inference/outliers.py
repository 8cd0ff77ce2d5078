"""Tests of single rows of a linear fit: their residuals beside those of the others.

The externally studentized residual of a row,

    ``t = √w r / (σ̂₍ᵢ₎ √(1 - h))``,

has Student's t distribution if the noise is normal and the row is like the others: Belsley, Kuh and
Welsch (1980), *Regression Diagnostics*, eq. 2.27; Weisberg (2014), *Applied Linear Regression*, 4th
ed., §9.4. The noise is estimated without the row, from ``n - P - w`` degrees of freedom where a
weight counts rows, which are left out together, and ``n - P - 1`` where it is a precision. The
largest of many is compared with Bonferroni's bound: its p-value times the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError, LeverageWarning
from mcmodels.inference.influence import studentized_residuals
from mcmodels.inference.summary import Summarised, Summary, number
from mcmodels.inference.weighting import Weighting
from mcmodels.inference.whitening import Whitening
from mcmodels.rows import RowBlock, Rows
from mcmodels.user_warnings import warn_user

__all__ = ["OutlierTest", "outlier_test"]

_COLUMNS = ["studentized_residual", "p_value", "bonferroni_p"]
_SHOWN = 10


@dataclass(frozen=True, repr=False, eq=False)
class OutlierTest(Summarised):
    """Studentized residuals of the rows of a fit, with p-values; shown as a table of the largest.

    Parameters
    ----------
    table : DataFrame
        One row for each row of positive weight, in their order, with the index of X. Columns
        studentized_residual, p_value (of the row alone), bonferroni_p (of the largest of all).
    untested : tuple
        Labels of rows that determine a parameter alone, or without which no noise can be estimated;
        their entries are NaN.
    """

    table: pd.DataFrame
    untested: tuple[Any, ...]

    @property
    def n_tested(self) -> int:
        """Number of rows that were tested, by which p-values are multiplied."""
        return len(self.table) - len(self.untested)

    def to_frame(self) -> pd.DataFrame:
        """The rows, those with the largest residuals first; the untested last."""
        sizes = np.abs(self.table["studentized_residual"].to_numpy())
        order = np.argsort(np.where(np.isnan(sizes), np.inf, -sizes), kind="stable")
        return self.table.iloc[order]

    def summary(self) -> Summary:
        """The largest residuals."""
        facts = {"rows tested": str(self.n_tested)}
        facts["bonferroni p < 0.05"] = number((self.table["bonferroni_p"] < 0.05).sum())
        table = self.to_frame().iloc[: min(_SHOWN, self.n_tested)]
        notes: tuple[str, ...] = ()
        if self.untested:
            notes = (f"Not tested: row(s) {_listed(self.untested)}; see untested.",)
        title = "Outlier test (largest studentized residuals)"
        return Summary(title, facts, {"": table}, notes=notes)


def outlier_test(
    whitening: Whitening,
    rows: Rows,
    params: Array,
    residual_squares: float,
    df: float,
    weighting: Weighting,
    index: pd.Index | None,
) -> OutlierTest:
    """Test each row of a least-squares fit; parameters are those of ``linear_influence``.

    Warns of rows with leverage 1 (LeverageWarning).
    """

    def of_block(block: RowBlock) -> Array:
        Z = whitening.of(block)
        squares = np.einsum("ij,ij->i", Z, Z)
        found = studentized_residuals(block, squares, params, residual_squares, df, weighting)
        w = block.extras.get("frequency", np.ones(len(Z)))
        return np.column_stack([found.studentized, w])

    t, w = rows.map(of_block).T
    labels = pd.RangeIndex(len(t)) if index is None else index
    present = w > 0
    t, w, labels = t[present], w[present], labels[present]
    left = df - weighting.in_row(w)
    t = np.where(left > 0, t, np.nan)
    tested = ~np.isnan(t)
    if not tested.any():
        raise InferenceError("no row can be left out: each alone determines a parameter.")
    p = np.full(len(t), np.nan)
    p[tested] = 2.0 * stats.t.sf(np.abs(t[tested]), left[tested])
    bonferroni = np.minimum(np.count_nonzero(tested) * p, 1.0)
    table = pd.DataFrame(
        dict(zip(_COLUMNS, (t, p, bonferroni), strict=True)), index=labels, copy=False
    )
    untested = tuple(labels[~tested].tolist())
    if untested:
        warn_user(
            f"row(s) {_listed(untested)} are not tested (NaN): each alone determines a parameter "
            "(leverage 1), or without it no noise can be estimated.",
            LeverageWarning,
        )
    return OutlierTest(table, untested)


def _listed(labels: tuple[Any, ...]) -> str:
    return ", ".join(map(str, labels[:10])) + (", …" if len(labels) > 10 else "")
