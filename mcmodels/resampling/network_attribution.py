"""Functions of a network, and the effects of its rows on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.estimators.linear_predictor import index_of
from mcmodels.estimators.network_layers import network_rows
from mcmodels.estimators.streams import checked_rows
from mcmodels.estimators.validation import validated_rows
from mcmodels.estimators.verdicts import warn_not_converged
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.records.networks import NetworkFit
from mcmodels.resampling.fit_functions import (
    LossOn,
    OfParams,
    PredictionAt,
    refuse_several_rows,
    refuse_without_slope,
)
from mcmodels.resampling.responses import network_response_of
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
    function = OfParams("of", of, params.shape)
    gradient = function.gradient(params)
    refuse_without_slope(gradient, "Take a smooth function, which is not least there.")
    return "of", function.value, gradient


def _prediction(
    model: Any, of: PredictionAt, params: Array
) -> tuple[str, Callable[[Array], float], Array]:
    network = model._network
    rows = network_rows(network, validated_rows(model, of.X), None, None)
    refuse_several_rows(rows)
    response = network_response_of(model, of.output)

    def eta(at: Array) -> Array:
        return rows.map(lambda block: network.hidden(block.X, network.unflatten(at))[-1])[0]

    J = rows.map(lambda block: network.output_jacobian(block.X, params))[0]
    gradient = np.asarray(response.gradient(eta(params)) @ J)
    return repr(of), lambda at: response.value(eta(at)), gradient
