"""Hidden Markov models, filters and smoothers, volatility and point processes."""

# Idioms as people write them.
# ruff: noqa: B905

from collections import namedtuple
from functools import reduce

import numpy as np
from scipy.special import expit, gammaln

from tests.autodiff.corpus.programs import program

rng = np.random.RandomState(3)
OBS = rng.normal(size=8)
COUNTS = np.array([2, 0, 3, 1, 4, 2])
EVENTS = np.array([0.3, 0.9, 1.1, 2.4, 2.5, 3.8])
State = namedtuple("State", "mean cov")


def logsumexp(a, axis=None, keepdims=False):
    top = a.max(axis=axis, keepdims=True)
    out = np.log(np.exp(a - top).sum(axis=axis, keepdims=True)) + top
    return out if keepdims else np.squeeze(out, axis=axis)


@program(rng.normal(size=12), "grad")
def hmm_poisson_three_states(theta):
    """Counts of three hidden states; own logsumexp."""
    log_A = theta[:9].reshape(3, 3)
    log_A = log_A - logsumexp(log_A, axis=1, keepdims=True)
    rate = np.exp(theta[9:])
    log_B = COUNTS[:, None] * np.log(rate) - rate - gammaln(COUNTS + 1)[:, None]
    alpha = log_B[0] - np.log(3)
    for b in log_B[1:]:
        alpha = b + logsumexp(alpha[:, None] + log_A, axis=0)
    return logsumexp(alpha)


@program(rng.normal(size=6), "grad")
def hmm_forward_backward(theta):
    """Posterior of the states by both passes, stored in lists."""
    A = np.exp(theta[:4]).reshape(2, 2)
    A /= A.sum(1, keepdims=True)
    mu = theta[4:]
    B = np.exp(-0.5 * (OBS[:, np.newaxis] - mu) ** 2)
    forward, backward = [np.array([0.5, 0.5]) * B[0]], [np.ones(2)]
    for t in range(1, len(OBS)):
        forward.append(forward[-1].dot(A) * B[t])
    for t in reversed(range(len(OBS) - 1)):
        backward.insert(0, A.dot(B[t + 1] * backward[0]))
    gamma = np.array([f * b for f, b in zip(forward, backward)])
    gamma /= gamma.sum(axis=-1)[:, None]
    return (gamma[:, 0] * OBS).sum()


@program(rng.normal(size=4), "hessian", step=0.03)
def hmm_as_matrix_product(theta):
    """The likelihood as a product of matrices by functools.reduce."""
    p, q = expit(theta[0]), expit(theta[1])
    A = np.stack([np.stack([p, 1 - p]), np.stack([1 - q, q])])
    factors = [A * np.exp(-0.5 * (y - theta[2:]) ** 2)[None, :] for y in OBS]
    return np.log(np.ones(2) @ reduce(np.matmul, factors) @ np.ones(2))


@program([0.3, -0.5, 0.1, 0.4], "grad")
def kalman_namedtuple(theta):
    """A filter whose state is a named tuple, stepped by a function."""
    F = np.array([[1.0, 1.0], [0.0, 0.9]])
    H = np.array([[1.0, 0.0]])
    Q = np.diag(np.exp(theta[:2]))
    Rm = np.exp(theta[2]) * np.eye(1)

    def step(state, y):
        m = F @ state.mean
        P = F @ state.cov @ F.T + Q
        S = H @ P @ H.T + Rm
        K = np.linalg.solve(S, H @ P).T
        r = y - H @ m
        ll = -0.5 * (r @ np.linalg.solve(S, r) + np.log(np.linalg.det(2 * np.pi * S)))
        return State(m + K @ r, P - K @ S @ K.T), ll

    state = State(np.array([0.0, 1.0]) * theta[3], np.eye(2))
    total = 0
    for y in OBS:
        state, ll = step(state, y)
        total += ll
    return total


@program([0.2, -0.3, 0.5], "grad")
def kalman_joseph_form(theta):
    """Joseph's update, with the covariances kept in a three-dimensional table."""
    n = len(OBS)
    m = np.zeros((n + 1, 2))
    P = np.zeros((n + 1, 2, 2))
    P[0] = np.eye(2)
    A = np.eye(2)
    A[0, 1] = theta[0]
    h = np.array([1.0, 0.5])
    r = np.exp(theta[1])
    ll = 0.0
    for t, y in enumerate(OBS):
        mp = A @ m[t]
        Pp = A @ P[t] @ A.T + np.exp(theta[2]) * np.eye(2)
        s = h @ Pp @ h + r
        k = Pp @ h / s
        m[t + 1] = mp + k * (y - h @ mp)
        IKH = np.eye(2) - np.outer(k, h)
        P[t + 1] = IKH @ Pp @ IKH.T + r * np.outer(k, k)
        ll -= 0.5 * (np.log(s) + (y - h @ mp) ** 2 / s)
    return ll


@program([0.2, -0.3, 0.1], "grad")
def kalman_information_filter(theta):
    """The information form, with missing observations."""
    y = OBS.copy()
    y[[2, 5]] = np.nan
    q, r = np.exp(theta[:2])
    Lam, eta = 1.0, theta[2]
    ll = 0.0
    for obs in y:
        Lam = 1 / (1 / Lam + q)
        if np.isnan(obs):
            continue
        m, s = eta / Lam, 1 / Lam + r
        ll += -0.5 * np.log(2 * np.pi * s) - 0.5 * (obs - m) ** 2 / s
        Lam, eta = Lam + 1 / r, eta + obs / r
    return ll


@program([0.4, 0.1, -0.2], "grad")
def extended_kalman_pendulum(theta):
    """Linearised by hand, matrices written as nested lists."""
    dt, q, r = 0.1, np.exp(theta[1]), np.exp(theta[2])
    m, P, ll = np.array([1.0, 0.0]), 0.1 * np.eye(2), 0.0
    for y in OBS[:4]:
        F = np.array([[1.0, dt], [-theta[0] * np.cos(m[0]) * dt, 1.0]])
        m = np.array([m[0] + dt * m[1], m[1] - dt * theta[0] * np.sin(m[0])])
        P = F @ P @ F.T + q * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        H = np.array([np.cos(m[0]), 0.0])
        v = y - np.sin(m[0])
        S = H @ P @ H + r
        K = P @ H / S
        m = m + K * v
        P = P - np.outer(K, K) * S
        ll = ll - 0.5 * (v**2 / S + np.log(S))
    return ll


@program([0.4, -0.2], "grad")
def unscented_transform(theta):
    """Sigma points by the Cholesky factor."""
    n, kappa = 2, 1.0
    mean = theta
    cov = np.array([[1.0, 0.3], [0.3, 0.5]]) + np.outer(theta, theta)
    L = np.linalg.cholesky((n + kappa) * cov)
    points = np.vstack([mean, mean + L.T, mean - L.T])
    w = np.full(2 * n + 1, 1 / (2 * (n + kappa)))
    w[0] = kappa / (n + kappa)
    z = np.hypot(points[:, 0], points[:, 1] + 2)
    return w @ z + (w * (z - w @ z) ** 2).sum()


@program([0.9, -1.0, 0.2], "grad")
def particle_filter_fixed_noise(theta):
    """A bootstrap filter with common random numbers and soft weights, without resampling."""
    noise = np.random.default_rng(1).standard_normal((len(OBS), 20))
    x = np.zeros(20)
    logw = np.zeros(20)
    for eps, y in zip(noise, OBS):
        x = theta[0] * x + np.exp(theta[1]) * eps
        logw += -0.5 * (y - x) ** 2 / np.exp(theta[2])
    m = logw.max()
    return m + np.log(np.mean(np.exp(logw - m)))


@program([-0.5, 0.3, 0.8], "hessian", step=0.02)
def hawkes_recursive(theta):
    """A self-exciting process by the recursion of its intensity."""
    mu, a, b = np.exp(theta)
    T, A, ll = 4.0, 0.0, np.log(mu)
    for i in range(1, EVENTS.size):
        A = np.exp(-b * (EVENTS[i] - EVENTS[i - 1])) * (1 + A)
        ll += np.log(mu + a * A)
    return ll - mu * T - a / b * np.sum(1 - np.exp(-b * (T - EVENTS)))


@program([-0.5, 0.3, 0.8], "grad")
def hawkes_by_matrix(theta):
    """The same by all pairs of events, with a lower triangle."""
    mu, a, b = np.exp(theta)
    d = np.subtract.outer(EVENTS, EVENTS)
    k = np.tril(np.exp(-b * np.abs(d)), -1)
    return np.log(mu + a * k.sum(1)).sum()


@program([-1.0, 0.1, 0.6, -0.3], "grad")
def egarch(theta):
    """EGARCH with a leverage term: the logarithm of the variance in a list."""
    w, a, b, g = theta
    h = [np.log(np.var(OBS))]
    for r in OBS[:-1]:
        z = r / np.exp(h[-1] / 2)
        h += [w + b * h[-1] + a * (abs(z) - np.sqrt(2 / np.pi)) + g * z]
    h = np.asarray(h)
    return 0.5 * (h + OBS**2 * np.exp(-h)).sum()


@program([0.5, 0.2, -0.1, 0.3], "grad")
def seasonal_exponential_smoothing(theta):
    """Holt and Winters with a season of four, updated in a list."""
    alpha, gamma = 1 / (1 + np.exp(-theta[:2]))
    season = [theta[2], theta[3], -theta[2], -theta[3]]
    level, sse = OBS[0], 0.0
    for t, y in enumerate(OBS):
        s = season[t % 4]
        e = y - level - s
        sse += e**2
        level = level + alpha * e
        season[t % 4] = s + gamma * e
    return sse


@program(rng.normal(size=6), "jacobian")
def ar_spectral_density(phi):
    """The spectrum of an AR by complex exponentials."""
    w = np.linspace(0.1, 3.0, 5)
    k = np.arange(1, len(phi) + 1)
    transfer = 1 - np.exp(-1j * np.outer(w, k)) @ (0.1 * phi)
    return 1 / (2 * np.pi * np.abs(transfer) ** 2)


@program([0.4, -0.3, 0.2], "jacobian")
def levinson_durbin(r):
    """Partial autocorrelations to coefficients of an AR."""
    pacf = np.tanh(r)
    phi = np.array([])
    for p in pacf:
        phi = np.append(phi - p * phi[::-1], p)
    return phi
