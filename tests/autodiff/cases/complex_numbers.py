"""Functions of real numbers that go through complex ones, and Fourier transforms."""

from __future__ import annotations

import numpy as np
import scipy.special as sp

from mcmodels.autodiff import constant, linalg
from mcmodels.autodiff.tables import call
from tests.autodiff.cases.drawing import any_, case, pos, regular


def parts(z):
    """Real and imaginary parts, side by side."""
    return np.stack([np.real(z), np.imag(z)])


def turned(x):
    """Complex numbers, in no particular direction, from real ones."""
    return x * np.exp(1j * (0.4 + np.arange(x.size).reshape(x.shape))) + 0.1j


def both(f):
    """A function of complex numbers, as a real one."""
    return lambda x: parts(f(turned(x)))


case("real", "of complex", lambda x: call("real", turned(x) * turned(x)), any_(3))
case("real", "of real", lambda x: call("real", x), any_(3))
case("imag", "of complex", lambda x: call("imag", turned(x) * turned(x)), any_(3))
case("imag", "of real", lambda x: call("imag", x) + x, any_(3))
case(np.real, "attribute", lambda x, y: (np.exp(x + 1j * y)).real, any_(2, 2), any_(2))
case(np.real, "function", lambda x: np.real(x) * x, any_(3))
case(np.imag, "attribute", lambda x, y: (np.exp(x + 1j * y)).imag, any_(2, 2), any_(2))
case(np.imag, "function", lambda x: np.imag(np.exp(1j * x)), any_(3))
case(np.angle, "radians", lambda x, y: np.angle(x + 1j * y), any_(3), any_(3))
case(np.angle, "degrees", lambda x, y: np.angle(x + 1j * y, deg=True), any_(3), any_(3))
case(np.conjugate, "product", both(lambda z: np.conj(z) * z * z), any_(3))
case(np.conjugate, "method", both(lambda z: np.exp(z.conj())), any_(3))
case(np.conjugate, "of real", np.conjugate, any_(3))
case(np.absolute, "complex", lambda x: np.abs(turned(x)), any_(3))
case(np.absolute, "operator", lambda x: abs(np.exp(turned(x)) - 0.3j), any_(3))

ANALYTIC = {
    np.add: lambda z: z + (2 - 1j), np.subtract: lambda z: 1j - z,
    np.multiply: lambda z: 1j * z * z,
    np.divide: lambda z: (1 + 1j) / z, np.power: lambda z: z**3 + z**0.5, np.negative: lambda z: -z,
    np.reciprocal: np.reciprocal, np.square: np.square, np.sqrt: np.sqrt, np.exp: np.exp,
    np.expm1: np.expm1, np.log: np.log, np.log1p: np.log1p, np.log2: np.log2, np.log10: np.log10,
    np.sin: np.sin, np.cos: np.cos, np.tan: np.tan, np.sinh: np.sinh, np.cosh: np.cosh,
    np.tanh: np.tanh, np.arctan: np.arctan,
    np.positive: np.positive, np.sum: lambda z: np.sum(z, axis=0) * 1j,
    np.cumsum: lambda z: np.cumsum(1j * z, axis=0), np.mean: lambda z: np.mean(z * z),
    np.prod: lambda z: np.prod(z, axis=0),
    np.where: lambda z: np.where([True, False, True], z, z**2),
    np.concatenate: lambda z: np.concatenate([z, np.ones((1, 3)), 1j * z]),
    np.reshape: lambda z: np.reshape(z, (3, 3))[::-1, [0, 0]], np.transpose: lambda z: z.T * z,
    np.matmul: lambda z: z @ (z + 1j), np.einsum: lambda z: np.einsum("ij,kj->ik", z, z),
    np.linalg.inv: lambda z: np.linalg.inv(z + 3 * np.eye(3)),
    np.linalg.solve: lambda z: np.linalg.solve(z + 3j * np.eye(3), z),
    np.linalg.det: lambda z: np.linalg.det(z), np.tril: lambda z: np.tril(z) * 1j,
    np.broadcast_to: lambda z: np.broadcast_to(z, (2, 3, 3)) ** 2,
    np.outer: lambda z: np.outer(z, z),
    np.diag: lambda z: np.diag(z[0]) + np.triu(z), np.kron: lambda z: np.kron(z[0], z[1]),
}  # fmt: skip
ANALYTIC |= {
    np.vdot: lambda z: np.vdot(z, z * z + 1j),
    np.linalg.norm: lambda z: np.linalg.norm(z) + 1j * np.linalg.norm(z[0], 3),
    np.inner: lambda z: np.inner(z, z), np.dot: lambda z: np.dot(z, z[0]),
}  # fmt: skip
for key, f in ANALYTIC.items():
    case(key, "complex", both(f), pos(3, 3), exact=False)
case(
    np.matmul,
    "Hermitian",
    lambda A, B: parts((A + 1j * B) @ (A - 1j * B).T),
    regular(2, 3),
    any_(2, 3),
)
case("astype", "to complex", lambda x: np.abs(x.astype(complex) ** 2 + 1j), any_(3))
case(np.multiply, "a phase", lambda x: parts(x * np.exp(2j)), any_(3))

FORMS = {
    "plain": {}, "longer": {"n": 7}, "shorter": {"n": 3}, "ortho": {"norm": "ortho"},
    "forward": {"norm": "forward", "n": 6}, "axis": {"axis": 0},
}  # fmt: skip
for name in ("fft", "ifft", "rfft", "irfft"):
    transform = getattr(np.fft, name)
    for label, form in FORMS.items():
        for key in (name, transform):
            case(key, f"real {label}", lambda x, f=transform, o=form: parts(f(x, **o)), any_(4, 5))
            if name != "rfft":
                case(
                    key, f"complex {label}",
                    lambda x, f=transform, o=form: parts(f(turned(x), **o)), any_(3, 4),
                )  # fmt: skip
for name in ("fft2", "ifft2", "fftn", "ifftn", "irfft2", "irfftn"):
    transform = getattr(np.fft, name)
    case(transform, "plain", both(transform), any_(3, 4), exact=False)
    case(
        transform, "lengths", both(lambda z, f=transform: f(z, s=(4, 5), axes=(1, 0))),
        any_(3, 4), exact=False,
    )  # fmt: skip
for name in ("rfft2", "rfftn"):
    transform = getattr(np.fft, name)
    case(transform, "plain", lambda x, f=transform: parts(f(x)), any_(3, 4), exact=False)
    case(
        transform, "lengths",
        lambda x, f=transform: parts(f(x, s=(4, 5), axes=(0, 1), norm="ortho")),
        any_(3, 4), exact=False,
    )  # fmt: skip
for shift in (np.fft.fftshift, np.fft.ifftshift):
    case(shift, "all", shift, any_(3, 4))
    case(shift, "axes", both(lambda z, f=shift: f(z, axes=1)), any_(3, 4))
case(np.fft.fft, "power spectrum", lambda x: np.abs(np.fft.fft(x)) ** 2, any_(6), exact=False)
case(np.fft.irfft, "round trip", lambda x: np.fft.irfft(np.fft.rfft(x) ** 2, n=5), any_(5))
for axis in (0, 1, None, (0, 1)):
    case(
        np.linalg.norm, f"complex {axis}",
        lambda x, a=axis: np.linalg.norm(turned(x), axis=a, keepdims=True), any_(2, 3), exact=False,
    )  # fmt: skip

TURN = np.array([[0.0, 2.0, 0.0], [-2.0, 0.0, 0.5], [0.0, 0.3, 1.0]])
for key in ("eig", np.linalg.eigvals):
    for label, shape in (("", (3, 3)), (" of several", (2, 3, 3))):
        case(
            key, f"complex eigenvalues{label}",
            lambda A: parts(np.linalg.eigvals(0.3 * A + TURN)), any_(*shape), exact=False,
        )  # fmt: skip
case(
    np.linalg.eigvals, "of complex", lambda A: parts(np.linalg.eigvals(turned(A) + TURN)),
    any_(3, 3), exact=False,
)  # fmt: skip


def values_and_vectors(A):
    w, V = np.linalg.eig(A)
    return np.concatenate([parts(w[..., np.newaxis, :]), parts(V)], axis=-2)


for key in ("eig", np.linalg.eig):
    for label, shape in (("", (3, 3)), (" of several", (2, 3, 3))):
        case(
            key, f"complex eigenvectors{label}", lambda A: values_and_vectors(0.3 * A + TURN),
            any_(*shape), exact=False,
        )  # fmt: skip
case(
    np.linalg.eig, "vectors of a complex matrix", lambda A: values_and_vectors(turned(A) + TURN),
    any_(3, 3), exact=False,
)  # fmt: skip
# Eigenvalues on both sides of 0: the root is complex.
INDEFINITE = np.array([[1.0, 0.3, -0.2], [0.3, -2.0, 0.4], [-0.2, 0.4, 0.5]])
for key in ("sqrtm", linalg.sqrtm):
    case(key, "complex result", lambda A: parts(linalg.sqrtm(A)), INDEFINITE)
for name in ("sqrtm", "logm", "expm", "cosm", "sinm"):
    case(
        name, "of complex",
        lambda A, f=name: parts(getattr(linalg, f)(0.3 * turned(A) + 2 * np.eye(3))), any_(3, 3),
    )  # fmt: skip
case(
    "solve_sylvester", "complex",
    lambda A, Q: parts(linalg.solve_sylvester(turned(A) + TURN, A, turned(Q))),
    regular(3, 3), any_(3, 3),
)  # fmt: skip


def with_phases(*arrays):
    return np.concatenate([parts(x).ravel() for x in arrays])


HERMITIAN = np.array([[1.0, 0.4, -0.3], [0.4, -0.5, 0.2], [-0.3, 0.2, 2.0]])


def hermitian(A):
    return HERMITIAN + A + A.T + 1j * (A - A.T)


for UPLO in "LU":
    case(
        np.linalg.eigh, f"complex {UPLO}",
        lambda A, u=UPLO: with_phases(*np.linalg.eigh(hermitian(A), u)), any_(3, 3), exact=False,
    )  # fmt: skip
for key, UPLO in (("eigvalsh_complex", "L"), (np.linalg.eigvalsh, "L"), (np.linalg.eigvalsh, "U")):
    case(
        key, f"complex {UPLO}",
        lambda A, u=UPLO: np.linalg.eigvalsh(hermitian(A), u), any_(3, 3), exact=False,
    )  # fmt: skip
case(
    "eigh_complex", "several", lambda A: with_phases(
        *np.linalg.eigh(A + np.swapaxes(A, 1, 2) + 1j * (A - np.swapaxes(A, 1, 2)))
    ), any_(2, 3, 3), exact=False,
)  # fmt: skip


def with_turned_columns(A):
    """A complex matrix with singular values near those of A, which are apart."""
    return A * np.exp(1j * np.arange(A.shape[-1])) + 0.05j * A * A


def singular_parts(A):
    """The factors; LAPACK makes one entry of each pair real, which is made positive here."""
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    real = Vh[..., :, 0] if A.shape[-2] >= A.shape[-1] else U[..., 0, :]
    sign = np.sign(np.real(constant(real)))
    return with_phases(U * sign[..., np.newaxis, :], s, Vh * sign[..., :, np.newaxis])


for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2)):
    for key in ("svd_complex", np.linalg.svd):
        case(
            key, f"complex, shape {shape}",
            lambda A: singular_parts(with_turned_columns(A)), regular(*shape), exact=False,
        )  # fmt: skip
for key, shape in (
    ("svdvals_complex", (3, 2)),
    (np.linalg.svdvals, (2, 4)),
    (np.linalg.svdvals, (3, 3)),
):
    case(
        key, f"complex {shape}",
        lambda A: np.linalg.svdvals(with_turned_columns(A)), regular(*shape), exact=False,
    )  # fmt: skip
for ord in ("nuc", 2, -2, 1, np.inf):
    case(
        np.linalg.norm, f"complex matrix {ord}", lambda A, o=ord: np.linalg.norm(turned(A), o),
        any_(3, 2), exact=False,
    )  # fmt: skip
for f in (np.arcsin, np.arccos, np.arcsinh, np.arccosh, np.arctanh, np.exp2, sp.erf, sp.erfc):
    case(f, "complex", both(f), pos(3), exact=False)
for axis in (None, 0, (0, 1)):
    for f in (np.var, np.std):
        case(
            f, f"complex {axis}",
            lambda x, f=f, a=axis: f(turned(x), axis=a, keepdims=True, ddof=1),
            any_(3, 2), exact=False,
        )  # fmt: skip
    for f in (np.max, np.min):
        case(
            f, f"complex {axis}", lambda x, f=f, a=axis: parts(f(turned(x), axis=a)), any_(3, 2),
        )  # fmt: skip
        case(
            f, f"complex, axes kept {axis}",
            lambda x, f=f, a=axis: parts(f(turned(x), axis=a, keepdims=True)), any_(3, 2),
        )  # fmt: skip
case(
    np.real_if_close, "complex", lambda x: np.real_if_close((x + 1j) * (x - 1j)), any_(3),
)  # fmt: skip
case(np.real_if_close, "far", lambda x: parts(np.real_if_close(turned(x))), any_(3))


def positive(A):
    return hermitian(A) + 5.0 * np.eye(3)


MORE = {
    np.polyval: lambda z: np.polyval(z[0], z[1]), np.trapezoid: lambda z: np.trapezoid(z, z[0]),
    np.convolve: lambda z: np.convolve(z[0], z[1], "same"),
    np.block: lambda z: np.block([[z, 2j * z], [z, z]]), np.dstack: lambda z: np.dstack([z, z * z]),
    np.pad: lambda z: np.pad(z, 1, "wrap"), np.average: lambda z: np.average(z, 0, weights=z[0]),
    np.cross: lambda z: np.cross(z[0], z[1]), np.hsplit: lambda z: np.hsplit(z, 3)[1],
    np.select: lambda z: np.select([[True, False, True]], [z[0]], z[1] * z[1]),
    np.vsplit: lambda z: np.vsplit(z, 3)[1], np.insert: lambda z: np.insert(z[0], 1, z[1, 0]),
    np.ediff1d: np.ediff1d, np.cumprod: lambda z: np.cumprod(z[0]),
    np.compress: lambda z: np.compress([True, False, True], z, axis=0),
    np.broadcast_arrays: lambda z: np.broadcast_arrays(z[:1], z)[0] * z,
}  # fmt: skip
for key, f in MORE.items():
    case(key, "of complex", both(f), pos(3, 3), exact=False)
for key in ("logdet_complex", np.linalg.slogdet):
    for label, shape in (("", (3, 3)), (" of several", (2, 3, 3))):
        case(
            key, f"complex{label}", lambda A: with_phases(*np.linalg.slogdet(turned(A) + TURN)),
            any_(*shape), exact=False,
        )  # fmt: skip
for upper in (False, True):
    case(
        np.linalg.cholesky, f"complex {upper}",
        lambda A, u=upper: parts(np.linalg.cholesky(positive(A), upper=u)), any_(3, 3), exact=False,
    )  # fmt: skip
for p in (None, -2, 1):
    case(
        np.linalg.cond, f"complex {p}", lambda A, p=p: np.linalg.cond(with_turned_columns(A), p),
        regular(3, 3), exact=False,
    )  # fmt: skip
