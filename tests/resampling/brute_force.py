"""Leave-one-out by refits, with the densities of SciPy: what results are compared with."""

import warnings

import numpy as np
from scipy import stats
from sklearn.base import clone

from mcmodels import GeneralizedLinearRegressor, LinearRegression


def log_scores_by_refits(model, X, y, weights=None, codes=None, offset=None):
    """The log score of one observation of each row by a fit without its group; predictions."""
    n = len(y)
    codes = np.arange(n) if codes is None else codes
    scores, predictions = np.full(n, np.nan), [None] * n
    for group in np.unique(codes):
        out = np.nonzero(codes == group)[0]
        scores[out], found = judged_without(model, X, y, out, weights, offset)
        for i, prediction in zip(out, found, strict=True):
            predictions[i] = prediction
    return scores, np.array(predictions)


def judged_without(model, X, y, out, weights=None, offset=None):
    """Log scores and predictions of some rows by a fit without them."""
    kept = np.setdiff1d(np.arange(len(y)), out)
    options = {} if offset is None else {"offset": offset[kept]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if weights is not None:
            options["sample_weight"] = weights[kept]
        fitted = clone(model).fit(X[kept], y[kept], **options)
    options = {} if offset is None else {"offset": offset[out]}
    w = np.ones(len(out)) if weights is None else weights[out]
    outcomes = y.dtype.kind == "U" or np.isin(y, [0, 1]).all()
    return _judged(fitted, X[out], y[out], w, options, outcomes)


def _judged(fitted, X, y, w, options, outcomes):
    if hasattr(fitted, "classes_"):
        p = fitted.predict_proba(X, **options)
        known = {label: k for k, label in enumerate(fitted.classes_)}
        with np.errstate(divide="ignore"):
            own = [p[i, known[label]] if label in known else 0.0 for i, label in enumerate(y)]
            return np.log(own), p
    mean = fitted.predict(X, **options)
    if isinstance(fitted, LinearRegression):
        noise = np.atleast_2d(fitted._record().model.noise_covariance)
        by = w if fitted.weights == "precision" else np.ones_like(w)
        residual = (y - mean).reshape(len(y), -1)
        zero = np.zeros(len(noise))
        scores = [
            stats.multivariate_normal.logpdf(r, zero, noise / b)
            for r, b in zip(residual, by, strict=True)
        ]
        return np.array(scores), mean
    if isinstance(fitted, GeneralizedLinearRegressor):
        return DENSITIES[fitted.family](fitted, y, mean, np.ones_like(w) if outcomes else w), mean
    return -LOSSES[fitted.loss](y, mean), mean


def _normal(fitted, y, mean, w):
    by = w if fitted.weights == "precision" else 1.0
    return stats.norm.logpdf(y, mean, np.sqrt(fitted.dispersion_ / by))


def _gamma(fitted, y, mean, w):
    phi = fitted.dispersion_ / (w if fitted.weights == "precision" else 1.0)
    return stats.gamma.logpdf(y, 1 / phi, scale=mean * phi)


def _inverse_gaussian(fitted, y, mean, w):
    shape = 1 / fitted.dispersion_
    return stats.invgauss.logpdf(y, mean / shape, scale=shape)


def _binomial(fitted, y, mean, w):
    return stats.binom.logpmf(np.rint(y * w), w, mean)


def _negative_binomial(fitted, y, mean, w):
    size = 1 / fitted.theta
    return stats.nbinom.logpmf(y, size, size / (size + mean))


DENSITIES = {
    "normal": _normal,
    "poisson": lambda fitted, y, mean, w: stats.poisson.logpmf(y, mean),
    "gamma": _gamma,
    "inverse_gaussian": _inverse_gaussian,
    "binomial": _binomial,
    "negative_binomial": _negative_binomial,
}
LOSSES = {
    "log(cosh(eta - y))": lambda y, eta: np.log(np.cosh(eta - y)),
    "(y - eta)**2": lambda y, eta: (y - eta) ** 2,
}
