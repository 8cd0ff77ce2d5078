"""Exact slopes of the columns of formulas, against differences of the step and against hand."""

import warnings

import numpy as np
import pandas as pd
import pytest

from mcmodels import Formula, LinearRegression, fit_formula, results
from mcmodels.exceptions import InferenceError
from mcmodels.formulas import exact_slopes
from mcmodels.reports.step_slopes import Told, moved_along
from tests.reports.brute_force import romberg

pytest.importorskip("formulaic")


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def table(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": rng.uniform(0.2, 0.9, n),
            "a b": rng.uniform(20.0, 90.0, n),
            "k": rng.integers(1, 9, n),
            "g": rng.choice(["p", "q", "r"], n),
            "h": rng.choice([1, 2, 3], n),
            "unused": 1.0,
        },
        index=rng.permutation(n),
    )


EXACT = [
    "x",
    "x + `a b` + k",
    "x*k*g",
    "x:g + k:C(h) - 1",
    "0 + g*x + I(x**2):h",
    "I(x**3) + I(x*`a b`) + I(x/k) + I(-x + 2*k)",
    "I(k**-2) + I((x + k)**0.5)",
    "log(x) + sqrt(`a b`) + exp(x):k + log1p(k)",
    "np.log(x)*g + log2(x) + log10(k) + exp2(x) + expm1(x) + cbrt(k) + square(x)",
    "sin(x) + cos(k) + tan(x) + arcsin(x) + arccos(x) + arctan(k)",
    "sinh(x) + cosh(x) + tanh(k) + arcsinh(k) + arccosh(1 + k) + arctanh(x)",
    "log(1 + exp(x*k)):C(h, Sum) + I(log(x)**2)",
    "scale(x) + center(k):g + I(center(x)**2) + scale(log(`a b`))",
    "(x + k + g)**3",
    "x + bs(`a b`, df=4) + k:g",  # only x and k move
]
OTHER = ["bs(x, df=4) + k", "poly(x, 2)", "cr(x, df=3) + x", "C(k*2)*x"]
# Smooth in pieces; no row of table() is near the ends of one.
PIECES = [
    "abs(x - 0.5) + where(x > 0.5, x**2, k)",
    "I(x > 0.5):k + {(x < 0.3) | (x >= 0.7)} + sign(x - 0.5)*x",
    "minimum(x, 0.5) + maximum(x*k, 0.5*k) + clip(x, 0.3, 0.7):g",
    "C(x > 0.5)*k + C(floor(4*x + 0.1)) + x",
    "where(g == 'p', x, 0) + I(x*(g == 'q'))",
    "floor(10*x + 0.05):x + round(x, 1) + isin(x, [0.1, 0.2])",
]
SPREAD = {"x": 1.0, "a b": 30.0, "k": 1.0}


def moving(text, names, X):
    """How the step says that the design moves, and differences of the step itself."""
    step = Formula(text).fit(X)
    rng = np.random.default_rng(2)
    D = np.zeros((len(X), X.shape[1]))
    for name in names:
        D[:, list(X).index(name)] = rng.normal(size=len(X)) * SPREAD[name]

    def moved(t):
        return np.asarray(step.transform(X.assign(**{
            name: X[name] + t * D[:, list(X).index(name)] for name in names
        })))  # fmt: skip

    told = Told()
    return moved_along(step, X, D, told), romberg(moved, 2.0**-9), told, moved(0.0)


@pytest.mark.parametrize("text", EXACT)
def test_slopes_are_those_of_differences(text):
    X = table()
    names = [name for name in SPREAD if name in text and (name != "a b" or "bs(" not in text)]
    # Of the first ones also a column alone, while the others stand still.
    for some in ([names[:1]] if EXACT.index(text) < 6 else []) + [names]:
        found, expected, told, values = moving(text, some, X)
        assert told == Told()
        # Values of size s have rounding errors of 2⁻⁵² s, and steps are 2⁻¹³ at the least.
        size = max(np.abs(values).max(), np.abs(expected).max())
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=8 * 2.0**-39 * size)
        assert np.abs(found).max() > 0


@pytest.mark.parametrize("text", OTHER)
def test_other_expressions_are_left_to_differences(text):
    X = table()
    moves = np.eye(1, X.shape[1], 0 if "k*2" not in text else 2)
    assert Formula(text).fit(X)._moved(X, moves, Told()) is None


@pytest.mark.parametrize("text", PIECES)
def test_slopes_of_pieces_are_those_of_differences(text):
    X = table()
    X["x"] = X["x"].round(1) + 0.02  # ends of pieces are further off than the steps
    found, expected, told, values = moving(text, ["x"], X)
    assert not told.differences
    assert not told.corners
    assert bool(told.flat) == any(sign in text for sign in ("x >", "sign", "floor"))
    size = max(np.abs(values).max(), np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=8 * 2.0**-39 * size)
    assert np.abs(found).max() > 0


# What stands in the model, the slope of its column at k = 1, 2, 3 by hand, and what is told.
AT_JUMPS = [
    ("I(k > 2)", [0, 0, 0], "k > 2 is flat between its jumps"),
    ("C(k > 2)", [0, 0, 0], "k > 2 is flat between its jumps"),
    ("floor(k/2)", [0, 0, 0], "floor(k / 2) is flat between its jumps"),
    ("I(k*(k > 1))", [0, 1, 1], "k > 1 is flat between its jumps"),
    ("where(k > 1, log(k - 1), 0)", [0, 1, 0.5], "k > 1 is flat between its jumps"),
    ("abs(k - 2)", [-1, 1, 1], "corner of abs(k - 2)"),
    ("abs(2 - k)", [-1, 1, 1], "corner of abs(2 - k)"),
    ("maximum(k - 2, 0)", [0, 1, 1], "corner of maximum(k - 2, 0)"),
    ("maximum(0, k - 2)", [0, 1, 1], "corner of maximum(0, k - 2)"),
    ("minimum(k, 2)", [1, 0, 0], "corner of minimum(k, 2)"),
    ("clip(k, 1, 2)", [1, 0, 0], "corner of clip(k, 1, 2)"),
]


@pytest.mark.parametrize(("text", "slopes", "note"), AT_JUMPS)
def test_whole_numbers_on_jumps_and_corners(text, slopes, note):
    """Differences across a jump are no derivative: floor(k/2) had slopes of hundreds."""
    data = pd.DataFrame({"k": [1, 2, 3] * 4, "y": [0.0, 2, 1, 3, 5, 2, 2, 9, 5, 4, 4, 7]})
    fit = fit_formula(f"y ~ {text}", data, LinearRegression())
    found = results(fit).marginal_effects(data[:3], at="rows")
    assert list(found.columns) == [("k", "slope")]
    np.testing.assert_allclose(found["k", "slope"], fit[-1].coef_[0] * np.array(slopes), rtol=1e-12)
    (told,) = found.attrs["notes"]
    assert note in told


def test_a_factor_with_a_wrong_derivative_is_seen(monkeypatch):
    monkeypatch.setitem(exact_slopes._OPERATIONS, exact_slopes.ast.Mult, lambda a, b: a + b)
    with pytest.raises(AssertionError):
        test_slopes_are_those_of_differences(EXACT[5])


@pytest.mark.parametrize("small", [1e-300, 1e-12, 1e-5])
def test_slopes_near_zero_are_exact(small):
    """By hand: 1/(2√x) and 1/x, where differences would step over zero."""
    X = table()
    X.iloc[0, 0] = small
    y = np.random.default_rng(3).normal(size=len(X))
    fit = fit_formula("y ~ sqrt(x) + log(x)", X.assign(y=y), LinearRegression())
    found = results(fit).marginal_effects(X, at="rows")["x", "slope"]
    of_root, of_log = fit[-1].coef_
    expected = of_root / (2 * np.sqrt(X["x"])) + of_log / X["x"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)  # a sum of two terms, one rounding each
    if small == 1e-300:  # squares of 1/x overflow in the variance, which is refused
        with pytest.raises(InferenceError, match="overflows float64"):
            results(fit).marginal_effects(X)
        return
    average = results(fit).marginal_effects(X)
    assert list(average.index) == [("x", "slope")]
    assert average.attrs["notes"] == ()
    np.testing.assert_allclose(average["estimate"].iloc[0], expected.mean(), rtol=1e-12)


def test_a_slope_that_is_not_finite_is_refused_by_name():
    X = table().assign(y=lambda X: np.arange(len(X)) % 7)
    X.iloc[3, 0] = 0.0
    fit = fit_formula("y ~ sqrt(x) + k", X, LinearRegression())
    with pytest.raises(InferenceError, match=r"sqrt\(x\) has no finite slope in 1 of 40 rows"):
        results(fit).marginal_effects(X)
    found = results(fit).marginal_effects(X, ["k"])
    np.testing.assert_allclose(found["estimate"], fit[-1].coef_[1], rtol=1e-12)
    jump = results(fit).marginal_effects(X, "x", measure="comparison")
    roots = np.sqrt(X["x"] + 1) - np.sqrt(X["x"])
    np.testing.assert_allclose(jump["estimate"], fit[-1].coef_[0] * roots.mean(), rtol=1e-10)
