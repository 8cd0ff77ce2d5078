"""Laws of transposes, on random expressions; the transpose is also built part by part."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mcmodels.calculus import exp, expm, inv, matrix, maximum, tanh, tril, triu, vector, zeros
from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core.arithmetic import is_symmetric
from mcmodels.calculus.study.instances import random_instance

A, B = matrix("A", "n", "n"), matrix("B", "n", "n")
LEAVES = [
    A,
    B,
    matrix("S", "n", "n", symmetric=True),
    matrix("P", "n", "n", positive_definite=True),
    matrix("D", "n", "n", diagonal=True),
    matrix("L", "n", "n", lower_triangular=True),
    matrix("Q", "n", "n", orthogonal=True),
    vector("x", "n") @ vector("y", "n").T,
]
MATRICES = LEAVES[:-1]  # of xyᵀ come xᵀy and yᵀx, which are two expressions
# Each gives F and its transpose, of those of its parts.
PAIRS = {
    "sum": lambda a, at, b, bt: (a + b, at + bt),
    "difference": lambda a, at, b, bt: (a - 2 * b, at - 2 * bt),
    "elementwise product": lambda a, at, b, bt: (a * b, at * bt),
    "product": lambda a, at, b, bt: (a @ b, bt @ at),
    "maximum": lambda a, at, b, bt: (maximum(a, b), maximum(at, bt)),
}
SINGLE = {
    "transpose": lambda a, at: (a.T, at.T),
    "tril": lambda a, at: (tril(a), triu(at)),
    "triu": lambda a, at: (triu(a), tril(at)),
    "multiple": lambda a, at: (3 * a, 3 * at),
    "exp": lambda a, at: (exp(a), exp(at)),
    "tanh": lambda a, at: (tanh(a), tanh(at)),
    "square": lambda a, at: (a**2, at**2),
    "inv": lambda a, at: (inv(a), inv(at)),
    "expm": lambda a, at: (expm(a), expm(at)),
}
# With these alone, transposes are moved to the symbols, so that equal matrices are one expression.
# A sum is transposed as a whole, and so is a function of a product.
ONE_FORM = ("product", "elementwise product", "transpose", "tril", "triu", "multiple")


def grown(rng, depth, kinds, leaves=LEAVES):
    """A random expression, and its transpose built part by part."""
    if depth == 0 or rng.random() < 0.1:
        leaf = rng.choice(leaves)
        return (leaf, leaf.T) if rng.random() < 0.6 else (leaf.T, leaf)
    kind = rng.choice(kinds)
    first = grown(rng, depth - 1, kinds, leaves)
    if kind in SINGLE:
        return SINGLE[kind](*first)
    return PAIRS[kind](*first, *grown(rng, depth - 1, kinds, leaves))


@pytest.mark.parametrize("seed", range(150))
def test_a_transpose_of_a_transpose_is_the_expression(seed):
    rng = random.Random(seed)
    F, by_parts = grown(rng, rng.choice((2, 3, 4)), [*PAIRS, *SINGLE])
    assert F.T.T == F
    assert by_parts.T.T == by_parts


@pytest.mark.parametrize("seed", range(150))
def test_a_matrix_and_its_transpose_are_symmetric_together(seed):
    """Also where the transpose is built part by part; and F − Fᵀ is the negative of its own."""
    rng = random.Random(seed)
    F, by_parts = grown(rng, rng.choice((2, 3, 4)), [*PAIRS, *SINGLE])
    assert is_symmetric(F + F.T)
    assert is_symmetric(F + by_parts)
    assert is_symmetric(3 * F + 3 * F.T)
    difference = F - F.T
    assert difference.T + difference == zeros("n", "n")
    assert is_symmetric(difference) == (difference == zeros("n", "n"))


def test_what_is_not_symmetric_is_not_taken_to_be():
    """By values: of 300 random expressions, those that are called symmetric are so."""
    told = 0
    for seed in range(300):
        rng = random.Random(seed)
        kinds = [kind for kind in (*PAIRS, *SINGLE) if kind not in ("inv", "expm")]
        F, _ = grown(rng, 2, kinds)
        G, _ = grown(rng, 2, kinds)
        for e in (F, F + G.T, F * G.T, 2 * (F + G).T - G):
            values, sizes = random_instance([e], seed)
            value = walk(e, values, sizes)
            if is_symmetric(e):
                told += 1
                np.testing.assert_allclose(value, value.T, rtol=1e-12, atol=1e-12)
    assert told > 50


def test_multiples_of_transposed_sums_stay_where_nothing_is_alike():
    assert (-2 * (A - B).T + A @ B).mathematics() == "AB − 2(A − B)ᵀ"
    assert 3 * (A + B).T - 3 * A.T == 3 * B.T
    assert 3 * (A + B).T + A.T == 4 * A.T + 3 * B.T


@pytest.mark.parametrize("seed", range(150))
def test_products_have_one_form(seed):
    rng = random.Random(seed)
    F, by_parts = grown(rng, rng.choice((2, 3, 4)), ONE_FORM, MATRICES)
    assert by_parts == F.T
    assert is_symmetric(F + by_parts)
    assert is_symmetric(F @ by_parts)
    assert is_symmetric(F * by_parts)
    G, others = grown(rng, 2, ONE_FORM, MATRICES)
    # A sum is opened where it is a term.
    assert (F + G).T - (by_parts + others) == zeros("n", "n")
    assert is_symmetric((F + G).T + F + G)


@pytest.mark.parametrize("seed", range(40))
def test_the_values_are_transposed(seed):
    """Of size 3 with entries of size 1, and inverses of tame matrices: rounding is below 1e-9."""
    rng = random.Random(seed)
    kinds = [kind for kind in (*PAIRS, *SINGLE) if kind not in ("inv", "expm")]
    F, by_parts = grown(rng, 3, kinds)
    values, sizes = random_instance([F, by_parts], seed)
    found, expected = walk(F.T, values, sizes), walk(F, values, sizes).T
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * scale)
    np.testing.assert_allclose(walk(by_parts, values, sizes), expected, rtol=0, atol=1e-9 * scale)
