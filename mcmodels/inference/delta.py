"""The delta method: standard errors of smooth functions of the parameters.

To first order ``g(θ̂) - g(θ) ≈ J(θ̂ - θ)``, so that its covariance is ``JVJᵀ``: Casella and Berger
(2002), *Statistical Inference*, 2nd ed., §5.5.4. J is exact, by :mod:`mcmodels.autodiff`. If g uses
functions that have no rule there, J comes from differences over steps of several lengths,
extrapolated to length zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array, refuse_masked
from mcmodels.differences import difference_quotient
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.summary import Summarised, Summary

__all__ = ["DeltaMethod", "delta_method", "jacobian", "second_derivatives"]


# Derivatives from differences, relative to the largest, that may be rounding errors: a mistake of
# this size in c is found in exact derivatives.
_DIFFERENCE_ERROR = 1e-6
# Slopes below this share of the value change none of its digits, and their squares may underflow.
_LEAST_SLOPE = 1e-140


@dataclass(frozen=True, repr=False, eq=False)
class DeltaMethod(Summarised):
    """The value of a function of the parameters, and its precision; it is shown as a table.

    Parameters
    ----------
    estimate : float or ndarray
        ``g(θ̂)``.
    jacobian : ndarray of shape (size of g, size of θ)
        The Jacobian, ``J``.
    values : Estimate
        The values as a vector, with their covariance ``JVJᵀ``.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> model = LinearRegression().fit(X, y)
    >>> ratio = model.delta_method(lambda params: params[0] / params[2])
    >>> ratio
    Delta method
    <BLANKLINE>
    covariance  nonrobust
    intervals   95 %
    <BLANKLINE>
          value  standard error     lower    upper
    g  -5.45920           3.898  -13.1957  2.27730
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
        """Standard errors, in the shape of the estimate."""
        return _like(self.estimate, self.values.standard_errors)

    def interval(self, level: float = 0.95) -> tuple[Any, Any]:
        """Lower and upper end, each in the shape of the estimate."""
        lower, upper = self.values.intervals(level).T
        return _like(self.estimate, lower), _like(self.estimate, upper)

    def summary(self, level: float = 0.95) -> Summary:
        """Values, standard errors and intervals."""
        return replace(self.values.summary(level), title="Delta method")


def delta_method(
    g: Callable[[Array], Any], estimate: Estimate, shape: tuple[int, ...]
) -> DeltaMethod:
    """Apply the delta method to a function of parameters of the given shape.

    Raises
    ------
    TypeError
        If g is not callable, or does not return real numbers.
    InferenceError
        If g or its derivatives are not finite at the parameters, or are not estimable.
    """
    if not callable(g):
        raise TypeError(
            f"g is a {type(g).__name__}; give a function of an array of shape {shape}, the "
            "parameters."
        )
    theta = estimate.params.reshape(shape)
    value = g(theta.copy())
    refuse_masked("what g returns", value)
    value = np.asarray(value)
    if value.dtype.kind not in "fiu":
        raise TypeError(
            f"g returned {value.dtype} values; it must return a real number, or an array of them."
        )
    value = value.astype(np.float64)
    if not np.isfinite(value).all():
        raise InferenceError(f"g is not finite at the fitted parameters: it returned {value}.")
    null = None if estimate.estimable is None else estimate.estimable.null_of_all
    J = jacobian(g, theta, _directions(estimate), null)
    # The slope of a saturated function, such as tanh(400), is known, but not its square.
    lost = np.abs(J).max(axis=1, initial=0.0) < _LEAST_SLOPE * np.abs(value.ravel())
    J[lost] = 0.0
    names = (
        ("g",)
        if value.ndim == 0
        else tuple(f"g[{', '.join(map(str, index))}]" for index in np.ndindex(value.shape))
    )
    shown = float(value) if value.ndim == 0 else value
    return DeltaMethod(shown, J, estimate.image(J, value.ravel(), names))


def jacobian(
    g: Callable[[Array], Any], theta: Array, directions: Array, null: Array | None = None
) -> Array:
    """Derivatives of ``g(θ).ravel()`` by ``θ.ravel()``, shape (size of g, size of θ).

    Differences are taken along the columns of ``directions`` (size of θ, any number). Over such a
    step g should be nearly linear; a root of the covariance of θ will do. Derivatives in directions
    outside their span are then zero. Along the columns of ``null``, which the data do not
    determine, derivatives count as zero if they are rounding errors of the differences.
    """
    exact = _by_rules(g, theta)
    if exact is not None and np.isfinite(exact).all():
        return exact
    if null is not None:
        reach = np.linalg.norm(directions, axis=1)[:, np.newaxis]
        steps = np.abs(np.divide(null, reach, out=np.zeros_like(null), where=reach > 0))
        null = null / np.maximum(steps.max(axis=0), np.finfo(np.float64).tiny)
        directions = np.column_stack([directions, null])
    along = np.column_stack([difference_quotient(_along(g, theta, t)) for t in directions.T])
    if not np.isfinite(along).all():
        raise InferenceError("g has no finite derivative at the fitted parameters.")
    if null is not None:
        last = along[:, -null.shape[1] :]
        last[np.abs(last) <= _DIFFERENCE_ERROR * np.abs(along).max(axis=1, keepdims=True)] = 0.0
    scale = np.linalg.norm(directions, axis=1)
    scale[scale == 0] = 1.0
    return linalg.lstsq((directions.T / scale), along.T)[0].T / scale


def second_derivatives(g: Callable[[Array], Any], theta: Array) -> Array:
    """The Hessian of a number ``g(θ)`` over ``θ.ravel()``, by autodiff.

    Raises
    ------
    TypeError, ValueError, AttributeError
        If autodiff cannot differentiate g.
    """
    from mcmodels import autodiff  # imported only when it is needed

    with np.errstate(all="ignore"):
        H = autodiff.hessian(lambda at: np.reshape(g(at), ()))(theta)
    return np.asarray(H, dtype=np.float64).reshape(theta.size, theta.size)


def _by_rules(g: Callable[[Array], Any], theta: Array) -> Array | None:
    """The exact Jacobian; None if autodiff cannot differentiate g."""
    from mcmodels import autodiff  # imported only when it is needed

    def flat(theta: Any) -> Any:
        value = g(theta)
        return np.ravel(np.stack(value) if isinstance(value, list | tuple) else value)

    try:
        with np.errstate(all="ignore"):
            J = autodiff.jacobian(flat)(theta)
    except (TypeError, ValueError, AttributeError):
        return None
    return J.reshape(len(J), theta.size)


def _directions(estimate: Estimate) -> Array:
    """Steps as long as the standard errors, in every direction in which there are errors."""
    root = estimate.root
    if root is None or not root.any():
        errors = estimate.standard_errors
        root = np.diag(np.where(errors > 0, errors, np.maximum(np.abs(estimate.params), 1.0)))
    return root[:, root.any(axis=0)]


def _along(g: Callable[[Array], Any], theta: Array, direction: Array) -> Callable[[float], Array]:
    """The values of g as a function of the step along a direction."""

    def phi(t: float) -> Array:
        with np.errstate(all="ignore"):
            point = theta + t * direction.reshape(theta.shape)
            return np.asarray(g(point), dtype=np.float64).ravel()

    return phi


def _like(estimate: Any, values: Array) -> Any:
    return float(values[0]) if np.ndim(estimate) == 0 else values.reshape(np.shape(estimate))
