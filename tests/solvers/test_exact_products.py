"""Sliced products against rational arithmetic: residuals, gradients, and sums over blocks."""

from fractions import Fraction

import numpy as np
import pytest

from mcmodels.rows import ArrayRows, Scratch
from mcmodels.solvers.double_double import DoubleDouble, two_sum
from mcmodels.solvers.exact_products import ResidualSums, SlicedColumns, power_of_two_above

# Bits that the slices keep, and a margin for the inexact last products of a few hundred terms.
KEPT = {1: 2.0**-73, 2: 2.0**-93, 3: 2.0**-105}
MARGIN = 64


def rational(values):
    if isinstance(values, DoubleDouble):
        return rational(values.hi) + rational(values.lo)
    return np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(values)


def double_double(rng, shape):
    values = rng.standard_normal(shape)
    return DoubleDouble(*two_sum(values, 1e-17 * rng.standard_normal(shape)))


def problem(seed, n=90, p=5, m=2, *, weighted=True, far=0.0):
    """Rows whose columns differ in scale, and whose targets are nearly fitted."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-6, 7, p)
    X[:, ::2] += far * np.abs(X[:, ::2]).max(axis=0)
    coef = double_double(rng, (p, m))
    origin = np.where(np.arange(p) % 2 == 0, X.mean(axis=0), 0.0) if far else np.zeros(p)
    y = (X - origin) @ coef.hi + 1e-7 * rng.standard_normal((n, m))
    weights = rng.uniform(0.1, 3.0, n) if weighted else None
    return X, y, weights, coef, origin, double_double(rng, (m,))


@pytest.mark.parametrize("n_slices", [1, 2, 3])
@pytest.mark.parametrize("far", [0.0, 1e3, 1e9])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("block_rows", [None, 7])
def test_sums_of_residuals_are_those_of_rational_numbers(n_slices, far, weighted, block_rows):
    X, y, weights, coef, origin, constant = problem(1, weighted=weighted, far=far)
    rows = ArrayRows(X, y, weights, block_rows=block_rows)
    found = rows.reduce(lambda b: ResidualSums.of_block(b, coef, origin, constant, n_slices))

    D = rational(X) - rational(origin)
    r = rational(y) - rational(constant) - D @ rational(coef)
    w = np.full(len(X), Fraction(1)) if weights is None else rational(weights)
    size = np.abs(D) @ np.abs(rational(coef)) + np.abs(r)
    margin = MARGIN * KEPT[n_slices]

    error = np.abs(rational(found.products) - D.T @ (w[:, None] * r))
    assert (error <= margin * (np.abs(D).T @ (w[:, None] * size))).all()
    error = np.abs(rational(found.totals) - w @ r)
    assert (error <= margin * (w @ size)).all()
    error = np.abs(rational(found.columns) - w @ D)
    assert (error <= margin * (w @ np.abs(D))).all()
    # A sum of n positive terms in working precision.
    np.testing.assert_allclose(
        found.scatter, (r.T @ (w[:, None] * r)).astype(float), rtol=len(X) * 1e-16, atol=1e-25
    )


@pytest.mark.parametrize("n_slices", [1, 2, 3])
def test_images_of_coefficients_are_exact_where_they_cancel(n_slices):
    """Coefficients of 1e12 whose image is about one, as columns that differ by 1e-12 have them."""
    rng = np.random.default_rng(2)
    a = rng.standard_normal(50)
    X = np.column_stack([a, a + 1e-12 * rng.standard_normal(50)])
    coef = DoubleDouble.of(np.array([[1e12], [-1e12]]))
    found = SlicedColumns.of(X, np.zeros(2), n_slices, Scratch()).times(coef)
    exact = (rational(X) @ rational(coef)).T
    error = np.abs(rational(found) - exact) / (np.abs(rational(X)) @ np.abs(rational(coef))).T
    assert (error <= MARGIN * KEPT[n_slices]).all()
    if n_slices == 1:  # a float64 product has an error of about 1e-4 here
        assert (np.abs(rational(found) - exact) < 1e-9).all()


def test_slices_add_up_to_the_rows_and_have_few_bits():
    X, *_ = problem(3, n=40, far=1e4)
    cut = SlicedColumns.of(X, X.mean(axis=0), 2, Scratch())
    np.testing.assert_array_equal(
        rational(X) - rational(X.mean(axis=0)), sum(map(rational, [*cut.slices, cut.rest]))
    )
    for k, part in enumerate(cut.slices, start=1):
        counts = part / cut.units * 2.0 ** (20 * k)
        np.testing.assert_array_equal(counts, np.round(counts))
        assert np.abs(counts).max() <= 2.0**20


@pytest.mark.parametrize(("n", "p"), [(1, 1), (2, 1), (1, 3), (600, 33)])
def test_any_shape(n, p):
    X, y, weights, coef, origin, constant = problem(4, n=n, p=p, m=1)
    rows = ArrayRows(X, y, weights)
    found = rows.reduce(lambda b: ResidualSums.of_block(b, coef, origin, constant, 1))
    r = rational(y) - rational(constant) - rational(X) @ rational(coef)
    exact = rational(X).T @ (rational(weights)[:, None] * r)
    size = np.abs(rational(X)).T @ (
        rational(weights)[:, None] * (np.abs(rational(X)) @ np.abs(rational(coef)) + np.abs(r))
    )
    assert (np.abs(rational(found.products) - exact) <= MARGIN * KEPT[1] * size).all()


def test_zero_columns_and_zero_coefficients():
    X, y = np.zeros((5, 2)), np.arange(5.0)[:, None]
    zero = DoubleDouble.of(np.zeros((2, 1)))
    found = ArrayRows(X, y).reduce(
        lambda b: ResidualSums.of_block(b, zero, np.zeros(2), DoubleDouble.of(np.zeros(1)), 1)
    )
    assert not found.products.hi.any()
    assert not found.columns.hi.any()
    assert found.totals.hi.tolist() == [10.0]


def test_powers_of_two():
    found = power_of_two_above(np.array([0.0, 0.75, 1.0, 1.5, 1e-300]))
    assert found.tolist() == [1.0, 1.0, 2.0, 2.0, 2.0**-996]
