"""Effects of the inputs of a pipeline on its predictions, and averages of predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import (
    check_choice,
    check_name,
    listed,
    refuse_other_order,
    refuse_unknown_keywords,
)
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.estimate import Estimate, check_level
from mcmodels.reports.beside_rows import beside
from mcmodels.reports.effect_rows import Effect
from mcmodels.reports.effect_study import Study
from mcmodels.reports.input_rows import InputRows
from mcmodels.reports.input_variables import Variable
from mcmodels.reports.routed import Routed
from mcmodels.rows import RowStream
from mcmodels.tables.dask_stream import is_dask

__all__ = ["EffectResults", "checked_value", "names_asked", "variable_of"]

_MEASURES = ("slope", "elasticity", "comparison")
_POINTS = ("average", "means", "rows")
# A text that no encoder reads has about as many levels as there are rows.
_MANY_LEVELS = 100


class EffectResults(Routed):
    """Marginal effects and predictions by input variable, of :class:`mcmodels.reports.Results`."""

    def marginal_effects(
        self,
        X: MatrixLike | RowStream,
        variables: Any = None,
        *,
        at: Any = "average",
        by: Any = None,
        measure: str = "slope",
        level: float = 0.95,
        sample_weight: Weights | str = None,
        kind: str | None = None,
        y: VectorLike | None = None,
        groups: VectorLike | str | list[str] | None = None,
        **offsets: Any,
    ) -> pd.DataFrame:
        """How predictions change with each input, through the steps of the pipeline.

        The effect of a number is the derivative ``∂p/∂x`` of the prediction along the input x, of
        all columns that the steps make of it together: of x and x², of splines, of interactions.
        That of a factor is the difference between the predictions with a level, and with the
        baseline, in every row. Predictions are means, or probabilities of classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_inputs), RowStream, or frame of Dask
            Rows as the pipeline takes them.
        variables : str, sequence of str, or dict, default=None
            The inputs; None: all that reach the model. With ``measure="comparison"`` a dict has the
            change of each: ``{"age": 10}`` from x to x + 10, ``{"age": (20, 60)}`` from 20 to 60,
            ``{"class": ("2nd", "3rd")}`` from one level to another; None is the default.
        at : {"average", "means", "rows"} or dict, default="average"
            "average": the mean of the effects at the rows. "means": the effect where numbers have
            their mean, and factors their most frequent level. "rows": the effect at every row,
            without intervals. A dict has values that every row is given before effects are
            averaged: ``{"sex": "female"}``; lists of values give one average for each combination.
        by : str, sequence of str, or array-like of shape (n_samples,), default=None
            Inputs, or labels of the rows: an average for each group of rows.
        measure : {"slope", "elasticity", "comparison"}, default="slope"
            "elasticity" of numbers: ``∂ log p/∂ log x``. "comparison": numbers change by one.
        level : float, default=0.95
            Coverage of the intervals, in (0, 1).
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weights of the rows in means, or the column of X that holds them. None: every row counts
            alike, also where the fit was weighted. With ``y`` they are those of the fit, too, but
            for fits by a formula, which know their own.
        kind : str, default=None
            The covariance of the parameters, as ``covariance`` takes it; X and y are then the
            training rows. Without it and y, that of the model.
        y : array-like, default=None
            The targets of the training rows, for a robust covariance.
        groups : array-like, str or list of str, default=None
            Clusters of the training rows, or columns of X, for ``kind="cluster"``.
        **offsets
            ``offset`` or ``exposure`` of the rows, of models that have them, or columns of X.

        Returns
        -------
        DataFrame
            Columns estimate, standard_error (delta method), t or z, p_value, lower, upper. The
            index has the input and the kind of effect ("slope", "female - male", "+1"); before them
            values of ``at``, groups, and the class or target where there are several. With
            ``at="rows"`` there is one row for each of X, and a column for each effect. A slope that
            a step has only by differences is named "slope (differences)". ``attrs["notes"]`` says
            of which step, and where derivatives are one-sided.

        Raises
        ------
        ValueError
            For an input that X does not have, or that no step passes on; or a level that the fit
            has not seen.
        InferenceError
            If the parameters are not determined; or for elasticities of predictions below zero.

        Notes
        -----
        Inputs that are 0 or 1 in every row have the difference between both. At the boundary knots
        of splines, where both sides may differ, the derivative is that of the inside. Formulas and
        sources are in :mod:`mcmodels.inference.input_effects`; derivatives of steps in
        :mod:`mcmodels.reports.step_slopes`. p-values are left out for penalised fits.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import PolynomialFeatures
        >>> from mcmodels import LinearRegression, results
        >>> X = pd.DataFrame({"age": [20.0, 30, 40, 50, 60, 70]})
        >>> y = [10.0, 16, 20, 23, 24, 26]
        >>> curve = make_pipeline(
        ...     PolynomialFeatures(2, include_bias=False), LinearRegression()
        ... ).fit(X, y)
        >>> results(curve).marginal_effects(X)[["estimate", "standard_error"]].round(4)
                         estimate  standard_error
        variable effect
        age      slope     0.3057          0.0144
        """
        check_choice("measure", measure, _MEASURES)
        check_level(level)
        study = Study.of(self, X, by, sample_weight, offsets)
        values, at = _chosen_values(at, study.variables)
        if at == "rows":
            unused = {"sample_weight": sample_weight, "by": by, "kind": kind, "y": y}
            for name, given in (unused | {"groups": groups}).items():
                if given is not None:
                    raise ValueError(
                        f"at='rows' takes no mean and has no interval; leave {name} out."
                    )
            asked = _asked_effects(study.variables, variables, measure, {})
            return study.effects_of_rows(asked)
        estimate = self._effect_estimate(X, y, sample_weight, kind, groups, offsets)
        if at == "means":
            study = study.at_means()
        asked = _asked_effects(study.variables, variables, measure, values)
        return study.table(asked, values, estimate, level, ["variable", "effect"])

    def predictions(
        self,
        X: MatrixLike | RowStream,
        *,
        at: Mapping[str, Any] | None = None,
        by: Any = None,
        level: float = 0.95,
        sample_weight: Weights | str = None,
        kind: str | None = None,
        y: VectorLike | None = None,
        groups: VectorLike | str | list[str] | None = None,
        **offsets: Any,
    ) -> pd.DataFrame:
        """Averages of predictions over the rows, with values that every row is given.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_inputs), RowStream, or frame of Dask
            Rows as the pipeline takes them.
        at : dict, default=None
            Values that every row is given: ``{"sex": "female"}``; lists of values give one average
            for each combination.
        by : str, sequence of str, or array-like of shape (n_samples,), default=None
            Inputs, or labels of the rows: an average for each group of rows, as they are in X.
        level, sample_weight, kind, y, groups, **offsets
            As in :meth:`marginal_effects`.

        Returns
        -------
        DataFrame
            Columns estimate, standard_error (delta method), t or z, p_value, lower, upper. The
            index has values of ``at``, groups, the class or target, and "average".

        Examples
        --------
        >>> import pandas as pd
        >>> from mcmodels import LinearRegression, results
        >>> X = pd.DataFrame({"age": [20.0, 30, 40, 50], "treated": [0, 1, 0, 1]})
        >>> found = results(LinearRegression().fit(X, [10.0, 16, 19, 26]))
        >>> found.predictions(X, at={"treated": [0, 1]})[["estimate", "standard_error"]].round(3)
                            estimate  standard_error
        treated prediction
        0       average       16.875           0.375
        1       average       18.625           0.375
        """
        check_level(level)
        study = Study.of(self, X, by, sample_weight, offsets)
        if at is not None and not isinstance(at, Mapping):
            raise TypeError(
                f"at={example_of(at)} must be a dict of inputs and values here; without it "
                "predictions are averages over the rows as they are."
            )
        values, _ = _chosen_values({} if at is None else at, study.variables)
        estimate = self._effect_estimate(X, y, sample_weight, kind, groups, offsets)
        asked = [Effect(label="average")]
        return study.table(asked, values, estimate, level, ["prediction"])

    def _effect_estimate(
        self, X: Any, y: Any, weights: Any, kind: Any, groups: Any, offsets: Mapping[str, Any]
    ) -> Estimate:
        """The parameters with the covariance that was asked for."""
        model = self._route.model
        refuse_unknown_keywords(offsets, model._offset_names)
        check_name("kind", kind)
        record = model._record()
        record.warn_of_perfect_fit()
        if y is None and kind is None and groups is None:
            return self._estimate()
        asked = beside(X, {"sample_weight": weights, "groups": groups, **offsets})
        weights, groups = asked.pop("sample_weight"), asked.pop("groups")
        table = self._route.table
        if table is not None and not getattr(table, "_weighted_by_rows", not table.sample_weight):
            weights = None  # it knows those of the fit, unless they were an array
        asked = {name: of for name, of in asked.items() if of is not None}
        refuse_other_order(X=X, y=y, sample_weight=weights, groups=groups, **asked)
        if self._route.table is not None and is_dask(X):
            raise InferenceError(
                "a fit by a formula reads its training rows again for another covariance, and "
                "takes them in memory: choose it first, results(fit).with_covariance(X.compute(), "
                "kind=…); or leave kind, y and groups out here."
            )
        asked |= {} if kind is None else {"kind": kind}
        asked |= {} if groups is None else {"groups": groups}
        X, y, weights, asked = self._streamed(X, y, weights, asked)
        *rows, given = self._route.training_rows(X, y, weights, **asked)
        if not isinstance(X, RowStream) and rows[1] is None and kind != "nonrobust":
            raise ValueError(
                f"kind={example_of(kind)} reads the training rows again; pass X as in fit, and y."
            )
        if kind == "nonrobust":
            rows, given = [None, None, None], {"kind": kind}
        robust: Estimate = model._estimate(*rows, **given)[1]
        return robust


def _chosen_values(at: Any, variables: Sequence[Variable]) -> tuple[dict[int, list[Any]], str]:
    """Values that rows are given, by position; and the point."""
    if isinstance(at, Mapping):
        chosen = {}
        for name, given in at.items():
            variable = variable_of(name, variables, "at")
            many = isinstance(given, list | tuple | np.ndarray | range | pd.Series | pd.Index)
            held = list(given) if many else [given]
            if not held:
                raise ValueError(f"at has no value of {name!r}; give one, or leave it out.")
            chosen[variable.position] = [checked_value(variable, of, "at") for of in held]
        return chosen, "average"
    check_choice("at", at, _POINTS)
    return {}, at


def checked_value(variable: Variable, value: Any, argument: str) -> Any:
    """A level of a factor, or a number."""
    if variable.levels is not None:
        return variable.level(value, argument)
    if not isinstance(value, Real) or isinstance(value, bool) or not np.isfinite(float(value)):
        raise ValueError(f"{argument}: {variable.name!r} is a number; found {example_of(value)}.")
    return value


def names_asked(asked: Any, names: Sequence[Any], argument: str) -> list[Any]:
    """The names in a question: one name, which may be a number or a tuple, or several."""
    one = isinstance(asked, str) or not isinstance(asked, Iterable)
    one = one or (isinstance(asked, tuple) and asked in names)
    found = [asked] if one else list(asked)
    for name in found:
        try:
            hash(name)
        except TypeError:
            raise ValueError(
                f"{argument}={example_of(asked)} must be names of inputs: one, or a list."
            ) from None
    return found


def variable_of(name: Any, variables: Sequence[Variable], argument: str) -> Variable:
    """An input by its name; refused where there is none, or no step passes it on."""
    found = next((of for of in variables if of.name == name), None)
    if found is None:
        names = tuple(of.name for of in variables)
        InputRows(None, names).position(name, argument)
    assert found is not None
    if not found.is_read:
        raise ValueError(
            f"{argument}: no step passes {name!r} on to the model, so that it has no effect; leave "
            "it out."
        )
    return found


def _asked_effects(
    variables: Sequence[Variable], asked: Any, measure: str, values: Mapping[int, Any]
) -> list[Effect]:
    """The effects of the inputs that were asked for, in the order of the question."""
    changes: Mapping[str, Any] = {}
    if isinstance(asked, Mapping):
        if measure != "comparison":
            raise ValueError(
                f"variables as a dict says how much inputs change; measure={measure!r} takes names."
            )
        changes, asked = asked, list(asked)
    if asked is None:
        chosen = [of for of in variables if of.is_read]
        if measure == "elasticity":
            chosen = [of for of in chosen if of.levels is None and not of.is_indicator]
        # A factor that is set to one value in every row has no other.
        chosen = [of for of in chosen if of.levels is None or of.position not in values]
        for of in chosen:
            if not of.of_fit and len(of.levels or ()) > _MANY_LEVELS:
                raise InferenceError(
                    f"{of.name!r} has {len(of.levels or ())} levels; name variables, or two of its "
                    "levels with measure='comparison'."
                )
        if not chosen:
            raise InferenceError("no input of X has such an effect; name variables.")
    else:
        names = names_asked(asked, [of.name for of in variables], "variables")
        if not names:
            raise ValueError("variables is empty; name at least one input, or leave it out.")
        named = {
            of.position: of for of in (variable_of(name, variables, "variables") for name in names)
        }
        chosen = list(named.values())
    effects: list[Effect] = []
    for variable in chosen:
        effects += _effects_of(variable, measure, changes.get(variable.name))
    return effects


def _effects_of(variable: Variable, measure: str, change: Any) -> list[Effect]:
    name, j = variable.name, variable.position

    def difference(low: Any, high: Any) -> Effect:
        return Effect(name, j, "difference", f"{high} - {low}", low, high)

    pair = isinstance(change, tuple | list)
    if pair and len(change) != 2:
        raise ValueError(f"variables: {name!r} changes from one value to another; found {change}.")
    if variable.levels is not None:
        if measure == "elasticity":
            raise ValueError(
                f"variables: {name!r} is a factor, and has no elasticity; take measure='slope'."
            )
        if pair:
            low, high = (variable.level(of, "variables") for of in change)
            return [difference(low, high)]
        if change is not None:
            raise ValueError(
                f"variables: {name!r} is a factor; give two of its levels, or None. There are "
                f"{listed(variable.levels)}."
            )
        return [difference(variable.baseline, level) for level in variable.others()]
    if pair:
        low, high = (checked_value(variable, of, "variables") for of in change)
        return [difference(low, high)]
    if change is not None:
        step = checked_value(variable, change, "variables")
        return [Effect(name, j, "step", f"{step:+g}", None, step)]
    if measure == "elasticity":
        return [Effect(name, j, "elasticity", "elasticity")]
    if variable.is_indicator:
        return [difference(0, 1)]
    if measure == "comparison":
        return [Effect(name, j, "step", "+1", None, 1)]
    return [Effect(name, j, "slope", "slope")]
