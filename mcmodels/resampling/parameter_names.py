"""Coefficients by their names, as tables print them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import example_of
from mcmodels.records.record import INTERCEPT

__all__ = [
    "NamedCoefficient",
    "coefficient",
    "named_coefficient",
    "places_of",
    "reported_names",
    "reported_values",
]


# What else than the name of a coefficient a function takes.
_ALSO_OF_ATTRIBUTION = "; a function of params_; prediction_at(x) or loss_on(X, y)"
_ALSO_OF_SEVERAL = "; a list of these; or a function of params_"


class NamedCoefficient(NamedTuple):
    """A coefficient of a table.

    Parameters
    ----------
    name : str
        Its name in the table.
    gradient : ndarray of shape (size of params,)
        Its derivatives by the raveled parameters: one of them, or of more than two classes the
        difference from that of the first class.
    """

    name: str
    gradient: Array


def coefficient(record: Any, of: Any) -> NamedCoefficient:
    """The coefficient that ``of`` of an attribution names."""
    return named_coefficient(record, of, _ALSO_OF_ATTRIBUTION)[1]


def named_coefficient(record: Any, of: Any, also: str = "") -> tuple[int, NamedCoefficient]:
    """The coefficient that ``of`` names, and its position in the table.

    ``also`` is what else may be given, for what is refused.
    """
    names, J = _reported(record)
    place = _place_of(names, _places(names), of, also)
    return place, NamedCoefficient(names[place], J[place])


def places_of(names: Sequence[str], of: Any) -> list[int]:
    """Positions of the coefficients that ``of`` names: of one, or of several in a sequence.

    A tuple of two is one coefficient, of a class or target, where the table has it, or where
    neither part is the name of a coefficient.

    Raises
    ------
    TypeError
        For what is no name.
    ValueError
        For names that are not in the table, for none, and for a tuple that may be both.
    """
    known = _places(names)
    if _may_be_pair(of):
        joined = _as_text(of, _ALSO_OF_SEVERAL)
        single = [str(part) in known for part in of]
        if joined in known and all(single):
            raise ValueError(
                f"of={example_of(of)} may be {joined!r}, or the two coefficients; pass "
                f"{joined!r}, or a list."
            )
        if joined in known or not any(single):
            return [_place_of(names, known, of, _ALSO_OF_SEVERAL)]
    try:
        several = [of] if isinstance(of, str) else list(of)
    except TypeError:  # an array without axes says that it is iterable, and is not
        several = [of]
    if not several:
        raise ValueError("of=[] names no parameter; leave it out for all of them.")
    return [_place_of(names, known, each, _ALSO_OF_SEVERAL) for each in several]


def _may_be_pair(of: Any) -> bool:
    """Whether ``of`` may be a class or target, and a name."""
    if not isinstance(of, tuple) or len(of) != 2:
        return False
    return isinstance(of[1], str) and not isinstance(of[0], tuple)


def _places(names: Sequence[str]) -> dict[str, int]:
    """Positions by name; that of an intercept also without its parentheses."""
    known = {name: k for k, name in enumerate(names)}
    for short in [name for name in names if name.endswith(INTERCEPT)]:
        known.setdefault(short[: -len(INTERCEPT)] + "intercept", known[short])
    return known


def _place_of(names: Sequence[str], known: dict[str, int], of: Any, also: str) -> int:
    wanted = _as_text(of, also)
    if wanted not in known:
        near = difflib.get_close_matches(wanted, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        some = ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")
        raise ValueError(f"of={example_of(of)} is no coefficient; there are {some}.{hint}")
    return known[wanted]


def _as_text(of: Any, also: str) -> str:
    if isinstance(of, tuple) and len(of) == 2:
        return f"{of[0]}:{of[1]}"
    if isinstance(of, str):
        return of
    raise TypeError(
        f"of={example_of(of)} is a {type(of).__name__}; give the name of a coefficient, as 'age' "
        f"or, of several classes or targets, ('class', 'age'){also}."
    )


def _reported(record: Any) -> tuple[tuple[str, ...], Array]:
    """Names of the coefficients of a table, and their derivatives by the parameters."""
    names = reported_names(record)
    if _are_differences(record):
        return names, record.model.differences(0)
    return names, np.eye(np.asarray(record.params).size)


def reported_names(record: Any) -> tuple[str, ...]:
    """Names of the coefficients of a table; of more than two classes without those of the first."""
    if _are_differences(record):
        labels = record.classes[1:]
        return tuple(f"{label}:{name}" for label in labels for name in record.parameter_names)
    return tuple(record.model.parameter_names)


def reported_values(record: Any, params: Array) -> Array:
    """The coefficients of a table from raveled parameters, one vector of these in each row."""
    if not _are_differences(record):
        return params
    of_class = params.reshape(len(params), len(record.classes), -1)
    return (of_class[:, 1:] - of_class[:, :1]).reshape(len(params), -1)


def _are_differences(record: Any) -> bool:
    """Whether tables have the differences of classes from the first."""
    return len(getattr(record, "classes", ())) > 2
