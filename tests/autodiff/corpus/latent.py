"""Latent variables: separation, factors, filters, flows, variational inference, implicit layers."""

import numpy as np
from scipy.special import digamma, expit, gammaln

from mcmodels.autodiff import grad, jacobian, vmap
from mcmodels.autodiff.signal import convolve, lfilter
from mcmodels.autodiff.special import logsumexp
from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(7)
X = rng.standard_normal((12, 3)) @ rng.standard_normal((3, 3))
COUNTS = rng.poisson(4.0, (5, 4)).astype(float)
SIGNAL = np.cumsum(rng.standard_normal(20)) * 0.3


@program(np.eye(3).ravel() + 0.1 * np.arange(9), "grad")
def ica_maximum_likelihood(w):
    W = w.reshape(3, 3)
    S = X @ W.T
    _, logdet = np.linalg.slogdet(W)
    return -np.mean(np.sum(-np.log(np.cosh(S)), axis=1)) - logdet


@program(0.3 + 0.1 * np.arange(18) % 0.7, "hvp", step=0.02)
def nmf_with_kl_divergence(theta):
    W, H = np.split(theta, [10])
    R = np.exp(W).reshape(5, 2) @ np.exp(H).reshape(2, 4)
    return np.sum(R - COUNTS * np.log(R) + gammaln(COUNTS + 1))


@program(np.linspace(-0.5, 0.5, 6), "grad", step=0.02)
def equilibrium_layer_by_fixed_point(w):
    """z = tanh(Wz + b), forty iterations, and one loss of it."""
    W, b = w[:4].reshape(2, 2), w[4:]
    z = np.zeros(2)
    for _ in range(40):
        z = np.tanh(W.dot(z) + b)
    return np.sum((z - np.array([0.2, -0.3])) ** 2)


@program([0.4, -0.2, 0.7], "jacobian")
def implicit_function_by_one_newton_step(p):
    """The solution by plain iterations, its derivative by one step from there."""
    from mcmodels.autodiff import constant

    def residual(z, p):
        return np.array([z[0] + p[0] * z[1] ** 3 - p[1], z[1] + np.sin(z[0]) * p[2] - 0.5])

    z = np.zeros(2)
    q = constant(p)
    for _ in range(20):
        z = z - np.linalg.solve(jacobian(residual)(z, q), residual(z, q))
    return z - np.linalg.solve(jacobian(residual)(z, p), residual(z, p))


@program(np.linspace(-0.3, 0.4, 12), "grad", step=0.02)
def masked_autoregressive_flow(theta):
    """A triangular network, its inverse by columns, and the log-likelihood."""
    W, V = theta[:9].reshape(3, 3), theta[9:]
    mask = np.tril(np.ones((3, 3)), -1)
    mu = X @ (mask * W).T
    s = np.tanh(X @ (mask * W).T * V)
    z = (X - mu) * np.exp(-s)
    return np.mean(0.5 * np.sum(z**2, axis=1) + np.sum(s, axis=1))


@program([0.1, -0.2, 0.3, 0.5], "grad")
def variational_bayes_of_a_normal(q):
    """Closed-form bound with a gamma factor for the precision."""
    m, log_v, log_a, log_b = q
    a, b, v = np.exp(log_a) + 1, np.exp(log_b), np.exp(log_v)
    tau, log_tau = a / b, digamma(a) - np.log(b)
    y = SIGNAL
    fit = 0.5 * len(y) * log_tau - 0.5 * tau * (np.sum((y - m) ** 2) + len(y) * v)
    prior = -0.5 * (m**2 + v) + log_tau - tau
    entropy = 0.5 * np.log(v) + a - np.log(b) + gammaln(a) + (1 - a) * digamma(a)
    return -(fit + prior + entropy)


@program([0.2, 0.4, -0.1, 0.5, 0.3], "hessian", step=0.05)
def switching_hmm_in_logs(theta):
    """Two regimes; the transition matrix is filled, sums are logsumexp."""
    stay = expit(theta[:2] + 1)
    A = np.empty((2, 2))
    A[0, 0], A[0, 1] = stay[0], 1 - stay[0]
    A[1, 1], A[1, 0] = stay[1], 1 - stay[1]
    mu, log_sd = theta[2:4], theta[4]
    alpha = np.log(np.full(2, 0.5))
    for y in SIGNAL[:8]:
        emission = -0.5 * ((y - mu) / np.exp(log_sd)) ** 2 - log_sd
        alpha = logsumexp(alpha[:, None] + np.log(A), axis=0) + emission
    return -logsumexp(alpha)


@program([0.7, 0.2, -0.5], "grad")
def kalman_filter_with_missing_data(p):
    phi, q, r = np.tanh(p[0]), np.exp(p[1]), np.exp(p[2])
    y = SIGNAL.copy()
    y[[3, 7]] = np.nan
    m, P, ll = 0.0, q / (1 - phi**2), 0.0
    for obs in y:
        m, P = phi * m, phi * P * phi + q
        if np.isnan(obs):
            continue
        S = P + r
        K = P / S
        ll = ll - 0.5 * (np.log(2 * np.pi * S) + (obs - m) ** 2 / S)
        m, P = m + K * (obs - m), (1 - K) * P
    return -ll


@program([0.5, -0.3, 0.2], "grad")
def arma_by_filter(p):
    """Residuals of an ARMA(2, 1) model by a linear filter."""
    e = lfilter(np.array([1.0, -p[0], -p[1]]), np.array([1.0, p[2]]), SIGNAL)
    return np.log(np.mean(e[2:] ** 2))


@program(np.linspace(0.1, 0.9, 9), "hvp", step=0.03)
def convolutional_dictionary(k):
    """An image as a kernel convolved with sparse spikes."""
    image = np.add.outer(np.arange(6.0), np.arange(6.0)) % 3
    spikes = np.zeros((4, 4))
    spikes[1, 2], spikes[3, 0], spikes[0, 0] = 1.0, -0.5, 0.3
    approximation = convolve(spikes, k.reshape(3, 3), mode="full")
    return np.sum((approximation - image) ** 2) + 0.1 * np.sum(np.abs(k))


@program(np.linspace(-0.6, 0.5, 10), "grad", step=0.02)
def sinkhorn_divergence_of_clouds(p):
    """Optimal transport with entropy, to a fixed cloud."""
    x, y = p.reshape(5, 2), X[:4, :2]
    C = np.sum((x[:, None, :] - y[None, :, :]) ** 2, axis=2)
    eps, f, g = 0.5, np.zeros(5), np.zeros(4)
    for _ in range(30):
        f = -eps * logsumexp((g - C) / eps - np.log(4), axis=1)
        g = -eps * logsumexp((f[:, None] - C) / eps - np.log(5), axis=0)
    return np.mean(f) + np.mean(g)


@program([0.4, 0.9, -0.2], "hessian")
def score_matching_of_an_energy(theta):
    """The trace of a Hessian inside the loss."""

    def energy(x):
        return theta[0] * x[0] ** 4 + theta[1] * x[1] ** 2 + theta[2] * x[0] * x[1]

    total = 0.0
    for x in X[:3, :2]:
        s = grad(energy)(x)
        J = jacobian(grad(energy))(x)
        total = total + 0.5 * s @ s - np.trace(J)
    return total


@program(np.linspace(-1, 1, 7), "grad", step=0.03)
def attention_pooled_per_example(w):
    """vmap over examples."""
    W, v = w[:6].reshape(2, 3), w[6]

    def one(x):
        keys = np.outer(x, [1.0, -1.0]) @ W
        scores = keys @ np.array([0.1, 0.2, v])
        weights = np.exp(scores - np.max(scores))
        return np.sum(weights / np.sum(weights) * x)

    return np.sum(vmap(one)(X) ** 2)
