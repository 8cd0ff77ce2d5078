"""Written after the doctor was mended, and not looked at while it was."""

import numpy as np

from mcmodels.calculus import (
    cos,
    det,
    diag,
    exp,
    eye,
    inv,
    log,
    logdet,
    logsumexp,
    mean,
    norm,
    ones,
    relu,
    sigmoid,
    sin,
    softmax,
    softplus,
    sqrt,
    step,
    sum,
    tanh,
    trace,
    vector,
)  # fmt: skip
from tests.calculus.students.student import (
    A,
    B,
    Q,
    S,
    Student,
    X,
    Z,
    b,
    c,
    d,
    gamma,
    lam,
    n,
    one,
    tau,
    v,
    w,
    x,
    y,
)  # fmt: skip

eta = X @ w
p = sigmoid(eta)
z, t, g = vector("z", "k"), vector("t", "k", probability=True), vector("g", "k")
mu = exp(eta)
r = X @ w - y
share = c.T @ x / sqrt(x.T @ S @ x)

STUDENTS = (
    Student(
        "Brier score without σ′", sum((p - y) ** 2), w, 2 * X.T @ ((p - y) * p * (1 - p)),
        2 * X.T @ (p - y), ("chain rule",), "σ(Xw)", "σ(Xw)",
    ),
    Student(
        "Brier score with p for σ′", sum((p - y) ** 2), w, 2 * X.T @ ((p - y) * p * (1 - p)),
        2 * X.T @ ((p - y) * p), ("chain rule", "dropped factor", "wrong derivative"), "σ(Xw)",
        "1 − σ(Xw)",
    ),
    Student(
        "weighted logistic without its weights", sum(v * (softplus(eta) - y * eta)), w,
        X.T @ (v * (p - y)), X.T @ (p - y), ("dropped factor",), "v", "v",
    ),
    Student(
        "weighted mean over n", sum(v * r**2) / sum(v), w, 2 * X.T @ (v * r) / sum(v),
        2 * X.T @ (v * r) / n, ("factor",), "", "",
    ),
    Student(
        "gamma regression with the wrong sign inside exp", sum(y * exp(-eta) + eta), w,
        X.T @ (1 - y * exp(-eta)), X.T @ (1 - y * exp(eta)), ("wrong argument",), "exp", "exp(−Xw)",
    ),
    Student(
        "pseudo-Huber without its root", sum(sqrt(1 + r**2)), w, X.T @ (r / sqrt(1 + r**2)),
        X.T @ r, ("chain rule", "dropped factor"), "", "",
    ),
    Student(
        "the log-sum-exp of scores without the temperature", tau * logsumexp(z / tau), z,
        softmax(z / tau), softmax(z), ("wrong argument", "chain rule", "dropped factor"), "", "",
    ),
    Student(
        "softmax under a loss, diagonal alone", norm(softmax(z) - t) ** 2, z,
        2 * (diag(softmax(z)) - softmax(z) @ softmax(z).T) @ (softmax(z) - t),
        2 * (softmax(z) - t) * softmax(z) * (1 - softmax(z)), ("diagonal Jacobian",), "softmax", "",
    ),
    Student(
        "softmax under a loss, no Jacobian", norm(softmax(z) - t) ** 2, z,
        2 * (diag(softmax(z)) - softmax(z) @ softmax(z).T) @ (softmax(z) - t),
        2 * (softmax(z) - t), ("chain rule",), "softmax", "",
    ),
    Student(
        "bias of relu units without the indicator", sum(c * relu(A @ x + d)), d,
        c * step(A @ x + d), c, ("missing indicator", "chain rule"), "step(", "step(",
    ),
    Student(
        "the Sharpe ratio's first term", share, x,
        c / sqrt(x.T @ S @ x) - (c.T @ x) * S @ x / (x.T @ S @ x) ** 1.5,
        c / sqrt(x.T @ S @ x), ("dropped term",), "", "add",
    ),
    Student(
        "the variance with 1/n forgotten at the mean", norm(x - one * (one.T @ x) / n) ** 2 / n, x,
        2 * (x - one * (one.T @ x) / n) / n, 2 * (x - one * (one.T @ x) / n),
        ("factor",), "extra factor n", "divide by n",
    ),
    Student(
        "log det of a sum, by its factor", logdet(lam * eye("n") + A @ A.T), lam,
        trace(inv(lam * eye("n") + A @ A.T)), 1 / det(lam * eye("n") + A @ A.T),
        ("false identity",), "1/det(λI + AAᵀ)", "in place of 1/det(λI + AAᵀ)",
    ),
    Student(
        "trace of a product with a transposed factor", trace(A @ Z.T), Z, A, A.T,
        ("transposed layout",), "", "transpose",
    ),
    Student(
        "the second A of a quadratic form", trace(Z.T @ A @ Z @ B), Z, A @ Z @ B + A.T @ Z @ B.T,
        2 * A @ Z @ B, ("assumed symmetric",), "A", "",
    ),
    Student(
        "the attention score with q for k", (A @ x).T @ (B @ c), x, A.T @ B @ c, A @ B @ c,
        ("mixed layout",), "A", "Aᵀ",
    ),
    Student(
        "Tikhonov's penalty without L", norm(A @ x - c) ** 2 + lam * norm(B @ x) ** 2, x,
        2 * A.T @ (A @ x - c) + 2 * lam * B.T @ B @ x, 2 * A.T @ (A @ x - c) + 2 * lam * x,
        ("dropped factor", "chain rule", "factor of a term", "forgotten symbol"), "B", "B",
    ),
    Student(
        "the frequency inside a sine", sum(sin(gamma * x)), x, gamma * cos(gamma * x),
        cos(gamma * x), ("factor", "chain rule"), "γ", "γ",
    ),
    Student(
        "elastic net in NumPy, both halves", norm(r) ** 2 / 2 + lam * norm(w) ** 2 / 2, w,
        X.T @ r + lam * w, lambda X, w, y, lam: X.T @ (X @ w - y) + 2 * lam * w,
        ("factor of a term",), "extra factor 2", "divide the term",
    ),
    Student(
        "Newton's Hessian of a Poisson mean with y", X.T @ (mu - y), w, X.T @ diag(mu) @ X,
        X.T @ diag(y) @ X, ("wrong symbol",), "y stands for exp(Xw)", "write exp(Xw) in place of y",
    ),
    Student(
        "a recurrent unit without 1 − h²", norm(A @ tanh(B @ x) - c) ** 2, x,
        2 * B.T @ ((1 - tanh(B @ x) ** 2) * (A.T @ (A @ tanh(B @ x) - c))),
        2 * B.T @ A.T @ (A @ tanh(B @ x) - c), ("chain rule",), "tanh(Bx)", "tanh(Bx)",
    ),
    Student(
        "the entropy of σ with the wrong sign", sum(log(1 + exp(-eta))), w,
        X.T @ (-exp(-eta) / (1 + exp(-eta))), X.T @ (exp(-eta) / (1 + exp(-eta))),
        ("factor",), "sign", "turn the sign",
    ),
    Student(
        "a mean of exponentials without 1/n, in NumPy", mean(exp(c * x)), x,
        c * exp(c * x) / n, lambda c, x: c * np.exp(c * x), ("factor",), "extra factor n",
        "divide by n",
    ),
    Student(
        "Mahalanobis distance, halved", sqrt((x - c).T @ Q @ (x - c)), x,
        Q @ (x - c) / sqrt((x - c).T @ Q @ (x - c)), Q @ (x - c), ("factor",), "", "divide by",
    ),
    Student(
        "the intercept's gradient with Xᵀ", norm(X @ w + b * one - y) ** 2, w,
        2 * X.T @ (X @ w + b * one - y), 2 * X.T @ (X @ w - b * one - y),
        ("sign of a term",), "b", "sign",
    ),
    Student(
        "ones for the derivative of a scaled sum", sum(d * log(x)), x, d / x, ones("n") / x,
        ("dropped factor", "chain rule"), "d", "d",
    ),
)  # fmt: skip
