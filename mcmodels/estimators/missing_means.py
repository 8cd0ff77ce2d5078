"""Rows whose linear predictor is outside the domain of the link: said, never NaN in silence."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import NoMeanWarning
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.user_warnings import warn_user

__all__ = ["warn_without_means"]


def warn_without_means(loss: FamilyLoss, outside: Any, what: str, eta: Array | None = None) -> Any:
    """Warn of rows that have no mean; return which they are, or None if all have one.

    Parameters
    ----------
    loss : FamilyLoss
        Family and link.
    outside : ndarray of bool of shape (n,), or None
        Which rows; None for no row.
    what : str
        What of them is NaN.
    eta : ndarray of shape (n,), default=None
        Linear predictors, for the message.
    """
    if outside is None or not outside.any():
        return None
    row = int(outside.argmax())
    first = f"the first is row {row}"
    if eta is not None:
        first = f"of row {row} the linear predictor is {eta[row]:g}"
    warn_user(
        f"{np.count_nonzero(outside)} of {outside.size} rows have no mean of the family "
        f"{loss.family.name!r} with the link {loss.link.name!r}: {first}. Their {what} are NaN.",
        NoMeanWarning,
    )
    return outside
