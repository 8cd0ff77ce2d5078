"""The lags of HAC covariances, and rows whose order may not be that of time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mcmodels.estimators.arguments import check_count
from mcmodels.rows import RowStream

__all__ = ["check_lags", "refuse_rows_without_order"]


def check_lags(kind: str, max_lags: Any) -> int:
    """The lags, 0 for other kinds than HAC; refused where they are missing or out of place."""
    if kind != "HAC":
        if max_lags is not None:
            raise ValueError(f"max_lags was given, but kind={kind!r}; pass kind='HAC'.")
        return 0
    if max_lags is None:
        raise ValueError(
            "kind='HAC' needs max_lags, the number of lags; a common choice is the integer below "
            "4(n/100)^(2/9), 4 for 100 rows and 9 for 5000."
        )
    check_count("max_lags", max_lags, at_least=0)
    return int(max_lags)


def refuse_rows_without_order(X: Any) -> None:
    """Refuse rows of tables, and rows whose dates are in another order.

    Arrays and streams are in order, and so are the partitions of Dask. Last rows first is an order,
    too: the covariance is the same.
    """
    index = X.index if isinstance(X, pd.DataFrame) else None
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex) and not (
        index.is_monotonic_increasing or index.is_monotonic_decreasing
    ):
        raise ValueError(
            "kind='HAC' needs rows in the order of time, and the dates in the index of X are not. "
            "Sort X, y and the weights, as by X.sort_index(); rows of a panel, with one series "
            "behind another, need kind='cluster'."
        )
    if isinstance(X, RowStream) and X.table_columns is not None:
        raise ValueError(
            "kind='HAC' needs rows in the order of time, and X is a table, which may be read in "
            "any order. Pass arrays that are sorted by time, or a RowStream of them."
        )
