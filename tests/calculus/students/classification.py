"""Logistic regression, softmax, margins: derivatives that cancel, and those that do not."""

import numpy as np

from mcmodels.calculus import (
    diag,
    exp,
    log,
    logsumexp,
    matrix,
    maximum,
    mean,
    ones,
    relu,
    sigmoid,
    softmax,
    softplus,
    step,
    sum,
    vector,
)  # fmt: skip
from tests.calculus.students.student import Student, X, n, tau, w, y

eta = X @ w
p = sigmoid(eta)
logistic = sum(softplus(eta) - y * eta)
margin = y * eta
hinge = sum(relu(1 - margin))
z, t, a = vector("z", "k"), vector("t", "k", probability=True), vector("a", "k")
s = softmax(z)
W, x = matrix("W", "k", "m"), vector("x", "m")
q = vector("q", "k")
entropy = -(y.T @ log(p) + (1 - y).T @ log(1 - p))

STUDENTS = (
    Student(
        "σ′ of a squared error", logistic, w, X.T @ (p - y), X.T @ ((p - y) * p * (1 - p)),
        ("extra derivative",), "σ(Xw)", "σ(Xw)",
    ),
    Student(
        "σ is forgotten", logistic, w, X.T @ (p - y), X.T @ (eta - y),
        ("forgotten function",), "σ", "σ(Xw)",
    ),
    Student(
        "the sign of maximum likelihood", logistic, w, X.T @ (p - y),
        lambda X, w, y: X.T @ (y - 1 / (1 + np.exp(-X @ w))), ("factor",), "sign", "turn the sign",
    ),
    Student(
        "1/n is forgotten", mean(softplus(eta) - y * eta), w, X.T @ (p - y) / n, X.T @ (p - y),
        ("factor",), "extra factor n", "divide by n",
    ),
    Student(
        "the Hessian without D", X.T @ (p - y), w, X.T @ diag(p * (1 - p)) @ X, X.T @ X,
        ("dropped factor", "chain rule"), "σ(Xw)", "σ(Xw)",
    ),
    Student(
        "the Hessian with D = diag(p)", X.T @ (p - y), w, X.T @ diag(p * (1 - p)) @ X,
        X.T @ diag(p) @ X, ("wrong derivative", "chain rule"), "σ(Xw)", "1 − σ(Xw)",
    ),
    Student(
        "the sign inside σ", sum(softplus(-margin)), w, -X.T @ (y * sigmoid(-margin)),
        -X.T @ (y * sigmoid(margin)), ("wrong argument", "wrong derivative"), "σ", "σ(−",
    ),
    Student(
        "the label before σ is forgotten", sum(softplus(-margin)), w,
        -X.T @ (y * sigmoid(-margin)), -X.T @ sigmoid(-margin),
        ("dropped factor", "chain rule"), "y", "y",
    ),
    Student(
        "exp without its sum", logsumexp(z) - t.T @ z, z, s - t, exp(z) - t,
        ("not normalised",), "softmax", "softmax(z)",
    ),
    Student(
        "softmax′ of a squared error", logsumexp(z) - t.T @ z, z, s - t, (s - t) * s * (1 - s),
        ("extra derivative",), "softmax(z)", "softmax(z)",
    ),
    Student(
        "softmax is forgotten", logsumexp(z) - t.T @ z, z, s - t, z - t,
        ("forgotten function",), "softmax(z)", "softmax(z)",
    ),
    Student(
        "the Jacobian of softmax is a diagonal", softmax(z), z, diag(s) - s @ s.T,
        diag(s * (1 - s)), ("diagonal Jacobian",), "softmax", "softmax(z) softmax(z)ᵀ",
    ),
    Student(
        "softmax as an elementwise function", a.T @ s, z, a * s - s * (a.T @ s),
        a * s * (1 - s), ("diagonal Jacobian",), "softmax", "",
    ),
    Student(
        "softmax as σ", logsumexp(z) - t.T @ z, z, s - t, sigmoid(z) - t,
        ("not normalised", "wrong derivative"), "softmax(z)", "softmax(z)",
    ),
    Student(
        "the outer product the other way round", logsumexp(W @ x) - t.T @ W @ x, W,
        (softmax(W @ x) - t) @ x.T, x @ (softmax(W @ x) - t).T,
        ("transposed layout",), "", "",
    ),
    Student(
        "Wᵀ is forgotten", logsumexp(W @ x) - t.T @ W @ x, x, W.T @ (softmax(W @ x) - t),
        softmax(W @ x) - t, ("chain rule",), "inner derivative", "from the left",
    ),
    Student(
        "the log alone", -t.T @ log(s), z, s - t, -t / s, ("chain rule",), "softmax", "derivative",
    ),
    Student(
        "σ(1 − σ) is forgotten in the cross-entropy", entropy, w, X.T @ (p - y),
        X.T @ ((p - y) / (p * (1 - p))), ("chain rule",), "σ(Xw)", "σ(Xw)",
    ),
    Student(
        "the − inside log(1 − p) is forgotten", entropy, w, X.T @ (p - y),
        -X.T @ (y * (1 - p)) - X.T @ ((1 - y) * p), ("sign of a term", "chain rule"), "", "",
    ),
    Student(
        "the temperature is forgotten", logsumexp(z / tau) - t.T @ z / tau, z,
        (softmax(z / tau) - t) / tau, softmax(z / tau) - t,
        ("factor",), "extra factor τ", "divide by τ",
    ),
    Student(
        "the hinge without its indicator", hinge, w, -X.T @ (y * step(1 - margin)), -X.T @ y,
        ("missing indicator",), "step(", "step(",
    ),
    Student(
        "relu for its derivative", hinge, w, -X.T @ (y * step(1 - margin)),
        -X.T @ (y * relu(1 - margin)), ("wrong derivative", "chain rule"), "relu", "step(",
    ),
    Student(
        "the hinge without its label", hinge, w, -X.T @ (y * step(1 - margin)),
        lambda X, w, y: -X.T @ (1 - y * (X @ w) > 0), ("dropped factor", "chain rule"), "y", "y",
    ),
    Student(
        "the squared hinge without its indicator", sum(relu(1 - margin) ** 2), w,
        -2 * X.T @ (y * relu(1 - margin)), -2 * X.T @ (y * (1 - margin)),
        ("missing indicator",), "step(", "step(",
    ),
    Student(
        "the same by maximum", sum(maximum(0, 1 - margin) ** 2), w,
        -2 * X.T @ (y * maximum(0, 1 - margin)), -2 * X.T @ (y * (1 - margin)),
        ("missing indicator",), "step(", "step(",
    ),
    Student(
        "σ′ as a vector", sigmoid(z), z, diag(sigmoid(z) * (1 - sigmoid(z))),
        sigmoid(z) * (1 - sigmoid(z)), ("wrong shape",), "diagonal", "",
    ),
    Student(
        "the 1 of the entropy is forgotten", -a.T @ log(a), a, -log(a) - ones("k"), -log(a),
        ("dropped term",), "1", "add",
    ),
    Student(
        "p is forgotten in the divergence", a.T @ (log(a) - log(q)), q, -a / q, -1 / q,
        ("dropped factor", "chain rule"), "a", "a",
    ),
)  # fmt: skip
