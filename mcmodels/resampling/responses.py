"""What a model predicts from the linear predictors of a row, with first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from mcmodels.arrays import Array
from mcmodels.estimators.pointwise import inverse_link_derivatives
from mcmodels.exceptions import example_of
from mcmodels.objectives.family_loss import FamilyLoss

__all__ = ["Response", "class_position", "response_of"]


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
        return _of_one(loss.link.mean, lambda eta, k: loss.link.slopes(eta)[k - 1])
    if hasattr(model, "inverse_link"):
        return _own_response(model, output)
    if hasattr(model, "classes_"):
        k = class_position(model.classes_, output)
        if len(model.classes_) > 2:
            return _softmax(k)
        return _signed(_of_one(expit, _logistic_slopes), k)
    return _target(model, output)


def class_position(classes: Any, output: Any) -> int:
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


def _of_one(mean: Callable[[Array], Array], slopes: Callable[[Array, int], Array]) -> Response:
    """From a function of one linear predictor, and its derivatives of order 1 and 2."""
    return Response(
        lambda eta: float(mean(eta)[0]),
        lambda eta: np.asarray(slopes(eta, 1)),
        lambda eta: np.asarray(slopes(eta, 2)).reshape(1, 1),
    )


def _logistic_slopes(eta: Array, order: int) -> Array:
    first = expit(eta) * expit(-eta)
    return np.asarray(first if order == 1 else first * -np.tanh(eta / 2))


def _signed(second: Response, k: int) -> Response:
    """The probability of the class k of two, from that of the second."""
    if k == 1:
        return second
    return Response(
        lambda eta: float(expit(-eta[0])),
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
        k = class_position(model.classes_, output)
    else:
        _refuse_output(model, output)
    link = model._bound_link()
    if link is None:
        if hasattr(model, "classes_"):
            raise ValueError(
                f"this {type(model).__name__} has no inverse_link, and so no probabilities. Set "
                "it, or take a function of params_."
            )
        return _identity(1, 0)
    derivative = inverse_link_derivatives(link)
    sign = 1.0 if k == 1 else -1.0
    return Response(
        lambda eta: float(derivative(eta, 0)[0]) if k == 1 else 1.0 - float(derivative(eta, 0)[0]),
        lambda eta: sign * np.asarray(derivative(eta, 1)),
        lambda eta: sign * np.asarray(derivative(eta, 2)).reshape(1, 1),
    )


def _target(model: Any, output: Any) -> Response:
    """η of a linear model, or of one of its targets."""
    targets = model._record().targets
    if len(targets) == 1:
        _refuse_output(model, output)
        return _identity(1, 0)
    if output not in targets:
        said = "say which" if output is None else f"output={example_of(output)} is none"
        raise ValueError(f"there are several targets; {said} by output=, one of {list(targets)}.")
    return _identity(len(targets), targets.index(output))


def _identity(K: int, k: int) -> Response:
    unit = np.zeros(K)
    unit[k] = 1.0
    return Response(lambda eta: float(eta[k]), lambda eta: unit, lambda eta: np.zeros((K, K)))


def _refuse_output(model: Any, output: Any) -> None:
    if output is not None:
        raise ValueError(
            f"output={example_of(output)} is for models of classes or of several targets; "
            f"this {type(model).__name__} has one prediction for each row. Leave it out."
        )
