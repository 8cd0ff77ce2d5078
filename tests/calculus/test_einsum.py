"""Sums of products of entries: values, textbook forms, equality, refusals, the order of steps."""

from __future__ import annotations

import builtins
import pickle
import string

import numpy as np
import pytest
from hypothesis import given, note

from mcmodels.calculus import ShapeError, parse, tensor_derivative
from mcmodels.calculus.compute.contractions import order_of_contraction
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.einsum_nodes import Einsum
from mcmodels.calculus.core.rewriting import parts_of, with_children
from mcmodels.calculus.core.tensors import Tensor
from tests.calculus.random_einsums import COUNTS, einsums, value_for
from tests.calculus.test_properties import deterministic, settings

# Sums of at most some hundred products of a few numbers below 2: rounding of 1e-16 each.
CLOSE = 1e-12

A, B, M = mc.matrix("A", "n", "m"), mc.matrix("B", "m", "p"), mc.matrix("M", "n", "n")
N = mc.matrix("N", "n", "n")
x, y, z, a = mc.vector("x", "n"), mc.vector("y", "n"), mc.vector("z", "m"), mc.scalar("a")
T, U = mc.tensor("T", ("n", "m", "p")), mc.tensor("U", ("n", "n", "n"))
row = mc.matrix("r", 1, "n")
SHAPES = {"n": 3, "m": 4, "p": 5, "q": 2}


def arrays_for(*operands, seed=0):
    rng = np.random.default_rng(seed)
    values = {}
    for operand in operands:
        shape = [SHAPES.get(size, size) for size in operand.shape]
        values.setdefault(str(operand), rng.normal(size=shape))
    return values


def own_values(expression, values):
    return {symbol.name: values[symbol.name] for symbol in expression.symbols}


# -- values ----------------------------------------------------------------------------------------

CALLS = [
    ("ij,jk->ik", (A, B)), ("ij,jk", (A, B)), ("kj,ji", (B, mc.matrix("C", "p", "q"))),
    ("ii->", (M,)), ("ii", (M,)), ("ii->i", (M,)), ("ij->", (A,)), ("ij->j", (A,)), ("ij->i", (A,)),
    ("ij->ji", (A,)), ("ba", (A,)), ("ij,ij->", (M, N)), ("ij,ji->", (M, N)),
    ("ij,ij->ij", (M, N)), ("ij,ji->ij", (M, N)), ("ij,ij->i", (M, N)), ("i,j->ij", (x, z)),
    ("i,j->ji", (x, z)), ("i,i->", (x, y)), ("i,i->i", (x, y)), ("i,i,i->", (x, y, x)),
    ("i,i", (x, y)), ("i->", (x,)), ("i,j->", (x, z)), ("i,ij->ij", (x, A)),
    ("i,ij,j->ij", (x, A, z)),
    ("i,ij,j->", (x, A, z)), ("ij,j,kj->ik", (A, z, A)), ("ij,jk,kl,li->", (M, N, M, N)),
    ("ij,ik,jk->", (M, N, M)), ("ij,jk,ki->", (M, N, N)), (",ij->ij", (a, A)),
    (",,i->i", (a, a, x)),
    (",->", (a, a)), ("i,ij->j", (x, A)), ("ii,i->i", (M, x)), ("ii,jj->ij", (M, N)),
    ("ii,ij->ij", (M, N)), ("ij,kl->", (A, B)), ("ij,k->k", (A, x)), ("ij,ik,il->jkl", (A, A, A)),
    ("ijk->", (T,)), ("ijk->kji", (T,)), ("ijk->i", (T,)), ("ijk->ji", (T,)), ("iij->j", (U,)),
    ("iii->i", (U,)), ("iii->", (U,)), ("iij->ij", (U,)), ("ijk,ijk->", (T, T)),
    ("ijk,ijk->ijk", (T, T)), ("ijk,kl->ijl", (T, mc.matrix("C", "p", "q"))),
    ("ijk,i,j->k", (T, x, z)),
    ("ijk,i,j,l->kl", (T, x, z, y)), ("i,j,k->ijk", (x, x, x)), ("i,j,k,l->kl", (x, z, x, y)),
    ("ir,jr,kr->ijk", (M, N, M)), ("abc,ad,be,cf->def", (U, M, N, M)), ("ijk,ljk->il", (U, U)),
    ("ai,i->a", (row, x)), ("ai->i", (row,)), ("ai,j->aij", (row, z)),
    ("ij,jk,l,m->iklm", (A, B, x, z)),
]  # fmt: skip


@pytest.mark.parametrize(("subscripts", "operands"), CALLS, ids=lambda case: str(case))
def test_values_are_those_of_numpy(subscripts, operands):
    values = arrays_for(*operands)
    expected = np.einsum(subscripts, *(values[str(operand)] for operand in operands))
    found = mc.einsum(subscripts, *operands)
    given_ = own_values(found, values)
    # A row of 1×n times a vector is a scalar of shape (1,) in NumPy, () here.
    expected = expected.reshape(np.shape(found.evaluate(**given_)))
    np.testing.assert_allclose(found.evaluate(**given_), expected, atol=CLOSE)
    np.testing.assert_allclose(found.compile()(**given_), expected, atol=CLOSE)
    declared = {symbol.name: symbol for symbol in found.symbols}
    assert parse(str(found), **declared) == found
    assert pickle.loads(pickle.dumps(found)) == found
    assert "nan" not in found.latex() + repr(found)


@pytest.mark.parametrize("seed", range(2))
def test_random_einsums_have_the_values_of_numpy(seed):
    @settings(deterministic, max_examples=75)
    @given(einsums())
    def holds(drawn):
        found, value, terms = drawn
        note(str(found))
        rng = np.random.default_rng(seed)
        arrays = {name: value_for(term, rng) for name, term in terms.items()}
        own = {name: arrays[name] for name in terms}
        sizes = {name: n for name, n in COUNTS.items() if name in _size_names(found)}
        expected = value(arrays)
        scale = max(1.0, np.abs(expected).max())
        given_ = {s.name: own[s.name] for s in found.symbols} | _untold(found, sizes)
        for computed in (found.evaluate(**given_), found.compile()(**given_)):
            assert np.shape(computed) == np.shape(expected)
            np.testing.assert_allclose(computed, expected, rtol=0, atol=CLOSE * scale)
        declared = {symbol.name: symbol for symbol in found.symbols}
        assert parse(str(found), **declared) == found
        for part in parts_of(getattr(found, "entries", found)):
            assert not part.children or with_children(part, part.children) == part

    holds()


def _size_names(found):
    return getattr(found, "entries", found).size_names


def _untold(found, sizes):
    told = {size for symbol in found.symbols for size in symbol.shape}
    return {name: n for name, n in sizes.items() if name not in told}


# -- textbook forms --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (mc.einsum("ij,jk->ik", A, B), A @ B),
        (mc.einsum("ij,kj->ik", M, N), M @ N.T),
        (mc.einsum("ij,jk->ki", A, B), (A @ B).T),
        (mc.einsum("ij,j->i", A, z), A @ z),
        (mc.einsum("ij,i->j", A, x), A.T @ x),
        (mc.einsum("i,ij,j->", x, A, z), x.T @ A @ z),
        (mc.einsum("i,ij,j->", x, M, x), x.T @ M @ x),
        (mc.einsum("ii->", M), mc.trace(M)),
        (mc.einsum("ij,ji->", M, N), mc.trace(M @ N)),
        (mc.einsum("ij,jk,ki->", M, N, N), mc.trace(N @ M @ N)),
        (mc.einsum("ij,ij->", M, N), mc.sum(M * N)),
        (mc.einsum("ij,ij->ij", M, N), M * N),
        (mc.einsum("i,i->", x, y), x.T @ y),
        (mc.einsum("i,i->i", x, y), x * y),
        (mc.einsum("i,j->ij", x, z), x @ z.T),
        (mc.einsum("ij->ji", A), A.T),
        (mc.einsum("ij->", A), mc.sum(A)),
        (mc.einsum("ij->i", A), mc.sum(A, axis=1)),
        (mc.einsum("ij->j", A), mc.sum(A, axis=0)),
        (mc.einsum("ii->i", M), mc.diag(M)),
        (mc.einsum("i,ij->ij", x, mc.eye("n")), mc.diag(x)),
        (mc.einsum("i,ij,jk->ik", x, M, N), mc.diag(x) @ M @ N),
        (mc.einsum("ij,j,kj->ik", A, z, A), A @ mc.diag(z) @ A.T),
        (mc.einsum(",ij->ij", a, A), a * A),
        (mc.einsum("ijk,ijk->", T, T), mc.sum(T * T)),
        (mc.einsum("ijk->ijk", T), T),
        (mc.einsum("ijk,ijk->ijk", T, T), T**2),
        (mc.einsum("i,i,jkl->jkl", x, y, U), (x.T @ y) * U),
        (mc.einsum("i,ijk->", mc.ones("n"), T), mc.sum(T)),
        (mc.einsum("ij,jkl->ikl", mc.eye("n"), U), U),
        (mc.einsum("i->", mc.ones("n")), mc.size("n")),
    ],
    ids=str,
)
def test_what_matrices_can_say_is_said_by_matrices(found, expected):
    assert found == expected


# -- equality --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (mc.einsum("ijk,i->jk", T, x), mc.einsum("b,bcd->cd", x, T)),
        (mc.einsum("ijk,i->jk", T, x), mc.einsum("ijk,i->kj", T, x).T),
        (mc.einsum("ir,jr,kr->ijk", M, N, M), mc.einsum("cz,bz,az->abc", M, N, M)),
        (mc.einsum("ij,ik,il->jkl", M, M, N), mc.einsum("il,ij,ik->jkl", N, M, M)),
        (mc.einsum("i,j,k->ijk", x, y, x), mc.einsum("j,k,i->ijk", y, x, x)),
        (mc.einsum("ijk,kl->ijl", U, M + M), 2 * mc.einsum("abc,cd->abd", U, M)),
        (mc.einsum("ijk,il->jkl", T, mc.eye("n")), mc.einsum("ijk->jki", T)),
        (mc.einsum("il,ijk->ljk", M, mc.einsum("ijk,jl->ilk", T, A.T)),
         mc.einsum("ai,ibk,nb->ank", M.T, T, A)),
        (mc.einsum("ij,ik,jk,kl,lj->", *[M] * 5), mc.einsum("ac,ab,cb,bd,dc->", *[M] * 5)),
    ],
    ids=str,
)  # fmt: skip
def test_names_of_indices_and_the_order_of_operands_do_not_matter(one, other):
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (mc.einsum("ijk,i->jk", U, x), mc.einsum("ijk,j->ik", U, x)),
        (mc.einsum("ijk,i->jk", U, x), mc.einsum("ijk,i->kj", U, x)),
        (mc.einsum("ir,jr,kr->ijk", M, N, M), mc.einsum("ir,jr,kr->ikj", M, N, M)),
        (mc.einsum("ir,jr,kr->ijk", M, N, M), mc.einsum("ri,jr,kr->ijk", M, N, M)),
    ],
    ids=str,
)
def test_what_differs_is_unequal(one, other):
    assert one != other


def test_equal_operands_meet_in_any_order():
    # Seven equal operands have 5040 orders; the first that all are compared with is the same.
    terms = ["ab", "bc", "cd", "de", "ef", "fg", "ga"]
    one = mc.einsum(f"{','.join(terms)},a,c->bd", *[M] * 7, x, x)
    other = mc.einsum(f"{','.join(terms[::-1])},c,a->bd", *[M] * 7, x, x)
    assert one == other


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mc.einsum("ij,jk->ik", A, A), r"index 'j' for m entries of A and for n of A"),
        (
            lambda: mc.einsum("ij", x),
            r"2 indices, 'ij', for x, which has 1 \(n\); a vector has one",
        ),
        (lambda: mc.einsum("i", T), r"1 indices, 'i', for T, which has 3 \(n×m×p\)"),
        (lambda: mc.einsum("i,j->", x), r"subscripts of 2 operands; found 1"),
        (lambda: mc.einsum("i->ij", x), r"index 'j' in the result and in no operand"),
        (lambda: mc.einsum("i->ii", x), r"index 'i' twice in the result; .*eye\(n\)"),
        (lambda: mc.einsum("...i->i", A), r"ellipsis; write a letter for each axis"),
        (lambda: mc.einsum("i1->i", A), r"character '1'"),
        (lambda: mc.einsum("ij->k->i", A), r"character '-'"),
        (lambda: mc.einsum("ai,aj->ij", row, A), r"1 entries of r and for n of A; an axis of 1"),
        (lambda: mc.einsum(A, "ij"), r"takes the subscripts as text.*found Symbol"),
        (lambda: mc.einsum("ij->i", np.ones((2, 2))), r"expressions combine.*found ndarray"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises((ShapeError, TypeError), match=message):
        call()


def test_too_many_indices_are_refused():
    letters = string.ascii_letters
    vectors = [mc.vector(f"v{i}", "n") for i in range(52)]
    everything = mc.einsum(f"{','.join(letters)}->{letters}", *vectors)
    assert isinstance(everything, Tensor)
    assert everything.shape == ("n",) * 52
    with pytest.raises(ShapeError, match=r"at most 52 indices"):
        tensor_derivative(everything, "v0")


# -- the order of contraction ----------------------------------------------------------------------


def test_a_chain_is_contracted_from_its_short_end():
    shapes = [(100, 100), (100, 100), (100,)]
    assert order_of_contraction("ij,jk,k->i", shapes)[0] in {(1, 2), (2, 1)}


@pytest.mark.parametrize("count", [3, 7])
def test_without_opt_einsum_numpy_finds_an_order(count, monkeypatch):
    imported = builtins.__import__

    def without(name, *rest):
        if name == "opt_einsum":
            raise ImportError(name)
        return imported(name, *rest)

    f = mc.einsum(
        ",".join(string.ascii_letters[i : i + 2] for i in range(count)) + "->a",
        *[mc.exp(M) * M.T] * count,
    )
    g = mc.einsum("ijk,il,jl,kl->", U, M, N, M)
    values = arrays_for(M, N, U)
    for e in (f, g):
        own = own_values(e, values)
        expected = e.evaluate(**own)
        with monkeypatch.context() as patched:
            patched.setattr(builtins, "__import__", without)
            np.testing.assert_allclose(e.evaluate(**own), expected, rtol=CLOSE)
            np.testing.assert_allclose(e.compile()(**own), expected, rtol=CLOSE)


def test_the_compiled_order_is_that_for_the_sizes():
    F, H = mc.matrix("F", "b", "s"), mc.matrix("H", "c", "t")
    e = mc.einsum("ijk,jl,ko->ilo", mc.tensor("T", ("a", "b", "c")), F, H)
    few, many = (
        {"a": 9, "b": 100, "c": 9, "s": 2, "t": 100},
        {"a": 9, "b": 9, "c": 100, "s": 100, "t": 2},
    )
    assert e.compile().source_for(**few) != e.compile().source_for(**many)


def test_an_einsum_in_an_einsum_is_opened():
    inner = mc.einsum("ijk,kl->ijl", U, M)
    outer = mc.einsum("ijl,j->il", inner, x)
    assert isinstance(outer, Einsum)
    assert not any(isinstance(part, Einsum) for part in outer.children)


def test_deep_einsums_stay_small():
    # Opened without bounds, each level would double the operands.
    f = x
    for _ in range(20):
        f = mc.einsum("ijk,j,k->i", U, f, f)
    assert sum(1 for _ in parts_of(f)) < 100
    values = {"U": np.full((3, 3, 3), 0.1), "x": np.ones(3)}
    g = np.ones(3)
    for _ in range(20):
        g = np.einsum("ijk,j,k->i", values["U"], g, g)
    np.testing.assert_allclose(f.evaluate(**values), g, rtol=1e-9)  # 2²⁰ factors of each
