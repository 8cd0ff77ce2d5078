"""SciPy's functions of matrices."""

from __future__ import annotations

import numpy as np

from mcmodels.autodiff import linalg
from mcmodels.autodiff.tables import call
from tests.autodiff.cases.drawing import any_, case, definite, flat, regular, symmetric

# The largest entry of the first column is not the first.
EXCHANGED = np.array([[1.0, 0.5, -0.3], [2.0, 3.0, 0.4], [-0.5, 1.0, 2.0]])

for label, options in {
    "upper": {}, "lower": {"lower": True}, "transposed": {"trans": 1, "lower": True},
    "unit": {"unit_diagonal": True},
    "unit lower": {"lower": True, "unit_diagonal": True, "trans": "T"},
}.items():  # fmt: skip
    for shape in ((3,), (3, 2)):
        for key in ("solve_triangular", linalg.solve_triangular):
            case(
                key, f"{label}-{shape}",
                lambda A, b, o=options: linalg.solve_triangular(A, b, **o),
                definite(3, 3), any_(*shape),
            )  # fmt: skip
for lower in (False, True):
    case(
        linalg.cho_solve, f"{lower}",
        lambda A, b, low=lower: linalg.cho_solve(linalg.cho_factor(symmetric(A), low), b),
        definite(3, 3), any_(3, 2), exact=False,
    )  # fmt: skip
    case(
        linalg.cholesky, f"{lower}",
        lambda A, low=lower: linalg.cholesky(symmetric(A), lower=low), definite(3, 3), exact=False,
    )  # fmt: skip
    case(
        linalg.eigvalsh, f"generalised-{lower}",
        lambda A, B, low=lower: linalg.eigvalsh(symmetric(A), symmetric(B), lower=low),
        definite(3, 3), definite(3, 3), exact=False,
    )  # fmt: skip
case(
    linalg.eigh, "generalised vectors",
    lambda A, B: (lambda w, V: flat([w, V * V]))(*linalg.eigh(symmetric(A), symmetric(B))),
    definite(3, 3), definite(3, 3),
)  # fmt: skip
case(linalg.eigh, "upper", lambda A: linalg.eigh(symmetric(A), lower=False)[1] ** 2, definite(3, 3))
for key in ("solve_sylvester", linalg.solve_sylvester):
    case(key, "rectangular", linalg.solve_sylvester, definite(3, 3), definite(2, 2), any_(3, 2))
case(
    linalg.solve_continuous_lyapunov, "matrix", linalg.solve_continuous_lyapunov,
    definite(3, 3), any_(3, 3),
)  # fmt: skip
for key in ("solve_discrete_lyapunov", linalg.solve_discrete_lyapunov):
    case(
        key, "matrix", lambda A, Q: linalg.solve_discrete_lyapunov(0.2 * A, Q),
        regular(3, 3), any_(3, 3),
    )  # fmt: skip
for name in ("expm", "cosm", "sinm"):
    for key in (name, getattr(linalg, name)):
        case(key, "matrix", lambda A, f=name: getattr(linalg, f)(0.5 * A), any_(3, 3))
        case(key, "one", getattr(linalg, name), any_(1, 1))
for name in ("logm", "sqrtm"):
    for key in (name, getattr(linalg, name)):
        case(key, "symmetric", getattr(linalg, name), definite(3, 3))
        case(key, "other", lambda A, f=name: getattr(linalg, f)(A + np.triu(A)), definite(3, 3))
case("lu", "one step", lambda A: call("lu", A), definite(3, 3), exact=False)
case("lu", "an exchange is not made", lambda A: call("lu", A), EXCHANGED, exact=False)
case(linalg.lu_factor, "factors", lambda A: linalg.lu_factor(A)[0], regular(3, 3), exact=False)
case(linalg.lu, "parts", lambda A: flat(linalg.lu(A)[1:]), regular(4, 4), exact=False)
for trans in (0, 1):
    case(
        linalg.lu_solve, f"{trans}",
        lambda A, b, t=trans: linalg.lu_solve(linalg.lu_factor(A), b, trans=t),
        regular(3, 3), any_(3), exact=False,
    )  # fmt: skip
FIRST = np.array([3.0, 0.0, 0.0])
BAND = np.array([[9.0, 0.4, -0.7, 0.3], [3.0, 2.5, 3.5, 2.8], [0.6, -0.5, 0.8, 9.0]])
case(
    linalg.solve_banded,
    "tridiagonal",
    lambda ab, b: linalg.solve_banded((1, 1), ab, b),
    BAND,
    any_(4),
)
case(
    linalg.solve_toeplitz,
    "column",
    lambda c, b: linalg.solve_toeplitz(c + FIRST, b),
    any_(3),
    any_(3),
)
case(
    linalg.solve_toeplitz, "column and row",
    lambda c, r, b: linalg.solve_toeplitz((c + FIRST, r), b), any_(3), any_(3), any_(3, 2),
)  # fmt: skip
case(
    linalg.solve,
    "transposed",
    lambda A, b: linalg.solve(A, b, transposed=True),
    regular(3, 3),
    any_(3),
)
case(linalg.toeplitz, "column and row", linalg.toeplitz, any_(3), any_(4))
case(linalg.hankel, "column and row", linalg.hankel, any_(3), any_(4))
case(linalg.circulant, "column", linalg.circulant, any_(3))
case(linalg.block_diag, "three", linalg.block_diag, any_(2, 2), any_(1, 3), any_())
case(linalg.det, "matrix", linalg.det, regular(3, 3))
case(linalg.inv, "matrix", linalg.inv, regular(3, 3))
case(linalg.svdvals, "matrix", linalg.svdvals, regular(3, 2))
case(linalg.svd, "vectors", lambda A: linalg.svd(A, full_matrices=False)[0] ** 2, regular(3, 2))
for lower in (False, True):
    case(
        linalg.cho_factor, f"{lower}",
        lambda A, low=lower: linalg.cho_factor(symmetric(A), low)[0], definite(3, 3), exact=False,
    )  # fmt: skip
case(
    linalg.eigh, "one triangle",
    lambda A, B: linalg.eigh(np.triu(A), symmetric(B), lower=False, eigvals_only=True),
    definite(3, 3), definite(3, 3), exact=False,
)  # fmt: skip
