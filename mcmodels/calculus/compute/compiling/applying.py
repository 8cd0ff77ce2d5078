"""Factors that are applied without being formed as matrices: diagonals, inverses and sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.compiling import chains
from mcmodels.calculus.compute.compiling.code import Snippet
from mcmodels.calculus.compute.compiling.signs import is_positive_definite
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import parts, scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import ONE

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["applied", "kron_of", "two_dimensional"]


def applied(w: Writer, factor: Expression, other: Snippet, line: bool) -> Snippet | None:
    """Code for factor @ other, or None where the factor is better formed.

    ``line`` tells that ``other`` is a vector, an array of one dimension.
    """
    flipped = isinstance(factor, N.Transpose)
    inner: Any = factor.children[0] if flipped else factor
    if isinstance(inner, N.Identity):
        return other
    if isinstance(inner, N.DiagonalMatrix):
        v = w.value(inner.argument).grouped
        text = f"{v} * {other.grouped}" if line else f"{v}[:, np.newaxis] * {other.grouped}"
        return Snippet(text, atom=False, fresh=True, product=True)
    if chains.is_inverse(inner):
        return _solved(w, inner.children[0], flipped, other)
    if isinstance(inner, N.Ones):
        return _summed(factor, other, line)
    if isinstance(inner, N.Unit):
        if not flipped:
            return None
        return Snippet(f"{other.grouped}[{inner.index}]")
    if isinstance(inner, N.Commutation):
        return _commuted(w, inner, other, line)
    if isinstance(inner, N.Duplication | N.Elimination):
        return _halved(w, inner, flipped, other, line)
    if isinstance(inner, N.Selection):
        return _sliced(w, inner, flipped, other, line)
    if isinstance(inner, N.DiagonalSelection):
        return _selected(w, inner, flipped, other, line)
    if isinstance(inner, N.Kron):
        return _kron_applied(w, inner, other, line)
    if isinstance(inner, N.Sum) and line and w.uses.get(inner.key, 0) <= 1:
        return _term_by_term(w, factor, other)
    return None


def _solved(w: Writer, base: Expression, flipped: bool, other: Snippet) -> Snippet:
    """A solve; a matrix that is inverted more than once is factored once."""
    if is_positive_definite(base):
        w.code.use("from scipy.linalg import cho_factor, cho_solve")
        if base.key not in w.factored:
            w.factored[base.key] = w.code.assign(f"cho_factor({w.value(base)})", "factor")
        return Snippet(f"cho_solve({w.factored[base.key]}, {other})", fresh=True)
    if w.solves.get(base.key, 0) <= 1:
        matrix = w.value(base)
        return Snippet(
            f"np.linalg.solve({matrix.transposed if flipped else matrix}, {other})", fresh=True
        )
    w.code.use("from scipy.linalg import lu_factor, lu_solve")
    if base.key not in w.factored:
        w.factored[base.key] = w.code.assign(f"lu_factor({w.value(base)})", "factor")
    trans = ", trans=1" if flipped else ""
    return Snippet(f"lu_solve({w.factored[base.key]}, {other}{trans})", fresh=True)


def _summed(factor: Expression, other: Snippet, line: bool) -> Snippet | None:
    if factor.rows == ONE:
        return Snippet(
            f"np.sum({other})" if line else f"{other.grouped}.sum(axis=0)", fresh=not line
        )
    return None


def _commuted(w: Writer, inner: N.Commutation, other: Snippet, line: bool) -> Snippet:
    m, n = w.size(inner.m), w.size(inner.n)
    if line:
        return Snippet(f"{other.grouped}.reshape({n}, {m}).T.ravel()", fresh=True)
    swapped = f"{other.grouped}.reshape({n}, {m}, -1).transpose(1, 0, 2)"
    return Snippet(f"{swapped}.reshape({w.size(inner.rows)}, -1)", fresh=True)


def _selected(
    w: Writer, inner: N.DiagonalSelection, flipped: bool, other: Snippet, line: bool
) -> Snippet:
    n, square = w.size(inner.n), w.size(inner.n * inner.n)
    if flipped:
        return Snippet(f"{other.grouped}[:: {n} + 1]")
    shape = square if line else f"({square}, {other.grouped}.shape[1])"
    name = w.code.assign(f"np.zeros({shape})")
    w.code.do(f"{name}[:: {n} + 1] = {other}")
    return name


def _halved(
    w: Writer, inner: N.Duplication | N.Elimination, flipped: bool, other: Snippet, line: bool
) -> Snippet:
    """The matrices of vech, by the places of the entries in vec: below and above the diagonal."""
    n = w.size(inner.n)
    cols, rows = w.code.assign("None", "cols"), w.code.assign("None", "rows")
    w.code.lines[-2:] = [f"{cols}, {rows} = np.triu_indices({n})"]
    below, above = f"{cols} * {n} + {rows}", f"{rows} * {n} + {cols}"
    if isinstance(inner, N.Elimination) and not flipped:
        return Snippet(f"{other.grouped}[{below}]", fresh=True)
    value = other if other.text.isidentifier() else w.code.assign(other)
    if isinstance(inner, N.Duplication) and flipped:
        off = f"({cols} != {rows})" if line else f"({cols} != {rows})[:, np.newaxis]"
        text = f"{value}[{below}] + {off} * {value}[{above}]"
        return Snippet(text, atom=False, fresh=True)
    name = w.code.assign(f"np.zeros(({n} * {n}, *{value}.shape[1:]))")
    w.code.do(f"{name}[{below}] = {value}")
    if isinstance(inner, N.Duplication):
        w.code.do(f"{name}[{above}] = {value}")
    return name


def _sliced(w: Writer, inner: N.Selection, flipped: bool, other: Snippet, line: bool) -> Snippet:
    where = f"[{w.size(inner.start)} : {w.size(inner.start + inner.rows)}]"
    if not flipped:
        return Snippet(f"{other.grouped}{where}")
    n = w.size(inner.cols)
    name = w.code.assign(f"np.zeros({n if line else f'({n}, {other.grouped}.shape[1])'})")
    w.code.do(f"{name}{where} = {other}")
    return name


def _kron_applied(w: Writer, inner: N.Kron, other: Snippet, line: bool) -> Snippet:
    """(A ⊗ B) M by one product with A and one with B: vec(B Y Aᵀ) for each column vec(Y)."""
    A, B = inner.left, inner.right
    a, b = w.size(A.cols), w.size(B.cols)
    text = f"{other.grouped}.reshape({a}, {b}{'' if line else ', -1'})"
    if not isinstance(B, N.Identity):
        text = (
            f"{two_dimensional(w, B).grouped} @ {text}"
            if not line
            else f"{text} @ {two_dimensional(w, transpose(B)).grouped}"
        )
        text = f"({text})"
    if not isinstance(A, N.Identity):
        text = (
            f"np.tensordot({two_dimensional(w, A)}, {text}, 1)"
            if not line
            else f"({two_dimensional(w, A).grouped} @ {text})"
        )
    shape = w.size(inner.rows)
    return Snippet(f"{text}.reshape({shape}{'' if line else ', -1'})", fresh=True)


def two_dimensional(w: Writer, e: Expression) -> Snippet:
    """The value as an array of two dimensions."""
    value = w.value(e)
    if e.is_column:
        return Snippet(f"{value.grouped}[:, np.newaxis]")
    return Snippet(f"{value.grouped}[np.newaxis, :]") if e.rows == ONE else value


def kron_of(w: Writer, left: Expression, right: Expression) -> Snippet:
    """A ⊗ B; with an identity its blocks are put in place, which takes no products with zeros."""
    if not (isinstance(left, N.Identity) or isinstance(right, N.Identity)):
        return _spread_out(w, left, right)
    a, b, c, d = (w.size(size) for size in (left.rows, right.rows, left.cols, right.cols))
    blocks = w.code.assign(f"np.zeros(({a}, {b}, {c}, {d}))", "blocks")
    if isinstance(right, N.Identity):
        where, value = f":, np.arange({b}), :, np.arange({b})", two_dimensional(w, left)
    else:
        where, value = f"np.arange({a}), :, np.arange({a}), :", two_dimensional(w, right)
    w.code.do(f"{blocks}[{where}] = {value}")
    size = f"{w.size(left.rows * right.rows)}, {w.size(left.cols * right.cols)}"
    return Snippet(f"{blocks}.reshape({size})", fresh=True)


def _spread_out(w: Writer, left: Expression, right: Expression) -> Snippet:
    """np.kron, with whole rows in the innermost loop rather than those of the small factor."""
    A = f"np.repeat({two_dimensional(w, left)}, {w.size(right.cols)}, axis=1)[:, np.newaxis, :]"
    B = f"np.tile({two_dimensional(w, right)}, {w.size(left.cols)})"
    size = f"{w.size(left.rows * right.rows)}, {w.size(left.cols * right.cols)}"
    return Snippet(f"({A} * {B}).reshape({size})", fresh=True)


def _term_by_term(w: Writer, factor: Expression, other: Snippet) -> Snippet:
    """(A + B) x as Ax + Bx, so that the sum of matrices is not formed."""
    flipped = isinstance(factor, N.Transpose)
    terms = factor.children[0].children if flipped else factor.children
    pieces = []
    for term in terms:
        coefficient, scalars, array = parts(transpose(term) if flipped else term)
        assert array is not None
        weight = scale(coefficient, *scalars)
        chain = list(array.children) if isinstance(array, N.Product) else [array]
        vector = other
        for part in reversed(chain):
            vector = _times(w, part, vector)
        if not (isinstance(weight, N.Number) and weight.value == 1):
            vector = Snippet(
                f"{w.value(weight).grouped} * {vector.grouped}",
                atom=False,
                fresh=True,
                product=True,
            )
        pieces.append(vector.term)
    return Snippet(" + ".join(pieces), atom=False, fresh=True)


def _times(w: Writer, factor: Expression, vector: Snippet) -> Snippet:
    if chains.is_special(factor):
        done = applied(w, factor, vector, True)
        if done is not None:
            return done
    text = f"{w.value(factor).grouped} @ {vector.grouped}"
    if factor.is_column:
        text = f"{vector.grouped} * {w.value(factor).grouped}"
    return Snippet(text, atom=False, fresh=True, product=True)
