"""Coordinates in which a sample of the rows is orthonormal, against extended precision."""

import numpy as np
import pytest

from mcmodels import LogisticRegression, RowStream
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.rows import ArrayRows, transformed
from mcmodels.solvers.coordinates import WhiteCoordinates, white_coordinates

L = np.longdouble
EPS = float(np.finfo(float).eps)
pytestmark = pytest.mark.skipif(
    np.finfo(L).eps >= EPS, reason="the reference needs a longdouble longer than float64"
)
N = 40_000  # times 20 columns: so many entries that a pass over them is expensive


def conditioned(n, p, kappa, seed=0):
    """Rows of a condition number, and an orthonormal basis of their columns, times √n."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(n, p)))[0] * np.sqrt(n)
    turn = np.linalg.qr(rng.normal(size=(p, p)))[0]
    return (basis * np.logspace(0, -np.log10(kappa), p)) @ turn.T, basis


def labels(basis, n_classes, seed=1):
    """Classes from a logistic model with linear predictors of size one."""
    rng = np.random.default_rng(seed)
    eta = basis @ rng.normal(size=(basis.shape[1], n_classes)) / np.sqrt(basis.shape[1])
    return np.argmax(eta + rng.gumbel(size=eta.shape), axis=1)


def left_over(model, X, y, w):
    """Largest Newton step left, in standard errors, and relative errors of what is published."""
    Z = (np.column_stack([X, np.ones(len(X))]) if model.fit_intercept else X).astype(L)
    p = 1 / (1 + np.exp(-(Z @ model.params_.astype(L))))
    gradient, curved = Z.T @ (w * (p - y)), Z * (w * p * (1 - p))[:, None]
    hessian = curved.T @ Z
    lengths = np.sqrt(np.diagonal(hessian)).astype(float)
    # An orthogonal factor loses κε, which matters neither for a step nor for errors of 100κε.
    R = np.linalg.qr((Z * np.sqrt(w * p * (1 - p))[:, None]).astype(float), mode="r")
    inverse = np.linalg.inv(R)
    errors = np.linalg.norm(inverse, axis=1)
    step = inverse @ (inverse.T @ gradient.astype(float))
    of_hessian = np.abs(model.hessian_ - hessian).astype(float) / np.outer(lengths, lengths)
    of_gradient = np.abs(model.gradient_ - gradient).astype(float) / (lengths * np.sqrt(w.sum()))
    return (
        np.abs(step / errors).max(),
        np.abs(model.standard_errors_ / errors - 1).max(),
        of_hessian.max(),
        of_gradient.max(),
    )


@pytest.mark.parametrize(
    ("kappa", "offset", "weighted", "intercept"),
    [
        (1e4, 0.0, False, True),
        (1e6, 0.0, True, False),
        (1e8, 0.0, False, True),
        (1e8, 0.0, False, False),
        (1e8, 3.0, True, True),
        (1e4, 1e3, True, True),
        (1e7, 1e3, False, True),
    ],
)
def test_a_fit_to_nearly_dependent_columns_has_the_digits_that_float64_can_hold(
    kappa, offset, weighted, intercept
):
    X, basis = conditioned(N, 20, kappa)
    X[:, ::2] += offset
    y = labels(basis, 2)
    w = np.random.default_rng(2).integers(1, 4, N).astype(float) if weighted else np.ones(N)
    model = LogisticRegression(C=np.inf, tol=1e-9, fit_intercept=intercept)
    model.fit(X, y, sample_weight=w if weighted else None)
    assert model.status_ == "converged"
    step, errors, hessian, gradient = left_over(model, X, y, w)
    # An offset makes the entries of X larger than what the columns differ by.
    size = kappa * max(offset, 1.0)
    # The step is to be below 1e-6; with an offset, entries are rounded so that it cannot.
    assert step <= max(1e-6, 10 * EPS * size * np.sqrt(N))
    assert errors <= 100 * size * EPS
    # Rounding of a predictor is ε κ; in sums over n rows it counts 1/√n, times a few.
    assert hessian <= 1e-13 + 100 * EPS * size / np.sqrt(N)
    assert gradient <= 1e-13 + 100 * EPS * size / np.sqrt(N)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_whitened_rows_are_formed_for_few_walks(monkeypatch, n_classes):
    X, basis = conditioned(N, 20, 1e6)
    formed = []
    original = transformed._CombinedDesign.__init__

    def counted(self, design, *args, **kwargs):
        formed.append(design.n_rows)
        original(self, design, *args, **kwargs)

    monkeypatch.setattr(transformed._CombinedDesign, "__init__", counted)
    y = labels(basis, n_classes)
    model = LogisticRegression(C=np.inf, tol=1e-9).fit(X, y)
    assert model.status_ == "converged"
    assert model.n_iter_[0] >= 3
    # Once for the Hessian at the end; samples of 1/8 of the rows, and two steps of margin.
    assert sum(formed) <= 2 * N


def test_a_stream_has_the_digits_of_an_array():
    X, basis = conditioned(N, 20, 1e6)
    y = labels(basis, 2)
    blocks = [(X[k : k + 9_000], y[k : k + 9_000]) for k in range(0, N, 9_000)]
    model = LogisticRegression(C=np.inf, tol=1e-9).fit(RowStream(lambda: iter(blocks)))
    step, errors, hessian, _ = left_over(model, X, y, np.ones(N))
    assert step <= 1e-6
    assert errors <= 1e2 * 1e6 * EPS
    assert hessian <= 1e-13 + 100 * EPS * 1e6 / np.sqrt(N)


def test_classes_keep_their_fit_when_columns_are_combined():
    """A law: fits to X and to XM have the same probabilities, and parameters that M relates."""
    X, basis = conditioned(N, 20, 1e6)
    y = labels(basis, 3)
    hard = LogisticRegression(C=np.inf, tol=1e-10).fit(X, y)
    easy = LogisticRegression(C=np.inf, tol=1e-10).fit(basis, y)
    # Both stop within 1e-6 standard errors; a probability has one of about √(20/N) = 0.02.
    np.testing.assert_allclose(
        hard.predict_proba(X[:500]), easy.predict_proba(basis[:500]), atol=1e-7
    )
    assert abs(hard.objective_ - easy.objective_) <= 1e-12 * easy.objective_


def test_only_ill_conditioned_samples_without_a_penalty_get_coordinates_of_their_own():
    def found(kappa, penalty=0.0, n=N):
        X, basis = conditioned(n, 20, kappa)
        rows = ArrayRows(X, labels(basis, 2), None, intercept=True)
        return white_coordinates(LinearPredictorObjective(rows, BinaryCrossEntropy(), penalty))

    assert isinstance(found(1e5), WhiteCoordinates)
    assert found(10.0) is None
    assert found(1e5, penalty=1.0) is None
    assert found(1e5, n=2_000) is None
    assert found(1e15) is None  # columns that may be dependent: their rank is judged otherwise


@pytest.mark.parametrize("offset", [0.0, 3.0, 1e4])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("outputs", [None, 3])
def test_products_of_whitened_rows_are_those_of_formed_ones(offset, intercept, order, outputs):
    rng = np.random.default_rng(3)
    n, p = 300, 4
    X = np.asarray(rng.normal(size=(n, p)) + offset, order=order)
    rough = np.triu(rng.normal(size=(p, p))) + 3 * np.eye(p)
    place = WhiteCoordinates(X.mean(axis=0), rough=rough)
    Z = ((X.astype(L) - place.centre) @ np.linalg.inv(rough).astype(L)).astype(float)
    Z = np.column_stack([Z, np.ones(n)]) if intercept else Z
    shape = (p + intercept,) if outputs is None else (outputs, p + intercept)
    params, r = rng.normal(size=shape), rng.normal(size=(n, *shape[:-1]))
    rows = place.transform(ArrayRows(X, None, None, intercept=intercept))
    # Entries of X are of size `offset`, which is rounded; far columns are centred before.
    exact = {"rtol": 1e-11, "atol": 1e-11}
    np.testing.assert_allclose(
        rows.reduce(lambda block: [block.X.predictor(params)])[0], Z @ params.T, **exact
    )
    np.testing.assert_allclose(rows.reduce(lambda block: block.X.adjoint(r)), (Z.T @ r).T, **exact)

    def after_forming(block):
        gram = block.X.sandwich(None).matrix()
        return gram, block.X.adjoint(r)

    (gram, adjoint) = rows.reduce(lambda block: [after_forming(block)])[0]
    np.testing.assert_allclose(gram, Z.T @ Z, **exact)
    np.testing.assert_allclose(adjoint, (Z.T @ r).T, **exact)
    back = place.from_users(place.to_users(params, intercept=intercept), intercept=intercept)
    np.testing.assert_allclose(back, params, **exact)
