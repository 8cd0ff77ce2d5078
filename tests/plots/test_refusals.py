"""What is refused, and what is said then."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression as Foreign

from mcmodels import PCA, LinearRegression, LogisticRegression, fit_formula, plots, results
from mcmodels.exceptions import ConvergenceWarning, InferenceError
from mcmodels.plots import (
    BiplotDisplay,
    CalibrationDisplay,
    CoefficientDisplay,
    CurvatureDisplay,
    EffectDisplay,
    InfluenceDisplay,
    ProfileDisplay,
    ResidualsDisplay,
    ScreeDisplay,
    SeparationDisplay,
)
from tests.formulas.designs import spline_with_an_empty_cell
from tests.plots import displays

ALL = [getattr(plots, name) for name in plots.__all__]


@pytest.mark.parametrize("display", ALL)
def test_unfitted_and_foreign_models(display):
    with pytest.raises(NotFittedError):
        display.from_estimator(LinearRegression(), [[0.0]], [1.0])
    with pytest.raises(TypeError, match="comes from sklearn; results needs a model of mcmodels"):
        display.from_estimator(Foreign().fit([[0.0], [1]], [1.0, 2]), [[0.0], [1]], [1.0, 2])
    for made in (display.from_estimator, display.from_results):
        with pytest.raises(TypeError, match=r"needs a fitted model of mcmodels.*found 'model'"):
            made("model")


@pytest.mark.parametrize("display", ALL)
def test_components_and_coefficients_are_told_apart(display):
    if display in (ScreeDisplay, BiplotDisplay):
        with pytest.raises(InferenceError, match="of principal components; found LinearReg"):
            display.from_estimator(displays.linear()[0])
    else:
        _, X, y = displays.iris()
        pattern = "PCA has none; take ScreeDisplay|of classifiers; PCA has no predict_proba"
        with pytest.raises(InferenceError, match=pattern):
            display.from_estimator(PCA().fit(X), X, y)


@pytest.mark.parametrize(
    "display",
    [
        ResidualsDisplay,
        InfluenceDisplay,
        ProfileDisplay,
        CurvatureDisplay,
        CalibrationDisplay,
        SeparationDisplay,
    ],
)
def test_missing_and_other_rows(display):
    model, X, y = displays.logistic()
    with pytest.raises(ValueError, match="needs the training rows; pass X, too"):
        display.from_estimator(model)
    with pytest.raises(ValueError, match="needs the training rows; pass y, too"):
        display.from_estimator(model, X)
    with pytest.raises(ValueError, match="same index labels in another order"):
        display.from_estimator(model, X[::-1], y)
    if display is not CalibrationDisplay:
        with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
            display.from_estimator(model, 1.5 * X, y)


def test_unknown_names_have_the_nearest():
    model, X, y = displays.linear()
    with pytest.raises(ValueError, match="variable='qsek' is unknown; did you mean 'qsec'"):
        EffectDisplay.from_estimator(model, X, variable="qsek")
    with pytest.raises(ValueError, match="by='weight' is unknown; there are wt, hp, qsec"):
        EffectDisplay.from_estimator(model, X, variable="wt", by="weight")
    with pytest.raises(ValueError, match="did you mean 'cooks_distance'"):
        InfluenceDisplay.from_estimator(model, X, y, measure="cooks_distanse")
    with pytest.raises(ValueError, match="parameters='hpp' is unknown; did you mean 'hp'"):
        CurvatureDisplay.from_estimator(model, X, y, parameters=("wt", "hpp"))
    model, X, y = displays.logistic()
    with pytest.raises(ValueError, match="parameter='hq' is unknown; there are wt, hp"):
        ProfileDisplay.from_estimator(model, X, y, parameter="hq")
    with pytest.raises(ValueError, match="label=2 is unknown; there are 0, 1"):
        CalibrationDisplay.from_estimator(model, X, y, label=2)


def test_arguments_of_effects():
    model, X, _ = displays.linear()
    with pytest.raises(ValueError, match="pass X"):
        EffectDisplay.from_estimator(model)
    with pytest.raises(ValueError, match="by='wt' is the variable itself"):
        EffectDisplay.from_estimator(model, X, variable="wt", by="wt")
    with pytest.raises(ValueError, match="by='hp' has 22 values, and at most 7"):
        EffectDisplay.from_estimator(model, X, variable="wt", by="hp")
    with pytest.raises(ValueError, match="others"):
        EffectDisplay.from_estimator(model, X, others="mean")
    with pytest.raises(ValueError, match="variable=3 is no position of the 3 columns"):
        EffectDisplay.from_estimator(model, X, variable=3)
    with pytest.raises(ValueError, match="variable='wt' has no value"):
        EffectDisplay.from_estimator(model, X.assign(wt=np.nan), variable="wt")
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        EffectDisplay.from_estimator(model, X, level=95)


def test_arguments_of_coefficients():
    model = displays.linear()[0]
    with pytest.raises(ValueError, match="results is empty"):
        CoefficientDisplay.from_estimator([])
    with pytest.raises(ValueError, match="labels has 2 names, 1 of them different, for 2 models"):
        CoefficientDisplay.from_estimator([model, model], labels=["a", "a"])
    empty = LinearRegression().fit(pd.DataFrame({"x": [1.0, 2, 4]}), [1.0, 2, 2])
    tables = {"m": results(empty).summary().tables[""].iloc[:0]}
    with pytest.raises(ValueError, match="no coefficient but the intercept"):
        CoefficientDisplay(tables).plot()


def test_arguments_of_biplots():
    _, X, y = displays.iris()
    pca = PCA(n_components=2).fit(X)
    with pytest.raises(ValueError, match="needs the training rows; pass X"):
        BiplotDisplay.from_estimator(pca)
    with pytest.raises(ValueError, match="must be two different positions"):
        BiplotDisplay.from_estimator(pca, X, components=(1, 1))
    with pytest.raises(InferenceError, match="has 2 components, and component 2 was asked for"):
        BiplotDisplay.from_estimator(pca, X, components=(0, 2))
    with pytest.raises(ValueError, match="y has 149 rows and 3 classes"):
        BiplotDisplay.from_estimator(pca, X, y[1:])
    with pytest.raises(ValueError, match="150 classes"):
        BiplotDisplay.from_estimator(pca, X, range(150))


def test_weights_of_zero_and_several_outputs():
    _, X, y = displays.linear()
    w = np.ones(len(y))
    w[3] = 0.0
    weighted = LinearRegression().fit(X, y, w)
    with pytest.raises(ValueError, match="draws every row, and some have weight 0"):
        ResidualsDisplay.from_estimator(weighted, X, y, w)
    two = LinearRegression().fit(X, np.column_stack([y, -y + X["wt"] ** 2]))
    with pytest.raises(InferenceError, match=r"one output and two parameters.*shape \(2, 4\)"):
        CurvatureDisplay.from_estimator(two, X, np.column_stack([y, -y + X["wt"] ** 2]))


def test_perfect_fits_have_no_contours():
    X, y = [[0.0], [1], [3], [4]], [0.0, 1, 3, 4]
    model = LinearRegression().fit(X, y)
    with pytest.raises(InferenceError, match="the fit is perfect"):
        CurvatureDisplay.from_estimator(model, X, y)


def test_classes_that_overlap_and_several_classes():
    model, X, y = displays.titanic()
    with pytest.raises(InferenceError, match="no direction separates the classes: they overlap"):
        SeparationDisplay.from_estimator(model, X, y)
    table = displays.read("iris")
    three = LogisticRegression().fit(table[["Sepal.Length"]], table["Species"])
    with pytest.raises(InferenceError, match="no direction separates the classes: they overlap"):
        SeparationDisplay.from_estimator(three, table[["Sepal.Length"]], table["Species"])
    eight = LogisticRegression().fit(np.eye(8), range(8))
    rows = table[["Sepal.Length"]], table["Species"]
    with pytest.raises(InferenceError, match=r"of two to 7 classes.*; this model has 8 classes"):
        SeparationDisplay.from_estimator(eight, np.eye(8), range(8))
    with pytest.raises(InferenceError, match=r"of two to 7 classes.*; this model has no classes"):
        SeparationDisplay.from_estimator(*displays.linear())
    with pytest.raises(InferenceError, match=r"InfluenceDisplay is of two classes.*is a matrix"):
        InfluenceDisplay.from_estimator(three, *rows)
    with pytest.raises(ValueError, match="label='rose' is unknown; there are setosa, versicolor"):
        ResidualsDisplay.from_estimator(three, *rows, label="rose")
    with pytest.raises(ValueError, match="label=1 is for classes; LinearRegression has none"):
        ResidualsDisplay.from_estimator(*displays.linear(), label=1)
    with pytest.raises(ValueError, match="y has the label 'rose', which the model was not"):
        CalibrationDisplay.from_estimator(three, table[["Sepal.Length"]].iloc[:1], ["rose"])


def test_contours_of_fits_that_are_at_no_minimum():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
    y = (X["a"] + np.random.default_rng(1).normal(size=100) > 0).astype(int)
    with pytest.warns(ConvergenceWarning):
        early = LogisticRegression(C=np.inf, max_iter=1).fit(X, y)
    with pytest.raises(InferenceError, match="the objective is lower elsewhere, and its contours"):
        CurvatureDisplay.from_estimator(early, X, y)


def test_contours_where_the_other_parameters_have_no_best_values():
    """Rows of one class alone in a level where the columns of a spline are zero."""
    pytest.importorskip("formulaic")
    data = spline_with_an_empty_cell()
    with pytest.warns(ConvergenceWarning):
        fit = fit_formula("y ~ bs(x, knots=[2.5, 7])*g", data, LogisticRegression(C=np.inf))
    with pytest.raises(InferenceError, match="best values of the other parameters were not found"):
        CurvatureDisplay.from_estimator(
            fit, data, parameters=("bs(x, knots=[2.5, 7])[1]", "g[T.b]")
        )
