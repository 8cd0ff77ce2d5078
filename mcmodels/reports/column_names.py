"""Names of the columns that steps give to a model, and the columns that their parts take."""

from __future__ import annotations

from collections import UserList
from collections.abc import Iterator
from typing import Any

__all__ = ["names_after", "parts_of_columns"]


def parts_of_columns(step: Any) -> Iterator[tuple[str, Any, Any]]:
    """The name, step and columns of each part of a fitted ColumnTransformer; else none.

    Columns of the remainder are a list that warns when it is read, in scikit-learn 1.6.
    """
    for name, part, columns in getattr(step, "transformers_", ()):
        yield name, part, columns.data if isinstance(columns, UserList) else columns


def names_after(steps: list[tuple[str, Any]], model: Any) -> tuple[tuple[str, ...] | None, str]:
    """Names of the columns after the steps, and which step gives none, and why.

    A step without names does no harm where a later step, or the model, was fitted to a data frame
    with names. Names are None where those of the model are to be taken.
    """
    names, nameless = None, ""
    for name, step in steps:
        if nameless and not hasattr(step, "feature_names_in_"):
            continue
        try:
            names, nameless = step.get_feature_names_out(None if nameless else names), ""
        except Exception as error:  # whatever a step of another library raises
            why = str(error) or type(error).__name__
            names, nameless = None, f"{name!r} ({type(step).__name__}) gives none: {why}"
    if names is not None and len(names) != len(model._fit.names):
        nameless = (
            f"{steps[-1][0]!r} ({type(steps[-1][1]).__name__}) gives {len(names)} for "
            f"{len(model._fit.names)} columns"
        )
        names = None
    if nameless and hasattr(model, "feature_names_in_"):
        nameless = ""
    return (None if names is None else tuple(map(str, names))), nameless.removesuffix(".")
