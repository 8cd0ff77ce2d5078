"""The corpus of programs: each is right, or refused with the reason; none is wrong."""

from __future__ import annotations

import importlib
import pkgutil
import warnings

import numpy as np
import pytest

import mcmodels.autodiff.numpy
from mcmodels import autodiff
from tests.autodiff import corpus
from tests.autodiff.corpus import differences
from tests.autodiff.corpus.programs import PROGRAMS
from tests.autodiff.corpus.refused import REFUSED, REFUSED_OF_PLAIN_NUMPY

for module in pkgutil.iter_modules(corpus.__path__):
    importlib.import_module(f"{corpus.__name__}.{module.name}")

# Differences extrapolated from three steps: the steps are chosen for errors of 1e-9 in first and of
# 1e-7 in second derivatives; ten times that, relative to the largest entry.
REMEDY = r"constant|leave it out|mcmodels.autodiff|x.copy\(\)|of real ones"
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
    assert len(PROGRAMS) >= 416
    assert REFUSED.keys() <= PROGRAMS.keys()
    assert REFUSED_OF_PLAIN_NUMPY.keys() <= PROGRAMS.keys() - REFUSED.keys()


def check(program, expected):
    """Right in both modes."""
    assert deviation(derived(program), expected) < BOUNDS[program.asks]
    assert deviation(forward(program), expected) < BOUNDS[program.asks]


def check_refused(program):
    """Refused by an error that says what to do."""
    for derive in (derived, forward):
        with pytest.raises((autodiff.NoRuleError, AttributeError), match=REMEDY):
            derive(program)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", PROGRAMS)
def test_plain_numpy(name):
    program = PROGRAMS[name]
    if name in REFUSED or name in REFUSED_OF_PLAIN_NUMPY:
        check_refused(program)
    else:
        check(program, differences.expected(program))


@pytest.mark.parametrize("name", PROGRAMS)
def test_in_place_of_numpy(name, monkeypatch):
    """With ``mcmodels.autodiff.numpy`` imported in NumPy's place."""
    program = PROGRAMS[name]
    expected = None if name in REFUSED else differences.expected(program)  # by NumPy
    monkeypatch.setattr(program.module, "np", mcmodels.autodiff.numpy)
    if name in REFUSED:
        check_refused(program)
    else:
        check(program, expected)


def test_a_wrong_derivative_is_seen(monkeypatch):
    """Planted: the derivative of exp is 1.0005 times what it is."""
    import dataclasses

    rule = autodiff.tables.RULES[np.exp]
    wrong = dataclasses.replace(rule, pull=lambda *rest: 1.0005 * rule.pull(*rest))
    monkeypatch.setitem(autodiff.tables.RULES, np.exp, wrong)
    program = PROGRAMS["statistics.cox_partial_likelihood"]
    assert deviation(derived(program), differences.expected(program)) > 100 * BOUNDS[program.asks]
