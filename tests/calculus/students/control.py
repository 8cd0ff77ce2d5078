"""Control and estimation over time: costs of states and inputs."""

from mcmodels.calculus import matrix, norm, vector
from tests.calculus.students.student import Student

A, B = matrix("A", "n", "n"), matrix("B", "n", "m")
Q, R = matrix("Q", "n", "n", symmetric=True), matrix("R", "m", "m", symmetric=True)
F, G = matrix("F", "n", "n"), matrix("G", "n", "n")
x, u, s = vector("x", "n"), vector("u", "m"), vector("s", "n")
state = A @ x + B @ u
cost = state.T @ Q @ state + u.T @ R @ u

STUDENTS = (
    Student(
        "the free state is forgotten", cost, u, 2 * B.T @ Q @ state + 2 * R @ u,
        2 * B.T @ Q @ B @ u + 2 * R @ u, ("dropped term",), "A", "add",
    ),
    Student(
        "the cost of the state without Q", cost, u, 2 * B.T @ Q @ state + 2 * R @ u,
        2 * B.T @ state + 2 * R @ u, ("dropped factor",), "Q", "Q",
    ),
    Student(
        "the 2 of the input's cost", cost, u, 2 * B.T @ Q @ state + 2 * R @ u,
        2 * B.T @ Q @ state + R @ u, ("factor of a term",), "factor 2 is missing", "multiply",
    ),
    Student(
        "A for Aᵀ in the costate", cost, x, 2 * A.T @ Q @ state, 2 * A @ Q @ state,
        ("mixed layout",), "A", "Aᵀ",
    ),
    Student(
        "two steps, one derivative", norm(F @ G @ x - s) ** 2, x, 2 * G.T @ F.T @ (F @ G @ x - s),
        2 * F.T @ (F @ G @ x - s), ("chain rule", "dropped factor"), "G", "G",
    ),
    Student(
        "the factors of a product of two transposes", norm(F @ G @ x - s) ** 2, x,
        2 * G.T @ F.T @ (F @ G @ x - s), 2 * F.T @ G.T @ (F @ G @ x - s),
        ("product order",), "", "order",
    ),
)  # fmt: skip
