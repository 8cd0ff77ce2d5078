"""The loop of exact residuals: against rationals, against the slices, compiled and as Python."""

import sys
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from mcmodels import LinearRegression
from mcmodels.rows import ArrayRows, RowBlock
from mcmodels.rows.blocks import DenseDesign
from mcmodels.solvers import compiled_residuals
from mcmodels.solvers.compiled_residuals import add_residual_sums, residual_sums, takes
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.exact_products import MOST_SLICES, ResidualSums

# Relative to the sum of sizes: 106 bits, less what is lost to some hundred sums of low parts.
EXACT = 2.0**-98


def block(n, p, *, weighted=False, order="C", seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * np.logspace(-3, 4, p) + np.logspace(3, -2, p)
    y = X @ rng.standard_normal(p) + 1e-9 * rng.standard_normal(n)
    weights = rng.uniform(0.1, 7.0, n) if weighted else None
    design = DenseDesign(np.asarray(X, order=order), intercept=True)
    return RowBlock(design, y[:, np.newaxis], weights)


def arguments(rows, seed=1):
    """Coefficients near the least-squares ones, so that residuals cancel; a centre; a constant."""
    rng = np.random.default_rng(seed)
    X, y = rows.X.X, rows.y
    hi = np.linalg.lstsq(X, y, rcond=None)[0]
    coef = DoubleDouble(hi, hi * 2.0**-54 * rng.uniform(-1, 1, hi.shape))
    constant = DoubleDouble(np.array([0.1]), np.array([0.1 * 2.0**-55]))
    return coef, X.mean(axis=0) + 0.1, constant


def in_fractions(rows, coef, origin, constant):
    """The sums in rational arithmetic, and the sizes of their terms."""
    p = len(origin)
    F = Fraction
    beta = [F(a) + F(b) for a, b in zip(coef.hi[:, 0], coef.lo[:, 0], strict=True)]
    level = F(constant.hi[0]) + F(constant.lo[0])
    sums = [[F(0), F(0)] for _ in range(2 * p + 2)]
    for x, y, w in zip(rows.X.X, rows.y[:, 0], rows.weights_or_ones, strict=True):
        w = F(w)
        z = [F(a) - F(b) for a, b in zip(x, origin, strict=True)]
        r = F(y) - level - sum(a * b for a, b in zip(z, beta, strict=True))
        terms = [w * a * r for a in z] + [w * a for a in z] + [w * r, w * r * r]
        # The residual is itself a sum, of terms that are larger than it is.
        size = abs(F(y)) + abs(level) + sum(abs(a * b) for a, b in zip(z, beta, strict=True))
        sizes = [w * abs(a) * size for a in z] + [w * abs(a) for a in z] + [w * size, w * r * r]
        for total, term, bound in zip(sums, terms, sizes, strict=True):
            total[0] += term
            total[1] += bound
    return sums


def flat(sums):
    """High and low parts of all sums but the squares, in the order of ``in_fractions``."""
    parts = [sums.products[:, 0], sums.columns, sums.totals]
    return (np.concatenate([getattr(part, name) for part in parts]) for name in ("hi", "lo"))


def errors(found, exact):
    return [
        float(abs(Fraction(high) + Fraction(low) - total) / bound)
        for high, low, (total, bound) in zip(*flat(found), exact[:-1], strict=True)
    ]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "p"), [(1, 1), (15, 2), (16, 3), (50, 4)])
def test_the_sums_are_those_of_rational_arithmetic(n, p, weighted):
    rows = block(n, p, weighted=weighted)
    given = arguments(rows)
    exact = in_fractions(rows, *given)
    found = residual_sums(add_residual_sums, rows, *given)
    assert max(errors(found, exact)) < EXACT
    squares = exact[-1][0]
    # Squares of residuals that are right to float64, added in float64.
    assert found.scatter[0, 0] == pytest.approx(float(squares), rel=1e-13)


def test_a_lost_rounding_error_is_caught():
    rows = block(50, 4)
    given = arguments(rows)
    exact = in_fractions(rows, *given)

    def without_low_part(X, y, weights, coef, origin, constant, sums):
        return add_residual_sums(X, y, weights, coef * [[1.0], [0.0]], origin, constant, sums)

    assert max(errors(residual_sums(without_low_part, rows, *given), exact)) > EXACT


@pytest.mark.parametrize("weighted", [False, True])
def test_it_agrees_with_the_slices(weighted):
    rows = block(300, 5, weighted=weighted)
    coef, origin, constant = arguments(rows)
    found = residual_sums(add_residual_sums, rows, coef, origin, constant)
    sliced = ResidualSums.of_block(rows, coef, origin, constant, MOST_SLICES)
    sizes = np.abs(rows.X.X - origin).sum(axis=0) * np.abs(rows.y).max() * 7
    difference = found.products + -sliced.products
    # The slices have 5e-24 of the terms.
    assert (np.abs(difference.hi[:, 0]) <= 1e-22 * sizes).all()


def test_blocks_that_it_does_not_take():
    rows = block(20, 3)
    assert takes(rows)
    two = RowBlock(rows.X, np.column_stack([rows.y, rows.y]), None)
    assert not takes(two)
    thin = next(
        iter(
            ArrayRows(sparse.eye_array(4, format="csr"), np.ones((4, 1))).reduce(
                lambda part: [part]
            )
        )
    )
    assert not takes(thin)


def test_without_numba_there_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert compiled_residuals.compiled.__wrapped__() is None


def test_without_a_folder_for_what_is_compiled_there_is_none(monkeypatch):
    numba = pytest.importorskip("numba")

    def njit(**options):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(numba, "njit", njit)
    assert compiled_residuals.compiled.__wrapped__() is None


@pytest.fixture(scope="module")
def kernel():
    pytest.importorskip("numba")
    return compiled_residuals.compiled()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("weighted", [False, True])
def test_compiled_it_gives_the_same_bits(kernel, weighted, order):
    rows = block(333, 7, weighted=weighted, order=order)
    given = arguments(rows)
    found, python = (residual_sums(loop, rows, *given) for loop in (kernel, add_residual_sums))
    for one, other in zip(flat(found), flat(python), strict=True):
        np.testing.assert_array_equal(one, other)
    # The compiler may add the squares of the rows taken together in another order.
    assert found.scatter == pytest.approx(python.scatter, rel=1e-15)


def hard_problem(n=40_000, p=12):
    """Columns with a condition number of 1e9, in which a fit needs exact residuals."""
    rng = check_random_state(3)
    U = np.linalg.qr(rng.standard_normal((n, p)))[0]
    V = np.linalg.qr(rng.standard_normal((p, p)))[0]
    X = (U * np.logspace(0, -9, p) * np.sqrt(n)) @ V.T
    return X, X @ rng.standard_normal(p) + rng.standard_normal(n)


def test_fits_agree_with_those_without_it_and_do_not_depend_on_threads(kernel, monkeypatch):
    X, y = hard_problem()
    monkeypatch.setattr(compiled_residuals, "_FEWEST_ENTRIES", 0)
    used = []
    monkeypatch.setattr(
        compiled_residuals, "compiled", lambda: lambda *given: used.append(1) or kernel(*given)
    )
    fits = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            fits.append(LinearRegression().fit(X, y))
    assert used
    np.testing.assert_array_equal(fits[0].params_, fits[1].params_)
    monkeypatch.setattr(compiled_residuals, "compiled", lambda: None)
    plain = LinearRegression().fit(X, y)
    # Both are right to 1e-9 of a coefficient or its standard error.
    size = np.maximum(np.abs(plain.coef_), plain.standard_errors_[:-1])
    assert (np.abs(fits[0].coef_ - plain.coef_) <= 2e-9 * size).all()


def test_correctly_rounded_fits_are_the_same(kernel, monkeypatch):
    X, y = hard_problem(n=2_000, p=5)
    fits = []
    for loop in (None, kernel):
        monkeypatch.setattr(compiled_residuals, "_FEWEST_ENTRIES", 0)
        monkeypatch.setattr(compiled_residuals, "compiled", lambda loop=loop: loop)
        fits.append(LinearRegression(solver="refined").fit(X, y))
    np.testing.assert_array_equal(fits[0].params_, fits[1].params_)
