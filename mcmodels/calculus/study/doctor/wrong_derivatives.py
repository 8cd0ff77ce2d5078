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
from mcmodels.calculus.core.functions import sum as total
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.study.doctor.differential_mistakes import Change, Contribution, slope_of
from mcmodels.calculus.study.doctor.terms import Words

__all__ = ["misremembered"]

_MINUS_HALF = number(-1) / 2

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
    "exp": (lambda z, y: z * y, lambda z, y: z * elementwise("exp", z - 1)),
    "log": (lambda z, y: z, lambda z, y: z**-2, lambda z, y: -(z**-2)),
    "sin": (lambda z, y: -elementwise("cos", z),),
    "cos": (lambda z, y: elementwise("sin", z),),
    "tan": (
        lambda z, y: 1 - y**2,
        lambda z, y: elementwise("cos", z) ** 2,
        lambda z, y: 1 / elementwise("cos", z),
    ),
    "sinh": (lambda z, y: -elementwise("cosh", z),),
    "cosh": (lambda z, y: -elementwise("sinh", z),),
    "arctan": (lambda z, y: 1 / (1 - z**2), lambda z, y: (1 + z**2) ** _MINUS_HALF),
    "arcsin": (lambda z, y: 1 / (1 - z**2), lambda z, y: -((1 - z**2) ** _MINUS_HALF)),
    "arccos": (lambda z, y: (1 - z**2) ** _MINUS_HALF,),
    "log1p": (lambda z, y: 1 / z,),
    "erf": (lambda z, y: elementwise("exp", -(z**2)), lambda z, y: elementwise("norm_pdf", z)),
    "norm_pdf": (lambda z, y: z * y,),
    "norm_logcdf": (
        lambda z, y: elementwise("norm_pdf", z),
        lambda z, y: 1 / elementwise("norm_cdf", z),
    ),
    "gammaln": (
        lambda z, y: elementwise("log", z),
        lambda z, y: y * elementwise("digamma", z),
        lambda z, y: elementwise("digamma", z) * elementwise("exp", y),
    ),
    "digamma": (lambda z, y: 1 / z, lambda z, y: elementwise("log", z)),
    "gelu": (lambda z, y: elementwise("norm_cdf", z),),
}


def misremembered(part: Contribution) -> Iterator[Change]:
    """The contribution of a rule with another derivative in the place of the right one."""
    node, inner = part.node, part.inner
    if isinstance(node, N.Hadamard):
        yield from _without_the_other_factor(part)
        if not part.is_in_long_sum:
            yield Change(
                "wrong derivative",
                Words("{} stands for its own derivative by {}", (node, part.child)),
                hadamard([node, part.inner]),
                Words("leave {} out where it is differentiated", (part.child,)),
            )
    if isinstance(node, N.Power) and part.child == node.exponent != node.base:
        yield from _of_exponentials(part)
    elif isinstance(node, N.Elementwise | N.Power) and part.child.shape == node.shape:
        yield from _wrong_slopes(part)
    elif isinstance(node, N.Softmax):
        yield Change(
            "diagonal Jacobian",
            Words(
                "{} is taken for a function of each entry: of its Jacobian the diagonal alone is "
                "there",
                (node,),
            ),
            hadamard([node, 1 - node, inner]),
            Words(
                "the Jacobian of {} is diag({}) − {}", (node, node, matmul([node, transpose(node)]))
            )
            if node.is_column
            else "the Jacobian of softmax of each row s is diag(s) − s sᵀ",
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
                matmul([transpose(wrong), inner]),
                Words("write {} in place of {}", (right, wrong)),
            )
        yield from _without_inner_exponential(part)
    elif isinstance(node, N.MatrixPower) and isinstance(node.exponent, N.Number):
        yield from _as_a_number(part)


def _without_the_other_factor(part: Contribution) -> Iterator[Change]:
    """d(fg) with dg in the place of f dg."""
    node = part.node
    others = list(node.children)
    if part.child not in others:  # it is a square, or scaled
        return
    others.remove(part.child)
    for other in others:
        if part.varies(other):
            rest = list(others)
            rest.remove(other)
            yield Change(
                "product rule",
                Words("where {} is differentiated, the other factor {} is missing",
                      (part.child, other)),
                hadamard([*rest, part.inner]),
                Words("multiply the derivative of {} by {}", (part.child, other)),
            )  # fmt: skip


def _wrong_slopes(part: Contribution) -> Iterator[Change]:
    node, right = part.node, slope_of(part.node)
    assert right is not None
    if isinstance(node, N.Elementwise):
        at_value = slope_of(elementwise(node.name, node))  # as f′ of an activation, taken at f(z)
        wrong_slopes = [build(node.argument, node) for build in _WRONG_SLOPES.get(node.name, ())]
        wrong_slopes += [] if at_value is None else [at_value]
    else:
        assert isinstance(node, N.Power)
        less, same = power(node.base, add([node.exponent, number(-1)])), node
        more = power(node.base, add([node.exponent, number(1)]))
        k, one = node.exponent, number(1)
        wrong_slopes = [less, scale(k, same), scale(k, more), scale(add([k, -one]), less)]
        if k == number(-1):
            wrong_slopes.append(elementwise("log", node.base))
        else:  # the integral
            wrong_slopes.append(scale(power(add([k, one]), number(-1)), more))
    for wrong in wrong_slopes:
        if wrong != right:
            yield Change(
                "wrong derivative",
                Words("{} stands for the derivative of {}", (wrong, node)),
                hadamard([wrong, part.inner]),
                Words(
                    "the derivative of {} is {}: write {} in place of {}",
                    (node, right, right, wrong),
                ),
            )
            if part.takes_dx and not part.is_in_long_sum:
                yield Change(
                    "wrong derivative",
                    Words(
                        "{} stands for the derivative of {}, and the derivative of {} is missing",
                        (wrong, node, part.child),
                    ),
                    hadamard([wrong, part.dx]),
                    Words(
                        "the derivative of {} is {}: write {} in place of {}, and multiply by the "
                        "derivative of {}",
                        (node, right, right, wrong, part.child),
                    ),
                )


def _without_inner_exponential(part: Contribution) -> Iterator[Change]:
    """1/Σexp(z), as of log(s) alone, for the gradient of log(Σexp(z))."""
    node, z = part.node, part.child
    wrong = scale(power(total(elementwise("exp", z)), number(-1)), N.Ones(z.rows, z.cols))
    right = N.Softmax(z)
    yield Change(
        "chain rule",
        Words(
            "the inner derivative {} is missing: {} stands for {}, the gradient of {}",
            (elementwise("exp", z), wrong, right, node),
        ),
        matmul([transpose(wrong), part.inner]),
        Words("write {} in place of {}", (right, wrong)),
    )


def _of_exponentials(part: Contribution) -> Iterator[Change]:
    """aᵘ by u: the rule for powers of u, and the logarithm forgotten or divided by."""
    node = part.node
    assert isinstance(node, N.Power)
    base, u = node.base, node.exponent
    logarithm = elementwise("log", base)
    right = hadamard([node, logarithm])
    less = power(base, add([u, number(-1)]))
    for wrong, words in (
        (
            scale(u, less),
            "{} stands for the derivative of {}, as though the exponent were constant",
        ),
        (less, "{} stands for the derivative of {}"),
        (scale(u, node), "{} stands for the derivative of {}"),
        (node, "{} stands for the derivative of {}: the logarithm is missing"),
        (hadamard([node, power(logarithm, number(-1))]), "{} stands for the derivative of {}"),
    ):
        yield Change(
            "wrong derivative",
            Words(words, (wrong, node)),
            scale(part.inner, wrong),
            Words(
                "the derivative of {} by {} is {}: write {} in place of {}",
                (node, u, right, right, wrong),
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
            wrong,
            right,
        )
    if node.is_inverse:
        for sign in ("−", ""):
            yield Change(
                "derivative of an inverse",
                Words(f"the derivative of the inverse is missing: d({{}}) is taken for {sign}d{{}}",
                      (node, X)),
                scale(-1 if sign else 1, dX),
                right,
            )  # fmt: skip
    same = scale(k, node)
    yield Change(
        "wrong derivative",
        Words("{} stands for the derivative of {}: the exponent is not lowered", (same, node)),
        matmul([same, dX]),
        Words("write {} in place of {}", (matrix_power(X, add([k, number(-1)])), node)),
    )
