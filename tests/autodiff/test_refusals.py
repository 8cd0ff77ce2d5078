"""Whatever would lose a derivative raises an error that names what lost it; nothing is silent."""

from __future__ import annotations

import copy
import decimal
import functools
import json
import math
import operator
import pickle
import statistics

import numpy as np
import pandas as pd
import pytest
import scipy.fft
import scipy.interpolate
import scipy.linalg
import scipy.optimize
import scipy.sparse
import scipy.special
import scipy.stats
import sklearn.metrics

from mcmodels.autodiff import NoRuleError, constant, grad, jacobian, jvp, special, vjp
from mcmodels.autodiff.tables import FUNCTIONS, NOT_DIFFERENTIATED, RULES, STEPS

X = np.array([0.3, 1.2, 0.7])
MATRIX = np.array([[2.0, 0.3], [0.1, 1.5]])
SPARSE = scipy.sparse.csr_array(np.eye(3))


def assigned(x):
    buffer = np.zeros(3)
    buffer[0] = x[0]
    return np.sum(buffer)


def assigned_slice(x):
    buffer = np.zeros(3)
    buffer[:] = x
    return np.sum(buffer)


def assigned_by_mask(x):
    buffer = np.zeros(3)
    buffer[x > 0] = x
    return np.sum(buffer)


def added_in_place(x):
    buffer = np.zeros(3)
    buffer += x
    return np.sum(buffer)


def filled(x):
    buffer = np.zeros(3)
    buffer.fill(x[0])
    return np.sum(buffer)


def assigned_to_traced(x):
    x[0] = 1.0
    return np.sum(x)


def shaped(x):
    x.shape = (3, 1)
    return np.sum(x)


def of_a_frame(x):
    frame = pd.DataFrame({"a": np.zeros(3)})
    frame["a"] = x
    return frame["a"].sum()


def item(name, *args):
    return lambda x: getattr(x, name)(*args)


# What loses the trace, and what the message must say.
LOSERS = {
    "float": (lambda x: float(x[0]), "float"),
    "int": (lambda x: int(x[0]), "int"),
    "complex": (lambda x: complex(x[0]), "float"),
    "index": (lambda x: operator.index(x[0]), "float"),
    "range": (lambda x: sum(range(x[0])), "float"),
    "math.exp": (lambda x: math.exp(x[0]), "math"),
    "math.sqrt": (lambda x: math.sqrt(x[0]), "math"),
    "math.floor": (lambda x: math.floor(x[0]), "math"),
    "math.isclose": (lambda x: math.isclose(x[0], 1.0) * 1.0, "math"),
    "math.fsum": (lambda x: math.fsum(x), "math"),
    "math.hypot": (lambda x: math.hypot(x[0], x[1]), "math"),
    "math.dist": (lambda x: math.dist(x, x), "math"),
    "math.pow": (lambda x: math.pow(x[0], 2), "math"),
    "percent format": (lambda x: float("%.3f" % x[0]), "float"),  # noqa: UP031
    "statistics": (lambda x: statistics.mean(x), ""),
    "decimal": (lambda x: float(decimal.Decimal(x[0])), ""),
    "asarray": (lambda x: np.sum(np.asarray(x)), "plain array"),
    "array": (lambda x: np.sum(np.array(x)), "plain array"),
    "array of type": (lambda x: np.sum(np.array([x[0], x[1]], dtype=float)), ""),
    "asarray of type": (lambda x: np.sum(np.asarray(x[0], dtype=float)), ""),
    "array of arrays": (lambda x: np.sum(np.array([x, x])), "plain array"),
    "astype of objects": (lambda x: np.sum(np.array([x[0], x[1]]).astype(float)), ""),
    "ascontiguousarray": (lambda x: np.sum(np.ascontiguousarray(x)), "plain array"),
    "float64": (lambda x: np.float64(x[0]) * 1.0, ""),
    "fromiter": (lambda x: np.sum(np.fromiter(x, float)), ""),
    "matrix": (lambda x: np.sum(np.matrix(x)), "plain array"),
    "masked": (lambda x: np.sum(np.ma.array(x)), "plain array"),
    "vectorize": (lambda x: np.sum(np.vectorize(lambda t: t * t)(x)), ""),
    "frompyfunc": (lambda x: np.sum(np.frompyfunc(lambda t: t * t, 1, 1)(x)), "no rule"),
    "assignment": (assigned, ""),
    "assignment of a slice": (assigned_slice, "assignment"),
    "assignment by a mask": (assigned_by_mask, "assignment"),
    "in place": (added_in_place, "numpy.add with out="),
    "fill": (filled, ""),
    "to a traced array": (assigned_to_traced, "assignment"),
    "shape": (shaped, "shape"),
    "copyto": (lambda x: np.copyto(np.zeros(3), x), "numpy.copyto"),
    "put": (lambda x: np.put(np.zeros(3), [0, 1, 2], x), "put"),
    "fill_diagonal": (lambda x: np.fill_diagonal(np.eye(3), x), ""),
    "tobytes": (item("tobytes"), "ndarray.tobytes"),
    "view": (item("view", float), "ndarray.view"),
    "round method": (item("round"), "numpy.round is constant"),
    "sort method": (item("sort"), "ndarray.sort"),
    "round": (lambda x: round(x[0]), "numpy.round is constant"),
    "divmod": (lambda x: divmod(x[0], 2.0)[1], "numpy.floor_divide is constant"),
    "floor division": (lambda x: np.sum(x // 0.2), "floor_divide"),
    "reflected floor division": (lambda x: np.sum(2.0 // x), "floor_divide"),
    "astype int": (lambda x: np.sum(x.astype(int)), "astype"),
    "complex result": (lambda x: np.sum(x.astype(complex)), "returned complex"),
    "astype of complex": (lambda x: np.sum(np.exp(1j * x).astype(float)), "np.real"),
    "pickle": (lambda x: np.sum(pickle.loads(pickle.dumps(x))), "pickle"),
    "json": (lambda x: json.dumps(x), "JSON"),
    "hash": (lambda x: len({x[0]}) * 1.0, "hash"),
    "cache": (lambda x: functools.lru_cache(lambda t: t * t)(x[0]), "hash"),
    "out": (lambda x: np.exp(x, out=np.zeros(3)), "numpy.exp with out="),
    "out of a function": (lambda x: np.sum(x, axis=0, out=np.zeros(())), "numpy.sum with out="),
    "out by position": (lambda x: np.sum(x, 0, None, np.zeros(())), "numpy.sum with out="),
    "where": (lambda x: np.exp(x, where=X > 0.5), "numpy.exp with where="),
    "dtype by position": (lambda x: np.sum(x, 0, np.float32), "numpy.sum with dtype="),
    "returned by position": (lambda x: np.average(x, 0, X, True), "numpy.average with returned="),
    "at": (lambda x: np.add.at(np.zeros(3), [0, 1, 2], x), "numpy.add.at"),
    "complex product": (lambda x: np.matmul(x, np.ones(3) * 1j), "complex"),
    "median of complex numbers": (lambda x: np.median(np.exp(1j * x)), "numpy.median"),
    "least squares of a complex matrix": (
        lambda x: np.real(np.linalg.lstsq(np.outer(x, x) * 1j, x)[0][0]),
        "numpy.linalg.lstsq",
    ),
    "complex maximum": (lambda x: np.real(np.maximum(x * 1j, 0.1)[0]), "maximum"),
    "complex factor": (lambda x: np.linalg.qr(np.outer(x, x * 1j))[1][0, 0], "numpy.linalg.qr"),
    "objects": (lambda x: np.sum(x * np.array(["a", 1, None], dtype=object)), "objects"),
    "strings": (lambda x: x + "text", ""),
    "hfft": (lambda x: np.sum(np.fft.hfft(x)), "numpy.fft.hfft"),
    "scipy.fft": (lambda x: np.sum(np.abs(scipy.fft.fft(x))), "scipy.fft"),
    "accumulate out": (lambda x: np.add.accumulate(x, out=X), "numpy.add.accumulate with out="),
    "reduce initial": (
        lambda x: np.hypot.reduce(x, initial=1.0),
        "numpy.hypot.reduce with initial=",
    ),
    "outer of a step": (lambda x: np.sum(np.floor_divide.outer(x, x)), "numpy.floor_divide"),
    "unique": (lambda x: np.sum(np.unique(x)), "numpy.unique has no derivative: it leaves out"),
    "histogram": (
        lambda x: np.histogram(x)[0][0] * 1.0,
        "numpy.histogram has no derivative: it coun",
    ),
    "histogram edges": (lambda x: np.histogram_bin_edges(x)[0], "np.linspace(np.min(x)"),
    "array of a list of arrays": (lambda x: np.sum(np.asarray([x, x])), "plain array"),
    "interp of a list": (lambda x: np.interp(0.4, [0.0, 1.0], [x[0], x[1]]), "numpy.interp"),
    "matrix of a list": (
        lambda x: np.linalg.det([[x[0], x[1]], [1.0, 2.0]]),
        "numpy.linalg.det",
    ),
    "complete qr": (
        lambda x: np.linalg.qr(np.outer(x, x)[:, :1], "complete")[0][0, 0],
        "'complete'",
    ),
    "raw qr": (lambda x: np.sum(np.linalg.qr(np.outer(x, x), "raw")[0]), "mode='raw'"),
    "rank cut": (
        lambda x: np.sum(np.linalg.pinv(np.diag(x), 0.5)),
        "pinv of a matrix without full",
    ),
    "rank of qr": (lambda x: np.sum(np.linalg.qr(np.outer(x, x))[0]), "columns depend"),
    "complex eigenvalues of eigvals": (
        lambda x: np.sum(np.linalg.eigvals(x[0] * np.array([[0.0, 1.0], [-1.0, 0.0]]))),
        "np.real",
    ),
    "complex eigenvectors": (
        lambda x: np.linalg.eig(x[0] * np.array([[0.0, 1.0], [-1.0, 0.0]]))[1][0, 0],
        "np.real",
    ),
    "equal eigenvalues": (lambda x: np.linalg.eig(np.eye(2) * x[0])[1][0, 0], "eigvalsh"),
    "hermitian pinv": (lambda x: np.linalg.pinv(np.diag(x), hermitian=True)[0, 0], "hermitian="),
    "quantile by weights": (lambda x: np.quantile(X, 0.4, weights=x, method="inverted_cdf"), ""),
    "quantile by q": (lambda x: np.quantile(X, x[0], method="midpoint"), "method='linear' only"),
    "pad by a ramp": (lambda x: np.sum(np.pad(x, 1, "linear_ramp")), "mode='linear_ramp'"),
    "odd reflection": (
        lambda x: np.pad(x, 1, "reflect", reflect_type="odd")[0],
        "reflect_type='odd'",
    ),
    "sign of copysign": (lambda x: np.sum(np.copysign(1.0, x)), "copysign"),
    "period of interp": (lambda x: np.interp(x[0], X, X, period=x[1] + 3), "period"),
    "full svd": (lambda x: np.sum(np.linalg.svd(np.stack([x, x * x]))[2]), "full_matrices=False"),
    "hermitian svd": (lambda x: np.linalg.svd(np.outer(x, x), hermitian=True)[1][0], "hermitian="),
    "norm of zeros": (lambda x: np.linalg.norm(x, 0), "ord=0"),
    "order of a norm": (lambda x: np.linalg.norm(x, x[0]), ""),
    "reshape A": (lambda x: np.sum(x.reshape(3, order="A")), "order='A'"),
    "index of a list": (lambda x: [1.0][x[0]], "float"),
    "index of an array": (lambda x: X[x[0]], ""),
    "index by a traced array": (lambda x: np.sum(X[x]), ""),
    "index into traced": (lambda x: x[x[0]], ""),
    "take": (lambda x: np.take(X, x[0]), ""),
    "positions": (lambda x: np.sum(np.repeat(X, x)), "numpy.repeat"),
    "condition": (lambda x: np.sum(np.where(x, 1.0, 2.0)), "where"),
    "random": (lambda x: np.random.default_rng(0).normal(x[0]), ""),
    "random array": (lambda x: np.sum(np.random.default_rng(0).normal(x)), ""),
    "old random": (lambda x: np.random.normal(x[0], 1.0), ""),  # noqa: NPY002
    "choice": (lambda x: np.random.default_rng(0).choice(3, p=x / np.sum(x)) * 1.0, ""),
    "sparse": (lambda x: np.sum(SPARSE @ x), "scipy.sparse"),
    "sparse on the right": (lambda x: np.sum(x @ SPARSE), ""),
    "sparse times": (lambda x: np.sum(x * SPARSE), "object"),
    "matrix of numpy": (lambda x: np.sum(x * np.asmatrix(np.eye(3))), "matrix"),
    "masked array": (lambda x: np.sum(x * np.ma.array(X, mask=[0, 1, 0])), "MaskedArray"),
    "series": (lambda x: np.sum(x * pd.Series(X)), "Series"),
    "series on the left": (lambda x: np.sum(pd.Series(X) * x), "pandas"),
    "frame": (lambda x: np.sum(pd.DataFrame(np.eye(3)) @ x), "pandas"),
    "frame on the right": (lambda x: np.sum(x @ pd.DataFrame(np.eye(3))), "Series"),
    "column": (of_a_frame, ""),
    "new series": (lambda x: pd.Series(x).sum(), ""),
    "scipy.linalg": (lambda x: np.sum(scipy.linalg.solve(MATRIX, x[:2])), "scipy.linalg"),
    "expm": (lambda x: np.sum(scipy.linalg.expm(np.outer(x, x))), "scipy.linalg"),
    "scipy.stats": (lambda x: np.sum(scipy.stats.norm.logpdf(x)), "scipy.stats"),
    "interpolate": (lambda x: scipy.interpolate.CubicSpline(X.cumsum(), x)(1.0), "scipy.interp"),
    "minimize": (lambda x: scipy.optimize.minimize(lambda z: (z[0] - x[0]) ** 2, [0.0]).fun, ""),
    "sklearn": (lambda x: sklearn.metrics.mean_squared_error(x, X), ""),
    "scipy's logsumexp": (lambda x: scipy.special.logsumexp(x), "scipy.special"),
    "scipy's softmax": (lambda x: np.sum(scipy.special.softmax(x)[0]), "scipy.special"),
    "scipy's polygamma": (lambda x: np.sum(scipy.special.polygamma(1, x)), "scipy.special"),
    "struve": (lambda x: np.sum(scipy.special.struve(0.5, x)), "scipy.special.struve"),
    "order of a bessel function": (
        lambda x: scipy.special.jv(x[0], 1.0),
        "scipy.special.jv has no rule for the derivative by v",
    ),
    "shape of hyp1f1": (
        lambda x: scipy.special.hyp1f1(x[0], 1.5, 0.2),
        "hyp1f1 has no rule for the derivative by a",
    ),
    "order of polygamma": (lambda x: special.polygamma(x[0] / x[0], 1.0), "polygamma"),
}


@pytest.mark.filterwarnings("ignore::mcmodels.autodiff.NonDifferentiableWarning")
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.filterwarnings("ignore:floating point number truncated")
@pytest.mark.parametrize("name", LOSERS)
def test_a_lost_trace_is_an_error(name):
    f, says = LOSERS[name]
    for derive in (
        lambda: grad(f)(X),
        lambda: jvp(f, (X,), (X,)),
        lambda: vjp(lambda a, b: f(a * b), X, X)[1](np.array(1.0)),
        lambda: grad(lambda y: jvp(f, (y,), (y,))[1])(X),
    ):
        with pytest.raises((TypeError, ValueError, AttributeError, IndexError)) as caught:
            derive()
        assert str(caught.value)
        assert says in str(caught.value)


@pytest.mark.parametrize("step", sorted(STEPS, key=lambda f: f.__name__), ids=lambda f: f.__name__)
def test_steps_are_refused_with_the_remedy(step):
    args = (1.5,) if step in (np.floor_divide, np.heaviside) else ()
    with pytest.raises(NoRuleError, match=rf"{step.__name__} is constant between its jumps"):
        grad(lambda x: np.sum(step(x, *args)))(X)
    # The remedy that the message tells.
    np.testing.assert_array_equal(
        grad(lambda x: np.sum(x * step(constant(x), *args)))(X), step(X, *args)
    )


def test_tables_do_not_overlap():
    assert not STEPS & set(RULES)
    assert not STEPS & set(FUNCTIONS)
    assert not NOT_DIFFERENTIATED & (set(RULES) | set(FUNCTIONS) | STEPS)


def test_a_rule_cannot_be_added_twice():
    from mcmodels.autodiff.tables import add

    with pytest.raises(ValueError, match="already"):
        add((np.sin, RULES[np.sin]))


# ---- what keeps the trace --------------------------------------------------------------------


def repeated(x):
    """Python's control flow and functions, on values."""
    y = x[0]
    while y < 5.0:
        y = y * 2.0
    if x[1] > 1.0 and x[2] != 0.5:
        y = y + max(x) * min(x)
    for a, b in zip(x, reversed(x), strict=True):
        y = y + a * b if a in (b, 2.0) else y - abs(a)
    y += sum(x) + math.prod(x)
    assert f"{x[0]:.2f}" == "0.30"
    assert str(x).count(".") == 3
    assert len(x) == 3
    assert x.shape == (3,)
    assert x.size == 3
    assert x.ndim == 1
    assert x.dtype == np.float64
    assert sorted([x[1], x[0]])[0] is not None
    return copy.deepcopy(y) * copy.copy(x[0]) + copy.deepcopy([x])[0][1]


def test_control_flow_follows_values():
    from tests.numerics import central_differences, relative_error

    expected = central_differences(repeated, X, step=1e-6)
    assert relative_error(grad(repeated)(X), expected) < 1e-8  # differences within one branch
    forward = [jvp(repeated, (X,), (e,))[1] for e in np.eye(3)]
    np.testing.assert_allclose(forward, grad(repeated)(X), rtol=1e-14)


def test_functions_of_values_alone():
    seen = {}

    def f(x):
        seen.update(
            argmax=np.argmax(x), order=x.argsort(), any=(x > 1).any(), finite=np.isfinite(x),
            close=np.allclose(x, X), shape=np.shape(x), at=np.nonzero(x),
            where=np.searchsorted(np.sort(X), x), rank=np.linalg.matrix_rank(np.outer(x, x)),
        )  # fmt: skip
        return np.sum(x * seen["finite"] * (x.argmax() + 1))

    np.testing.assert_array_equal(grad(f)(X), np.full(3, 2.0))
    assert all(
        type(value) in (np.ndarray, np.int64, np.bool, bool, tuple) for value in seen.values()
    )


def test_numbers_in_arrays_and_lists():
    """``np.array`` of traced numbers, and lists of them as arguments."""
    expected = grad(lambda x: np.sum(np.stack([x[0], x[1] * x[2]]) ** 2))(X)
    J = jacobian(lambda x: np.array([[x[0], 1.0], [x[1] * x[2], x[0]]]))(X)
    np.testing.assert_array_equal(J[1, 0], [0.0, X[2], X[1]])
    np.testing.assert_array_equal(J[0, 1], np.zeros(3))
    for f in (
        lambda x: np.sum(np.array([x[0], x[1] * x[2]]) ** 2),
        lambda x: np.sum(np.square([x[0], x[1] * x[2]])),
        lambda x: np.array([x[0], x[1] * x[2]]) @ np.array([x[0], x[1] * x[2]]),
        lambda x: np.sum(np.exp(2 * np.log(np.array([x[0], x[1] * x[2]])))),
    ):
        np.testing.assert_allclose(grad(f)(X), expected, rtol=1e-15)
    assert grad(lambda x: grad(lambda z: np.sum(z**2))(np.array([x, 1.0]))[0])(3.0) == 2.0
    np.testing.assert_array_equal(grad(lambda x: np.sum(x * [1, 2, 3]))(X), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(grad(lambda x: np.sum([1, 2, 3] * x))(X), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(grad(lambda x: np.sum(x ** (1, 2, 0)))(X), [1.0, 2 * X[1], 0.0])
    np.testing.assert_array_equal(
        grad(lambda x: np.sum((x[0], 1.0, x[1]) * x))(X), [2 * X[0], 1 + X[2], X[1]]
    )
    np.testing.assert_array_equal(grad(lambda x: np.sum(x ** [1, 2, 1]))(X), [1.0, 2 * X[1], 1.0])


def test_axes_that_are_not_there_are_refused():
    for f in (
        np.prod,
        np.sum,
        np.max,
        np.mean,
        np.var,
        np.flip,
        np.cumsum,
        np.expand_dims,
        np.sort,
    ):
        with pytest.raises(np.exceptions.AxisError):
            grad(lambda x, f=f: np.sum(f(x, axis=5)))(X)


def test_shapes_that_do_not_fit_are_refused():
    A = np.ones((2, 1))
    for f in (
        lambda x: np.inner(x, A),
        lambda x: np.tensordot(A, x, 1),
        lambda x: x @ A,
        lambda x: np.einsum("...i->i", np.outer(x, x)),
        lambda x: np.einsum("ij", x),
        lambda x: np.einsum("i,i", x),
        lambda x: np.linalg.matrix_power(np.outer(x, x), 2.5),
        lambda x: np.split(x, 2)[0],
        lambda x: np.concatenate([x, A]),
        lambda x: np.concatenate([A, x], axis=1),
        lambda x: np.concatenate([x, 1.0]),
    ):
        with pytest.raises((ValueError, TypeError)):
            grad(lambda x, f=f: np.sum(f(x)))(X)


@pytest.mark.parametrize(
    ("f", "ours"),
    [
        (lambda x: scipy.linalg.cholesky(np.outer(x, x)), "linalg.cholesky"),
        (lambda x: scipy.linalg.cho_factor(np.outer(x, x))[0], "linalg.cho_factor"),
        (lambda x: scipy.linalg.block_diag(x, x), "linalg.block_diag"),
        (lambda x: scipy.stats.norm.logpdf(x), "stats.norm.logpdf"),
        (lambda x: scipy.stats.norm(0.0, 2.0).logsf(x), "stats.norm.logsf"),
        (lambda x: scipy.stats.poisson.logpmf(2, x), "stats.poisson.logpmf"),
        (lambda x: scipy.stats.multivariate_normal.logpdf(x), "stats.multivariate_normal.logpdf"),
        (lambda x: scipy.special.multigammaln(x, 2), "special.multigammaln"),
        (lambda x: scipy.special.zeta(x), "special.zeta"),
        (lambda x: scipy.special.zeta(2.0, x), "special.zeta"),
    ],
)
def test_refusals_of_scipy_name_what_can_be_followed(f, ours):
    for derive in (lambda: grad(lambda x: np.sum(f(x)))(X), lambda: jvp(f, (X,), (X,))):
        with pytest.raises(NoRuleError, match=rf"Use mcmodels\.autodiff\.{ours}\b"):
            derive()
