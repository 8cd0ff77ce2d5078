"""Maximum, minimum, clip, where and comparisons: kinks, guards, conditions and signs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from mcmodels import calculus as mc
from mcmodels.calculus import EvaluationError, NonDifferentiableWarning, parse
from tests.calculus.function_points import AT, X, a, given, t, x, y

# -- kinks ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "at", "slope"),
    [
        (mc.maximum(t, 0), 0.0, 0.0),
        (mc.maximum(0, t), 0.0, 1.0),
        (mc.minimum(t, 2 * t), 0.0, 2.0),
        (mc.clip(t, -1, 1), 1.0, 0.0),
        (mc.clip(t, -1, 1), -1.0, 0.0),
        (mc.where(t > 0, 3 * t, 5 * t), 0.0, 5.0),
        (mc.where(t >= 0, 3 * t, 5 * t), 0.0, 3.0),
        (mc.where(t < 0, 3 * t, 5 * t), 0.0, 5.0),
        (mc.where(t <= 0, 3 * t, 5 * t), 0.0, 3.0),
        (mc.norm(t, 1), 0.0, 0.0),
    ],
    ids=str,
)
def test_at_a_kink_the_documented_slope_and_a_warning(f, at, slope):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.evaluate(t=at)  # a value has no kink
    with pytest.warns(NonDifferentiableWarning):
        assert f.gradient(t).evaluate(t=at) == slope


def test_the_largest_of_equal_entries():
    G = mc.amax(x).gradient(x)
    with pytest.warns(NonDifferentiableWarning, match="more than once"):
        np.testing.assert_array_equal(G.evaluate(x=[1.0, 2.0, 2.0]), [0, 1, 0])
    np.testing.assert_array_equal(G.compile()(x=[1.0, 2.0, 2.0]), [0, 1, 0])


def test_maximum_with_zero_is_relu():
    f, g = mc.sum(mc.maximum(x, 0)), mc.sum(mc.relu(x))
    assert f.gradient(x) == g.gradient(x)


@pytest.mark.parametrize(
    ("f", "note"),
    [
        (mc.sum(mc.maximum(x, y)), "where its arguments are equal"),
        (mc.sum(mc.hypot(x, y)), "both its arguments are 0"),
        (mc.sum(mc.where(x > 0, x, y)), "the two sides of its condition"),
        (mc.amax(x), "more than once"),
    ],
    ids=str,
)
def test_a_derivation_notes_kinks(f, note):
    derivation = f.derivation(x)
    assert note in str(derivation)
    assert derivation.check() < 1e-9
    assert derivation.steps[-1].after == f.gradient(x)


def test_there_is_no_derivative_where_hypot_is_zero():
    with pytest.raises(EvaluationError):
        mc.hypot(t, a).gradient(t).evaluate(t=0, a=0)


# -- parts that are not chosen ----------------------------------------------------------------

ENTROPY = mc.where(x > 0, x * mc.log(x), 0)


def test_what_is_not_chosen_may_be_undefined():
    at = np.array([-1.0, 0.0, 2.0])
    f = mc.sum(ENTROPY)
    value, slope = 2 * np.log(2), np.array([0, 0, np.log(2) + 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", NonDifferentiableWarning)
        assert f.evaluate(x=at) == pytest.approx(value)
        assert f.compile()(x=at) == pytest.approx(value)
        for G in (f.gradient(x), f.derivation(x).steps[-1].after):
            np.testing.assert_allclose(G.evaluate(x=at), slope)
            np.testing.assert_allclose(G.compile()(x=at), slope)
        H = f.hessian(x)
        np.testing.assert_allclose(H.evaluate(x=at), np.diag([0, 0, 0.5]))
        np.testing.assert_allclose(H.compile()(x=at), np.diag([0, 0, 0.5]))


def test_what_is_chosen_may_not_be_undefined():
    for f in (mc.where(x < 0, mc.log(x), 0), mc.where(x > 0, x, mc.log(x))):
        with pytest.raises(EvaluationError):
            mc.sum(f).evaluate(x=[-1.0, 2.0])
        with pytest.raises(EvaluationError):
            mc.sum(f).compile()(x=[-1.0, 2.0])
    # Inside a branch entries may be mixed: what is undefined then reaches all of them.
    with pytest.raises(EvaluationError):
        mc.sum(mc.where(x > 0, mc.ones("n") * mc.sum(mc.log(x)), 0)).evaluate(x=[-1.0, 2.0])
    # Undefined beside the choice, not inside it.
    with pytest.raises(EvaluationError, match="log"):
        (mc.sum(ENTROPY) + mc.sum(mc.log(x))).evaluate(x=[-1.0, 2.0])


def test_comparisons_have_no_truth_value():
    with pytest.raises(TypeError, match=r"where\(x > y, …\), and write maximum\(x, y\)"):
        bool(x > y)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (a >= 0.7, [True, True, True]),
        ((a < 0.5) * (x > 0), [False, False, False]),
        ((x >= 0.4) * (x >= 0.4), [False, True, True]),
        ((a > 0.5) * (x > 0) * (y <= 0), [False, False, True]),
        (((x > 0).T).T, [False, True, True]),
        (x[0] < x[1], [True, True, True]),
    ],
    ids=str,
)
def test_conditions_of_every_form(condition, holds):
    f = mc.where(condition, x, -y)
    np.testing.assert_array_equal(f.evaluate(**given(f)), np.where(holds, AT["x"], -AT["y"]))
    np.testing.assert_array_equal(f.compile()(**given(f)), np.where(holds, AT["x"], -AT["y"]))
    assert parse(str(f), a="scalar", x="n", y="n") == f


WEIGHTS = [
    mc.polygamma(1, x),
    mc.polygamma(2, x),
    mc.maximum(x, y),
    mc.maximum(x, mc.exp(y)),
    mc.minimum(x, 1),
    mc.minimum(mc.exp(x), mc.exp(y)),
    mc.hypot(x, y),
    mc.where(x > y, mc.exp(x), 2),
    mc.where(x > y, mc.exp(x), -2),
    mc.amax(y) * mc.exp(x),
    mc.amax(-mc.exp(x)) * mc.exp(y),
    mc.hardmax(x),
]


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_weighted_cross_products_whatever_the_signs(weights):
    """A root of the weights is taken only where none is negative."""
    f = X @ mc.diag(weights) @ X.T
    expected = (AT["X"] * weights.evaluate(**given(weights))) @ AT["X"].T
    # Sums of three products of numbers below 1e3.
    np.testing.assert_allclose(f.compile()(**given(f)), expected, rtol=0, atol=1e-10)


def test_kinks_inside_a_branch_that_is_chosen_are_still_said():
    f = mc.where(t > 0, mc.relu(t - 1) * (1 + mc.log(t)), 0)
    with pytest.warns(NonDifferentiableWarning, match=r"step\(t - 1\)"):
        f.gradient(t).evaluate(t=1.0)
