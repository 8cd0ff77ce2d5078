"""Approximate leave-one-out: orders of convergence, stated errors, and planted mistakes."""

import numpy as np
import pytest
from sklearn.base import clone

from mcmodels import (
    GeneralizedLinearRegressor,
    LogisticRegression,
    ObjectiveRegressor,
    leave_one_out,
)
from mcmodels.resampling import left_out_fits
from mcmodels.reweighting import approximation, second_order
from tests.resampling.brute_force import judged_without

MODELS = {
    "two classes": LogisticRegression(),
    "no penalty": LogisticRegression(C=np.inf),
    "weak": LogisticRegression(C=1e3),
    "strong": LogisticRegression(C=1e-3),
    "three classes": LogisticRegression(C=2.0),
    "poisson": GeneralizedLinearRegressor("poisson", alpha=0.1),
    "gamma": GeneralizedLinearRegressor("gamma"),
    "own": ObjectiveRegressor("log(cosh(eta - y))", alpha=0.5),
}


def problem(name, n, p, seed=0):
    rng = np.random.default_rng(seed)
    X, noise = rng.normal(size=(n, p)), rng.logistic(size=n)
    eta = X @ rng.normal(size=p) / np.sqrt(p)
    y = (eta + noise > 0).astype(int)
    if name == "three classes":
        y = y + (eta - rng.logistic(size=n) > 1)
    elif name == "poisson":
        y = rng.poisson(np.exp(eta))
    elif name == "gamma":
        y = rng.gamma(2.0, np.exp(eta) / 2)
    elif name == "own":
        y = eta + noise
    model = clone(MODELS[name]).set_params(tol=1e-11)
    return model.fit(X, y), X, y


@pytest.fixture
def with_few_exact_fits(monkeypatch):
    monkeypatch.setattr(left_out_fits, "_SOME_OPERATIONS", 1.0)


@pytest.mark.parametrize("of_groups", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_the_error_covers_the_truth(name, of_groups, with_few_exact_fits):
    model, X, y = problem(name, 300, 6)
    groups = np.arange(300) // 3 if of_groups else None
    exact = leave_one_out(model, X, y, groups=groups, method="exact")
    for method in ("newton", "second-order"):
        found = leave_one_out(model, X, y, groups=groups, method=method, random_state=0)
        assert not found.exact_rows.all()
        # Exact fits have ended at a tolerance.
        assert abs(found.log_score_ - exact.log_score_) <= found.error_ + 1e-8
        # It says something: it is less than a standard error.
        assert found.error_ < exact.standard_error_


@pytest.mark.parametrize("of_groups", [False, True])
@pytest.mark.parametrize("name", ["two classes", "three classes", "gamma"])
def test_errors_are_of_second_and_of_third_order(name, of_groups):
    # With four times as many rows a step is a quarter: its error a 16th, with the correction a
    # 64th. The medians of rows show it, as far as random rows do: half of that is asked for.
    errors = {"newton": [], "second-order": []}
    for n in (150, 600):
        model, X, y = problem(name, n, 4, seed=1)
        groups = np.arange(n) // 2 if of_groups else None
        exact = leave_one_out(model, X, y, groups=groups, method="exact")
        for method, found in errors.items():
            got = leave_one_out(model, X, y, groups=groups, method=method).fits.approximation.eta
            change = got - exact.eta
            found.append(np.median(np.abs(change - change.mean(axis=1, keepdims=True)
                                          if change.shape[1] > 1 else change)))  # fmt: skip
    assert errors["newton"][1] < errors["newton"][0] / 8
    assert errors["second-order"][1] < errors["second-order"][0] / 20
    assert errors["second-order"][1] < errors["newton"][1] / 5


@pytest.mark.parametrize("name", ["two classes", "three classes", "poisson", "gamma"])
def test_the_total_of_many_rows_is_right_to_a_thousandth(name):
    model, X, y = problem(name, 2000, 20)
    exact = leave_one_out(model, X, y, method="exact")
    for method in ("newton", "second-order"):
        found = leave_one_out(model, X, y, method=method, random_state=0)
        assert found.log_score_ == pytest.approx(exact.log_score_, rel=1e-3)
        assert abs(found.log_score_ - exact.log_score_) <= found.error_ + 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("C", [1e-3, 1.0, np.inf])
def test_twenty_thousand_rows_within_the_stated_error(C):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20_000, 40))
    y = X @ rng.normal(size=40) / 6 + rng.logistic(size=20_000) > 0
    model = LogisticRegression(C=C, tol=1e-10).fit(X, y)
    found = leave_one_out(model, X, y, random_state=0)
    rows = rng.choice(20_000, 300, replace=False)
    approximate = found.fits.approximate.log_scores[rows]
    exact = leave_one_out(model, X, y, method="newton", random_state=0)
    exact.fits.fit_exactly(rows)
    gap = np.abs(exact.fits.judged().log_scores[rows] - approximate).mean() * 20_000
    assert gap <= found.error_ + 1e-8
    assert found.error_ < 1e-3 * abs(found.log_score_)


def test_separated_rows_are_in_the_error_of_one_step(with_few_exact_fits):
    # Row 0 alone keeps the classes of its column from being separated.
    rng = np.random.default_rng(0)
    n = 200
    rare = (np.arange(n) < 12).astype(float)
    X = np.column_stack([rng.normal(size=(n, 2)), rare])
    y = np.where(rare > 0, 1, rng.integers(0, 2, n))
    y[0] = 0
    model = LogisticRegression(C=np.inf).fit(X, y)
    assert leave_one_out(model, X, y, method="newton", random_state=0).error_ == np.inf
    with pytest.warns(Warning, match=r"row\(s\) 0 "):
        found = leave_one_out(model, X, y, method="second-order", random_state=0)
    assert found.log_score_ == -np.inf


def test_a_wrong_sign_of_the_correction_is_caught(monkeypatch, with_few_exact_fits):
    model, X, y = problem("two classes", 300, 6)
    right = leave_one_out(model, X, y, method="second-order", random_state=0)
    along = second_order.ThirdDerivatives.along
    monkeypatch.setattr(second_order.ThirdDerivatives, "along", lambda self, U: -along(self, U))
    wrong = leave_one_out(model, X, y, method="second-order", random_state=0)
    exact = leave_one_out(model, X, y, method="exact")
    # The sampled exact fits see it: the stated error grows, and covers the mistake.
    assert wrong.error_ > 10 * right.error_
    assert abs(wrong.log_score_ - exact.log_score_) <= wrong.error_ + 1e-8


def test_a_step_without_leverage_is_caught(monkeypatch, with_few_exact_fits):
    model, X, y = problem("two classes", 300, 6)
    right = leave_one_out(model, X, y, method="newton", random_state=0)
    exact = leave_one_out(model, X, y, method="exact")
    step = approximation.left_out

    def without_leverage(terms):
        found = step(terms)
        return found._replace(eta=terms.eta + 0.5 * (found.eta - terms.eta))

    monkeypatch.setattr(approximation, "left_out", without_leverage)
    wrong = leave_one_out(model, X, y, method="newton", random_state=0)
    assert wrong.error_ > 10 * right.error_
    assert abs(wrong.log_score_ - exact.log_score_) <= wrong.error_ + 1e-8


def test_the_sample_is_that_of_the_seed(with_few_exact_fits):
    model, X, y = problem("two classes", 300, 6)
    first, again, other = (
        leave_one_out(model, X, y, method="second-order", random_state=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.exact_rows, again.exact_rows)
    assert first.error_ == again.error_
    assert not np.array_equal(first.exact_rows, other.exact_rows)


def test_without_third_derivatives_there_is_one_step(monkeypatch, with_few_exact_fits):
    monkeypatch.setattr(left_out_fits, "_MOST_OF_TENSOR", 0.0)
    model, X, y = problem("two classes", 300, 6)
    found = leave_one_out(model, X, y, method="second-order", random_state=0)
    exact = leave_one_out(model, X, y, method="exact")
    assert found.fits.third is None
    assert abs(found.log_score_ - exact.log_score_) <= found.error_ + 1e-8


def test_brute_force_agrees_on_a_sample_of_rows():
    model, X, y = problem("three classes", 400, 5)
    found = leave_one_out(model, X, y, method="second-order", random_state=0)
    scores = [judged_without(model, X, y, np.array([row]))[0][0] for row in range(30)]
    # What is left is of third order in steps of about a tenth: 18 parameters by 400 rows.
    assert found.log_scores[:30] == pytest.approx(np.array(scores), abs=1e-3)
