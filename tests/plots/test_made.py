"""How displays are made: of models, pipelines and results alike, and what they are called."""

import inspect
import re

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    LinearRegression,
    LogisticRegression,
    anova,
    compare,
    likelihood_ratio_test,
    plots,
    results,
    summarize,
)
from mcmodels.plots import CoefficientDisplay
from tests.plots import displays

ALL = [getattr(plots, name) for name in plots.__all__]
OF = {
    "BiplotDisplay": displays.iris,
    "CalibrationDisplay": displays.titanic,
    "CoefficientDisplay": displays.linear,
    "CurvatureDisplay": displays.logistic,
    "EffectDisplay": displays.linear,
    "InfluenceDisplay": displays.linear,
    "PenaltyCurveDisplay": displays.tuned,
    "ProfileDisplay": displays.logistic,
    "ResidualsDisplay": displays.linear,
    "ScreeDisplay": displays.iris,
    "SeparationDisplay": displays.separated,
}
NUMBERS = {
    "BiplotDisplay": "scores",
    "CalibrationDisplay": "probabilities",
    "CoefficientDisplay": "tables",
    "CurvatureDisplay": "eigenvalues",
    "EffectDisplay": "tables",
    "InfluenceDisplay": "values",
    "PenaltyCurveDisplay": "curves",
    "ProfileDisplay": "profile",
    "ResidualsDisplay": "residuals",
    "ScreeDisplay": "variances",
    "SeparationDisplay": "projections",
}


def rows_of(display, X, y):
    kept = {"CoefficientDisplay": (), "ScreeDisplay": (), "EffectDisplay": (X,)}
    return kept.get(display.__name__, (X, y))


def numbers(display):
    found = getattr(display, NUMBERS[type(display).__name__])
    tables = found.values() if isinstance(found, dict) else [found]
    return [np.asarray(table) for table in tables]


@pytest.mark.parametrize("display", ALL)
def test_models_and_results_are_taken_by_both_ways(display):
    model, X, y = OF[display.__name__]()
    rows = rows_of(display, X, y)
    made = [
        way(given, *rows)
        for way in (display.from_estimator, display.from_results)
        for given in (model, results(model))
    ]
    for other in made[1:]:
        for a, b in zip(numbers(made[0]), numbers(other), strict=True):
            np.testing.assert_array_equal(a, b)


def test_models_pipelines_and_results_are_mixed():
    model, X, y = displays.linear()
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
    robust = results(model).with_covariance(X, y, kind="HC3")
    for way in (CoefficientDisplay.from_estimator, CoefficientDisplay.from_results):
        display = way([model, results(model), pipeline, results(pipeline), robust])
        tables = list(display.tables.values())
        assert tables[0].equals(tables[1])
        assert tables[2].equals(tables[3])
        expected = model.summary(X, y, kind="HC3").tables[""].loc[tables[4].index, "lower"]
        np.testing.assert_allclose(tables[4]["lower"], expected, rtol=1e-13)
    mixed = compare(model, results(model), pipeline, results(pipeline)).to_frame()
    assert mixed["(1)"].equals(mixed["(2)"])
    assert mixed["(3)"].equals(mixed["(4)"])
    assert results(robust) is robust
    assert str(summarize(robust)) == str(robust.summary())


@pytest.mark.parametrize("kind", [LinearRegression, LogisticRegression])
def test_nested_models_may_be_results(kind):
    options = {} if kind is LinearRegression else {"C": np.inf}
    _, X, y = displays.linear() if kind is LinearRegression else displays.titanic()
    small = kind(**options).fit(X.iloc[:, :2], y)
    big = make_pipeline("passthrough", kind(**options)).fit(X, y)
    expected = anova(small, big)
    for pair in [(results(small), big), (small, results(big)), (results(small), results(big))]:
        assert anova(*pair).equals(expected)
        assert likelihood_ratio_test(*pair) == likelihood_ratio_test(small, big)


@pytest.mark.parametrize("display", ALL)
def test_arguments_and_docstrings_of_from_estimator(display):
    made, asked = (
        list(inspect.signature(way).parameters.values())
        for way in (display.from_estimator, display.from_results)
    )
    assert made[0].name == "estimator"
    if display.__name__ != "ScreeDisplay":  # which needs no rows, and takes any
        positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
        in_order = [one.name for one in asked[1:] if one.kind is positional]
        assert [one.name for one in made[1:] if one.kind is positional] == in_order
    doc = inspect.getdoc(display.from_estimator)
    assert doc.startswith(("Draw the ", "Draw a PCA"))
    assert "see :meth:`from_results`." in doc
    assert doc.endswith(f"Returns\n-------\n{display.__name__}")
    assert display.from_estimator.__qualname__ == f"{display.__name__}.from_estimator"


SAID = {
    "BiplotDisplay": "150 scores and 4 loadings on two components",
    "CalibrationDisplay": "rates of 1 in 10 bins of 1046 rows",
    "CoefficientDisplay": "coefficients of LinearRegression",
    "CurvatureDisplay": "objective in wt and hp",
    "EffectDisplay": "prediction by wt",
    "InfluenceDisplay": "cooks_distance of 32 rows",
    "PenaltyCurveDisplay": "leave-one-out loss along C",
    "ProfileDisplay": "likelihood along wt",
    "ResidualsDisplay": "standardized residuals of 32 rows",
    "ScreeDisplay": "variances of 4 components, 1 kept",
    "SeparationDisplay": "79 rows along the direction that separates 0, 1",
}


@pytest.mark.parametrize("display", ALL)
def test_displays_say_what_they_show(display):
    model, X, y = OF[display.__name__]()
    made = display.from_estimator(model, *rows_of(display, X, y))
    assert repr(made) == f"<{display.__name__}: {SAID[display.__name__]}>"
    assert not re.search("0x[0-9a-f]+", repr(made))
