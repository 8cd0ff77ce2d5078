"""Whether exp of a model's coefficients are ratios that have a name."""

from __future__ import annotations

from typing import Any

from mcmodels.records.record import ParameterFit

__all__ = ["require_ratios"]


def require_ratios(model: Any) -> None:
    """Raise where exp of the coefficients are no odds ratios, rate ratios, or the like."""
    record = model._fit
    if not isinstance(record, ParameterFit):
        raise ValueError(
            "exponentiate=True is for coefficients on a logarithmic scale; "
            f"{type(model).__name__} has none."
        )
    _ = record.ratio_name
