"""What is given is not changed, depth is refused in words, declarations hold where they should."""

import pickle

import numpy as np
import pytest

from mcmodels.calculus import (
    DerivativeError,
    ShapeError,
    diag,
    log,
    matrix,
    mean,
    norm,
    ones,
    sigmoid,
    sin,
    softmax,
    sum,
    tanh,
    trace,
    vec,
    vector,
)
from mcmodels.calculus.core.nesting import NestingError

x, a, v = (vector(name, "n") for name in "xav")
t = vector("t", "n", probability=True)
A, B = matrix("A", "n", "n"), matrix("B", "n", "n")
S = matrix("S", "n", "n", symmetric=True)
D = matrix("D", "n", "n", positive_definite=True)


@pytest.mark.parametrize(
    "expression", [A, A.T, a, a.T, vec(A.T), vec(A), A[0, :], A[:, 1], diag(A), A + A.T], ids=str
)
def test_results_are_the_users_own(expression):
    values: dict[str, np.ndarray] = {"A": np.arange(4.0).reshape(2, 2)}
    if "a" in str(expression).replace("diag", ""):
        values = {"a": np.array([1.0, 2.0])}
    kept = {name: value.copy() for name, value in values.items()}
    for result in (expression.compile()(**values), expression.evaluate(**values)):
        assert result.flags.writeable
        result *= 0
        for name, value in values.items():
            np.testing.assert_array_equal(value, kept[name])


def test_shared_parts_are_walked_once():
    e = x
    for _ in range(18):  # as a tree it would have 2 to the 18 leaves
        e = sin(e) + sin(2 * e)
    # The slope of sin(e) + sin(2e) at 0 is 3, exactly in floating point.
    assert (sum(e).gradient(x).evaluate(x=[0.0]) == [3.0**18]).all()


def test_depth_is_refused_in_words():
    deep = x
    for _ in range(2000):
        deep = tanh(deep)
    with pytest.raises(NestingError, match="2002 levels is nested too deep for gradient"):
        deep[0].gradient(x)
    with pytest.raises(NestingError, match="nested too deep for evaluate"):
        deep.evaluate(x=[1.0])
    with pytest.raises(NestingError, match="nested too deep for source_for"):
        deep.compile().source  # noqa: B018


def test_what_is_deep_has_a_text():
    deep = x
    for _ in range(2000):
        deep = tanh(deep)
    assert str(deep).count("tanh") == repr(deep).count("tanh") == 2000


def test_a_point_may_be_given_for_a_symbol_of_any_name():
    selfish = vector("self", "n")
    assert sum(x**2).check(x, x=[1.0, 2.0]) < 1e-9
    assert sum(selfish).evaluate(self=[1.0, 2.0]) == 3
    assert sum(selfish).compile()(self=[1.0, 2.0]) == 3


def test_sizes_may_be_given_to_a_check():
    assert mean(x**2).check(x, n=7) < 1e-9


def test_large_values_are_checked_as_well():
    assert (1e12 * x.T @ x).check(x) < 1e-9


@pytest.mark.parametrize(
    ("hessian", "expected"),
    [
        ((sum(t) ** 2).hessian(t), "2·1_(n×n)"),
        ((sum(t) * (a.T @ t)).hessian(t), "1aᵀ + a 1ᵀ"),
        ((-t.T @ log(softmax(x))).hessian(x, t), "softmax(x) 1ᵀ − I"),
    ],
    ids=str,
)
def test_a_derivative_by_probabilities_moves_them_freely(hessian, expected):
    assert repr(hessian) == expected


def test_a_derivation_by_probabilities_ends_with_their_gradient():
    derivation = (sum(t) * (a.T @ t)).derivation(t)
    assert derivation.result == (sum(t) * (a.T @ t)).gradient(t)
    assert derivation.check() < 1e-9
    assert "that its entries sum to 1 is not used" in str(derivation)


def test_values_are_as_declared():
    with pytest.raises(ValueError, match=r"'t' is declared probability.*the sum 3"):
        sum(a * t).evaluate(a=np.ones(3), t=np.ones(3))
    with pytest.raises(ValueError, match="'D' is declared positive definite; found the eigen"):
        trace(D).evaluate(D=-np.eye(2))


def test_a_direction_of_a_symmetric_matrix_is_symmetric():
    f = trace(S @ A @ S @ A)
    with pytest.raises(DerivativeError, match="S is symmetric, so its directions are, too"):
        f.hessian_vector_product(S, B)
    assert f.hessian_vector_product(S, (B + B.T) / 2).shape == ("n", "n")


@pytest.mark.parametrize("z", [36.0, 800.0])
def test_logarithms_of_one_minus_a_probability_keep_their_digits(z):
    expected = -np.logaddexp(0, z)
    for value in (log(1 - sigmoid(x)).compile()(x=[z]), log(1 - sigmoid(x)).evaluate(x=[z])):
        np.testing.assert_allclose(value, [expected], rtol=1e-15)  # one rounding
    for value in (log(sigmoid(x)).compile()(x=[-z]), log(sigmoid(x)).evaluate(x=[-z])):
        np.testing.assert_allclose(value, [expected], rtol=1e-15)


def test_compiled_functions_refuse_what_is_no_real_number():
    total = sum(x).compile()
    for wrong in (np.array([1j, 1]), ["1", "2"]):
        with pytest.raises(ValueError, match="'x' must be real numbers"):
            total(x=wrong)
    with pytest.raises(ShapeError, match="index 5 is outside a vector of 2"):
        x[5].compile()(x=[1.0, 2.0])


def test_what_cannot_be_a_size_or_an_index_or_a_number():
    with pytest.raises(
        ShapeError, match="a size is a number, a name, a product or a sum; found 'for'"
    ):
        ones("for")
    with pytest.raises(ShapeError, match="an index is a whole number"):
        x[True]
    with pytest.raises(ValueError, match="at most 1e\\+300"):
        10**400 * x


def test_a_derivation_can_be_kept():
    derivation = (x.T @ A @ x).derivation(x, order=2)
    again = pickle.loads(pickle.dumps(derivation))
    assert str(again) == str(derivation)
    assert again.check() < 1e-9


def test_a_squared_norm_has_a_derivative_everywhere():
    assert (norm(A @ x - a) ** 2).derivation(x, order=2).notes == ()
    assert norm(x).derivation(x).notes == ("‖x‖ is not differentiable where its argument is 0",)
