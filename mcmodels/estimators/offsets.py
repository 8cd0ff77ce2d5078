"""Offsets and exposures: a part of the linear predictor that has no coefficient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, Labels, Matrix
from mcmodels.estimators.arguments import finite_numbers, listed, refuse_other_order
from mcmodels.objectives.links import Link, LogLink
from mcmodels.rows import RowStream
from mcmodels.tables.dask_stream import as_stream

__all__ = [
    "checked_offset",
    "checked_trials",
    "offset_of_classes",
    "offset_of_rows",
    "refuse_beside_stream",
    "refuse_for_model",
    "refuse_other_outputs",
    "with_offsets",
]


def with_offsets(
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    groups: Any = None,
    name: str = "groups",
    **offsets: Any,
) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
    """As :func:`as_stream`, with the offset and exposure that are still to be paired with X.

    Those of Dask collections go into the stream; beside a stream they are refused.
    """
    if isinstance(X, RowStream):
        refuse_beside_stream(offsets)
    X, y, sample_weight, groups = as_stream(X, y, sample_weight, groups, name, **offsets)
    left = {} if isinstance(X, RowStream) else offsets
    return X, y, sample_weight, groups, left


def refuse_for_model(model: Any, offsets: Mapping[str, Any], place: str) -> None:
    """Refuse the offset or exposure of a stream for a model that takes none."""
    others = [name for name in offsets if name not in model._offset_names]
    if others:
        raise ValueError(
            f"{place} has an {' and an '.join(others)}, and {type(model).__name__} takes none. "
            "Leave it out of the blocks or of scan(), or fit a GeneralizedLinearRegressor."
        )


def refuse_beside_stream(offsets: Mapping[str, Any]) -> None:
    """Refuse an offset or exposure that is passed together with a stream."""
    for name, value in offsets.items():
        if value is not None:
            last = ", exposure" if name == "exposure" else ""
            raise ValueError(
                f"{name} was given together with a RowStream; put it into the blocks of the "
                f"stream, (X, y, sample_weight, offset{last}), or name its column in "
                f"scan(..., {name}=...)."
            )


def checked_offset(X: Matrix, offset: Any, exposure: Any, link: Link) -> Array | None:
    """The offset of each row, float64 of shape (n_samples,); None without one.

    Parameters
    ----------
    X : matrix of shape (n_samples, n_features)
        The features, for their number of rows.
    offset : array-like of shape (n_samples,), or None
        Added to the linear predictor.
    exposure : array-like of shape (n_samples,), or None
        Positive; its logarithm is added, where the link is the logarithm.
    link : Link
        The link.

    Raises
    ------
    ValueError
        For other shapes, values that are not finite, exposures that are not positive, or an
        exposure where the link is not the logarithm.
    """
    found = offset_of_rows(X, offset)
    if exposure is None:
        return found
    if not isinstance(link, LogLink):
        raise ValueError(
            f"exposure multiplies the mean, which needs link='log', and the link is "
            f"{link.name!r}; pass an offset, or fit y/exposure with the exposure as "
            "sample_weight and weights='precision'."
        )
    exposed = _one_for_each_row("exposure", exposure, X)
    if not (exposed > 0).all():
        row = int((~(exposed > 0)).argmax())
        raise ValueError(
            f"exposure must be positive; found {exposed[row]:g} in row {row}. Leave out rows that "
            "were not exposed."
        )
    logarithm = link.predictor(exposed)
    return logarithm if found is None else found + logarithm


def checked_trials(X: Matrix, trials: Any) -> Array:
    """The trials of each row: positive whole numbers, float64 of shape (n_samples,)."""
    found = _one_for_each_row("trials", trials, X)
    wrong = (found != np.rint(found)) | ~(found > 0)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"trials must be positive whole numbers; found {found[row]:g} in row {row}."
        )
    return found


def offset_of_rows(X: Matrix, offset: Any) -> Array | None:
    """The offset of each row for one linear predictor, float64 of shape (n_samples,), or None.

    Raises ValueError for other shapes, and for values that are not finite.
    """
    return None if offset is None else _one_for_each_row("offset", offset, X)


def offset_of_classes(X: Matrix, offset: Any, classes: Labels | None) -> Array | None:
    """The offset of each row for classes: one number for two of them, else one for each class.

    Where the classes are not known yet (None), it may have any number of columns.

    Raises
    ------
    ValueError
        For other shapes, values that are not finite, or a data frame whose columns are the classes
        in another order.
    """
    if offset is None or (classes is not None and len(classes) == 2):
        return offset_of_rows(X, offset)
    refuse_other_order(X=X, offset=offset)
    if isinstance(offset, pd.DataFrame) and classes is not None:
        columns, names = list(map(str, offset.columns)), list(map(str, classes))
        if columns != names and sorted(columns) == sorted(names):
            raise ValueError(
                f"offset has the columns {listed(columns)}, and the classes are {listed(names)}: "
                "columns are taken by position. Pass offset[model.classes_], or sort the columns."
            )
    found = finite_numbers("offset", offset)
    if classes is None:
        if found.ndim in (1, 2) and len(found) == X.shape[0]:
            return found
        raise ValueError(
            f"offset has shape {found.shape}; it must have one number for each of the "
            f"{X.shape[0]} rows of X, and with more than two classes one for each class."
        )
    expected = X.shape[0], len(classes)
    if found.shape != expected:
        raise ValueError(
            f"offset has shape {found.shape}; it must have shape {expected}: a row for each of "
            f"X, and a column for each of the classes {listed(classes)}, in this order."
        )
    return found


def refuse_other_outputs(shape: tuple[int, ...] | None, classes: Labels) -> None:
    """Refuse the offset of a stream, of that shape in each row, if it is not one for classes."""
    K = len(classes)
    if shape is None or shape == (() if K == 2 else (K,)):
        return
    found = f"{shape[0]} columns" if shape else "one number for each row"
    needed = "one number for each row, not columns"
    if K > 2:
        needed = (
            "a column for each class, in this order; scan() takes their names, as a list: "
            f"offset=[{', '.join(repr(f'offset_{label}') for label in classes[:3].tolist())}"
            f"{', …' if K > 3 else ''}]"
        )
    raise ValueError(
        f"the offset of the stream has {found}, and there are the classes {listed(classes)}: it "
        f"must have {needed}."
    )


def _one_for_each_row(name: str, values: Any, X: Matrix) -> Array:
    refuse_other_order(X=X, **{name: values})
    found = finite_numbers(name, values)
    if found.ndim != 1 or len(found) != X.shape[0]:
        raise ValueError(
            f"{name} has shape {found.shape}; it must have one number for each of the "
            f"{X.shape[0]} rows of X."
        )
    return found
