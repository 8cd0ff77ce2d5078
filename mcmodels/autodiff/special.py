"""Special functions of SciPy that can be differentiated.

SciPy's ufuncs, such as ``scipy.special.expit``, may be called directly. The functions here also
include those that are not ufuncs (``logsumexp``, ``softmax``, ``polygamma``). Of plain arrays they
return what SciPy's functions return.
"""

from __future__ import annotations

from typing import Any

from scipy.special import (
    betaln,
    entr,
    erf,
    erfc,
    erfinv,
    expit,
    gamma,
    gammaln,
    log_expit,
    log_ndtr,
    logit,
    ndtr,
    ndtri,
    psi,
    rel_entr,
    xlog1py,
    xlogy,
)

from mcmodels.autodiff.tables import call

__all__ = [
    "betaln",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "expit",
    "gamma",
    "gammaln",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "rel_entr",
    "softmax",
    "xlog1py",
    "xlogy",
]

digamma = psi


def softmax(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """``eˣ / Σ eˣ``.

    Parameters
    ----------
    x : array-like
        Any shape.
    axis : int, tuple of int or None, default=None
        The axes along which the result sums to one; None stands for all.

    Returns
    -------
    ndarray, the shape of x
    """
    return call("softmax", x, axis=axis)


def logsumexp(x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
    """``log Σ eˣ``.

    Parameters
    ----------
    x : array-like
        Any shape.
    axis : int, tuple of int or None, default=None
        The axes to sum over; None stands for all.
    keepdims : bool, default=False
        Whether the axes summed over are kept, with length one.

    Returns
    -------
    ndarray or float
    """
    return call("logsumexp", x, axis=axis, keepdims=keepdims)


def log_softmax(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """``x - log Σ eˣ``, the logarithm of :func:`softmax`.

    Parameters
    ----------
    x : array-like
        Any shape.
    axis : int, tuple of int or None, default=None
        The axes along which the probabilities sum to one; None stands for all.

    Returns
    -------
    ndarray, the shape of x
    """
    return x - logsumexp(x, axis=axis, keepdims=True)


def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of the digamma function.

    Parameters
    ----------
    n : int
        Order; 0 is :func:`digamma`.
    x : array-like
        The points.

    Returns
    -------
    ndarray, the shape of x
    """
    return call("polygamma", n, x)
