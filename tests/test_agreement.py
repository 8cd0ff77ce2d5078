"""Closed forms = symbolic = finite differences = complex step, for every estimator.

The points are random. The complex step and the symbolic derivation run on objectives written here,
independently and in their plainest form.
"""

import numpy as np
import pytest

from mcmodels import PCA, LinearRegression, LogisticRegression
from mcmodels import calculus as mc
from tests.numerics import central_differences, complex_step, relative_error
from tests.problems import classes_problem, linear_problem

# Five-point differences are good to about 1e-10 of the largest entry; the issue of formulas is
# settled at 1e-7, and the complex step leaves only the rounding of sums over some hundred terms.
DIFFERENCES, COMPLEX = 1e-7, 1e-12


def design(X, fit_intercept):
    return np.column_stack([X, np.ones(len(X))]) if fit_intercept else X


def squared_error(params, X, y, w):
    return np.sum(w * ((y - X @ params.T) ** 2).reshape(len(X), -1).sum(axis=1))


def cross_entropy(params, X, y, w, C, fit_intercept):
    eta = X @ params.T
    if params.ndim == 1:
        loss = np.log(1 + np.exp(eta)) - y * eta
    else:
        loss = np.log(np.exp(eta).sum(axis=1)) - eta[np.arange(len(X)), y]
    coef = params[..., :-1] if fit_intercept else params
    return np.sum(w * loss) + np.sum(coef**2) / (2 * C)


def lagrangian(V, S, multipliers):
    return sum(v @ S @ v - m * (v @ v - 1) for v, m in zip(V, multipliers, strict=True))


def check(model, data, analytic, seed):
    """All derivatives of one model at a random point, against both numerical derivatives."""
    rng = np.random.default_rng(seed)
    at = model.params_ + 0.3 * rng.standard_normal(model.params_.shape)
    size = at.size
    gradient, hessian = (
        model.gradient(*data[:2], at, data[2]),
        model.hessian(*data[:2], at, data[2]),
    )
    assert gradient.shape == at.shape
    assert hessian.shape == (size, size)
    assert relative_error(model.objective(*data[:2], at, data[2]), analytic(at)) < COMPLEX

    def value(params):
        return model.objective(*data[:2], params, data[2])

    def slope(params):
        return model.gradient(*data[:2], params, data[2])

    assert relative_error(gradient, central_differences(value, at)) < DIFFERENCES
    numerical = central_differences(slope, at).reshape(size, size)
    assert relative_error(hessian, numerical) < DIFFERENCES
    assert relative_error(gradient, complex_step(analytic, at)) < COMPLEX

    second = central_differences(lambda t: complex_step(analytic, t), at).reshape(size, size)
    assert relative_error(hessian, second) < DIFFERENCES
    vector = rng.standard_normal(at.shape)
    product = model.hessian_vector_product(*data[:2], at, data[2], vector=vector)
    assert relative_error(product, (hessian @ vector.ravel()).reshape(at.shape)) < COMPLEX


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("n_targets", [None, 1, 3])
def test_linear(fit_intercept, weighted, n_targets):
    X, y, w, *_ = linear_problem(1, 40, 4, weighted=weighted, n_targets=n_targets)
    model = LinearRegression(fit_intercept=fit_intercept).fit(X, y, w)
    Z, unit = design(X, fit_intercept), np.ones(40) if w is None else w
    check(model, (X, y, w), lambda t: squared_error(t, Z, y, unit), seed=2)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_logistic(fit_intercept, weighted, C, n_classes):
    X, y = classes_problem(3, 80, 3, n_classes)
    w = np.random.default_rng(4).uniform(0.2, 2, 80) if weighted else None
    model = LogisticRegression(C=C, fit_intercept=fit_intercept).fit(X, y, w)
    Z, unit = design(X, fit_intercept), np.ones(80) if w is None else w
    check(model, (X, y, w), lambda t: cross_entropy(t, Z, y, unit, C, fit_intercept), seed=5)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", [(30, 5), (6, 9)])
def test_pca(weighted, shape):
    rng = np.random.default_rng(6)
    X = rng.standard_normal(shape) + 5
    w = rng.uniform(0.5, 2, shape[0]) if weighted else None
    model = PCA(3).fit(X, sample_weight=w)
    S = np.cov(X.T, fweights=None) if w is None else _weighted_covariance(X, w)
    check(model, (X, None, w), lambda V: lagrangian(V, S, model.eigenvalues_), seed=7)
    blocks = model.hessian_
    assert blocks.shape == (3, shape[1], shape[1])
    full = model.hessian(X, sample_weight=w)
    for k, block in enumerate(blocks):
        part = slice(k * shape[1], (k + 1) * shape[1])
        assert relative_error(block, full[part, part]) < COMPLEX
        assert relative_error(block, 2 * (S - model.eigenvalues_[k] * np.eye(shape[1]))) < COMPLEX


def _weighted_covariance(X, w):
    centred = X - w @ X / w.sum()
    return (centred.T * w) @ centred / (w.sum() - 1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_hessian_by_complex_step_of_the_gradient(n_classes):
    """The complex step of an independently written gradient leaves no truncation error at all."""
    X, y = classes_problem(8, 60, 3, n_classes)
    model = LogisticRegression(C=2.0).fit(X, y)
    Z = design(X, True)
    at = model.params_ + 0.1

    def gradient(params):
        eta = Z @ params.T
        if params.ndim == 1:
            residual = 1 / (1 + np.exp(-eta)) - y
        else:
            residual = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True) - np.eye(n_classes)[y]
        penalty = params / 2.0
        penalty[..., -1] = 0
        return (Z.T @ residual).T + penalty

    expected = complex_step(gradient, at).reshape(at.size, at.size)
    assert relative_error(model.hessian(X, y, at), expected) < COMPLEX


def test_linear_hessian_by_complex_step_of_the_gradient():
    X, y, w, *_ = linear_problem(9, 30, 4, weighted=True, n_targets=2)
    model = LinearRegression().fit(X, y, w)
    Z = design(X, True)

    def gradient(params):
        return 2 * ((Z.T * w) @ (Z @ params.T - y)).T

    expected = complex_step(gradient, model.params_).reshape(10, 10)
    assert relative_error(model.hessian_, expected) < COMPLEX
    assert relative_error(model.hessian(X, y, sample_weight=w), expected) < COMPLEX


def test_fitted_derivatives_are_those_at_the_solution():
    X, y, w, *_ = linear_problem(10, 50, 4, weighted=True, n_targets=2)
    linear = LinearRegression().fit(X, y, w)
    assert relative_error(linear.hessian_, linear.hessian(X, y, sample_weight=w)) < COMPLEX
    scale = np.abs(linear.hessian_).max() * np.abs(linear.params_).max()
    assert np.abs(linear.gradient_).max() < 1e-13 * scale
    assert np.abs(linear.gradient(X, y, sample_weight=w)).max() < 1e-13 * scale

    X, y = classes_problem(11, 90, 3, 3)
    w = np.random.default_rng(12).uniform(0, 2, 90)
    logistic = LogisticRegression(class_weight="balanced").fit(X, y, w)
    assert relative_error(logistic.hessian_, logistic.hessian(X, y, sample_weight=w)) < COMPLEX
    assert relative_error(logistic.objective_, logistic.objective(X, y, sample_weight=w)) < COMPLEX
    difference = logistic.gradient_ - logistic.gradient(X, y, sample_weight=w)
    assert np.abs(difference).max() < 1e-12
    assert np.abs(logistic.gradient_).max() <= 1e-8 * 90


@pytest.mark.parametrize("shape", [(40, 6), (6, 11)])
def test_pca_gradient_vanishes_at_the_components(shape):
    X = np.random.default_rng(13).standard_normal(shape)
    model = PCA().fit(X)
    assert model.gradient_.shape == model.components_.shape
    assert np.abs(model.gradient_).max() < 1e-13 * model.eigenvalues_[0]
    assert np.abs(model.gradient(X)).max() < 1e-13 * model.eigenvalues_[0]


# -- derived by mcmodels.calculus ----------------------------------------------------------------
#
# Parameters of several outputs are the columns of a matrix W here and the rows of params there, so
# that vec(W), which stacks columns, is params.ravel().


def check_derived(model, data, f, W, values, seed):
    """Objective, gradient and Hessian of a model are those that the engine derives from f."""
    rng = np.random.default_rng(seed)
    at = model.params_ + 0.3 * rng.standard_normal(model.params_.shape)
    values = values | {W.name: at.T}
    gradient, hessian = f.gradient(W), f.hessian(W)
    X, y, w = data
    assert relative_error(model.objective(X, y, at, w), f.evaluate(**values)) < COMPLEX
    found = model.gradient(X, y, at, w)
    assert relative_error(found, gradient.evaluate(**values).T) < COMPLEX
    assert relative_error(found, gradient.compile()(**values).T) < COMPLEX
    found = model.hessian(X, y, at, w)
    assert relative_error(found, hessian.evaluate(**values)) < COMPLEX
    assert relative_error(found, hessian.compile()(**values)) < COMPLEX


Z, omega = mc.matrix("Z", "n", "p"), mc.vector("omega", "n")


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_targets", [None, 3])
def test_linear_derived(fit_intercept, n_targets):
    X, y, w, *_ = linear_problem(1, 40, 4, weighted=True, n_targets=n_targets)
    model = LinearRegression(fit_intercept=fit_intercept).fit(X, y, w)
    if n_targets is None:
        Y, W = mc.vector("Y", "n"), mc.vector("W", "p")
    else:
        Y, W = mc.matrix("Y", "n", "k"), mc.matrix("W", "p", "k")
    residuals = Z @ W - Y
    f = mc.trace(residuals.T @ mc.diag(omega) @ residuals)
    values = {"Z": design(X, fit_intercept), "Y": y, "omega": w}
    check_derived(model, (X, y, w), f, W, values, seed=14)
    residuals = "(ω ∘ (ZW − Y))" if n_targets is None else " diag(ω) (ZW − Y)"
    assert repr(f.gradient(W)) == f"2Zᵀ{residuals}"


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("C", [0.5, np.inf])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_logistic_derived(fit_intercept, C, n_classes):
    X, y = classes_problem(3, 80, 3, n_classes)
    w = np.random.default_rng(4).uniform(0.2, 2, 80)
    model = LogisticRegression(C=C, fit_intercept=fit_intercept).fit(X, y, w)
    penalised = mc.vector("penalised", "p")  # 1/C for coefficients, 0 for the intercept
    if n_classes == 2:
        Y, W, target = mc.vector("Y", "n"), mc.vector("W", "p"), y
        loss = mc.softplus(Z @ W) - Y * (Z @ W)
    else:
        Y, W = mc.matrix("Y", "n", "k"), mc.matrix("W", "p", "k")
        target = np.eye(n_classes)[y]
        loss = mc.logsumexp(Z @ W, axis=1) - mc.sum(Y * (Z @ W), axis=1)
    f = omega.T @ loss + mc.trace(W.T @ mc.diag(penalised) @ W) / 2
    rows = design(X, fit_intercept)
    strength = np.full(rows.shape[1], 1 / C)
    strength[3:] = 0
    values = {"Z": rows, "Y": target, "omega": w, "penalised": strength}
    check_derived(model, (X, y, w), f, W, values, seed=15)


def test_pca_derived():
    X = np.random.default_rng(6).standard_normal((30, 5))
    model = PCA(1).fit(X)
    S = mc.matrix("S", "p", "p", symmetric=True)
    v, lambda_ = mc.vector("v", "p"), mc.scalar("lambda_")
    f = v.T @ S @ v - lambda_ * (v.T @ v - 1)
    assert repr(f.gradient(v)) == "2Sv − 2λv"
    at = model.components_ + 0.3
    values = {"S": np.cov(X.T), "v": at[0], "lambda_": model.eigenvalues_[0]}
    assert relative_error(model.objective(X, params=at), f.evaluate(**values)) < COMPLEX
    gradient = model.gradient(X, params=at)[0]
    assert relative_error(gradient, f.gradient(v).evaluate(**values)) < COMPLEX
    hessian = f.hessian(v).evaluate(**values)
    assert relative_error(model.hessian(X, params=at), hessian) < COMPLEX
