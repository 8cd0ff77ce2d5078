"""Tensors: arithmetic, functions of each entry, text, digits, code, and what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from mcmodels import calculus
from mcmodels.calculus import ShapeError, UnsupportedFunctionError, parse
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.text.declarations import declaration
from mcmodels.calculus.text.parsing import ParseError
from mcmodels.calculus.text.shape_inference import infer_symbols
from mcmodels.cli import main
from tests.calculus.domains import inside

# Single operations on numbers near 1.
CLOSE = 1e-14

T, U = mc.tensor("T", ("n", "m", "k")), mc.tensor("U", ("n", "m", "k"))
A, B, C = mc.matrix("A", "n", "r"), mc.matrix("B", "m", "r"), mc.matrix("C", "k", "r")
x, a = mc.vector("x", "n"), mc.scalar("a")
rng = np.random.default_rng(0)
t, u = rng.uniform(0.5, 1.5, (2, 3, 4)), rng.uniform(0.5, 1.5, (2, 3, 4))
VALUES = {"T": t, "U": u, "a": 1.5}
TUCKER = mc.einsum("ir,jr,kr->ijk", A, B, C)


def value(expression):
    names = {symbol.name for symbol in expression.symbols}
    return expression.evaluate(**{name: VALUES[name] for name in names})


# -- arithmetic and functions ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (T + U, t + u), (T - U, t - u), (T * U, t * u), (T / U, t / u), (T**2, t**2), (-T, -t),
        (T + 1, t + 1), (1 + T, t + 1), (1 - T, 1 - t), (2 * T, 2 * t), (T * a, 1.5 * t),
        (a * T, 1.5 * t), (a - T, 1.5 - t), (a / T, 1.5 / t), (T / a, t / 1.5), (2**T, 2**t),
        (T**a, t**1.5), (abs(-T), t), (+T, t), (T > 1, 1.0 * (t > 1)), (T >= U, 1.0 * (t >= u)),
        (1 < T, 1.0 * (t > 1)), (a <= T, 1.0 * (t >= 1.5)), (mc.sqrt(T), np.sqrt(t)),
        (mc.maximum(T, U), np.maximum(t, u)), (mc.minimum(T, 1), np.minimum(t, 1)),
        (mc.clip(T, 0.8, 1.2), np.clip(t, 0.8, 1.2)), (mc.hypot(T, U), np.hypot(t, u)),
        (mc.where(T > 1, T, U), np.where(t > 1, t, u)),
        (mc.where(T > U, 1, a), np.where(t > u, 1, 1.5)),
        (mc.sum(T), t.sum()), (mc.mean(T), t.mean()), (mc.norm(T), np.sqrt((t**2).sum())),
        (mc.amax(T), t.max()), (mc.amin(T), t.min()),
        (mc.vec(T), t.ravel()), (mc.unvec(T, "k", "m*n"), t.reshape(6, 4).T),
        (mc.polygamma(1, T), None),
    ],
    ids=str,
)  # fmt: skip
def test_arithmetic_is_that_of_numpy(found, expected):
    if expected is None:
        expected = mc.polygamma(1, mc.vec(T)).evaluate(T=t).reshape(t.shape)
    np.testing.assert_allclose(value(found), expected, rtol=CLOSE)
    names = {symbol.name for symbol in found.symbols}
    compiled = found.compile()(**{name: VALUES[name] for name in names})
    np.testing.assert_allclose(compiled, expected, rtol=10 * CLOSE)  # by other formulas
    assert parse(str(found), **{symbol.name: symbol for symbol in found.symbols}) == found


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_of_entries_takes_a_tensor(name):
    function = getattr(mc, name)
    tensor = function(inside(name, T))
    assert isinstance(tensor, Tensor)
    assert tensor.shape == ("n", "m", "k")
    flat = function(inside(name, mc.vector("v", "q"))).evaluate(v=t.ravel())
    np.testing.assert_array_equal(tensor.evaluate(T=t), flat.reshape(t.shape))
    assert parse(str(tensor), T=T) == tensor
    if name not in ("sign", "step"):
        assert mc.sum(tensor * U).check(T) < 1e-8  # differences lose half of the digits


# -- what it is ------------------------------------------------------------------------------------


def test_what_a_tensor_says_of_itself():
    assert T.shape == ("n", "m", "k")
    assert mc.tensor("R", (2, "n", "2*m")).shape == (2, "n", "2*m")
    assert [symbol.name for symbol in (T * U).symbols] == ["T", "U"]
    assert {T: 1}[mc.tensor("T", ("n", "m", "k"))] == 1
    assert mc.tensor("T", ("n", "k", "m")) != T
    assert T != U
    assert mc.tensor("T", (2, 3, 4)) != mc.tensor("T", (4, 3, 2))
    assert mc.tensor("s", ()) == mc.scalar("s")
    assert mc.tensor("x", ("n",)) == x
    assert mc.tensor("A", ("n", "r")) == A
    assert r"\sum" in TUCKER._repr_latex_()


@pytest.mark.parametrize("made", [T, T * 2, TUCKER, mc.sum(T * U), TUCKER.jacobian(A)], ids=str)
def test_it_is_pickled_and_copied(made):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(made, protocol)) == made
    assert copy.deepcopy(made) == made


# -- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "plain", "latex"),
    [
        (T, "T", "T"),
        (TUCKER, "[Σₛ Aᵢₛ Bⱼₛ Cₗₛ]ᵢⱼₗ", r"[\sum_{s} A_{is} B_{js} C_{ls}]_{ijl}"),
        (mc.einsum("ijk,i,j->k", mc.tensor("S", (3, 3, 3)), mc.vector("v", 3), mc.vector("w", 3)),
         "[Σⱼₖ Sⱼₖᵢ vⱼ wₖ]ᵢ", r"[\sum_{jk} S_{jki} v_{j} w_{k}]_{i}"),
        (mc.einsum("ijk,i,j,k->", *[mc.tensor("S", (3, 3, 3))], *[mc.vector("v", 3)] * 3),
         "Σᵢⱼₖ Sᵢⱼₖ vᵢ vⱼ vₖ", r"\sum_{ijk} S_{ijk} v_{i} v_{j} v_{k}"),
        (mc.norm(T - TUCKER) ** 2, "‖T − [Σₛ Aᵢₛ Bⱼₛ Cₗₛ]ᵢⱼₗ‖²",
         r"\left\| T - [\sum_{s} A_{is} B_{js} C_{ls}]_{ijl} \right\|^{2}"),
        (mc.sum(T).hessian(T), "0", "0"),
        (mc.sum(T).gradient(T), "[1]ᵢⱼₗ", "[1]_{ijl}"),
        (T.jacobian(T), "[δᵢᵣ δⱼₛ δₗₜ]ᵢⱼₗᵣₛₜ", None),
        (mc.exp(mc.tensor("W_1", (2, 3, 4))), "exp(W₁)", r"\exp(W_{1})"),
        (mc.einsum("ijk->ik", mc.tensor("W_1", (2, 3, 4))), "[Σₖ (W₁)ᵢₖⱼ]ᵢⱼ",
         r"[\sum_{k} (W_{1})_{ikj}]_{ij}"),
        (3 * T, "3T", "3 T"),
        (mc.vec(T), "vec(T)", r"\operatorname{vec}(T)"),
    ],
    ids=str,
)  # fmt: skip
def test_it_reads_as_a_textbook(made, plain, latex):
    assert repr(made) == plain
    if latex is not None:
        assert made.latex() == latex


def test_indices_are_not_the_letters_of_symbols():
    i = mc.vector("i", "j")
    assert repr(mc.einsum("a,b,c->abc", i, i, i)) == "[iₖ iₗ iᵣ]ₖₗᵣ"


@pytest.mark.parametrize(
    ("text", "shapes", "expected"),
    [
        ("einsum('ij,jk->ik', A, B')", {"A": "n,r", "B": "m,r"}, A @ B.T),
        ('einsum("ijk,i->jk", T, x)', {"T": "n,m,k", "x": "n"}, mc.einsum("ijk,i->jk", T, x)),
        (" einsum ( 'i , i ->' , x , x)  ", {"x": "n"}, x.T @ x),
        ("x' @ einsum('ij->i', A) + tr(x@x')", {"A": "n,r", "x": "n"},
         x.T @ mc.einsum("ij->i", A) + mc.trace(x @ x.T)),
        ("norm(T - einsum('ir,jr,kr->ijk', A, B, C))^2",
         {"T": ("n", "m", "k"), "A": "n,r", "B": "m,r", "C": "k,r"}, mc.norm(T - TUCKER) ** 2),
        ("2*T/3 - T^2 + a", {"T": T}, 2 * T / 3 - T**2 + a),
        ("sum(T > a)", {"T": T}, mc.sum(T > a)),
        ("einsum('ij', μ) + μ", {"μ": "n,m"}, 2 * mc.matrix("μ", "n", "m")),
    ],
)  # fmt: skip
def test_it_is_read_from_text(text, shapes, expected):
    assert parse(text, **shapes) == expected


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("einsum(A, B)", "subscripts in quotes first", 8),
        ("einsum()", "subscripts in quotes first", 1),
        ("1 + einsum('ij', A, 'k')", "transpose of what it stands behind", 21),
        ("'ij'", "transpose of what it stands behind", 1),
        ("einsum('ij', A", r"a '\)' is missing", 15),
        ("einsum('ij' + 1, A)", "subscripts in quotes first", 8),
        ("einsum(0000, A)", "subscripts in quotes first", 8),
        ("einsum('ij', A, axis=0)", "takes no argument by name", 1),
        ("einsum + 1", "'einsum' is a function", 1),
    ],
)
def test_text_that_is_none_is_refused(text, message, column):
    with pytest.raises(ParseError, match=message) as caught:
        parse(text, A="n,m", B="n,m")
    assert caught.value.column == column
    assert text.strip() in str(caught.value)


def test_shapes_are_inferred_in_the_shell():
    text = "norm(T - einsum('ir,jr,kr->ijk', A, B, C))^2 + einsum('i,i->', u, u)"
    found = infer_symbols(text, {})
    assert len(found["T"].shape) == 3
    for name, size in zip("ABC", found["T"].shape, strict=True):
        assert found[name].shape == (size, found["A"].shape[1])
    assert len(found["u"].shape) == 1
    declared = {"T": declaration("T", "3,4,5")}
    assert infer_symbols(text, declared)["B"].shape[0] == 4
    first, _, last = infer_symbols("sum(T * einsum('ijk->kji', T))", {})["T"].shape
    assert first == last


def test_the_shell_derives_by_a_tensor(capsys):
    assert main(["derive", "einsum('ijk,i,j,k->', T, x, y, z)", "--wrt", "T"]) == 0
    assert "[xᵢ yⱼ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (0 * T, 0 * t), (T - T, 0 * t), (T / T, t / t), (mc.exp(0 * T), t / t),
        (2 + 0 * T, 2 + 0 * t),
        (T + T / T, t + 1), (mc.cos(0 * T) * T, t), (mc.sum(T).gradient(T), t / t),
        (mc.einsum("ijk,k->ijk", T, mc.zeros("k")), 0 * t), (a * mc.exp(0 * T), 1.5 * t / t),
    ],
    ids=str,
)  # fmt: skip
def test_constant_tensors_keep_their_shape(made, expected):
    own = VALUES if a in made.entries.known else {"T": t}
    own = {name: own[name] for name in ("T", "a") if name in own}
    np.testing.assert_allclose(made.evaluate(**own), expected)
    np.testing.assert_allclose(made.compile()(**own), expected)
    read = parse(str(made), T=T, a=())
    assert read == made
    assert read.shape == made.shape


# -- digits and code -------------------------------------------------------------------------------


def test_digits():
    mpmath = pytest.importorskip("mpmath")
    found = mc.exp(T).evaluate(T=t, digits=30)
    assert found.shape == t.shape
    with mpmath.mp.workdps(40):
        assert abs(found[0, 0, 0] - mpmath.exp(mpmath.mpf(float(t[0, 0, 0])))) < 1e-28
    third = mc.einsum("ijk,i->jk", T, x).evaluate(T=np.ones((3, 2, 2)), x=["1/3"] * 3, digits=40)
    assert abs(third[0, 0] - 1) < 1e-39


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_code_for_other_libraries_runs(target):
    library = pytest.importorskip(target)
    if target == "jax":
        before = library.config.jax_enable_x64
        library.config.update("jax_enable_x64", True)
    f = mc.norm(T - TUCKER) ** 2
    values = {
        "T": t,
        **{name: rng.normal(size=(n, 2)) for name, n in (("A", 2), ("B", 3), ("C", 4))},
    }
    try:
        for made in (f, f.gradient(T), f.gradient(A), f.hessian(A), f.hessian(T), mc.exp(T) / 2,
                     calculus.tensor_derivative(f, A, B)):  # fmt: skip
            known = getattr(made, "entries", made).known
            own = {symbol.name: values[symbol.name] for symbol in known}
            expected = made.evaluate(**own)
            found = np.asarray(made.compile(target=target)(**own))
            assert found.shape == np.shape(expected)
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    finally:
        if target == "jax":
            library.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("language", ["julia", "matlab", "r"])
def test_languages_without_einsum_say_so(language):
    with pytest.raises(UnsupportedFunctionError, match="einsum"):
        mc.norm(T - TUCKER).code(language)


# -- refusals --------------------------------------------------------------------------------------

ONE_SHAPE = r"tensors of one shape, or scalars; found .*einsum multiplies"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: T + x, ONE_SHAPE),
        (lambda: x + T, ONE_SHAPE),
        (lambda: T * mc.tensor("V", ("k", "m", "n")), ONE_SHAPE),
        (lambda: mc.maximum(T, x), ONE_SHAPE),
        (lambda: mc.maximum(x, T), ONE_SHAPE),
        (lambda: mc.where(x > 0, T, 1), ONE_SHAPE),
        (lambda: T @ A, r"einsum\('ijk,kl->ijl', T, A\)"),
        (lambda: A @ T, r"einsum\('ijk,kl->ijl', T, A\)"),
        (lambda: T.T, r"no transpose; name its axes"),
        (lambda: T[0], r"einsum\('ijk,i->jk', T, unit\(0, n\)\)"),
        (lambda: T**U, r"the exponent of a tensor is a scalar"),
        (lambda: x**T, r"one shape"),
        (lambda: mc.trace(T), r"found the tensor T of shape \('n', 'm', 'k'\)"),
        (lambda: mc.softmax(T), r"takes an axis; found T of shape"),
        (lambda: mc.softmax(T, axis=3), r"one axis, from -3 to 2; found axis=3"),
        (lambda: mc.logsumexp(T, axis=(0, 1)), r"one axis, from -3 to 2; found axis=\(0, 1\)"),
        (lambda: mc.kron(T, A), r"found the tensor T"),
        (lambda: mc.sum(T, axis=0), r"einsum\('ijk->i', T\)"),
        (lambda: mc.norm(T, axis=1), r"norm of a tensor is that of all entries"),
        (lambda: T + np.ones((2, 3, 4)), r"found ndarray"),
        (lambda: np.ones((2, 3, 4)) + T, r"found ndarray"),
        (lambda: bool(T), r"neither true nor false"),
        (lambda: list(T), r"cannot be iterated"),
        (lambda: mc.tensor("T", "n"), r"a tuple of sizes"),
        (lambda: mc.tensor("einsum", (2, 3, 4)), r"name of a function"),
        (lambda: mc.tensor("n", ("n", 3, 4)), r"a size and for a symbol"),
        (lambda: mc.tensor("T", (2, 3, 0)), r"at least 1"),
        (lambda: T.evaluate(T=np.ones((2, 3))), r"3 dimensions; found shape \(2, 3\)"),
        (lambda: (T * U).evaluate(T=t, U=t.T), r"tensor of n×m×k; found shape \(4, 3, 2\)"),
        (lambda: (T * U).compile()(T=t, U=t.T), r"'U' is a tensor of n×m×k"),
        (lambda: T.evaluate(T=t * np.nan), r"must be finite"),
        (lambda: mc.log(T).evaluate(T=-t), r"log\(T\)\) is not finite here"),
        (lambda: T.evaluate(), r"no value for 'T', a tensor of n×m×k"),
        (lambda: mc.matrix("T", "n", "m") @ mc.einsum("ijk->jk", T), r"'T' stands for two symbols"),
    ],
)  # fmt: skip
def test_what_tensors_do_not_do_is_refused(call, message):
    with pytest.raises((ShapeError, TypeError, ValueError), match=message):
        call()


def test_declared_properties_are_those_of_matrices():
    with pytest.raises(ShapeError, match="a tensor has no properties"):
        parse("sum(T)", T="n,n,n:symmetric")
