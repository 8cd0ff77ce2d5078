"""The argument ``weights`` of estimators, and those beside it of fits by Newton's method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmodels.estimators.arguments import check_choice, check_flag, check_max_iter, check_number
from mcmodels.exceptions import example_of
from mcmodels.inference.weighting import Weighting
from mcmodels.rows import RowStream

__all__ = [
    "check_newton_arguments",
    "refuse_other_weighting",
    "refuse_zero_factors",
    "rows_for_sums",
    "weighting_of",
]

_KINDS = {kind.value: kind for kind in Weighting}


def weighting_of(weights: object) -> Weighting:
    """The kind of weights that the user has named; refuses what is none of the three."""
    choices = tuple(_KINDS)
    if hasattr(weights, "__len__") and not isinstance(weights, str):
        raise ValueError(
            f"weights={example_of(weights)} must say what weights are, {', '.join(choices[:-1])} "
            f"or {choices[-1]}; pass the weights themselves as sample_weight of fit."
        )
    check_choice("weights", weights, choices)
    return _KINDS[str(weights)]


def check_newton_arguments(estimator: Any) -> None:
    """Refuse values out of range of the arguments that all fits by Newton's method have."""
    check_flag("fit_intercept", estimator.fit_intercept)
    check_number("tol", estimator.tol, at_least=0)
    check_max_iter(estimator.max_iter)
    check_flag("warm_start", estimator.warm_start)
    weighting_of(estimator.weights)


def rows_for_sums(stream: RowStream, weighting: Weighting, **options: Any) -> RowStream:
    """The rows of a stream; equal ones once, with their number, where a weight counts rows.

    ``options`` are those of :meth:`mcmodels.RowStream.for_sums`.
    """
    return stream.for_sums(**options) if weighting.counts_rows else stream


def refuse_zero_factors(factors: Mapping[Any, float], weighting: Weighting) -> None:
    """Refuse classes of weight zero in a stream where n is the number of rows that count."""
    if not weighting.counts_rows and not all(factors.values()):
        raise ValueError(
            f"class_weight has a factor of 0, and with weights={weighting.value!r} the rows of a "
            "stream that count are not known then; leave the rows of this class out."
        )


def refuse_other_weighting(record: Any, weighting: Weighting) -> None:
    """Refuse another kind of weights than that of earlier calls of partial_fit."""
    if record is not None and record.weighting is not weighting:
        raise ValueError(
            f"weights={weighting.value!r}, and earlier rows were added with "
            f"weights={record.weighting.value!r}; set it back, or clone the model and start again."
        )
