"""Random expressions: their derivatives agree with the complex step, and with differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from mcmodels.calculus.checks import difference_quotient, directions
from mcmodels.calculus.evaluate import walk
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.functions import vector
from mcmodels.calculus.nodes import Symbol
from mcmodels.calculus.parsing import parse
from mcmodels.calculus.rewriting import parts_of, with_children
from tests.calculus.expressions import (
    Point,
    expressions,
    points,
    random_value,
    require_tame,
    scalar_expressions,
)

# The complex step has no truncation error and no cancellation; what is left is the rounding of
# parts up to 1e3 with condition numbers up to 1e3, a few of them multiplied: 1e-16 · 1e3 · 1e3.
CLOSE = 1e-9
# Extrapolated differences lose about six digits of parts up to 1e3.
CLOSE_TO_DIFFERENCES = 1e-5

STEP = 1e-100

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


def basis(x: Symbol, point: Point) -> list[np.ndarray]:
    return directions(x, (point.values, point.sizes))


def column(array: np.ndarray) -> np.ndarray:
    return array.T.reshape(-1, 1)


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
    for E in basis(x, point):
        require_close((found * E).sum(), slope(f, x, E, point).item())


def gradient_agrees_with_differences(problem) -> None:
    f, x, point = problem
    G = f.gradient(x)
    require_tame(G, point)
    found = value(G, point)
    E = basis(x, point)[0]
    # A tenth of the usual first step, 2**-4: the instances keep 1e-3 away from kinks, not more.
    expected = 100 * difference_quotient(
        lambda t: walk(f, {**point.values, x: point.values[x] + t / 100 * E}, point.sizes)
    )
    require_close((found * E).sum(), expected.item(), CLOSE_TO_DIFFERENCES)


def jacobian_is_right(problem) -> None:
    F, x, point = problem
    J = F.jacobian(x)
    note(f"jacobian = {J}")
    assert (J.rows, J.cols) == (F.rows * F.cols, x.rows * x.cols)
    require_tame(J, point)
    found = value(J, point)
    for E in basis(x, point):
        require_close(found @ column(E), column(slope(F, x, E, point)))


def hessian_is_right(problem) -> None:
    f, x, point = problem
    G, H = f.gradient(x), f.hessian(x)
    note(f"gradient = {G}\nhessian = {H}")
    assert (H.rows, H.cols) == (x.rows * x.cols, x.rows * x.cols)
    require_tame(G, point)
    require_tame(H, point)
    found = value(H, point)
    if "symmetric" not in x.declared:
        require_close(found, found.T)
    for E in basis(x, point):
        change = slope(G, x, E, point)
        for other in basis(x, point):
            require_close(
                (column(other).T @ found @ column(E)).item(), (other * change).sum()
            )


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
    require_close(value(product, moving), slope(G, x, direction, point))


def mixed_hessian_is_right(problem) -> None:
    f, x, point = problem
    y = sorted(f.used, key=lambda symbol: (symbol == x, symbol.name))[0] if f.used else x
    G, H = f.gradient(x), f.hessian(x, y)
    note(f"y = {y.name}\ngradient = {G}\nhessian = {H}")
    assert (H.rows, H.cols) == (x.rows * x.cols, y.rows * y.cols)
    require_tame(G, point)
    require_tame(H, point)
    found = value(H, point)
    for E in basis(y, point):
        change = slope(G, y, E, point)
        for other in basis(x, point):
            require_close(
                (column(other).T @ found @ column(E)).item(), (other * change).sum()
            )


def evaluate_is_walk(problem) -> None:
    f, _, point = problem
    expected = value(f, point)
    found = f.evaluate(**point.arguments(f))
    shape = () if f.is_scalar else expected.shape[:1] if f.is_column else expected.shape
    assert np.shape(found) == shape
    np.testing.assert_array_equal(np.reshape(found, expected.shape), expected)


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
    (gradient_is_right, scalar_expressions(), 60),
    (gradient_agrees_with_differences, scalar_expressions(), 30),
    (jacobian_is_right, expressions(deepest=5), 50),
    (hessian_is_right, scalar_expressions(), 40),
    (hessian_vector_product_is_right, scalar_expressions(), 40),
    (mixed_hessian_is_right, scalar_expressions(), 40),
    (evaluate_is_walk, expressions(), 30),
    (compiled_is_evaluated, expressions(), 40),
    (text_is_read_back, expressions(), 40),
    (parts_are_in_normal_form, expressions(), 40),
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
