"""A note where a claim is compared at a kink: there are subgradients, and no derivative."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from mcmodels.calculus.compute.evaluate import evaluate
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.derive.gradients import derivative
from mcmodels.user_warnings import NonDifferentiableWarning

__all__ = ["kink_note"]


def kink_note(f: Expression, x: Symbol, values: Mapping[str, Any]) -> str:
    """The note; empty where the point given is at no kink, or not all of it is given."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            evaluate(derivative(f, x), values)
        except ValueError:  # a value is missing, or it is not defined
            return ""
    if not any(issubclass(warning.category, NonDifferentiableWarning) for warning in said):
        return ""
    return (
        "; note that f has a kink at the point given: there is no derivative there, and what lies "
        "between the slopes on both sides is a subgradient"
    )
