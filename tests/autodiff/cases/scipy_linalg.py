"""SciPy's functions of matrices."""

from __future__ import annotations

import numpy as np

from mcmodels.autodiff import linalg
from tests.autodiff.cases.drawing import any_, case, definite, flat, regular, symmetric


def triangular_system(A, b, **options):
    return linalg.solve_triangular(A, b, **options)


for label, options in {
    "upper": {}, "lower": {"lower": True}, "transposed": {"trans": 1, "lower": True},
    "unit": {"unit_diagonal": True},
    "unit lower": {"lower": True, "unit_diagonal": True, "trans": "T"},
}.items():  # fmt: skip
    for shape in ((3,), (3, 2)):
        case(
            "solve_triangular", f"{label}-{shape}",
            lambda A, b, o=options: triangular_system(A, b, **o), definite(3, 3), any_(*shape),
        )  # fmt: skip
for lower in (False, True):
    case(
        "solve_triangular", f"cho_solve-{lower}",
        lambda A, b, low=lower: linalg.cho_solve(linalg.cho_factor(symmetric(A), low), b),
        definite(3, 3), any_(3, 2), exact=False,
    )  # fmt: skip
    case(
        "cholesky", f"scipy-{lower}",
        lambda A, low=lower: linalg.cholesky(symmetric(A), lower=low), definite(3, 3), exact=False,
    )  # fmt: skip
    case(
        "eigvalsh", f"generalised-{lower}",
        lambda A, B, low=lower: linalg.eigvalsh(symmetric(A), symmetric(B), lower=low),
        definite(3, 3), definite(3, 3), exact=False,
    )  # fmt: skip
case(
    "eigh", "generalised vectors",
    lambda A, B: (lambda w, V: flat([w, V * V]))(*linalg.eigh(symmetric(A), symmetric(B))),
    definite(3, 3), definite(3, 3),
)  # fmt: skip
case("eigh", "scipy", lambda A: linalg.eigh(symmetric(A), lower=False)[1] ** 2, definite(3, 3))
case(
    "solve_sylvester", "rectangular", linalg.solve_sylvester,
    definite(3, 3), definite(2, 2), any_(3, 2),
)  # fmt: skip
case("solve_sylvester", "lyapunov", linalg.solve_continuous_lyapunov, definite(3, 3), any_(3, 3))
case(
    "solve_discrete_lyapunov", "matrix",
    lambda A, Q: linalg.solve_discrete_lyapunov(0.2 * A, Q), regular(3, 3), any_(3, 3),
)  # fmt: skip
for name in ("expm", "cosm", "sinm"):
    case(name, "matrix", lambda A, f=name: getattr(linalg, f)(0.5 * A), any_(3, 3))
    case(name, "one", getattr(linalg, name), any_(1, 1))
for name in ("logm", "sqrtm"):
    case(name, "matrix", getattr(linalg, name), definite(3, 3))
    case(
        name, "not symmetric", lambda A, f=name: getattr(linalg, f)(A + np.triu(A)), definite(3, 3)
    )
case("lu", "factors", lambda A: linalg.lu_factor(A)[0], regular(3, 3), exact=False)
case("lu", "parts", lambda A: flat(linalg.lu(A)[1:]), regular(4, 4), exact=False)
for trans in (0, 1):
    case(
        "lu", f"solve-{trans}",
        lambda A, b, t=trans: linalg.lu_solve(linalg.lu_factor(A), b, trans=t),
        regular(3, 3), any_(3), exact=False,
    )  # fmt: skip
FIRST = np.array([3.0, 0.0, 0.0])
BAND = np.array([[9.0, 0.4, -0.7, 0.3], [3.0, 2.5, 3.5, 2.8], [0.6, -0.5, 0.8, 9.0]])
case("solve", "banded", lambda ab, b: linalg.solve_banded((1, 1), ab, b), BAND, any_(4))
case("solve", "toeplitz", lambda c, b: linalg.solve_toeplitz(c + FIRST, b), any_(3), any_(3))
case(
    "solve", "toeplitz by column and row",
    lambda c, r, b: linalg.solve_toeplitz((c + FIRST, r), b), any_(3), any_(3), any_(3, 2),
)  # fmt: skip
case("solve", "scipy", lambda A, b: linalg.solve(A, b, transposed=True), regular(3, 3), any_(3))
case("getitem", "toeplitz", linalg.toeplitz, any_(3), any_(4))
case("getitem", "hankel", linalg.hankel, any_(3), any_(4))
case("getitem", "circulant", linalg.circulant, any_(3))
case("concatenate", "block_diag", linalg.block_diag, any_(2, 2), any_(1, 3), any_())
case("det", "scipy", linalg.det, regular(3, 3))
case("inv", "scipy", linalg.inv, regular(3, 3))
case("svdvals", "scipy", linalg.svdvals, regular(3, 2))
case("svd", "scipy", lambda A: linalg.svd(A, full_matrices=False)[0] ** 2, regular(3, 2))
