"""Many rows of nearly dependent columns, against the exact rational solution.

The rows are integers, so that their products are summed without an error.
"""

import math
from fractions import Fraction

import numpy as np
import pytest

from mcmodels import LinearRegression
from mcmodels.rows import ArrayRows, Moments, Triangle
from mcmodels.rows.moments import point_near_mean
from mcmodels.solvers import refinement
from mcmodels.solvers.cholesky_qr import factor_by_moments, factor_by_sample
from mcmodels.solvers.error_estimates import ErrorEstimates
from mcmodels.solvers.least_squares import solve_triangle
from mcmodels.solvers.residuals import residuals_by
from tests.numerics import integer_products

N = 70_000  # so many that extra precision is not free
GAPS = {1e2: 2**7, 1e4: 2**14, 1e6: 2**20, 1e8: 2**27, 1e10: 2**34, 1e12: 2**40}


def integer_rows(seed, size, n=N):
    """Columns a, a + e, c with e of 0 and 1: their condition number is about the size of a."""
    rng = np.random.default_rng(seed)
    a = rng.integers(-size, size, n)
    X = np.column_stack([a, a + rng.integers(0, 2, n), rng.integers(-9, 10, n)])
    y = (X[:, 1] - X[:, 0]) * 7 + X[:, 2] + rng.integers(-9, 10, n)
    return X, y, rng.integers(1, 4, n)


def solved(A, B):
    """Solution of ``AZ = B`` in rational numbers, by Gauss-Jordan elimination."""
    k = len(A)
    M = [[Fraction(int(v)) for v in [*A[i], *B[i]]] for i in range(k)]
    for j in range(k):
        pivot = next(i for i in range(j, k) if M[i][j] != 0)
        M[j], M[pivot] = M[pivot], M[j]
        M[j] = [v / M[j][j] for v in M[j]]
        for i in range(k):
            if i != j:
                M[i] = [v - M[i][j] * u for v, u in zip(M[i], M[j], strict=True)]
    return [row[k:] for row in M]


def exact_fit(X, y, w, intercept):
    """Parameters and standard errors of least squares, from rational numbers."""
    Z = np.column_stack([X, np.ones(len(X), dtype=int)]) if intercept else X
    both = np.column_stack([Z, y])
    sums = integer_products(both, w[:, None] * both)
    gram, products, squares = sums[:-1, :-1], sums[:-1, -1], sums[-1, -1]
    p = Z.shape[1]
    found = solved(gram, np.column_stack([products, np.eye(p, dtype=int).astype(object)]))
    theta = [row[0] for row in found]
    left = squares - sum(t * int(v) for t, v in zip(theta, products, strict=True))
    variance = left / (int(w.sum()) - p)
    errors = np.array([float(found[j][1 + j] * variance) ** 0.5 for j in range(p)])
    return theta, errors


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("condition", list(GAPS))
def test_parameters_and_errors_are_those_of_rational_arithmetic(condition, intercept, weighted):
    X, y, w = integer_rows(1, GAPS[condition])
    w = w if weighted else np.ones(len(y), dtype=int)
    theta, errors = exact_fit(X, y, w, intercept)
    model = LinearRegression(fit_intercept=intercept).fit(X, y, w if weighted else None)
    sizes = np.maximum(np.abs(np.array(theta, dtype=float)), errors)
    off = np.array([abs(float(Fraction(p) - t)) for p, t in zip(model.params_, theta, strict=True)])
    # What docs/choosing.md promises for large data, and the limit of float64 beyond.
    assert (off <= sizes * max(1e-9, 1e-15 * condition)).all()
    # A factor of condition κ has the error κε; R has rounding errors of several units.
    np.testing.assert_allclose(model.standard_errors_, errors, rtol=1e-10 + 2e-14 * condition)


@pytest.mark.parametrize("bits", [8, 13, 20])
@pytest.mark.parametrize("n", [400, 5_000, 40_000])
def test_an_orthogonal_factor_has_the_error_that_is_estimated(bits, n):
    rng = np.random.default_rng(4)
    a, b, gap = (np.rint(2.0**k * rng.standard_normal(n // 2)) for k in (40, 40, bits))
    # The targets have nothing along the gap. So its coefficient is zero, and all of its error is
    # that of the residuals.
    X = np.column_stack([np.tile(a, 2), np.concatenate([a + gap, a - gap]), np.tile(b, 2)])
    X, y = X.astype(np.int64), np.tile(rng.integers(-9, 10, n // 2), 2)
    theta, errors = exact_fit(X, y, np.ones(n, dtype=int), intercept=True)
    rows = ArrayRows(X.astype(float), y.astype(float)[:, np.newaxis])
    centre = point_near_mean(rows)
    solution = solve_triangle(rows.reduce(Triangle.about(centre)), centre, rows)
    found = solution.value.params[0]
    off = [abs(float(Fraction(p) - t)) for p, t in zip(found, theta, strict=True)]
    error = np.max(np.array(off) / np.maximum(np.abs(np.array(theta, dtype=float)), errors))
    # An estimate of random errors: the largest of 310 was as large as it.
    assert error <= 2 * ErrorEstimates.of(solution, rows).of_solution


@pytest.mark.parametrize("weights", ["ones", "large", "of all sizes"])
def test_weights_do_not_hide_the_rounding_of_sums(weights):
    rng = np.random.default_rng(33)
    X = rng.standard_normal((90_000, 3))
    X[:, -1] = X[:, 0] + 1e-5 * X[:, -1]
    y = rng.choice([1, 10]) * (X @ [1e5, 1.0, 1e5]) + 1e7 * rng.standard_normal(len(X)) + 1
    w = {
        "ones": np.ones(len(X)),
        "large": np.full(len(X), 1e8),
        "of all sizes": 10.0 ** rng.uniform(-8, 8, len(X)),
    }[weights]
    found, exact = (LinearRegression(solver=solver).fit(X, y, w) for solver in ("auto", "refined"))
    sizes = np.maximum(np.abs(exact.coef_), exact.standard_errors_[:-1])
    # What docs/choosing.md promises; 5e-8 where the weights were taken for a number of rows.
    assert (np.abs(found.coef_ - exact.coef_) <= 1e-9 * sizes).all()


def integers_of(condition, seed=7, p=6):
    """Rows whose singular values are spread evenly, as integers that float64 holds."""
    X, y, _ = whitened_rows(seed, N, p, condition)
    X = np.rint(2.0**46 * X).astype(np.int64)
    return X, np.rint(X @ np.arange(1.0, p + 1) + 2.0**44 * y[:, 0]).astype(np.int64)


@pytest.mark.parametrize(("condition", "slices"), [(1e8, [1]), (3e10, [1, 2])])
def test_a_correction_that_another_one_mends_takes_fewer_slices(condition, slices, monkeypatch):
    used = []

    def spied(count, rows, moments):
        at = residuals_by(count, rows, moments)
        return lambda coef: [used.append(count), at(coef)][1]

    monkeypatch.setattr(refinement, "residuals_by", spied)
    X, y = integers_of(condition)
    theta, errors = exact_fit(X, y, np.ones(N, dtype=int), True)
    model = LinearRegression().fit(X.astype(float), y.astype(float))
    assert used == slices
    sizes = np.maximum(np.abs(np.array(theta, dtype=float)), errors)
    off = np.array([abs(float(Fraction(p) - t)) for p, t in zip(model.params_, theta, strict=True)])
    assert (off <= 1e-9 * sizes).all()


@pytest.mark.parametrize("condition", [1e4, 1e6, 1e8])
def test_coefficients_as_small_as_what_nearly_exact_fits_leave(condition):
    """Before corrections, residuals and standard errors are those of rounding, which is larger."""
    X, _ = integers_of(condition)
    y = X[:, 0] + np.random.default_rng(2).integers(-2, 3, N)
    theta, errors = exact_fit(X, y, np.ones(N, dtype=int), True)
    model = LinearRegression().fit(X.astype(float), y.astype(float))
    off = np.array([abs(float(Fraction(p) - t)) for p, t in zip(model.params_, theta, strict=True)])
    sizes = np.maximum(np.abs(np.array(theta, dtype=float)), errors)
    assert (off <= 1e-9 * sizes).all()


@pytest.mark.parametrize("n", [400, 5_000, 70_000])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("condition", [1e2, 1e6, 1e10, 1e12])
def test_refined_parameters_are_correctly_rounded(condition, intercept, n):
    """Each is the float64 nearest to the rational solution."""
    X, y, w = integer_rows(5, GAPS[condition], n)
    theta, _ = exact_fit(X, y, w, intercept)
    model = LinearRegression(fit_intercept=intercept, solver="refined").fit(X, y, w)
    np.testing.assert_array_equal(model.params_, [float(t) for t in theta])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("n", [400, 5_000, 60_000])
@pytest.mark.parametrize("condition", [2**k for k in range(1, 40, 3)])
def test_twelve_digits_of_data_of_medium_size(condition, n, intercept, weighted):
    """Up to 2¹⁸ entries; relative to a parameter or its standard error, as documented."""
    X, y, w = integer_rows(condition, condition, n)
    w = w if weighted else np.ones(len(y), dtype=int)
    theta, errors = exact_fit(X, y, w, intercept)
    model = LinearRegression(fit_intercept=intercept).fit(X, y, w if weighted else None)
    sizes = np.maximum(np.abs(np.array(theta, dtype=float)), errors)
    off = np.array([abs(float(Fraction(p) - t)) for p, t in zip(model.params_, theta, strict=True)])
    assert (off <= sizes * 1e-12).all()
    # Standard errors have a hundred times κε, or a few roundings.
    kappa = np.linalg.cond(np.linalg.qr(X / np.linalg.norm(X, axis=0))[1])
    np.testing.assert_allclose(model.standard_errors_, errors, rtol=1e-14 + 2.2e-14 * kappa)


def exact_unit_errors(X):
    """Standard errors of the slopes where the residuals have variance one, from integers."""
    Z = np.column_stack([X, np.ones(len(X), dtype=np.int64)])
    gram = integer_products(Z, Z)
    inverse = solved(gram, np.eye(len(gram), dtype=int).astype(object))
    return np.array([float(inverse[j][j]) ** 0.5 for j in range(X.shape[1])])


# Indicators and whole numbers, decimals, numbers of many digits; near zero and away from it.
UNITS = {"whole": (1.0, 0.0), "far": (1.0, 4e4), "tenths": (0.1, 0.0), "long": (np.pi, 2.0)}


@pytest.mark.parametrize("n_levels", [2, 6, 4000])
@pytest.mark.parametrize("kappa", [40, 90, 200])
@pytest.mark.parametrize(("n", "p"), [(20_000, 2), (60_000, 2), (240_000, 5)])
@pytest.mark.parametrize("unit", list(UNITS))
def test_standard_errors_of_columns_with_few_and_many_values(unit, n, p, kappa, n_levels):
    """A hundred times κε, the error of an orthogonal factorisation.

    Rounding errors of few values are the same in many rows, so that they do not cancel.
    """
    rng = np.random.default_rng(kappa)
    base = rng.integers(0, n_levels, n)
    # Columns that differ from the first one by about a share 2/κ of its length.
    length = 4 * base.std() / kappa
    gap = math.ceil(length)
    steps = rng.random((n, p - 1)) < (length / gap) ** 2
    steps[:3] = True
    X = np.column_stack([base, base[:, np.newaxis] + gap * steps])
    size, shift = UNITS[unit]
    used = X * size + shift
    y = rng.standard_normal(n)
    model = LinearRegression().fit(used, y)
    variance = math.fsum((y - model.predict(used)) ** 2) / (n - p - 1)
    found = model.standard_errors_[:-1] / np.sqrt(variance) * size
    R = np.linalg.qr(X - X.mean(axis=0))[1]
    condition = np.linalg.cond(R / np.linalg.norm(R, axis=0))
    np.testing.assert_allclose(found, exact_unit_errors(X), rtol=2.2e-14 * condition)


def test_refined_needs_the_rows_again():
    X, y, _ = integer_rows(6, 4, 50)
    model = LinearRegression(solver="refined")
    with pytest.raises(AttributeError, match=r"partial_fit keeps no rows.*RowStream"):
        model.partial_fit(X, y)
    assert not hasattr(model, "partial_fit")
    assert hasattr(model.set_params(solver="auto"), "partial_fit")


def whitened_rows(seed, n, p, condition, *, weighted=False):
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal((k, p)))[0] for k in (n, p))
    X = (U * np.logspace(0, -np.log10(condition), p) * np.sqrt(n)) @ V.T
    return X, rng.standard_normal((n, 1)), rng.uniform(0.5, 2, n) if weighted else None


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("away", [0.0, 3.0])
@pytest.mark.parametrize("condition", [1e4, 1e8, 1e11, 2e12])
def test_a_whitened_factor_is_that_of_an_orthogonal_factorisation(
    condition, away, intercept, weighted
):
    X, y, w = whitened_rows(2, 3000, 6, condition, weighted=weighted)
    # Columns that are near zero in the user's units are far from it in whitened ones.
    X = X + away * X.std(axis=0)
    rows = ArrayRows(X, y, w, intercept=intercept)
    moments = Moments.of(rows) if intercept else Moments.of(rows).about_origin()
    unit = np.ones(len(X)) if w is None else w
    root = np.sqrt(unit)[:, None]
    mean = unit @ X / unit.sum() if intercept else 0.0
    Q, R = np.linalg.qr(root * (X - mean))
    products = Q.T @ (root * (y - (unit @ y / unit.sum() if intercept else 0.0)))
    found = [factor_by_moments(rows, moments), factor_by_sample(rows)]
    for factor in found:
        assert factor is not None
        ratio = factor.R @ np.linalg.inv(R)
        # Both factors have the error κε, of several roundings.
        np.testing.assert_allclose(ratio.T @ ratio, np.eye(6), atol=1e-14 * condition)
        coordinates = factor.coordinates(np.linalg.inv(factor.R))
        size = np.linalg.norm(root * y)
        np.testing.assert_allclose(
            np.linalg.inv(factor.R) @ coordinates,
            np.linalg.solve(R, products),
            atol=1e-14 * condition * size * np.linalg.norm(np.linalg.inv(R)),
        )
        np.testing.assert_allclose(factor.moments.Sxx, moments.Sxx, rtol=1e-10, atol=1e-9)
        np.testing.assert_allclose(factor.moments.mean, moments.mean, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("gap", [1e-3, 1e-5])
def test_a_sample_that_misses_what_separates_two_columns_costs_no_digits(gap):
    rng = np.random.default_rng(8)
    X = rng.standard_normal((60_000, 8))
    X[:, 1] = X[:, 0] + gap * rng.standard_normal(len(X))
    few = rng.random(len(X)) < 1e-3
    X[few, 1] += 30 * rng.standard_normal(few.sum())
    y = X.sum(axis=1) + rng.standard_normal(len(X))
    rows = ArrayRows(X, y[:, np.newaxis])
    factor = factor_by_sample(rows)
    assert factor is not None
    R = np.linalg.qr(X - X.mean(axis=0))[1]
    ratio = factor.R @ np.linalg.inv(R)
    # The rows have a condition number of about ten; a factor from the sample's alone was off by
    # more than 1e-8.
    np.testing.assert_allclose(ratio.T @ ratio, np.eye(8), atol=1e-13)
    np.testing.assert_allclose(factor.moments.Sxx, R.T @ R, rtol=1e-10, atol=1e-7)


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")
@pytest.mark.parametrize("condition", 10.0 ** np.arange(10, 16))
def test_the_rank_is_that_of_an_orthogonal_factorisation(condition):
    X, y, _ = whitened_rows(5, 40_000, 8, condition)
    fits = [LinearRegression(solver=solver).fit(X, y[:, 0]) for solver in ("auto", "pinv")]
    assert fits[0].rank_ == fits[1].rank_
    # In 40,000 rows a direction of less than about 3e-13 may be rounding (rank_tolerance).
    assert fits[0].solver_ == ("whitened" if condition <= 1e12 else "pinv")


def test_rows_that_are_no_better_than_singular_get_no_whitened_factor():
    X, y, _ = whitened_rows(3, 3000, 4, 10)
    X = np.column_stack([X, X[:, 0] + X[:, 1]])
    rows = ArrayRows(X, y)
    assert factor_by_sample(rows) is None
    factor = factor_by_moments(rows, Moments.of(rows))
    if factor is not None:  # then the rank decision has what it needs
        values = np.linalg.svd(factor.R, compute_uv=False)
        assert values[-1] < 1e-12 * values[0]


def test_a_sample_that_is_well_conditioned_asks_for_nothing():
    X, y, _ = whitened_rows(4, 3000, 4, 10)
    assert factor_by_sample(ArrayRows(X, y)) is None
