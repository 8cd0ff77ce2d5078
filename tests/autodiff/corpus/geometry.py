"""Optimal transport, graph layouts, splines, robotics and images."""

import itertools
import math

import numpy as np
from scipy.interpolate import BSpline
from scipy.spatial.distance import pdist, squareform

from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(8)
P = rng.normal(size=(4, 2))
Q = rng.normal(size=(5, 2))
EDGES = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)]


@program(rng.normal(size=8), "grad")
def sinkhorn_in_logs(flat):
    """Entropic transport between clouds, in logarithms."""
    X = flat.reshape(4, 2)
    C = ((X[:, None, :] - Q[None, :, :]) ** 2).sum(-1)
    f, g, eps = np.zeros(4), np.zeros(5), 0.5
    la, lb = -np.log(4), -np.log(5)

    def lse(M, axis):
        m = M.max(axis=axis, keepdims=True)
        return (m + np.log(np.exp(M - m).sum(axis=axis, keepdims=True))).squeeze(axis)

    for _ in range(10):
        f = -eps * lse((g[None, :] - C) / eps + lb, 1)
        g = -eps * lse((f[:, None] - C) / eps + la, 0)
    plan = np.exp((f[:, None] + g[None, :] - C) / eps + la + lb)
    return (plan * C).sum()


@program(rng.normal(size=6), "grad")
def wasserstein_1d_sorted(x):
    """Distance of two samples by sorting."""
    z = np.array([-1.0, 0.0, 0.2, 0.9, 1.4, 2.0])
    return np.mean(np.abs(np.sort(x) - np.sort(z)) ** 2)


@program(rng.normal(size=8), "grad")
def sliced_wasserstein(flat):
    """Projections on fixed directions."""
    angles = np.linspace(0, np.pi, 5, endpoint=False)
    D = np.stack([np.cos(angles), np.sin(angles)])
    a = np.sort(flat.reshape(4, 2) @ D, axis=0)
    b = np.sort(P @ D, axis=0)
    return ((a - b) ** 2).mean()


@program(rng.normal(size=8), "grad")
def energy_distance(flat):
    """Means of distances between and within samples."""
    X = flat.reshape(4, 2)

    def mean_distance(a, b):
        return np.mean(np.sqrt(np.sum((a[:, None] - b[None]) ** 2, axis=-1) + 1e-9))

    return 2 * mean_distance(X, Q) - mean_distance(X, X) - mean_distance(Q, Q)


@program(rng.normal(size=8), "hessian", step=0.03)
def spring_layout(flat):
    """Springs along edges, repulsion of all pairs by itertools."""
    pos = flat.reshape(4, 2)
    energy = 0.0
    for i, j in EDGES:
        energy += (np.linalg.norm(pos[i] - pos[j]) - 1.0) ** 2
    for i, j in itertools.combinations(range(4), 2):
        energy += 0.1 / (np.sum((pos[i] - pos[j]) ** 2) + 0.1)
    return energy


@program(rng.normal(size=8), "grad")
def stress_majorisation_pdist(flat):
    """Stress of a layout by SciPy's pdist."""
    d = pdist(flat.reshape(4, 2))
    return np.sum((d - np.arange(1, 7)) ** 2)


@program(rng.normal(size=8), "grad")
def tsne_gradient(flat):
    """Kullback-Leibler divergence of neighbourhoods."""
    Y = flat.reshape(4, 2)
    sq = np.sum(Y**2, axis=1)
    num = 1 / (1 + sq[:, None] - 2 * Y @ Y.T + sq)
    num[range(4), range(4)] = 0.0
    q = np.maximum(num / np.sum(num), 1e-12)
    p = squareform(np.array([0.3, 0.1, 0.1, 0.2, 0.1, 0.2])) / 2
    return np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0]))


@program(rng.normal(size=6), "grad")
def spectral_cut(w):
    """The algebraic connectivity of a weighted graph."""
    A = np.zeros((4, 4))
    i, j = np.triu_indices(4, 1)
    A[i, j] = np.exp(w)
    A = A + A.T
    L = np.diag(A.sum(axis=0)) - A
    return np.linalg.eigvalsh(L)[1]


@program(rng.normal(size=6), "grad")
def personalised_pagerank(w):
    """Stationary distribution by an augmented system."""
    A = np.exp(w).reshape(2, 3)
    M = np.vstack([A, A[::-1], A[:1] + A[1:]])[:3]
    M = M / M.sum(axis=1, keepdims=True)
    system = np.vstack([M.T - np.eye(3), np.ones((1, 3))])
    pi, *_ = np.linalg.lstsq(system, np.array([0.0, 0, 0, 1]), rcond=None)
    return -np.sum(pi * np.log(pi))


@program(rng.normal(size=5), "grad")
def natural_spline_by_solve(c):
    """Second derivatives of a natural spline by a dense system, evaluated on a grid."""
    x = np.array([0.0, 1.0, 2.5, 3.0, 4.0])
    h = np.diff(x)
    A = np.zeros((5, 5))
    A[0, 0] = A[-1, -1] = 1
    rhs = np.zeros(5)
    for i in range(1, 4):
        A[i, i - 1 : i + 2] = h[i - 1], 2 * (h[i - 1] + h[i]), h[i]
        rhs[i] = 6 * ((c[i + 1] - c[i]) / h[i] - (c[i] - c[i - 1]) / h[i - 1])
    M = np.linalg.solve(A, rhs)
    t = np.linspace(0.1, 3.9, 20)
    k = np.clip(np.searchsorted(x, t) - 1, 0, 3)
    a, b = x[k + 1] - t, t - x[k]
    s = (M[k] * a**3 + M[k + 1] * b**3) / (6 * h[k])
    s = s + (c[k] / h[k] - M[k] * h[k] / 6) * a + (c[k + 1] / h[k] - M[k + 1] * h[k] / 6) * b
    return np.sum(s**2)


@program(rng.normal(size=6), "grad")
def penalised_spline_fit(c):
    """Coefficients of a cubic basis by SciPy, with a difference penalty."""
    knots = np.r_[[0.0] * 4, 1 / 3, 2 / 3, [1.0] * 4]
    B = BSpline.design_matrix(np.linspace(0.05, 0.95, 12), knots, 3).toarray()
    r = np.sin(np.linspace(0, 3, 12)) - B @ c
    D = np.diff(np.eye(6), n=2, axis=0)
    return r @ r + 0.5 * np.sum((D @ c) ** 2) + np.sum(np.diff(c, n=3) ** 2)


@program([0.3, 0.6, 1.1], "grad")
def de_boor_recursion(t):
    """A B-spline at points by recursion, knots depend on the parameters."""
    knots = np.concatenate([[0, 0, 0], np.cumsum(np.exp(t)), [9.0, 9.0, 9.0]])
    c = [0.2, -1.0, 0.5, 2.0, 0.3, 1.0]

    def basis(i, k, x):
        if k == 0:
            return 1.0 if knots[i] <= x < knots[i + 1] else 0.0
        left = knots[i + k] - knots[i]
        right = knots[i + k + 1] - knots[i + 1]
        out = 0.0
        if left > 0:
            out = out + (x - knots[i]) / left * basis(i, k - 1, x)
        if right > 0:
            out = out + (knots[i + k + 1] - x) / right * basis(i + 1, k - 1, x)
        return out

    return sum(c[i] * basis(i, 2, x) for x in (0.7, 2.0, 5.0) for i in range(6))


@program([0.2, -0.4, 0.7, 0.1, 0.5, -0.3], "jacobian")
def denavit_hartenberg(q):
    """The end of an arm by homogeneous transforms written as nested lists."""

    def transform(theta, d, a, alpha):
        ct, st = np.cos(theta), np.sin(theta)
        ca, sa = math.cos(alpha), math.sin(alpha)
        return np.array(
            [
                [ct, -st * ca, st * sa, a * ct],
                [st, ct * ca, -ct * sa, a * st],
                [0, sa, ca, d],
                [0, 0, 0, 1],
            ]
        )

    T = np.eye(4)
    for k, theta in enumerate(q):
        T = T @ transform(theta, 0.1 * k, 0.3, (-1) ** k * np.pi / 2)
    return T[:3, 3]


@program([0.3, -0.2, 0.5], "grad")
def rodrigues_reprojection(w):
    """Rotation by a vector: the skew matrix filled by hand."""
    theta = np.sqrt(np.sum(w**2))
    k = w / theta
    K = np.zeros((3, 3))
    K[0, 1], K[0, 2], K[1, 2] = -k[2], k[1], -k[0]
    K = K - K.T
    Rm = np.eye(3) + np.sin(theta) * K + (1 - np.cos(theta)) * K @ K
    pts = np.c_[P, np.ones(4)] @ Rm.T + [0, 0, 4]
    return np.sum((pts[:, :2] / pts[:, 2:] - 0.1) ** 2)


@program([0.2, 0.1, -0.3, 0.4], "grad")
def inverse_kinematics_step(q):
    """A damped least-squares step whose Jacobian is by hand."""
    lengths = np.array([1.0, 0.8, 0.6, 0.4])
    angles = np.cumsum(q)
    x, y = (lengths * np.cos(angles)).sum(), (lengths * np.sin(angles)).sum()
    J = np.array(
        [
            [-(lengths * np.sin(angles))[i:].sum() for i in range(4)],
            [(lengths * np.cos(angles))[i:].sum() for i in range(4)],
        ]
    )
    e = np.array([1.5 - x, 1.0 - y])
    dq = J.T @ np.linalg.solve(J @ J.T + 0.01 * np.eye(2), e)
    return np.linalg.norm(dq)


@program(rng.normal(size=6), "grad")
def bundle_of_quaternions(p):
    """Slerp of two normalised quaternions, with np.dot and arccos."""
    a = np.append(p[:3], 1.0)
    b = np.append(p[3:], 0.5)
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    omega = np.arccos(np.clip(np.dot(a, b), -1, 1))
    out = [
        (np.sin((1 - t) * omega) * a + np.sin(t * omega) * b) / np.sin(omega) for t in (0.2, 0.7)
    ]
    return np.sum(np.array(out)[:, 0] ** 2)


@program(rng.normal(size=16), "grad")
def bilinear_warp(flat):
    """An image sampled at fixed points, bilinear."""
    img = flat.reshape(4, 4)
    xs, ys = np.array([0.3, 1.7, 2.4]), np.array([2.2, 0.6, 1.1])
    x0, y0 = np.floor(xs).astype(int), np.floor(ys).astype(int)
    dx, dy = xs - x0, ys - y0
    val = (
        img[y0, x0] * (1 - dx) * (1 - dy)
        + img[y0, x0 + 1] * dx * (1 - dy)
        + img[y0 + 1, x0] * (1 - dx) * dy
        + img[y0 + 1, x0 + 1] * dx * dy
    )
    return np.sum(val**2)


@program([0.1, 0.3], "grad")
def warp_by_moving_points(s):
    """The points move: floor gives the cell only."""
    img = np.arange(16.0).reshape(4, 4) ** 1.5
    x, y = 1.2 + s[0], 0.4 + s[1]
    i, j = int(np.floor(y)), int(np.floor(x))
    dx, dy = x - j, y - i
    return (
        img[i, j] * (1 - dx) * (1 - dy)
        + img[i, j + 1] * dx * (1 - dy)
        + img[i + 1, j] * (1 - dx) * dy
        + img[i + 1, j + 1] * dx * dy
    )
