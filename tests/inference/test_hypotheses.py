"""Wald and likelihood-ratio tests, and restrictions in text."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from mcmodels import LinearRegression, LogisticRegression, likelihood_ratio_test
from mcmodels.inference.restrictions import Restrictions
from tests.inference.problems import rows_of, with_ones

NAMES = ("income", "age", "tenure", "sex=male", "(intercept)")


@pytest.mark.parametrize(
    ("text", "R", "q"),
    [
        ("income = 0", [[1, 0, 0, 0, 0]], [0]),
        ("income", [[1, 0, 0, 0, 0]], [0]),
        ("income == 3", [[1, 0, 0, 0, 0]], [3]),
        ("income = 0, age = 2*tenure", [[1, 0, 0, 0, 0], [0, 1, -2, 0, 0]], [0, 0]),
        ("age = tenure = 1", [[0, 1, -1, 0, 0], [0, 0, 1, 0, 0]], [0, 1]),
        ("(income + age)/2 - 1 = -tenure * 3e1", [[0.5, 0.5, 30, 0, 0]], [1]),
        ("`sex=male` = intercept", [[0, 0, 0, 1, -1]], [0]),
        ("`(intercept)` = 1.5 , +income=-age", [[0, 0, 0, 0, 1], [1, 1, 0, 0, 0]], [1.5, 0]),
        ("2*(income - 3) = income - 6 + age*0 + tenure", [[1, 0, -1, 0, 0]], [0]),
    ],
)
def test_text(text, R, q):
    stated = Restrictions.of(text, NAMES)
    np.testing.assert_allclose(stated.R, R, atol=1e-15)
    np.testing.assert_allclose(stated.q, q, atol=1e-15)
    assert str(stated) == text.replace("  ", " ")


@pytest.mark.parametrize(
    ("text", "R", "q"),
    [
        ("sex[T.m] = 0", [[1, 0, 0, 0, 0, 0, 0]], [0]),
        ("sex[T.m] = 2*age:sex[T.m]", [[1, -2, 0, 0, 0, 0, 0]], [0]),
        (
            "age:sex[T.m]=1,bs(age, df=4)[1]=bs(age, df=4)[12]",
            [[0, 1, 0, 0, 0, 0, 0], [0, 0, 1, -1, 0, 0, 0]],
            [1, 0],
        ),
        ("I(age ** 2) - age", [[0, 0, 0, 0, 1, -1, 0]], [0]),
        ("(I(age ** 2) - `age`)/2 + `sex[T.m]` = intercept", [[1, 0, 0, 0, 0.5, -0.5, -1]], [0]),
        ("2*(age - 3) = (intercept)", [[0, 0, 0, 0, 0, 2, -1]], [6]),
    ],
)
def test_names_of_formulas_are_themselves(text, R, q):
    names = ("sex[T.m]", "age:sex[T.m]", "bs(age, df=4)[1]", "bs(age, df=4)[12]", "I(age ** 2)")
    found = Restrictions.of(text, (*names, "age", "(intercept)"))
    np.testing.assert_array_equal(found.R, R)
    np.testing.assert_array_equal(found.q, q)
    assert found.text == text


def test_a_part_of_a_name_is_no_name():
    for text in ("year:sex[T.m] = 0", "sex[T.m]:year = 0", "log(sex[T.m]) = 0"):
        with pytest.raises(ValueError, match=r"cannot read|not linear"):
            Restrictions.of(text, ("sex[T.m]", "year"))


def test_names_with_any_sign_stand_in_backticks():
    names = ("a, b", "x = 1", "été", "if", "parameter_61_")
    R = Restrictions.of("`a, b` = 2*`x = 1`, été = 0, `if` = parameter_61_", names).R
    np.testing.assert_array_equal(R, [[1, -2, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, -1]])


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("incom = 0", "'incom', which is not a parameter; did you mean 'income'"),
        ("gender = 0", "'gender'.*There are income, age"),
        ("income*age = 0", r"'income \* age' is not linear"),
        ("income**2 = 0", "not linear"),
        ("1/income = 0", "not linear"),
        ("income/0 = 1", "not linear"),
        ("log(income) = 0", "not linear.*delta_method"),
        ("income = = 0", "cannot read"),
        ("sex=male = 0", "'sex', which is not a parameter; did you mean 'sex=male'"),
        ("class = 0", "backticks"),
        ("income = 'a'", "not linear"),
        ("", "empty"),
        (" , ", "empty"),
        ("1 = 1", "does not depend on any parameter"),
        ("income = income", "does not depend"),
        ([[1, 0]], "one column for each of the 5 parameters"),
        (np.ones((1, 1, 5)), "shape"),
        (([[1, 0, 0, 0, 0]], [1, 2]), "q has shape"),
        ([[np.nan, 0, 0, 0, 0]], "finite"),
        ([[0, 0, 0, 0, 0]], "does not depend"),
    ],
)
def test_what_cannot_be_read_is_refused(stated, message):
    with pytest.raises(ValueError, match=message):
        Restrictions.of(stated, NAMES)


def test_a_matrix_is_put_in_words():
    stated = Restrictions.of(([[1, 0, -2, 0, 0], [0, 0, 0, -1, 0.5]], [0, 3]), NAMES)
    assert str(stated) == "income - 2*tenure = 0, - sex=male + 0.5*(intercept) = 3"


@pytest.mark.parametrize("seed", range(3))
def test_wald_against_statsmodels(seed):
    X, y, _, groups = rows_of(seed)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    R, q = np.array([[1, 0, 0, 0, 0], [0, 1, -2.0, 0, 0]]), np.array([0.3, 1.0])
    text = "a = 0.3, b = 2*c + 1"
    model = LinearRegression().fit(frame, y)
    theirs = sm.OLS(y, with_ones(X)).fit().wald_test((R, q), scalar=True)
    for test in (model.wald_test(text), model.wald_test((R, q))):
        # One linear system of two, from covariances that agree to 1e-10.
        assert test.statistic == pytest.approx(theirs.statistic, rel=1e-8)
        assert test.p_value == pytest.approx(theirs.pvalue, rel=1e-7)
        assert (test.df, test.df_denominator, test.distribution) == (2, 115, "F")
    assert text in str(model.wald_test(text))
    options = {"cov_type": "cluster", "cov_kwds": {"groups": groups[:, 0]}, "use_t": True}
    theirs = sm.OLS(y, with_ones(X)).fit(**options).wald_test((R, q), scalar=True)
    test = model.wald_test(text, frame, y, kind="cluster", groups=groups[:, 0])
    assert test.statistic == pytest.approx(theirs.statistic, rel=1e-8)
    assert test.df_denominator == theirs.df_denom == 16

    label = (y > np.median(y)).astype(int)
    logistic = LogisticRegression(C=np.inf).fit(frame, label)
    fitted = sm.Logit(label, with_ones(X)).fit(disp=0, method="newton", tol=1e-14)
    theirs = fitted.wald_test((R, q), scalar=True, use_f=False)
    test = logistic.wald_test(text)
    assert test.statistic == pytest.approx(theirs.statistic, rel=1e-7)
    assert (test.df, test.df_denominator, test.distribution) == (2, None, "chi2")


def test_one_restriction_is_the_square_of_its_t():
    X, y, *_ = rows_of(3)
    model = LinearRegression().fit(X, y)
    frame = model.summary().to_frame()
    test = model.wald_test("x2 = 0")
    assert test.statistic == pytest.approx(frame["t"]["x2"] ** 2, rel=1e-12)
    assert test.p_value == pytest.approx(frame["p_value"]["x2"], rel=1e-10)


def test_all_slopes_by_wald_are_the_f_test():
    X, y, *_ = rows_of(4)
    model = LinearRegression().fit(X, y)
    test = model.wald_test("x0 = x1 = x2 = x3 = 0")
    assert test.statistic == pytest.approx(model.f_test_.statistic, rel=1e-9)


def test_repeated_and_contradictory_restrictions_are_refused():
    X, y, *_ = rows_of(5)
    model = LinearRegression().fit(X, y)
    for text in ("x0 = 0, 2*x0 = 0", "x0 = 0, x0 = 1", "x0 = x1, x1 = x2, x0 = x2"):
        with pytest.raises(ValueError, match="repeat or contradict"):
            model.wald_test(text)


def test_likelihood_ratio():
    X, y, *_ = rows_of(6)
    small, big = LinearRegression().fit(X[:, :2], y), LinearRegression().fit(X, y)
    test = likelihood_ratio_test(small, big)
    theirs = sm.OLS(y, with_ones(X)).fit().compare_lr_test(sm.OLS(y, with_ones(X[:, :2])).fit())
    # A difference of likelihoods of about 300 that agree to 1e-14.
    np.testing.assert_allclose([test.statistic, test.p_value, test.df], theirs, rtol=1e-9)

    label = (y > np.median(y)).astype(int)
    fits = [LogisticRegression(C=np.inf).fit(rows, label) for rows in (X[:, :1], X)]
    test = likelihood_ratio_test(*fits)
    gain = 2 * (fits[1].log_likelihood_ - fits[0].log_likelihood_)
    assert test.statistic == pytest.approx(gain, rel=1e-12)
    assert test.p_value == pytest.approx(stats.chi2.sf(gain, 3), rel=1e-12)


def test_likelihoods_that_cannot_be_compared_are_refused():
    X, y, *_ = rows_of(7)
    label = (y > np.median(y)).astype(int)
    small, big = LinearRegression().fit(X[:, :2], y), LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="Swap them"):
        likelihood_ratio_test(big, small)
    with pytest.raises(ValueError, match="different models"):
        likelihood_ratio_test(small, LogisticRegression(C=np.inf).fit(X, label))
    with pytest.raises(ValueError, match="same rows"):
        likelihood_ratio_test(small, LinearRegression().fit(X[1:], y[1:]))
    with pytest.raises(ValueError, match=r"big was fitted with a penalty \(C=1.0\)"):
        likelihood_ratio_test(
            LogisticRegression(C=np.inf).fit(X[:, :1], label), LogisticRegression().fit(X, label)
        )
    other = LinearRegression().fit(np.column_stack([X[:, :1] ** 2, X[:, 1:] ** 3]), y)
    worse, better = sorted([small, other], key=lambda model: model.log_likelihood_)
    if worse.n_free_params_ > better.n_free_params_:
        with pytest.raises(ValueError, match="not nested"):
            likelihood_ratio_test(better, worse)


def test_a_name_of_two_parameters_is_refused():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(30, 2)), columns=["(intercept)", "b"])
    model = LinearRegression().fit(X, rng.normal(size=30))
    for text in ("intercept = 0", "`(intercept)` = b"):
        with pytest.raises(ValueError, match=r"'\(intercept\)', and 2 parameters have this name"):
            model.wald_test(text)
    assert model.wald_test("b = 0").p_value == pytest.approx(model.wald_test([[0, 1, 0]]).p_value)
