"""A part of all combinations of cases in the default run, the others among the slow tests."""

import itertools

import pytest


def rotated(*cases):
    """All combinations of cases as parameters, of which the default run has a part.

    Each combination of all but the last stands in it with one of the last: the k-th with the k-th,
    counted around. So every case is in it where the last has no more cases than there are of these.
    """
    first = list(itertools.product(*cases[:-1]))
    last = list(cases[-1])
    return [
        pytest.param(*some, one, marks=() if j == k % len(last) else pytest.mark.slow)
        for k, some in enumerate(first)
        for j, one in enumerate(last)
    ]
