"""Chains, filters, lattices, survival and financial paths."""

import functools
import itertools

import numpy as np
import scipy.linalg
from scipy import special
from scipy.special import expit, gammaln, log_ndtr

from tests.autodiff.corpus.programs import program

rng = np.random.RandomState(11)
COUNTS = rng.poisson(3.0, size=14)
SERIES = np.cumsum(rng.normal(size=16)) * 0.3
TIMES = rng.exponential(2.0, size=12)
EVENTS = (rng.uniform(size=12) < 0.7).astype(float)
Z = rng.normal(size=(12, 2))


@program(0.2 * rng.normal(size=8), "grad")
def hmm_scaled_forward(theta):
    """The scaled forward recursion, with a running product of normalisers."""
    A = np.exp(theta[:4].reshape(2, 2))
    A /= A.sum(axis=1, keepdims=True)
    rates = np.exp(1.0 + theta[4:6])
    start = np.exp(theta[6:]) / np.exp(theta[6:]).sum()
    B = np.exp(COUNTS[:, None] * np.log(rates) - rates - gammaln(COUNTS + 1)[:, None])
    alpha = start * B[0]
    loglik = 0.0
    for t in range(1, len(COUNTS)):
        c = alpha.sum()
        loglik += np.log(c)
        alpha = (alpha / c) @ A * B[t]
    return loglik + np.log(alpha.sum())


@program(0.3 * rng.normal(size=6), "hessian")
def hmm_logaddexp_reduce(theta):
    """In logarithms, by np.logaddexp.reduce over the previous state."""
    log_A = theta[:4].reshape(2, 2)
    log_A = log_A - np.logaddexp.reduce(log_A, axis=1)[:, None]
    mu = theta[4:]
    emission = -0.5 * (SERIES[:, None] - mu) ** 2
    log_alpha = emission[0] - np.log(2)
    for row in emission[1:]:
        log_alpha = np.logaddexp.reduce(log_alpha[:, None] + log_A, axis=0) + row
    return np.logaddexp.reduce(log_alpha)


@program(0.3 * rng.normal(size=5), "grad")
def crf_partition_by_reduce(w):
    """A chain of factors folded with functools.reduce."""
    pair = np.array([[0.0, 1.0], [1.0, 0.0]]) * w[0] + np.eye(2) * w[1]
    unary = np.outer(SERIES, w[2:4]) + w[4]

    def step(log_alpha, u):
        scores = log_alpha[:, np.newaxis] + pair + u[np.newaxis, :]
        m = scores.max(axis=0)
        return m + np.log(np.exp(scores - m).sum(axis=0))

    final = functools.reduce(step, unary[1:], unary[0])
    return np.log(np.sum(np.exp(final - final.max()))) + final.max()


@program(np.array([-1.0, 0.2, 0.1]), "hessian")
def local_level_exact_diffuse(theta):
    """A Kalman filter of a local level, by scalars kept in lists."""
    q, r, m0 = np.exp(theta[0]), np.exp(theta[1]), theta[2]
    means, variances, innovations = [m0], [1.0], []
    for y in SERIES:
        P = variances[-1] + q
        S = P + r
        K = P / S
        v = y - means[-1]
        innovations.append(-0.5 * (np.log(2 * np.pi * S) + v**2 / S))
        means.append(means[-1] + K * v)
        variances.append((1 - K) * P)
    return np.sum(np.array(innovations))


@program(0.3 * rng.normal(size=5), "grad")
def kalman_constant_velocity(theta):
    """Matrices by np.array([[…]]) with parameters in them, states in an array."""
    dt = np.exp(theta[0])
    F = np.array([[1.0, dt], [0.0, 1.0]])
    Q = np.exp(theta[1]) * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    H = np.array([[1.0, 0.0]])
    R = np.exp(theta[2])
    n = len(SERIES)
    x = np.zeros((n + 1, 2))
    x[0] = theta[3:]
    P = np.eye(2)
    ll = 0.0
    for t in range(n):
        m = F.dot(x[t])
        P = F.dot(P).dot(F.T) + Q
        S = H.dot(P).dot(H.T) + R
        K = P.dot(H.T).dot(np.linalg.inv(S))
        v = SERIES[t] - H.dot(m)
        x[t + 1] = m + K.dot(v)
        P = P - K.dot(S).dot(K.T)
        ll -= 0.5 * (v.dot(np.linalg.solve(S, v)) + np.linalg.slogdet(S)[1])
    return ll


@program(0.4 * rng.normal(size=4), "grad")
def square_root_kalman_by_qr(theta):
    """Covariances by triangular factors from qr, never by products."""
    A = np.stack([theta[:2], theta[2:]])
    m, L = np.zeros(2), np.eye(2)
    total = 0.0
    for y in SERIES[:6]:
        m = A @ m
        stacked = np.vstack([(A @ L).T, 0.5 * np.eye(2)])
        L = np.linalg.qr(stacked)[1].T
        P = L @ L.T
        s = P[0, 0] + 0.3
        v = y - m[0]
        total += v**2 / s + np.log(s)
        k = P[:, 0] / s
        m = m + k * v
        L = np.linalg.cholesky(P - np.outer(k, k) * s)
    return total


@program(0.5 * rng.normal(size=2), "grad")
def ising_exact_by_transfer(theta):
    """The free energy of a ring of spins by powers of the transfer matrix."""
    J, h = theta
    s = np.array([1.0, -1.0])
    T = np.exp(J * np.outer(s, s) + 0.5 * h * (s[:, None] + s[None, :]))
    return np.log(np.trace(np.linalg.matrix_power(T, 9))) / 9


@program(0.3 * rng.normal(size=(3, 3)), "grad")
def ising_by_enumeration(J):
    """All states by itertools.product; the symmetric part of J couples them."""
    states = np.array(list(itertools.product([-1, 1], repeat=3)))
    W = (J + J.T) / 2
    energies = np.array([s @ W @ s for s in states])
    return np.log(np.sum(np.exp(-energies)))


@program(0.3 * rng.normal(size=6), "hessian")
def ising_pseudolikelihood(theta):
    """Couplings scattered by triu_indices into a symmetric matrix."""
    W = np.zeros((4, 4))
    iu = np.triu_indices(4, k=1)
    W[iu] = theta
    W = W + W.T
    spins = np.sign(np.sin(np.arange(20).reshape(5, 4) + 0.5))
    field = spins @ W
    return np.sum(np.log(1 + np.exp(-2 * spins * field)))


@program(np.array([0.4, -0.2]), "hessian")
def mean_field_magnet(theta):
    """Damped iterations to the fixed point of tanh."""
    J, h = theta
    m = 0.1
    for _ in range(30):
        m = 0.5 * m + 0.5 * np.tanh(J * m + h)
    entropy = -(1 + m) / 2 * np.log((1 + m) / 2) - (1 - m) / 2 * np.log((1 - m) / 2)
    return -0.5 * J * m**2 - h * m - entropy


@program(0.3 * rng.normal(size=2), "hessian")
def cox_breslow_reverse_cumsum(beta):
    """Risk sets by a reversed cumulative sum of sorted hazards."""
    order = np.argsort(-TIMES)
    eta = (Z @ beta)[order]
    log_risk = np.log(np.cumsum(np.exp(eta)))
    return -np.sum(EVENTS[order] * (eta - log_risk))


@program(np.array([0.2, -0.1, 0.3, -0.2]), "hessian")
def weibull_aft_masked(theta):
    """Accelerated failure times; events and censored rows by boolean masks."""
    log_scale = theta[0] + Z @ theta[1:3]
    k = np.exp(theta[3])
    x = np.log(TIMES) - log_scale
    died = EVENTS == 1
    logpdf = np.log(k) + k * x[died] - log_scale[died] - np.exp(k * x[died])
    logsurv = -np.exp(k * x[~died])
    return -(logpdf.sum() + logsurv.sum()) + 0 * x.mean()


@program(np.array([0.1, 0.4, -0.3]), "grad")
def discrete_hazards_person_periods(theta):
    """Person-period likelihood with a logit hazard."""
    total = 0.0
    for t, d, z in zip(np.ceil(TIMES).astype(int), EVENTS, Z, strict=True):
        hazards = expit(theta[0] + theta[1] * np.log(np.arange(1, t + 1)) + theta[2] * z[0])
        survived = np.prod(1 - hazards[: t - 1])
        last = hazards[-1] if d else 1 - hazards[-1]
        total -= np.log(survived * last)
    return total


@program(np.array([0.5, -0.5]), "hessian")
def lognormal_interval_censored(theta):
    """Log-probabilities of intervals by differences of log_ndtr."""
    mu, sigma = theta[0], np.exp(theta[1])
    low, high = np.log(np.floor(TIMES) + 0.5), np.log(np.floor(TIMES) + 1.5)
    a, b = log_ndtr((low - mu) / sigma), log_ndtr((high - mu) / sigma)
    return -np.sum(b + np.log1p(-np.exp(a - b)))


@program(np.array([0.2, 0.9, -1.0]), "grad")
def garch_with_list_append(theta):
    """Variances collected in a list, then np.asarray of it."""
    omega, alpha, beta = np.exp(theta[0] - 2), expit(theta[1]) * 0.3, expit(theta[2])
    returns = np.diff(SERIES)
    sigma2 = [returns.var()]
    for r in returns[:-1]:
        sigma2.append(omega + alpha * r**2 + beta * sigma2[-1])
    sigma2 = np.asarray(sigma2)
    return 0.5 * np.sum(np.log(sigma2) + returns**2 / sigma2)


@program(np.array([0.05, 0.3, 100.0 / 100]), "hessian", step=0.001)
def lookback_and_barrier(theta):
    """Monte Carlo with cumulative sums, running maxima and a smooth barrier."""
    r, sigma, s0 = theta
    noise = np.random.RandomState(0).normal(size=(20, 6))
    logs = np.cumsum((r - 0.5 * sigma**2) / 6 + sigma * np.sqrt(1 / 6) * noise, axis=1)
    path = s0 * np.exp(logs)
    best = np.maximum.accumulate(path, axis=1)[:, -1]
    alive = expit(10 * (1.6 - best))
    return np.exp(-r) * np.mean(alive * (best - path[:, -1]))


@program(np.array([1.0, 1.05, 0.2, 0.02, 0.5]), "hessian")
def black_scholes_greeks(p):
    """All greeks by one Hessian, with ndtr from scipy.special."""
    S, K, sigma, r, T = p
    d1 = (np.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * np.sqrt(T))
    d2 = d1 - sigma * np.sqrt(T)
    return S * special.ndtr(d1) - K * np.exp(-r * T) * special.ndtr(d2)


@program(np.array([0.2, 0.3, 0.5, -0.2]), "grad")
def copula_vine_pairs(theta):
    """Clayton, Frank and Gaussian pairs in one likelihood."""
    u, v = expit(SERIES[:-1]), expit(SERIES[1:] * 0.8)
    a = np.exp(theta[0])
    clayton = (
        np.log1p(a)
        - (1 + a) * (np.log(u) + np.log(v))
        - (2 + 1 / a) * np.log(u ** (-a) + v ** (-a) - 1)
    )
    d = 4 * theta[1]
    frank = (
        np.log(d * -np.expm1(-d))
        - d * (u + v)
        - 2 * np.log(-np.expm1(-d) - np.expm1(-d * u) * np.expm1(-d * v))
    )
    rho = np.tanh(theta[2])
    x, z = special.ndtri(u), special.ndtri(v)
    gauss = -0.5 * np.log(1 - rho**2) - (rho**2 * (x**2 + z**2) - 2 * rho * x * z) / (
        2 * (1 - rho**2)
    )
    w = np.exp(theta[3]) / (1 + np.exp(theta[3]))
    return -np.sum(np.log(w * np.exp(clayton) + (1 - w) * np.exp(gauss))) - frank.mean()


@program(np.array([0.6, -0.3, 0.2]), "hessian")
def ordinal_probit_cutpoints(theta):
    """Cut points by a cumulative sum of exponentials, padded with infinities."""
    cuts = np.concatenate(([-np.inf], np.cumsum([theta[0], np.exp(theta[1])]), [np.inf]))
    y = np.digitize(SERIES, [-0.2, 0.5])
    eta = theta[2] * np.sin(SERIES)
    p = special.ndtr(cuts[y + 1] - eta) - special.ndtr(cuts[y] - eta)
    return -np.sum(np.log(p))


@program(np.array([0.3, -0.4, 0.1, 0.2]), "grad")
def arma_by_toeplitz(theta):
    """The covariance of a moving average by scipy.linalg.toeplitz."""
    c = np.convolve(np.append(theta[:3], 1.0)[::-1], np.append(theta[:3], 1.0))[3:]
    n = len(SERIES)
    first = np.concatenate([c, np.zeros(n - len(c))])
    C = scipy.linalg.toeplitz(first) + np.exp(theta[3]) * np.eye(n)
    L = np.linalg.cholesky(C)
    w = np.linalg.solve(L, SERIES)
    return 0.5 * w @ w + np.log(np.diag(L)).sum()


@program(np.array([0.1, 0.2, 0.3]), "grad")
def state_space_expm(theta):
    """A continuous-time chain: transition probabilities by scipy.linalg.expm."""
    q = np.exp(theta)
    Q = np.array([[-q[0], q[0], 0.0], [q[1], -q[1] - q[2], q[2]], [0.0, 0.0, 0.0]])
    P = scipy.linalg.expm(Q * 0.7)
    return -np.log(P[0, 1]) - np.log(P[1, 2]) - 2 * np.log(P[0, 0])
