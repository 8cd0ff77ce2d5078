"""The doctor on powers of x, on what is not defined, and on points that do not show a term."""

import numpy as np
import pytest

from mcmodels.calculus import diagnose, mean, ones, parse, scalar, vector


def test_the_derivative_of_a_power_by_its_exponent():
    """What is missing is aᵘ log(a), and not u aᵘ⁻¹, the derivative by a."""
    found = diagnose(parse("2**(x**2)"), "x", parse("2*x"))
    assert found.mistake == "chain rule", str(found)
    factor = found.remedy.removeprefix("multiply by ").partition(",")[0]
    assert "log(2)" in factor
    at = 0.7
    # The claim times that factor is the central difference, which is good to 1e-9 or so.
    step = 1e-5
    difference = (2 ** ((at + step) ** 2) - 2 ** ((at - step) ** 2)) / (2 * step)
    assert 2 * at * 2 ** (at**2) * np.log(2) == pytest.approx(difference, rel=1e-8)


def test_the_rule_for_powers_on_exponentials():
    for f, x, claimed in (
        ("2**x", "x", "x*2**(x-1)"),
        ("sum(a**c)", "c", "c*sum(a**(c-1))"),
        ("sum(a**c) + c**2", "c", "sum(a**c) + 2*c"),
    ):
        found = diagnose(parse(f, a="n"), x, parse(claimed, a="n"))
        assert found.mistake == "wrong derivative", str(found)
        assert "log" in found.remedy


@pytest.mark.parametrize(
    ("shapes", "f", "x", "claimed", "mistake"),
    [
        ({"X": "n,n"}, "trace(inv(X))", "X", "-inv(X)", "wrong derivative"),
        (
            {"X": "n,p", "a": "p", "l": "scalar"},
            "a.T@inv(X.T@X + l*eye(p))@a",
            "l",
            "-a.T@inv(X.T@X + l*eye(p))@a",
            "wrong derivative",
        ),
    ],
)
def test_variants_that_are_not_defined_are_passed_over(shapes, f, x, claimed, mistake):
    """The inverse of 11ᵀ, and that of XᵀX with fewer rows than columns, do not exist."""
    assert diagnose(parse(f, **shapes), x, parse(claimed, **shapes)).mistake == mistake


@pytest.mark.parametrize("seed", range(4))
def test_a_term_that_is_0_at_some_points_is_told_by_the_others(seed):
    shapes = {"a": "n", "p": "n", "q": "n", "m": "scalar"}
    f = parse("relu(norm(a-p)**2 - norm(a-q)**2 + m)", **shapes)
    claimed = parse("step(norm(a-p)**2 - norm(a-q)**2 + m)*(2*(a-p) + 2*(a-q))", **shapes)
    found = diagnose(f, "a", claimed, seed=seed)
    assert found.mistake == "sign of a term", str(found)


def test_a_claim_that_is_not_summed_nor_divided():
    b, y = scalar("b"), vector("y", "n")
    f = mean((b * ones("n") - y) ** 2)
    found = diagnose(f, b, 2 * (b * ones("n") - y))
    assert found.mistake == "wrong shape"
    assert found.remedy == "sum its entries, and divide the sum by n"


def test_several_terms_are_told_only_where_the_entries_tell_them():
    """With as many terms as entries any claim is a sum of multiples of the terms."""
    at = {"x": [1.0, 2.0], "a": [3.0, 1.0]}
    x, a = vector("x", "n"), vector("a", "n")
    found = diagnose(x.T @ x + a.T @ x, x, [1.234, 5.678], **at)
    assert found.mistake == "unknown", str(found)


@pytest.mark.parametrize(
    ("shapes", "f", "claimed", "said"),
    [
        ({}, "arctan(3*x)", "3/(1+3*x**2)", "write 9x² in place of 3x²"),
        ({}, "sqrt(1-(x/5)**2)", "-x/(25*sqrt(1-x**2/5))", "in place of"),
        ({"x": "n"}, "sum(log(1+(2*x)**2))", "8*x/(1+2*x**2)", "write 4x^∘2 in place of 2x^∘2"),
    ],
)
def test_a_power_of_one_factor_alone(shapes, f, claimed, said):
    """3x² for (3x)², inside a function: the number is not raised."""
    found = diagnose(parse(f, **shapes), "x", parse(claimed, **shapes))
    assert found.mistake == "wrong power", str(found)
    assert said in found.remedy


def test_a_factor_has_one_number():
    """The ratio is 0.49; the formula has 50/49, and half of one over that is the same number."""
    f = parse("exp(-(x-1.5)**2/(2*0.49))")
    found = diagnose(f, "x", parse("-(x-1.5)*exp(-(x-1.5)**2/(2*0.49))"))
    assert (found.mistake, found.remedy) == ("factor", "multiply by 100/49")


def test_a_sum_is_named_before_a_norm():
    """Of what has one entry that is not 0 both are the same number."""
    f = parse("softmax(z)[0]", z="n")
    found = diagnose(f, "z", parse("softmax(z)[0]*(1-softmax(z))", z="n"))
    assert found.mistake == "scalar for an array"
    assert "sum(softmax(z) ∘ e₀)" in found.explanation
