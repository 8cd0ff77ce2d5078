"""Difference quotients of several steps, extrapolated to step zero.

Ridders (1982), *Accurate computation of F'(x) and F'(x)F''(x)*, Advances in Engineering Software
4(2); Press et al. (2007), *Numerical Recipes*, 3rd ed., §5.7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.differences.constants import EPSILON, ERROR_FACTOR, FIRST_STEP, QUOTIENT_STEPS
from mcmodels.plain import np

__all__ = ["Array", "difference_quotient", "difference_with_error", "extrapolated"]

Array = np.ndarray[Any, Any]


def difference_quotient(phi: Callable[[float], Array]) -> Array:
    """The derivative of phi at 0 by central differences, extrapolated to step zero.

    Each entry comes from the place in the table of extrapolations that changes least.
    """
    best, _ = difference_with_error(phi)
    return best


def difference_with_error(
    phi: Callable[[float], Array], noise: Array | None = None, steps: int = QUOTIENT_STEPS
) -> tuple[Array, Array]:
    """The same with an estimate of each error: how much the table changes there, or rounding.

    Parameters
    ----------
    phi : callable
        A function of the step; NaN where it is not defined.
    noise : ndarray, optional
        By how much values of phi may be off. If it is given, no smaller steps are tried once
        rounding to double precision exceeds the error, and an extrapolated value is dropped if the
        plain differences of smaller steps contradict it.
    steps : int
        The largest number of steps, each half the one before; the first is 1/16.
    """

    def quotient(step: float) -> tuple[Array, Array]:
        above, below = phi(step), phi(-step)
        return (above - below) / (2 * step), np.maximum(np.abs(above), np.abs(below))

    return extrapolated(quotient, 1, noise, steps)


def extrapolated(
    quotient: Callable[[float], tuple[Array, Array]],
    order: int,
    noise: Array | None = None,
    steps: int = QUOTIENT_STEPS,
) -> tuple[Array, Array]:
    """The limit of a difference quotient at step zero, and the error of each entry.

    Parameters
    ----------
    quotient : callable
        Takes a step; returns the quotient, whose error is a series in even powers of the step, and
        the largest absolute value of f that it was computed from.
    order : int
        The order of the derivative: rounding grows as ``step**-order``.
    noise, steps
        As for `difference_with_error`.
    """
    table: list[list[Array]] = []
    best = error = None
    gap: Array | float = 0.0  # between the best value and the plain quotient of the same step
    step = FIRST_STEP
    with np.errstate(all="ignore"):
        for row in range(steps):
            power = step**order
            rounding = 0.0 if noise is None else noise / power
            plain, size = quotient(step)
            current = [plain]
            if noise is not None and best is not None and error is not None:
                off = error + rounding + EPSILON * np.abs(best) / power
                allowed = 2 * gap + ERROR_FACTOR * off
                error = np.where(np.abs(current[0] - best) > allowed, np.inf, error)
            for column in range(row):
                factor = 4.0 ** (column + 1)
                better = (factor * current[column] - table[row - 1][column]) / (factor - 1)
                current.append(better)
                change = np.maximum(
                    np.abs(better - current[column]), np.abs(better - table[row - 1][column])
                )
                change = np.maximum(change, rounding + EPSILON * np.abs(better) / power)
                change = np.where(np.isfinite(change), change, np.inf)
                apart = np.abs(current[0] - better)
                if best is None or error is None:
                    best, error, gap = better, change, apart
                else:
                    best = np.where(change < error, better, best)
                    gap = np.where(change < error, apart, gap)
                    error = np.minimum(change, error)
            table.append(current)
            least = EPSILON * size / power
            if noise is not None and error is not None and bool((least > error).all()):
                break
            step /= 2
    assert best is not None
    assert error is not None
    return best, error
