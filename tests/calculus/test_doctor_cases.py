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
    ("sum(abs(x))", "-ones(n)", "where x > 0 holds, write 1ₙ in place of −1ₙ", V <= 0, -ONE, ONE),
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


UNSEEN = [
    # (f, sizes, wrt, claim, name): thresholds that points of size one never reach
    ("sum(relu(x-100))", {"x": "n"}, "x", "0*x", "missing indicator"),
    ("sum(where(x>50,x**2,x))", {"x": "n"}, "x", "ones(n)", "missing case"),
    ("sum(where(abs(x-500)>1,x,x**2))", {"x": "n"}, "x", "ones(n)", "missing case"),
    ("sum(clip(x,-1000,1000))", {"x": "n"}, "x", "ones(n)", "chain rule"),
    ("sum(minimum(x,1e6))", {"x": "n"}, "x", "ones(n)", "missing indicator"),
    ("sum(abs(x+30))", {"x": "n"}, "x", "ones(n)", "chain rule"),
    ("sum(abs(x-100))", {"x": "n"}, "x", "-ones(n)", "missing case"),
    ("sum(relu(x[i]-100), i)", {"x": "n"}, "x", "0*x", "missing indicator"),
    ("where(a.T@x>40,sum(x**2),a.T@x)", {"x": "n", "a": "n"}, "x", "a", "missing case"),
    ("where(s>20,s**2,s)", {"s": "scalar"}, "s", "1", "missing case"),
    ("sum(where(y>20,x**2,x))", {"x": "n", "y": "n"}, "x", "ones(n)", "missing case"),
    ("sum(x**2)", {"x": "n"}, "x", "2*x+relu(x-100)", "unknown"),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("f", "sizes", "x", "claimed", "name"), UNSEEN)
def test_thresholds_are_seen_from_both_sides(f, sizes, x, claimed, name, seed):
    f = parse(f, **sizes)
    found = diagnose(f, x, parse(claimed, **sizes), seed=seed)
    assert not found.correct
    assert found.mistake == name, str(found)
    right = diagnose(f, x, f.gradient(x), seed=seed)
    assert right.correct, str(right)
    assert "not seen" not in right.explanation


def test_a_function_is_seen_from_both_sides():
    f = parse("sum(relu(x-100))", x="n")
    assert not diagnose(f, "x", lambda x: 0 * x).correct
    assert diagnose(f, "x", lambda x: 1.0 * (x > 100)).correct


def test_a_case_that_is_not_met_is_told():
    f = parse("sum(log(x)) + sum(relu(x))", x="n")
    found = diagnose(f, "x", parse("1/x + 1", x="n"))
    assert found.correct  # f is defined where x > 0 alone
    assert found.explanation.endswith("not seen: where 0 > x")
    given = diagnose(parse("sum(relu(x-100))", x="n"), "x", np.zeros(2), x=[1.0, 2.0])
    assert given.correct
    assert given.explanation.endswith("not seen: where x > 100")


@pytest.mark.parametrize(
    ("f", "claimed"),
    [
        ("sum(softplus(x-80))", "0*x"),
        ("sum(softplus(x))", "0*x"),
        ("sum(sigmoid(x))", "0*x"),
        ("x.T@A@x", "0*x"),
        ("sum(exp(-x**2))", "0*x"),
    ],
)
def test_zero_is_accused_of_no_product(f, claimed):
    sizes = {"x": "n", "A": ("n", "n")}
    f = parse(f, **sizes)
    found = diagnose(f, "x", parse(claimed, **sizes))
    assert found.mistake == "missing derivative", str(found)
    right = f.gradient("x").mathematics()
    assert found.remedy == f"write {right} in place of 0"


@pytest.mark.parametrize(
    ("f", "claimed", "remedy"),
    [
        (
            "sum(where(abs(x)<=c,x**2/2,c*(abs(x)-c/2)))",
            "where(abs(x)<=c,x,c)",
            "where |x| > c holds, multiply by sign(x), the derivative of |x| − ½c",
        ),
        (
            "sum(where(x>0,x**2,-x))",
            "where(x>0,2*x,1)",
            "where x > 0 fails, multiply by −1, the derivative of −x",
        ),
    ],
)
def test_a_remedy_of_one_case_says_which(f, claimed, remedy):
    sizes = {"x": "n", "c": "scalar"}
    f, wrong = parse(f, **sizes), parse(claimed, **sizes)
    found = diagnose(f, "x", wrong)
    assert found.remedy == remedy, str(found)
    values = {"x": V, "c": 0.7}
    claim = wrong.evaluate(**{s.name: values[s.name] for s in wrong.symbols})
    here, factor = (np.abs(V) > 0.7, np.sign(V)) if "sign" in remedy else (V <= 0, -1.0)
    right = f.gradient("x").evaluate(**{s.name: values[s.name] for s in f.symbols})
    np.testing.assert_allclose(np.where(here, claim * factor, claim), right)


def test_a_remedy_of_one_term_says_which():
    f = parse("sum(abs(x)) + sum(x**2)", x="n")
    found = diagnose(f, "x", parse("1 + 2*x", x="n"))
    assert found.remedy == (
        "in the gradient of sum(|x|), multiply by sign(x), the derivative of |x|"
    )


def test_the_slope_of_one_case_under_a_square():
    """The choice itself stays, as in 2Xᵀmax(Xw, Xw/10) for slopes of 1 and 1/10."""
    sizes = {"X": ("n", "p"), "w": "p"}
    f = parse("sum(maximum(X@w,0.1*X@w)**2)", **sizes)
    found = diagnose(f, "w", parse("2*X.T@maximum(X@w,0.1*X@w)", **sizes))
    assert found.mistake == "missing case", str(found)
    assert found.remedy == (
        "write max(Xw, 0.1Xw) ∘ (1.8 step(0.9Xw) + 0.2) in place of 2 max(Xw, 0.1Xw)"
    )
    w = np.array([0.3, -0.2, 0.5])
    z = X @ w
    mended = X.T @ (np.maximum(z, 0.1 * z) * (1.8 * (z > 0) + 0.2))
    np.testing.assert_allclose(f.gradient("w").evaluate(X=X, w=w), mended)


def test_differences_confirm_where_points_were_drawn():
    """At a threshold of 1e12 differences of f have no digits left."""
    f = parse("sum(where(x>1e12,x,2*x))", x="n")
    found = diagnose(f, "x", parse("2*ones(n)", x="n"))
    assert found.mistake == "missing case"
    assert "differences" not in found.explanation
