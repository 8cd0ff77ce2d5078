"""The argument ``penalty_groups``: which columns share a penalty, and numbers for each group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from mcmodels.estimators.arguments import check_choice, check_number, listed
from mcmodels.estimators.validation import Features
from mcmodels.exceptions import example_of
from mcmodels.records.given_penalties import GivenPenalties
from mcmodels.records.tuned_penalty import CRITERIA_IN_WORDS
from mcmodels.reweighting.penalised_fit import Groups

__all__ = ["OTHERS", "NamedGroups", "check_penalty", "given_penalties", "named_groups"]

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
    """The criterion that a penalty is to be chosen by; None where it is given.

    ``name`` is that of the parameter, C or alpha. A single number is checked elsewhere.
    """
    criterion = None
    by_group = isinstance(value, Mapping)
    if isinstance(value, str):
        if value not in CRITERIA_IN_WORDS:
            known = ", ".join(map(repr, CRITERIA_IN_WORDS))
            raise ValueError(
                f"{name}={example_of(value)} must be a number, or the name of a criterion by "
                f"which it is chosen: {known}."
            )
        criterion = str(value)
    if by_group:
        _check_numbers(name, value)
    if penalty_groups is None:
        if by_group:
            raise ValueError(
                f"{name}={example_of(value)} has numbers by groups of columns, and penalty_groups, "
                "which says what the groups are, is missing. Pass it, too, or one number for all "
                "columns."
            )
        return criterion
    if isinstance(penalty_groups, str):
        check_choice("penalty_groups", penalty_groups, (EACH,))
    elif not isinstance(penalty_groups, Mapping):
        raise ValueError(
            f"penalty_groups={example_of(penalty_groups)} must be a dict of names of groups to "
            "lists of columns, or 'each'."
        )
    if criterion is None and not by_group:
        what = "one number for all columns" if isinstance(value, Real) else "which is no dict"
        raise ValueError(
            f"penalty_groups was given with {name}={example_of(value)}, {what}. Give {name} a dict "
            f"with a number for each group, choose them by {name}='loo', 'evidence' or 'aic', or "
            "leave penalty_groups out."
        )
    return criterion


def _check_numbers(name: str, values: Any) -> None:
    """Refuse penalties of groups that are no positive finite numbers; ``name`` is C or alpha."""
    for group, value in values.items():
        stated = f"{name}[{group!r}]"
        is_inverse = name == "C"
        check_number(stated, value, **({"above": 0} if is_inverse else {"at_least": 0}))
        without = np.inf if is_inverse else 0.0
        if float(value) == without:
            raise ValueError(
                f"{stated}={example_of(value)} leaves a group without a penalty: either all groups "
                f"have one, or none has ({name}={without:g} without penalty_groups). Give it a "
                f"very {'large' if name == 'C' else 'small'} number."
            )
        with np.errstate(divide="ignore", over="ignore"):
            alpha = np.divide(1.0, float(value)) if is_inverse else float(value)
        if not np.isfinite(alpha):
            said = "so small that 1/C overflows float64" if is_inverse else "not finite"
            raise ValueError(f"{stated}={example_of(value)} is {said}.")


def given_penalties(
    name: str, values: Mapping[str, float], penalty_groups: Any, features: Features
) -> GivenPenalties:
    """The penalties that were given for the groups of the columns of a fit.

    Parameters
    ----------
    name : {"C", "alpha"}
        The parameter of the estimator.
    values : mapping of str to float
        Its numbers by the names of the groups; checked.
    penalty_groups
        The argument of this name.
    features : Features
        The columns.

    Raises
    ------
    ValueError
        For a name that is no group, or a group without a number.
    """
    named = named_groups(penalty_groups, features)
    known = listed(map(repr, named.names))
    for group in values:
        if group not in named.names:
            raise ValueError(
                f"{name} has a number for {example_of(group)}, which is no group of "
                f"penalty_groups; there are {known}."
            )
    missing = [group for group in named.names if group not in values]
    if missing:
        rest = f" {OTHERS!r} are the columns in no other group." if OTHERS in missing else ""
        which = listed(map(repr, missing))
        raise ValueError(f"{name} has no number for {which}; each group has one.{rest}")
    given = np.array([float(values[group]) for group in named.names])
    alphas = 1.0 / given if name == "C" else given
    return GivenPenalties(named.names, named.groups.of_column, given, alphas)


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
