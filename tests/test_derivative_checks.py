"""Checks of derivatives: right ones are never accused, planted mistakes are found in place."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from scipy import special

from mcmodels import check_gradient, check_hessian
from mcmodels.differences import numerical_derivative, numerical_hessian

RNG = np.random.default_rng(0)
A5 = RNG.standard_normal((5, 5))
SPD5 = A5 @ A5.T + np.eye(5)
X30, Y30 = RNG.standard_normal((30, 5)), RNG.standard_normal(30)
LABELS = (Y30 > 0).astype(float)
FAR = np.array([1e-8, 1e-4, 1.0, 1e4, 1e8])
P5 = RNG.standard_normal(5)
P200 = RNG.standard_normal(200)
LS5 = np.linalg.lstsq(X30, Y30, rcond=None)[0]
HILBERT = 1.0 / (np.arange(4)[:, None] + np.arange(4) + 1)
W1, W2 = RNG.standard_normal((4, 5)), RNG.standard_normal(4)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_gradient(x):
    g = np.zeros_like(x)
    g[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    g[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return g


def network(x):
    return W2 @ np.tanh(W1 @ x)


def logistic(w):
    eta = X30 @ w
    return np.sum(np.logaddexp(0, eta) - LABELS * eta)


def loop(x):
    total = 1.0
    for value in x:
        total = total * math.cos(value) + value
    return total


def loop_gradient(x):
    g, total = np.zeros_like(x), 1.0
    for i, value in enumerate(x):
        g[:i] *= math.cos(value)
        g[i] = 1 - total * math.sin(value)
        total = total * math.cos(value) + value
    return g


def into_float(x):
    """An array of floats: the imaginary part is thrown away with no more than a warning."""
    kept = np.zeros(x.shape)
    kept[:] = x
    return np.sum(kept**3)


def without_complex(x):
    if np.iscomplexobj(x):
        raise RuntimeError("real numbers only")
    return np.sum(np.exp(x))


def sorted_weights(x):
    return np.sort(x) @ np.arange(x.size)


# name: (f, gradient, point); the gradient is what a careful user would write.
ZOO = {
    "quadratic": (lambda x: x @ A5 @ x, lambda x: (A5 + A5.T) @ x, P5),
    "linear": (lambda x: x @ P5, lambda x: P5, P5 + 1),
    "constant": (lambda x: 3.0, np.zeros_like, P5),
    "one of the entries": (lambda x: x[2] ** 3, lambda x: np.eye(5)[2] * 3 * x[2] ** 2, P5),
    "rosenbrock": (rosenbrock, rosenbrock_gradient, P5),
    "rosenbrock, 200": (rosenbrock, rosenbrock_gradient, P200),
    "sum of squares, 200": (lambda x: x @ x, lambda x: 2 * x, P200),
    "least squares": (
        lambda w: np.sum((X30 @ w - Y30) ** 2),
        lambda w: 2 * X30.T @ (X30 @ w - Y30),
        P5,
    ),
    "least squares at its minimum": (
        lambda w: np.sum((X30 @ w - Y30) ** 2),
        lambda w: 2 * X30.T @ (X30 @ w - Y30),
        LS5,
    ),
    "least squares without residuals": (
        lambda w: np.sum((X30 @ w - X30 @ P5) ** 2),
        lambda w: 2 * X30.T @ (X30 @ (w - P5)),
        P5,
    ),
    "logistic loss": (logistic, lambda w: X30.T @ (special.expit(X30 @ w) - LABELS), P5),
    "network": (network, lambda x: W1.T @ (W2 * (1 - np.tanh(W1 @ x) ** 2)), P5),
    "relu network, off its kinks": (
        lambda x: W2 @ np.maximum(W1 @ x, 0),
        lambda x: W1.T @ (W2 * (W1 @ x > 0)),
        P5,
    ),
    "logs of all sizes": (lambda x: np.sum(np.log(x)), lambda x: 1 / x, FAR),
    "powers of all sizes": (lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), FAR),
    "quadratic of all sizes": (lambda x: x @ SPD5 @ x, lambda x: 2 * SPD5 @ x, FAR),
    "scaled to all sizes": (
        lambda x: rosenbrock(x / FAR),
        lambda x: rosenbrock_gradient(x / FAR) / FAR,
        P5 * FAR,
    ),
    "large": (lambda x: 1e12 * np.sum(np.sin(x)), lambda x: 1e12 * np.cos(x), P5),
    "small": (lambda x: 1e-150 * np.sum(np.sin(x)), lambda x: 1e-150 * np.cos(x), P5),
    "beside a large constant": (lambda x: 1e6 + np.sum(np.sin(x)), np.cos, P5),
    "large terms that cancel": (
        lambda x: (1e8 + np.sum(x**2)) - 1e8,
        lambda x: 2 * x,
        P5,
    ),
    "swinging": (lambda x: np.sum(np.sin(50 * x)), lambda x: 50 * np.cos(50 * x), P5),
    "swinging fast": (lambda x: np.sum(np.sin(1e4 * x)), lambda x: 1e4 * np.cos(1e4 * x), P5),
    "stiff": (lambda x: np.sum(np.exp(40 * x)), lambda x: 40 * np.exp(40 * x), P5),
    "steep decay": (lambda x: np.exp(-20 * x @ x), lambda x: -40 * x * np.exp(-20 * x @ x), P5),
    "softmax": (special.logsumexp, special.softmax, 30 * P5),
    "log of a softmax, its own code": (
        lambda x: np.log(np.sum(np.exp(x - x.max()))) + x.max(),
        special.softmax,
        P5,
    ),
    "beside a pole": (lambda x: np.sum(1 / (1 - x)), lambda x: (1 - x) ** -2, np.array([0.999, 2])),
    "beside the end of the domain": (
        lambda x: -np.sum(np.log(1 - x)),
        lambda x: 1 / (1 - x),
        np.array([0.9999, 0.5]),
    ),
    "single precision inside": (
        lambda x: float(np.float32(np.sum(np.sin(x)))),
        np.cos,
        P5,
    ),
    "single precision all through": (
        lambda x: np.sum(x.astype(np.float32) ** 2),
        lambda x: 2 * x.astype(np.float32),
        P5,
    ),
    "noisy": (lambda x: x @ x + 1e-9 * np.sin(1e15 * x.sum()), lambda x: 2 * x, P5),
    "absolute values": (lambda x: np.sum(np.abs(x)), np.sign, P5),
    "a norm": (np.linalg.norm, lambda x: x / np.linalg.norm(x), P5),
    "near a kink": (
        lambda x: np.sum(np.abs(x - 1)),
        lambda x: np.sign(x - 1),
        np.array([1 + 1e-5, 1 - 1e-4, 3]),
    ),
    "near a kink of a maximum": (
        lambda x: np.sum(np.maximum(x, 0) ** 2 + np.maximum(x, 0)),
        lambda x: np.where(x > 0, 2 * x + 1, 0.0),
        np.array([1e-4, -1e-4, 3]),
    ),
    "a smooth square at its kink": (
        lambda x: np.sum(x * np.abs(x)),
        lambda x: 2 * np.abs(x),
        np.array([0.0, 1.0, -2.0]),
    ),
    "conjugates": (lambda x: np.vdot(x, x), lambda x: 2 * x, P5),
    "real parts": (lambda x: np.sum(np.real(x) ** 3), lambda x: 3 * x**2, P5),
    "conjugates in part": (
        lambda x: np.sum(np.exp(x)) + 1e-4 * np.sum(np.abs(x) ** 2),
        lambda x: np.exp(x) + 2e-4 * x,
        P5,
    ),
    "imaginary parts thrown away": (into_float, lambda x: 3 * x**2, P5),
    "no complex numbers": (without_complex, np.exp, P5),
    "math functions": (loop, loop_gradient, P5),
    "a ufunc without complex numbers": (
        lambda x: np.sum(special.gammaln(x)),
        special.digamma,
        np.array([0.5, 3.0, 20.0]),
    ),
    "sorted": (sorted_weights, lambda x: np.argsort(np.argsort(x)).astype(float), P5),
    "comparisons": (
        lambda x: np.sum(np.where(x > 0.1, x**2, 0.2 * x)),
        lambda x: np.where(x > 0.1, 2 * x, 0.2),
        P5,
    ),
    "logdet": (lambda X: np.linalg.slogdet(X)[1], lambda X: np.linalg.inv(X).T, A5),
    "det": (np.linalg.det, lambda X: np.linalg.det(X) * np.linalg.inv(X).T, A5),
    "trace of an inverse": (
        lambda X: np.trace(np.linalg.inv(X)),
        lambda X: -np.linalg.inv(X @ X).T,
        SPD5,
    ),
    "logdet, ill-conditioned": (
        lambda X: np.linalg.slogdet(X)[1],
        lambda X: np.linalg.inv(X).T,
        HILBERT,
    ),
    "a matrix of one row": (lambda X: np.sum(X**3), lambda X: 3 * X**2, P5[None, :]),
    "three axes": (
        lambda T: np.einsum("ijk,ijk,k->", T, T, P5[:4]),
        lambda T: 2 * T * P5[:4],
        RNG.standard_normal((2, 3, 4)),
    ),
    "a number": (lambda t: np.exp(np.sin(t)), lambda t: np.exp(np.sin(t)) * np.cos(t), 0.7),
    "a vector of one": (lambda x: x[0] ** 5, lambda x: 5 * x**4, [1.3]),
    "zeros": (lambda x: np.sum(np.exp(x) * x), lambda x: np.exp(x) * (1 + x), np.zeros(4)),
    "some zeros": (
        lambda x: np.sum(np.sin(x + 1)),
        lambda x: np.cos(x + 1),
        np.array([0.0, 1.0, 0.0, 100.0]),
    ),
    "tiny beside large": (
        lambda x: np.sin(3 * x[0]) + x[1],
        lambda x: np.array([3 * np.cos(3 * x[0]), 1.0]),
        np.array([1e-17, 1.0]),
    ),
    "a Jacobian": (lambda x: A5 @ np.sin(x), lambda x: A5 * np.cos(x), P5),
    "a Jacobian without complex numbers": (
        lambda x: np.abs(A5 @ x),
        lambda x: np.sign(A5 @ x)[:, None] * A5,
        P5,
    ),
}  # fmt: skip

# The imaginary part is lost, faked or refused.
BY_DIFFERENCES = {
    "logistic loss", "logdet", "logdet, ill-conditioned", "single precision inside",
    "single precision all through", "noisy", "absolute values", "a norm", "near a kink",
    "a smooth square at its kink", "conjugates", "real parts", "conjugates in part",
    "imaginary parts thrown away", "no complex numbers", "math functions",
    "a ufunc without complex numbers", "a Jacobian without complex numbers",
}  # fmt: skip
# All is 0 within rounding: nothing confirms the complex step, and no mistake can be seen.
FLAT = {"constant", "least squares at its minimum", "least squares without residuals"}


@pytest.mark.parametrize("name", ZOO)
def test_right_gradients_are_not_accused(name):
    f, gradient, x = ZOO[name]
    check = check_gradient(f, gradient, x)
    assert check, check
    assert check.correct
    assert check.diagnosis is None
    by_differences = name in BY_DIFFERENCES | FLAT
    assert check.method == ("differences" if by_differences else "complex step")
    assert ("nearly 0" in check.note) == (name in FLAT)
    assert check_gradient(f, gradient(np.asarray(x, dtype=float)), x), "as an array"


@pytest.mark.parametrize("name", sorted(set(ZOO) - FLAT))
def test_factors_are_caught_and_named(name):
    f, gradient, x = ZOO[name]
    for factor in (1.0005, 1 - 0.0005, 2, 0.5, -1, 0):  # 2.001 for 2 first
        check = check_gradient(f, lambda x, c=factor: c * gradient(x), x)
        assert not check, (factor, check)
        assert abs(check.claimed - check.numerical) > check.numerical_error
        # The error is relative to the numerical value, which single precision knows to 2e-4 at the
        # worst entry: half of 5e-4, and less than a hundredth of the others.
        assert check.error == pytest.approx(abs(factor - 1), rel=0.5 if factor > 0.9 else 1e-2)
        if factor in (2, 0.5, -1):
            assert check.diagnosis.mistake == "factor"


@pytest.mark.parametrize("name", sorted(set(ZOO) - FLAT))
def test_one_entry_off_by_a_thousandth_is_found_however_small(name):
    f, gradient, x = ZOO[name]
    right = np.asarray(gradient(np.asarray(x, dtype=float)), dtype=float)
    unseen = 0
    for index in list(np.ndindex(right.shape))[:6]:
        claimed = right.copy()
        claimed[index] = claimed[index] * 1.001 if claimed[index] else 1e-3 * np.abs(right).max()
        check = check_gradient(f, claimed, x)
        if check:
            unseen += 1
            assert "cannot be judged to three digits" in check.note
            continue
        assert check.worst == index
        assert check.claimed == claimed[index]
        assert check.numerical == pytest.approx(right[index], rel=5e-4, abs=check.numerical_error)
    # Values of e⁴⁰ beside 1 and probabilities of 1e-16 are below the rounding of f; of squares in
    # single precision the smallest is known to 3e-3 only.
    assert unseen <= {"stiff": 4, "softmax": 4, "single precision all through": 1}.get(name, 0)


def test_mistakes_are_diagnosed():
    f, gradient, x = ZOO["least squares"]
    right = gradient(x)
    check = check_gradient(f, right / 2, x)
    assert check.diagnosis.explanation == "the factor 2 is missing"
    check = check_gradient(f, right + 2 * x, x)  # the term of a penalty that f has not
    assert check.diagnosis.mistake == "unknown"
    check = check_gradient(f, right * [1, 1, -1, 1, 1], x)
    assert check.worst == (2,)
    assert "entry 2: the sign is turned there" in check.diagnosis.explanation
    assert check.error == pytest.approx(2)
    f, gradient, X = ZOO["logdet"]
    check = check_gradient(f, lambda X: np.linalg.inv(X), X)
    assert check.diagnosis.mistake == "transposed layout"
    check = check_gradient(ZOO["a Jacobian"][0], lambda x: (A5 * np.cos(x)).T, P5)
    assert check.diagnosis.mistake == "transposed layout"
    dropped = check_gradient(lambda x: x @ A5 @ x + np.sum(x), lambda x: (A5 + A5.T) @ x, P5)
    assert not dropped
    constant = check_gradient(
        lambda x: np.sum(np.exp(-(x**2) / 2)) * 0.3989423,  # 1/√2π to seven digits
        lambda x: -x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
        P5,
    )
    assert constant.diagnosis.mistake == "inexact"
    assert "it is right to 5e-08 and no better" in str(constant)
    assert check_gradient(
        lambda x: np.sum(np.exp(-(x**2) / 2)) * 0.3989423,
        lambda x: -x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
        P5,
        rtol=1e-6,
    )


def test_wrong_shapes_and_values_are_diagnosed_not_raised():
    f, gradient, x = ZOO["quadratic"]
    for claimed, words in (
        (lambda x: gradient(x)[:, None], "a column of two dimensions"),
        (lambda x: gradient(x).sum(), "the entries are summed"),
        (np.ones((2, 2)), "of shape (2, 2)"),
    ):
        check = check_gradient(f, claimed, x)
        assert not check
        assert check.worst is None
        assert check.error == np.inf
        assert np.isnan([check.claimed, check.numerical, check.numerical_error]).all()
        assert words in str(check)
    check = check_gradient(f, lambda x: np.where(x == x[3], np.nan, gradient(x)), x)
    assert not check
    assert (check.worst, check.error, check.diagnosis.mistake) == ((3,), np.inf, "not finite")


def test_the_report_reads_well():
    check = check_gradient(lambda x: x @ x, lambda x: np.array([2.0, 8.0]), [1.0, 2.0])
    assert check.worst == (1,)
    assert repr(check) == str(check)
    first, second, third = str(check).splitlines()
    assert first.startswith("gradient wrong: relative error 1 at [1]: claimed 8, numerical 4 ± ")
    assert first.endswith("(complex step)")
    assert second == (
        "  wrong entries: only entry 1; the other entries are right. The worst is [1]: claimed 8, "
        "right 4"
    )
    assert third == "  remedy: look at these entries"
    close = check_gradient(lambda x: x @ x, lambda x: 2 * x * (1 + 1e-7), [1.0, 2.0])
    assert "claimed 4.0000004, numerical 4 ±" in str(close)


def test_claims_in_single_precision_are_judged_by_it():
    f, gradient, x = ZOO["network"]
    assert check_gradient(f, lambda x: gradient(x).astype(np.float32), x)
    assert not check_gradient(f, lambda x: (1.0005 * gradient(x)).astype(np.float32), x)
    assert not check_gradient(f, lambda x: gradient(x).astype(np.float32).astype(float), x)


def test_what_cannot_be_checked_is_refused():
    f, gradient, x = ZOO["quadratic"]
    with pytest.raises(ValueError, match="finite real numbers"):
        check_gradient(f, gradient, x + 1j)
    with pytest.raises(ValueError, match="finite real numbers"):
        check_gradient(f, gradient, [1.0, np.nan])
    with pytest.raises(ValueError, match=r"f must be finite and real at x; found .*inf"):
        check_gradient(lambda x: np.inf, gradient, x)
    with pytest.raises(ValueError, match="f must be finite and real at x"):
        check_gradient(lambda x: 1j, gradient, x)
    with pytest.raises(ValueError, match=r"f could not be called .*no such thing"):
        check_gradient(lambda x: (_ for _ in ()).throw(KeyError("no such thing")), gradient, x)
    with pytest.raises(ValueError, match=r"grad could not be called at x: .*no such thing"):
        check_gradient(f, lambda x: {}["no such thing"], x)
    with pytest.raises(TypeError, match="grad must be an array of real numbers"):
        check_gradient(f, lambda x: 1j * x, x)
    with pytest.raises(TypeError, match="f must be a function"):
        check_gradient(3, gradient, x)
    for rtol in (-1, np.inf, "small"):
        with pytest.raises(ValueError, match="rtol must be"):
            check_gradient(f, gradient, x, rtol=rtol)
    noise = np.random.default_rng(1)
    with pytest.raises(ValueError, match="not good enough here"):
        check_gradient(lambda x: f(x) + noise.standard_normal(), gradient, x)


def huber(x):
    return np.sum(np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5))


def test_kinks_are_refused_and_only_they():
    with pytest.raises(ValueError, match=r"x\[1\] = 0 its slope is 0 on one side and 1 on the oth"):
        check_gradient(lambda x: np.sum(np.maximum(x, 0)), np.sign, [1.0, 0.0])
    with pytest.raises(ValueError, match=r"kink at x: by x = 0 its slope is -1 on one side and 1"):
        check_gradient(abs, np.sign, 0.0)
    with pytest.raises(ValueError, match=r"slope of f has a kink .*x\[0\] = 1 its second deriv"):
        check_hessian(huber, lambda x: np.eye(2), [1.0, 0.5])
    with pytest.raises(ValueError, match=r"grad has a kink at x: by x\[0\] = 1"):
        check_hessian(huber, np.eye(2), [1.0, 0.5], grad=lambda x: np.clip(x, -1, 1))
    for near in (1e-3, 1e-4, -1e-3):
        x = np.array([1 + near, 0.5])
        assert check_gradient(huber, lambda x: np.clip(x, -1, 1), x)
        assert check_hessian(huber, lambda x: np.diag((np.abs(x) < 1) * 1.0), x)


@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_right_gradient_beside_a_kink_is_not_accused(size, side):
    correct = refused = 0
    for distance in np.logspace(-12, -1, 67):
        kink = size * (1 - side * distance)

        def f(x, kink=kink):
            return np.maximum(x[0] - kink, 0) + x[1] ** 2

        try:
            assert check_gradient(f, np.array([float(side > 0), 2.0]), [size, 1.0])
            correct += 1
        except ValueError:
            refused += 1
    assert min(correct, refused) > 10  # far from the kink, and at it


def numpy_or_mpmath(m):
    """Functions of three numbers, in either's functions, and where their arguments are drawn."""
    return {
        "log": (lambda x: sum(m.log(t) for t in x), 0.01, 5),
        "exp": (lambda x: sum(m.exp(t) for t in x), -3, 3),
        "sines": (lambda x: m.sin(x[0] * x[1]) + m.cos(7 * x[2]), -3, 3),
        "swinging": (lambda x: m.sin(100 * x[0]) * m.cos(30 * x[1]) + x[2], -3, 3),
        "ratio": (lambda x: x[0] / (1 + x[1] ** 2 + x[2] ** 2), -3, 3),
        "bell": (lambda x: m.exp(-(x[0] ** 2) - x[1] ** 2 - x[2] ** 2), -3, 3),
        "stiff": (lambda x: m.exp(20 * x[0]) + m.exp(-20 * x[1]) + x[2] ** 2, -1, 1),
        "tanh": (lambda x: m.tanh(x[0] + 2 * x[1] - x[2]), -3, 3),
        "cancelling": (lambda x: m.exp(x[0]) - 1 - x[0] + x[1] * x[2], -0.01, 0.01),
        "log of a sum": (lambda x: m.log(m.exp(x[0]) + m.exp(x[1]) + m.exp(x[2])), -10, 10),
        "constant": (lambda x: 1e5 + m.sin(x[0]) + m.cos(x[1]) * x[2], -3, 3),
        "powers": (lambda x: x[0] ** 2.5 * x[1] ** -1.5 + x[2] ** 0.3, 0.1, 4),
        "polynomial": (lambda x: x[0] ** 7 - 3 * x[1] ** 5 * x[2] + 2, -3, 3),
        "pole": (lambda x: 1 / (1.0001 - x[0]) + x[1] * x[2], 0.9, 1),
        "scales": (lambda x: m.sin(x[0] * 1e-6) + m.exp(x[1] * 1e-3) * x[2], -1000, 1000),
    }


def without_complex_numbers(f):
    def real(x):
        assert not np.iscomplexobj(x)
        return f(x)

    return real


@pytest.mark.parametrize("name", numpy_or_mpmath(np))
def test_the_numerical_error_is_never_understated(name):
    f, low, high = numpy_or_mpmath(np)[name]
    exact, _, _ = numpy_or_mpmath(mpmath)[name]
    rng = np.random.default_rng(5)
    for _ in range(4):
        x = rng.uniform(low, high, 3)
        gradient, H = np.empty(3, object), np.empty((3, 3), object)
        with mpmath.workdps(40):
            point = tuple(mpmath.mpf(t) for t in x)
            for i in range(3):
                orders = [int(i == k) for k in range(3)]
                gradient[i] = mpmath.diff(lambda *x: exact(x), point, orders)
                for j in range(3):
                    orders = [int(i == k) + int(j == k) for k in range(3)]
                    H[i, j] = mpmath.diff(lambda *x: exact(x), point, orders)
        for g in (f, without_complex_numbers(f)):
            value = np.asarray(g(x))
            for found, right in (
                (numerical_derivative(g, x, value), gradient),
                (numerical_hessian(g, x, value), H),
            ):
                assert ("complex" in found.method) == (g is f)
                for index in np.ndindex(right.shape):
                    error = float(abs(mpmath.mpf(found.derivative[index]) - right[index]))
                    assert error <= found.error[index]


def test_the_complex_step_is_exact_to_rounding():
    x = np.array([0.3, 1.7, 40.0])
    check = check_gradient(lambda x: np.sum(np.sin(x) * np.sqrt(x)), np.zeros(3), x)
    right = np.cos(x) * np.sqrt(x) + np.sin(x) / (2 * np.sqrt(x))
    # The point itself is known to 2.2e-16, which the second derivative times x = 40 magnifies.
    assert np.abs(check.gradient / right - 1).max() < 1e-14
    assert check.numerical_error < 1e-12


def logdet_hessian(X):
    inverse = np.linalg.inv(X)
    return -np.einsum("jk,li->ijkl", inverse, inverse)


def logistic_hessian(w):
    p = special.expit(X30 @ w)
    return X30.T @ (X30 * (p * (1 - p))[:, None])


def rosenbrock_hessian(x):
    H = np.diag(-400 * x[:-1], 1)
    H += H.T
    H[range(4), range(4)] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    H[range(1, 5), range(1, 5)] += 200
    return H


def network_hessian(x):
    t = np.tanh(W1 @ x)
    return W1.T @ ((-2 * W2 * t * (1 - t**2))[:, None] * W1)


# name: (f, gradient, Hessian, point)
SECOND = {
    "quadratic": (*ZOO["quadratic"][:2], lambda x: A5 + A5.T, P5),
    "linear": (*ZOO["linear"][:2], lambda x: np.zeros((5, 5)), P5),
    "least squares": (*ZOO["least squares"][:2], lambda w: 2 * X30.T @ X30, P5),
    "least squares at its minimum": (*ZOO["least squares"][:2], lambda w: 2 * X30.T @ X30, LS5),
    "logistic loss": (*ZOO["logistic loss"][:2], logistic_hessian, P5),
    "rosenbrock": (rosenbrock, rosenbrock_gradient, rosenbrock_hessian, P5),
    "network": (*ZOO["network"][:2], network_hessian, P5),
    "logs of all sizes": (*ZOO["logs of all sizes"][:2], lambda x: np.diag(-1 / x**2), FAR),
    "scaled to all sizes": (
        *ZOO["scaled to all sizes"][:2],
        lambda x: rosenbrock_hessian(x / FAR) / np.outer(FAR, FAR),
        P5 * FAR,
    ),
    "large": (*ZOO["large"][:2], lambda x: -1e12 * np.diag(np.sin(x)), P5),
    "beside a large constant": (
        lambda x: 1e4 + np.sum(np.sin(x)),
        np.cos,
        lambda x: -np.diag(np.sin(x)),
        P5,
    ),
    "swinging": (*ZOO["swinging"][:2], lambda x: -2500 * np.diag(np.sin(50 * x)), P5),
    "conjugates": (*ZOO["conjugates"][:2], lambda x: 2 * np.eye(5), P5),
    "conjugates about their zero": (
        lambda x: np.vdot(x - P5, x - P5),
        lambda x: 2 * (x - P5),
        lambda x: 2 * np.eye(5),
        P5,
    ),
    "absolute values": (*ZOO["absolute values"][:2], lambda x: np.zeros((5, 5)), P5),
    "no complex numbers": (*ZOO["no complex numbers"][:2], lambda x: np.diag(np.exp(x)), P5),
    "logdet, over X twice": (*ZOO["logdet"][:2], logdet_hessian, SPD5[:3, :3]),
    "logdet, over its entries": (
        *ZOO["logdet"][:2],
        lambda X: logdet_hessian(X).reshape(9, 9),
        SPD5[:3, :3],
    ),
    "a number": (lambda t: t**4, lambda t: 4 * t**3, lambda t: 12 * t**2, 1.5),
    "a number, as a matrix": (np.exp, np.exp, lambda t: np.exp([[t]]), 1.5),
    "a vector of one": (lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: [12 * x**2], [2]),
    "zeros": (
        lambda x: np.prod(1 + x),
        lambda x: np.prod(1 + x) / (1 + x),
        lambda x: np.prod(1 + x) * (1 - np.eye(4)) / np.outer(1 + x, 1 + x),
        np.zeros(4),
    ),
}  # fmt: skip


# Without a gradient each entry is a second difference of values, which takes long at all sizes.
SLOW = {"logs of all sizes", "conjugates about their zero", "scaled to all sizes"}


def names_and_gradients():
    for name, with_gradient in itertools.product(SECOND, [True, False]):
        is_slow = name in SLOW and not with_gradient
        yield pytest.param(name, with_gradient, marks=[pytest.mark.slow] if is_slow else [])


@pytest.mark.parametrize(("name", "with_gradient"), list(names_and_gradients()))
def test_hessians(name, with_gradient):
    f, gradient, hessian, x = SECOND[name]
    grad = gradient if with_gradient else None
    check = check_hessian(f, hessian, x, grad=grad)
    assert check, check
    right = np.asarray(hessian(np.asarray(x, dtype=float)), dtype=float)
    assert check.hessian.shape == right.shape
    assert check.asymmetry <= 1e-8
    assert "symmetric" not in check.note
    if "zero" not in check.note:
        for factor in (1.0005, 2, -1):
            assert bool(check_hessian(f, factor * right, x, grad=grad)) == (not right.any())
    scale = np.abs(right).max() or 1.0
    unseen = 0
    for index in list(np.ndindex(right.shape))[:: max(1, right.size // 6)]:
        claimed = right.copy()
        claimed[index] += 1e-3 * (abs(claimed[index]) or scale)
        check = check_hessian(f, claimed, x, grad=grad)
        if check:
            unseen += 1
            assert "cannot be judged to three digits" in check.note
        else:
            assert check.worst == index
    assert unseen == 0


def test_mistakes_of_hessians():
    f, gradient, hessian, x = SECOND["network"]
    right = hessian(x)
    for grad in (gradient, None):
        check = check_hessian(f, np.triu(right), x, grad=grad)
        assert "only the entries below the diagonal: 0 stands there" in str(check)
        assert "the claim is not symmetric: [" in check.note
        assert check.asymmetry > 0.1
        assert "it is only the diagonal" in str(check_hessian(f, np.diag(right), x, grad=grad))
        assert check_hessian(f, -right, x, grad=grad).diagnosis.mistake == "factor"
        changed = right.copy()
        changed[1, 3] = changed[3, 1] = 1.01 * changed[1, 3]
        check = check_hessian(f, changed, x, grad=grad)
        assert check.worst in [(1, 3), (3, 1)]
        assert check.asymmetry < 1e-15
        assert np.isnan(check_hessian(f, np.ones(3), x, grad=grad).asymmetry)

    # Gauss-Newton leaves out the second derivatives of the residuals.
    def residuals(x):
        return np.tanh(W1 @ x) - 1

    def loss(x):
        return np.sum(residuals(x) ** 2)

    J = (1 - np.tanh(W1 @ x) ** 2)[:, None] * W1
    check = check_hessian(loss, 2 * J.T @ J, x)
    assert not check
    assert check.asymmetry < 1e-15
    with pytest.raises(ValueError, match=r"grad is not the gradient of f.*\n.*extra factor 2"):
        check_hessian(f, hessian, x, grad=lambda x: 2 * gradient(x))
    with pytest.raises(TypeError, match="grad must be a function of x"):
        check_hessian(f, hessian, x, grad=gradient(x))
    with pytest.raises(ValueError, match="f must be scalar"):
        check_hessian(np.sin, hessian, x)


def test_what_is_behind_a_mask_is_not_read():
    def f(x):
        return np.sum(x**2)

    x, masked = np.array([1.0, 2.0, 3.0]), np.ma.array([2.0, 4.0, 6.0], mask=[0, 1, 0])
    hessian = np.ma.array(2 * np.eye(3), mask=np.eye(3))
    for check, claim in ((check_gradient, masked), (check_hessian, hessian)):
        whole = np.ma.array(np.asarray(claim))
        assert check(f, whole, np.ma.array(x))
        assert check(f, lambda _, w=whole: w, x)
        name = "grad" if check is check_gradient else "hessian"
        for given in (claim, lambda _, c=claim: c):
            with pytest.raises(ValueError, match=f"{name} is a masked array"):
                check(f, given, x)
        with pytest.raises(ValueError, match="x has masked entries"):
            check(f, whole, np.ma.array(x, mask=[0, 0, 1]))
        with pytest.raises(ValueError, match="what f returns has masked entries"):
            check(lambda x: np.ma.array(f(x), mask=True), whole, x)


def test_the_symmetric_gradient_of_a_function_of_one_triangle_is_right():
    """LAPACK reads one triangle; the gradient along symmetric directions is symmetric."""
    from mcmodels.autodiff import grad

    A = np.array([[2.0, 0.3, -0.4], [0.3, 1.0, 0.2], [-0.4, 0.2, 3.0]])
    weights = np.array([1.0, 2.0, -1.0])
    for f in (
        lambda A: np.sum(weights * np.linalg.eigvalsh(A)),
        lambda A: np.sum(weights * np.linalg.eigvalsh(A, "U")),
        lambda A: np.sum(weights * np.diagonal(np.linalg.cholesky(A))),
    ):
        found = check_gradient(f, grad(f), A)
        assert found.correct
        assert "one triangle" in found.note
        np.testing.assert_allclose(found.gradient, found.gradient.T)
        one = np.tril if f(np.tril(A)) == f(A) else np.triu
        entries = one(2 * grad(f)(A)) - np.diag(np.diag(grad(f)(A)))
        assert check_gradient(f, entries, A).note == ""  # by the entries it is right as well
        assert not check_gradient(f, 1.001 * grad(f)(A), A).correct
        assert not check_gradient(f, entries.T, A).correct
        assert not check_gradient(f, grad(f)(A), A + np.triu(np.full((3, 3), 0.01), 1)).correct


def test_a_function_of_all_entries_has_no_other_gradient():
    C, A = np.array([[1.0, 2.0], [0.5, 3.0]]), np.array([[2.0, 0.3], [0.3, 1.0]])
    assert not check_gradient(lambda A: np.sum(C * A), 0.5 * (C + C.T), A).correct
