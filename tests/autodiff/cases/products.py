"""NumPy's products of arrays of any dimensions."""

from __future__ import annotations

import numpy as np

from tests.autodiff.cases.drawing import any_, case

for label, (m, n) in {
    "scalars": ((), ()), "scalar": ((), (3,)), "vectors": ((3,), (3,)),
    "matrices": ((2, 3), (3, 2)), "three-one": ((2, 2, 3), (3,)), "three-two": ((2, 2, 3), (3, 2)),
    "two-three": ((2, 3), (2, 3, 2)), "one-three": ((3,), (2, 3, 2)),
}.items():  # fmt: skip
    case(np.dot, label, np.dot, any_(*m), any_(*n), exact=False)
for label, (m, n) in {
    "scalar": ((), (3,)), "vectors": ((3,), (3,)), "matrices": ((2, 3), (4, 3)),
    "three-one": ((2, 2, 3), (3,)),
}.items():  # fmt: skip
    case(np.inner, label, np.inner, any_(*m), any_(*n), exact=False)
case(np.dot, "method", lambda a, b: a.dot(b), any_(2, 3), any_(3))
case(np.vdot, "matrices", np.vdot, any_(2, 3), any_(2, 3), exact=False)
case(np.outer, "vectors", np.outer, any_(2), any_(3))
case(np.outer, "matrices", np.outer, any_(2, 2), any_(3))
case(np.linalg.outer, "vectors", np.linalg.outer, any_(2), any_(3))
for axes, (m, n) in {
    1: ((2, 3), (3, 2)), 2: ((2, 2, 3), (2, 3, 2)), 0: ((2,), (3,)),
    ((0, 1), (1, 0)): ((2, 3, 2), (3, 2)), ((-1,), (-1,)): ((2, 3), (2, 3)), (1, 0): ((2, 3), (3,)),
}.items():  # fmt: skip
    case(
        np.tensordot,
        f"{axes}",
        lambda a, b, x=axes: np.tensordot(a, b, x),
        any_(*m),
        any_(*n),
        exact=False,
    )
case(
    np.linalg.tensordot,
    "1",
    lambda a, b: np.linalg.tensordot(a, b, axes=1),
    any_(2, 3),
    any_(3, 2),
    exact=False,
)
for label, (m, n) in {
    "matrices": ((2, 3), (3, 2)), "vectors": ((2,), (3,)), "mixed": ((2,), (3, 2)),
    "scalar": ((), (2, 2)),
}.items():  # fmt: skip
    case(np.kron, label, np.kron, any_(*m), any_(*n))
case(
    np.linalg.multi_dot,
    "three",
    lambda a, b, c: np.linalg.multi_dot([a, b, c]),
    any_(2, 3),
    any_(3, 2),
    any_(2, 4),
    exact=False,
)
case(
    np.linalg.multi_dot,
    "vectors",
    lambda a, b, c: np.linalg.multi_dot([a, b, c]),
    any_(3),
    any_(3, 2),
    any_(2),
    exact=False,
)
BY_VECTORS = {"vecdot": ((2, 3), (3,)), "matvec": ((2, 2, 3), (2, 3)), "vecmat": ((3,), (2, 3, 2))}
for name, (m, n) in BY_VECTORS.items():
    if (ufunc := getattr(np, name, None)) is not None:
        case(ufunc, "stacks", ufunc, any_(*m), any_(*n), exact=False)
        case(ufunc, "one", ufunc, any_(*m[-2:]), any_(*n[-2:]), exact=False)
