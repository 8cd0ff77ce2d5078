"""Scalars of a matrix: traces, bilinear forms, entries and the Frobenius norm."""

from mcmodels.calculus.core.functions import (
    eye,
    matrix,
    matrix_power,
    norm,
    scalar,
    sqrt,
    trace,
    vector,
)
from mcmodels.calculus.core.sources import COOKBOOK
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_TRACES = "Traces"
_FORMS = "Forms in a matrix"

_X = matrix("X", "m", "n")
_square_X = matrix("X", "n", "n")
_A, _square_A = matrix("A", "n", "m"), matrix("A", "n", "n")
_entries = matrix("A", "m", "n")
_symmetric = matrix("S", "n", "n", symmetric=True)
_k = scalar("k", integer=True)
_sandwich = trace(matrix("A", "p", "m") @ _X @ matrix("B", "n", "n") @ _X.T @ matrix("C", "m", "p"))

IDENTITIES = (
    Identity("tr(AX)", _TRACES, trace(_A @ _X), _X, f"{COOKBOOK}, (100)"),
    Identity("tr(XᵀA)", _TRACES, trace(_X.T @ matrix("A", "m", "n")), _X, f"{COOKBOOK}, (103)"),
    Identity(
        "tr(AXB)",
        _TRACES,
        trace(matrix("A", "p", "m") @ _X @ matrix("B", "n", "p")),
        _X,
        f"{COOKBOOK}, (101)",
    ),
    Identity(
        "tr(XᵀAX)", _TRACES, trace(_X.T @ matrix("A", "m", "m") @ _X), _X, f"{COOKBOOK}, (108)"
    ),
    Identity("tr(AXBXᵀC)", _TRACES, _sandwich, _X, f"{COOKBOOK}, (118)"),
    Identity("tr(X³)", _TRACES, trace(matrix_power(_square_X, 3)), _square_X, f"{COOKBOOK}, (121)"),
    Identity(
        "tr(Xᵏ)",
        _TRACES,
        trace(matrix_power(_square_X, _k)),
        _square_X,
        f"{COOKBOOK}, (121)",
        order=1,
        remark="The Hessian is a sum of k − 1 terms; give k as a number to see them.",
    ),
    Identity(
        "tr(A) + tr(A²)",
        _TRACES,
        trace(_square_A) + trace(matrix_power(_square_A, 2)),
        _square_A,
        f"{COOKBOOK}, (99), (106)",
    ),
    Identity(
        "trace of a squared difference",
        _TRACES,
        trace(matrix_power(eye("n") - _square_A, 2)),
        _square_A,
        f"{COOKBOOK}, (106)",
    ),
    Identity(
        "squared trace of a difference",
        _TRACES,
        trace(eye("n") - _square_A) ** 2,
        _square_A,
        f"{COOKBOOK}, (99)",
    ),
    Identity(
        "square root of tr(AᵀA)",
        _TRACES,
        sqrt(trace(_square_A.T @ _square_A)),
        _square_A,
        f"{COOKBOOK}, (115)",
    ),
    Identity("aᵀXb", _FORMS, vector("a", "m").T @ _X @ vector("b", "n"), _X, f"{COOKBOOK}, (70)"),
    Identity(
        "aᵀXᵀXb",
        _FORMS,
        vector("a", "n").T @ _X.T @ _X @ vector("b", "n"),
        _X,
        f"{COOKBOOK}, (77)",
    ),
    Identity(
        "aᵀSb of a symmetric matrix",
        _FORMS,
        vector("a", "n").T @ _symmetric @ vector("b", "n"),
        _symmetric,
        f"{MN}, chapter 9",
        remark="The symmetric one of all G with df = tr(Gᵀ dS) for symmetric dS.",
    ),
    Identity("squared Frobenius norm", _FORMS, norm(_X) ** 2, _X, f"{COOKBOOK}, (132)"),
    Identity("entry of a matrix", _FORMS, _entries[0, 0], _entries, f"{COOKBOOK}, (73)"),
)
