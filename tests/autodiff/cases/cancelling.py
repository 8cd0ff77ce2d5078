"""Functions of which terms cancel as they are written, by the rules that they are computed by."""

from __future__ import annotations

import numpy as np
import scipy.special as sp

from mcmodels.autodiff import constant
from mcmodels.autodiff.rules.power_series import power_series
from mcmodels.autodiff.tables import call
from tests.autodiff.cases.drawing import any_, case, pos

case(
    "expit_slope", "given σ(x)",
    lambda x: call("expit_slope", x, sp.expit(constant(x))), any_(3),
)  # fmt: skip
for name in ("sin", "sinh", "expm1", "tanh", "arctan", "log1p", "bernoulli"):
    for n in (0, 1, 2):
        case(
            "quotient_by_argument", f"{name} near 0, {n}",
            lambda x, name=name, n=n: call("quotient_by_argument", name, n, x),
            np.array([-0.2, 0.0, 1e-9, 0.15]),
        )  # fmt: skip
        case(
            "quotient_by_argument", f"{name} far from 0, {n}",
            lambda x, name=name, n=n: call("quotient_by_argument", name, n, x),
            np.array([1.7, 2.4, 3.1]),
        )  # fmt: skip
        case(
            "quotient_by_argument", f"{name} in both branches, {n}",
            lambda x, name=name, n=n: call("quotient_by_argument", name, n, x),
            np.array([-0.5, 0.1, 2.2]),
        )  # fmt: skip
case("log1mexp", "log(1 - exp(-x))", lambda x: call("log1mexp", x), pos(3))
case("log_expm1", "log|exp(x) - 1|", lambda x: call("log_expm1", x), any_(3))
case("share_of_expm1", "exp(x)/(exp(x) - 1)", lambda x: call("share_of_expm1", x), any_(3))
case("quarter_csch_squared", "1/(4 sinh²)", lambda x: call("quarter_csch_squared", x), any_(3))

# exp(x)/cos x about two points; its poles at ±π/2 are far enough.
_SERIES = power_series(lambda z: np.exp(z) / np.cos(z), np.array([0.0, 0.2]))
for n in (0, 1, 2):
    case(
        "by_power_series", f"derivative {n}",
        lambda x, n=n: call("by_power_series", _SERIES, n, x), np.array([0.01, 0.19]),
    )  # fmt: skip
for n in (0, 1, 2):
    case("bell", f"derivative {n}", lambda x, n=n: call("bell", n, 0.5, x), any_(3))
