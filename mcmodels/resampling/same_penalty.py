"""A copy of a fitted model that is fitted again with the penalty that the first fit has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone

__all__ = ["with_same_penalty"]


def with_same_penalty(model: Any) -> Any:
    """A copy without a fit, whose penalties are the numbers that the fit has given or chosen.

    Groups of columns are named by positions: rows that are fitted again may be without names.
    """
    copy = clone(model)
    for name in ("C", "alpha"):
        if not isinstance(getattr(copy, name, None), str | Mapping):
            continue
        copy.set_params(**{name: getattr(model, f"{name}_")})
        groups = model._record().groups_of_penalty
        if groups:
            copy.set_params(penalty_groups=groups)
    return copy
