"""Every rule and every function of NumPy: both modes, first and second order."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

from mcmodels.autodiff import constant, grad, jvp, vjp
from mcmodels.autodiff.tables import RULES
from tests.autodiff import checkers
from tests.autodiff.cases import CASES, EVERY_KEY
from tests.autodiff.checkers import DIFFERENCES, ROUNDING, SECOND_ROUNDING

every_case = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture(autouse=True)
def _no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_nothing_is_without_a_case():
    assert {case.key for case in CASES} == EVERY_KEY


def test_labels_tell_cases_apart():
    assert len({str(case) for case in CASES}) == len(CASES)


@every_case
def test_value(case):
    """A traced function returns what NumPy returns."""
    expected = np.asarray(case.function(*case.args))
    for actual in (jvp(case.function, case.args, case.args)[0], vjp(case.function, *case.args)[0]):
        assert actual.dtype == expected.dtype
        assert actual.shape == expected.shape
        if case.exact:
            np.testing.assert_array_equal(actual, expected)
        else:  # sums and products of up to 20 numbers in another order
            np.testing.assert_allclose(actual, expected, rtol=1e-14, atol=1e-14)


@every_case
def test_first_order(case):
    assert checkers.forward_against_differences(case) < DIFFERENCES
    assert checkers.reverse_against_differences(case) < DIFFERENCES
    assert checkers.transposition(case) < ROUNDING


@every_case
def test_second_order(case):
    found, expected, scale = checkers.second_derivatives(case)
    first = found["forward over reverse"]
    for name, value in found.items():
        assert abs(value - first) < SECOND_ROUNDING * scale, name
    assert abs(first - expected) < DIFFERENCES * scale


def laid_out(x, how):
    """The same numbers, elsewhere in memory."""
    if how == "Fortran":
        return np.array(x, order="F")
    if how == "strided":
        wide = np.full((*x.shape, 2), np.nan)
        wide[..., 0] = x
        return wide[..., 0]
    frozen = x.copy()
    frozen.flags.writeable = False
    return frozen


@every_case
def test_layout(case):
    """Order, strides and read-only memory change nothing; inputs are not written to."""
    u = np.ones(np.shape(case.function(*case.args)))
    expected = vjp(case.function, *case.args)[1](u)
    for how in ("Fortran", "strided", "read-only"):
        args = tuple(laid_out(x, how) for x in case.args)
        before = [x.copy() for x in args]
        actual = vjp(case.function, *args)[1](u)
        jvp(case.function, args, args)
        for x, kept in zip(args, before, strict=True):
            np.testing.assert_array_equal(x, kept)
        for g, e in zip(_tuple(actual), _tuple(expected), strict=True):
            # BLAS adds the products of other layouts in another order.
            np.testing.assert_allclose(g, e, rtol=1e-12, atol=1e-13 * np.max(np.abs(e), initial=1))
            assert g.flags.writeable


@every_case
def test_single_precision(case):
    args = tuple(x.astype(np.float32) for x in case.args)
    wide = tuple(x.astype(np.float64) for x in args)
    value, pullback = vjp(case.function, *args)
    u = np.random.default_rng(4).standard_normal(value.shape).astype(np.float32)
    expected = vjp(case.function, *wide)[1](u.astype(np.float64))
    for g, e in zip(_tuple(pullback(u)), _tuple(expected), strict=True):
        assert g.dtype == np.float32
        # Condition numbers of up to a hundred times some roundings of 6e-8.
        assert checkers.disagreement(g, e, max(1.0, np.max(np.abs(e), initial=0))) < 5e-5
    tangents = tuple(np.ones_like(x) for x in args)
    value, tangent = jvp(case.function, args, tangents)
    expected = jvp(case.function, wide, tangents)[1]
    assert tangent.dtype == value.dtype
    scale = max(1.0, np.max(np.abs(expected), initial=0))
    assert checkers.disagreement(tangent, expected, scale) < 5e-5


def _tuple(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize(
    "function", [np.sin, np.exp, np.square, np.sum, np.linalg.det, np.linalg.norm, np.prod, np.std]
)
@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, bool])
def test_integers_are_taken_as_float64(function, dtype):
    x = np.array([[3, 1], [1, 0]]).astype(dtype)
    actual = grad(lambda x: np.sum(function(x)))(x)
    assert actual.dtype == np.float64
    np.testing.assert_array_equal(actual, grad(lambda x: np.sum(function(x)))(x.astype(float)))


# ---- the checks see what is wrong ------------------------------------------------------------


def scaled(rule, i, push=1.0, pull=1.0):
    """A rule with wrong factors at the derivative by argument i."""
    return dataclasses.replace(
        rule,
        push=lambda k, *rest: rule.push(k, *rest) * (push if k == i else 1.0),
        pull=lambda k, *rest: rule.pull(k, *rest) * (pull if k == i else 1.0),
    )


def cases_of(key):
    """Some cases of a rule that have entries, and as many arguments as any."""
    found = [c for c in CASES if c.key == key and all(x.size for x in c.args)]
    most = max(len(c.args) for c in found)
    return [c for c in found if len(c.args) == most]


def seen(check, cases):
    """The largest disagreement over cases; a derivative that fails is a disagreement."""
    return max(check(case) for case in cases)


def first_differentiated(rule, cases, monkeypatch):
    """The first argument of a rule that cases differentiate by; those before are parameters."""
    seen = []

    def push(i, *rest):
        seen.append(i)
        return rule.push(i, *rest)

    with monkeypatch.context() as patch:
        patch.setitem(RULES, cases[0].key, dataclasses.replace(rule, push=push))
        for case in cases:
            jvp(case.function, case.args, case.args)
    return min(seen)


@pytest.mark.parametrize(
    "key", RULES, ids=lambda key: key if isinstance(key, str) else key.__name__
)
def test_a_wrong_factor_is_seen(key, monkeypatch):
    """2.001 for 2, in one rule: in both modes, in one only, for each argument."""
    rule, cases = RULES[key], cases_of(key)
    first = first_differentiated(rule, cases, monkeypatch)
    for i in range(first, first + len(cases[0].args)):
        monkeypatch.setitem(RULES, key, scaled(rule, i, push=1.0005, pull=1.0005))
        assert seen(checkers.forward_against_differences, cases) > 100 * DIFFERENCES
        assert seen(checkers.reverse_against_differences, cases) > 100 * DIFFERENCES
        monkeypatch.setitem(RULES, key, scaled(rule, i, push=1.0005))
        assert seen(checkers.forward_against_differences, cases) > 100 * DIFFERENCES
        assert seen(checkers.transposition, cases) > 1e6 * ROUNDING
        monkeypatch.setitem(RULES, key, scaled(rule, i, pull=1.0005))
        assert seen(checkers.reverse_against_differences, cases) > 100 * DIFFERENCES
        assert seen(checkers.transposition, cases) > 1e6 * ROUNDING


def test_a_missing_transpose_is_seen(monkeypatch):
    rule = RULES["inv"]
    wrong = dataclasses.replace(rule, pull=lambda i, g, Y, args, kwargs: -Y @ g @ Y)
    monkeypatch.setitem(RULES, "inv", wrong)
    assert seen(checkers.reverse_against_differences, cases_of("inv")) > 1e4 * DIFFERENCES
    assert seen(checkers.transposition, cases_of("inv")) > 1e8 * ROUNDING


def test_a_derivative_taken_for_a_constant_is_seen(monkeypatch):
    """First derivatives are right, second ones are lost."""
    wrong = dataclasses.replace(
        RULES[np.square],
        push=lambda i, t, y, args, kwargs: t * 2 * constant(args[0]),
        pull=lambda i, t, y, args, kwargs: t * 2 * constant(args[0]),
    )
    monkeypatch.setitem(RULES, np.square, wrong)
    (case,) = [c for c in CASES if str(c) == ".square-(2, 3)"]
    assert checkers.forward_against_differences(case) < DIFFERENCES
    found, expected, _ = checkers.second_derivatives(case)
    assert all(abs(value - expected) > 1e6 * DIFFERENCES for value in found.values())


def test_nestings_that_disagree_are_seen(monkeypatch):
    """The tangent of sin is right, its cotangent is constant: only nestings over it tell."""
    rule = RULES[np.sin]
    wrong = dataclasses.replace(
        rule, pull=lambda i, g, y, args, kwargs: g * np.cos(constant(args[0]))
    )
    monkeypatch.setitem(RULES, np.sin, wrong)
    (case,) = [c for c in CASES if str(c) == ".sin-(2, 3)"]
    found, expected, scale = checkers.second_derivatives(case)
    assert abs(found["forward over forward"] - expected) < DIFFERENCES * scale
    assert abs(found["forward over reverse"] - expected) > 1e4 * DIFFERENCES * scale
