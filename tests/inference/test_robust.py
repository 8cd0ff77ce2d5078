"""Robust covariances: statsmodels' HC0 to HC3 and clusters, laws, and what is refused."""

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from mcmodels import LinearRegression, LogisticRegression
from mcmodels.exceptions import InferenceError
from tests.inference.problems import rows_of, with_ones

# Sandwiches of the same design: what its condition leaves of float64, relative to the diagonal.
TOLERANCE = 1e-9


def same(ours, theirs):
    size = np.sqrt(np.diagonal(theirs))
    assert np.abs((ours - theirs) / np.outer(size, size)).max() < TOLERANCE


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_unequal_variances_against_ols(seed, intercept, kind):
    X, y, *_ = rows_of(seed)
    model = LinearRegression(fit_intercept=intercept).fit(X, y)
    theirs = sm.OLS(y, with_ones(X, intercept)).fit(cov_type=kind, use_t=True)
    same(model.covariance(X, y, kind=kind), theirs.cov_params())
    frame = model.summary(X, y, kind=kind).to_frame()
    np.testing.assert_allclose(frame["standard_error"], theirs.bse, rtol=1e-9)
    np.testing.assert_allclose(frame["p_value"], theirs.pvalues, rtol=1e-8)
    np.testing.assert_allclose(frame[["lower", "upper"]], theirs.conf_int(), rtol=1e-8)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("corrected", [True, False])
def test_clusters_against_ols(seed, ways, corrected):
    X, y, _, groups = rows_of(seed)
    groups = groups[:, 0] if ways == 1 else groups
    model = LinearRegression().fit(X, y)
    theirs = sm.OLS(y, with_ones(X)).fit(
        cov_type="cluster",
        cov_kwds={"groups": groups, "use_correction": corrected, "df_correction": corrected},
        use_t=True,
    )
    options = {
        "kind": "cluster",
        "groups": groups,
        "use_correction": corrected,
        "df_correction": corrected,
    }
    same(model.covariance(X, y, **options), theirs.cov_params())
    intervals = model.confidence_intervals(0.95, X, y, **options)
    np.testing.assert_allclose(intervals, theirs.conf_int(), rtol=1e-8)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", "cluster"])
@pytest.mark.parametrize("make", [LinearRegression, lambda: LogisticRegression(C=np.inf)])
def test_a_weight_repeats_a_row(kind, make):
    X, y, weights, groups = rows_of(4)
    y = y if make is LinearRegression else (y > np.median(y)).astype(int)
    times = weights.astype(int)
    groups = groups[:, 0] if kind == "cluster" else None
    weighted = make().fit(X, y, sample_weight=weights)
    repeated = make().fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    again = None if groups is None else np.repeat(groups, times)
    same(
        weighted.covariance(X, y, weights, kind=kind, groups=groups),
        repeated.covariance(
            np.repeat(X, times, axis=0), np.repeat(y, times), kind=kind, groups=again
        ),
    )


@pytest.mark.parametrize("kind", ["HC0", "HC3", "cluster"])
def test_several_targets(kind):
    X, y, _, groups = rows_of(5)
    Y = np.column_stack([y, X[:, 0] + y**2])
    groups = groups[:, 0] if kind == "cluster" else None
    model = LinearRegression().fit(X, Y)
    V = model.covariance(X, Y, kind=kind, groups=groups)
    A = with_ones(X)
    inverse = np.linalg.inv(A.T @ A)
    U = Y - model.predict(X)
    if kind == "HC3":
        U = U / (1 - np.einsum("ij,jk,ik->i", A, inverse, A))[:, np.newaxis]
    scores = (U[:, :, np.newaxis] * A[:, np.newaxis, :]).reshape(len(A), -1)
    factor = 1.0
    if kind == "cluster":
        scores = pd.DataFrame(scores).groupby(groups).sum().to_numpy()
        factor = 17 / 16 * 119 / 115
    bread = np.kron(np.eye(2), inverse)
    same(V, factor * bread @ scores.T @ scores @ bread)


def test_equal_variances_make_all_kinds_alike():
    """With many rows and noise of one variance, every kind estimates the same covariance."""
    rng = np.random.default_rng(6)
    X = rng.standard_normal((200_000, 3)) + 2
    y = X @ [1.0, 2.0, 3.0] + rng.standard_normal(200_000)
    model = LinearRegression().fit(X, y)
    size = np.sqrt(np.diagonal(model.covariance_))
    for kind in ("HC0", "HC1", "HC2", "HC3"):
        ratio = model.covariance(X, y, kind=kind) / np.outer(size, size)
        own = model.covariance_ / np.outer(size, size)
        # Relative error of a variance estimate from n rows: about √(2/n)·2 = 0.6 %.
        assert np.abs(ratio - own).max() < 0.02


@pytest.mark.parametrize("form", ["frame", "csr", "float32", "fortran"])
def test_rows_of_any_form(form):
    from scipy import sparse

    X, y, _, groups = rows_of(7)
    X = np.asarray(X, dtype=np.float32).astype(float)
    forms = {
        "frame": lambda: pd.DataFrame(X, columns=list("abcd")),
        "csr": lambda: sparse.csr_array(X),
        "float32": lambda: X.astype(np.float32),
        "fortran": lambda: np.asfortranarray(X),
    }
    plain = LinearRegression().fit(X, y)
    for kind, labels in (("HC3", None), ("cluster", groups[:, 1])):
        expected = plain.covariance(X, y, kind=kind, groups=labels)
        rows = forms[form]()
        same(
            LinearRegression().fit(rows, y).covariance(rows, y, kind=kind, groups=labels), expected
        )


def test_labels_of_groups_may_be_text_or_a_frame():
    X, y, _, groups = rows_of(8)
    model = LinearRegression().fit(X, y)
    expected = model.covariance(X, y, kind="cluster", groups=groups)
    text = np.array([f"g{g}" for g in groups[:, 0]]), np.array([f"h{g}" for g in groups[:, 1]])
    frame = pd.DataFrame({"firm": text[0], "year": groups[:, 1]}, index=np.arange(120)[::-1])
    for labels in (np.column_stack(text), frame):
        np.testing.assert_array_equal(
            model.covariance(X, y, kind="cluster", groups=labels), expected
        )
    one = model.covariance(X, y, kind="cluster", groups=pd.Categorical(text[0]))
    np.testing.assert_array_equal(one, model.covariance(X, y, kind="cluster", groups=groups[:, 0]))


def test_refusals():
    X, y, weights, groups = rows_of(9)
    model = LinearRegression().fit(X, y)
    with pytest.raises(InferenceError, match="single cluster"):
        model.covariance(X, y, kind="cluster", groups=np.zeros(120))
    with pytest.raises(InferenceError, match="single cluster"):
        model.covariance(X, y, kind="cluster", groups=groups * [1, 0])
    with pytest.raises(ValueError, match="needs groups"):
        model.covariance(X, y, kind="cluster")
    with pytest.raises(ValueError, match="pass kind='cluster'"):
        model.covariance(X, y, groups=groups)
    with pytest.raises(ValueError, match="HC4"):
        model.covariance(X, y, kind="HC4")
    with pytest.raises(ValueError, match="reads the training rows"):
        model.summary(kind="HC3")
    with pytest.raises(ValueError, match="X has 119 rows; the model was fitted to 120"):
        model.covariance(X[1:], y[1:])
    with pytest.raises(ValueError, match="sample_weight of the fit"):
        model.covariance(X, y, weights)
    with pytest.raises(ValueError, match="one label a row"):
        model.covariance(X, y, kind="cluster", groups=groups[1:])
    missing = groups[:, 0].astype(float)
    missing[3] = np.nan
    with pytest.raises(ValueError, match="missing labels"):
        model.covariance(X, y, kind="cluster", groups=missing)
    with pytest.raises(ValueError, match=r"2 target\(s\)"):
        model.covariance(X, np.column_stack([y, y]))
    alone = np.column_stack([X, np.arange(120) == 7])
    lonely = LinearRegression().fit(alone, y)
    for kind in ("HC2", "HC3"):
        with pytest.raises(InferenceError, match="leverage 1"):
            lonely.covariance(alone, y, kind=kind)
    assert np.isfinite(lonely.covariance(alone, y, kind="HC1")).all()


def exact_sandwich(X, codes, params, C, groups=None):
    """``H⁻¹ M H⁻¹`` of softmax at these parameters in 60 digits; M sums over rows or groups."""
    p, K = X.shape[1], len(params)
    P = p + 1
    rows = [[mp.mpf(float(v)) for v in row] + [mp.mpf(1)] for row in X]
    H, sums = mp.zeros(K * P), {}
    for i, x in enumerate(rows):
        weights = [mp.exp(mp.fdot(x, map(mp.mpf, map(float, row)))) for row in params]
        prob = [w / mp.fsum(weights) for w in weights]
        score = [((codes[i] == k) - prob[k]) * v for k in range(K) for v in x]
        at = i if groups is None else groups[i]
        sums[at] = [a + b for a, b in zip(sums.get(at, [0] * K * P), score, strict=True)]
        for k in range(K):
            for m in range(K):
                d = prob[k] * ((k == m) - prob[m])
                for j in range(P):
                    for q in range(P):
                        H[k * P + j, m * P + q] += d * x[j] * x[q]
    for k in range(K):
        for j in range(p):
            H[k * P + j, k * P + j] += 1 / mp.mpf(C)
        for m in range(K):  # equal intercepts of all classes change nothing, and no score
            H[k * P + p, m * P + p] += 1
    S = mp.matrix(list(sums.values()))
    half = H**-1 * S.T
    return np.array((half * half.T).tolist(), dtype=float)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3, 1e4])
@pytest.mark.parametrize("C", [1.0, 1e3])
def test_softmax_with_a_penalty_and_columns_in_any_unit(C, scale):
    """A penalty says little of equal shifts of all classes; that must not hide the rest."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(60, 2))
    codes = np.digitize(X @ [1.0, -0.5] + rng.logistic(size=60), [-1.0, 1.0])
    X *= [scale, 1.0]
    groups = np.arange(60) % 9
    model = LogisticRegression(C=C).fit(X, codes)
    with mp.workdps(60):
        expected = exact_sandwich(X, codes, model.params_, C)
        clustered = exact_sandwich(X, codes, model.params_, C, groups)
    found = model.covariance(X, codes, kind="HC0")
    options = {"kind": "cluster", "groups": groups, "use_correction": False}
    # The factor of a Hessian of condition C·scale²·n = 6e12 loses half of these digits at most.
    for ours, theirs in ((found, expected), (model.covariance(X, codes, **options), clustered)):
        size = np.sqrt(np.diagonal(theirs))
        assert np.abs((ours - theirs) / np.outer(size, size)).max() < 1e-9


@pytest.mark.parametrize("kind", ["HC0", "HC1", "cluster"])
@pytest.mark.parametrize("weights", ["frequency", "probability"])
def test_errors_of_three_classes_do_not_depend_on_the_units_of_columns(kind, weights):
    """Short columns beside long ones, as metres beside micrometres, keep their digits."""
    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(200, 3)), rng.integers(0, 25, 200)
    y = np.digitize(X[:, 0] + rng.logistic(size=200), [-0.7, 0.7])
    scale = np.array([1e-4, 1.0, 1e4])
    robust = {"kind": kind, "groups": groups if kind == "cluster" else None}

    def errors(X):
        model = LogisticRegression(C=np.inf, weights=weights).fit(X, y)
        probability = model.predict_interval(X).to_numpy()[:, 1::4]  # by HC1 of surveys
        tables = model.summary(X, y, **robust).tables.values()
        return np.array([table["standard_error"][:3] for table in tables]), probability

    (found, found_p), (plain, plain_p) = errors(X * scale), errors(X)
    # Fits that end at other rounding errors; without units a hundredth was lost.
    np.testing.assert_allclose(found * scale, plain, rtol=1e-9)
    np.testing.assert_allclose(found_p, plain_p, rtol=1e-9)
