"""Wide and square least squares that fit every row, against exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from mcmodels import LinearRegression
from mcmodels.exceptions import RankDeficiencyWarning
from tests.numerics import relative_error


def solved(A, b):
    """Solution of a square system of fractions, by elimination."""
    n = len(A)
    rows = [[*A[i], *b[i]] for i in range(n)]
    for j in range(n):
        pivot = next(i for i in range(j, n) if rows[i][j] != 0)
        rows[j], rows[pivot] = rows[pivot], rows[j]
        for i in range(n):
            if i != j and rows[i][j] != 0:
                factor = rows[i][j] / rows[j][j]
                rows[i] = [a - factor * c for a, c in zip(rows[i], rows[j], strict=True)]
    return [[value / rows[i][i] for value in rows[i][n:]] for i in range(n)]


def shortest(X, Y, intercept):
    """Params (m, P) of the shortest exact fit, from the float64 data as fractions.

    ``β = Dᵀ(DDᵀ)⁻¹e``; with an intercept the rows of D are differences from the first row.
    """
    A = [[Fraction(float(x)) for x in row] for row in X]
    B = [[Fraction(float(y)) for y in row] for row in Y]
    D, E = A, B
    if intercept:
        D = [[a - c for a, c in zip(row, A[0], strict=True)] for row in A[1:]]
        E = [[a - c for a, c in zip(row, B[0], strict=True)] for row in B[1:]]
    gram = [[sum(a * c for a, c in zip(r, s, strict=True)) for s in D] for r in D]
    z = solved(gram, E)
    p, m = len(A[0]), len(B[0])
    found = []
    for k in range(m):
        beta = [sum(D[i][j] * z[i][k] for i in range(len(D))) for j in range(p)]
        if intercept:
            beta.append(B[0][k] - sum(a * c for a, c in zip(A[0], beta, strict=True)))
        found.append([float(value) for value in beta])
    return np.array(found)


def rows_of_condition(rng, n, p, kappa, offset):
    k = min(n, p)
    U, V = (np.linalg.qr(rng.standard_normal((size, k)))[0] for size in (n, p))
    return U @ np.diag(np.geomspace(1, 1 / kappa, k)) @ V.T + offset


@pytest.mark.filterwarnings("ignore", category=RankDeficiencyWarning)
@pytest.mark.parametrize("kappa", [1e5, 1e7, 1e9, 1e12])
@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("n", "p"), [(5, 5), (4, 7), (3, 9), (8, 8)])
def test_every_digit_of_an_exact_fit(n, p, intercept, offset, kappa):
    rng = np.random.default_rng([n, p, int(kappa)])
    if offset and kappa > 1e7:
        offset = 1.0  # beyond, the rounding of the entries decides on the rank
    X = rows_of_condition(rng, n, p, kappa, offset)
    Y = rng.standard_normal((n, 2))
    model = LinearRegression(fit_intercept=intercept).fit(X, Y)
    exact = shortest(X, Y, intercept)
    assert model.rank_ == n - intercept
    # Three or four rows about their mean may be well conditioned; twelve digits are promised then.
    # Else the last bit of float64 in each parameter: 1.1e-16, and as much again for the intercept,
    # which is rounded from coefficients in double-double.
    assert model.n_iter_ > 0 or n < 5
    error = np.abs(model.params_ - exact)
    if model.n_iter_:
        assert (error / np.abs(exact)).max() < 3e-16
    else:
        assert (error / np.linalg.norm(exact, axis=1, keepdims=True)).max() < 1e-12 * (1 + offset)


@pytest.mark.filterwarnings("ignore", category=RankDeficiencyWarning)
def test_weights_streams_and_sparse_rows_change_nothing_of_an_exact_fit():
    from scipy import sparse

    from mcmodels.rows import RowStream

    rng = np.random.default_rng(3)
    X, y = rows_of_condition(rng, 6, 8, 1e8, 0.0), rng.standard_normal(6)
    exact = shortest(X, y[:, np.newaxis], intercept=True)[0]
    w = np.array([1.0, 2.0, 0.5, 3.0, 1.0, 1e3])
    absent = np.vstack([X, rng.standard_normal((2, 8))]), np.append(y, [5.0, 6.0])
    fits = [
        LinearRegression().fit(X, y, w),
        LinearRegression().fit(*absent, np.append(w, [0.0, 0.0])),
        LinearRegression().fit(sparse.csr_array(X), y),
        LinearRegression().fit(RowStream(lambda: iter([(X[:2], y[:2]), (X[2:], y[2:])]))),
    ]
    for model in fits:
        assert np.abs(model.params_ / exact - 1).max() < 3e-16  # as above


@pytest.mark.filterwarnings("ignore", category=RankDeficiencyWarning)
def test_well_conditioned_rows_need_no_corrections():
    rng = np.random.default_rng(4)
    X, Y = rng.standard_normal((6, 20)), rng.standard_normal((6, 1))
    model = LinearRegression().fit(X, Y[:, 0])
    assert model.n_iter_ == 0
    # κ is below ten: ε times κ, and a few operations.
    assert relative_error(model.params_, shortest(X, Y, intercept=True)[0]) < 1e-14


@pytest.mark.filterwarnings("ignore", category=RankDeficiencyWarning)
def test_a_repeated_row_is_no_exact_fit():
    """The minimiser depends on what counts as zero; it is left as the factorisation gives it."""
    rng = np.random.default_rng(5)
    X, y = rows_of_condition(rng, 5, 8, 1e6, 0.0), rng.standard_normal(5)
    model = LinearRegression().fit(np.vstack([X, X[:1]]), np.append(y, y[0] + 1))
    assert (model.rank_, model.n_iter_) == (4, 0)


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("intercept", [True, False])
def test_weights_over_six_decades_do_not_change_an_exact_fit(seed, intercept):
    """To the digits that docs/choosing.md promises."""
    rng = np.random.default_rng(seed)
    n, p = [(8, 8), (12, 13), (9, 17), (15, 22)][seed % 4]
    X, y = rng.normal(size=(n, p)), rng.normal(size=n)
    X[1] = X[0] + 0.1 * rng.normal(size=p)
    w = 10.0 ** rng.uniform(-3, 3, n)
    expected = np.array(shortest(X, y[:, np.newaxis], intercept)[0][:p], dtype=float)
    model = LinearRegression(fit_intercept=intercept).fit(X, y, w)
    assert relative_error(model.coef_, expected) < 1e-12
