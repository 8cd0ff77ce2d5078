"""Products of many float32 rows: right to the precision they promise, and refused beyond it."""

import numpy as np
import pytest

from mcmodels import LinearRegression
from mcmodels.rows import ArrayRows, Scratch, source
from mcmodels.rows.single import SINGLE_PRODUCT_EPSILON, SinglePrecisionDesign
from tests.numerics import relative_error


def design_of(X):
    return SinglePrecisionDesign(X, intercept=True, scratch=Scratch())


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("weighted", [True, False])
def test_products_about_a_centre(order, weighted):
    rng = np.random.default_rng(0)
    X = np.asarray(rng.standard_normal((5000, 40)) + 7, dtype=np.float32, order=order)
    w = rng.uniform(0.5, 2, 5000) if weighted else None
    centre = X.mean(axis=0).astype(np.float32).astype(float)
    exact = X.astype(float) - centre
    unit = np.ones(5000) if w is None else w
    design = design_of(X).centred(centre)
    gram = design.sandwich(w).dense_gram()
    # Runs of 512 rows and a shorter last one: rounding of 6e-8 in each product and each weight.
    assert relative_error(gram, exact.T @ (exact * unit[:, np.newaxis])) < 3e-7
    np.testing.assert_array_equal(gram, gram.T)
    Y = rng.standard_normal((5000, 2))
    size = np.abs(exact).T @ np.abs(Y)
    assert (np.abs(design.products(Y) - exact.T @ Y) < 3e-7 * size).all()


def test_everything_else_sees_float64():
    X = np.random.default_rng(1).standard_normal((50, 3)).astype(np.float32)
    design = design_of(X)
    assert design.X.dtype == np.float64
    np.testing.assert_array_equal(design.X, X)
    theta = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(design.predictor(theta), X.astype(float) @ theta[:3] + 4)
    # A centre that float32 does not hold is subtracted in float64.
    np.testing.assert_array_equal(design.centred(np.full(3, 0.1)).dense(), X.astype(float) - 0.1)


@pytest.mark.parametrize(("scale", "n"), [(1e30, 2000), (1e-25, 2000), (6e-20, 200_000)])
def test_squares_beyond_float32_are_taken_in_float64(scale, n):
    """The last: squares of 4e-39, which float32 holds with two digits, in a sum of 7e-34."""
    X = np.random.default_rng(2).standard_normal((n, 3)).astype(np.float32)
    X[:, 1] *= np.float32(scale)
    X[:, 2] = 0
    with np.errstate(over="ignore"):
        gram = design_of(X).sandwich(None).dense_gram()
    exact = X.astype(float)
    np.testing.assert_allclose(gram, exact.T @ exact, rtol=1e-12)


def test_a_fit_is_right_to_1e_5_and_a_cancelling_one_is_corrected(monkeypatch):
    monkeypatch.setattr(source, "MANY_ENTRIES", 2**16)
    rng = np.random.default_rng(3)
    n, p = 60_000, 32
    X = (rng.standard_normal((n, p)) + rng.standard_normal((n, 1))) * np.logspace(-1, 1, p)
    X = (X + 5).astype(np.float32)
    y = X @ rng.standard_normal(p) + rng.standard_normal(n)
    assert ArrayRows(X, single=True).product_epsilon == SINGLE_PRODUCT_EPSILON
    model, exact = LinearRegression().fit(X, y), LinearRegression(solver="normal").fit(X, y)
    np.testing.assert_allclose(model.coef_, exact.coef_, rtol=1e-5)
    lengths = np.sqrt(np.diagonal(exact.hessian_))
    difference = (model.hessian_ - exact.hessian_) / np.outer(lengths, lengths)
    # It is in use, and as exact as it says.
    assert 0 < np.abs(difference).max() < SINGLE_PRODUCT_EPSILON

    X[:, 1] = X[:, 0] + np.float32(1e-3) * X[:, 1]
    model, exact = LinearRegression().fit(X, y), LinearRegression().fit(X.astype(float), y)
    assert model.solver_ in ("whitened", "pinv")  # which are in float64
    np.testing.assert_allclose(model.coef_, exact.coef_, rtol=1e-5)


def test_short_rows_few_rows_and_other_solvers_stay_in_float64():
    wide = np.zeros((2**16, 32), dtype=np.float32)
    assert ArrayRows(wide, single=True).product_epsilon > 1e-9
    for rows in (
        ArrayRows(wide),
        ArrayRows(wide[:100], single=True),
        ArrayRows(wide[:, :8], single=True),
        ArrayRows(wide.astype(float), single=True),
    ):
        assert rows.product_epsilon == np.finfo(float).eps
