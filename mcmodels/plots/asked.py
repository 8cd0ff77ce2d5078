"""What displays ask of results: tables of coefficients, columns of inputs, names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.records.record import INTERCEPT
from mcmodels.reports.results import Results, results
from mcmodels.tables.dicts import frame_of_dict

__all__ = [
    "class_position",
    "coefficients",
    "frame_of",
    "known",
    "require_components",
    "require_parameters",
    "require_probabilities",
    "require_targets",
    "two_of",
]


def require_components(given: Any, what: str) -> Results:
    """Results of a PCA; other models are refused."""
    found = results(given)
    if not isinstance(found.model._fit, PrincipalComponents):
        raise InferenceError(
            f"{what} is of principal components; found {type(found.model).__name__}. Fit a PCA."
        )
    return found


def require_parameters(given: Any, what: str) -> Results:
    """Results of a model with a table of parameters; a PCA, which has none, is refused."""
    found = results(given)
    if isinstance(found.model._fit, PrincipalComponents):
        raise InferenceError(
            f"{what} is of models with coefficients, and PCA has none; take ScreeDisplay or "
            "BiplotDisplay."
        )
    return found


def require_probabilities(given: Any, what: str) -> Results:
    """Results of a classifier; other models are refused."""
    found = results(given)
    if not hasattr(found.model, "predict_proba"):
        raise InferenceError(
            f"{what} is of classifiers; {type(found.model).__name__} has no predict_proba."
        )
    return found


def require_targets(found: Results, X: Any, y: Any, what: str) -> None:
    """Refuse missing training rows; a fit by a formula has the target from the table."""
    of_table = found._route.table is not None
    for name, given in (("X", X), ("y", X if of_table else y)):
        if given is None:
            raise ValueError(f"{what} needs the training rows; pass {name}, too.")


def known(name: Any, names: Iterable[Any], what: str) -> Any:
    """The name, if it is among the names; else an error with the nearest one."""
    names = list(names)
    if _is_name(name) and name in names:
        return name
    near = difflib.get_close_matches(str(name), [str(one) for one in names], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {listed(names)}."
    raise ValueError(f"{what}={example_of(name)} is unknown; {hint}")


def _is_name(name: Any) -> bool:
    """Whether a value can be compared with names; arrays and tables cannot."""
    try:
        hash(name)
    except TypeError:
        return False
    return True


def two_of(given: Any, what: str, those: str) -> list[Any]:
    """The two entries of an argument; anything else is refused.

    Parameters
    ----------
    given : object
        What was passed.
    what : str
        The argument.
    those : str
        What its entries are.
    """
    pair = list(given) if isinstance(given, list | tuple | np.ndarray | pd.Index) else []
    if len(pair) != 2 or not all(map(_is_name, pair)) or pair[0] == pair[1]:
        raise ValueError(f"{what}={example_of(given)} must be two different {those}.")
    return pair


def coefficients(
    found: Results, level: float, *rows: Any, intercept: bool = True, **options: Any
) -> pd.DataFrame:
    """Coefficients with standard errors and intervals; ``class:feature`` where there are several.

    Columns coefficient, standard_error, lower and upper. The intercept is the last row of a table
    but for auxiliary parameters.
    """
    tables = dict(found.summary(*rows, level=level, **options).tables)
    at = np.shape(found.model._record().predictor_params)[-1] - 1
    for head, table in tables.items():
        if not intercept and 0 <= at < len(table) and table.index[at] == INTERCEPT:
            tables[head] = table.iloc[[k for k in range(len(table)) if k != at]]
    columns = ["coefficient", "standard_error", "lower", "upper"]
    several = len(tables) > 1
    parts = [
        table[columns].set_axis(
            [f"{head}:{name}" if several else str(name) for name in table.index]
        )
        for head, table in tables.items()
    ]
    return pd.concat(parts)


def class_position(model: Any, label: Any) -> tuple[int, Any]:
    """The position of a class among those of the model, and its label; the last by default."""
    labels = list(model.classes_)
    if label is None:
        return len(labels) - 1, labels[-1]
    return labels.index(known(label, labels, "label")), label


def frame_of(X: Any, fitted: Any) -> tuple[pd.DataFrame, Any]:
    """The rows as a data frame, and a function that gives such a frame in the form of the rows."""
    if isinstance(X, pd.DataFrame):
        return X, lambda frame: frame
    if isinstance(X, Mapping):  # a formula takes dicts of columns
        return frame_of_dict(X, "X"), lambda frame: frame
    if hasattr(X, "to_pandas"):  # tables of Polars and Arrow
        columns = type(X)
        make = getattr(columns, "from_pandas", None)
        if make is not None:
            return X.to_pandas(), lambda frame: make(frame, preserve_index=False)
        polars = __import__("polars")
        return X.to_pandas(), polars.from_pandas
    if hasattr(X, "toarray"):
        X = X.toarray()
    values: Array = np.asarray(X)
    if values.ndim != 2:
        raise ValueError(f"X must have two dimensions; found shape {values.shape}.")
    names = _names_of_columns(fitted, values.shape[1])
    if len(names) != values.shape[1]:
        raise ValueError(
            f"X has {values.shape[1]} columns, and the fit had {len(names)}: {listed(names)}. Pass "
            "rows as in fit."
        )
    dtype = values.dtype
    return pd.DataFrame(values, columns=names), lambda frame: frame.to_numpy(dtype=dtype)


def _names_of_columns(fitted: Any, count: int) -> Sequence[str]:
    named = getattr(fitted, "feature_names_in_", None)
    return list(named) if named is not None else [f"x{k}" for k in range(count)]
