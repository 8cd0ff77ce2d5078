"""``mcmodels fit``: fit a model, save it, and report on it."""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mcmodels import scan
from mcmodels.arrays import Array
from mcmodels.cli.codes import are_codes, is_number
from mcmodels.cli.columns import (
    Data,
    check_known,
    complete,
    design,
    dropped,
    first,
    levelled,
    numeric,
    offsets_of,
    refuse_level,
    refuse_single_levels,
)
from mcmodels.cli.files import replacing
from mcmodels.cli.fit_data import FitData
from mcmodels.cli.formula_option import FormulaOption, formula_named
from mcmodels.cli.model_files import (
    MODELS,
    new_pipeline,
    pipeline_of_formula,
    pipeline_of_scan,
    save_model,
)
from mcmodels.cli.progress import bar_of_passes
from mcmodels.cli.reading import DataFile
from mcmodels.cli.table_files import TableFiles, in_options, inputs, is_one_text
from mcmodels.cli.tables import fit_report, rendered
from mcmodels.cli.whole_tables import InMemory, data_of
from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import FitWarning
from mcmodels.formula import Formula
from mcmodels.formula_fit import intercept_params
from mcmodels.formulas.language import parsed
from mcmodels.inference import Summary

__all__ = ["fit"]


def fit(options: argparse.Namespace) -> str:
    """Fit a model to files, save it if asked to, and report on it."""
    warnings.simplefilter("always", FitWarning)  # the caller records warnings
    work = _fit_by_formula if options.formula is not None else None
    in_memory = is_one_text(options.files) and options.where is None
    with replacing(options.save, sources=inputs(options.files)) as temporary:
        work = work or (_fit_in_memory if in_memory else _fit_in_blocks)
        pipeline, report = work(options)
        if temporary is not None:
            save_model(pipeline, temporary)
    return rendered(report, options.format, options.save)


def _fit_in_memory(options: argparse.Namespace) -> tuple[Pipeline, Summary]:
    """A fit to one text file, which is read completely."""
    taken = _taken(options)
    data = DataFile(options.files[0], options)
    everything = data.frame()
    codes = [name for name in options.categorical if is_number(everything.get(name))]
    if codes:
        texts = data.frame(codes)
        for name in filter(lambda name: are_codes(texts[name]), codes):
            everything[name] = texts[name]
    features = _features(options, taken, everything, data)
    frame = complete(everything, [*features, *taken], data, drop=options.drop_missing)
    y, sample_weight = _target(frame, options, data), _weights(frame, options, data)
    X = design(frame, features, options.categorical, data).reset_index(drop=True)
    refuse_single_levels(X, options, data)
    categorical = [name for name in features if name in options.categorical]
    pipeline = new_pipeline(_model(options), features, categorical)
    offsets = offsets_of(frame, options, data)
    given = {f"model__{name}": values for name, values in offsets.items()}
    pipeline.fit(X, y, model__sample_weight=sample_weight, **given)
    about = _about(options, data, len(frame), len(everything) - len(frame))
    found = FitData.in_memory(pipeline, X, y, sample_weight, offsets)
    inference = _inference(frame, options) | offsets
    return pipeline, fit_report(pipeline["model"], found, about, **inference)


def _fit_by_formula(options: argparse.Namespace) -> tuple[Pipeline, Summary]:
    """A fit to files that are read completely; a formula makes the columns."""
    for name in ("features", "categorical", "where"):
        if getattr(options, name):
            raise ValueError(f"--{name}: the formula names the columns; leave --{name} out")
    data, taken = data_of(options), _taken(options)
    everything = data.frame()
    check_known(taken, everything, data)
    model = _model(options)
    with formula_named():
        known = [*everything.columns, *data.unreadable]
        formula = FormulaOption.of(options, known, taken)
    check_known(formula.columns, everything, data)
    codes = [name for name in formula.factors if is_number(everything[name])]
    if codes:
        texts = data.frame(codes)
        for name in filter(lambda name: are_codes(texts[name]), codes):
            everything[name] = texts[name]
    used = list(dict.fromkeys([*formula.columns, *taken]))
    frame = complete(everything, used, data, drop=options.drop_missing).reset_index(drop=True)
    with formula_named():
        target = formula.target(frame, labels=options.model == "logistic")
        y = None if target is None else target.values(frame)
        step = Formula(formula.right).fit(frame)
        language = parsed(formula.right, list(everything.columns))
        model.set_params(**intercept_params(model, language))
        X = frame[list(step.feature_names_in_)]
        step.transform(X)  # refuses values that are not finite
    sample_weight, offsets = _weights(frame, options, data), offsets_of(frame, options, data)
    pipeline = pipeline_of_formula(model, step, target)
    given = {f"model__{name}": values for name, values in offsets.items()}
    pipeline.fit(X, y, model__sample_weight=sample_weight, **given)
    about = _about(options, data, len(frame), len(everything) - len(frame))
    about |= {"target": formula.left, "formula": options.formula}
    found = FitData.in_memory(pipeline, X, y, sample_weight, offsets)
    inference = _inference(frame, options) | offsets
    return pipeline, fit_report(pipeline["model"], found, about, **inference)


def _fit_in_blocks(options: argparse.Namespace) -> tuple[Pipeline, Summary]:
    """A fit to files that are read in blocks, once or more often."""
    data = TableFiles(options)
    features = _features(options, _taken(options), data.columns, data)
    codes = data.codes(options.categorical)
    data = TableFiles(options, codes) if codes else data
    with in_options(), bar_of_passes():
        rows = scan(
            data.source,
            target=options.target,
            features=features,
            categorical=options.categorical,
            weights=options.weights,
            groups=options.cluster,
            offset=options.offset,
            exposure=options.exposure,
            where=options.where,
            missing="drop" if options.drop_missing else "refuse",
        )
        for name, known in rows.table_columns.levels.items():
            if len(known) == 1:
                refuse_level(name, known[0], data)
        model = _model(options).fit(rows)
        found = FitData.in_blocks(model, rows)
        about = _about(options, data, found.n_rows, rows.n_dropped or 0)
        kind = options.covariance if options.cluster is None else "cluster"
        shown = {"level": options.level, "exponentiate": options.exponentiate}
        report = fit_report(model, found, about, **shown, kind=kind)
    return pipeline_of_scan(model), report


def _taken(options: argparse.Namespace) -> list[str]:
    """The columns that are no features."""
    named = (options.target, options.weights, options.cluster, options.offset, options.exposure)
    return [column for column in named if column is not None]


def _about(
    options: argparse.Namespace, data: Data, n_kept: int, n_dropped: int
) -> dict[str, str | None]:
    about = {"file": str(data), "target": options.target, "weights": options.weights}
    about |= {"offset": options.offset, "exposure": options.exposure}
    if options.where is not None:
        about["where"] = options.where
    if options.drop_missing:
        about["dropped"] = dropped(n_kept, n_dropped)
    return about


def _model(options: argparse.Namespace) -> Any:
    kind = MODELS[options.model]
    known, given = kind().get_params(), vars(options)
    if "weights" in known:  # the option of this name is a column
        given = given | {"weights": options.weights_are}
    return kind(**{name: value for name, value in given.items() if name in known})


def _features(
    options: argparse.Namespace, taken: list[str], frame: pd.DataFrame, data: Data
) -> list[str]:
    """The feature columns; refused if one is unknown, or is named for two purposes."""
    features = list(dict.fromkeys(options.features or frame.columns.drop(taken, errors="ignore")))
    check_known([*taken, *features, *options.categorical], frame, data)
    if not features:
        raise ValueError(f"{data} has no column left to be a feature")
    name, count = Counter([*taken, *features]).most_common(1)[0]
    if count > 1:
        raise ValueError(
            f"column {name!r} is named twice; target, weights, cluster, offset, exposure and "
            "features must all differ"
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
    what = "linear regression" if options.model == "linear" else "a generalized linear model"
    advice = f"the target of {what} must be numeric"
    return numeric(frame, [options.target], data, advice)[options.target].to_numpy()


def _inference(frame: pd.DataFrame, options: argparse.Namespace) -> dict[str, Any]:
    """The options of the summary: the level, whether in ratios, and the kind of covariance."""
    shown: dict[str, Any] = {"level": options.level, "exponentiate": options.exponentiate}
    if options.cluster is not None:
        groups = levelled(frame[options.cluster]).to_numpy()
        return shown | {"kind": "cluster", "groups": groups}
    return shown | {"kind": options.covariance}


def _weights(frame: pd.DataFrame, options: argparse.Namespace, data: InMemory) -> Array | None:
    if options.weights is None:
        return None
    advice = "weights must be numeric"
    column = numeric(frame, [options.weights], data, advice)[options.weights]
    negative = first(column, column < 0)
    if negative:
        where = f"column {options.weights!r} of {data}"
        raise ValueError(f"weights must not be negative; {where} holds {negative}")
    return column.to_numpy()
