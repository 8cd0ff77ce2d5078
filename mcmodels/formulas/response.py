"""The left side of a formula: the target of a model, as numbers or as labels of classes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from mcmodels.exceptions import example_of
from mcmodels.formulas.frames import complete_rows, is_number, named_columns, numbers, selected
from mcmodels.formulas.language import parsed
from mcmodels.formulas.recipe import Recipe

__all__ = ["Response"]


@dataclass(frozen=True)
class Response:
    """The left side of a formula.

    Parameters
    ----------
    text : str
        As it is written.
    columns : tuple of str
        The columns that it reads.
    recipe : Recipe or None
        How it is computed; None for a column that is taken as it is.
    labels : bool
        Whether the values are labels of classes.
    """

    text: str
    columns: tuple[str, ...]
    recipe: Recipe | None
    labels: bool

    @classmethod
    def learnt(cls, text: str, data: pd.DataFrame, *, labels: bool) -> Self:
        """The left side for rows without missing values.

        Parameters
        ----------
        text : str
            The text of it.
        data : DataFrame
            The rows of the fit.
        labels : bool
            Whether the model is a classifier.

        Raises
        ------
        ValueError
            For several columns, and for labels where the model needs numbers.
        """
        columns, plain, is_class = _read(text, named_columns(data))
        if is_class and not labels:
            raise ValueError(
                f"the left side {text!r} is a class, and the model needs numbers; name a column of "
                "numbers, write I(column == 'level') for 0 and 1, or take a classifier."
            )
        recipe = None if plain else Recipe.learnt(f"0 + {text}", data)
        if recipe is not None and len(recipe.names) != 1:
            raise ValueError(
                f"the left side {text!r} makes {len(recipe.names)} columns, and a model has one "
                "target; fit each of them."
            )
        return cls(text, columns, recipe, labels)

    def values(self, data: Any) -> np.ndarray:
        """The target of rows, shape (n,): numbers, or labels of a classifier."""
        if self.recipe is not None:
            return self.recipe.matrix(data)[:, 0]
        frame = selected(data, self.columns)
        complete_rows(frame, "drop those rows, or fill the values in.")
        column = frame[self.columns[0]]
        if self.labels:
            return _labels(column)
        if not is_number(column) and not pd.api.types.is_bool_dtype(column):
            raise ValueError(
                f"the left side {self.text!r} holds {example_of(column.iloc[0])}, and the model "
                "needs numbers; write I(column == 'level') for 0 and 1, or take a classifier."
            )
        return numbers(column)


def _read(text: str, known: list[str]) -> tuple[tuple[str, ...], bool, bool]:
    """The columns of a left side, whether it is one of them as it is, and whether it is C(…)."""
    language = parsed(f"0 + {text}", known)
    factors = [term.factors for term in language.terms]
    if len(factors) != 1 or len(factors[0]) != 1:
        raise ValueError(
            f"the left side {text!r} has {len(factors)} terms, and a model has one target; write "
            "I(a + b) for a sum, fit each column by its own formula, or give successes of trials "
            "as shares, with the trials as sample_weight."
        )
    expression = factors[0][0].expr
    tree = ast.parse(expression, mode="eval").body
    is_class = isinstance(tree, ast.Call) and getattr(tree.func, "id", "") == "C"
    if is_class and not (
        len(tree.args) == 1 and not tree.keywords and expression[2:-1] in language.names
    ):
        raise ValueError(
            f"the left side {text!r}: classes are those of one column, as in C(column) ~ …."
        )
    return language.columns, is_class or expression in language.names, is_class


def _labels(column: pd.Series) -> np.ndarray:
    """Labels as a plain array: text, numbers or logical values."""
    if pd.api.types.is_bool_dtype(column):
        return column.to_numpy(dtype=bool)
    if is_number(column):
        kind = np.int64 if pd.api.types.is_integer_dtype(column) else np.float64
        return column.to_numpy(dtype=kind)
    return np.array(column.tolist(), dtype=object)
