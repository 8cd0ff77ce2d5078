"""Rows without which a fit has no optimum: minus infinity, and named."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LogisticRegression,
    leave_one_out,
)
from mcmodels.exceptions import InferenceError, LeftOutWarning


def separates_without(X, side, row):
    """Whether a linear program finds a direction that separates the other rows."""
    margins = side[:, np.newaxis] * np.column_stack([X, np.ones(len(X))])
    others = np.delete(margins, row, axis=0)
    box = [(-1, 1)] * margins.shape[1]
    found = linprog(-others.sum(axis=0), -others, np.zeros(len(others)), bounds=box)
    return -found.fun > 1e-6, margins[row] @ found.x


@pytest.mark.parametrize("seed", range(4))
def test_every_row_without_which_the_others_are_separated_is_found(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(14, 2))
    y = (X[:, 0] + 0.6 * rng.normal(size=14) > 0).astype(int)
    side = 2.0 * y - 1.0
    margins = side[:, np.newaxis] * np.column_stack([X, np.ones(14)])
    whole = linprog(-margins.sum(axis=0), -margins, np.zeros(14), bounds=[(-1, 1)] * 3)
    assert -whole.fun <= 1e-6  # all together they are not separated
    model = LogisticRegression(C=np.inf).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeftOutWarning)
        found = leave_one_out(model, X, y)
    for row in range(14):
        separated, margin = separates_without(X, side, row)
        assert found.lost[row] == separated
        if separated:  # the row is on the wrong side of what separates the others
            assert margin < 0
            assert found.log_scores[row] == -np.inf
            assert found.predictions[row, y[row]] < 1e-6


def crossed():
    """Row 3 alone crosses the border of the classes."""
    X = np.array([[0.0], [1.0], [2.0], [5.0], [3.0], [4.0], [6.0], [7.0]])
    return X, np.array([0, 0, 0, 0, 1, 1, 1, 1])


def test_the_row_is_named_by_its_label_and_the_sum_is_minus_infinity():
    X, y = crossed()
    frame = pd.DataFrame(X, columns=["dose"], index=list("abcdefgh"))
    model = LogisticRegression(C=np.inf).fit(frame, y)
    with pytest.warns(LeftOutWarning, match=r"row\(s\) d a probability of zero"):
        found = leave_one_out(model, frame, y)
    assert found.separated_ == ["d"]
    assert found.log_score_ == -np.inf
    assert found.standard_error_ == np.inf
    assert found.loss_ == np.inf
    assert found.error_ == 0.0
    assert "no optimum without row: d" in repr(found)
    assert np.isfinite(found.to_frame()["log_score"].drop("d")).all()
    assert np.isnan(found.steps[3]).all()


def test_a_penalty_makes_every_score_finite():
    X, y = crossed()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in (LogisticRegression(C=100.0), FirthLogisticRegression()):
            found = leave_one_out(model.fit(X, y), X, y)
            assert np.isfinite(found.log_score_)
            assert found.separated_ == []


def test_the_limit_is_that_of_weights_that_go_to_zero():
    # With less and less weight on the row, its log score falls without a bound.
    X, y = crossed()
    scores = []
    for weight in (1e-2, 1e-4, 1e-6, 1e-8):
        w = np.ones(8)
        w[3] = weight
        fitted = LogisticRegression(C=np.inf, tol=1e-13).fit(X, y, w)
        scores.append(np.log(fitted.predict_proba(X[[3]])[0, 0]))
    assert (np.diff(scores) < -3).all()


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_a_class_that_loses_its_last_row(C):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    y = np.array(["a", "b"])[rng.integers(0, 2, 40)]
    y[7] = "c"
    model = LogisticRegression(C=C).fit(X, y)
    with pytest.warns(LeftOutWarning, match=r"row\(s\) .*7 "):
        found = leave_one_out(model, X, y)
    assert found.log_scores[7] == -np.inf
    others = LogisticRegression(C=C).fit(np.delete(X, 7, 0), np.delete(y, 7))
    # Both fits have ended at their tolerance.
    assert found.predictions[7, :2] == pytest.approx(others.predict_proba(X[[7]])[0], abs=1e-7)
    assert found.predictions[7, 2] == 0.0


def test_two_classes_of_which_one_is_a_single_row():
    X = np.linspace(-1, 1, 9)[:, np.newaxis]
    y = np.arange(9) == 4
    model = LogisticRegression().fit(X, y)
    with pytest.warns(LeftOutWarning):
        found = leave_one_out(model, X, y)
    assert found.predictions[4].tolist() == [1.0, 0.0]
    assert found.separated_ == [4]


def test_counts_that_are_zero_without_a_row():
    # The only positive count of a group: without it the mean of the group goes to zero.
    X = np.column_stack([np.repeat([0.0, 1.0], 6)])
    y = np.array([1, 2, 0, 3, 1, 2, 0, 0, 4, 0, 0, 0])
    model = GeneralizedLinearRegressor("poisson").fit(X, y)
    with pytest.warns(LeftOutWarning, match=r"row\(s\) 8 "):
        found = leave_one_out(model, X, y)
    assert found.log_scores[8] == -np.inf


ON_A_BOUND = {
    "poisson, sqrt": ("poisson", "sqrt", {}, False),
    "poisson, identity": ("poisson", "identity", {}, False),
    "negative binomial, sqrt": ("negative_binomial", "sqrt", {}, False),
    "negative binomial, identity": ("negative_binomial", "identity", {}, False),
    "tweedie, sqrt": ("tweedie", "sqrt", {}, False),
    "binomial, identity": ("binomial", "identity", {}, False),
    "binomial, identity, from above": ("binomial", "identity", {}, True),
    "binomial, log, from above": ("binomial", "log", {}, True),
    "fitted again": ("negative_binomial", "sqrt", {"theta": "estimate"}, False),
}


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ON_A_BOUND)
def test_a_mean_on_its_bound_is_not_judged_by_its_rounding(name):
    family, link, options, above = ON_A_BOUND[name]
    Z = np.zeros((8, 1))
    Z[:4] = 1
    y = np.array([0, 0, 0, 2, 1, 0, 3, 2.0])
    if family == "binomial":
        y = np.array([0, 0, 0, 1, 1, 0, 1, 0.0])
        y = 1 - y if above else y
    model = GeneralizedLinearRegressor(family, link=link, **options).fit(Z, y)
    with pytest.warns(LeftOutWarning, match=r"row\(s\) 3 "):
        found = leave_one_out(model, Z, y)
    assert found.log_scores[3] == found.log_score_ == -np.inf
    assert np.isposinf(found.losses[3])
    assert found.separated_ == [3]
    assert np.isfinite(np.delete(found.log_scores, 3)).all()


def test_counts_of_zero_are_certain_where_the_mean_is_zero():
    Z = np.zeros((8, 1))
    Z[:4] = 1
    y = np.array([0, 0, 0, 2, 1, 0, 3, 2.0])
    g = [0, 0, 1, 2, 2, 3, 3, 4]  # rows 3 and 4 are left out together
    with pytest.warns(LeftOutWarning):
        found = leave_one_out(
            GeneralizedLinearRegressor("poisson", link="sqrt").fit(Z, y), Z, y, groups=g
        )
    assert found.separated_ == [3]
    half = np.where(Z[:, 0] > 0, 0.0, y)
    model = GeneralizedLinearRegressor("poisson", link="sqrt", fit_intercept=False)
    columns = np.column_stack([Z[:, 0], 1 - Z[:, 0]])
    zero = leave_one_out(model.fit(columns, half), columns, half)
    assert zero.separated_ == []
    np.testing.assert_allclose(zero.log_scores[:4], 0.0, atol=1e-12)


def test_small_means_are_no_bound():
    X = np.concatenate([np.full(6, 1e-9), np.full(6, 1.0)])[:, np.newaxis]
    y = np.array([0, 0, 0, 1, 0, 0, 1, 3, 2, 1, 2, 1.0])
    model = GeneralizedLinearRegressor("poisson", link="identity", fit_intercept=False)
    found = leave_one_out(model.fit(X, y), X, y)
    assert found.separated_ == []
    assert found.log_scores[3] == pytest.approx(np.log(found.predictions[3]), abs=1e-6)


def test_groups_without_which_the_others_are_separated():
    X, y = crossed()
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    model = LogisticRegression(C=np.inf).fit(X, y)
    with pytest.warns(LeftOutWarning, match="without their groups"):
        found = leave_one_out(model, X, y, groups=groups)
    # Without rows 2 and 3 the others are separated between 1 and 3: row 3, at 5, is on the wrong
    # side, and row 2 of its group is not. Without rows 4 and 5 the border is between 5 and 6.
    assert found.separated_ == [3, 4, 5]
    assert np.isfinite(found.log_scores[2])


def test_a_separated_fit_is_refused():
    X, y = crossed()
    keep = np.arange(8) != 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=np.inf).fit(X[keep], y[keep])
    with pytest.raises(InferenceError, match=r"separated.*Penalise"):
        leave_one_out(model, X[keep], y[keep])
