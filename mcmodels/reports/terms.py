"""Which columns of a model belong to one term: a factor, a spline, a polynomial, an interaction."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from mcmodels.exceptions import example_of
from mcmodels.reports.step_columns import Column, columns_after, variables_of

__all__ = ["Terms", "TypeOfTest"]

TypeOfTest = Literal[1, 2, 3]


@dataclass(frozen=True, repr=False)
class Terms:
    """The terms of a model, with the positions of their columns.

    A term is what one input variable, or the product of some, brings to the model. All columns that
    are made of ``age`` alone (its scaled values, a spline, all its powers, its indicators) are the
    term ``age``; all that are made of ``age`` and ``tenure`` are the interaction ``age:tenure``.
    Columns that are made of no variable, as the bias of polynomials, belong to no term: they are in
    every model, like the intercept.

    Parameters
    ----------
    names : tuple of str
        Names of the terms, in the order in which their first columns appear.
    columns : tuple of tuple of int
        Positions of the columns of each term among the features of the model.
    variables : tuple of frozenset of str
        The variables of each term. A term with all variables of another, and more, contains it.

    Notes
    -----
    Known are scikit-learn's ``ColumnTransformer``, ``FeatureUnion``, ``Pipeline``,
    ``FrozenEstimator``, ``OneHotEncoder``, ``SplineTransformer``, ``KBinsDiscretizer``,
    ``PolynomialFeatures``, all transformers whose columns are those of their input
    (``StandardScaler``, ``OrdinalEncoder``), and every step with a method ``get_feature_terms()``
    that returns a dict of names of terms and the positions of their columns; there ``":"`` stands
    between the variables of an interaction. Of other steps, a column with the name of an input is
    that variable, and any other column is a variable of its own, as without steps.
    """

    names: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]
    variables: tuple[frozenset[str], ...]

    @classmethod
    def of_steps(cls, steps: Sequence[tuple[str, Any]], features: Sequence[str]) -> Self:
        """The terms of the features of a model, which these fitted steps have made."""
        found = columns_after([step for _, step in steps])
        if found is None or len(found) != len(features):
            found = [Column(name, (name,)) for name in features]
        names: dict[frozenset[str], str] = {}
        positions: dict[frozenset[str], list[int]] = {}
        for j, column in enumerate(found):
            if column.variables:
                key = frozenset(column.variables)
                names.setdefault(key, ":".join(column.variables))
                positions.setdefault(key, []).append(j)
        return cls(tuple(names.values()), tuple(map(tuple, positions.values())), tuple(names))

    @classmethod
    def of_mapping(
        cls, stated: Mapping[str, Sequence[str]], features: Sequence[str], *, all_of_them: bool
    ) -> Self:
        """The terms that a user states: names of terms, with the names of their features.

        ``all_of_them`` says that each feature must be in one of them.
        """
        columns = [
            tuple(_position(name, term, features) for name in _listed(term, of))
            for term, of in stated.items()
        ]
        used = sorted(j for of in columns for j in of)
        twice = [features[j] for j in sorted(set(used)) if used.count(j) > 1]
        if twice:
            raise ValueError(f"terms holds {twice[0]!r} twice; a feature is in one term.")
        left = [name for j, name in enumerate(features) if j not in used]
        if all_of_them and left:
            raise ValueError(
                f"terms holds no {left[0]!r}; each feature must be in one term. The features are "
                f"{', '.join(features)}."
            )
        names = tuple(map(str, stated))
        return cls(names, tuple(columns), tuple(frozenset(variables_of(name)) for name in names))

    def chosen(self, names: Sequence[str]) -> Self:
        """Some of the terms, in the order in which they are named."""
        wanted = [self._number(name) for name in names]
        names, columns, variables = zip(
            *((self.names[k], self.columns[k], self.variables[k]) for k in wanted), strict=True
        )
        return type(self)(names, columns, variables)

    def __repr__(self) -> str:
        found = zip(self.names, map(list, self.columns), strict=True)
        return f"terms {', '.join(f'{name}: {columns}' for name, columns in found)}"

    def containing(self, position: int) -> list[int]:
        """The terms that contain a term: those with all its variables, and more."""
        own = self.variables[position]
        return [k for k, variables in enumerate(self.variables) if own < variables]

    def left_out(self, position: int, kind: TypeOfTest) -> list[int]:
        """The terms that are not in the model when a term is tested.

        Those after it (type 1); those that contain it (type 2); none (type 3).
        """
        if kind == 3:
            return []
        return (
            self.containing(position) if kind == 2 else list(range(position + 1, len(self.names)))
        )

    def of(self, positions: Sequence[int]) -> list[int]:
        """The columns of some terms."""
        return [j for k in positions for j in self.columns[k]]

    def _number(self, name: Any) -> int:
        if name in self.names:
            return self.names.index(name)
        close = difflib.get_close_matches(str(name), self.names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise ValueError(
            f"terms names {example_of(name)}, which is not a term{hint} There are "
            f"{', '.join(self.names)}."
        )


def _listed(term: Any, names: Any) -> list[Any]:
    """The features of a stated term."""
    if isinstance(names, str) or not isinstance(names, Sequence) or not len(names):
        raise TypeError(
            f"terms[{term!r}]={example_of(names)} must be a list of names of features; no term is "
            "empty."
        )
    return list(names)


def _position(name: Any, term: str, features: Sequence[str]) -> int:
    if list(features).count(name) == 1:
        return list(features).index(name)
    if name in features:
        raise ValueError(f"terms[{term!r}] holds {name!r}, and several features have this name.")
    close = difflib.get_close_matches(str(name), features, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise ValueError(
        f"terms[{term!r}] holds {example_of(name)}, which is not a feature{hint} There are "
        f"{', '.join(features)}."
    )
