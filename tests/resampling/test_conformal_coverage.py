"""How often intervals and sets cover, by simulation, also where the model is wrong.

Each example has many data sets, which are independent, each with some new rows. The share of new
rows that are covered, averaged over data sets, has a standard error by their spread, of about
0.005. Coverage is accepted between ``level - 4`` errors and ``level + 0.03 + 4`` errors: a right
method fails in one of 30,000 examples by chance, and the seeds are fixed. The theorem promises
``1 - 2α``; that these examples have ``1 - α`` is what Barber and others (2021, §6) found as well.
The planted errors at the end show what the bounds find.
"""

import numpy as np
import pytest

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    leave_one_out,
)

SETS, NEW = 250, 30

pytestmark = [
    pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning"),
    pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FewRowsWarning"),
]


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


def coverage(of_data, seed=0, sets=SETS):
    """Mean share of new rows that are covered, and its standard error."""
    rng = np.random.default_rng(seed)
    found = np.array([of_data(rng) for _ in range(sets)], dtype=float)
    return found.mean(), found.std() / np.sqrt(sets)


def covers(found, level, above=0.03):
    mean, error = found
    return level - 4 * error <= mean <= level + above + 4 * error


def of_intervals(model, n, make, level, interval=None):
    """Whether the intervals of new rows cover, for fresh data."""

    def of_data(rng):
        X, y = make(rng, n + NEW)
        fitted = model.fit(X[:n], y[:n])
        if interval is not None:
            lower, upper = interval(fitted, X, y, n)
        else:
            found = leave_one_out(fitted, X[:n], y[:n]).predict_interval(X[n:], level)
            lower, upper = found["lower"], found["upper"]
        return ((lower <= y[n:]) & (y[n:] <= upper)).mean()

    return of_data


def normal(p):
    return lambda rng, n: ((X := rng.normal(size=(n, p))), X.sum(axis=1) + rng.normal(size=n))


def noise_that_grows(p):
    return lambda rng, n: (
        (X := rng.normal(size=(n, p))),
        X[:, 0] + np.exp(X[:, 0]) * rng.normal(size=n),
    )


def heavy_tails(p):
    return lambda rng, n: (
        (X := rng.standard_t(3, size=(n, p))),
        X[:, 0] + rng.standard_t(1.5, size=n),
    )


def missing_square(p):
    return lambda rng, n: (
        (X := rng.normal(size=(n, p))),
        3 * X[:, 0] ** 2 + rng.normal(size=n),
    )


LINEAR = {
    "right": normal,
    "noise that grows": noise_that_grows,
    "heavy tails": heavy_tails,
    "a missing square": missing_square,
}


@pytest.mark.parametrize(("n", "p"), [(20, 9), slow(40, 5), (100, 3)])
@pytest.mark.parametrize("name", LINEAR)
def test_intervals_of_linear_models_cover(name, n, p):
    assert covers(coverage(of_intervals(LinearRegression(), n, LINEAR[name](p), 0.9)), 0.9)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_they_cover_at_each_level(level):
    assert covers(coverage(of_intervals(LinearRegression(), 39, normal(6), level)), level)


def overdispersed(p):
    """Counts with gamma noise, and a square that the model misses: Poisson is wrong."""

    def make(rng, n):
        X = rng.normal(size=(n, p))
        mean = np.exp(1 + 0.5 * X[:, 0] - 0.3 * X[:, 1] ** 2)
        return X, rng.poisson(mean * rng.gamma(2.0, 0.5, size=n)).astype(float)

    return make


@pytest.mark.parametrize(("n", "p"), [(20, 9), slow(80, 4)])
@pytest.mark.parametrize("family", ["poisson", slow("own loss")])
def test_intervals_of_curved_models_cover(family, n, p):
    model = {
        "poisson": GeneralizedLinearRegressor("poisson", alpha=2.0),
        "own loss": ObjectiveRegressor("log(cosh(eta - y))", alpha=1.0),
    }[family]
    make = overdispersed(p) if family == "poisson" else heavy_tails(p)
    # Counts have ties, which cover more.
    above = 0.05 if family == "poisson" else 0.03
    assert covers(coverage(of_intervals(model, n, make, 0.9)), 0.9, above)


def test_pearson_residuals_cover_small_and_large_means_alike():
    def by_size(residuals):
        def of_data(rng):
            x = rng.uniform(0, 4, size=(110, 1))
            y = rng.poisson(np.exp(x[:, 0])).astype(float)
            fitted = GeneralizedLinearRegressor("poisson").fit(x[:60], y[:60])
            loo = leave_one_out(fitted, x[:60], y[:60])
            found = loo.predict_interval(x[60:], 0.9, residuals=residuals)
            covered = (found["lower"] <= y[60:]) & (y[60:] <= found["upper"])
            return covered[x[60:, 0] > 3].mean()

        return coverage(of_data, sets=150)

    assert covers(by_size("pearson"), 0.9, 0.05)
    # One width for all is too narrow where the variance is largest.
    mean, error = by_size("response")
    assert mean < 0.8 - 4 * error


def two_classes(p):
    """The log-odds have a square that the model misses."""

    def make(rng, n):
        X = rng.normal(size=(n, p))
        return X, (X[:, 0] + X[:, 1] ** 2 - 1 + rng.logistic(size=n) > 0).astype(int)

    return make


def three_classes(p):
    def make(rng, n):
        X = rng.standard_t(4, size=(n, p))
        scores = np.column_stack([X[:, 0], X[:, 1] ** 2, np.zeros(n)]) + rng.gumbel(size=(n, 3))
        return X, scores.argmax(axis=1)

    return make


def of_sets(n, make, level, of_class=None, **options):
    def of_data(rng):
        while True:
            X, y = make(rng, n + NEW)
            if len(np.unique(y[:n])) == len(np.unique(y)):
                break
        loo = leave_one_out(LogisticRegression().fit(X[:n], y[:n]), X[:n], y[:n])
        found = loo.predict_set(X[n:], level, allow_empty=True, **options)
        covered = found.to_numpy()[np.arange(NEW), y[n:]].astype(bool)
        if of_class is None:
            return covered.mean()
        chosen = y[n:] == of_class
        return covered[chosen].mean() if chosen.any() else np.nan

    return of_data


@pytest.mark.parametrize("score", ["probability", "adaptive"])
@pytest.mark.parametrize(("n", "p"), [(20, 9), slow(60, 4)])
@pytest.mark.parametrize("make", [two_classes, slow(three_classes)])
def test_sets_of_classes_cover(make, n, p, score):
    found = coverage(of_sets(n, make(p), 0.8, score=score))
    # The adaptive measure without its random part covers more, of two classes most.
    assert covers(found, 0.8, 0.03 if score == "probability" else 0.2)


def rare_class(rng, n):
    X = rng.normal(size=(n, 2))
    y = (X[:, 0] + rng.logistic(size=n) > 2.2).astype(int)
    y[:8] = [0, 1] * 4  # both classes are there
    return X, y


@pytest.mark.slow
def test_sets_by_class_cover_the_rare_class_too():
    found = []
    for by_class in (True, False):
        options = {"of_class": 1, "by_class": by_class}
        of_data = of_sets(120, rare_class, 0.8, **options)
        rng = np.random.default_rng(0)
        shares = np.array([of_data(rng) for _ in range(SETS)])
        shares = shares[~np.isnan(shares)]
        found.append((shares.mean(), shares.std() / np.sqrt(len(shares))))
    # About 15 rows of the class: p-values of 15 steps, which cover 1/16 more at most.
    assert covers(found[0], 0.8, 0.07)
    assert found[1][0] < 0.7


def test_weights_of_a_sample_give_the_coverage_in_the_population():
    """Rows with large x are sampled more rarely, and their noise is larger (Tibshirani 2019)."""

    def chance(x):
        return np.where(x > 1, 0.15, 0.9)

    def of_data(rng, *, weighted):
        x = rng.uniform(0, 2, size=400)
        y = x + np.where(x > 1, 3.0, 1.0) * rng.normal(size=400)
        there = rng.random(400) < chance(x)
        weights = 1 / chance(x) if weighted else None
        model = LinearRegression(weights="probability") if weighted else LinearRegression()
        X, some = x[there, np.newaxis], None if weights is None else weights[there]
        loo = leave_one_out(model.fit(X, y[there], some), X, y[there], some)
        new = rng.uniform(0, 2, size=NEW)
        target = new + np.where(new > 1, 3.0, 1.0) * rng.normal(size=NEW)
        of_new = {"sample_weight": 1 / chance(new)} if weighted else {}
        found = loo.predict_interval(new[:, np.newaxis], 0.9, **of_new)
        return ((found["lower"] <= target) & (target <= found["upper"])).mean()

    assert covers(coverage(lambda rng: of_data(rng, weighted=True)), 0.9)
    mean, error = coverage(lambda rng: of_data(rng, weighted=False))
    assert mean < 0.85 - 4 * error


# Errors that the bounds find.


def test_residuals_of_the_fit_do_not_cover():
    def interval(fitted, X, y, n):
        R = np.sort(np.abs(y[:n] - fitted.predict(X[:n])))
        half, middle = R[int(np.ceil(0.9 * (n + 1))) - 1], fitted.predict(X[n:])
        return middle - half, middle + half

    for n, p in ((20, 9), (40, 5)):
        found = coverage(of_intervals(LinearRegression(), n, normal(p), 0.9, interval))
        assert not covers(found, 0.9)


@pytest.mark.parametrize("ranks", [-1, 1])
def test_a_quantile_that_is_one_rank_off_is_found(ranks):
    n = 20
    level = 0.9 + ranks / (n + 1)
    found = coverage(of_intervals(LinearRegression(), n, normal(3), level))
    assert covers(found, level)
    assert not covers(found, 0.9, above=0.01)


def test_sets_of_two_ranks_less_are_found():
    n = 20
    found = coverage(of_sets(n, two_classes(3), 0.8 - 2 / (n + 1)))
    assert not covers(found, 0.8)
