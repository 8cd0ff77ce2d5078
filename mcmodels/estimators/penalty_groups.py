"""The argument ``penalty_groups``: which columns share a penalty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from mcmodels.estimators.arguments import check_choice, listed
from mcmodels.estimators.validation import Features
from mcmodels.exceptions import example_of
from mcmodels.records.tuned_penalty import CRITERIA_IN_WORDS
from mcmodels.reweighting.penalised_fit import Groups

__all__ = ["OTHERS", "NamedGroups", "check_penalty", "named_groups"]

# The group of the columns that are in no other.
OTHERS = "other"
EACH = "each"


@dataclass(frozen=True)
class NamedGroups:
    """Groups of columns with their names.

    Parameters
    ----------
    names : tuple of str
        Names of the groups; empty for one group of all columns that was not asked for.
    groups : Groups
        The groups.
    """

    names: tuple[str, ...]
    groups: Groups


def check_penalty(name: str, value: object, penalty_groups: object) -> str | None:
    """The criterion that a penalty is to be chosen by; None where it is a number.

    ``name`` is that of the parameter, C or alpha. Numbers are checked elsewhere.
    """
    criterion = None
    if isinstance(value, str):
        if value not in CRITERIA_IN_WORDS:
            known = ", ".join(map(repr, CRITERIA_IN_WORDS))
            raise ValueError(
                f"{name}={example_of(value)} must be a number, or the name of a criterion by "
                f"which it is chosen: {known}."
            )
        criterion = str(value)
    if penalty_groups is None:
        return criterion
    if isinstance(penalty_groups, str):
        check_choice("penalty_groups", penalty_groups, (EACH,))
    elif not isinstance(penalty_groups, Mapping):
        raise ValueError(
            f"penalty_groups={example_of(penalty_groups)} must be a dict of names of groups to "
            "lists of columns, or 'each'."
        )
    if criterion is None:
        raise ValueError(
            f"penalty_groups was given with {name}={example_of(value)}, one number for all "
            f"columns. Choose a penalty for each group by {name}='loo', 'evidence' or 'aic'; or "
            "scale the columns of a group to penalise them more or less."
        )
    return criterion


def named_groups(penalty_groups: Any, features: Features) -> NamedGroups:
    """The groups of the columns of a fit.

    Raises
    ------
    ValueError
        For a column that is not there or is in two groups, or an empty group.
    """
    p = features.n_features
    if penalty_groups is None:
        return NamedGroups((), Groups.single(p))
    if isinstance(penalty_groups, str):
        return NamedGroups(features.names, Groups(np.arange(p, dtype=np.intp), p))
    of_column = np.full(p, -1, dtype=np.intp)
    for k, (name, columns) in enumerate(penalty_groups.items()):
        if not isinstance(name, str):
            raise ValueError(f"penalty_groups has a group {example_of(name)}; names are text.")
        if isinstance(columns, str | Integral):
            columns = [columns]
        if not isinstance(columns, Iterable) or (
            isinstance(columns, np.ndarray) and columns.ndim == 0
        ):
            raise ValueError(
                f"penalty_groups[{name!r}]={example_of(columns)} must be a list of names or "
                "positions of columns."
            )
        positions = [_position(name, column, features) for column in columns]
        if not positions:
            raise ValueError(f"penalty_groups[{name!r}] has no columns.")
        for j in positions:
            if of_column[j] >= 0:
                other = list(penalty_groups)[of_column[j]]
                raise ValueError(
                    f"penalty_groups has column {features.name([j])} in the groups {other!r} and "
                    f"{name!r}; a column is in one group."
                )
            of_column[j] = k
    names = tuple(penalty_groups)
    if (of_column < 0).any():
        if OTHERS in names:
            left = features.name(np.flatnonzero(of_column < 0))
            raise ValueError(
                f"penalty_groups has a group named {OTHERS!r}, which is the name of the group of "
                f"the columns in no other ({left}). Rename it, or add these columns to a group."
            )
        of_column[of_column < 0] = len(names)
        names = (*names, OTHERS)
    if not names:
        raise ValueError("penalty_groups is empty; leave it out for one penalty.")
    return NamedGroups(names, Groups(of_column, len(names)))


def _position(group: str, column: Any, features: Features) -> int:
    """Position of a column that is named, or given by its position."""
    if isinstance(column, str):
        known = list(features.names)
        if column not in known:
            raise ValueError(
                f"penalty_groups[{group!r}] has {column!r}, which is no column of X; there are "
                f"{listed(map(repr, known))}."
            )
        return known.index(column)
    if not isinstance(column, Integral) or isinstance(column, bool):
        raise ValueError(
            f"penalty_groups[{group!r}] has {example_of(column)}; columns are names or positions."
        )
    position = int(column)
    if not -features.n_features <= position < features.n_features:
        raise ValueError(
            f"penalty_groups[{group!r}] has position {position}, and X has "
            f"{features.n_features} columns."
        )
    return position % features.n_features
