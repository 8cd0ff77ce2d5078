"""CR2 and its degrees of freedom against n×n matrices; laws, hard rows, and what is refused."""

import tracemalloc

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from scipy import linalg, stats

from mcmodels import GeneralizedLinearRegressor, LinearRegression, RowStream
from mcmodels.exceptions import IndefiniteCovarianceWarning, InferenceError
from tests.inference.problems import with_ones

EPSILON = np.finfo(float).eps


def orthonormal(A):
    """Q and R⁻¹ of ``A = QR``, by Cholesky's factor in 60 digits, rounded once."""
    with mp.workdps(60):
        M = mp.matrix(A.tolist())
        L = mp.cholesky(M.T * M)
        inverse = (L**-1).T
        Q = M * inverse
        return tuple(np.array(part.tolist(), dtype=float) for part in (Q, inverse))


def by_large_matrices(X, y, groups, weights=None, intercept=True):
    """Bell and McCaffrey's formulas with n×n matrices: V, and p_g of each parameter (G, n, P)."""
    A = with_ones(X, intercept)
    root = np.ones(len(A)) if weights is None else np.sqrt(weights)
    Q, inverse = orthonormal(A * root[:, np.newaxis])
    left = np.eye(len(A)) - Q @ Q.T
    residuals = left @ (root * y)
    # To 60 digits, too: y may lie far from zero.
    with mp.workdps(60):
        q, t = mp.matrix(Q.tolist()), mp.matrix((root * y).tolist())
        residuals = np.array((t - q * (q.T * t)).tolist(), dtype=float).ravel()
    V, projections = 0.0, []
    for group in np.unique(groups):
        at = groups == group
        values, vectors = linalg.eigh(left[np.ix_(at, at)])
        power = np.where(values > 1e-9, np.maximum(values, 1e-9) ** -0.5, 0.0)
        adjust = (vectors * power) @ vectors.T
        by_parameter = adjust @ Q[at] @ inverse.T
        score = by_parameter.T @ residuals[at]
        V = V + np.outer(score, score)
        projections.append(left[:, at] @ by_parameter)
    return V, np.array(projections)


def degrees_of_freedom(projections):
    """``tr(PPᵀ)²/tr((PPᵀ)²)`` of the rows p_g of each parameter."""
    found = []
    for k in range(projections.shape[2]):
        product = projections[:, :, k] @ projections[:, :, k].T
        found.append(np.trace(product) ** 2 / np.trace(product @ product))
    return np.array(found)


def unbalanced(seed, n=90, p=3, n_groups=8):
    rng = np.random.default_rng(seed)
    groups = rng.choice(n_groups, n, p=np.arange(1, n_groups + 1) / sum(range(1, n_groups + 1)))
    groups[:n_groups] = np.arange(n_groups)
    X = rng.normal(size=(n, p)) + rng.normal(size=(n_groups, p))[groups]
    X[:, -1] = groups < 2  # the same in all rows of a cluster
    y = X @ rng.normal(size=p) + rng.normal(size=n_groups)[groups] + rng.normal(size=n)
    return X, y, groups, rng.integers(1, 4, n).astype(float)


def same(found, expected, tolerance):
    size = np.sqrt(np.diagonal(expected))
    assert np.abs((found - expected) / np.outer(size, size)).max() < tolerance


def compared(X, y, groups, weights=None, intercept=True, tolerance=1e-10):
    model = LinearRegression(fit_intercept=intercept).fit(X, y, sample_weight=weights)
    options = {"kind": "CR2", "groups": groups}
    V, projections = by_large_matrices(X, y, groups, weights, intercept)
    same(model.covariance(X, y, weights, **options), V, tolerance)
    df = degrees_of_freedom(projections)
    table = model.summary(X, y, weights, **options).to_frame()
    np.testing.assert_allclose(table["df"], df, rtol=10 * tolerance)
    errors = np.sqrt(np.diagonal(V))
    # A p-value far out changes by about t² times the share by which t does.
    p = 2 * stats.t.sf(np.abs(model.params_) / errors, df)
    np.testing.assert_allclose(table["p_value"], p, rtol=1e3 * tolerance)
    reach = stats.t.isf(0.05, df) * errors
    ends = model.confidence_intervals(0.9, X, y, weights, **options)
    np.testing.assert_allclose((ends["upper"] - ends["lower"]) / 2, reach, rtol=10 * tolerance)
    return model


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
def test_against_large_matrices(seed, weighted, intercept):
    X, y, groups, weights = unbalanced(seed)
    compared(X, y, groups, weights * 0.37 if weighted else None, intercept)


@pytest.mark.parametrize("seed", range(3))
def test_a_weight_repeats_a_row(seed):
    """So that both readings of weights, counts and inverse variances, give the same."""
    X, y, groups, weights = unbalanced(seed)
    weights[::7] = 0.0
    times = weights.astype(int)
    weighted = LinearRegression().fit(X, y, sample_weight=weights)
    rows = [np.repeat(part, times, axis=0) for part in (X, y, groups)]
    repeated = LinearRegression().fit(*rows[:2])
    found = weighted.summary(X, y, weights, kind="CR2", groups=groups).to_frame()
    expected = repeated.summary(*rows[:2], kind="CR2", groups=rows[2]).to_frame()
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_clusters_with_an_indicator_of_their_own(weighted):
    """``I - H_gg`` is singular, and the root is that of the pseudo-inverse."""
    X, y, groups, weights = unbalanced(1)
    compared(np.column_stack([groups == 7, X]), y, groups, weights if weighted else None)


@pytest.mark.parametrize("seed", range(3))
def test_fixed_effects_of_every_cluster(seed):
    X, y, groups, _ = unbalanced(seed)
    compared(np.column_stack([X[:, :2], groups[:, np.newaxis] == np.arange(1, 8)]), y, groups)


def test_a_mean_that_one_cluster_alone_tells_has_no_variance():
    X, y, groups, _ = unbalanced(1)
    X = np.column_stack([groups[:, np.newaxis] == np.arange(8)]).astype(float)
    model = LinearRegression(fit_intercept=False).fit(X, y)
    with pytest.warns(IndefiniteCovarianceWarning, match="x0.*x7: no robust variance"):
        table = model.summary(X, y, kind="CR2", groups=groups).to_frame()
    assert table[["standard_error", "df", "p_value"]].isna().all(axis=None)


@pytest.mark.parametrize("weighted", [False, True])
def test_clusters_of_one_row_are_hc2(weighted):
    X, y, _, weights = unbalanced(2)
    weights = None if not weighted else np.ones(len(y))
    model = LinearRegression().fit(X, y, sample_weight=weights)
    found = model.covariance(X, y, weights, kind="CR2", groups=np.arange(len(y)))
    same(found, model.covariance(X, y, weights, kind="HC2"), 1e-12)


def test_two_samples_of_two_clusters_are_welch():
    """Of a difference of means with a row in each cluster df are Welch's, with equal variances."""
    sizes = np.array([4, 11])
    X = np.repeat([0.0, 1.0], sizes)[:, np.newaxis]
    y = np.random.default_rng(0).normal(size=15)
    table = LinearRegression().fit(X, y).summary(X, y, kind="CR2", groups=np.arange(15)).to_frame()
    welch = (1 / sizes).sum() ** 2 / (1 / sizes**2 / (sizes - 1)).sum()
    assert table["df"].iloc[0] == pytest.approx(welch, rel=1e-12)
    parts = np.split(y, [4])
    error = np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))
    assert table["standard_error"].iloc[0] == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("kind", ["nearly dependent", "far from zero", "units", "hidden"])
@pytest.mark.parametrize("singular", [False, True])
def test_hard_rows(kind, singular):
    X, y, groups, weights = unbalanced(3, n=60, n_groups=6)
    if kind == "nearly dependent":
        X[:, 1] = X[:, 0] + 1e-6 * X[:, 1]
    elif kind == "far from zero":
        X[:, :2] += 1e6
        y = y + 1e3
    elif kind == "hidden":  # an indicator of a cluster is a difference of two columns
        X[:, 1] = X[:, 0] + 1e-6 * (groups == 4)
    else:
        X = X * [1e-8, 1e8, 1.0]
    if singular:
        X = np.column_stack([X, groups == 5])
    model = LinearRegression().fit(X, y, sample_weight=weights)
    options = {"kind": "CR2", "groups": groups}
    table = model.summary(X, y, weights, **options).to_frame()
    V, projections = by_large_matrices(X, y, groups, weights)
    # Rows in other coordinates have errors of the condition, 1e6, in units of rounding.
    tolerance = 1e-10 if kind == "units" else 100 * 1e6 * EPSILON
    np.testing.assert_allclose(table["standard_error"], np.sqrt(np.diagonal(V)), tolerance)
    df = degrees_of_freedom(projections)
    np.testing.assert_allclose(table["df"], df, rtol=10 * tolerance)


def hotelling(projections, R):
    """η of Pustejovsky and Tipton (2018), by covariances of all products of p_gᵀε."""
    rows = np.einsum("gnk,rk->rgn", projections, R)
    expected = np.einsum("sgn,tgn->st", rows, rows)
    rows = np.einsum("st,tgn->sgn", linalg.inv(linalg.sqrtm(expected).real), rows)
    total, r = 0.0, len(R)
    for s in range(r):
        for t in range(r):
            # Var Σ_g (p_gsᵀε)(p_gtᵀε) = 2‖B‖², B the symmetric part of Σ_g p_gs p_gtᵀ.
            B = np.einsum("gn,gm->nm", rows[s], rows[t])
            B = (B + B.T) / 2
            total += 2 * (B**2).sum()
    return r * (r + 1) / total


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("r", [1, 2, 3])
def test_several_restrictions_against_large_matrices(seed, r):
    X, y, groups, weights = unbalanced(seed)
    model = LinearRegression().fit(X, y, sample_weight=weights)
    R = np.random.default_rng(seed).normal(size=(r, 4))
    V, projections = by_large_matrices(X, y, groups, weights)
    eta = hotelling(projections, R)
    gap = R @ model.params_
    T2 = gap @ linalg.solve(R @ V @ R.T, gap)
    if eta - r + 1 <= 0:
        with pytest.raises(InferenceError, match="degrees of freedom"):
            model.wald_test(R, X, y, weights, kind="CR2", groups=groups)
        return
    test = model.wald_test(R, X, y, weights, kind="CR2", groups=groups)
    assert test.df_denominator == pytest.approx(eta - r + 1, rel=1e-9)
    assert test.statistic == pytest.approx(T2 * (eta - r + 1) / eta / r, rel=1e-9)
    if r == 1:
        assert eta == pytest.approx(degrees_of_freedom(projections @ R.T)[0], rel=1e-12)


def test_functions_have_degrees_of_freedom_of_their_own():
    X, y, groups, _ = unbalanced(4)
    model = LinearRegression().fit(X, y)
    found = model.delta_method(lambda t: [t[0] - t[1], 2 * t[2]], X, y, kind="CR2", groups=groups)
    R = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]])
    V, projections = by_large_matrices(X, y, groups)
    np.testing.assert_allclose(found.values.df, degrees_of_freedom(projections @ R.T), rtol=1e-9)
    reach = stats.t.isf(0.025, found.values.df) * np.sqrt(np.diagonal(R @ V @ R.T))
    np.testing.assert_allclose(np.subtract(*found.interval()[::-1]) / 2, reach, rtol=1e-9)


def test_balanced_means_have_one_less_than_there_are_clusters():
    groups = np.repeat(np.arange(9), 5)
    y = np.random.default_rng(0).normal(size=45)
    X = np.ones((45, 1))
    model = LinearRegression(fit_intercept=False).fit(X, y)
    table = model.summary(X, y, kind="CR2", groups=groups).to_frame()
    means = y.reshape(9, 5).mean(axis=1)
    assert table["df"].iloc[0] == pytest.approx(8, rel=1e-12)
    error = means.std(ddof=1) / 3
    assert table["standard_error"].iloc[0] == pytest.approx(error, rel=1e-12)


def test_rows_in_any_form_and_order():
    X, y, groups, weights = unbalanced(5, n=400)
    model = LinearRegression().fit(X, y, sample_weight=weights)
    expected = model.summary(X, y, weights, kind="CR2", groups=groups).to_frame()
    order = np.random.default_rng(0).permutation(400)
    frame = pd.DataFrame(X[order])
    frame.columns = ["x0", "x1", "x2"]
    text = np.array([f"g{g}" for g in groups])[order]
    again = LinearRegression().fit(frame, y[order], sample_weight=weights[order])
    given = (frame, y[order], weights[order])
    found = again.summary(*given, kind="CR2", groups=text).to_frame()
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    stream = RowStream(
        [(X[k : k + 90], y[k : k + 90], weights[k : k + 90]) for k in range(0, 400, 90)]
    )
    found = model.summary(stream, kind="CR2", groups=groups).to_frame()
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("method", ["CR2", "wild", "HAC", "outliers"])
def test_large_clusters_take_little_memory(method):
    """A cluster of 70,000 rows would have a matrix of 39 GB; X has 32 MB."""
    rng = np.random.default_rng(0)
    n = 200_000
    X, groups = rng.normal(size=(n, 20)), np.arange(n) % 3
    y = X[:, 0] + groups + rng.normal(size=n)
    model = LinearRegression().fit(X, y)
    run = {
        "CR2": lambda: model.covariance(X, y, kind="CR2", groups=groups),
        "wild": lambda: model.wild_bootstrap_test("x0", X, y, groups=groups, distribution="webb"),
        "HAC": lambda: model.covariance(X, y, kind="HAC", max_lags=1000),
        "outliers": lambda: model.outlier_test(X, y),
    }[method]
    tracemalloc.start()
    try:
        run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Blocks of 4 MB in two threads, a few arrays each, and some vectors of n numbers.
    assert peak < 2 * X.nbytes


def test_the_working_model_makes_it_unbiased():
    """The mean over all of the noise, which is exact: ``E V = σ²(X̃ᵀX̃)⁻¹`` for σ² = 1."""
    X, y, groups, _ = unbalanced(6)
    _, projections = by_large_matrices(X, y, groups)
    mean = np.einsum("gnj,gnk->jk", projections, projections)
    A = with_ones(X)
    np.testing.assert_allclose(mean, linalg.inv(A.T @ A), rtol=1e-9, atol=1e-12)


def test_the_checks_catch_a_wrong_power():
    X, y, groups, _ = unbalanced(0)
    model = LinearRegression().fit(X, y)
    V, _ = by_large_matrices(X, y, groups)
    plain = model.covariance(X, y, kind="cluster", groups=groups, use_correction=False)
    with pytest.raises(AssertionError):
        same(plain, V, 1e-3)


def test_summary_says_what_it_is():
    X, y, groups, _ = unbalanced(0)
    text = str(LinearRegression().fit(X, y).summary(X, y, kind="CR2", groups=groups))
    assert "cluster-robust with bias reduction (CR2)" in text
    assert "Satterthwaite's, of each coefficient" in text


def test_refusals():
    X, y, groups, _ = unbalanced(0)
    model = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="kind='CR2' needs groups"):
        model.covariance(X, y, kind="CR2")
    with pytest.raises(InferenceError, match="takes one grouping"):
        model.covariance(X, y, kind="CR2", groups=np.column_stack([groups, groups % 3]))
    with pytest.raises(InferenceError, match="single cluster"):
        model.covariance(X, y, kind="CR2", groups=0 * groups)
    both = LinearRegression().fit(X, np.column_stack([y, -y]))
    with pytest.raises(InferenceError, match="one target"):
        both.covariance(X, np.column_stack([y, -y]), kind="CR2", groups=groups)
    with pytest.raises(ValueError, match="CR2"):
        GeneralizedLinearRegressor().fit(X, y).covariance(X, y, kind="CR2", groups=groups)
    with pytest.raises(InferenceError, match=r"\d+ restrictions"):
        model.wald_test(np.eye(4), X, y, kind="CR2", groups=groups % 3)
    n = 2000
    wide = np.random.default_rng(0).normal(size=(n, 100))
    target = wide[:, 0] + np.arange(n) % 7
    many = LinearRegression().fit(wide, target)
    with pytest.raises(InferenceError, match=r"2000 clusters.*choose kind='cluster', or HC2"):
        many.covariance(wide, target, kind="CR2", groups=np.arange(n))
