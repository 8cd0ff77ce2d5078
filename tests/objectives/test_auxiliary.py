"""A loss with auxiliary parameters: derivatives of rows and of sums, and what is refused."""

import functools

import mpmath
import numpy as np
import pytest
from scipy import sparse

from mcmodels.calculus import exp, gammaln, scalar, softplus, vector, where
from mcmodels.estimators.auxiliary_arguments import auxiliary_shapes, auxiliary_values
from mcmodels.estimators.auxiliary_pointwise import (
    link_with_auxiliary,
    pointwise_with_auxiliary,
    require_rows,
)
from mcmodels.objectives.auxiliary import (
    AuxiliaryLoss,
    AuxiliaryObjective,
    AuxiliaryShapes,
    HeldAuxiliary,
)
from mcmodels.rows import ArrayRows
from tests.auxiliary_problems import PROBLEMS, data
from tests.numerics import central_differences, relative_error

WAYS = [(name, k) for name, problem in PROBLEMS.items() for k in range(len(problem.ways))]
# Five-point differences have errors of about 1e-11 of the largest entry; second derivatives are
# differences of exact first ones, so that the same holds.
DIFFERENCES = 1e-9


def function_of(name, way=0):
    problem = PROBLEMS[name]
    shapes = auxiliary_shapes(auxiliary_values(problem.start))
    return pointwise_with_auxiliary(problem.ways[way], shapes)


def point(name, n=7, seed=3):
    """Targets, linear predictors and auxiliary parameters away from the start."""
    problem, rng = PROBLEMS[name], np.random.default_rng(seed)
    _, y = data(problem.targets, n, seed)
    a = auxiliary_shapes(auxiliary_values(problem.start)).ravel(problem.start)
    return y, rng.normal(size=n), a + rng.uniform(0.1, 0.4, size=a.size)


def objective_of(name, way=0, *, penalty=0.7, weighted=True, intercept=True, storage=np.asarray):
    problem, rng = PROBLEMS[name], np.random.default_rng(5)
    X, y = data(problem.targets, 40, 1)
    w = rng.uniform(0.0, 2.0, size=40) if weighted else None
    rows = ArrayRows(storage(X), y, w, {"offset": 0.1 * X[:, 0]}, intercept=intercept)
    objective = AuxiliaryObjective(rows, AuxiliaryLoss(function_of(name, way)), penalty)
    a = point(name)[2]
    return objective, np.concatenate([rng.normal(size=2 + intercept) / 3, a])


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_derivatives_of_rows_are_those_of_differences(name, way):
    f, (y, eta, a) = function_of(name, way), point(name)
    value, first, second = f(y, eta, a, 2)
    for k in range(y.size):
        at = np.concatenate([[eta[k]], a])

        def of_row(z, k=k):
            return f(y[k : k + 1], z[:1], z[1:], 1)

        assert relative_error(first[k], central_differences(lambda z: of_row(z)[0][0], at)) < (
            DIFFERENCES
        )
        differences = central_differences(lambda z: of_row(z)[1][0], at)
        assert relative_error(second[k], differences) < DIFFERENCES
    assert np.array_equal(second, second.transpose(0, 2, 1))
    assert np.array_equal(f(y, eta, a, 0)[0], value)
    assert np.array_equal(f(y, eta, a, 1)[1], first)


@pytest.mark.parametrize("name", [name for name, p in PROBLEMS.items() if p.text])
def test_text_and_function_agree(name):
    y, eta, a = point(name, n=50)
    for order in range(3):
        of_ways = [function_of(name, way)(y, eta, a, order) for way in (0, 1)]
        for of_text, of_function in zip(*of_ways, strict=True):
            # The two forms are written differently; constants are left out in some.
            assert relative_error(np.diff(of_text, axis=0), np.diff(of_function, axis=0)) < 1e-12


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_with_auxiliary_held_it_is_the_loss_of_eta(name, way):
    f, (y, eta, a) = function_of(name, way), point(name)
    value, first, second = f(y, eta, a, 2)
    held = f.at(a)(y, eta, (0, 1, 2))
    for found, expected in zip(held, (value, first[:, 0], second[:, 0, 0]), strict=True):
        # The same derivatives, in another order of operations.
        assert relative_error(found, expected) < 1e-13


def test_negative_binomial_in_high_precision():
    y, eta, a = 3.0, 0.7, 0.4

    def loss(e, log_alpha):
        r, m = mpmath.exp(-log_alpha), mpmath.exp(e)
        return -(
            mpmath.loggamma(y + r)
            - mpmath.loggamma(r)
            + r * mpmath.log(r / (r + m))
            + y * mpmath.log(m / (r + m))
        )

    for way in (0, 1):
        rows = function_of("negative binomial", way)(
            np.array([y]), np.array([eta]), np.array([a]), 2
        )
        with mpmath.workdps(40):
            for order, found in enumerate(rows):
                for index in np.ndindex(found.shape[1:]):
                    n = [index.count(0), index.count(1)]
                    expected = mpmath.diff(loss, (eta, a), n) if order else loss(eta, a)
                    # A few roundings of terms of size one.
                    assert abs(found[(0, *index)] - float(expected)) < 1e-13


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("name", "way"), WAYS)
def test_derivatives_of_the_objective(name, way, intercept, storage):
    objective, params = objective_of(name, way, intercept=intercept, storage=storage)
    found = objective.derivatives(params)
    assert found.value == pytest.approx(objective.value(params), rel=1e-14)
    gradient = central_differences(objective.value, params)
    assert relative_error(found.gradient, gradient) < DIFFERENCES
    hessian = central_differences(objective.gradient, params)
    assert relative_error(found.hessian, hessian) < DIFFERENCES
    assert np.array_equal(objective.gradient(params), found.gradient)
    assert np.array_equal(objective.hessian(params), found.hessian)
    vector = np.random.default_rng(0).normal(size=params.size)
    product = objective.hessian_vector_product(params, vector)
    # Sums in another order.
    assert relative_error(product, found.hessian @ vector) < 1e-12
    assert np.array_equal(objective.hessian_diagonal(params), np.diagonal(found.hessian))


def test_planted_errors_are_seen():
    objective, params = objective_of("student")
    found = objective.derivatives(params)
    numerical = central_differences(objective.gradient, params)
    for planted in ((3, 3), (0, 3), (3, 0), (2, 3)):
        wrong = found.hessian.copy()
        wrong[planted] *= 1.001
        assert relative_error(wrong, numerical) > DIFFERENCES
    wrong = found.gradient.copy()
    wrong[-1] *= 1.0001
    gradient = central_differences(objective.value, params)
    assert relative_error(wrong, gradient) > DIFFERENCES


def test_neither_intercept_nor_auxiliary_is_penalised():
    small, params = objective_of("student", penalty=0.0)
    large = small.over(small.rows, 5.0)
    grown = large.derivatives(params), small.derivatives(params)
    assert large.value(params) - small.value(params) == pytest.approx(2.5 * params[:2] @ params[:2])
    added = grown[0].hessian - grown[1].hessian
    assert np.allclose(added, np.diag([5.0, 5.0, 0.0, 0.0]), atol=1e-12)


def test_one_of_the_auxiliary_parameters_held():
    f = function_of("ordinal logit", 1)
    y, eta, a = point("ordinal logit")
    for k in (0, 1):
        held, rest = HeldAuxiliary(f, k, a[k]), np.delete(a, k)
        assert held.shapes.size == 1
        value, first, second = f(y, eta, a, 2)
        kept = np.array([0, 2 - k])
        assert np.array_equal(held(y, eta, rest, 2)[0], value)
        assert np.array_equal(held(y, eta, rest, 2)[1], first[:, kept])
        assert np.array_equal(held(y, eta, rest, 2)[2], second[np.ix_(range(len(y)), kept, kept)])


def test_shapes():
    shapes = AuxiliaryShapes((("scale", ()), ("cuts", (3,)), ("b", ())))
    assert shapes.names == ("scale", "cuts[0]", "cuts[1]", "cuts[2]", "b")
    values = {"scale": 0.5, "cuts": [1.0, 2.0, 3.0], "b": 7}
    flat = shapes.ravel(values)
    assert flat.tolist() == [0.5, 1.0, 2.0, 3.0, 7.0]
    named = shapes.named(flat)
    assert list(named) == ["scale", "cuts", "b"]
    assert type(named["scale"]) is float
    assert named["cuts"].tolist() == [1.0, 2.0, 3.0]


# -- how a function takes its arguments -----------------------------------------------------------


def by_position(y, eta, a, b):
    return a + (y - eta) ** 2 * b


def by_name(y, eta, *, scale, shift):
    return scale + (y - eta) ** 2 * shift


def with_more(y, eta, shift, scale, power=2):
    return scale + (y - eta) ** power * shift


@pytest.mark.parametrize(
    "function",
    [
        by_position,
        by_name,
        with_more,
        functools.partial(with_more, power=2),
        lambda y, eta, *a: a[0] + (y - eta) ** 2 * a[1],
        lambda y, eta, **a: a["scale"] + (y - eta) ** 2 * a["shift"],
    ],
)
def test_arguments_by_position_or_name(function):
    f = pointwise_with_auxiliary(function, auxiliary_shapes({"scale": 1.0, "shift": 3.0}))
    y, eta = np.array([1.0, 2.0]), np.array([0.5, 0.0])
    assert np.array_equal(f(y, eta, np.array([10.0, 3.0]), 0)[0], 10 + (y - eta) ** 2 * 3)
    assert np.array_equal(f(y, eta, np.array([10.0, 3.0]), 1)[1][:, 2], (y - eta) ** 2)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda y, eta: y - eta, "too many positional"),
        (lambda y, eta, scale: y - eta, "no argument 'shift'|too many"),
        (lambda y, eta, scale, shift, more: y - eta, "missing a required argument: 'more'"),
        (lambda y, eta, scale, other: y - eta, "no argument 'shift'"),
    ],
)
def test_other_arguments_are_refused(function, said):
    with pytest.raises(TypeError, match=said) as refused:
        pointwise_with_auxiliary(function, auxiliary_shapes({"scale": 1.0, "shift": 3.0}))
    assert "loss(y, eta, scale, shift)" in str(refused.value)


def test_entries_of_vectors_in_expressions():
    y, eta, cuts, s = scalar("y"), scalar("eta"), vector("cuts", 2), scalar("s")
    loss = where(y > 0.5, softplus(cuts[0] - eta), softplus(eta - cuts[1])) * exp(s) + gammaln(
        y + 1
    )
    shapes = auxiliary_shapes({"cuts": np.zeros(2), "s": 0.0})
    f = pointwise_with_auxiliary(loss, shapes)
    Y, E, a = np.array([0.0, 1.0]), np.array([0.3, -0.2]), np.array([0.1, 0.9, 0.4])
    value, first, second = f(Y, E, a, 2)
    expected = [
        np.log1p(np.exp(0.3 - 0.9)) * np.exp(0.4),
        np.log1p(np.exp(0.1 + 0.2)) * np.exp(0.4),
    ]
    assert np.allclose(value, expected, rtol=1e-15)
    assert first[0, 1] == first[1, 2] == 0
    assert second[0, 2, 3] == pytest.approx(first[0, 2], rel=1e-15)


def test_a_vector_of_one_entry():
    text = "(y - eta)**2 * exp(-2 * s[0]) + s[ 0 ] + t"
    f = pointwise_with_auxiliary(text, auxiliary_shapes({"s": np.zeros(1), "t": 0.0}))
    value, first = f(np.array([1.0]), np.array([0.5]), np.array([0.3, 2.0]), 1)
    assert value == pytest.approx(0.25 * np.exp(-0.6) + 2.3, rel=1e-15)
    assert first[0] == pytest.approx([-np.exp(-0.6), 1 - 0.5 * np.exp(-0.6), 1.0], rel=1e-15)
    link = link_with_auxiliary("eta + s[0]", {"s": np.array([2.5])})
    assert str(link) == "eta + 2.5"


@pytest.mark.parametrize(
    ("loss", "values", "said"),
    [
        ("(y - eta)**2", {"scale": 1.0}, "without scale"),
        ("(y - eta)**2 * scale * other", {"scale": 1.0}, r"'other'.*auxiliary="),
        ("cuts[0] * eta", {"cuts": np.zeros(2)}, r"without cuts\[1\]"),
        ("sum(cuts) * eta", {"cuts": np.zeros(2)}, "'cuts' as a whole"),
        ("scale * y", {"scale": 1.0}, "without eta"),
    ],
)
def test_expressions_that_do_not_fit_are_refused(loss, values, said):
    with pytest.raises(ValueError, match=said):
        pointwise_with_auxiliary(loss, auxiliary_shapes(values))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda y, eta, scale: (y - eta) ** 2, "does not depend on the aux"),
        (lambda y, eta, scale: scale * (y - eta.mean()) ** 2, "not pointwise"),
        (lambda y, eta, scale: np.sum(scale * (y - eta) ** 2), "shape"),
        (lambda y, eta, scale: scale * y, "does not depend on eta"),
    ],
)
def test_functions_that_do_not_fit_are_refused(function, said):
    f = pointwise_with_auxiliary(function, auxiliary_shapes({"scale": 1.0}))
    with pytest.raises(ValueError, match=said):
        require_rows(f, np.array([1.0]), np.arange(4.0), np.sin(np.arange(4.0)))


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        (3, TypeError, "auxiliary is a int"),
        ({"eta": 0.0}, ValueError, "that of the linear predictor"),
        ({"y": 0.0}, ValueError, "that of the target"),
        ({"a b": 0.0}, ValueError, "'a b'"),
        ({"lambda": 0.0}, ValueError, "'lambda'"),
        ({1: 0.0}, ValueError, "1"),
        ({"s": "x"}, TypeError, r"auxiliary\['s'\]='x'"),
        ({"s": None}, TypeError, r"auxiliary\['s'\]"),
        ({"s": 1j}, TypeError, r"auxiliary\['s'\]"),
        ({"s": np.inf}, ValueError, "not finite"),
        ({"s": [0.0, np.nan]}, ValueError, "not finite"),
        ({"s": []}, ValueError, "shape"),
        ({"s": [[1.0]]}, ValueError, "shape"),
    ],
)
def test_values_that_are_refused(given, kind, said):
    with pytest.raises(kind, match=said):
        auxiliary_values(given)


def test_links_take_the_auxiliary_parameters_that_they_name():
    values = {"s": 2.0, "cuts": np.array([1.0, 3.0])}
    assert link_with_auxiliary("exp(eta)", values) == "exp(eta)"
    assert link_with_auxiliary(np.exp, values) is np.exp
    assert link_with_auxiliary(None, values) is None
    bound = link_with_auxiliary(lambda eta, s: eta * s, values)
    assert bound(3.0) == 6.0
    text = link_with_auxiliary("eta * s + cuts[1]", values)
    assert str(text) == "2 * eta + 3"
