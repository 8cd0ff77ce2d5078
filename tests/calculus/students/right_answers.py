"""Right gradients in the forms in which people write them: none may be accused."""

import numpy as np

from mcmodels.calculus import (
    abs,
    cos,
    det,
    diag,
    exp,
    eye,
    inv,
    kron,
    log,
    logdet,
    logsumexp,
    mean,
    norm,
    ones,
    relu,
    sigmoid,
    sign,
    sin,
    softmax,
    softplus,
    sqrt,
    step,
    sum,
    tanh,
    trace,
    vec,
)  # fmt: skip
from tests.calculus.students import classification as k
from tests.calculus.students import control, networks
from tests.calculus.students.student import (
    A,
    B,
    C,
    Q,
    S,
    X,
    Z,
    c,
    d,
    gamma,
    lam,
    n,
    v,
    w,
    x,
    y,
)  # fmt: skip

r = X @ w - y
p = sigmoid(X @ w)
h = tanh(X @ w)
logistic = sum(softplus(X @ w) - y * (X @ w))
s = softmax(k.z)
q = x - c


def logistic_numpy(X, w, y):
    return X.T @ (1 / (1 + np.exp(-X @ w)) - y)


def hinge_numpy(X, w, y):
    inside = y * (X @ w) < 1
    return -(X[inside] * y[inside][:, None]).sum(axis=0)


def rows_numpy(X, w, y):
    gradient = np.zeros(len(w))
    for row, target in zip(X, y, strict=True):
        gradient += 2 * (row @ w - target) * row
    return gradient


def softmax_numpy(z, t):
    e = np.exp(z - z.max())
    return e / e.sum() - t


RIGHT_ANSWERS = (
    ("least squares, multiplied out", norm(r) ** 2, w, 2 * X.T @ X @ w - 2 * X.T @ y),
    ("least squares, with minus", norm(r) ** 2, w, -2 * X.T @ (y - X @ w)),
    ("least squares, the other way", norm(y - X @ w) ** 2, w, -2 * X.T @ (y - X @ w)),
    ("least squares, row by row", norm(r) ** 2, w, rows_numpy),
    ("least squares as a transposed row", norm(r) ** 2, w, (2 * r.T @ X).T),
    ("a mean", mean(r**2), w, (2 / n) * (X.T @ r)),
    ("a mean in NumPy", mean(r**2), w, lambda X, w, y: 2 * X.T @ (X @ w - y) / len(y)),
    ("ridge", norm(r) ** 2 + lam * w.T @ w, w, 2 * (X.T @ X + lam * eye("p")) @ w - 2 * X.T @ y),
    ("weights as a diagonal", sum(v * r**2), w, 2 * X.T @ diag(v) @ r),
    ("weights in NumPy", sum(v * r**2), w, lambda X, w, y, v: 2 * (X * v[:, None]).T @ (X @ w - y)),
    ("lasso", sum(abs(w)), w, w / abs(w)),
    ("lasso in NumPy", lam * sum(abs(w)), w, lambda w, lam: lam * np.sign(w)),
    ("a norm", norm(A @ x - c), x, A.T @ (A @ x - c) / sqrt((A @ x - c).T @ (A @ x - c))),
    ("intercept", sum((x + lam) ** 2), lam, 2 * sum(x) + 2 * n * lam),
    ("intercept in NumPy", sum((x + lam) ** 2), lam, lambda x, lam: 2 * np.sum(x + lam)),
    ("Poisson", sum(exp(X @ w) - y * (X @ w)), w, X.T @ exp(X @ w) - X.T @ y),
    ("logistic, apart", logistic, w, X.T @ p - X.T @ y),
    ("logistic, by minus", logistic, w, -X.T @ (y - p)),
    ("logistic by exp", logistic, w, X.T @ (exp(X @ w) / (1 + exp(X @ w)) - y)),
    ("logistic by exp of minus", logistic, w, X.T @ (1 / (1 + exp(-(X @ w))) - y)),
    ("logistic by tanh", logistic, w, X.T @ ((1 + tanh(X @ w / 2)) / 2 - y)),
    ("logistic in NumPy", logistic, w, logistic_numpy),
    ("cross-entropy before it cancels", k.entropy, w,
     -X.T @ (y / p * p * (1 - p)) + X.T @ ((1 - y) * p)),
    ("logistic Hessian", X.T @ (p - y), w, X.T @ diag(p - p**2) @ X),
    ("logistic Hessian in NumPy", X.T @ (p - y), w, lambda X, w, y: X.T * (
        lambda s: s * (1 - s)
    )(1 / (1 + np.exp(-X @ w))) @ X),
    ("margin", sum(softplus(-y * (X @ w))), w, -X.T @ (y * (1 - sigmoid(y * (X @ w))))),
    ("softmax by exp", logsumexp(k.z) - k.t.T @ k.z, k.z, exp(k.z) / sum(exp(k.z)) - k.t),
    ("softmax in NumPy", logsumexp(k.z) - k.t.T @ k.z, k.z, softmax_numpy),
    ("softmax, shifted", logsumexp(k.z) - k.t.T @ k.z, k.z, exp(k.z - logsumexp(k.z)) - k.t),
    ("softmax Jacobian", softmax(k.z), k.z, diag(s) @ (eye("k") - ones("k") @ s.T)),
    ("softmax under a product", k.a.T @ s, k.z, s * (k.a - s.T @ k.a)),
    ("softmax as a Jacobian's product", k.a.T @ s, k.z, (diag(s) - s @ s.T) @ k.a),
    ("hinge by its sign", k.hinge, w, -X.T @ (y * (1 + sign(1 - k.margin)) / 2)),
    ("hinge in NumPy", k.hinge, w, hinge_numpy),
    ("squared hinge", sum(relu(1 - k.margin) ** 2), w,
     -2 * X.T @ (y * step(1 - k.margin) * (1 - k.margin))),
    ("tanh", norm(h - y) ** 2, w, 2 * X.T @ (h - y - h**3 + y * h**2)),
    ("tanh by factors", norm(h - y) ** 2, w, 2 * X.T @ ((h - y) * (1 - h) * (1 + h))),
    ("tanh by cosh", sum(tanh(x)), x, 4 / (exp(x) + exp(-x)) ** 2),
    ("two layers", norm(networks.e) ** 2, networks.U,
     2 * diag(1 - networks.hidden**2) @ networks.V.T @ networks.e @ networks.u.T),
    ("σ by minus", sum(sigmoid(x)), x, sigmoid(x) * sigmoid(-x)),
    ("product rule", sum(x * exp(x)), x, (1 + x) * exp(x)),
    ("quotient rule", c.T @ x / (d.T @ x), x, ((d.T @ x) * c - (c.T @ x) * d) / (d.T @ x) ** 2),
    ("Rayleigh", x.T @ Q @ x / (x.T @ x), x,
     2 * (Q @ x - (x.T @ Q @ x) / (x.T @ x) * x) / (x.T @ x)),
    ("sin", sum(sin(x) ** 2), x, sin(2 * x)),
    ("cos", sum(cos(x) ** 2), x, -sin(2 * x)),
    ("log of a square", sum(log(x**2)), x, 2 / x),
    ("unit vector", x / norm(x), x, (eye("n") - x @ x.T / (x.T @ x)) / norm(x)),
    ("kernel", exp(-gamma * norm(q) ** 2), x, 2 * gamma * exp(-gamma * norm(q) ** 2) * (c - x)),
    ("trace", trace(A @ Z @ B), Z, A.T @ B.T),
    ("trace, as one transpose", trace(A @ Z @ B @ Z), Z, (B @ Z @ A + A @ Z @ B).T),
    ("inverse", trace(A @ inv(Z)), Z, -inv(Z.T) @ A.T @ inv(Z.T)),
    ("inverse, at a solution", c.T @ inv(Z) @ d, Z, -(inv(Z).T @ c) @ (inv(Z) @ d).T),
    ("determinant", det(Z), Z, det(Z.T) * inv(Z.T)),
    ("log det of a square", logdet(Z @ Z), Z, 2 * inv(Z).T),
    ("log det in NumPy", logdet(Z), Z, lambda Z: np.linalg.inv(Z).T),
    ("Gaussian by Σ", (logdet(S) + q.T @ inv(S) @ q) / 2, S,
     inv(S) @ (S - q @ q.T) @ inv(S) / 2),
    ("a Jacobian by Kronecker products", A @ Z @ B, Z, kron(B.T, eye("n")) @ kron(eye("n"), A)),
    ("Hadamard", sum((A * Z) ** 2), Z, 2 * A**2 * Z),
    ("Frobenius", norm(Z - A @ B) ** 2, A, 2 * A @ B @ B.T - 2 * Z @ B.T),
    ("vec", vec(Z).T @ vec(A @ Z), Z, A @ Z + A.T @ Z),
    ("control", control.cost, control.u, 2 * (control.R + control.B.T @ control.Q @ control.B)
     @ control.u + 2 * control.B.T @ control.Q @ control.A @ control.x),
    ("commuting factors", trace(Z @ C) * 1, Z, (C @ eye("n")).T),
)  # fmt: skip
