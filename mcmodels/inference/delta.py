"""The delta method: standard errors of smooth functions of the parameters.

To first order ``g(θ̂) - g(θ) ≈ J(θ̂ - θ)``, so that its covariance is ``JVJᵀ``: Casella and Berger
(2002), *Statistical Inference*, 2nd ed., §5.5.4. J is taken by the complex step ``Im g(θ + ih)/h``,
which has no rounding error to speak of: Squire and Trapp (1998), *Using complex variables to
estimate derivatives of real functions*, SIAM Review 40(1). Where g does not take complex numbers,
or loses their imaginary part, J is taken by central differences of several steps, extrapolated to
zero (Ridders 1982, *Accurate computation of F'(x) and F'(x)F''(x)*, Adv. Eng. Software 4(2)).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.rows.blocks import Array

__all__ = ["DeltaMethod", "delta_method", "jacobian"]

_COMPLEX_STEP = 1e-100
# First step of extrapolated differences in standard errors, its reduction, how many there are.
_FIRST_STEP, _SHRINK, _STEPS = 0.1, 1.4, 12
# Steps of the differences that confirm a complex step, the second for functions that are far from
# linear; how well they must agree, and what rounding may add, relative to the function.
_SMALL_STEPS, _AGREEMENT, _ROUNDING = (1e-3, 1e-5), 1e-3, 1e-13


@dataclass(frozen=True)
class DeltaMethod:
    """A function of the parameters and how precisely it is known.

    Parameters
    ----------
    estimate : float or ndarray
        ``g(θ̂)``.
    jacobian : ndarray of shape (size of g, size of θ)
        J.
    values : Estimate
        The same, flat, with the covariance ``JVJᵀ``.
    """

    estimate: Any
    jacobian: Array
    values: Estimate

    @property
    def covariance(self) -> Array:
        """``JVJᵀ``, shape (size of g, size of g)."""
        return self.values.covariance

    @property
    def standard_error(self) -> Any:
        """In the shape of the estimate."""
        return _like(self.estimate, self.values.standard_errors)

    def interval(self, level: float = 0.95) -> tuple[Any, Any]:
        """Lower and upper end, each in the shape of the estimate."""
        lower, upper = self.values.intervals(level).T
        return _like(self.estimate, lower), _like(self.estimate, upper)


def delta_method(
    g: Callable[[Array], Any], estimate: Estimate, shape: tuple[int, ...]
) -> DeltaMethod:
    """Apply the delta method to a function of parameters of the given shape."""
    theta = estimate.params.reshape(shape)
    value = np.asarray(g(theta.copy()), dtype=np.float64)
    if not np.isfinite(value).all():
        raise InferenceError(f"g is not finite at the fitted parameters: it returned {value}.")
    J = jacobian(g, theta, _directions(estimate))
    names = (
        ("g",)
        if value.ndim == 0
        else tuple(f"g[{', '.join(map(str, index))}]" for index in np.ndindex(value.shape))
    )
    shown = float(value) if value.ndim == 0 else value
    return DeltaMethod(shown, J, estimate.image(J, value.ravel(), names))


def jacobian(g: Callable[[Array], Any], theta: Array, directions: Array) -> Array:
    """Derivatives of ``g(θ).ravel()`` by ``θ.ravel()``, shape (size of g, size of θ).

    The columns of ``directions`` (size of θ, any number) are steps over which g is about linear: a
    root of the covariance, where θ is an estimate. Outside their span derivatives by differences
    are zero.
    """
    try:
        exact = _by_complex_step(g, theta)
    except (TypeError, ValueError, ArithmeticError):
        exact = None
    if exact is not None and _is_confirmed(exact @ directions, g, theta, directions):
        return exact
    along = np.column_stack(
        [_ridders(functools.partial(_moved, g, theta, t), _FIRST_STEP) for t in directions.T]
    )
    if not np.isfinite(along).all():
        raise InferenceError("g has no finite derivative at the fitted parameters.")
    scale = np.linalg.norm(directions, axis=1)
    scale[scale == 0] = 1.0
    return linalg.lstsq((directions.T / scale), along.T)[0].T / scale


def _directions(estimate: Estimate) -> Array:
    """Steps of the size of the errors, in all directions in which there are any."""
    root = estimate.root
    if root is None or not root.any():
        errors = estimate.standard_errors
        root = np.diag(np.where(errors > 0, errors, np.maximum(np.abs(estimate.params), 1.0)))
    return root[:, root.any(axis=0)]


def _is_confirmed(along: Array, g: Callable[[Array], Any], theta: Array, directions: Array) -> bool:
    """Whether small differences agree: of a conjugate, say, the complex step is wrong."""
    largest = np.abs(along).max(axis=1, initial=0.0)
    value = np.abs(_moved(g, theta, directions[:, 0], 0.0))
    for h in _SMALL_STEPS:
        close = np.column_stack(
            [(_moved(g, theta, t, h) - _moved(g, theta, t, -h)) / (2 * h) for t in directions.T]
        )
        allowed = _AGREEMENT * largest + _ROUNDING / h * value
        if (np.abs(along - close).T <= allowed).all():
            return True
    return False


def _by_complex_step(g: Callable[[Array], Any], theta: Array) -> Array | None:
    columns = []
    for j in range(theta.size):
        point: Any = theta.astype(np.complex128)
        point.flat[j] += 1j * _COMPLEX_STEP
        value = np.asarray(g(point))
        if not np.iscomplexobj(value):
            return None
        columns.append(value.imag.ravel() / _COMPLEX_STEP)
    J = np.column_stack(columns)
    return J if np.isfinite(J).all() else None


def _moved(g: Callable[[Array], Any], theta: Array, direction: Array, t: float) -> Array:
    with np.errstate(all="ignore"):
        point = theta + t * direction.reshape(theta.shape)
        return np.asarray(g(point), dtype=np.float64).ravel()


def _ridders(f: Callable[[float], Array], step: float) -> Array:
    rows: list[list[Array]] = []
    best, error = np.array(np.nan), np.array(np.inf)
    with np.errstate(all="ignore"):
        for i in range(_STEPS):
            current = [(f(step) - f(-step)) / (2 * step)]
            power = _SHRINK**2
            for k in range(i):
                current.append((current[k] * power - rows[-1][k]) / (power - 1.0))
                power *= _SHRINK**2
                guess = np.maximum(
                    np.abs(current[k + 1] - current[k]), np.abs(current[k + 1] - rows[-1][k])
                )
                better = guess < error
                best, error = np.where(better, current[k + 1], best), np.where(better, guess, error)
            rows.append(current)
            step /= _SHRINK
    return best


def _like(estimate: Any, values: Array) -> Any:
    return float(values[0]) if np.ndim(estimate) == 0 else values.reshape(np.shape(estimate))
