"""Rules of matrix products and of sums over products of entries.

Giles (2008), *Collected matrix derivative results for forward and reverse mode algorithmic
differentiation*, Advances in Automatic Differentiation, §2.2.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import add, broadcast, call, multilinear, shape_of


def _matmul_adjoint(i: int, g: Any, A: Any, B: Any) -> Any:
    """``ḠBᵀ`` for A and ``AᵀḠ`` for B, also for vectors and stacks of matrices."""
    a, b = len(shape_of(A)), len(shape_of(B))
    if a == 1 and b == 1:
        return g * (B if i == 0 else A)
    if i == 0:
        if b == 1:
            return g[..., np.newaxis] * B
        if a == 1:
            return (B @ g[..., np.newaxis])[..., 0]
        return g @ np.swapaxes(B, -1, -2)
    if a == 1:
        return A[:, np.newaxis] * g[..., np.newaxis, :]
    if b == 1:
        if a == 2:
            return A.T @ g
        return (np.swapaxes(A, -1, -2) @ g[..., np.newaxis])[..., 0]
    return np.swapaxes(A, -1, -2) @ g


def _vecdot_adjoint(i: int, g: Any, x: Any, y: Any) -> Any:
    return g[..., np.newaxis] * (y if i == 0 else x)


def _matvec_adjoint(i: int, g: Any, A: Any, x: Any) -> Any:
    """``ḡxᵀ`` for A and ``Aᵀḡ`` for x."""
    if i == 0:
        return g[..., :, np.newaxis] * x[..., np.newaxis, :]
    return (np.swapaxes(A, -1, -2) @ g[..., np.newaxis])[..., 0]


def _vecmat_adjoint(i: int, g: Any, x: Any, A: Any) -> Any:
    """``Aḡ`` for x and ``xḡᵀ`` for A."""
    if i == 0:
        return (A @ g[..., np.newaxis])[..., 0]
    return x[..., :, np.newaxis] * g[..., np.newaxis, :]


def _einsum(*operands: Any, subscripts: str, optimize: Any = False) -> Any:
    return np.einsum(subscripts, *operands, optimize=optimize)


def _einsum_adjoint(i: int, g: Any, *operands: Any, subscripts: str, optimize: Any = False) -> Any:
    """The products of Ḡ with the other operands, summed.

    The result is repeated along the axes that only operand i has.
    """
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    mine, others = terms[i], [term for k, term in enumerate(terms) if k != i]
    reachable = set(output).union(*map(set, others))
    found = "".join(letter for letter in mine if letter in reachable)
    rest = [x for k, x in enumerate(operands) if k != i]
    part = call(
        "einsum", g, *rest, subscripts=f"{','.join([output, *others])}->{found}", optimize=optimize
    )
    shape = shape_of(operands[i])
    # An axis of length one of this operand, or of the others, may have been broadcast.
    lengths = dict(zip(found, shape_of(part), strict=True))
    kept = tuple(lengths.get(letter, 1) for letter in mine)
    full = tuple(n if k == 1 else k for k, n in zip(kept, shape, strict=True))
    return broadcast(np.reshape(part, kept), full)


add(
    multilinear(np.matmul, np.matmul, "d(AB) = dA B + A dB", _matmul_adjoint),
    multilinear("einsum", _einsum, "d(Σ aᵢⱼbⱼₖ) = Σ daᵢⱼbⱼₖ + Σ aᵢⱼdbⱼₖ", _einsum_adjoint),
)
add(multilinear(np.vecdot, np.vecdot, "d xᵀy = dxᵀy + xᵀdy", _vecdot_adjoint))
if hasattr(np, "matvec"):  # since NumPy 2.2
    add(
        multilinear(np.matvec, np.matvec, "d(Ax) = dA x + A dx", _matvec_adjoint),
        multilinear(np.vecmat, np.vecmat, "d xᵀA = dxᵀA + xᵀdA", _vecmat_adjoint),
    )
