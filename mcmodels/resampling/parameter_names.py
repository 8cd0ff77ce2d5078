"""Coefficients by their names, as tables print them."""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import example_of
from mcmodels.records.record import INTERCEPT

__all__ = [
    "NamedCoefficient",
    "coefficient",
    "named_coefficient",
    "reported_names",
    "reported_values",
]


class NamedCoefficient(NamedTuple):
    """A coefficient of a table.

    Parameters
    ----------
    name : str
        Its name in the table.
    gradient : ndarray of shape (size of params,)
        Its derivatives by the raveled parameters: one of them, or of more than two classes the
        difference from that of the first class.
    """

    name: str
    gradient: Array


def coefficient(record: Any, of: Any) -> NamedCoefficient:
    """The coefficient that ``of`` names."""
    return named_coefficient(record, of)[1]


def named_coefficient(record: Any, of: Any) -> tuple[int, NamedCoefficient]:
    """The coefficient that ``of`` names, and its position in the table."""
    names, J = _reported(record)
    place = _place_of(names, of)
    return place, NamedCoefficient(names[place], J[place])


def _place_of(names: tuple[str, ...], of: Any) -> int:
    wanted = _as_text(of)
    known = {name: k for k, name in enumerate(names)}
    for short in [name for name in names if name.endswith(INTERCEPT)]:
        known.setdefault(short[: -len(INTERCEPT)] + "intercept", known[short])
    if wanted not in known:
        near = difflib.get_close_matches(wanted, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        some = ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")
        raise ValueError(f"of={example_of(of)} is no coefficient; there are {some}.{hint}")
    return known[wanted]


def _as_text(of: Any) -> str:
    if isinstance(of, tuple) and len(of) == 2:
        return f"{of[0]}:{of[1]}"
    if isinstance(of, str):
        return of
    raise TypeError(
        f"of={example_of(of)} is a {type(of).__name__}; give the name of a coefficient, as 'age' "
        "or, of several classes or targets, ('class', 'age'); a function of params_; "
        "prediction_at(x) or loss_on(X, y)."
    )


def _reported(record: Any) -> tuple[tuple[str, ...], Array]:
    """Names of the coefficients of a table, and their derivatives by the parameters."""
    names = reported_names(record)
    if _are_differences(record):
        return names, record.model.differences(0)
    return names, np.eye(np.asarray(record.params).size)


def reported_names(record: Any) -> tuple[str, ...]:
    """Names of the coefficients of a table; of more than two classes without those of the first."""
    if _are_differences(record):
        labels = record.classes[1:]
        return tuple(f"{label}:{name}" for label in labels for name in record.parameter_names)
    return tuple(record.model.parameter_names)


def reported_values(record: Any, params: Array) -> Array:
    """The coefficients of a table from raveled parameters, one vector of these in each row."""
    if not _are_differences(record):
        return params
    of_class = params.reshape(len(params), len(record.classes), -1)
    return (of_class[:, 1:] - of_class[:, :1]).reshape(len(params), -1)


def _are_differences(record: Any) -> bool:
    """Whether tables have the differences of classes from the first."""
    return len(getattr(record, "classes", ())) > 2
