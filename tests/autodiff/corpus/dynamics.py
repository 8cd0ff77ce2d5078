"""Differential equations and physics."""

# Names as people choose them.
# ruff: noqa: E741

import numpy as np
from scipy.linalg import expm

from tests.autodiff.corpus.programs import program


@program([1.1, 0.4, 0.1, 0.4], "grad")
def lotka_volterra_rk4(p):
    def f(z):
        return np.array([p[0] * z[0] - p[1] * z[0] * z[1], p[2] * z[0] * z[1] - p[3] * z[1]])

    z, h = np.array([2.0, 1.0]), 0.1
    for _ in range(10):
        k1 = f(z)
        k2 = f(z + h / 2 * k1)
        k3 = f(z + h / 2 * k2)
        k4 = f(z + h * k3)
        z = z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return z[0] * z[1]


@program([0.5, 0.2], "jacobian")
def sir_euler(p):
    """Compartments filled step by step."""
    beta, gamma = p
    S, I, R = np.zeros(8), np.zeros(8), np.zeros(8)
    S[0], I[0] = 0.99, 0.01
    for t in range(7):
        new = beta * S[t] * I[t]
        S[t + 1] = S[t] - new
        I[t + 1] = I[t] + new - gamma * I[t]
        R[t + 1] = R[t] + gamma * I[t]
    return I


@program([1.0, 0.5], "hessian", step=0.03)
def pendulum_leapfrog(z):
    q, p, h = z[0], z[1], 0.1
    for _ in range(10):
        p = p - 0.5 * h * np.sin(q)
        q = q + h * p
        p = p - 0.5 * h * np.sin(q)
    return 0.5 * p**2 - np.cos(q)


@program([1.0, 0.5, 0.8], "grad")
def trajectory_in_a_table(p):
    """An array (steps, state) filled row by row, as SciPy users do."""
    n = 10
    out = np.zeros((n, 2))
    out[0] = p[:2]
    for i in range(1, n):
        x, v = out[i - 1]
        out[i, 0] = x + 0.1 * v
        out[i, 1] = v - 0.1 * p[2] * x
    return np.sum(out[:, 0] ** 2)


@program([10.0, 28.0, 2.67], "grad", step=0.003)
def lorenz(p):
    u = np.array([1.0, 1.0, 1.0])
    for _ in range(20):
        du = np.stack([
            p[0] * (u[1] - u[0]), u[0] * (p[1] - u[2]) - u[1], u[0] * u[1] - p[2] * u[2]
        ])  # fmt: skip
        u = u + 0.01 * du
    return np.linalg.norm(u)


@program([0.2, 0.3, 0.5, 0.4, 0.1], "grad")
def heat_equation(u0):
    """Explicit steps with slices."""
    u = u0
    for _ in range(5):
        u = np.concatenate([[0.0], u[1:-1] + 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2]), [0.0]])
    return np.sum(u**2)


@program([0.2, 0.3, 0.5, 0.4, 0.1], "hvp", step=0.03)
def heat_in_place(u0):
    """The same, updating the inner points in place."""
    u = u0.copy()
    for _ in range(5):
        u[1:-1] += 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u**3)


@program([0.2, 0.3, 0.5, 0.4, 0.1, 0.6], "grad")
def advection_roll(u):
    for _ in range(4):
        u = u - 0.3 * (u - np.roll(u, 1))
    return np.sum(np.sin(u))


@program(np.arange(9.0) / 10, "grad")
def laplace_gradient(u):
    """Dirichlet energy by np.gradient."""
    gy, gx = np.gradient(u.reshape(3, 3))
    return np.sum(gx**2 + gy**2)


@program([0.1, 0.0, 1.1, 0.2, 0.4, 1.2], "grad")
def lennard_jones(x):
    """Energies of pairs, by a double loop."""
    r = x.reshape(3, 2)
    energy = 0.0
    for i in range(3):
        for j in range(i):
            d2 = np.sum((r[i] - r[j]) ** 2)
            energy += 4 * (d2**-6 - d2**-3)
    return energy


@program([0.1, 0.0, 1.1, 0.2, 0.4, 1.2], "hessian", step=0.01)
def coulomb_pairs(x):
    r = x.reshape(3, 2)
    i, j = np.triu_indices(3, 1)
    return np.sum(1 / np.linalg.norm(r[i] - r[j], axis=1))


@program([0.3, 0.8], "hessian", step=0.03)
def double_pendulum_energy(q):
    qd = np.array([0.1, -0.2])
    M = np.array([[2.0, np.cos(q[0] - q[1])], [np.cos(q[0] - q[1]), 1.0]])
    return 0.5 * qd @ M @ qd - 2 * np.cos(q[0]) - np.cos(q[1])


@program([0.3, 0.8, -0.2], "jacobian")
def arm_kinematics(q):
    """Position of the hand of a planar arm."""
    a = np.cumsum(q)
    return np.array([np.sum(np.cos(a)), np.sum(np.sin(a))])


@program([0.3, 0.8, -0.2], "jacobian")
def rotation_matrix(w):
    """Rodrigues' formula."""
    t = np.linalg.norm(w)
    k = w / t
    K = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    return np.eye(3) + np.sin(t) * K + (1 - np.cos(t)) * K @ K


@program([0.3, 0.8, -0.2], "grad")
def rotation_expm(w):
    K = np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])
    return np.sum(expm(K) @ np.array([1.0, 2.0, 3.0]))


@program([0.9, 0.1, 0.2, 0.3], "jacobian")
def quaternion_rotation(q):
    w, x, y, z = q / np.linalg.norm(q)
    R = np.array([
        [1 - 2 * (y**2 + z**2), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x**2 + z**2), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x**2 + y**2)],
    ])  # fmt: skip
    return R.dot(np.array([1.0, -1.0, 0.5]))


@program([0.3, 0.8, -0.2], "grad")
def magnetic_torque(m):
    B = np.array([0.1, 0.5, -0.3])
    return np.linalg.norm(np.cross(m, B)) ** 2


@program([0.3, 0.8], "grad")
def implicit_euler_newton(p):
    """One implicit step, with a few Newton iterations inside."""
    x = 1.0
    for _ in range(6):
        g = x - 1.0 + 0.1 * (p[0] * x**3 + p[1] * x)
        x = x - g / (1 + 0.1 * (3 * p[0] * x**2 + p[1]))
    return x


@program([0.3, 0.8], "grad")
def quantum_two_level(p):
    """Transition probability with complex amplitudes."""
    H = np.array([[p[0], p[1]], [p[1], -p[0]]])
    w, V = np.linalg.eigh(H)
    amplitude = V @ (np.exp(-1j * w) * V[0])
    return np.abs(amplitude[1]) ** 2


@program([0.4, 1.1], "hessian", step=0.02)
def brachistochrone(y):
    """Time along a polyline."""
    ys = np.concatenate([[0.05], y, [1.5]])
    dx, dy = 0.5, np.diff(ys)
    return np.sum(np.sqrt(dx**2 + dy**2) / np.sqrt(0.5 * (ys[1:] + ys[:-1])))


@program([0.4, 1.1, 0.7], "grad")
def springs_matrix(k):
    """Stiffness assembled element by element."""
    K = np.zeros((4, 4))
    for e in range(3):
        K[e : e + 2, e : e + 2] += k[e] * np.array([[1, -1], [-1, 1]])
    u = np.linalg.solve(K[1:, 1:], np.array([0.0, 0.0, 1.0]))
    return u[-1]


@program([0.4, 1.1, 0.7], "grad")
def tridiagonal_by_diag(a):
    A = np.diag(2 + a) + np.diag(-np.ones(2), 1) + np.diag(-np.ones(2), -1)
    return np.linalg.slogdet(A)[1]
