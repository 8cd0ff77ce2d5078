"""Effects by input variable: through pipelines, against differences of their own predictions."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    results,
)
from mcmodels.rows import RowStream
from tests.reports.brute_force import (
    moved,
    predicted,
    replaced,
    romberg,
    slopes,
    standard_errors,
)

# Slopes against differences of predictions over steps of 1/16 of a unit: five extrapolated steps
# leave 1e-12 of a smooth function, and rounding, 1e-16/(1/256), as much.
SLOPE = {"rtol": 1e-8, "atol": 1e-11}
# Standard errors have differences of differences: 1e-12 over steps of 1/32 in units of the errors.
ERROR = {"rtol": 1e-7}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def people(n=160, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "sex": rng.choice(["f", "m"], n),
            "age": rng.uniform(2.0, 8.0, n),
            "region": rng.choice(["north", "south", "west"], n),
            "income": rng.gamma(4.0, 1.0, n) + 1.0,
            "member": rng.random(n) > 0.4,
            "urban": rng.integers(0, 2, n),
        }
    )


def signal(X):
    return (
        0.4 * (X["age"] - 5)
        - 0.1 * (X["age"] - 5) ** 2
        + 0.5 * (X["sex"] == "m")
        - 0.3 * (X["region"] == "west")
        + 0.2 * np.log(X["income"])
        + 0.3 * X["member"]
        + 0.2 * X["urban"] * (X["age"] - 5)
    )


def targets(X, kind, seed=1):
    rng = np.random.default_rng(seed)
    eta = signal(X).to_numpy(dtype=float)
    if kind == "linear":
        return eta + rng.normal(size=len(X))
    if kind == "two targets":
        noise = rng.normal(size=(len(X), 2))
        return np.column_stack([eta, 1 - 2 * eta]) + noise @ [[1.0, 0.5], [0.0, 1.0]]
    if kind == "counts":
        return rng.poisson(np.exp(0.5 * eta))
    if kind == "two":
        return np.where(eta + rng.logistic(size=len(X)) > 0, "yes", "no")
    noise = rng.gumbel(size=(len(X), 3))
    return np.array(["a", "b", "c"])[(np.column_stack([0 * eta, eta, -eta]) + noise).argmax(axis=1)]


MODELS = {
    "linear": (LinearRegression(), "linear"),
    "two targets": (LinearRegression(), "two targets"),
    "counts": (GeneralizedLinearRegressor("poisson"), "counts"),
    "gamma without intercept": (
        GeneralizedLinearRegressor("gamma", link="log", fit_intercept=False),
        "positive",
    ),
    "two classes": (LogisticRegression(C=np.inf), "two"),
    "three classes": (LogisticRegression(C=np.inf), "three"),
    "penalised": (LogisticRegression(C=2.0), "two"),
    "own loss": (
        ObjectiveRegressor("exp(eta) - y*eta", inverse_link="exp(eta)", log_likelihood=True),
        "counts",
    ),
    "own loss in NumPy": (
        ObjectiveRegressor(
            lambda y, eta: np.exp(eta) - y * eta, inverse_link=np.exp, log_likelihood=True
        ),
        "counts",
    ),
}


def crossed():
    """Age squared, crossed with a number of two values; a logarithm; factors; True and False."""
    return make_pipeline(
        ColumnTransformer(
            [
                (
                    "curve",
                    make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False)),
                    ["age", "urban"],
                ),
                ("log", FunctionTransformer(np.log, feature_names_out="one-to-one"), ["income"]),
                ("factors", OneHotEncoder(drop="first"), ["sex", "region"]),
                ("rest", "passthrough", ["member"]),
            ]
        ),
        # urban² is urban up to a constant: the last of these columns is left out.
        FunctionTransformer(lambda X: np.delete(np.asarray(X, dtype=float), 4, axis=1)),
    )


def fitted(name, steps=None, X=None):
    X = people() if X is None else X
    model, kind = MODELS[name]
    y = np.exp(targets(X, "linear") / 3) if kind == "positive" else targets(X, kind)
    return X, y, make_pipeline(steps or simple(), model).fit(X, y)


def simple():
    """Splines, a square with an interaction, and factors."""
    return ColumnTransformer(
        [
            ("splines", SplineTransformer(3, include_bias=False), ["age"]),
            (
                "square",
                make_pipeline(
                    StandardScaler(),
                    PolynomialFeatures(2)[:0]
                    if False
                    else PolynomialFeatures(2, include_bias=False),
                ),
                ["income"],
            ),
            ("factors", OneHotEncoder(drop="first"), ["sex", "region"]),
            ("rest", "passthrough", ["member", "urban"]),
        ]
    )
