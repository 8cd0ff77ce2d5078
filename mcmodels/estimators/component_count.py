"""The number of components that n_components of a PCA asks for."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import check_choice
from mcmodels.exceptions import example_of
from mcmodels.inference.dimension import components_for_share, minka_log_evidence
from mcmodels.rows import Extent
from mcmodels.solvers import principal_axes


def checked_count(wanted: float | str | None, limit: int, rows: Extent) -> int | None:
    """The number that is asked for; None if it depends on the variances of all components."""
    if wanted is None:
        return limit
    if isinstance(wanted, str):
        check_choice("n_components", wanted, ("mle",))
        n_rows = principal_axes.row_count(rows)
        if n_rows < rows.n_features:
            raise ValueError(
                f"n_components='mle' needs at least as many rows as features; found "
                f"{n_rows} rows for {rows.n_features} features."
            )
        return None
    if isinstance(wanted, Integral) and not isinstance(wanted, bool):
        if not 0 <= int(wanted) <= limit:
            raise ValueError(
                f"n_components={wanted} must be between 0 and min(n_samples, n_features)="
                f"{limit} (rows are counted by their weights)."
            )
        return int(wanted)
    if isinstance(wanted, Real) and not isinstance(wanted, bool) and 0 < float(wanted) < 1:
        return None
    raise ValueError(
        f"n_components={example_of(wanted)} must be an integer, a share of the variance in (0, 1), "
        "'mle' or None."
    )


def chosen_count(wanted: float | str | None, shares: Array, variances: Array, n_rows: float) -> int:
    """The number of components to keep, now that the variances are known."""
    if isinstance(wanted, str):
        return int(np.argmax(minka_log_evidence(variances, n_rows)))
    if isinstance(wanted, Integral) or wanted is None:
        return variances.size
    return min(components_for_share(shares, float(wanted)), variances.size)
