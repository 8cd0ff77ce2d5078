"""Laws that hold whatever the data are: weights, order, chunks, classes, scaling, storage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mcmodels import PCA, LinearRegression, LogisticRegression
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective, SoftmaxCrossEntropy
from mcmodels.rows import ArrayRows
from mcmodels.solvers import least_squares
from tests.numerics import relative_error
from tests.problems import classes_problem, linear_problem, storages

# Two ways to sum the same hundred numbers, and a solve with a condition below a hundred.
ROUNDING = 1e-11
ESTIMATORS = {
    "linear": LinearRegression(),
    "linear pinv": LinearRegression(solver="pinv"),
    "logistic": LogisticRegression(),
    "logistic C=inf": LogisticRegression(C=np.inf),
    "logistic balanced": LogisticRegression(class_weight="balanced"),
    "pca": PCA(2),
    "pca deflation": PCA(2, solver="deflation", random_state=0),
}


def data(name, seed=0, n=60, n_classes=3):
    X, classes = classes_problem(seed, n, 4, n_classes)
    y = np.random.default_rng(seed).standard_normal(n) if name.startswith("linear") else classes
    return X, y


def fitted(name, X, y, w=None):
    model = ESTIMATORS[name]
    return type(model)(**model.get_params()).fit(X, y, sample_weight=w)


def same(a, b, tolerance=ROUNDING):
    assert relative_error(a.params_, b.params_) < tolerance
    assert relative_error(a.hessian_, b.hessian_) < tolerance


@pytest.mark.parametrize("name", ESTIMATORS)
def test_weight_zero_is_an_absent_row(name):
    X, y = data(name)
    w = np.ones(60)
    w[[3, 17, 40]] = 0
    X_wild = X.copy()
    X_wild[w == 0] = 1e6
    same(fitted(name, X_wild, y, w), fitted(name, X[w > 0], y[w > 0]))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_weight_two_is_a_row_twice(name):
    X, y = data(name)
    w = np.random.default_rng(1).integers(0, 4, 60)
    same(fitted(name, X, y, w), fitted(name, np.repeat(X, w, axis=0), np.repeat(y, w)))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_order_of_rows_does_not_matter(name):
    X, y = data(name)
    order = np.random.default_rng(2).permutation(60)
    same(fitted(name, X, y), fitted(name, X[order], y[order]))


@pytest.mark.parametrize("name", [n for n in ESTIMATORS if "C=inf" in n or n.startswith("linear")])
def test_scaling_a_column_moves_its_coefficient_by_the_inverse(name):
    X, y = data(name)
    scale = np.array([1e6, 1e-5, 1.0, 1e3])
    plain, scaled = fitted(name, X, y), fitted(name, X * scale, y)
    assert relative_error(scaled.coef_ * scale, plain.coef_) < 1e-9
    assert relative_error(scaled.intercept_, plain.intercept_) < 1e-9


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("storage", ["C", "F", "strided", "csr", "csc", "coo matrix"])
def test_storage_does_not_matter(name, storage):
    X, y = data(name)
    X[np.abs(X) < 0.8] = 0
    X[:, 3] += 100  # a filled column among sparse ones
    same(fitted(name, X, y), fitted(name, storages(X)[storage], y))


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("dtype", ["float32", "int8", "int64", "bool", "float16"])
def test_dtype_changes_nothing_but_the_rounding_of_the_entries(name, dtype):
    X, y = data(name)
    X = (
        (X > np.median(X, axis=0)).astype(dtype)
        if dtype == "bool"
        else np.round(4 * X).astype(dtype)
    )
    same(fitted(name, X.astype(float), y), fitted(name, X, y))


@pytest.mark.parametrize("penalty", [0.0, 0.7])
def test_binomial_is_two_class_multinomial(penalty):
    """With softmax, a penalty is shared by two opposite rows of coefficients: α becomes 2α."""
    X, y = classes_problem(3, 70, 3, 2)
    rows = ArrayRows(X, y)
    binary = LinearPredictorObjective(rows, BinaryCrossEntropy(), penalty)
    softmax = LinearPredictorObjective(rows, SoftmaxCrossEntropy(), 2 * penalty)
    theta = np.random.default_rng(4).standard_normal(4)
    both = np.array([-theta / 2, theta / 2])
    assert softmax.value(both) == pytest.approx(binary.value(theta), rel=1e-14)
    assert relative_error(softmax.gradient(both)[1], binary.gradient(theta)) < 1e-13


def test_binary_labels_in_any_dress_give_the_same_fit():
    X, y = classes_problem(5, 50, 3, 2)
    reference = LogisticRegression().fit(X, y)
    for labels in (y.astype(bool), y.astype(float), np.array(["a", "b"])[y], y - 7):
        model = LogisticRegression().fit(X, labels)
        np.testing.assert_array_equal(model.params_, reference.params_)
        np.testing.assert_array_equal(
            model.predict(X),
            labels[np.argsort(y, kind="stable")][np.searchsorted(np.sort(y), reference.predict(X))],
        )


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(2, 40),
    p=st.integers(1, 12),
    n_targets=st.sampled_from([None, 1, 3]),
    dtype=st.sampled_from(["float64", "float32", "int16", "uint8", "bool", "longdouble"]),
    order=st.sampled_from("CF"),
    intercept=st.booleans(),
    seed=st.integers(0, 2**16),
)
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
def test_any_shape_and_dtype(n, p, n_targets, dtype, order, intercept, seed):
    """Shapes as documented, and the normal equations hold for the numbers given.

    Not float16: it is rounded so coarsely that nearly singular integers count as noise.
    """
    rng = np.random.default_rng(seed)
    X = np.asarray(rng.integers(0, 5, (n, p)).astype(dtype), order=order)
    y = rng.standard_normal(n if n_targets is None else (n, n_targets))
    model = LinearRegression(fit_intercept=intercept).fit(X, y)
    shape = (p + intercept,) if n_targets is None else (n_targets, p + intercept)
    assert model.params_.shape == model.gradient_.shape == shape
    assert model.hessian_.shape == (model.params_.size, model.params_.size)
    assert model.predict(X).shape == y.shape
    assert model.params_.dtype == np.float64
    gradient = model.gradient(X, y)
    scale = max(np.abs(model.hessian_).max() * np.abs(model.params_).max(), 1.0)
    assert np.abs(gradient).max() < 1e-12 * scale
    Z = X.astype(float) - (X.astype(float).mean(axis=0) if intercept else 0)
    assert model.rank_ == np.linalg.matrix_rank(Z, rtol=1e-10)
    shortest = np.linalg.lstsq(Z, y - (y.mean(axis=0) if intercept else 0), rcond=1e-10)[0]
    np.testing.assert_allclose(model.coef_, shortest.T, rtol=1e-8, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(4, 40),
    p=st.integers(1, 8),
    n_classes=st.integers(2, 4),
    dtype=st.sampled_from(["float64", "float32", "int16", "bool"]),
    C=st.sampled_from([1e-3, 1.0, 1e3]),
    seed=st.integers(0, 2**16),
)
def test_any_classes(n, p, n_classes, dtype, C, seed):
    """A penalised optimum exists, is unique, and is found from any data."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 5, (n, p)).astype(dtype)
    y = rng.permutation(np.arange(n) % n_classes)
    model = LogisticRegression(C=C).fit(X, y)
    assert model.converged_
    assert np.abs(model.gradient(X, y)).max() <= 1e-8 * n
    assert model.params_.shape == ((p + 1,) if n_classes == 2 else (n_classes, p + 1))
    # Of float32 rows, each probability is rounded to float32.
    rounding = 1e-7 * n_classes if dtype == "float32" else 1e-14
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=rounding)
    other = model.params_ + 1e-3 * rng.standard_normal(model.params_.shape)
    assert model.objective(X, y, other) >= model.objective_ * (1 - 1e-14)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 40),
    p=st.integers(1, 12),
    dtype=st.sampled_from(["float64", "float32", "int16", "bool"]),
    order=st.sampled_from("CF"),
    seed=st.integers(0, 2**16),
)
def test_any_rows_have_components(n, p, dtype, order, seed):
    """The components are orthonormal and their variances are the eigenvalues of S."""
    X = np.asarray(np.random.default_rng(seed).integers(0, 5, (n, p)).astype(dtype), order=order)
    model = PCA().fit(X)
    k = min(n, p)
    assert model.components_.shape == model.gradient_.shape == (k, p)
    assert model.hessian_.shape == (k, p, p)
    assert relative_error(model.components_ @ model.components_.T, np.eye(k)) < 1e-12
    S = np.atleast_2d(np.cov(X.astype(float).T))
    expected = np.clip(np.linalg.eigvalsh(S)[::-1][:k], 0, None)
    scale = max(expected.max(), 1.0)
    np.testing.assert_allclose(model.eigenvalues_, expected, atol=1e-13 * scale)
    assert np.abs(model.gradient_).max() < 1e-13 * scale * p
    restored = model.inverse_transform(model.transform(X))
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(restored, X.astype(float), atol=tolerance * 5)


@settings(max_examples=40, deadline=None)
@given(
    block_rows=st.integers(1, 50),
    seed=st.integers(0, 2**16),
    weighted=st.booleans(),
    intercept=st.booleans(),
    is_sparse=st.booleans(),
    method=st.sampled_from(["auto", "normal", "pinv"]),
)
def test_any_chunking_is_one_batch(block_rows, seed, weighted, intercept, is_sparse, method):
    X, y, w, coef, _ = linear_problem(
        seed, 40, 3, weighted=weighted, intercept=intercept, n_targets=2
    )
    rows = ArrayRows(
        sparse.csr_array(X) if is_sparse else X, y, w, intercept=intercept, block_rows=block_rows
    )
    params = least_squares.solve(rows, method=method).value.params
    assert relative_error(params[:, :3], coef) < ROUNDING


@pytest.mark.parametrize("block_rows", [1, 7, 100])
def test_any_chunking_gives_the_same_derivatives(block_rows):
    X, y = classes_problem(6, 60, 3, 2)
    theta = np.random.default_rng(7).standard_normal(4)
    whole = LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy(), 1.0)
    parts = LinearPredictorObjective(
        ArrayRows(X, y, block_rows=block_rows), BinaryCrossEntropy(), 1.0
    )
    expected, actual = whole.derivatives(theta), parts.derivatives(theta)
    assert actual.value == pytest.approx(expected.value, rel=1e-14)
    assert relative_error(actual.gradient, expected.gradient) < 1e-12
    assert relative_error(actual.hessian, expected.hessian) < 1e-13


@pytest.mark.parametrize("shift", [1e3, 1e6, 1e8])
def test_a_large_offset_costs_only_its_own_digits(shift):
    """Adding a number to a column rounds its entries; nothing else may be lost."""
    X, y, _, coef, _ = linear_problem(8, 200, 3)
    exact = np.round(X * 1024) / 1024  # the shift is then exact
    reference = LinearRegression().fit(exact, y)
    moved = LinearRegression().fit(exact + shift, y)
    assert relative_error(moved.coef_, reference.coef_) < 1e-12
    one, other = PCA().fit(exact), PCA().fit(exact + shift)
    assert relative_error(other.eigenvalues_, one.eigenvalues_) < 1e-12
    assert relative_error(coef, reference.coef_) < 1e-2
