"""The columns of a table that a model is fitted to, and how they become numbers."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mcmodels.arrays import Matrix
from mcmodels.rows.sizes import SPARSE_PRODUCT_COST
from mcmodels.tables.packages import pyarrow
from mcmodels.tables.values import comparable, is_missing, numbers, plain

__all__ = ["TableColumns"]

_SHOWN_LEVELS = 5


@dataclass(frozen=True)
class TableColumns:
    """The columns of a table that a model is fitted to; it belongs to the fitted model.

    A categorical column becomes one column of zeros and ones for each level but the first, its
    baseline. Together with an intercept, all levels would depend on each other.

    Parameters
    ----------
    features : tuple of str
        Columns of the table, in the order of the design.
    levels : mapping of str to tuple
        The levels of each categorical column, the baseline first.
    dates : str
        The unit of dates and times, as :func:`mcmodels.scan` takes it.
    """

    features: tuple[str, ...]
    levels: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, hash=False)
    dates: str = "refuse"

    def __repr__(self) -> str:
        shown = [
            f"{name} ({len(self.levels[name])} levels)" if name in self.levels else name
            for name in self.features
        ]
        return f"table columns {', '.join(shown)}"

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of the design: ``zone_B`` for the level B of zone."""
        return tuple(
            name
            for feature in self.features
            for name in (
                [f"{feature}_{level}" for level in self.levels[feature][1:]]
                if feature in self.levels
                else [feature]
            )
        )

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone."""
        return {"features": self.features, "levels": self.levels, "dates": self.dates}

    @property
    def is_sparse(self) -> bool:
        """Whether products of sparse rows take less time than those of dense ones."""
        entries = len(self.features)
        return bool(self.levels) and entries**2 * SPARSE_PRODUCT_COST < len(self.names) ** 2

    def design(
        self, batch: Any, *, unseen: str, place: str
    ) -> tuple[Matrix, npt.NDArray[np.bool_] | None]:
        """The design of a batch of Arrow, and which of its rows have missing values.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            It has the features.
        unseen : {"refuse", "baseline"}
            What levels are that are none of :attr:`levels`.
        place : str
            Where the batch is from, for errors.

        Returns
        -------
        X : ndarray or CSR array of shape (n_rows, n_columns)
            An array in order of columns. NaN where a number is missing, zeros where a level is.
        missing : ndarray of shape (n_rows,), or None
            Whether a value of the row is missing; None where none is.
        """
        values = [
            self._codes(name, batch.column(name), unseen, place)
            if name in self.levels
            else numbers(batch.column(name), self.dates)
            for name in self.features
        ]
        X = (self._sparse if self.is_sparse else self._dense)(values, batch.num_rows)
        missing = np.zeros(batch.num_rows, dtype=bool)
        for name, column in zip(self.features, values, strict=True):
            if name in self.levels:
                missing |= column < 0
            elif column.dtype.kind == "f" and not _has_finite_sum(column):
                missing |= np.isnan(column)
        return X, missing if missing.any() else None

    def _dense(self, values: list[Any], n_rows: int) -> Matrix:
        single = all(column.dtype in (np.float16, np.float32) for column in values)
        X = np.empty((len(self.names), n_rows), dtype=np.float32 if single else np.float64)
        at = 0
        for name, column in zip(self.features, values, strict=True):
            if name not in self.levels:
                X[at] = column
                at += 1
                continue
            width = len(self.levels[name]) - 1
            X[at : at + width] = 0.0
            rows = np.flatnonzero(column > 0)
            X[at + column[rows] - 1, rows] = 1.0
            at += width
        return X.T

    def _sparse(self, values: list[Any], n_rows: int) -> Matrix:
        """Each row has an entry for each feature, which is zero at the baseline."""
        widths = [len(self.levels.get(name, (0, 1))) - 1 for name in self.features]
        starts = np.concatenate([[0], np.cumsum(widths)[:-1]])
        used = [j for j, width in enumerate(widths) if width]
        data = np.empty((n_rows, len(used)))
        indices = np.empty((n_rows, len(used)), dtype=np.int32)
        for k, j in enumerate(used):
            if self.features[j] in self.levels:
                data[:, k] = values[j] > 0
                indices[:, k] = starts[j] + np.maximum(values[j] - 1, 0)
            else:
                data[:, k], indices[:, k] = values[j], starts[j]
        ends = np.arange(n_rows + 1, dtype=np.int32) * len(used)
        shape = (n_rows, len(self.names))
        return sparse.csr_array((data.ravel(), indices.ravel(), ends), shape=shape)

    def _codes(self, name: str, array: Any, unseen: str, place: str) -> npt.NDArray[np.intp]:
        """The number of the level of each value; -1 where it is missing."""
        arrow, levels = pyarrow("scan"), self.levels[name]
        is_dictionary = arrow.types.is_dictionary(array.type)
        # Each entry of a dictionary is looked up once.
        values = comparable(array.dictionary if is_dictionary else array)
        try:
            known = arrow.array(list(levels), values.type)
        except (arrow.ArrowException, OverflowError, TypeError, ValueError):
            raise ValueError(
                f"column {name!r} of {place} is {values.type}, and its levels are such as "
                f"{levels[0]!r}; convert one of them."
            ) from None
        codes = np.asarray(arrow.compute.index_in(values, value_set=known).fill_null(-2))
        codes = codes.astype(np.intp)
        lost = is_missing(values)
        if lost is not None:
            codes[lost] = -1
        if is_dictionary:
            codes = np.append(codes, -1)[np.asarray(array.indices.fill_null(len(codes)))]
        new = codes == -2
        if new.any():
            if unseen == "refuse":
                value = plain(array)[int(np.flatnonzero(new)[0])].as_py()
                shown = ", ".join(map(repr, levels[:_SHOWN_LEVELS]))
                shown += ", …" if len(levels) > _SHOWN_LEVELS else ""
                raise ValueError(
                    f"column {name!r} of {place} holds {value!r}, which is none of its "
                    f"{len(levels)} levels ({shown}); pass unseen='baseline' to count it as the "
                    "first."
                )
            codes[new] = 0
        return codes


def _has_finite_sum(column: npt.NDArray[Any]) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(column.sum()))
