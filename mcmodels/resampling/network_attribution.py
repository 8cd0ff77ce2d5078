"""Functions of a network, and the effects of its rows on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from mcmodels.arrays import Array
from mcmodels.estimators.linear_predictor import index_of
from mcmodels.estimators.network_layers import network_rows
from mcmodels.estimators.streams import checked_rows
from mcmodels.estimators.validation import validated_rows
from mcmodels.estimators.verdicts import warn_not_converged
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.delta import jacobian
from mcmodels.objectives import BinaryCrossEntropy, SoftmaxCrossEntropy
from mcmodels.objectives.network_losses import HalfPoissonDeviance, LabelCrossEntropy
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.records.networks import NetworkFit
from mcmodels.resampling.fit_functions import LossOn, PredictionAt
from mcmodels.resampling.responses import class_position
from mcmodels.resampling.training_data import TrainingData
from mcmodels.reweighting.network_effects import damped_solve, losses_along

__all__ = ["NetworkEffects", "network_effects", "network_function"]


@dataclass(frozen=True)
class NetworkEffects:
    """Effects of the rows of a network on a number.

    Parameters
    ----------
    name : str
        What the number is.
    value : float
        f.
    effects : ndarray of shape (n,)
        Of leaving out each row.
    damping : float
        λ.
    index : Index
        Of the rows.
    """

    name: str
    value: float
    effects: Array
    damping: float
    index: pd.Index


def network_effects(data: TrainingData, of: Any) -> NetworkEffects:
    """The effects of the rows of a fitted network on f, to first order."""
    model = data.model
    record = model._record()
    _refuse_no_minimum(record)
    index = index_of(data.X)
    X, targets, weights = checked_rows(model, data.X, data.y, data.sample_weight, **model._for_y)
    index = index_of(X) if index is None else index
    y, weights = model._preparation()(targets, weights)
    network, params, alpha = model._network, model.params_.copy(), record.alpha
    objective = NetworkObjective(
        network_rows(network, X, y, weights), network, model._loss(), alpha
    )
    record.require_training_rows(objective.rows, objective, params)
    name, function, gradient = _function(model, of, params)
    value = function(params)
    found = damped_solve(objective, params, gradient)
    if found is None:
        raise InferenceError(
            "no damping of the Hessian at these parameters was enough for a solve with it. Fit "
            "until the gradient is small (lower tol, raise max_iter), with alpha > 0."
        )
    if found.damping:
        warn_not_converged(
            "the network is at no strict minimum: its Hessian has directions without curvature, or "
            f"with negative one. {found.damping:.2g} was added to its diagonal, and effects are "
            "those of that matrix. Lower tol, raise alpha, or check with .refit(rows)."
        )
    unweighted = NetworkObjective(network_rows(network, X, y, None), network, model._loss(), alpha)
    effects = losses_along(network, unweighted, params, found.solution)
    if weights is not None:
        effects = effects * weights
    index = pd.RangeIndex(len(effects)) if index is None else index
    return NetworkEffects(name, value, effects, found.damping, index)


def _refuse_no_minimum(record: Any) -> None:
    if not isinstance(record, NetworkFit):
        record.refuse("attribution")
    if record.had_early_stopping:
        raise InferenceError(
            "attribution needs a fit to all rows, at a minimum; early stopping has chosen the "
            "parameters by the rows that were held out. Fit with early_stopping=False."
        )


def network_function(model: Any, of: Any) -> Callable[[Array], float]:
    """The number that ``of`` says of a fitted network, as a function of its parameters."""
    return _function(model, of, model.params_.copy())[1]


def _function(model: Any, of: Any, params: Array) -> tuple[str, Callable[[Array], float], Array]:
    """The name of f, f, and its gradient at the parameters."""
    if isinstance(of, LossOn):
        elsewhere = model._objective_on(of.X, of.y, of.sample_weight)
        without = NetworkObjective(elsewhere.rows, elsewhere.network, elsewhere.loss, 0.0)
        total = without.rows.total_weight
        return (
            repr(of),
            lambda at: without.value(at) / total,
            without.gradient(params) / total,
        )
    if isinstance(of, PredictionAt):
        return _prediction(model, of, params)
    if not callable(of):
        raise TypeError(
            f"of={example_of(of)} is no function of a network; give a function of the vector "
            "params_, prediction_at(x) or loss_on(X, y)."
        )

    def function(at: Array) -> float:
        found = np.asarray(of(np.array(at)))
        if found.size != 1 or found.dtype.kind not in "fiub":
            raise TypeError(f"of returned {example_of(found)}; it must return one real number.")
        return float(found.ravel()[0])

    function(params)
    size = np.maximum(np.abs(params), 1.0)
    J = jacobian(lambda at: np.reshape(of(at), -1), params, np.diag(1e-3 * size))
    return "of", function, J[0]


def _prediction(
    model: Any, of: PredictionAt, params: Array
) -> tuple[str, Callable[[Array], float], Array]:
    network = model._network
    rows = network_rows(network, validated_rows(model, of.X), None, None)
    if rows.n_rows != 1:
        raise ValueError(
            f"prediction_at takes one row, and X has {rows.n_rows}. Call attribution once for each "
            "row; for their mean loss take loss_on(X, y)."
        )
    response, slope = _response(model, of.output, model._loss())

    def eta(at: Array) -> Array:
        return rows.map(lambda block: network.hidden(block.X, network.unflatten(at))[-1])[0]

    J = rows.map(lambda block: network.output_jacobian(block.X, params))[0]
    return repr(of), lambda at: response(eta(at)), np.asarray(slope(eta(params)) @ J)


def _response(
    model: Any, output: Any, loss: Any
) -> tuple[Callable[[Array], float], Callable[[Array], Array]]:
    """What is predicted from the outputs η of a row, and its gradient in η."""
    if isinstance(loss, SoftmaxCrossEntropy):
        k = class_position(model.classes_, output)

        def of_class(eta: Array) -> Array:
            p = softmax(eta)
            return np.asarray(p[k] * ((np.arange(len(eta)) == k) - p))

        return lambda eta: float(softmax(eta)[k]), of_class
    if isinstance(loss, BinaryCrossEntropy):
        sign = 1.0 if class_position(model.classes_, output) == 1 else -1.0
        return (
            lambda eta: float(expit(sign * eta[0])),
            lambda eta: sign * expit(eta) * expit(-eta),
        )
    names = model._record().target_names
    if len(names) < 2 and output is None:
        k = 0
    elif output in names:
        k = names.index(output)
    else:
        said = "say which" if output is None else f"output={example_of(output)} is none"
        raise ValueError(f"there are several outputs; {said} by output=, one of {list(names)}.")
    unit = np.zeros(model.n_outputs_)
    unit[k] = 1.0

    if isinstance(loss, HalfPoissonDeviance):
        return lambda eta: float(np.exp(eta[k])), lambda eta: unit * np.exp(eta)
    if isinstance(loss, LabelCrossEntropy):
        return lambda eta: float(expit(eta[k])), lambda eta: unit * expit(eta) * expit(-eta)
    return lambda eta: float(eta[k]), lambda eta: unit
