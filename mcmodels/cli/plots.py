"""``mcmodels plot``: a picture of a saved model, written to a file."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from mcmodels import PCA
from mcmodels.cli.columns import check_known, complete, design, known_levels, levelled, numeric
from mcmodels.cli.files import quoted, replacing
from mcmodels.cli.model_files import (
    features_of,
    has_offset,
    levels_by_column,
    load_model,
    table_columns_of,
    target_of,
)
from mcmodels.cli.reading import DataFile
from mcmodels.formulas.response import Response

__all__ = ["OWN_OPTIONS", "WHAT", "plot"]

_KINDS = ("png", "svg", "pdf")
# What each picture needs of the rows: nothing, the features, or the target, too.
_ROWS = {
    "coefficients": "",
    "scree": "",
    "effects": "features",
    "biplot": "features",
    "residuals": "target",
    "influence": "target",
    "profile": "target",
    "curvature": "target",
    "calibration": "target",
    "separation": "target",
}
_DISPLAYS = {
    "coefficients": "CoefficientDisplay",
    "scree": "ScreeDisplay",
    "effects": "EffectDisplay",
    "biplot": "BiplotDisplay",
    "residuals": "ResidualsDisplay",
    "influence": "InfluenceDisplay",
    "profile": "ProfileDisplay",
    "curvature": "CurvatureDisplay",
    "calibration": "CalibrationDisplay",
    "separation": "SeparationDisplay",
}
WHAT = tuple(_ROWS)
_OF_COMPONENTS = ("scree", "biplot")
# Options of some pictures: which, if two names are taken, and what is said of them.
OWN_OPTIONS: dict[str, tuple[tuple[str, ...], bool, str]] = {
    "variable": (("effects",), False, "column of the horizontal axis; default the first"),
    "by": (("effects",), False, "column of groups"),
    "parameter": (("profile",), False, "name of a coefficient; default the first"),
    "parameters": (("curvature",), True, "names of two coefficients; default the first two"),
    "measure": (("influence",), False, "cooks_distance, dfbetas_NAME, …"),
}
_WITH_LEVEL = ("coefficients", "scree", "effects", "biplot", "profile", "calibration")
_WITH_WEIGHTS = ("residuals", "influence", "profile", "curvature", "separation")


def plot(options: argparse.Namespace) -> str:
    """Draw a picture of a saved model, and write it."""
    kind = options.out.suffix.lower().removeprefix(".")
    if kind not in _KINDS:
        raise ValueError(f"--out {options.out} is of an unknown kind; use .png, .svg or .pdf")
    given = _own_options(options)
    needed = _ROWS[options.what]
    if needed and options.file is None:
        raise ValueError(f"--what {options.what} needs rows; name a FILE after the model")
    if needed != "target" and options.target is not None:
        raise ValueError(f"--target is not for --what {options.what}; leave it out")
    sources = [options.model_file] + ([] if options.file is None else [options.file])
    with replacing(options.out, sources=sources) as temporary:
        from mcmodels import plots
        from mcmodels.plots.style import save

        pipeline = load_model(options.model_file)
        is_pca = isinstance(pipeline["model"], PCA)
        if is_pca != (options.what in _OF_COMPONENTS):
            others = [what for what in WHAT if is_pca == (what in _OF_COMPONENTS)]
            if not is_classifier(pipeline["model"]):
                others = [what for what in others if what not in ("calibration", "separation")]
            raise ValueError(
                f"--what {options.what} is not for {type(pipeline['model']).__name__}; use one of "
                f"{', '.join(others)}"
            )
        target = _required_target(pipeline, options) if needed == "target" else None
        rows = _rows(pipeline, options, target) if needed else {}
        display = getattr(plots, _DISPLAYS[options.what])
        found = display.from_estimator(_whole(pipeline), **rows, **given)
        save(found.figure_, temporary, kind)
    return f"{options.what} written to {options.out}"


def _own_options(options: argparse.Namespace) -> dict[str, Any]:
    """The options of this picture, for its display; those of others are refused."""
    given: dict[str, Any] = {}
    for name, (of, many, _) in OWN_OPTIONS.items():
        value = getattr(options, name)
        if value is not None and options.what not in of:
            raise ValueError(f"--{name} is for --what {' or '.join(of)}")
        if value is not None:
            given[name] = tuple(value) if many else value
    if options.exponentiate:
        if options.what != "coefficients":
            raise ValueError("--exponentiate is for --what coefficients")
        given["exponentiate"] = True
    if options.level is not None:
        if options.what not in _WITH_LEVEL:
            raise ValueError(f"--level is for --what {', '.join(_WITH_LEVEL)}")
        given["level"] = options.level
    if options.weights is not None and options.what not in _WITH_WEIGHTS:
        raise ValueError(f"--weights is for --what {', '.join(_WITH_WEIGHTS)}")
    return given


def _whole(pipeline: Pipeline) -> Any:
    """What is asked for results: a model of a scan stands alone."""
    return pipeline if table_columns_of(pipeline) is None else pipeline["model"]


def _required_target(pipeline: Pipeline, options: argparse.Namespace) -> Response | str:
    """The left side of the formula of the fit, or the column of --target."""
    known = target_of(pipeline)
    if known is not None and options.target not in (None, known.text):
        raise ValueError(
            f"{options.model_file} was fitted to {known.text!r} by a formula; leave --target out"
        )
    found = known or options.target
    if found is None:
        raise ValueError(f"--what {options.what} needs the column that is explained; add --target")
    return found


def _rows(
    pipeline: Pipeline, options: argparse.Namespace, target: Response | str | None
) -> dict[str, Any]:
    """X, and y and weights where they are needed."""
    if table_columns_of(pipeline) is not None:
        raise ValueError(
            f"{options.model_file} was fitted in blocks, and --what {options.what} needs rows in "
            "memory; fit it to one text file, without --where"
        )
    if has_offset(pipeline["model"]):
        raise ValueError(
            f"{options.model_file} was fitted with an offset or an exposure; of such models there "
            "is --what coefficients; the other pictures are in Python (mcmodels.plots)"
        )
    data = DataFile(options.file, options)
    features, levels = features_of(pipeline), levels_by_column(pipeline)
    read = target.columns if isinstance(target, Response) else [target]
    named = [name for name in (*read, options.weights) if name is not None]
    as_text = [name for name in levels if levels[name].dtype.kind == "O"]
    frame = data.frame(as_text)
    check_known([*features, *named], frame, data)
    frame = complete(frame, [*features, *named], data, drop=options.drop_missing)
    X = design(frame, features, levels, data, "the model was fitted to numbers there")
    X = known_levels(X, levels, data, "refuse").reset_index(drop=True)
    found: dict[str, Any] = {"X": X}
    if target is not None:
        found["y"] = _targets(pipeline["model"], frame, target, data)
    if options.weights is not None:
        advice = "the column of --weights must be numeric"
        weights = numeric(frame, [options.weights], data, advice)[options.weights]
        found["sample_weight"] = weights.to_numpy(dtype=np.float64)
    return found


def _targets(model: Any, frame: pd.DataFrame, target: Response | str, data: DataFile) -> np.ndarray:
    """What the model explains: by a formula, or a column; of classes, labels that it knows."""
    known = list(getattr(model, "classes_", ()))
    if isinstance(target, Response):
        name, y = target.text, target.values(frame)
    elif known:
        name, y = target, levelled(frame[target]).to_numpy()
    else:
        advice = "the column of --target must be numeric"
        return numeric(frame, [target], data, advice)[target].to_numpy()
    unknown = [label for label in pd.unique(y) if label not in known]
    if known and unknown:
        raise ValueError(
            f"column {name!r} of {data} holds {quoted(unknown[0])}, which is none of the "
            f"classes of the fit: {', '.join(map(str, known))}"
        )
    return y
