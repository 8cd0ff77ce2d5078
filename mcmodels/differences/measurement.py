"""Derivatives of Python functions by their values, with how far to trust each entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.differences.complex_step import by_complex_step
from mcmodels.differences.extrapolation import Array, difference_with_error
from mcmodels.differences.kinks import require_smooth
from mcmodels.differences.noise import noise_of, tried

__all__ = ["COMPLEX_STEP", "DIFFERENCES", "Measured", "confirmed", "measured"]

COMPLEX_STEP, DIFFERENCES = "complex step", "differences"

_HALVINGS = 24  # from 2⁻⁴ down to 2⁻²⁷ of the size of a coordinate, fewer where rounding says so
_SMALLEST_SIZE = 1e-6  # of a coordinate, of the largest one
_SECOND_SCALE = 0.7  # of the first steps; no power of 2, so that both are seldom wrong alike
_TIMES_DOUBT = 10  # by which a measured uncertainty is multiplied to be on the safe side
_GOOD = 1e-3  # of the largest entry: a doubt up to which right and wrong can be told apart
_MUCH_ROUNDING = 1e4  # units of rounding of f, more than differences of a flat f leave

Estimate = tuple[Array, Array, Array]  # a derivative, its doubt, and what doubt rounding excuses


@dataclass(frozen=True)
class Measured:
    """A derivative by values of the function.

    Attributes
    ----------
    right : ndarray
        The gradient in the shape of x, or the Jacobian.
    doubt : ndarray
        How far each entry may be off.
    terms : ndarray
        How large the terms may be that each entry is a sum of: the largest entry, where each is
        multiplied by the size of its coordinate, divided by the size of this one.
    method : str
        "complex step" or "differences"; of a Hessian also "differences of the complex step".
    """

    right: Array
    doubt: Array
    terms: Array
    method: str

    @property
    def flat(self) -> bool:
        """Whether all is 0 as far as the rounding of f lets one see."""
        return scale_of(self.right) <= 10 * float(self.doubt.max())

    @property
    def coarse(self) -> Array:
        """Which entries are known so badly that a wrong one may not be seen."""
        return self.doubt > _GOOD * np.maximum(np.abs(self.right), self.terms)


def measured(
    f: Callable[[Array], Any], point: Array, value: Array, *, name: str = "f", real: bool = False
) -> Measured:
    """The derivative of f at a point where its value is known.

    By the complex step, where differences confirm it; by differences otherwise. Each coordinate
    has steps of its own size. Where these do not show the derivative, as beside large constants,
    steps of size 1 are tried.

    Parameters
    ----------
    f : callable
    point, value : ndarray
        x and f(x).
    name : str
        Of f in messages.
    real : bool
        Whether f is never to be called with complex numbers.

    Raises
    ------
    ValueError
        If the differences are so bad that a right derivative cannot be told from a wrong one, or f
        has a kink at the point.
    """

    def by_differences(sizes: Array) -> Estimate:
        noise, units = noise_of(f, point, value, sizes)
        best, doubt = at_two_scales(lambda s: _differences(f, point, s, noise), sizes)
        return best, doubt, _MUCH_ROUNDING * units[:, None] / sizes.T.reshape(1, -1)

    noise, units = noise_of(f, point, value, own_sizes(point))
    require_smooth(f, point, value, sizes_of(point), noise, name)
    best, doubt, rounding = over_sizes(by_differences, point)
    require_good(best, doubt, rounding, point, name)
    exact = None
    if not real:
        coarseness = float((noise[units > 0] / units[units > 0]).max(initial=1.0))
        exact = by_complex_step(f, point, sizes_of(point), coarseness)
    best, doubt, method = confirmed(best, doubt, exact)
    terms = np.minimum(
        *(_terms(best, s.T.reshape(1, -1)) for s in (sizes_of(point), own_sizes(point)))
    )
    if value.size == 1:
        best, doubt, terms = (a.T.reshape(point.shape[::-1]).T for a in (best, doubt, terms))
    return Measured(best, doubt, terms, method)


def sizes_of(point: Array) -> Array:
    """Of each coordinate, what is a step of size 1."""
    largest = float(np.abs(point).max()) or 1.0
    return np.maximum(np.abs(point), _SMALLEST_SIZE * largest)


def own_sizes(point: Array) -> Array:
    """The same, however much smaller than others a coordinate is, unless it is 0."""
    return np.where(point == 0, sizes_of(point), np.abs(point))


def scale_of(derivative: Array) -> float:
    """The largest entry of those that are finite."""
    return float(np.abs(derivative[np.isfinite(derivative)]).max(initial=0.0))


def _terms(derivative: Array, sizes: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.abs(derivative * sizes).max(axis=1, keepdims=True) / sizes


def over_sizes(estimate: Callable[[Array], Estimate], point: Array) -> Estimate:
    """Of several sizes of steps, the best estimate of each entry."""
    sizes = sizes_of(point)
    best, doubt, rounding = estimate(sizes)
    others = [own_sizes(point)] if (own_sizes(point) < sizes).any() else []
    if (doubt > _GOOD * scale_of(best)).any() and (sizes < 1).any():
        others.append(np.maximum(sizes, 1.0))
    for other_sizes in others:
        other, other_doubt, other_rounding = estimate(other_sizes)
        best = np.where(other_doubt < doubt, other, best)
        doubt = np.minimum(doubt, other_doubt)
        rounding = np.minimum(rounding, other_rounding)
    return best, doubt, rounding


def at_two_scales(
    differences: Callable[[Array], tuple[Array, Array]], sizes: Array
) -> tuple[Array, Array]:
    """A derivative and the doubt about each entry: more where two sizes of steps contradict."""
    first, first_error = differences(sizes)
    second, second_error = differences(_SECOND_SCALE * sizes)
    best = np.where(first_error <= second_error, first, second)
    error = np.minimum(first_error, second_error)
    with np.errstate(invalid="ignore"):
        apart = np.abs(first - second)
        contradicted = apart > _TIMES_DOUBT * (first_error + second_error)
    return best, _TIMES_DOUBT * np.where(contradicted, apart, error)


def confirmed(
    best: Array,
    doubt: Array,
    exact: tuple[Array, Array] | None,
    method: str = COMPLEX_STEP,
) -> tuple[Array, Array, str]:
    """The more exact derivative where differences confirm it, with its doubt, and the method.

    One entry that contradicts refutes all. An entry that differences hardly see is not confirmed,
    and keeps their doubt.
    """
    if exact is None or exact[0].shape != best.shape:
        return best, doubt, DIFFERENCES
    right, error = exact
    apart = np.abs(right - best)
    if not (apart <= doubt).all():
        return best, doubt, DIFFERENCES
    sharp = doubt <= _GOOD * np.abs(right)
    if not sharp.any():
        return best, doubt, DIFFERENCES
    return right, np.where(sharp, error, doubt + apart), method


def require_good(best: Array, doubt: Array, rounding: Array, point: Array, name: str) -> None:
    """Refuse differences that tell nothing, with a message that says where."""
    if not np.isfinite(best).any():
        raise ValueError(
            f"{name} has no finite differences at x; is x inside the domain of {name}?"
        )
    too_bad = doubt > np.maximum(_GOOD * scale_of(best), rounding)
    if not too_bad.any():
        return
    columns = np.where(too_bad, doubt, -1.0).max(axis=0)
    index = list(np.ndindex(*point.shape[::-1]))[int(np.argmax(columns))][::-1]
    place = f"x[{', '.join(str(i) for i in index)}]" if index else "x"
    raise ValueError(
        f"differences of {name} are not good enough here to tell a right derivative from a wrong "
        f"one: by {place} = {float(point[index]):.6g} they are good to {columns.max():.1g} only, "
        f"where the largest entry is about {scale_of(best):.1g}. {name} may be noisy, swing within "
        "tiny steps, or have a kink or the end of its domain there: try another point, scale the "
        f"variable, or give {name} as an expression"
    )


def _differences(
    f: Callable[[Array], Any], point: Array, sizes: Array, noise: Array
) -> tuple[Array, Array]:
    """The Jacobian, entries of f by entries of x, both counted down the columns, and its error."""
    columns, errors = [], []
    for index in np.ndindex(*point.shape[::-1]):
        E = np.zeros(point.shape)
        size = float(sizes[index[::-1]])
        E[index[::-1]] = size

        def along(t: float, E: Array = E) -> Array:
            return np.ravel(tried(f, point + t * E).T) + np.zeros_like(noise)

        found, error = difference_with_error(along, noise, _HALVINGS)
        columns.append(found / size)
        errors.append(error / size)
    return np.array(columns).T, np.array(errors).T
