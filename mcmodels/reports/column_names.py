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


def names_after(steps: list[tuple[str, Any]], model: Any) -> tuple[str, ...] | None:
    """Names of the columns after the steps; None where those of the model are to be taken.

    A step without names does no harm where a later step was fitted to a data frame with names.
    """
    names, lost = None, False
    for _, step in steps:
        if lost and not hasattr(step, "feature_names_in_"):
            continue
        try:
            names, lost = step.get_feature_names_out(names), False
        except Exception:  # whatever a step of another library raises
            names, lost = None, True
    if names is None or len(names) != len(model._fit.names):
        return None
    return tuple(map(str, names))
