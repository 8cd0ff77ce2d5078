"""The way from the rows that a user has to the model behind pipelines, searches and targets."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_selection import SelectorMixin, VarianceThreshold
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from mcmodels.exceptions import InferenceError, example_of
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.records.record import ParameterFit
from mcmodels.rows import RowStream

__all__ = ["Route"]


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
    nameless : str
        The step that has no names, for errors; empty if all have.
    target : transformer, or None
        What is applied to y.
    notes : tuple of str
        What the reader of a result should know of the way.
    """

    model: Any
    steps: tuple[tuple[str, Any], ...] = ()
    names: tuple[str, ...] | None = None
    nameless: str = ""
    target: Any = None
    notes: tuple[str, ...] = ()

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
        if isinstance(fitted, type) or not hasattr(fitted, "fit"):
            found = (
                f"the class {fitted.__name__}" if isinstance(fitted, type) else example_of(fitted)
            )
            raise TypeError(f"{what} needs a fitted model of mcmodels; found {found}.")
        check_is_fitted(fitted)
        steps: list[tuple[str, Any]] = []
        notes: list[str] = []
        target, where, model = None, "", fitted
        while True:
            if hasattr(model, "best_estimator_"):
                notes.append(
                    f"{type(model).__name__} has chosen this model by the same rows; standard "
                    "errors and tests take it as given, and are too good."
                )
                model = model.best_estimator_
            elif isinstance(model, Pipeline):
                steps += [(name, step) for name, step in model.steps[:-1] if _is_step(step)]
                model, where = model.steps[-1][1], " at the end of the pipeline"
            elif isinstance(model, TransformedTargetRegressor):
                if target is not None:
                    raise TypeError(
                        f"{what} takes one TransformedTargetRegressor, and found one inside "
                        "another; join their functions."
                    )
                target, model = model.transformer_, model.regressor_
                notes.append(f"The target is that of the model: y after {_named(target)}.")
            elif type(model).__name__ == "FrozenEstimator":
                model = model.estimator
            else:
                break
        _require_model(model, what, where)
        names, nameless = _names_of(steps)
        if names is not None:
            named = copy.copy(model)
            named._fit = replace(model._fit, names=names)
            model = named
        return cls(model, tuple(steps), names, nameless, target, tuple(notes))

    def rows(self, X: Any) -> Any:
        """X as the steps give it to the model; of a stream, block by block. None stays None."""
        if X is None or not self.steps:
            return X
        if isinstance(X, RowStream):
            return RowStream(
                lambda: (
                    (self._transformed(block), self._targets(y), *more)
                    for _, (block, y, *more) in X.nonempty()
                )
            )
        return self._transformed(X)

    def targets(self, y: Any) -> Any:
        """Y as the model takes it. None stays None."""
        return None if y is None else self._targets(y)

    def refuse_fitted_to_targets(self) -> None:
        """Raise where a step was fitted to y: inference would take its choice as given.

        Selection of columns and encoders of targets are such steps. One that was fitted to other
        rows does no harm; scikit-learn's ``FrozenEstimator`` says that it was.
        """
        for name, step in self.steps:
            for inner in _parts_of(step):
                if _reads_targets(inner):
                    of = "" if inner is step else f" in it ({type(inner).__name__})"
                    raise InferenceError(
                        f"step {name!r}{of} was fitted to y: standard errors and tests that do not "
                        "know of it are wrong, mostly too good. Fit it to other rows, and put it "
                        "into the pipeline as sklearn.frozen.FrozenEstimator(step); or leave it "
                        "out."
                    )

    def require_names(self, what: str) -> None:
        """Raise where a step has no names for its columns."""
        if self.nameless:
            raise InferenceError(
                f"{what} needs names of columns, and step {self.nameless} gives none; a "
                "FunctionTransformer has them with feature_names_out='one-to-one', or a function."
            )

    def _transformed(self, X: Any) -> Any:
        for _, step in self.steps:
            X = step.transform(X)
        return X

    def _targets(self, y: Any) -> Any:
        if self.target is None or y is None:
            return y
        found = np.asarray(y)
        moved = self.target.transform(found.reshape(-1, 1) if found.ndim == 1 else found)
        return np.asarray(moved).reshape(found.shape)


def _is_step(step: Any) -> bool:
    return step is not None and not (isinstance(step, str) and step == "passthrough")


def _require_model(model: Any, what: str, where: str) -> None:
    """Refuse what is no model of this package, or has no table of parameters."""
    record = getattr(model, "_fit", None)
    if isinstance(record, ParameterFit | PrincipalComponents):
        return
    library = type(model).__module__.partition(".")[0]
    found = f"found {type(model).__name__}{where}"
    if library == "mcmodels" and hasattr(model, "_unchecked_record"):
        model._unchecked_record()  # coefficients that were assigned without a fit
    if library == "mcmodels":
        raise TypeError(
            f"{what} needs a model with a table of parameters; {found}, a network. There "
            "are LinearRegression, LogisticRegression, FirthLogisticRegression, "
            "GeneralizedLinearRegressor, PCA, ObjectiveRegressor and ObjectiveClassifier."
        )
    raise TypeError(f"the model comes from {library}; {what} needs a model of mcmodels; {found}.")


def _names_of(steps: list[tuple[str, Any]]) -> tuple[tuple[str, ...] | None, str]:
    """Names of the columns after the steps, and the step that has none."""
    names: Any = None
    for name, step in steps:
        try:
            names = step.get_feature_names_out(names)
        except (AttributeError, ValueError):  # a step may give no names
            return None, f"{name!r} ({type(step).__name__})"
    return (None if names is None else tuple(map(str, names))), ""


def _parts_of(step: Any) -> Iterator[Any]:
    """A step, and the steps inside it."""
    yield step
    if isinstance(step, Pipeline):
        inner = [part for _, part in step.steps]
    elif isinstance(step, FeatureUnion):
        inner = [part for _, part in step.transformer_list]
    else:
        inner = [part for _, part, _ in getattr(step, "transformers_", ())]
    for part in inner:
        if _is_step(part) and not isinstance(part, str):
            yield from _parts_of(part)


def _reads_targets(step: Any) -> bool:
    """Whether a step was fitted to y."""
    if type(step).__name__ == "FrozenEstimator":
        return False
    if isinstance(step, SelectorMixin):
        return not isinstance(step, VarianceThreshold)
    try:
        tags = get_tags(step)
    except Exception:  # a step of another library may have none
        return False
    return bool(tags.target_tags.required) or tags.estimator_type in ("regressor", "classifier")


def _named(transformer: Any) -> str:
    """A transformer of targets, in words."""
    function = getattr(transformer, "func", None)
    return getattr(function, "__name__", None) or type(transformer).__name__
