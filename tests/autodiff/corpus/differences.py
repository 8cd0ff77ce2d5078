"""What derivatives should be, from values of a function alone."""

from __future__ import annotations

import itertools

import numpy as np


def _extrapolated(at, step):
    """Differences of even order, extrapolated from three steps to step zero (Richardson)."""
    table = [at(step / 2**k) for k in range(3)]
    for order in (1, 2):
        factor = 4.0**order
        table = [(factor * b - a) / (factor - 1) for a, b in itertools.pairwise(table)]
    return table[0]


def slope(f, x, v, step):
    """The derivative of f at x along v."""
    return _extrapolated(
        lambda h: (np.asarray(f(x + h * v)) - np.asarray(f(x - h * v))) / (2 * h), step
    )


def second_slope(f, x, v, w, step):
    """The second derivative of f at x along v and w."""
    return _extrapolated(
        lambda h: (
            (
                np.asarray(f(x + h * (v + w)))
                - f(x + h * (v - w))
                - f(x - h * (v - w))
                + f(x - h * (v + w))
            )
            / (4 * h * h)
        ),
        step,
    )


def units(x):
    """The directions along the entries of an array."""
    return np.eye(x.size).reshape(x.size, *x.shape)


def direction(x):
    """The direction that Hessian-vector products are taken along."""
    return np.linspace(1.0, -0.5, x.size).reshape(x.shape)


def expected(program):
    """The derivative that a program asks for."""
    f, x, step = program.function, program.point, program.step
    if program.asks in ("grad", "jacobian"):
        columns = [slope(f, x, v, step) for v in units(x)]
        return np.moveaxis(np.array(columns), 0, -1).reshape(np.shape(columns[0]) + x.shape)
    others = units(x) if program.asks == "hessian" else [direction(x)]
    found = np.array([[second_slope(f, x, v, w, step) for w in others] for v in units(x)])
    return found.reshape(x.shape + (x.shape if program.asks == "hessian" else ()))
