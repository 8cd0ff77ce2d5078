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
            f"{node.mathematics()} is taken for a function of each entry: of its Jacobian the "
            "diagonal alone is there",
            part.with_change(hadamard([node, 1 - node, inner])),
            f"the Jacobian of {node.mathematics()} is diag({node.mathematics()}) − "
            f"{matmul([node, transpose(node)]).mathematics()}",
        )
    elif isinstance(node, N.LogSumExp) and part.child.is_column:
        right = N.Softmax(part.child)
        for name in ("exp", "sigmoid"):
            wrong = elementwise(name, part.child)
            yield Change(
                "not normalised",
                f"{wrong.mathematics()} stands for {right.mathematics()}, the gradient of "
                f"{node.mathematics()}; its entries do not sum to 1",
                part.with_change(matmul([transpose(wrong), inner])),
                f"write {right.mathematics()} in place of {wrong.mathematics()}",
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
                f"{wrong.mathematics()} stands for the derivative of {node.mathematics()}",
                part.with_change(hadamard([wrong, part.inner])),
                f"the derivative of {node.mathematics()} is {right.mathematics()}: write "
                f"{right.mathematics()} in place of {wrong.mathematics()}",
            )


def _as_a_number(part: Contribution) -> Iterator[Change]:
    """A power of a matrix, differentiated as the power of a number."""
    node = part.node
    assert isinstance(node, N.MatrixPower)
    k, X, dX = node.exponent, node.base, part.inner
    text, name = node.mathematics(), X.mathematics()
    right = (
        f"d({text}) = −{text} d{name} {text}"
        if node.is_inverse
        else f"keep the order of the factors: d({text}) has a d{name} in the place of each {name}"
    )
    less = scale(k, matrix_power(X, add([k, number(-1)])))
    for chain in ([less, dX], [dX, less]):
        wrong = matmul(chain)
        yield Change(
            "rule for numbers",
            f"d({text}) is taken as for numbers, which commute: {less.mathematics()} d{name}",
            part.with_change(wrong),
            right,
        )
    same = scale(k, node)
    yield Change(
        "wrong derivative",
        f"{same.mathematics()} stands for the derivative of {text}: the exponent is not lowered",
        part.with_change(matmul([same, dX])),
        f"write {matrix_power(X, add([k, number(-1)])).mathematics()} in place of {text}",
    )
