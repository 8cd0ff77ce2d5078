"""Networks, kernels and the rules of calculus: chain, product and quotient rule."""

import numpy as np

from mcmodels.calculus import (
    cos,
    diag,
    exp,
    eye,
    log,
    matrix,
    norm,
    relu,
    sigmoid,
    sin,
    softplus,
    sqrt,
    step,
    sum,
    tanh,
    vector,
)  # fmt: skip
from tests.calculus.students.student import A, Q, Student, X, c, d, gamma, w, x, y

h = tanh(X @ w)
U, V = matrix("U", "h", "m"), matrix("V", "k", "h")
u, t = vector("u", "m"), vector("t", "k")
hidden = tanh(U @ u)
e = V @ hidden - t
active = relu(U @ u)
g = V @ active - t
K = matrix("K", "h", "h")
k = vector("k", "h")
kernel = exp(-gamma * norm(x - c) ** 2)

STUDENTS = (
    Student(
        "tanh′ is forgotten", norm(h - y) ** 2, w, 2 * X.T @ ((h - y) * (1 - h**2)),
        2 * X.T @ (h - y), ("chain rule",), "tanh(Xw)", "1 − tanh(Xw)^∘2",
    ),
    Student(
        "1 − tanh for tanh′", norm(h - y) ** 2, w, 2 * X.T @ ((h - y) * (1 - h**2)),
        2 * X.T @ ((h - y) * (1 - h)), ("wrong derivative",), "1 − tanh(Xw)", "1 − tanh(Xw)^∘2",
    ),
    Student(
        "1 + tanh² for tanh′", norm(h - y) ** 2, w, 2 * X.T @ ((h - y) * (1 - h**2)),
        2 * X.T @ ((h - y) * (1 + h**2)), ("wrong derivative", "sign of a term"), "tanh(Xw)", "",
    ),
    Student(
        "tanh′ is forgotten in the first layer", norm(e) ** 2, U,
        2 * ((V.T @ e) * (1 - hidden**2)) @ u.T, 2 * V.T @ e @ u.T,
        ("chain rule",), "tanh(Uu)", "1 − tanh(Uu)^∘2",
    ),
    Student(
        "tanh′ of the input for that of the output", norm(e) ** 2, U,
        2 * ((V.T @ e) * (1 - hidden**2)) @ u.T, 2 * ((V.T @ e) * (1 - (U @ u) ** 2)) @ u.T,
        ("wrong derivative", "forgotten function"), "Uu", "tanh(Uu)",
    ),
    Student(
        "V for Vᵀ", norm(K @ tanh(U @ u) - k) ** 2, U,
        2 * ((K.T @ (K @ hidden - k)) * (1 - hidden**2)) @ u.T,
        2 * ((K @ (K @ hidden - k)) * (1 - hidden**2)) @ u.T, ("mixed layout",), "K", "Kᵀ",
    ),
    Student(
        "the activation is forgotten in the last layer", norm(e) ** 2, V, 2 * e @ hidden.T,
        2 * e @ (U @ u).T, ("forgotten function",), "tanh", "tanh(Uu)",
    ),
    Student(
        "relu′ is forgotten", norm(g) ** 2, U, 2 * ((V.T @ g) * step(U @ u)) @ u.T,
        2 * V.T @ g @ u.T, ("missing indicator", "chain rule"), "(Uu)", "step(Uu)",
    ),
    Student(
        "relu for relu′", norm(g) ** 2, U, 2 * ((V.T @ g) * step(U @ u)) @ u.T,
        2 * ((V.T @ g) * active) @ u.T, ("wrong derivative", "chain rule"), "relu(Uu)", "step(Uu)",
    ),
    Student(
        "the error of the layer without V", norm(K @ tanh(U @ u) - k) ** 2, U,
        2 * ((K.T @ (K @ hidden - k)) * (1 - hidden**2)) @ u.T,
        2 * ((K @ hidden - k) * (1 - hidden**2)) @ u.T, ("dropped factor", "chain rule"), "", "",
    ),
    Student(
        "σ for σ′", sum(sigmoid(X @ w)), w, X.T @ (sigmoid(X @ w) * (1 - sigmoid(X @ w))),
        lambda X, w: X.T @ (1 / (1 + np.exp(-X @ w))), ("wrong derivative", "chain rule"),
        "σ(Xw)", "1 − σ(Xw)",
    ),
    Student(
        "σ(1 + σ) for σ′", sum(sigmoid(X @ w)), w, X.T @ (sigmoid(X @ w) * (1 - sigmoid(X @ w))),
        X.T @ (sigmoid(X @ w) * (1 + sigmoid(X @ w))), ("wrong derivative", "sign of a term"),
        "σ(Xw)", "",
    ),
    Student(
        "exp for softplus′", sum(softplus(X @ w)), w, X.T @ sigmoid(X @ w), X.T @ exp(X @ w),
        ("wrong derivative", "not normalised"), "exp(Xw)", "σ(Xw)",
    ),
    Student(
        "the product of the derivatives", sum(x * sin(x)), x, sin(x) + x * cos(x), cos(x),
        ("product rule",), "", "",
    ),
    Student(
        "one term of the product rule", sum(x * exp(x)), x, exp(x) + x * exp(x), x * exp(x),
        ("dropped term",), "exp(x)", "add",
    ),
    Student(
        "the quotient rule without its second term", c.T @ x / (d.T @ x), x,
        c / (d.T @ x) - (c.T @ x) * d / (d.T @ x) ** 2, c / (d.T @ x), ("dropped term",), "", "add",
    ),
    Student(
        "the quotient rule with a plus", c.T @ x / (d.T @ x), x,
        c / (d.T @ x) - (c.T @ x) * d / (d.T @ x) ** 2,
        c / (d.T @ x) + (c.T @ x) * d / (d.T @ x) ** 2, ("sign of a term",), "", "sign",
    ),
    Student(
        "the denominator is not squared", c.T @ x / (d.T @ x), x,
        c / (d.T @ x) - (c.T @ x) * d / (d.T @ x) ** 2,
        c / (d.T @ x) - (c.T @ x) * d / (d.T @ x), ("factor of a term",), "dᵀx", "divide",
    ),
    Student(
        "the numerator of a Rayleigh quotient alone", x.T @ Q @ x / (x.T @ x), x,
        2 * Q @ x / (x.T @ x) - 2 * (x.T @ Q @ x) * x / (x.T @ x) ** 2, 2 * Q @ x / (x.T @ x),
        ("dropped term",), "", "add",
    ),
    Student(
        "the inner derivative of a log", sum(log(1 + x**2)), x, 2 * x / (1 + x**2), 1 / (1 + x**2),
        ("chain rule",), "", "2x",
    ),
    Student(
        "the inner derivative of a root", sum(sqrt(1 + x**2)), x, x / sqrt(1 + x**2),
        1 / (2 * sqrt(1 + x**2)), ("chain rule",), "", "2x",
    ),
    Student(
        "a constant inside exp", sum(exp(c * x)), x, c * exp(c * x), exp(c * x),
        ("chain rule", "dropped factor"), "c", "c",
    ),
    Student(
        "cos′ as sin", sum(x * cos(x)), x, cos(x) - x * sin(x), cos(x) + x * sin(x),
        ("sign of a term",), "", "sign",
    ),
    Student(
        "the norm as its square", norm(A @ x - c), x, A.T @ (A @ x - c) / norm(A @ x - c),
        A.T @ (A @ x - c), ("factor",), "‖Ax − c‖", "divide by ‖Ax − c‖",
    ),
    Student(
        "d‖x‖ = 2x", norm(x - c), x, (x - c) / norm(x - c), 2 * (x - c),
        ("factor",), "2·‖x − c‖", "divide by 2·‖x − c‖",
    ),
    Student(
        "d‖x‖² = 2‖x‖", norm(x) ** 2, x, 2 * x, 2 * norm(x),
        ("wrong shape", "chain rule"), "scalar", "",
    ),
    Student(
        "x/‖x‖ as though ‖x‖ were constant", x / norm(x), x,
        eye("n") / norm(x) - x @ x.T / norm(x) ** 3, eye("n") / norm(x),
        ("dropped term",), "", "add",
    ),
    Student(
        "the kernel is forgotten", kernel, x, -2 * gamma * (x - c) * kernel, -2 * gamma * (x - c),
        ("factor", "chain rule"), "exp(", "multiply by exp(",
    ),
    Student(
        "the inner 2γ is forgotten", kernel, x, -2 * gamma * (x - c) * kernel, -(x - c) * kernel,
        ("factor",), "2·γ", "multiply by 2·γ",
    ),
    Student(
        "a derivative by parts of a Jacobian", tanh(A @ x), x, diag(1 - tanh(A @ x) ** 2) @ A,
        A @ diag(1 - tanh(A @ x) ** 2), ("product order", "mixed layout"), "", "",
    ),
)  # fmt: skip
