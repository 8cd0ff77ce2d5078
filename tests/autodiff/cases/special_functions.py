"""Special functions that are not ufuncs."""

from __future__ import annotations

import numpy as np

from mcmodels.autodiff import constant, special
from mcmodels.autodiff.tables import call
from tests.autodiff.cases.drawing import any_, case, pos

for n in (0, 1, 2):
    case("polygamma", f"{n}", lambda x, n=n: special.polygamma(n, x), pos(3))
for axis in (None, 0, -1, (0, 1)):
    case("softmax", f"{axis}", lambda x, a=axis: special.softmax(x, axis=a), any_(2, 3))
    case("softmax", f"log-{axis}", lambda x, a=axis: special.log_softmax(x, axis=a), any_(2, 3))
    for keepdims in (False, True):
        case(
            "logsumexp", f"{axis}-{keepdims}",
            lambda x, a=axis, k=keepdims: special.logsumexp(x, axis=a, keepdims=k), any_(2, 3),
        )  # fmt: skip
case(
    "share", "σ(a - b)",
    lambda a, b: call("share", a, b, np.logaddexp(constant(a), constant(b))), any_(3), any_(3),
)  # fmt: skip
case("sech_squared", "tanh and its slope", lambda x: call("sech_squared", x), any_(3))
case("sech", "one over cosh", lambda x: call("sech", x), any_(3))
case(
    "sech_squared",
    "given tanh, in both branches",
    lambda x: call("sech_squared", x, np.tanh(constant(x))),
    np.array([0.3, -2.5, 1.7]),
)
for axis in (None, 0, (0, 2)):
    case(
        "squared_norm",
        f"given the norm, {axis}",
        lambda x, axis=axis: call(
            "squared_norm", x, constant(call("norm", x, axis=axis)), axis=axis
        ),
        any_(2, 3, 2),
    )
case("logcosh", "log cosh", lambda x: call("logcosh", x), any_(2, 3))
case("logsumexp", "scalar", special.logsumexp, any_())
for n in (1, 2):
    case(
        "dawsn_derivative", f"{n}, near and far",
        lambda x, n=n: call("dawsn_derivative", n, x), np.array([0.3, -2.0, 7.0]),
    )  # fmt: skip
