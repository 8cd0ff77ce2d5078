"""Kinks: points at which the derivatives from both sides differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.differences.constants import (
    KINK_DISTANCE,
    KINK_FIRST_STEP,
    KINK_GAP_SPREAD,
    KINK_LARGEST_STEP,
    KINK_NOISE_FACTOR,
    KINK_SHARP_BEND,
    KINK_SMALLEST_BEND,
    KINK_STEPS,
)
from mcmodels.differences.extrapolation import Array
from mcmodels.differences.noise import value_or_nan
from mcmodels.plain import np

__all__ = ["refuse_kinks"]


def refuse_kinks(
    f: Callable[[Array], Any],
    point: Array,
    value: Array,
    sizes: Array,
    noise: Array,
    name: str = "f",
    order: int = 1,
) -> None:
    """Refuse a point at which a derivative along a coordinate jumps, as that of |x| does at 0.

    The derivatives from both sides differ by a multiple of the step if f is smooth. At a kink their
    difference does not depend on the step.

    Parameters
    ----------
    f : callable
        Function of one array.
    point, value : ndarray
        x and f(x).
    sizes, noise : ndarray
        The sizes of the coordinates, and the noise of the values of f.
    name : str
        The name of f in messages.
    order : int
        The order of the derivative, 1 or 2.

    Raises
    ------
    ValueError
        If there is a kink; it names the coordinate and the derivatives on both sides.
    """
    middle = np.ravel(np.asarray(value, dtype=float).T)
    steps = KINK_FIRST_STEP / 4.0 ** np.arange(KINK_STEPS)
    for index in np.ndindex(*point.shape):
        E = np.zeros(point.shape)
        E[index] = sizes[index]

        def change(t: float, E: Array = E) -> Array:
            return np.ravel(value_or_nan(f, point + t * E).T) - middle

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
    """The step and the output at which a kink is found; None if there is none."""
    with np.errstate(all="ignore"):
        bends = np.abs(above - below) / 2
        seen = bends > KINK_NOISE_FACTOR * noise
        seen &= bends > KINK_SMALLEST_BEND * np.maximum(np.abs(above), np.abs(below))
        gaps = bends / powers[:, None]
    for output in np.flatnonzero(seen.any(axis=0)):
        last = int(np.flatnonzero(seen[:, output])[-1])
        for end in (last, last - 1, last - 2):
            if end < 2 or steps[end] > KINK_LARGEST_STEP:
                continue
            three = gaps[end - 2 : end + 1, output]
            if not np.ptp(three) <= KINK_GAP_SPREAD * three[-1]:
                continue
            if end == last:
                return end, int(output)
            larger = max(abs(above[end, output]), abs(below[end, output]))
            if not bends[end, output] > KINK_SHARP_BEND * larger:
                continue
            # Close to a kink, the gap is smaller by the ratio of its distance to the step.
            distance = steps[last] * (1 - gaps[last, output] / three[-1])
            if 0 < distance <= KINK_DISTANCE:
                return end, int(output)
    return None
