"""Names of the columns that the steps of a pipeline give to its model."""

from __future__ import annotations

from typing import Any

__all__ = ["names_after"]


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
