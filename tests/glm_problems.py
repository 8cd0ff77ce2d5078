"""Problems for generalized linear models, drawn from the model itself, and statsmodels' names."""

import numpy as np
import statsmodels.api as sm

from mcmodels.objectives.links import LINKS

_FAMILIES, _LINKS = sm.families, sm.families.links
# Coefficients, intercept and range of offsets for which every mean is a mean of the family.
_SETTINGS = {
    "identity": (0.4, 3.0),
    "log": (0.4, 0.5),
    "logit": (0.8, 0.2),
    "probit": (0.5, 0.1),
    "cloglog": (0.4, -0.5),
    "inverse": (0.1, 1.0),
    "inverse_squared": (0.1, 1.0),
    "sqrt": (0.2, 2.0),
}
# Of a probability.
_BINOMIAL = {"identity": (0.08, 0.5), "log": (0.1, -1.0)}

PAIRS = [
    *(("normal", link) for link in ("identity", "log", "inverse", "sqrt")),
    *(("poisson", link) for link in ("log", "identity", "sqrt")),
    *(("gamma", link) for link in ("log", "inverse", "identity", "inverse_squared")),
    *(("inverse_gaussian", link) for link in ("log", "inverse_squared", "inverse", "identity")),
    *(("binomial", link) for link in ("logit", "probit", "cloglog", "log", "identity")),
    *(("tweedie", link) for link in ("log", "sqrt")),
    *(("negative_binomial", link) for link in ("log", "identity", "sqrt")),
]
POWER, THETA = 1.6, 0.7


def drawn(family, mu, rng):
    """Targets with the means mu."""
    if family == "normal":
        return rng.normal(mu, 0.3)
    if family == "poisson":
        return rng.poisson(mu).astype(float)
    if family == "gamma":
        return mu * rng.gamma(4.0, 0.25, mu.size)
    if family == "inverse_gaussian":
        return rng.wald(mu, 4.0)
    if family == "binomial":
        return rng.binomial(1, mu).astype(float)
    if family == "negative_binomial":
        return rng.poisson(mu * rng.gamma(1 / THETA, THETA, mu.size)).astype(float)
    counts = rng.poisson(mu)
    return np.where(counts > 0, rng.gamma(np.maximum(counts, 1) * 2.0, 0.5), 0.0)


def problem(family, link, n=400, seed=0, offset=False, weights=False):
    """X, y, weights and offset; the last two are None unless asked for."""
    rng = np.random.default_rng(seed)
    scale, centre = _SETTINGS[link]
    if family == "binomial":
        scale, centre = _BINOMIAL.get(link, _SETTINGS[link])
    X = rng.uniform(-1, 1, (n, 3))
    added = 0.2 * scale * rng.uniform(-1, 1, n) if offset else None
    eta = X @ (scale * np.array([1.0, -0.7, 0.3])) + centre + (0.0 if added is None else added)
    y = drawn(family, LINKS[link].mean(eta), rng)
    w = rng.integers(1, 4, n).astype(float) if weights else None
    return X, y, w, added


def statsmodels_family(family, link):
    """Statsmodels' family object of the same family and link."""
    links = {
        "identity": _LINKS.Identity,
        "log": _LINKS.Log,
        "logit": _LINKS.Logit,
        "probit": _LINKS.Probit,
        "cloglog": _LINKS.CLogLog,
        "inverse": _LINKS.InversePower,
        "inverse_squared": _LINKS.InverseSquared,
        "sqrt": _LINKS.Sqrt,
    }
    families = {
        "normal": _FAMILIES.Gaussian,
        "poisson": _FAMILIES.Poisson,
        "gamma": _FAMILIES.Gamma,
        "inverse_gaussian": _FAMILIES.InverseGaussian,
        "binomial": _FAMILIES.Binomial,
        "tweedie": lambda link, **o: _FAMILIES.Tweedie(link, var_power=POWER, eql=False, **o),
        "negative_binomial": lambda link, **o: _FAMILIES.NegativeBinomial(link, alpha=THETA, **o),
    }
    # Some of the pairs are not on its list.
    return families[family](links[link](), check_link=False)
