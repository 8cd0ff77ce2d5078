"""Offsets, scales, weights and near-singularity at the edge of float64: right, or refused."""

import warnings

import numpy as np
import pytest
from scipy import sparse

from mcmodels import PCA, LinearRegression, LogisticRegression
from mcmodels.exceptions import FitWarning, RankDeficiencyWarning, SeparationWarning
from tests.numerics import relative_error
from tests.problems import classes_problem, exact_least_squares


def rng(seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("solver", ["auto", "refined", "normal", "pinv"])
@pytest.mark.parametrize("offset", [10.0, 1e3, 1e6])
@pytest.mark.parametrize("factor", [0.01, 1.37, 60.0])
def test_a_column_in_two_units_is_dependent_however_far_from_zero(solver, offset, factor):
    """The product is rounded, to ε times its value: far more than ε times its deviation."""
    r = rng(0)
    a, b = r.standard_normal(400) + offset, r.standard_normal(400)
    X = np.column_stack([a, factor * a, b])
    with pytest.warns(RankDeficiencyWarning, match="rank 2 where 3.*x0, x1"):
        model = LinearRegression(solver=solver).fit(X, b + r.standard_normal(400))
    assert np.abs(model.coef_).max() < 2
    with pytest.warns(RankDeficiencyWarning, match="only 2 of 3"):
        assert PCA(whiten=True).fit(X).rank_ == 2
    with pytest.warns(RankDeficiencyWarning, match="rank 2 where 3.*x0, x1"):
        logistic = LogisticRegression(C=np.inf).fit(X, b + r.standard_normal(400) > 0)
    assert np.abs(logistic.coef_).max() < 5


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("solver", ["auto", "refined", "normal", "pinv"])
def test_a_rounded_sum_is_dependent_in_any_precision(dtype, solver):
    a = (rng(1).standard_normal((300, 2)) + (0 if dtype == "float16" else 50)).astype(dtype)
    X = np.column_stack([a, a[:, 0] + a[:, 1]])
    with pytest.warns(RankDeficiencyWarning):
        model = LinearRegression(solver=solver).fit(X, rng(2).standard_normal(300))
    assert model.rank_ == 2
    assert np.abs(model.coef_).max() < 1


@pytest.mark.parametrize("offset", [1e6, 1e9, 1e12])
def test_an_exact_offset_changes_no_coefficient(offset):
    z = rng(3).standard_normal((60, 3))
    z[:, 1] = z[:, 0] + 0.01 * z[:, 1]
    X = z + offset
    z = X - offset  # exact
    y = z @ [1, 2, 3] + 1e-3 * rng(4).standard_normal(60)
    np.testing.assert_array_equal(
        LinearRegression().fit(X, y).coef_, LinearRegression().fit(z, y).coef_
    )


def test_a_correction_in_working_precision_is_about_the_mean():
    z = rng(5).standard_normal((70_000, 4))
    z[:, 1] = z[:, 0] + 3e-4 * z[:, 1]
    X = z + 1e6
    z = X - 1e6
    y = z @ [1, 2, 3, -4] + rng(6).standard_normal(70_000)
    moved, reference = LinearRegression().fit(X, y), LinearRegression().fit(z, y)
    assert moved.n_iter_ == 1
    assert relative_error(moved.coef_, reference.coef_) < 1e-11


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("offset", [1e3, 1e7, 1e10])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_columns_far_from_zero(C, offset, n_classes):
    X, y = classes_problem(7, 200, 2, n_classes)
    X = np.round(X * 1024) / 1024
    reference = LogisticRegression(C=C).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LogisticRegression(C=C).fit(X + offset, y)
    # The intercept holds offset·coef, and carries its rounding into the predictor.
    assert relative_error(model.coef_, reference.coef_) < 1e-6
    assert model.n_iter_[0] <= reference.n_iter_[0] + 1


def test_logistic_finds_the_maximum_through_a_nearly_singular_design():
    """Powers of x to the tenth: the same space as an orthonormal basis, the same likelihood."""
    t = np.linspace(0, 1, 400)
    y = rng(8).random(400) < 1 / (1 + np.exp(-3 * np.sin(6 * t)))
    powers = np.vander(t, 11, increasing=True)
    basis = np.linalg.qr(powers)[0]
    model = LogisticRegression(C=np.inf).fit(powers[:, 1:], y)
    reference = LogisticRegression(C=np.inf, fit_intercept=False).fit(basis, y)
    assert model.status_ == "converged"
    assert model.objective_ == pytest.approx(reference.objective_, rel=1e-10)


@pytest.mark.parametrize("scale", [1e-20, 1e-8, 1e-6, 1e6, 1e12])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("intercept", [True, False])
def test_scale_decides_neither_convergence_nor_separation(scale, n_classes, intercept):
    X, y = classes_problem(9, 200, 3, n_classes)
    options = {"C": np.inf, "fit_intercept": intercept}
    reference = LogisticRegression(**options).fit(X, y)
    model = LogisticRegression(**options).fit(X * scale, y)
    assert model.status_ == "converged"
    assert relative_error(model.coef_ * scale, reference.coef_) < 1e-9


@pytest.mark.parametrize("weight", [1.0, 1e8, 1e9])
def test_heavy_rows_do_not_hide_a_light_group(weight):
    model = LogisticRegression(C=np.inf).fit(
        [[0.0], [0], [1], [1]], [0, 1, 0, 1], sample_weight=[weight, weight, 1, 30]
    )
    assert model.status_ == "converged"
    # The objective of 1e9 rows leaves 1e-7 visible, a deviation of 1e-4.
    assert model.coef_[0, 0] == pytest.approx(np.log(30), rel=1e-6)


@pytest.mark.parametrize(("C", "scale"), [(1e6, 100), (1e10, 1), (1e8, 100), (1e12, 1)])
def test_a_weak_penalty_keeps_softmax_symmetric(C, scale):
    X, y = classes_problem(10, 300, 3, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LogisticRegression(C=C).fit(X * scale, y)
    assert np.abs(model.coef_.sum(axis=0)).max() < 1e-13 * np.abs(model.coef_).max()
    free = LogisticRegression(C=np.inf).fit(X * scale, y)
    assert relative_error(model.coef_, free.coef_) < 100 / (C * scale**2)


def test_vanished_curvature_is_separation_and_no_dependency():
    x = [-1.5572, -1.7577, -0.0068, 1.0082, -0.0093, 0.3792, -0.2461]
    x += [-1.0121, -1.2316, -0.54, 0.1052, -0.2225, -0.0073, 0.9968]
    y = [0, 1, 2, 2, 0, 2, 1, 1, 1, 1, 2, 1, 1, 2]
    with pytest.warns(SeparationWarning):
        assert LogisticRegression(C=np.inf).fit(np.c_[x], y).status_ == "separated"


@pytest.mark.parametrize("seed", range(0, 200, 5))
def test_deflation_survives_columns_without_variance(seed):
    X = np.column_stack([rng(seed).standard_normal((8, 3)), np.ones(8)])
    model = PCA(solver="deflation", random_state=0).fit(X)
    assert relative_error(model.eigenvalues_, PCA(solver="eigh").fit(X).eigenvalues_) < 1e-12
    assert model.status_ == "rank deficient"


@pytest.mark.parametrize("scale", [1e80, 1e-84])
@pytest.mark.parametrize("solver", ["auto", "eigh", "deflation"])
def test_components_of_any_scale(scale, solver):
    X = rng(11).standard_normal((30, 5)) * [5, 4, 3, 2, 1]
    model = PCA(2, solver=solver, random_state=0).fit(X * scale)
    expected = PCA(2).fit(X)
    assert relative_error(model.eigenvalues_ / scale**2, expected.eigenvalues_) < 1e-12
    assert relative_error(model.components_, expected.components_) < 1e-9


def test_components_far_from_zero():
    """A mean held as one float64 would be off by 1e-4 here, and gradients by its square."""
    for shape in ((30, 5), (5, 30)):
        rows = np.round(rng(12).standard_normal(shape) * 1024) / 1024  # the shift is then exact
        near, far = PCA(3).fit(rows), PCA(3).fit(rows + 1e12)
        assert relative_error(far.eigenvalues_, near.eigenvalues_) < 1e-13
        assert np.abs(far.gradient(rows + 1e12)).max() < 1e-12


@pytest.mark.parametrize("place", ["X", "y"])
def test_blocks_that_overflow_are_refused_without_another_warning(place):
    """The squares of the factor overflow before the error says so."""
    r = rng(3)
    X, y = r.standard_normal((50, 3)), r.standard_normal(50)
    X, y = (X * 1e160, y) if place == "X" else (X, y * 1e160)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=f"of {place} overflow float64"):
            LinearRegression().partial_fit(X, y)


def test_targets_and_weights_that_overflow_are_refused():
    X = rng(14).standard_normal((30, 2))
    with pytest.raises(ValueError, match=r"weighted squares of column\(s\) \[0\] of y overflow"):
        LinearRegression().fit(X, np.linspace(1, 2, 30) * 8e307)
    with pytest.raises(ValueError, match="overflow"):
        LinearRegression().fit(X, X[:, 0] + 5, sample_weight=np.full(30, 1e306) * 5)
    for model in (LinearRegression(), LogisticRegression(), PCA()):
        with pytest.raises(ValueError, match="sum of sample_weight overflows"):
            model.fit(X, X[:, 0] > 0, sample_weight=np.full(30, 1e307))


def test_columns_that_underflow_are_refused_and_targets_are_not():
    X = rng(15).standard_normal((40, 2))
    y = X @ [1, 2.0] + rng(16).standard_normal(40)
    with pytest.raises(ValueError, match=r"column\(s\) \[1\] of X underflow float64; multiply"):
        LinearRegression().fit(X * [1, 1e-160], y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FitWarning)
        tiny = LinearRegression().fit(X, y * 1e-170)
    assert relative_error(tiny.coef_ * 1e170, LinearRegression().fit(X, y).coef_) < 1e-12


def test_leverages_stay_exact_where_normal_equations_would_lose_them():
    x = np.linspace(0, 1, 100)
    powers = np.vander(x, 9, increasing=True)[:, 1:]
    model = LinearRegression().fit(powers, np.sin(5 * x))
    assert model.leverage(powers).sum() == pytest.approx(9, rel=1e-9)
    centred = powers - powers.mean(axis=0)
    expected = np.linalg.svd(centred, compute_uv=False)
    assert np.abs(model.singular_ / expected - 1).max() < 1e-9


def test_rows_without_weight_cost_nothing_and_may_hold_anything():
    X = np.vstack([rng(17).standard_normal((3, 6)), np.full((1, 6), 1e200)])
    assert PCA(2).fit(X, sample_weight=[1, 1, 1, 0]).n_samples_ == 3
    assert LinearRegression(solver="pinv").fit(X[:, :2], X[:, 2], [1, 1, 1, 0]).rank_ == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"class_weight": {0: -1.0}}, "must hold finite numbers of at least 0"),
        ({"class_weight": {0: np.nan}}, "must hold finite numbers of at least 0"),
        ({"class_weight": {0: 0.0}}, "only one class of positive class_weight: 1"),
        ({"C": 1e-309}, "so small that 1/C overflows"),
    ],
)
def test_class_weights_and_penalties_without_meaning(parameters, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression(**parameters).fit(rng(18).standard_normal((10, 2)), np.arange(10) % 2)


def test_targets_are_needed_and_dense():
    X, y = rng(19).standard_normal((10, 2)), np.arange(10) % 2
    for model in (LinearRegression().fit(X, y), LogisticRegression().fit(X, y)):
        with pytest.raises(ValueError, match="y is None; the objective needs the targets"):
            model.gradient(X)
    with pytest.raises(TypeError, match=r"y is a sparse matrix.*Pass y.toarray\(\)"):
        LinearRegression().fit(X, sparse.csr_array(y[:, None]))


def test_pca_needs_a_covariance_at_other_points_too():
    X = rng(20).standard_normal((20, 3))
    model = PCA(2).fit(X)
    for rows, w in ((X[:1], None), (X, np.full(20, 1 / 40))):
        with pytest.raises(ValueError, match="weights count rows"):
            model.objective(rows, sample_weight=w)


def test_no_columns_but_zeros():
    with pytest.warns(RankDeficiencyWarning, match="rank 0 where 2 would be full"):
        model = LogisticRegression(C=np.inf).fit(np.zeros((6, 2)), [0, 1, 2] * 2)
    assert np.abs(model.params_).max() < 1e-15


def test_weights_stand_for_rows_where_rows_are_counted():
    X = rng(21).standard_normal((4, 6))
    repeated = np.repeat(X, 5, axis=0)
    one, other = PCA("mle").fit(X, sample_weight=[5] * 4), PCA("mle").fit(repeated)
    assert one.n_components_ == other.n_components_
    assert PCA().fit([[1.0, 2.0]], sample_weight=[3]).explained_variance_.tolist() == [0, 0]


@pytest.mark.parametrize("gap", [1e-10, 1e-11, 1e-12])
@pytest.mark.parametrize("seed", range(4))
def test_nearly_equal_columns_are_solved_to_the_last_digit(gap, seed):
    """Against the exact rational solution of the float64 rows."""
    r = rng(seed)
    a, y, w = r.standard_normal(12), r.standard_normal(12), r.uniform(0.5, 2, 12)
    X = np.column_stack([a, a + gap * r.standard_normal(12)])
    exact = exact_least_squares(np.column_stack([X, np.ones(12)]), y, w)
    assert relative_error(LinearRegression().fit(X, y, w).params_, exact) < 4e-16


@pytest.mark.parametrize(("dtype", "first"), [("float16", 2010), ("float32", 10_000_000)])
def test_integers_that_a_dtype_holds_are_no_noise(dtype, first):
    year = rng(22).integers(first, first + 11, 200)
    y = 0.5 * (year - first) + rng(23).standard_normal(200)
    X = year[:, None].astype(dtype)
    np.testing.assert_array_equal(X[:, 0].astype(int), year)
    exact = LinearRegression().fit(year[:, None], y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert relative_error(LinearRegression().fit(X, y).coef_, exact.coef_) < 1e-12
        assert PCA().fit(X).rank_ == 1


def test_a_class_of_weight_zero_is_absent_however_it_is_said():
    X, y = classes_problem(24, 90, 3, 3)
    reference = LogisticRegression(C=np.inf).fit(X[y > 0], y[y > 0])
    by_class = LogisticRegression(C=np.inf, class_weight={0: 0.0}).fit(X, y)
    by_row = LogisticRegression(C=np.inf, class_weight={0: 5, 1: 1}).fit(X, y, y > 0)
    for model, w in ((by_class, None), (by_row, y > 0)):
        np.testing.assert_array_equal(model.classes_, [1, 2])
        assert relative_error(model.params_, reference.params_) < 1e-12
        assert model.objective(X, y, sample_weight=w) == pytest.approx(reference.objective_)


@pytest.mark.parametrize("solver", ["auto", "eigh", "deflation"])
def test_small_components_of_wide_rows_are_orthogonal(solver):
    r = rng(42)
    M = r.standard_normal((7, 3)) * [1, 1e-4, 2e-7] @ r.standard_normal((3, 12))
    axes = PCA(3, solver=solver, random_state=0).fit(M).components_
    assert relative_error(axes @ axes.T, np.eye(3)) < 1e-14


@pytest.mark.parametrize("solver", ["auto", "refined", "normal", "pinv"])
def test_a_column_that_counts_in_last_bits_is_not_constant(solver):
    x = 2.0**52 + np.arange(8)
    model = LinearRegression(solver=solver).fit(x[:, None], np.arange(8.0))
    assert model.coef_[0] == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("solver", ["auto", "refined", "normal", "pinv"])
@pytest.mark.parametrize("n", [3, 50, 5000])
@pytest.mark.parametrize("value", [0.1, -1 / 3, 1e8 + 0.1, 1e-20])
def test_a_constant_is_constant_whatever_its_rounding(solver, n, value):
    X = np.column_stack([rng(25).standard_normal(n), np.full(n, value)])
    w = rng(26).uniform(0.1, 2, n)
    for weights in (None, w):
        with pytest.warns(RankDeficiencyWarning, match=r"columns x1\."):
            model = LinearRegression(solver=solver).fit(X, X[:, 0], weights)
        assert model.coef_ == pytest.approx([1, 0], abs=1e-12)
