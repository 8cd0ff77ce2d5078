"""Kinks: points at which a derivative is one number on one side, and another on the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.differences.extrapolation import Array
from mcmodels.differences.noise import tried

__all__ = ["require_smooth"]

_FIRST_STEP = 2.0**-8
_STEPS = 10  # down to 2⁻²⁶ of the size of a coordinate, each a quarter of the one before
_LARGEST = 2.0**-14  # a bend that is gone at this step is none at the point
# A sharp kink so near the point is taken for one at it: the noise of f is measured across both.
_BESIDE = 5e-6
_SHARP = 0.05  # half the change of the derivative, relative to the larger of the two
_SEEN = 20  # times the noise of f
_SAME = 0.2  # the gap between the sides of a smooth f falls to a quarter from step to step
_SMALLEST = 1e-3  # of the derivatives: a bend that makes none of them wrong


def require_smooth(
    f: Callable[[Array], Any],
    point: Array,
    value: Array,
    sizes: Array,
    noise: Array,
    name: str = "f",
    order: int = 1,
) -> None:
    """Refuse a point at which a derivative along a coordinate jumps, as that of |x| does at 0.

    The derivatives on both sides differ by the order of the step for a smooth f; at a kink they
    differ by a number that does not depend on it.

    Parameters
    ----------
    f : callable
    point, value : ndarray
        x and f(x).
    sizes, noise : ndarray
        Of the coordinates, and of the values of f.
    name : str
        Of f in messages.
    order : int
        Of the derivative, 1 or 2.

    Raises
    ------
    ValueError
        If there is a kink; it names the coordinate and the derivatives on both sides.
    """
    middle = np.ravel(np.asarray(value, dtype=float).T)
    steps = _FIRST_STEP / 4.0 ** np.arange(_STEPS)
    for index in np.ndindex(*point.shape):
        E = np.zeros(point.shape)
        E[index] = sizes[index]

        def change(t: float, E: Array = E) -> Array:
            return np.ravel(tried(f, point + t * E).T) - middle

        def one_side(t: float, change: Callable[[float], Array] = change) -> Array:
            if order == 1:
                return change(t) * np.sign(t)
            return change(2 * t) - 2 * change(t)

        below, above = (np.array([one_side(sign * t) for t in steps]) for sign in (-1, 1))
        seen = _kink(below, above, steps**order, steps, noise * 4 ** (order - 1))
        if seen is None:
            continue
        unit = float(steps[seen[0]] * sizes[index]) ** order
        what = "slope" if order == 1 else "second derivative"
        sides = " and ".join(
            f"{side[seen] / unit + 0.0:.3g} on {which}"  # + 0.0 makes -0 a 0
            for side, which in ((below, "one side"), (above, "the other"))
        )
        place = f"x[{', '.join(str(i) for i in index)}]" if index else "x"
        raise ValueError(
            f"{name if order == 1 else f'the slope of {name}'} has a kink at x: by {place} = "
            f"{float(point[index]):.6g} its {what} is {sides}; try another point"
        )


def _kink(
    below: Array, above: Array, powers: Array, steps: Array, noise: Array
) -> tuple[int, int] | None:
    """The step and the output at which a kink is seen."""
    with np.errstate(all="ignore"):
        bends = np.abs(above - below) / 2
        seen = bends > _SEEN * noise
        seen &= bends > _SMALLEST * np.maximum(np.abs(above), np.abs(below))
        gaps = bends / powers[:, None]
    for output in np.flatnonzero(seen.any(axis=0)):
        last = int(np.flatnonzero(seen[:, output])[-1])
        for end in (last, last - 1, last - 2):
            if end < 2 or steps[end] > _LARGEST:
                continue
            three = gaps[end - 2 : end + 1, output]
            if not np.ptp(three) <= _SAME * three[-1]:
                continue
            if end == last:
                return end, int(output)
            larger = max(abs(above[end, output]), abs(below[end, output]))
            if not bends[end, output] > _SHARP * larger:
                continue
            # Beside a kink the gap is less by its distance over the step.
            distance = steps[last] * (1 - gaps[last, output] / three[-1])
            if 0 < distance <= _BESIDE:
                return end, int(output)
    return None
