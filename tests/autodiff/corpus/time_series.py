"""Filters and models of time series."""

# Names as people choose them.
# ruff: noqa: E741

import numpy as np
from scipy.special import logsumexp

from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(0)
Y = np.array([0.3, -0.1, 0.8, 1.1, 0.7, 1.4])
R = 0.1 * rng.standard_normal(12)
SYMBOLS = [0, 1, 1, 2, 0]


@program([0.2, -0.4, 0.5, 0.1, -0.3, 0.6, 0.0, 0.3], "grad")
def hmm_forward(x):
    """Log-likelihood of a hidden Markov model, by the scaled forward algorithm."""
    T = np.exp(x[:4].reshape(2, 2))
    T = T / T.sum(axis=1, keepdims=True)
    mu, sd = x[4:6], np.exp(x[6:])
    alpha = np.ones(2) / 2
    total = 0.0
    for y in Y:
        density = np.exp(-0.5 * ((y - mu) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
        alpha = (alpha @ T) * density
        scale = np.sum(alpha)
        total = total + np.log(scale)
        alpha = alpha / scale
    return total


@program([0.2, -0.4, 0.5, 0.1, -0.3, 0.6], "hessian", step=0.03)
def hmm_log_space(x):
    """The forward algorithm in logarithms, filling a table."""
    log_T = x[:4].reshape(2, 2) - np.log(np.sum(np.exp(x[:4].reshape(2, 2)), axis=1))[:, None]
    mu = x[4:]
    alpha = np.zeros((len(Y), 2))
    alpha[0] = np.log(0.5) - 0.5 * (Y[0] - mu) ** 2
    for t in range(1, len(Y)):
        for j in range(2):
            a = alpha[t - 1] + log_T[:, j]
            m = np.max(a)
            alpha[t, j] = m + np.log(np.sum(np.exp(a - m))) - 0.5 * (Y[t] - mu[j]) ** 2
    return np.log(np.sum(np.exp(alpha[-1])))


@program([0.2, -0.4, 0.5, 0.1, -0.3, 0.6], "grad")
def hmm_discrete_scipy(x):
    """The same by SciPy's logsumexp."""
    log_T = x[:4].reshape(2, 2)
    log_T = log_T - logsumexp(log_T, axis=1, keepdims=True)
    emission = np.column_stack([x[4:], -x[4:], np.zeros(2)])
    emission = emission - logsumexp(emission, axis=1, keepdims=True)
    alpha = emission[:, SYMBOLS[0]] + np.log(0.5)
    for s in SYMBOLS[1:]:
        alpha = logsumexp(alpha[:, None] + log_T, axis=0) + emission[:, s]
    return logsumexp(alpha)


@program([0.7, -0.5, -0.2], "hessian", step=0.03)
def kalman_scalar(theta):
    """Local level with a decay: prediction errors."""
    phi, q, r = theta[0], np.exp(theta[1]), np.exp(theta[2])
    m, P, ll = 0.0, 1.0, 0.0
    for y in Y:
        m, P = phi * m, phi**2 * P + q
        S = P + r
        v = y - m
        ll += -0.5 * (np.log(2 * np.pi * S) + v**2 / S)
        K = P / S
        m, P = m + K * v, (1 - K) * P
    return ll


@program([0.3, -0.5, -0.2, -1.0], "grad")
def kalman_matrices(theta):
    """Local linear trend; matrices as lists of numbers."""
    dt = theta[0]
    F = np.array([[1.0, dt], [0.0, 1.0]])
    Q = np.diag(np.exp(theta[1:3]))
    H = np.array([[1.0, 0.0]])
    R_ = np.array([[np.exp(theta[3])]])
    m, P = np.zeros(2), np.eye(2)
    ll = 0.0
    for y in Y:
        m = F @ m
        P = F @ P @ F.T + Q
        S = H @ P @ H.T + R_
        v = y - H @ m
        K = P @ H.T @ np.linalg.inv(S)
        ll = ll - 0.5 * (v @ np.linalg.solve(S, v) + np.linalg.slogdet(2 * np.pi * S)[1])
        m = m + K @ v
        P = P - K @ H @ P
    return ll


@program([0.5, 0.3], "hvp", step=0.03)
def rts_smoother(theta):
    """Smoothed means of a random walk, filled into arrays."""
    q, r = np.exp(theta)
    n = len(Y)
    m = np.zeros(n)
    P = np.zeros(n)
    mean, var = 0.0, 1.0
    for t in range(n):
        var = var + q
        gain = var / (var + r)
        mean = mean + gain * (Y[t] - mean)
        var = (1 - gain) * var
        m[t] = mean
        P[t] = var
    s = m.copy()
    for t in range(n - 2, -1, -1):
        g = P[t] / (P[t] + q)
        s[t] = m[t] + g * (s[t + 1] - m[t])
    return np.sum(s**2)


@program([0.5, -0.3, 0.1], "hessian", step=0.03)
def ar2_conditional(theta):
    """Conditional likelihood of an AR(2)."""
    e = Y[2:] - theta[0] * Y[1:-1] - theta[1] * Y[:-2]
    s2 = np.exp(theta[2])
    return 0.5 * len(e) * np.log(2 * np.pi * s2) + 0.5 * np.dot(e, e) / s2


@program([0.4, 0.2], "grad")
def arma11(theta):
    """Residuals of an ARMA(1, 1), filled one after the other."""
    e = np.zeros(len(Y))
    for t in range(1, len(Y)):
        e[t] = Y[t] - theta[0] * Y[t - 1] - theta[1] * e[t - 1]
    return np.sum(e**2)


@program([-3.0, 0.1, 0.8], "grad")
def garch(theta):
    """GARCH(1, 1) with the variance in an array."""
    omega, alpha, beta = np.exp(theta[0]), theta[1], theta[2]
    sigma2 = np.empty(len(R))
    sigma2[0] = np.var(R)
    for t in range(1, len(R)):
        sigma2[t] = omega + alpha * R[t - 1] ** 2 + beta * sigma2[t - 1]
    return 0.5 * np.sum(np.log(sigma2) + R**2 / sigma2)


@program([-3.0, 0.1, 0.8], "hessian", step=0.03)
def garch_list(theta):
    """GARCH(1, 1) with the variance in a list."""
    s2 = [np.var(R)]
    for t in range(1, len(R)):
        s2.append(np.exp(theta[0]) + theta[1] * R[t - 1] ** 2 + theta[2] * s2[-1])
    s2 = np.array(s2)
    return 0.5 * np.sum(np.log(s2) + R**2 / s2)


@program([0.6, 0.2, 0.1], "grad")
def holt_winters(theta):
    """Double exponential smoothing."""
    a, b = 1 / (1 + np.exp(-theta[0])), 1 / (1 + np.exp(-theta[1]))
    level, trend, sse = Y[0], theta[2], 0.0
    for y in Y[1:]:
        forecast = level + trend
        sse += (y - forecast) ** 2
        new = a * y + (1 - a) * forecast
        trend = b * (new - level) + (1 - b) * trend
        level = new
    return sse


@program([0.5, -0.2, 0.3], "jacobian")
def impulse_response(theta):
    """Impulse responses by powers of the companion matrix."""
    C = np.vstack([theta, np.eye(3)[:2]])
    out = []
    M = np.eye(3)
    for _ in range(5):
        M = C @ M
        out.append(M[0, 0])
    return np.array(out)


@program([0.5, 0.2, 0.8], "grad")
def whittle(theta):
    """Whittle likelihood of an AR(1), with a periodogram of the data."""
    I = np.abs(np.fft.rfft(Y)) ** 2 / len(Y)
    w = 2 * np.pi * np.fft.rfftfreq(len(Y))
    f = np.exp(theta[2]) / (1 + theta[0] ** 2 - 2 * theta[0] * np.cos(w)) + np.exp(theta[1])
    return np.sum(np.log(f) + I / f)


@program(Y, "grad")
def spectral_energy(x):
    """Energy of high frequencies by the FFT."""
    F = np.fft.rfft(x - x.mean())
    return np.sum(np.abs(F[2:]) ** 2)


@program(Y, "grad")
def autocorrelation(x):
    """Autocorrelation by np.correlate."""
    z = x - np.mean(x)
    c = np.correlate(z, z, mode="full")[len(z) - 1 :]
    return c[1] / c[0]


@program([0.3, 0.1], "grad")
def stochastic_volatility_path(theta):
    """A path by the cumulative sum of scaled shocks."""
    h = theta[0] + theta[1] * np.cumsum(R)
    return np.sum(0.5 * h + 0.5 * R**2 * np.exp(-h))


@program([0.9, 0.3, 0.2, 0.8, 0.1], "grad")
def var1_covariance(theta):
    """Stationary covariance of a VAR(1) by the Kronecker product."""
    A = 0.5 * theta[:4].reshape(2, 2)
    S = np.eye(2) * np.exp(theta[4])
    v = np.linalg.solve(np.eye(4) - np.kron(A, A), S.ravel())
    return np.linalg.det(v.reshape(2, 2))


@program([0.2, 0.5, -0.2], "jacobian")
def viterbi_soft(x):
    """Soft dynamic time warping of two short series."""
    y = np.array([0.0, 0.4])
    D = (x[:, None] - y[None, :]) ** 2
    n, m = D.shape
    Rm = np.full((n + 1, m + 1), 1e3)
    Rm[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            r = np.array([Rm[i - 1, j - 1], Rm[i - 1, j], Rm[i, j - 1]])
            r0 = np.min(r)
            Rm[i, j] = D[i - 1, j - 1] + r0 - np.log(np.sum(np.exp(-(r - r0))))
    return Rm[n, m]
