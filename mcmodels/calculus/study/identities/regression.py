"""What regression, classification and factorisation minimise."""

from mcmodels.calculus.core.functions import (
    log,
    logsumexp,
    matrix,
    norm,
    scalar,
    sigmoid,
    softmax,
    softplus,
    sum,
    trace,
    vector,
)
from mcmodels.calculus.core.sources import BISHOP, BOYD, COOKBOOK
from mcmodels.calculus.study.identities.identity import Identity

__all__ = ["IDENTITIES"]

_LINEAR = "Linear regression"
_CLASSES = "Classification"
_FACTORS = "Matrix factorisation"

_X, _w, _y = matrix("X", "n", "p"), vector("w", "p"), vector("y", "n")
_W, _Y = matrix("W", "p", "k"), matrix("Y", "n", "k")
_lam = scalar("lambda_")
_z, _one_hot = vector("z", "k"), vector("y", "k", probability=True)
_U, _V, _T = matrix("U", "m", "r"), matrix("V", "n", "r"), matrix("T", "m", "n")

_residual = _X @ _W - _Y
_ridge = norm(_X @ _w - _y) ** 2 + _lam * norm(_w) ** 2
_ridge_traces = trace(_residual.T @ _residual) + _lam * trace(_W.T @ _W)
_probabilities = sigmoid(_X @ _w)
_logistic = sum(softplus(_X @ _w)) - _y.T @ _X @ _w
_likelihood = -sum(_y * log(_probabilities) + (1 - _y) * log(1 - _probabilities))
_error = _T - _U @ _V.T
_penalised = trace(_error.T @ _error) + _lam * (trace(_U.T @ _U) + trace(_V.T @ _V))

IDENTITIES = (
    Identity(
        "least squares",
        _LINEAR,
        norm(_X @ _w - _y) ** 2,
        _w,
        f"{BISHOP}, (3.14); {COOKBOOK}, (84)",
        remark="Zero where XᵀXw = Xᵀy, the normal equations.",
    ),
    Identity(
        "least squares for several targets",
        _LINEAR,
        norm(_residual) ** 2,
        _W,
        f"{COOKBOOK}, (119)",
        remark="Zero where XᵀXW = XᵀY.",
    ),
    Identity(
        "ridge regression",
        _LINEAR,
        _ridge,
        _w,
        f"{BISHOP}, (3.27)",
        remark="Zero where (XᵀX + λI)w = Xᵀy.",
    ),
    Identity(
        "ridge regression as traces",
        _LINEAR,
        _ridge_traces,
        _W,
        f"{COOKBOOK}, (115), (119)",
    ),
    Identity(
        "logistic loss",
        _CLASSES,
        _logistic,
        _w,
        f"{BISHOP}, (4.91), (4.97)",
        remark="Xᵀ(ŷ − y) and XᵀDX, with ŷ = σ(Xw) and D = diag(ŷ∘(1 − ŷ)).",
    ),
    Identity(
        "logistic loss as a likelihood",
        _CLASSES,
        _likelihood,
        _w,
        f"{BISHOP}, (4.90), (4.91), (4.97)",
    ),
    Identity(
        "penalised logistic loss",
        _CLASSES,
        _logistic + _lam * norm(_w) ** 2 / 2,
        _w,
        "Hastie, Tibshirani & Friedman (2009), 18.3.2",
    ),
    Identity(
        "log-sum-exp",
        _CLASSES,
        logsumexp(_z),
        _z,
        f"{BOYD}, 3.1.5",
    ),
    Identity(
        "softmax cross-entropy",
        _CLASSES,
        logsumexp(_z) - _one_hot.T @ _z,
        _z,
        f"{BISHOP}, (4.108), (4.109)",
        remark="ŷ − y, with ŷ = softmax(z).",
    ),
    Identity(
        "softmax cross-entropy as a likelihood",
        _CLASSES,
        -_one_hot.T @ log(softmax(_z)),
        _z,
        f"{BISHOP}, (4.108), (4.109)",
        remark="y is declared a probability vector: its entries sum to 1.",
    ),
    Identity(
        "multinomial logistic loss",
        _CLASSES,
        sum(logsumexp(_X @ _W, axis=1)) - trace(_Y.T @ _X @ _W),
        _W,
        f"{BISHOP}, (4.109), (4.110)",
        remark="softmax_rows is that of each row.",
        where=(("P", softmax(_X @ _W, axis=1)),),
    ),
    Identity(
        "matrix factorisation in U",
        _FACTORS,
        norm(_error) ** 2,
        _U,
        f"Koren, Bell & Volinsky (2009); {COOKBOOK}, (119)",
    ),
    Identity(
        "matrix factorisation in V",
        _FACTORS,
        norm(_error) ** 2,
        _V,
        f"Koren, Bell & Volinsky (2009); {COOKBOOK}, (119)",
    ),
    Identity(
        "penalised factorisation as traces, in U",
        _FACTORS,
        _penalised,
        _U,
        "Koren, Bell & Volinsky (2009), (2)",
    ),
    Identity(
        "penalised factorisation as traces, in V",
        _FACTORS,
        _penalised,
        _V,
        "Koren, Bell & Volinsky (2009), (2)",
    ),
)
