"""Likelihood-ratio tests compare nested fits to the same rows and target, and nothing else."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from scipy import stats

from mcmodels import (
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
)

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
