"""The criterion of a chosen penalty as a curve: what ``criterion_curve`` computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mcmodels.estimators.arguments import finite_numbers, listed
from mcmodels.estimators.penalty_groups import NamedGroups
from mcmodels.exceptions import ConvergenceWarning, example_of
from mcmodels.reweighting.penalised_fit import Groups
from mcmodels.user_warnings import warn_user

__all__ = ["criterion_curve"]


def criterion_curve(
    model: Any, X: Any, y: Any, sample_weight: Any, values: Any, group: Any, offsets: dict[str, Any]
) -> pd.DataFrame:
    """The criterion at values of the parameter; arguments are those of the method."""
    record = model._record()
    tuned, name = record._was_tuned, record._penalty_name
    k = _position(group, tuned.names)
    chosen = tuned.values_of(name)
    if values is not None and np.size(values) == 0:
        raise ValueError("values is empty; leave it out for values around the chosen one.")
    tried = tuned.around(name, k) if values is None else finite_numbers("values", values)
    if tried.ndim != 1 or not (tried > 0).all():
        raise ValueError(f"values={example_of(values)} must be a list of positive numbers.")
    rows, _ = model._robust_rows(X, y, sample_weight, kind="HC0", **offsets)
    named = NamedGroups(tuned.names, Groups(tuned.of_column, len(chosen)))
    objective = model._objective_of_fit(rows)
    tuning = model._tuning(
        tuned.criterion, named, objective, record.weighting, lambda one: record.params
    )
    order = np.argsort(tried)
    with rows.one_thread_for_algebra():
        points = tuning.search.along([tuned.log_alphas_at(name, k, tried[i]) for i in order])
    found = np.full((len(tried), 2), np.nan)
    for i, point in zip(order, points, strict=True):
        if point is not None:
            found[i] = point.evaluation.value, point.freedom
    left = np.isnan(found[:, 0])
    if left.any():
        warn_user(
            f"the criterion is NaN at {int(left.sum())} of {len(tried)} values of {name}, as at "
            f"{name}={tried[left][0]:.3g}: the fit did not converge, leaving a row out leads "
            "outside the means of the family, or rounding errors alone are left of the residuals.",
            ConvergenceWarning,
        )
    return pd.DataFrame({name: tried, "criterion": found[:, 0], "edf": found[:, 1]})


def _position(group: Any, names: tuple[str, ...]) -> int:
    """Position of the group that varies."""
    if not names:
        if group is not None:
            raise ValueError(
                f"group={example_of(group)}, and the fit has one penalty for all columns. Leave it "
                "out."
            )
        return 0
    if group not in names:
        raise ValueError(
            f"group={example_of(group)} must be one of the groups of the fit: "
            f"{listed(map(repr, names))}."
        )
    return names.index(group)
