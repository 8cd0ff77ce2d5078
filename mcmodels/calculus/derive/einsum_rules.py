"""The adjoint of a sum of products of entries in one operand, and its matrix."""

from __future__ import annotations

from collections.abc import Sequence

from mcmodels.calculus.core.arithmetic import (
    assemble,
    identity,
    matmul,
    ones,
    parts,
    transpose,
    unvec,
    vec,
)
from mcmodels.calculus.core.contraction import contracted
from mcmodels.calculus.core.einsum_nodes import Axes, Einsum, Factor, Lengths
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Ones
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = ["einsum_adjoint", "einsum_jacobian"]


def einsum_adjoint(C: Expression, M: Einsum, i: int) -> Expression:
    """The A with ⟨C, M⟩ = ⟨A, operand i⟩: C takes the place of the operand, whose axes are left."""
    factors, at, sizes = _without(M, i)
    adjoint = contracted([*factors, (C, M.output)], at, sizes)
    coefficient, scalars, array = parts(adjoint)
    if isinstance(array, Einsum) and all(isinstance(e, Ones) for e in array.operands):
        # A tensor of ones, as a vector of them: a factor that products leave out.
        return assemble(coefficient, scalars, ones(array.rows, ONE))
    return adjoint


def einsum_jacobian(M: Einsum, i: int, J: Expression) -> Expression:
    """The Jacobian of M, where that of operand i is J."""
    factors, at, sizes = _without(M, i)
    return matmul([_as_matrix(factors, M.output, at, sizes), J])


def _without(M: Einsum, i: int) -> tuple[list[Factor], Axes, dict[int, Size]]:
    """The other factors, and an index for each axis of operand i, none of them twice."""
    factors = M.factors
    _, at = factors.pop(i)
    sizes = dict(enumerate(M.lengths.of))
    output: list[int] = []
    for axis in at:
        if axis in output:  # a diagonal
            new = len(sizes)
            sizes[new] = sizes[axis]
            factors.append((identity(sizes[axis]), (axis, new)))
            axis = new
        output.append(axis)
    return factors, tuple(output), sizes


def _as_matrix(
    factors: Sequence[Factor], rows: Axes, columns: Axes, sizes: dict[int, Size]
) -> Expression:
    """A row for each entry at ``rows``, a column for each at ``columns``, in the order of vec."""
    if set(rows) & set(columns):
        sizes = dict(sizes)
        names = {}
        for axis in set(rows) & set(columns):
            names[axis] = len(sizes)
            sizes[names[axis]] = sizes[axis]
        factors = [*factors, *((identity(sizes[a]), (a, b)) for a, b in names.items())]
        columns = tuple(names.get(axis, axis) for axis in columns)
    if len(rows) == len(columns) == 1:
        return contracted(factors, (*rows, *columns), sizes)
    if not columns and len(rows) < 3:
        return vec(contracted(factors, rows, sizes))
    if not rows and len(columns) < 3:
        return transpose(vec(contracted(factors, columns, sizes)))
    # Those that run fastest first: vec runs down columns, a tensor along its last index.
    fast = [axes[::-1] if len(axes) > 2 else axes for axes in (rows, columns)]
    entries = contracted(factors, (*fast[0], *fast[1])[::-1], sizes)
    counts = [Lengths(tuple(sizes[axis] for axis in axes)).product for axes in fast]
    return unvec(entries, *counts)
