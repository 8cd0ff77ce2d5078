"""Rules of what selects, moves, joins and sums entries."""

from __future__ import annotations

import numpy as np

from mcmodels.autodiff.tables import call
from tests.autodiff.cases.drawing import any_, case

AXES = [None, 0, -1, (0, 2), (-1, 0, 1), ()]
mask = np.array([[True, False, True], [False, False, True]])
INDEXES = {
    "integer": 1, "negative": -1, "slice": slice(1, None), "backwards": slice(None, None, -2),
    "ellipsis": (..., 1), "new axis": (None, 0, None), "both": (slice(None), 2),
    "mask": mask, "list": [0, 1, 0], "array": np.array([[0, 1], [1, 1]]),
    "pairs": (np.array([0, 1, 0]), np.array([2, 2, 2])), "mixed": (slice(None), [2, 0, 2]),
    "mask of columns": (slice(None), np.array([True, False, True])), "everything": (),
    "nothing": slice(0, 0), "of bools": [True, False],
}  # fmt: skip
for label, index in INDEXES.items():
    case("getitem", label, lambda x, index=index: x[index], any_(2, 3))
case("getitem", "scalar", lambda x: x[()], any_())
case("getitem", "entry", lambda x: x[1, 2] * x[0, 0], any_(2, 3))
for label, index, shape in (("repeated", [0, 2, 0], (3,)), ("slice", slice(1, 4), (5,))):
    case(
        "scatter",
        label,
        lambda x, index=index, shape=shape: call("scatter", x, index=index, shape=shape),
        any_(3),
    )
case("reshape", "C", lambda x: call("reshape", x, shape=(3, -1)), any_(2, 3))
case("reshape", "F", lambda x: call("reshape", x, shape=(3, 2), order="F"), any_(2, 3))
case("transpose", "reversed", lambda x: call("transpose", x), any_(2, 3, 4))
case("transpose", "cycle", lambda x: call("transpose", x, axes=(1, 2, 0)), any_(2, 3, 4))
case("transpose", "negative", lambda x: call("transpose", x, axes=(-1, 0, -2)), any_(2, 3, 4))
case("broadcast_to", "row", lambda x: call("broadcast_to", x, shape=(2, 3)), any_(3))
case("broadcast_to", "column", lambda x: call("broadcast_to", x, shape=(4, 2, 3)), any_(2, 1))
case("astype", "float64", lambda x: call("astype", x, dtype=np.dtype(np.float64)), any_(2))
case("astype", "method", lambda x: np.sin(x).astype(np.float64), any_(2))
for name in ("sum", "max", "min"):
    for axis in AXES:
        for keepdims in (False, True):
            case(
                name,
                f"{axis}-{keepdims}",
                lambda x, n=name, a=axis, k=keepdims: call(n, x, axis=a, keepdims=k),
                any_(2, 3, 2),
            )
    case(name, "scalar", lambda x, n=name: call(n, x), any_())
for axis in (0, 1, -1):
    case("cumsum", f"{axis}", lambda x, a=axis: call("cumsum", x, axis=a), any_(2, 3))
for name in ("tril", "triu"):
    for k in (0, 1, -1):
        case(name, f"{k}", lambda x, n=name, k=k: call(n, x, k=k), any_(2, 3, 4))
    case(name, "vector", lambda x, n=name: call(n, x), any_(3))
for axis in (0, 1):
    case(
        "concatenate", f"{axis}",
        lambda a, b, c, d=axis: call("concatenate", a, b, c, axis=d, ends=[2, 4, 6]),
        any_(2, 2), any_(2, 2), any_(2, 2),
    )  # fmt: skip
case(
    "concatenate", "unequal", lambda a, b: call("concatenate", a, b, axis=1, ends=[1, 4]),
    any_(2, 1), any_(2, 3),
)  # fmt: skip
case(
    "concatenate", "with zeros",
    lambda a: call("concatenate", np.zeros(2), a, axis=0, ends=[2, 4]), any_(2),
)  # fmt: skip
case("where", "both", lambda a, b: call("where", mask, a, b), any_(2, 3), any_(3))
case("where", "scalar", lambda a: call("where", mask, a, 0.0), any_())
case("where", "wide condition", lambda a, b: call("where", mask, a, b), any_(2, 1), any_())
