"""Steps and verdicts of joint fits, of objectives whose minimum is known without a fit."""

import warnings

import numpy as np
import pytest

from mcmodels import ObjectiveRegressor
from mcmodels.autodiff import special
from mcmodels.exceptions import FitWarning
from mcmodels.objectives.auxiliary import AuxiliaryLoss, AuxiliaryObjective, AuxiliaryShapes
from mcmodels.rows import ArrayRows
from mcmodels.solvers.joint_newton import JointCoordinates, joint_coordinates

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2))
Y = X @ [1.0, -1.0] + RNG.normal(size=40)

# Beside ``(y - η)²``: functions of an auxiliary parameter, and where they are least; None where
# they fall for ever.
SEPARATE = [
    ("a**2", 0.0),
    ("(a - 3)**2", 3.0),
    ("(a - 3)**4", 3.0),
    ("exp(a) - a", 0.0),
    ("sqrt(1 + (a - 2)**2)", 2.0),
    ("log(1 + (a - 2)**2)", 2.0),
    ("softplus(a) - 0.25*a", -np.log(3.0)),
    ("1000*(a - 1)**2", 1.0),
    ("0.001*(a - 1)**2", 1.0),
    ("a**4 - 2*a**2", 1.0),  # or -1; zero is a maximum
    ("-a", None),
    ("a", None),
    ("exp(-a)", None),
    ("softplus(a)", None),
    ("-exp(a)", None),
    ("-(a**2)", None),
    ("-log(1 + a**2)", None),
    ("-(a**4) + a**2", None),  # zero is a minimum, a local one
]


@pytest.mark.parametrize("start", [0.0, 0.3, -2.0, 6.0])
@pytest.mark.parametrize(("text", "least"), SEPARATE)
def test_an_auxiliary_parameter_that_is_separate(text, least, start):
    found = ObjectiveRegressor(f"(y - eta)**2 + {text}", auxiliary={"a": start}, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        found.fit(X, Y)
    a = found.auxiliary_["a"]
    if least is None:
        local = text == "-(a**4) + a**2" and abs(a) < 1e-4
        assert local or not found.converged_
        if text in ("a", "-a"):  # no curvature anywhere: a leaves the range of float64
            assert found.status_ == "no minimum"
        return
    if "a**4" in text:
        # The Hessian vanishes at the end, or the objective has two minima.
        assert found.status_ != "no minimum"
        assert abs(abs(a) - least) < 1e-2
        return
    assert found.status_ == "converged"
    # A gradient of tol moves the parameter by tol over the curvature, 2e-3 at the least.
    assert a == pytest.approx(least, abs=1e-5)


# Of y = 1 and η = 0 held: joint functions of two auxiliary parameters, and where they are least.
JOINT = [
    ("(1 - a)**2 + 100*(b - a**2)**2", (1.0, 1.0)),  # Rosenbrock
    ("(a**2 + b - 11)**2 + (a + b**2 - 7)**2", None),  # Himmelblau: four minima
    ("exp(a + 3*b - 0.1) + exp(a - 3*b - 0.1) + exp(-a - 0.1)", (-np.log(2.0) / 2, 0.0)),
    ("(a + 2*b - 7)**2 + (2*a + b - 5)**2", (1.0, 3.0)),  # Booth
]


@pytest.mark.parametrize("start", [(-1.2, 1.0), (0.0, 0.0), (5.0, -3.0)])
@pytest.mark.parametrize(("text", "least"), JOINT)
def test_known_functions_of_two(text, least, start):
    loss = f"(y - eta)**2 + {text}"
    a, b = start
    found = ObjectiveRegressor(loss, auxiliary={"a": a, "b": b}, max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        found.fit(X, Y)
    assert found.status_ == "converged"
    assert np.linalg.eigvalsh(found.hessian_)[0] > 0
    reached = [found.auxiliary_["a"], found.auxiliary_["b"]]
    if least is None:
        assert found.objective_ - np.sum((Y - found.predict(X)) ** 2) == pytest.approx(0, abs=1e-8)
    else:
        assert reached == pytest.approx(least, abs=1e-6)


def test_coordinates_leave_auxiliary_parameters_as_they_are():
    rows = ArrayRows(X + np.array([1e4, 0.0]), Y, None, None, intercept=True)
    shapes = AuxiliaryShapes((("a", ()), ("b", (2,))))

    class Function:
        pass

    function = Function()
    function.shapes = shapes
    for penalty in (0.0, 1.0):
        objective = AuxiliaryObjective(rows, AuxiliaryLoss(function), penalty)
        coordinates = joint_coordinates(objective)
        assert isinstance(coordinates, JointCoordinates)
        params = np.array([0.5, -2.0, 3.0, 7.0, 8.0, 9.0])
        inner = coordinates.from_users(params, intercept=True)
        assert inner[3:].tolist() == [7.0, 8.0, 9.0]
        back = coordinates.to_users(inner, intercept=True)
        # The column is 1e4 spreads from zero.
        assert np.allclose(back, params, rtol=1e-9)
        assert np.array_equal(back[3:], params[3:])


def test_an_objective_that_is_not_finite_at_its_start():
    with pytest.raises(ValueError, match=r"y=.*eta=.*scale=0 .*Change the first values"):
        ObjectiveRegressor("log(scale) + (y - eta)**2/scale", auxiliary={"scale": 0.0}).fit(X, Y)


def test_steps_stay_in_the_domain():
    """A scale that is no exponential: steps to where it is negative are shortened."""
    found = ObjectiveRegressor("log(scale) + (y - eta)**2/scale", auxiliary={"scale": 1e-3}).fit(
        X, Y
    )
    assert found.status_ == "converged"
    assert found.auxiliary_["scale"] == pytest.approx(
        np.mean((Y - found.predict(X)) ** 2), rel=1e-9
    )


def test_too_many_columns_are_refused():
    wide = np.zeros((3, 9000))
    with pytest.raises(ValueError, match=r"9000 columns.*auxiliary"):
        ObjectiveRegressor("s + (y - eta)**2 * exp(-s)", auxiliary={"s": 0.0}).fit(wide, [1, 2, 4])


def test_a_loss_of_special_functions_of_autodiff():
    """Tobit: a mean and a scale of targets that are cut off at zero; by brute force."""

    def tobit(y, eta, log_sigma):
        z = (y - eta) * np.exp(-log_sigma)
        return np.where(y <= 0, -special.log_ndtr(z), log_sigma + z**2 / 2)

    cut = np.maximum(Y, 0.0)
    found = ObjectiveRegressor(tobit, auxiliary={"log_sigma": 0.0}, log_likelihood=True).fit(X, cut)
    assert found.status_ == "converged"
    rng = np.random.default_rng(0)
    for move in rng.normal(size=(200, 4)) * found.standard_errors_:
        assert found.objective(X, cut, found.params_ + move) > found.objective_
