"""Random expressions: their derivatives agree with the complex step, and with differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.compute.stable.forms import stabilised
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.arithmetic import scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import matrix, vector
from mcmodels.calculus.core.nodes import Product, Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of, with_children
from mcmodels.calculus.derive import rules
from mcmodels.calculus.derive.gradients import without_probability
from mcmodels.calculus.study.checks import directions
from mcmodels.calculus.text.parsing import parse
from mcmodels.differences import difference_quotient
from tests.calculus.expressions import expressions, scalar_expressions
from tests.calculus.points import Point, points, random_value, require_tame

# The complex step has no truncation error and no cancellation; what is left is the rounding of
# parts up to 1e3 with condition numbers up to 1e3, a few of them multiplied: 1e-16 · 1e3 · 1e3.
CLOSE = 1e-9
# Extrapolated differences lose about six digits of parts up to 1e3.
CLOSE_TO_DIFFERENCES = 1e-5

STEP = 1e-100
LONGEST = 20_000  # characters: longer text is refused

deterministic = settings(
    derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@st.composite
def problems(draw, strategy):
    """An expression, a symbol (rarely one that does not occur in it), and a tame point."""
    f = draw(strategy)
    choices = [*sorted(f.used, key=lambda symbol: symbol.name), vector("z", "n")]
    x = draw(st.sampled_from(choices))
    point = draw(points(f.used | {x}))
    note(f"f = {f}\nx = {x.name}, {x.described()}\nsizes = {point.sizes}")
    require_tame(f, point)
    return f, x, point


# -- measuring -----------------------------------------------------------------------------------


def slope(f: Expression, x: Symbol, E: np.ndarray, point: Point) -> np.ndarray:
    """The derivative along E, by the complex step."""
    moved = {**point.values, x: point.values[x] + 1j * STEP * E}
    return np.imag(walk(f, moved, point.sizes)) / STEP


def vec(array: np.ndarray) -> np.ndarray:
    return array.T.reshape(-1, 1)


def basis(x: Symbol, point: Point) -> np.ndarray:
    """The directions in which x may move, as columns."""
    return np.hstack([vec(E) for E in directions(x, (point.values, point.sizes))])


def slopes(f: Expression, x: Symbol, point: Point) -> np.ndarray:
    """The derivatives along each direction of the basis, as columns."""
    found = directions(x, (point.values, point.sizes))
    return np.hstack([vec(slope(f, x, E, point)) for E in found])


def value(f: Expression, point: Point) -> np.ndarray:
    result = walk(f, point.values, point.sizes)
    assert result.shape == (f.rows.value(point.sizes), f.cols.value(point.sizes))
    return result


def require_close(found, expected, tolerance: float = CLOSE) -> None:
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


# -- the properties ------------------------------------------------------------------------------


def gradient_is_right(problem) -> None:
    f, x, point = problem
    G = f.gradient(x)
    note(f"gradient = {G}")
    assert G.shape == x.shape
    require_tame(G, point)
    found = value(G, point)
    if "symmetric" in x.declared:
        require_close(found, found.T)
    require_close(basis(x, point).T @ vec(found), slopes(f, x, point).T)


def gradient_agrees_with_differences(problem) -> None:
    f, x, point = problem
    G = f.gradient(x)
    require_tame(G, point)
    E = directions(x, (point.values, point.sizes))[0]
    # Steps a hundred times smaller than usual: points keep 1e-3 away from kinks, and not more.
    expected = 100 * difference_quotient(
        lambda t: walk(f, {**point.values, x: point.values[x] + t / 100 * E}, point.sizes)
    )
    require_close((value(G, point) * E).sum(), expected.item(), CLOSE_TO_DIFFERENCES)


def jacobian_is_right(problem) -> None:
    F, x, point = problem
    J = F.jacobian(x)
    note(f"jacobian = {J}")
    assert (J.rows, J.cols) == (F.rows * F.cols, x.rows * x.cols)
    require_tame(J, point)
    require_close(value(J, point) @ basis(x, point), slopes(F, x, point))


def hessian_is_right(problem) -> None:
    f, x, point = problem
    H = right_hessian(f, x, x, point)
    if "symmetric" not in x.declared:
        require_close(H, H.T)


def mixed_hessian_is_right(problem) -> None:
    f, x, point = problem
    y = min(f.used | {x}, key=lambda symbol: (symbol == x, symbol.name))
    right_hessian(f, x, y, point)


def right_hessian(f: Expression, x: Symbol, y: Symbol, point: Point) -> np.ndarray:
    """The Hessian's value, which is right along all directions."""
    G, H = f.gradient(x), f.hessian(x, y)
    note(f"y = {y.name}\ngradient = {G}\nhessian = {H}")
    assert (H.rows, H.cols) == (x.rows * x.cols, y.rows * y.cols)
    require_tame(G, point)
    require_tame(H, point)
    found = value(H, point)
    left = basis(x, point).T
    expected = slopes(*moving_freely(f, x, y, point))
    require_close(left @ found @ basis(y, point), left @ expected)
    return found


def moving_freely(
    f: Expression, x: Symbol, y: Symbol, point: Point
) -> tuple[Expression, Symbol, Point]:
    """The gradient by x, y and the point, with no use made of 1ᵀp = 1 between two derivatives.

    It is a fact about values of p, which move freely: Σp·a has ∂²/∂a∂p = 1ᵀ, although ∂/∂a is 1.
    """
    free, (moving_x, moving_y), _ = without_probability(f, x, y)
    values = {**point.values, moving_x: point.values[x], moving_y: point.values[y]}
    return free.gradient(moving_x), moving_y, Point(values, point.sizes)


def hessian_vector_product_is_right(problem) -> None:
    f, x, point = problem
    V = Symbol("V", x.rows, x.cols, x.declared & {"symmetric"})
    direction = random_value(V, point.sizes, np.random.default_rng(0))
    G, product = f.gradient(x), f.hessian_vector_product(x, V)
    note(f"gradient = {G}\nproduct = {product}")
    assert product.shape == x.shape
    moving = Point({**point.values, V: direction}, point.sizes)
    require_tame(G, point)
    require_tame(product, moving)
    free, variable, at = moving_freely(f, x, x, point)
    require_close(value(product, moving), slope(free, variable, direction, at))


def evaluate_is_walk(problem) -> None:
    f, _, point = problem
    expected = value(f, point)
    found = f.evaluate(**point.arguments(f))
    shape = () if f.is_scalar else expected.shape[:1] if f.is_column else expected.shape
    assert np.shape(found) == shape
    if stabilised(f) == f:
        np.testing.assert_array_equal(np.reshape(found, expected.shape), expected)
    else:  # the same by other formulas, as −softplus(−z) for log σ(z)
        require_close(np.reshape(found, expected.shape), expected)


def compiled_is_evaluated(problem) -> None:
    f, x, point = problem
    for expression in (f, *derivatives_of(f, x)):
        require_tame(expression, point)
        note(f"expression = {expression}")
        compiled = expression.compile()
        note(compiled.source_for(**{name: point.sizes[name] for name in expression.size_names}))
        found = compiled(**point.arguments(expression))
        expected = expression.evaluate(**point.arguments(expression))
        assert np.shape(found) == np.shape(expected)
        require_close(found, expected)


def text_is_read_back(problem) -> None:
    f, x, _ = problem
    for expression in (f, *derivatives_of(f, x)):
        note(f"expression = {expression}")
        assume(len(str(expression)) <= LONGEST)
        declared = {symbol.name: symbol for symbol in expression.used}
        assert parse(str(expression), **declared) == expression


def parts_are_in_normal_form(problem) -> None:
    f, x, _ = problem
    for expression in (f, *derivatives_of(f, x)):
        for part in parts_of(expression):
            if part.children:
                assert with_children(part, part.children) == part, f"part = {part}"


def derivatives_of(f: Expression, x: Symbol) -> list[Expression]:
    return [f.gradient(x), f.hessian(x)] if f.is_scalar else [f.jacobian(x)]


PROPERTIES = [
    (gradient_is_right, scalar_expressions(), 120),
    (gradient_agrees_with_differences, scalar_expressions(), 60),
    (jacobian_is_right, expressions(), 80),
    (hessian_is_right, scalar_expressions(), 60),
    (hessian_vector_product_is_right, scalar_expressions(), 60),
    (mixed_hessian_is_right, scalar_expressions(), 60),
    (evaluate_is_walk, expressions(), 60),
    (compiled_is_evaluated, expressions(), 60),
    (text_is_read_back, expressions(), 60),
    (parts_are_in_normal_form, expressions(), 60),
]
NAMES = [check.__name__ for check, _, _ in PROPERTIES]


@pytest.mark.parametrize(("holds", "strategy", "examples"), PROPERTIES, ids=NAMES)
def test_a_property(holds, strategy, examples):
    settings(deterministic, max_examples=examples)(given(problems(strategy))(holds))()


@pytest.mark.slow
@pytest.mark.parametrize(("holds", "strategy", "examples"), PROPERTIES, ids=NAMES)
def test_a_property_at_length(holds, strategy, examples):
    at_length = settings(
        deterministic, max_examples=50 * examples, derandomize=settings().derandomize
    )
    at_length(given(problems(strategy))(holds))()


def test_a_planted_error_breaks_the_properties(monkeypatch):
    rule = rules.RULES[Product]
    planted = replace(rule, apply=lambda e, d: scale(number(1.0005), rule.apply(e, d)))
    monkeypatch.setitem(rules.RULES, Product, planted)
    search = settings(deterministic, max_examples=50, phases=[Phase.generate])
    with pytest.raises((AssertionError, ExceptionGroup)):
        search(given(problems(scalar_expressions()))(gradient_is_right))()


A, B = matrix("A", "n", "m"), matrix("B", "n", "m")
x, w = vector("x", "n"), vector("w", "n*m")


@pytest.mark.parametrize(
    "expression",
    [
        mc.sum(mc.unvec(w, "n", "m")).gradient(w) * 2,
        mc.vec(2 * mc.unvec(w, "n", "m")),
        mc.vec(mc.norm(x) * mc.ones("n", "m")),
        (x @ mc.sum(A, axis=1).T).T @ (x @ mc.sum(B, axis=1).T),
    ],
    ids=str,
)
def test_what_becomes_neighbours_is_joined(expression):
    for part in parts_of(expression):
        if part.children:
            assert with_children(part, part.children) == part


def test_a_transpose_of_transposed_factors_has_one_form():
    R = matrix("R", 1, "n")
    assert (x.T / R).T == x / R.T
    assert (x.T / R).T.T == x.T / R
