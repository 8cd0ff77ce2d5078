"""Convexity of where(…): what is proved of random pieces holds for second differences of values."""

import random

import numpy as np

from mcmodels.calculus import abs, exp, scalar, softplus, where
from mcmodels.calculus.study.convexity.composition import Composition
from mcmodels.calculus.study.convexity.ranges import Ranges

z = scalar("z")
CONDITIONS = [z > 1, z > 0, z < 1, z <= -1, abs(z) > 1, abs(z) < 1, abs(z) <= 2, 2 * z > 1, z < 0]
PIECES = [
    *(z**2, -(z**2), z**2 / 2, z**4, z, 2 * z - 1, z - 1, -z, 0 * z + 1, 0 * z),
    *(abs(z), -abs(z), 2 * abs(z) - 1, abs(z) - 0.5, exp(z) - 1, softplus(z)),
]


def test_random_pieces_are_never_judged_wrongly():
    at = np.linspace(-3.3, 3.3, 133)
    pick = random.Random(0).choice
    proved = {"convex": 0, "concave": 0}
    for _ in range(300):
        f = where(pick(CONDITIONS), pick(PIECES), pick(PIECES))
        found = Composition(z, Ranges()).of(f)
        if not (f.symbols and found):
            continue
        bend = np.diff([f.evaluate(z=float(value)) for value in at], 2)
        for kind, sign in (("convex", 1), ("concave", -1)):
            if kind in found:
                proved[kind] += 1
                # Second differences of values below 120, each with a few roundings.
                assert (sign * bend > -1e-12).all(), f
    assert min(proved.values()) > 10
