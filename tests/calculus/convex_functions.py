"""Functions of known convexity, each with the symbol that varies and who says so.

Sources: BV is Boyd and Vandenberghe (2004), chapter 3; where none is given, the second derivative
of a function of one number, or a point at which a quadratic form has both signs, says it.
"""

from mcmodels.calculus import (
    abs,
    amax,
    amin,
    arctan,
    cosh,
    det,
    diag,
    eigvalsh,
    erf,
    exp,
    expm,
    eye,
    hypot,
    inv,
    log,
    log1p,
    logdet,
    logsumexp,
    matrix,
    maximum,
    mean,
    minimum,
    norm,
    norm_cdf,
    norm_logcdf,
    relu,
    scalar,
    sigmoid,
    sin,
    size,
    softmax,
    softplus,
    sqrt,
    sum,
    tanh,
    trace,
    vector,
    where,
)

x, w, q = vector("x", "n"), vector("w", "n"), vector("q", 2)
A, B, b, y = matrix("A", "m", "n"), matrix("B", "n", "n"), vector("b", "m"), vector("y", "m")
X, z, t = matrix("X", "n", "p"), vector("z", "k"), vector("t", "k", probability=True)
S = matrix("S", "n", "n", positive_definite=True)
Q = matrix("Q", "p", "p", positive_definite=True)
P = matrix("P", "n", "n", symmetric=True)
s, u, lam = scalar("s"), scalar("u"), scalar("lam")
r = A @ x - b

# (function, variable, symbols that are at least 0)
CONVEX = [
    (x.T @ x, x, []),
    (norm(x), x, []),  # BV 3.1.5
    (norm(r) ** 2, x, []),
    (norm(r), x, []),
    (norm(x) ** 3, x, []),
    (norm(r) ** 2 + lam * norm(x) ** 2, x, [lam]),
    (norm(r) ** 2 / 2 + lam * sum(abs(x)), x, [lam]),
    (norm(x, 1) + norm(x, float("inf")), x, []),
    (norm(x, 3), x, []),
    (norm(r, 2.3) ** 2, x, []),  # BV 3.2.4: powers of convex functions that are at least 0
    (norm(r, 4) ** 1.5, x, []),
    (norm(x, 1.2), x, []),
    (norm(x, 1.2) ** 1.01, x, []),
    (sqrt(1 + norm(r, 1.5) ** 2), x, []),
    (sqrt(1 + norm(r, 3) ** 2.5), x, []),
    (sqrt(1 + sum(r**2)), x, []),
    (sqrt(1 + sum(x**4) + sum(x**6 + r[0] ** 2)), x, []),
    (norm(X, 2) ** 2, X, []),
    (norm(X, 2) ** 1.5, X, []),
    (sum(where(w > 0, abs(x), x**2)), x, []),
    (sum(where(abs(r) <= 1, r**2 / 2, abs(r) - 0.5)), x, []),  # Huber's loss
    (sum(where(abs(r) <= 2, r**2, 4 * abs(r) - 4)), x, []),
    (sum(where(x > 0, x, exp(x) - 1)), x, []),
    (sum(where(r > 0, 0.3 * r, -0.7 * r)), x, []),
    (where(s > 1, s**2, s), s, []),
    (norm(X, "nuc"), X, []),
    (norm(X, 2), X, []),
    (x.T @ S @ x, x, []),
    (x.T @ (B.T @ B + S) @ x, x, []),
    (x.T @ A.T @ A @ x - 2 * b.T @ A @ x, x, []),
    (sqrt(x.T @ S @ x), x, []),
    (sum(exp(x)), x, []),
    (sum(exp(r)), x, []),
    (exp(x.T @ x), x, []),
    (logsumexp(x), x, []),  # BV 3.1.5
    (logsumexp(r), x, []),
    (-t.T @ log(softmax(z)), z, []),
    (sum(softplus(A @ x) - y * (A @ x)), x, []),
    (sum(log(1 + exp(-y * (A @ x)))), x, []),
    (-sum(log(sigmoid(A @ x))), x, []),
    (-sum(log(sigmoid(A @ x))) + sum(abs(x)), x, []),
    (-sum(y * log(sigmoid(A @ x)) + (1 - y) * log(1 - sigmoid(A @ x))), x, []),
    (sum(exp(A @ x) - y * (A @ x)), x, []),
    (sum(maximum(0, 1 - y * (A @ x))), x, []),
    (sum(relu(1 - y * (A @ x)) ** 2), x, []),
    (sum(r**4), x, []),
    (sum(abs(r)), x, []),
    (sum(sqrt(1 + r**2)), x, []),
    (sum(log(cosh(r))), x, []),
    (sum(hypot(r, 1)), x, []),
    (amax(x), x, []),  # BV 3.1.5
    (amax(abs(r)), x, []),
    (maximum(s**2, exp(s)), s, []),
    (sum(x * log(x)), x, []),  # BV 3.1.5
    (x.T @ log(x), x, []),
    (sum(x * log(x / w)), x, [w]),
    (t.T @ log(t), t, []),
    (-sum(log(b - A @ x)), x, []),  # BV 3.1.5
    (-sum(log(x)), x, []),
    (1 / s, s, [s]),
    (1 / s**2, s, [s]),
    (s**1.5, s, []),
    (1 / s - log(s), s, []),
    (q[0] ** 2 / q[1], q, [q]),  # BV 3.1.5
    (norm(x) ** 2 / u, u, [u]),
    (1 / (q[0] * q[1]), q, [q]),  # BV exercise 3.16 (c)
    (-logdet(S), S, []),  # BV 3.1.5
    (trace(S @ B) - logdet(S), S, []),
    (trace(inv(S)), S, []),  # BV exercise 3.18
    (x.T @ inv(S) @ x, S, []),  # BV 3.1.7
    (eigvalsh(P)[-1], P, []),  # BV 3.2.3
    (trace(expm(P)), P, []),
    (trace(X.T @ S @ X), X, []),
    (trace(X @ Q @ X.T @ S), X, []),
    (norm(X @ X.T), X, []),
    (norm(x - mean(x)) ** 2, x, []),
    (s * exp(s), s, [s]),
    (2**s, s, []),
    (-sum(norm_logcdf(A @ x)), x, []),
    (softplus(s) ** 2, s, []),
    (sum(tanh(-x)), x, [x]),
    (-sum(erf(x)), x, [x]),
    (s**4 + s**2 + s, s, []),
    (x[0] ** 2 + x[1] ** 2 - x[0] * x[1], x, []),
    (q[0] ** 2 + q[1] ** 2 - q[0] * q[1], q, []),
    (x.T @ x - x[0] * x[1], x, []),
    (log(1 + exp(s) + exp(2 * s)), s, []),
    (log(exp(s) + sum(exp(x * s))), s, []),
    (sum(y * log(y / b)), b, [y]),  # BV 3.2.6, the relative entropy
    (sum(y * log(y / b) - y + b), b, [y]),
    (sum(log(1 / x)), x, []),
    (sum(log(y / b**3)), b, [y]),
    (-log(det(B.T @ B + A.T @ diag(b) @ A + 2 * eye("n"))), b, [b]),
]
CONCAVE = [
    (log(s), s, []),
    (sum(sqrt(x)), x, []),
    (sum(log1p(x)), x, []),
    (amin(x), x, []),
    (minimum(s, 1 - s), s, []),
    (logdet(S), S, []),
    (logdet(S + B @ B.T), S, []),
    (eigvalsh(P)[0], P, []),
    (sqrt(q[0] * q[1]), q, [q]),  # BV 3.1.5, the geometric mean
    (log(norm_cdf(s)), s, []),  # BV 3.5.1
    (log(sigmoid(s)), s, []),
    (-norm(x), x, []),
    (-x.T @ log(x), x, []),
    (sum(arctan(x)), x, [x]),
    (-x.T @ x - sum(abs(x)), x, []),
    (x[0] * x[1] - x.T @ x, x, []),
    (exp(mean(log(x))), x, []),  # BV 3.1.5, the geometric mean
    (exp(t.T @ log(z)), z, []),
    (exp(sum(log(A @ x + b)) / size("m")), x, []),
    (1 / sum(1 / x), x, [x]),  # BV exercise 3.17, the harmonic mean
    (sum(sqrt(x)) ** 2, x, [x]),
    (sum(log(x * q[0] * q[1])), x, [q]),
]
AFFINE = [
    (b.T @ A @ x, x, []),
    (trace(B @ P), P, []),
    (sum(x) + 3, x, []),
    (s * u, s, []),
]
NEITHER = [
    (x.T @ B @ x, x, []),
    (s**3, s, []),
    (x[0] ** 2 + x[1] ** 2 - 3 * x[0] * x[1], x, []),
    (x.T @ x - 3 * x[0] * x[2], x, []),
    (s**4 - s**3, s, []),
    (1 / s, s, []),
    (1 / s**2, s, []),
    (sum(sin(x)), x, []),
    (sum(tanh(x)), x, []),
    (sigmoid(s), s, []),
    (q[0] * q[1], q, []),
    (q[0] * q[1], q, [q]),
    (norm(r) ** 2 + lam * norm(x) ** 2, x, []),
    (norm(x) ** 4 - norm(x) ** 2, x, []),
    (s**2 - abs(s), s, []),
    (norm(x, 3) ** 0.9, x, []),
    (where(s > 1, s**2, 3 * s - 2), s, []),  # the slope falls
    (where(s > 1, s**2, s + 1), s, []),  # a jump
    (where(abs(s) <= 1, s**2, abs(s)), s, []),
    (where(abs(s) > 1, 2 - abs(s), s**2), s, []),
    (norm(x, 1.5) ** 0.5, x, []),
    (sqrt(1 + norm(x, 3) ** 1.5), x, []),
    (sum(where(w > 0, x**2, -(x**2))), x, []),
    (abs(s) - s**2, s, []),
    (sum(log(1 + r**2)), x, []),
    (det(B), B, []),
    (logdet(B), B, []),
    (det(S), S, []),
    (norm(X @ X.T - B) ** 2, X, []),
    (logdet(S) + x.T @ inv(S) @ x, S, []),
    (s * exp(s), s, []),
    (s * log(s) - s**2, s, []),
    (log(s) + 1 / s, s, []),
    (exp(-(s**2)), s, []),
    (sum(where(r > 0, r**2, -r)) - 2 * norm(r) ** 2, x, []),
]
