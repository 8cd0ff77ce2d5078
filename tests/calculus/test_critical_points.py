"""Critical points: what the eigenvalues of the Hessian say, and where nothing can be classified."""

from __future__ import annotations

import numpy as np
import pytest

from mcmodels.calculus.core.functions import (
    exp,
    inv,
    logdet,
    matrix,
    norm,
    relu,
    scalar,
    sum,
    trace,
    vector,
)
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.study.critical_points import critical_point
from mcmodels.user_warnings import NonDifferentiableWarning

x = vector("x", "n")
A = matrix("A", "n", "n")
S, P = matrix("S", "n", "n", symmetric=True), matrix("P", "n", "n", positive_definite=True)
v, w, lam = vector("v", "n"), vector("w", "n"), scalar("lambda_")

# Eigenvalues of 3×3 matrices with entries of size 1 to 10: some units of rounding.
CLOSE = 1e-12

ROTATION, _ = np.linalg.qr(np.arange(9.0).reshape(3, 3) ** 2 + np.eye(3))
VARIANCES = np.array([1.0, 2.0, 5.0])
COVARIANCE = ROTATION @ np.diag(VARIANCES) @ ROTATION.T


@pytest.mark.parametrize(
    ("diagonal", "kind"),
    [
        ([1.0, 2.0, 3.0], "minimum"),
        ([-1.0, -2.0, -3.0], "maximum"),
        ([1.0, -2.0, 3.0], "saddle"),
        ([1.0, 0.0, 3.0], "degenerate"),
        ([-1.0, 0.0, -3.0], "degenerate"),
        ([-1.0, 0.0, 3.0], "saddle"),
        ([0.0, 0.0, 0.0], "degenerate"),
    ],
)
def test_a_quadratic_form_is_classified_by_its_signs(diagonal, kind):
    rotated = ROTATION @ np.diag(diagonal) @ ROTATION.T
    point = critical_point(x.T @ A @ x, x, at={"x": np.zeros(3), "A": rotated})
    assert point.kind == kind
    assert point.eigenvalues == pytest.approx(2 * np.sort(diagonal), abs=CLOSE)
    assert point.gradient.shape == (3,)
    assert point.value == 0


def test_a_shifted_quadratic_is_a_minimum_where_its_equations_are_solved():
    b = vector("b", "m")
    B = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    y = np.array([1.0, -1.0, 2.0])
    f = norm(matrix("B", "m", "n") @ x - b) ** 2
    solution = np.linalg.lstsq(B, y)[0]
    point = critical_point(f, "x", at={"x": solution, "B": B, "b": y})
    assert point.kind == "minimum"
    assert point.eigenvalues == pytest.approx(np.linalg.eigvalsh(2 * B.T @ B), abs=1e-10)


def test_powers_beyond_the_second_leave_it_open():
    assert critical_point(sum(x**4), x, at=np.zeros(2)).kind == "degenerate"
    assert critical_point(sum(x**3), x, at=np.zeros(2)).kind == "degenerate"


def test_a_scalar_variable():
    point = critical_point(exp(lam) - lam, lam, at=0.0)
    assert point.kind == "minimum"
    assert point.gradient == 0
    assert point.eigenvalues.tolist() == [1]


@pytest.mark.parametrize(("i", "kind"), [(0, "minimum"), (1, "saddle"), (2, "maximum")])
def test_principal_components_are_critical_points_of_the_rayleigh_quotient(i, kind):
    f = w.T @ S @ w / (w.T @ w)
    point = critical_point(f, w, at={"w": 3 * ROTATION[:, i], "S": COVARIANCE})
    # 2(S − λI)/wᵀw at an eigenvector: zero along w itself, where the quotient is constant.
    expected = 2 * np.sort(VARIANCES - VARIANCES[i]) / 9
    assert point.eigenvalues == pytest.approx(expected, abs=CLOSE)
    assert point.value == pytest.approx(VARIANCES[i], abs=CLOSE)
    assert point.kind == (kind if kind == "saddle" else "degenerate")


def test_the_lagrangian_of_principal_components():
    f = v.T @ S @ v - lam * (v.T @ v - 1)
    at = {"v": ROTATION[:, 2], "S": COVARIANCE, "lambda_": 5.0}
    point = critical_point(f, v, at=at)
    assert point.kind == "degenerate"
    assert point.eigenvalues == pytest.approx([-8, -6, 0], abs=CLOSE)
    with pytest.raises(ValueError, match="not a critical point: the gradient by 'v' has norm 2 "):
        critical_point(f, v, at={**at, "lambda_": 4.0})


def test_the_likeliest_covariance_is_a_minimum_along_symmetric_directions():
    f = logdet(P) + trace(inv(P) @ S)
    point = critical_point(f, P, at={"P": COVARIANCE, "S": COVARIANCE})
    # S⁻¹ ⊗ S⁻¹ on symmetric matrices: 1/(λᵢλⱼ) for i ≤ j.
    expected = sorted(1 / (VARIANCES[i] * VARIANCES[j]) for i in range(3) for j in range(i + 1))
    assert point.kind == "minimum"
    assert point.eigenvalues == pytest.approx(expected, abs=CLOSE)
    assert point.gradient.shape == (3, 3)


def test_symmetric_directions_leave_out_those_that_the_matrix_cannot_take():
    at = np.zeros((2, 2))
    free, tied = matrix("X", 2, 2), matrix("X", 2, 2, symmetric=True)
    skew = [(X[0, 1] - X[1, 0]) ** 2 for X in (free, tied)]
    assert critical_point(skew[0], free, at=at).eigenvalues == pytest.approx([0, 0, 0, 4])
    assert critical_point(skew[1] + trace(tied @ tied), tied, at=at).eigenvalues == pytest.approx(
        [2, 2, 2]
    )


def test_an_eigenvalue_is_zero_relative_to_the_largest():
    def kind(smallest):
        at = {"x": np.zeros(2), "S": np.diag([smallest, 1e6])}
        return critical_point(x.T @ S @ x, x, at=at).kind

    assert kind(1.0) == "minimum"
    assert kind(1e-3) == "degenerate"
    assert kind(-1e-3) == "degenerate"


def test_it_reads_as_text():
    point = critical_point(x.T @ S @ x, x, at={"x": np.zeros(2), "S": np.diag([1.0, -0.5])})
    assert str(point) == repr(point)
    assert str(point) == (
        "a saddle: eigenvalues of the Hessian from -1 to 2 (1 positive, 1 negative); the value is 0"
    )
    assert str(critical_point(lam**4, lam, at=0)) == (
        "a degenerate critical point: eigenvalue of the Hessian 0 (1 zero); the value is 0"
    )


def test_a_point_that_is_not_critical_is_refused_with_the_norm_of_the_gradient():
    with pytest.raises(ValueError, match=r"the gradient by 'x' has norm 10 there"):
        critical_point(norm(x) ** 2, x, at=[3.0, 4.0])
    with pytest.raises(ValueError, match="norm 1 there"):
        critical_point(x[0], x, at=[1.0, 2.0])


def test_the_gradient_is_zero_relative_to_hessian_and_point():
    f = norm(x - vector("a", "n")) ** 2
    far = np.array([1e8, 2e8])
    assert critical_point(f, x, at={"x": far + 1.0, "a": far}).kind == "minimum"
    with pytest.raises(ValueError, match="not a critical point"):
        critical_point(f, x, at={"x": np.ones(2), "a": np.zeros(2)})


def test_the_gradient_is_zero_along_each_eigenvector_of_an_ill_conditioned_hessian():
    f = x.T @ A @ x
    rotation = np.linalg.qr(np.array([[1.0, 2.0], [3.0, -1.0]]))[0]
    for turned in (np.eye(2), rotation):
        matrix_ = turned @ np.diag([1e7, 1.0]) @ turned.T
        at = {"A": matrix_, "x": turned @ [0.0, 5.0]}
        with pytest.raises(ValueError, match=r"norm 10 there, .* of eigenvalue 2 it is 10"):
            critical_point(f, x, at=at)
        # A step of 1e-7, a tenth of what may be, along either eigenvector.
        for step in ([1e-7, 0.0], [0.0, 1e-7]):
            assert critical_point(f, x, at={**at, "x": turned @ step}).kind == "minimum"
    tilted = f - v.T @ x
    at = {"x": np.zeros(2), "A": np.diag([1.0, 0.0]), "v": np.array([0.0, 1e-7])}
    with pytest.raises(ValueError, match="of eigenvalue 0 it is 1e-07"):
        critical_point(tilted, x, at=at)


def test_a_solution_of_ill_conditioned_equations_is_critical():
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.standard_normal((9, 4)))[0] for _ in range(2))
    right = np.linalg.qr(right[:4])[0]
    B = left @ np.diag([1e3, 1.0, 1e-1, 1e-3]) @ right.T
    y = B @ np.ones(4) + 10 * rng.standard_normal(9)
    f = norm(matrix("B", "m", "n") @ x - vector("b", "m")) ** 2
    solution = np.linalg.lstsq(B, y)[0]
    # Curvatures from 1e-6 to 1e6: the smallest is zero to the accuracy that is documented.
    assert critical_point(f, "x", at={"x": solution, "B": B, "b": y}).kind == "degenerate"


def test_what_cannot_be_classified_is_refused():
    with pytest.raises(ValueError, match=r"at needs the values of all symbols .* at=\{'x': …, 'A'"):
        critical_point(x.T @ A @ x, x, at=[0.0, 0.0])
    with pytest.raises(ValueError, match="no value for 'A'"):
        critical_point(x.T @ A @ x, x, at={"x": [0.0, 0.0]})
    with pytest.raises(ValueError, match="'w' does not occur"):
        critical_point(norm(x) ** 2, w, at=[0.0])
    with pytest.raises(DerivativeError, match="gradient is that of a scalar"):
        critical_point(A @ x, x, at={"x": [0.0], "A": [[1.0]]})
    with pytest.raises(ShapeError, match="'x' is a vector of n"):
        critical_point(norm(x) ** 2, x, at=[[0.0, 0.0]])


def test_a_kink_is_noted():
    with pytest.warns(NonDifferentiableWarning, match="stands at a kink"):
        critical_point(sum(relu(x)), x, at=np.zeros(2))


def test_a_result_cannot_be_changed():
    point = critical_point(norm(x) ** 2, x, at=np.zeros(2))
    with pytest.raises(AttributeError):
        point.kind = "maximum"


@pytest.mark.parametrize("size", [0.5, 3.0])
def test_where_second_derivatives_jump_nothing_is_said(size):
    """With 3 in place of 0.5 it falls along (-1, 1) and rises along (1, 1)."""
    f = size * x[0] * abs(x[1]) + x[0] ** 2 + x[1] ** 2
    with pytest.warns(NonDifferentiableWarning, match="stands at a kink"):
        found = critical_point(f, x, at=[0.0, 0.0])
    assert found.kind == "degenerate"
