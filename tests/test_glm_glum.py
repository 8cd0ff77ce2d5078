"""GeneralizedLinearRegressor against glum: families, links, weights, offsets and penalties."""

import numpy as np
import pytest

from mcmodels import GeneralizedLinearRegressor
from tests.glm_problems import POWER, THETA, problem

glum = pytest.importorskip("glum")

# Pairs that glum has, too.
PAIRS = [
    ("normal", "identity"),
    ("normal", "log"),
    ("poisson", "log"),
    ("poisson", "identity"),
    ("gamma", "log"),
    ("gamma", "identity"),
    ("inverse_gaussian", "log"),
    ("inverse_gaussian", "identity"),
    ("binomial", "logit"),
    ("binomial", "cloglog"),
    ("tweedie", "log"),
    ("negative_binomial", "log"),
    ("negative_binomial", "identity"),
]


def family_of_glum(name):
    """glum's distribution of the same name."""
    if name == "tweedie":
        return glum.TweedieDistribution(POWER)
    if name == "negative_binomial":
        return glum.NegativeBinomialDistribution(THETA)
    return name.replace("_", ".")


@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize(("offset", "weights"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_agrees_with_glum(family, link, offset, weights, alpha):
    X, y, w, added = problem(family, link, seed=len(family), offset=offset, weights=weights)
    total = len(y) if w is None else w.sum()
    model = GeneralizedLinearRegressor(
        family, link=link, alpha=alpha, power=POWER, theta=THETA, tol=1e-13
    )
    model.fit(X, y, w, offset=added)
    # Its objective is a mean over rows, and ours a sum.
    peer = glum.GeneralizedLinearRegressor(
        family=family_of_glum(family),
        link=link,
        alpha=alpha / total,
        gradient_tol=1e-13,
        max_iter=500,
    )
    peer.fit(X, y, sample_weight=w, offset=added)
    # glum's line search ends a little before its gradient is 1e-13: the largest difference here is
    # 2e-9. An error of a formula would be 1e-2.
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=0, atol=1e-8)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, rtol=0, atol=1e-8)
    at_peer = model.objective(X, y, np.append(peer.coef_, peer.intercept_), w, offset=added)
    assert at_peer >= model.objective_ - 1e-14 * abs(model.objective_)  # rounding of a sum
