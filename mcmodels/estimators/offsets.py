"""Offsets and exposures: a part of the linear predictor that has no coefficient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmodels.arrays import Array, Matrix
from mcmodels.estimators.arguments import finite_numbers, refuse_other_order
from mcmodels.objectives.links import Link, LogLink
from mcmodels.rows import RowStream
from mcmodels.tables.dask_stream import as_stream

__all__ = ["OFFSETS", "checked_offset", "refuse_for_model", "with_offsets"]

OFFSETS = ("offset", "exposure")


def with_offsets(
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    groups: Any = None,
    *,
    offset: Any = None,
    exposure: Any = None,
) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
    """As :func:`as_stream`, with the offset and exposure that are still to be paired with X.

    Those of Dask collections go into the stream; beside a stream they are refused.
    """
    offsets = {"offset": offset, "exposure": exposure}
    if isinstance(X, RowStream):
        _refuse_beside_stream(offsets)
    X, y, sample_weight, groups = as_stream(X, y, sample_weight, groups, **offsets)
    left = {} if isinstance(X, RowStream) else offsets
    return X, y, sample_weight, groups, left


def refuse_for_model(model: Any, offsets: Mapping[str, Any], place: str) -> None:
    """Refuse the offset or exposure of a stream for a model that takes none."""
    if offsets and not model._takes_offsets:
        raise ValueError(
            f"{place} has an {' and an '.join(offsets)}, and {type(model).__name__} takes none. "
            "Leave it out of the blocks or of scan(), or fit a model that takes offsets, such as "
            "GeneralizedLinearRegressor."
        )


def _refuse_beside_stream(offsets: Mapping[str, Any]) -> None:
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
    found = None if offset is None else _one_for_each_row("offset", offset, X)
    if exposure is None:
        return found
    if not isinstance(link, LogLink):
        raise ValueError(
            f"exposure multiplies the mean, which needs link='log', and the link is "
            f"{link.name!r}; pass an offset, or fit y/exposure with the exposure as weights."
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


def _one_for_each_row(name: str, values: Any, X: Matrix) -> Array:
    refuse_other_order(X=X, **{name: values})
    found = finite_numbers(name, values)
    if found.ndim != 1 or len(found) != X.shape[0]:
        raise ValueError(
            f"{name} has shape {found.shape}; it must have one number for each of the "
            f"{X.shape[0]} rows of X."
        )
    return found
