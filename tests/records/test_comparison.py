"""Likelihood-ratio tests compare nested fits to the same rows and target, and nothing else."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from scipy import stats
from sklearn import linear_model
from sklearn.preprocessing import PolynomialFeatures

from mcmodels import (
    PCA,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.exceptions import InferenceError

N = 160
NOT_NESTED = "not nested in big, or they were fitted to different rows"


def fit(case, X, y, intercept=True, **data):
    model = {
        "linear": LinearRegression,
        "two": lambda **o: LogisticRegression(C=np.inf, **o),
        "three": lambda **o: LogisticRegression(C=np.inf, **o),
        "own": lambda **o: ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True, **o),
    }[case](fit_intercept=intercept)
    if isinstance(X, RowStream):
        return model.fit(X)
    return model.fit(X, y, **data)


def target(case, X, rng):
    noisy = X[:, 0] + rng.normal(size=N)
    return {
        "linear": noisy + 3.0,
        # As many of each class, so that y and its opposite have the same sums.
        "two": np.argsort(np.argsort(noisy)) % 2,
        "three": np.arange(N) % 3,
        "own": rng.poisson(np.exp(0.3 * X[:, 0])).astype(float),
    }[case]


CASES = ["linear", "two", "three", "own"]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [0.0, 50.0])
@pytest.mark.parametrize("case", CASES)
def test_nested_models_of_the_same_rows_are_compared(case, shift, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 4)) * [1.0, 1e-3, 1e3, 1.0] + [0.0, shift * 1e-3, shift * 1e3, shift]
    X[:, 3] = rng.integers(0, 2, N)
    y, w = target(case, X, rng), rng.integers(1, 4, N).astype(float)
    chosen = rng.permutation(4)[: rng.integers(1, 4)]
    order = rng.permutation(N)
    outputs = 2 if case == "three" else 1
    for weights in (None, w):
        big = fit(case, X, y, sample_weight=weights)
        again = None if weights is None else weights[order]
        small = fit(case, X[order][:, chosen], y[order], sample_weight=again)
        test = likelihood_ratio_test(small, big)
        assert test.df == outputs * (4 - len(chosen))
        gain = max(2 * (big.log_likelihood_ - small.log_likelihood_), 0.0)
        # The same quotient of the same chi-squared distribution.
        assert test.p_value == pytest.approx(stats.chi2.sf(gain, test.df), rel=1e-12)
        # Without an intercept, from a sparse matrix, from a stream: columns are the same columns.
        bare = fit(case, X[:, chosen], y, False, sample_weight=weights)
        assert likelihood_ratio_test(bare, big).df == test.df + outputs
        thin = fit(case, scipy.sparse.csr_array(X[:, chosen]), y, sample_weight=weights)
        assert likelihood_ratio_test(thin, big).df == test.df
    blocks = [slice(0, 50), slice(50, N)]
    stream = RowStream(lambda: iter([(X[part][:, chosen], y[part]) for part in blocks]))
    assert likelihood_ratio_test(fit(case, stream, None), fit(case, X, y)).df == test.df


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_other_columns_rows_and_targets_are_refused(case, named, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 5))
    y = target(case, X, rng)
    names = list("abcde") if named else None

    def table(values, columns):
        return (
            values[:, columns]
            if names is None
            else pd.DataFrame(values, columns=names).iloc[:, columns]
        )

    big = fit(case, table(X, [0, 1, 2, 3]), y)
    swapped = X.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    other_rows = rng.permutation(N)
    pairs = [
        (fit(case, table(X, [4]), y), big),
        (fit(case, table(X, [0, 4]), y), big),
        (fit(case, table(X**2, [0]), y), big),
        (fit(case, table(X + 0.1, [0, 1]), y), big),
        (fit(case, table(rng.normal(size=X.shape), [0, 1]), y), big),
        (fit(case, table(X[other_rows], [0, 1]), y), big),
        (fit(case, table(X, [0, 1]), y[other_rows]), big),
        (fit(case, table(X, [0, 1]), y), fit(case, table(X, [0, 1, 2, 3]), y, False)),
    ]
    if case == "three" or y[0] != y[1]:
        pairs.append((fit(case, table(swapped, [0, 1]), y), big))
    if case == "two":
        pairs.append((fit(case, table(X, [0]), 1 - y), big))
    if case == "linear":
        pairs.append((fit(case, table(X, [0]), np.log(y - y.min() + 1.0)), big))
        pairs.append((fit(case, table(X, [0]), 1 - y), big))
    for small, large in pairs:
        with pytest.raises(ValueError, match=f"{NOT_NESTED}|not fitted to the same rows and tar"):
            likelihood_ratio_test(small, large)


def test_a_linear_model_of_all_indicators_contains_one_with_an_intercept():
    rng = np.random.default_rng(0)
    D = (rng.integers(0, 3, N)[:, np.newaxis] == np.arange(3)) * 1.0
    x, y = rng.normal(size=(N, 1)), rng.normal(size=N)
    big = fit("linear", np.hstack([D, x]), y, False)
    assert likelihood_ratio_test(fit("linear", D[:, 1:], y), big).df == 1
    for case in CASES:
        labels = target(case, x, rng)
        ones = fit(case, np.hstack([x, D[:, :1], np.ones((N, 1))]), labels, False)
        df = 2 if case == "three" else 1
        assert likelihood_ratio_test(fit(case, x, labels), ones).df == df


def test_names_tell_columns_of_the_same_sums_apart():
    # Two indicators with as many ones in each class: their sums are the same.
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1] * 20)
    a, b = np.array([0, 0, 1, 1, 0, 1, 1, 1] * 20), np.array([1, 0, 0, 1, 1, 0, 1, 1] * 20)
    c = np.array([0, 1] * 80) * 1.0
    big = fit("two", pd.DataFrame({"b": b, "c": c}), y)
    with pytest.raises(ValueError, match="column 'a' of small is not among the columns of big"):
        likelihood_ratio_test(fit("two", pd.DataFrame({"a": a}), y), big)


def test_tiny_p_values_are_printed_as_in_tables():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 2))
    y = 30 * X[:, 1] + rng.normal(size=N)
    test = likelihood_ratio_test(fit("linear", X[:, :1], y), fit("linear", X, y))
    assert test.p_value < 1e-100
    assert str(test).endswith("p <1e-16")
    assert str(fit("linear", X, y).wald_test("x1 = 0")).endswith("p <1e-16")
    assert str(fit("linear", X, y).wald_test("x0 = 0")).split("p = ")[1] == (
        f"{fit('linear', X, y).wald_test('x0 = 0').p_value:.3g}"
    )


@pytest.mark.parametrize("shift", [0.0, 50.0])
@pytest.mark.parametrize("case", CASES)
def test_a_column_of_ones_is_an_intercept_on_either_side(case, shift):
    """PolynomialFeatures writes the intercept as a column; the models stay the same."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 3)) + shift
    y, w = target(case, X - shift, rng), rng.integers(1, 4, N).astype(float)
    outputs = 2 if case == "three" else 1
    for degree in (1, 2):
        columns = PolynomialFeatures(degree).fit_transform(X)
        for weights in (None, w):
            small = fit(case, columns[:, :3], y, False, sample_weight=weights)
            for big in (
                fit(case, columns[:, 1:], y, sample_weight=weights),
                fit(case, columns, y, False, sample_weight=weights),
            ):
                df = outputs * (columns.shape[1] - 3)
                assert likelihood_ratio_test(small, big).df == df
            # Without an intercept in big there is nothing that the ones could be.
            bare = fit(case, columns[:, 1:], y, False, sample_weight=weights)
            small = fit(case, columns[:, :2], y, False, sample_weight=weights)
            with pytest.raises(ValueError, match=NOT_NESTED):
                likelihood_ratio_test(small, bare)
    # Columns that have the squares of a column of ones, or its sum.
    signs = np.where(rng.permutation(N) % 2, 1.0, -1.0)[:, np.newaxis]
    big = fit(case, X, y)
    for other in (signs, signs + 1.0) if case == "linear" else (signs,):
        with pytest.raises(ValueError, match=NOT_NESTED):
            likelihood_ratio_test(fit(case, other, y, False), big)


@pytest.mark.parametrize("case", CASES)
def test_a_row_of_weight_two_is_two_rows_and_one_of_weight_zero_none(case):
    rng = np.random.default_rng(2)
    X, w = rng.normal(size=(N, 3)), rng.integers(0, 4, N)
    y = target(case, X, rng)
    big = fit(case, X, y, sample_weight=w.astype(float))
    weighted = likelihood_ratio_test(fit(case, X[:, :1], y, sample_weight=w.astype(float)), big)
    repeated = fit(case, np.repeat(X, w, axis=0)[:, :1], np.repeat(y, w))
    # Both fits stop where the gradient is small: 1e-8 of the log-likelihood, a difference of it.
    found = likelihood_ratio_test(repeated, big).statistic
    assert found == pytest.approx(weighted.statistic, rel=1e-6)
    other = np.repeat(y, w)[::-1].copy()
    with pytest.raises(ValueError, match=f"{NOT_NESTED}|not fitted to the same rows and tar"):
        likelihood_ratio_test(fit(case, np.repeat(X, w, axis=0)[:, :1], other), big)


def test_names_of_targets_and_types_of_labels_do_not_make_another_target():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, 3))
    y, classes = target("linear", X, rng), target("two", X, rng)
    big = fit("linear", X, y)
    expected = likelihood_ratio_test(fit("linear", X[:, :1], y), big).statistic
    named = fit("linear", X[:, :1], pd.DataFrame({"rent": y}))
    # The same fit of the same numbers.
    assert likelihood_ratio_test(named, big).statistic == pytest.approx(expected, rel=1e-12)
    two = pd.DataFrame({"rent": y, "area": X @ [1.0, 2.0, 3.0] + rng.normal(size=N)})
    small = fit("linear", X[:, :1], two)
    assert likelihood_ratio_test(small, fit("linear", X, two.to_numpy())).df == 4
    with pytest.raises(
        ValueError, match=r"the targets \('area', 'rent'\)|the targets \('rent', 'ar"
    ):
        likelihood_ratio_test(fit("linear", X[:, :1], two[["area", "rent"]]), fit("linear", X, two))
    big = fit("two", X, classes)
    expected = likelihood_ratio_test(fit("two", X[:, :1], classes), big).statistic
    for labels in (classes == 1, classes * 1.0, np.array(["no", "yes"])[classes]):
        found = likelihood_ratio_test(fit("two", X[:, :1], labels), big)
        assert found.statistic == pytest.approx(expected, rel=1e-12)


def test_a_perfect_fit_has_no_likelihood_to_compare():
    """The supremum over the variance is infinite: what float64 leaves of it was NaN, or 322."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(N, 3))
    steps = np.arange(8.0)[:, np.newaxis]
    cases = [
        (X[:, :1], X, X[:, 0]),
        (X[:, 1:], X, X @ [1.0, 2.0, 3.0] + 4.0),
        (steps, np.hstack([steps, steps**2]), steps[:, 0]),
        (X[:, :1], X, np.ones(N)),
        (X[:, :1], X, np.zeros(N)),
        (X[:4, :1], X[:4], X[:4, 2] ** 2),
        (X[:3, :1], X[:3], X[:3, 2] ** 2),
        (X[:, :1], X, np.column_stack([X[:, 1], X[:, 0] ** 2])),
    ]
    for small, big, y in cases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fits = LinearRegression().fit(small, y), LinearRegression().fit(big, y)
        with pytest.raises(InferenceError, match="big fits y perfectly, up to rounding"):
            likelihood_ratio_test(*fits)
    noisy = X @ [1.0, 2.0, 3.0] + 1e-9 * rng.normal(size=N)
    assert likelihood_ratio_test(fit("linear", X[:, :2], noisy), fit("linear", X, noisy)).df == 1


def test_what_has_no_likelihood_is_refused_by_name():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, 2))
    y = target("linear", X, rng)
    good = fit("linear", X, y)
    for other, found in (
        (linear_model.LinearRegression().fit(X, y), "a LinearRegression of sklearn"),
        (PCA().fit(X), "a PCA of mcmodels"),
        (MLPRegressor((1,), alpha=1.0), "a MLPRegressor of mcmodels"),
        (LinearRegression, "the class LinearRegression of mcmodels"),
        (None, "a NoneType of builtins"),
    ):
        with pytest.raises(TypeError, match=f"small is {found}; pass a fitted LinearRegression"):
            likelihood_ratio_test(other, good)
        with pytest.raises(TypeError, match=f"big is {found}"):
            likelihood_ratio_test(good, other)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_kinds_of_weights_are_named_before_their_numbers_of_rows(scale):
    # Kinds of weights count the same rows differently, so that "the same rows" misled.
    rng = np.random.default_rng(6)
    X = rng.normal(size=(N, 2))
    y = target("linear", X, rng)
    w = scale * rng.permutation(np.linspace(0.5, 1.5, N))
    small, big, survey = (
        LinearRegression(weights=kind).fit(X[:, :columns], y, w)
        for kind, columns in (("frequency", 1), ("precision", 2), ("probability", 1))
    )
    with pytest.raises(ValueError, match="small was fitted with weights='frequency' and big with"):
        likelihood_ratio_test(small, big)
    with pytest.raises(InferenceError, match="there is only a pseudo-likelihood"):
        likelihood_ratio_test(survey, big)


@pytest.mark.parametrize(("lower", "refused"), [(3e-9, False), (3e-8, True)])
def test_a_likelihood_that_is_lower_by_more_than_rounding(lower, refused):
    """A column across the residuals has a coefficient of zero, and gains nothing."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    small = LogisticRegression(C=np.inf).fit(X[:, :2], y)
    r = y - small.predict_proba(X[:, :2])[:, 1]
    X[:, 2] -= (X[:, 2] @ r) / (r @ r) * r
    big = LogisticRegression(C=np.inf).fit(X, y)
    big._fit = dataclasses.replace(big._fit, objective=big.objective_ * (1 + lower))
    if refused:
        with pytest.raises(ValueError, match="big has a lower likelihood than small"):
            likelihood_ratio_test(small, big)
    else:
        assert likelihood_ratio_test(small, big).statistic == 0.0
