"""The loss that a user has written, an expression or a NumPy function, and its derivatives.

The calculus differentiates an expression twice. Loss and derivatives become one NumPy function that
computes common parts once. A NumPy function is run on dual numbers. Rows are independent, so that a
tangent of ones gives the derivatives of all rows together; nested dual numbers give those of
higher order (Griewank and Walther 2008, *Evaluating Derivatives*, 2nd ed., §3.1 and chapter 13).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.autodiff import constant, jvp
from mcmodels.autodiff.tables import broadcast
from mcmodels.autodiff.tracing import Traced
from mcmodels.autodiff.values import traced_value
from mcmodels.calculus import Expression, parse
from mcmodels.calculus.compute.rowwise import not_rowwise, rowwise

# Largest relative difference, by rounding, between losses of a row alone and among others.
_ROUNDING = 1e-9


def pointwise(loss: Any) -> PointwiseExpression | PointwiseCallable:
    """The loss of an estimator, with its derivatives for each row.

    Raises
    ------
    TypeError
        If it is neither an expression, nor its text, nor callable.
    ValueError
        For an expression with symbols other than the scalars y and eta.
    """
    if isinstance(loss, str):
        loss = parse(loss)
    if isinstance(loss, Expression):
        return PointwiseExpression(checked_expression(loss, "loss", ("y", "eta")))
    if callable(loss):
        return PointwiseCallable(loss)
    raise TypeError(
        f"loss is a {type(loss).__name__}; give an expression in the scalars y and eta, its text "
        "('exp(eta) - y * eta'), or a function loss(y, eta) of two arrays."
    )


def checked_expression(
    expression: Expression, argument: str, allowed: tuple[str, ...]
) -> Expression:
    """The expression; refused unless it is a scalar function of the allowed scalars only."""
    words = " and ".join(allowed)
    or_estimate = ", or estimate them: auxiliary={'name': first value}" * (argument == "loss")
    for symbol in sorted(expression.used, key=lambda symbol: symbol.name):
        if symbol.name not in allowed or symbol.is_array:
            raise ValueError(
                f"{argument} holds {symbol.name!r}, {symbol.described()}; only {words} may "
                f"appear, as scalars. Replace other symbols by numbers{or_estimate}."
            )
    part = not_rowwise(expression)
    if part is not None:
        raise ValueError(
            f"{argument} holds {part}, a function of arrays; write it with functions of "
            "numbers (abs for norm, products for powers of matrices)."
        )
    if all(symbol.name != "eta" for symbol in expression.used):
        raise ValueError(f"{argument} is {expression}, without eta; there is nothing to fit.")
    return expression


class PointwiseExpression:
    """Derivatives of an expression in y and eta.

    Parameters
    ----------
    expression : Expression
        ℓ.
    """

    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    def __call__(self, y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        """The derivatives of these orders, each of the shape of eta."""
        with np.errstate(all="ignore"):  # solvers reject values that are not finite
            results = derived_by_eta(self.expression, orders)(y, eta)
        return tuple(
            result if isinstance(result, np.ndarray) else np.full(eta.shape, float(result))
            for result in results
        )


class PointwiseCallable:
    """Derivatives of a NumPy function of y and eta.

    Parameters
    ----------
    function : callable
        ℓ.
    """

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self.function = function

    def __call__(self, y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        """The derivatives of these orders, each of the shape of eta."""
        ones = np.ones(eta.shape)
        derivatives: dict[int, Any] = {}

        def loss(at: Any) -> Any:
            return self.function(y, at)

        def derivative(at: Any) -> Any:
            value, tangent = jvp(loss, (at,), (ones,))
            derivatives[0] = constant(value)
            return tangent

        with np.errstate(all="ignore"):
            if 3 in orders:

                def second_derivative(at: Any) -> Any:
                    value, tangent = jvp(derivative, (at,), (ones,))
                    derivatives[1] = constant(value)
                    return tangent

                derivatives[2], derivatives[3] = jvp(second_derivative, (eta,), (ones,))
            elif 2 in orders:
                derivatives[1], derivatives[2] = jvp(derivative, (eta,), (ones,))
            elif 1 in orders:
                derivatives[0], derivatives[1] = jvp(loss, (eta,), (ones,))
            else:
                derivatives[0] = traced_value(loss, eta)
        return tuple(broadcast(derivatives[order], eta.shape) for order in orders)

    def require_rows(self, y: Array, eta: Array) -> None:
        """Refuse a function that is not pointwise: one number for each row, from that row alone.

        Errors that the function raises are passed on, with a note on how it was called.

        Raises
        ------
        ValueError
            If the result has another shape, or depends on other rows, or does not depend on η; or
            if the function changes its arguments.
        TypeError
            If the result is not an array of float64 numbers.
        """
        copies = y.copy(), eta.copy()
        with np.errstate(all="ignore"):
            try:
                whole = self.function(y, eta)
            except Exception as error:
                error.add_note(
                    f"loss was called with arrays y and eta of shape {eta.shape}, a block of the "
                    "rows; it must return the loss of each row in it."
                )
                raise
            if not isinstance(whole, np.ndarray | np.generic | float | int):
                raise TypeError(
                    f"loss returned a {type(whole).__name__}; it must return an array with the "
                    "loss of each row."
                )
            if np.shape(whole) != eta.shape:
                raise ValueError(
                    f"loss returned shape {np.shape(whole)} for y and eta of shape {eta.shape}; it "
                    "must return the loss of each row. Leave out sums and means: the estimator "
                    "applies the weights and sums over rows."
                )
            if np.asarray(whole).dtype != np.float64:
                raise TypeError(
                    f"loss returned {np.asarray(whole).dtype} numbers; they must be real and in "
                    "double precision (float64), like y and eta."
                )
            if not (np.array_equal(y, copies[0]) and np.array_equal(eta, copies[1])):
                raise ValueError(
                    "loss changed the arrays that it was given; write eta - y instead of eta -= y."
                )
            if not self._depends_on_eta(y, eta):
                raise ValueError(
                    "loss does not depend on eta, or in jumps only; there is nothing to fit."
                )
            parts = [self.function(y[k : k + 1], eta[k : k + 1]) for k in range(y.size)]
        alone = np.concatenate([np.broadcast_to(part, (1,)) for part in parts])
        differ = ~np.isclose(alone, whole, rtol=_ROUNDING, atol=0.0, equal_nan=True)
        if differ.any():
            k = int(differ.argmax())
            raise ValueError(
                f"loss is not pointwise: at y={y[k]:g}, eta={eta[k]:g} it is {alone[k]:g} for this "
                f"row alone, and {np.asarray(whole)[k]:g} together with other rows. The loss of a "
                "row may depend only on its own y and eta."
            )

    def _depends_on_eta(self, y: Array, eta: Array) -> bool:
        """Whether the loss is computed from eta."""
        is_traced = []

        def loss(at: Any) -> Any:
            value = self.function(y, at)
            is_traced.append(isinstance(value, Traced))
            return value

        jvp(loss, (eta,), (np.ones(eta.shape),))
        return is_traced[0]


@functools.lru_cache(maxsize=256)
def derived_by_eta(
    expression: Expression, orders: tuple[int, ...], auxiliary: tuple[str, ...] = ()
) -> Callable[..., tuple[Any, ...]]:
    """A function of y, eta and auxiliary parameters: the derivatives of these orders in eta."""
    (variable,) = (symbol for symbol in expression.used if symbol.name == "eta")
    derivatives = [expression]
    for _ in range(max(orders)):
        derivatives.append(derivatives[-1].gradient(variable))
    return rowwise(tuple(derivatives[order] for order in orders), ("y", "eta", *auxiliary))


def inverse_link(link: Any, eta: Array) -> Array:
    """Predictions from linear predictors, by an inverse link; η itself if ``link`` is None.

    Raises
    ------
    TypeError, ValueError
        If the link has another type, or does not return a finite number for each η.
    """
    if link is None:
        return eta
    if isinstance(link, str):
        link = parse(link)
    if isinstance(link, Expression):
        link = checked_expression(link, "inverse_link", ("eta",))
        (predicted,) = PointwiseExpression(link)(eta, eta, (0,))
    elif callable(link):
        with np.errstate(all="ignore"):
            predicted = link(eta)
        if np.shape(predicted) != eta.shape:
            raise ValueError(
                f"inverse_link returned shape {np.shape(predicted)} for eta of shape {eta.shape}; "
                "it must return one number for each entry."
            )
    else:
        raise TypeError(
            f"inverse_link is a {type(link).__name__}; give None, an expression in eta, its text, "
            "or a function of an array."
        )
    predicted = np.asarray(predicted)
    if predicted.dtype.kind not in "fiub":
        raise TypeError(f"inverse_link returned {predicted.dtype} numbers; they must be real.")
    predicted = predicted.astype(np.float64, copy=False)
    if not np.isfinite(predicted).all():
        k = int((~np.isfinite(predicted)).argmax())
        raise ValueError(f"inverse_link is {predicted[k]:g} at eta={eta[k]:g}; it must be finite.")
    return predicted


def inverse_link_derivatives(link: Any) -> Callable[[Array, int], Array]:
    """Values and derivatives of an inverse link: a function of η and the order, 0, 1 or 2."""
    if isinstance(link, str):
        link = parse(link)
    of_rows: PointwiseExpression | PointwiseCallable = (
        PointwiseExpression(checked_expression(link, "inverse_link", ("eta",)))
        if isinstance(link, Expression)
        else PointwiseCallable(lambda _, eta: link(eta))
    )

    def derivative(eta: Array, order: int) -> Array:
        if order == 0:
            return np.asarray(inverse_link(link, eta))
        return of_rows(np.zeros(eta.shape), eta, (order,))[0]

    return derivative
