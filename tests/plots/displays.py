"""Each display, made of data that are hard to draw."""

import warnings

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from mcmodels import PCA, GeneralizedLinearRegressor, LinearRegression, LogisticRegression
from mcmodels.exceptions import FitWarning
from mcmodels.plots import (
    BiplotDisplay,
    CalibrationDisplay,
    CoefficientDisplay,
    CurvatureDisplay,
    EffectDisplay,
    InfluenceDisplay,
    PenaltyCurveDisplay,
    ProfileDisplay,
    ResidualsDisplay,
    ScreeDisplay,
    SeparationDisplay,
)
from tests.certified import DATASETS

LONG = "the_name_of_a_column_that_nobody_could_read_in_a_picture_of_this_width"


def read(name, **options):
    return pd.read_csv(DATASETS / f"{name}.csv", **options)


def cars():
    table = read("mtcars")
    return table[["wt", "hp", "qsec"]], table["mpg"], table["am"]


def linear():
    X, y, _ = cars()
    return LinearRegression().fit(X, y), X, y


def logistic():
    X, _, y = cars()
    return LogisticRegression(C=np.inf).fit(X[["wt", "hp"]], y), X[["wt", "hp"]], y


def titanic():
    X = read("titanic_survival")
    y = X.pop("survived")
    return LogisticRegression(C=np.inf).fit(X, y), X, y


def poisson():
    table = read("recreation")
    X, y = table[["quality", "income", "costS"]], table["trips"]
    return GeneralizedLinearRegressor("poisson").fit(X, y), X, y


def splines():
    _, X, y = titanic()
    X = X[["age", "sexmale"]]
    step = make_column_transformer(
        (SplineTransformer(n_knots=4, include_bias=False), ["age"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(step, LogisticRegression(C=np.inf)).fit(X, y), X, y


def schools():
    table = read("star_math").iloc[::10]
    X, y = table[["class", "lunch", "place"]], table["math"]
    names = {"f": "free lunch for everybody who asks", "n": "no free lunch"}
    X = X.assign(lunch=X["lunch"].map(names))
    step = make_column_transformer(
        (OneHotEncoder(drop="first"), list(X)), verbose_feature_names_out=False
    )
    return make_pipeline(step, LinearRegression()).fit(X, y), X, y


def iris():
    table = read("iris")
    X = table.drop(columns="Species")
    return make_pipeline(StandardScaler(), PCA()).fit(X), X, table["Species"]


def separated():
    table = read("endometrial")
    X, y = table[["NV", "PI", "EH"]], table["HG"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return LogisticRegression(C=np.inf).fit(X, y), X, y


def many(scale=1.0):
    rng = np.random.default_rng(0)
    names = [f"{LONG}_{k}_and_more" for k in range(50)]
    X = pd.DataFrame(rng.normal(size=(120, 50)) / scale, columns=names)
    return LinearRegression().fit(X, X.sum(axis=1) * scale + rng.normal(size=120)), X


def three_classes():
    """Species of flowers, of which some were mixed up."""
    table = read("iris")
    rng = np.random.default_rng(6)
    y = np.where(rng.random(150) < 0.2, rng.permutation(table["Species"]), table["Species"])
    X = table[["Sepal.Length", "Sepal.Width"]]
    return LogisticRegression(C=np.inf).fit(X, y), X, y


def three_separated():
    table = read("iris")
    X, y = table[["Petal.Length", "Sepal.Width"]], table["Species"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return LogisticRegression(C=np.inf).fit(X, y), X, y


def long_names():
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.normal(size=(40, 2)) * [1e-7, 1e9], columns=[LONG, LONG + "_2"])
    y = (rng.logistic(size=40) + 1e7 * X[LONG] > 0).map({True: LONG, False: "no"})
    return LogisticRegression(C=np.inf).fit(X, y), X, y


def levels():
    rng = np.random.default_rng(2)
    X = pd.DataFrame({LONG: rng.permutation([f"{LONG} of kind {k % 24}" for k in range(240)])})
    step = OneHotEncoder(drop="first")
    return make_pipeline(step, LinearRegression()).fit(X, rng.normal(size=240)), X


def tuned(criterion="loo", **options):
    """The Titanic, with a penalty that was chosen."""
    X = read("titanic_survival")
    y = X.pop("survived")
    rng = np.random.default_rng(8)
    noise = {f"{LONG}_{k}": rng.normal(size=len(X)) for k in range(6)}
    X = X.assign(age=X["age"] / 10.0, **noise)
    return LogisticRegression(C=criterion, **options).fit(X, y), X, y


def tuned_groups():
    groups = {"age": ["age"], LONG: ["sexmale", "class2nd"]}
    return tuned("evidence", penalty_groups=groups)


def tuned_counts():
    _, X, y = poisson()
    return GeneralizedLinearRegressor("poisson", alpha="aic").fit(X, y), X, y


def _both():
    model, X, y = logistic()
    small = LogisticRegression(C=np.inf).fit(X[["wt"]], y)
    return CoefficientDisplay.from_estimator([small, model], exponentiate=True, intercept=True)


def _influence_of_jobs():
    table = read("duncan", index_col="occupation")
    X, y = table[["income", "education"]], table["prestige"]
    model = LinearRegression().fit(X, y)
    return InfluenceDisplay.from_estimator(model, X, y, measure="dfbetas_income", n_labels=8)


def _many_scores():
    rng = np.random.default_rng(4)
    X = pd.DataFrame(rng.normal(size=(60, 40)), columns=[f"{LONG}_{k}" for k in range(40)])
    return BiplotDisplay.from_estimator(PCA().fit(X), X)


def _of(display, make, **options):
    return lambda: display.from_estimator(*make(), **options)


def _by(display, make, **options):
    return lambda: display.from_estimator(*make()[:2], **options)


DISPLAYS = {
    "coefficients": lambda: CoefficientDisplay.from_estimator(linear()[0]),
    "coefficients of two models": _both,
    "coefficients, 50 of them": lambda: CoefficientDisplay.from_estimator(many()[0]),
    "coefficients, huge": lambda: CoefficientDisplay.from_estimator(many(1e6)[0]),
    "effect of a spline": _by(EffectDisplay, splines, variable="age", by="sexmale"),
    "effect, averaged": _by(EffectDisplay, splines, variable="age", others="average"),
    "effect of a factor": _by(EffectDisplay, schools, variable="class", by="lunch"),
    "effect of 24 long levels": _by(EffectDisplay, levels),
    "effect, long names": _by(EffectDisplay, long_names),
    "residuals": _of(ResidualsDisplay, linear),
    "residuals of counts": _of(ResidualsDisplay, poisson),
    "residuals of classes": _of(ResidualsDisplay, titanic),
    "influence": _of(InfluenceDisplay, linear),
    "influence on one coefficient": _influence_of_jobs,
    "influence, long names": _of(InfluenceDisplay, long_names),
    "scree": lambda: ScreeDisplay.from_estimator(iris()[0]),
    "biplot": _of(BiplotDisplay, iris),
    "biplot of 40 columns": _many_scores,
    "profile": _of(ProfileDisplay, logistic, parameter="wt"),
    "profile, long names": _of(ProfileDisplay, long_names),
    "curvature": _of(CurvatureDisplay, logistic),
    "curvature, least squares": _of(CurvatureDisplay, linear),
    "curvature, long names": _of(CurvatureDisplay, long_names),
    "calibration": _of(CalibrationDisplay, titanic),
    "calibration, long names": _of(CalibrationDisplay, long_names),
    "separation": _of(SeparationDisplay, separated),
    "residuals of three classes": _of(ResidualsDisplay, three_classes),
    "profile of three classes": _of(ProfileDisplay, three_classes),
    "curvature of three classes": _of(CurvatureDisplay, three_classes),
    "separation of three classes": _of(SeparationDisplay, three_separated),
    "penalty": _of(PenaltyCurveDisplay, tuned),
    "penalties of groups": _of(PenaltyCurveDisplay, tuned_groups),
    "penalty of counts": _of(PenaltyCurveDisplay, tuned_counts),
}
