"""The rules of differentials, each shown on letters."""

from mcmodels.calculus.core.functions import (
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
from mcmodels.calculus.core.sources import COOKBOOK
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_THEME = "Rules of differentials"

_A, _B = matrix("A", "m", "n"), matrix("B", "m", "n")
_X = matrix("X", "n", "n")

IDENTITIES = (
    Identity("differential of a sum", _THEME, _A + _B, None, f"{COOKBOOK}, (35)", order=1),
    Identity(
        "differential of a scalar multiple",
        _THEME,
        scalar("alpha") * _A,
        None,
        f"{COOKBOOK}, (34), (37)",
        order=1,
    ),
    Identity(
        "differential of a product",
        _THEME,
        _A @ matrix("B", "n", "p"),
        None,
        f"{COOKBOOK}, (37)",
        order=1,
    ),
    Identity("differential of a transpose", _THEME, _X.T, None, f"{COOKBOOK}, (44)", order=1),
    Identity("differential of a trace", _THEME, trace(_X), None, f"{COOKBOOK}, (36)", order=1),
    Identity("differential of an inverse", _THEME, inv(_X), None, f"{COOKBOOK}, (40)", order=1),
    Identity("differential of a determinant", _THEME, det(_X), None, f"{COOKBOOK}, (42)", order=1),
    Identity(
        "differential of a log determinant",
        _THEME,
        logdet(_X),
        None,
        f"{COOKBOOK}, (43)",
        order=1,
    ),
    Identity(
        "differential of an elementwise product",
        _THEME,
        _A * _B,
        None,
        f"{COOKBOOK}, (38)",
        order=1,
    ),
    Identity(
        "differential of a Kronecker product",
        _THEME,
        kron(_A, matrix("B", "p", "q")),
        None,
        f"{COOKBOOK}, (39)",
        order=1,
    ),
    Identity(
        "differential of an elementwise function",
        _THEME,
        exp(_A),
        None,
        f"{MN}, chapter 5",
        order=1,
    ),
    Identity("differential of vec", _THEME, vec(_A), None, f"{MN}, chapter 8", order=1),
)
