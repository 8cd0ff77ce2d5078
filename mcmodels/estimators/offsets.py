"""Offsets and exposures: a part of the linear predictor that has no coefficient."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import Array, Matrix
from mcmodels.estimators.arguments import finite_numbers, refuse_other_order
from mcmodels.objectives.links import Link, LogLink

__all__ = ["checked_offset", "checked_trials"]


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


def _one_for_each_row(name: str, values: Any, X: Matrix) -> Array:
    refuse_other_order(X=X, **{name: values})
    found = finite_numbers(name, values)
    if found.ndim != 1 or len(found) != X.shape[0]:
        raise ValueError(
            f"{name} has shape {found.shape}; it must have one number for each of the "
            f"{X.shape[0]} rows of X."
        )
    return found
