"""A copy of a fitted model that is fitted again with the penalty that the first fit has chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone

from mcmodels.exceptions import InferenceError

__all__ = ["with_same_penalty"]


def with_same_penalty(model: Any) -> Any:
    """A copy without a fit; ``C="loo"`` and other names of criteria become the number chosen.

    Raises
    ------
    InferenceError
        If groups of columns have penalties of their own, which cannot be given as numbers.
    """
    copy = clone(model)
    for name in ("C", "alpha"):
        if not isinstance(getattr(copy, name, None), str):
            continue
        chosen = getattr(model, f"{name}_")
        if isinstance(chosen, Mapping):
            raise InferenceError(
                f"{name} was chosen for each of several groups of columns, and a fit of other rows "
                f"would choose again. Scale the columns of each group by 1/√alpha of it (√C), and "
                "fit with one number."
            )
        copy.set_params(**{name: chosen})
    return copy
