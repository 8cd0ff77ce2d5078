"""Convolutions and filters of ``scipy.signal`` that can be differentiated.

SciPy converts its arguments to plain arrays, so that calls of ``scipy.signal`` cannot be followed.
The functions here have its names, its arguments and its values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal as ss

from mcmodels.autodiff.filling import as_array
from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import NoRuleError, Traced

__all__ = [
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "fftconvolve",
    "lfilter",
]

_PADDING = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """``Σⱼ aⱼ vₖ₋ⱼ``, along all axes.

    Parameters
    ----------
    in1, in2 : array-like
        Arrays with as many axes as each other.
    mode : {"full", "valid", "same"}, default="full"
        All positions at which the two overlap; those at which they do fully; or as many as in1 has.
    method : {"auto", "direct", "fft"}, default="auto"
        How the sums are computed.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.signal import convolve
    >>> x, kernel = np.array([1.0, 2.0, 3.0]), np.array([1.0, -1.0])
    >>> convolve(x, kernel)
    array([ 1.,  1.,  1., -3.])
    >>> grad(lambda kernel: np.sum(convolve(x, kernel) ** 2))(kernel).round(6)
    array([ 12., -12.])
    """
    a, v = as_array(in1), as_array(in2)
    if not (isinstance(a, Traced) or isinstance(v, Traced)):
        return ss.convolve(a, v, mode, method)
    return _cropped("convolve", a, v, mode, method)


def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """:func:`convolve` by Fourier transforms; ``axes`` are all, where it is differentiated.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.signal import fftconvolve
    >>> x, kernel = np.array([1.0, 2.0, 3.0]), np.array([1.0, -1.0])
    >>> grad(lambda kernel: np.sum(fftconvolve(x, kernel) ** 2))(kernel).round(6)
    array([ 12., -12.])
    """
    a, v = as_array(in1), as_array(in2)
    if not (isinstance(a, Traced) or isinstance(v, Traced)):
        return ss.fftconvolve(a, v, mode, axes)
    ndim = len(shape_of(a))
    if axes is not None and sorted(np.atleast_1d(axes) % max(ndim, 1)) != list(range(ndim)):
        raise NoRuleError(
            "fftconvolve along some of the axes has no rule for its derivative; convolve the parts "
            "along the others one by one."
        )
    return _cropped("fftconvolve", a, v, mode, "fft")


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """``Σⱼ aⱼ v̄ⱼ₋ₖ``, the convolution with the reversed conjugate; arguments as there.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.signal import correlate
    >>> x, kernel = np.array([1.0, 2.0, 3.0]), np.array([1.0, -1.0])
    >>> correlate(x, kernel)
    array([-1., -1., -1.,  3.])
    >>> grad(lambda kernel: np.sum(correlate(x, kernel) ** 2))(kernel).round(6)
    array([ 12., -12.])
    """
    a, v = as_array(in1), as_array(in2)
    if not (isinstance(a, Traced) or isinstance(v, Traced)):
        return ss.correlate(a, v, mode, method)
    return _cropped("correlate", a, _reversed(np.conjugate(v)), mode, method)


def convolve2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0
) -> Any:
    """The convolution of two matrices, of which the first goes on beyond its boundary.

    Parameters
    ----------
    in1, in2 : array-like of shape (m, n), (k, l)
        The matrices.
    mode : {"full", "valid", "same"}, default="full"
        As for :func:`convolve`.
    boundary : {"fill", "wrap", "symm"}, default="fill"
        Whether in1 goes on with fillvalue, periodically, or mirrored.
    fillvalue : float, default=0
        A constant.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.signal import convolve2d
    >>> x, kernel = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, -1.0]])
    >>> convolve2d(x, kernel)
    array([[ 1.,  1., -2.],
           [ 3.,  1., -4.]])
    >>> grad(lambda kernel: np.sum(convolve2d(x, kernel) ** 2))(kernel).round(6)
    array([[ 32., -32.]])
    """
    a, v = as_array(in1), as_array(in2)
    if not (isinstance(a, Traced) or isinstance(v, Traced)):
        return ss.convolve2d(a, v, mode, boundary, fillvalue)
    return _beyond_the_boundary("convolve2d", a, v, mode, boundary, fillvalue, 1)


def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0
) -> Any:
    """The correlation of two matrices; arguments as for :func:`convolve2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.signal import correlate2d
    >>> x, kernel = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, -1.0]])
    >>> correlate2d(x, kernel)
    array([[-1., -1.,  2.],
           [-3., -1.,  4.]])
    >>> grad(lambda kernel: np.sum(correlate2d(x, kernel) ** 2))(kernel).round(6)
    array([[ 32., -32.]])
    """
    a, v = as_array(in1), as_array(in2)
    if not (isinstance(a, Traced) or isinstance(v, Traced)):
        return ss.correlate2d(a, v, mode, boundary, fillvalue)
    v = _reversed(np.conjugate(v))
    return _beyond_the_boundary("correlate2d", a, v, mode, boundary, fillvalue, 0)


def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """The signal y with ``Σⱼ aⱼ yₜ₋ⱼ = Σⱼ bⱼ xₜ₋ⱼ``.

    Parameters
    ----------
    b, a : array-like of shape (p,), (q,)
        The coefficients.
    x : array-like
        The signal.
    axis : int, default=-1
        The axis of time.
    zi : array-like, optional
        The state at the beginning; refused where the signal is differentiated.

    Returns
    -------
    ndarray, the shape of x

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.signal import lfilter
    >>> x = np.array([1.0, 0.0, 0.0])
    >>> lfilter([1.0], [1.0, -0.5], x)
    array([1.  , 0.5 , 0.25])
    >>> grad(lambda a: lfilter([1.0], a, x)[2])(np.array([1.0, -0.5])).round(6)
    array([-0.75, -1.  ])
    """
    b, a, x = np.atleast_1d(as_array(b)), np.atleast_1d(as_array(a)), as_array(x)
    if not any(isinstance(part, Traced) for part in (b, a, x)):
        return ss.lfilter(b, a, x, axis, zi)
    if zi is not None:
        raise NoRuleError("lfilter with zi= has no rule for its derivative; leave it out.")
    return np.moveaxis(call("lfilter", b, a, np.moveaxis(x, axis, -1)), -1, axis)


def _cropped(name: str, a: Any, v: Any, mode: str, method: str) -> Any:
    """The entries of a full convolution that a mode keeps."""
    sizes, others = shape_of(a), shape_of(v)
    if len(sizes) != len(others):
        raise ValueError(
            f"{name}: both arrays must have as many axes as each other; found the shapes {sizes} "
            f"and {others}."
        )
    if not sizes:
        return a * v
    pairs = list(zip(sizes, others, strict=True))
    if mode == "valid" and not (all(n >= m for n, m in pairs) or all(n <= m for n, m in pairs)):
        raise ValueError(f"{name}: with mode='valid' one array must fit into the other.")
    if 0 in sizes + others:
        return np.zeros(0)
    full = call("convolve_nd", a, v, method=method)
    if mode == "full":
        return full
    if mode == "same":
        return full[tuple(slice((m - 1) // 2, (m - 1) // 2 + n) for n, m in pairs)]
    if mode == "valid":
        return full[tuple(slice(min(n, m) - 1, max(n, m)) for n, m in pairs)]
    raise ValueError(f"{name}: mode must be 'full', 'valid' or 'same'; found {mode!r}.")


def _beyond_the_boundary(
    name: str, a: Any, v: Any, mode: str, boundary: str, fillvalue: float, down: int
) -> Any:
    """The full convolution of a matrix that was continued, cropped; ``down`` rounds its middle."""
    if isinstance(fillvalue, Traced):
        raise NoRuleError(f"{name} has no rule for the derivative by fillvalue.")
    if boundary not in _PADDING:
        raise ValueError(f"{name}: boundary must be 'fill', 'wrap' or 'symm'; found {boundary!r}.")
    pairs = list(zip(shape_of(a), shape_of(v), strict=True))
    if mode == "valid":
        return _cropped(name, a, v, mode, "direct")
    if boundary != "fill" or fillvalue:
        options = {"constant_values": fillvalue} if boundary == "fill" else {}
        beyond = [(m - 1, m - 1) for _, m in pairs]
        a = np.pad(a, beyond, _PADDING[boundary], **options)  # type: ignore[call-overload]
        full = _cropped(name, a, v, "valid", "direct")
    else:
        full = _cropped(name, a, v, "full", "direct")
    if mode == "full":
        return full
    if mode == "same":
        starts = [(m - down) // 2 for _, m in pairs]
        return full[tuple(slice(s, s + n) for s, (n, _) in zip(starts, pairs, strict=True))]
    raise ValueError(f"{name}: mode must be 'full', 'valid' or 'same'; found {mode!r}.")


def _reversed(x: Any) -> Any:
    return x[(slice(None, None, -1),) * len(shape_of(x))]
