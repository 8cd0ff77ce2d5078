"""Losses, penalties, factorisations, recommenders, graphs and signals."""

# Names as people choose them.
# ruff: noqa: RUF059

import numpy as np
from scipy.special import huber, pseudo_huber

from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(4)
X = rng.standard_normal((6, 3))
y = X @ np.array([1.0, -2.0, 0.5]) + 0.1 * rng.standard_normal(6)
RATINGS = rng.uniform(1, 5, (3, 4))
MASK = rng.uniform(size=(3, 4)) < 0.7
BETA = np.array([0.8, -1.5, 0.3])
FACTORS = rng.uniform(0.2, 1.0, 14)


@program(BETA, "grad", step=1e-3)
def huber_by_where(b):
    r = np.abs(y - X @ b)
    return np.sum(np.where(r < 0.5, 0.5 * r**2, 0.5 * (r - 0.25)))


@program(BETA, "grad", step=1e-3)
def huber_scipy(b):
    return huber(0.5, y - X @ b).sum()


@program(BETA, "hessian", step=0.02)
def pseudo_huber_scipy(b):
    return np.sum(pseudo_huber(0.5, y - X @ b))


@program(BETA, "hessian", step=0.03)
def pseudo_huber_by_hand(b):
    return np.sum(np.sqrt(1 + (y - X @ b) ** 2) - 1)


@program(BETA, "grad")
def tukey_biweight(b):
    r = (y - X.dot(b)) / 4
    return np.sum(np.where(np.abs(r) <= 1, 1 - (1 - r**2) ** 3, 1.0))


@program(BETA, "grad", step=1e-3)
def quantile_loss(b):
    r = y - X @ b
    return np.sum(np.maximum(0.3 * r, (0.3 - 1) * r))


@program(BETA, "grad")
def elastic_net(b):
    return np.mean((y - X @ b) ** 2) + 0.1 * np.abs(b).sum() + 0.05 * np.linalg.norm(b) ** 2


@program(BETA, "hessian", step=0.03)
def ridge_norms(b):
    return 0.5 * np.linalg.norm(X @ b - y) ** 2 + 0.3 * np.linalg.norm(b)


@program(FACTORS, "grad")
def matrix_factorisation(p):
    U, V = p[:6].reshape(3, 2), p[6:].reshape(4, 2)
    return np.sum(MASK * (RATINGS - U @ V.T) ** 2) + 0.1 * (np.sum(U**2) + np.sum(V**2))


@program(FACTORS, "hvp", step=0.03)
def recommender_pairs(p):
    """Terms picked by lists of users and items."""
    U, V = p[:6].reshape(3, 2), p[6:].reshape(4, 2)
    users, items = np.nonzero(MASK)
    return np.sum((np.sum(U[users] * V[items], axis=1) - RATINGS[users, items]) ** 2)


@program(FACTORS, "grad")
def bayesian_ranking(p):
    U, V = p[:6].reshape(3, 2), p[6:].reshape(4, 2)
    s = U[[0, 1, 2]] @ V.T
    return -np.sum(np.log(1 / (1 + np.exp(-(s[:, 0] - s[:, 1])))))


@program(FACTORS[:12], "grad")
def nuclear_norm(p):
    return np.linalg.norm(p.reshape(3, 4), "nuc")


@program(FACTORS[:12], "grad")
def low_rank_svd(p):
    U, s, Vt = np.linalg.svd(p.reshape(3, 4), full_matrices=False)
    return np.sum(s[1:] ** 2)


@program(FACTORS[:9], "grad")
def pca_reconstruction(p):
    Z = p.reshape(3, 3)
    C = (Z - Z.mean(0)).T @ (Z - Z.mean(0))
    return np.linalg.eigh(C)[0][-1]


@program(FACTORS[:12], "grad")
def tensor_cp(p):
    A, B, C = p[:4].reshape(2, 2), p[4:8].reshape(2, 2), p[8:].reshape(2, 2)
    T = np.einsum("ir,jr,kr->ijk", A, B, C)
    return np.sum((T - 0.5) ** 2)


@program(FACTORS[:12], "grad")
def tensor_norm_axes(p):
    return np.sum(np.linalg.norm(p.reshape(2, 3, 2), axis=(0, 2)))


@program([0.5, -0.3, 0.8, 0.1], "hessian", step=0.03)
def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@program([0.5, -0.3, 0.8, 0.1], "hessian", step=0.02)
def rastrigin(x):
    return 10 * len(x) + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))


@program([0.5, -0.3, 0.8], "grad")
def ackley(x):
    a = -20 * np.exp(-0.2 * np.sqrt(np.mean(x**2)))
    return a - np.exp(np.mean(np.cos(2 * np.pi * x))) + 20 + np.e


@program([0.5, -0.3, 0.8], "hessian", step=0.02)
def log_barrier(x):
    A = np.vstack([np.eye(3), -np.eye(3)])
    return np.sum(x) - 0.1 * np.sum(np.log(2.0 - A @ x))


@program([0.5, -0.3, 0.8], "grad")
def simplex_softmax(x):
    w = np.exp(x) / np.exp(x).sum()
    S = np.array([[1.0, 0.2, 0.1], [0.2, 2.0, 0.3], [0.1, 0.3, 1.5]])
    return np.sqrt(w.dot(S).dot(w)) - 0.5 * w @ np.array([0.1, 0.2, 0.15])


@program([0.5, -0.3, 0.8, 0.1, 0.6], "grad")
def total_variation(x):
    return np.sum(np.sqrt(np.diff(x) ** 2 + 0.01))


@program([0.5, -0.3, 0.8, 0.1, 0.6], "grad", step=1e-3)
def sorted_owl(x):
    return np.dot(np.sort(np.abs(x))[::-1], np.array([5.0, 4.0, 3.0, 2.0, 1.0]))


@program([0.5, -0.3, 0.8], "grad")
def graph_laplacian(x):
    """A Laplacian assembled from weighted edges."""
    L = np.zeros((3, 3))
    for (i, j), w in zip([(0, 1), (1, 2), (0, 2)], np.exp(x), strict=True):
        L[i, i] += w
        L[j, j] += w
        L[i, j] -= w
        L[j, i] -= w
    return np.log(np.linalg.det(L + np.ones((3, 3)) / 3))


@program([0.5, -0.3, 0.8], "grad")
def laplacian_by_degree(x):
    W = np.exp(-((x[:, None] - x[None, :]) ** 2))
    L = np.diag(W.sum(axis=1)) - W
    return np.linalg.eigvalsh(L)[1]


@program([0.5, 0.3, 0.8], "grad")
def pagerank(x):
    P = np.array([[0.0, x[0], 1 - x[0]], [x[1], 0.0, 1 - x[1]], [x[2], 1 - x[2], 0.0]])
    r = np.ones(3) / 3
    for _ in range(5):
        r = 0.15 / 3 + 0.85 * r @ P
    return r[0]


@program([0.5, 0.3, 0.8, 0.2], "grad")
def sinkhorn(c):
    K = np.exp(-c.reshape(2, 2) / 0.3)
    u = np.ones(2)
    for _ in range(8):
        v = np.array([0.4, 0.6]) / (K.T @ u)
        u = np.array([0.5, 0.5]) / (K @ v)
    P = np.diag(u) @ K @ np.diag(v)
    return np.sum(P * c.reshape(2, 2))


@program([0.5, 0.3, 0.8], "jacobian")
def polynomial_features(x):
    return np.vander(x, 3)


@program([0.5, -0.3, 0.8], "grad")
def least_squares_inside(w):
    """Variable projection: a linear fit inside a loss."""
    t = np.linspace(0, 1, 6)
    A = np.stack([np.exp(-w[0] * t), np.exp(-w[2] * t)], axis=1)
    c = np.linalg.lstsq(A, y, rcond=None)[0]
    return np.sum((y - A @ c) ** 2)


@program([0.5, -0.3, 0.8], "grad")
def normal_equations(w):
    A = X * np.exp(w)
    b = np.linalg.inv(A.T @ A + np.eye(3)) @ A.T @ y
    return np.linalg.norm(y - A @ b)


@program([0.5, -0.3, 0.8], "grad")
def unrolled_gradient_descent(w):
    b = np.zeros(3)
    for _ in range(4):
        b -= 0.05 * (X.T @ (X @ b - y) + np.exp(w) * b)
    return np.sum((X @ b - y) ** 2)


@program([0.5, -0.3, 0.8], "grad")
def power_iteration(w):
    A = np.diag(np.exp(w)) + 0.3
    v = np.ones(3)
    for _ in range(8):
        v = A @ v
        v /= np.linalg.norm(v)
    return v @ A @ v


@program([0.5, -0.3, 0.8], "grad")
def gram_schmidt_columns(w):
    """Columns of a basis filled one by one, with views."""
    A = np.outer(w, w) + np.eye(3)
    Q = np.zeros((3, 3))
    for k in range(3):
        v = A[:, k].copy()
        for j in range(k):
            v -= Q[:, j].dot(A[:, k]) * Q[:, j]
        Q[:, k] = v / np.linalg.norm(v)
    return np.sum(Q[0] * np.array([1.0, 2.0, 3.0]))


@program([0.5, -0.3, 0.8], "grad")
def thomas_algorithm(d):
    """A tridiagonal system, solved in place."""
    n = 3
    b = 3.0 + d
    c = np.ones(n)
    rhs = np.array([1.0, 2.0, 3.0])
    for i in range(1, n):
        m = 1.0 / b[i - 1]
        b[i] = b[i] - m * c[i - 1]
        rhs[i] = rhs[i] - m * rhs[i - 1]
    x = np.zeros(n)
    x[-1] = rhs[-1] / b[-1]
    for i in range(n - 2, -1, -1):
        x[i] = (rhs[i] - c[i] * x[i + 1]) / b[i]
    return x.sum()
