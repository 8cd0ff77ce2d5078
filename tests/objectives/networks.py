"""Networks for the tests: problems, and their objective and gradient as plain NumPy code."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from mcmodels.objectives import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy
from mcmodels.objectives.network import Network
from mcmodels.objectives.network_losses import HalfPoissonDeviance, LabelCrossEntropy
from mcmodels.objectives.network_objective import HalfSquaredError, NetworkObjective
from mcmodels.rows import ArrayRows

# Which loss, and how many outputs.
TASKS = {
    "two classes": (BinaryCrossEntropy(), 1),
    "three classes": (SoftmaxCrossEntropy(), 3),
    "one target": (HalfSquaredError(), 1),
    "two targets": (HalfSquaredError(), 2),
    "counts": (HalfPoissonDeviance(), 1),
    "two counts": (HalfPoissonDeviance(), 2),
    "three labels": (LabelCrossEntropy(), 3),
}
ACTIVATIONS = {
    "identity": lambda a: a,
    "tanh": np.tanh,
    "logistic": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
}


class NetworkProblem(NamedTuple):
    """Rows, a network, and a point."""

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    network: Network
    loss: Loss
    alpha: float
    params: np.ndarray

    def objective(self, X=None, **options):
        """Ours."""
        rows = ArrayRows(
            self.X if X is None else X, self.y, self.weights, intercept=False, **options
        )
        return NetworkObjective(rows, self.network, self.loss, self.alpha)


def network_problem(task, activation, hidden=(4, 3), *, seed=0, n=30, p=3):
    """A small random problem."""
    rng = np.random.default_rng(seed)
    loss, K = TASKS[task]
    if isinstance(loss, HalfSquaredError):
        y = rng.standard_normal(n if K == 1 else (n, K))
    elif isinstance(loss, HalfPoissonDeviance):  # the first of them is zero
        y = rng.poisson(2.0, n if K == 1 else (n, K)) + rng.integers(0, 2) / 2
        y[:1] = 0.0
        y = y.astype(float)
    elif isinstance(loss, LabelCrossEntropy):
        y = rng.integers(0, 2, (n, K)).astype(float)
    else:
        y = rng.integers(0, max(K, 2), n)
    network = Network((p, *hidden, K), activation)
    X, weights = rng.standard_normal((n, p)), rng.uniform(0.2, 2, n)
    return NetworkProblem(
        X, y, weights, network, loss, 0.3, 0.7 * rng.standard_normal(network.n_params)
    )


def plain_objective(problem, params):
    """The objective, a function of the vector of parameters, in plain NumPy code."""
    sizes = problem.network.sizes
    shapes = list(pairwise(sizes))
    coefs, start = [], 0
    for fan_in, fan_out in shapes:
        coefs.append(params[start : start + fan_in * fan_out].reshape(fan_in, fan_out))
        start += fan_in * fan_out
    h, penalty = problem.X, 0.0
    for layer, (W, (_, fan_out)) in enumerate(zip(coefs, shapes, strict=True)):
        a = h @ W + params[start : start + fan_out]
        start += fan_out
        penalty = penalty + np.sum(W * W)
        h = a if layer == len(coefs) - 1 else ACTIVATIONS[problem.network.activation](a)
    if isinstance(problem.loss, HalfSquaredError):
        residual = h - problem.y.reshape(len(problem.X), -1)
        losses = np.sum(residual * residual, axis=1) / 2
    elif isinstance(problem.loss, HalfPoissonDeviance):
        y = problem.y.reshape(len(problem.X), -1)
        least = y * np.log(np.where(y > 0, y, 1.0)) - y
        losses = np.sum(least - y * h + np.exp(h), axis=1)
    elif isinstance(problem.loss, LabelCrossEntropy):
        losses = np.sum(np.log(1 + np.exp(h)) - problem.y * h, axis=1)
    elif isinstance(problem.loss, BinaryCrossEntropy):
        losses = np.log(1 + np.exp(h[:, 0])) - problem.y * h[:, 0]
    else:
        chosen = np.sum(h * np.eye(h.shape[1])[problem.y], axis=1)
        losses = np.log(np.sum(np.exp(h), axis=1)) - chosen
    return np.sum(problem.weights * losses) + problem.alpha * penalty / 2
