"""Models side by side: coefficients with their errors, and measures of fit, as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pandas as pd

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import listed
from mcmodels.estimators.parameter_methods import RobustOptions
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.estimate import check_level, coverage
from mcmodels.inference.summary import number
from mcmodels.records.auxiliary import AuxiliaryFit
from mcmodels.records.covariance_kind import described
from mcmodels.records.losses import LossFit
from mcmodels.records.record import INTERCEPT
from mcmodels.reports.grid import Grid
from mcmodels.reports.reported import Reported

__all__ = ["Comparison", "compare"]

_STATISTICS = ("n_observations", "r_squared", "log_likelihood", "aic", "bic", "deviance")
_OF_INTERCEPT = (INTERCEPT, -1)
_WORDS = {
    "n_observations": "observations",
    "r_squared": "R²",
    "adjusted_r_squared": "adjusted R²",
    "mcfadden_r_squared": "McFadden's R²",
    "log_likelihood": "log-likelihood",
    "aic": "AIC",
    "bic": "BIC",
    "pearson_chi2": "Pearson χ²",
}
# Errors are shown with three digits, and values with as many decimals; beyond these with a power.
_ERROR_DIGITS, _MOST_DECIMALS, _MOST_DIGITS = 3, 8, 12


def compare(
    *models: Any,
    names: Sequence[str] | None = None,
    statistics: Sequence[str] | None = None,
    level: float | None = None,
    X: MatrixLike | None = None,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    **robust: Unpack[RobustOptions],
) -> Comparison:
    """Models side by side: a row for each coefficient, a column for each model.

    Parameters
    ----------
    *models : estimators or Results
        Fitted models with coefficients; pipelines or searches that end in one; or results of them,
        with the covariance that they use.
    names : sequence of str, default=None
        Names of the models; by default (1), (2), ….
    statistics : sequence of str, default=None
        Measures of fit below the coefficients: fitted attributes of the models, without the last
        underscore, such as "r_squared" or "aic". By default n_observations, r_squared,
        log_likelihood, aic, bic and deviance, as far as a model has them.
    level : float, default=None
        Coverage of intervals, in (0, 1), that stand below the coefficients in place of standard
        errors.
    X, y, sample_weight
        Training rows that all models were fitted to, as each of them takes X, for a robust
        covariance.
    **robust
        Options of the models' ``covariance``: ``kind``, ``groups``, ``max_lags``, ….

    Returns
    -------
    Comparison
        ``print`` it; or ``to_frame()``, ``to_html()``, ``to_latex()``, ``to_markdown()``. With
        more than two classes, or several targets, each has a column. Rows are in the order in which
        they first appear, the intercept last.

    Raises
    ------
    TypeError
        If a model has no coefficients.
    ValueError
        If there are no models, if names are not as many and distinct, or if no model has a measure.
    InferenceError
        If a model has no standard errors; it says which, and why.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression, compare
    >>> cars = pd.read_csv("datasets/mtcars.csv")
    >>> light = LinearRegression().fit(cars[["wt"]], cars["mpg"])
    >>> both = LinearRegression().fit(cars[["wt", "hp"]], cars["mpg"])
    >>> print(compare(light, both, names=["weight", "and power"]))
                     weight    and power
    wt                -5.344     -3.878
                      (0.559)    (0.633)
    hp                           -0.03177
                                 (0.00903)
    (intercept)       37.29      37.23
                      (1.88)     (1.60)
    <BLANKLINE>
    observations      32         32
    R²                 0.752833   0.826785
    log-likelihood   -80.0147   -74.3262
    AIC              164.029    154.652
    BIC              166.961    159.05
    <BLANKLINE>
    Below coefficients: standard errors.
    """
    if not models:
        raise ValueError("compare needs at least one fitted model; found none.")
    if level is not None:
        check_level(level)
    headings = _headings(models, names)
    rows = {"X": X, "y": y, "sample_weight": sample_weight}
    found = [
        _reported(model, heading, rows, robust)
        for model, heading in zip(models, headings, strict=True)
    ]
    tables: dict[str, pd.DataFrame] = {}
    measures: dict[str, dict[str, float]] = {}
    wanted = _wanted(statistics)
    for heading, one in zip(headings, found, strict=True):
        what, labels = one.outputs
        columns = [f"{heading} {label}" if what else heading for label in labels or [""]]
        for k, (column, table) in enumerate(zip(columns, one.tables(level or 0.95), strict=True)):
            if column in tables:
                raise ValueError(
                    f"names: two columns are called {column!r}; name models otherwise."
                )
            tables[column] = table
            measures[column] = {name: _measure(one.model, name, k, len(columns)) for name in wanted}
    _refuse_unknown_measures(measures, statistics)
    statistics_of_all = pd.DataFrame(measures)
    notes = _notes(found, headings, level)
    if "log_likelihood" in statistics_of_all.index:
        notes += _notes_on_likelihoods(found, headings)
    return Comparison(tables, statistics_of_all, level, notes, _auxiliary_of(found))


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """Models side by side; see :func:`compare`.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The table of each column: a row for each coefficient, with coefficient, standard_error,
        lower, upper, ….
    statistics : DataFrame
        A row for each measure of fit, a column for each column of the comparison; NaN where a model
        has no such measure, or where it stands in the first column of the model.
    level : float or None
        Coverage of the intervals that are shown; None for standard errors.
    notes : tuple of str
        What the reader should know.
    auxiliary : tuple of str
        Names of auxiliary parameters of losses, which follow the intercept.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, compare
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> small, big = LinearRegression().fit(X[:, :1], y), LinearRegression().fit(X, y)
    >>> print(compare(small, big))
                           (1)         (2)
    x0                 0.915       0.892
                      (0.116)     (0.116)
    x1                             0.175
                                  (0.119)
    (intercept)       -0.144      -0.163
                      (0.113)     (0.113)
    <BLANKLINE>
    observations     100         100
    R²                 0.38894     0.40213
    log-likelihood  -152.558    -151.467
    AIC              309.116     308.934
    BIC              314.326     316.749
    <BLANKLINE>
    Below coefficients: standard errors.
    """

    tables: Mapping[str, pd.DataFrame]
    statistics: pd.DataFrame
    level: float | None = None
    notes: tuple[str, ...] = ()
    auxiliary: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """All numbers, unrounded.

        Returns
        -------
        DataFrame
            A column for each model. Rows have two levels: the coefficient, and "coefficient",
            "standard_error", and with ``level`` "lower" and "upper"; then the measures of fit with
            "statistic". NaN where a model has none.
        """
        below = ["standard_error", *(["lower", "upper"] if self.level is not None else [])]
        parts = ["coefficient", *below]
        index = [(name, part) for name, _ in self._keys for part in parts]
        index += [(name, "statistic") for name in self.statistics.index]
        columns = {}
        for heading, table in self.tables.items():
            keyed = table[parts].set_axis(_keys_of(table, self.auxiliary))
            found = keyed.reindex(self._keys).to_numpy().ravel()
            columns[heading] = np.concatenate([found, self.statistics[heading]])
        levels = pd.MultiIndex.from_tuples(index, names=["row", "measure"])
        return pd.DataFrame(columns, index=levels, dtype=np.float64)

    def to_latex(self) -> str:
        r"""A ``tabular`` for a document with ``\usepackage{booktabs}``."""
        return self._grid.latex(self.notes)

    def to_markdown(self) -> str:
        """A table in Markdown, as GitHub and most other programs read it."""
        return self._grid.markdown(self.notes)

    def __str__(self) -> str:
        return self._grid.text(self.notes)

    def __repr__(self) -> str:
        return str(self)

    def to_html(self) -> str:
        """A table in HTML, as a notebook shows it; names are escaped."""
        return self._grid.html(self.notes)

    def _repr_html_(self) -> str:
        return self.to_html()

    @property
    def _keys(self) -> list[tuple[str, int]]:
        """Names of coefficients in the order in which they first appear, then the intercept.

        Auxiliary parameters are below it. With each its number among those of the same name in one
        model.
        """
        of_tables = (_keys_of(table, self.auxiliary) for table in self.tables.values())
        keys = list(dict.fromkeys(key for of_one in of_tables for key in of_one))
        return sorted(keys, key=lambda key: (key[0] in self.auxiliary, key == _OF_INTERCEPT))

    @property
    def _grid(self) -> Grid:
        rows = [
            dict(zip(_keys_of(t, self.auxiliary), t.to_dict("records"), strict=True))
            for t in self.tables.values()
        ]
        coefficients: list[tuple[str, list[str]]] = []
        for key in self._keys:
            cells = [self._pair(of[key]) if key in of else ("", "") for of in rows]
            coefficients += [(key[0], [above for above, _ in cells])]
            if any(below for _, below in cells):  # not where no model determines it
                coefficients += [("", [below for _, below in cells])]
        measures = [
            (_words(name), ["" if np.isnan(value) else number(value) for value in row])
            for name, row in zip(self.statistics.index, self.statistics.to_numpy(), strict=True)
        ]
        return Grid(tuple(self.tables), (tuple(coefficients), tuple(measures)))

    def _pair(self, row: Mapping[str, float]) -> tuple[str, str]:
        """The cell of a coefficient, and the one below it."""
        value, error = row["coefficient"], row["standard_error"]
        if np.isnan(value):  # the data do not determine it
            return "NA", ""
        if self.level is None:
            return _rounded(value, error), f"({_rounded(error, error)})"
        ends = (_rounded(row[end], error) for end in ("lower", "upper"))
        return _rounded(value, error), f"[{', '.join(ends)}]"


def _keys_of(table: pd.DataFrame, auxiliary: Sequence[str]) -> list[tuple[str, int]]:
    """The names of a table, each with its number among equal ones.

    The intercept is the last but for auxiliary parameters. A column may be called as it is.
    """
    seen: Counter[str] = Counter()
    keys = []
    for name in table.index:
        keys.append((name, seen[name]))
        seen[name] += 1
    last = len(keys) - 1
    while last > 0 and keys[last][0] in auxiliary:
        last -= 1
    if keys and keys[last][0] == INTERCEPT:
        keys[last] = _OF_INTERCEPT
    return keys


def _auxiliary_of(found: Sequence[Reported]) -> tuple[str, ...]:
    """The names of the auxiliary parameters of all models."""
    records = [one.record for one in found if isinstance(one.record, AuxiliaryFit)]
    return tuple(dict.fromkeys(name for record in records for name in record.shapes.names))


def _rounded(value: float, error: float) -> str:
    """A value with the decimals that its standard error calls for."""
    if np.isfinite(value) and np.isfinite(error) and error > 0:
        place = int(np.floor(np.log10(error)))
        decimals = max(_ERROR_DIGITS - 1 - place, 0)
        before = int(np.floor(np.log10(abs(value)))) + 1 if value else 1
        if decimals <= _MOST_DECIMALS and max(before, 1) + decimals <= _MOST_DIGITS:
            return f"{value:.{decimals}f}"
    return f"{value:.6g}"


def _headings(models: Sequence[Any], names: Sequence[str] | None) -> list[str]:
    if names is None:
        return [f"({k + 1})" for k in range(len(models))]
    if isinstance(names, str) or np.ndim(names) != 1:
        raise ValueError(f"names={example_of(names)} must be a list of names, one for each model.")
    found = [str(name) for name in names]
    if len(found) != len(models):
        raise ValueError(f"names has {len(found)} names, and there are {len(models)} models.")
    if len(set(found)) < len(found):
        raise ValueError(f"names={example_of(found)} must differ from each other.")
    return found


def _wanted(statistics: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the measures of fit that were asked for."""
    if statistics is None:
        return _STATISTICS
    many = not isinstance(statistics, str) and np.ndim(statistics) == 1
    found = tuple(statistics) if many else ()
    if not many or not all(isinstance(name, str) for name in found):
        raise ValueError(
            f"statistics={example_of(statistics)} must be a list of names, such as ['aic']."
        )
    return found


def _reported(
    model: Any, heading: str, rows: Mapping[str, Any], robust: Mapping[str, Any]
) -> Reported:
    try:
        return Reported.of(model, "compare", rows, robust)
    except InferenceError as error:
        raise InferenceError(f"model {heading}: {error}") from error


def _measure(model: Any, name: str, column: int, n_columns: int) -> float:
    """A measure of fit for a column: one of the whole model stands in its first column."""
    try:
        found = np.asarray(getattr(model, f"{name}_"), dtype=np.float64)
    except (AttributeError, TypeError, ValueError):  # an InferenceError is an AttributeError
        return np.nan
    if found.shape == (n_columns,):
        return float(found[column])
    return float(found) if found.ndim == 0 and column == 0 else np.nan


def _refuse_unknown_measures(
    measures: dict[str, dict[str, float]], chosen: Sequence[str] | None
) -> None:
    """Drop default measures that no model has; refuse chosen ones."""
    wanted = list(next(iter(measures.values())))
    missing = [name for name in wanted if all(np.isnan(of[name]) for of in measures.values())]
    if missing and chosen is not None:
        raise ValueError(
            f"statistics={example_of(list(chosen))}: no model has a number {missing[0]}_; there "
            f"are {listed(list(_WORDS))}, …."
        )
    for of in measures.values():
        for name in missing:
            del of[name]


def _notes(
    found: Sequence[Reported], headings: Sequence[str], level: float | None
) -> tuple[str, ...]:
    """What stands below coefficients, and how models differ."""
    below = "standard errors" if level is None else f"{coverage(level)} intervals"
    kinds = [described(one.whole) for one in found]
    titles = [type(one.model).__name__ for one in found]
    notes = []
    if all(one.whole.kind == "nonrobust" for one in found):
        notes.append(f"Below coefficients: {below}.")
    elif len(set(kinds)) == 1:
        notes.append(f"Below coefficients: {below}; covariance: {kinds[0]}.")
    else:
        notes.append(f"Below coefficients: {below}; covariance: {_by_model(headings, kinds)}.")
    if len(set(titles)) > 1:
        notes.append(f"Models: {_by_model(headings, titles)}.")
    for heading, one in zip(headings, found, strict=True):
        if one.outputs[0] == "class":
            notes.append(f"{heading}: log-odds against {one.baseline}.")
    return tuple(notes)


def _notes_on_likelihoods(found: Sequence[Reported], headings: Sequence[str]) -> tuple[str, ...]:
    """Of which models the log-likelihood is known up to a constant only."""
    own = [h for h, one in zip(headings, found, strict=True) if isinstance(one.record, LossFit)]
    if not own:
        return ()
    return (
        f"{', '.join(own)}: the log-likelihood is minus the sum of the losses, which may lack a "
        "constant; it compares fits of the same loss only.",
    )


def _by_model(headings: Sequence[str], texts: Sequence[str]) -> str:
    """What is said of the models, those of which the same is said together."""
    alike: dict[str, list[str]] = {}
    for heading, text in zip(headings, texts, strict=True):
        alike.setdefault(text, []).append(heading)
    return "; ".join(f"{', '.join(of)} {text}" for text, of in alike.items())


def _words(name: str) -> str:
    return _WORDS.get(name, name.replace("_", " "))
