"""Traces, determinants and inverses: what holds for numbers, and not for matrices."""

from mcmodels.calculus import (
    det,
    eye,
    inv,
    log,
    logdet,
    matrix,
    matrix_power,
    norm,
    sqrt,
    sum,
    trace,
    vector,
)  # fmt: skip
from tests.calculus.students.student import A, B, Q, S, Student, Z, c, d, x

M, D = matrix("M", "m", "n"), matrix("D", "n", "m")
mu = vector("mu", "n")
Zi = inv(Z)
nll = (logdet(S) + (x - mu).T @ inv(S) @ (x - mu)) / 2
r = x - mu

STUDENTS = (
    Student(
        "−A X⁻² for the derivative of tr(A X⁻¹)", trace(A @ Zi), Z, -(Zi @ A @ Zi).T,
        -A @ Zi @ Zi, ("rule for numbers",), "Z⁻", "Z⁻¹ dZ Z⁻¹",
    ),
    Student(
        "−Aᵀ X⁻²ᵀ for the derivative of tr(A X⁻¹)", trace(A @ Zi), Z, -(Zi @ A @ Zi).T,
        -(A @ Zi @ Zi).T, ("rule for numbers", "product order", "trace order"), "Z⁻", "",
    ),
    Student(
        "−X⁻¹AX⁻¹, not transposed", trace(A @ Zi), Z, -(Zi @ A @ Zi).T, -Zi @ A @ Zi,
        ("transposed layout",), "", "transpose",
    ),
    Student(
        "the minus of the inverse", trace(A @ Zi), Z, -(Zi @ A @ Zi).T, (Zi @ A @ Zi).T,
        ("factor",), "sign", "turn the sign",
    ),
    Student(
        "A X⁻¹ for the derivative of tr(A X⁻¹)", c.T @ Zi @ d, Z, -Zi.T @ c @ d.T @ Zi.T,
        -Zi @ c @ d.T @ Zi, ("mixed layout", "assumed symmetric"), "Z", "",
    ),
    Student(
        "det is forgotten", det(Z), Z, det(Z) * Zi.T, Zi.T,
        ("factor",), "det(Z)", "multiply by det(Z)",
    ),
    Student(
        "det where log det was asked", logdet(Z), Z, Zi.T, det(Z) * Zi.T,
        ("factor",), "det(Z)", "divide by det(Z)",
    ),
    Student(
        "log det without the transpose", logdet(Z), Z, Zi.T, Zi,
        ("transposed layout",), "", "transpose",
    ),
    Student(
        "log det as a log", logdet(Z), Z, Zi.T, Z, ("missing inverse",), "Z", "Z⁻",
    ),
    Student(
        "the 2 of log det(MᵀM)", logdet(M.T @ M), M, 2 * M @ inv(M.T @ M), M @ inv(M.T @ M),
        ("factor",), "factor 2 is missing", "multiply by 2",
    ),
    Student(
        "M of log det(MᵀM)", logdet(M.T @ M), M, 2 * M @ inv(M.T @ M), inv(M.T @ M),
        ("chain rule", "wrong shape"), "", "",
    ),
    Student(
        "A is taken to be symmetric", trace(Z.T @ A @ Z), Z, (A + A.T) @ Z, 2 * A @ Z,
        ("assumed symmetric",), "A", "keep both",
    ),
    Student(
        "one term of two", trace(A @ Z @ B @ Z), Z, (B @ Z @ A + A @ Z @ B).T, (B @ Z @ A).T,
        ("dropped term",), "", "add",
    ),
    Student(
        "the factors in the order of the trace", trace(A @ Z @ B), Z, (B @ A).T, (A @ B).T,
        ("trace order", "product order"), "", "",
    ),
    Student(
        "AB for the derivative of tr(AXB)", trace(A @ Z @ B), Z, (B @ A).T, A @ B,
        ("trace order", "product order", "assumed symmetric"), "", "",
    ),
    Student("baᵀ", c.T @ Z @ d, Z, c @ d.T, d @ c.T, ("transposed layout",), "", "transpose"),
    Student("the norm's 2", norm(Z - A) ** 2, Z, 2 * (Z - A), Z - A, ("factor",), "2", "by 2"),
    Student(
        "an elementwise product for a matrix product", sum((A @ Z) ** 2), Z, 2 * A.T @ (A @ Z),
        2 * A * (A @ Z), ("elementwise product",), "", "",
    ),
    Student(
        "a matrix product for an elementwise product", sum((A * Z) ** 2), Z, 2 * A * A * Z,
        2 * A.T @ (A * Z), ("elementwise product",), "", "",
    ),
    Student(
        "3X² for the derivative of tr(X³)", trace(matrix_power(Z, 3)), Z,
        3 * matrix_power(Z, 2).T, 3 * matrix_power(Z, 2), ("transposed layout",), "", "transpose",
    ),
    Student(
        "2AX for the derivative of tr(AX²)", trace(A @ Z @ Z), Z, (Z @ A + A @ Z).T, 2 * (A @ Z).T,
        ("rule for numbers", "product order"), "", "",
    ),
    Student(
        "the exponent is not lowered", trace(matrix_power(Z, 3)), Z, 3 * matrix_power(Z, 2).T,
        3 * matrix_power(Z, 3).T, ("wrong derivative", "rule for numbers"), "Z", "",
    ),
    Student(
        "both terms of Σ with a plus", nll, S,
        (inv(S) - inv(S) @ r @ r.T @ inv(S)) / 2, (inv(S) + inv(S) @ r @ r.T @ inv(S)) / 2,
        ("sign of a term",), "", "sign",
    ),
    Student(
        "Σ⁻² for Σ⁻¹ … Σ⁻¹", r.T @ inv(S) @ r, S, -inv(S) @ r @ r.T @ inv(S),
        -(r @ r.T) @ inv(S) @ inv(S), ("rule for numbers", "product order"), "", "",
    ),
    Student(
        "Σ for Σ⁻¹ in the mean", nll, mu, -inv(S) @ r, -S @ r, ("missing inverse",), "S", "S⁻¹",
    ),
    Student(
        "the sign of the mean", nll, mu, -inv(S) @ r, inv(S) @ r,
        ("factor",), "sign", "turn the sign",
    ),
    Student(
        "½ of a quadratic form of two", log(x.T @ Q @ x) / 2, x, Q @ x / (x.T @ Q @ x),
        2 * Q @ x / (x.T @ Q @ x), ("factor",), "extra factor 2", "divide by 2",
    ),
    Student(
        "the root of a variance", sqrt(x.T @ S @ x), x,
        S @ x / sqrt(x.T @ S @ x), 2 * S @ x / sqrt(x.T @ S @ x),
        ("factor",), "extra factor 2", "divide by 2",
    ),
    Student(
        "the inverse is forgotten in a ridge determinant", logdet(Z @ Z.T + eye("n")), Z,
        2 * inv(Z @ Z.T + eye("n")) @ Z, 2 * (Z @ Z.T + eye("n")) @ Z,
        ("missing inverse",), "", "⁻¹",
    ),
)  # fmt: skip
