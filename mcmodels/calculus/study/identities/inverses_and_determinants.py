"""Inverses, determinants and their logarithms."""

from mcmodels.calculus.core.functions import det, inv, logdet, matrix, trace, vector
from mcmodels.calculus.core.sources import BOYD, COOKBOOK
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_THEME = "Inverses and determinants"

_X, _A, _B = (matrix(name, "n", "n") for name in "XAB")
_tall_X = matrix("X", "n", "k")
_S = matrix("S", "n", "n", positive_definite=True)
_symmetric_A = matrix("A", "n", "n", symmetric=True)

IDENTITIES = (
    Identity("tr(X⁻¹A)", _THEME, trace(inv(_X) @ _A), _X, f"{COOKBOOK}, (124)"),
    Identity(
        "aᵀX⁻¹b",
        _THEME,
        vector("a", "n").T @ inv(_X) @ vector("b", "n"),
        _X,
        f"{COOKBOOK}, (61)",
    ),
    Identity("determinant", _THEME, det(_X), _X, f"{COOKBOOK}, (49)"),
    Identity("det(AXB)", _THEME, det(_A @ _X @ _B), _X, f"{COOKBOOK}, (51)"),
    Identity("log determinant", _THEME, logdet(_X), _X, f"{COOKBOOK}, (57)"),
    Identity(
        "log determinant of a positive definite matrix",
        _THEME,
        logdet(_S),
        _S,
        f"{COOKBOOK}, (43); {BOYD}, A.4",
    ),
    Identity("log det(XᵀX)", _THEME, logdet(_tall_X.T @ _tall_X), _tall_X, f"{COOKBOOK}, (55)"),
    Identity(
        "log det S + tr(S⁻¹A)",
        _THEME,
        logdet(_S) + trace(inv(_S) @ _symmetric_A),
        _S,
        f"{COOKBOOK}, (57), (124); {MN}, chapter 15",
        remark="Zero at S = A: the covariance of greatest likelihood is the empirical one.",
    ),
)
