"""Roots and minima of ``scipy.optimize`` that can be differentiated.

SciPy converts its arguments to plain arrays, so that its solvers cannot be followed. The functions
here have its names and arguments. SciPy finds the solution for plain values, and Newton's method
makes it exact to rounding. Each step of Newton from there with values that are differentiated, and
the Jacobian held fixed, gives one more order of derivatives: those of the implicit function
theorem, ``dx = -J⁻¹ ∂f``. Source: Griewank and Walther (2008), *Evaluating Derivatives*, 2nd ed.,
§15.

The functions may read values that are differentiated from ``args``, or from the code around them.
By the start the derivative is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize as so

from mcmodels.autodiff.filling import settled
from mcmodels.autodiff.ode_steps import array_of_floats
from mcmodels.autodiff.second_derivatives import hessian
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, tracing
from mcmodels.autodiff.transforms import grad, jacobian
from mcmodels.autodiff.trees import map_leaves

__all__ = ["bisect", "brenth", "brentq", "fixed_point", "fsolve", "minimize", "ridder", "root"]

_MOST_STEPS = 50  # of Newton
_NEARBY = 1e-6  # relative to the solution, or to the start where that is larger
_MANY_STEPS = 1e4  # so the last step, the error of x, changes derivatives by 1e-5 at most
_NEARLY_THE_SAME = 0.1  # relative
_WITHOUT_SLOPES = frozenset({"nelder-mead", "powell", "cobyla", "cobyqa"})
_WITH_HESSIANS = frozenset({"newton-cg", "dogleg", "trust-ncg", "trust-exact", "trust-krylov"})


def root(
    fun: Callable[..., Any], x0: Any, args: Any = (), method: str = "hybr", **options: Any
) -> Any:
    """The x with ``fun(x) = 0``.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` returns an array of the shape of x; with ``jac=True`` a pair, of which it
        is the first.
    x0 : array-like
        Where to start.
    args : tuple, default=()
        Further arguments of fun.
    method : str, default="hybr"
        SciPy's method.
    **options
        SciPy's: ``tol``, ``options``. The Jacobian is computed from fun.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's result, with an ``x`` that can be differentiated.

    Raises
    ------
    NoRuleError
        If the Jacobian at the root is singular, or no root was found.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.optimize import root
    >>> cube_root = lambda a: root(lambda x: x**3 - a, np.array([1.0])).x[0]
    >>> round(float(grad(cube_root)(8.0)), 12)               # 1/(3·2²)
    0.083333333333
    """
    if not tracing.depth:
        return so.root(fun, x0, args, method, **options)
    residual, plain = _functions(_without_slope(fun, options), args)
    start = np.asarray(constant(array_of_floats(x0)))
    found = so.root(plain, start, (), method, **_without_jac(options))
    x = _solved("root", residual, found.x, start)
    if isinstance(x, Traced):
        found.x = x
    return found


def fsolve(func: Callable[..., Any], x0: Any, args: Any = (), **options: Any) -> Any:
    """The x with ``func(x) = 0``, as SciPy's function of this name returns it.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` returns an array of the shape of x.
    x0 : array-like of shape (n,) or ()
        Where to start.
    args : tuple, default=()
        Further arguments of func.
    **options
        SciPy's. The Jacobian is computed from func; ``full_output`` is refused where the root is
        differentiated.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    NoRuleError
        If the Jacobian at the root is singular, or no root was found.

    Examples
    --------
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.optimize import fsolve
    >>> def found(c):
    ...     return fsolve(lambda x: x**2 - c, 1.0)[0]
    >>> round(float(found(4.0)), 6)
    2.0
    >>> round(float(grad(found)(4.0)), 6)
    0.25
    """
    if not tracing.depth:
        return so.fsolve(func, x0, args, **options)
    residual, plain = _functions(func, args)
    start = np.atleast_1d(np.asarray(constant(array_of_floats(x0))))
    solution = so.fsolve(plain, start, **{**options, "fprime": None, "full_output": 0})
    x = _solved("fsolve", residual, solution, start)
    if not isinstance(x, Traced):
        return so.fsolve(func, x0, args, **options)
    if options.get("full_output"):
        raise NoRuleError("fsolve with full_output= has no rule for its derivative; use root.")
    return x


def fixed_point(func: Callable[..., Any], x0: Any, args: Any = (), **options: Any) -> Any:
    """The x with ``func(x) = x``.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` returns an array of the shape of x.
    x0 : array-like
        Where to start.
    args : tuple, default=()
        Further arguments of func.
    **options
        SciPy's: ``xtol``, ``maxiter``, ``method``.

    Returns
    -------
    ndarray, the shape of x0

    Raises
    ------
    NoRuleError
        If ``x - func(x)`` has a singular Jacobian at x.

    Examples
    --------
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.optimize import fixed_point
    >>> def found(c):
    ...     return fixed_point(lambda x: (x + c / x) / 2, 1.0)  # the square root of c
    >>> round(float(found(4.0)), 6)
    2.0
    >>> round(float(grad(found)(4.0)), 6)
    0.25
    """
    if not tracing.depth:
        return so.fixed_point(func, x0, args, **options)
    step, plain = _functions(func, args)
    start = np.asarray(constant(array_of_floats(x0)))
    solution = np.asarray(so.fixed_point(plain, start, **options))
    x = _solved("fixed_point", lambda x: x - step(x), solution, start)
    return x if isinstance(x, Traced) else solution


def _bracketing(name: str) -> Callable[..., Any]:
    original = getattr(so, name)

    def find(f: Callable[..., Any], a: Any, b: Any, args: Any = (), **options: Any) -> Any:
        if not tracing.depth:
            return original(f, a, b, args, **options)
        residual, plain = _functions(f, args)
        low, high = (float(constant(array_of_floats(end))) for end in (a, b))
        solution = original(
            lambda x: float(plain(x)), low, high, **{**options, "full_output": False}
        )
        x = _solved(name, residual, np.asarray(solution), [low, high])
        if not isinstance(x, Traced):
            return original(f, low, high, args, **options)
        if options.get("full_output"):
            raise NoRuleError(f"{name} with full_output= has no rule for its derivative.")
        return x

    find.__name__ = find.__qualname__ = name
    find.__doc__ = f"""The number x between a and b with ``f(x) = 0``; SciPy's parameters.

    It can be differentiated by ``args``, and by all that f reads.

    Examples
    --------
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.optimize import {name}
    >>> def root_of(c):
    ...     return {name}(lambda x: x**2 - c, 0.0, 5.0)
    >>> round(float(root_of(4.0)), 6)
    2.0
    >>> round(float(grad(root_of)(4.0)), 6)
    0.25
    """
    return find


brentq, brenth = _bracketing("brentq"), _bracketing("brenth")
bisect, ridder = _bracketing("bisect"), _bracketing("ridder")


def minimize(
    fun: Callable[..., Any], x0: Any, args: Any = (), method: Any = None, **options: Any
) -> Any:
    """The x at which a scalar function is least.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` returns a number; with ``jac=True`` a pair, of which it is the first.
    x0 : array-like of shape (n,)
        Where to start.
    args : tuple, default=()
        Further arguments of fun.
    method : str, optional
        SciPy's method.
    **options
        SciPy's: ``tol``, ``options``. Derivatives are computed from fun. Bounds and constraints
        are refused where the minimum is differentiated.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's result; its ``x`` and ``fun`` can be differentiated.

    Raises
    ------
    NoRuleError
        If the Hessian is not positive definite at what SciPy returns.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.optimize import minimize
    >>> nearest = lambda a: minimize(lambda x: np.sum((x - a) ** 2 + x**2), np.zeros(1)).x[0]
    >>> round(float(grad(nearest)(3.0)), 12)                 # of a/2
    0.5
    """
    if not tracing.depth:
        return so.minimize(fun, x0, args, method, **options)
    objective, plain = _functions(_without_slope(fun, options), args)
    given = _without_jac(options)
    for name in ("hess", "hessp"):
        given.pop(name, None)
    slopes = grad(objective)
    if not (isinstance(method, str) and method.lower() in _WITHOUT_SLOPES):
        given["jac"] = lambda x: np.asarray(constant(slopes(x)))
    if isinstance(method, str) and method.lower() in _WITH_HESSIANS:
        given["hess"] = lambda x: np.asarray(constant(hessian(objective)(x)))
    start = np.ravel(constant(array_of_floats(x0)))
    found = so.minimize(lambda x: float(plain(x)), start, (), method, **given)
    if any(options.get(name) is not None for name in ("bounds", "constraints")):
        if isinstance(objective(found.x), Traced):
            raise NoRuleError(
                "minimize with bounds= or constraints= has no rule for its derivative. Substitute "
                "x so that it is free, or solve the conditions of Lagrange by root."
            )
        return so.minimize(fun, x0, args, method, **options)
    x = _solved("minimize", slopes, found.x, start, hessian(objective))
    if isinstance(x, Traced):
        found.x, found.fun = x, objective(x)
    return found


def _functions(fun: Callable[..., Any], args: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A function of x alone, followed; and the same of plain values."""
    args = args if isinstance(args, tuple) else (args,)
    plain_args = tuple(map_leaves(lambda leaf: constant(settled(leaf)), x) for x in args)
    return (
        lambda x: array_of_floats(fun(x, *args)),
        lambda x: constant(array_of_floats(fun(x, *plain_args))),
    )


def _without_slope(fun: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    """The function without the derivative that it returns, too, with ``jac=True``."""
    return (lambda *given: fun(*given)[0]) if options.get("jac") is True else fun


def _without_jac(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "jac"}


def _solved(
    name: str,
    residual: Callable[[Any], Any],
    x: Any,
    start: Any,
    slope: Callable[[Any], Any] | None = None,
) -> Any:
    """The solution that SciPy found from the start, exact to rounding, and followed."""
    shape, n = np.shape(x), np.size(x)
    x = np.array(x, dtype=float)
    if shape_of(residual(x)) != shape:
        raise NoRuleError(
            f"{name}: the function returned the shape {shape_of(residual(x))} for x of shape "
            f"{shape}; both must be the same."
        )
    slope = jacobian(residual) if slope is None else slope
    last = np.inf
    for _ in range(_MOST_STEPS):
        J = np.reshape(constant(slope(x)), (n, n))
        if name == "minimize":
            _require_positive_definite(J)
        inverse = _inverse(J)
        change = np.reshape(inverse @ np.ravel(constant(residual(x))), shape)
        size = float(np.linalg.norm(change))
        if not size < 0.5 * last:
            break
        x, last = x - change, size
    # Around a regular root the Jacobian is nearly the same. At a double root it vanishes, and the
    # residual is rounded to 0 also beside it.
    near = _NEARBY * max(float(np.linalg.norm(x)), float(np.linalg.norm(start)))
    around = x + np.maximum(near, _MANY_STEPS * np.abs(change))
    beside = np.reshape(constant(slope(around)), (n, n))
    is_regular = np.linalg.norm(inverse @ (beside - J)) <= _NEARLY_THE_SAME
    if not (min(size, last) <= near and is_regular):
        raise NoRuleError(
            f"{name} has no derivative here: from SciPy's solution Newton's method does not "
            "converge, or the Jacobian there is singular. Try a smaller tol, or another start."
        )
    for _ in range(tracing.depth):
        x = x - np.reshape(inverse @ np.ravel(residual(x)), shape)
    return x


def _inverse(J: Any) -> Any:
    """The inverse; of a singular matrix NaN."""
    try:
        return np.linalg.inv(J)
    except np.linalg.LinAlgError:
        return np.full(J.shape, np.nan)


def _require_positive_definite(H: Any) -> None:
    try:
        np.linalg.cholesky(0.5 * (H + H.T))
    except np.linalg.LinAlgError:
        raise NoRuleError(
            "minimize has no derivative here: the Hessian at what SciPy returns is not positive "
            "definite."
        ) from None
