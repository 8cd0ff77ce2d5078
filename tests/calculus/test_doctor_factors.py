"""Factors of the doctor: what a number at several points is made of, planted and found again."""

from fractions import Fraction

import numpy as np
import pytest

from mcmodels.calculus import scalar
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.study.doctor.factors import Quantity, recognise

NAMES = ("a", "b", "c", "n")
NUMBERS = (Fraction(1), Fraction(-1), Fraction(2), Fraction(-3, 2), Fraction(5, 12))
EXPONENTS = ((1, 0), (-1, 0), (2, 0), (-2, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))


def quantities(points):
    rng = np.random.default_rng(3)
    return [Quantity(name, tuple(rng.uniform(0.5, 3.0, points)), scalar(name)) for name in NAMES]


@pytest.mark.parametrize("of", NUMBERS)
@pytest.mark.parametrize(("first", "second"), EXPONENTS)
def test_a_planted_factor_is_found(of, first, second):
    known = quantities(4)
    a, c = (np.array(q.values) for q in (known[0], known[2]))
    found = recognise(float(of) * a**first * c**second, known, 1e-8)
    assert found.number == of
    wanted = {("a", first), ("c", second)} if second else {("a", first)}
    assert {(q.text, exponent) for q, exponent in found.powers} == wanted


def test_what_is_a_bit_off_is_no_factor():
    known = quantities(4)
    ratios = 2.0 * np.array(known[0].values)
    assert recognise(ratios * (1 + 5e-9), known, 1e-8).powers
    ratios[-1] *= 1 + 3e-8
    assert recognise(ratios, known, 1e-8) is None


def test_squares_of_constants_are_not_looked_for():
    root = Quantity("sqrt(3)", (np.sqrt(3.0),) * 4, number(3) ** number(Fraction(1, 2)))
    varied = quantities(4)[0]
    ratios = np.array(varied.values) * np.sqrt(3.0)
    found = recognise(ratios, [root, varied], 1e-8)
    assert {(q.text, exponent) for q, exponent in found.powers} == {("sqrt(3)", 1), ("a", 1)}
    assert recognise([3.0] * 4, [root], 1e-8).powers == ()


def test_at_one_point_only_usual_numbers_are_factors_of_quantities():
    known = quantities(1)
    a = known[0].values[0]
    assert recognise([2.0 * a], known, 1e-8).powers
    assert recognise([float(Fraction(5, 7)) * a], known, 1e-8).powers == ()


def test_without_quantities_a_number_is_a_number():
    assert recognise([2.0, 2.0], [], 1e-8).number == 2
    assert recognise([2.0, 3.0], [], 1e-8) is None


def test_a_ratio_that_is_known_badly_leaves_the_others_to_tell():
    known = quantities(3)
    a = np.array(known[0].values)
    badly = np.array([1e-8, 1e-8, 1e-2])
    off = a * np.array([1, 1, 1 + 5e-3])
    found = recognise(2.0 * off, known, badly)
    assert found.number == 2
    assert [(q.text, exponent) for q, exponent in found.powers] == [("a", 1)]
    # With one tolerance for all, this is 2a, too.
    assert recognise(2.0 * a * np.array([1, 1 + 5e-3, 1]), known, badly) is None


@pytest.mark.parametrize("value", [1 / 37, 37.0, 2.5, 1.62])
def test_a_number_at_a_point_that_is_known_badly_is_the_number_of_the_others(value):
    found = recognise([value, value * (1 + 5e-3)], [], np.array([1e-8, 1e-2]))
    assert float(found.number) == pytest.approx(value, rel=1e-15)
    assert recognise([value, value * (1 + 5e-3)], [], np.array([1e-2, 1e-8])) is not None
    assert recognise([value, value * (1 + 5e-3)], [], 1e-8) is None
