"""``mcmodels fit`` and ``mcmodels predict``: fit and report, or predict with a saved model."""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from mcmodels import PCA, LinearRegression, LogisticRegression
from mcmodels.arrays import Array
from mcmodels.cli.columns import (
    check_known,
    design,
    first,
    levelled,
    numeric,
    refuse_missing,
    refuse_single_levels,
    refuse_unseen,
)
from mcmodels.cli.files import is_csv, replacing
from mcmodels.cli.reading import load, read
from mcmodels.cli.tables import fit_report, level_name, levels_by_column
from mcmodels.exceptions import FitWarning

__all__ = ["fit", "predict"]

_MODELS = {"linear": LinearRegression, "logistic": LogisticRegression, "pca": PCA}


def fit(options: argparse.Namespace) -> str:
    """Fit a model to a file, save it if asked to, and report on it."""
    warnings.simplefilter("always", FitWarning)  # `main` records warnings
    path = options.file
    named = (options.target, options.weights, options.cluster)
    taken = [column for column in named if column is not None]
    with replacing(options.save, source=path) as temporary:
        frame = read(path)
        features = _features(options, taken, frame)
        refuse_missing(frame, [*features, *taken], path)
        y, sample_weight = _target(frame, options), _weights(frame, options)
        advice = "name them with --categorical {}, or leave them out with --features"
        X = design(frame, features, options.categorical, path, advice)
        refuse_single_levels(X, options)
        pipeline = _pipeline(options, features)
        pipeline.fit(X, y, model__sample_weight=sample_weight)
        about = {"file": str(path), "target": options.target, "weights": options.weights}
        report = fit_report(pipeline, X, y, sample_weight, about, **_inference(frame, options))
        if temporary is None:
            return report
        joblib.dump(pipeline, temporary)
    return f"{report}\n\nsaved to {options.save}"


def predict(options: argparse.Namespace) -> str:
    """Predict with a saved model, and write the predictions to a file."""
    warnings.simplefilter("always", FitWarning)
    path, as_csv = options.file, is_csv(options.output)
    with replacing(options.output, source=path) as temporary:
        pipeline = load(options.model_file)
        features, levels = list(pipeline.feature_names_in_), levels_by_column(pipeline)
        # Levels that were text are read as text, also if those in this file are all digits.
        frame = read(path, [name for name in levels if levels[name].dtype.kind == "O"])
        check_known(features, frame, path)
        refuse_missing(frame, features, path)
        X = design(frame, features, levels, path, "the model was fitted to numbers there")
        refuse_unseen(X, levels, path)
        predicted = _predictions(pipeline, X)
        if as_csv:
            predicted.to_csv(temporary, index=False)
        else:
            predicted.to_parquet(temporary, index=False)
    return f"{len(predicted)} rows written to {options.output}"


def _predictions(pipeline: Pipeline, X: pd.DataFrame) -> pd.DataFrame:
    model = pipeline["model"]
    if isinstance(model, PCA):
        return pd.DataFrame(pipeline.transform(X), columns=model.get_feature_names_out())
    predicted = pd.DataFrame({"prediction": pipeline.predict(X)})
    if isinstance(model, LogisticRegression):
        names = [f"probability_{label}" for label in model.classes_]
        predicted[names] = pipeline.predict_proba(X)
    return predicted


def _pipeline(options: argparse.Namespace, features: list[str]) -> Pipeline:
    """A step that encodes the columns, then the model; it gets frames, so warnings name columns."""
    kind = _MODELS[options.model]
    known = kind().get_params()
    model = kind(**{name: value for name, value in vars(options).items() if name in known})
    encoder = OneHotEncoder(
        drop=None if isinstance(model, PCA) else "first",
        sparse_output=False,
        feature_name_combiner=level_name,
    )
    numbers = [name for name in features if name not in options.categorical]
    categorical = [name for name in features if name in options.categorical]
    parts = [("numbers", "passthrough", numbers), ("categories", encoder, categorical)]
    encode = ColumnTransformer(
        [part for part in parts if part[2]], verbose_feature_names_out=False
    ).set_output(transform="pandas")
    return Pipeline([("encode", encode), ("model", model)])


def _features(options: argparse.Namespace, taken: list[str], frame: pd.DataFrame) -> list[str]:
    """The feature columns; refused if one is unknown, or is named for two purposes."""
    features = list(dict.fromkeys(options.features or frame.columns.drop(taken, errors="ignore")))
    check_known([*taken, *features, *options.categorical], frame, options.file)
    if not features:
        raise ValueError(f"{options.file} has no column left to be a feature")
    name, count = Counter([*taken, *features]).most_common(1)[0]
    if count > 1:
        raise ValueError(
            f"column {name!r} is named twice; target, weights, cluster and features must all differ"
        )
    for name in options.categorical:
        if name not in features:
            raise ValueError(f"categorical column {name!r} is not among the features")
    return features


def _target(frame: pd.DataFrame, options: argparse.Namespace) -> np.ndarray | None:
    if options.target is None:
        return None
    if options.model == "logistic":
        return levelled(frame[options.target]).to_numpy()
    advice = "the target of linear regression must be numeric"
    return numeric(frame, [options.target], options.file, advice)[options.target].to_numpy()


def _inference(frame: pd.DataFrame, options: argparse.Namespace) -> dict[str, Any]:
    """The options of the summary: the level, and the kind of covariance."""
    if options.cluster is not None:
        groups = levelled(frame[options.cluster]).to_numpy()
        return {"level": options.level, "kind": "cluster", "groups": groups}
    return {"level": options.level, "kind": options.covariance}


def _weights(frame: pd.DataFrame, options: argparse.Namespace) -> Array | None:
    if options.weights is None:
        return None
    advice = "weights must be numeric"
    column = numeric(frame, [options.weights], options.file, advice)[options.weights]
    negative = first(column, column < 0)
    if negative:
        where = f"column {options.weights!r} of {options.file}"
        raise ValueError(f"weights must not be negative; {where} holds {negative}")
    return column.to_numpy()
