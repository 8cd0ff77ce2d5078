"""Likelihoods and losses, as they are written for other libraries and carried over."""

import numpy as np
from scipy.special import betaln, erf, gammaln, log_ndtr, ndtri

from mcmodels.autodiff import linalg, stats
from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(11)
Z = rng.standard_normal((10, 3))
TIMES = rng.exponential(2.0, 10)
DEAD = np.array([1, 1, 0, 1, 0, 1, 1, 1, 0, 1], dtype=bool)
LABELS = rng.integers(0, 3, 10)


@program([0.3, -0.4, 0.2], "hessian", step=0.05)
def stratified_cox(beta):
    """A risk set for each stratum, by masks."""
    strata = np.arange(10) % 2
    eta = Z @ beta
    ll = 0.0
    for s in (0, 1):
        idx = np.flatnonzero(strata == s)
        order = idx[np.argsort(-TIMES[idx])]
        risk = np.logaddexp.accumulate(eta[order])
        ll = ll + np.sum((eta[order] - risk)[DEAD[order]])
    return -ll


@program([0.2, 0.1, -0.3, 0.4], "grad")
def royston_parmar_spline_hazard(g):
    """The log cumulative hazard as a restricted cubic spline of log time."""
    x = np.log(TIMES)
    k0, k1, k2 = np.quantile(x, [0.1, 0.5, 0.9])
    lam = (k2 - k1) / (k2 - k0)
    cube = lambda u: np.maximum(u, 0) ** 3  # noqa: E731
    square = lambda u: 3 * np.maximum(u, 0) ** 2  # noqa: E731
    basis = cube(x - k1) - lam * cube(x - k0) - (1 - lam) * cube(x - k2)
    slope = square(x - k1) - lam * square(x - k0) - (1 - lam) * square(x - k2)
    s = g[0] + np.exp(g[1]) * x + 0.01 * g[2] * basis + Z[:, 0] * g[3]
    ds = np.exp(g[1]) + 0.01 * g[2] * slope
    return -np.sum(DEAD * (np.log(ds) + s - x) - np.exp(s))


@program([0.3, 0.6, -0.2, 0.1], "grad")
def copula_of_gamma_margins(p):
    """A Gaussian copula with its correlation matrix from a list."""
    rho = np.tanh(p[0])
    shape = np.exp(p[1])
    x, y = TIMES[:5], TIMES[5:]
    u, v = stats.gamma.cdf(x, shape), stats.expon.cdf(y, scale=np.exp(p[2]))
    z = np.stack([ndtri(u), ndtri(v)], axis=1)
    R = np.array([[1.0, rho], [rho, 1.0]])
    P = np.linalg.inv(R) - np.eye(2)
    ll = -0.5 * np.einsum("ni,ij,nj->n", z, P, z) - 0.5 * np.log(np.linalg.det(R))
    return -np.sum(ll + stats.gamma.logpdf(x, shape) + stats.expon.logpdf(y, scale=np.exp(p[2])))


@program([0.1, -0.3, 0.2, 0.5], "hvp", step=0.05)
def gp_with_spectral_mixture(p):
    t = np.linspace(0, 2, 7)
    d = t[:, np.newaxis] - t
    K = sum(
        np.exp(p[2 * k]) * np.exp(-2 * np.pi**2 * d**2 * 0.02) * np.cos(np.exp(p[2 * k + 1]) * d)
        for k in range(2)
    )
    K[np.diag_indices(7)] += 0.1
    L = linalg.cholesky(K, lower=True)
    a = linalg.cho_solve((L, True), np.sin(3 * t))
    return 0.5 * np.sin(3 * t) @ a + np.sum(np.log(np.diag(L)))


@program(np.linspace(-0.5, 0.5, 6), "hessian", step=0.05)
def softmax_regression_by_advanced_index(w):
    logits = np.column_stack([Z @ w.reshape(2, 3).T, np.zeros(10)])
    logits -= logits.max(axis=1, keepdims=True)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -logp[np.arange(10), LABELS].mean()


@program([0.5, 0.2, -0.4], "grad")
def beta_binomial_with_offsets(p):
    n, k = np.full(10, 12), LABELS + 2
    mu = 1 / (1 + np.exp(-(Z[:, :2] @ p[:2])))
    s = np.exp(p[2])
    a, b = mu * s, (1 - mu) * s
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return -np.sum(choose + betaln(k + a, n - k + b) - betaln(a, b))


@program([0.2, 0.5, 0.1, -0.6], "grad")
def stochastic_frontier(p):
    """Normal noise and half-normal inefficiency."""
    y = Z @ np.array([0.3, -0.2, 0.5]) + TIMES * 0.1
    su, sv = np.exp(p[2]), np.exp(p[3])
    s, lam = np.hypot(su, sv), su / sv
    e = y - p[0] - p[1] * Z[:, 0]
    return -np.sum(np.log(2 / s) - 0.5 * (e / s) ** 2 + log_ndtr(-e * lam / s))


@program([0.4, 0.1, 0.6], "hessian", step=0.05)
def matern_by_state_space_expm(p):
    """The transition matrix by the exponential of a matrix that is filled by index."""
    lam = np.exp(p[0])
    F = np.zeros((2, 2))
    F[0, 1] = 1.0
    F[1, 0] = -(lam**2)
    F[1, 1] = -2 * lam
    A = linalg.expm(0.3 * F)
    Pinf = np.diag(np.array([1.0, lam**2])) * np.exp(p[1])
    Q = Pinf - A @ Pinf @ A.T
    m, P, ll = np.zeros(2), Pinf, 0.0
    for y in np.sin(np.arange(6)):
        m, P = A @ m, A @ P @ A.T + Q
        S = P[0, 0] + np.exp(p[2])
        K = P[:, 0] / S
        ll += -0.5 * np.log(S) - 0.5 * (y - m[0]) ** 2 / S
        m = m + K * (y - m[0])
        P = P - np.outer(K, K) * S
    return ll


@program([0.3, -0.1, 0.2, 0.4, 0.1, -0.2], "grad")
def wishart_prior_by_bartlett(p):
    L = np.zeros((3, 3))
    L[np.tril_indices(3)] = p
    L[np.diag_indices(3)] = np.exp(np.diag(L))
    S = L @ L.T
    return 0.5 * np.trace(np.linalg.inv(S)) + 4 * np.sum(np.log(np.diag(L))) + np.sum(S[0] ** 2)


@program(np.linspace(0.2, 1.4, 7), "jacobian")
def discounted_returns_and_advantages(r):
    """Running sums from the end, in a list that is reversed."""
    out, running = [], 0.0
    for x in r[::-1]:
        running = x + 0.9 * running
        out.append(running)
    g = np.array(out[::-1])
    return (g - g.mean()) / (g.std() + 1e-8)


@program([0.6, 0.3, 0.8], "hessian")
def heston_like_characteristic_by_quadrature(p):
    """A real price from complex exponentials and roots."""
    u = np.linspace(0.05, 12.0, 40)
    d = np.sqrt((p[0] * 1j * u - 0.5) ** 2 + p[1] ** 2 * (1j * u + u**2))
    phi = np.exp(-d * 0.5 + 1j * u * p[2]) / (1j * u)
    return 0.5 + np.trapezoid(np.real(phi), u) / np.pi


@program(np.linspace(-1.0, 1.0, 9), "grad", step=0.02)
def polar_factor_and_square_root(a):
    """The nearest rotation, by the square root of a matrix."""
    A = a.reshape(3, 3) + 2 * np.eye(3)
    R = A @ np.linalg.inv(linalg.sqrtm(A.T @ A))
    return np.sum(R * np.arange(9.0).reshape(3, 3)) + np.linalg.det(R)


@program([0.2, 0.8], "grad")
def quantised_with_a_straight_through_estimator(p):
    """Rounding whose derivative is meant to be that of the identity."""
    from mcmodels.autodiff import constant

    x = p * np.array([1.2, 0.7])
    step = np.round(constant(x) * 4) / 4
    return np.sum((x + 0 * step) ** 2 * erf(p))
