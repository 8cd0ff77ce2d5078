"""``scan``: rows of any table, read by the names of its columns, few in memory at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mcmodels.tables.choice import Choice
from mcmodels.tables.datasets import DatasetSource
from mcmodels.tables.engines import PACKAGES, of_function, of_query
from mcmodels.tables.files import of_files
from mcmodels.tables.sources import Source
from mcmodels.tables.table_stream import TableStream

__all__ = ["scan"]

_CHOICES = {
    "missing": ("refuse", "drop"),
    "unseen": ("refuse", "baseline"),
    "dates": ("refuse", "days", "hours", "seconds"),
}


def scan(
    table: Any,
    target: str | Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    *,
    categorical: Sequence[str] | Mapping[str, Sequence[Any] | None] = (),
    baseline: Mapping[str, Any] | None = None,
    weights: str | None = None,
    offset: str | Sequence[str] | None = None,
    exposure: str | None = None,
    groups: str | Sequence[str] | None = None,
    where: Any = None,
    missing: str = "refuse",
    unseen: str = "refuse",
    dates: str = "refuse",
    compress: bool | None = None,
    connection: Any = None,
) -> TableStream:
    """Rows of a table, read by the names of its columns, in place of X and y.

    Nothing is read until a model is fitted. Each pass over the rows reads only the columns that are
    used, a few batches at a time.

    Parameters
    ----------
    table : path, list of paths, table, query or callable
        Parquet, Feather, Arrow or CSV files: a path, a pattern such as ``"trips/*.parquet"``, a
        directory, or a list of these. Or a Table or Dataset of pyarrow; a DataFrame of pandas; a
        DataFrame or LazyFrame of Polars; a relation of DuckDB; a table of Ibis; a query in SQL,
        with ``connection``; a function that returns a new ``pyarrow.RecordBatchReader`` each time.
    target : str or sequence of str, default=None
        The column y; several for several targets. None for predictions.
    features : sequence of str, default=None
        The columns of X. None: those that the model was fitted to; for a fit, all columns but
        ``target``, ``weights``, ``offset``, ``exposure`` and ``groups``.
    categorical : sequence of str, or mapping of str to sequence, default=()
        Features that are levels, not numbers. Their levels are those that a first look finds, in
        ascending order; or ``{"zone": ["A", "B"]}`` gives them. Columns of dictionaries (categories
        of pandas and Polars) are levels in any case.
    baseline : mapping of str to level, default=None
        The level that has no column of its own, which the others are compared with. By default the
        first one.
    weights : str, default=None
        The column of row weights ≥ 0.
    offset : str or sequence of str, default=None
        The column of offsets: a part of the linear predictor that has no coefficient. For models
        that take offsets, such as :class:`mcmodels.GeneralizedLinearRegressor`; others refuse it.
        :class:`mcmodels.LogisticRegression` with more than two classes takes one for each class, in
        their order: ``["offset_a", "offset_b", "offset_c"]``.
    exposure : str, default=None
        The column of exposures > 0: factors of the mean, whose logarithm is an offset. For models
        with the link "log".
    groups : str or sequence of two str, default=None
        The column of clusters (two for two-way clusters), which cluster-robust covariances of these
        rows take: ``model.summary(rows, kind="cluster")``.
    where : str or pyarrow.compute.Expression, default=None
        Which rows: comparisons of columns with constants, or of two columns, joined by ``and``,
        ``or`` and ``not``; ``in [...]`` and ``not in [...]``. Files are filtered while they are
        read.
    missing : {"refuse", "drop"}, default="refuse"
        Rows with a missing value (null or NaN) in a column that is used: refused, with counts by
        column and file; or left out, and :attr:`TableStream.n_dropped` counts them.
    unseen : {"refuse", "baseline"}, default="refuse"
        Levels that the fit has not seen: refused, or counted as the baseline.
    dates : {"refuse", "days", "hours", "seconds"}, default="refuse"
        The unit in which dates and times become numbers, counted from 1970.
    compress : bool, default=None
        Whether fits and covariances take the distinct rows, each with the number (or weight) of the
        rows that are equal to it; the result is the same. Where rows repeat, the table is read once
        for all steps of a fit; where they hardly do, all are taken. None: if every feature is a
        level or a boolean, and there is no offset and no exposure; these are among what tells
        rows apart.
    connection : connection, default=None
        A connection of DuckDB, ADBC or Python's DB-API, for a query.

    Returns
    -------
    TableStream
        A :class:`mcmodels.RowStream`: ``model.fit(rows)``, ``model.predict(rows)``.

    Raises
    ------
    ValueError
        For columns that are not there, files that cannot be read, conditions that are none.
    TypeError
        For columns that are no numbers, and for what holds no table.
    ImportError
        If a package is missing; it names the extra.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression, scan
    >>> trips = pd.DataFrame({"zone": ["A", "B", "A", "B"], "km": [1.0, 2.0, 3.0, 5.0]})
    >>> trips["fare"] = 2 * trips["km"] + 2 * (trips["zone"] == "B") + 1
    >>> rows = scan(trips, target="fare", categorical=["zone"])
    >>> model = LinearRegression().fit(rows)
    >>> dict(zip(model.feature_names_in_.tolist(), model.coef_.round(12).tolist()))
    {'zone_B': 2.0, 'km': 2.0}
    >>> model.predict(scan(pd.DataFrame({"km": [4.0], "zone": ["B"]}))).round(12)
    array([11.])
    """
    choices = {"missing": missing, "unseen": unseen, "dates": dates}
    for name, value in choices.items():
        if value not in _CHOICES[name]:
            raise ValueError(f"{name}={value!r} is none of {', '.join(map(repr, _CHOICES[name]))}.")
    _check_lists(target, features, categorical, baseline, groups)
    offset = _offset_columns(offset)
    for name, column in {"weights": weights, "exposure": exposure}.items():
        if column is not None and not isinstance(column, str):
            raise TypeError(f"{name}={column!r} names no columns; pass their names as text.")
    source = _source_of(table) if connection is None else of_query(table, connection)
    levels: Any = dict.fromkeys(categorical)
    if isinstance(categorical, Mapping):
        levels = dict(categorical)
    choice = Choice(
        source=source,
        target=target if isinstance(target, str) else tuple(target or ()),
        features=None if features is None else tuple(features),
        given_levels=levels,
        baseline=dict(baseline or {}),
        weights=weights,
        offset=offset,
        exposure=exposure,
        groups=(groups,) if isinstance(groups, str) else tuple(groups or ()),
        missing=missing,
        unseen=unseen,
        dates=dates,
        compress=compress,
    )
    return TableStream(choice, where)


def _check_lists(target: Any, features: Any, categorical: Any, baseline: Any, groups: Any) -> None:
    """Refuse what are no names of columns, and no lists of levels."""
    for name, value in (("features", features), ("categorical", categorical)):
        if isinstance(value, str):
            raise TypeError(f"{name}={value!r} is text; pass a list: [{value!r}].")
    lists = {"target": target, "features": features, "categorical": categorical, "groups": groups}
    for name, value in lists.items():
        one = name not in ("features", "categorical") and isinstance(value, str)
        if value is None or one:
            continue
        if not (isinstance(value, Iterable) and all(isinstance(column, str) for column in value)):
            raise TypeError(f"{name}={value!r} names no columns; pass their names as text.")
        if name == "target" and not list(value):
            raise ValueError("target=[] names no column; leave it out for predictions.")
    for name, given in categorical.items() if isinstance(categorical, Mapping) else ():
        if given is not None and (isinstance(given, str | set) or not isinstance(given, Iterable)):
            raise TypeError(
                f"categorical gives a {type(given).__name__} for {name!r}; pass a list of levels, "
                "the first of which is the baseline."
            )
    if baseline is not None and not isinstance(baseline, Mapping):
        raise TypeError(
            f"baseline is a {type(baseline).__name__}; pass a level by column: {{'zone': 'A'}}."
        )


def _offset_columns(offset: Any) -> str | tuple[str, ...] | None:
    """The column of offsets, or several of them."""
    if offset is None or isinstance(offset, str):
        return offset
    if isinstance(offset, list | tuple) and offset and all(isinstance(k, str) for k in offset):
        return tuple(offset)
    raise TypeError(
        f"offset={offset!r} names no columns; pass the name of one as text, or a list of names: "
        "one for each class."
    )


def _source_of(table: Any) -> Source:
    if isinstance(table, DatasetSource):  # files that were looked at already
        return table
    package = type(table).__module__.partition(".")[0]
    if package in PACKAGES:
        return PACKAGES[package](table)
    is_path = isinstance(table, str | os.PathLike)
    if is_path or (
        isinstance(table, list | tuple) and all(isinstance(x, str | os.PathLike) for x in table)
    ):
        return of_files(table)
    if callable(table):
        return of_function(table)
    raise TypeError(
        f"a {type(table).__name__} is no table; pass paths, a table of pyarrow, Polars, pandas, "
        "DuckDB or Ibis, a query with connection=, or a function that returns a new "
        "pyarrow.RecordBatchReader each time it is called."
    )
