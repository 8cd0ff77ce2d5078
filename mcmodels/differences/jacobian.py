"""First derivatives of a Python function from its values, with the error of each entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcmodels.differences.complex_step import complex_step_jacobian
from mcmodels.differences.constants import (
    ERROR_FACTOR,
    JACOBIAN_ROUNDING,
    JACOBIAN_STEPS,
    SECOND_SCALE,
    SMALLEST_SIZE,
    USEFUL_ERROR,
)
from mcmodels.differences.extrapolation import Array, difference_with_error
from mcmodels.differences.kinks import refuse_kinks
from mcmodels.differences.noise import measure_noise, value_or_nan
from mcmodels.plain import np

__all__ = ["COMPLEX_STEP", "DIFFERENCES", "NumericalDerivative", "numerical_derivative"]

COMPLEX_STEP, DIFFERENCES = "complex step", "differences"

Estimate = tuple[Array, Array, Array]  # a derivative, its error, and the error that rounding allows


@dataclass(frozen=True, repr=False, eq=False)
class NumericalDerivative:
    """A derivative computed from values of the function.

    Attributes
    ----------
    derivative : ndarray
        The gradient in the shape of x, or the Jacobian, or the Hessian.
    error : ndarray
        How far each entry may be off.
    term_sizes : ndarray
        How large the terms may be that each entry is a sum of. With every entry multiplied by the
        size of its coordinate, it is the largest entry, divided by the size of this coordinate.
    method : str
        "complex step" or "differences"; of a Hessian also "differences of the complex step".
    """

    derivative: Array
    error: Array
    term_sizes: Array
    method: str

    def __repr__(self) -> str:
        values, errors = (
            np.array2string(array, precision=6, threshold=20, prefix=" " * len("derivative  "))
            for array in (self.derivative, self.error)
        )
        return f"derivative by {self.method}\nvalue       {values}\nerror up to {errors}"

    @property
    def is_zero(self) -> bool:
        """Whether all entries are 0 up to their errors."""
        return largest_entry(self.derivative) <= ERROR_FACTOR * float(self.error.max())

    @property
    def is_inaccurate(self) -> Array:
        """Which entries have an error that may hide a mistake."""
        size = np.maximum(np.abs(self.derivative), self.term_sizes)
        return self.error > USEFUL_ERROR * size


def numerical_derivative(
    f: Callable[[Array], Any], point: Array, value: Array, *, name: str = "f", real: bool = False
) -> NumericalDerivative:
    """The derivative of f at a point where its value is known.

    By the complex step, if differences confirm it; by differences otherwise. The steps are relative
    to the size of each coordinate. If these do not show the derivative, as may happen beside large
    constants, steps relative to 1 are tried, too.

    Parameters
    ----------
    f : callable
        Function of one array.
    point, value : ndarray
        x and f(x).
    name : str
        The name of f in messages.
    real : bool
        Whether f must not be called with complex numbers.

    Raises
    ------
    ValueError
        If the errors are so large that a wrong derivative cannot be told from a right one, or f has
        a kink at the point.
    """

    def by_differences(sizes: Array) -> Estimate:
        noise, units = measure_noise(f, point, value, sizes)
        best, error = at_two_scales(lambda s: _differences(f, point, s, noise), sizes)
        return best, error, JACOBIAN_ROUNDING * units[:, None] / sizes.T.reshape(1, -1)

    sizes, own_sizes = coordinate_sizes(point), own_coordinate_sizes(point)
    noise, units = measure_noise(f, point, value, own_sizes)
    refuse_kinks(f, point, value, sizes, noise, name)
    best, error, rounding = best_over_sizes(by_differences, point)
    refuse_inaccurate(best, error, rounding, point, name)
    exact = None
    if not real:
        coarseness = float((noise[units > 0] / units[units > 0]).max(initial=1.0))
        exact = complex_step_jacobian(f, point, sizes, coarseness)
    best, error, method = exact_if_confirmed(best, error, exact)
    terms = np.minimum(*(_term_sizes(best, s.T.reshape(1, -1)) for s in (sizes, own_sizes)))
    if value.size == 1:
        best, error, terms = (a.T.reshape(point.shape[::-1]).T for a in (best, error, terms))
    return NumericalDerivative(best, error, terms, method)


def coordinate_sizes(point: Array) -> Array:
    """The size of each coordinate, which steps are relative to; positive also where x is 0."""
    largest = float(np.abs(point).max()) or 1.0
    return np.maximum(np.abs(point), SMALLEST_SIZE * largest)


def own_coordinate_sizes(point: Array) -> Array:
    """The same without a lower limit, except where a coordinate is 0."""
    return np.where(point == 0, coordinate_sizes(point), np.abs(point))


def largest_entry(derivative: Array) -> float:
    """The largest absolute value of the finite entries."""
    return float(np.abs(derivative[np.isfinite(derivative)]).max(initial=0.0))


def _term_sizes(derivative: Array, sizes: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.abs(derivative * sizes).max(axis=1, keepdims=True) / sizes


def best_over_sizes(estimate: Callable[[Array], Estimate], point: Array) -> Estimate:
    """The best estimate of each entry over several choices of coordinate sizes."""
    sizes, own_sizes = coordinate_sizes(point), own_coordinate_sizes(point)
    best, error, rounding = estimate(sizes)
    others = [own_sizes] if (own_sizes < sizes).any() else []
    if (error > USEFUL_ERROR * largest_entry(best)).any() and (sizes < 1).any():
        others.append(np.maximum(sizes, 1.0))
    for other_sizes in others:
        other, other_error, other_rounding = estimate(other_sizes)
        best = np.where(other_error < error, other, best)
        error = np.minimum(error, other_error)
        rounding = np.minimum(rounding, other_rounding)
    return best, error, rounding


def at_two_scales(
    differences: Callable[[Array], tuple[Array, Array]], sizes: Array
) -> tuple[Array, Array]:
    """A derivative and its error, larger where two sets of steps contradict each other."""
    first, first_error = differences(sizes)
    second, second_error = differences(SECOND_SCALE * sizes)
    best = np.where(first_error <= second_error, first, second)
    error = np.minimum(first_error, second_error)
    with np.errstate(invalid="ignore"):
        apart = np.abs(first - second)
        contradicted = apart > ERROR_FACTOR * (first_error + second_error)
    return best, ERROR_FACTOR * np.where(contradicted, apart, error)


def exact_if_confirmed(
    best: Array,
    error: Array,
    exact: tuple[Array, Array] | None,
    method: str = COMPLEX_STEP,
) -> tuple[Array, Array, str]:
    """The more exact derivative if differences confirm it, with its error and the method.

    If one entry is contradicted, the whole is rejected. An entry that differences determine badly
    counts as not confirmed, and keeps the error of the differences.
    """
    if exact is None or exact[0].shape != best.shape:
        return best, error, DIFFERENCES
    exact_derivative, exact_error = exact
    apart = np.abs(exact_derivative - best)
    if not (apart <= error).all():
        return best, error, DIFFERENCES
    confirmed = error <= USEFUL_ERROR * np.abs(exact_derivative)
    if not confirmed.any():
        return best, error, DIFFERENCES
    return exact_derivative, np.where(confirmed, exact_error, error + apart), method


def refuse_inaccurate(best: Array, error: Array, rounding: Array, point: Array, name: str) -> None:
    """Refuse differences with too large errors; the message names the worst coordinate."""
    if not np.isfinite(best).any():
        raise ValueError(
            f"{name} has no finite differences at x; is x inside the domain of {name}?"
        )
    too_bad = error > np.maximum(USEFUL_ERROR * largest_entry(best), rounding)
    if not too_bad.any():
        return
    columns = np.where(too_bad, error, -1.0).max(axis=0)
    index = list(np.ndindex(*point.shape[::-1]))[int(np.argmax(columns))][::-1]
    place = f"x[{', '.join(str(i) for i in index)}]" if index else "x"
    raise ValueError(
        f"differences of {name} are not good enough here to tell a right derivative from a wrong "
        f"one: by {place} = {float(point[index]):.6g} they are good to {columns.max():.1g} only, "
        f"where the largest entry is about {largest_entry(best):.1g}. {name} may be noisy, swing "
        "within tiny steps, or have a kink or the end of its domain there: try another point, "
        f"scale the variable, or give {name} as an expression"
    )


def _differences(
    f: Callable[[Array], Any], point: Array, sizes: Array, noise: Array
) -> tuple[Array, Array]:
    """The Jacobian, entries of f by entries of x, both in column-major order, and its error."""
    columns, errors = [], []
    for index in np.ndindex(*point.shape[::-1]):
        E = np.zeros(point.shape)
        size = float(sizes[index[::-1]])
        E[index[::-1]] = size

        def along(t: float, E: Array = E) -> Array:
            return np.ravel(value_or_nan(f, point + t * E).T) + np.zeros_like(noise)

        found, error = difference_with_error(along, noise, JACOBIAN_STEPS)
        columns.append(found / size)
        errors.append(error / size)
    return np.array(columns).T, np.array(errors).T
