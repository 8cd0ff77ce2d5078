"""softmax and logsumexp along an axis of a tensor.

The nodes work along the last axis. Another axis is brought there, and back, by `einsum`.
"""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core.arithmetic import add, hadamard, scale, transpose, unvec, vec
from mcmodels.calculus.core.contraction import contracted
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax, Lengths
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import LogSumExp, Softmax
from mcmodels.calculus.core.sizes import ONE, ShapeError
from mcmodels.calculus.core.tensors import Tensor, shaped

__all__ = [
    "AXIS_CONSTRUCTORS",
    "by_rows",
    "change_of_log_softmax",
    "change_of_logsumexp",
    "change_of_softmax",
    "logsumexp_along",
    "softmax_along",
    "spread",
]


def softmax_along(T: Tensor, axis: int | None) -> Tensor:
    """exp(T) over its sum along an axis."""
    if axis is None:
        raise ShapeError(
            f"softmax of a tensor takes an axis; found {T} of shape {T.shape}. Write "
            f"softmax({T}, axis=-1) for its last index, exp({T}) / sum(exp({T})) for all entries"
        )
    moved, dims, place = _with_last("softmax", T, axis)
    entries = _softmax(moved, dims)
    others = [i for i in range(len(dims.of)) if i != place]
    back = (*others, place)
    result = contracted([(entries, back)], _all(dims), dict(enumerate(T.dims.of)))
    return shaped(_knowing(result, T), T.dims)


def logsumexp_along(T: Tensor, axis: int | None) -> Any:
    """log(sum(exp(T))) along an axis; of all entries where none is given."""
    if axis is None:
        return LogSumExp(T.entries)
    moved, dims, _ = _with_last("logsumexp", T, axis)
    entries = _logsumexp(moved, dims)
    return entries if len(dims.of) == 3 else shaped(entries, Lengths(dims.of[:-1]))


def _with_last(function: str, T: Tensor, axis: Any) -> tuple[Expression, Lengths, int]:
    """The entries and sizes of a tensor whose last axis is the given one, and its number."""
    rank = len(T.dims.of)
    if not isinstance(axis, int) or isinstance(axis, bool) or not -rank <= axis < rank:
        raise ShapeError(
            f"{function} of a tensor of rank {rank} takes one axis, from {-rank} to {rank - 1}; "
            f"found axis={axis!r}"
        )
    place = axis % rank
    order = (*(i for i in range(rank) if i != place), place)
    moved = contracted([(T.entries, tuple(range(rank)))], order, dict(enumerate(T.dims.of)))
    return _knowing(moved, T), Lengths(tuple(T.dims.of[i] for i in order)), place


def _knowing(e: Expression, T: Tensor) -> Expression:
    """An expression that takes values for all symbols of a tensor."""
    return e if e.known == T.entries.known else e.within(T.entries.known)


def _all(dims: Lengths) -> tuple[int, ...]:
    return tuple(range(len(dims.of)))


def _softmax(z: Expression, dims: Lengths) -> Expression:
    if dims.of[-1] == ONE:
        return contracted([], _all(dims), dict(enumerate(dims.of)))
    return AxisSoftmax(z, dims)


def _logsumexp(z: Expression, dims: Lengths) -> Expression:
    if dims.of[-1] == ONE:
        return contracted([(z, _all(dims))], _all(dims)[:-1], dict(enumerate(dims.of)))
    return AxisLogSumExp(z, dims)


AXIS_CONSTRUCTORS = {AxisSoftmax: _softmax, AxisLogSumExp: _logsumexp}


# -- what others compute and derive from ----------------------------------------------------------


def by_rows(e: AxisSoftmax | AxisLogSumExp) -> Expression:
    """The same by a matrix whose rows run along the last axis."""
    *before, last = e.dims.of
    rows = transpose(unvec(e.argument, last, Lengths(tuple(before)).product))
    if isinstance(e, AxisSoftmax):
        return vec(transpose(Softmax(rows)))
    result = LogSumExp(rows)
    return transpose(unvec(result, before[1], before[0])) if len(before) == 2 else result


def spread(totals: Expression, dims: Lengths) -> Expression:
    """An array without the last axis, repeated along it."""
    return contracted([(totals, _all(dims)[:-1])], _all(dims), dict(enumerate(dims.of)))


def change_of_softmax(e: AxisSoftmax, dz: Expression) -> Expression:
    """y∘dz − y Σⱼ yⱼ dzⱼ along the last axis."""
    every, sizes = _all(e.dims), dict(enumerate(e.dims.of))
    other = (*every[:-1], len(every))
    sizes[len(every)] = e.dims.of[-1]
    second = contracted([(e, every), (e, other), (dz, other)], every, sizes)
    return add([hadamard([e, dz]), scale(-1, second)])


def change_of_log_softmax(e: AxisSoftmax, dz: Expression) -> Expression:
    """Dz − Σⱼ yⱼ dzⱼ along the last axis: without 1/y, which overflows."""
    total = AxisLogSumExp(e.argument, e.dims)
    return add([dz, scale(-1, spread(change_of_logsumexp(total, dz), e.dims))])


def change_of_logsumexp(e: AxisLogSumExp, dz: Expression) -> Expression:
    """Σⱼ yⱼ dzⱼ along the last axis, y = softmax(z)."""
    every = _all(e.dims)
    y = AxisSoftmax(e.argument, e.dims)
    return contracted([(y, every), (dz, every)], every[:-1], dict(enumerate(e.dims.of)))
