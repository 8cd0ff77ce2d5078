"""The doctor on functions that choose between cases: remedies are applied to what was claimed."""

import numpy as np
import pytest

from mcmodels.calculus import diagnose, parse

RNG = np.random.default_rng(5)
X, Y, V = RNG.standard_normal((6, 3)), RNG.standard_normal(6), RNG.standard_normal(6)
ONE = np.ones(6)

# Function, claim and remedy; where the claim stays, its values, and those of the other case.
BY_ENTRIES = [
    ("sum(where(x>0,x**2,-x))", "2*x", "where x > 0 fails, write −1ₙ in place of 2x", V > 0,
     2 * V, -ONE),
    ("sum(where(x>0,x**2,-x))", "-ones(n)", "where x > 0 holds, write 2x in place of −1ₙ", V <= 0,
     -ONE, 2 * V),
    ("sum(where(x>0,x**2,-x**2))", "2*x", "where x > 0 fails, write −2x in place of 2x", V > 0,
     2 * V, -2 * V),
    ("sum(where(x>0,x,3*(exp(x)-1)))", "ones(n)",
     "where x > 0 fails, write 3 exp(x) in place of 1ₙ", V > 0, ONE, 3 * np.exp(V)),
    ("sum(where(x>0,exp(x),1+x))", "exp(x)", "where x > 0 fails, write 1ₙ in place of exp(x)",
     V > 0, np.exp(V), ONE),
    ("sum(maximum(x,-2*x))", "ones(n)", "where 3x > 0 fails, write −2·1ₙ in place of 1ₙ", V > 0,
     ONE, -2 * ONE),
    ("sum(minimum(x,x**2))", "2*x", "where x^∘2 > x holds, write 1ₙ in place of 2x", V**2 <= V,
     2 * V, ONE),
    ("sum(where(x>0,x**2,-x)) + sum(x**3)", "2*x + 3*x**2",
     "where x > 0 fails, write 3x^∘2 − 1 in place of 3x^∘2 + 2x", V > 0, 2 * V + 3 * V**2,
     3 * V**2 - 1),
]  # fmt: skip


@pytest.mark.parametrize(("f", "claimed", "remedy", "kept", "claim", "other"), BY_ENTRIES)
def test_the_other_case_is_named_where_it_is_not_zero(f, claimed, remedy, kept, claim, other):
    f = parse(f, x="n")
    wrong = parse(claimed, x="n")
    found = diagnose(f, "x", wrong)
    assert found.mistake == "missing case", str(found)
    assert found.remedy == remedy
    # The claim and the remedy at a point that is not the doctor's, against differences of f.
    values = {"x": V} if wrong.symbols else {"n": 6}
    np.testing.assert_allclose(wrong.evaluate(**values), claim)
    step = 1e-6
    differences = [
        (f.evaluate(x=V + step * E) - f.evaluate(x=V - step * E)) / (2 * step) for E in np.eye(6)
    ]
    # Central differences of a step of 1e-6 are good to 1e-9 or so.
    np.testing.assert_allclose(np.where(kept, claim, other), differences, rtol=1e-7, atol=1e-8)


def test_a_case_inside_a_product_is_mended_inside():
    """Pinball: q for residuals above 0, q − 1 below; entries of the gradient are sums of both."""
    sizes = {"X": ("n", "p"), "y": "n", "b": "p", "q": "scalar"}
    f = parse("sum(maximum(q*(y-X@b),(q-1)*(y-X@b)))", **sizes)
    found = diagnose(f, "b", parse("-q*X.T@ones(len(y))", **sizes))
    assert found.mistake == "missing case", str(found)
    assert found.remedy == "write 1 − q − step(y − Xb) in place of −q 1ₙ"
    b, q, at = np.array([0.1, 0.2, -0.3]), 0.3, 1e-6
    right = X.T @ (1 - q - (Y - X @ b > 0))
    differences = [
        (f.evaluate(X=X, y=Y, b=b + at * E, q=q) - f.evaluate(X=X, y=Y, b=b - at * E, q=q)) / 2e-6
        for E in np.eye(3)
    ]
    np.testing.assert_allclose(right, differences, rtol=1e-7, atol=1e-8)  # as above


@pytest.mark.parametrize(
    ("f", "claimed", "remedy", "mended"),
    [
        ("sum(relu(x))", "ones(n)", "multiply by the indicator step(x)", lambda x: x > 0),
        ("sum(relu(x)**2)", "2*x", "multiply by the indicator step(x)", lambda x: 2 * x * (x > 0)),
        ("sum(where(x>0,x**2,3))", "2*x", "multiply by the indicator step(x)",
         lambda x: 2 * x * (x > 0)),
        ("sum(x*relu(x)) + sum(x**3)", "2*x+3*x**2",
         "multiply by the indicator step(x): write relu(x) + x ∘ step(x) in place of 2x",
         lambda x: 2 * np.maximum(x, 0) + 3 * x**2),
    ],
)  # fmt: skip
def test_where_the_other_case_is_zero_the_indicator_is_missing(f, claimed, remedy, mended):
    f = parse(f, x="n")
    found = diagnose(f, "x", parse(claimed, x="n"))
    assert found.mistake == "missing indicator", str(found)
    assert found.remedy == remedy
    np.testing.assert_allclose(f.gradient("x").evaluate(x=V), mended(V))
