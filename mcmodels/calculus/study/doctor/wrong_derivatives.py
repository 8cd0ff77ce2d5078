"""Derivatives of single functions as people misremember them: one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    matmul,
    matrix_power,
    power,
    scale,
    transpose,
)
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.study.doctor.differential_mistakes import Change, Contribution, slope_of
from mcmodels.calculus.study.doctor.terms import Words

__all__ = ["misremembered"]

# f′ as an expression of the argument z and of the value y, as in `core/elementwise.py`.
_WRONG_SLOPES: dict[str, tuple[Callable[[Expression, Expression], Expression], ...]] = {
    "tanh": (
        lambda z, y: 1 - y,
        lambda z, y: 1 - z**2,
        lambda z, y: y * (1 - y),
        lambda z, y: y**2,
    ),
    "sigmoid": (
        lambda z, y: 1 - y,
        lambda z, y: y**2,
        lambda z, y: z * (1 - z),
        lambda z, y: 1 - y**2,
    ),
    "softplus": (
        lambda z, y: elementwise("exp", z),
        lambda z, y: 1 - elementwise("sigmoid", z),
        lambda z, y: elementwise("sigmoid", z) * (1 - elementwise("sigmoid", z)),
    ),
    "abs": (lambda z, y: z,),
    "relu": (lambda z, y: z,),
    "exp": (lambda z, y: z * y,),
    "log": (lambda z, y: z, lambda z, y: z**-2, lambda z, y: -(z**-2)),
    "sin": (lambda z, y: -elementwise("cos", z),),
    "cos": (lambda z, y: elementwise("sin", z),),
}


def misremembered(part: Contribution) -> Iterator[Change]:
    """The contribution of a rule with another derivative in the place of the right one."""
    node, inner = part.node, part.inner
    if isinstance(node, N.Elementwise | N.Power) and part.child.shape == node.shape:
        yield from _wrong_slopes(part)
    elif isinstance(node, N.Softmax) and node.is_column:
        yield Change(
            "diagonal Jacobian",
            Words(
                "{} is taken for a function of each entry: of its Jacobian the diagonal alone is "
                "there",
                (node,),
            ),
            part.with_change(hadamard([node, 1 - node, inner])),
            Words(
                "the Jacobian of {} is diag({}) − {}", (node, node, matmul([node, transpose(node)]))
            ),
        )
    elif isinstance(node, N.LogSumExp) and part.child.is_column:
        right = N.Softmax(part.child)
        for name in ("exp", "sigmoid"):
            wrong = elementwise(name, part.child)
            yield Change(
                "not normalised",
                Words(
                    "{} stands for {}, the gradient of {}; its entries do not sum to 1",
                    (wrong, right, node),
                ),
                part.with_change(matmul([transpose(wrong), inner])),
                Words("write {} in place of {}", (right, wrong)),
            )
    elif isinstance(node, N.MatrixPower) and isinstance(node.exponent, N.Number):
        yield from _as_a_number(part)


def _wrong_slopes(part: Contribution) -> Iterator[Change]:
    node, right = part.node, slope_of(part.node)
    assert right is not None
    if isinstance(node, N.Elementwise):
        wrong_slopes = [build(node.argument, node) for build in _WRONG_SLOPES.get(node.name, ())]
    else:
        assert isinstance(node, N.Power)
        less, same = power(node.base, add([node.exponent, number(-1)])), node
        more = power(node.base, add([node.exponent, number(1)]))
        wrong_slopes = [less, scale(node.exponent, same), scale(node.exponent, more)]
    for wrong in wrong_slopes:
        if wrong != right:
            yield Change(
                "wrong derivative",
                Words("{} stands for the derivative of {}", (wrong, node)),
                part.with_change(hadamard([wrong, part.inner])),
                Words(
                    "the derivative of {} is {}: write {} in place of {}",
                    (node, right, right, wrong),
                ),
            )


def _as_a_number(part: Contribution) -> Iterator[Change]:
    """A power of a matrix, differentiated as the power of a number."""
    node = part.node
    assert isinstance(node, N.MatrixPower)
    k, X, dX = node.exponent, node.base, part.inner
    right = (
        Words("d({}) = −{} d{} {}", (node, node, X, node))
        if node.is_inverse
        else Words(
            "keep the order of the factors: d({}) has a d{} in the place of each {}", (node, X, X)
        )
    )
    less = scale(k, matrix_power(X, add([k, number(-1)])))
    for chain in ([less, dX], [dX, less]):
        wrong = matmul(chain)
        yield Change(
            "rule for numbers",
            Words("d({}) is taken as for numbers, which commute: {} d{}", (node, less, X)),
            part.with_change(wrong),
            right,
        )
    same = scale(k, node)
    yield Change(
        "wrong derivative",
        Words("{} stands for the derivative of {}: the exponent is not lowered", (same, node)),
        part.with_change(matmul([same, dX])),
        Words("write {} in place of {}", (matrix_power(X, add([k, number(-1)])), node)),
    )
