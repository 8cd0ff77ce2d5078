"""Predictions of a function of the target, taken back to the target.

With f the function, g its inverse, monotone, and an interval of ``f(y)`` or of its expectation, the
interval of y, or of g of the expectation, has the ends g of its ends, and the same coverage. Where
the errors of f(y) are symmetric, g of the expectation is the median of y. By the delta method its
standard error is ``|g′(m)| s``. Source: Carroll and Ruppert (1988), *Transformation and Weighting
in Regression*; Casella and Berger (2002), *Statistical Inference*, 2nd ed., §5.5.4.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mcmodels.arrays import Array
from mcmodels.differences import difference_quotient
from mcmodels.exceptions import InferenceError, NoMeanWarning
from mcmodels.user_warnings import warn_user

__all__ = ["through_inverse"]

# Points at which each interval is looked at: ends, prediction, and between.
_POINTS = 9


def through_inverse(
    inverse: Callable[[Array], Array], prediction: Array, error: Array, lower: Array, upper: Array
) -> Array:
    """Prediction, standard error and ends in units of the target, shape (n, 4).

    Parameters
    ----------
    inverse : callable
        g, of an array of any shape, value by value.
    prediction, error, lower, upper : ndarray of shape (n,)
        Those of f(y).

    Raises
    ------
    InferenceError
        Where g is seen not to be monotone, or changes no value.

    Warns
    -----
    NoMeanWarning
        Where g has no value.
    """
    shares = np.linspace(0.0, 1.0, _POINTS)[:, np.newaxis]
    inside = lower + shares * (upper - lower)
    at = np.vstack([prediction, lower, upper, inside])
    values = inverse(at)
    order = np.argsort(at, axis=None, kind="stable")
    ordered = values.ravel()[order]
    ordered = ordered[~np.isnan(ordered)]
    steps = np.diff(ordered)
    # Steps back by rounding are none.
    rounding = 8 * np.finfo(np.float64).eps * np.maximum(np.abs(ordered[1:]), np.abs(ordered[:-1]))
    with np.errstate(invalid="ignore"):
        rises, falls = (steps > rounding).any(), (steps < -rounding).any()
    if rises and falls:
        raise InferenceError(
            "the inverse of the function of y is not monotone over the intervals, so that their "
            "ends say nothing of y. Call predict_interval of results(…).model with the rows after "
            "the steps, in units of the function; or fit with a function that is monotone."
        )
    found, low, high = values[:3]
    if falls:
        low, high = high, low
    with np.errstate(all="ignore"):
        # The derivative by the standard error: its step is in the units of the prediction.
        spread = np.abs(difference_quotient(lambda t: inverse(prediction + t * error)))
    table = np.column_stack([found, np.where(error == 0, 0.0, spread), low, high])
    missing = np.isnan(table).any(axis=1) & ~np.isnan(prediction)
    if missing.any():
        warn_user(
            f"the inverse of the function of y has no value at an end, or at the prediction, of "
            f"{np.count_nonzero(missing)} of {len(table)} rows; the first is row "
            f"{int(missing.argmax())}. They are NaN there. Use a function whose inverse is defined "
            "for all numbers, such as log.",
            NoMeanWarning,
        )
    return table
