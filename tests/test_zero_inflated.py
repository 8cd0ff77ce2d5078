"""A zero-inflated Poisson loss of one's own, against statsmodels and mpmath.

The analytic Hessian of statsmodels' ZeroInflatedPoisson holds zeros where the inflation meets the
coefficients, so that its standard errors differ from ours by up to a tenth. The second differences
of its log-likelihood, and 30 digits, agree with ours.
"""

import mpmath
import numpy as np
import pytest
from statsmodels.discrete.count_model import ZeroInflatedPoisson
from statsmodels.tools.numdiff import approx_hess

from mcmodels import ObjectiveRegressor
from tests.auxiliary_problems import quietly
from tests.numerics import relative_error


def zero_inflated(y, eta, logit):
    """-log P(y): zero with probability σ(logit), else of a Poisson distribution with mean e^η."""
    zero = np.logaddexp(0, logit) - np.logaddexp(logit, -np.exp(eta))
    return np.where(y > 0, np.logaddexp(0, logit) + np.exp(eta) - y * eta, zero)


AS_TEXT = "softplus(logit) + where(y > 0, exp(eta) - y*eta, -logit - softplus(-exp(eta) - logit))"


def data(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return X, rng.poisson(np.exp(X @ [0.5, -0.3] + 0.7)) * (rng.random(n) > 0.3)


def fitted(X, y, loss=zero_inflated):
    model = ObjectiveRegressor(loss, auxiliary={"logit": 0.0}, log_likelihood=True)
    return quietly(model, X, y)


@pytest.mark.parametrize("loss", [zero_inflated, AS_TEXT], ids=["function", "text"])
def test_estimates_and_errors_are_those_of_statsmodels_likelihood(loss):
    X, y = data()
    found = fitted(X, y, loss)
    peer = ZeroInflatedPoisson(y, np.column_stack([X, np.ones(len(y))]), np.ones((len(y), 1)))
    params = peer.fit(method="bfgs", maxiter=2000, gtol=1e-9, disp=False).params
    assert found.status_ == "converged"
    # BFGS stops at a gradient of 1e-9, against curvatures of 30 and more.
    np.testing.assert_allclose(found.params_, params[[1, 2, 3, 0]], atol=1e-6)
    ours = found.params_[[3, 0, 1, 2]]
    errors = np.sqrt(np.diag(np.linalg.inv(-approx_hess(ours, peer.loglike))))
    # Second differences have eps^(1/4) as steps, and errors of eps^(1/2) or so.
    assert relative_error(found.standard_errors_[[3, 0, 1, 2]], errors) < 1e-5


def test_the_hessian_with_30_digits():
    X, y = data(25, seed=3)
    found = fitted(X, y)

    def objective(*params):
        *theta, logit = params
        total = mpmath.mpf(0)
        for row, count in zip(X.tolist(), y.tolist(), strict=True):
            eta = mpmath.fdot(theta, [*row, 1])
            inflation = mpmath.exp(logit) / (1 + mpmath.exp(logit))
            stay = (1 - inflation) * mpmath.exp(-mpmath.exp(eta) + count * eta)
            total -= mpmath.log(stay + inflation if count == 0 else stay)
        return total

    at = [mpmath.mpf(float(v)) for v in found.params_]
    with mpmath.workdps(30):
        for j in range(4):
            assert abs(mpmath.diff(objective, at, n=tuple(int(k == j) for k in range(4)))) < 1e-8
            for k in range(j, 4):
                orders = tuple(int(i == j) + int(i == k) for i in range(4))
                exact = float(mpmath.diff(objective, at, n=orders))
                # 25 terms, each rounded to 1e-16 of some tens.
                assert found.hessian_[j, k] == pytest.approx(exact, rel=1e-11, abs=1e-11)
