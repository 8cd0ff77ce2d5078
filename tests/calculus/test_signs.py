"""What the compiler concludes from signs: square roots of weights only where none is negative."""

import numpy as np
import pytest
from scipy import special
from scipy.special import expit, softmax
from scipy.stats import norm

from mcmodels import calculus
from mcmodels.calculus import diag, inv, matrix, scalar, vector
from mcmodels.calculus.core.elementwise import FUNCTIONS
from tests.calculus.domains import inside

v, y = vector("v", "n"), vector("y", "p")
X = matrix("X", "n", "p")
c = scalar("c")
probabilities = vector("q", "n", probability=True)

# Entries of both signs; |tanh| and |sin| of them stay well away from zero.
POINTS = np.array([-2.5, -1.2, -0.4, 0.3, 0.9, 2.0])
# For log, which needs positive arguments: its values have both signs.
POSITIVE = np.exp(POINTS)
DESIGN = np.random.default_rng(0).standard_normal((6, 3))
# Both sides add the same six products of numbers below ten, in another order.
ROUNDING = 1e-13

REFERENCES = {
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "sigmoid": expit,
    "softplus": lambda z: np.log1p(np.exp(z)),
    "abs": np.abs,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "sign": np.sign,
    "step": lambda z: np.where(z > 0, 1.0, 0.0),
    "log1p": np.log1p,
    "expm1": np.expm1,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "arcsinh": np.arcsinh,
    "arccosh": np.arccosh,
    "arctanh": np.arctanh,
    "erf": special.erf,
    "erfc": special.erfc,
    "norm_cdf": norm.cdf,
    "norm_pdf": norm.pdf,
    "norm_logcdf": norm.logcdf,
    "inverse_mills": lambda z: norm.pdf(z) / norm.cdf(z),
    "inverse_mills_gap": lambda z: z + norm.pdf(z) / norm.cdf(z),
    "gammaln": special.gammaln,
    "digamma": special.digamma,
    "gelu": lambda z: z * norm.cdf(z),
}


def test_every_elementwise_function_has_a_reference():
    assert REFERENCES.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_weighted_cross_products_are_right_whatever_the_sign_of_the_weights(name):
    """Xᵀ diag(f(v)) X is compiled by the root of f(v) where f is known to be nonnegative."""
    points = POSITIVE if name == "log" else POINTS
    argument = inside(name, v)
    compiled = (X.T @ diag(getattr(calculus, name)(argument)) @ X).compile()
    expected = (DESIGN.T * REFERENCES[name](argument.evaluate(v=points))) @ DESIGN
    np.testing.assert_allclose(compiled(X=DESIGN, v=points), expected, rtol=0, atol=ROUNDING * 100)


q = softmax(POINTS)
COMBINATIONS = {
    "odd power": (v**3, POINTS**3),
    "even power": (v**2, POINTS**2),
    "power of a nonnegative": (calculus.exp(v) ** 3, np.exp(POINTS) ** 3),
    "negative multiple": (-2 * calculus.exp(v), -2 * np.exp(POINTS)),
    "multiple by a scalar": (c * calculus.exp(v), -1.5 * np.exp(POINTS)),
    "product of both signs": (v * calculus.exp(v), POINTS * np.exp(POINTS)),
    "product of two odd": (v * calculus.tanh(v), POINTS * np.tanh(POINTS)),
    "sum of both signs": (calculus.exp(v) + v, np.exp(POINTS) + POINTS),
    "complement of exp": (1 - calculus.exp(v), 1 - np.exp(POINTS)),
    "complement of tanh": (1 - calculus.tanh(v), 1 - np.tanh(POINTS)),
    "negative complement": (calculus.sigmoid(v) - 1, expit(POINTS) - 1),
    "complement of a probability": (1 - probabilities, 1 - q),
    "negative complement of a probability": (probabilities - 1, q - 1),
    "complement of a multiple": (1 - 3 * calculus.sigmoid(v), 1 - 3 * expit(POINTS)),
    "variance": (calculus.sigmoid(v) * (1 - calculus.sigmoid(v)), expit(POINTS) * expit(-POINTS)),
}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_combinations_of_signs(name):
    weights, values = COMBINATIONS[name]
    given = {"v": POINTS, "c": -1.5, "q": q}
    given = {s.name: given[s.name] for s in weights.used}
    compiled = (X.T @ diag(weights) @ X).compile()
    expected = (DESIGN.T * values) @ DESIGN
    scale = np.abs(values).max() * np.abs(DESIGN.T @ DESIGN).max()
    np.testing.assert_allclose(compiled(X=DESIGN, **given), expected, rtol=0, atol=ROUNDING * scale)


@pytest.mark.parametrize(
    "weights", [calculus.tanh(v), v, v**3, -calculus.exp(v), 1 - 3 * calculus.sigmoid(v)]
)
def test_systems_that_are_not_positive_definite_are_solved(weights):
    """A Cholesky factor is taken only of matrices that are known to have one."""
    system = X.T @ diag(weights) @ X
    solve = (inv(system) @ y).compile()
    formed = system.compile()
    right = np.array([1.0, -2.0, 0.5])
    M = formed(X=DESIGN, v=POINTS)
    assert np.linalg.eigvalsh(M)[0] < -0.1
    # LU of a 3×3 matrix of condition below 100.
    np.testing.assert_allclose(
        M @ solve(X=DESIGN, v=POINTS, y=right), right, rtol=0, atol=100 * ROUNDING
    )
