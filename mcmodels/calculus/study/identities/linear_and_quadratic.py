"""Linear and quadratic forms of a vector."""

from mcmodels.calculus.core.functions import inv, matrix, norm, vector
from mcmodels.calculus.core.sources import COOKBOOK
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_THEME = "Linear and quadratic forms"

_x, _a, _mu = vector("x", "n"), vector("a", "n"), vector("mu", "n")
_square_A, _A, _b = matrix("A", "n", "n"), matrix("A", "m", "n"), vector("b", "m")
_S = matrix("S", "n", "n", symmetric=True)
_Sigma = matrix("Sigma", "n", "n", positive_definite=True)
_distance = (_x - _mu).T @ inv(_Sigma) @ (_x - _mu)

IDENTITIES = (
    Identity("linear form", _THEME, _a.T @ _x, _x, f"{COOKBOOK}, (69)"),
    Identity(
        "quadratic form",
        _THEME,
        _x.T @ _square_A @ _x,
        _x,
        f"{COOKBOOK}, (81), (98)",
    ),
    Identity(
        "quadratic form of a symmetric matrix",
        _THEME,
        _x.T @ _S @ _x,
        _x,
        f"{COOKBOOK}, (81)",
    ),
    Identity("squared norm", _THEME, norm(_x) ** 2, _x, f"{COOKBOOK}, (131)"),
    Identity("norm", _THEME, norm(_x), _x, f"{COOKBOOK}, (129), (130)"),
    Identity(
        "squared distance from b",
        _THEME,
        norm(_A @ _x - _b) ** 2,
        _x,
        f"{COOKBOOK}, (84)",
    ),
    Identity(
        "Mahalanobis distance in x",
        _THEME,
        _distance,
        _x,
        f"{COOKBOOK}, (85)",
    ),
    Identity(
        "Mahalanobis distance in μ",
        _THEME,
        _distance,
        _mu,
        f"{COOKBOOK}, (86)",
    ),
    Identity(
        "Mahalanobis distance in Σ",
        _THEME,
        _distance,
        _Sigma,
        f"{COOKBOOK}, (61); {MN}, chapter 10",
    ),
)
