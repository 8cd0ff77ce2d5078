"""Einsums and tensors in many digits: against NumPy, and against sums of fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mcmodels.calculus import einsum, matrix, tensor, vector

mpmath = pytest.importorskip("mpmath")

SIZES = {"i": 2, "j": 3, "k": 4, "l": 2}
SUBSCRIPTS = [
    "ijk,kl->ijl",
    "ijk,ijk->",
    "ijk->kij",
    "iij->j",
    "i,ij,j->",
    "ij,jk,kl->il",
    "ij,ij,ij->ij",
    "ijk,j->k",
    "i,j,k->ijk",
    "ij->i",
    "ijk,ijl,kl->j",
    "ii->i",
    "ij,ik->ijk",
    "i,i,i->",
]


def operands(subscripts):
    """Symbols and values of eighths, which float64 and fractions hold exactly."""
    rng = np.random.default_rng(len(subscripts))
    symbols, values = [], {}
    for term in subscripts.partition("->")[0].split(","):
        name = f"{'xATU'[min(len(term), 4) - 1]}_{len(values)}"
        make = (vector, matrix, tensor)[min(len(term), 3) - 1]
        symbols.append(make(name, tuple(term)) if len(term) > 2 else make(name, *term))
        values[name] = rng.integers(-20, 20, [SIZES[axis] for axis in term]) / 8
    return symbols, values


@pytest.mark.parametrize("subscripts", SUBSCRIPTS)
def test_values_are_those_of_exact_sums(subscripts):
    symbols, values = operands(subscripts)
    found = einsum(subscripts, *symbols).evaluate(**values, digits=30)
    terms, _, output = subscripts.partition("->")
    expected = np.full([SIZES[axis] for axis in output], Fraction(0), dtype=object)
    letters = sorted(set(terms) - {","})
    for places in product(*(range(SIZES[axis]) for axis in letters)):
        at = dict(zip(letters, places, strict=True))
        term = Fraction(1)
        for axes, value in zip(terms.split(","), values.values(), strict=True):
            term *= Fraction(value[tuple(at[axis] for axis in axes)])
        expected[tuple(at[axis] for axis in output)] += term
    assert np.shape(found) == expected.shape
    # Eighths to the third power times small counts have less than 30 digits: nothing is rounded.
    assert all(a == b for a, b in zip(np.ravel(found), expected.ravel(), strict=True))


def test_a_gradient_by_a_tensor_keeps_digits_that_cancel():
    T = tensor("T", ("i", "j", "k"))
    x = vector("x", "k")
    f = einsum("ijk,k->", T, x) ** 2
    values = np.zeros((2, 3, 4))
    values[0, 0, 0], values[1, 2, 3] = 1.0, 1e-20
    at = np.array([1.0, 0.0, 0.0, -1.0])
    found = f.gradient(T).evaluate(T=values, x=at, digits=30)
    # 2 (T x) xₖ with T x = 1 − 1e-20, exactly, up to the last of 30 digits.
    expected = 2 * (1 - Fraction(values[1, 2, 3]))
    with mpmath.workdps(40):
        assert abs(Fraction(str(found[0, 1, 0])) - expected) < Fraction(1, 10**28)
        assert found[1, 1, 3] == -found[0, 1, 0]
    assert found[0, 0, 1] == 0
