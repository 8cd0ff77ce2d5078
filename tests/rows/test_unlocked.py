"""Routines of BLAS and LAPACK that are called without the interpreter's lock."""

import numpy as np
import pytest
from scipy import linalg

from mcmodels.rows.unlocked import add_rows_to_factor, times_triangle


@pytest.mark.parametrize(("n", "p"), [(1, 1), (7, 3), (100, 20)])
def test_rows_times_a_triangle(n, p):
    rng = np.random.default_rng(0)
    X, upper = rng.standard_normal((n, p)), np.asfortranarray(np.triu(rng.standard_normal((p, p))))
    expected = X @ upper
    sizes = np.abs(X) @ np.abs(upper)
    times_triangle(X, upper)
    # Sums of p products, in another order.
    assert (np.abs(X - expected) <= 2 * p * 2.0**-53 * sizes).all()


@pytest.mark.parametrize(("n", "q", "n_triangular"), [(9, 4, 0), (40, 7, 0), (6, 6, 6)])
@pytest.mark.parametrize("together", [1, 3])
def test_rows_added_to_a_factor(n, q, n_triangular, together):
    rng = np.random.default_rng(1)
    R = np.asfortranarray(np.triu(rng.standard_normal((q, q))))
    Z = np.asfortranarray(rng.standard_normal((n, q)))
    if n_triangular:
        Z = np.asfortranarray(np.triu(Z))
    gram = R.T @ R + Z.T @ Z
    expected, info = linalg.lapack.dpotrf(gram, lower=0, clean=1)
    assert info == 0
    add_rows_to_factor(R, Z, n_triangular, together)
    found = np.triu(R) * np.sign(np.diagonal(R))[:, np.newaxis]
    # The factor from the squares has lost κε; κ is below 1e3 here.
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()


@pytest.mark.parametrize(
    "spoil", [np.asfortranarray, lambda X: X.astype(np.float32), lambda X: X[:, ::2]]
)
def test_arrays_of_another_form_are_refused(spoil):
    X, upper = np.ones((8, 4)), np.asfortranarray(np.triu(np.ones((4, 4))))
    with pytest.raises(ValueError, match="order, shape or dtype"):
        times_triangle(spoil(X), upper)
    R, Z = np.asfortranarray(np.eye(4)), np.asfortranarray(np.ones((8, 4)))
    with pytest.raises(ValueError, match="order, shape or dtype"):
        add_rows_to_factor(R, np.ascontiguousarray(Z), 0, 2)
