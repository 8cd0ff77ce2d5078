"""Trace form: a scalar that is linear in dX brought to tr(Gᵀ dX), so that G can be read off.

Such a scalar is kept as a sum of ⟨C, M⟩ = tr(CᵀM), where dX stands inside M and not in C. Each rule
removes the outermost operation of M and applies its adjoint to C. This is reverse mode, written as
algebra. Pairings with equal M are merged, so that a part that is used twice is processed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mcmodels.calculus.core import arithmetic, functions
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, matmul, scale, transpose, zeros_like
from mcmodels.calculus.core.arithmetic.stacks import starts
from mcmodels.calculus.core.einsum_nodes import Einsum
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.matrix_functions import frechet
from mcmodels.calculus.core.nodes import Differential
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ONE
from mcmodels.calculus.core.sources import HIGHAM, LAUE
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.core.tensors import dims_of
from mcmodels.calculus.derive import sums_of_pairings
from mcmodels.calculus.derive.einsum_rules import einsum_adjoint
from mcmodels.calculus.derive.rules import Rule
from mcmodels.calculus.derive.sums_of_pairings import Fields, Over

__all__ = ["ADJOINTS", "Pairing", "paired", "peel", "position_of"]


@dataclass(frozen=True)
class Pairing:
    """⟨C, M⟩ = tr(CᵀM), with the dX inside M."""

    C: Expression
    M: Expression
    over: Over = ()
    """The indices over which it is summed; M depends on that of the innermost sum."""

    def expression(self) -> Expression:
        """The pairing as an expression, without a trace where it is a product of two vectors."""
        if self.over:
            inner = Pairing(self.C, self.M).expression()
            return sums_of_pairings.closed(inner, self.over)
        if self.M.is_scalar:
            return scale(self.C, self.M)
        if self.M.is_column and dims_of(self.M) is not None:
            return arithmetic.total(hadamard([self.C, self.M]))
        if self.M.rows == ONE:
            return matmul([self.M, transpose(self.C)])
        inner = matmul([transpose(self.C), self.M])
        return inner if self.M.is_column else functions.trace(inner)


def position_of(dX: Differential, M: Expression) -> int:
    """Which child of M holds dX; in what is linear in dX only one does."""
    (position,) = [i for i, child in enumerate(M.children) if dX in child.used]
    return position


def _scaled(C: Expression, M: Any, i: int) -> Expression:
    part = M.children[i]
    rest = [child for j, child in enumerate(M.children) if j != i]
    scalars = [child for child in rest if child.is_scalar]
    if part.is_array or M.array is None:
        return scale(M.coefficient, *scalars, C)
    inner = Pairing(C, M.array).expression()
    return scale(M.coefficient, *scalars, inner)


def _product(C: Expression, M: Any, i: int) -> Expression:
    left = [transpose(factor) for factor in reversed(M.children[:i])]
    right = [transpose(factor) for factor in reversed(M.children[i + 1 :])]
    return matmul([*left, C, *right])


def _hadamard(C: Expression, M: Any, i: int) -> Expression:
    return hadamard([*M.children[:i], *M.children[i + 1 :], C])


def _filled(C: Expression, M: Any, i: int) -> Expression:
    part = M.children[i]
    return scale(C, arithmetic.ones(part.rows, part.cols))


def _block_sum(C: Expression, M: Any, i: int) -> Expression:
    blocks, A = M.children
    if i == 0:
        return arithmetic.kron(A, C)
    return arithmetic.block_trace(blocks, C, A.rows, A.cols)


def _block_trace(C: Expression, M: Any, i: int) -> Expression:
    blocks, B = M.children
    if i == 0:
        return arithmetic.kron(C, B)
    return arithmetic.block_sum(blocks, C, B.rows, B.cols)


def _kron(C: Expression, M: Any, i: int) -> Expression:
    part = M.children[i]
    if i == 0:
        return arithmetic.block_trace(C, M.right, part.rows, part.cols)
    return arithmetic.block_sum(C, M.left, part.rows, part.cols)


def _stack(C: Expression, M: Any, i: int) -> Expression:
    edges = starts(M)
    E = arithmetic.selection(edges[i], edges[i + 1] - edges[i], edges[-1])
    return matmul([C, transpose(E)]) if M.axis else matmul([E, C])


ADJOINTS: dict[type[Expression], Rule] = {
    N.Scaled: Rule("scalar factor", "tr(Cᵀ(αM)) = tr((αC)ᵀM)", f"{MN}, 1.10", _scaled),
    N.Product: Rule("cyclic shift", "tr(CᵀAMB) = tr((AᵀCBᵀ)ᵀM)", f"{MN}, 1.10", _product),
    N.Transpose: Rule("transposition", "tr(CᵀMᵀ) = tr(CM)", f"{MN}, 1.10",
                      lambda C, M, i: transpose(C)),
    N.Hadamard: Rule("elementwise shift", "tr(Aᵀ(B∘M)) = tr((A∘B)ᵀM)", f"{MN}, 3.6",
                     _hadamard),
    N.Trace: Rule("trace", "c tr M = tr((cI)ᵀM)", f"{MN}, 1.10",
                  lambda C, M, i: scale(C, arithmetic.identity(M.argument.rows))),
    N.Total: Rule("sum of entries", "c sum(M) = tr((c11ᵀ)ᵀM)", f"{MN}, 1.10", _filled),
    N.DiagonalMatrix: Rule("diagonal matrix", "tr(Cᵀ diag(m)) = diag(C)ᵀm", f"{MN}, 3.6",
                           lambda C, M, i: functions.diag(C)),
    N.Diagonal: Rule("diagonal", "cᵀ diag(M) = tr(diag(c)M)", f"{MN}, 3.6",
                     lambda C, M, i: functions.diag(C)),
    N.Vec: Rule("vec", "cᵀ vec M = tr((unvec c)ᵀM)", f"{MN}, 2.4",
                lambda C, M, i: arithmetic.unvec(C, M.argument.rows, M.argument.cols)),
    N.Unvec: Rule("unvec", "tr(Cᵀ unvec m) = (vec C)ᵀm", f"{MN}, 2.4",
                  lambda C, M, i: arithmetic.vec(C)),
    N.Kron: Rule("Kronecker blocks", "tr(Cᵀ(A⊗M)) = tr((Σaᵢⱼ Cᵢⱼ)ᵀM)", f"{MN}, 2.2", _kron),
    N.Stack: Rule("blocks", "tr([C, D]ᵀ[M, 0]) = tr(CᵀM)", f"{MN}, 1.10", _stack),
    N.BlockSum: Rule("Kronecker blocks", "tr(Hᵀ Σaᵢⱼ Cᵢⱼ) = tr((A⊗H)ᵀC)", f"{MN}, 2.2",
                     _block_sum),
    N.BlockTrace: Rule("Kronecker blocks", "tr(Hᵀ[tr BᵀCᵢⱼ]) = tr((H⊗B)ᵀC)", f"{MN}, 2.2",
                       _block_trace),
    F.Frechet: Rule("adjoint of a Fréchet derivative", "tr(Cᵀ L(A, M)) = tr(L(Aᵀ, C)ᵀM)",
                    f"{HIGHAM}, 3.1, 3.2",
                    lambda C, M, i: frechet(M.name, transpose(M.argument), C)),
    Einsum: Rule("einsum", "c Σ aᵢmᵢ = Σ (c aᵢ)mᵢ", f"{LAUE}, 3", einsum_adjoint),
}  # fmt: skip


def paired(linear: Expression) -> list[Pairing]:
    """A scalar differential as one pairing ⟨1, M⟩."""
    assert linear.is_scalar
    return [Pairing(number(1), linear)]


def peel(pairings: list[Pairing], dX: Differential) -> Iterator[tuple[list[Rule], list[Pairing]]]:
    """Remove the outermost operations, round by round, until only pairings ⟨C, dX⟩ are left.

    Yields
    ------
    rules, pairings
        The rules used in the round, and the pairings after it, in the order of the terms they come
        from; the last round leaves one pairing ⟨G, dX⟩.
    """
    pairings = _opened(pairings, dX)
    while any(pairing.M != dX for pairing in pairings):
        used: dict[str, Rule] = {}
        tops = _tops(pairings)
        following: list[Pairing] = []
        for pairing in pairings:
            if pairing.M != dX and pairing.M.key in tops:
                rule = ADJOINTS[type(pairing.M)]
                used[rule.name] = rule
                i = position_of(dX, pairing.M)
                C = rule.apply(pairing.C, pairing.M, i)
                following.append(replace(pairing, C=C, M=pairing.M.children[i]))
            else:
                following.append(pairing)
        pairings = _opened(following, dX)
        yield list(used.values()), pairings
    yield [], pairings or [Pairing(zeros_like(dX), dX)]


def _opened(pairings: list[Pairing], dX: Differential) -> list[Pairing]:
    """Sums opened, constants dropped, equal M's merged."""
    merged: dict[Any, tuple[Pairing, list[Expression]]] = {}
    waiting = pairings[::-1]
    while waiting:
        pairing = waiting.pop()
        M = pairing.M
        if dX not in M.used or arithmetic.is_zero(pairing.C):
            continue
        if isinstance(M, N.Sum):
            waiting.extend(replace(pairing, M=term) for term in reversed(M.children))
        elif isinstance(M, SumOver):
            waiting.append(Pairing(*sums_of_pairings.opened(*_fields(pairing))))
        else:
            if pairing.over:
                pairing = Pairing(*sums_of_pairings.summed_out(*_fields(pairing)))
            name = (M.key, pairing.over)
            merged.setdefault(name, (pairing, []))[1].append(pairing.C)
    return [replace(pairing, C=add(C)) for pairing, C in merged.values()]


def _fields(pairing: Pairing) -> Fields:
    return pairing.C, pairing.M, pairing.over


def _tops(pairings: list[Pairing]) -> set[bytes]:
    """The M's that are no part of another M, whose C is therefore complete."""
    keys = {pairing.M.key for pairing in pairings}
    inside: set[bytes] = set()
    if len(keys) > 1:
        for pairing in pairings:
            inside |= keys & _parts(pairing.M)
    return keys - inside


def _parts(M: Expression) -> set[bytes]:
    """Keys of all proper parts."""
    seen: set[bytes] = set()
    waiting = list(M.children)
    while waiting:
        part = waiting.pop()
        if part.key not in seen:
            seen.add(part.key)
            waiting.extend(part.children)
    return seen
