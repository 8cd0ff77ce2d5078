"""softmax and logsumexp along an axis of a tensor: values at large margins, text, code, laws."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import scipy.special

from mcmodels.calculus import einsum, exp, log, logsumexp, matrix, parse, softmax, sqrt, tensor
from mcmodels.calculus import sum as total
from mcmodels.calculus.core.arithmetic import scale
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import Size
from mcmodels.calculus.derive import rules
from mcmodels.calculus.text.declarations import declaration
from mcmodels.calculus.text.shape_inference import infer_symbols

SHAPE = (2, 3, 4, 5)
RANK4 = tensor("T", ("n", "m", "k", "l"))
RANK3 = tensor("T", ("n", "m", "k"))
# Values and their peers are both rounded a few times, and are at most 1, or of the size of T.
CLOSE = 1e-14


def drawn(rank, size=1.0):
    return size * np.random.default_rng(rank).normal(size=SHAPE[:rank])


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    ("T", "axis"),
    [(T, axis) for T in (RANK3, RANK4) for axis in range(-len(T.shape), len(T.shape))],
)
def test_values_are_those_of_scipy(T, axis, size):
    rank = len(T.shape)
    t = drawn(rank, size)
    for ours, peer in ((softmax, scipy.special.softmax), (logsumexp, scipy.special.logsumexp)):
        f, expected = ours(T, axis=axis), peer(t, axis=axis)
        digits = np.array(f.evaluate(T=t, digits=20), dtype=float)
        for found in (f.evaluate(T=t), f.compile()(T=t), digits):
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE * size)


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_code_for_other_libraries_runs(target):
    library = pytest.importorskip(target)
    t = drawn(3, 1000.0)
    given = library.tensor(t) if target == "torch" else library.numpy.array(t)
    for f in (softmax(RANK3, axis=1), logsumexp(RANK3, axis=0)):
        expected = f.evaluate(T=t)
        found = np.asarray(f.compile(target=target)(T=given))
        # JAX computes in float32 here.
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_attention_at_scores_of_1000():
    """One key has all the weight: the output is its value, and the gradients are finite."""
    Q, K, V = (tensor(name, ("b", "h", size, "d")) for name, size in zip("QKV", "qss", strict=True))
    scores = einsum("bhqd,bhsd->bhqs", Q, K) / sqrt(parse("size(d)"))
    f = total(einsum("bhqs,bhsd->bhqd", softmax(scores, axis=-1), V))
    rng = np.random.default_rng(0)
    q, k, v = (40 * rng.normal(size=(1, 2, 3, 4)) for _ in range(3))
    given = {"Q": q, "K": k, "V": v}
    top = np.argmax(q @ k.swapaxes(-1, -2), axis=-1)
    expected = np.take_along_axis(v, top[..., None], axis=2).sum()
    assert abs(scores.evaluate(Q=q, K=k)).max() > 1000
    for value in (f.evaluate(**given), f.compile()(**given)):
        assert value == pytest.approx(expected, rel=1e-12)  # the others weigh less than 1e-16
    for name in "QKV":
        G = f.gradient(name)
        assert np.isfinite(G.evaluate(**given)).all()
        np.testing.assert_allclose(
            G.compile()(**given), np.array(G.evaluate(**given, digits=20), float), atol=1e-10
        )


def test_its_logarithm_does_not_underflow():
    t = np.zeros((1, 1, 2))
    t[..., 0] = 1000.0
    f = log(softmax(RANK3, axis=-1))
    assert f.evaluate(T=t).tolist() == f.compile()(T=t).tolist() == [[[0.0, -1000.0]]]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_derivatives_of_its_logarithm_do_not_overflow(axis):
    """Those of a cross-entropy at margins of 1000, by the formulas y Σt − t and diag(y) − yyᵀ."""
    target = tensor("Y", ("n", "m", "k"))
    f = -total(log(softmax(RANK3, axis=axis)) * target)
    t, share = drawn(3, 1000.0), np.abs(drawn(3))
    y = scipy.special.softmax(t, axis=axis)
    weight = share.sum(axis=axis, keepdims=True)
    G = f.gradient("T")
    for found in (G.evaluate(T=t, Y=share), G.compile()(T=t, Y=share)):
        np.testing.assert_allclose(found, y * weight - share, rtol=0, atol=1e-14)  # rounding
    direction = drawn(3)[::-1]
    expected = weight * y * (direction - (y * direction).sum(axis=axis, keepdims=True))
    found = np.tensordot(f.hessian("T").evaluate(T=t, Y=share), direction, axes=3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)  # sums of 24 numbers below 10


def test_functions_of_each_entry_are_taken_inside_an_exchange_of_axes():
    flipped = einsum("ijk->kji", RANK3)
    assert exp(flipped) == einsum("ijk->kji", exp(RANK3))
    assert (exp(flipped) * 0).shape == ("k", "m", "n")
    t = drawn(3)
    assert exp(flipped).evaluate(T=t).tolist() == np.exp(t.T).tolist()
    # A part that appears when factors meet is opened as others are.
    S = tensor("S", ("k", "m", "n"))
    back = einsum("ijk->kji", S)
    assert einsum("ijk->kji", exp(RANK3) * back / exp(RANK3)) == S
    assert einsum("ijk,ijk,ijk->kji", exp(RANK3), back, 1 / exp(RANK3)) == S


def test_an_axis_of_one_entry():
    T = tensor("T", ("n", "m", 1))
    t = drawn(3)[..., :1]
    assert softmax(T, axis=-1).evaluate(T=t).tolist() == np.ones((2, 3, 1)).tolist()
    assert logsumexp(T, axis=-1).evaluate(T=t).tolist() == t[..., 0].tolist()
    first = tensor("T", (1, "m", "k"))
    assert softmax(first, axis=-1).evaluate(T=drawn(3)[:1]).shape == (1, 3, 4)


@pytest.mark.parametrize(
    ("made", "plain", "text"),
    [
        (softmax(RANK3, axis=-1), "softmax_rows(T)", "softmax(T, axis=-1)"),
        (logsumexp(RANK3, axis=-1), "logsumexp_rows(T)", "logsumexp(T, axis=-1)"),
        (
            einsum("ijk,k->ij", softmax(RANK3, axis=-1), parse("x", x="k")),
            "[Σₗ softmax_rows(T)ᵢⱼₗ xₗ]ᵢⱼ",
            "einsum('ijk,k->ij', softmax(T, axis=-1), x)",
        ),
        (exp(RANK3) / total(exp(RANK3)), "softmax(T)", "exp(T) / sum(exp(T))"),
        (
            softmax(RANK3, axis=1),
            "[softmax_rows([Tᵣₜₛ]ᵣₛₜ)ᵢₗⱼ]ᵢⱼₗ",
            "einsum('ikj->ijk', softmax(einsum('ikj->ijk', T), axis=-1))",
        ),
    ],
    ids=str,
)
def test_it_reads_as_a_textbook_and_is_read_back(made, plain, text):
    assert repr(made) == plain
    assert str(made) == text
    declared = {symbol.name: symbol for symbol in made.symbols}
    assert parse(text, **declared) == made
    assert pickle.loads(pickle.dumps(made)) == made


def test_shapes_are_inferred_in_the_shell():
    text = "sum(logsumexp(einsum('ijk,k->ijk', T, x), axis=-1) * A) + sum(softmax(T, axis=0))"
    symbols = infer_symbols(text, {"T": declaration("T", "n,m,k")})
    assert symbols["A"].shape == ("n", "m")
    assert symbols["x"].shape == ("k",)


def test_the_sum_along_the_axis_is_one():
    t = drawn(3)
    f = einsum("ijk->ij", softmax(RANK3, axis=-1))
    np.testing.assert_allclose(f.evaluate(T=t), np.ones((2, 3)), rtol=1e-15)
    # Its derivative is that of a constant, up to the rounding of numbers below 1.
    assert np.abs(f.jacobian("T").evaluate(T=t)).max() < 1e-15
    gradient = total(logsumexp(RANK3, axis=-1)).gradient("T")
    assert gradient == softmax(RANK3, axis=-1)


@pytest.mark.parametrize("kind", [AxisSoftmax, AxisLogSumExp])
def test_a_wrong_rule_is_caught(kind, monkeypatch):
    A = matrix("A", "n", "m")
    f = total(logsumexp(RANK3, axis=-1) * A) + total(softmax(RANK3, axis=0) ** 2)
    assert f.check("T") < 1e-8
    right = rules.RULES[kind]
    wrong = replace(right, apply=lambda e, d: scale(number(1.0005), right.apply(e, d)))
    monkeypatch.setitem(rules.RULES, kind, wrong)
    assert f.check("T") > 1e-6  # of an error of 5e-4 in one of two terms


def test_sizes_are_those_of_the_other_axes():
    assert logsumexp(RANK4, axis=1).shape == ("n", "k", "l")
    assert logsumexp(RANK3, axis=0).rows == Size.of("m")


# -- as people type it -----------------------------------------------------------------------------


@pytest.mark.parametrize(("axis", "letter"), [*enumerate("ijk")])
@pytest.mark.parametrize("factor", [1, 2])
def test_quotients_and_logarithms_of_exponentials_are_recognised(axis, letter, factor):
    """As NumPy's einsum writes them, with T in either order of its axes, and a number before it."""
    others = "ijk".replace(letter, "")
    for T in (RANK3, einsum("ijk->kji", tensor("T", ("k", "m", "n")))):
        powers = exp(T)
        sums = einsum(f"ijk->{others}", powers)
        below = einsum(f"{others},{letter}->ijk", sums, parse(f"ones({'nmk'[axis]})"))
        assert factor * powers / below == factor * softmax(T, axis=axis)
        assert log(sums) == logsumexp(T, axis=axis)
        text, declared = f"{factor} * {powers} / {below}", {s.name: s for s in T.symbols}
        assert parse(text, **declared) == factor * softmax(T, axis=axis)
        large = 1000.0 * np.ones((2, 3, 4) if T == RANK3 else (4, 3, 2))
        found = (powers / below).compile()(T=large)
        np.testing.assert_allclose(found, np.full((2, 3, 4), 1 / (2, 3, 4)[axis]), rtol=1e-15)


def test_what_only_looks_like_softmax_stays():
    t = drawn(3)
    sums = einsum("ijk->ij", exp(2 * RANK3))
    below = einsum("ij,k->ijk", sums, parse("ones(k)"))
    other = np.exp(t) / np.exp(2 * t).sum(axis=2, keepdims=True)
    np.testing.assert_allclose((exp(RANK3) / below).evaluate(T=t), other, rtol=1e-14)
    weighted = einsum("ij,k->ijk", einsum("ijk->ij", exp(RANK3)), parse("w", w="k"))
    w = np.array([1.0, 2, 3, 4])
    expected = scipy.special.softmax(t, axis=2) / w
    np.testing.assert_allclose((exp(RANK3) / weighted).evaluate(T=t, w=w), expected, rtol=1e-14)
    S = tensor("S", ("n", "n", "k"))
    s = np.random.default_rng(0).normal(size=(3, 3, 2))
    diagonal = log(einsum("iij->j", exp(S)))
    expected = np.log(np.einsum("iij->j", np.exp(s)))
    np.testing.assert_allclose(diagonal.evaluate(S=s), expected, rtol=1e-14)
    np.testing.assert_allclose(
        log(einsum("ijk->k", exp(RANK3))).evaluate(T=t), np.log(np.exp(t).sum((0, 1))), rtol=1e-14
    )
