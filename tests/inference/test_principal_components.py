"""Errors of components against the delta method in high precision, and rules against chance."""

import pickle
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from scipy import sparse, stats
from sklearn.exceptions import NotFittedError

from mcmodels import PCA, RowStream
from mcmodels.exceptions import InferenceError
from tests.certified import answers, table
from tests.numerics import relative_error
from tests.problems import orthonormal

pytestmark = pytest.mark.filterwarnings(
    "ignore::mcmodels.exceptions.RankDeficiencyWarning", "error::RuntimeWarning"
)


def rows_of(variances, n, p, seed=0):
    """Rows whose sample covariance has these variances along random axes, and those axes."""
    rng = np.random.default_rng(seed)
    k = len(variances)
    U = orthonormal(rng, n, k, away_from=np.ones((n, 1)))
    V = orthonormal(rng, p, k)
    return (U * np.sqrt((n - 1) * np.asarray(variances))) @ V.T, V.T


def normal_rows(seed=0, n=60, p=5):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)) @ rng.standard_normal((p, p)) + rng.standard_normal(p)


def delta_method_errors(S, nu, count, digits=60, step="1e-20"):
    """Standard errors of variances, shares, cumulative shares and loadings, with no formula of PCA.

    They are ``√(J C Jᵀ)`` with the covariance of a Wishart matrix over ν,
    ``Cov(Sᵢⱼ, Sₖₗ) = (Sᵢₖ Sⱼₗ + Sᵢₗ Sⱼₖ)/ν``, and J by central differences of eigenvectors found in
    high precision. Source of the covariance: Anderson (2003), theorem 3.4.4.
    """
    with mpmath.workdps(digits):
        S = mpmath.matrix(S)
        p, h = S.rows, mpmath.mpf(step)

        def spectrum(M, towards=None):
            values, vectors = mpmath.eigsy(M)
            order = [p - 1 - k for k in range(count)]
            lam = [values[i] for i in order]
            total = mpmath.fsum(values)
            axes = [[vectors[j, i] for j in range(p)] for i in order]
            if towards is not None:
                turned = [mpmath.fdot(a, b) < 0 for a, b in zip(axes, towards, strict=True)]
                axes = [[-x if t else x for x in a] for a, t in zip(axes, turned, strict=True)]
            running = [mpmath.fsum(lam[: k + 1]) / total for k in range(count)]
            flat = [x for axis in axes for x in axis]
            return lam + [value / total for value in lam] + running + flat, axes

        _, axes = spectrum(S)
        jacobian = {}
        for i in range(p):
            for j in range(i, p):
                E = mpmath.zeros(p)
                E[i, j] = E[j, i] = h
                above, below = spectrum(S + E, axes)[0], spectrum(S - E, axes)[0]
                jacobian[i, j] = [(a - b) / (2 * h) for a, b in zip(above, below, strict=True)]
        variances = np.zeros(3 * count + count * p)
        for q in range(variances.size):
            variances[q] = mpmath.fsum(
                jacobian[i, j][q] * jacobian[k, m][q] * (S[i, k] * S[j, m] + S[i, m] * S[j, k]) / nu
                for i, j in jacobian
                for k, m in jacobian
            )
    errors = np.sqrt(np.clip(variances, 0, None))
    return *np.split(errors[: 3 * count], 3), errors[3 * count :].reshape(count, p)


@pytest.mark.parametrize(
    ("n", "p", "count"), [(30, 3, 3), (60, 5, 5), (60, 5, 2), (40, 2, 1), (5, 6, 4)]
)
@pytest.mark.parametrize("solver", ["auto", "eigh", "deflation"])
def test_standard_errors_are_those_of_the_delta_method(n, p, count, solver):
    X, _ = rows_of(np.geomspace(8, 0.5, min(n - 1, p)), n, p, seed=n + p)
    model = PCA(count, solver=solver, random_state=0).fit(X + 3.0)
    S = np.cov(X, rowvar=False)
    variances, shares, running, loadings = delta_method_errors(S, n - 1, count)
    found = model.confidence_intervals()
    # Rounding in S moves axes by ε times few, as its gaps are at least a tenth of its norm.
    assert relative_error(model.eigenvalue_standard_errors_, variances) < 1e-11
    assert relative_error(model.loading_standard_errors_, loadings) < 1e-11
    assert relative_error(found["standard_error"], variances) < 1e-11
    assert relative_error(found["share_standard_error"], shares) < 1e-11
    assert relative_error(found["cumulative_standard_error"], running) < 1e-11


def test_standard_errors_of_small_variances_survive_squaring():
    variances = [1.0, 1e-18, 1e-20]
    X, axes = rows_of(variances, 40, 3, seed=5)
    with mpmath.workdps(100):
        V = mpmath.qr(mpmath.matrix(axes.T))[0]
        S = V * mpmath.diag([mpmath.mpf(value) for value in variances]) * V.T
        expected = delta_method_errors(S, 39, 3, digits=100, step="1e-50")
    for model in (PCA().fit(X), PCA().partial_fit(X[:7]).partial_fit(X[7:])):
        found = model.confidence_intervals()
        # Entries of X are rounded to ε, which is 1e-6 of the least deviation, 1e-10.
        for name, errors in zip(["", "share_", "cumulative_"], expected, strict=False):
            np.testing.assert_allclose(found[f"{name}standard_error"], errors, rtol=1e-4)
        np.testing.assert_allclose(model.loading_standard_errors_, expected[3], rtol=1e-4)


def test_standard_errors_are_the_spread_over_samples():
    rng = np.random.default_rng(2)
    V = orthonormal(rng, 4, 4)
    truth = np.array([8.0, 4.0, 2.0, 1.0])
    root = np.sqrt(truth)[:, np.newaxis] * V.T
    reps, n = 800, 400
    found, errors = [], []
    for _ in range(reps):
        model = PCA().fit(rng.standard_normal((n, 4)) @ root)
        axes = model.components_ * np.sign(np.diagonal(model.components_ @ V))[:, np.newaxis]
        table = model.confidence_intervals()
        found.append(np.r_[model.eigenvalues_, table["share"], table["cumulative"][:3], axes.flat])
        errors.append(
            np.r_[
                model.eigenvalue_standard_errors_,
                table["share_standard_error"],
                table["cumulative_standard_error"][:3],
                model.loading_standard_errors_.flat,
            ]
        )
    # A standard deviation of 800 draws is known to 1/√1600 = 2.5 %; four of these hold for all 27,
    # and terms of order 1/n add 2 %.
    spread = np.std(found, axis=0, ddof=1)
    np.testing.assert_allclose(np.mean(errors, axis=0), spread, rtol=0.12)


def test_intervals_on_their_scales():
    X, _ = rows_of([6.0, 3.0, 1.0], 51, 3)
    for level in (0.5, 0.95, 0.999):
        quantile = float(mpmath.sqrt(2) * mpmath.erfinv(level))
        found = PCA().fit(X).confidence_intervals(level)
        for variance, lower, upper in zip(
            [6.0, 3.0, 1.0], found["lower"], found["upper"], strict=True
        ):
            assert np.log(upper / variance) == pytest.approx(quantile / 5, rel=1e-12)  # √(2/50)
            assert np.log(variance / lower) == pytest.approx(quantile / 5, rel=1e-12)
        for name in ("share", "cumulative"):
            inside = found.iloc[:2]
            share, error = inside[name], inside[f"{name}_standard_error"]
            upper, lower = inside[f"{name}_upper"], inside[f"{name}_lower"]
            # The slope of the log-odds is 1/(s(1 - s)); the ends are as far apart on that scale.
            reach = quantile * error / (share * (1 - share))
            middle = np.log(share / (1 - share))
            np.testing.assert_allclose(np.log(upper / (1 - upper)) - middle, reach, rtol=1e-10)
            np.testing.assert_allclose(middle - np.log(lower / (1 - lower)), reach, rtol=1e-10)
        # The sum of all shares is one and known.
        ends = found.loc["pca2", ["cumulative_lower", "cumulative_upper"]]
        np.testing.assert_allclose(ends, 1.0, rtol=1e-15)
        assert found.loc["pca2", "cumulative_standard_error"] == 0.0
    assert list(found.columns) == [
        *("variance", "standard_error", "lower", "upper"),
        *("share", "share_standard_error", "share_lower", "share_upper"),
        *("cumulative", "cumulative_standard_error", "cumulative_lower", "cumulative_upper"),
    ]


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1, np.nan])
def test_levels_outside_of_zero_and_one_are_refused(level):
    model = PCA().fit(normal_rows())
    for call in (model.confidence_intervals, lambda level: model.summary(level=level)):
        with pytest.raises(ValueError, match="level"):
            call(level)
    with pytest.raises(ValueError, match="quantile"):
        model.parallel_analysis(quantile=level)


def test_repeated_variances_have_no_axes():
    X, _ = rows_of([4.0, 2.0, 2.0, 1.0], 50, 4)
    for solver in ("auto", "eigh"):
        errors = PCA(solver=solver).fit(X).loading_standard_errors_
        assert np.isinf(errors[1:3]).all()
        assert np.isfinite(errors[[0, 3]]).all()


@pytest.mark.parametrize("solver", ["auto", "eigh"])
def test_rank_deficient_rows(solver):
    """One direction without variance is known exactly; of a plane without, no axis is."""
    X, _ = rows_of([4.0, 2.0, 1.0], 50, 5)
    once, twice = X @ np.eye(5)[:, :4], X
    model = PCA(solver=solver).fit(once)
    assert model.rank_ == 3
    assert (model.loading_standard_errors_[3] == 0).all()
    assert np.isfinite(model.loading_standard_errors_).all()
    assert (model.confidence_intervals().loc["pca3", ["variance", "lower", "upper"]] == 0).all()
    model = PCA(solver=solver).fit(twice)
    assert np.isinf(model.loading_standard_errors_[3:]).all()
    # The directions with variance do not feel those without: their errors are those in 3 columns.
    plain = PCA().fit(twice @ np.linalg.svd(twice)[2][:3].T)
    assert (
        relative_error(
            (model.loading_standard_errors_[:3] ** 2).sum(axis=1),
            (plain.loading_standard_errors_**2).sum(axis=1),
        )
        < 1e-10
    )  # the trace of the covariance of an axis does not depend on the coordinates
    assert not model.confidence_intervals().isna().any(axis=None)
    with pytest.raises(InferenceError, match="linearly dependent"):
        model.sphericity_test()
    for some in (PCA(2, solver=solver).fit(twice), PCA(2, solver=solver).partial_fit(twice)):
        shares = some.broken_stick().table["share"]  # those not kept are no noise, either
        np.testing.assert_allclose(shares, np.array([4, 2, 1, 0, 0]) / 7, rtol=1e-13)


def test_constant_rows_and_single_columns():
    constant = PCA().fit(np.full((6, 3), 0.1))
    assert np.isinf(constant.loading_standard_errors_).all()
    assert (constant.confidence_intervals() == 0).all(axis=None)
    assert constant.broken_stick().count == constant.parallel_analysis(n_draws=5).count == 0
    for seed in range(20):  # a column alone has all of the variance by chance as well
        single = PCA().fit(normal_rows(seed, p=1))
        assert (single.loading_standard_errors_ == 0).all()
        assert single.broken_stick().count == single.parallel_analysis(n_draws=5).count == 0
    with pytest.raises(InferenceError, match="only one column"):
        single.sphericity_test()


def test_what_needs_a_fit_says_so():
    for call in (
        lambda model: model.eigenvalue_standard_errors_,
        lambda model: model.loading_standard_errors_,
        lambda model: model.confidence_intervals(),
        lambda model: model.sphericity_test(),
        lambda model: model.summary(),
    ):
        with pytest.raises(NotFittedError):
            call(PCA())


def test_what_needs_all_variances_says_so_when_they_are_not_kept():
    model = PCA(1).fit(normal_rows())
    # As for data too large to keep it.
    model._fit = replace(model._fit, kept_covariance=None)
    with pytest.raises(InferenceError, match="not kept"):
        model.loading_standard_errors_  # noqa: B018
    assert model.eigenvalue_standard_errors_ == pytest.approx(
        model.eigenvalues_ * np.sqrt(2 / 59), rel=1e-14
    )


def inferred(model):
    """All numbers that a fit says."""
    return {
        "intervals": model.confidence_intervals(0.9),
        "loadings": model.loading_standard_errors_,
        "sphericity": [model.sphericity_test().statistic, model.sphericity_test().p_value],
        "stick": model.broken_stick().table,
        "parallel": model.parallel_analysis(n_draws=20, random_state=3).table,
    }


def assert_same(actual, expected, rtol):
    for name, values in inferred(expected).items():
        np.testing.assert_allclose(inferred(actual)[name], values, rtol=rtol, err_msg=name)


def test_any_way_of_giving_the_rows_says_the_same():
    X = normal_rows(n=90)
    model = PCA().fit(X)
    counts = np.arange(90) % 3
    weighted = PCA().fit(X, sample_weight=counts)
    blocks = [X[:20], X[20:21], X[21:]]
    parts = PCA()
    for block in blocks:
        parts.partial_fit(block)
    merged = PCA().partial_fit(X[:50]).merge(PCA().partial_fit(X[50:]))
    weighted_parts = PCA()
    for some in (slice(0, 31), slice(31, 90)):
        weighted_parts.partial_fit(X[some], sample_weight=counts[some])
    # All are the same up to rounding, which the gaps of the spectrum magnify at most 1e3 times.
    assert_same(parts, model, 1e-11)
    assert_same(merged, model, 1e-11)
    assert_same(PCA().fit(RowStream(blocks)), model, 1e-11)
    assert_same(PCA().fit(sparse.csr_array(X)), model, 1e-11)
    assert_same(PCA(whiten=True).fit(X), model, 0)
    assert_same(weighted, PCA().fit(np.repeat(X, counts, axis=0)), 1e-11)
    assert_same(weighted_parts, weighted, 1e-11)
    assert_same(pickle.loads(pickle.dumps(model)), model, 0)
    single = X.astype(np.float32)
    assert_same(PCA().fit(single), PCA().fit(single.astype(np.float64)), 1e-11)


@pytest.mark.parametrize("shape", [(60, 6), (6, 12)])
def test_fewer_components_say_the_same_of_those_kept(shape):
    X = normal_rows(n=shape[0], p=shape[1])
    full, some = PCA().fit(X), PCA(2).fit(X)
    expected = full.confidence_intervals().iloc[:2]
    np.testing.assert_allclose(some.confidence_intervals(), expected, rtol=1e-11)
    np.testing.assert_allclose(
        some.loading_standard_errors_, full.loading_standard_errors_[:2], rtol=1e-11
    )
    for rule in (PCA.broken_stick, lambda model: PCA.parallel_analysis(model, random_state=0)):
        whole, part = rule(full), rule(some)
        assert whole.count == part.count
        r = min(shape[0] - 1, shape[1])  # the sixth of six rows has no variance
        np.testing.assert_allclose(part.table[:r], whole.table[:r], rtol=1e-11)


def test_wide_rows():
    model = PCA().fit(normal_rows(n=8, p=20))
    assert np.isinf(model.loading_standard_errors_[7]).all()  # one of 13 axes without variance
    assert np.isfinite(model.loading_standard_errors_[:7]).all()
    assert not model.confidence_intervals().isna().any(axis=None)
    assert "no more rows than columns" in str(model.summary())
    assert "no more rows than columns" not in str(PCA().fit(normal_rows()).summary())
    few = PCA().fit(normal_rows(n=12, p=5), sample_weight=np.full(12, 0.4))  # they count as 4.8
    for fitted in (model, few):
        with pytest.raises(InferenceError, match="no more rows than columns"):
            fitted.sphericity_test()


@pytest.mark.parametrize("name", ["nist_handbook_pca", "usarrests_scaled", "iris_scaled"])
def test_sphericity_of_certified_spectra(name):
    """The determinant is the product of variances known to 30 digits."""
    about = answers(name)
    X = table(name)[about["columns"]].to_numpy(dtype=float)
    n, p = X.shape
    with mpmath.workdps(30):
        determinant = mpmath.fprod(map(mpmath.mpf, about["eigenvalues"]))
        statistic = -(n - 1 - mpmath.mpf(2 * p + 5) / 6) * mpmath.log(determinant)
        df = p * (p - 1) // 2
        expected = mpmath.gammainc(mpmath.mpf(df) / 2, statistic / 2, regularized=True)
    for rows in (X, (X - X.mean(axis=0)) / X.std(axis=0, ddof=1), X * np.geomspace(1e-6, 1e6, p)):
        test = PCA().fit(rows).sphericity_test()
        # The condition of these correlations is at most 200, and p is as steep as e^-statistic/2.
        assert test.statistic == pytest.approx(float(statistic), rel=1e-11)
        assert test.p_value == pytest.approx(float(expected), rel=1e-8)
        assert (test.df, test.distribution) == (df, "chi2")


def test_sphericity_is_uniform_under_independence_and_powerful_otherwise():
    rng = np.random.default_rng(4)
    scales = np.array([1.0, 10.0, 0.1, 5.0])
    p_values = [
        PCA().fit(rng.standard_normal((60, 4)) * scales).sphericity_test().p_value
        for _ in range(1000)
    ]
    # Bartlett's factor leaves an error of order 1/n²; 1000 draws show differences of 4 %.
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    root = np.linalg.cholesky(0.7 * np.eye(4) + 0.3).T
    rejected = [
        PCA().fit(rng.standard_normal((100, 4)) @ root).sphericity_test().p_value < 0.05
        for _ in range(100)
    ]
    # -log det R is 0.43, so χ² with 6 degrees is about 42 off centre: power is above 0.999.
    assert np.mean(rejected) > 0.98


@pytest.mark.parametrize("value", [0.1, 1e8 / 3])
def test_sphericity_names_constant_columns(value):
    import pandas as pd

    X = pd.DataFrame(normal_rows(n=90, p=3), columns=["a", "b", "c"]).assign(b=value)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 90)
    parts = PCA()
    for some in (slice(0, 20), slice(20, 33), slice(33, 90)):
        parts.partial_fit(X[some], sample_weight=weights[some])  # rounding leaves it 1e-50
    for model in (PCA().fit(X), parts):
        with pytest.raises(InferenceError, match="column b is constant"):
            model.sphericity_test()
