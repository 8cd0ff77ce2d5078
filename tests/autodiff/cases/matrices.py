"""Products, inverses, determinants, factorisations and norms."""

from __future__ import annotations

import numpy as np

from mcmodels.autodiff import constant
from mcmodels.autodiff.tables import call
from tests.autodiff.cases.drawing import any_, case, definite, flat, regular, signed, symmetric

PRODUCTS = {
    "matrices": ((2, 3), (3, 4)), "vectors": ((3,), (3,)), "matrix-vector": ((2, 3), (3,)),
    "vector-matrix": ((3,), (3, 4)), "stacks": ((2, 2, 3), (2, 3, 2)),
    "stack-matrix": ((2, 2, 3), (3, 2)), "matrix-stack": ((2, 3), (2, 3, 2)),
    "broadcast": ((2, 1, 2, 3), (3, 3, 2)), "stack-vector": ((2, 2, 3), (3,)),
    "vector-stack": ((3,), (2, 3, 2)), "empty": ((2, 0), (0, 3)), "one": ((1, 1), (1, 1)),
}  # fmt: skip
for label, (m, n) in PRODUCTS.items():
    case(np.matmul, label, np.matmul, any_(*m), any_(*n))
case(np.matmul, "square of a matrix", lambda A: A @ A, any_(3, 3))
case(np.matmul, "Gram matrix", lambda A: A.T @ A, any_(4, 2))

EINSUMS = {
    "ij,jk->ik": ((2, 3), (3, 2)), "ij,jk": ((2, 3), (3, 2)), "ij->ji": ((2, 3),),
    "ba": ((2, 3),), "ii": ((3, 3),), "ii->i": ((3, 3),), "ij->": ((2, 3),), "ij->j": ((2, 3),),
    "i,i": ((3,), (3,)), "i,j->ij": ((2,), (3,)), "...ij,...jk->...ik": ((2, 2, 3), (3, 2)),
    "...i,...i": ((2, 3), (3,)), "...ij->...ji": ((2, 2, 3),), "i...->...": ((2, 3, 2),),
    "ij,jk,kl->il": ((2, 3), (3, 2), (2, 2)), "i,ij,j": ((2,), (2, 3), (3,)),
    "ijj->i": ((2, 3, 3),), "iij,jk": ((2, 2, 3), (3, 2)), "iii->i": ((2, 2, 2),),
    "ij,kj->ik": ((2, 1), (2, 3)), "ij,ij->ij": ((2, 3), (1, 3)), "i,j->i": ((2,), (3,)),
    " i j , j -> i ": ((2, 3), (3,)), "...,...": ((), (2, 3)), "Zi,iA": ((2, 3), (3, 2)),
    ",i->i": ((), (3,)), "ij,jk->k": ((2, 3), (3, 4)),
}  # fmt: skip
for subscripts, shapes in EINSUMS.items():
    case(
        np.einsum, subscripts, lambda *a, s=subscripts: np.einsum(s, *a),
        *[any_(*s) for s in shapes],
        exact=not any(term.count(x) > 1 for term in subscripts.split(",") for x in term),
    )  # fmt: skip
case(
    np.einsum, "optimized",
    lambda *a: np.einsum("ij,jk,kl->il", *a, optimize=True), any_(2, 3), any_(3, 2), any_(2, 2),
    exact=False,  # another order of the products
)  # fmt: skip
case(np.einsum, "twice the same", lambda a: np.einsum("ij,ik->jk", a, a), any_(3, 2))
for label in ("ij,jk->ik", "i,i->", "ij->"):
    shapes = EINSUMS.get(label) or EINSUMS["i,i"]
    case(
        "einsum", label,
        lambda *a, s=label: call("einsum", *a, subscripts=s, optimize=False),
        *[any_(*s) for s in shapes],
    )  # fmt: skip

for key, f in (("inv", lambda A: call("inv", A)), (np.linalg.inv, np.linalg.inv)):
    case(key, "matrix", f, regular(3, 3))
    case(key, "stack", f, regular(2, 2, 2))
    case(key, "one", f, regular(1, 1))
for key, f in (("det", lambda A: call("det", A)), (np.linalg.det, np.linalg.det)):
    case(key, "matrix", f, regular(3, 3))
    case(key, "stack", f, regular(2, 2, 2))
for key, f in (
    ("slogdet", lambda A: call("slogdet", A)),
    (np.linalg.slogdet, lambda A: flat(np.linalg.slogdet(A))),
):
    case(key, "matrix", f, regular(3, 3))
    case(key, "negative", f, -np.eye(3) + 0.1)
    case(key, "stack", f, regular(2, 2, 2))
case(
    np.linalg.slogdet,
    "exponential",
    lambda A: (lambda s: s[0] * np.exp(s[1]))(np.linalg.slogdet(A)),
    regular(3, 3),
)
case("solve", "matrix", lambda A, B: call("solve", A, B), regular(3, 3), any_(3, 2))
SYSTEMS = {
    "vector": ((3, 3), (3,)), "matrix": ((3, 3), (3, 2)), "stacks": ((2, 2, 2), (2, 2, 3)),
    "broadcast": ((2, 2), (3, 2, 1)), "stack-vector": ((2, 2, 2), (2,)),
    "stack-matrix": ((3, 2, 2), (2, 2)),
}  # fmt: skip
for label, (m, n) in SYSTEMS.items():
    case(np.linalg.solve, label, np.linalg.solve, regular(*m), any_(*n))
case("cholesky", "matrix", lambda A: call("cholesky", symmetric(A)), definite(3, 3))
for upper in (False, True):
    for shape in ((3, 3), (2, 2, 2), (1, 1)):
        case(
            np.linalg.cholesky, f"{shape}-{upper}",
            lambda A, u=upper: np.linalg.cholesky(symmetric(A), upper=u), definite(*shape),
        )  # fmt: skip
case(
    "eigh",
    "matrix",
    lambda A: (lambda y: flat([y[0], signed(y[1:])]))(call("eigh", symmetric(A))),
    definite(3, 3),
)
case("eigvalsh", "matrix", lambda A: call("eigvalsh", symmetric(A)), definite(3, 3))
for UPLO in "LU":
    for shape in ((3, 3), (2, 2, 2), (1, 1)):
        case(
            np.linalg.eigh, f"{shape}-{UPLO}",
            lambda A, U=UPLO: (lambda y: flat([y.eigenvalues, signed(y.eigenvectors)]))(
                np.linalg.eigh(symmetric(A), U)
            ), definite(*shape),
        )  # fmt: skip
        case(
            np.linalg.eigvalsh, f"{shape}-{UPLO}",
            lambda A, U=UPLO: np.linalg.eigvalsh(symmetric(A), UPLO=U), definite(*shape),
        )  # fmt: skip


def _all_of_svd(y):
    U, s, Vt = y
    sign = np.sign(constant(U)[..., :1, :])
    return flat([U * sign, s, np.swapaxes(Vt, -1, -2) * sign])


def _packed_svd(A):
    y = call("svd", A)
    m = A.shape[0]
    return _all_of_svd((y[:m], y[m], y[m + 1 :].T))


for label, shape in (("wide", (2, 4)), ("tall", (4, 2)), ("square", (3, 3)), ("stack", (2, 3, 2))):
    case(
        np.linalg.svd,
        label,
        lambda A: _all_of_svd(np.linalg.svd(A, full_matrices=False)),
        regular(*shape),
    )
    case(
        "svd",
        label,
        lambda A: np.stack([_packed_svd(B) for B in A.reshape((-1, *A.shape[-2:]))]),
        regular(*shape),
    )
    case(
        np.linalg.svd,
        f"{label} values",
        lambda A: np.linalg.svd(A, compute_uv=False),
        regular(*shape),
    )
    case(np.linalg.svdvals, label, np.linalg.svdvals, regular(*shape))
    case("svdvals", label, lambda A: call("svdvals", A), regular(*shape))
case(np.linalg.svd, "full square", lambda A: _all_of_svd(np.linalg.svd(A)), regular(3, 3))
for n in (0, 1, 2, 3, 5, -1, -2):
    case(
        np.linalg.matrix_power,
        f"{n}",
        lambda A, n=n: np.linalg.matrix_power(A, n),
        regular(2, 2),
        exact=False,
    )
case(
    np.linalg.matrix_power,
    "stack",
    lambda A: np.linalg.matrix_power(A, 3),
    regular(2, 2, 2),
    exact=False,
)

# NumPy adds squares of norms by a dot product.
for axis in (None, 0, -1, (0, 2), (-1, 0, 1), ()):
    case("norm", f"{axis}", lambda x, a=axis: call("norm", x, axis=a), any_(2, 3, 2), exact=False)
for ord in (None, 1, 2, 3, 2.5, -1, -2, 0.5, np.inf, -np.inf):
    case(
        np.linalg.norm, f"vector-{ord}", lambda x, o=ord: np.linalg.norm(x, o), any_(4), exact=False
    )
    case(
        np.linalg.norm, f"rows-{ord}",
        lambda x, o=ord: np.linalg.norm(x, ord=o, axis=-1, keepdims=True), any_(2, 3), exact=False,
    )  # fmt: skip
for ord in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
    case(
        np.linalg.norm,
        f"matrix-{ord}",
        lambda x, o=ord: np.linalg.norm(x, o),
        regular(3, 2),
        exact=False,
    )
    case(
        np.linalg.norm, f"stack-{ord}",
        lambda x, o=ord: np.linalg.norm(np.moveaxis(x, 0, 1), o, axis=(2, 0)), regular(2, 3, 2),
        exact=False,
    )  # fmt: skip
    case(
        np.linalg.norm, f"kept-{ord}",
        lambda x, o=ord: np.linalg.norm(x, o, axis=(0, 1), keepdims=True), regular(3, 2),
        exact=False,
    )  # fmt: skip
case(np.linalg.norm, "three axes", np.linalg.norm, any_(2, 2, 2), exact=False)
case(
    np.linalg.norm,
    "with a zero",
    lambda x: np.linalg.norm(x, 4),
    np.array([0.0, 1.0, -2.0]),
    exact=False,
)
