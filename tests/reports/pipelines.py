"""Pipelines that tests of results go through: raw rows, steps, and what is known of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    SplineTransformer,
    StandardScaler,
)

from mcmodels import GeneralizedLinearRegressor, LinearRegression, LogisticRegression

NUMBERS, WORDS = ["age", "fare"], ["sex", "deck"]
# The steps before the model, and the names of their columns.
STEPS = {
    "columns": lambda: (
        [_columns()],
        ["scale__age", "scale__fare", "code__sex_male", "code__deck_B", "code__deck_C"],
    ),
    "columns, short names": lambda: (
        [_columns(verbose_feature_names_out=False)],
        ["age", "fare", "sex_male", "deck_B", "deck_C"],
    ),
    "columns, sparse": lambda: (
        [_columns(sparse_output=True, sparse_threshold=1)],
        ["scale__age", "scale__fare", "code__sex_male", "code__deck_B", "code__deck_C"],
    ),
    "remainder": lambda: (
        [
            ColumnTransformer(
                [("code", OneHotEncoder(drop="first"), WORDS)], remainder="passthrough"
            )
        ],
        ["code__sex_male", "code__deck_B", "code__deck_C", "remainder__age", "remainder__fare"],
    ),
    "remainder scaled": lambda: (
        [ColumnTransformer([("drop", "drop", WORDS)], remainder=StandardScaler())],
        ["remainder__age", "remainder__fare"],
    ),
    "nothing selected": lambda: (
        [
            ColumnTransformer(
                [("scale", StandardScaler(), NUMBERS), ("none", StandardScaler(), [])],
                verbose_feature_names_out=False,
            )
        ],
        NUMBERS,
    ),
    "selectors": lambda: (
        [
            ColumnTransformer(
                [
                    ("code", OrdinalEncoder(), make_column_selector(pattern="sex|deck")),
                    ("same", "passthrough", make_column_selector(dtype_include=np.number)),
                ]
            )
        ],
        ["code__sex", "code__deck", "same__age", "same__fare"],
    ),
    "pipelines in columns": lambda: (
        [
            ColumnTransformer(
                [
                    (
                        "numbers",
                        make_pipeline(
                            SimpleImputer(),
                            PolynomialFeatures(2, include_bias=False),
                            "passthrough",
                        ),
                        NUMBERS,
                    ),
                    ("code", OneHotEncoder(drop="first", sparse_output=False), ["sex"]),
                ]
            ),
            StandardScaler(),
        ],
        [
            "numbers__age",
            "numbers__fare",
            "numbers__age^2",
            "numbers__age fare",
            "numbers__fare^2",
            "code__sex_male",
        ],
    ),
    "union": lambda: (
        [
            _numbers(),
            FeatureUnion(
                [
                    ("scale", make_pipeline(StandardScaler())),
                    ("log", FunctionTransformer(np.log1p, feature_names_out="one-to-one")),
                    ("drop", "drop"),
                ]
            ),
        ],
        ["scale__age", "scale__fare", "log__age", "log__fare"],
    ),
    "functions with names": lambda: (
        [
            _numbers(),
            FunctionTransformer(
                lambda X: np.asarray(X) @ [[1.0], [2.0]],
                feature_names_out=lambda _, names: [f"{names[0]}+2{names[1]}"],
            ),
        ],
        ["age+2fare"],
    ),
    "bins": lambda: (
        [
            _numbers(),
            KBinsDiscretizer(3, encode="ordinal", strategy="uniform"),
        ],
        NUMBERS,
    ),
    "power": lambda: ([_numbers(), PowerTransformer()], NUMBERS),
    "splines": lambda: (
        [
            _numbers(),
            SplineTransformer(3, degree=2, include_bias=False),
        ],
        [f"{name}_sp_{k}" for name in NUMBERS for k in range(3)],
    ),
    "unsupervised steps": lambda: (
        [_numbers(), VarianceThreshold(), StandardScaler(), PCA(2)],
        ["pca0", "pca1"],
    ),
    "clusters": lambda: (
        [_numbers(), KMeans(3, random_state=0, n_init=1)],
        ["kmeans0", "kmeans1", "kmeans2"],
    ),
    "frozen": lambda: ([_numbers(), FrozenEstimator(StandardScaler())], NUMBERS),
    "nothing": lambda: ([_numbers(), "passthrough", None], NUMBERS),
    "a search without names": lambda: (
        [_numbers(), GridSearchCV(PCA(), {"n_components": [2]}, cv=2)],
        ["x0", "x1"],
    ),
    "a function without names": lambda: (
        [_numbers(), FunctionTransformer(np.log1p)],
        ["x0", "x1"],
    ),
}
MODELS = {
    "linear": LinearRegression,
    "binary": lambda: LogisticRegression(C=np.inf),
    "count": lambda: GeneralizedLinearRegressor("poisson", alpha=0),
}


def _columns(sparse_output=False, **options):
    return ColumnTransformer(
        [
            ("scale", StandardScaler(), NUMBERS),
            ("code", OneHotEncoder(drop="first", sparse_output=sparse_output), WORDS),
        ],
        **options,
    )


def _numbers():
    return ColumnTransformer([("only", "passthrough", NUMBERS)], verbose_feature_names_out=False)


def raw_rows(n=150, seed=4):
    """Numbers and words, with an index of their own; targets by name of the model."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "sex": rng.choice(["male", "female"], n),
            "age": rng.uniform(18, 80, n),
            "deck": rng.choice(["A", "B", "C"], n),
            "fare": rng.gamma(2.0, 20.0, n),
        },
        index=rng.permutation(n) + 1000,
    )
    eta = 0.02 * X["age"] - 0.01 * X["fare"] + 0.5 * (X["sex"] == "male") - 0.5
    return X, {
        "linear": eta + rng.normal(size=n) * (1 + X["age"] / 40),
        "binary": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int),
        "count": pd.Series(rng.poisson(np.exp(eta)).astype(float), index=X.index),
    }


def pipeline_of(steps, model, **options):
    """A pipeline of the steps and the model, which is the step "model"."""
    named = [(f"step{k}", step) for k, step in enumerate(steps)]
    return Pipeline([*named, ("model", model)], **options)
