"""The identities that the corpus of wrong gradients is made of: expression and variable."""

from collections.abc import Callable
from types import SimpleNamespace

from mcmodels.calculus import (
    det,
    exp,
    inv,
    kron,
    log,
    logdet,
    logsumexp,
    matrix,
    matrix_power,
    mean,
    norm,
    relu,
    scalar,
    sigmoid,
    softmax,
    softplus,
    sqrt,
    sum,
    tanh,
    trace,
    vec,
    vector,
)  # fmt: skip
from mcmodels.calculus.core.expression import Expression

SQUARE = {"A": "n", "B": "n", "C": "n", "D": "n", "X": "n", "R": "m"}


def symbols(*symmetric: str) -> SimpleNamespace:
    """The symbols of the identities, some of them declared symmetric."""
    found: dict[str, Expression] = {name: vector(name, "n") for name in ("x", "a", "b", "mu", "w")}
    found |= {
        name: matrix(name, size, size, symmetric=name in symmetric) for name, size in SQUARE.items()
    }
    found |= {name: matrix(name, "n", "n", positive_definite=True) for name in ("S", "Sigma")}
    found |= {name: vector(name, "m") for name in ("y", "t")}
    found |= {name: vector(name, "k") for name in ("v", "c")}
    found |= {"M": matrix("M", "m", "n"), "Q": matrix("Q", "n", "m")}
    found |= {"W": matrix("W", "m", "n"), "V": matrix("V", "k", "m")}
    found |= {"F": matrix("F", "m", "r"), "G": matrix("G", "n", "r"), "T": matrix("T", "m", "n")}
    found |= {"lam": scalar("lam"), "p": vector("p", "n", probability=True)}
    return SimpleNamespace(**found)


Build = Callable[[SimpleNamespace], Expression]

IDENTITIES: dict[str, tuple[Build, str]] = {
    "linear": (lambda s: s.a.T @ s.x, "x"),
    "quadratic": (lambda s: s.x.T @ s.A @ s.x, "x"),
    "quadratic in A": (lambda s: s.x.T @ s.A @ s.x, "A"),
    "quadratic symmetric": (lambda s: s.x.T @ s.S @ s.x, "x"),
    "bilinear": (lambda s: s.x.T @ s.A @ s.b + s.a.T @ s.x, "x"),
    "squared norm": (lambda s: norm(s.x) ** 2, "x"),
    "norm": (lambda s: norm(s.x), "x"),
    "least squares": (lambda s: norm(s.M @ s.x - s.y) ** 2, "x"),
    "least squares in M": (lambda s: norm(s.M @ s.x - s.y) ** 2, "M"),
    "square least squares": (lambda s: norm(s.A @ s.x - s.b) ** 2, "x"),
    "mean square": (lambda s: mean((s.M @ s.x - s.y) ** 2), "x"),
    "ridge": (lambda s: norm(s.M @ s.w - s.y) ** 2 + s.lam * norm(s.w) ** 2, "w"),
    "ridge as traces": (
        lambda s: trace((s.M @ s.w - s.y).T @ (s.M @ s.w - s.y)) + s.lam * trace(s.w.T @ s.w), "w",
    ),
    "Mahalanobis in x": (lambda s: (s.x - s.mu).T @ inv(s.Sigma) @ (s.x - s.mu), "x"),
    "Mahalanobis in mu": (lambda s: (s.x - s.mu).T @ inv(s.Sigma) @ (s.x - s.mu), "mu"),
    "Mahalanobis in Sigma": (lambda s: (s.x - s.mu).T @ inv(s.Sigma) @ (s.x - s.mu), "Sigma"),
    "tr AX": (lambda s: trace(s.A @ s.X), "X"),
    "tr XᵀA": (lambda s: trace(s.W.T @ s.M), "W"),
    "tr QW": (lambda s: trace(s.Q @ s.W), "W"),
    "tr AXB": (lambda s: trace(s.A @ s.X @ s.B), "X"),
    "tr AXBC": (lambda s: trace(s.A @ s.X @ s.B @ s.C), "X"),
    "tr QWB": (lambda s: trace(s.Q @ s.W @ s.B), "W"),
    "tr XᵀAX": (lambda s: trace(s.X.T @ s.A @ s.X), "X"),
    "tr WᵀRW": (lambda s: trace(s.W.T @ s.R @ s.W), "W"),
    "tr AXBXᵀC": (lambda s: trace(s.A @ s.X @ s.B @ s.X.T @ s.C), "X"),
    "tr inverse": (lambda s: trace(inv(s.X) @ s.A), "X"),
    "tr AX⁻¹B": (lambda s: trace(s.A @ inv(s.X) @ s.B), "X"),
    "tr X³": (lambda s: trace(matrix_power(s.X, 3)), "X"),
    "tr X + tr X²": (lambda s: trace(s.X) + trace(s.X @ s.X), "X"),
    "det": (lambda s: det(s.X), "X"),
    "logdet": (lambda s: logdet(s.X), "X"),
    "det AXB": (lambda s: det(s.A @ s.X @ s.B), "X"),
    "logdet WᵀW": (lambda s: logdet(s.Q.T @ s.B @ s.Q), "B"),
    "logdet + tr": (lambda s: logdet(s.S) + trace(inv(s.S) @ s.A), "S"),
    "Frobenius": (lambda s: norm(s.W) ** 2, "W"),
    "Frobenius norm": (lambda s: sqrt(trace(s.W.T @ s.W)), "W"),
    "aᵀXb": (lambda s: s.a.T @ s.X @ s.b, "X"),
    "aᵀXᵀXb": (lambda s: s.a.T @ s.W.T @ s.W @ s.b, "W"),
    "aᵀX⁻¹b": (lambda s: s.a.T @ inv(s.X) @ s.b, "X"),
    "Hadamard": (lambda s: sum(s.x * s.x * (s.A @ s.x)), "x"),
    "Kronecker": (lambda s: vec(s.X).T @ kron(s.A, s.B) @ vec(s.X), "X"),
    "sum exp Ax": (lambda s: sum(exp(s.A @ s.x)), "x"),
    "several paths": (lambda s: s.x.T @ tanh(s.A @ s.x + s.b), "x"),
    "chain": (lambda s: (s.a.T @ s.x) ** 3 + exp(s.b.T @ s.x), "x"),
    "logistic": (lambda s: sum(softplus(s.M @ s.w)) - s.y.T @ s.M @ s.w, "w"),
    "logistic, cross-entropy": (
        lambda s: -sum(
            s.y * log(sigmoid(s.M @ s.w)) + (1 - s.y) * log(1 - sigmoid(s.M @ s.w))
        ), "w",
    ),
    "logistic with penalty": (
        lambda s: sum(softplus(s.M @ s.w)) - s.y.T @ s.M @ s.w + s.lam * norm(s.w) ** 2 / 2, "w",
    ),
    "softmax cross-entropy": (lambda s: -s.p.T @ log(softmax(s.x)), "x"),
    "log-sum-exp": (lambda s: logsumexp(s.x) - s.a.T @ s.x, "x"),
    "Gaussian in mu": (
        lambda s: -logdet(s.Sigma) / 2 - (s.x - s.mu).T @ inv(s.Sigma) @ (s.x - s.mu) / 2, "mu",
    ),
    "Gaussian in Sigma": (
        lambda s: -logdet(s.Sigma) / 2 - (s.x - s.mu).T @ inv(s.Sigma) @ (s.x - s.mu) / 2, "Sigma",
    ),
    "PCA": (lambda s: s.w.T @ s.S @ s.w - s.lam * (s.w.T @ s.w - 1), "w"),
    "Rayleigh": (lambda s: s.w.T @ s.S @ s.w / (s.w.T @ s.w), "w"),
    "Rayleigh, general": (lambda s: s.w.T @ s.A @ s.w / (s.w.T @ s.w), "w"),
    "factorisation in F": (lambda s: norm(s.T - s.F @ s.G.T) ** 2, "F"),
    "factorisation in G": (
        lambda s: norm(s.T - s.F @ s.G.T) ** 2 + s.lam * norm(s.G) ** 2, "G",
    ),
    "dense layer in W": (lambda s: norm(tanh(s.W @ s.x + s.t) - s.y) ** 2, "W"),
    "dense layer in x": (lambda s: norm(tanh(s.W @ s.x + s.t) - s.y) ** 2, "x"),
    "dense layer in b": (lambda s: norm(tanh(s.W @ s.x + s.t) - s.y) ** 2, "t"),
    "square layer": (lambda s: norm(sigmoid(s.A @ s.x + s.b) - s.a) ** 2, "x"),
    "two layers in W": (
        lambda s: norm(s.V @ sigmoid(s.W @ s.x + s.t) + s.c - s.v) ** 2, "W",
    ),
    "two layers in V": (
        lambda s: norm(s.V @ relu(s.W @ s.x + s.t) + s.c - s.v) ** 2, "V",
    ),
    "quadratic model": (
        lambda s: s.a.T @ s.x + s.x.T @ s.S @ s.x / 2, "x",
    ),
    "Jacobian Ax": (lambda s: s.M @ s.x, "x"),
    "Jacobian softmax": (lambda s: softmax(s.x), "x"),
    "Jacobian elementwise": (lambda s: s.B @ tanh(s.A @ s.x), "x"),
    "Jacobian AXB": (lambda s: s.A @ s.X @ s.B, "X"),
}  # fmt: skip
