"""Differential equations, physics and chemistry."""

# Idioms as people write them.
# ruff: noqa: B905

import numpy as np
from scipy.integrate import odeint, solve_ivp
from scipy.linalg import solve_banded

from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(9)


@program([0.8, 0.3, 0.2], "grad")
def rk45_fixed_tableau(theta):
    """Dormand and Prince's stages by their tableau."""
    a = [[], [1 / 5], [3 / 40, 9 / 40], [44 / 45, -56 / 15, 32 / 9],
         [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729]]  # fmt: skip
    b = np.array([35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784])

    def f(z):
        return np.array(
            [theta[0] * z[0] - theta[1] * z[0] * z[1], -theta[2] * z[1] + 0.1 * z[0] * z[1]]
        )

    z = np.array([1.0, 0.5])
    for _ in range(4):
        k = []
        for row in a:
            k.append(f(z + 0.2 * sum(c * ki for c, ki in zip(row, k))))
        z = z + 0.2 * np.tensordot(b, np.array(k), axes=1)
    return z @ z


@program([0.4, 0.9], "jacobian")
def adaptive_steps(theta):
    """A step that is accepted or halved by its error."""
    f = lambda t, x: -theta[0] * x**2 + theta[1] * np.cos(t)  # noqa: E731
    t, x, h = 0.0, 1.0, 0.5
    while t < 1.0 - 1e-12:
        h = min(h, 1.0 - t)
        euler = x + h * f(t, x)
        heun = x + h / 2 * (f(t, x) + f(t + h, euler))
        if abs(heun - euler) < 0.05:
            t, x = t + h, heun
        else:
            h = h / 2
    return x


@program([0.4, 0.9], "grad")
def solve_ivp_decay(theta):
    """SciPy's solver."""
    sol = solve_ivp(lambda t, y: -theta[0] * y + theta[1], (0, 1), [1.0], rtol=1e-10, atol=1e-12)
    return sol.y[0, -1]


@program([0.4, 0.9], "grad")
def odeint_oscillator(theta):
    """The older solver of SciPy."""
    y = odeint(
        lambda y, t: [y[1], -theta[0] * y[0] - theta[1] * y[1]], [1.0, 0.0], [0, 1.0], rtol=1e-10
    )
    return y[-1, 0]


@program([0.2, 0.5, 0.3], "grad")
def seir_with_tuples(p):
    """Compartments as a tuple, a trajectory as a list of tuples."""
    beta, sigma, gamma = p
    s, e, i, r = 0.99, 0.0, 0.01, 0.0
    track = [(s, e, i, r)]
    for _ in range(20):
        new, prog, rec = beta * s * i, sigma * e, gamma * i
        s, e, i, r = s - new, e + new - prog, i + prog - rec, r + rec
        track.append((s, e, i, r))
    infected = np.array(track)[:, 2]
    return np.max(infected) + np.sum(infected)


@program([1.1, 0.2], "grad")
def wave_equation_leapfrog(p):
    """A string with fixed ends, three levels that change their roles."""
    x = np.linspace(0, 1, 11)
    u_prev = p[1] * np.sin(np.pi * x)
    u = u_prev.copy()
    r2 = 0.25 * p[0] ** 2
    for _ in range(6):
        u_next = np.zeros_like(u)
        u_next[1:-1] = 2 * u[1:-1] - u_prev[1:-1] + r2 * (u[2:] - 2 * u[1:-1] + u[:-2])
        u_prev, u = u, u_next
    return np.sum(u**2) * (x[1] - x[0])


@program([0.7, 0.1], "grad")
def burgers_upwind(p):
    """A nonlinear conservation law on a ring with in-place updates."""
    x = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    u = 1.5 + p[0] * np.sin(x)
    for _ in range(5):
        flux = 0.5 * u**2
        u = u - p[1] * (flux - np.roll(flux, 1)) / (x[1] - x[0])
    return np.sum(u**3)


@program(rng.normal(size=8), "grad")
def poisson_by_fft(f):
    """Poisson's equation on a ring by the FFT."""
    k = np.fft.fftfreq(8, 1 / 8)
    k2 = np.where(k == 0, 1.0, k**2)
    u_hat = np.fft.fft(f) / -k2
    u_hat = np.where(k == 0, 0, u_hat)
    u = np.real(np.fft.ifft(u_hat))
    return np.sum(u**4)


@program([0.3, 0.8], "grad")
def crank_nicolson_banded(p):
    """Diffusion by SciPy's banded solver."""
    n = 6
    lam = 0.5 * np.exp(p[0])
    ab = np.zeros((3, n))
    ab[0, 1:] = -lam
    ab[1] = 1 + 2 * lam
    ab[2, :-1] = -lam
    u = p[1] * np.sin(np.linspace(0.5, 2.5, n))
    for _ in range(3):
        u = solve_banded((1, 1), ab, u)
    return u.sum()


@program(rng.normal(size=9), "grad")
def jacobi_relaxation_slices(f):
    """Sweeps of Laplace's equation that assign to the inside of a padded array."""
    u = np.zeros((5, 5))
    f = f.reshape(3, 3)
    for _ in range(4):
        new = u.copy()
        new[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] + f)
        u = new
    return np.sum(u * u)


@program(rng.normal(size=10), "grad")
def ising_chain_energy(J):
    """A transfer matrix in a loop."""
    Z = np.eye(2)
    for j in J:
        Z = Z @ np.exp(j * np.array([[1, -1], [-1, 1]]) + 0.1 * np.array([[1, 0], [0, -1]]))
    return np.log(np.trace(Z))


@program(rng.normal(size=9), "grad")
def molecular_bonds_angles_torsion(flat):
    """Bonds, one angle and one torsion of four atoms by cross products."""
    r = flat.reshape(3, 3)
    r = np.concatenate([np.zeros((1, 3)), r])
    b = r[1:] - r[:-1]
    bond = np.sum((np.linalg.norm(b, axis=1) - 1) ** 2)
    cos = -np.dot(b[0], b[1]) / np.linalg.norm(b[0]) / np.linalg.norm(b[1])
    n1, n2 = np.cross(b[0], b[1]), np.cross(b[1], b[2])
    m1 = np.cross(n1, b[1] / np.linalg.norm(b[1]))
    phi = np.arctan2(m1 @ n2, n1 @ n2)
    return bond + (np.arccos(cos) - 1.9) ** 2 + 1 + np.cos(3 * phi)


@program(rng.normal(size=6), "grad")
def periodic_box_pairs(flat):
    """Pairs under periodic boundaries with the nearest image by np.round."""
    r = flat.reshape(3, 2)
    L = 3.0
    i, j = np.triu_indices(3, k=1)
    d = r[i] - r[j]
    d = d - L * np.round(d / L)
    return np.sum(np.exp(-np.sum(d**2, axis=1)))


@program([0.3, 1.2, -0.5], "grad")
def ewald_sum(p):
    """Structure factors with complex exponentials in a double loop."""
    q = np.array([1.0, -1.0, 0.5])
    total = 0.0
    for k in range(1, 4):
        s = np.sum(q * np.exp(1j * k * p))
        total += np.exp(-(k**2) / 4) / k**2 * abs(s) ** 2
    return total


@program([0.4, 0.2, 0.7], "grad")
def spin_chain_ground_state(J):
    """The ground state energy of a small quantum chain by np.kron."""
    sx, sz, eye = np.array([[0.0, 1], [1, 0]]), np.diag([1.0, -1]), np.eye(2)
    H = np.zeros((8, 8))
    H = H + J[0] * np.kron(np.kron(sz, sz), eye) + J[1] * np.kron(eye, np.kron(sz, sz))
    for op in ([sx, eye, eye], [eye, sx, eye], [eye, eye, sx]):
        H = H - J[2] * np.kron(np.kron(op[0], op[1]), op[2])
    return np.linalg.eigh(H)[0][0]


@program([0.3, 0.2, 0.9], "grad")
def hartree_self_consistency(p):
    """A fixed point by damped iterations until the change is small."""
    x = np.zeros(3)
    A = np.array([[0.0, 0.3, 0.1], [0.3, 0.0, 0.2], [0.1, 0.2, 0.0]])
    for _ in range(200):
        new = 0.5 * x + 0.5 * np.tanh(A @ x + p)
        if np.max(np.abs(new - x)) < 1e-13:
            break
        x = new
    return x @ A @ x


@program([0.3, 0.5], "grad")
def thin_lens_ray_transfer(p):
    """Matrices of an optical system by multi_dot."""
    lens = lambda f: np.array([[1, 0], [-1 / f, 1]])  # noqa: E731
    gap = lambda d: np.array([[1, d], [0, 1]])  # noqa: E731
    M = np.linalg.multi_dot([lens(1 + p[0]), gap(p[1]), lens(2.0), gap(0.3)])
    return M[0, 0] / M[1, 0]


@program([0.2, 0.4, 0.1], "grad")
def chemical_equilibrium_newton(k):
    """A root of three equations by Newton's method, with the Jacobian by hand."""
    K = np.exp(k)
    x = np.array([0.5, 0.5, 0.5])
    for _ in range(15):
        F = np.stack([x[0] + x[1] - 1, x[0] * x[2] * K[0] - x[1], x[2] + K[1] * x[1] - K[2]])
        J = np.stack(
            [
                np.array([1.0, 1.0, 0.0]),
                np.stack([x[2] * K[0], -1.0, x[0] * K[0]]),
                np.stack([0.0, K[1], 1.0]),
            ]
        )
        x = x - np.linalg.solve(J, F)
    return np.log(x).sum()
