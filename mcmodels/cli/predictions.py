"""``mcmodels predict``: predictions of a saved model, written in blocks."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mcmodels import PCA, GeneralizedLinearRegressor, LogisticRegression, scan
from mcmodels.arrays import Array
from mcmodels.cli.columns import check_known, complete, design, dropped, known_levels, offsets_of
from mcmodels.cli.files import is_parquet, replacing
from mcmodels.cli.model_files import (
    features_of,
    formula_of,
    has_offset,
    levels_by_column,
    load_model,
    pipeline_of_scan,
    table_columns_of,
)
from mcmodels.cli.progress import bar_of_passes
from mcmodels.cli.table_files import TableFiles, in_options, inputs, is_one_text
from mcmodels.cli.whole_tables import data_of
from mcmodels.cli.writing import BlockWriter
from mcmodels.exceptions import FitWarning
from mcmodels.rows import CodedBlock
from mcmodels.tables.columns import TableColumns
from mcmodels.tables.values import numbers

__all__ = ["predict"]


def predict(options: argparse.Namespace) -> str:
    """Predict with a saved model, and write the predictions to a file."""
    warnings.simplefilter("always", FitWarning)
    is_parquet(options.output)  # refuses other kinds
    if options.level is not None and not options.intervals:
        raise ValueError("--level is the level of intervals; add --intervals")
    sources = [*inputs(options.files), options.model_file]
    with replacing(options.output, sources=sources) as temporary:
        assert temporary is not None  # there is an output
        pipeline = load_model(options.model_file, trust_pickle=options.trust_pickle)
        levels, of_scan = levels_by_column(pipeline), table_columns_of(pipeline) is not None
        if options.unseen == "baseline" and levels and not of_scan and _is_pca(pipeline):
            raise ValueError("--unseen baseline: each level of these components has a column")
        by_formula = formula_of(pipeline) is not None
        if by_formula and options.unseen == "baseline":
            raise ValueError("--unseen baseline: the model has a formula, which codes its levels")
        options.keep = list(dict.fromkeys(options.keep))
        _check_offsets(pipeline, options)
        is_text = by_formula or (is_one_text(options.files) and not of_scan)
        with BlockWriter(temporary) as output:
            work = _predict_text if is_text else _predict_in_blocks
            n_dropped = work(pipeline, options, output)
    lost = f"; dropped {dropped(output.n_rows, n_dropped)}" if options.drop_missing else ""
    return f"{output.n_rows} rows written to {options.output}{lost}"


def _predict_text(pipeline: Pipeline, options: argparse.Namespace, output: BlockWriter) -> int:
    """Write predictions of one text file, or by a formula; returns the rows left out."""
    data = data_of(options)
    features, levels = features_of(pipeline), levels_by_column(pipeline)
    added = [name for name in (options.offset, options.exposure) if name is not None]
    # Levels that were text are read as text, also if those in this file are all digits.
    as_text = [name for name in levels if levels[name].dtype.kind == "O"]

    def prepared(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Array]]:
        frame = complete(frame, [*features, *added], data, drop=options.drop_missing)
        X = design(frame, features, levels, data, "the model was fitted to numbers there")
        offsets = offsets_of(frame, options, data)
        return known_levels(X, levels, data, options.unseen), offsets

    def known(frame: pd.DataFrame) -> pd.DataFrame:
        check_known([*features, *added, *options.keep], frame, data)
        return frame

    n_dropped = 0
    try:
        # Where columns to be kept are not there, they cannot be read beside the others.
        known(next(data.blocks(as_text, []), (pd.DataFrame(), None))[0])
        for frame, kept in data.blocks(as_text, options.keep):
            if options.drop_missing and frame[[*features, *added]].isna().any(axis=1).all():
                n_dropped += len(frame)
                continue
            X, offsets = prepared(frame)
            n_dropped += len(frame) - len(X)
            with _parts_belong_together(options):
                predicted = _predictions(pipeline, X.reset_index(drop=True), options, offsets)
            _refuse_taken(options.keep, predicted)
            if options.keep:
                written = kept[options.keep].loc[X.index].reset_index(drop=True)
                predicted = pd.concat([written, predicted], axis=1)
            output.write(predicted)
    except ValueError:
        # What is said of values counts those of all rows.
        prepared(known(data.frame(as_text)))
        raise
    if not output.n_rows:
        prepared(known(data.frame(as_text)))  # says why
    return n_dropped


def _predict_in_blocks(pipeline: Pipeline, options: argparse.Namespace, output: BlockWriter) -> int:
    """Write predictions of files, of which few rows are in memory; returns the rows left out."""
    columns, model = _table_columns(pipeline), pipeline["model"]
    as_text = [name for name in options.keep if name not in columns.features]
    # Levels that were text are read as text, also if those in these files are all digits.
    as_text += [name for name, known in columns.levels.items() if isinstance(known[-1], str)]
    data = TableFiles(options, as_text)
    offsets = {name: getattr(options, name) for name in ("offset", "exposure")}
    offsets = {name: column for name, column in offsets.items() if column is not None}
    check_known([*columns.features, *offsets.values(), *options.keep], data.columns, data)
    pipeline, names = pipeline_of_scan(model), tuple(model.feature_names_in_)
    missing = "drop" if options.drop_missing else "refuse"
    with in_options(), bar_of_passes():
        rows = scan(data.source, missing=missing, unseen=options.unseen, **offsets)
        rows = rows.bound_to(columns)
        for block, batch in rows.beside(options.keep):
            if not batch.num_rows:
                continue
            _refuse_infinite(batch, columns, data)
            with _parts_belong_together(options):
                added = {
                    name: np.asarray(numbers(batch.column(column)), dtype=np.float64)
                    for name, column in offsets.items()
                }
                predicted = _predictions(pipeline, CodedBlock(block.X, names), options, added)
            _refuse_taken(options.keep, predicted)
            output.write(predicted, batch.select(options.keep) if options.keep else None)
    if not output.n_rows:
        lost = " without missing values" if rows.n_dropped else ""
        raise ValueError(f"{data} has no rows{lost}; there is nothing to predict")
    return rows.n_dropped or 0


def _table_columns(pipeline: Pipeline) -> TableColumns:
    """The columns of a table in the order of the model, and their levels."""
    columns = table_columns_of(pipeline)
    if columns is not None:
        return columns
    levels = {name: tuple(known.tolist()) for name, known in levels_by_column(pipeline).items()}
    if _is_pca(pipeline):  # each level has a column: the baseline is one that no row has
        levels = {name: (None, *known) for name, known in levels.items()}
    numbers = [name for name in features_of(pipeline) if name not in levels]
    return TableColumns((*numbers, *levels), levels)


def _refuse_infinite(batch: Any, columns: TableColumns, data: TableFiles) -> None:
    for name in columns.features:
        if name not in columns.levels:
            values = numbers(batch.column(name), columns.dates)
            infinite = values[np.isinf(values)]
            if len(infinite):
                raise ValueError(
                    f"column {name!r} of {data} holds '{infinite[0]}'; numbers must be finite"
                )


def _is_pca(pipeline: Pipeline) -> bool:
    return isinstance(pipeline["model"], PCA)


@contextmanager
def _parts_belong_together(options: argparse.Namespace) -> Iterator[None]:
    """Refuse in one line what a model file with a right checksum may hold, which has no bounds."""
    try:
        yield
    except (MemoryError, ValueError):
        raise
    except Exception as error:
        raise ValueError(
            f"{options.model_file} cannot predict ({type(error).__name__}: {error}): its parts "
            "do not belong together; fit again"
        ) from error


def _check_offsets(pipeline: Pipeline, options: argparse.Namespace) -> None:
    """Refuse offsets that the model does not take, and those that are missing."""
    model, given = pipeline["model"], options.offset is not None or options.exposure is not None
    if given and not isinstance(model, GeneralizedLinearRegressor):
        raise ValueError("--offset and --exposure are those of generalized linear models")
    if not given and has_offset(model):
        raise ValueError(
            f"{options.model_file} was fitted with an offset or an exposure; name the column of "
            "DATA with --offset or --exposure"
        )


def _predictions(
    pipeline: Pipeline, X: Any, options: argparse.Namespace, offsets: Mapping[str, Any]
) -> pd.DataFrame:
    model = pipeline["model"]
    if isinstance(model, PCA):
        if options.intervals:
            raise ValueError("--intervals: scores of principal components have no intervals")
        return pd.DataFrame(pipeline.transform(X), columns=model.get_feature_names_out())
    predicted = pd.DataFrame({"prediction": pipeline.predict(X, **offsets)})
    is_logistic = isinstance(model, LogisticRegression)
    if is_logistic:
        names = [f"probability_{label}" for label in model.classes_]
        predicted[names] = pipeline.predict_proba(X)
    if options.intervals:
        encoded, level = pipeline[:-1].transform(X), options.level or 0.95
        if not is_logistic:
            found = model.predict_interval(encoded, level, kind="observation", **offsets)
            predicted[["lower", "upper"]] = found[["lower", "upper"]]
            return predicted
        found = model.predict_interval(encoded, level)
        several = len(model.classes_) > 2
        for label in model.classes_ if several else model.classes_[1:]:
            of_label = found[label] if several else found
            bounds = [f"lower_{label}", f"upper_{label}"]
            predicted[bounds] = of_label[["lower", "upper"]].to_numpy()
    return predicted


def _refuse_taken(keys: list[str], predicted: pd.DataFrame) -> None:
    """Refuse columns that are to be kept beside predictions of the same name."""
    for name in keys:
        if name in predicted.columns:
            raise ValueError(f"--keep {name}: the predictions have a column of that name")
