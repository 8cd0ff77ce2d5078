"""What a user has chosen of a table: its columns, its rows, and how they become numbers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mcmodels.tables.packages import pyarrow
from mcmodels.tables.sources import Source
from mcmodels.tables.values import refuse_type

__all__ = ["Choice"]

_SHOWN_LEVELS = 10


@dataclass(frozen=True)
class Choice:
    """The arguments of :func:`mcmodels.scan`, checked against a table.

    Parameters
    ----------
    source : Source
        The table.
    target : str or tuple of str
        The target; several in a tuple, which is empty where there is none.
    features : tuple of str or None
        The features; None where they were not named.
    given_levels : mapping of str to sequence, or to None
        The categorical columns, with their levels where they were given.
    baseline : mapping of str to level
        The baselines that were named.
    weights : str or None
        The column of weights.
    offset : str, tuple of str, or None
        The column of offsets, or one for each class.
    exposure : str or None
        The column of exposures.
    groups : tuple of str
        The columns of clusters.
    missing, unseen, dates : str
        As :func:`mcmodels.scan` takes them.
    compress : bool or None
        Whether fits take distinct rows.
    """

    source: Source
    target: str | tuple[str, ...]
    features: tuple[str, ...] | None
    given_levels: Mapping[str, Sequence[Any] | None]
    baseline: Mapping[str, Any]
    weights: str | None
    offset: str | tuple[str, ...] | None
    exposure: str | None
    groups: tuple[str, ...]
    missing: str
    unseen: str
    dates: str
    compress: bool | None

    def __post_init__(self) -> None:
        named = {
            "target": self.targets,
            "features": self.features or (),
            "categorical": tuple(self.given_levels),
            **self._of_numbers,
            "groups": self.groups,
        }
        for argument, names in named.items():
            for name in names:
                self.require(name, argument)
            if len(set(names)) < len(names):
                raise ValueError(f"{argument} names a column twice: {', '.join(names)}.")
        for name in self.baseline:
            if name not in self.given_levels and not self._is_dictionary(name):
                raise ValueError(f"baseline names {name!r}, which is not in categorical.")
        for name in self.given_levels:
            if self.features is not None and name not in self.features:
                raise ValueError(f"categorical names {name!r}, which is not in features.")
        for name in self.features or ():
            if name in self.targets:
                raise ValueError(f"{name!r} is both a target and a feature.")
        numbers = ((key, name) for key, names in self._of_numbers.items() for name in names)
        for argument, name in numbers:
            kind, types = self.source.schema.field(name).type, pyarrow("scan").types
            if not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
                raise TypeError(f"{argument}={name!r} is a column of {kind}, not of numbers.")
            if name in self.targets and argument != "weights":
                raise ValueError(f"{name!r} is both a target and the {argument}.")
        if len(self.groups) > 2:
            raise ValueError(f"groups names {len(self.groups)} columns; pass one or two.")

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets, as a tuple."""
        return (self.target,) if isinstance(self.target, str) else self.target

    @property
    def offsets(self) -> dict[str, tuple[str, ...]]:
        """The columns of offsets and exposures, by what they are."""
        found = {"offset": self.offset, "exposure": self.exposure}
        return {
            argument: (names,) if isinstance(names, str) else names
            for argument, names in found.items()
            if names is not None
        }

    @property
    def _of_numbers(self) -> dict[str, tuple[str, ...]]:
        """Columns that must hold numbers as they are, by the name of the argument."""
        return ({"weights": (self.weights,)} if self.weights else {}) | self.offsets

    @property
    def beside_features(self) -> list[str]:
        """The other columns that are read."""
        return list(
            dict.fromkeys([*self.targets, *chain(*self._of_numbers.values()), *self.groups])
        )

    def chosen_features(self) -> tuple[str, ...]:
        """The features; all other columns where they were not named."""
        if self.features is not None:
            return self.features
        taken = set(self.beside_features)
        for name in self.source.unreadable:
            if name not in taken:
                self.require(name, "features")  # it shall not be left out in silence
        found = tuple(name for name in self.source.schema.names if name not in taken)
        if not found:
            raise ValueError(f"{self.source.description} has no column left for the features.")
        return found

    def levels_of(self, features: Sequence[str]) -> dict[str, Sequence[Any] | None]:
        """The categorical columns among the features: dictionaries are in any case."""
        found = dict(self.given_levels)
        for name in features:
            if self._is_dictionary(name):
                found.setdefault(name, None)
        return found

    def require(self, name: str, argument: str) -> None:
        """Refuse a column that is not there, is there twice, or cannot be read."""
        source = self.source
        names = source.schema.names
        if name in source.unreadable:
            raise ValueError(
                f"column {name!r} of {source.description} cannot be used: "
                f"{source.unreadable[name]}. Convert it, or name the features without it."
            )
        if name in names:
            if names.count(name) > 1:
                raise ValueError(f"{source.description} has several columns {name!r}; rename them.")
            return
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names)}."
        raise ValueError(f"{argument} names {name!r}, which {source.description} lacks; {hint}")

    def check_types(self, features: Sequence[str], levels: Mapping[str, Any], dates: str) -> None:
        """Refuse features that are no numbers, and are not categorical."""
        for name in features:
            self.require(name, "features")
            kind = self.source.schema.field(name).type
            refuse_type(name, kind, categorical=name in levels, dates=dates)

    def ordered(self, name: str, known: Sequence[Any]) -> tuple[Any, ...]:
        """The levels of a column, the baseline first."""
        known = list(known)
        if len(set(known)) < len(known):
            raise ValueError(f"categorical names a level of {name!r} twice.")
        if any(level is None or level != level for level in known):
            raise ValueError(f"categorical names a missing value as a level of {name!r}.")
        if not known:
            raise ValueError(
                f"column {name!r} has no levels: no row is used, or it is missing in all of them."
            )
        if name not in self.baseline:
            return tuple(known)
        first = self.baseline[name]
        if first not in known:
            shown = ", ".join(map(repr, known[:_SHOWN_LEVELS]))
            raise ValueError(f"baseline={first!r} is none of the levels of {name!r}: {shown}.")
        return (first, *(level for level in known if level != first))

    def _is_dictionary(self, name: str) -> bool:
        schema = self.source.schema
        return name in schema.names and pyarrow("scan").types.is_dictionary(schema.field(name).type)
