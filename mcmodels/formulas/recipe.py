"""What a formula has learnt of a table, and the design matrix of other rows by it."""

from __future__ import annotations

import ast
import dataclasses
import functools
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mcmodels.exceptions import example_of
from mcmodels.formulas.frames import (
    complete_rows,
    is_number,
    known_levels,
    levels_of,
    named_columns,
    numbers,
    selected,
)
from mcmodels.formulas.language import (
    FUNCTIONS,
    Parsed,
    baseline_of,
    formulaic,
    parsed,
    without_dot,
)

__all__ = ["Recipe"]

_OUTSIDE = re.compile(r"Some field values extend beyond upper and/or lower bounds.*")
_UNSEEN = re.compile(r"Data has categories outside of the nominated levels[^{]*\{(.*)\}.*")
_BEFORE_EXTRAPOLATION = 6  # arguments of bs, beside x
# The column of ones of a formula without other columns, named as intercepts of models are.
_ONES = "(intercept)"
_GIVEN = "_given_"  # a factor whose values are given
_MISSING = "drop those rows, or fill the values in."


@dataclass(frozen=True)
class Recipe:
    """The right side of a formula, and all that it has learnt; plain data that can be stored.

    Parameters
    ----------
    formula : str
        The text; ``.`` is written out.
    columns : tuple of str
        The columns that it reads.
    levels : dict of str to tuple
        The levels of those that are factors, in their order; the first is the baseline.
    numeric : tuple of str
        The columns that are read as numbers.
    names : tuple of str
        The columns that it makes; an intercept is not among them, unless it is all that there is.
    terms : dict of str to tuple of int
        Where the columns of each term are.
    intercept : bool
        Whether there is an intercept beside the columns: then categories are coded so.
    transforms : dict
        What transformations remember: knots, means, scales.
    categories : dict of str to list
        The levels of every coded expression.
    """

    formula: str
    columns: tuple[str, ...]
    levels: dict[str, tuple[Any, ...]]
    numeric: tuple[str, ...]
    names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    intercept: bool
    transforms: dict[str, Any]
    categories: dict[str, Any]

    @classmethod
    def learnt(cls, text: str, data: Any) -> Self:
        """What a formula learns of a table.

        Raises
        ------
        ImportError
            Without formulaic.
        TypeError, ValueError
            For what is no formula or no table, with a column, where one is to blame.
        """
        known = named_columns(data)
        text = without_dot(text, known)
        language = parsed(text, known)
        if not text.strip() or not len(language.terms):
            raise ValueError(
                f"formula={example_of(text)} has no terms, and makes no column; '1' makes a column "
                "of ones."
            )
        frame = selected(data, language.columns)
        complete_rows(frame, _MISSING)
        named = {language.names[name] for name in language.factors}
        plain = {column for name, column in language.names.items() if name not in language.factors}
        levels = {}
        for column in language.columns:
            found = levels_of(frame[column], named=column in named)
            if found is not None:
                levels[column] = found
        numeric = tuple(
            column
            for column in language.columns
            if column in plain and (column not in levels or is_number(frame[column]))
        )
        if language.is_null:
            return cls(
                text, language.columns, levels, numeric, (_ONES,), {"1": (0,)}, False, {}, {}
            )
        for column in numeric:  # also a factor elsewhere in the formula
            levels_of(frame[column], named=False)
        given = _given(frame, language, levels, numeric)
        # The columns are not kept here, and those of many levels have room only if they are sparse.
        spec = formulaic().ModelSpec(
            formula=language.terms, ensure_full_rank=True, na_action="ignore", output="sparse"
        )
        _, spec = _materialised(spec, given, language)
        shift = int(language.has_intercept)
        names = tuple(language.shown(name) for name in spec.column_names)[shift:]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"the formula makes two columns named {twice!r}; rename a column.")
        terms = {
            language.shown(str(term)): tuple(index - shift for index in indices)
            for term, indices in spec.term_indices.items()
            if str(term) != "1"
        }
        categories = {
            expression: list(state["categories"])
            for expression, (_, state) in spec.encoder_state.items()
            if "categories" in state
        }
        return cls(
            formula=text,
            columns=language.columns,
            levels=levels,
            numeric=numeric,
            names=names,
            terms=terms,
            intercept=language.has_intercept,
            transforms={key: dict(state) for key, state in spec.transform_state.items()},
            categories=categories,
        )

    def factors(self) -> dict[str, tuple[tuple[Any, ...], Any]]:
        """The levels and the baseline of each column that is coded, as it is coded first.

        What is coded may also be made of columns, as in ``C(x > 2)``: its levels are not theirs.
        """
        found: dict[str, tuple[tuple[Any, ...], Any]] = {}
        for expression, categories in self.categories.items():
            coded = ast.parse(expression, mode="eval").body
            if isinstance(coded, ast.Call) and ast.unparse(coded.func) == "C":
                coded = coded.args[0]
            name = ast.unparse(coded)
            if name not in self.language.names:
                continue
            levels = tuple(categories)
            found.setdefault(self.language.names[name], (levels, baseline_of(expression, levels)))
        return found

    def matrix(self, data: Any, *, sparse: bool = False, around: bool = False) -> Any:
        """The design matrix of rows, shape (n, p); of :attr:`names`.

        Parameters
        ----------
        data : table
            It has :attr:`columns`; others are not read.
        sparse : bool, default=False
            Whether as a CSR array.
        around : bool, default=False
            Whether the rows are points beside others, for differences. Then the polynomials of
            ``bs`` go on beyond its boundaries where it would refuse, and values that are not finite
            are returned.

        Raises
        ------
        TypeError, ValueError
            For missing values, levels that were not in the fit, text in place of numbers, and
            values that are not finite.
        """
        frame = selected(data, self.columns)
        complete_rows(frame, _MISSING)
        if self.language.is_null:
            ones = np.ones((len(frame), 1))
            return sp.csr_array(ones) if sparse else ones
        language, spec = self.language, self._spec
        given = _given(frame, language, self.levels, self.numeric)
        made, spec = _materialised(
            spec.update(output="sparse" if sparse else "numpy"), given, language, around=around
        )
        found = tuple(language.shown(name) for name in spec.column_names)[int(self.intercept) :]
        if found != self.names:
            raise ValueError(
                f"the formula makes columns {', '.join(found)} and made {', '.join(self.names)} in "
                "the fit; another version of formulaic did it. Fit again."
            )
        if sparse:
            made = sp.csr_array(made)[:, int(self.intercept) :].astype(np.float64)
            bad = np.unique(made.indices[~np.isfinite(made.data)])
        else:
            made = np.asarray(made, dtype=np.float64)[:, int(self.intercept) :]
            bad = np.flatnonzero(~np.isfinite(made).all(axis=0))
        if bad.size and not around:
            self._refuse_infinite(made[:, [bad[0]]], self.names[bad[0]])
        return made

    def with_factor(self, data: Any, expression: str, values: np.ndarray) -> np.ndarray:
        """The design where a factor that is one column has other values, shape (n, p).

        Parameters
        ----------
        data : table
            The rows.
        expression : str
            The factor, in the names of :attr:`language`.
        values : ndarray of shape (n,)
            Its values.
        """
        language, types = self.language, formulaic().parser.types
        given = self.given(data)
        other = types.Factor(_GIVEN, eval_method="lookup")
        terms = [
            types.Term([other if factor.expr == expression else factor for factor in term.factors])
            for term in language.terms
        ]
        spec = self._spec.update(formula=formulaic().Formula(terms), output="numpy")
        made, _ = _materialised(spec, given.assign(**{_GIVEN: values}), language, around=True)
        return np.asarray(made, dtype=np.float64)[:, int(self.intercept) :]

    def given(self, data: Any) -> pd.DataFrame:
        """The columns of rows by their names in the terms: numbers, or categories."""
        frame = selected(data, self.columns)
        return _given(frame, self.language, self.levels, self.numeric)

    def _refuse_infinite(self, column: Any, name: str) -> None:
        values = (column.toarray() if sp.issparse(column) else column).ravel()
        wrong = np.flatnonzero(~np.isfinite(values))
        raise ValueError(
            f"{name} is {values[wrong[0]]} in {len(wrong)} of {len(values)} rows, first in row "
            f"{wrong[0]}, counted from 0; numbers must be finite."
        )

    @cached_property
    def language(self) -> Parsed:
        """The formula in terms of names of its own."""
        return parsed(self.formula, self.columns)

    @cached_property
    def _spec(self) -> Any:
        """The specification of formulaic, with the state of codings and transformations."""
        kind = formulaic().parser.types.Factor.Kind.CATEGORICAL
        return formulaic().ModelSpec(
            formula=self.language.terms,
            ensure_full_rank=True,
            na_action="ignore",
            transform_state={key: dict(state) for key, state in self.transforms.items()},
            encoder_state={
                expression: (kind, {"categories": list(levels)})
                for expression, levels in self.categories.items()
            },
        )

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: self.__dict__[field.name] for field in dataclasses.fields(self)}


def _given(
    frame: pd.DataFrame,
    language: Parsed,
    levels: Mapping[str, tuple[Any, ...]],
    numeric: tuple[str, ...],
) -> pd.DataFrame:
    """The columns by their names in the terms: numbers, or categories of known levels."""
    made: dict[str, Any] = {}
    for name, column in language.names.items():
        if column in numeric and name not in language.factors:
            if not is_number(frame[column]):
                raise ValueError(
                    f"column {column!r} held numbers in the fit, and holds "
                    f"{example_of(frame[column].iloc[0])} here; convert it."
                )
            made[name] = numbers(frame[column])
            continue
        made[name] = known_levels(frame[column], levels[column])
        if name.startswith("_value") and levels[column] == (False, True):
            made[name] = made[name].codes.astype(bool)  # logical values in arithmetic
    return pd.DataFrame(made)


def _materialised(
    spec: Any, given: pd.DataFrame, language: Parsed, *, around: bool = False
) -> tuple[Any, Any]:
    """The matrix of formulaic, and its specification."""
    package = formulaic()
    functions = (
        {**FUNCTIONS, "bs": _extended(package.transforms.TRANSFORMS["bs"])} if around else FUNCTIONS
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", package.errors.DataMismatchWarning)
        try:
            with np.errstate(all="ignore"):  # what is not finite is refused with its name
                made = spec.get_model_matrix(given, context=functions)
        except (MemoryError, ImportError):
            raise
        except Exception as error:  # whatever a transformation raises
            why = language.shown(" ".join(str(error).split()))
            why = _UNSEEN.sub(_told_of_unseen, why)
            why = re.sub(r"Unable to evaluate factor `(.*)`\. \[\w+: (.*)\]", r"\1: \2", why)
            why = _OUTSIDE.sub(
                "some values are outside its boundaries, those of the fit; leave such rows out, or "
                "write extrapolation='extend' in it to go on as R does",
                why,
            )
            raise ValueError(f"the formula cannot be computed: {why.removesuffix('.')}.") from error
    return made, made.model_spec


def _told_of_unseen(found: re.Match[str]) -> str:
    """What is said of values that are no levels, such as new ones of ``C(floor(x))``."""
    held = re.sub(r"np\.\w+\(([^()]*)\)", r"\1", found[1])
    return (
        f"a factor is {held} in some row, none of its levels, those of the fit or of levels=[…]; "
        "leave such rows out"
    )


def _extended(bs: Any) -> Any:
    """The splines of formulaic, which go on beyond their boundaries where they would refuse.

    Where they would be constant they are NaN, so that slopes at the boundary are of the inside.
    """

    @functools.wraps(bs)
    def extended(x: Any, *args: Any, **options: Any) -> Any:
        if len(args) <= _BEFORE_EXTRAPOLATION:
            how = options.get("extrapolation", "raise")
            options["extrapolation"] = {"raise": "extend", "clip": "na"}.get(how, how)
        return bs(x, *args, **options)

    return extended
