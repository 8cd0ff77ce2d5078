"""softmax and logsumexp along an axis, recognised where they are written by exponentials."""

from __future__ import annotations

from collections.abc import Mapping

from mcmodels.calculus.core.arithmetic import parts, scale
from mcmodels.calculus.core.contraction import contracted
from mcmodels.calculus.core.einsum_nodes import Axes, AxisLogSumExp, AxisSoftmax, Einsum, Lengths
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Elementwise, Hadamard, Power
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = ["as_logsumexp", "as_softmax"]


def as_softmax(e: Expression, dims: Lengths) -> Expression | None:
    """exp(T) over its sum along an axis, repeated along it; None of any other tensor."""
    coefficient, scalars, array = parts(e)
    if not (isinstance(array, Hadamard) and len(array.children) == 2):
        return None
    every, sizes = tuple(range(len(dims.of))), dict(enumerate(dims.of))
    sizes[len(every)] = ONE
    for powers, below in (array.children, array.children[::-1]):
        if not (isinstance(below, Power) and below.exponent == number(-1)):
            continue
        exponent = _exponent(powers, every, sizes)
        if exponent is None or not isinstance(below.base, Einsum):
            continue
        for axis in every:
            sizes[len(every)] = dims.of[axis]
            summed = tuple(len(every) if i == axis else i for i in every)
            if contracted([(powers, summed)], every, sizes) == below.base:
                order = (*(i for i in every if i != axis), axis)
                moved = contracted([(exponent, every)], order, sizes)
                soft = AxisSoftmax(moved, Lengths(tuple(sizes[i] for i in order)))
                return scale(coefficient, *scalars, contracted([(soft, order)], every, sizes))
    return None


def _exponent(powers: Expression, every: Axes, sizes: Mapping[int, Size]) -> Expression | None:
    """The z of exp(z), also with its axes in another order."""
    if isinstance(powers, Elementwise) and powers.name == "exp":
        return powers.argument
    if not isinstance(powers, Einsum) or len(powers.operands) > 1:
        return None
    ((inner, at),) = powers.factors
    if not (isinstance(inner, Elementwise) and inner.name == "exp" and sorted(at) == [*every]):
        return None
    return contracted([(inner.argument, at)], every, sizes)


def as_logsumexp(e: Expression) -> Expression | None:
    """The logarithm of exp(T) summed along one axis; None of anything else."""
    if not isinstance(e, Einsum) or len(e.operands) > 1:
        return None
    ((inner, at),) = e.factors
    summed = [axis for axis in at if axis not in e.output]
    if not (isinstance(inner, Elementwise) and inner.name == "exp" and len(summed) == 1):
        return None
    if len(set(at)) < len(at) or len(at) != len(e.output) + 1 or len(at) < 3:
        return None
    sizes, order = dict(enumerate(e.lengths.of)), (*e.output, *summed)
    moved = contracted([(inner.argument, at)], order, sizes)
    return AxisLogSumExp(moved, Lengths(tuple(sizes[axis] for axis in order)))
