"""Integrals of functions and of samples, of ``scipy.integrate``, that can be differentiated.

SciPy divides the interval; the integral is then computed once more on the parts, by Gauss's rule of
21 nodes, with values that are differentiated. By a limit of the integral the derivative is the
integrand there (Leibniz): Davis and Rabinowitz (1984), *Methods of Numerical Integration*, 2nd ed.,
§2.7 and §6.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate as si

from mcmodels.autodiff.filling import as_array, settled
from mcmodels.autodiff.rules.combinations import combination
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, tracing
from mcmodels.autodiff.trees import map_leaves

__all__ = ["cumulative_trapezoid", "quad", "simpson", "trapezoid"]

_WEIGHTED = {"weight", "wvar", "complex_func"}


def quad(func: Callable[..., Any], a: Any, b: Any, args: Any = (), **options: Any) -> Any:
    """``∫ func(x) dx`` from a to b.

    The derivative is that of the sum over the nodes: where a derivative of the integrand has
    narrower peaks than the integrand itself, it is less accurate.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` returns a number.
    a, b : float
        The limits; they may be infinite.
    args : tuple, default=()
        Further arguments of func.
    **options
        SciPy's: ``epsabs``, ``epsrel``, ``limit``, ``points``.

    Returns
    -------
    value, error : float
        The integral, and SciPy's estimate of its error.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.integrate import quad
    >>> mass = lambda s: quad(lambda x: np.exp(-s * x * x), -np.inf, np.inf)[0]   # √(π/s)
    >>> round(float(grad(mass)(1.0)), 10)
    -0.8862269255
    """
    if not tracing.depth:
        return si.quad(func, a, b, args, **options)
    args = args if isinstance(args, tuple) else (args,)
    limits = [as_array(a), as_array(b)]
    start, end = (float(constant(x)) for x in limits)

    def plain(x: float, *rest: Any) -> float:
        return float(constant(_number(func(x, *rest))))

    plain_args = tuple(map_leaves(lambda leaf: constant(settled(leaf)), x) for x in args)
    value, error, info = si.quad(plain, start, end, plain_args, **{**options, "full_output": 1})[:3]
    if options.keys() & _WEIGHTED:
        found = func(start if np.isfinite(start) else 0.0, *args)
        if isinstance(as_array(found), Traced) or any(isinstance(x, Traced) for x in limits):
            raise NoRuleError(
                "quad with weight= or complex_func= has no rule for its derivative; write the "
                "weight into the function."
            )
        return si.quad(func, a, b, args, **options)
    found = _sum_over_parts(func, start, end, args, info)
    for x, at, sign in ((limits[1], end, 1.0), (limits[0], start, -1.0)):
        # By an infinite limit the derivative is 0, as the integrand is there.
        if isinstance(x, Traced) and np.isfinite(at):  # ∫ from the plain limit to the traced one
            beyond = x - at  # type: ignore[operator]
            nodes, weights = np.polynomial.legendre.leggauss(5)
            parts = [_number(func(at + beyond * (0.5 + 0.5 * u), *args)) for u in nodes]
            found = found + sign * beyond * combination(0.5 * weights, parts)
    if not isinstance(found, Traced):
        return si.quad(func, a, b, args, **options)
    if not abs(float(constant(found)) - value) <= 10 * error + 1e-8 * abs(value):
        raise NoRuleError(
            f"quad: SciPy extrapolates to {value:.6g}, as for an integrand with a singularity, and "
            f"the sum over its nodes is {float(constant(found)):.6g}. Substitute x so that the "
            "integrand is smooth, or divide the interval there."
        )
    return (found, error, info) if options.get("full_output") else (found, error)


def _sum_over_parts(
    func: Callable[..., Any], start: float, end: float, args: Any, info: dict[str, Any]
) -> Any:
    """The integral as a sum over Gauss's nodes in each part of the interval."""
    u, w = np.polynomial.legendre.leggauss(21)
    sign = 1.0
    lows, highs = info["alist"][: info["last"]], info["blist"][: info["last"]]
    if start == end:  # SciPy divides nothing
        lows, highs = np.array([start]), np.array([end])
    if start > end and highs[0] > lows[0]:  # SciPy exchanges the limits
        sign, start, end = -1.0, end, start
    middle, half = (highs + lows) / 2, (highs - lows) / 2
    points = (middle[:, np.newaxis] + np.outer(half, u)).ravel()
    weights = np.outer(half, w).ravel()
    if np.isfinite(start) and np.isfinite(end):
        places = points
    else:  # QUADPACK's substitution: x = limit ± (1 - t)/t
        far, weights = (1 - points) / points, weights / points**2
        if np.isinf(start) and np.isinf(end):
            places, weights = np.concatenate([far, -far]), np.concatenate([weights, weights])
        elif np.isinf(end):
            places = start + far
        else:
            places = end - far
    return combination(sign * weights, [_number(func(float(x), *args)) for x in places])


def _number(x: Any) -> Any:
    x = as_array(x)
    return np.reshape(x, ()) if shape_of(x) else x


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """``Σ (xₖ₊₁ - xₖ)(yₖ + yₖ₊₁)/2``, along an axis of the samples y.

    The places x have the shape of y, or that of its axis; without x they are ``dx`` apart.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.integrate import trapezoid
    >>> y = np.array([0.0, 1.0, 4.0])
    >>> trapezoid(y)
    np.float64(3.0)
    >>> grad(trapezoid)(y)
    array([0.5, 1. , 0.5])
    """
    return np.trapezoid(as_array(y), None if x is None else as_array(x), dx, axis)


def cumulative_trapezoid(
    y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: float | None = None
) -> Any:
    """The running sums of :func:`trapezoid`; with ``initial=0`` there is a 0 before them.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.integrate import cumulative_trapezoid
    >>> y = np.array([0.0, 1.0, 4.0])
    >>> cumulative_trapezoid(y)
    array([0.5, 3. ])
    >>> grad(lambda y: cumulative_trapezoid(y)[1])(y)
    array([0.5, 1. , 0.5])
    """
    y = as_array(y)
    if not any(
        isinstance(part, Traced) for part in (y, as_array(dx), as_array(x) if x is not None else 0)
    ):
        return si.cumulative_trapezoid(y, x, dx, axis, initial)
    if initial not in (None, 0):
        raise ValueError("cumulative_trapezoid: initial must be 0 or None.")
    samples: Any = np.moveaxis(y, axis, -1)
    steps: Any = dx
    if x is not None:
        steps = np.diff(as_array(x)) if np.ndim(x) == 1 else np.diff(np.moveaxis(x, axis, -1))
    found = np.cumsum(steps * 0.5 * (samples[..., 1:] + samples[..., :-1]), axis=-1)
    if initial is not None:
        before = np.zeros((*shape_of(found)[:-1], 1))
        found = np.concatenate([before, found], axis=-1)
    return np.moveaxis(found, -1, axis)


def simpson(y: Any, *, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Simpson's rule for the samples y, along an axis; their places are constants.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.integrate import simpson
    >>> y = np.array([0.0, 1.0, 4.0])
    >>> simpson(y).round(6)
    np.float64(2.666667)
    >>> grad(simpson)(y).round(6)
    array([0.333333, 1.333333, 0.333333])
    """
    y = as_array(y)
    if isinstance(dx, Traced) or (x is not None and isinstance(as_array(x), Traced)):
        raise NoRuleError("simpson has no rule for the derivative by x or dx; use trapezoid.")
    if not isinstance(y, Traced):
        return si.simpson(y, x=x, dx=dx, axis=axis)
    n = shape_of(y)[axis]
    weights = si.simpson(np.eye(n), x=x, dx=dx, axis=-1)
    samples: Any = np.moveaxis(y, axis, -1)  # type: ignore[type-var]
    return samples @ weights
