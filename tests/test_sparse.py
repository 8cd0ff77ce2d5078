"""Sparse rows with many columns: no p×p matrix, nothing made dense, and the same answers."""

import tracemalloc
import warnings

import numpy as np
import pytest
from scipy import sparse

from mcmodels import PCA, LinearRegression, LogisticRegression
from mcmodels.exceptions import ConvergenceWarning, FitWarning, RankDeficiencyWarning
from mcmodels.rows import ArrayRows, ColumnMoments, Moments
from mcmodels.rows.blocks import SparseDesign, rows_between
from mcmodels.rows.moments import point_near_mean
from mcmodels.solvers import matrix_free, room
from tests.numerics import relative_error
from tests.problems import linear_problem

MANY = 20_000


@pytest.fixture
def no_room(monkeypatch):
    """Everything is too large for a matrix."""
    monkeypatch.setattr(room, "LARGEST_SIDE", 1)


@pytest.fixture(scope="module")
def text():
    """30,000 rows and 20,000 columns, 1 in 1000 of them filled: a Gram matrix has 3.2 GB."""
    return sparse.random_array((30_000, MANY), density=1e-3, rng=0, format="csr")


def peak_of(work):
    tracemalloc.start()
    result = work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, peak


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("n_targets", [None, 3])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_least_squares_without_a_matrix(no_room, intercept, weighted, n_targets, storage):
    problem = linear_problem(
        0, 200, 10, intercept=intercept, weighted=weighted, n_targets=n_targets
    )
    model = LinearRegression(fit_intercept=intercept)
    model.fit(storage(problem.X), problem.y, problem.weights)
    assert (model.solver_, model.status_) == ("cg", "converged")
    assert relative_error(model.coef_, problem.coef) < 1e-12
    assert np.abs(model.intercept_ - problem.intercept).max() < 1e-12
    exact = LinearRegression(fit_intercept=intercept, solver="pinv")
    exact.fit(problem.X, problem.y, problem.weights)
    assert np.abs(model.gradient_).max() < 1e-9
    given = model.gradient(problem.X, problem.y, sample_weight=problem.weights)
    assert relative_error(model.gradient_ + 1, given + 1) < 1e-9
    assert relative_error(model.predict(problem.X), exact.predict(problem.X)) < 1e-12


def test_what_needs_a_matrix_says_where_to_get_it(no_room):
    problem = linear_problem(1, 60, 5)
    model = LinearRegression().fit(problem.X, problem.y)
    for wanted in ("hessian_", "singular_", "condition_number_"):
        with pytest.raises(AttributeError, match=r"hessian_vector_product\(X, y, vector=…\)"):
            getattr(model, wanted)
    with pytest.raises(AttributeError, match=r"leverage.*hessian\(X, y\)"):
        model.leverage(problem.X)
    assert model.hessian(problem.X, problem.y).shape == (6, 6)
    assert LinearRegression(solver="normal").fit(problem.X, problem.y).hessian_.shape == (6, 6)


def test_columns_of_all_sizes_and_constant_ones_without_a_matrix(no_room):
    problem = linear_problem(2, 200, 6)
    scale = np.geomspace(1e-8, 1e8, 6)
    X = np.column_stack([problem.X * scale, np.full(200, 7.0), np.zeros(200)])
    with pytest.warns(RankDeficiencyWarning, match="X has rank 6 where 8.*have unit length"):
        model = LinearRegression().fit(X, problem.y)
    assert relative_error(model.coef_[:6] * scale, problem.coef) < 1e-11
    np.testing.assert_array_equal(model.coef_[6:], 0)


def test_fewer_rows_than_columns_are_interpolated(no_room):
    problem = linear_problem(3, 30, 50)
    with pytest.warns(RankDeficiencyWarning, match="rank 29"):
        model = LinearRegression().fit(problem.X, problem.y)
    assert relative_error(model.predict(problem.X), problem.y) < 1e-10


def test_a_hopeless_condition_is_reported(no_room):
    problem = linear_problem(4, 300, 50, condition=1e8)
    with pytest.warns(ConvergenceWarning, match="conjugate gradients"):
        model = LinearRegression().fit(problem.X, problem.y)
    assert model.status_ == "not converged"
    assert np.isfinite(model.params_).all()


def test_no_square_matrix_of_many_columns(text):
    rng = np.random.default_rng(1)
    beta = rng.standard_normal(MANY)
    signal = text @ beta
    y = signal + rng.standard_normal(text.shape[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, peak = peak_of(lambda: LinearRegression().fit(text, y))
        assert peak < 60e6
        classifier, peak = peak_of(lambda: LogisticRegression().fit(text, y > 0))
        assert peak < 60e6
        axes, peak = peak_of(lambda: PCA(2).fit(text[:, :9000]))
        assert peak < 60e6
    assert np.abs(model.gradient_).max() < 1e-8
    assert np.abs(classifier.gradient_).max() < 1e-8 * text.shape[0]
    assert (model.solver_, classifier.solver_, axes.solver_) == ("cg", "newton-cg", "krylov")


def test_a_point_and_squares_of_many_columns_take_vectors(text):
    rows = ArrayRows(text, np.zeros(text.shape[0]))
    point, peak = peak_of(lambda: point_near_mean(rows))
    assert point.shape == (MANY + 1,)
    assert peak < 20e6
    moments, peak = peak_of(lambda: ColumnMoments.of(rows))
    assert peak < 40e6
    mean = text.mean(axis=0)
    assert relative_error(moments.x_mean, mean) < 1e-13
    expected = text.multiply(text).sum(axis=0) - text.shape[0] * mean**2
    assert relative_error(moments.x_squares, expected) < 1e-12


def test_sparse_cross_products_stay_sparse_until_the_end():
    X = sparse.random_array((4000, 3000), density=1e-3, rng=2, format="csr")
    design = SparseDesign(X, intercept=True)
    weights = np.random.default_rng(3).uniform(0, 1, 4000)
    gram = design.sandwich(weights).gram
    assert sparse.issparse(gram)
    assert (gram != gram.T).nnz == 0, "exactly symmetric"
    expected = X.T @ sparse.diags_array(weights) @ X
    assert abs(gram - expected).max() < 1e-14
    moments, peak = peak_of(lambda: Moments.of(ArrayRows(X)))
    assert relative_error(moments.Sxx, np.cov(X.toarray().T) * 3999) < 1e-12
    assert peak < 4.5 * 3000**2 * 8


def test_entries_stored_twice_count_as_their_sum():
    twice = sparse.csr_array(
        (np.array([1.0, 2.0, 5.0]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2)
    )
    np.testing.assert_array_equal(SparseDesign(twice, intercept=False).square_sums(), [25, 9])
    assert twice.nnz == 3


def test_rows_of_a_slice_are_not_copied():
    X = sparse.random_array((50, 20), density=0.2, rng=4, format="csr")
    for part in (slice(0, 7), slice(10, 50), slice(30, 30)):
        found = rows_between(X, part)
        assert (found != X[part]).nnz == 0
        if found.nnz:
            assert np.shares_memory(found.data, X.data)
            assert np.shares_memory(found.T.indices, X.indices)


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_principal_axes_by_products_are_certified(monkeypatch, storage):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((1500, 730)) * np.arange(1, 731) ** -0.5 + 3
    variances = np.linalg.eigvalsh(np.cov(X.T))[::-1]
    monkeypatch.setattr(room, "LARGEST_SIDE", 700)  # room for 48 blocks of 12 vectors
    model = PCA(2).fit(storage(X))
    assert (model.solver_, model.status_) == ("krylov", "converged")
    assert relative_error(model.eigenvalues_, variances[:2]) < 1e-9, "what it certifies"
    assert relative_error(model.explained_variance_ratio_, variances[:2] / variances.sum()) < 1e-9
    assert PCA(2, solver="eigh").fit(storage(X)).solver_ == "lanczos"


def test_more_equal_variances_than_the_block_has_vectors_are_not_certified(monkeypatch):
    axes = sparse.eye_array(730, format="csr")
    monkeypatch.setattr(room, "LARGEST_SIDE", 700)
    model = PCA(2).fit(sparse.vstack([axes, -axes], format="csr"))
    assert (model.solver_, model.status_) == ("lanczos", "converged")
    # Each column has two entries of one about zero, in 1460 rows.
    assert relative_error(model.eigenvalues_, np.full(2, 2 / 1459)) < 1e-13


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weighted", [True, False])
def test_principal_axes_by_products(monkeypatch, storage, weighted):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((500, 60)) * np.logspace(0, -1, 60) + 3
    w = rng.integers(0, 3, 500).astype(float) if weighted else None
    exact = PCA(3).fit(X, sample_weight=w)
    monkeypatch.setattr(room, "LARGEST_SIDE", 5)
    model = PCA(3).fit(storage(X), sample_weight=w)
    assert (model.solver_, model.status_) == ("lanczos", "converged")
    assert relative_error(model.components_, exact.components_) < 1e-12
    assert relative_error(model.eigenvalues_, exact.eigenvalues_) < 1e-13
    assert model.noise_variance_ == pytest.approx(exact.noise_variance_, rel=1e-12)
    assert relative_error(model.mean_, exact.mean_) < 1e-14
    again = PCA(3).fit(storage(X), sample_weight=w)
    np.testing.assert_array_equal(again.components_, model.components_)
    with pytest.raises(AttributeError, match=r"call hessian\(X\)"):
        _ = model.hessian_


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_fewer_rows_than_columns_work_in_the_span_of_the_rows(
    monkeypatch, n_classes, intercept, weighted, storage
):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((40, 100)) + 20 * (np.arange(100) % 7 == 0)
    X[:, 1::2] *= rng.random((40, 50)) < 0.3
    y = np.arange(40) % n_classes
    w = rng.uniform(0, 2, 40) * (np.arange(40) > 4) if weighted else None
    inner = []
    kept = room.fits
    monkeypatch.setattr(room, "fits", lambda *a: inner.append(a) or kept(*a))
    model = LogisticRegression(C=10.0, fit_intercept=intercept).fit(storage(X), y, w)
    assert inner == [(35 if weighted else 40, 100)]
    monkeypatch.setattr(room, "fits", lambda *a: False)
    whole = LogisticRegression(C=10.0, fit_intercept=intercept).fit(X, y, w)
    assert (model.status_, model.solver_) == ("converged", "newton")
    assert relative_error(model.params_, whole.params_) < 1e-9
    assert relative_error(model.hessian_, whole.hessian_) < 1e-9
    assert np.abs(model.gradient_).max() <= 1e-8 * 40
    assert model.objective_ == pytest.approx(whole.objective_, rel=1e-12)


def test_wide_rows_of_many_columns_form_no_square_matrix():
    rng = np.random.default_rng(7)
    X, y = rng.standard_normal((60, 10_000)), np.arange(60) % 2
    model, peak = peak_of(lambda: LogisticRegression().fit(X, y))
    assert model.solver_ == "newton"
    assert peak < 8 * X.nbytes
    assert np.abs(model.gradient_).max() < 1e-8
    with pytest.raises(AttributeError, match="10001 parameters"):
        _ = model.hessian_


def test_wide_rows_without_a_penalty_are_still_found_separated():
    rng = np.random.default_rng(8)
    X, y = rng.standard_normal((30, 60)), np.arange(30) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        for solver in ("auto", "newton-cg"):
            assert LogisticRegression(C=np.inf, solver=solver).fit(X, y).status_ == "separated"


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("n", "p"), [(8, 12), (12, 12), (13, 12), (30, 12)])
def test_the_rank_without_a_matrix_is_that_of_the_rows_about_their_mean(no_room, intercept, n, p):
    """n rows in general position have rank n, and one less about their mean."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, p)), rng.standard_normal(n)
    expected = int(np.linalg.matrix_rank(X - X.mean(axis=0) if intercept else X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = LinearRegression(fit_intercept=intercept).fit(X, y)
    assert model.solver_ == "cg"
    assert model.rank_ == expected
    assert (model.status_ == "rank deficient") == (expected < p)


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("intercept", [True, False])
def test_a_column_that_does_not_vary_is_named_as_the_cause(no_room, storage, intercept):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((200, 8)) * (rng.random((200, 8)) < 0.3)
    X[:, 5] = 2.0 if intercept else 0.0
    y = rng.standard_normal(200)
    model = LinearRegression(fit_intercept=intercept)
    constant = " Constant in every row: x5" if intercept else ""
    with pytest.warns(RankDeficiencyWarning, match=f"rank 7 .* the columns x5\\.{constant}"):
        model.fit(storage(X), y)
    assert model.solver_ == "cg"
    with pytest.warns(RankDeficiencyWarning, match="there are 6 rows for 8 columns"):
        model.fit(storage(rng.standard_normal((6, 8))), y[:6])


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_gradient_short_of_the_minimum(no_room, monkeypatch, intercept, weighted):
    """At a minimum a wrong factor of the gradient does not show; short of it, it does."""
    monkeypatch.setattr(matrix_free, "_CYCLE", 0.1)
    monkeypatch.setattr(matrix_free, "_MAX_CYCLES", 0)
    problem = linear_problem(4, 300, 12, intercept=intercept, weighted=weighted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = LinearRegression(fit_intercept=intercept)
        model.fit(problem.X, problem.y, problem.weights)
    assert model.solver_ == "cg"
    w = np.ones(300) if problem.weights is None else problem.weights
    design = np.column_stack([problem.X, np.ones(300)]) if intercept else problem.X
    gradient = 2 * design.T @ (w * (design @ model.params_ - problem.y))
    assert np.abs(gradient).max() > 1
    # Sums of 300 products below a thousand, in another order.
    np.testing.assert_allclose(model.gradient_, gradient, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("condition", "status"), [(1e3, "converged"), (5e5, "not converged")])
def test_without_a_matrix_a_fit_has_converged_where_eight_digits_are_certain(
    no_room, condition, status
):
    """Products of rows round by 2e-16, and predictions by that times the squared condition."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        U = np.linalg.qr(rng.normal(size=(200, 12)))[0]
        V = np.linalg.qr(rng.normal(size=(12, 12)))[0]
        X, y = (U * np.geomspace(1, 1 / condition, 12)) @ V.T, rng.normal(size=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LinearRegression(fit_intercept=False).fit(X, y)
        assert (model.solver_, model.status_) == ("cg", status)
        if status == "converged":
            expected = U @ (U.T @ y)
            error = np.linalg.norm(model.predict(X) - expected)
            assert error < 1e-8 * np.linalg.norm(expected)
