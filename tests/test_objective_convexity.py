"""What own losses say of convexity: proved by their formula, or refuted by values."""

import warnings

import numpy as np
import pytest

from mcmodels import ObjectiveClassifier, ObjectiveRegressor, RowStream
from mcmodels.calculus import parse
from mcmodels.estimators.loss_convexity import convexity_of_loss
from mcmodels.estimators.pointwise import PointwiseExpression, pointwise
from mcmodels.exceptions import NonConvexLossWarning
from mcmodels.objectives.loss_witness import witness_against
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.rows import ArrayRows
from tests.objective_problems import quietly
from tests.objectives.user_losses import LOSSES

CONVEX = [
    "exp(eta) - y*eta",
    "softplus(eta) - y*eta",
    "log(1 + exp(-y*eta))",
    "(y - eta)**2",
    "sqrt(1 + (y - eta)**2)",
    "0.9*(y - eta) + 0.05*softplus(-(y - eta)/0.05)",
    "log(cosh(y - eta))",
    "eta**4 - y*eta",
    "-log(norm_cdf((2*y - 1)*eta))",
    "-y*log(sigmoid(eta)) - (1 - y)*log(1 - sigmoid(eta))",
    "relu(1 - (2*y - 1)*eta)**2",
]
OF_COUNTS = ["y*exp(-eta) + eta", "(y + 2)*softplus(eta) - y*eta", "y*eta**2 - eta"]
OF_CLASSES = ["y*softplus(-eta) + (1 - y)*softplus(eta)", "y*exp(-eta) + (1 - y)*exp(eta)"]
BENT = [
    "log(1 + (y - eta)**2)",
    "(y - tanh(eta))**2",
    "(exp(eta) - y)**2",
    "1 - exp(-(y - eta)**2)",
    "-eta**2 + y*eta + eta**4",
    "(y - sigmoid(eta))**2",
]


def rows(y, n=30):
    y = np.resize(np.asarray(y, dtype=float), n)
    return ArrayRows(np.zeros((n, 1)), y, None, None, intercept=True)


def known(text, y, *, of_classes=False):
    return convexity_of_loss(UserLoss(pointwise(text)), rows(y), of_classes=of_classes)


@pytest.mark.parametrize("text", CONVEX)
def test_convex_for_all_targets(text):
    found = known(text, [-3.0, 0.5, 2.0])
    assert found.is_convex
    assert found.witness is None


@pytest.mark.parametrize("text", OF_COUNTS)
def test_convex_for_targets_of_at_least_zero(text):
    assert known(text, [0.0, 2.0, 5.0]).is_convex
    assert not known(text, [-1.0, 2.0, 5.0]).is_convex
    # A target of weight 0 is none.
    y, w = np.array([-1.0, 2.0, 5.0]), np.array([0.0, 1.0, 1.0])
    present = ArrayRows(np.zeros((3, 1)), y, w, None, intercept=True)
    assert convexity_of_loss(UserLoss(pointwise(text)), present, of_classes=False).is_convex


@pytest.mark.parametrize("text", OF_CLASSES)
def test_convex_for_two_classes(text):
    assert known(text, [0.0, 1.0], of_classes=True).is_convex
    # softplus(-η) = softplus(η) - η: that of the cross-entropy is convex for all targets.
    assert known(text, [-1.0, 2.0]).is_convex == ("softplus" in text)


@pytest.mark.parametrize("text", BENT)
def test_a_witness_bends_downwards(text):
    found = known(text, [0.0, 1.0, 3.0])
    assert not found.is_convex
    witness, loss = found.witness, PointwiseExpression(parse(text))
    y, eta = np.array([witness.y]), np.array([witness.eta])
    h = 1e-4
    below, at, above = (float(loss(y, eta + t, (0,))[0][0]) for t in (-h, 0.0, h))
    # A second difference with a step of 1e-4 has eight digits of values near one, less its error.
    assert (below + above - 2 * at) / h**2 == pytest.approx(witness.smallest, rel=1e-2, abs=1e-6)
    assert witness.smallest < 0
    assert witness.y in (0.0, 1.0, 3.0)


@pytest.mark.parametrize("name", LOSSES)
def test_no_convex_loss_has_a_witness(name):
    loss = LOSSES[name]
    y = [0.0, 1.0] if loss.targets == "classes" else [0.0, 0.3, 2.0, 7.0]
    for way in (loss.text, loss.function):
        found = witness_against(pointwise(way), np.array(y))
        assert found is None or not loss.convex
    study = known(loss.text, y, of_classes=loss.targets == "classes")
    assert not study.is_convex or loss.convex


@pytest.mark.parametrize(
    "function",
    [
        lambda y, eta: np.logaddexp(0, eta) + 1e12,  # values hide the second difference
        lambda y, eta: np.abs(y - eta),
        lambda y, eta: np.maximum(np.exp(eta), 1e8 * eta),
        lambda y, eta: 1e-300 * eta**2,
    ],
)
def test_rounding_and_kinks_are_no_witness(function):
    assert witness_against(pointwise(function), np.array([0.0, 1.0, 2.0])) is None


class Planted:
    """A convex loss with a wrong second derivative."""

    def __call__(self, y, eta, orders):
        return tuple(((eta - y) ** 2, 2 * (eta - y), np.full(eta.shape, -2.0))[k] for k in orders)


def test_a_wrong_second_derivative_is_no_witness():
    assert witness_against(Planted(), np.array([0.0, 1.0])) is None


def data(n=60):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 2))
    return X, X @ [1.0, -0.5], rng


def test_a_proved_minimum_is_global():
    X, eta, rng = data()
    y = rng.poisson(np.exp(eta))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True).fit(X, y)
        gamma = ObjectiveRegressor("(y + 0.1)*exp(-eta) + eta", log_likelihood=True).fit(X, y)
        classes = ObjectiveClassifier(OF_CLASSES[0]).fit(X, y > 1)
        written = ObjectiveRegressor(lambda y, eta: np.exp(eta) - y * eta).fit(X, y)
    assert model.convexity_ == classes.convexity_ == gamma.convexity_ == "convex"
    assert written.convexity_ == "unknown"
    assert "global: the loss is convex" in str(model.summary())
    assert "global" not in str(written.summary(X, y, kind="HC0"))


def test_streams_are_proved_without_their_targets():
    X, eta, rng = data()
    y = rng.poisson(np.exp(eta))
    stream = RowStream(lambda: iter([(X, y)]))
    assert ObjectiveRegressor("exp(eta) - y*eta").fit(stream).convexity_ == "convex"
    # For this one all targets would have to be read once more.
    assert quietly(ObjectiveRegressor("(y + 0.1)*exp(-eta) + eta"), stream, None).convexity_ in (
        "convex",
        "unknown",
    )


def test_a_loss_that_bends_away_from_the_rows_is_told():
    """Residuals are below one, where Cauchy's loss bends upwards."""
    X, eta, rng = data()
    eta, y = 0.1 * eta, 0.1 * eta + 0.1 * rng.uniform(-1, 1, 60)
    with pytest.warns(NonConvexLossWarning, match="away from the rows of the fit. The"):
        model = ObjectiveRegressor("log(1 + (y - eta)**2)").fit(X, y)
    assert model.convexity_ == "not convex"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of functions nothing is proved
        written = ObjectiveRegressor(lambda y, eta: np.log1p((y - eta) ** 2)).fit(X, y)
    assert written.convexity_ == "unknown"
    with pytest.warns(NonConvexLossWarning, match="in a row of the fit"):
        far = ObjectiveRegressor(lambda y, eta: np.log1p((y - eta) ** 2)).fit(
            X, y + 9 * (eta > 0.1)
        )
    assert far.convexity_ == "not convex"


def test_rounding_of_a_convex_loss_is_no_negative_curvature():
    """``ℓ″ = σ(1 - σ)`` by a formula that cancels: far out it is ±1e-17."""

    class Rounded:
        def __call__(self, y, eta, orders):
            s = 1 / (1 + np.exp(-eta))
            second = s - s * s - 1e-16
            return tuple((np.logaddexp(0, eta) - y * eta, s - y, second)[k] for k in orders)

    y, eta = np.array([0.0, 1.0]), np.array([40.0, 45.0])
    assert UserLoss(Rounded()).at(y, eta).seen.smallest < 0
    found = UserLoss(Rounded(), is_convex=True).at(y, eta)
    assert found.seen.smallest == 0
    assert len(list(found.curvature())) == 1
