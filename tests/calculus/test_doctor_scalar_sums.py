"""The doctor on long sums of functions of one number: every term has its own constants."""

from __future__ import annotations

import pytest

from mcmodels.calculus import diagnose, parse

KINDS = {
    "tanh": "tanh({i}*a/60)^2",
    "quotient": "a/({i} + a^2)",
    "log": "log({i} + a^2)",
    "exp": "exp({i}*a/100)",
    "sin": "sin({i}*a/37)",
}


def long_sum(kind, count=40):
    return parse(" + ".join(KINDS[kind].format(i=i) for i in range(1, count + 1)))


# What stands in the place of the slope of one term, with what it is called.
MISTAKES = [
    ("tanh", "2*tanh(37*a/60)*(1 - tanh(37*a/60)^2)", "chain rule"),  # 37/60 is forgotten
    ("tanh", "2*tanh(37*a/60)", "chain rule"),
    ("tanh", "2*tanh(37*a/60)*(1 - tanh(37*a/60))*37/60", "wrong derivative"),
    ("tanh", "2*tanh(37*a/60)*37/60", "dropped term"),
    ("quotient", "1/(37 + a^2)", "dropped term"),
    ("quotient", "(37 + 3*a^2)/(37 + a^2)^2", "sign of a term"),
    ("quotient", "1/(2*a)", "quotient rule"),
    ("log", "1/(37 + a^2)", "chain rule"),
    ("log", "2*a*log(37 + a^2)", "chain rule"),
    ("exp", "exp(37*a/100)", "chain rule"),
    ("exp", "37/100*exp(37/100)", "wrong argument"),
    ("tanh", "37/30*tanh(37*a/60)/cosh(37/60)^2", "wrong argument"),
    ("tanh", "2*tanh(37*a/60)/cosh(37/60)^2", "chain rule"),  # at the inner derivative
    ("sin", "-37/37*cos(37*a/37)", "sign of a term"),
    ("sin", "sin(37*a/37)", "chain rule"),
]


@pytest.mark.parametrize(("kind", "wrong", "name"), MISTAKES)
def test_a_mistake_in_one_term_is_named(kind, wrong, name):
    f = long_sum(kind)
    slope = parse(KINDS[kind].format(i=37)).gradient("a")
    found = diagnose(f, "a", f.gradient("a") - slope + parse(wrong))
    assert found.mistake == name


# None of these is a mistake that anybody makes. Among 60 terms times some hundred monomials, one
# of them is nearly right where its base is nearly 0 at one of the points.
OTHERS = [
    "2.537*a/(1 + 0.121*a^2)",
    "cos(1.234*a)",
    "0.771*tanh(1.913*a)",
    "1.377*a^2 + 0.911",
    "exp(-0.483*a)*1.709",
    "2.113*a/(1 + 1.57*a^2)",
]


@pytest.mark.parametrize(("kind", "other"), list(zip([*KINDS, "tanh"], OTHERS, strict=True)))
def test_no_factor_is_found_by_chance(kind, other):
    f = long_sum(kind, 60)
    assert diagnose(f, "a", f.gradient("a") + parse(other)).mistake == "unknown"


@pytest.mark.parametrize(
    ("f", "claim"),
    [
        ("log(1 + 37*a^2/60)", "2*a/(1 + 37*a^2/60)"),
        ("sin(a) + exp(37*a/60)", "cos(a) + exp(37*a/60)"),
    ],
)
def test_a_number_of_f_is_called_by_its_name(f, claim):
    found = diagnose(parse(f), "a", parse(claim))
    assert "the factor 37/60 is missing" in found.explanation
    assert found.remedy.endswith("by 37/60")
