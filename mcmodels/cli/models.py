"""``mcmodels fit`` and ``mcmodels predict``: fit and report, or predict with a saved model."""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mcmodels import PCA, LogisticRegression
from mcmodels.arrays import Array
from mcmodels.cli.columns import (
    check_known,
    complete,
    design,
    first,
    known_levels,
    levelled,
    numeric,
    refuse_single_levels,
)
from mcmodels.cli.files import is_parquet, replacing, separator_of
from mcmodels.cli.model_files import MODELS, levels_by_column, load_model, new_pipeline, save_model
from mcmodels.cli.reading import DataFile
from mcmodels.cli.tables import fit_report, rendered
from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import FitWarning

__all__ = ["fit", "predict"]


def fit(options: argparse.Namespace) -> str:
    """Fit a model to a file, save it if asked to, and report on it."""
    warnings.simplefilter("always", FitWarning)  # the caller records warnings
    named = (options.target, options.weights, options.cluster)
    taken = [column for column in named if column is not None]
    with replacing(options.save, sources=[options.file]) as temporary:
        data = DataFile(options)
        everything = data.frame()
        features = _features(options, taken, everything, data)
        used = [*features, *taken]
        frame = complete(everything, used, data, drop=options.drop_missing)
        y, sample_weight = _target(frame, options, data), _weights(frame, options, data)
        X = design(frame, features, options.categorical, data).reset_index(drop=True)
        refuse_single_levels(X, options, data)
        categorical = [name for name in features if name in options.categorical]
        pipeline = new_pipeline(_model(options), features, categorical)
        pipeline.fit(X, y, model__sample_weight=sample_weight)
        about = {"file": str(data), "target": options.target, "weights": options.weights}
        if options.drop_missing:
            about["dropped"] = _dropped(frame, everything)
        report = fit_report(pipeline, X, y, sample_weight, about, **_inference(frame, options))
        if temporary is not None:
            save_model(pipeline, temporary)
    return rendered(report, options.format, options.save)


def predict(options: argparse.Namespace) -> str:
    """Predict with a saved model, and write the predictions to a file."""
    warnings.simplefilter("always", FitWarning)
    as_parquet = is_parquet(options.output)
    if options.level is not None and not options.intervals:
        raise ValueError("--level is the level of intervals; add --intervals")
    with replacing(options.output, sources=[options.file, options.model_file]) as temporary:
        pipeline = load_model(options.model_file, trust_pickle=options.trust_pickle)
        data = DataFile(options)
        features, levels = list(pipeline.feature_names_in_), levels_by_column(pipeline)
        # Levels that were text are read as text, also if those in this file are all digits.
        everything = data.frame([name for name in levels if levels[name].dtype.kind == "O"])
        check_known([*features, *options.keep], everything, data)
        frame = complete(everything, features, data, drop=options.drop_missing)
        X = design(frame, features, levels, data, "the model was fitted to numbers there")
        X = known_levels(X, levels, data).reset_index(drop=True)
        try:
            predicted = _predictions(pipeline, X, options)
        except (MemoryError, ValueError):
            raise
        except Exception as error:  # what a file with a right checksum may hold is without bounds
            raise ValueError(
                f"{options.model_file} cannot predict ({type(error).__name__}: {error}): its parts "
                "do not belong together; fit again"
            ) from error
        predicted = _with_keys(predicted, frame, data, list(dict.fromkeys(options.keep)))
        if as_parquet:
            predicted.to_parquet(temporary, index=False)
        else:
            predicted.to_csv(temporary, index=False, sep=separator_of(options.output) or ",")
    dropped = f"; dropped {_dropped(frame, everything)}" if options.drop_missing else ""
    return f"{len(predicted)} rows written to {options.output}{dropped}"


def _dropped(frame: pd.DataFrame, everything: pd.DataFrame) -> str:
    return f"{len(everything) - len(frame)} of {len(everything)} rows, for missing values"


def _predictions(pipeline: Pipeline, X: pd.DataFrame, options: argparse.Namespace) -> pd.DataFrame:
    model = pipeline["model"]
    if isinstance(model, PCA):
        if options.intervals:
            raise ValueError("--intervals: scores of principal components have no intervals")
        return pd.DataFrame(pipeline.transform(X), columns=model.get_feature_names_out())
    predicted = pd.DataFrame({"prediction": pipeline.predict(X)})
    is_logistic = isinstance(model, LogisticRegression)
    if is_logistic:
        names = [f"probability_{label}" for label in model.classes_]
        predicted[names] = pipeline.predict_proba(X)
    if options.intervals:
        encoded, level = pipeline["encode"].transform(X), options.level or 0.95
        if not is_logistic:
            found = model.predict_interval(encoded, level, kind="observation")
            predicted[["lower", "upper"]] = found[["lower", "upper"]]
            return predicted
        found = model.predict_interval(encoded, level)
        several = len(model.classes_) > 2
        for label in model.classes_ if several else model.classes_[1:]:
            of_label = found[label] if several else found
            bounds = [f"lower_{label}", f"upper_{label}"]
            predicted[bounds] = of_label[["lower", "upper"]].to_numpy()
    return predicted


def _with_keys(
    predicted: pd.DataFrame, frame: pd.DataFrame, data: DataFile, keys: list[str]
) -> pd.DataFrame:
    """The predictions behind the columns that are to be kept, as they stand in the file."""
    if not keys:
        return predicted
    taken = [name for name in keys if name in predicted.columns]
    if taken:
        raise ValueError(f"--keep {taken[0]}: the predictions have a column of that name")
    kept = data.as_written(keys).loc[frame.index].reset_index(drop=True)
    return pd.concat([kept, predicted], axis=1)


def _model(options: argparse.Namespace) -> Any:
    kind = MODELS[options.model]
    known = kind().get_params()
    return kind(**{name: value for name, value in vars(options).items() if name in known})


def _features(
    options: argparse.Namespace, taken: list[str], frame: pd.DataFrame, data: DataFile
) -> list[str]:
    """The feature columns; refused if one is unknown, or is named for two purposes."""
    features = list(dict.fromkeys(options.features or frame.columns.drop(taken, errors="ignore")))
    check_known([*taken, *features, *options.categorical], frame, data)
    if not features:
        raise ValueError(f"{data} has no column left to be a feature")
    name, count = Counter([*taken, *features]).most_common(1)[0]
    if count > 1:
        raise ValueError(
            f"column {name!r} is named twice; target, weights, cluster and features must all differ"
        )
    for name in options.categorical:
        if name not in features:
            raise ValueError(f"categorical column {name!r} is not among the features")
    unnamed = [name for name in features if name.startswith("Unnamed: ")]
    if unnamed and not options.features:
        warnings.warn(
            f"{data} has columns without a name, which are used as features: {listed(unnamed)}. "
            "The first is often an index that was written with the data; to leave it out, name "
            "the others with --features",
            stacklevel=1,
        )
    return features


def _target(frame: pd.DataFrame, options: argparse.Namespace, data: DataFile) -> np.ndarray | None:
    if options.target is None:
        return None
    if options.model == "logistic":
        return levelled(frame[options.target]).to_numpy()
    advice = "the target of linear regression must be numeric"
    return numeric(frame, [options.target], data, advice)[options.target].to_numpy()


def _inference(frame: pd.DataFrame, options: argparse.Namespace) -> dict[str, Any]:
    """The options of the summary: the level, and the kind of covariance."""
    if options.cluster is not None:
        groups = levelled(frame[options.cluster]).to_numpy()
        return {"level": options.level, "kind": "cluster", "groups": groups}
    return {"level": options.level, "kind": options.covariance}


def _weights(frame: pd.DataFrame, options: argparse.Namespace, data: DataFile) -> Array | None:
    if options.weights is None:
        return None
    advice = "weights must be numeric"
    column = numeric(frame, [options.weights], data, advice)[options.weights]
    negative = first(column, column < 0)
    if negative:
        where = f"column {options.weights!r} of {data}"
        raise ValueError(f"weights must not be negative; {where} holds {negative}")
    return column.to_numpy()
