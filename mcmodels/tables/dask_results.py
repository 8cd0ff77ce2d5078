"""Results for each row of a Dask collection, computed when they are asked for."""

from __future__ import annotations

import copy
import functools
import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils._set_output import _get_output_config

from mcmodels.exceptions import NotEstimableWarning
from mcmodels.rows import CodedBlock
from mcmodels.tables.dask_stream import OpenPartition, is_dask, partitions_of, refuse_mixed
from mcmodels.tables.packages import imported

__all__ = ["lazily", "lazy"]


def lazy(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of rows that also takes a Dask collection: its results for the partitions.

    With X it may take the offsets of the model, by their names.
    """

    @functools.wraps(method)
    def of_rows_or_partitions(self: Any, X: Any, *args: Any, **options: Any) -> Any:
        added = {name: options.get(name) for name in getattr(self, "_offset_names", ())}
        given = {"X": X} | {name: part for name, part in added.items() if part is not None}
        if any(map(is_dask, given.values())):
            refuse_mixed(given)
            if added:
                self._refuse_missing_offset(added)
            options = {name: value for name, value in options.items() if name not in given}
            return lazily(self, method.__name__, given, *args, **options)
        return method(self, X, *args, **options)

    return of_rows_or_partitions


def lazily(
    model: Any,
    method: str,
    given: dict[str, Any],
    *args: Any,
    like: Any = None,
    **options: Any,
) -> Any:
    """The results of a method for the partitions, one after another, as a Dask collection.

    Parameters
    ----------
    model : estimator
        A fitted model; later changes of it have no effect.
    method : str
        A method that takes the rows of a partition.
    given : dict
        The collections by the names of the arguments, X first, which is passed by position.
    *args, **options
        Further arguments of the method.
    like : object, default=None
        A result without rows; None: what the method returns for one row of X.

    Returns
    -------
    dask.array.Array, dask.dataframe.DataFrame, or a tuple of them
        Like the results themselves.
    """
    delayed = imported("dask.delayed", "dask", "a result for Dask collections").delayed
    X = given["X"]
    _refuse_containers(model, method)
    columns = getattr(model, "table_columns_", None)
    others = tuple(name for name in given if name != "X")
    call = _Call(copy.deepcopy(model), method, OpenPartition(columns), others, args, options)
    if like is None:
        ones = {
            name: None if given[name] is None else np.ones((1, *given[name].shape[1:]))
            for name in others
        }
        try:
            with warnings.catch_warnings():  # of a row that nobody has passed
                warnings.simplefilter("ignore", NotEstimableWarning)
                like = getattr(call.model, method)(_one_row(X, columns), *args, **ones, **options)
        except ValueError as error:
            if type(error) is not ValueError:
                raise
            raise ValueError(f"a row of the collections: {error}") from error
    call.without_rows = _without_rows(like)
    job, run = delayed(call, traverse=False, pure=False), delayed(_called, pure=False)
    parts = partitions_of(given)
    lengths = X.chunks[0] if hasattr(X, "chunks") else [np.nan] * len(parts)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    results = [run(job, held, k, starts[k]) for k, held in enumerate(parts)]
    if not isinstance(like, tuple):
        return _collected(results, call.without_rows, lengths)
    item = delayed(operator.getitem, pure=False)
    return tuple(
        _collected([item(result, k) for result in results], part, lengths)
        for k, part in enumerate(call.without_rows)
    )


@dataclass
class _Call:
    """A method of a model, with the arguments that are the same for all partitions."""

    model: Any
    method: str
    open: Callable[[Any, int], Any]
    others: tuple[str, ...]
    args: tuple[Any, ...]
    options: dict[str, Any]
    without_rows: Any = None

    def on(self, held: tuple[Any, ...], number: int, start: float) -> Any:
        """What the method returns for a partition, whose first row has this number."""
        X, *others = held
        index = X.index if isinstance(X, pd.DataFrame) else None
        ((coded, *_),) = self.open((X, None, None, None), number)
        by_name = dict(zip(self.others, others, strict=True))
        found = getattr(self.model, self.method)(coded, *self.args, **by_name, **self.options)
        if isinstance(found, pd.DataFrame) and index is not None:
            found.index = index
        elif isinstance(found, pd.DataFrame) and np.isfinite(start):
            found.index = pd.RangeIndex(int(start), int(start) + len(found))
        return found


def _called(call: _Call, held: tuple[Any, ...], number: int, start: float) -> Any:
    if held[0].shape[0] == 0:
        return call.without_rows
    try:
        return call.on(held, number, start)
    except (ValueError, TypeError) as error:
        if type(error) not in (ValueError, TypeError):
            raise
        raise type(error)(f"partition {number}: {error}") from error


def _refuse_containers(model: Any, method: str) -> None:
    """Refuse ``set_output``, which would compute all of a lazy result."""
    if method == "transform" and _get_output_config("transform", model)["dense"] != "default":
        raise TypeError(
            "set_output(transform=...) would bring all rows of a Dask collection to this process; "
            "call set_output(transform='default'), and convert what has been computed."
        )


def _one_row(X: Any, columns: Any) -> Any:
    """A row like those of X; only its types matter."""
    if columns is not None:
        return CodedBlock(np.ones((1, len(columns.names))), columns.names)
    if hasattr(X, "chunks"):
        return np.ones((1, X.shape[1]), dtype=X.dtype)
    return X._meta_nonempty.iloc[:1]


def _without_rows(like: Any) -> Any:
    if isinstance(like, tuple):
        return tuple(map(_without_rows, like))
    return like.iloc[:0] if isinstance(like, pd.DataFrame) else like[:0]


def _collected(results: list[Any], like: Any, lengths: Any) -> Any:
    """The results of the partitions as one collection with the meta of ``like``."""
    if isinstance(like, pd.DataFrame):
        frames = imported("dask.dataframe", "dask", "a table of Dask collections")
        return frames.from_delayed(results, meta=like, verify_meta=False)
    arrays = imported("dask.array", "dask", "a result for Dask collections")
    parts = [
        arrays.from_delayed(result, shape=(length, *like.shape[1:]), dtype=like.dtype, meta=like)
        for result, length in zip(results, lengths, strict=True)
    ]
    return arrays.concatenate(parts, allow_unknown_chunksizes=True)
