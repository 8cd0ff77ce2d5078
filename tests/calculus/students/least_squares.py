"""Least squares and its relatives: factors, penalties, weights."""

from mcmodels.calculus import abs, diag, exp, inv, mean, norm, ones, sign, sum, trace
from tests.calculus.students.student import (
    A,
    B,
    S,
    Student,
    X,
    Z,
    b,
    c,
    lam,
    n,
    one,
    v,
    w,
    x,
    y,
)  # fmt: skip

r = X @ w - y
rb = X @ w + b * one - y

STUDENTS = (
    Student(
        "1/n of a mean is forgotten", mean(r**2), w, 2 * X.T @ r / n, 2 * X.T @ r,
        ("factor",), "extra factor n", "divide by n",
    ),
    Student(
        "the 2 of the square is forgotten", norm(r) ** 2, w, 2 * X.T @ r,
        lambda X, w, y: X.T @ (X @ w - y), ("factor",), "factor 2 is missing", "multiply by 2",
    ),
    Student(
        "1/(2n) is forgotten, 2 is not", norm(r) ** 2 / (2 * n), w, X.T @ r / n, 2 * X.T @ r,
        ("factor",), "2·n", "divide by 2·n",
    ),
    Student(
        "the residual is y − Xw", norm(y - X @ w) ** 2, w, 2 * X.T @ r, 2 * X.T @ (y - X @ w),
        ("factor",), "sign", "turn the sign",
    ),
    Student(
        "1/n at the penalty, too", mean(r**2) + lam * norm(w) ** 2, w,
        2 * X.T @ r / n + 2 * lam * w, 2 * (X.T @ r + lam * w) / n,
        ("factor of a term",), "factor n is missing", "multiply the term",
    ),
    Student(
        "1/n at the loss is forgotten", norm(r) ** 2 / (2 * n) + lam * norm(w) ** 2 / 2, w,
        X.T @ r / n + lam * w, X.T @ r + lam * w,
        ("factor of a term",), "extra factor n", "divide the term",
    ),
    Student(
        "the penalty ‖w‖ as though it were ‖w‖²/2", norm(r) ** 2 + lam * norm(w), w,
        2 * X.T @ r + lam * w / norm(w), 2 * X.T @ r + lam * w,
        ("factor of a term", "wrong derivative"), "‖w‖", "‖w‖",
    ),
    Student(
        "the sign of the lasso is forgotten", norm(r) ** 2 + lam * sum(abs(w)), w,
        2 * X.T @ r + lam * sign(w), 2 * X.T @ r + lam * ones("p"),
        ("wrong derivative", "chain rule"), "w", "sign(w)",
    ),
    Student(
        "the lasso as a ridge", norm(r) ** 2 + lam * sum(abs(w)), w,
        2 * X.T @ r + lam * sign(w), 2 * X.T @ r + lam * w,
        ("wrong derivative",), "|w|", "sign(w)",
    ),
    Student(
        "the weights are forgotten", sum(v * r**2), w, 2 * X.T @ (v * r), 2 * X.T @ r,
        ("dropped factor",), "v", "v",
    ),
    Student(
        "the weights are forgotten at y", sum(v * r**2), w, 2 * X.T @ (v * r),
        lambda X, w, y, v: 2 * X.T @ (v * (X @ w)) - 2 * X.T @ y,
        ("dropped factor",), "v", "v",
    ),
    Student(
        "the weights are squared", sum(v * r**2), w, 2 * X.T @ (v * r), 2 * X.T @ (v**2 * r),
        ("extra factor",), "v", "v",
    ),
    Student(
        "the metric is forgotten", (A @ x - c).T @ S @ (A @ x - c), x,
        2 * A.T @ S @ (A @ x - c), 2 * A.T @ (A @ x - c), ("dropped factor",), "S", "S",
    ),
    Student(
        "the metric for its inverse", (A @ x - c).T @ inv(S) @ (A @ x - c), x,
        2 * A.T @ inv(S) @ (A @ x - c), 2 * A.T @ S @ (A @ x - c),
        ("missing inverse",), "S⁻¹", "S⁻¹",
    ),
    Student(
        "the metric need not be symmetric", (A @ x - c).T @ B @ (A @ x - c), x,
        A.T @ (B + B.T) @ (A @ x - c), 2 * A.T @ B @ (A @ x - c),
        ("assumed symmetric",), "B", "keep both",
    ),
    Student(
        "a row for a column", norm(r) ** 2, w, 2 * X.T @ r, 2 * r.T @ X,
        ("transposed layout",), "row", "shape",
    ),
    Student(
        "A for Aᵀ", norm(A @ x - c) ** 2, x, 2 * A.T @ (A @ x - c), 2 * A @ (A @ x - c),
        ("mixed layout",), "A", "Aᵀ",
    ),
    Student(
        "A for Aᵀ, and the 2 is forgotten", norm(A @ x - c) ** 2, x, 2 * A.T @ (A @ x - c),
        lambda A, x, c: A @ (A @ x - c), ("mixed layout",), "factor 2 is missing", "multiply by 2",
    ),
    Student(
        "Aᵀ is forgotten at c", norm(A @ x - c) ** 2, x, 2 * A.T @ (A @ x - c),
        2 * A.T @ A @ x - 2 * c, ("dropped factor", "chain rule"), "A", "A",
    ),
    Student(
        "the gradient by the matrix, transposed", norm(A @ x - c) ** 2, A,
        2 * (A @ x - c) @ x.T, 2 * x @ (A @ x - c).T, ("transposed layout",), "", "transpose",
    ),
    Student(
        "the intercept is penalised", norm(rb) ** 2 + lam * norm(w) ** 2, b, 2 * sum(rb),
        2 * sum(rb) + 2 * lam * b, ("extra term",), "2λb", "take the term",
    ),
    Student(
        "a mean for a sum at the intercept", norm(rb) ** 2, b, 2 * sum(rb), 2 * mean(rb),
        ("factor",), "factor n is missing", "multiply by n",
    ),
    Student(
        "the offset is forgotten", norm(rb) ** 2, w, 2 * X.T @ rb, 2 * X.T @ r,
        ("dropped term",), "b", "add",
    ),
    Student(
        "a penalty that is not there", norm(r) ** 2, w, 2 * X.T @ r, 2 * X.T @ r + 2 * w,
        ("extra term",), "2w", "take the term",
    ),
    Student(
        "exp is forgotten in a Poisson regression", sum(exp(X @ w) - y * (X @ w)), w,
        X.T @ (exp(X @ w) - y), X.T @ r, ("forgotten function",), "exp", "exp(Xw)",
    ),
    Student(
        "the Poisson Hessian without its weights", X.T @ (exp(X @ w) - y), w,
        X.T @ diag(exp(X @ w)) @ X,
        X.T @ X, ("dropped factor", "chain rule"), "exp(Xw)", "exp(Xw)",
    ),
    Student(
        "a moment condition without one of its 1/n", norm(A.T @ (c - A @ x) / n) ** 2, x,
        -2 * A.T @ A @ A.T @ (c - A @ x) / n**2, -2 * A.T @ A @ A.T @ (c - A @ x) / n,
        ("factor",), "extra factor n", "divide by n",
    ),
    Student(
        "the factor by U with V for Vᵀ", norm(Z - A @ B) ** 2, A, -2 * (Z - A @ B) @ B.T,
        -2 * (Z - A @ B) @ B, ("mixed layout",), "B", "Bᵀ",
    ),
    Student(
        "the trace of the residual's square", trace((A @ Z - B).T @ (A @ Z - B)), Z,
        2 * A.T @ (A @ Z - B), 2 * (A @ Z - B) @ A.T, ("product order",), "", "order",
    ),
)  # fmt: skip
