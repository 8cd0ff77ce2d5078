"""Warnings of rows that a fit without them gives no probability, or no mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.exceptions import LeftOutWarning, NoMeanWarning
from mcmodels.user_warnings import warn_user

__all__ = ["some_labels", "warn_of_lost", "warn_of_rows_without_mean"]

# Labels in a message.
_LABELS_SHOWN = 10


def warn_of_lost(labels: list[Any], of_groups: bool) -> None:
    """Warn of rows without which there is no optimum."""
    if labels:
        what = "their groups" if of_groups else "them"
        warn_user(
            f"without {what} a fit of the others has no optimum, or one with a mean on the bound "
            "of the family, and it or its limit gives row(s) "
            f"{some_labels(labels)} a probability of zero: the log score is minus infinity. "
            "Penalise the fit (a smaller C, a larger alpha), or collect more rows.",
            LeftOutWarning,
        )


def warn_of_rows_without_mean(found: Any) -> None:
    """Warn of rows whose linear predictor by the fit without them is outside the domain."""
    outside = np.isinf(found.losses) & ~found.lost & (found.weights > 0)
    if outside.any():
        rows = np.nonzero(outside)[0]
        labels = list(rows.tolist() if found.index is None else found.index[rows])
        warn_user(
            f"the fits without row(s) {some_labels(labels)} give them no mean of the family: their "
            "linear predictors are outside the domain of the link, and their log scores are minus "
            "infinity. Choose a link whose means have no bounds (log; logit for binomial).",
            NoMeanWarning,
        )


def some_labels(labels: list[Any]) -> str:
    """The first of some labels, for a message."""
    return ", ".join(map(str, labels[:_LABELS_SHOWN])) + (
        ", …" if len(labels) > _LABELS_SHOWN else ""
    )
