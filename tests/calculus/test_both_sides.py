"""Thresholds that random points do not reach are seen from both sides, by `check` as well."""

import numpy as np
import pytest

from mcmodels.calculus import parse
from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.study import checks
from mcmodels.calculus.study.both_sides import on_both_sides, thresholds
from mcmodels.calculus.study.instances import random_instance

FAR = [
    ("sum(relu(x-100))", {"x": "n"}, "x", "0*x"),
    ("sum(where(x>50,x**2,x))", {"x": "n"}, "x", "ones(n)"),
    ("sum(minimum(x,1e6))", {"x": "n"}, "x", "ones(n)"),
    ("sum(clip(x,-1000,1000))", {"x": "n"}, "x", "ones(n)"),
    ("sum(where(abs(x-500)>1,x,x**2))", {"x": "n"}, "x", "ones(n)"),
    ("where(a.T@x>40,sum(x**2),a.T@x)", {"x": "n", "a": "n"}, "x", "a"),
    ("where(s>20,s**2,s)", {"s": "scalar"}, "s", "1"),
    ("relu(trace(S)-40)", {"S": ("n", "n")}, "S", "0*S"),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("f", "sizes", "x", "wrong"), FAR)
def test_check_sees_both_sides(monkeypatch, f, sizes, x, wrong, seed):
    f, wrong = parse(f, **sizes), parse(wrong, **sizes)
    # Differences by steps of the size of the point are good to 1e-9, as at other points.
    assert f.check(x, seed=seed) < 1e-9
    monkeypatch.setattr(checks, "derivative", lambda *_: wrong)  # right on one side
    assert f.check(x, seed=seed) > 0.1


def test_digits_see_both_sides(monkeypatch):
    pytest.importorskip("mpmath")
    f = parse("sum(relu(x-100)**2)", x="n")
    assert f.check("x", digits=40) < 1e-25
    monkeypatch.setattr(checks, "derivative", lambda *_: parse("0*x", x="n"))
    assert f.check("x", digits=40) > 0.1


def test_values_that_are_given_stay():
    f = parse("sum(relu(x-100))", x="n")
    assert f.check("x", x=[1.0, 2.0]) == 0.0  # nothing else was asked
    instance = random_instance([f], 0)
    x = next(iter(f.symbols))
    added, unseen = on_both_sides([instance], thresholds([f]), [f], frozenset([x]))
    assert added == []
    assert unseen == ["x > 100"]


def test_points_are_as_declared_and_defined():
    f = parse("sum(relu(log(x) - 2)) + sum(relu(2 - x))", x="n")
    instance = random_instance([f], 0)
    added, unseen = on_both_sides([instance], thresholds([f]), [f])
    assert unseen == []
    for values, sizes in added:
        assert np.isfinite(walk(f, values, sizes)).all()


def test_what_chooses_nothing_costs_nothing(monkeypatch):
    f = parse("sum(exp(x)**2)", x="n")
    assert thresholds([f]) == []
    monkeypatch.setattr(checks, "on_both_sides", None)  # it is not asked
    assert f.check("x") < 1e-9
