"""What the ``fit`` of any estimator takes beside X and y."""

from __future__ import annotations

from typing import Any

from sklearn import get_config
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

__all__ = ["needs_groups", "takes"]


def takes(model: Any, name: str) -> bool:
    """Whether the ``fit`` of a fitted estimator takes a value of each row by this name.

    Searches take groups for their splits, and hand weights on to what they fit, as a
    ``TransformedTargetRegressor`` does. With metadata routing, all take what one of their parts
    has requested.
    """
    if has_fit_parameter(model, name):
        return True
    if get_config()["enable_metadata_routing"]:
        return name in get_routing_for_object(model).consumes("fit", [name])
    if isinstance(model, BaseSearchCV) and name == "groups":
        return True
    inner = getattr(model, "best_estimator_", getattr(model, "regressor_", None))
    return inner is not None and takes(inner, name)


def needs_groups(model: Any) -> bool:
    """Whether a search, which may be at the end of a pipeline, splits rows by groups."""
    while isinstance(model, Pipeline):
        model = model.steps[-1][1]
    splitter: Any = getattr(model, "cv", None)
    if not hasattr(splitter, "get_metadata_routing"):  # a number, or a list of splits
        return False
    return "groups" in splitter.get_metadata_routing().consumes("split", ["groups"])
