"""Mechanics, differential equations and spectral methods, with derivatives inside of them."""

# Names as people choose them.
# ruff: noqa: E741

import numpy as np

from mcmodels.autodiff import grad, hessian, jacobian, jvp
from mcmodels.autodiff.integrate import odeint, solve_ivp
from tests.autodiff.corpus.programs import program


@program([1.2, 0.6, 0.3, -0.2], "jacobian")
def double_pendulum_from_its_lagrangian(s):
    """Accelerations from the equations of Euler and Lagrange."""

    def L(q, v):
        x1, y1 = np.sin(q[0]), -np.cos(q[0])
        y2 = y1 - np.cos(q[1])
        vx = np.cos(q[0]) * v[0] + np.cos(q[1]) * v[1]
        vy = np.sin(q[0]) * v[0] + np.sin(q[1]) * v[1]
        return 0.5 * v[0] ** 2 + 0.5 * (vx**2 + vy**2) - 9.81 * (y1 + y2) + 0 * x1

    q, v = s[:2], s[2:]
    M = hessian(L, 1)(q, v)
    mixed = jacobian(lambda q: grad(L, 1)(q, v))(q)
    return np.linalg.solve(M, grad(L, 0)(q, v) - mixed @ v)


@program([0.4, 0.1, 0.3, 0.7], "grad")
def hamiltonian_flow(z):
    """Leapfrog with forces from the gradient of a potential."""

    def V(q):
        return 0.5 * np.sum(q**2) + q[0] ** 2 * q[1] - q[1] ** 3 / 3

    q, p = z[:2], z[2:]
    for _ in range(15):
        p = p - 0.05 * grad(V)(q)
        q = q + 0.1 * p
        p = p - 0.05 * grad(V)(q)
    return 0.5 * p.dot(p) + V(q)


@program([0.5, 0.02, 0.4], "grad", step=0.003)
def lotka_volterra_fitted_by_odeint(theta):
    a, b, c = theta
    t = np.linspace(0.0, 3.0, 7)
    seen = np.array([8.0, 9.0, 9.5, 9.8, 9.5, 8.8, 8.0])

    def rates(y, t, a, b, c):
        u, v = y
        return [a * u - b * u * v, -c * v + b * u * v]

    y = odeint(rates, [8.0, 20.0], t, args=(a, b, c), rtol=1e-11, atol=1e-11)
    return np.mean((y[:, 0] - seen) ** 2)


@program([0.8, 1.3], "hessian", step=0.05)
def damped_oscillator_by_solve_ivp(p):
    """Parameters read from the code around the right-hand side."""
    k, damping = p

    def f(t, y):
        return np.stack([y[1], -k * y[0] - damping * y[1] + np.cos(t)])

    times = np.linspace(0.0, 2.0, 5)
    found = solve_ivp(f, (0.0, 2.0), [1.0, 0.0], t_eval=times, rtol=1e-11, atol=1e-12)
    return np.sum(found.y[0] ** 2)


@program([0.3, 0.9, -0.4], "jacobian")
def neural_ode_step_by_dop853(w):
    A = np.outer(w, w) - 0.5 * np.eye(3)
    end = solve_ivp(
        lambda t, h: np.tanh(A @ h), [0, 1], w, method="DOP853", rtol=1e-12, atol=1e-12
    ).y[:, -1]
    return end * w


@program([0.7, 1.5], "grad")
def arrival_time_of_projectile(p):
    """The end of the interval is differentiated, too."""
    T = 2 * p[0] / 9.81
    path = solve_ivp(
        lambda t, s: [s[2], s[3], -0.1 * s[2], -9.81 - 0.1 * s[3]],
        (0.0, T), np.array([0.0, 0.0, p[1], p[0]]), rtol=1e-10, atol=1e-12,
    )  # fmt: skip
    return path.y[0, -1] + 3 * path.y[1, -1]


@program(np.linspace(0.2, 1.0, 8), "hvp", step=0.02)
def burgers_pseudospectral(u):
    """Derivatives in space by Fourier transforms, dealiased, steps in time by Heun."""
    k = 2j * np.pi * np.fft.fftfreq(8, d=1 / 8)
    keep = np.abs(np.fft.fftfreq(8, d=1 / 8)) < 3

    def rate(u):
        du = np.real(np.fft.ifft(k * np.fft.fft(u)))
        uu = np.real(np.fft.ifft(keep * np.fft.fft(u * du)))
        return -uu + 0.01 * np.real(np.fft.ifft(k**2 * np.fft.fft(u)))

    for _ in range(5):
        first = rate(u)
        u = u + 0.005 * (first + rate(u + 0.01 * first))
    return np.sum(u**3)


@program([0.5, 1.1, 0.9], "grad", step=0.02)
def schroedinger_split_step(p):
    x = np.linspace(-4, 4, 16, endpoint=False)
    psi = np.exp(-((x - p[0]) ** 2) / 2 + 1j * p[1] * x)
    k = 2 * np.pi * np.fft.fftfreq(16, x[1] - x[0])
    for _ in range(6):
        psi = psi * np.exp(-0.5j * 0.05 * p[2] * x**2)
        psi = np.fft.ifft(np.exp(-0.5j * 0.05 * k**2) * np.fft.fft(psi))
        psi *= np.exp(-0.5j * 0.05 * p[2] * x**2)
    density = np.abs(psi) ** 2
    return np.sum(x**2 * density) / density.sum()


@program([1.3, 0.4], "hessian")
def chebyshev_boundary_values(p):
    """u'' = p₀ u + p₁ x on [-1, 1] by collocation."""
    N = 6
    x = np.cos(np.pi * np.arange(N + 1) / N)
    c = np.r_[2, np.ones(N - 1), 2] * (-1) ** np.arange(N + 1)
    X = np.tile(x, (N + 1, 1)).T
    D = np.outer(c, 1 / c) / (X - X.T + np.eye(N + 1))
    D = D - np.diag(D.sum(axis=1))
    A = (D @ D)[1:-1, 1:-1] - p[0] * np.eye(N - 1)
    u = np.linalg.solve(A, p[1] * x[1:-1] + 1.0)
    return u @ u


@program([0.3, -0.5, 0.8, 1.0], "grad")
def rigid_body_euler_equations(s):
    I = np.array([1.0, 2.0, 3.5])
    w, scale = s[:3], s[3]
    torque = scale * np.array([0.1, 0.0, -0.2])
    for _ in range(10):
        w = w + 0.05 * (torque - np.cross(w, I * w)) / I
    return 0.5 * np.dot(w, I * w)


@program([1.0, 0.2], "grad")
def kepler_equation_by_newton_and_geometry(p):
    a, e = p
    total = 0.0
    for M in (0.3, 1.0, 2.2):
        E = M
        for _ in range(8):
            E = E - (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
        r = a * (1 - e * np.cos(E))
        nu = 2 * np.arctan2(np.sqrt(1 + e) * np.sin(E / 2), np.sqrt(1 - e) * np.cos(E / 2))
        total += r * np.cos(nu) + r**2
    return total


@program([0.6, 0.3, 0.2], "grad")
def curvature_of_a_metric(x):
    """Christoffel symbols of a surface, from the Jacobian of its metric."""

    def metric(q):
        J = jacobian(lambda q: np.array([q[0], q[1], np.sin(q[0]) * q[1] ** 2]))(q)
        return J.T @ J

    q = x[:2]
    dg = jacobian(metric)(q)
    lower = 0.5 * (dg.transpose(0, 2, 1) + dg - dg.transpose(2, 1, 0))
    symbols = np.einsum("ij,jkl->ikl", np.linalg.inv(metric(q)), lower)
    return np.einsum("ikl,k,l->", symbols, x[1:], x[1:])


@program(np.linspace(-0.4, 0.6, 6), "grad", step=0.02)
def eigenfrequencies_of_a_damped_chain(c):
    """A state matrix that is not symmetric: complex eigenvalues and vectors."""
    n = 3
    K = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    A = np.block(
        [[np.zeros((n, n)), np.eye(n)], [-K - np.diag(c[:3] ** 2), -np.diag(0.3 + 0.2 * c[3:])]]
    )
    w, V = np.linalg.eig(A)
    return np.sum(np.abs(w) ** 2 * np.sum(np.abs(V[:3]) ** 2, axis=0)) + np.max(w.real)


@program([0.2, 0.7], "hessian")
def laplacian_in_polar_coordinates(p):
    """Nested derivatives of a function of both arguments."""
    f = lambda x: np.exp(-(x[0] ** 2)) * np.sin(3 * x[1]) * p[0]  # noqa: E731
    x = np.array([p[0] * np.cos(p[1]), p[0] * np.sin(p[1])])
    return np.trace(hessian(f)(x)) + jvp(f, (x,), (x,))[1]
