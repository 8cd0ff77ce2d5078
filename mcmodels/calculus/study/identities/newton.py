"""Newton's method: the quadratic model and its step."""

from mcmodels.calculus.core.functions import inv, matrix, scalar, vector
from mcmodels.calculus.core.sources import BOYD
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_THEME = "Newton's method"

_s, _g, _f = vector("s", "n"), vector("g", "n"), scalar("f")
_H = matrix("H", "n", "n", positive_definite=True)

IDENTITIES = (
    Identity(
        "quadratic model",
        _THEME,
        _f + _g.T @ _s + _s.T @ _H @ _s / 2,
        _s,
        "Nocedal & Wright (2006), (2.14), (2.15)",
        remark="Zero where Hs = −g: Newton's step is s = −H⁻¹g.",
    ),
    Identity(
        "decrease predicted by Newton's step",
        _THEME,
        -_g.T @ inv(_H) @ _g / 2,
        _g,
        f"{BOYD}, 9.5.1",
        remark="The value of the model at s = −H⁻¹g, less f.",
    ),
)
