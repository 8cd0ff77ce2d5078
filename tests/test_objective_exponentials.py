"""Own losses written with exponentials reach the optimum, whatever the margins."""

import numpy as np
import pytest
from mpmath import mp, mpf

from mcmodels import LogisticRegression, ObjectiveClassifier, ObjectiveRegressor
from mcmodels.estimators.pointwise import pointwise

# One row has 1000 times the feature of the others: its exponential overflows on the way.
X = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [4000.0]])
Y = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0])

LOSSES = {
    "softplus": "softplus(eta) - y * eta",
    "log(1 + exp)": "log(1 + exp(eta)) - y * eta",
    "two logarithms": "y * log(1 + exp(-eta)) + (1 - y) * log(1 + exp(eta))",
    "probabilities": "-y * log(1 / (1 + exp(-eta))) - (1 - y) * log(1 - 1 / (1 + exp(-eta)))",
    "signs": "log(1 + exp(-(2 * y - 1) * eta))",
    "quotient": "-log(exp(y * eta) / (1 + exp(eta)))",
    "NumPy log(1 + exp)": lambda y, eta: np.log(1 + np.exp(eta)) - y * eta,
    "NumPy log1p": lambda y, eta: np.log1p(np.exp(eta)) - y * eta,
    "NumPy logaddexp": lambda y, eta: np.logaddexp(0, eta) - y * eta,
    "NumPy signs": lambda y, eta: np.log(1 + np.exp(-(2 * y - 1) * eta)),
    "NumPy probabilities": lambda y, eta: (
        -y * np.log(1 / (1 + np.exp(-eta))) - (1 - y) * np.log(1 - 1 / (1 + np.exp(-eta)))
    ),
}


@pytest.mark.parametrize("estimator", [ObjectiveRegressor, ObjectiveClassifier])
@pytest.mark.parametrize("name", LOSSES)
def test_the_logistic_loss_reaches_its_optimum(name, estimator):
    model = estimator(loss=LOSSES[name]).fit(X, Y)
    expected = LogisticRegression(C=np.inf).fit(X, Y)
    assert model.status_ == "converged"
    # Both stop where the gradient is 1e-8 of its scale; the objective is flat to its square.
    assert model.objective_ == pytest.approx(expected.objective_, rel=1e-12)
    np.testing.assert_allclose(np.ravel(model.params_), expected.params_.ravel(), rtol=1e-6)


# A few roundings; where the loss is a difference, of its larger part.
DIGITS = 1e-13
MARGINS = np.array([-1000.0, -700.0, -40.0, -3.0, 0.3, 20.0, 40.0, 700.0, 1000.0])


@pytest.mark.parametrize("name", [name for name in LOSSES if "quotient" not in name])
def test_values_and_derivatives_at_large_margins(name):
    loss = pointwise(LOSSES[name])
    for y in (0.0, 1.0):
        found = loss(np.full(MARGINS.shape, y), MARGINS, (0, 1, 2))
        (alone,) = loss(np.full(MARGINS.shape, y), MARGINS, (0,))
        np.testing.assert_array_equal(alone, found[0])
        with mp.workdps(1200):
            for k, eta in enumerate(map(mpf, MARGINS)):
                sigma, rest = 1 / (1 + mp.exp(-eta)), 1 / (1 + mp.exp(eta))
                exact = (mp.log1p(mp.exp(eta)) - y * eta, sigma - y, sigma * rest)
                for order, value in enumerate(exact):
                    size = abs(value) if order == 2 else max(abs(value), 1, abs(eta) * (order == 0))
                    size = max(size, mpf("1e-290"))  # below, float64 loses digits
                    assert abs(found[order][k] - value) <= DIGITS * size, (y, float(eta), order)
