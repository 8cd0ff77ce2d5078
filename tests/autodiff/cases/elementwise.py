"""Functions of entries that broadcast."""

from __future__ import annotations

import numpy as np
import scipy.special as sp

from tests.autodiff.cases.drawing import any_, case, pos

BROADCASTS = {
    "equal": ((2, 3), (2, 3)),
    "scalars": ((), ()),
    "scalar-array": ((), (3,)),
    "array-scalar": ((2, 2), ()),
    "row-column": ((1, 3), (2, 1)),
    "vector-matrix": ((3,), (2, 3)),
    "length-one": ((2, 3), (1, 1)),
    "stack": ((2, 1, 2), (3, 1)),
    "empty": ((0, 2), (2,)),
}

BINARY = {
    np.add: ("any", "any"),
    np.subtract: ("any", "any"),
    np.multiply: ("any", "any"),
    np.divide: ("any", "positive"),
    np.power: ("positive", "any"),
    np.float_power: ("positive", "any"),
    np.remainder: ("two and a half", "one"),
    np.logaddexp: ("any", "any"),
    np.logaddexp2: ("any", "any"),
    np.arctan2: ("any", "any"),
    np.hypot: ("any", "any"),
    np.maximum: ("any", "beside"),
    np.fmax: ("any", "beside"),
    np.minimum: ("any", "beside"),
    np.fmin: ("any", "beside"),
    sp.betaln: ("positive", "positive"),
    sp.xlogy: ("any", "positive"),
    sp.xlog1py: ("any", "positive"),
    sp.rel_entr: ("positive", "positive"),
    sp.owens_t: ("any", "any"),
}

UNARY = {
    np.negative: "any", np.positive: "any", np.absolute: "any", np.fabs: "any",
    np.reciprocal: "any", np.square: "any", np.sqrt: "positive", np.cbrt: "positive",
    np.exp: "any", np.exp2: "any", np.expm1: "any", np.log: "positive", np.log2: "positive",
    np.log10: "positive", np.log1p: "positive", np.sin: "any", np.cos: "any", np.tan: "inner",
    np.arcsin: "inner", np.arccos: "inner", np.arctan: "any", np.sinh: "any", np.cosh: "any",
    np.tanh: "any", np.arcsinh: "any", np.arccosh: "above one", np.arctanh: "inner",
    np.deg2rad: "any", np.radians: "any", np.rad2deg: "any", np.degrees: "any",
    sp.expit: "any", sp.logit: "unit", sp.log_expit: "any", sp.erf: "any", sp.erfc: "any",
    sp.erfinv: "inner", sp.ndtr: "any", sp.log_ndtr: "any", sp.ndtri: "unit",
    sp.gammaln: "positive", sp.gamma: "positive", sp.psi: "positive", sp.entr: "positive",
    sp.rgamma: "any", sp.dawsn: "any", sp.sindg: "any", sp.tandg: "any",
}  # fmt: skip

for ufunc, kind in UNARY.items():
    for shape in ((), (2, 3), (0,)):
        case(ufunc, f"{shape}", ufunc, (kind, shape))
for ufunc, (left, right) in BINARY.items():
    for label, (m, n) in BROADCASTS.items():
        exact = ufunc is not np.logaddexp  # by functions that NumPy has quicker loops for
        case(ufunc, label, ufunc, (left, m), (right, n), exact=exact)

for exponent in (2, 3.0, -1, 0.5, 1, 0):
    case(np.power, f"to {exponent}", lambda x, n=exponent: x**n, pos(2, 2))
case(np.power, "of 2", lambda x: 2.0**x, any_(3))
case(np.power, "array", lambda x: x ** np.array([0, 1, 2, -2, 0.5]), pos(5))
case(
    np.power, "exponents 0 and 1", lambda x, n: x**n,
    ("positive", (4,)), np.array([0.0, 1.0, 2.0, -1.0]),
)  # fmt: skip
case(np.power, "negative base", lambda x: x ** np.array([2.0, 3.0, 0.0]), np.array([-1.0, -2, 0]))
case(np.multiply, "itself", lambda x: x * x, any_(3))
case(np.remainder, "negative", lambda a, b: np.remainder(a, b), -np.array([5.3, 0.4]), pos(2))
