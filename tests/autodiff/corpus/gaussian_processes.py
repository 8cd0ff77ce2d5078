"""Gaussian processes, kernels and covariances."""

# Names as people choose them.
# ruff: noqa: RUF059

import numpy as np
import scipy.linalg
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal

from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(1)
X = np.linspace(0.0, 2.0, 6)[:, None]
XY = rng.uniform(0, 1, (5, 2))
y = np.sin(2 * X[:, 0]) + 0.1 * rng.standard_normal(6)
HYPER = [0.1, -0.3, -1.0]


def rbf(a, b, theta):
    d2 = (a[:, None, :] - b[None, :, :]) ** 2
    return np.exp(2 * theta[0]) * np.exp(-0.5 * np.sum(d2, axis=-1) / np.exp(2 * theta[1]))


@program(HYPER, "hessian", step=0.03)
def marginal_likelihood(theta):
    K = rbf(X, X, theta) + np.exp(2 * theta[2]) * np.eye(len(X))
    L = np.linalg.cholesky(K)
    a = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ a + np.sum(np.log(np.diag(L))) + 0.5 * len(y) * np.log(2 * np.pi)


@program(HYPER, "grad")
def with_cho_factor(theta):
    K = rbf(X, X, theta) + np.exp(2 * theta[2]) * np.eye(len(X))
    c, low = cho_factor(K, lower=True)
    return 0.5 * y.dot(cho_solve((c, low), y)) + np.sum(np.log(np.diag(c)))


@program(HYPER, "grad")
def with_scipy_cholesky(theta):
    K = rbf(X, X, theta) + np.exp(2 * theta[2]) * np.eye(len(X))
    L = scipy.linalg.cholesky(K, lower=True)
    z = solve_triangular(L, y, lower=True)
    return 0.5 * z @ z + np.log(np.diag(L)).sum()


@program(HYPER, "grad")
def with_multivariate_normal(theta):
    K = rbf(X, X, theta) + np.exp(2 * theta[2]) * np.eye(len(X))
    return multivariate_normal.logpdf(y, np.zeros(len(y)), K)


@program(HYPER, "grad")
def diagonal_in_place(theta):
    """The noise is added to the diagonal in place."""
    K = rbf(X, X, theta)
    K[np.diag_indices(len(X))] += np.exp(2 * theta[2])
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


@program(HYPER, "grad")
def kernel_by_loops(theta):
    """A covariance filled entry by entry."""
    n = len(X)
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            d = X[i, 0] - X[j, 0]
            K[i, j] = np.exp(2 * theta[0] - 0.5 * d**2 / np.exp(2 * theta[1]))
            if i == j:
                K[i, j] += np.exp(2 * theta[2])
    sign, logdet = np.linalg.slogdet(K)
    return 0.5 * y @ np.linalg.inv(K) @ y + 0.5 * logdet


@program([0.1, 0.4, -1.0], "grad")
def matern32(theta):
    r = np.abs(X - X.T) * np.sqrt(3) / np.exp(theta[1])
    K = np.exp(theta[0]) * (1 + r) * np.exp(-r) + np.exp(theta[2]) * np.eye(len(X))
    return 0.5 * y.dot(np.linalg.solve(K, y)) + 0.5 * np.linalg.slogdet(K)[1]


@program([0.1, 0.4, 0.2], "grad")
def ard_cdist(theta):
    """Distances by scipy.spatial."""
    D = cdist(XY / np.exp(theta[:2]), XY / np.exp(theta[:2]), "sqeuclidean")
    return np.sum(np.exp(theta[2] - 0.5 * D))


@program([0.1, 0.4, 0.2], "hvp", step=0.01)
def periodic_kernel(theta):
    d = X - X.T
    K = np.exp(theta[0]) * np.exp(-2 * np.sin(np.pi * d / np.exp(theta[1])) ** 2 / np.exp(theta[2]))
    return np.sum(np.linalg.inv(K + np.eye(6)) * np.outer(y, y))


@program([0.4, 1.3], "jacobian")
def posterior_mean(xs):
    """Prediction at new points."""
    theta = np.array(HYPER)
    K = rbf(X, X, theta) + 0.1 * np.eye(6)
    return rbf(xs[:, None], X, theta) @ np.linalg.solve(K, y)


@program([0.4, 1.3], "jacobian")
def posterior_covariance(xs):
    theta = np.array(HYPER)
    Ks = rbf(xs[:, None], X, theta)
    return (
        rbf(xs[:, None], xs[:, None], theta)
        - Ks @ np.linalg.inv(rbf(X, X, theta) + 0.1 * np.eye(6)) @ Ks.T
    )


@program([0.3], "grad")
def correlation_determinant(x):
    """A correlation matrix of lists."""
    r = x[0]
    S = np.array([[1.0, r], [r, 1.0]])
    z = np.array([0.4, -0.2])
    return np.log(np.linalg.det(S)) + z @ np.linalg.inv(S) @ z


@program([0.3, 0.1, -0.2], "hessian", step=0.03)
def equicorrelation(x):
    S = np.array([[1, x[0], x[1]], [x[0], 1, x[2]], [x[1], x[2], 1]])
    return np.linalg.slogdet(S)[1] + np.linalg.solve(S, np.ones(3)).sum()


@program([0.3, -0.1, 0.2, 0.5, 0.1, 0.4], "grad")
def cholesky_parameters(x):
    """A lower triangle filled by np.tril_indices."""
    L = np.zeros((3, 3))
    L[np.tril_indices(3)] = x
    L[np.diag_indices(3)] = np.exp(np.diag(L))
    S = L @ L.T
    z = np.array([0.4, -0.2, 1.0])
    return np.sum(np.log(np.diag(L))) + 0.5 * z @ np.linalg.solve(S, z)


@program([0.3, -0.1, 0.2], "grad")
def symmetric_from_triangle(x):
    S = np.zeros((2, 2))
    S[np.triu_indices(2)] = x
    S = S + S.T - np.diag(np.diag(S))
    return np.trace(S @ S @ S)


@program(XY[:4].ravel(), "grad")
def log_det_of_gram(x):
    Z = x.reshape(4, 2)
    return np.linalg.slogdet(np.cov(Z.T) + 0.1 * np.eye(2))[1]


@program([0.5, -0.3], "grad")
def toeplitz_covariance(theta):
    """The covariance of an AR(1) by scipy.linalg.toeplitz."""
    c = np.exp(theta[1]) * np.tanh(theta[0]) ** np.arange(4)
    S = scipy.linalg.toeplitz(c)
    return np.linalg.slogdet(S)[1] + np.ones(4) @ np.linalg.solve(S, np.ones(4))


@program([0.5, -0.3], "grad")
def kronecker_gp(theta):
    K1 = np.exp(-0.5 * (X - X.T)[:3, :3] ** 2 / np.exp(theta[0]))
    K2 = np.exp(-0.5 * (X - X.T)[:2, :2] ** 2 / np.exp(theta[1]))
    K = np.kron(K1, K2) + 0.1 * np.eye(6)
    w, V = np.linalg.eigh(K)
    return 0.5 * np.sum((V.T @ y) ** 2 / w) + 0.5 * np.sum(np.log(w))
