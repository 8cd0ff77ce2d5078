"""Random sums over indices against the same sums written out, and planted errors are caught."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest

from mcmodels.calculus import NonDifferentiableWarning, index, matrix, parse, sum_over, vector
from mcmodels.calculus import tanh as tanh_
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import rewrite
from mcmodels.calculus.core.summation import summed
from mcmodels.calculus.derive import rules, sums_of_pairings, vec_form
from mcmodels.calculus.derive.simplification import indexed
from tests.calculus.random_sums import Grower, K, N, P, values, written_out

SEEDS = range(24)
# Terms are of order 1 and some hundred in number: rounding stays far below 1e-9 of the largest.
CLOSE = 1e-9
RIGHT = 1e-6  # of differences of a gradient; relu and where may bend nearby
CAUGHT = 1e-3


def given(e, at):
    sizes = {name: size for name, size in (("n", N), ("K", K), ("p", P)) if name in e.size_names}
    return {**sizes, **{s.name: at[s.name] for s in e.symbols}}


def require_close(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= CLOSE * max(1, np.abs(expected).max())


@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_derivatives_are_those_of_the_sum_written_out(seed):
    f, plain = Grower(seed).sum(), written_out(Grower(seed, (N, K, P)).sum())
    at = values(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonDifferentiableWarning)
        require_close(f.evaluate(**given(f, at)), plain.evaluate(**given(plain, at)))
        for name in ("X", "M", "w", "y"):
            mine = next((s for s in f.symbols if s.name == name), None)
            theirs = next((s for s in plain.symbols if s.name == name), None)
            if mine is None or theirs is None:
                continue
            gradient, expected = f.gradient(mine), plain.gradient(theirs)
            expected = expected.evaluate(**given(expected, at))
            for form in (gradient, gradient.matrix_form()):
                require_close(form.evaluate(**given(form, at)), expected)
            require_close(gradient.compile()(**given(gradient, at)), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_second_derivatives_are_those_of_differences(seed):
    f, at = Grower(seed).sum(), values(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonDifferentiableWarning)
        for symbol in f.symbols:
            if symbol.name in "wM":
                gradient = f.gradient(symbol)
                assert gradient.check(symbol, **given(gradient, at)) < RIGHT
                H = gradient.jacobian(symbol)
                require_close(H.compile()(**given(H, at)), H.evaluate(**given(H, at)))


@pytest.mark.parametrize("seed", SEEDS)
def test_texts_are_read_back_and_nodes_are_pickled(seed):
    f = Grower(seed).sum()
    for e in (f, *(f.gradient(s) for s in f.symbols if s.name in "wX")):
        assert parse(str(e), **{s.name: s for s in e.symbols}) == e
        assert pickle.loads(pickle.dumps(e)) == e
        assert repr(e)
        assert e.latex()


@pytest.mark.parametrize("seed", SEEDS)
def test_letters_do_not_matter(seed, monkeypatch):
    f = Grower(seed).sum()
    monkeypatch.setattr("tests.calculus.random_sums.LETTERS", "abgh")
    g = Grower(seed).sum()
    assert f == g
    for symbol in f.symbols:
        if symbol.name in "wX":
            assert f.gradient(symbol) == g.gradient(symbol)


# -- planted errors --------------------------------------------------------------------------------

X, w, t = matrix("X", "n", "p"), vector("w", "p"), vector("t", "n")
i, j = index("i", over="n"), index("j", over="n")
PLANTED = sum_over(tanh_(X[i].T @ w) * sum_over(tanh_(X[j].T @ w), j, where=t[j] >= t[i]), i)


def test_a_forgotten_condition_is_caught(monkeypatch):
    assert PLANTED.check(w) < RIGHT
    rule = rules.RULES[SumOver]
    wrong = replace(rule, apply=lambda e, d: summed(d(e.body), e.condition * 0 + 1, e.index))
    monkeypatch.setitem(rules.RULES, SumOver, wrong)
    assert PLANTED.check(w) > CAUGHT


def test_a_condition_lost_on_the_way_to_the_trace_form_is_caught(monkeypatch):
    closed = sums_of_pairings.closed

    def without(e, over):
        return closed(e, tuple((i, number(1)) for i, _ in over))

    monkeypatch.setattr(sums_of_pairings, "closed", without)
    assert PLANTED.check(w) > CAUGHT


def test_a_condition_that_does_not_depend_on_the_index_counts():
    f = sum_over(tanh_(X[i].T @ w), i, where=t[0] > 0)
    g = sum_over(t[i] * sum_over(tanh_(X[j].T @ w), j, where=t[i] > 0), i)
    for e in (f, g):
        assert e.check(w) < RIGHT
        assert e.check(X) < RIGHT
    at = {"X": np.ones((2, 2)), "t": np.array([-1.0, 2.0]), "w": np.ones(2)}
    assert not f.gradient(w).evaluate(**at).any()
    assert f.gradient(w).evaluate(**at | {"t": np.array([1.0, 2.0])}).all()


def test_an_index_that_is_caught_by_another_sum_is_noticed(monkeypatch):
    inner = sum_over(tanh_(t[i] * (X[j].T @ w)), j)
    f = sum_over(t[j] * tanh_(X[j].T @ w), j) + sum_over(inner * (X[i].T @ w), i)
    assert f.check(w) < RIGHT
    # Sums of i and j are joined in one: without new letters, the inner sum over j catches it.
    monkeypatch.setattr(indexed, "apart", lambda e, names: e)
    monkeypatch.setattr(indexed, "renamed", lambda e, i, name: substituted(e, i, name))
    assert f.check(w) > CAUGHT


def substituted(e, i, name):
    """Another name for an index everywhere, also where it is bound."""
    return rewrite(e, {i: index(name, over=i.over)}.get)


def test_a_wrong_rule_of_vec_is_caught(monkeypatch):
    gradient = PLANTED.gradient(w)
    assert gradient.check(w) < RIGHT
    rule = vec_form.VEC_RULES[SumOver]
    wrong = replace(rule, apply=lambda M, at, J: 2.001 / 2 * summed(J, M.condition, M.index))
    monkeypatch.setitem(vec_form.VEC_RULES, SumOver, wrong)
    assert gradient.check(w) > 1e-5  # of an error of 5e-4 in some terms
