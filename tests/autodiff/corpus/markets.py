"""Finance, economics and decisions, and other programs with habits of their own."""

# Idioms as people write them.
# ruff: noqa: PT018

import math

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(10)
RET = 0.02 * rng.normal(size=(12, 3)) + 0.01


@program([100.0, 0.2, 0.03], "grad", step=0.001)
def american_put_tree(p):
    """Backward induction with early exercise on slices of one array."""
    S, sigma, r = p
    n, K, dt = 12, 103.3, 1 / 12
    u = np.exp(sigma * np.sqrt(dt))
    q = (np.exp(r * dt) - 1 / u) / (u - 1 / u)
    V = np.maximum(K - S * u ** (n - 2.0 * np.arange(n + 1)), 0)
    for k in range(n - 1, -1, -1):
        cont = np.exp(-r * dt) * (q * V[:-1] + (1 - q) * V[1:])
        V = np.maximum(cont, K - S * u ** (k - 2.0 * np.arange(k + 1)))
    return V[0]


@program([0.04, 0.5, 0.3, -0.4], "grad")
def heston_characteristic(p):
    """The characteristic function of Heston's model, integrated."""
    v0, kappa, sig, rho = p
    u = np.linspace(0.5, 20, 40)
    xi = kappa - 1j * rho * sig * u
    d = np.sqrt(xi**2 + sig**2 * (u**2 + 1j * u))
    g = (xi - d) / (xi + d)
    C = kappa * 0.04 / sig**2 * ((xi - d) - 2 * np.log((1 - g * np.exp(-d)) / (1 - g)))
    D = (xi - d) / sig**2 * (1 - np.exp(-d)) / (1 - g * np.exp(-d))
    return np.sum(np.real(np.exp(C + D * v0 - 0.1j * u) / (1j * u)))


@program([0.02, 0.3, 0.015], "grad")
def vasicek_bond_curve(p):
    """Prices of zero bonds over maturities."""
    r0, a, s = p
    tau = np.arange(1, 11) / 2.0
    B = (1 - np.exp(-a * tau)) / a
    A = np.exp((0.03 - s**2 / (2 * a**2)) * (B - tau) - s**2 * B**2 / (4 * a))
    return (A * np.exp(-B * r0)).sum()


@program([0.3, 0.4, 0.2], "hessian", step=0.02)
def mean_variance_cvar(w):
    """A smooth tail risk of a portfolio."""
    w = w / w.sum()
    losses = -(RET @ w)
    var = np.quantile(losses, 0.8)
    excess = np.logaddexp(0, (losses - 0.005) / 0.01) * 0.01
    return var * 0 + excess.mean() / 0.2 + w @ np.cov(RET, rowvar=False) @ w


@program([0.2, 0.5, 0.1], "grad")
def risk_parity(z):
    """Contributions to the risk of each asset."""
    w = np.exp(z) / np.exp(z).sum()
    S = 1e4 * np.cov(RET.T)
    rc = w * S.dot(w) / np.sqrt(w.dot(S).dot(w))
    return ((rc[:, None] - rc[None, :]) ** 2).sum()


@program([0.25], "grad")
def implied_volatility_newton(v):
    """A root by Newton's method with norm.pdf and norm.cdf."""
    price = 10 + 5 * v[0]
    s = 0.4
    for _ in range(20):
        d1 = (0.02 + s**2 / 2) / s
        diff = 100 * norm.cdf(d1) - 98 * norm.cdf(d1 - s) - price
        s = s - diff / (100 * norm.pdf(d1))
    return s


@program([0.3, 0.8], "grad")
def equilibrium_by_brentq(p):
    """A root by SciPy, which wants floats."""
    return brentq(lambda x: np.exp(-p[0] * x) - p[1] * x, 0, 5)


@program([0.9, 0.3, 0.5], "grad")
def value_iteration(p):
    """Bellman's equation with a soft maximum over actions."""
    beta = p[0] * 0.9
    R = np.array([[1.0, p[1]], [p[2], 2.0], [0.0, 0.5]])
    P = np.array([[[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], [[0.3, 0.3, 0.4], [0.5, 0.25, 0.25]],
                  [[0.2, 0.2, 0.6], [0.9, 0.05, 0.05]]])  # fmt: skip
    V = np.zeros(3)
    for _ in range(50):
        Q = R + beta * P @ V
        V = np.log(np.exp(Q).sum(axis=1))
    return V.mean()


@program([0.4, -0.2, 0.3], "hessian", step=0.03)
def nested_logit(b):
    """Nests of alternatives as a dict."""
    nests = {"bus": [0, 1], "car": [2]}
    v = np.array([[0.5, 1.0], [0.2, 0.4], [1.0, 2.0]]) @ b[:2]
    lam = 1 / (1 + np.exp(-b[2]))
    logsums = {k: lam * np.log(np.sum(np.exp(v[idx] / lam))) for k, idx in nests.items()}
    total = np.log(sum(np.exp(i) for i in logsums.values()))
    return logsums["bus"] - total + v[0] / lam - logsums["bus"] / lam


@program([0.3, 0.5, 1.2], "grad", step=0.003)
def auction_bids_interp(p):
    """A distribution function on a grid, inverted by np.interp."""
    grid = np.linspace(0, 3, 25)
    pdf = np.exp(-0.5 * ((grid - p[2]) / (0.5 + p[1] ** 2)) ** 2)
    cdf = np.cumsum(pdf) / np.sum(pdf)
    return np.sum(np.interp([0.21, 0.52, 0.83], cdf, grid)) + p[0] * cdf[3]


@program([1.5, 0.7], "grad")
def ces_production_with_math(p):
    """`math` of constants, powers of the parameters."""
    rho = 1 - 1 / p[0]
    x = np.array([1.0, 2.0, math.pi])
    share = np.array([p[1], 1.0, math.exp(-0.5)])
    return (share @ x**rho) ** (1 / rho)


@program([0.2, 0.1, 0.4], "grad")
def leslie_growth_rate(p):
    """The dominant eigenvalue of a population matrix."""
    L = np.zeros((3, 3))
    L[0] = [0.5, 1.2, 0.8]
    L[1, 0], L[2, 1] = 0.3 + p[0], 0.5 + p[1]
    L[0, 2] += p[2]
    return np.max(np.real(np.linalg.eigvals(L)))


@program([0.2, 0.1, 0.4, -0.3], "grad")
def printed_and_asserted(x):
    """Code that asserts, formats and warns on its way."""
    loss = np.sum((x - 1) ** 2)
    assert loss >= 0 and np.isfinite(loss), f"loss is {loss:.3f}"
    text = f"{loss:8.4f} {x[0]:+.2e} {x}"
    np.testing.assert_array_less(x, 10)
    if np.allclose(x, 0):
        return 0 * loss
    return loss * (1 + len(text) * 0)


@program([0.2, 0.1, 0.4, -0.3], "grad")
def one_array_reused_as_buffer(x):
    """A plain work array that is overwritten in every step."""
    work = np.empty(4)
    total = 0.0
    for k in range(1, 4):
        work[:] = np.arange(4) ** k
        total = total + np.sum(np.sin(work * x))
    return total


@program([0.2, 0.1, 0.4, -0.3], "grad")
def buffer_by_out(x):
    """A plain basis that is multiplied in place in every step."""
    t = np.linspace(0.1, 1, 6)
    basis = np.ones(6)
    out = np.zeros(6)
    for c in x:
        out = out + c * basis
        basis *= t
    return np.sum(np.exp(out))


@program([0.2, 0.1, 0.4, -0.3], "grad")
def shuffled_minibatches(w):
    """Data that are shuffled in place by every epoch."""
    data = RET.copy() * 50
    r = np.random.default_rng(0)
    loss = 0.0
    for _ in range(3):
        r.shuffle(data)
        loss = loss + np.sum((data @ w[:3] - w[3]) ** 2 * np.arange(12))
    return loss


@program([0.3, 0.6, 0.2], "grad")
def polynomial_classes(c):
    """NumPy's functions of Chebyshev and Legendre series."""
    t = np.linspace(-1, 1, 7)
    return np.sum(np.polynomial.chebyshev.chebval(t, c) ** 2) + np.sum(
        np.polynomial.polynomial.polyval(t, c) ** 3
    )


@program([0.3, 0.6, 0.2, 0.4, 0.5, 0.1], "grad")
def apply_along_rows(x):
    """Own functions along an axis."""
    M = x.reshape(2, 3)
    z = np.apply_along_axis(lambda v: v / np.sqrt(v @ v), 1, M)
    g = np.array(list(map(np.prod, z)))
    return np.sum(g) + np.vectorize(lambda a: a**2 if a > 0.25 else a)(x).sum()
