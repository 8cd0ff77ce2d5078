"""Finance, splines, quadrature, geometry and small numerical methods."""

import numpy as np
from scipy.special import betainc, erf, erfc, expit, gammainc, jv
from scipy.stats import norm

from tests.autodiff.corpus.programs import program

Z = np.array([0.3, -0.8, 1.1, -0.2, 0.6])


@program([100.0, 0.2, 0.03], "grad", step=1e-3)
def black_scholes_erf(p):
    S, v, r = p
    K, T = 95.0, 0.5
    d1 = (np.log(S / K) + (r + v**2 / 2) * T) / (v * np.sqrt(T))
    N = lambda d: 0.5 * (1 + erf(d / np.sqrt(2)))  # noqa: E731
    return S * N(d1) - K * np.exp(-r * T) * N(d1 - v * np.sqrt(T))


@program([1.0, 0.2, 0.03], "hessian", step=0.01)
def black_scholes_norm(p):
    d1 = (np.log(p[0] / 0.95) + (p[2] + p[1] ** 2 / 2) * 0.5) / (p[1] * np.sqrt(0.5))
    d2 = d1 - p[1] * np.sqrt(0.5)
    return p[0] * norm.cdf(d1) - 0.95 * np.exp(-p[2] * 0.5) * norm.cdf(d2)


@program([1.0, 0.2, 0.03], "grad", step=1e-3)
def monte_carlo_call(p):
    ST = p[0] * np.exp((p[2] - 0.5 * p[1] ** 2) + p[1] * Z)
    return np.exp(-p[2]) * np.mean(np.maximum(ST - 0.95, 0))


@program([1.0, 0.2], "grad", step=1e-3)
def asian_option_paths(p):
    """Paths filled step by step."""
    paths = np.zeros((2, 3))
    paths[:, 0] = p[0]
    shocks = Z[:4].reshape(2, 2)
    for t in range(2):
        paths[:, t + 1] = paths[:, t] * np.exp(-0.5 * p[1] ** 2 + p[1] * shocks[:, t])
    return np.mean(np.maximum(paths.mean(axis=1) - 0.8, 0))


@program([1.0, 0.2], "grad", step=1e-3)
def binomial_tree(p):
    """Backward induction in place."""
    u = np.exp(p[1] * 0.5)
    n = 4
    V = np.maximum(p[0] * u ** (2 * np.arange(n + 1) - n) - 0.93, 0)
    for _ in range(n):
        V = 0.5 * (V[1:] + V[:-1])
    return V[0]


@program([0.03, 0.01, -0.02, 1.2], "grad")
def nelson_siegel(p):
    t = np.array([0.5, 1.0, 2.0, 5.0])
    f = (1 - np.exp(-t / p[3])) / (t / p[3])
    return np.sum((p[0] + p[1] * f + p[2] * (f - np.exp(-t / p[3])) - 0.03) ** 2)


@program([0.05], "grad")
def net_present_value(r):
    return np.sum(np.array([-100.0, 30, 40, 60]) / (1 + r) ** np.arange(4))


@program([0.2, 0.3, 0.5], "grad")
def sharpe_ratio(w):
    R = np.column_stack([Z, Z[::-1], Z**2])
    p = R @ w
    return np.mean(p) / np.std(p)


@program([0.2, 0.3, 0.5], "grad")
def drawdown(w):
    wealth = np.cumprod(1 + 0.1 * w)
    return np.log(wealth[-1]) + wealth.mean()


@program([0.1, 0.5, -0.2, 0.3], "jacobian")
def linear_interpolation(v):
    return np.interp([0.4, 1.3, 2.7], np.arange(4.0), v)


@program([0.1, 0.5, -0.2, 0.3], "grad")
def natural_cubic_spline(v):
    """Second derivatives by a tridiagonal system in an array that is filled."""
    n = len(v)
    A = np.eye(n)
    b = np.zeros(n)
    for i in range(1, n - 1):
        A[i, i - 1 : i + 2] = [1 / 6, 4 / 6, 1 / 6]
        b[i] = v[i - 1] - 2 * v[i] + v[i + 1]
    m = np.linalg.solve(A, b)
    return m @ m


@program([0.1, 0.5, -0.2, 0.3, 0.7], "grad")
def b_spline_basis(c):
    """De Boor's recursion."""
    knots, x, k = np.array([0.0, 0, 0, 1, 2, 3, 3, 3]), 1.4, 3
    d = [c[j] for j in range(1, 4)]
    for r in range(1, 3):
        for j in range(2, r - 1, -1):
            a = (x - knots[j + 1]) / (knots[j + 1 + k - r] - knots[j + 1])
            d[j] = (1 - a) * d[j - 1] + a * d[j]
    return d[2] ** 2


@program([0.7, 1.2], "hessian", step=0.03)
def trapezoid_rule(p):
    t = np.linspace(0, 1, 11)
    return np.trapezoid(np.exp(-p[0] * t) * np.cos(p[1] * t), t)


@program([0.7, 1.2], "grad")
def grid_from_parameters(p):
    """End points that are differentiated by."""
    t = np.linspace(p[0], p[1], 5)
    return np.sum(np.sin(t)) * (t[1] - t[0])


@program([0.7, 1.2], "grad")
def gauss_legendre(p):
    x, w = np.polynomial.legendre.leggauss(5)
    t = 0.5 * (p[1] - p[0]) * x + 0.5 * (p[1] + p[0])
    return 0.5 * (p[1] - p[0]) * np.sum(w * np.exp(-(t**2)))


@program([0.7, 1.2], "grad")
def simpson_by_slices(p):
    f = np.exp(p[0] * np.linspace(0, 1, 7)) + p[1]
    return (f[0] + 4 * f[1:-1:2].sum() + 2 * f[2:-1:2].sum() + f[-1]) / 18


@program([2.0, 0.5], "grad")
def newton_sqrt(p):
    x = p[0]
    while abs(x * x - p[0]) > 1e-14:
        x = 0.5 * (x + p[0] / x)
    return x * p[1]


@program([2.0, 0.5], "grad")
def continued_fraction(p):
    value = p[1]
    for k in range(8, 0, -1):
        value = p[0] + k / value
    return value


@program([0.3, 0.5, -0.2, 0.9], "grad")
def horner(c):
    value = 0.0
    for a in c:
        value = value * 1.3 + a
    return value**2


@program([0.3, 0.5, -0.2, 0.9], "grad")
def chebyshev_recurrence(c):
    T = [1.0, 0.4]
    for _ in range(2):
        T.append(2 * 0.4 * T[-1] - T[-2])
    return np.exp(np.dot(c, T))


@program([0.3, 0.5, -0.2, 0.9], "jacobian")
def fourier_series(c):
    t = np.linspace(0, 1, 5)
    return c[0] * np.sin(2 * np.pi * t) + c[1] * np.cos(2 * np.pi * t) + c[2] * np.sinc(t * c[3])


@program([0.2, 0.1, 1.3, 0.3, 0.8, 1.1], "grad")
def polygon_area(p):
    x, y = p.reshape(3, 2).T
    return 0.5 * np.abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))


@program([0.2, 0.1, 1.3, 0.3, 0.8, 1.1], "hessian", step=0.02)
def procrustes(p):
    A = p.reshape(3, 2) - p.reshape(3, 2).mean(axis=0)
    B = np.array([[0.0, 0.0], [1.0, 0.2], [0.5, 1.0]])
    return np.linalg.svd(A.T @ B, compute_uv=False).sum()


@program([0.2, 0.9, 0.4], "grad")
def haversine(p):
    a = np.sin((p[1] - p[0]) / 2) ** 2 + np.cos(p[0]) * np.cos(p[1]) * np.sin(p[2] / 2) ** 2
    return 2 * np.arctan2(np.sqrt(a), np.sqrt(1 - a))


@program([0.2, 0.9, 0.4], "grad")
def camera_projection(p):
    Rz = np.array([[np.cos(p[0]), -np.sin(p[0]), 0], [np.sin(p[0]), np.cos(p[0]), 0], [0, 0, 1]])
    P = Rz @ np.array([1.0, 2.0, 5.0]) + np.array([p[1], p[2], 0.0])
    return np.sum((P[:2] / P[2] - 0.1) ** 2)


@program([1.2, 0.8, 0.4], "grad")
def incomplete_functions(p):
    return gammainc(2.0, p[0]) + betainc(1.5, 2.5, p[2]) + erfc(p[1])


@program([1.2, 0.8], "grad")
def bessel(p):
    return jv(0, p[0]) * jv(1, p[1])


@program([0.35, 0.6], "grad")
def smooth_step_select(p):
    t = np.linspace(0, 1, 5)[1:] * p[0] + p[1]
    return np.sum(np.select([t < 0.7, t < 0.9], [t**2, np.sin(t)], default=np.exp(t)))


@program([0.4, 0.6], "grad")
def piecewise_linear(p):
    x = np.array([0.1, 0.5, 0.9])
    return np.sum(np.piecewise(x, [x < 0.4, x >= 0.4], [lambda t: t * p[0], lambda t: t * p[1]]))


@program([0.4, 0.6, -0.1], "jacobian")
def meshgrid_field(p):
    xx, yy = np.meshgrid(np.array([0.0, 1.0]), np.array([0.0, 0.5, 1.0]))
    return np.tanh(p[0] * xx + p[1] * yy + p[2])


@program([0.4, 0.6, -0.1], "jacobian")
def normalised_list(p):
    w = np.array([expit(t) for t in p])
    return w / w.sum()


@program([0.4, 0.6], "grad")
def full_of_parameter(p):
    mu = np.full(4, p[0])
    return np.sum((mu - np.arange(4)) ** 2) * p[1]


@program([0.4, 0.6], "grad")
def mean_of_list(p):
    return np.mean([np.sin(p[0]), p[1] ** 2, p[0] * p[1]])


@program([0.4, 0.6], "grad")
def std_of_list(p):
    return np.std(np.array([p[0], p[1], p[0] * p[1], 1.0]))


@program([0.4, 0.6], "grad")
def concatenated_r(p):
    v = np.r_[0.0, p, 1.0]
    return np.sum(np.diff(v) ** 3)


@program([0.4, 0.6], "grad")
def column_c(p):
    return np.sum(np.linalg.inv(np.c_[p, [1.0, -1.0]]))


@program([0.4, 0.6], "grad")
def array_of_rows(p):
    A = np.array([p, p[::-1] ** 2])
    return np.linalg.det(A)


@program([0.4, 0.6], "grad")
def block_matrix(p):
    A = np.outer(p, p)
    B = np.block([[A, np.eye(2)], [np.zeros((2, 2)), A + np.eye(2)]])
    return np.sum(np.tanh(B))


@program([0.4, 0.6, 0.9], "grad")
def histogram_weights(p):
    return np.sum(np.bincount([0, 1, 0], weights=p) ** 2)


@program([0.4, 0.6, 0.9], "grad")
def accumulate_at(p):
    out = np.zeros(2)
    np.add.at(out, [0, 1, 0], p)
    return np.sum(out**3)


@program([0.4, 0.6, 0.9], "grad")
def masked_update(p):
    q = p.copy()
    q[q > 0.5] *= 2.0
    return np.sum(q**2)


@program([0.4, 0.6, 0.9], "grad")
def swap_in_place(p):
    q = np.array(p)
    q[[0, 2]] = q[[2, 0]]
    return np.sum(q * np.array([1.0, 2.0, 3.0])) ** 2
