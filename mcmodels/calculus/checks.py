"""Derivatives measured against differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mcmodels.calculus import derivatives
from mcmodels.calculus.binding import Array, bind, bind_sizes
from mcmodels.calculus.evaluate import walk
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.instances import Instance, random_instance
from mcmodels.calculus.nodes import Symbol

__all__ = [
    "check",
    "difference_quotient",
    "difference_with_error",
    "directions",
    "largest_deviation",
]

_FIRST_STEP = 2.0**-4
_HALVINGS = 8
_EPSILON = float(np.finfo(float).eps)
_SMALLEST_SCALE = 1e-3  # of a derivative; differences of one that is 0 leave 1e-13 or so


def check(f: Expression, x: Any, seed: int = 0, values: Mapping[str, Any] | None = None) -> float:
    """The work of `Expression.check`."""
    symbol = derivatives.symbol_of(f, x)
    derivative = derivatives.derivative(f, symbol)
    instance = instance_at((f, derivative, symbol), seed, values or {})
    found = walk(derivative, *instance)
    analytic, numerical = [], []
    for E in directions(symbol, instance):
        product = np.sum(found * E) if f.is_scalar else found @ E.T.reshape(-1, 1)
        analytic.append(np.ravel(product))
        change = difference_quotient(_along(f, symbol, E, instance))
        numerical.append(change.T.ravel())
    return largest_deviation(np.array(analytic), np.array(numerical))


def instance_at(
    expressions: tuple[Expression, ...], seed: int, values: Mapping[str, Any]
) -> Instance:
    """A random instance, but for the values given by name."""
    given: dict[Symbol, Array] = {}
    for symbol in {symbol for expression in expressions for symbol in expression.used}:
        if symbol.name in values:
            bound, _ = bind(symbol, {symbol.name: values[symbol.name]})
            given |= bound
    size_names = {name for expression in expressions for name in expression.size_names}
    sizes = bind_sizes({}, {name: values[name] for name in values if name in size_names})
    unknown = sorted(set(values) - {symbol.name for symbol in given} - set(sizes))
    if unknown:
        raise ValueError(f"{unknown[0]!r} does not occur in {expressions[0]}")
    return random_instance(expressions, seed, given, sizes)


def directions(x: Symbol, instance: Instance) -> list[Array]:
    """A basis of the directions in which ``x`` may move: symmetric ones where it is symmetric."""
    values, _ = instance
    rows, cols = values[x].shape
    basis = []
    for j in range(cols):
        for i in range(rows):
            E = np.zeros((rows, cols))
            E[i, j] = 1
            if "symmetric" in x.declared:
                if i < j:
                    continue
                E[j, i] = 1
            basis.append(E)
    return basis


def _along(f: Expression, x: Symbol, E: Array, instance: Instance) -> Callable[[float], Array]:
    values, sizes = instance
    return lambda t: walk(f, {**values, x: values[x] + t * E}, sizes)


def difference_quotient(phi: Callable[[float], Array]) -> Array:
    """The derivative of phi at 0 by central differences, extrapolated to step zero.

    Each entry is taken from where the table of extrapolations changes least.

    Ridders (1982), Advances in Engineering Software 4(2); Press et al., Numerical Recipes, 5.7.
    """
    best, _ = difference_with_error(phi)
    return best


def difference_with_error(
    phi: Callable[[float], Array], noise: Array | None = None, halvings: int = _HALVINGS
) -> tuple[Array, Array]:
    """The same, and how far each entry may be off: what the table changes by, or rounding.

    Parameters
    ----------
    phi : callable
        Its values may be NaN where it is not defined.
    noise : ndarray, optional
        By how much values of phi may be off. With it, steps end where rounding to double precision
        is more than the error, and what the plain differences of smaller steps contradict is
        forgotten.
    halvings : int
        The most steps that are tried, each half the one before.
    """
    table: list[list[Array]] = []
    best = error = None
    gap: Array | float = 0.0  # between the best value and the plain difference beside it
    step = _FIRST_STEP
    with np.errstate(all="ignore"):
        for row in range(halvings):
            rounding = 0.0 if noise is None else noise / step
            above, below = phi(step), phi(-step)
            current = [(above - below) / (2 * step)]
            if noise is not None and best is not None and error is not None:
                allowed = 2 * gap + 10 * (error + rounding + _EPSILON * np.abs(best) / step)
                error = np.where(np.abs(current[0] - best) > allowed, np.inf, error)
            for column in range(row):
                factor = 4.0 ** (column + 1)
                better = (factor * current[column] - table[row - 1][column]) / (factor - 1)
                current.append(better)
                change = np.maximum(
                    np.abs(better - current[column]), np.abs(better - table[row - 1][column])
                )
                change = np.maximum(change, rounding + _EPSILON * np.abs(better) / step)
                change = np.where(np.isfinite(change), change, np.inf)
                apart = np.abs(current[0] - better)
                if best is None or error is None:
                    best, error, gap = better, change, apart
                else:
                    best = np.where(change < error, better, best)
                    gap = np.where(change < error, apart, gap)
                    error = np.minimum(change, error)
            table.append(current)
            least = _EPSILON * np.maximum(np.abs(above), np.abs(below)) / step
            if noise is not None and error is not None and bool((least > error).all()):
                break
            step /= 2
    assert best is not None
    assert error is not None
    return best, error


def largest_deviation(found: Array, expected: Array) -> float:
    """The largest deviation, relative to the largest entry (or to 1e-3 where that is smaller)."""
    if found.size == 0:
        return 0.0
    scale = max(float(np.abs(expected).max()), _SMALLEST_SCALE)
    return float(np.abs(found - expected).max()) / scale
