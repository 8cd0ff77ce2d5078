"""Intervals of predictions by an inverse link that the user has written.

With ``η = x̃ᵀθ + offset``, its standard error s and the inverse link h, monotone, the interval of
``h(η)`` has the ends ``h(η ± q s)``, with the coverage of that of η; by the delta method the error
is ``|h′(η)| s``. Source: Casella and Berger (2002), *Statistical Inference*, 2nd ed., §5.5.4;
McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError

__all__ = ["own_intervals"]

# Points at which the slope of h is looked at in each interval.
_POINTS = 17


def own_intervals(
    link: Callable[[Array, int], Array], eta: Array, error: Array, quantile: float
) -> Array:
    """Prediction, standard error, lower and upper end of each row, shape (n, 4).

    Parameters
    ----------
    link : callable
        ``link(eta, order)``: h, or h′ for order 1.
    eta, error : ndarray of shape (n,)
        Linear predictors, and their standard errors; NaN where there is none.
    quantile : float
        q.

    Raises
    ------
    InferenceError
        Where h is seen to rise and fall within an interval: its ends say nothing of ``h(η)`` then.
    """
    reach = np.where(np.isnan(error), 0.0, quantile * error)
    shares = np.linspace(-1.0, 1.0, _POINTS)[:, np.newaxis]
    slopes = link((eta + shares * reach).ravel(), 1).reshape(_POINTS, -1)
    turns = (slopes > 0).any(axis=0) & (slopes < 0).any(axis=0)
    if turns.any():
        row = int(turns.argmax())
        raise InferenceError(
            f"inverse_link is not monotone over the intervals of {np.count_nonzero(turns)} of "
            f"{len(eta)} rows, so that their ends say nothing of the prediction; the first is row "
            f"{row}, between eta={eta[row] - reach[row]:g} and {eta[row] + reach[row]:g}. "
            "predictions(X) of results has a standard error by the delta method."
        )
    ends = np.sort([link(eta - reach, 0), link(eta + reach, 0)], axis=0)
    found = np.column_stack([link(eta, 0), np.abs(link(eta, 1)) * error, *ends])
    found[np.isnan(error), 1:] = np.nan
    return found
