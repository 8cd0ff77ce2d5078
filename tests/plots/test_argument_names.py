"""Every argument of every display with values that have no meaning: the error names it."""

import inspect
import re

import numpy as np
import pandas as pd
import pytest

from mcmodels import PCA, LinearRegression, LogisticRegression, compare, fit_formula, plots, results
from mcmodels.exceptions import InferenceError

pytest.importorskip("matplotlib")

N = 40
RNG = np.random.default_rng(0)
X = pd.DataFrame({"a": RNG.normal(size=N), "b": RNG.normal(size=N)})
Y = X["a"] + RNG.normal(size=N)
KIND = Y > 0
LINEAR = LinearRegression().fit(X, Y)
LOGIT = LogisticRegression(C=np.inf).fit(X, KIND)
TUNED = LogisticRegression(C="loo", penalty_groups={"both": ["a", "b"]}).fit(X, KIND)
ROWS = {"X": X, "y": Y}
CALLS = {
    "BiplotDisplay": (PCA(2).fit(X), {"X": X}),
    "CalibrationDisplay": (LOGIT, {"X": X, "y": KIND}),
    "CoefficientDisplay": (LINEAR, ROWS),
    "CurvatureDisplay": (LINEAR, ROWS),
    "EffectDisplay": (LINEAR, {"X": X}),
    "InfluenceDisplay": (LINEAR, ROWS),
    "PenaltyCurveDisplay": (TUNED, {"X": X, "y": KIND}),
    "ProfileDisplay": (LOGIT, {"X": X, "y": KIND}),
    "ResidualsDisplay": (LINEAR, ROWS),
    "ScreeDisplay": (PCA(2).fit(X), {}),
    "SeparationDisplay": (LOGIT, {"X": X, "y": KIND}),
}
MEANINGLESS = (object(), 1j, [["a", "b"]], np.zeros((2, 2)), pd.DataFrame({"q": [1]}), "nonsense")
# X and y are named by scikit-learn, of a PCA y is anything; a text is a seed's error elsewhere.
OTHERS = {"results", "X", "y", "ax", "random_state"}


def named(call, argument, value):
    with pytest.raises((ValueError, TypeError, InferenceError)) as raised:
        call(**{argument: value})
    assert type(raised.value).__module__ in ("builtins", "mcmodels.exceptions"), raised.value
    # At its beginning: in a sentence "by", "label" and "values" are words, too.
    assert re.match(rf"(column \d+ of )?{argument}(?!\w)", str(raised.value)), raised.value


@pytest.mark.parametrize("name", CALLS)
def test_errors_name_the_argument(name):
    fitted, rows = CALLS[name]
    draw = getattr(plots, name).from_results
    for argument, of in inspect.signature(draw).parameters.items():
        if argument in OTHERS or of.kind is of.VAR_KEYWORD:
            continue
        for value in MEANINGLESS:
            named(lambda **asked: draw(fitted, **rows | asked), argument, value)


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("BiplotDisplay", "level", 2.0),
        ("BiplotDisplay", "level", np.nan),
        ("BiplotDisplay", "y", "nonsense"),
        ("CoefficientDisplay", "intercept", 1),
        ("CoefficientDisplay", "exponentiate", np.zeros(3)),
        ("EffectDisplay", "label", 1),
        ("EffectDisplay", "variable", True),
        ("EffectDisplay", "X", np.zeros((3, 1))),
        ("ResidualsDisplay", "sample_weight", True),
    ],
)
def test_values_that_were_taken_for_others(name, argument, value):
    fitted, rows = CALLS[name]
    named(
        lambda **asked: getattr(plots, name).from_results(fitted, **rows | asked), argument, value
    )


@pytest.mark.parametrize("argument", ["names", "statistics"])
@pytest.mark.parametrize("value", [1, object(), "aic", [["aic", "b"]], np.zeros((2, 2))])
def test_comparisons(argument, value):
    named(lambda **asked: compare(LINEAR, LINEAR, **asked), argument, value)


def test_columns_of_a_comparison_do_not_hide_each_other():
    classes = LogisticRegression(C=1.0).fit(X, np.arange(N) % 3)
    with pytest.raises(ValueError, match="names: two columns are called 'm 2'"):
        compare(classes, LINEAR, names=["m", "m 2"])


@pytest.mark.parametrize("method", ["marginal_effects", "predictions"])
@pytest.mark.parametrize("rows", [None, 1.5, object(), {"a": 1, "b": 2}, {"a": [1.0], "b": [1, 2]}])
def test_what_is_no_table(method, rows):
    named(lambda **asked: getattr(results(LINEAR), method)(**asked), "X", rows)


def test_dicts_of_columns_for_formulas():
    pytest.importorskip("formulaic")
    fit = fit_formula("a ~ b", X, LinearRegression())
    with pytest.raises(ValueError, match="data: column 'b' is 1, and must have a value for each"):
        fit.predict({"b": 1})
    with pytest.raises(ValueError, match="data: column 'a' has 2 values, and 'b' has 3; each must"):
        fit_formula("a ~ b", {"a": [1.0, 2], "b": [1, 2, 3]}, LinearRegression())
