"""The report of a fit: its facts and tables, as text, JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.cli.fit_data import FitData
from mcmodels.cli.model_files import level_name
from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import InferenceError
from mcmodels.glm import GeneralizedLinearRegressor
from mcmodels.inference import Summary
from mcmodels.inference.ratios import in_ratios
from mcmodels.linear import LinearRegression
from mcmodels.logistic import LogisticRegression
from mcmodels.pca import PCA

# Models that earlier versions saved refer to `level_name` here.
__all__ = ["fit_report", "level_name", "rendered"]

_TITLES = {
    LinearRegression: "Linear regression",
    LogisticRegression: "Logistic regression",
    GeneralizedLinearRegressor: "Generalized linear model",
    PCA: "Principal components",
}


def fit_report(
    model: Any, data: FitData, about: Mapping[str, str | None], **options: Any
) -> Summary:
    """The summary of a fitted model, and facts about the data and the fit.

    Parameters
    ----------
    model : estimator
        A fitted model of this package.
    data : FitData
        The rows that it was fitted to.
    about : mapping of str to (str or None)
        Names of the file and of the columns of target, weights, offset and exposure; None if there
        is none. Where rows were chosen, "where" is the condition; where some were dropped,
        "dropped" says how many.
    **options
        Options of the summary: level, exponentiate, kind, groups, offset, exposure.

    Returns
    -------
    Summary
    """
    summary = _summary(model, data, **options)
    facts = {**dict(_data_facts(model, data, about)), **summary.facts}
    facts.pop("observations", None)
    conclusions = {**summary.conclusions, **dict(_fit_facts(model, data))}
    return Summary(summary.title, facts, summary.tables, conclusions, summary.notes)


def rendered(report: Summary, form: str, saved: Path | None) -> str:
    """A report as "text", "json" or "csv"; JSON and CSV have every digit, CSV the tables alone."""
    if form == "csv":
        named = pd.concat(report.tables, names=["table", "name"])
        alone = named.droplevel("table") if len(report.tables) == 1 else named
        return alone.to_csv().rstrip("\n")
    if form == "json":
        tables = [
            {"heading": str(heading), "rows": [_row(*row) for row in table.iterrows()]}
            for heading, table in report.tables.items()
        ]
        content = {
            "model": report.title,
            "facts": dict(report.facts),
            "tables": tables,
            "statistics": dict(report.conclusions),
            "notes": list(report.notes),
            "saved": None if saved is None else str(saved),
        }
        return json.dumps(content, indent=2, allow_nan=False)
    text = report.to_text()
    return text if saved is None else f"{text}\n\nsaved to {saved}"


def _row(name: Any, numbers: pd.Series) -> dict[str, Any]:
    """A row of a table in terms of JSON, which has no NaN and no infinity."""
    cells = {str(key): float(value) for key, value in numbers.items()}
    return {"name": str(name)} | {k: v if np.isfinite(v) else None for k, v in cells.items()}


def _summary(
    model: Any, data: FitData, level: float, exponentiate: bool = False, **robust: Any
) -> Summary:
    """The summary of the model; without standard errors, the coefficients and the reason."""
    shown = {"level": level} | ({"exponentiate": True} if exponentiate else {})
    try:
        if not (isinstance(model, PCA) or hasattr(model, "hessian_")):
            raise InferenceError(f"a Hessian of {model.params_.size} parameters has no room.")
        own = model.summary(**shown)
    except InferenceError as error:
        found = _without_errors(model, data, error)
        return in_ratios(found, model._fit.ratio_name) if exponentiate else found
    if robust["kind"] in (None, "nonrobust"):
        return own
    return model.summary(*data.rows, **shown, **robust)


def _without_errors(model: Any, data: FitData, why: InferenceError) -> Summary:
    statistics = {}
    if isinstance(model, PCA):
        names = list(model.get_feature_names_out())
        shares = model.explained_variance_ratio_
        variances = {
            "variance": model.explained_variance_,
            "share": shares,
            "cumulative": shares.cumsum(),
        }
        tables = {
            "Variances": pd.DataFrame(variances, index=names),
            "Loadings": pd.DataFrame(model.components_.T, index=list(data.names), columns=names),
        }
    else:
        names = [*data.names, "(intercept)"] if model.fit_intercept else list(data.names)
        headings = [""] if model.params_.ndim == 1 else map(str, model.classes_)
        tables = {
            heading: pd.DataFrame({"coefficient": params}, index=names)
            for heading, params in zip(headings, np.atleast_2d(model.params_), strict=True)
        }
    if isinstance(model, LinearRegression) and hasattr(model, "r_squared_"):
        statistics["R²"] = _number(model.r_squared_) if data.target_varies else "undefined"
    note = f"No standard errors: {why}"
    return Summary(_TITLES[type(model)], {}, tables, statistics, (note,))


def _data_facts(
    model: Any, data: FitData, about: Mapping[str, str | None]
) -> Iterator[tuple[str, str]]:
    yield "file", str(about["file"])
    yield "rows", str(data.n_rows)
    if "where" in about:
        yield "where", str(about["where"])
    if "dropped" in about:
        yield "dropped", str(about["dropped"])
    if "formula" in about:
        yield "formula", str(about["formula"])
    yield "features", f"{len(data.features)}: {listed(data.features)}"
    if data.baselines:
        yield "baseline", listed(data.baselines)
    if about["weights"] is not None:
        yield "weights", f"{about['weights']}, sum {_number(data.total_weight)}"
    for name in ("offset", "exposure"):
        if about[name] is not None:
            yield name, str(about[name])
    if about["target"] is not None:
        yield "target", about["target"]
    if isinstance(model, LogisticRegression):
        counted = zip(model.classes_, data.class_counts, strict=True)
        classes = [f"{label} ({count} rows)" for label, count in counted]
        yield "classes", listed(classes)
        if len(classes) == 2:
            yield "log-odds of", f"{model.classes_[1]} against {model.classes_[0]}"
        C = float(model.C_)
        yield "penalty", "none" if np.isinf(C) else f"|coefficients|²/(2C), C = {_number(C)}"


def _fit_facts(model: Any, data: FitData) -> Iterator[tuple[str, str]]:
    yield "objective", _number(data.objective)
    yield "largest gradient entry", f"{np.abs(model.gradient_).max(initial=0.0):.3g}"
    if isinstance(model, PCA):
        yield "rank", f"{model.rank_} of {model.n_components_}"
    else:
        if hasattr(model, "hessian_"):
            yield "Hessian condition number", _condition(model)
        yield "iterations", str(np.max(model.n_iter_))
    yield "solver", model.solver_
    yield "status", model.status_
    if isinstance(model, LogisticRegression):
        yield "accuracy", _number(data.accuracy)


def _condition(model: Any) -> str:
    """The condition number of the Hessian, or the largest that float64 can resolve."""
    eigenvalues = np.linalg.eigvalsh(model.hessian_)
    free = _softmax_invariances(model)
    smallest, largest = eigenvalues[free], eigenvalues[-1]
    resolution = len(eigenvalues) * np.finfo(np.float64).eps
    if smallest <= resolution * largest:
        return f"above {1.0 / resolution:.0e}"
    apart = " (without the shift common to all classes)" if free else ""
    return _number(largest / smallest) + apart


def _softmax_invariances(model: Any) -> int:
    """How many directions shift all classes equally without a penalty: the Hessian is 0 there."""
    if model.params_.ndim == 1 or not isinstance(model, LogisticRegression):
        return 0
    return int(model.fit_intercept) if model._record().is_penalised else model.params_.shape[1]


def _number(value: Array | float) -> str:
    return f"{value:.6g}"
