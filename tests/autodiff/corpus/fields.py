"""Fields, spectra, ordinary and partial differential equations, and images."""

import numpy as np
import numpy.linalg as la
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft as sfft
from scipy import signal

from tests.autodiff.corpus.programs import program

rng = np.random.RandomState(12)
IMAGE = rng.normal(size=(6, 6))
SIGNAL = np.sin(np.arange(16) * 0.7) + 0.1 * rng.normal(size=16)


@program(0.3 * rng.normal(size=9), "grad")
def circular_convolution_by_fft2(kernel):
    """A blur in the frequency domain, back to real values."""
    k = np.zeros((6, 6))
    k[:3, :3] = kernel.reshape(3, 3)
    blurred = np.fft.ifft2(np.fft.fft2(IMAGE) * np.fft.fft2(k)).real
    return np.sum((blurred - np.roll(IMAGE, 1, axis=0)) ** 2)


@program(0.3 * rng.normal(size=9), "hessian", step=0.001)
def conv2d_einsum_windows(kernel):
    """Windows by sliding_window_view, contracted with einsum."""
    windows = sliding_window_view(IMAGE, (3, 3))
    out = np.einsum("ijkl,kl->ij", windows, kernel.reshape(3, 3))
    return np.mean(np.maximum(out, 0.1 * out) ** 2)


@program(0.5 * rng.normal(size=36), "hvp")
def total_variation_denoise(x):
    """Smoothed total variation with edge differences."""
    u = x.reshape(6, 6)
    dx, dy = np.diff(u, axis=0), np.diff(u, axis=1)
    tv = np.sum(np.sqrt(dx[:, :-1] ** 2 + dy[:-1, :] ** 2 + 1e-2))
    return 0.5 * np.linalg.norm(u - IMAGE, "fro") ** 2 + 0.3 * tv


@program(np.array([0.8, 0.2, -0.4]), "hessian")
def periodogram_windowed(theta):
    """Power at frequencies, with a Hann window and decibels."""
    n = np.arange(16)
    x = theta[0] * np.cos(0.7 * n + theta[1]) + theta[2] * SIGNAL
    spectrum = np.abs(np.fft.rfft(x * np.hanning(16))) ** 2
    return np.sum(10 * np.log10(spectrum + 1e-3))


@program(0.4 * rng.normal(size=5), "grad")
def phase_of_filter(b):
    """Group delay by unwrapped angles of the response."""
    w = np.linspace(0.1, 2.5, 9)
    response = np.exp(-1j * np.outer(w, np.arange(5))) @ b
    response = response + 3.0
    phase = np.unwrap(np.angle(response))
    return -np.sum(np.gradient(phase, w))


@program(0.4 * rng.normal(size=8), "grad")
def dct_compression(x):
    """A cosine transform by scipy.fft, thresholded smoothly."""
    c = sfft.dct(x, norm="ortho")
    return np.sum(np.tanh(c) ** 2)


@program(0.4 * rng.normal(size=8), "grad")
def hilbert_envelope(x):
    """The analytic signal by hand: negative frequencies zeroed."""
    n = len(x)
    h = np.zeros(n)
    h[0] = h[n // 2] = 1
    h[1 : n // 2] = 2
    analytic = np.fft.ifft(np.fft.fft(x) * h)
    return np.sum(np.abs(analytic))


@program(0.3 * rng.normal(size=4), "grad")
def fir_by_lfilter(b):
    """A filter of scipy.signal."""
    return np.sum(signal.lfilter(b, [1.0, -0.3], SIGNAL) ** 2)


@program(0.3 * rng.normal(size=3), "grad")
def iir_by_loop(a):
    """A recursive filter, written into its output."""
    y = np.zeros_like(SIGNAL)
    for n in range(len(SIGNAL)):
        y[n] = SIGNAL[n]
        for k in range(1, min(n, 3) + 1):
            y[n] -= a[k - 1] * y[n - k] * 0.3
    return np.sum(y**2)


@program(np.array([1.0, 0.4, 0.2]), "hessian")
def van_der_pol_rk4_dict(theta):
    """Runge-Kutta on a state kept in a dict."""
    mu, x0, v0 = theta

    def deriv(s):
        return {"x": s["v"], "v": mu * (1 - s["x"] ** 2) * s["v"] - s["x"]}

    def shift(s, k, h):
        return {key: s[key] + h * k[key] for key in s}

    s, h = {"x": x0, "v": v0}, 0.1
    for _ in range(10):
        k1 = deriv(s)
        k2 = deriv(shift(s, k1, h / 2))
        k3 = deriv(shift(s, k2, h / 2))
        k4 = deriv(shift(s, k3, h))
        s = {q: s[q] + h / 6 * (k1[q] + 2 * k2[q] + 2 * k3[q] + k4[q]) for q in s}
    return s["x"] ** 2 + s["v"] ** 2


@program(np.array([0.5, 0.3, 1.0, 0.0]), "grad")
def kepler_symplectic(q0):
    """Two-body orbit by a leapfrog, energy drift as the loss."""
    q, p = q0[:2] + np.array([1.0, 0.0]), q0[2:]
    for _ in range(20):
        p = p - 0.025 * q / la.norm(q) ** 3
        q = q + 0.05 * p
        p = p - 0.025 * q / la.norm(q) ** 3
    return 0.5 * p.dot(p) - 1 / la.norm(q)


@program(0.4 * rng.normal(size=(5, 3)), "grad")
def n_body_forces(x):
    """Gravity by broadcasting, the diagonal guarded by an identity."""
    d = x[:, None, :] - x[None, :, :]
    r2 = np.sum(d**2, axis=-1) + np.eye(5)
    f = -d / r2[..., None] ** 1.5
    return np.sum(np.sum(f, axis=1) ** 2) + np.sum(np.triu(1 / np.sqrt(r2), k=1))


@program(0.2 * rng.normal(size=8), "jacobian")
def reaction_diffusion_step(u):
    """A Laplacian by np.roll and a cubic reaction."""
    for _ in range(5):
        lap = np.roll(u, 1) - 2 * u + np.roll(u, -1)
        u = u + 0.05 * lap + 0.1 * (u - u**3)
    return u


@program(0.2 * rng.normal(size=10), "grad")
def heat_with_pad_boundaries(u):
    """Dirichlet boundaries by np.pad at every step."""
    for _ in range(6):
        padded = np.pad(u, 1, mode="constant", constant_values=0.3)
        u = u + 0.2 * (padded[2:] - 2 * padded[1:-1] + padded[:-2])
    return np.trapezoid(u**2, dx=0.1)


@program(np.array([0.7, 0.2]), "hessian")
def shooting_by_secant(theta):
    """A boundary value problem, solved by a fixed number of secant steps."""
    k, target = theta

    def end(slope):
        y, v = 0.0, slope
        for _ in range(10):
            v = v - 0.1 * k * np.sin(y)
            y = y + 0.1 * v
        return y - target

    a, b = 0.1, 1.0
    for _ in range(4):
        fa, fb = end(a), end(b)
        a, b = b, b - fb * (b - a) / (fb - fa)
    return b


@program(0.3 * rng.normal(size=6), "grad")
def finite_elements_assembled(k):
    """Element matrices added into a global one; the boundary cut by np.ix_."""
    K = np.zeros((7, 7))
    for e in range(6):
        ke = np.exp(k[e]) * np.array([[1.0, -1.0], [-1.0, 1.0]])
        K[e : e + 2, e : e + 2] += ke
    free = np.arange(1, 7)
    u = np.linalg.solve(K[np.ix_(free, free)], np.ones(6))
    return np.max(u) + u @ u


@program(0.3 * rng.normal(size=4), "hessian")
def quantum_expectation_circuit(angles):
    """Rotations of two qubits by kron, the expectation of ZZ."""

    def ry(t):
        c, s = np.cos(t / 2), np.sin(t / 2)
        return np.array([[c, -s], [s, c]])

    cz = np.diag([1.0, 1.0, 1.0, -1.0])
    state = np.zeros(4)
    state[0] = 1.0
    state = np.kron(ry(angles[0]), ry(angles[1])) @ state
    state = cz @ state
    state = np.kron(ry(angles[2]), ry(angles[3])) @ state
    return state @ np.diag([1.0, -1.0, -1.0, 1.0]) @ state


@program(0.3 * rng.normal(size=3), "grad")
def spin_half_evolution(h):
    """Complex evolution by the eigenvectors of a Hermitian matrix."""
    H = np.array([[h[0], h[1] - 1j * h[2]], [h[1] + 1j * h[2], -h[0]]])
    n = np.sqrt(np.sum(h**2))
    U = np.cos(n) * np.eye(2) - 1j * np.sin(n) * H / n
    psi = U @ np.array([1.0, 0.0])
    return np.abs(psi[1]) ** 2


@program(np.array([0.3, 0.1, 1.2]), "grad")
def ray_through_lenses(p):
    """Ray matrices multiplied by np.linalg.multi_dot."""
    f, d, n = p

    def lens(f):
        return np.array([[1.0, 0.0], [-1.0 / f, 1.0]])

    def gap(d):
        return np.array([[1.0, d], [0.0, 1.0]])

    M = np.linalg.multi_dot([gap(d), lens(f), gap(2 * d), lens(2 * f), gap(n)])
    return np.sum((M @ np.array([0.1, 0.02])) ** 2)


@program(0.5 * rng.normal(size=(3, 2)), "hvp")
def bspline_surface_by_einsum(c):
    """A tensor-product Bernstein surface."""
    t = np.linspace(0, 1, 5)
    B2 = np.stack([(1 - t) ** 2, 2 * t * (1 - t), t**2], axis=1)
    B1 = np.stack([1 - t, t], axis=1)
    surface = np.einsum("ia,ab,jb->ij", B2, c, B1)
    gx, gy = np.gradient(surface)
    return np.sum(np.sqrt(1 + gx**2 + gy**2))
