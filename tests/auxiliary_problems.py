"""Losses with auxiliary parameters, as text and as functions, and data for them."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from mcmodels import ObjectiveRegressor
from mcmodels.autodiff import special as followed
from mcmodels.exceptions import FitWarning

LOG_2PI = float(np.log(2 * np.pi))


def normal(y, eta, log_sigma):
    return log_sigma + ((y - eta) * np.exp(-log_sigma)) ** 2 / 2


def student(y, eta, log_scale):
    """Student's t with 4 degrees of freedom, up to a constant."""
    return log_scale + 2.5 * np.log1p(((y - eta) * np.exp(-log_scale)) ** 2 / 4)


def student_of_any_freedom(y, eta, log_scale, log_df):
    df = np.exp(log_df)
    u = ((y - eta) * np.exp(-log_scale)) ** 2
    constant = special.gammaln(df / 2) - special.gammaln((df + 1) / 2) + log_df / 2
    return log_scale + constant + (df + 1) / 2 * np.log1p(u / df)


def negative_binomial(y, eta, log_alpha):
    r = np.exp(-log_alpha)
    log_odds = np.logaddexp(0.0, log_alpha + eta)
    of_counts = special.gammaln(y + r) - special.gammaln(r)
    return -(of_counts - r * log_odds + y * (log_alpha + eta) - y * log_odds)


def gamma(y, eta, log_shape):
    k = np.exp(log_shape)
    return special.gammaln(k) - k * (log_shape - eta) - (k - 1) * np.log(y) + k * y * np.exp(-eta)


def beta(y, eta, log_precision):
    mean, phi = special.expit(eta), np.exp(log_precision)
    a, b = mean * phi, (1 - mean) * phi
    return (
        special.gammaln(a)
        + special.gammaln(b)
        - special.gammaln(phi)
        - (a - 1) * np.log(y)
        - (b - 1) * np.log(1 - y)
    )


def weibull(y, eta, log_scale):
    """Log times with a smallest-extreme-value error."""
    z = (np.log(y) - eta) * np.exp(-log_scale)
    return log_scale - z + np.exp(z)


def huber_proposal_2(y, eta, scale):
    """Huber's joint function of location and scale: ``(ρ(r/s) + a) s``."""
    return (_rho((y - eta) / scale) + _proposal_constant()) * scale


def _rho(u, k=1.345):
    return np.where(np.abs(u) <= k, u**2 / 2, k * np.abs(u) - k**2 / 2)


def _proposal_constant(k=1.345):
    """E[ψ(Z)²]/2 for standard normal Z, so that the scale is that of normal errors."""
    inside = stats.norm.cdf(k) - 0.5 - k * stats.norm.pdf(k)
    return float(inside + k**2 * stats.norm.sf(k))


def ordinal_logit(y, eta, cuts):
    k = y.astype(int)
    last = cuts.shape[0]
    lower, upper = cuts[np.maximum(k - 1, 0)] - eta, cuts[np.minimum(k, last - 1)] - eta
    inner = (k > 0) & (k < last)
    gap = np.where(inner, lower - upper, -1.0)
    between = np.log(-np.expm1(gap)) - np.logaddexp(0, -upper) - np.logaddexp(0, lower)
    ends = np.where(k == 0, -np.logaddexp(0, -upper), -np.logaddexp(0, lower))
    return -np.where(inner, between, ends)


def ordinal_probit(y, eta, cuts):
    k = y.astype(int)
    last = cuts.shape[0]
    lower, upper = cuts[np.maximum(k - 1, 0)] - eta, cuts[np.minimum(k, last - 1)] - eta
    inner = (k > 0) & (k < last)
    # Of a difference of two tails, that on the side of the smaller ones is taken.
    sign = np.where(lower + upper > 0, -1.0, 1.0)
    high = followed.ndtr(np.where(sign > 0, upper, -lower))
    low = followed.ndtr(np.where(sign > 0, lower, -upper))
    between = np.log(np.where(inner, high - low, 1.0))
    ends = np.where(k == 0, followed.log_ndtr(upper), followed.log_ndtr(-lower))
    return -np.where(inner, between, ends)


@dataclass(frozen=True)
class Problem:
    """A loss in its two forms, first values, and what data it needs."""

    function: Any
    start: dict[str, Any]
    targets: str
    text: str = ""
    intercept: bool = True

    @property
    def ways(self):
        return [way for way in (self.text, self.function) if way]


PROBLEMS = {
    "normal": Problem(
        normal,
        {"log_sigma": 0.0},
        "numbers",
        "log_sigma + (y - eta)**2 * exp(-2*log_sigma) / 2",
    ),
    "student": Problem(
        student,
        {"log_scale": 0.0},
        "numbers",
        "log_scale + 2.5*log(1 + (y - eta)**2 * exp(-2*log_scale) / 4)",
    ),
    "student of any freedom": Problem(
        student_of_any_freedom,
        {"log_scale": 0.0, "log_df": 1.0},
        "numbers",
        "log_scale + gammaln(exp(log_df)/2) - gammaln(exp(log_df)/2 + 1/2) + log_df/2"
        " + (exp(log_df)/2 + 1/2)*log(1 + (y - eta)**2 * exp(-2*log_scale - log_df))",
    ),
    "negative binomial": Problem(
        negative_binomial,
        {"log_alpha": 0.0},
        "counts",
        "gammaln(exp(-log_alpha)) - gammaln(y + exp(-log_alpha)) - y*(log_alpha + eta)"
        " + (y + exp(-log_alpha))*softplus(log_alpha + eta)",
    ),
    "gamma": Problem(
        gamma,
        {"log_shape": 0.0},
        "positive",
        "gammaln(exp(log_shape)) - exp(log_shape)*(log_shape - eta)"
        " - (exp(log_shape) - 1)*log(y) + exp(log_shape)*y*exp(-eta)",
    ),
    "beta": Problem(
        beta,
        {"log_precision": 1.0},
        "shares",
        "gammaln(sigmoid(eta)*exp(log_precision)) + gammaln(sigmoid(-eta)*exp(log_precision))"
        " - gammaln(exp(log_precision)) - (sigmoid(eta)*exp(log_precision) - 1)*log(y)"
        " - (sigmoid(-eta)*exp(log_precision) - 1)*log(1 - y)",
    ),
    "weibull": Problem(
        weibull,
        {"log_scale": 0.0},
        "positive",
        "log_scale - (log(y) - eta)*exp(-log_scale) + exp((log(y) - eta)*exp(-log_scale))",
    ),
    "ordinal logit": Problem(
        ordinal_logit,
        {"cuts": [-1.0, 1.0]},
        "ordered",
        "where(y < 0.5, softplus(eta - cuts[0]), where(y > 1.5, softplus(cuts[1] - eta),"
        " softplus(eta - cuts[1]) + softplus(cuts[0] - eta)"
        " - log(1 - exp(cuts[0] - cuts[1]))))",
        intercept=False,
    ),
    "ordinal probit": Problem(ordinal_probit, {"cuts": [-1.0, 1.0]}, "ordered", intercept=False),
}


def data(targets, n=150, seed=0):
    """Features and targets of a kind."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    eta = X @ [0.6, -0.4] + 0.3
    if targets == "numbers":
        return X, eta + 0.8 * rng.standard_t(4, size=n)
    if targets == "counts":
        mean = np.exp(eta)
        return X, rng.negative_binomial(1.5, 1.5 / (1.5 + mean)).astype(float)
    if targets == "positive":
        return X, np.exp(eta) * rng.gamma(2.0, 0.5, size=n)
    if targets == "shares":
        mean = special.expit(eta)
        return X, np.clip(rng.beta(6 * mean, 6 * (1 - mean)), 1e-4, 1 - 1e-4)
    return X, np.digitize(eta + rng.logistic(size=n), [-0.7, 1.1]).astype(float)


def model(name, way=None, **options):
    """The estimator of a problem, declared a likelihood."""
    problem = PROBLEMS[name]
    options = {"log_likelihood": True, "fit_intercept": problem.intercept} | options
    return ObjectiveRegressor(way or problem.ways[0], auxiliary=problem.start, **options)


def quietly(estimator, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return estimator.fit(*args, **kwargs)
