"""Mistakes of a first course in calculus are named by their rule."""

import pytest

from mcmodels.calculus import abs, diagnose, parse, scalar, sum, vector

x = scalar("x")

CASES = [
    ("sin(x)*exp(x)", "cos(x)*exp(x)", "dropped term"),
    ("exp(-x^2/2)", "-x^2/2*exp(-x^2/2)", "chain rule"),
    ("sin(x^2)", "cos(x^2)", "chain rule"),
    ("log(x^2+1)", "1/(x^2+1)", "chain rule"),
    ("sin(x^2)", "cos(2*x)", "chain rule"),
    ("exp(x^3)", "exp(3*x^2)", "chain rule"),
    ("(x^2+1)/(x+3)", "2*x", "quotient rule"),
    ("x^3/sin(x)", "3*x^2/cos(x)", "quotient rule"),
    ("sin(x)/x", "(cos(x)*x+sin(x))/x^2", "sign of a term"),
    ("exp(x)/(x^2+1)", "(exp(x)*(x^2+1)-exp(x)*2*x)/(x^2+1)", "quotient rule"),
    ("3*x^2*sin(x)", "6*x*cos(x)", "product rule"),
    ("x*log(x)", "1/x", "product rule"),
    ("tan(x)", "1/cos(x)", "wrong derivative"),
    ("1/x", "log(x)", "wrong derivative"),
    ("x^2", "x^3/3", "wrong derivative"),
    ("5*x+tan(2*x)", "5+2/cos(2*x)", "wrong derivative"),
    ("sin(x)", "3*cos(x)", "factor"),
    ("x^5", "4*x^4", "factor"),
]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("text", "claimed", "name"), CASES)
def test_the_rule_is_named(text, claimed, name, seed):
    f = parse(text)
    found = diagnose(f, "x", parse(claimed), seed=seed)
    assert found.mistake == name, str(found)
    assert "transposed layout" not in found.also
    assert found.right == f.gradient("x")
    if found.reproduced is not None:
        at = {"x": 0.7}
        assert found.reproduced.evaluate(**at) == pytest.approx(
            parse(claimed).evaluate(**at), rel=1e-12
        )


@pytest.mark.parametrize("text", sorted({text for text, _, _ in CASES}))
def test_the_right_one_is_not_accused(text):
    f = parse(text)
    assert diagnose(f, "x", f.gradient("x")).correct


def test_a_layer_without_its_slope_is_the_chain_rule():
    f = parse("sum(tanh(W@x))", W="m,n", x="n")
    found = diagnose(f, "W", parse("ones(m,1)@x.T", x="n"))
    assert found.mistake == "chain rule"
    assert found.remedy == "multiply by 1 − tanh(Wx)^∘2, the derivative of tanh(Wx)"


def test_subgradients_are_noted():
    v = vector("v", "n")
    found = diagnose(sum(abs(v)), v, [0.5, 1.0], v=[0, 1.0])
    assert not found.correct
    assert "kink at the point given" in found.explanation
    elsewhere = diagnose(sum(abs(v)), v, [0.5, 1.0], v=[2, 1.0])
    assert "kink" not in elsewhere.explanation
    assert "kink at the point given" in diagnose(abs(x), x, 0.5, x=0.0).explanation
