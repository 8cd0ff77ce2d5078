"""Make the pictures of docs/gallery.md from the data in datasets/: one file for each entry.

Run it in the root of a checkout: ``python docs/make_gallery.py``. The same data and the same
version of matplotlib give the same bytes.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from mcmodels import PCA, GeneralizedLinearRegressor, LinearRegression, LogisticRegression, plots
from mcmodels.exceptions import FitWarning
from mcmodels.plots.style import save

ROOT = Path(__file__).parent.parent
DPI = 140


def read(name, **options):
    return pd.read_csv(ROOT / "datasets" / f"{name}.csv", **options)


def titanic():
    X = read("titanic_survival")
    y = X.pop("survived")
    return X, y


def coefficients():
    X, y = titanic()
    small = LogisticRegression(C=np.inf).fit(X[["sexmale", "age"]], y)
    big = LogisticRegression(C=np.inf).fit(X, y)
    return plots.CoefficientDisplay.from_estimator(
        [small, big], exponentiate=True, labels=["sex and age", "with class"]
    )


def effects():
    X, y = titanic()
    X = X[["age", "sexmale"]]
    splines = make_column_transformer(
        (SplineTransformer(n_knots=4, include_bias=False), ["age"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    pipeline = make_pipeline(splines, LogisticRegression(C=np.inf)).fit(X, y)
    return plots.EffectDisplay.from_estimator(pipeline, X, variable="age", by="sexmale")


def effects_of_levels():
    pupils = read("star_math")
    kinds = {"a": "aide", "r": "regular", "s": "small"}
    X = pupils[["class", "lunch"]].assign(
        **{
            "class": pupils["class"].map(kinds),
            "lunch": pupils["lunch"].map({"f": "free", "n": "no"}),
        }
    )
    coded = make_column_transformer((OneHotEncoder(drop="first"), ["class", "lunch"]))
    pipeline = make_pipeline(coded, LinearRegression()).fit(X, pupils["math"])
    return plots.EffectDisplay.from_estimator(pipeline, X, variable="class", by="lunch")


def residuals():
    cars = read("mtcars")
    X, y = cars[["wt", "hp"]], cars["mpg"]
    return plots.ResidualsDisplay.from_estimator(LinearRegression().fit(X, y), X, y)


def residuals_of_counts():
    boats = read("recreation").query("quality >= 3")
    X, y = boats[["quality", "income", "costS"]], boats["trips"]
    poisson = GeneralizedLinearRegressor("poisson").fit(X, y)
    return plots.ResidualsDisplay.from_estimator(poisson, X, y)


def influence():
    jobs = read("duncan", index_col="occupation")
    X, y = jobs[["income", "education"]], jobs["prestige"]
    return plots.InfluenceDisplay.from_estimator(LinearRegression().fit(X, y), X, y)


def flowers():
    table = read("iris")
    X = table.drop(columns="Species")
    return make_pipeline(StandardScaler(), PCA()).fit(X), X, table["Species"]


def scree():
    return plots.ScreeDisplay.from_estimator(flowers()[0])


def biplot():
    pipeline, X, species = flowers()
    return plots.BiplotDisplay.from_estimator(pipeline, X, species)


def gearboxes():
    cars = read("mtcars")
    X, y = cars[["wt", "hp"]], cars["am"]
    return LogisticRegression(C=np.inf).fit(X, y), X, y


def profile():
    return plots.ProfileDisplay.from_estimator(*gearboxes(), parameter="wt")


def curvature():
    return plots.CurvatureDisplay.from_estimator(*gearboxes())


def penalty():
    X, y = titanic()
    splines = make_column_transformer(
        (SplineTransformer(n_knots=12, include_bias=False), ["age"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    groups = {"age": range(13)}
    model = LogisticRegression(C="evidence", penalty_groups=groups)
    pipeline = make_pipeline(splines, model).fit(X, y)
    return plots.PenaltyCurveDisplay.from_estimator(pipeline, X, y)


def calibration():
    X, y = titanic()
    model = LogisticRegression(C=np.inf).fit(X[::2], y[::2])
    return plots.CalibrationDisplay.from_estimator(model, X[1::2], y[1::2])


def separation():
    table = read("endometrial")
    X, y = table[["NV", "PI", "EH"]], table["HG"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # it says what the picture shows
        model = LogisticRegression(C=np.inf).fit(X, y)
    return plots.SeparationDisplay.from_estimator(model, X, y)


PICTURES = {
    make.__name__: make
    for make in (
        coefficients,
        effects,
        effects_of_levels,
        residuals,
        residuals_of_counts,
        influence,
        scree,
        biplot,
        profile,
        curvature,
        penalty,
        calibration,
        separation,
    )
}


def main(folder=ROOT / "docs" / "gallery"):
    folder.mkdir(exist_ok=True)
    for name, make in PICTURES.items():
        save(make().figure_, folder / f"{name}.png", "png", DPI)


if __name__ == "__main__":
    main()
