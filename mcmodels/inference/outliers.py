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

from collections.abc import Callable
from dataclasses import dataclass, replace
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

__all__ = ["OutlierTest", "outlier_test", "outlier_test_in_parts"]

_COLUMNS = ["studentized_residual", "p_value", "bonferroni_p"]
_SHOWN = 10


@dataclass(frozen=True, repr=False, eq=False)
class OutlierTest(Summarised):
    """Studentized residuals of the rows of a fit, with p-values; shown as a table of the largest.

    Parameters
    ----------
    table : DataFrame
        One row for each row of positive weight, in their order, with the index of X. Columns
        studentized_residual, p_value (of the row alone), bonferroni_p (of the largest of all). Of
        collections of Dask it has the tested rows whose bonferroni_p is below one, and no fewer
        than the ten with the largest residuals.
    n_tested : int
        Number of rows that were tested, by which p-values are multiplied.
    untested : tuple
        Labels of rows that determine a parameter alone, or without which no noise can be estimated;
        their entries are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> y[5] += 8
    >>> test = LinearRegression().fit(X, y).outlier_test(X, y)
    >>> print(test.table.nsmallest(1, "bonferroni_p").round(4))
       studentized_residual  p_value  bonferroni_p
    5                6.7322      0.0           0.0
    """

    table: pd.DataFrame
    n_tested: int
    untested: tuple[Any, ...]

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
    residuals = _Residuals(whitening, params, residual_squares, df, weighting)
    labels = pd.RangeIndex(rows.n_rows) if index is None else index
    t, p, w = rows.map(residuals).T
    present = w > 0
    t, p, labels = t[present], p[present], labels[present]
    tested = ~np.isnan(t)
    found = _Found(t, p, labels, int(tested.sum()), labels[~tested])
    return _result(found)


def outlier_test_in_parts(
    whitening: Whitening,
    rows: Rows,
    params: Array,
    residual_squares: float,
    df: float,
    weighting: Weighting,
    label: Callable[[RowBlock], pd.Index],
) -> OutlierTest:
    """The same of rows that are elsewhere: only the rows that matter are brought here.

    Parameters
    ----------
    rows : Rows
        The training rows, y of shape (n,).
    label : callable
        Takes a block; returns the labels of its rows.
    """
    residuals = _Residuals(whitening, params, residual_squares, df, weighting)

    def found_at(most: float) -> _Found:
        def of_block(block: RowBlock) -> _Found:
            t, p, _ = residuals(block).T
            labels, tested = label(block), ~np.isnan(t)
            found = _Found(t[tested], p[tested], labels[tested], int(tested.sum()), labels[~tested])
            return found.largest(most)

        return rows.reduce(of_block)

    # How many are tested is known at the end; hardly ever is it less than half of the rows.
    found = found_at(2.0 / rows.n_present)
    if 0 < 2 * found.n_tested < rows.n_present:
        found = found_at(1.0 / found.n_tested)
    return _result(found.largest(1.0 / max(found.n_tested, 1)))


@dataclass(frozen=True)
class _Residuals:
    """Studentized residuals of a block, their p-values, and weights: shape (b, 3).

    Rows that cannot be tested have NaN. The weights are ``extras["frequency"]``, or those of the
    block.
    """

    whitening: Whitening
    params: Array
    residual_squares: float
    df: float
    weighting: Weighting

    def __call__(self, block: RowBlock) -> Array:
        if "frequency" not in block.extras:
            block = replace(block, extras={**block.extras, "frequency": block.weights_or_ones})
        Z, w = self.whitening.of(block), block.extras["frequency"]
        squares, fit = np.einsum("ij,ij->i", Z, Z), (self.params, self.residual_squares, self.df)
        found = studentized_residuals(block, squares, *fit, self.weighting)
        left = self.df - self.weighting.in_row(w)
        t = np.where(left > 0, found.studentized, np.nan)
        p = 2.0 * stats.t.sf(np.abs(t), np.where(left > 0, left, np.nan))
        return np.column_stack([t, p, w])


@dataclass(frozen=True)
class _Found:
    """Residuals, p-values and labels of rows, and how many were tested; ``+`` adds other rows."""

    t: Array
    p: Array
    labels: pd.Index
    n_tested: int
    untested: pd.Index
    most: float = 1.0

    def __add__(self, other: _Found) -> _Found:
        stacked = _Found(
            np.concatenate([self.t, other.t]),
            np.concatenate([self.p, other.p]),
            self.labels.append(other.labels),
            self.n_tested + other.n_tested,
            self.untested.append(other.untested),
        )
        return stacked.largest(self.most)

    def largest(self, most: float) -> _Found:
        """Those with a p-value below ``most``, and no fewer than the largest that are shown."""
        kept = self.p < most
        kept[np.argsort(-np.abs(self.t), kind="stable")[:_SHOWN]] = True
        labels = self.labels[kept]
        return replace(self, t=self.t[kept], p=self.p[kept], labels=labels, most=most)


def _result(found: _Found) -> OutlierTest:
    if not found.n_tested:
        raise InferenceError("no row can be left out: each alone determines a parameter.")
    bonferroni = np.minimum(found.n_tested * found.p, 1.0)
    columns = dict(zip(_COLUMNS, (found.t, found.p, bonferroni), strict=True))
    table = pd.DataFrame(columns, index=found.labels, copy=False)
    untested = tuple(found.untested.tolist())
    if untested:
        warn_user(
            f"row(s) {_listed(untested)} are not tested (NaN): each alone determines a parameter "
            "(leverage 1), or without it no noise can be estimated.",
            LeverageWarning,
        )
    return OutlierTest(table, found.n_tested, untested)


def _listed(labels: tuple[Any, ...]) -> str:
    return ", ".join(map(str, labels[:10])) + (", …" if len(labels) > 10 else "")
