"""Losses that users write: derivatives both ways, non-convex Hessians, jumps found or not."""

import mpmath
import numpy as np
import pytest
from scipy import sparse

from mcmodels.calculus import logsumexp, ones, scalar, vector
from mcmodels.estimators.pointwise import PointwiseCallable, pointwise
from mcmodels.objectives.loss_probe import (
    find_jump,
    grid,
    is_negative,
    least_curvature,
    probe_near_rows,
)
from mcmodels.objectives.user_loss import CurvatureRange, UserLoss, UserObjective
from mcmodels.rows import ArrayRows
from tests.numerics import central_differences, relative_error
from tests.objectives.user_losses import LOSSES, problem

pytestmark = pytest.mark.filterwarnings("ignore::mcmodels.exceptions.NonDifferentiableWarning")
WAYS = ["expression", "function"]


def written(name, way):
    loss = LOSSES[name]
    return UserLoss(pointwise(loss.text if way == "expression" else loss.function))


def at_rows(name, seed=0):
    """Targets and predictors that no kink is close to."""
    _, y = problem(LOSSES[name].targets, seed)
    eta = np.random.default_rng(seed + 1).uniform(-2, 2, len(y))
    r = np.abs(y - eta)
    smooth = (np.abs(r - 1.3) > 0.02) & (r > 0.02) & (np.abs(np.abs(eta) - 1) > 0.02)
    return y[smooth].astype(float), eta[smooth]


def difference_errors(loss, y, eta):
    """Errors of ℓ′ and ℓ″ against differences of ℓ and ℓ′."""
    rows = np.arange(len(eta))
    first = central_differences(lambda e: loss.value(y, e), eta, 1e-3)[rows, rows]
    second = central_differences(lambda e: loss.gradient(y, e), eta, 1e-3)[rows, rows]
    return (
        relative_error(loss.gradient(y, eta), first),
        relative_error(loss.curvature_product(y, eta, np.ones_like(eta)), second),
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", LOSSES)
def test_derivatives_are_those_of_differences(name, way):
    # Five-point differences leave step⁴ of the fifth derivative, 1e-12 of losses with a scale of
    # one; 1e-9 where the scale is a quarter, and ℓ⁽⁵⁾ some hundred times ℓ′.
    assert max(difference_errors(written(name, way), *at_rows(name))) < 1e-8


def test_a_planted_wrong_curvature_is_caught():
    right = pointwise(LOSSES["poisson"].text)

    def planted(y, eta, orders):
        return tuple(
            (1.001 if order == 2 else 1.0) * part
            for order, part in zip(orders, right(y, eta, orders), strict=True)
        )

    first, second = difference_errors(UserLoss(planted), *at_rows("poisson"))
    assert first < 1e-8
    assert second > 5e-4


@pytest.mark.parametrize("name", LOSSES)
def test_the_calculus_and_the_engine_agree(name):
    y, eta = at_rows(name)
    by_text, by_function = (written(name, way).derivatives for way in WAYS)
    for orders in [(0,), (1,), (2,), (0, 1), (0, 1, 2)]:
        for a, b in zip(by_text(y, eta, orders), by_function(y, eta, orders), strict=True):
            # Two ways to write the same function of numbers of size one to ten.
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("way", WAYS)
def test_cross_entropy_of_certain_predictions_is_finite_and_precise(way):
    loss = written("binary", way)
    eta = np.array([-700.0, -40.0, 40.0, 700.0])
    y = np.array([0.0, 1.0, 1.0, 0.0])
    value, gradient, _ = loss.derivatives(y, eta, (0, 1, 2))
    with mpmath.workdps(400):
        pairs = [(mpmath.mpf(e), t) for e, t in zip(eta, y, strict=True)]
        exact = [mpmath.log1p(mpmath.exp(e)) - t * e for e, t in pairs]
    # Rounding of the difference of two numbers as large as η.
    np.testing.assert_allclose(value, [float(v) for v in exact], atol=4e-16 * 700, rtol=1e-12)
    np.testing.assert_allclose(gradient, [0.0, -1.0, 0.0, 1.0], atol=1e-15)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["poisson", "student", "binary"])
@pytest.mark.parametrize("storage", [np.asarray, np.asfortranarray, "sparse"])
def test_objective_derivatives_by_differences(name, way, storage):
    X, y = problem(LOSSES[name].targets, 3, n=60)
    w = np.random.default_rng(0).uniform(0.5, 2, 60)
    stored = sparse.csr_array(X) if storage == "sparse" else storage(X)
    rows = ArrayRows(stored, y.astype(float), w, block_rows=17)
    objective = UserObjective(rows, written(name, way), 0.7)
    theta = np.array([0.4, -1.2, 0.3, 0.1])
    known = objective.derivatives(theta)
    # Five-point differences of smooth functions with a scale of one.
    assert relative_error(known.gradient, central_differences(objective.value, theta)) < 1e-9
    assert relative_error(known.hessian, central_differences(objective.gradient, theta)) < 1e-9
    v = np.array([1.0, -2.0, 0.5, 3.0])
    # The same sums in another order.
    assert relative_error(objective.hessian_vector_product(theta, v), known.hessian @ v) < 1e-13
    assert relative_error(objective.hessian_diagonal(theta), np.diag(known.hessian)) < 1e-13
    slope = objective.slope(theta)
    assert relative_error(slope.gradient, known.gradient) < 1e-14
    assert slope.value == pytest.approx(known.value, rel=1e-14)


def test_the_range_of_the_curvature_is_that_of_the_rows():
    X, y = problem("numbers", n=300)
    rows = ArrayRows(X, y, block_rows=64)
    theta = np.array([0.4, -1.2, 0.3, 0.1])
    seen = UserObjective(rows, written("student", "expression")).derivatives(theta).curvatures
    eta = X @ theta[:3] + theta[3]
    r2 = (y - eta) ** 2
    second = 4 * (3 - r2) / (3 + r2) ** 2
    assert seen.smallest == pytest.approx(second.min(), rel=1e-12)
    assert seen.largest == pytest.approx(second.max(), rel=1e-12)
    k = second.argmin()
    assert (seen.y, seen.eta) == pytest.approx((y[k], eta[k]), rel=1e-13)
    assert not seen.is_constant


def test_a_constant_curvature_is_noticed_and_its_hessian_kept():
    X, y = problem("numbers", n=300)
    for loss in ("3 * (y - eta)**2", lambda y, eta: 3 * (y - eta) ** 2):
        objective = UserObjective(ArrayRows(X, y, block_rows=64), UserLoss(pointwise(loss)))
        theta = np.array([0.4, -1.2, 0.3, 0.1])
        assert objective.looks_quadratic(theta)
        known = objective.derivatives(theta)
        design = np.column_stack([X, np.ones(300)])
        # Sums of 300 products.
        assert relative_error(known.hessian, 6 * design.T @ design) < 1e-14
        after = objective.derivatives_after(known, 2 * theta)
        assert after.hessian is known.hessian
        assert relative_error(after.gradient, objective.gradient(2 * theta)) < 1e-14
    other = UserObjective(objective.rows, written("poisson", "expression"))
    assert not other.looks_quadratic(np.zeros(4))  # although ℓ″ is one number there: η is
    huber = UserObjective(objective.rows, UserLoss(pointwise("(y - eta)**2 - relu(eta - 9)**2")))
    before = huber.derivatives(np.zeros(4))
    assert before.curvatures.is_constant
    far = np.array([0.0, 0.0, 0.0, 20.0])
    after = huber.derivatives_after(before, far)
    assert relative_error(after.gradient, huber.gradient(far)) < 1e-14
    assert not np.array_equal(after.hessian, before.hessian)


@pytest.mark.parametrize(
    ("loss", "order", "eta", "size"),
    [
        ("abs(y - eta)", 1, "y", 2.0),
        ("relu(y - eta) - 0.3 * (y - eta)", 1, "y", 1.0),
        ("relu(1 - (2*y - 1) * eta)", 1, "margin", None),
        (lambda y, eta: np.where(eta > 0.123, eta, 0.0), 0, 0.123, 0.123),
        (lambda y, eta: np.maximum(0.5 * (y - eta), 0.0) + 100 * (y - eta) ** 2, 1, "y", 0.5),
    ],
)
def test_jumps_are_found_where_they_are(loss, order, eta, size):
    y = np.linspace(-1.3, 1.9, 7)
    jump = find_jump(UserLoss(pointwise(loss)), y, grid(-2.5, 2.5))
    assert jump.order == order
    where = {"y": jump.y, "margin": 1 / (2 * jump.y - 1)}.get(eta, eta)
    # Sixty halvings of a twentieth end at neighbouring numbers.
    assert jump.eta == pytest.approx(where, abs=1e-12)
    if size is not None:
        assert jump.size == pytest.approx(size, rel=1e-6)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", LOSSES)
def test_smooth_losses_have_no_jump_and_only_the_non_convex_one_curves_down(name, way):
    loss = written(name, way)
    y = np.unique(problem(LOSSES[name].targets)[1].astype(float))[:20]
    points = grid(-4.0, 4.0)
    assert find_jump(loss, y, points) is None
    smallest = least_curvature(loss, y, points).smallest
    assert smallest >= -1e-15 if LOSSES[name].convex else smallest < -0.1


@pytest.mark.parametrize("loss", ["sqrt(abs(y - eta))", "log(abs(y - eta))"])
def test_a_derivative_that_is_infinite_is_no_jump_of_unknown_size(loss):
    # So many targets that at some of them the halved intervals end on the singularity itself.
    y = 3 * np.random.default_rng(0).standard_normal(400)
    assert find_jump(UserLoss(pointwise(loss)), y, grid(-8.0, 8.0)) is None


def test_a_steep_smooth_step_is_no_jump():
    y = np.linspace(-1.3, 1.9, 7)
    loss = UserLoss(pointwise("1e-5 * softplus((y - eta) / 1e-5)"))
    assert find_jump(loss, y, grid(-2.5, 2.5)) is None


def probed(text, y, eta):
    rows = ArrayRows(np.reshape(eta, (-1, 1)), np.asarray(y, float), intercept=False)
    return probe_near_rows(UserObjective(rows, UserLoss(pointwise(text))), np.ones(1))


def test_the_loss_is_probed_between_the_rows_and_a_quarter_beyond():
    y, eta = [0.0, 1.0, 2.0], [-1.0, 0.5, 3.0]
    assert probed("(y-eta)**2", y, eta).jump is None
    for kink, is_near in ((-1.9, True), (3.9, True), (-2.3, False), (4.3, False)):
        found = probed(f"relu(eta-({kink}))", y, eta)
        assert (found.jump is not None) == is_near, kink
    near = probed("eta**4 - 3*eta**2", y, eta).curvature
    assert near.smallest == pytest.approx(-6, abs=0.02)
    assert near.largest == pytest.approx(12 * (4 + 6 * 0.0171) ** 2 - 6)


def test_a_kink_at_a_target_is_found_though_predictors_are_far_from_it():
    found = probed("relu(eta-0.7)", [0.0, 1.0], [50.0, 51.0])
    assert found.jump.order == 1
    assert found.jump.eta == pytest.approx(0.7)
    assert probed("relu(eta-0.7)", [0.0, 0.0], [50.0, 51.0]).jump is None


def test_predictors_that_are_all_alike_are_still_looked_at_from_both_sides():
    assert probed("relu(eta-2)", [1.0, 1.0], [2.0, 2.0]).jump.eta == pytest.approx(2.0)


def test_curvature_is_negative_when_it_is_more_than_rounding():
    def seen(smallest, largest):
        return CurvatureRange(smallest, largest, 0.0, 0.0)

    assert is_negative(seen(-1e-7, 1.0), None)
    assert not is_negative(seen(-1e-9, 1.0), None)
    assert not is_negative(seen(-1e-7, 1.0), seen(0.0, 100.0))
    assert is_negative(seen(-1e-12, -1e-13), None)
    assert not is_negative(seen(0.0, 0.0), None)


def test_expressions_of_anything_else_are_refused_by_name():
    y, eta = scalar("y"), scalar("eta")
    with pytest.raises(ValueError, match=r"loss holds 'tau', a scalar; only y and eta may appear"):
        pointwise("softplus((y - eta) / tau)")
    with pytest.raises(ValueError, match=r"loss holds 'x', a vector of n"):
        pointwise(vector("x", "n").T @ vector("x", "n") * eta * y)
    with pytest.raises(ValueError, match="a function of arrays; write it with functions of num"):
        pointwise(y * logsumexp(ones(2) * eta))
    with pytest.raises(ValueError, match="without eta; there is nothing to fit"):
        pointwise(y**2)
    with pytest.raises(TypeError, match="loss is a int; give an expression in the scalars y and"):
        pointwise(3)


def refused(function, message, error=ValueError):
    y, eta = np.array([0.0, 1.0, 2.0]), np.array([0.3, -0.2, 0.9])
    with pytest.raises(error, match=message):
        PointwiseCallable(function).require_rows(y, eta)


def test_functions_that_are_not_pointwise_are_refused():
    refused(lambda y, eta: np.sum((y - eta) ** 2), r"returned shape \(\) for y and eta of shape")
    refused(lambda y, eta: (y - eta)[:2], r"returned shape \(2,\).*Leave out sums and means")
    refused(
        lambda y, eta: (y - np.mean(eta)) ** 2,
        r"not pointwise: at y=0, eta=0.3 it is 0.09 for this row alone, and 0.11",
    )
    refused(lambda y, eta: eta * np.sort(y)[::-1], "not pointwise")
    # A hint of the other rows is more than rounding.
    refused(lambda y, eta: (y - eta) ** 2 * (1 + 1e-7 * np.mean(eta)), "not pointwise")
    refused(lambda y, eta: (y - eta) * 1j, "complex128 numbers", TypeError)
    refused(lambda y, eta: ((y - eta) ** 2).astype("f4"), r"float32 numbers.*double", TypeError)
    refused(lambda y, eta: y > eta, "bool numbers", TypeError)
    refused(lambda y, eta: list((y - eta) ** 2), "loss returned a list; it must ret", TypeError)
    refused(lambda y, eta: None, "loss returned a NoneType; it must return an", TypeError)
    refused(lambda y, eta: y**2, "does not depend on eta, or in jumps only")
    refused(lambda y, eta: np.where(y > eta, 1.0, 0.0), "does not depend on eta, or in jumps")
    refused(_in_place, "changed the arrays that it was given")


def test_what_a_function_raises_is_passed_on_with_a_note_on_the_call():
    held = np.ones(200)  # as many as there are rows, where blocks of them are given
    with pytest.raises(ValueError, match="could not be broadcast") as raised:
        PointwiseCallable(lambda y, eta: held * (y - eta) ** 2).require_rows(np.ones(3), np.ones(3))
    assert "loss was called with arrays y and eta of shape (3,)" in raised.value.__notes__[0]


def _in_place(y, eta):
    eta -= y
    return eta**2
