"""Covariances that are none: negative variances, underflow, degrees of freedom of rounding."""

import itertools
import warnings

import mpmath
import numpy as np
import pytest
from scipy import sparse, stats

from mcmodels import PCA, LinearRegression, LogisticRegression, ObjectiveRegressor
from mcmodels.exceptions import (
    FewCurvedRowsWarning,
    FitWarning,
    IndefiniteCovarianceWarning,
    InferenceError,
    NonConvexLossWarning,
)
from mcmodels.rows import ArrayRows
from mcmodels.solvers.matrix_free import solve_matrix_free


def noise_problems(count, seed=6):
    r = np.random.default_rng(seed)
    for _ in range(count):
        G = r.integers(0, 10, (400, 2))
        X = (r.random((400, 3)) < 0.3) * 1.0
        yield X, r.normal(size=400), G


def two_way(X, residuals, G, inverse):
    """``V₁ + V₂ - V₁₂`` with Stata's factors, by loops."""
    n, P = X.shape
    V = np.zeros((P, P))
    for labels, sign in ((G[:, 0], 1), (G[:, 1], 1), (G[:, 0] * 1000 + G[:, 1], -1)):
        found = np.unique(labels)
        g = found.size
        factor = g / (g - 1) * (n - 1) / (n - P)
        for label in found:
            score = X[labels == label].T @ residuals[labels == label]
            V += sign * factor * np.outer(inverse @ score, inverse @ score)
    return V


def least_squares(X, y):
    X = np.column_stack([X, np.ones(len(X))])
    inverse = np.linalg.inv(X.T @ X)
    return X, y - X @ (inverse @ (X.T @ y)), inverse


def test_negative_variances_of_two_way_clusters_are_clipped_as_proposed_and_named():
    negative = 0
    for X, y, G in noise_problems(200):
        design, residuals, inverse = least_squares(X, y)
        expected = two_way(design, residuals, G, inverse)
        wrong = np.diagonal(expected) <= 0
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            model = LinearRegression().fit(X, y)
            V = model.covariance(X, y, kind="cluster", groups=G)
        assert len(found) == wrong.any()
        if wrong.any():
            negative += 1
            assert found[0].category is IndefiniteCovarianceWarning
            assert found[0].filename == __file__
            names = np.array(["x0", "x1", "x2", "(intercept)"], dtype=object)[wrong]
            assert f"give {', '.join(names)} no positive variance" in str(found[0].message)
            values, vectors = np.linalg.eigh(expected)
            expected = (vectors * np.clip(values, 0, None)) @ vectors.T
            with pytest.warns(IndefiniteCovarianceWarning):
                table = model.summary(X, y, kind="cluster", groups=G).to_frame()
            assert (table["standard_error"] > 0).all()
            assert np.isfinite(table["t"]).all()
            with pytest.warns(IndefiniteCovarianceWarning):
                test = model.wald_test("x0 = 0", X, y, kind="cluster", groups=G)
            assert test.statistic == pytest.approx(table["t"]["x0"] ** 2)
        # Sums of 400 products in another order, and a difference of them: 1e-10 of the largest.
        assert np.abs(V - expected).max() < 1e-10 * np.abs(expected).max()
    assert negative >= 20


def test_where_nothing_is_left_errors_are_nan_and_tests_say_so():
    found = 0
    for X, y, G in noise_problems(60, seed=7):
        x = X[:, :1]
        inverse = np.linalg.inv(x.T @ x)
        residuals = y - x[:, 0] * (inverse[0, 0] * (x[:, 0] @ y))
        if two_way(x, residuals, G, inverse)[0, 0] > 0:
            continue
        found += 1
        model = LinearRegression(fit_intercept=False).fit(x, y)
        options = {"kind": "cluster", "groups": G}
        with pytest.warns(IndefiniteCovarianceWarning, match="leaves no variance of x0"):
            table = model.summary(x, y, **options).to_frame()
        columns = ["standard_error", "t", "p_value", "lower", "upper"]
        assert table[columns].isna().all(axis=None)
        with (
            pytest.warns(IndefiniteCovarianceWarning),
            pytest.raises(InferenceError, match=r"no variance is left .* x0"),
        ):
            model.wald_test("x0 = 0", x, y, **options)
    assert found >= 2


def test_a_combination_without_a_variance_is_nan_with_a_warning():
    """Each parameter may have a variance while V₁ + V₂ - V₁₂ has none for their difference."""
    rng, found = np.random.default_rng(61), 0
    for _ in range(400):
        n = int(rng.integers(60, 300))
        X, y = (rng.random((n, 2)) < 0.2) * 1.0, rng.normal(size=n)
        G = np.column_stack([rng.integers(0, 4, n), rng.integers(0, 5, n)])
        design = np.column_stack([X, np.ones(n)])
        inverse = np.linalg.inv(design.T @ design)
        V = two_way(design, y - design @ (inverse @ (design.T @ y)), G, inverse)
        if np.diagonal(V).min() <= 0 or V[0, 0] + V[1, 1] - 2 * V[0, 1] > 0:
            continue
        found += 1
        model = LinearRegression().fit(X, y)
        options = {"kind": "cluster", "groups": G}
        with pytest.warns(
            IndefiniteCovarianceWarning, match=r"clusters give g\[1\] no posit"
        ) as said:
            model.delta_method(lambda t: [t[0], t[0] - t[1]], X, y, **options)
        assert len(said) == 1
        assert said[0].filename == __file__
        # Alone, nothing is left of a single negative variance.
        with pytest.warns(IndefiniteCovarianceWarning, match="leaves no variance of g "):
            alone = model.delta_method(lambda t: t[0] - t[1], X, y, **options)
        assert np.isnan(alone.standard_error)
    assert found >= 4


def test_differences_of_classes_without_a_variance_are_named():
    rng, found = np.random.default_rng(8), 0
    for _ in range(150):
        n = int(rng.integers(60, 200))
        X, y = (rng.random((n, 2)) < 0.2) * 1.0, rng.integers(0, 3, n)
        G = np.column_stack([rng.integers(0, 4, n), rng.integers(0, 5, n)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=np.inf).fit(X, y)
            if model.status_ != "converged":
                continue
            V = model.covariance(X, y, kind="cluster", groups=G).reshape(3, 3, 3, 3)
        own = np.diagonal(V.reshape(9, 9))
        against = [np.diagonal(V[k, :, k] + V[0, :, 0] - V[k, :, 0] - V[0, :, k]) for k in (1, 2)]
        if own.min() <= 0 or np.min(against) > 0:
            continue
        found += 1
        with pytest.warns(IndefiniteCovarianceWarning, match="two-way clusters give [12]:"):
            model.summary(X, y, kind="cluster", groups=G)
        if found == 3:
            return
    pytest.fail("too few problems")


@pytest.mark.parametrize("scale", [[1e4, 1, 1], [1e6, 1, 1], [1e8, 1, 1e-8]])
def test_clipping_in_units_far_apart_keeps_all_digits(scale):
    found = 0
    for X, y, G in noise_problems(60):
        V = two_way(*least_squares(X, y)[:2], G, least_squares(X, y)[2])
        if (np.diagonal(V) > 0).all():
            continue
        found += 1
        with mpmath.workdps(60):
            units = mpmath.diag([1 / mpmath.mpf(s) for s in (*scale, 1)])
            values, vectors = mpmath.eigsy(units * mpmath.matrix(V.tolist()) * units)
            clipped = vectors * mpmath.diag([max(v, 0) for v in values]) * vectors.T
            expected = np.array([float(mpmath.sqrt(clipped[k, k])) for k in range(4)])
        with pytest.warns(IndefiniteCovarianceWarning):
            table = (
                LinearRegression()
                .fit(X * scale, y)
                .summary(X * scale, y, kind="cluster", groups=G)
                .to_frame()
            )
        errors = table["standard_error"].to_numpy()
        left = ~np.isnan(errors)
        # What is left of a variance is NaN below 1e-13 of it. Sums of 400 rounded products: 1e-10.
        lost = expected[~left] ** 2 < 1e-12 * np.abs(np.diagonal(V) / np.square([*scale, 1]))[~left]
        assert lost.all()
        np.testing.assert_allclose(errors[left], expected[left], rtol=1e-10)
    assert found >= 5


def test_clusters_of_classes_are_clipped_too():
    found = 0
    for X, noise, G in noise_problems(60, seed=8):
        y = noise > 0
        model = LogisticRegression(C=np.inf).fit(X, y)
        design = np.column_stack([X, np.ones(len(X))])
        residuals = y - model.predict_proba(X)[:, 1]
        expected = two_way(design, residuals, G, np.linalg.inv(model.hessian_))
        if (np.diagonal(expected) > 0).all():
            continue
        found += 1
        values, vectors = np.linalg.eigh(expected)
        expected = (vectors * np.clip(values, 0, None)) @ vectors.T
        with pytest.warns(IndefiniteCovarianceWarning):
            V = model.covariance(X, y, kind="cluster", groups=G)
        # The fit ends where the step is below 1e-10 of the parameters.
        assert np.abs(V - expected).max() < 1e-7 * np.abs(expected).max()
    assert found >= 2


@pytest.mark.parametrize("n_clusters", [3, 4, 6])
def test_g_clusters_allow_one_restriction_less(n_clusters):
    r = np.random.default_rng(3)
    X, y = r.normal(size=(200, 6)), r.normal(size=200)
    groups = r.integers(0, n_clusters, 200)
    model = LinearRegression().fit(X, y)
    with pytest.raises(InferenceError, match=f"{n_clusters} clusters allow {n_clusters - 1} "):
        model.wald_test(np.eye(6, 7), X, y, kind="cluster", groups=groups)
    few = np.eye(7)[: n_clusters - 1]
    assert model.wald_test(few, X, y, kind="cluster", groups=groups).df == n_clusters - 1
    with pytest.raises(ValueError, match="repeat or contradict"):
        model.wald_test("x0 = 0, x0 = 0", X, y, kind="cluster", groups=groups)


@pytest.mark.parametrize("exponent", range(-200, -150, 10))
@pytest.mark.parametrize("solver", ["auto", "refined", "normal", "pinv"])
def test_tiny_columns_are_refused_by_name(exponent, solver):
    r = np.random.default_rng(4)
    X, y = r.normal(size=(60, 3)), r.normal(size=60)
    for scaled in (X, np.sign(X - np.median(X, axis=0))):  # the second has a mean of zero
        tiny = scaled * [1, 10.0**exponent, 1]
        with pytest.raises(ValueError, match=r"column\(s\) \[1\] of X underflow"):
            LinearRegression(solver=solver).fit(tiny, y)


def test_tiny_columns_are_refused_without_a_matrix():
    X = np.random.default_rng(5).normal(size=(60, 3)) * [1, 1e-200, 1]
    for x in (X, sparse.csr_array(X)):
        with pytest.raises(ValueError, match=r"column\(s\) \[1\] of X underflow"):
            solve_matrix_free(ArrayRows(x, X[:, :1], intercept=True))


@pytest.mark.parametrize("exponent", [-200, -160])
def test_tiny_columns_are_refused_by_classes_and_components(exponent):
    X = np.random.default_rng(5).normal(size=(60, 3))
    tiny = X * 10.0**exponent
    for fit in (
        lambda: LogisticRegression(C=np.inf).fit(tiny, X[:, 0] + X[:, 1] ** 2 > 0.5),
        lambda: PCA().fit(tiny),
        lambda: PCA(solver="eigh").fit(tiny),
        lambda: PCA().fit(tiny[:3]),
        lambda: PCA().partial_fit(tiny),
    ):
        with pytest.raises(ValueError, match=r"column\(s\) \[0, 1, 2\] of X underflow"):
            fit()


def test_columns_of_zeros_are_not_underflow():
    X = np.random.default_rng(5).normal(size=(60, 3)) * [1, 0, 1]
    assert PCA().fit(X).explained_variance_[2] < 1e-15  # rounding of variances near one
    with pytest.warns(FitWarning, match="x1|linearly"):
        LinearRegression().fit(X, X[:, 0] + 1.0)
    # What rows of weight zero hold is no entry of the column.
    X[0, 1] = 1e-200
    with pytest.warns(FitWarning):
        LinearRegression().fit(X, X[:, 0] + 1.0, sample_weight=np.arange(60) > 0)


@pytest.mark.parametrize("exponent", [-170, -165, -160, -155, -150])
def test_targets_whose_squares_underflow_have_no_errors(exponent):
    r = np.random.default_rng(9)
    X, y = r.normal(size=(50, 2)), r.normal(size=50)
    model = LinearRegression().fit(X, y * 10.0**exponent)
    for ask in (
        lambda: model.standard_errors_,
        lambda: model.r_squared_,
        lambda: model.log_likelihood_,
        lambda: model.covariance(X, y * 10.0**exponent),
        model.summary,
    ):
        with pytest.raises(InferenceError, match=r"of y.* underflow float64; multiply y"):
            ask()


@pytest.mark.parametrize("loss", ["(y - eta)**2", "log(1 + (y - eta)**2)"])
@pytest.mark.parametrize("exponent", [-170, -165, -160, -155])
def test_own_losses_refuse_targets_whose_squares_underflow(exponent, loss):
    r = np.random.default_rng(9)
    X, y = r.normal(size=(50, 2)), r.normal(size=50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=r"of y underflow float64; multiply y"):
            ObjectiveRegressor(loss).fit(X, y * 10.0**exponent)
        # Zeros are no underflow. The second loss is not convex, which is said of every fit.
        warnings.simplefilter("ignore", NonConvexLossWarning)
        assert ObjectiveRegressor(loss).fit(X, np.zeros(50)).objective_ == 0


@pytest.mark.parametrize("exponent", [-100, -140, -144])
def test_errors_of_small_targets_are_exact(exponent):
    r = np.random.default_rng(10)
    X, y = r.normal(size=(50, 2)), r.normal(size=50)
    expected = LinearRegression().fit(X, y).standard_errors_
    small = LinearRegression().fit(X, y * 10.0**exponent).standard_errors_
    # Scaling by a power of ten rounds every target once: some 50 ε.
    np.testing.assert_allclose(small / 10.0**exponent, expected, rtol=1e-13)


def test_variances_that_underflow_are_refused_by_name():
    r = np.random.default_rng(11)
    X, y = r.normal(size=(50, 2)), r.normal(size=50)
    model = LinearRegression().fit(X * [1e100, 1], y * 1e-100)
    with pytest.raises(InferenceError, match="the variance of x0 underflows"):
        _ = model.standard_errors_
    with pytest.raises(InferenceError, match="the variance of x0 underflows"):
        model.covariance(X * [1e100, 1], y * 1e-100, kind="HC0")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_weights_that_sum_to_one_up_to_rounding_are_refused(dtype):
    r = np.random.default_rng(12)
    for _ in range(200):
        X = r.normal(size=(r.integers(3, 300), 3))
        w = r.random(len(X)).astype(dtype)
        with pytest.raises(ValueError, match=r"sum to 1.*; weights count rows"):
            PCA().fit(X, sample_weight=w / w.sum())


def test_degrees_of_freedom_of_rounding_are_refused():
    r = np.random.default_rng(13)
    for _ in range(100):
        X, y, w = r.normal(size=(40, 2)), r.normal(size=40), r.random(40)
        w *= 3 / w.sum()
        model = LinearRegression().fit(X, y, sample_weight=w)
        with pytest.raises(InferenceError, match="nothing is left to estimate the noise"):
            _ = model.standard_errors_
        with pytest.raises(InferenceError, match="small-sample correction"):
            model.covariance(X, y, w, kind="HC1")


def quantile(tau, h):
    return f"{h}*softplus((y - eta)/{h}) - {1 - tau}*(y - eta)"


@pytest.mark.parametrize("tau", [0.5, 0.3])
def test_smoothed_quantiles_with_little_curvature_warn_and_the_offer_is_good(tau):
    r = np.random.default_rng(14)
    n, scale = 1000, 2.0
    X = r.normal(size=(n, 2))
    y = X @ [1.0, 2.0] + scale * r.normal(size=n)
    for h in (1e-3, 1e-4, 1e-6):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = ObjectiveRegressor(quantile(tau, h)).fit(X, y)
        with pytest.warns(FewCurvedRowsWarning, match=r"Hall and Sheather \(1988\)") as found:
            model.covariance(X, y, kind="HC0")
    said = str(found[0].message)
    offered = float(said.partition("bandwidth of about ")[2].partition(",")[0])
    # The reference: their formula with the true τ and scale. The offer estimates both, from 1000
    # rows: within 15 %.
    x = stats.norm.ppf(tau)
    b = n ** (-1 / 3) * stats.norm.ppf(0.975) ** (2 / 3)
    b *= (1.5 * stats.norm.pdf(x) ** 2 / (2 * x**2 + 1)) ** (1 / 3)
    assert offered == pytest.approx(
        scale * (stats.norm.ppf(tau + b) - stats.norm.ppf(tau - b)), rel=0.15
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wide = ObjectiveRegressor(quantile(tau, offered)).fit(X, y)
        V = wide.covariance(X, y, kind="HC0")
    # The asymptotic error of a quantile regression, √(τ(1 - τ)/n) / f(0), within 20 %.
    true = np.sqrt(tau * (1 - tau) / n) / (stats.norm.pdf(x) / scale)
    np.testing.assert_allclose(np.sqrt(np.diagonal(V))[:2], true, rtol=0.2)


def test_losses_with_curvature_everywhere_do_not_warn():
    r = np.random.default_rng(15)
    X = r.normal(size=(12, 4))
    y = X @ [1.0, 2, 3, 4] + r.normal(size=12)
    for loss, targets in (("(y - eta)**2", y), ("exp(eta) - y*eta", np.exp(y / 8))):
        with warnings.catch_warnings():
            warnings.simplefilter("error", FewCurvedRowsWarning)
            ObjectiveRegressor(loss).fit(X, targets).covariance(X, targets, kind="HC0")


def indicators(groups):
    return (groups[:, np.newaxis] == np.unique(groups)) * 1.0


@pytest.mark.parametrize("n", [60, 6000])
@pytest.mark.parametrize("seed", range(3))
def test_what_no_residual_is_left_of_has_no_robust_variance(seed, n):
    """Residuals sum to zero in every category: its own row or cluster says nothing of its error."""
    r = np.random.default_rng(seed)
    groups = r.permutation(np.arange(n) % 6)
    D, x = indicators(groups), r.normal(size=(n, 1))
    treated = indicators((groups == 0) * 1)[:, ::-1]
    alone = indicators((np.arange(n) == 7) * 1)[:, ::-1]
    cluster = {"kind": "cluster", "groups": groups}
    for design, options, lost in (
        (D, cluster, "x0, x1, x2, x3, x4, x5"),
        (treated, cluster, "x0"),
        (alone, {"kind": "HC0"}, "x0"),
        (alone, {"kind": "HC1"}, "x0"),
        (np.hstack([alone, x]), {"kind": "HC1"}, ""),
        (np.hstack([D, x]), cluster, ""),
    ):
        y = design[:, 0] + r.normal(size=n)
        model = LinearRegression(fit_intercept=False).fit(design, y)
        if not lost:
            assert (np.diagonal(model.covariance(design, y, **options)) > 1e-12).all()
            continue
        with pytest.warns(IndefiniteCovarianceWarning, match=f"^{lost}: no robust variance"):
            V = model.covariance(design, y, **options)
        names = [name for name in model.summary().to_frame().index if name not in lost]
        assert np.isnan(np.diagonal(V)).sum() == design.shape[1] - len(names)
        assert (np.diagonal(V)[~np.isnan(np.diagonal(V))] > 1e-12).all()
        with (
            pytest.warns(IndefiniteCovarianceWarning),
            pytest.raises(InferenceError, match="no variance is left of a combination of x0"),
        ):
            model.wald_test("x0 = 0", design, y, **options)
    for make, y in (
        (LogisticRegression(C=np.inf, fit_intercept=False), r.integers(0, 2, n)),
        (ObjectiveRegressor("exp(eta) - y*eta", fit_intercept=False), r.poisson(3.0, n)),
    ):
        with pytest.warns(IndefiniteCovarianceWarning, match="^x0, x1, x2, x3, x4, x5: no robust"):
            assert np.isnan(make.fit(D, y).covariance(D, y, **cluster)).all()
        assert (np.diagonal(make.covariance(D, y, kind="HC0")) > 1e-12).all()
    # With columns and targets in any units, and several of them, none is lost.
    units, y = np.array([1e-6, 1.0, 1e6]), r.normal(size=(n, 2)) * [1e-9, 1e9]
    X = r.normal(size=(n, 3)) * units
    labels = np.digitize(X[:, 1] + r.logistic(size=n), [-1.0, 1.0])
    for model, target in (
        (LinearRegression(), y),
        (LogisticRegression(C=np.inf), labels),
        (LogisticRegression(C=np.inf), labels > 0),
    ):
        for options in ({"kind": "HC0"}, {"kind": "HC1"}, cluster):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                V = model.fit(X, target).covariance(X, target, **options)
            assert (np.diagonal(V) > 0).all()
    # Small is not zero: noise of 1e-9 in one category, of 1 in the others.
    y = r.normal(size=n) * np.where(groups == 0, 1e-9, 1.0)
    V = LinearRegression(fit_intercept=False).fit(D, y).covariance(D, y, kind="HC0")
    size = np.sum(y[groups == 0] ** 2) - np.sum(y[groups == 0]) ** 2 / (groups == 0).sum()
    # The sum of squared residuals over the squared count; they have eight digits.
    assert V[0, 0] == pytest.approx(size / (groups == 0).sum() ** 2, rel=1e-5)


# -- variances beyond float64 ----------------------------------------------------------------------


def covariance_kinds(n):
    rng = np.random.default_rng(6)
    groups = rng.integers(0, 6, (n, 2))
    return {
        "nonrobust": {},
        "HC0": {"kind": "HC0"},
        "HC3": {"kind": "HC3"},
        "one way": {"kind": "cluster", "groups": groups[:, 0]},
        "two ways": {"kind": "cluster", "groups": groups},
    }


@pytest.mark.parametrize("kind", ["nonrobust", "HC0", "HC3", "one way", "two ways"])
@pytest.mark.parametrize("exponents", [*itertools.product((-140, -70, 0, 70, 140), repeat=2)])
def test_errors_are_exact_or_refused_never_zero_or_infinite(kind, exponents):
    """Powers of ten of X and y divide and multiply the errors, as long as variances are numbers."""
    rng = np.random.default_rng(1)  # clipping, which is not needed here, depends on units
    X, y = rng.normal(size=(400, 3)), rng.normal(size=400)
    how = covariance_kinds(len(y))[kind]
    of_x, of_y = exponents
    Z, t = X * 10.0**of_x, y * 10.0**of_y

    def errors(A, b):
        rows = () if kind == "nonrobust" else (A, b)
        table = LinearRegression().fit(A, b).summary(*rows, **how).to_frame()
        return table["standard_error"].to_numpy()

    units = np.array([10.0 ** (of_y - of_x)] * X.shape[1] + [10.0**of_y])
    if np.abs(np.log10(units)).max() > 150:  # squares beyond 1e-305 or 1e308
        remedy = "divide the target" if units.max() > 1 else "multiply the target"
        with pytest.raises(InferenceError, match=rf"the variance of x0.*flows float64.*{remedy}"):
            errors(Z, t)
        return
    # Some hundred roundings of sums of 400 rows.
    np.testing.assert_allclose(errors(Z, t) / units, errors(X, y), rtol=1e-11)


@pytest.mark.parametrize("exponent", [-140, -60, 60, 140])
def test_errors_of_marginal_effects_have_the_units_of_the_columns(exponent):
    X, y, _ = next(noise_problems(1))
    classes = (y > 0).astype(int)
    plain = LogisticRegression(C=np.inf).fit(X, classes).marginal_effects(X, discrete=False)
    model = LogisticRegression(C=np.inf).fit(X * 10.0**exponent, classes)
    found = model.marginal_effects(X * 10.0**exponent, discrete=False)
    # The fit ends with a step of 1e-8 √400 standard errors at the most.
    np.testing.assert_allclose(
        found["standard_error"] * 10.0**exponent, plain["standard_error"], rtol=1e-6
    )


@pytest.mark.parametrize("seed", range(60))
def test_a_penalised_column_of_zeros_has_no_robust_variance(seed):
    """Its scores are zero in every row: rounding errors of eigenvectors are no variance."""
    X = np.column_stack([np.random.default_rng(seed).normal(size=30), np.zeros(30)])
    y, clusters = np.arange(30) % 2, np.arange(30) // 2
    model = LogisticRegression().fit(X, y)
    for options in ({"kind": "HC1"}, {"kind": "cluster", "groups": clusters}):
        variances = np.diagonal(model.covariance(X, y, **options))
        assert variances[1] == 0
        assert (variances[[0, 2]] > 0).all()
