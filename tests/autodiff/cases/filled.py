"""Cases of the makers of arrays that are filled by index."""

from __future__ import annotations

import numpy as np

from tests.autodiff.cases.drawing import any_, case


def filled(maker):
    """A function that fills an array: by position, by slice, by a mask, in place, over itself."""

    def function(x):
        h = maker(x)
        h[...] = 0.5 * x
        h[1:] = np.sin(x[:-1])
        h[0] += x[1] * x[2]
        before = h * h
        view = h[1:3]
        view *= x[:2]
        h[np.array([True, False, False, True])] -= x[3]
        return h + before

    return function


for maker in (np.zeros_like, np.ones_like, np.empty_like, np.copy):
    for shape in ((4,), (4, 2), (4, 2, 3)):
        case(maker, f"filled {shape}", filled(maker), any_(*shape))
