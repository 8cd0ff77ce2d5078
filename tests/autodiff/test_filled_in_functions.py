"""Every function of NumPy, of arrays that are filled: an error, or the right derivative."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import mcmodels.autodiff.numpy as anp
from mcmodels.autodiff import constant
from tests.autodiff.test_numpy_functions import ARGUMENTS, EVERY, is_real, outcome

NAMES = [name for name in EVERY if name.split(".")[0] == "numpy" and name.count(".") == 1]
NAMES += [name for name in EVERY if name.startswith(("numpy.linalg.", "numpy.fft."))]


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def followed(name):
    """The function that has this name in NumPy's place."""
    found = anp
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


def filled(x):
    """The values of an array in one that was filled entry by entry."""
    if isinstance(x, list) or np.ndim(constant(x)) == 0:
        return x
    array = anp.empty(np.shape(x))
    for index in np.ndindex(np.shape(x)):
        array[index] = x[index]
    return array


@pytest.mark.parametrize("name", NAMES)
def test_an_error_or_the_derivative(name):
    function = followed(name)
    for args in ARGUMENTS:
        for k, arg in enumerate(args):
            if is_real(arg):
                found = outcome(function, args, k, filled)
                assert found is None, f"argument {k} of {args}: {found}"
