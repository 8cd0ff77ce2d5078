"""The wild cluster bootstrap against refits to every vector of signs; laws, intervals, refusals."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import linalg

from mcmodels import LinearRegression, RowStream
from mcmodels.exceptions import InferenceError
from tests.inference.problems import with_ones

WEBB = np.array([-(1.5**0.5), -1, -(0.5**0.5), 0.5**0.5, 1, 1.5**0.5])


def problem(seed, n_groups=6, n=60, p=2):
    rng = np.random.default_rng(seed)
    groups = rng.choice(n_groups, n, p=np.arange(1, n_groups + 1) / sum(range(1, n_groups + 1)))
    groups[: 2 * n_groups] = np.tile(np.arange(n_groups), 2)
    X = rng.normal(size=(n, p)) + rng.normal(size=(n_groups, p))[groups] + 2
    y = X @ np.full(p, 0.4) + rng.normal(size=n_groups)[groups] + rng.normal(size=n)
    return X, y, groups, rng.integers(0, 4, n).astype(float)


def t_statistic(A, y, root, groups, contrast, null):
    """t by the clustered variance with its correction, from a fit by QR."""
    Z, target = A * root[:, np.newaxis], y * root
    theta, *_ = linalg.lstsq(Z, target)
    inverse = linalg.inv(Z.T @ Z)
    scores = Z * (target - Z @ theta)[:, np.newaxis]
    totals = np.array([scores[groups == g].sum(axis=0) for g in np.unique(groups)])
    G, n, P = len(totals), (root**2).sum(), A.shape[1]
    factor = G / (G - 1) * (n - 1) / (n - P)
    V = factor * inverse @ totals.T @ totals @ inverse
    return (contrast @ theta - null) / np.sqrt(contrast @ V @ contrast), theta


def restricted(A, y, root, contrast, null):
    """The fit under ``cᵀθ = null``, by its Lagrange conditions."""
    Z = A * root[:, np.newaxis]
    P = A.shape[1]
    K = np.zeros((P + 1, P + 1))
    K[:P, :P], K[P, :P], K[:P, P] = Z.T @ Z, contrast, contrast
    return linalg.solve(K, np.append(Z.T @ (y * root), null))[:P]


def by_refits(X, y, groups, contrast, null=0.0, weights=None, draws=None):
    """t, and t* of a refit for each row of draws; by default of all sign vectors."""
    present = np.ones(len(y), bool) if weights is None else weights > 0
    A, y, groups = with_ones(X)[present], y[present], groups[present]
    root = np.ones(len(y)) if weights is None else np.sqrt(weights[present])
    t, _ = t_statistic(A, y, root, groups, contrast, null)
    fitted = A @ restricted(A, y, root, contrast, null)
    labels, codes = np.unique(groups, return_inverse=True)
    if draws is None:
        draws = itertools.product((1.0, -1.0), repeat=len(labels))
    found = [
        t_statistic(A, fitted + np.array(v)[codes] * (y - fitted), root, groups, contrast, null)[0]
        for v in draws
    ]
    return t, np.array(found)


def share(t, drawn):
    """Statistics that are equal in exact numbers differ by rounding, 1e-12 of them here."""
    return np.mean(np.abs(drawn) >= np.abs(t) * (1 - 1e-9))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("null", [0.0, 0.3, -2.0])
def test_all_signs_against_refits(seed, weighted, null):
    X, y, groups, weights = problem(seed)
    weights = weights if weighted else None
    model = LinearRegression().fit(X, y, sample_weight=weights)
    for parameter, c in (("x0", [1, 0, 0]), ("(intercept)", [0, 0, 1]), ([1, -1, 0], [1, -1, 0])):
        contrast = np.array(c, dtype=float)
        found = model.wild_bootstrap_test(parameter, X, y, weights, groups=groups, null=null)
        t, drawn = by_refits(X, y, groups, contrast, null, weights)
        assert found.is_exact
        assert found.draws == 64
        assert found.statistic == pytest.approx(t, rel=1e-10)
        assert found.p_value == share(t, drawn)
        error = (contrast @ model.params_ - null) / t
        assert found.standard_error == pytest.approx(error, rel=1e-10)


@pytest.mark.parametrize("distribution", ["rademacher", "webb"])
def test_random_draws_against_refits(distribution):
    """The same draws, each refitted; t itself counts as one of them."""
    X, y, groups, _ = problem(3, n_groups=9)
    values = WEBB if distribution == "webb" else np.array([-1.0, 1.0])
    draws = values[np.random.RandomState(5).randint(len(values), size=(200, 9))]
    # Clusters are numbered in the order of their first rows, as they are here by their labels.
    t, drawn = by_refits(X, y, groups, np.array([1.0, 0, 0]), draws=draws)
    model = LinearRegression().fit(X, y)
    found = model.wild_bootstrap_test(
        "x0", X, y, groups=groups, draws=200, distribution=distribution, random_state=5
    )
    assert not found.is_exact
    assert found.draws == 200
    assert found.p_value == pytest.approx((1 + 200 * share(t, drawn)) / 201, rel=1e-14)


def test_draws_do_not_depend_on_how_they_are_cut(monkeypatch):
    from mcmodels.inference import wild_bootstrap

    X, y, groups, _ = problem(3, n_groups=9)
    model = LinearRegression().fit(X, y)
    options = {"groups": groups, "draws": 499, "distribution": "webb", "random_state": 1}
    whole = model.wild_bootstrap_test("x0", X, y, **options)
    monkeypatch.setattr(wild_bootstrap, "DRAW_ENTRIES", 100)
    parts = model.wild_bootstrap_test("x0", X, y, **options)
    assert whole.p_value == parts.p_value
    np.testing.assert_allclose(whole.interval, parts.interval, rtol=1e-9)
    signs = model.wild_bootstrap_test("x0", X, y, groups=groups)
    monkeypatch.undo()
    assert signs.p_value == model.wild_bootstrap_test("x0", X, y, groups=groups).p_value


def test_signs_at_random_tend_to_all_signs():
    X, y, groups, _ = problem(4, n_groups=8)
    model = LinearRegression().fit(X, y)
    exact = model.wild_bootstrap_test("x1", X, y, groups=groups, null=0.6)
    drawn = by_refits(X, y, groups, np.array([0, 1.0, 0]), 0.6)
    assert exact.p_value == share(*drawn)
    # Of 9,999 draws of 8 clusters all are listed; of 200, four standard errors are 14 %.
    some = model.wild_bootstrap_test("x1", X, y, groups=groups, null=0.6, draws=200, random_state=0)
    assert not some.is_exact
    error = np.sqrt(exact.p_value * (1 - exact.p_value) / 200)
    assert abs(some.p_value - exact.p_value) < 4 * error + 1 / 201


@pytest.mark.parametrize("scale", [1e-140, 1e-3, 1.0, 1e7, 1e140])
def test_units_of_the_target_change_nothing(scale):
    X, y, groups, _ = problem(0)
    expected = LinearRegression().fit(X, y).wild_bootstrap_test("x0", X, y, groups=groups)
    scaled = LinearRegression().fit(X, y * scale)
    found = scaled.wild_bootstrap_test("x0", X, y * scale, groups=groups)
    assert found.p_value == expected.p_value
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-10)
    np.testing.assert_allclose(np.divide(found.interval, scale), expected.interval, rtol=1e-9)


@pytest.mark.parametrize("shift", [1.0, 1e6])
def test_shifted_columns_change_nothing(shift):
    X, y, groups, _ = problem(1)
    expected = LinearRegression().fit(X, y).wild_bootstrap_test("x0", X, y, groups=groups)
    moved = X + shift
    found = LinearRegression().fit(moved, y).wild_bootstrap_test("x0", moved, y, groups=groups)
    assert found.p_value == expected.p_value
    # The shift rounds the entries of X by 1e6 units.
    np.testing.assert_allclose(found.interval, expected.interval, rtol=1e-8)


@pytest.mark.parametrize("tiny", [1e-3, 1e-6])
def test_nearly_dependent_columns_change_nothing(tiny):
    """A coefficient of ``x0 + tiny·x1`` beside x0 is that of x1, divided by tiny."""
    X, y, groups, _ = problem(1)
    expected = LinearRegression().fit(X, y).wild_bootstrap_test("x1", X, y, groups=groups)
    close = np.column_stack([X[:, 0], X[:, 0] + tiny * X[:, 1]])
    found = LinearRegression().fit(close, y).wild_bootstrap_test("x1", close, y, groups=groups)
    assert found.p_value == expected.p_value
    # Rounding of the sum changes x1 by ε/tiny, and t by some times that.
    rtol = 1e3 * np.finfo(float).eps / tiny
    assert found.statistic == pytest.approx(expected.statistic, rel=rtol)
    np.testing.assert_allclose(np.multiply(found.interval, tiny), expected.interval, rtol=rtol)


def test_the_checks_see_residuals_of_the_other_fit():
    """Planted: residuals without the hypothesis (WCU) give other p-values."""
    X, y, groups, _ = problem(2)
    A, contrast = with_ones(X), np.array([1.0, 0, 0])
    ones = np.ones(len(y))
    t, theta = t_statistic(A, y, ones, groups, contrast, 0.0)
    fitted = A @ theta
    signs = itertools.product((1.0, -1.0), repeat=6)
    drawn = [
        t_statistic(
            A, fitted + np.array(v)[groups] * (y - fitted), ones, groups, contrast, theta[0]
        )[0]
        for v in signs
    ]
    found = LinearRegression().fit(X, y).wild_bootstrap_test("x0", X, y, groups=groups)
    assert abs(found.p_value - share(t, np.array(drawn))) > 0.02


def test_a_null_is_a_shift_of_the_target():
    X, y, groups, _ = problem(2)
    there = LinearRegression().fit(X, y).wild_bootstrap_test("x0", X, y, groups=groups, null=1.5)
    moved = y - 1.5 * X[:, 0]
    here = LinearRegression().fit(X, moved).wild_bootstrap_test("x0", X, moved, groups=groups)
    assert here.p_value == there.p_value
    assert here.statistic == pytest.approx(there.statistic, rel=1e-10)
    np.testing.assert_allclose(np.add(here.interval, 1.5), there.interval, rtol=1e-9)


def test_a_weight_repeats_a_row():
    X, y, groups, weights = problem(5)
    times = weights.astype(int)
    weighted = LinearRegression().fit(X, y, sample_weight=weights)
    found = weighted.wild_bootstrap_test("x0", X, y, weights, groups=groups)
    X, y, groups = (np.repeat(part, times, axis=0) for part in (X, y, groups))
    expected = LinearRegression().fit(X, y).wild_bootstrap_test("x0", X, y, groups=groups)
    assert found.p_value == expected.p_value
    np.testing.assert_allclose(found.interval, expected.interval, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("distribution", ["rademacher", "webb"])
def test_intervals_hold_the_values_that_are_not_rejected(seed, distribution):
    X, y, groups, _ = problem(seed, n_groups=8)
    model = LinearRegression().fit(X, y)
    options = {"groups": groups, "distribution": distribution, "draws": 999, "random_state": 0}

    def p(null):
        return model.wild_bootstrap_test("x0", X, y, null=null, **options).p_value

    intervals = {}
    for level in (0.8, 0.9):
        found = model.wild_bootstrap_test("x0", X, y, level=level, **options)
        lower, upper = intervals[level] = found.interval
        alpha, step = 1 - level, 1e-6 * found.standard_error
        assert lower < found.estimate < upper
        assert (
            found.interval
            == model.wild_bootstrap_test("x0", X, y, level=level, null=9.0, **options).interval
        )
        for end, out in ((lower, -step), (upper, step)):
            at, beyond = p(end + out), p(end - out)
            assert beyond > alpha >= at
            # By what p falls there: two draws of signs, one of six numbers, or of the wider grid
            # few.
            assert beyond - at <= 4 / (128 if distribution == "rademacher" else 1000)
    # What the interval of 90 % leaves out, that of 80 % does: p falls, and stays below.
    width = upper - lower
    for end, wider, side in zip(*intervals.values(), (-1.0, 1.0), strict=True):
        assert side * (wider - end) > 0
        for between in np.linspace(0.05, 0.95, 8) * (wider - end):
            assert p(end + between) <= 1 - 0.8
        for far in np.linspace(0.01, 3.0, 40) * width:
            assert p(wider + side * far) <= 1 - 0.9


def test_few_clusters_allow_no_small_p_value():
    """Of 4 clusters p is at least 2/16: no value is rejected at 5 %, and the interval is open."""
    X, y, groups, _ = problem(0, n_groups=4)
    found = LinearRegression().fit(X, y).wild_bootstrap_test("x0", X, y, groups=groups, null=100.0)
    assert found.p_value == 2 / 16
    assert found.interval == (-np.inf, np.inf)
    assert "-inf to inf" in str(found)
    wide = LinearRegression().fit(X, y)
    webb = wide.wild_bootstrap_test("x0", X, y, groups=groups, distribution="webb", random_state=0)
    assert np.isfinite(webb.interval).all()


def test_far_values_are_rejected_and_the_estimate_is_not():
    X, y, groups, _ = problem(6, n_groups=10)
    model = LinearRegression().fit(X, y)
    at = model.coef_[0]
    assert model.wild_bootstrap_test("x0", X, y, groups=groups, null=at).p_value == 1.0
    for far in (1e3, -1e3, 1e9):
        found = model.wild_bootstrap_test("x0", X, y, groups=groups, null=far)
        assert found.p_value == 2 / 1024  # the signs that are all alike


def test_rows_in_any_form():
    X, y, groups, _ = problem(7)
    frame = pd.DataFrame(X, columns=["age", "sex=male"])
    model = LinearRegression().fit(frame, y)
    text = pd.Series([f"g{g}" for g in groups])
    found = model.wild_bootstrap_test("sex=male", frame, y, groups=text)
    assert found.hypothesis == "sex=male = 0"
    plain = LinearRegression().fit(X, y)
    expected = plain.wild_bootstrap_test("x1", X, y, groups=groups)
    assert found.p_value == expected.p_value
    stream = RowStream([(X[k : k + 13], y[k : k + 13]) for k in range(0, 60, 13)])
    streamed = plain.wild_bootstrap_test("x1", stream, groups=groups)
    assert streamed.p_value == expected.p_value
    np.testing.assert_allclose(streamed.interval, expected.interval, rtol=1e-9)


def test_shown():
    X, y, groups, _ = problem(0)
    model = LinearRegression().fit(X, y)
    text = repr(model.wild_bootstrap_test("x0", X, y, groups=groups))
    assert "all 64 sign vectors (rademacher), 6 clusters" in text
    drawn = model.wild_bootstrap_test("x0", X, y, groups=groups, distribution="webb", draws=99)
    assert "99 draws (webb), 6 clusters" in repr(drawn)


def test_refusals():
    X, y, groups, _ = problem(0)
    model = LinearRegression().fit(X, y)
    test = model.wild_bootstrap_test
    with pytest.raises(ValueError, match="groups is None"):
        test("x0", X, y)
    with pytest.raises(ValueError, match=r"parameter='x7' .* x0, x1, \(intercept\)"):
        test("x7", X, y, groups=groups)
    with pytest.raises(ValueError, match="3 numbers that are not all zero"):
        test([0, 0, 0], X, y, groups=groups)
    with pytest.raises(ValueError, match="null=nan"):
        test("x0", X, y, groups=groups, null=np.nan)
    with pytest.raises(ValueError, match="draws=0"):
        test("x0", X, y, groups=groups, draws=0)
    with pytest.raises(ValueError, match="distribution='mammen'"):
        test("x0", X, y, groups=groups, distribution="mammen")
    with pytest.raises(InferenceError, match="takes one grouping"):
        test("x0", X, y, groups=np.column_stack([groups, groups // 2]))
    with pytest.raises(ValueError, match="not the rows"):
        test("x0", X[::-1], y, groups=groups)
    both = LinearRegression().fit(X, np.column_stack([y, -y]))
    with pytest.raises(InferenceError, match="one target"):
        both.wild_bootstrap_test("x0", X, np.column_stack([y, -y]), groups=groups)
    means = (groups[:, np.newaxis] == np.arange(6)).astype(float)
    alone = LinearRegression(fit_intercept=False).fit(means, y)
    with pytest.raises(InferenceError, match="residuals sum to zero in the clusters"):
        alone.wild_bootstrap_test("x3", means, y, groups=groups)
