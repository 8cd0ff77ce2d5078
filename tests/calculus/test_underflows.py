"""What underflows on the way to a value: it is computed by other numbers where that counts only."""

import importlib

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import convexity, parse
from mcmodels.calculus.compute.lost_digits import Doubt
from mcmodels.calculus.study.convexity import witness

# `compute.evaluate` is a function of that name, too.
evaluate_module = importlib.import_module("mcmodels.calculus.compute.evaluate")

ROWS = np.random.default_rng(0).standard_normal((40, 3))
SIGNS = np.sign(ROWS[:, 0])

ABSORBED = [
    ("sum(log(1 + exp(-y*(X@w))))", {"X": 1000 * ROWS, "w": [1.0, 2.0, 3.0], "y": SIGNS}),
    ("exp(x)/sum(exp(x))", {"x": np.linspace(-800.0, 0.0, 9)}),
    ("sum(exp(-x**2)) / 7", {"x": np.linspace(0.0, 60.0, 50)}),
    ("norm(exp(-x) * y + 1)**2", {"x": [0.0, 800.0], "y": [1.0, 2.0]}),
    ("log(2 + exp(-x)) * y", {"x": 800.0, "y": 3.0}),
    ("exp(-x)", {"x": 800.0}),
]


@pytest.mark.parametrize(("text", "at"), ABSORBED)
def test_what_is_absorbed_is_not_computed_again(text, at, monkeypatch):
    def refused(*_):
        raise AssertionError("computed by numbers of any size")

    monkeypatch.setattr(evaluate_module, "wide_value", refused)
    f = parse(text, **{name: _shape(value) for name, value in at.items()})
    assert np.isfinite(f.evaluate(**at)).all()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("10**300 * exp(-x)", {"x": 740.0}),
        ("sqrt(x*y) * 10**200", {"x": 1e-200, "y": 1e-190}),
        ("y * exp(-x**2) * z", {"x": 27.0, "y": 1e200, "z": 1e120}),
        ("(x*y) * z", {"x": 1e-200, "y": 1e-150, "z": 1e300}),
        ("(exp(-x) - exp(-y)) * 10**308", {"x": 740.0, "y": 741.0}),
        ("sum(x*y) * 10**300", {"x": [1e-200, 2e-200], "y": [1e-120, 1e-130]}),
        ("(x.T@y)**0.5", {"x": [1e-200, 2e-200], "y": [1e-120, 1e-130]}),
        ("1 / log(1 + x*y) * z", {"x": 1e-200, "y": 3e-115, "z": 1e-300}),
    ],
)
def test_where_it_counts_the_value_has_its_digits(text, at):
    """Against mpmath; 1e-9 is what numbers of any size must have."""
    f = parse(text, **{name: _shape(value) for name, value in at.items()})
    exact = f.evaluate(**at, digits=30)
    assert abs(mpmath.mpf(f.evaluate(**at)) - exact) <= mpmath.mpf("1e-9") * abs(exact)


def _shape(value):
    return {0: (), 1: "n", 2: "n,p"}[np.ndim(value)] if np.ndim(value) != 1 else _length(value)


def _length(value):
    return "p" if len(value) == 3 else "n"


@pytest.mark.parametrize(
    ("text", "sizes", "is_watched"),
    [
        ("x - y", {}, False),
        ("2*x - y", {}, False),
        ("x - 3*y", {}, True),  # 3y is rounded
        ("x - y + z", {}, True),  # x − y is, where z is far from both
        ("x - 1", {}, True),  # x may be absorbed
        ("x*y - z", {}, True),
        ("sum((x[i] - x[j])**2, i, j)", {"x": "n"}, False),
        ("maximum(x*y, z) - y", {}, True),
    ],
)
def test_differences_of_given_values_are_not_doubted(text, sizes, is_watched):
    assert bool(Doubt(parse(text, **sizes)).watched) == is_watched


def test_what_is_absorbed_counts_only_where_it_is_magnified():
    plain, within = parse("x + y**2"), parse("exp(x + y**2)")
    assert list(Doubt(plain).watched.values()) == [False]
    assert list(Doubt(within).watched.values()) == [True]


def test_a_witness_computes_once_what_does_not_depend_on_x(monkeypatch):
    f = parse("x.T @ logm(A) @ x", x="n", A="n,n")
    walked = witness.walk
    computed = []

    def counted(e, *args, known, **options):
        before = set(known)
        result = walked(e, *args, known=known, **options)
        lasting = {p.key for p in witness.parts_of(e) if p.used and "x" not in str(p.symbols)}
        computed.append(bool(lasting & set(known) - before))
        return result

    monkeypatch.setattr(witness, "walk", counted)
    assert convexity(f, "x").kind == "neither"
    assert len(computed) > 10
    assert sum(computed) <= 3  # at the first point, and of the Hessian
