"""NumPy's functions of samples, polynomials and statistics, and general factorisations."""

from __future__ import annotations

import numpy as np

from mcmodels.autodiff import constant
from mcmodels.autodiff.tables import call
from tests.autodiff.cases.drawing import any_, case, flat, pos, regular

KNOTS = np.array([0.0, 0.4, 1.0, 1.7])

UNARY = {
    np.trapezoid: [
        np.trapezoid,
        lambda x: np.trapezoid(x, axis=0, dx=0.5),
        lambda x: np.trapezoid(x, [0.0, 1.0, 3.0]),
        lambda x: np.trapezoid(x[0], x[1]),
        lambda x: np.trapezoid(x, x * x, axis=0),
        lambda x: np.trapezoid([1.0, 2.0, 4.0], dx=x[0, 0]),
    ],
    np.ediff1d: [
        np.ediff1d,
        lambda x: np.ediff1d(x, to_end=x[0], to_begin=9.0),
        lambda x: np.ediff1d(x[0], to_begin=x[0, :1]),
    ],
    np.unwrap: [
        lambda x: np.unwrap(9 * x),
        lambda x: np.unwrap(9 * x, axis=0),
        lambda x: np.unwrap(x, period=1.0),
        lambda x: np.unwrap(9 * x, discont=4.0),
    ],
    np.gradient: [
        lambda x: flat(np.gradient(x)),
        lambda x: np.gradient(x, axis=1),
        lambda x: np.gradient(x, 0.3, axis=1, edge_order=2),
        lambda x: np.gradient(x, [0.0, 1.0, 3.0], axis=-1),
        lambda x: np.gradient(x[0], np.cumsum(x[1] ** 2 + 0.5)),
        lambda x: np.gradient(x[0], np.cumsum(x[1] ** 2 + 0.5), edge_order=2),
        lambda x: flat(np.gradient(x, 0.5, [0.0, 1.0, 3.0])),
        lambda x: np.gradient(np.array([1.0, 2.0, 4.0]), x[0, 0]),
        lambda x: flat(np.gradient(x, x[0, 0], axis=(0, 1))),
    ],
    np.interp: [
        lambda x: np.interp(x, KNOTS, [1.0, 3.0, 2.0, 5.0]),
        lambda x: np.interp([0.1, 0.4, 1.2, 3.0, -1.0], [0.0, 0.5, 1.5], x[0]),
        lambda x: np.interp(x, KNOTS, [1.0, 3.0, 2.0, 5.0], left=-1.0, right=7.0),
        lambda x: np.interp([-1.0, 9.0, 0.2], KNOTS[:3], x[1], left=x[0, 0], right=x[0, 1]),
        lambda x: np.interp(x, KNOTS, [1.0, 3.0, 2.0, 5.0], period=2.0),
        lambda x: np.interp([0.3, 2.2, -0.4], KNOTS[:3], x[1], period=1.5),
        lambda x: np.interp([0.3, 2.2], [1.0], x[1, :1]),
        lambda x: np.interp(x, [1.0], [2.0]) + x,
    ],
    np.convolve: [
        lambda x: np.convolve(x[0], x[1]),
        lambda x: np.convolve(x[0], [1.0, 2.0], "same"),
        lambda x: np.convolve([1.0, 2.0, 0.5, 3.0], x.ravel()[:5], mode="same"),
        lambda x: np.convolve(x.ravel(), x[0, :2], "valid"),
        lambda x: np.convolve(x[0, 0], x[1]),
    ],
    np.correlate: [
        lambda x: np.correlate(x[0], x[1]),
        lambda x: np.correlate(x.ravel(), x[0]),
        lambda x: np.correlate(x[0], x.ravel()),
        lambda x: np.correlate(x[0], x.ravel(), "full"),
        lambda x: np.correlate(x[0], x.ravel()[:4], "same"),
        lambda x: np.correlate(x[0, :2], x.ravel()[:5], "same"),
        lambda x: np.correlate(x.ravel()[:5], x[0, :2], "same"),
        lambda x: np.correlate(x.ravel()[:5], x.ravel()[2:6], "same"),
        lambda x: np.correlate(x[0, :2], x[1], mode="same"),
    ],
    np.i0: [np.i0, lambda x: np.i0(0 * x)],
    np.sinc: [
        np.sinc,
        lambda x: np.sinc(0.01 * x),
        lambda x: np.sinc(0 * x),
        lambda x: np.sinc(x[0, 0]),
    ],
    np.polyval: [
        lambda x: np.polyval([1.0, -2.0, 0.5], x),
        lambda x: np.polyval(x[0], x[1]),
        lambda x: np.polyval(x[0], 2.0),
        lambda x: np.polyval(x.ravel(), np.array([0.5, -1.0])),
    ],
    np.vander: [
        lambda x: np.vander(x[0]),
        lambda x: np.vander(x[0], 4, increasing=True),
        lambda x: np.vander(x[0], 1) + x[0],
        lambda x: np.vander(x[0], N=2),
    ],
    np.poly: [lambda x: np.poly(x[0]), lambda x: np.poly(x[0, :1])],
    np.roots: [lambda x: np.roots(np.array([1.0, -6.0, 11.0, -6.0]) + 0.01 * x.ravel()[:4])],
    np.polyder: [lambda x: np.polyder(x.ravel()), lambda x: np.polyder(x.ravel(), 2)],
    np.polyint: [
        lambda x: np.polyint(x[0]),
        lambda x: np.polyint(x[0], 2, k=[3.0, 4.0]),
        lambda x: np.polyint(x[0], k=x[1, 0]),
    ],
    np.polyadd: [lambda x: np.polyadd(x[0], x.ravel()), lambda x: np.polyadd(x[0], 2.0)],
    np.polysub: [lambda x: np.polysub(x[0], x.ravel()), lambda x: np.polysub([1.0, 2.0], x[0])],
    np.polymul: [lambda x: np.polymul(x[0], x.ravel()), lambda x: np.polymul(x[0], [2.0, 1.0])],
    np.cov: [
        np.cov,
        lambda x: np.cov(x.T, rowvar=False),
        lambda x: np.cov(x, bias=True),
        lambda x: np.cov(x[0], x[1] ** 2, ddof=0),
        lambda x: np.cov(x, fweights=[2, 1, 3]),
        lambda x: np.cov(x, aweights=[0.5, 1.0, 2.0]),
        lambda x: np.cov(x, aweights=x[0] ** 2, fweights=[1, 2, 1]),
        lambda x: np.cov(x, aweights=x[0] ** 2, ddof=0),
        lambda x: np.cov(x[0]),
        lambda x: np.cov(x.T, [1.0, 2.0, 4.0], rowvar=False),
    ],
    np.corrcoef: [
        np.corrcoef,
        lambda x: np.corrcoef(x[0], x[1]),
        lambda x: np.corrcoef(np.stack([x[0], x[1], x[0] * x[1]]).T, rowvar=False),
    ],
    np.bincount: [
        lambda x: np.bincount([0, 2, 0], x[0]),
        lambda x: np.bincount(np.array([1, 1, 4]), weights=x[1], minlength=7),
    ],
    np.cross: [
        lambda x: np.cross(x[0], x[1]),
        lambda x: np.cross(x, [1.0, 2.0, 3.0]),
        lambda x: np.cross(x.T, [[1.0], [2.0], [3.0]], axis=0),
        lambda x: np.cross(x, x[::-1], axisc=0),
    ],
    np.linalg.cross: [lambda x: np.linalg.cross(x[0], x[1])],
    np.linalg.vecdot: [
        lambda x: np.linalg.vecdot(x, x[0]),
        lambda x: np.linalg.vecdot(x, x * x, axis=0),
    ],
    np.linalg.matmul: [lambda x: np.linalg.matmul(x, x.T)],
    np.linalg.vector_norm: [
        np.linalg.vector_norm,
        lambda x: np.linalg.vector_norm(x, axis=1, keepdims=True),
        lambda x: np.linalg.vector_norm(x, ord=3, axis=0),
        lambda x: np.linalg.vector_norm(x, axis=(0, 1), ord=np.inf, keepdims=True),
    ],
    np.linalg.matrix_norm: [
        np.linalg.matrix_norm,
        lambda x: np.linalg.matrix_norm(np.stack([x, x * x]), ord="nuc", keepdims=True),
        lambda x: np.linalg.matrix_norm(x, ord=1),
    ],
}
for function, examples in UNARY.items():
    for k, example in enumerate(examples):
        case(function, f"sampled {k}", example, any_(2, 3), exact=False)
case(
    np.interp, "knots", lambda x, xp, fp: np.interp(x, np.cumsum(xp), fp),
    np.array([0.2, 0.9, 2.1, 3.3, 7.0]), pos(4), any_(4), exact=False,
)  # fmt: skip
case(np.polyfit, "line", lambda x, y: np.polyfit(x, y, 1), any_(5), any_(5), exact=False)
case(
    np.polyfit, "weights", lambda x, y, w: np.polyfit(x, y, 2, w=w),
    np.array([-1.0, -0.3, 0.2, 0.9, 1.4]), any_(5, 2), pos(5), exact=False,
)  # fmt: skip
for m, n in ((4, 3), (3, 4), (1, 3)):
    case("convolve", f"{m} {n}", lambda a, v: call("convolve", a, v), any_(m), any_(n), exact=False)
for label, x in (("points", np.array([-1.3, 0.4, 2.2])), ("zero", np.zeros(2))):
    case("sinc", label, lambda x: call("sinc", x), x)
    for n in (0, 1, 2):
        case("spherical_bessel", f"{n} {label}", lambda x, n=n: call("spherical_bessel", n, x), x)

GIVEN = np.random.default_rng(3).standard_normal((4, 4))
SHAPES = {"tall": (4, 2), "wide": (2, 4), "square": (3, 3), "stack": (2, 3, 2)}
for label, shape in SHAPES.items():
    case("pinv", label, lambda A: call("pinv", A), regular(*shape))
    case(np.linalg.pinv, label, np.linalg.pinv, regular(*shape), exact=False)
    case(np.linalg.qr, label, lambda A: flat(np.linalg.qr(A)), regular(*shape), exact=False)
    case(
        np.linalg.qr, f"{label} r", lambda A: np.linalg.qr(A, mode="r"), regular(*shape),
        exact=False,
    )  # fmt: skip
    case(np.linalg.cond, label, np.linalg.cond, regular(*shape), exact=False)
    if label != "stack":
        case(
            "lstsq", label, lambda A, B: call("lstsq", A, B), regular(*shape), any_(shape[0], 2),
        )  # fmt: skip
        case(
            np.linalg.lstsq, label,
            lambda A, b: (lambda y: flat([y[0], y[1], y[3]]))(np.linalg.lstsq(A, b)),
            regular(*shape), any_(shape[0]), exact=False,
        )  # fmt: skip
        case(
            np.linalg.lstsq, f"{label} sides",
            lambda A, B: flat(np.linalg.lstsq(A, B, rcond=None)[:2]),
            regular(*shape), any_(shape[0], 3), exact=False,
        )  # fmt: skip
        case(
            np.linalg.lstsq, f"{label} constant matrix",
            lambda b, A=GIVEN[: shape[0], : shape[1]]: flat(
                np.linalg.lstsq(A, b)[:2]
            ), any_(shape[0]), exact=False,
        )  # fmt: skip
for label in ("tall", "square", "stack"):
    case("qr", label, lambda A: call("qr", A), regular(*SHAPES[label]))
case(
    np.linalg.qr, "complete", lambda A: flat(np.linalg.qr(A, "complete")),
    np.array([[1.0, 0.4, -0.6], [0.3, -0.8, 1.2]]),
    exact=False,
)  # fmt: skip
case(np.linalg.pinv, "rcond", lambda A: np.linalg.pinv(A, 1e-3), regular(3, 2), exact=False)
case(np.linalg.pinv, "rtol", lambda A: np.linalg.pinv(A, rtol=1e-3), regular(2, 3), exact=False)
for p in (2, -2, 1, -1, np.inf, "fro", "nuc"):
    case(np.linalg.cond, f"p {p}", lambda A, p=p: np.linalg.cond(A, p), regular(3, 3), exact=False)
case(np.linalg.cond, "stack 1", lambda A: np.linalg.cond(A, 1), regular(2, 2, 2), exact=False)


def with_real_eigenvalues(A):
    """A matrix that is not symmetric, with eigenvalues near 1, 2, 3."""
    n = np.shape(A)[-1]
    return np.diag(np.arange(1.0, n + 1)) + 0.1 * A


def _signed(V):
    """Columns whose largest entry is positive."""
    plain = constant(V)
    chosen = np.argmax(np.abs(plain), axis=-2, keepdims=True)
    return V * np.sign(np.take_along_axis(plain, chosen, -2))


for shape in ((3, 3), (2, 3, 3), (1, 1)):
    case(
        np.linalg.eig, f"{shape}",
        lambda A: (lambda y: flat([y.eigenvalues, _signed(y.eigenvectors)]))(
            np.linalg.eig(with_real_eigenvalues(A))
        ), any_(*shape),
    )  # fmt: skip
    case(
        np.linalg.eigvals, f"{shape}", lambda A: np.linalg.eigvals(with_real_eigenvalues(A)),
        any_(*shape), exact=False,
    )  # fmt: skip
    case(
        "eig", f"{shape}",
        lambda A: (lambda y: flat([y[..., 0, :], _signed(y[..., 1:, :])]))(
            call("eig", with_real_eigenvalues(A))
        ), any_(*shape),
    )  # fmt: skip
case(
    np.linalg.tensorinv, "two", lambda A: np.linalg.tensorinv(A.reshape(2, 2, 4)), regular(4, 4),
    exact=False,
)  # fmt: skip
case(
    np.linalg.tensorinv, "one", lambda A: np.linalg.tensorinv(A.reshape(4, 2, 2), ind=1),
    regular(4, 4), exact=False,
)  # fmt: skip
case(
    np.linalg.tensorsolve, "plain",
    lambda A, b: np.linalg.tensorsolve(A.reshape(2, 2, 4), b), regular(4, 4), any_(2, 2),
    exact=False,
)  # fmt: skip
case(
    np.linalg.tensorsolve, "axes",
    lambda A, b: np.linalg.tensorsolve(A.reshape(2, 4, 2), b, axes=(1,)), regular(4, 4), any_(2, 2),
    exact=False,
)  # fmt: skip
for label, f in {
    "lists": lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [2, 0]),
    "lists without a result": lambda a, b: np.einsum(a, [3, 1], b, [1, 2]),
    "lists with dots": lambda a, b: np.einsum(a, [..., 1], b, [1, 2], [..., 2]),
}.items():
    case(np.einsum, label, f, any_(2, 3), any_(3, 2))
case(np.fmod, "matrix", np.fmod, ("two and a half", (2, 2)), ("one", (2,)))
case(np.fmod, "negative", lambda a, b: np.fmod(-a, b), ("two and a half", (3,)), ("one", (1,)))
for label, x in (("vector", any_(3)), ("scalar", any_())):
    case(np.copysign, label, lambda x: np.copysign(x, -1.0), x)
    case(np.ldexp, label, lambda x: np.ldexp(x, 3), x)
    case(np.conjugate, label, np.conjugate, x)
case(np.copysign, "signs", lambda x: np.copysign(x, [-1.0, 2.0]) + x.conj(), any_(2))
