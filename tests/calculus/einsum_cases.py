"""Einsums for the tables of rules: minimal ones, and ones linear in one part."""

from __future__ import annotations

from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax, Einsum
from mcmodels.calculus.core.nodes import Differential
from mcmodels.calculus.derive.differentials import differential

T, U = mc.tensor("T", ("m", "n", "p")), mc.tensor("U", ("n", "n", "m"))
A, B = mc.matrix("A", "m", "n"), mc.matrix("B", "n", "p")
S = mc.matrix("S", "n", "n", symmetric=True)
C = mc.matrix("C", "m", "p")
x, y, z = mc.vector("x", "m"), mc.vector("y", "n"), mc.vector("z", "p")

# A factor of each operand, by its rank and place; a diagonal; an index that one operand has alone;
# an operand twice; a result of each rank; a part that is a function or a sum.
EINSUMS = {
    Einsum: [
        mc.einsum("ijk,i,j,k->", T, x, y, z),
        mc.einsum("ijk,ij->k", T, A),
        mc.einsum("ijk,k->ij", T, z),
        mc.einsum("ijk,k->ji", T, mc.exp(z)),
        mc.einsum("ijk,jl->ikl", T, S).entries,
        mc.einsum("iij->j", U),
        mc.einsum("iij,kj->ki", mc.exp(U), A.T @ A @ B @ C.T),
        mc.einsum("ijk->j", mc.sin(T) * T),
        mc.einsum("ij,ik,il->jkl", A, A, A + A**2).entries,
        mc.einsum("i,j,k->ijk", y, y, y).entries,
        mc.einsum("ijk->kji", T).entries,
        mc.einsum("ijk,jl->ikl", mc.exp(T), S).entries,
    ],
    AxisSoftmax: [
        mc.softmax(T, axis=-1).entries,
        mc.softmax(mc.sin(T) * 2, axis=-1).entries,
        mc.softmax(mc.einsum("ij,ik,il->jkl", A, A, A), axis=-1).entries,
    ],
    AxisLogSumExp: [
        mc.logsumexp(T, axis=-1),
        mc.logsumexp(T * mc.trace(S), axis=0),
        mc.logsumexp(mc.einsum("ij,ik,il,im->jklm", A, A, A, A), axis=1).entries,
    ],
}


def _moving(of: object, made: object) -> tuple[object, Differential]:
    """The differential in one symbol of an einsum that has it once: an einsum itself."""
    symbol = getattr(of, "entries", of)
    return differential(getattr(made, "entries", made), frozenset([symbol])), Differential(symbol)


LINEAR_EINSUMS = {
    Einsum: [
        _moving(T, mc.einsum("ijk,i,j,k->", T, x, y, z)),
        _moving(z, mc.einsum("ijk,i,j,k->", T, x, y, z)),
        _moving(T, mc.einsum("ijk,ij->k", T, A)),
        _moving(A, mc.einsum("ijk,ij->k", T, A)),
        _moving(z, mc.einsum("ijk,k->ij", T, z)),
        _moving(T, mc.einsum("ijk,k->ij", T, z)),
        _moving(U, mc.einsum("iij->j", U)),
        _moving(U, mc.einsum("iij->ij", U)),
        _moving(T, mc.einsum("ijk->j", T)),
        _moving(B, mc.einsum("ij,jk,jl->ikl", A, B, S)),
        _moving(S, mc.einsum("ijk,jl->ikl", T, S)),
        _moving(T, mc.einsum("ijk->kji", T)),
        _moving(T, mc.einsum("ijk,jl->ikl", T, S)),
    ],
}
