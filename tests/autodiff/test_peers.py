"""Gradients and Hessians agree with autograd's, on the same NumPy code."""

from __future__ import annotations

import autograd
import autograd.numpy as anp
import autograd.scipy.special as asp
import numpy as np
import pytest

from mcmodels.autodiff import grad, hessian, hessian_vector_product, jacobian, special
from tests.numerics import relative_error

rng = np.random.default_rng(20)
A = rng.standard_normal((6, 3))
B = rng.standard_normal((3, 3))
labels = (rng.uniform(size=6) > 0.5).astype(float)
counts = rng.poisson(3.0, 6).astype(float)
target = rng.standard_normal(6)
SPD = B @ B.T + np.eye(3)
x3, x4, x6 = np.array([0.4, -0.7, 1.1]), np.array([0.8, -1.3, 0.5, 1.7]), rng.uniform(0.5, 1.5, 6)
X33 = B + 3.0 * np.eye(3)
X43 = rng.standard_normal((4, 3))
network = 0.5 * rng.standard_normal(3 * 4 + 4 + 4 * 2 + 2)

# Each function is of NumPy, of special functions, and of the point.
FUNCTIONS = {}


def function(x):
    def register(f):
        FUNCTIONS[f.__name__.strip("_")] = (f, x)
        return f

    return register


@function(x4)
def rosenbrock(np, sp, x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


@function(x3)
def logistic(np, sp, b):
    eta = A @ b
    return np.sum(np.logaddexp(0.0, eta) - labels * eta) + 0.5 * b @ b


@function(x3)
def logistic_by_logarithms(np, sp, b):
    p = sp.expit(A @ b)
    return -np.sum(labels * np.log(p) + (1.0 - labels) * np.log1p(-p))


@function(x3)
def poisson(np, sp, b):
    eta = A @ b
    return np.sum(np.exp(eta) - counts * eta + sp.gammaln(counts + 1.0))


@function(np.array([0.4, -0.7, 1.1, 0.6]))
def negative_binomial(np, sp, theta):
    mu, size = np.exp(A @ theta[:3]), np.exp(theta[3])
    terms = sp.gammaln(counts + size) - sp.gammaln(size) + size * np.log(size / (size + mu))
    return -np.sum(terms + counts * np.log(mu / (size + mu)))


@function(np.array([0.4, -0.7, 1.1, 0.3]))
def probit_with_scale(np, sp, theta):
    z = (A @ theta[:3]) * np.exp(-theta[3])
    p = 0.5 * sp.erfc(-z / np.sqrt(2.0))
    return -np.sum(labels * np.log(p) + (1.0 - labels) * np.log(1.0 - p))


@function(rng.standard_normal((3, 4)))
def softmax_regression(np, sp, W):
    eta = A @ W
    chosen = eta[np.arange(6), [0, 1, 2, 3, 0, 1]]
    return np.sum(sp.logsumexp(eta, axis=1)) - np.sum(chosen)


@function(X43)
def softmax_by_hand(np, sp, X):
    e = np.exp(X - np.max(X, axis=1, keepdims=True))
    p = e / np.sum(e, axis=1, keepdims=True)
    return np.sum(p**2 * np.arange(3.0))


@function(network)
def tanh_network(np, sp, w):
    W, b = np.reshape(w[:12], (3, 4)), w[12:16]
    V, c = np.reshape(w[16:24], (4, 2)), w[24:]
    out = np.tanh(np.dot(A, W) + b) @ V + c
    return np.mean((out - target[:, None]) ** 2) + 0.01 * np.sum(w**2)


@function(network)
def relu_network(np, sp, w):
    W, b = w[:12].reshape((3, 4)), w[12:16]
    V, c = w[16:24].reshape((4, 2)), w[24:]
    hidden = np.maximum(A @ W + b, 0.0)
    return np.sum((hidden @ V + c) ** 3)


@function(np.log(np.array([0.7, 1.2, 0.2])))
def gaussian_process(np, sp, theta):
    scale, variance, noise = np.exp(theta)
    distance = np.sum((A[:, None, :] - A[None, :, :]) ** 2, axis=2)
    K = variance * np.exp(-0.5 * distance / scale**2) + noise * np.eye(6)
    L = np.linalg.cholesky(K)
    z = np.linalg.solve(L, target)
    return 0.5 * np.sum(z**2) + np.sum(np.log(np.diag(L)))


@function(np.log(np.array([0.7, 1.2, 0.2])))
def gaussian_process_by_slogdet(np, sp, theta):
    scale, variance, noise = np.exp(theta)
    distance = np.sum((A[:, None, :] - A[None, :, :]) ** 2, axis=2)
    K = variance * np.exp(-0.5 * distance / scale**2) + noise * np.eye(6)
    _, logarithm = np.linalg.slogdet(K)
    return 0.5 * np.dot(target, np.linalg.solve(K, target)) + 0.5 * logarithm


@function(np.array([0.9, 0.1, -0.4, -1.0]))
def kalman_filter(np, sp, theta):
    F = np.array([[theta[0], theta[1]], [0.0, 0.8]])
    Q, R = np.exp(theta[2]) * np.eye(2), np.exp(theta[3])
    H, m, P, loss = np.array([1.0, 0.5]), np.zeros(2), np.eye(2), 0.0
    for y in target:
        m, P = F @ m, F @ P @ F.T + Q
        S = H @ P @ H + R
        K = P @ H / S
        loss = loss + 0.5 * (np.log(S) + (y - H @ m) ** 2 / S)
        m, P = m + K * (y - H @ m), P - np.outer(K, H) @ P
    return loss


@function(rng.standard_normal((7, 2)))
def matrix_factorisation(np, sp, UV):
    U, V = UV[:4], UV[4:]
    return np.sum((np.matmul(U, V.T) - X43) ** 2) + 0.1 * np.sum(UV**2)


@function(np.array([0.3, -0.4, 0.2, 0.5, 0.1, -0.6]))
def mixture_of_normals(np, sp, theta):
    w, m, s = theta[:2], theta[2:4], np.exp(theta[4:])
    z = (target[:, None] - m) / s
    return -np.sum(sp.logsumexp(w - 0.5 * z**2 - np.log(s), axis=1)) + 6 * sp.logsumexp(w)


@function(x3)
def student_t(np, sp, b):
    nu = np.exp(b[2])
    terms = sp.gammaln((nu + 1) / 2) - sp.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    r = target - A[:, :2] @ b[:2]
    return -np.sum(terms - (nu + 1) / 2 * np.log1p(r**2 / nu))


@function(np.array([0.3, 0.8]))
def beta_likelihood(np, sp, theta):
    a, b = np.exp(theta[0]), np.exp(theta[1])
    p = sp.expit(target)
    return -np.sum((a - 1) * np.log(p) + (b - 1) * np.log(1 - p) - sp.betaln(a, b))


@function(np.array([0.5, -0.2, 0.3]))
def garch(np, sp, theta):
    w, a, b = np.exp(theta[0]), sp.expit(theta[1]), sp.expit(theta[2])
    h, loss = 1.0, 0.0
    for y in target:
        loss = loss + np.log(h) + y**2 / h
        h = w + a * y**2 + b * h
    return loss


@function(x3)
def newton_root(np, sp, x):
    z = 1.0 + 0.0 * x
    for _ in range(6):
        z = z - (z**3 + z - np.exp(x)) / (3 * z**2 + 1)
    return np.sum(z * np.sin(x))


@function(np.array([0.4, 0.2]))
def pendulum(np, sp, state):
    q, p = state[0], state[1]
    for _ in range(20):
        p = p - 0.1 * np.sin(q)
        q = q + 0.1 * p
    return q**2 + p * q


@function(X33)
def inverse(np, sp, X):
    return np.sum(np.linalg.inv(X) * B)


@function(X33)
def determinant(np, sp, X):
    return np.linalg.det(X) + np.trace(X @ X)


@function(SPD)
def log_determinant(np, sp, X):
    return np.linalg.slogdet(X)[1] + np.sum(np.linalg.inv(X) * B)


@function(X33)
def symmetric_eigenvalues(np, sp, X):
    w, _ = np.linalg.eigh(X + X.T)
    return np.sum(np.sin(w))


@function(X33)
def eigenvectors(np, sp, X):
    w, V = np.linalg.eigh(X @ X.T)
    return np.sum(V[:, 2] ** 2 * np.arange(3.0)) * w[0]


@function(SPD)
def cholesky(np, sp, X):
    return np.sum(np.linalg.cholesky(0.5 * (X + X.T)) * B)


@function(X43)
def singular_values(np, sp, X):
    s = np.linalg.svd(X, compute_uv=False)
    return np.sum(np.log(s) * np.array([1.0, 2.0, 3.0]))


@function(X43)
def singular_vectors(np, sp, X):
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    return np.sum(U[:, 0] ** 2 * np.arange(4.0)) + np.sum(Vt[2] ** 2 * np.arange(3.0)) * s[1]


@function(X43)
def low_rank_approximation(np, sp, X):
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    return np.sum(np.dot(U[:, :2] * s[:2], Vt[:2]) ** 2 * np.exp(X43))


@function(X43)
def norms(np, sp, X):
    return np.linalg.norm(X) + np.sum(np.linalg.norm(X, axis=1)) + np.linalg.norm(X, "nuc")


@function(x4)
def norms_of_other_orders(np, sp, x):
    return np.linalg.norm(x, 3) * np.sum(np.abs(x))


@function(X43)
def least_squares(np, sp, X):
    b = np.linalg.solve(X.T @ X + np.eye(3), X.T @ x4)
    return np.sum((X @ b - x4) ** 2)


@function(x4)
def solve_by_matrix(np, sp, x):
    M = np.outer(x, x) + 2.0 * np.eye(4)
    return np.sum(np.linalg.solve(M, np.stack([x, x**2], axis=1)) ** 2)


@function(X43)
def einsum(np, sp, X):
    return np.sum(np.einsum("ij,kj,kl->il", X, X, X) ** 2) + np.einsum("ij,ij", X, X)


@function(rng.standard_normal((2, 3, 3)))
def stacks(np, sp, X):
    return np.sum(np.einsum("...ij,...jk->...ik", X, X)[..., 0] ** 2) + np.sum(np.matmul(X, B) ** 3)


@function(X43)
def tensordot(np, sp, X):
    return np.sum(np.tensordot(X, B, axes=1) ** 2) + np.sum(np.kron(X, B[:2]) ** 3)


@function(x6)
def indexing(np, sp, x):
    return np.sum(x[[0, 2, 0]] * x[::2] * x[3:]) + x[-1] ** 2 + np.sum(x[x > 1.0] ** 3)


@function(X43)
def slices(np, sp, X):
    return np.sum(X[1:, None, :2] * X[None, :-1, 1:]) + np.sum(X[:, [0, 0, 2]] ** 2)


@function(x6)
def arrangement(np, sp, x):
    M = np.reshape(x, (2, 3))
    tall = np.concatenate([M, 2 * M[::-1], np.roll(M, 1, axis=1)], axis=0)
    return np.sum(np.repeat(tall, 2, axis=0) ** 2 * 0.5) + np.sum(np.tile(x, 2) ** 3)


@function(x4)
def triangles(np, sp, x):
    M = np.outer(x, np.exp(x))
    return np.sum(np.tril(M) ** 2) + np.sum(np.diag(x) @ np.triu(M, 1)) + np.trace(M)


@function(X43)
def moments(np, sp, X):
    return np.sum(np.var(X, axis=0)) + np.std(X) * np.mean(X) + np.sum(np.prod(X, axis=1))


@function(X43)
def extrema(np, sp, X):
    return np.sum(np.max(X, axis=0) ** 2) * np.min(X) + np.sum(np.clip(X, -0.5, 0.5) ** 3)


@function(x6)
def sums_from_the_front(np, sp, x):
    return np.sum(np.cumsum(x) ** 2) + np.sum(np.diff(x) ** 3)


@function(X43)
def choices(np, sp, X):
    return np.sum(np.where(X > 0, np.sin(X), X**3)) + np.sum(np.sort(X[:, 0]) * np.arange(4.0) ** 2)


@function(X43)
def borders(np, sp, X):
    framed = np.pad(X, ((1, 1), (0, 2)), mode="constant", constant_values=0.5)
    left, right = np.hsplit(framed, [2])
    return np.sum(framed[1:, 1:] * framed[:-1, :-1]) + np.sum(left**3) * np.sum(right)


@function(X43)
def slopes_and_products(np, sp, X):
    return np.sum(np.cross(X[1:], X[:-1] ** 2) ** 2) + np.sum(np.gradient(X, axis=0) ** 3)


@function(X43)
def pseudo_inverse(np, sp, X):
    return np.sum((np.linalg.pinv(X) @ target[:4]) ** 2)


@function(x6)
def sorted_parts(np, sp, x):
    return np.sum(np.partition(x, 2)[:3]) * np.sum(np.sort(x)[3:] ** 2)


@function(x6)
def hyperbolic(np, sp, x):
    return np.sum(np.sinh(x) * np.tanh(x) + np.cosh(x) / np.arctan(x) + np.arcsinh(x))


@function(x6 / 2)
def trigonometric(np, sp, x):
    return np.sum(np.sin(x) * np.tan(x) + np.arcsin(x) * np.cos(x) + np.arctan2(x, 1 + x))


@function(x6)
def powers(np, sp, x):
    return np.sum(x**x + 2.0**x + x**-1.5 + np.sqrt(x) / np.square(x) + np.log2(x) * np.expm1(x))


@function(x6)
def gamma_functions(np, sp, x):
    return np.sum(sp.gammaln(x) * sp.psi(x) + sp.gamma(x) + sp.polygamma(1, x))


@function(x6)
def error_functions(np, sp, x):
    return np.sum(sp.erf(x) * sp.erfc(x) + sp.logit(x / 4) * sp.expit(x))


TOLERANCE = 1e-10  # the agreement that is asked for; most agree to some roundings


@pytest.mark.parametrize("name", FUNCTIONS)
def test_agreement_with_autograd(name):
    f, x = FUNCTIONS[name]

    def ours(x):
        return f(np, special, x)

    def theirs(x):
        return f(anp, asp, x)

    assert ours(x) == pytest.approx(theirs(x), rel=1e-13)
    gradient = grad(ours)(x)
    assert relative_error(gradient, autograd.grad(theirs)(x)) < TOLERANCE
    expected = autograd.hessian(theirs)(x)
    assert relative_error(hessian(ours)(x), expected) < TOLERANCE
    assert relative_error(jacobian(grad(ours))(x), expected) < TOLERANCE
    v = np.cos(np.arange(x.size)).reshape(x.shape)
    product = hessian_vector_product(ours)(x, v)
    assert relative_error(product, np.tensordot(expected, v, x.ndim)) < TOLERANCE


def test_there_are_enough():
    assert len(FUNCTIONS) >= 40


def test_jacobians_agree_with_autograd():
    for f in (
        lambda np, x: np.tanh(A @ x),
        lambda np, x: np.outer(x, x) @ np.exp(x),
        lambda np, x: np.linalg.solve(np.diag(x**2) + B @ B.T, np.ones(3)),
        lambda np, x: np.concatenate([x, x**2, np.cumsum(x)]),
    ):
        expected = autograd.jacobian(lambda x, f=f: f(anp, x))(x3)
        assert relative_error(jacobian(lambda x, f=f: f(np, x))(x3), expected) < TOLERANCE
