"""Derivatives of and by tensors: against JAX, the complex step, and by the laws of derivatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, note

from mcmodels.calculus import DerivativeError, NonDifferentiableWarning, ShapeError, parse
from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.arithmetic import scale
from mcmodels.calculus.core.einsum_nodes import Einsum
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.tensors import Tensor, axes_of
from mcmodels.calculus.derive import rules, tensor_derivatives, trace_form
from mcmodels.calculus.derive.tensor_derivatives import tensor_derivative
from tests.calculus.random_einsums import COUNTS, einsums, value_for
from tests.calculus.test_properties import deterministic, settings

# The complex step has no truncation error; sums of a few hundred numbers below 10 are left.
CLOSE = 1e-11
STEP = 1e-100
SHAPES = {"n": 3, "m": 4, "p": 5, "k": 2, "r": 2, "b": 2, "h": 3, "q": 4, "d": 2}

X, w, y = mc.matrix("X", "n", "p"), mc.vector("w", "p"), mc.vector("y", "n")
T, A, B, C = (mc.tensor("T", ("n", "m", "p")), mc.matrix("A", "n", "r"), mc.matrix("B", "m", "r"),
              mc.matrix("C", "p", "r"))  # fmt: skip
core = mc.tensor("G", ("r", "k", "d"))
P, Q = mc.matrix("P", "m", "k"), mc.matrix("Q", "p", "d")
x, v, u = mc.vector("x", "n"), mc.vector("v", "n"), mc.vector("u", "n")
S = mc.tensor("S", ("n", "n", "n"))
U, V, Y = mc.matrix("U", "m", "k"), mc.matrix("V", "n", "k"), mc.matrix("Y", "m", "n")
W1, W2, D = mc.matrix("W1", "h", "p"), mc.matrix("W2", "k", "h"), mc.matrix("Z", "n", "k")
queries, keys = mc.tensor("q_", ("b", "h", "q", "d")), mc.tensor("k_", ("b", "h", "n", "d"))
batch, xs = mc.tensor("M", ("b", "n", "n")), mc.matrix("x_", "b", "n")
e = mc.einsum


def cases():
    """Each function with its formula in JAX, and what it is differentiated by."""
    jnp = pytest.importorskip("jax.numpy")
    special = pytest.importorskip("jax.scipy.special")
    ein = jnp.einsum

    def softmax(x, axis=-1):
        return jnp.exp(x - special.logsumexp(x, axis=axis, keepdims=True))

    def net(W1, W2, X, Z):
        return ((ein("ih,kh->ik", jnp.tanh(ein("ip,hp->ih", X, W1)), W2) - Z) ** 2).sum()

    def entropy(W1, W2, X, Z):
        hidden = ein("ih,kh->ik", jnp.tanh(ein("ip,hp->ih", X, W1)), W2)
        return (special.logsumexp(hidden, axis=1) - (Z * hidden).sum(1)).sum()

    weights = mc.softmax(e("bhqd,bhkd->bhqk", queries, keys) / 3, axis=-1)
    hidden = e("ih,kh->ik", mc.tanh(e("ip,hp->ih", X, W1)), W2)
    return {
        "logistic regression": (
            mc.sum(mc.log(1 + mc.exp(-y * e("ij,j->i", X, w)))),
            lambda X, w, y: jnp.log1p(jnp.exp(-y * ein("ij,j->i", X, w))).sum(),
            "Xw",
        ),
        "matrix factorisation": (
            mc.norm(Y - e("ik,jk->ij", U, V)) ** 2,
            lambda U, V, Y: ((Y - ein("ik,jk->ij", U, V)) ** 2).sum(),
            "UV",
        ),
        "a small net": (mc.sum((hidden - D) ** 2), net, ["W1", "W2"]),
        "a classifier": (
            mc.sum(mc.logsumexp(hidden, axis=1)) - mc.sum(D * hidden), entropy, ["W1", "W2"],
        ),
        "CP": (
            mc.norm(T - e("ir,jr,kr->ijk", A, B, C)) ** 2,
            lambda A, B, C, T: ((T - ein("ir,jr,kr->ijk", A, B, C)) ** 2).sum(),
            "TABC",
        ),
        "Tucker": (
            mc.sum((T - e("abc,ia,jb,kc->ijk", core, A, P, Q)) ** 2),
            lambda A, P, Q, G, T: ((T - ein("abc,ia,jb,kc->ijk", G, A, P, Q)) ** 2).sum(),
            "GAPQ",
        ),
        "a trilinear form": (
            e("ijk,i,j,k->", S, x, v, u), lambda S, x, v, u: ein("ijk,i,j,k->", S, x, v, u), "Sxvu",
        ),
        "a cubic form": (
            e("ijk,i,j,k->", S, x, x, x), lambda S, x: ein("ijk,i,j,k->", S, x, x, x), "Sx",
        ),
        "attention": (
            mc.sum(mc.exp(e("bhqd,bhkd->bhqk", queries, keys) / 3) ** 2),
            lambda q_, k_: (jnp.exp(ein("bhqd,bhkd->bhqk", q_, k_) / 3) ** 2).sum(),
            ["q_", "k_"],
        ),
        "attention by softmax": (
            mc.sum(mc.tanh(e("bhqk,bhkd->bhqd", weights, keys)) * queries),
            lambda q_, k_: (
                jnp.tanh(ein("bhqk,bhkd->bhqd", softmax(ein("bhqd,bhkd->bhqk", q_, k_) / 3), k_))
                * q_
            ).sum(),
            ["q_", "k_"],
        ),
        "softmax and logsumexp along each axis": (
            mc.sum(mc.softmax(S, axis=0) * mc.softmax(S, axis=1) ** 2 * S)
            + mc.norm(mc.logsumexp(S, axis=0) @ x + mc.logsumexp(S, axis=1) @ x) ** 2
            + mc.logsumexp(mc.logsumexp(S, axis=-1), axis=0).T @ x + mc.logsumexp(S),
            lambda S, x: (softmax(S, 0) * softmax(S, 1) ** 2 * S).sum()
            + ((special.logsumexp(S, 0) @ x + special.logsumexp(S, 1) @ x) ** 2).sum()
            + special.logsumexp(special.logsumexp(S, 2), 0) @ x + special.logsumexp(S),
            "Sx",
        ),
        "cross-entropy of a tensor": (
            -mc.sum(mc.log(mc.softmax(S * mc.sum(x), axis=1)) * mc.exp(S)),
            lambda S, x: -(jnp.log(softmax(S * x.sum(), 1)) * jnp.exp(S)).sum(),
            "Sx",
        ),
        "softmax of all entries": (
            mc.sum(mc.exp(S) / mc.sum(mc.exp(S)) * mc.sin(S)) * mc.amax(S),
            lambda S: (softmax(S, None) * jnp.sin(S)).sum() * S.max(),
            "S",
        ),
        "batched quadratic forms": (
            mc.sum(mc.log(1 + e("bi,bij,bj->b", xs, batch, xs) ** 2)),
            lambda x_, M: jnp.log(1 + ein("bi,bij,bj->b", x_, M, x_) ** 2).sum(),
            ["x_", "M"],
        ),
        "third moments": (
            mc.sum(mc.tanh(e("ni,nj,nk->ijk", X, X, X) / 5)),
            lambda X: jnp.tanh(ein("ni,nj,nk->ijk", X, X, X) / 5).sum(),
            "X",
        ),
        "a norm of a tensor": (
            mc.norm(S * e("i,j,k->ijk", x, v, x)) * mc.mean(S),
            lambda S, x, v: jnp.sqrt(((S * ein("i,j,k->ijk", x, v, x)) ** 2).sum()) * S.mean(),
            "Sxv",
        ),
        "inverse and determinant inside": (
            e("ijk,il,jk->l", S, mc.inv(e("ijk,k->ij", S, x) + 9 * mc.eye("n")), x @ v.T).T @ v,
            lambda S, x, v: ein(
                "ijk,il,jk->l", S, jnp.linalg.inv(ein("ijk,k->ij", S, x) + 9 * jnp.eye(3)),
                jnp.outer(x, v),
            ) @ v,
            "Sx",
        ),
        "diagonals": (
            mc.sum(e("iij,j->i", mc.exp(S), x) ** 2) + e("iii->", S * S),
            lambda S, x: (ein("iij,j->i", jnp.exp(S), x) ** 2).sum() + ein("iii->", S * S),
            "Sx",
        ),
        "choices": (
            mc.sum(mc.where(S > 0, S**2, mc.maximum(S, -0.3)) * S) + mc.amax(S),
            lambda S: (jnp.where(S > 0, S**2, jnp.maximum(S, -0.3)) * S).sum() + S.max(),
            "S",
        ),
    }  # fmt: skip


NAMES = [
    "logistic regression", "matrix factorisation", "a small net", "a classifier", "CP", "Tucker",
    "a trilinear form", "a cubic form", "attention", "attention by softmax",
    "softmax and logsumexp along each axis", "cross-entropy of a tensor", "softmax of all entries",
    "batched quadratic forms", "third moments",
    "a norm of a tensor", "inverse and determinant inside", "diagonals", "choices",
]  # fmt: skip


def arrays_for(f, seed=0):
    rng = np.random.default_rng(seed)
    return {s.name: rng.normal(size=[SHAPES[size] for size in s.shape]) for s in f.symbols}


@pytest.fixture(scope="module")
def precise_jax():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


def given_to(expression, values):
    names = {symbol.name for symbol in expression.symbols}
    return {name: value for name, value in values.items() if name in names} | {
        size: count
        for size, count in SHAPES.items()
        if size in getattr(expression, "entries", expression).size_names
    }


def require_value(expression, values, expected, tolerance=CLOSE):
    expected = np.asarray(expected)
    close = tolerance * max(1.0, np.abs(expected).max())
    given_ = given_to(expression, values)
    for found in (expression.evaluate(**given_), expression.compile()(**given_)):
        assert np.shape(found) == expected.shape
        np.testing.assert_allclose(found, expected, rtol=0, atol=close)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_and_hessians_are_those_of_jax(name, precise_jax):
    f, formula, by = cases()[name]
    values = arrays_for(f)
    moving = {by_: values[by_] for by_ in by}

    def function(moving):
        return formula(**{**values, **moving})

    require_value(f, values, function(moving))
    gradients = precise_jax.jit(precise_jax.grad(function))(moving)
    hessians = precise_jax.jit(precise_jax.hessian(function))(moving)
    for first in by:
        G = f.gradient(first)
        require_value(G, values, gradients[first])
        assert np.shape(values[first]) == np.shape(gradients[first])
        for second in by:
            require_value(tensor_derivative(f, first, second), values, hessians[first][second])


@pytest.mark.parametrize("name", ["CP", "a small net", "batched quadratic forms", "diagonals"])
def test_hessians_by_matrices_are_those_by_vec(name, precise_jax):
    f, _, by = cases()[name]
    values = arrays_for(f)
    for first in by:
        for second in by:
            shapes = values[first].shape, values[second].shape
            if max(map(len, shapes)) > 2:
                continue
            full = np.asarray(tensor_derivative(f, first, second).evaluate(**values))
            axes = [*range(len(shapes[0]))][::-1] + [*range(len(shapes[0]), full.ndim)][::-1]
            by_vec = full.transpose(axes).reshape(values[first].size, values[second].size)
            require_value(f.hessian(first, second), values, by_vec)


def test_torch_agrees():
    torch = pytest.importorskip("torch")
    f = mc.norm(T - e("ir,jr,kr->ijk", A, B, C)) ** 2
    values = arrays_for(f)
    tensors = {name: torch.tensor(value) for name, value in values.items()}

    def formula(A):
        rest = {**tensors, "A": A}
        made = torch.einsum("ir,jr,kr->ijk", rest["A"], rest["B"], rest["C"])
        return ((rest["T"] - made) ** 2).sum()

    expected = torch.func.hessian(formula)(tensors["A"])
    require_value(tensor_derivative(f, "A", "A"), values, expected)


# -- the complex step ------------------------------------------------------------------------------


def stepped(F, axes, symbol, values, sizes):
    """All derivatives of F by a symbol, by the complex step."""
    columns = []
    flat = values[symbol]
    for place in range(flat.size):
        E = np.zeros(flat.size)
        E[place] = 1
        moved = {**values, symbol: flat + 1j * STEP * E.reshape(flat.shape)}
        columns.append(np.imag(walk(F, moved, sizes)).reshape(-1) / STEP)
    shape = [size.value(sizes) for size in axes]
    return np.stack(columns, axis=-1).reshape(*shape, -1)


@pytest.mark.parametrize("seed", range(2))
def test_random_einsums_have_the_derivatives_of_the_complex_step(seed):
    @settings(deterministic, max_examples=60)
    @given(einsums())
    def holds(drawn):
        found, _, terms = drawn
        F, axes = axes_of(found)
        note(str(found))
        rng = np.random.default_rng(seed)
        arrays = {name: value_for(term, rng) for name, term in terms.items()}
        values = {symbol: _as_entries(arrays[symbol.name]) for symbol in F.used}
        for symbol in sorted(F.used, key=lambda symbol: symbol.name)[:2]:
            D = tensor_derivative(found, symbol)
            note(f"by {symbol.name}: {D}")
            entries, both = axes_of(D)
            expected = stepped(F, axes, symbol, values, COUNTS).ravel()
            got = walk(entries, values, COUNTS).ravel()
            close = CLOSE * max(1.0, np.abs(expected).max(initial=0))
            np.testing.assert_allclose(got, expected, rtol=0, atol=close)
            assert [*both] == [*axes, *axes_of(_face(symbol))[1]]
            if isinstance(found, Tensor):
                assert found.check(symbol) < 1e-8  # differences lose half of the digits

    holds()


def _as_entries(array):
    if array.ndim == 2:
        return array
    return array.reshape(-1, 1)


def _face(symbol):
    return Tensor(symbol, symbol.dims) if hasattr(symbol, "dims") else symbol


def test_third_derivatives():
    f = e("ijk,i,j,k->", S, x, x, x)
    rng = np.random.default_rng(0)
    s = rng.normal(size=(3, 3, 3))
    expected = sum(s.transpose(p) for p in
                   [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])  # fmt: skip
    found = tensor_derivative(f, x, x, x)
    np.testing.assert_allclose(found.evaluate(S=s, x=np.ones(3)), expected, atol=CLOSE)
    assert tensor_derivative(f, x, x, x, x).entries == mc.zeros("n*n*n*n")


@pytest.mark.parametrize(
    "declared", ["symmetric", "diagonal", "lower_triangular", "upper_triangular"]
)
def test_by_a_matrix_with_a_structure(declared):
    # What is asked: D · E is the change of F for every direction E that the structure has.
    M = mc.matrix("M", "n", "n", **{declared: True})
    F = e("ij,jk,k->i", M, mc.sin(M), x)
    D = tensor_derivative(F, M)
    rng = np.random.default_rng(1)
    masks = {
        "symmetric": lambda a: (a + a.T) / 2, "diagonal": lambda a: a * np.eye(3),
        "lower_triangular": np.tril, "upper_triangular": np.triu,
    }  # fmt: skip
    keep = masks[declared]
    at, E, z = keep(rng.normal(size=(3, 3))), keep(rng.normal(size=(3, 3))), rng.normal(size=3)
    moved = at + 1j * STEP * E
    change = np.imag(moved @ np.sin(moved) @ z) / STEP
    found = D.evaluate(M=at, x=z)
    np.testing.assert_allclose(np.einsum("ijk,jk->i", found, E), change, atol=CLOSE)
    for row_ in found:
        np.testing.assert_allclose(row_, keep(row_), atol=CLOSE)
    f = mc.sum(F)
    np.testing.assert_allclose(
        tensor_derivative(f, M).evaluate(M=at, x=z), f.gradient(M).evaluate(M=at, x=z), atol=CLOSE
    )


def test_a_probability_moves_freely():
    t = mc.vector("t", "n", probability=True)
    f = mc.sum(t) * e("i,i,i->", t, t, x)
    values = {"t": np.array([0.2, 0.3, 0.5]), "x": np.array([1.0, -2, 3])}
    p, z = values["t"], values["x"]
    expected = 2 * np.add.outer(p * z, p * z) + 2 * np.diag(z)
    np.testing.assert_allclose(tensor_derivative(f, t, t).evaluate(**values), expected, atol=CLOSE)


def test_parts_that_are_used_often_are_derived_once():
    # Each level uses the one below three times: 3¹² paths.
    f = x
    for _ in range(12):
        f = mc.tanh(f) * f + e("ijk,j,k->i", S, f, x) / 9
    D = tensor_derivative(f, x)
    assert D.shape == ("n", "n")
    values = {"S": np.full((3, 3, 3), 0.1), "x": np.array([0.3, 0.1, 0.2])}
    assert mc.sum(f).check(x, **values) < 1e-8
    np.testing.assert_allclose(
        D.evaluate(**values).sum(axis=0), mc.sum(f).gradient(x).evaluate(**values), rtol=1e-9
    )


def test_kinds_that_are_no_einsum_go_by_vec():
    K = mc.matrix("K", "n", "n")
    for F in (
        mc.kron(K, x @ v.T), mc.vstack([K, x.T]), mc.unvec(mc.vec(K) ** 2, "n", "n") @ K,
        mc.expm(K) @ K, mc.kron(x, v), mc.hstack([x, v]).T, mc.softmax(K, axis=1),
    ):  # fmt: skip
        for by in (K, x):
            if by not in F.used:
                continue
            D = tensor_derivative(F, by)
            made = Tensor(D.entries, D.dims) if isinstance(D, Tensor) else D
            J = F.jacobian(by)
            values = arrays_for(F)
            full = np.asarray(made.evaluate(**given_to(D, values)))
            rows = [*range(len(F.shape))][::-1]
            cols = [*range(len(F.shape), full.ndim)][::-1]
            by_vec = full.transpose([*rows, *cols]).reshape(-1, values[by.name].size)
            np.testing.assert_allclose(J.evaluate(**given_to(J, values)), by_vec, atol=1e-10)


def test_the_entries_of_a_tensor_are_a_vector():
    z = mc.vector("z", "n*m*p")
    D = tensor_derivative(mc.vec(mc.exp(T)) * z, T)
    assert D.shape == ("m*n*p", "n", "m", "p")
    values = arrays_for(mc.sum(T)) | {"z": np.arange(60.0)}
    expected = np.diag(np.exp(values["T"].ravel()) * values["z"]).reshape(60, 3, 4, 5)
    require_value(D, values, expected)
    require_value(mc.vec(T).jacobian(T), values, np.eye(60).reshape(60, 3, 4, 5))
    assert (mc.vec(T).T @ mc.diag(z) @ mc.vec(T)).check(T) < 1e-8
    assert (mc.vec(T).T @ z).hessian(T).shape == ("n", "m", "p") * 2


# -- shapes, directions, refusals ------------------------------------------------------------------


def test_methods_by_a_tensor():
    f = mc.sum(mc.exp(T) * T)
    values = arrays_for(f)
    t = values["T"]
    require_value(f.gradient(T), values, np.exp(t) * (t + 1))
    H = f.hessian(T)
    assert H.shape == ("n", "m", "p") * 2
    curvature = (np.exp(t) * (t + 2)).ravel()
    require_value(H, values, np.diag(curvature).reshape(t.shape * 2))
    direction = mc.tensor("E", ("n", "m", "p"))
    product = f.hessian_vector_product(T, direction)
    require_value(product, {**values, "E": t}, curvature.reshape(t.shape) * t)
    assert f.gradient("T") == f.gradient(T)
    assert mc.sum(T).gradient(T).evaluate(n=2, m=3, p=2).tolist() == np.ones((2, 3, 2)).tolist()
    assert not mc.sum(T).hessian(T).evaluate(n=2, m=3, p=2).any()
    assert f.check(T) < 1e-8
    assert mc.exp(T).jacobian(T).shape == ("n", "m", "p") * 2
    assert mc.exp(T).check("T") < 1e-8
    derivation = f.derivation(T)
    assert derivation.result == f.gradient(T)
    assert derivation.check() < 1e-9
    assert "∂f/∂T = exp(T) ∘ (T + 1)" in str(derivation)
    assert derivation.latex()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: T.gradient(T), r"of a scalar; T has the shape .*tensor_derivative"),
        (lambda: T.hessian("T"), r"of a scalar; T has the shape"),
        (lambda: T.derivation("T"), r"of a scalar; T has the shape"),
        (lambda: mc.sum(T).derivation(T, order=2), r"by the tensor T the gradient"),
        (lambda: mc.sum(T).gradient(mc.exp(T)), r"by a symbol; found"),
        (lambda: mc.sum(T).gradient("Z"), r"no symbol 'Z'"),
        (lambda: mc.sum(T).hessian_vector_product(T, x), r"needs a direction of shape"),
        (lambda: tensor_derivative(mc.sum(T)), r"one symbol or more; found none"),
        (lambda: mc.sum(T).gradient(mc.tensor("T", ("p", "m", "n"))), r"'T' is a tensor of n×m×p"),
        (lambda: mc.sum(mc.matrix_power(e("ijk,k->ij", S, x), mc.scalar("k", integer=True))
                        ).gradient(S), r"exponent"),
    ],
)  # fmt: skip
def test_what_has_no_derivative_is_refused(call, message):
    with pytest.raises((DerivativeError, ShapeError), match=message):
        call()


def test_kinks_warn():
    with pytest.warns(NonDifferentiableWarning):
        mc.sum(mc.abs(T)).gradient(T).evaluate(T=np.zeros((1, 1, 1)))


def test_derivatives_are_read_back():
    f = mc.norm(T - e("ir,jr,kr->ijk", A, B, C)) ** 2
    for D in (
        f, f.gradient(A), f.gradient(T), f.hessian(A), f.hessian(A, B), f.hessian(T),
        tensor_derivative(f, A, B, C), mc.sum(T).gradient(T), mc.sum(T).hessian(T),
        mc.exp(T).jacobian(T), tensor_derivative(mc.exp(T) / (1 + T), "T"),
        mc.softmax(T, axis=-1).jacobian(T), mc.softmax(T, axis=0), mc.logsumexp(T, axis=1),
        mc.logsumexp(T, axis=-1).jacobian(T), mc.logsumexp(T).gradient(T),
        mc.logsumexp(T).hessian(T), mc.amax(T).gradient(T), (mc.amax(T) * T).jacobian(T),
        e("i,ij,ik,il->jkl", mc.vec(T), *(mc.matrix(name, "n*m*p", "q") for name in "DEF")),
    ):  # fmt: skip
        assert parse(str(D), **{symbol.name: symbol for symbol in D.symbols}) == D


# -- planted errors --------------------------------------------------------------------------------

CAUGHT = 1e-6  # of an error of 5e-4 in one term


def planted(rule):
    return replace(rule, apply=lambda *args: scale(number(1.0005), rule.apply(*args)))


def test_a_wrong_rule_of_einsums_is_caught(monkeypatch):
    f = mc.sum(mc.sin(e("ijk,k->ij", T, mc.vector("z", "p"))))
    F = mc.exp(e("ijk,kl->ijl", T, mc.matrix("L", "p", "q")))
    assert max(f.check("z"), F.check("L"), F.check(T)) < 1e-8
    with monkeypatch.context() as patched:
        patched.setitem(rules.RULES, Einsum, planted(rules.RULES[Einsum]))
        assert min(f.check("z"), F.check("L"), F.check(T)) > CAUGHT
    monkeypatch.setitem(trace_form.ADJOINTS, Einsum, planted(trace_form.ADJOINTS[Einsum]))
    assert f.check("z") > CAUGHT


def test_axes_in_a_wrong_order_are_caught(monkeypatch):
    F = mc.sin(e("ijk,jl->ikl", S, mc.matrix("L", "n", "n")))
    right = tensor_derivatives.contracted

    def swapped(factors, output, sizes):
        return right(factors, (*output[:-2], *output[:-3:-1]), sizes)

    assert F.check("L") < 1e-8
    monkeypatch.setattr(tensor_derivatives, "contracted", swapped)
    assert F.check("L") > CAUGHT
