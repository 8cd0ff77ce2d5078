"""Models that are fitted by a formula with both sides, and take tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter

from mcmodels.arrays import Array, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice
from mcmodels.estimators.notebook import NotebookHtml
from mcmodels.exceptions import example_of
from mcmodels.formula import Formula
from mcmodels.formulas.frames import complete_rows, named_columns, numbers, selected
from mcmodels.formulas.language import Parsed, parsed, refuse_unknown, sides, without_dot
from mcmodels.formulas.response import Response

__all__ = ["FormulaFit", "fit_formula", "intercept_params"]

# Parameters of models by which there is no penalty.
_UNPENALISED = {"C": np.inf, "alpha": 0.0}


def _model_has(method: str) -> Callable[[Any], bool]:
    return lambda fit: hasattr(fit.steps[-1][1], method)


class FormulaFit(NotebookHtml, Pipeline):
    """A model that was fitted by a formula with both sides; :func:`fit_formula` makes it.

    It is a pipeline of the steps "formula" and "model" that takes tables, and knows which columns
    are target, weights, offset and exposure.

    Parameters
    ----------
    steps : list of (str, estimator)
        A :class:`Formula` and a model.
    response : str
        The left side of the formula.
    sample_weight, offset, exposure : str, optional
        Columns of the table.
    na : {"refuse", "drop"}, default="refuse"
        What becomes of rows with missing values when a model is fitted, or asked about its training
        rows.

    Attributes
    ----------
    n_dropped_ : int
        The rows that the fit left out.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import LinearRegression, fit_formula
    >>> data = pd.DataFrame({"hours": [1.0, 2.0, 3.0, 4.0], "grade": [2.0, 4.5, 5.5, 8.0]})
    >>> fit = fit_formula("grade ~ hours", data, LinearRegression())
    >>> fit.predict(pd.DataFrame({"hours": [5.0]})).round(2)
    array([9.75])
    """

    def __init__(
        self,
        steps: list[tuple[str, Any]],
        *,
        response: str,
        sample_weight: str | None = None,
        offset: str | None = None,
        exposure: str | None = None,
        na: str = "refuse",
    ) -> None:
        super().__init__(steps)
        self.response = response
        self.sample_weight = sample_weight
        self.offset = offset
        self.exposure = exposure
        self.na = na

    def __getitem__(self, ind: Any) -> Any:
        """A step, or a pipeline of some of the steps."""
        return Pipeline(self.steps[ind]) if isinstance(ind, slice) else super().__getitem__(ind)

    def fit(self, X: Any, y: VectorLike | None = None, sample_weight: Weights = None) -> Self:
        """Fit to a table.

        Parameters
        ----------
        X : table
            The rows.
        y : array-like, optional
            The target, in place of the left side.
        sample_weight : array-like of shape (n,), optional
            Weights, in place of the column.

        Returns
        -------
        Self
        """
        check_choice("na", self.na, ("refuse", "drop"))
        kept = self._complete(X)
        frame = _rows_of(X, kept)
        self._response = Response.learnt(
            self.response, frame, labels=is_classifier(self.steps[-1][1])
        )
        rows, target, named = self.training_rows(X, y, sample_weight)
        super().fit(rows, target, **{f"model__{name}": value for name, value in named.items()})
        self.n_dropped_ = len(kept) - int(kept.sum())
        self._weighted_by_rows = sample_weight is not None
        return self

    def training_rows(
        self, X: Any, y: VectorLike | None = None, sample_weight: Weights = None
    ) -> tuple[Any, Any, dict[str, Any]]:
        """What the steps take of a table: the rows without missing values, and what goes with them.

        Parameters
        ----------
        X : table
            The rows.
        y, sample_weight : array-like of shape (n,), optional
            In place of what the formula and the columns say.

        Returns
        -------
        X : table
            The rows that are complete.
        y : ndarray
            Their target.
        named : dict
            Of ``sample_weight``, ``offset`` and ``exposure`` those that there are.
        """
        kept = self._complete(X)
        rows = _rows_of(X, kept)
        target = self._response.values(rows) if y is None else _of_rows("y", y, kept)
        named: dict[str, Any] = {}
        if sample_weight is not None:
            named["sample_weight"] = _of_rows("sample_weight", sample_weight, kept)
        for name in ("sample_weight", "offset", "exposure"):
            column = getattr(self, name)
            if column is not None and name not in named:
                named[name] = _numeric(rows, column, name)
        return rows, target, named

    def groups(self, X: Any, groups: Any) -> Array:
        """Clusters of the training rows of a table: a column by its name, or a value for each row.

        Parameters
        ----------
        X : table
            The rows.
        groups : str, list of str, or array-like of shape (n,) or (n, 2)
            Names of columns, or clusters.

        Returns
        -------
        ndarray
            Those of the rows without missing values.
        """
        known = named_columns(X)
        names = [groups] if isinstance(groups, str) else groups
        if isinstance(names, list) and len(names) < 3 and all(isinstance(n, str) for n in names):
            for name in names:
                if name not in known:
                    refuse_unknown(name, known, "groups")
            found = selected(X, names)
            groups = found[names[0]] if len(names) == 1 else found
        return _of_rows("groups", groups, self._complete(X))

    def offsets(self, X: Any) -> dict[str, Array]:
        """The columns of offset and exposure of rows, by the name of the argument."""
        named = {name: getattr(self, name) for name in ("offset", "exposure")}
        return {name: _numeric(X, column, name) for name, column in named.items() if column}

    def predict(self, X: Any, **params: Any) -> Array:
        """Predictions of rows; offset and exposure are those of their columns.

        Parameters
        ----------
        X : table
            The rows.
        **params
            Those of the model's method.

        Returns
        -------
        ndarray of shape (n,)
            With ``na="drop"``, rows with a missing value in a column that predictions read are NaN,
            as after R's ``na.exclude``; labels that are integers are then floats.
        """
        return self._of_known("predict", X, params)

    @available_if(_model_has("predict_proba"))
    def predict_proba(self, X: Any, **params: Any) -> Array:
        """Probabilities of the classes, shape (n, n_classes); NaN as in :meth:`predict`."""
        return self._of_known("predict_proba", X, params)

    @available_if(_model_has("predict_log_proba"))
    def predict_log_proba(self, X: Any, **params: Any) -> Array:
        """Logarithms of :meth:`predict_proba`."""
        return self._of_known("predict_log_proba", X, params)

    @available_if(_model_has("decision_function"))
    def decision_function(self, X: Any, **params: Any) -> Array:
        """Linear predictors of classes; NaN as in :meth:`predict`."""
        return self._of_known("decision_function", X, params)

    def _of_known(self, method: str, X: Any, params: Mapping[str, Any]) -> Array:
        """What a method of the pipeline says of rows; NaN where a value is missing, if allowed."""
        ask = getattr(super(), method)
        kept = self.kept(X, new=True)
        if kept.all():
            return np.asarray(ask(X, **{**self.offsets(X), **params}))
        if not kept.any():
            return np.full((len(kept), *self._shape_of(method)), np.nan)
        rows = _rows_of(X, kept)
        named = {
            key: of if np.ndim(of) == 0 else _of_rows(key, of, kept) for key, of in params.items()
        }
        found = np.asarray(ask(rows, **{**self.offsets(rows), **named}))
        whole = np.full(
            (len(kept), *found.shape[1:]),
            np.nan,
            dtype=np.float64 if found.dtype.kind in "iuf" else object,
        )
        whole[kept] = found
        return whole

    def _shape_of(self, method: str) -> tuple[int, ...]:
        """The shape of what a method says of one row."""
        classes = len(getattr(self.steps[-1][1], "classes_", ()))
        one = method == "predict" or (method == "decision_function" and classes == 2)
        return () if one else (classes,)

    def score(self, X: Any, y: VectorLike | None = None, sample_weight: Weights = None) -> float:
        """The score of the model; the target is that of the left side, unless y is given."""
        rows, target, named = self.training_rows(X, y, sample_weight)
        return self.steps[-1][1].score(self.steps[0][1].transform(rows), target, **named)

    def _coefficients_html(self) -> str:
        """What a notebook shows below the diagram: what the model shows when it stands alone."""
        shown: str = getattr(self.steps[-1][1], "_coefficients_html", str)()
        return shown

    def complete(self, X: Any, along: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The rows of a table that a fit to it would keep; of new rows, whatever their target.

        Parameters
        ----------
        X : table
            The rows.
        along : dict
            Values that go with the rows, by name.

        Returns
        -------
        X : table
            All of the rows, unless ``na="drop"``.
        along : dict
            What goes with these, and their offset and exposure, where there are rows.
        """
        kept = self.kept(X)
        found = {
            name: of if isinstance(of, Real) else _of_rows(name, of, kept)
            for name, of in along.items()
        }
        X = _rows_of(X, kept)
        return X, (self.offsets(X) | found if kept.any() else found)

    def kept(self, X: Any, *, new: bool = False) -> Array:
        """Which rows :meth:`complete` keeps, shape (n,); if ``new``, whatever their target."""
        if self.na != "drop":
            return np.ones(len(selected(X, named_columns(X))), dtype=bool)
        beside = {*self._response.columns, self.sample_weight} - {None}
        training = not new and beside <= set(named_columns(X))
        return self._complete(X, training=training, empty=True)

    def _complete(self, X: Any, *, training: bool = True, empty: bool = False) -> Array:
        """Which rows of a table have no missing value in a column that is used.

        Unless ``empty``, there must be one.
        """
        known = named_columns(X)
        read = [self.steps[0][1].formula, *([self.response] if training else [])]
        used = [name for text in read for name in parsed(without_dot(text, known), known).columns]
        columns = (self.sample_weight if training else None, self.offset, self.exposure)
        used += [column for column in columns if column is not None]
        refused = "fill them in, or pass na='drop'." if self.na == "refuse" else ""
        kept = complete_rows(selected(X, dict.fromkeys(used)), refused).to_numpy()
        if not (empty or kept.any()):
            raise ValueError("every row of the data has a missing value; none is left.")
        return kept


def fit_formula(
    formula: str,
    data: Any,
    model: Any,
    *,
    sample_weight: VectorLike | str | None = None,
    offset: str | None = None,
    exposure: str | None = None,
    na: str = "refuse",
) -> FormulaFit:
    """Fit a model by a formula.

    Parameters
    ----------
    formula : str
        Both sides, such as ``"log(income) ~ age + C(region)"``; the right one as :class:`Formula`
        takes it. The left one is a column, an expression of columns, or ``C(column)`` for classes;
        what is predicted is that. Text is labels for a classifier.
    data : DataFrame of pandas or Polars, table of Arrow, or dict
        The rows.
    model : estimator
        An estimator; a copy of it is fitted. With ``0 +`` in the formula, the copy has
        ``fit_intercept=False``. Of the null model ``y ~ 1`` the intercept is the coefficient of
        a column of ones: the copy has ``fit_intercept=False``, and no penalty.
    sample_weight : array-like of shape (n,), or str, optional
        Weights, or the column of them.
    offset, exposure : str, optional
        Columns that the model takes beside the target. Predictions take them from the new rows.
    na : {"refuse", "drop"}, default="refuse"
        What becomes of rows with missing values in a column that is used.

    Returns
    -------
    FormulaFit
        A fitted pipeline of the steps "formula" and "model", which takes tables. Given to
        :func:`mcmodels.results`, its methods need no y: it is in the table.

    Raises
    ------
    ImportError
        Without formulaic.
    TypeError, ValueError
        As :class:`Formula`; without a left side, or one of several columns; where formula and model
        disagree on the intercept.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from mcmodels import LogisticRegression, fit_formula, results
    >>> data = pd.DataFrame({
    ...     "survived": ["no", "yes", "no", "yes", "no", "yes", "yes", "no"],
    ...     "sex": ["m", "f", "m", "f", "m", "m", "f", "f"],
    ... })
    >>> fit = fit_formula("survived ~ sex", data, LogisticRegression(C=np.inf))
    >>> fit.predict(pd.DataFrame({"sex": ["f", "m"]}))
    array(['yes', 'no'], dtype=object)
    >>> results(fit).confidence_intervals(0.95, data, kind="HC0").round(2)
                 lower  upper
    sex[T.m]     -5.40   1.00
    (intercept)  -1.16   3.36
    """
    left, right = sides(formula)
    if left is None:
        raise ValueError(
            f"formula={example_of(formula)} has no left side; write 'target ~ {right or 'x'}', or "
            "put Formula into a pipeline."
        )
    if isinstance(model, type) or not hasattr(model, "fit"):
        raise TypeError(
            f"model={example_of(model)} must be an estimator, such as LinearRegression()."
        )
    known = named_columns(data)
    for name, value in (("offset", offset), ("exposure", exposure)):
        if value is not None and not has_fit_parameter(model, name):
            raise ValueError(
                f"{name}={example_of(value)}: {type(model).__name__} takes none; take "
                "GeneralizedLinearRegressor, or leave it out."
            )
    taken = {*parsed(left, known).columns, offset, exposure}
    column = sample_weight if isinstance(sample_weight, str) else None
    asked = {"sample_weight": column, "offset": offset, "exposure": exposure}
    for name, value in asked.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name}={example_of(value)} must be the name of a column.")
        if value is not None and value not in known:
            refuse_unknown(value, known, name)
    right = without_dot(right, [name for name in known if name not in taken | {column}])
    fit = FormulaFit(
        [("formula", Formula(right)), ("model", _with_intercept(model, right, known))],
        response=left,
        na=na,
        **asked,
    )
    weights: Any = None if column is not None else sample_weight
    return fit.fit(data, sample_weight=weights)


def _with_intercept(model: Any, right: str, known: list[str]) -> Any:
    """A copy of the model that has an intercept if the formula has one.

    An intercept alone is a column of ones, as estimators need a column. It is not penalised.
    """
    language, copy = parsed(right, known), clone(model)
    if not getattr(model, "fit_intercept", True) and language.has_intercept:
        raise ValueError(
            "model has fit_intercept=False, and the formula an intercept; write '0 + …' on its "
            "right side, or leave fit_intercept out."
        )
    return copy.set_params(**intercept_params(copy, language))


def intercept_params(model: Any, language: Parsed) -> dict[str, Any]:
    """The parameters of a model that a formula decides: without an intercept, or as a null model.

    Parameters
    ----------
    model : estimator
        The model.
    language : Parsed
        The right side of the formula.

    Returns
    -------
    dict
        Empty where the formula has an intercept beside other terms.
    """
    known = model.get_params()
    if "fit_intercept" not in known or (language.has_intercept and not language.is_null):
        return {}
    changes: dict[str, Any] = {"fit_intercept": False}
    if language.is_null:
        changes |= {name: value for name, value in _UNPENALISED.items() if name in known}
    return changes


def _numeric(data: Any, column: str, argument: str) -> Array:
    """A column of numbers that goes with the rows."""
    found = selected(data, [column])
    complete_rows(found, f"{argument} needs every value.")
    try:
        return numbers(found[column])
    except (TypeError, ValueError):
        raise ValueError(
            f"{argument}={column!r} holds {example_of(found[column].iloc[0])}; it must be numeric."
        ) from None


def _of_rows(name: str, values: Any, kept: Array) -> Array:
    """Those values of an array that go with the rows kept."""
    found = np.asarray(values)
    if not found.ndim:
        raise TypeError(f"{name}={example_of(values)} must have a value for each row.")
    if len(found) != len(kept):
        raise ValueError(f"{name} has {len(found)} values, and the data have {len(kept)} rows.")
    return found[kept]


def _rows_of(data: Any, kept: Array) -> Any:
    """The rows of a table that are kept, as they are where all are."""
    if kept.all() and not isinstance(data, Mapping):
        return data
    return selected(data, named_columns(data))[kept]
