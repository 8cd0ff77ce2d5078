"""Variational inference, normalising flows, copulas and simulation-based estimation."""

from collections import defaultdict

import numpy as np
from scipy.special import betaln, digamma, erf, gammaln, ndtr, ndtri, xlogy

from tests.autodiff.corpus.programs import program

rng = np.random.RandomState(4)
X = rng.normal(size=(10, 3))
y = (X[:, 0] > 0).astype(float)
U = np.clip(rng.uniform(size=(9, 2)), 0.05, 0.95)
EPS = rng.normal(size=(6, 3))


@program(0.3 * rng.normal(size=6), "grad")
def bbvi_logistic(params):
    """Reparametrised bound for a logistic regression."""
    mean, log_std = params[:3], params[3:]
    samples = EPS * np.exp(log_std) + mean
    logits = samples @ X.T
    loglik = np.sum(y * logits - np.logaddexp(0, logits), axis=1)
    entropy = 0.5 * 3 * (1.0 + np.log(2 * np.pi)) + np.sum(log_std)
    logprior = np.sum(-0.5 * samples**2 - 0.5 * np.log(2 * np.pi), axis=1)
    return -(entropy + np.mean(loglik + logprior))


@program(0.3 * rng.normal(size=9), "grad")
def full_rank_gaussian_guide(params):
    """A covariance by its Cholesky factor, filled by tril_indices."""
    mu = params[:3]
    L = np.zeros((3, 3))
    L[np.tril_indices(3)] = params[3:]
    d = np.diag_indices(3)
    L[d] = np.exp(L[d])
    z = mu + EPS @ L.T
    log_joint = -0.5 * np.sum((z - 1) ** 2, -1) - 0.1 * np.sum(z**4, -1)
    return -np.mean(log_joint) - np.log(np.diag(L)).sum()


@program(0.4 * rng.normal(size=14), "grad")
def planar_flow(params):
    """Two planar flows with their log-determinants."""
    z, logdet = EPS, np.zeros(len(EPS))
    for u, w, b in (
        (params[:3], params[3:6], params[6]),
        (params[7:10], params[10:13], params[13]),
    ):
        m = -1 + np.log1p(np.exp(u @ w))
        u_hat = u + (m - u @ w) * w / np.sum(w**2)
        a = np.tanh(z @ w + b)
        psi = (1 - a**2)[:, None] * w
        logdet += np.log(np.abs(1 + psi @ u_hat))
        z = z + u_hat * a[:, None]
    return -np.mean(logdet - 0.5 * np.sum(z**2, axis=1))


@program(0.4 * rng.normal(size=12), "grad")
def real_nvp(params):
    """Affine couplings that alternate between the halves."""
    x = np.concatenate([EPS, EPS[:, :1]], axis=1)
    total = 0.0
    for k in range(2):
        w = params[6 * k : 6 * k + 6]
        a, b = np.split(x, 2, axis=1)
        s = np.tanh(a * w[:2] + w[2])
        t = a * w[3:5] + w[5]
        b = b * np.exp(s) + t
        total += s.sum(axis=1)
        x = np.concatenate((b, a), axis=-1)
    return np.mean(0.5 * (x**2).sum(1) - total)


@program(0.4 * rng.normal(size=7), "grad")
def rational_quadratic_spline(params):
    """One monotone rational-quadratic spline with a search of the bin."""
    w = np.exp(params[:3]) / np.sum(np.exp(params[:3]))
    h = np.exp(params[3:6]) / np.sum(np.exp(params[3:6]))
    xs = np.concatenate([[0.0], np.cumsum(w)])
    ys = np.concatenate([[0.0], np.cumsum(h)])
    d = np.log1p(np.exp(params[6])) * np.ones(4)
    x = np.array([0.11, 0.47, 0.83])
    k = np.searchsorted(xs, x) - 1
    xi = (x - xs[k]) / w[k]
    s = h[k] / w[k]
    top = h[k] * (s * xi**2 + d[k] * xi * (1 - xi))
    return np.sum(ys[k] + top / (s + (d[k + 1] + d[k] - 2 * s) * xi * (1 - xi)))


@program([0.3, 0.8], "hessian", step=0.02)
def frank_and_gumbel_copulas(theta):
    """Densities of two Archimedean copulas."""
    u, v = U.T
    t = theta[0]
    frank = t * (1 - np.exp(-t)) * np.exp(-t * (u + v))
    frank = frank / ((1 - np.exp(-t)) - (1 - np.exp(-t * u)) * (1 - np.exp(-t * v))) ** 2
    g = 1 + np.exp(theta[1])
    a, b = -np.log(u), -np.log(v)
    s = (a**g + b**g) ** (1 / g)
    gumbel = (
        -s + (g - 1) * np.log(a * b) - np.log(u * v) + (1 - 2 * g) * np.log(s) + np.log(s + g - 1)
    )
    return np.log(frank).sum() + gumbel.sum()


@program([0.2, 0.5], "grad")
def t_copula_by_quantiles(theta):
    """Gaussian scores, with the correlation matrix as a nested list."""
    rho = np.tanh(theta[0])
    z = ndtri(U)
    R = np.array([[1, rho], [rho, 1]])
    nu = 2 + np.exp(theta[1])
    q = np.einsum("ij,jk,ik->i", z, np.linalg.inv(R), z)
    c = gammaln((nu + 2) / 2) - gammaln(nu / 2) - np.log(nu * np.pi)
    return np.sum(c - 0.5 * np.log(np.linalg.det(R)) - (nu + 2) / 2 * np.log1p(q / nu))


@program([0.5, 1.5, 2.0], "hessian", step=0.02)
def kl_of_dirichlets(a):
    """Kullback-Leibler divergence of two Dirichlet distributions."""
    b = np.array([1.0, 2.0, 0.7])
    a0 = np.sum(a)
    return (
        gammaln(a0)
        - gammaln(a).sum()
        - gammaln(b.sum())
        + gammaln(b).sum()
        + (a - b) @ (digamma(a) - digamma(a0))
    )


@program(rng.normal(size=8), "grad")
def stick_breaking(v):
    """Weights of a Dirichlet process, and the mixture."""
    s = 1 / (1 + np.exp(-v[:4]))
    rest = np.concatenate([np.ones(1), np.cumprod(1 - s)])
    w = np.append(s, 1.0) * rest
    means = np.append(v[4:], 0.0)
    density = w * np.exp(-0.5 * (X[:, :1] - means) ** 2)
    return -np.sum(np.log(density.sum(axis=1)))


@program([0.2, 0.3, -0.1, 0.5], "hvp", step=0.03)
def hierarchical_normal(theta):
    """Groups collected in a dict of lists."""
    groups = defaultdict(list)
    for i, row in enumerate(X):
        groups[i % 2].append(row[0])
    tau = np.exp(theta[3])
    lp = -0.5 * theta[2] ** 2 - tau
    for g, values in groups.items():
        lp -= 0.5 * ((theta[g] - theta[2]) / tau) ** 2 + np.log(tau)
        lp -= 0.5 * np.sum((np.array(values) - theta[g]) ** 2)
    return lp


@program([0.4, 0.1, 0.3], "grad")
def horseshoe(theta):
    """Half-Cauchy scales in logarithms."""
    lam = np.exp(theta)
    beta = np.array([0.5, -0.1, 1.2])
    prior = np.log(2 / np.pi) - np.log1p(lam**2) + theta
    return np.sum(prior - 0.5 * (beta / lam) ** 2 - np.log(lam))


@program([0.4, -0.2, 0.3], "grad")
def hmc_trajectory(q):
    """Leapfrog steps of a quadratic potential, and the error of the energy."""
    A = np.array([[2.0, 0.3, 0.0], [0.3, 1.0, 0.2], [0.0, 0.2, 1.5]])

    def U_(q):
        return 0.5 * q @ A @ q + 0.1 * np.sum(q**4)

    def dU(q):
        return A @ q + 0.4 * q**3

    p = np.array([0.1, 0.2, -0.3])
    start = U_(q) + 0.5 * p @ p
    p = p - 0.05 * dU(q)
    for i in range(5):
        q = q + 0.1 * p
        if i != 4:
            p = p - 0.1 * dU(q)
    p = p - 0.05 * dU(q)
    return U_(q) + 0.5 * p @ p - start + q[0]


@program([0.5, 0.2], "grad")
def stein_kernel(x0):
    """Kernelised Stein discrepancy of points, one of which moves."""
    P = np.vstack((X[:4, :2], x0))
    sq = np.sum((P[:, None, :] - P[None, :, :]) ** 2, axis=2)
    K = np.exp(-sq / 2)
    S = -P
    t1 = K * (S @ S.T)
    diff = P[:, None] - P[None]
    t2 = np.sum(S[:, None] * diff, axis=2) * K
    t3 = -np.sum(S[None] * diff, axis=2) * K
    t4 = K * (2 - sq)
    return np.mean(t1 + t2 + t3 + t4)


@program([0.2, 0.6], "hessian", step=0.02)
def laplace_approximation(theta):
    """A mode by Newton's method, then the determinant of the Hessian there."""
    prior = np.exp(theta[0]) * np.eye(3)
    b = np.zeros(3)
    for _ in range(12):
        p = 1 / (1 + np.exp(-(X @ b + theta[1])))
        g = X.T @ (p - y) + prior @ b
        H = X.T @ (X * (p * (1 - p))[:, None]) + prior
        b = b - np.linalg.solve(H, g)
    eta = X @ b + theta[1]
    return (
        np.sum(y * eta - np.logaddexp(0, eta)) - 0.5 * b @ prior @ b - 0.5 * np.linalg.slogdet(H)[1]
    )


@program([0.3, 0.7, -0.2], "grad")
def expectation_propagation_moments(theta):
    """Moments of a truncated normal by erf."""
    m, v, a = theta[0], np.exp(theta[1]), theta[2]
    z = (m - a) / np.sqrt(v)
    pdf = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    cdf = 0.5 * (1 + erf(z / np.sqrt(2)))
    r = pdf / cdf
    return m + np.sqrt(v) * r + v * (1 - r * (z + r)) + np.log(ndtr(z))


@program([0.3, 0.9], "hessian", step=0.02)
def beta_negative_binomial_evidence(theta):
    """Evidence of counts by betaln, and an entropy by xlogy."""
    a, b = np.exp(theta)
    k, n = np.array([1, 3, 2]), np.array([5, 4, 6])
    p = (a + k) / (a + b + n)
    return np.sum(betaln(a + k, b + n - k) - betaln(a, b)) - np.sum(
        xlogy(p, p) + xlogy(1 - p, 1 - p)
    )
