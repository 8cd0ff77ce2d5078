"""Losses as users write them, each as an expression and as a NumPy function, with targets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Written(NamedTuple):
    """One loss, twice; what y looks like; whether it is convex in η for every y."""

    text: str
    function: object
    targets: str
    convex: bool = True


def poisson(y, eta):
    return np.exp(eta) - y * eta


def huber(y, eta):
    r = np.abs(y - eta)
    return np.where(r <= 1.3, 0.5 * r**2, 1.3 * r - 0.845)


def smoothed_quantile(y, eta):
    return 0.25 * np.logaddexp(0.0, (y - eta) / 0.25) - 0.3 * (y - eta)


def expectile(y, eta):
    r = y - eta
    return np.where(r > 0, 0.8, 0.2) * r**2


def log_cosh(y, eta):
    return np.logaddexp(2.0 * (y - eta), 0.0) - (y - eta)


def gamma(y, eta):
    return y * np.exp(-eta) + eta


def tweedie(y, eta):
    return 2.0 * np.exp(0.5 * eta) + 2.0 * y * np.exp(-0.5 * eta)


def student(y, eta):
    return 2.0 * np.log1p((y - eta) ** 2 / 3.0)


def binary(y, eta):
    return np.logaddexp(0.0, eta) - y * eta


def squared_hinge(y, eta):
    return np.maximum(1.0 - (2.0 * y - 1.0) * eta, 0.0) ** 2


LOSSES = {
    "poisson": Written("exp(eta) - y * eta", poisson, "counts"),
    "huber": Written("0.5 * (y - eta)**2 - 0.5 * relu(abs(y - eta) - 1.3)**2", huber, "numbers"),
    "smoothed quantile": Written(
        "0.25 * softplus((y - eta) / 0.25) - 0.3 * (y - eta)", smoothed_quantile, "numbers"
    ),
    "expectile": Written("0.8 * relu(y - eta)**2 + 0.2 * relu(eta - y)**2", expectile, "numbers"),
    "log-cosh": Written("softplus(2 * (y - eta)) - (y - eta)", log_cosh, "numbers"),
    "gamma": Written("y * exp(-eta) + eta", gamma, "positive"),
    "tweedie": Written("2 * exp(0.5 * eta) + 2 * y * exp(-0.5 * eta)", tweedie, "positive"),
    "student": Written("2 * log(1 + (y - eta)**2 / 3)", student, "numbers", convex=False),
    "binary": Written("softplus(eta) - y * eta", binary, "classes"),
    "squared hinge": Written("relu(1 - (2 * y - 1) * eta)**2", squared_hinge, "classes"),
}


def problem(targets, seed=0, n=200, p=3):
    """X and y that the losses of this kind of target are for."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = 0.3 + X @ np.array([0.5, -0.4, 0.2])
    if targets == "counts":
        return X, rng.poisson(np.exp(eta))
    if targets == "positive":
        return X, rng.gamma(2.0, np.exp(eta) / 2.0)
    if targets == "classes":
        return X, (rng.random(n) < 1.0 / (1.0 + np.exp(-2.0 * eta))).astype(int)
    return X, eta + rng.standard_t(4, n)
