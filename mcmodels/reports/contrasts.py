"""Marginal means over a grid of factors, and contrasts between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.estimate import Estimate, check_level
from mcmodels.inference.multiplicity import ADJUSTMENTS, adjusted_intervals, adjusted_p_values
from mcmodels.reports.effect_rows import Effect, Totals
from mcmodels.reports.effect_study import Study, by_outputs, own_levels, table_of
from mcmodels.reports.effects import EffectResults, checked_value, names_asked, variable_of
from mcmodels.reports.input_rows import InputRows, with_values
from mcmodels.reports.input_variables import Variable
from mcmodels.reports.mean_rows import mean_rows
from mcmodels.reports.step_slopes import columns_of
from mcmodels.rows import RowStream

__all__ = ["ContrastResults"]

_WEIGHTS = ("equal", "proportional")
_METHODS = ("pairwise", "reference", "sequential")
# Rows of a grid; more factors than that are not averaged by hand.
_LARGEST_GRID = 10**6


class ContrastResults(EffectResults):
    """Marginal means and contrasts, beside effects."""

    def marginal_means(
        self,
        X: MatrixLike | RowStream,
        variables: Any,
        *,
        weights: str = "equal",
        level: float = 0.95,
        sample_weight: Weights | str = None,
        kind: str | None = None,
        y: VectorLike | None = None,
        groups: VectorLike | str | list[str] | None = None,
        **offsets: Any,
    ) -> pd.DataFrame:
        """Means of predictions by levels of factors, the other factors balanced.

        Predictions are made over a grid: all combinations of the levels of all factors, where
        numbers and offsets have their means over X. The mean of a level of ``variables`` is over
        the levels of the other factors. So they are the means of a balanced experiment (Searle,
        Speed and Milliken 1980, *Population marginal means in the linear model*, The American
        Statistician 34); those of generalized linear models are means of predictions, not of
        linear predictors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_inputs), RowStream, or frame of Dask
            Rows as the pipeline takes them, for means and shares.
        variables : str, sequence of str, or dict
            Factors. A dict has values for numbers: ``{"sex": None, "age": [20, 40]}``; None is for
            all levels. A number that is 0 or 1 in every row has these two.
        weights : {"equal", "proportional"}, default="equal"
            Whether combinations of the other factors count alike, or by their shares of X. Inputs
            that are 0 or 1 are numbers, and have their mean.
        level, sample_weight, kind, y, groups, **offsets
            As in :meth:`marginal_effects`.

        Returns
        -------
        DataFrame
            Columns estimate, standard_error (delta method), t or z, p_value, lower, upper; the
            index has the levels, and the class or target where there are several.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import OneHotEncoder
        >>> from mcmodels import LinearRegression, results
        >>> X = pd.DataFrame({"soil": ["a", "a", "b", "b", "b"], "crop": ["u", "v", "u", "v", "v"]})
        >>> model = make_pipeline(OneHotEncoder(drop="first"), LinearRegression())
        >>> found = results(model.fit(X, [1.0, 4, 3, 5, 6]))
        >>> found.marginal_means(X, "soil")[["estimate", "standard_error"]].round(3)
              estimate  standard_error
        soil
        a        2.500           0.378
        b        4.214           0.319
        >>> found.contrasts(X, "soil")[["estimate", "standard_error", "p_value"]].round(3)
                  estimate  standard_error  p_value
        contrast
        b - a        1.714           0.495    0.074
        """
        check_level(level)
        study = Study.of(self, X, None, sample_weight, offsets)
        grid = _Grid.of(study, variables, weights)
        estimate = self._effect_estimate(X, y, sample_weight, kind, groups, offsets)
        means = grid.means(estimate)
        found = table_of(means, grid.index, grid.levels, level, study.model)
        return study.finished(by_outputs(found, len(grid.values[-1]), study.model))

    def contrasts(
        self,
        X: MatrixLike | RowStream,
        variable: Any,
        *,
        method: str = "pairwise",
        adjust: str | None = "auto",
        by: Any = None,
        weights: str = "equal",
        level: float = 0.95,
        sample_weight: Weights | str = None,
        kind: str | None = None,
        y: VectorLike | None = None,
        groups: VectorLike | str | list[str] | None = None,
        **offsets: Any,
    ) -> pd.DataFrame:
        """Differences between the marginal means of a factor, tested together.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_inputs), RowStream, or frame of Dask
            Rows as the pipeline takes them.
        variable : str or dict
            A factor; or a number with its values: ``{"age": [20, 40, 60]}``.
        method : {"pairwise", "reference", "sequential"}, default="pairwise"
            All pairs; each level against the baseline (the level that the encoder drops, else the
            first); each against the one before.
        adjust : {"auto", "tukey", "holm", "bonferroni"} or None, default="auto"
            How p-values and intervals hold for all contrasts at once. "auto": Tukey's for all
            pairs, else Holm's. Intervals of "holm" are Bonferroni's. None: each for itself.
        by : str or sequence of str, default=None
            Factors within whose levels the contrasts are taken; each combination of their levels,
            and each class or target, is a family of its own.
        weights, level, sample_weight, kind, y, groups, **offsets
            As in :meth:`marginal_means`.

        Returns
        -------
        DataFrame
            Columns estimate, standard_error, t or z, p_value, lower, upper. ``attrs["notes"]`` says
            how they are adjusted.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.multiplicity`.
        """
        check_level(level)
        check_choice("method", method, _METHODS)
        if adjust is not None:
            check_choice("adjust", adjust, ("auto", *ADJUSTMENTS))
        if adjust == "auto":
            adjust = "tukey" if method == "pairwise" else "holm"
        if adjust == "tukey" and method != "pairwise":
            raise ValueError(
                f"adjust='tukey' is for all pairs, and method={method!r}; take 'holm'."
            )
        study = Study.of(self, X, None, sample_weight, offsets)
        within = [] if by is None else names_asked(by, study.rows.names, "by")
        if isinstance(variable, Mapping):
            asked = dict(variable)
        else:
            asked = dict.fromkeys(names_asked(variable, study.rows.names, "variable"))
        if len(asked) != 1:
            raise ValueError(f"variable must be one input; found {example_of(list(asked))}.")
        (name,) = asked
        if name in within:
            raise ValueError(f"by and variable both name {name!r}; leave it out of by.")
        arguments = dict.fromkeys(within, "by") | {name: "variable"}
        grid = _Grid.of(study, {**dict.fromkeys(within), **asked}, weights, arguments)
        estimate = self._effect_estimate(X, y, sample_weight, kind, groups, offsets)
        means = grid.means(estimate)
        held = grid.values[-1]
        if len(held) < 2:
            raise ValueError(f"variable: {name!r} has one level, and nothing to compare it with.")
        pairs = _pairs(method, held, grid.variables[-1].baseline)
        tables = []
        levels = [*grid.levels[:-1], *own_levels(["contrast"], grid.levels[:-1])]
        for key, C in _families(grid, pairs, len(means.params)):
            names = tuple(map(str, range(len(pairs))))
            family = means.image(C, C @ means.params, names, partly=True)
            told = zip(pairs, family.determined, strict=True)
            n_means = max(len({k for pair, known in told if known for k in pair}), 2)
            named = [(*key, f"{held[high]} - {held[low]}") for low, high in pairs]
            table = table_of(family, named, levels, level, study.model)
            if "p_value" in table:
                table["p_value"] = adjusted_p_values(family, adjust, n_means)
            table[["lower", "upper"]] = adjusted_intervals(family, adjust, n_means, level)
            tables.append(table)
        found = study.finished(pd.concat(tables))
        note = f"p-values and intervals of {len(pairs)} contrasts: {adjust or 'not adjusted'}."
        found.attrs["notes"] = (note, *found.attrs["notes"])
        return found


@dataclass(frozen=True)
class _Grid:
    """Combinations of the levels of factors, numbers at their means.

    Parameters
    ----------
    study : Study
        The model, and rows of which the grid is made.
    variables : tuple of Variable
        What the means are for.
    values : tuple of list
        Their levels, or values.
    rows : InputRows
        The grid: by combination of ``values``, combinations of the other factors.
    shares : ndarray
        Weights of the combinations of the other factors.
    """

    study: Study
    variables: tuple[Variable, ...]
    values: tuple[list[Any], ...]
    rows: InputRows
    shares: Array

    @classmethod
    def of(
        cls, study: Study, asked: Any, weights: str, arguments: Mapping[Any, str] | None = None
    ) -> _Grid:
        """``arguments`` say which argument has named an input: "variables", unless they do."""
        check_choice("weights", weights, _WEIGHTS)
        if not isinstance(asked, Mapping):
            asked = dict.fromkeys(names_asked(asked, study.rows.names, "variables"))
        if not asked:
            raise ValueError("variables is empty; name at least one factor.")
        called = [(arguments or {}).get(name, "variables") for name in asked]
        variables = tuple(map(variable_of, asked, itertools.repeat(study.variables), called))
        values = tuple(
            _values_of(variable, asked[variable.name], argument)
            for variable, argument in zip(variables, called, strict=True)
        )
        taken = {variable.position for variable in variables}
        others = [
            of
            for of in study.variables
            if of.levels is not None and of.is_read and of.position not in taken
        ]
        combinations, shares = _combinations(study, others, weights)
        chosen = list(itertools.product(*values))
        if len(chosen) * len(combinations) > _LARGEST_GRID:
            raise InferenceError(
                f"the grid of {', '.join(of.name for of in others)} has "
                f"{len(chosen) * len(combinations)} rows; take weights='proportional', which needs "
                "the combinations in X alone."
            )
        middle = mean_rows(study.rows, study.variables, study.model, study.labels_of)
        rows = [(*mine, *theirs) for mine in chosen for theirs in combinations]
        X = (
            middle.X.iloc[np.zeros(len(rows), dtype=int)]
            if isinstance(middle.X, pd.DataFrame)
            else np.repeat(middle.X, len(rows), axis=0)
        )
        if isinstance(X, pd.DataFrame):
            X = X.reset_index(drop=True)
        columns = list(zip(*rows, strict=True))
        X = with_values(
            X,
            {
                of.position: _array(column)
                for of, column in zip([*variables, *others], columns, strict=True)
            },
        )
        offsets = {
            name: np.repeat(of, len(rows), axis=0) for name, of in (middle.offsets or {}).items()
        }
        counted = np.tile(shares, len(chosen))
        return cls(study, variables, values, InputRows(X, middle.names, counted, offsets), shares)

    @property
    def levels(self) -> list[str]:
        """Names of the levels of the index; the last is the last variable."""
        of_output = [] if self.study.model.outputs is None else [self.study.model.output_level]
        names = [of.name for of in self.variables]
        return [*names[:-1], *own_levels(of_output, names), names[-1]]

    @property
    def index(self) -> list[tuple[Any, ...]]:
        """The index of the means, in the order of :meth:`means`."""
        outputs = self.study.model.outputs
        return [
            (*combination[:-1], *(() if output is None else (output,)), combination[-1])
            for combination in itertools.product(*self.values)
            for output in outputs or (None,)
        ]

    def means(self, estimate: Estimate) -> Estimate:
        """The means: by combination of values, by output."""
        totals, start = Totals(), 0
        effect = Effect()
        for block in self.rows.blocks():
            numbers = (start + np.arange(len(block.weights))) // len(self.shares)
            keys, codes = np.unique(numbers, return_inverse=True)
            (found,) = self.study.model.of_rows(block.X, block.offsets)([effect])
            totals.add(keys.tolist(), codes, block.weights, found)
            start += len(block.weights)
        return totals.estimate(sorted(totals.sums), estimate)


def _values_of(variable: Variable, given: Any, argument: str) -> list[Any]:
    """The levels of a factor, or the values of a number that were asked for."""
    if given is not None:
        many = isinstance(given, list | tuple | np.ndarray | range)
        found = [checked_value(variable, of, argument) for of in (given if many else [given])]
        if not found or len(set(found)) != len(found):
            raise ValueError(f"{argument}: values of {variable.name!r} must differ; found {given}.")
        return found
    if variable.levels is not None:
        return list(variable.levels)
    if variable.is_indicator:
        return [0, 1]
    remedy = f"give its values: {{{variable.name!r}: [1, 2]}}"
    if argument == "by":
        remedy = "name a factor, or a column of nothing but 0 and 1"
    raise ValueError(f"{argument}: {variable.name!r} is a number; {remedy}.")


def _combinations(
    study: Study, others: Sequence[Variable], weights: str
) -> tuple[list[tuple[Any, ...]], Array]:
    """Combinations of the levels of factors, and their weights."""
    if weights == "equal" or not others:
        size = int(np.prod([len(of.levels or ()) for of in others], dtype=np.float64))
        if size > _LARGEST_GRID:
            raise InferenceError(
                f"the factors {', '.join(of.name for of in others)} have {size} combinations; take "
                "weights='proportional', which needs those in X alone."
            )
        found = list(itertools.product(*(of.levels or () for of in others)))
        return found, np.ones(len(found))
    totals: dict[tuple[Any, ...], float] = {}
    absent: dict[int, Any] = {}
    for block in study.rows.blocks():
        columns = []
        for of in others:
            column = np.array(columns_of(block.X, of.position), dtype=object)
            for level in of.missing:
                column[of.are(level, column)] = level
            if not of.missing and (lost := pd.isna(column)).any():  # what steps fill, they fill
                column[lost] = absent.setdefault(of.position, column[lost][0])
            columns.append(column)
        for key, weight in zip(zip(*columns, strict=True), block.weights, strict=True):
            if weight > 0:
                totals[key] = totals.get(key, 0.0) + weight
    return list(totals), np.array(list(totals.values()))


def _pairs(method: str, levels: Sequence[Any], baseline: Any) -> list[tuple[int, int]]:
    """Positions of the levels that are compared: subtracted, minuend."""
    n = len(levels)
    if method == "pairwise":
        return list(itertools.combinations(range(n), 2))
    if method == "sequential":
        return list(itertools.pairwise(range(n)))
    base = list(levels).index(baseline) if baseline in levels else 0
    return [(base, k) for k in range(n) if k != base]


def _families(
    grid: _Grid, pairs: Sequence[tuple[int, int]], n_means: int
) -> Iterator[tuple[tuple[Any, ...], Array]]:
    """For each combination of the other variables and outputs, its contrasts of all means."""
    outputs = grid.study.model.outputs or (None,)
    n_levels, K = len(grid.values[-1]), len(outputs)
    for at, combination in enumerate(itertools.product(*grid.values[:-1])):
        for k, output in enumerate(outputs):
            C = np.zeros((len(pairs), n_means))
            for row, (low, high) in enumerate(pairs):
                C[row, (at * n_levels + high) * K + k] = 1.0
                C[row, (at * n_levels + low) * K + k] = -1.0
            yield (*combination, *(() if output is None else (output,))), C


def _array(values: Sequence[Any]) -> Any:
    """Values of a column: numbers as such, anything else as objects."""
    held = np.asarray(values)
    if held.dtype.kind in "iuf":
        return held
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects
