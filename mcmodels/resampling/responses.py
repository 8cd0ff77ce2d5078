"""What a model predicts from the linear predictors of a row, with first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from mcmodels.arrays import Array
from mcmodels.estimators.pointwise import inverse_link_derivatives
from mcmodels.exceptions import example_of
from mcmodels.objectives import BinaryCrossEntropy, SoftmaxCrossEntropy
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import LINKS, Link
from mcmodels.objectives.network_losses import HalfPoissonDeviance, LabelCrossEntropy

__all__ = ["Response", "network_response_of", "response_of"]


@dataclass(frozen=True)
class Response:
    """A function h of the K linear predictors of a row.

    Parameters
    ----------
    value : callable
        ``h(η)``.
    gradient : callable
        ``∂h/∂η``, shape (K,).
    hessian : callable
        ``∂²h/∂η²``, shape (K, K).
    """

    value: Callable[[Array], float]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]


def response_of(model: Any, output: Any = None) -> Response:
    """What ``predict`` or ``predict_proba`` of a model says of a row.

    Parameters
    ----------
    model : estimator
        A fitted model with linear predictors.
    output : label, default=None
        The class or the target that is meant.
    """
    record = model._record()
    loss = getattr(record, "loss", None)
    if isinstance(loss, FamilyLoss):
        _refuse_output(model, output)
        return _of_link(loss.link)
    if hasattr(model, "inverse_link"):
        return _own_response(model, output)
    if hasattr(model, "classes_"):
        return _probability(model.classes_, output)
    targets = record.targets
    return _of_link(LINKS["identity"], len(targets), _target_position(model, targets, output))


def network_response_of(model: Any, output: Any = None) -> Response:
    """What a network predicts from the outputs η of its last layer for a row.

    Parameters
    ----------
    model : MLPRegressor or MLPClassifier
        A fitted network.
    output : label, default=None
        The class or the target that is meant.
    """
    loss = model._loss()
    if isinstance(loss, SoftmaxCrossEntropy | BinaryCrossEntropy):
        return _probability(model.classes_, output)
    k = _target_position(model, model._record().target_names, output)
    links = {HalfPoissonDeviance: "log", LabelCrossEntropy: "logit"}
    return _of_link(LINKS[links.get(type(loss), "identity")], model.n_outputs_, k)


def _class_position(classes: Any, output: Any) -> int:
    """Position of the class that is meant."""
    labels = np.asarray(classes).tolist()
    if output is None:
        if len(labels) == 2:
            return 1
        raise ValueError(
            f"there are {len(labels)} classes; say which probability is meant by output=, one of "
            f"{labels}."
        )
    for k, label in enumerate(labels):
        if label == output:
            return k
    raise ValueError(f"output={example_of(output)} is not a class; there are {labels}.")


def _target_position(model: Any, targets: Any, output: Any) -> int:
    """Position of the target that is meant."""
    names = list(targets)
    if output in names:
        return names.index(output)
    if len(names) < 2:
        _refuse_output(model, output)
        return 0
    said = "say which" if output is None else f"output={example_of(output)} is none"
    raise ValueError(f"there are several targets; {said} by output=, one of {names}.")


def _of_link(link: Link, K: int = 1, k: int = 0) -> Response:
    """The mean that the inverse link gives the k-th of K linear predictors."""
    unit = np.zeros(K)
    unit[k] = 1.0
    return Response(
        lambda eta: float(link.mean(eta[[k]])[0]),
        lambda eta: unit * link.slopes(eta[[k]])[0],
        lambda eta: np.outer(unit, unit) * link.slopes(eta[[k]])[1],
    )


def _probability(classes: Any, output: Any) -> Response:
    """The probability of a class; of two classes η is the log-odds of the second."""
    k = _class_position(classes, output)
    if len(classes) > 2:
        return _softmax(k)
    logit = LINKS["logit"]
    second = _of_link(logit)
    if k == 1:
        return second
    return Response(
        lambda eta: float(logit.complement(eta)[0]),
        lambda eta: -second.gradient(eta),
        lambda eta: -second.hessian(eta),
    )


def _softmax(k: int) -> Response:
    def from_mean(eta: Array) -> tuple[Array, Array]:
        p = softmax(eta)
        unit = np.zeros(len(eta))
        unit[k] = 1.0
        return p, unit - p

    def gradient(eta: Array) -> Array:
        p, apart = from_mean(eta)
        return np.asarray(p[k] * apart)

    def hessian(eta: Array) -> Array:
        p, apart = from_mean(eta)
        return np.asarray(p[k] * (np.outer(apart, apart) - np.diag(p) + np.outer(p, p)))

    return Response(lambda eta: float(softmax(eta)[k]), gradient, hessian)


def _own_response(model: Any, output: Any) -> Response:
    """η by the inverse link of a loss that the user has written."""
    k = 1
    if hasattr(model, "classes_"):
        k = _class_position(model.classes_, output)
    else:
        _refuse_output(model, output)
    link = model._bound_link()
    if link is None:
        if hasattr(model, "classes_"):
            raise ValueError(
                f"this {type(model).__name__} has no inverse_link, and so no probabilities. Set "
                "it, or take a function of params_."
            )
        return _of_link(LINKS["identity"])
    derivative = inverse_link_derivatives(link)
    sign = 1.0 if k == 1 else -1.0
    return Response(
        lambda eta: float(derivative(eta, 0)[0]) if k == 1 else 1.0 - float(derivative(eta, 0)[0]),
        lambda eta: sign * np.asarray(derivative(eta, 1)),
        lambda eta: sign * np.asarray(derivative(eta, 2)).reshape(1, 1),
    )


def _refuse_output(model: Any, output: Any) -> None:
    if output is not None:
        raise ValueError(
            f"output={example_of(output)} is for models of classes or of several targets; "
            f"this {type(model).__name__} has one prediction for each row. Leave it out."
        )
