"""The gradient doctor on Python functions: differences that are good, and refused where not."""

import math

import numpy as np
import pytest

from mcmodels.calculus.study.doctor import diagnose


def test_a_right_derivative_of_a_python_function_is_not_accused():
    rng = np.random.default_rng(1)
    matrix_, point = rng.standard_normal((4, 4)), rng.standard_normal(4)

    def quadratic(v):
        return v @ matrix_ @ v

    right = (matrix_ + matrix_.T) @ point
    assert diagnose(quadratic, point, right).correct
    assert diagnose(quadratic, point, lambda v: matrix_ @ v + matrix_.T @ v).correct
    assert diagnose(quadratic, point, right + 1e-6 * np.abs(right).max()).correct
    assert diagnose(lambda v: np.float32(quadratic(v)), point, right).correct
    assert diagnose(lambda v: 1e6 * np.log(v).sum(), [1e-3, 2e-3], [1e9, 5e8]).correct
    assert diagnose(lambda v: quadratic(v) + 1e6, point, right).correct
    assert diagnose(lambda v: np.abs(v).sum(), [1e-2, -2.0], [1.0, -1.0]).correct
    assert diagnose(lambda V: np.linalg.slogdet(V)[1], matrix_, np.linalg.inv(matrix_).T).correct
    assert diagnose(lambda v: matrix_ @ np.sin(v), point, matrix_ * np.cos(point)).correct
    assert diagnose(lambda t: t**3, 2.0, 12.0).correct


# Functions of which each coordinate wants its own steps, or steps that are small.
HARD_FUNCTIONS = {
    "coordinates of other sizes": (lambda x: np.log(x).sum(), lambda x: 1 / x, [1e-3, 1.0]),
    "a large coordinate": (lambda x: np.log(x).sum(), lambda x: 1 / x, [2000.0, 1.0]),
    "beside the end of the domain": (
        lambda x: -np.log(1 - x).sum(),
        lambda x: 1 / (1 - x),
        [0.999, 0.5],
    ),
    "a large argument of a sine": (lambda x: np.sin(x).sum(), np.cos, [1000.0, 1.0]),
    "flat by one, steep by the other": (
        lambda x: 1e-6 * x[0] ** 2 + np.sin(3 * x[1]),
        lambda x: np.array([2e-6 * x[0], 3 * np.cos(3 * x[1])]),
        [2000.0, 1.0],
    ),
    "swinging fast beside a small coordinate": (
        lambda x: np.sin(1e3 * x).sum(),
        lambda x: 1e3 * np.cos(1e3 * x),
        [48.21331225728646, -0.04143799046756952],
    ),
    "a kink close by": (
        lambda x: np.abs(x - 1.001).sum(),
        lambda x: np.sign(x - 1.001),
        [1.0, 2.0],
    ),
    "swinging fast": (lambda x: np.sin(1e4 * x).sum(), lambda x: 1e4 * np.cos(1e4 * x), [1.0, 2.0]),
    "a zero beside a large coordinate": (
        lambda x: np.sin(3 * x[0]) + x[1],
        lambda x: np.array([3 * np.cos(3 * x[0]), 1.0]),
        [0.0, 1e6],
    ),
    "small coordinates beside a large constant": (
        lambda x: np.sin(x).sum() + 1e3,
        np.cos,
        [1e-9, 1e-9],
    ),
    "undefined by an exception": (
        lambda x: math.log(x[0]) + x[1],
        lambda x: np.array([1 / x[0], 1.0]),
        [1e-5, 1.0],
    ),
    "rounded to single precision inside": (
        lambda x: float(np.float32(x @ x)),
        lambda x: 2 * x,
        [1.0, 2.0],
    ),
    "a matrix of other sizes": (
        lambda X: np.log(X).sum() + X[0, 1] * X[1, 0],
        lambda X: 1 / X + np.array([[0.0, X[1, 0]], [X[0, 1], 0.0]]),
        [[1e-3, 5.0], [1e2, 1.0]],
    ),
}


@pytest.mark.parametrize("name", HARD_FUNCTIONS)
def test_python_functions_are_measured_at_the_size_of_each_coordinate(name):
    f, gradient, point = HARD_FUNCTIONS[name]
    diagnosis = diagnose(f, np.array(point), gradient)
    assert diagnosis.correct, str(diagnosis)
    assert "nearly 0" not in diagnosis.explanation
    for factor in (2, 1.5, 1.01, -1):
        diagnosis = diagnose(f, np.array(point), lambda x, factor=factor: factor * gradient(x))
        assert not diagnosis.correct, (factor, str(diagnosis))
        if factor != 1.01:  # which is no usual factor, and two entries do not prove it
            assert diagnosis.mistake == "factor"


def test_differences_that_tell_nothing_are_refused():
    noise = np.random.default_rng(3)
    for f, gradient in (
        (lambda x: np.sin(1e10 * x).sum(), lambda x: 1e10 * np.cos(1e10 * x)),
        (lambda x: x @ x + noise.standard_normal(), lambda x: 2 * x),
    ):
        for factor in (1, 2):
            with pytest.raises(ValueError, match=r"not good enough here .* by x\[\d\] = \d"):
                diagnose(f, [1.0, 2.0], lambda x, g=gradient, factor=factor: factor * g(x))
    with pytest.raises(ValueError, match=r"by x\[0\] = 0 .* try another point, scale the variable"):
        diagnose(lambda x: np.sqrt(x).sum(), [0.0, 1.0], [1.0, 0.5])
    with pytest.raises(ValueError, match=r"by x\[1, 0\] = 0 "):
        diagnose(lambda X: np.sqrt(X).sum(), [[1.0, 2.0], [0.0, 1.0]], np.ones((2, 2)))


def test_nearly_zero_is_said_where_rounding_hides_the_gradient():
    rng = np.random.default_rng(4)
    design, response = 1e3 * rng.standard_normal((30, 4)), 1e3 * rng.standard_normal(30)
    weights = np.linalg.lstsq(design, response, rcond=None)[0]

    def loss(w):
        return ((design @ w - response) ** 2).sum()

    diagnosis = diagnose(loss, weights, lambda w: 2 * design.T @ (design @ w - response))
    assert diagnosis.correct
    assert "nearly 0" in diagnosis.explanation
    assert not diagnose(loss, weights, np.full(4, 1e4)).correct
    exact = diagnose(lambda x: ((x - 1) ** 2).sum(), [1.0, 1.0], lambda x: 2 * (x - 1))
    assert exact.correct
    assert "nearly 0" in exact.explanation


def test_mistakes_of_python_functions():
    rng = np.random.default_rng(2)
    design, response, point = rng.standard_normal((7, 3)), rng.standard_normal(7), np.ones(3)

    def loss(w):
        return ((design @ w - response) ** 2).mean()

    right = 2 * design.T @ (design @ point - response) / 7
    diagnosis = diagnose(loss, point, 7 * right)
    assert (diagnosis.mistake, diagnosis.explanation) == ("factor", "there is an extra factor 7")
    assert "1/7" not in diagnosis.explanation
    assert "the factor 2 is missing" in diagnose(loss, point, right / 2).explanation
    assert diagnose(loss, point, -right).mistake == "factor"
    assert diagnose(loss, point, right[:, None]).mistake == "wrong shape"
    changed = right.copy()
    changed[1] = 0
    diagnosis = diagnose(loss, point, changed)
    assert diagnosis.mistake == "wrong entries"
    assert "entry 1: 0 stands there" in diagnosis.explanation
    assert diagnose(loss, point, lambda w: w**2 + 1).mistake == "unknown"
    assert diagnose(lambda w: design @ w, point, design.T).mistake == "transposed layout"
    square = rng.standard_normal((3, 3))
    inverse = np.linalg.inv(square)
    assert (
        diagnose(lambda V: np.linalg.slogdet(V)[1], square, inverse).mistake == "transposed layout"
    )
    assert diagnose(loss, point, np.full(3, np.nan)).mistake == "not finite"


@pytest.mark.parametrize(
    ("claimed", "words"),
    [
        (lambda x: x, "the factor 2 (= len(x)) is missing"),
        (lambda x: 4 * x, "there is an extra factor 2 (= len(x))"),
    ],
)
def test_a_factor_that_may_be_a_size_is_named_the_right_way_up(claimed, words):
    assert words in diagnose(lambda x: x @ x, [1.0, 2.0], claimed).explanation
