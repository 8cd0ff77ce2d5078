"""Double-double arithmetic against rational numbers."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mcmodels.solvers.double_double import DoubleDouble, two_product, two_sum

# Products of numbers in this range neither overflow nor lose bits to underflow.
numbers = st.floats(-1e100, 1e100).filter(lambda v: v == 0 or abs(v) > 1e-100)


@given(numbers, numbers)
def test_transformations_are_error_free(a, b):
    s, e = two_sum(np.array([a]), np.array([b]))
    assert Fraction(s[0]) + Fraction(e[0]) == Fraction(a) + Fraction(b)
    p, f = two_product(np.array([a]), np.array([b]))
    assert Fraction(p[0]) + Fraction(f[0]) == Fraction(a) * Fraction(b)


@given(
    arrays(float, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=st.floats(-1e6, 1e6))
)
def test_sums_of_products_have_thirty_digits(a):
    b = np.cos(np.arange(a.size)).reshape(a.shape)
    total = DoubleDouble.of(a).times(b).sum(axis=0)
    for j in range(a.shape[1]):
        terms = [
            Fraction(x) * Fraction(y)
            for x, y in zip(a[:, j].tolist(), b[:, j].tolist(), strict=True)
        ]
        error = Fraction(total.hi[j]) + Fraction(total.lo[j]) - sum(terms)
        # Each of at most nine additions and products errs by about 2⁻¹⁰⁴ of its operands.
        assert abs(error) <= sum(map(abs, terms)) * Fraction(1, 2**99) + Fraction(1, 10**320)


def test_what_cancels_in_float64_survives():
    a = np.array([1e16, 1.0, -1e16, 1e-10])
    total = DoubleDouble.of(a).sum(axis=0)
    assert total.hi + total.lo == 1.0 + 1e-10
    assert a[:3].sum() != 1.0


def test_addition_and_negation():
    a, b = DoubleDouble.of(np.array([1.0])), DoubleDouble.of(np.array([2.0**-80]))
    difference = (a + b) + -a
    assert difference.hi[0] == 2.0**-80


@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=6))
def test_a_float64_is_added_as_exactly_as_a_double_double(triples):
    """The error is at most 2u² of the sum, u = 2⁻⁵³, also where the leading parts cancel.

    Joldes, Muller and Popescu (2017), *Tight and rigorous error bounds for basic building blocks of
    double-word arithmetic*, ACM TOMS 44(2), theorem 3.1 (algorithm DWPlusFP).
    """
    a, small, x = (np.array(column) for column in zip(*triples, strict=True))
    number = DoubleDouble(*two_sum(a, small * 2.0**-60))
    for added in (x, -number.hi, -number.hi * (1 + 2.0**-52)):
        total = number + added
        for j in range(len(a)):
            exact = Fraction(number.hi[j]) + Fraction(number.lo[j]) + Fraction(added[j])
            error = Fraction(total.hi[j]) + Fraction(total.lo[j]) - exact
            assert abs(error) <= abs(exact) * Fraction(1, 2**105)
