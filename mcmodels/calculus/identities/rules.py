"""The rules of differentials, each shown on letters."""

from mcmodels.calculus.functions import (
    det,
    exp,
    inv,
    kron,
    logdet,
    matrix,
    scalar,
    trace,
    vec,
)
from mcmodels.calculus.identities.identity import Identity

__all__ = ["IDENTITIES"]

_THEME = "Rules of differentials"
_COOKBOOK = "Petersen & Pedersen (2012)"

_A, _B = matrix("A", "m", "n"), matrix("B", "m", "n")
_X = matrix("X", "n", "n")

IDENTITIES = (
    Identity("differential of a sum", _THEME, _A + _B, None, f"{_COOKBOOK}, (35)", 1),
    Identity(
        "differential of a scalar multiple",
        _THEME,
        scalar("alpha") * _A,
        None,
        f"{_COOKBOOK}, (34), (37)",
        1,
    ),
    Identity(
        "differential of a product",
        _THEME,
        _A @ matrix("B", "n", "p"),
        None,
        f"{_COOKBOOK}, (37)",
        1,
    ),
    Identity("differential of a transpose", _THEME, _X.T, None, f"{_COOKBOOK}, (44)", 1),
    Identity("differential of a trace", _THEME, trace(_X), None, f"{_COOKBOOK}, (36)", 1),
    Identity("differential of an inverse", _THEME, inv(_X), None, f"{_COOKBOOK}, (40)", 1),
    Identity("differential of a determinant", _THEME, det(_X), None, f"{_COOKBOOK}, (42)", 1),
    Identity(
        "differential of a log determinant", _THEME, logdet(_X), None, f"{_COOKBOOK}, (43)", 1
    ),
    Identity(
        "differential of an elementwise product", _THEME, _A * _B, None, f"{_COOKBOOK}, (38)", 1
    ),
    Identity(
        "differential of a Kronecker product",
        _THEME,
        kron(_A, matrix("B", "p", "q")),
        None,
        f"{_COOKBOOK}, (39)",
        1,
    ),
    Identity(
        "differential of an elementwise function",
        _THEME,
        exp(_A),
        None,
        "Magnus & Neudecker (2019), chapter 5",
        1,
    ),
    Identity(
        "differential of vec", _THEME, vec(_A), None, "Magnus & Neudecker (2019), chapter 8", 1
    ),
)
