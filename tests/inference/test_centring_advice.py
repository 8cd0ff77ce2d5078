"""The remedy of products that depend on columns far from zero up to rounding: to centre them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    fit_formula,
    results,
)
from mcmodels.exceptions import RankDeficiencyWarning

MODELS = {
    "linear": (LinearRegression(), "y"),
    "normal": (GeneralizedLinearRegressor(), "y"),
    "logistic": (LogisticRegression(C=np.inf), "high"),
}


def table(mean, n=90):
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"far": mean + rng.normal(size=n), "x": rng.normal(size=n)})
    data["dup"], data["x2"] = data["far"], data["x"]
    data["y"] = data["far"] - mean + data["x"] + rng.normal(size=n)
    data["high"] = np.where(data["y"] > 0, "high", "low")
    return data


def warned(formula, data, name):
    model, y = MODELS[name]
    with pytest.warns(RankDeficiencyWarning) as said:
        fit = fit_formula(f"{y} ~ {formula}", data, model)
    return str(said[0].message), results(fit)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("mean", [1e9, -1e11])
def test_the_advice_helps(mean, name):
    data = table(mean)
    message, said = warned("far*dup", data, name)
    assert message.startswith("Centre 'far', 'dup' (in a formula, center(…)), with means so large")
    assert "that 'far:dup' and other columns differ by rounding errors alone; leave out" in message
    (note,) = said.summary().notes
    assert note.startswith("NA: Centre far, dup (in a formula, center(…))")
    assert said.confidence_intervals().isna().all(axis=None)
    message, centred = warned("center(far)*center(dup)", data, name)
    assert message.startswith("Leave out one of 'center(far)', 'center(dup)'")
    intervals = centred.confidence_intervals()
    assert intervals.notna().all(axis=1).tolist() == [False, False, True, True]


@pytest.mark.parametrize("name", MODELS)
def test_dependencies_in_exact_numbers_need_no_centre(name):
    """Equal columns, near zero or far from it, stay equal when they are centred."""
    for mean, formula in ((0.0, "far*dup"), (1e3, "far*dup"), (1e9, "far + dup"), (1e9, "x + x2")):
        message, _ = warned(formula, table(mean), name)
        assert "Centre" not in message
        assert message.startswith("Leave out one of")


def test_powers_in_pipelines():
    data = table(1e9)
    pipeline = make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression())
    with pytest.warns(RankDeficiencyWarning):
        pipeline.fit(data[["far", "x"]], data["y"])
    (note,) = results(pipeline).summary().notes
    assert note.startswith(
        "NA: Centre far (in a formula, center(…)), with means so large that far^2"
    )
    centre = FunctionTransformer(lambda X: X - X.mean(), feature_names_out="one-to-one")
    pipeline = make_pipeline(centre, *pipeline).fit(data[["far", "x"]], data["y"])
    assert results(pipeline).confidence_intervals().notna().all(axis=None)
