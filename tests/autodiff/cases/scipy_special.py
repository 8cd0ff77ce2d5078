"""Special functions of SciPy: incomplete integrals, Bessel functions, losses."""

from __future__ import annotations

import numpy as np
import scipy.special as sp

from mcmodels.autodiff import special
from mcmodels.autodiff.tables import call
from tests.autodiff.cases.drawing import any_, case, pos

UNARY = {
    sp.erfcx: "any", sp.erfi: "any", sp.erfcinv: "unit", sp.ndtri_exp: "negative",
    sp.exp1: "positive", sp.expi: "positive", sp.cosm1: "any", sp.exprel: "any",
    sp.j0: "any", sp.j1: "any", sp.y0: "positive", sp.y1: "positive", sp.i0: "any", sp.i1: "any",
    sp.k0: "positive", sp.k1: "positive", sp.i0e: "any", sp.i1e: "any", sp.k0e: "positive",
    sp.k1e: "positive",
}  # fmt: skip
for ufunc, kind in UNARY.items():
    for shape in ((), (2, 3), (0,)):
        if kind == "negative":
            draw = np.asarray(-np.linspace(0.4, 3.0, int(np.prod(shape))).reshape(shape))
        else:
            draw = (kind, shape)
        case(ufunc, f"{shape}", ufunc, draw)

# By every argument.
for label, (m, n) in {
    "equal": ((3,), (3,)),
    "broadcast": ((2, 1), (3,)),
    "scalars": ((), ()),
}.items():
    case(sp.beta, label, sp.beta, pos(*m), pos(*n))
    case(sp.poch, label, sp.poch, pos(*m), pos(*n))
    case(sp.binom, label, lambda n, k: sp.binom(n + 2.5, k), pos(*m), pos(*n))
    case(sp.kl_div, label, sp.kl_div, pos(*m), pos(*n))
    case(sp.pseudo_huber, label, sp.pseudo_huber, pos(*m), any_(*n))
    case(sp.huber, label, lambda d, r: sp.huber(d - 0.4, r), ("above one", m), any_(*n))
    case("gamma_density", label, lambda a, x: call("gamma_density", a, x), pos(*m), pos(*n))
case(sp.huber, "outside", sp.huber, ("inner", (3,)), ("above one", (3,)))
case(
    "gamma_density",
    "large",
    lambda a, x: call("gamma_density", 9 + 4 * a, 6 + 4 * x),
    pos(3),
    pos(3),
)
case(
    "beta_density", "small", lambda a, b, x: call("beta_density", a, b, x),
    pos(3), pos(3), ("unit", (3,)),
)  # fmt: skip
case(
    "beta_density", "large", lambda a, b, x: call("beta_density", 11 + a, 10 + b, 0.3 + x / 3),
    pos(3), pos(3), ("unit", (3,)),
)  # fmt: skip
case("inverse_mills", "both sides", lambda x: call("inverse_mills", x), any_(2, 3))
case("inverse_mills", "lower tail", lambda x: call("inverse_mills", 3 * x - 8), any_(3))
for n in (0, 1, 3):
    case("mills_moment_ratio", f"{n}", lambda x, n=n: call("mills_moment_ratio", n, x), any_(3))
    case(
        "mills_moment_ratio", f"{n} lower tail",
        lambda x, n=n: call("mills_moment_ratio", n, 3 * x - 8), any_(3),
    )  # fmt: skip
case(sp.log_ndtr, "lower tail", lambda x: sp.log_ndtr(5 * x - 12), any_(3))
case("zeta", "by q", lambda q: special.zeta(2.5, q), ("above one", (3,)))
case("zeta", "orders", lambda q: special.zeta(np.array([[1.5], [3.0]]), q), ("above one", (3,)))

case(
    "pseudo_huber_slope",
    "both",
    lambda delta, r: call("pseudo_huber_slope", delta, r),
    pos(3),
    any_(2, 3),
)
for ufunc in (sp.boxcox, sp.boxcox1p):
    case(ufunc, "both", ufunc, pos(2, 3), any_(3))
    case(ufunc, "no power", lambda x, f=ufunc: f(x, 0.0), pos(3))
case(sp.inv_boxcox, "both", sp.inv_boxcox, pos(2, 3), pos(3))
for ufunc in (sp.loggamma, sp.spence):
    case(ufunc, "positive", ufunc, pos(2, 3))
for ufunc in (sp.ellipk, sp.ellipe):
    case(ufunc, "both signs", lambda m, f=ufunc: f(np.tanh(m) / 2), any_(2, 3))
    case(ufunc, "one number", lambda m, f=ufunc: 9 * f(0.8 * m), ("unit", ()))
for ufunc in (sp.cbrt, sp.log1p):
    case(ufunc, "scipy", ufunc, pos(3))
for ufunc in (sp.exp2, sp.exp10, sp.expm1):
    case(ufunc, "scipy", lambda x, f=ufunc: f(x / 3), any_(3))

# By the last argument; the others are parameters.
SHAPES = {
    sp.gammainc: (1.7,), sp.gammaincc: (1.7,), sp.gammaincinv: (1.7,), sp.gammainccinv: (1.7,),
    sp.betainc: (1.7, 2.3), sp.betaincc: (1.7, 2.3), sp.betaincinv: (1.7, 2.3), sp.stdtr: (3.5,),
    sp.stdtrit: (3.5,), sp.chdtr: (3.0,), sp.chdtrc: (3.0,), sp.hyp1f1: (1.5, 2.5),
    sp.hyp2f1: (0.5, 1.5, 2.5), sp.jv: (1.5,), sp.yv: (1.5,), sp.iv: (0.5,), sp.kv: (0.5,),
    sp.ive: (1.5,), sp.kve: (1.5,), sp.yn: (2,), sp.kn: (1,), sp.pdtr: (3,), sp.pdtrc: (2,),
}  # fmt: skip
STEEP = {
    sp.yv: "one",
    sp.yn: "one",
    sp.kn: "one",
    sp.stdtrit: "half",
}  # elsewhere their higher derivatives are too large
for ufunc, shapes in SHAPES.items():
    kind = STEEP.get(ufunc, "unit")
    case(ufunc, "unit", lambda x, f=ufunc, s=shapes: f(*s, x), (kind, (2, 3)))
    case(
        ufunc, "broadcast",
        lambda x, f=ufunc, s=shapes: f(np.array([[s[0]], [s[0] + 1]]), *s[1:], x), (kind, (2,)),
    )  # fmt: skip
for ufunc in (sp.gammainc, sp.gammaincc, sp.chdtr, sp.chdtrc):
    case(ufunc, "both", ufunc, pos(3), pos(3))
for ufunc in (sp.gammaincinv, sp.gammainccinv, sp.stdtrit):
    case(ufunc, "both", lambda a, p, f=ufunc: f(a + 1, p), pos(3), ("half", (3,)))
case(sp.stdtr, "both", sp.stdtr, pos(3), ("above one", (3,)))
for ufunc in (sp.betainc, sp.betaincc):
    case(ufunc, "all", lambda a, b, x, f=ufunc: f(a + 1, b + 1, x), pos(3), pos(3), ("half", (3,)))
case(
    sp.betaincinv, "all", lambda a, b, p: sp.betaincinv(a + 1, b + 1, p),
    pos(3), pos(3), ("half", (3,)),
)  # fmt: skip
for k in (0, 1, 3, 5):
    for name in ("lower_gamma_moment", "upper_gamma_moment"):
        case(name, f"{k}", lambda a, x, n=name, k=k: call(n, k, a + 1, x), pos(3), pos(3))
for j, k in ((0, 0), (1, 0), (0, 2), (2, 1), (2, 2)):
    case(
        "lower_beta_moment", f"{j}-{k}",
        lambda a, b, x, j=j, k=k: call("lower_beta_moment", j, k, a + 1, b + 1, x),
        pos(3), pos(3), ("unit", (3,)),
    )  # fmt: skip
case(sp.gammainc, "large", lambda x: sp.gammainc(40.0, 40 * x), ("one", (3,)))
case(sp.betainc, "large", lambda x: sp.betainc(12.0, 11.0, x * 0.52), ("one", (3,)))
case(sp.jv, "orders", lambda x: sp.jv(np.array([0, 1, 2]), x), pos(3))
case(sp.ive, "negative", lambda x: sp.ive(1, x), any_(3))

for axis in (None, 0, -1, (0, 1)):
    for keepdims in (False, True):
        case(
            "weighted_logsumexp", f"{axis}-{keepdims}",
            lambda x, b, a=axis, k=keepdims: special.logsumexp(x, axis=a, b=b, keepdims=k),
            any_(2, 3), pos(2, 3),
        )  # fmt: skip
case(
    "weighted_logsumexp", "broadcast", lambda x, b: special.logsumexp(x, axis=1, b=b),
    any_(2, 1), pos(3),
)  # fmt: skip
case(
    "weighted_logsumexp", "signs",
    lambda x, b: special.logsumexp(x, b=b * np.array([1.0, -4.0, 1.0]), return_sign=True)[0],
    any_(3), pos(3),
)  # fmt: skip
case(
    "weighted_logsumexp", "a weight of 0",
    lambda x: special.logsumexp(x * np.array([1.0, 1e4, 1.0]), b=np.array([1.0, 0.0, 2.0])), pos(3),
)  # fmt: skip

for points in (np.array(30.0), np.array([[40.0, -80.0, 60.0], [20.0, 100.0, -50.0]]), np.zeros(0)):
    case(sp.cosdg, f"{np.ndim(points)} axes", sp.cosdg, points)
