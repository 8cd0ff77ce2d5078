"""Differential equations and integrals of ``scipy.integrate`` that can be differentiated.

SciPy converts its arguments to plain arrays, so that its solvers cannot be followed. The functions
here have its names and arguments. SciPy chooses the steps; the same steps are then taken again with
values that are differentiated, so the derivative is that of the values that are computed, with
the times of the steps held fixed. It is as accurate as they are: choose ``rtol`` and ``atol``
accordingly.

The right-hand side may read values that are differentiated from ``args``, or from the code around
it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate as si

from mcmodels.autodiff.filling import as_array, gathered, settled
from mcmodels.autodiff.ode_steps import Path, System, TooManyCalls, array_of_floats
from mcmodels.autodiff.quadrature import cumulative_trapezoid, quad, simpson, trapezoid
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, tracing

__all__ = ["cumulative_trapezoid", "odeint", "quad", "simpson", "solve_ivp", "trapezoid"]

_EXPLICIT = {"RK23": si.RK23, "RK45": si.RK45, "DOP853": si.DOP853}
_MOST_CALLS = 100_000
_MOST_CALLS_OF_ODEINT = 20_000  # by the explicit method, before the implicit one is tried
# Of odeint: they say how LSODA works inside, and not what it computes.
_OF_LSODA = {
    "Dfun", "col_deriv", "ml", "mu", "hmin", "ixpr", "mxstep", "mxhnil", "mxordn", "mxords",
    "printmessg",
}  # fmt: skip


def solve_ivp(
    fun: Callable[..., Any],
    t_span: Any,
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    **options: Any,
) -> Any:
    """The solution of ``dy/dt = fun(t, y)``, ``y(t₀) = y₀``.

    Parameters
    ----------
    fun : callable
        ``fun(t, y, *args)`` returns dy/dt: an array or list, the shape of y.
    t_span : pair of floats
        The first and the last time.
    y0 : array-like of shape (n,)
        The state at the first time.
    method : {"RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA"}, default="RK45"
        Where the solution is differentiated, the last two stand for Radau, too.
    t_eval : array-like of shape (m,), optional
        Times to give the solution at; the ends of the steps by default.
    dense_output : bool, default=False
        Whether ``sol`` of the result is the solution as a function of time.
    events : callable, or list of callables, optional
        Refused where the solution is differentiated: the time of an event would be, too.
    vectorized : bool, default=False
        Whether fun takes states of shape (n, k).
    args : tuple, optional
        Further arguments of fun.
    **options
        SciPy's: ``rtol``, ``atol``, ``max_step``, ``first_step``.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's result; its ``y`` of shape (n, m) can be differentiated by y0, the times, args, and
        all that fun reads.

    Examples
    --------
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.integrate import solve_ivp
    >>> decayed = lambda k: solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], rtol=1e-8).y[0, -1]
    >>> round(float(grad(decayed)(2.0)), 6)                  # -exp(-2)
    -0.135335
    """
    if not tracing.depth:
        return si.solve_ivp(
            fun, t_span, y0, method, t_eval, dense_output, events, vectorized, args, **options
        )
    system = System(fun, args, vectorized, _MOST_CALLS)
    start, end = (_time(t) for t in settled(gathered(t_span)))
    wanted: Any = None if t_eval is None else array_of_floats(t_eval)
    state = array_of_floats(y0)
    steps = _EXPLICIT.get(method, method if method in _EXPLICIT.values() else si.Radau)
    if steps is si.Radau and np.iscomplexobj(constant(state)):
        raise NoRuleError(
            f"solve_ivp with method={getattr(method, '__name__', method)!r} has a rule for real "
            "states only; found complex ones. Use 'DOP853', or real and imaginary parts."
        )
    plain_options = dict(options)
    if callable(jac := options.get("jac")):
        plain_options["jac"] = lambda t, y, *rest: constant(array_of_floats(jac(t, y, *rest)))
    elif jac is not None:
        plain_options["jac"] = constant(array_of_floats(jac))
    try:
        found = si.solve_ivp(
            system.plain,
            (float(constant(start)), float(constant(end))),
            constant(state),
            steps,
            None if wanted is None else constant(wanted),
            True,
            events,
            args=system.plain_args,
            **plain_options,
        )
    except TooManyCalls:
        raise NoRuleError(
            f"solve_ivp needs more than {_MOST_CALLS} values of the right-hand side, which are too "
            "many to follow: the equation is stiff (use method='Radau'), or has a pole; or rtol is "
            "small for the method (use 'DOP853')."
        ) from None
    last = end if found.success else found.sol.ts[-1]
    mesh = [start, *map(float, found.sol.ts[1:-1]), last]
    path = Path(system, steps, mesh, state, found.sol)
    columns = [state, *(step.end for step in path.steps)]
    times: Any = mesh if any(isinstance(t, Traced) for t in mesh) else None
    if wanted is not None:
        count = len(found.t)  # SciPy takes none in an interval of length 0
        times, followed = wanted[:count], isinstance(wanted, Traced)
        columns = [path.at(times[k]) for k in range(count)]
        times = times if followed else None
    if not columns or not any(
        isinstance(part, Traced) for part in (start, end, wanted, state, *columns)
    ):
        found = si.solve_ivp(
            fun, t_span, y0, method, t_eval, dense_output, events, vectorized, args, **options
        )
        found.sol = path if dense_output else None  # its argument may be followed
        return found
    if events is not None:
        raise NoRuleError(
            "solve_ivp with events= has no rule for its derivative: the time of an event changes "
            "with what is differentiated. Leave it out, and give the time that you want."
        )
    found.sol = path if dense_output else None
    found.y = np.stack(columns, axis=-1)
    if times is not None:
        found.t = times if isinstance(times, Traced) else np.stack(times)
    return found


def odeint(func: Callable[..., Any], y0: Any, t: Any, args: Any = (), **options: Any) -> Any:
    """The solution of ``dy/dt = func(y, t)`` at given times.

    While it is differentiated, the solution is computed by the explicit method of order 8 of
    Dormand and Prince (``method="DOP853"`` of :func:`solve_ivp`), or by Radau's where the equation
    is stiff. Both agree with SciPy's LSODA to the tolerances.

    Parameters
    ----------
    func : callable
        ``func(y, t, *args)`` returns dy/dt: an array or list, the shape of y. With
        ``tfirst=True`` it is called as ``func(t, y, *args)``.
    y0 : array-like of shape (n,)
        The state at the first time.
    t : array-like of shape (m,)
        The times, ascending or descending.
    args : tuple, default=()
        Further arguments of func.
    **options
        SciPy's: ``rtol`` and ``atol`` (1.49e-8 by default), ``tfirst``, ``hmax``, ``h0``.

    Returns
    -------
    ndarray of shape (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> from mcmodels.autodiff.integrate import odeint
    >>> grown = lambda r: odeint(lambda y, t: r * y, 1.0, np.array([0.0, 1.0]))[-1, 0]
    >>> round(float(grad(grown)(0.5)), 6)                    # exp(1/2)
    1.648721
    """
    if not tracing.depth:
        return si.odeint(func, y0, t, args, **options)
    args = args if isinstance(args, tuple) else (args,)
    given = dict(options)
    first = given.pop("tfirst", False)
    times: Any = array_of_floats(t)
    state: Any = np.atleast_1d(array_of_floats(y0))
    limits = {
        "rtol": 1.49012e-8 if given.get("rtol") is None else given["rtol"],
        "atol": 1.49012e-8 if given.get("atol") is None else given["atol"],
        "max_step": given.get("hmax") or np.inf,
        "first_step": given.get("h0") or None,
    }
    by_time = func if first else lambda t, y, *rest: func(y, t, *rest)
    columns = [state] * len(times)
    gaps = np.diff(constant(times))
    if not (np.all(gaps >= 0) or np.all(gaps <= 0)):
        raise ValueError("odeint: the times t must ascend, or descend.")
    if np.any(gaps):
        path = _path_of_odeint(by_time, state, times, args, limits)
        columns[1:] = [path.at(times[k]) for k in range(1, len(times))]
    elif len(times) > 1 and isinstance(times, Traced):
        raise NoRuleError("odeint with all times equal has no rule for the derivative by them.")
    if not any(isinstance(column, Traced) for column in columns):
        return si.odeint(func, y0, t, args, **options)
    unknown = given.keys() - _OF_LSODA - {"rtol", "atol", "hmax", "h0"}
    if unknown:
        listed = ", ".join(f"{name}=" for name in sorted(unknown))
        raise NoRuleError(f"odeint with {listed} has no rule for its derivative; leave it out.")
    return np.stack(columns)


def _path_of_odeint(fun: Any, state: Any, times: Any, args: Any, limits: dict[str, Any]) -> Path:
    plain = [float(constant(t)) for t in (times[0], times[-1])]
    for method, most in ((si.DOP853, _MOST_CALLS_OF_ODEINT), (si.Radau, _MOST_CALLS)):
        system = System(fun, args, False, most)
        try:
            found = si.solve_ivp(
                system.plain, plain, constant(state), method,
                dense_output=True, args=system.plain_args, **limits,
            )  # fmt: skip
        except TooManyCalls:
            continue
        if found.success:
            mesh = [times[0], *map(float, found.sol.ts[1:-1]), times[-1]]
            return Path(system, method, mesh, state, found.sol)
    raise NoRuleError(
        f"odeint found no solution from {plain[0]:.6g} to {plain[1]:.6g} with the steps that it "
        "can follow: the equation has a pole there, or rtol is too small."
    )


def _time(t: Any) -> Any:
    return t if isinstance(t, Traced) else float(as_array(t))
