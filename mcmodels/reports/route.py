"""The way from the rows that a user has to the model behind pipelines, searches and targets."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.summary import Summary, short
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.records.record import ParameterFit
from mcmodels.reports.beside_rows import beside
from mcmodels.reports.column_names import names_after
from mcmodels.reports.supervised_steps import is_frozen, is_step, step_fitted_to_targets
from mcmodels.rows import CodedBlock, RowStream
from mcmodels.tables.dask_stream import is_dask

__all__ = ["Route"]

# What a step says of rows that it refuses may hold all of them.
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Route:
    """A fitted model of this package, and what lies between it and the user's rows.

    Parameters
    ----------
    model : estimator
        The model. Where the steps have names, it is a copy that has them.
    steps : tuple of (str, transformer)
        What is applied to X before it reaches the model, in this order; fitted.
    names : tuple of str, or None
        Names of the columns of the model by ``get_feature_names_out`` of the steps; None without
        steps, or where one has no names.
    target : transformer, or None
        What is applied to y.
    notes : tuple of str
        What the reader of a result should know of the way.
    table : FormulaFit, or None
        A fit by a formula, which finds target, weights and offsets in the table of X.
    """

    model: Any
    steps: tuple[tuple[str, Any], ...] = ()
    names: tuple[str, ...] | None = None
    target: Any = None
    notes: tuple[str, ...] = ()
    table: Any = None

    @classmethod
    def of(cls, fitted: Any, what: str) -> Route:
        """The way to the model in ``fitted``; ``what`` asks for it, for errors.

        Raises
        ------
        TypeError
            Where there is no model of this package at the end, or no table of its parameters.
        NotFittedError
            Before a fit.
        """
        if isinstance(known := getattr(fitted, "_route", None), cls):  # results
            return known
        if isinstance(fitted, type) or not hasattr(fitted, "fit"):
            found = (
                f"the class {fitted.__name__}" if isinstance(fitted, type) else example_of(fitted)
            )
            if isinstance(fitted, Summary):  # its text is a table
                found = type(fitted).__name__
            each = "; pass one at a time" if isinstance(fitted, list | tuple | dict | set) else ""
            raise TypeError(
                f"{what} needs a fitted model of mcmodels, or what ends in one{each}; found "
                f"{found}."
            )
        check_is_fitted(fitted)
        steps: list[tuple[str, Any]] = []
        notes: list[str] = []
        target, where, model, table = None, "", fitted, None
        while True:
            if is_frozen(model):
                model = model.estimator
            elif hasattr(model, "best_estimator_"):
                notes.append(
                    f"{type(model).__name__} has chosen this model by the same rows; standard "
                    "errors and tests take it as given, and are too good."
                )
                model = model.best_estimator_
            elif isinstance(model, Pipeline):
                if not steps and hasattr(model, "training_rows"):
                    table = model
                    if model.n_dropped_:
                        notes.append(f"{model.n_dropped_} rows with missing values were left out.")
                steps += [(name, step) for name, step in model.steps[:-1] if is_step(step)]
                model, where = model.steps[-1][1], " at the end of the pipeline"
            elif isinstance(model, TransformedTargetRegressor):
                if target is not None:
                    raise TypeError(
                        f"{what} takes one TransformedTargetRegressor, and found one inside "
                        "another; join their functions."
                    )
                target, model = model.transformer_, model.regressor_
                if (function := _named(target)) is not None:
                    notes.append(
                        f"Coefficients and standard errors are in units of {function}(y). "
                        "predict_interval is in units of y: its predictions and ends are the "
                        "inverse function of the model's; where its errors are symmetric, "
                        "predictions are medians of y, not means."
                    )
            else:
                break
        _require_model(model, what, where)
        _refuse_samplers(steps, what)
        names = names_after(steps, model)
        if names is not None:
            named = copy.copy(model)
            named._fit = replace(model._fit, names=names)
            if told := getattr(named._fit, "undetermined", ""):
                told = _with_names(told, model._fit.names, names)
                named._fit = replace(named._fit, undetermined=told)
            model = named
        return cls(model, tuple(steps), names, target, tuple(notes), table)

    def rows(self, X: Any) -> Any:
        """X as the steps give it to the model; of a stream, block by block. None stays None."""
        if X is None or not (self.steps or self.target is not None):
            return X
        if isinstance(X, RowStream):
            return _Through(self, X)
        return self.transformed(X)

    def targets(self, y: Any) -> Any:
        """Y as the model takes it. None stays None."""
        if self.target is None or y is None:
            return y
        found = np.asarray(y)
        moved = self.target.transform(found.reshape(-1, 1) if found.ndim == 1 else found)
        return np.asarray(moved).reshape(found.shape)

    def arguments(
        self, method: Any, X: Any, y: Any = None, sample_weight: Any = None, **options: Any
    ) -> dict[str, Any]:
        """What a method of the model takes, by name: the user's rows after the steps, and options.

        What is None of X, y and weights is left out. A fit by a formula has the target, weights
        and offsets from the table, and groups by the name of a column.
        """
        takes = inspect.signature(method).parameters
        options = beside(X, options)
        if "y" in takes:
            X, y, sample_weight, named = self.training_rows(X, y, sample_weight, **options)
        else:
            of_rows = {name: options.get(name) for name in ("offset", "exposure")}
            named = self.offsets(X, of_rows)  # what the user gives goes before the table's
            X, y = self.rows(X), self.targets(y)
        rest = any(p.kind is p.VAR_KEYWORD for p in takes.values())
        given = {name: value for name, value in named.items() if rest or name in takes}
        given |= {"X": X, "y": y, "sample_weight": sample_weight}
        return options | {name: value for name, value in given.items() if value is not None}

    def training_rows(
        self, X: Any, y: Any = None, sample_weight: Any = None, **options: Any
    ) -> tuple[Any, Any, Any, dict[str, Any]]:
        """X and y as the model takes them, weights, and options with offsets and groups.

        A fit by a formula has all of them from the table that X is then. Text names a column of X.
        """
        options = beside(X, options | {"sample_weight": sample_weight})
        sample_weight = options.pop("sample_weight")
        if self._is_of_table(X):
            if options.get("groups") is not None:
                options["groups"] = self.table.groups(X, options["groups"])
            X, y, named = self.table.training_rows(X, y, sample_weight)
            sample_weight = named.pop("sample_weight", None)
            options = named | options
        return self.rows(X), self.targets(y), sample_weight, options

    def offsets(self, X: Any, given: Mapping[str, Any]) -> dict[str, Any]:
        """Offsets and exposures of rows, by name.

        Those that are given, as values or as names of columns; and of a fit by a formula those of
        the table that X is then.
        """
        of_table = self.table.offsets(X) if self._is_of_table(X) else {}
        return of_table | {name: of for name, of in beside(X, given).items() if of is not None}

    def complete(self, X: Any, along: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Rows, and what goes with them, without those that a fit by a formula leaves out.

        To what goes with them its offsets are added.
        """
        found = beside(X, {name: of for name, of in along.items() if of is not None})
        return self.table.complete(X, found) if self._is_of_table(X) else (X, found)

    def known(self, X: Any) -> Any:
        """Which rows have all that predictions read, shape (n,); all, unless a fit leaves some out.

        What is not known is refused later.
        """
        if not self._is_of_table(X) or is_dask(X) or self.table.na != "drop":
            return np.ones(1, dtype=bool)
        return self.table.kept(X, new=True)

    def _is_of_table(self, X: Any) -> bool:
        return self.table is not None and X is not None and not isinstance(X, RowStream)

    @property
    def transformation(self) -> str | None:
        """What is applied to y, in words; None if nothing is."""
        return None if self.target is None else _named(self.target)

    def refuse_fitted_to_targets(self) -> None:
        """Raise where a step was fitted to y: inference would take its choice as given.

        Selection of columns and encoders of targets are such steps. One that was fitted to other
        rows does no harm; scikit-learn's ``FrozenEstimator`` says that it was.
        """
        for name, step in self.steps:
            if (inner := step_fitted_to_targets(step)) is not None:
                found = type(inner).__name__
                where = f"({found})" if inner is step else f"has a step in it ({found}) that"
                raise InferenceError(
                    f"step {name!r} {where} was fitted to y: standard errors and tests that do not "
                    "know of it are wrong, mostly too good. Fit it to other rows, and put it "
                    "into the pipeline as sklearn.frozen.FrozenEstimator(step); or leave it "
                    "out."
                )

    def transformed(self, X: Any) -> Any:
        """Rows in memory as the steps give them to the model."""
        for name, step in self.steps:
            try:
                X = step.transform(X)
            except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
                why = short(" ".join(str(error).split()).removesuffix("."), _LONGEST_REASON)
                raise ValueError(
                    f"X is refused by step {name!r} ({type(step).__name__}): {why}. Pass the rows "
                    "that the pipeline takes, as in its predict(X), not those that its steps make; "
                    "results(…).model has methods that take these."
                ) from error
        return X


def _with_names(told: str, of_fit: Sequence[str], names: Sequence[str]) -> str:
    """What a fit to columns without names has told of them, by the names that the steps give."""
    if list(of_fit) != [f"x{j}" for j in range(len(of_fit))]:
        return told
    return re.sub(
        r"\bx(\d+)\b", lambda x: repr(names[int(x[1])]) if int(x[1]) < len(names) else x[0], told
    )


class _Through(RowStream):
    """The rows of a stream after steps."""

    def __init__(self, route: Route, stream: RowStream) -> None:
        super().__init__(self._read)
        self._route, self._stream = route, stream
        self.has_groups = stream.has_groups and not stream.in_parts

    def _read(self) -> Iterator[tuple[Any, ...]]:
        for _, (X, y, *more) in self._stream.nonempty():
            rows = X.frame() if isinstance(X, CodedBlock) else X
            yield self._route.transformed(rows), self._route.targets(y), *more

    def place(self, number: int) -> str:
        """Where a block is, for errors."""
        return self._stream.place(number)

    def group_labels(self) -> Any:
        """The clusters of the rows, if the stream holds them."""
        return self._stream.group_labels()


def _refuse_samplers(steps: list[tuple[str, Any]], what: str) -> None:
    """Refuse steps that change the rows, as those of imbalanced-learn do."""
    for name, step in steps:
        if not hasattr(step, "transform"):
            raise TypeError(
                f"step {name!r} ({type(step).__name__}) has no transform, as steps that sample "
                f"rows have none: {what} would not know the training rows. Fit the model to the "
                "sampled rows outside the pipeline, or leave the step out."
            )


def _require_model(model: Any, what: str, where: str) -> None:
    """Refuse what is no model of this package, or has no table of parameters."""
    record = getattr(model, "_fit", None)
    if isinstance(record, ParameterFit | PrincipalComponents):
        return
    if isinstance(model, str) or model is None:
        raise TypeError(
            f"{what} needs a model of mcmodels; found {model!r}{where}, which fits nothing."
        )
    if hasattr(model, "cv_results_"):
        raise TypeError(
            f"{what} needs a search with a best_estimator_; found {type(model).__name__}{where} "
            "with refit=False. Fit it with refit=True, or pass a model that was fitted with its "
            "best_params_."
        )
    library = type(model).__module__.partition(".")[0]
    found = f"found {type(model).__name__}{where}"
    if library == "mcmodels" and hasattr(model, "_unchecked_record"):
        model._unchecked_record()  # coefficients that were assigned without a fit
    if library == "mcmodels":
        raise TypeError(
            f"{what} needs a model with a table of parameters; {found}, a network. There "
            "are LinearRegression, LogisticRegression, FirthLogisticRegression, "
            "GeneralizedLinearRegressor, QuantileRegressor, PCA, ObjectiveRegressor and "
            "ObjectiveClassifier."
        )
    raise TypeError(f"the model comes from {library}; {what} needs a model of mcmodels; {found}.")


def _named(transformer: Any) -> str | None:
    """A transformer of targets, in words; None if it leaves them as they are."""
    if not hasattr(transformer, "func"):
        return type(transformer).__name__
    if transformer.func is None:
        return None
    name = getattr(transformer.func, "__name__", "<lambda>")
    return "func" if name == "<lambda>" else str(name)
