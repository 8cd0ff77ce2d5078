"""The log-likelihood of a multivariate Gaussian, without its constant."""

from mcmodels.calculus.core.functions import inv, logdet, matrix, ones, size, trace, vector
from mcmodels.calculus.core.sources import BISHOP
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_THEME = "Multivariate Gaussian"

_x, _mu = vector("x", "p"), vector("mu", "p")
_Sigma = matrix("Sigma", "p", "p", positive_definite=True)
_X = matrix("X", "n", "p")

_one = -logdet(_Sigma) / 2 - (_x - _mu).T @ inv(_Sigma) @ (_x - _mu) / 2
_centred = _X - ones("n") @ _mu.T
_rows = -size("n") / 2 * logdet(_Sigma) - trace(_centred @ inv(_Sigma) @ _centred.T) / 2

IDENTITIES = (
    Identity("Gaussian log-likelihood in μ", _THEME, _one, _mu, f"{BISHOP}, (2.120)"),
    Identity(
        "Gaussian log-likelihood in Σ",
        _THEME,
        _one,
        _Sigma,
        f"{MN}, chapter 15; {BISHOP}, (C.28)",
    ),
    Identity(
        "Gaussian log-likelihood of n rows in μ",
        _THEME,
        _rows,
        _mu,
        f"{BISHOP}, (2.118), (2.120)",
        remark="Zero where μ is the mean of the rows.",
    ),
    Identity(
        "Gaussian log-likelihood of n rows in Σ",
        _THEME,
        _rows,
        _Sigma,
        f"{MN}, chapter 15; {BISHOP}, (2.122)",
        remark="Zero where Σ = ZᵀZ/n.",
        where=(("Z", _centred),),
    ),
)
