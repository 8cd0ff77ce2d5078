"""Principal components and the Rayleigh quotient."""

from mcmodels.calculus.core.functions import matrix, scalar, trace, vector
from mcmodels.calculus.core.sources import BISHOP, COOKBOOK
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_THEME = "Eigenvalue problems"

_S = matrix("S", "n", "n", symmetric=True)
_A = matrix("A", "n", "n")
_v, _w, _lam = vector("v", "n"), vector("w", "n"), scalar("lambda_")
_W = matrix("W", "n", "k")
_lagrangian = _v.T @ _S @ _v - _lam * (_v.T @ _v - 1)

IDENTITIES = (
    Identity(
        "Lagrangian of principal components in v",
        _THEME,
        _lagrangian,
        _v,
        f"{BISHOP}, (12.4), (12.5)",
        remark="Zero where Sv = λv: v is an eigenvector, of variance vᵀSv = λ.",
    ),
    Identity(
        "Lagrangian of principal components in λ",
        _THEME,
        _lagrangian,
        _lam,
        f"{BISHOP}, (12.4)",
        remark="Zero where vᵀv = 1.",
    ),
    Identity(
        "Rayleigh quotient",
        _THEME,
        _w.T @ _S @ _w / (_w.T @ _w),
        _w,
        "Absil, Mahony & Sepulchre (2008), 2.1.1",
        remark="Zero where Sw = λw with λ = wᵀSw/wᵀw.",
    ),
    Identity(
        "Rayleigh quotient as traces",
        _THEME,
        trace(_w.T @ _A @ _w) / trace(_w.T @ _w),
        _w,
        "Absil, Mahony & Sepulchre (2008), 2.1.1",
    ),
    Identity(
        "Rayleigh quotient of a matrix",
        _THEME,
        trace(_W.T @ _S @ _W) / trace(_W.T @ _W),
        _W,
        f"{COOKBOOK}, (108), (115)",
    ),
)
