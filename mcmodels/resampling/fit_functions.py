"""Functions of a fit whose change by leaving out rows is asked for.

A function f is known by its value at any parameters, and by its gradient and Hessian in the
coordinates u of a :class:`~mcmodels.reweighting.whitened_fit.WhitenedFit` at the fit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mcmodels.arrays import Array, MatrixLike, VectorLike, Weights
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.delta import jacobian, second_derivatives
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.resampling.parameter_names import NamedCoefficient, coefficient
from mcmodels.resampling.responses import Response, response_of
from mcmodels.reweighting.whitened_fit import WhitenedFit
from mcmodels.rows import RowBlock, Rows

__all__ = [
    "FitFunction",
    "LossOn",
    "OfParams",
    "PredictionAt",
    "fit_function",
    "loss_on",
    "prediction_at",
    "refuse_several_rows",
    "refuse_without_slope",
]


@dataclass(frozen=True, eq=False)
class PredictionAt:
    """What a model predicts for a row; see :func:`prediction_at`."""

    X: Any
    output: Any = None
    offsets: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "prediction" if self.output is None else f"prediction of {self.output}"


@dataclass(frozen=True, eq=False)
class LossOn:
    """The mean loss of a model on some rows; see :func:`loss_on`."""

    X: Any
    y: Any = None
    sample_weight: Any = None
    offsets: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "mean loss"


def prediction_at(X: MatrixLike, *, output: Any = None, **offsets: Any) -> PredictionAt:
    """What a model predicts for a row, as a function of its fit; for ``of=`` of attribution.

    Parameters
    ----------
    X : array-like of shape (n_features,) or (1, n_features)
        The features of the row.
    output : label, default=None
        Of a classifier, the class whose probability is meant; with two classes by default
        ``classes_[1]``. With several targets, the name of the target.
    **offsets
        ``offset`` and ``exposure`` of the row, where the model was fitted with them.

    Returns
    -------
    PredictionAt

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, attribution, prediction_at
    >>> X, y = np.arange(5.0)[:, np.newaxis], [0.0, 1, 2, 3, 9]
    >>> model = LinearRegression().fit(X, y)
    >>> found = attribution(model, X, y, of=prediction_at([5.0]))
    >>> round(found.value, 6), found.effects.round(2).tolist()
    (9.0, [1.0, 0.0, 0.25, 1.43, -4.0])
    """
    return PredictionAt(X, output, offsets)


def loss_on(
    X: MatrixLike,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    **offsets: Any,
) -> LossOn:
    """The mean loss of a model on some rows, as a function of its fit; for ``of=`` of attribution.

    The loss is the one that the model minimises: the squared error of linear fits, the log loss of
    classes, the loss ℓ of docs/conventions.md of others; without the penalty.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
        Features of rows that the fit has not seen, say.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the mean.
    **offsets
        ``offset`` and ``exposure`` of these rows.

    Returns
    -------
    LossOn

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, attribution, loss_on
    >>> X, y = np.arange(6.0)[:, np.newaxis], [0.0, 1, 2, 3, 4, 0]
    >>> model = LinearRegression().fit(X, y)
    >>> found = attribution(model, X, y, of=loss_on([[6.0], [7.0]], [6.0, 7.0]), order=2)
    >>> bool(found.effects[5] < 0)  # without the last row the model is better on these
    True
    """
    return LossOn(X, y, sample_weight, offsets)


class FitFunction(ABC):
    """A number that depends on the parameters of a fit."""

    name: str

    @abstractmethod
    def value(self, params: Array) -> float:
        """The number at parameters of shape (P,) or (K, P)."""

    @abstractmethod
    def slope(self, fit: WhitenedFit) -> Array:
        """The gradient of f in u at the fit, shape (R,)."""

    @abstractmethod
    def bend(self, fit: WhitenedFit) -> Array:
        """The Hessian of f in u at the fit, shape (R, R)."""

    @abstractmethod
    def refuse_undetermined(self, model: Any) -> None:
        """Raise if the rows of the fit do not determine f."""

    def changes(self, fit: WhitenedFit, U: Array) -> Array:
        """How much f changes by exact steps of shape (m, R) from the fit, shape (m,)."""
        before = self.value(fit.params)
        moved = fit.basis.parameters(U.T).reshape(len(U), *np.shape(fit.params))
        return np.array([self.value(fit.params + change) - before for change in moved])


def fit_function(model: Any, of: Any) -> FitFunction:
    """The function of a fitted model that ``of=`` names.

    Parameters
    ----------
    model : estimator
        A fitted model with linear predictors.
    of : str, tuple, callable, PredictionAt, LossOn or NamedCoefficient
        See :func:`mcmodels.attribution`; a coefficient that has been found already is taken as it
        is, by its place.
    """
    if isinstance(of, PredictionAt):
        return _prediction(model, of)
    if isinstance(of, LossOn):
        return _mean_loss(model, of)
    record = model._record()
    if callable(of):
        return OfParams("of", of, model.params_.shape)
    found = of if isinstance(of, NamedCoefficient) else coefficient(record, of)
    return _Linear(found.name, found.gradient)


def _space(model: Any) -> EstimableSpace | None:
    """Which functions of the parameters the fit determines; None if all."""
    space: EstimableSpace | None = model._record().model.estimable
    return space


def _contains_all(space: EstimableSpace, rows: Rows) -> bool:
    """Whether the linear predictor of every row is determined."""
    return bool(rows.map(lambda block: space.contains(block).astype(np.float64)).all())


def _parameter_map(fit: WhitenedFit) -> Array:
    """The changes of the raveled parameters by those of u, shape (R, K·P)."""
    R = fit.basis.size
    return fit.basis.parameters(np.eye(R)).reshape(R, -1)


@dataclass(frozen=True)
class _Linear(FitFunction):
    """A combination of parameters."""

    name: str
    gradient: Array

    def value(self, params: Array) -> float:
        return float(self.gradient @ np.ravel(params))

    def slope(self, fit: WhitenedFit) -> Array:
        return np.asarray(_parameter_map(fit) @ self.gradient)

    def bend(self, fit: WhitenedFit) -> Array:
        return np.zeros((fit.basis.size,) * 2)

    def refuse_undetermined(self, model: Any) -> None:
        if (space := _space(model)) is not None:
            space.require(self.gradient[np.newaxis], (self.name,))

    def changes(self, fit: WhitenedFit, U: Array) -> Array:
        return np.asarray(U @ self.slope(fit))


@dataclass(frozen=True)
class OfParams(FitFunction):
    """A function that the user has written, of an array in the shape of ``params_``.

    Parameters
    ----------
    name : str
        What it is called in results.
    function : callable
        The function.
    shape : tuple of int
        The shape of ``params_``.
    """

    name: str
    function: Callable[[Array], Any]
    shape: tuple[int, ...]

    def value(self, params: Array) -> float:
        """The number at these parameters; refused if it is none, or not finite."""
        found = np.asarray(self.function(np.array(params, dtype=np.float64).reshape(self.shape)))
        if found.size != 1 or found.dtype.kind not in "fiub":
            raise TypeError(
                f"of returned {example_of(found)}; it must return one real number. Call "
                "attribution once for each number that you want."
            )
        number = float(found.ravel()[0])
        if not np.isfinite(number):
            raise InferenceError(f"of is {number} at the parameters {example_of(params)}.")
        return number

    def slope(self, fit: WhitenedFit) -> Array:
        """The gradient in u; differences, where they are needed, are along steps of the fit."""
        M = _parameter_map(fit)
        return np.asarray(M @ self.gradient(np.asarray(fit.params), M.T))

    def refuse_undetermined(self, model: Any) -> None:
        """Raise if the rows of the fit do not determine f."""
        if (space := _space(model)) is not None:
            space.require(
                self.gradient(np.asarray(model._record().params))[np.newaxis], (self.name,)
            )

    def gradient(self, theta: Array, directions: Array | None = None) -> Array:
        """The gradient by the raveled parameters; by differences where autodiff has none.

        Parameters
        ----------
        theta : ndarray
            The parameters.
        directions : ndarray of shape (number of parameters, number of directions), default=None
            Steps of differences; by default a thousandth of each parameter, or of one.
        """
        if directions is None:
            directions = np.diag(1e-3 * np.maximum(np.abs(theta.ravel()), 1.0))
        theta = theta.reshape(self.shape)
        self.value(theta)
        return jacobian(lambda at: np.reshape(self.function(at), -1), theta, directions)[0]

    def bend(self, fit: WhitenedFit) -> Array:
        """The Hessian in u, by autodiff."""
        M = _parameter_map(fit)
        theta = np.asarray(fit.params).reshape(self.shape)
        try:
            H = second_derivatives(self.function, theta)
        except (TypeError, ValueError, AttributeError) as error:
            raise TypeError(
                f"order=2 needs second derivatives of of, and autodiff has none: {error} Write it "
                "with NumPy's functions, or take order=1."
            ) from error
        if not np.isfinite(H).all():
            raise InferenceError("of has no finite second derivatives at the fit; take order=1.")
        return np.asarray(M @ H @ M.T)


def refuse_without_slope(slope: Array, remedy: str) -> None:
    """Raise if a function of the user's has no slope at the fit: all effects would be zero."""
    if not slope.any():
        raise InferenceError(
            "of has a slope of zero at the fit, as a constant and a step have, and a smooth "
            f"function where it is least: all of its effects would be zero. {remedy}"
        )


@dataclass(frozen=True)
class _Prediction(FitFunction):
    """A function of the linear predictors of one row."""

    name: str
    rows: Rows
    response: Response

    def value(self, params: Array) -> float:
        return self.response.value(self._eta(params))

    def slope(self, fit: WhitenedFit) -> Array:
        return np.asarray(self.response.gradient(self._eta(fit.params)) @ self._whitened(fit))

    def bend(self, fit: WhitenedFit) -> Array:
        Z = self._whitened(fit)
        return np.asarray(Z.T @ self.response.hessian(self._eta(fit.params)) @ Z)

    def refuse_undetermined(self, model: Any) -> None:
        if (space := _space(model)) is not None and not _contains_all(space, self.rows):
            raise InferenceError(f"the prediction for this row is not determined. {space.reason}")

    def _eta(self, params: Array) -> Array:
        found = self.rows.map(lambda block: block.linear_predictor(params))
        return np.asarray(found.reshape(-1), dtype=np.float64)

    def _whitened(self, fit: WhitenedFit) -> Array:
        return self.rows.map(fit.basis.rows_of)[0]


def _prediction(model: Any, of: PredictionAt) -> FitFunction:
    offsets = {name: np.ravel(value) for name, value in of.offsets.items() if value is not None}
    if len(model._record().predictor_params.shape) > 1 and "offset" in offsets:
        offsets["offset"] = np.atleast_2d(offsets["offset"])
    rows, _ = model._indexed_rows(of.X, None, **offsets)
    refuse_several_rows(rows)
    return _Prediction(repr(of), rows, response_of(model, of.output))


def refuse_several_rows(rows: Rows) -> None:
    """Raise if ``prediction_at`` was given more than one row, or none."""
    if rows.n_rows != 1:
        raise ValueError(
            f"prediction_at takes one row, and X has {rows.n_rows}. Call attribution once for each "
            "row; for their mean loss take loss_on(X, y)."
        )


@dataclass(frozen=True)
class _MeanLoss(FitFunction):
    """``Σ wᵢ ℓᵢ / Σ wᵢ`` over some rows."""

    name: str
    objective: Any

    def value(self, params: Array) -> float:
        return float(self.objective.value(params)) / self._total

    def slope(self, fit: WhitenedFit) -> Array:
        def summarise(block: RowBlock) -> Array:
            terms = self._over(fit).terms(block)
            Z, w = terms.Z, block.weights_or_ones
            return np.einsum("ikr,ik,i->r", Z, terms.slope, w, optimize=True)

        return np.asarray(self.objective.rows.reduce(summarise)) / self._total

    def bend(self, fit: WhitenedFit) -> Array:
        def summarise(block: RowBlock) -> Array:
            terms = self._over(fit).terms(block)
            Z, w = terms.Z, block.weights_or_ones
            curved = np.einsum("ikj,ijr,i->ikr", terms.curvature, Z, w, optimize=True)
            return Z.reshape(-1, Z.shape[2]).T @ curved.reshape(-1, Z.shape[2])

        return np.asarray(self.objective.rows.reduce(summarise)) / self._total

    def refuse_undetermined(self, model: Any) -> None:
        space = _space(model)
        if space is not None and not _contains_all(space, self.objective.rows):
            raise InferenceError(
                f"predictions for some rows of loss_on are not determined. {space.reason}"
            )

    @property
    def _total(self) -> float:
        return self.objective.rows.total_weight

    def _over(self, fit: WhitenedFit) -> WhitenedFit:
        return replace(fit, rows=self.objective.rows)


def _mean_loss(model: Any, of: LossOn) -> FitFunction:
    objective = model._objective_on(of.X, of.y, of.sample_weight, **of.offsets)
    objective = objective.over(objective.rows, 0.0)
    return _MeanLoss(repr(of), objective)
