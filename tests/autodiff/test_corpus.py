"""The corpus of programs: each is right, or refused with the reason; none is wrong."""

from __future__ import annotations

import importlib
import pkgutil
import warnings

import numpy as np
import pytest

from mcmodels import autodiff
from tests.autodiff import corpus
from tests.autodiff.corpus import differences
from tests.autodiff.corpus.programs import PROGRAMS
from tests.autodiff.corpus.refused import PLAIN

for module in pkgutil.iter_modules(corpus.__path__):
    importlib.import_module(f"{corpus.__name__}.{module.name}")

# Differences extrapolated from three steps: the steps are chosen for errors of 1e-9 in first and of
# 1e-7 in second derivatives; ten times that, relative to the largest entry.
BOUNDS = {"grad": 1e-8, "jacobian": 1e-8, "hessian": 1e-6, "hvp": 1e-6}


def derived(program):
    """The derivative by the autodiff."""
    f, x = program.function, program.point
    if program.asks == "hvp":
        return autodiff.hessian_vector_product(f)(x, differences.direction(x))
    return getattr(autodiff, program.asks)(f)(x)


def forward(program):
    """The same by forward mode, forward over forward for second derivatives."""
    f, x, units = program.function, program.point, differences.units(program.point)

    def along(f, v):
        return lambda x: autodiff.jvp(f, (x,), (v,))[1]

    if program.asks in ("grad", "jacobian"):
        columns = [along(f, v)(x) for v in units]
        return np.moveaxis(np.array(columns), 0, -1).reshape(np.shape(columns[0]) + x.shape)
    others = units if program.asks == "hessian" else [differences.direction(x)]
    found = np.array([[along(along(f, v), w)(x) for w in others] for v in units])
    return found.reshape(x.shape + (x.shape if program.asks == "hessian" else ()))


def deviation(actual, expected):
    """The largest deviation, relative to the largest entry; infinite for other shapes and NaN."""
    if np.shape(actual) != np.shape(expected):
        return np.inf
    error = np.max(np.abs(actual - expected)) / max(1.0, np.max(np.abs(expected)))
    return error if np.isfinite(error) else np.inf


def test_there_are_enough_of_them():
    assert len(PROGRAMS) >= 150
    assert PLAIN.keys() <= PROGRAMS.keys()


@pytest.mark.parametrize("name", PROGRAMS)
def test_plain_numpy(name):
    """Right in both modes, or marked as refused, and then refused."""
    program = PROGRAMS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in PLAIN:
            with pytest.raises((TypeError, ValueError, AttributeError)):
                derived(program)
            return
        expected = differences.expected(program)
        assert deviation(derived(program), expected) < BOUNDS[program.asks]
        assert deviation(forward(program), expected) < BOUNDS[program.asks]
