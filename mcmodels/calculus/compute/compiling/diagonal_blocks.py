"""Hessians of sums over rows: matrices whose n×n blocks are all diagonal, kept as those diagonals.

A function of X W (n rows, W of p×h) has a Hessian (I ⊗ Xᵀ) B (I ⊗ X) in W, where B is nh×nh
and every n×n block of it is diagonal: n·h² numbers instead of n²·h². The same holds for W X, with
the Kronecker products the other way round. So B is kept as an array t[a, b, i], and the
result is made of the products Xᵀ diag(t[a, b]) X.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcmodels.calculus.compute.compiling.applying import two_dimensional
from mcmodels.calculus.compute.compiling.code import Snippet
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import is_symmetric, matmul, parts, scale, transpose, unvec
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import Size

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["sandwich"]

_MOST_PAIRS = 2**21  # numbers (16 MiB) of products of columns that are formed


@dataclass(frozen=True)
class _Side:
    """Where the common index i stands in a Kronecker product: inside (A ⊗ I) or outside (I ⊗ A)."""

    inner: bool
    n: Size

    def other(self, e: N.Kron) -> Expression | None:
        """A, of A ⊗ I or I ⊗ A with the identity of size n."""
        one, A = (e.right, e.left) if self.inner else (e.left, e.right)
        return A if isinstance(one, N.Identity) and one.rows == self.n else None


@dataclass(frozen=True)
class _Blocks:
    """t[a, b, i] as code: ``constant`` over i (an a×b matrix), ``diagonal`` (a×i) or ``full``."""

    kind: str
    text: Snippet


def sandwich(w: Writer, factors: Sequence[Expression]) -> Snippet | None:
    """Code for (I ⊗ Z) B (I ⊗ Y), or for (Z ⊗ I) B (Y ⊗ I); None if the product is none."""
    first, last = factors[0], factors[-1]
    if not (len(factors) > 2 and isinstance(first, N.Kron) and isinstance(last, N.Kron)):
        return None
    for inner in (True, False):
        one, Z = (first.left, first.right) if inner else (first.right, first.left)
        other, Y = (last.left, last.right) if inner else (last.right, last.left)
        if not (isinstance(one, N.Identity) and isinstance(other, N.Identity)):
            continue
        if Z.cols != Y.rows:
            continue
        middle = matmul(factors[1:-1])
        B = _blocks_of(w, middle, _Side(inner, Z.cols))
        if B is not None:
            whole = is_symmetric(middle) and transpose(Z) == Y and one == other
            return _contracted(w, B, (one.rows, other.rows), Z, Y, inner, whole)
    return None


def _contracted(
    w: Writer,
    B: _Blocks,
    heights: tuple[Size, Size],
    Z: Expression,
    Y: Expression,
    inner: bool,
    symmetric: bool,
) -> Snippet:
    """Z diag(t[a, b]) Y for all a and b, in their places."""
    t = _full(w, B, heights, Z.cols)
    if not t.text.isidentifier():
        t = w.code.assign(t)
    numbers = [size.value(w.sizes) for size in (Z.cols, Z.rows, Y.cols)]
    contract = _by_pairs if math.prod(numbers) <= _MOST_PAIRS else _by_height
    blocks = contract(w, t, heights, Z, Y, symmetric)
    axes = "(0, 2, 1, 3)" if inner else "(2, 0, 3, 1)"
    size = f"{w.size(heights[0] * Z.rows)}, {w.size(heights[1] * Y.cols)}"
    return Snippet(f"{blocks}.transpose{axes}.reshape({size})", fresh=True)


def _by_pairs(
    w: Writer, t: Snippet, heights: tuple[Size, Size], Z: Expression, Y: Expression, symmetric: bool
) -> Snippet:
    """All blocks from one matrix product with the products of all pairs of columns."""
    h, k, n, p, q = (w.size(size) for size in (*heights, Z.cols, Z.rows, Y.cols))
    z, y = two_dimensional(w, transpose(Z)).grouped, two_dimensional(w, Y).grouped
    text = f"({z}[:, :, np.newaxis] * {y}[:, np.newaxis, :]).reshape({n}, -1)"
    pairs = w.code.assign(text, "pairs")
    if not symmetric:
        blocks = w.code.assign(f"{t}.reshape(-1, {n}) @ {pairs}", "blocks")
        return Snippet(f"{blocks}.reshape({h}, {k}, {p}, {q})")
    above = w.code.assign(f"np.triu_indices({h})", "above")
    blocks = w.code.assign(f"np.empty(({h}, {h}, {p} * {q}))", "blocks")
    w.code.do(f"{blocks}[{above}] = {t}[{above}] @ {pairs}")
    w.code.do(f"{blocks}[{above}[::-1]] = {blocks}[{above}]")
    return Snippet(f"{blocks}.reshape({h}, {h}, {p}, {q})")


def _by_height(
    w: Writer, t: Snippet, heights: tuple[Size, Size], Z: Expression, Y: Expression, symmetric: bool
) -> Snippet:
    """For one a at a time, so that what is scaled stays in cache."""
    h, k, n, p, q = (w.size(size) for size in (*heights, Z.cols, Z.rows, Y.cols))
    z, y = two_dimensional(w, Z).grouped, two_dimensional(w, Y).grouped
    blocks = w.code.assign(f"np.empty(({h}, {k}, {p}, {q}))", "blocks")
    b = "a:" if symmetric else ":"
    w.code.do(f"for a in range({h}):")
    w.code.do(f"    scaled = ({t}[a, {b}, np.newaxis, :] * {z}).reshape(-1, {n})")
    w.code.do(f"    {blocks}[a, {b}] = (scaled @ {y}).reshape(-1, {p}, {q})")
    if symmetric:
        w.code.do(f"    {blocks}[a:, a] = {blocks}[a, a:]")  # each of them is symmetric
    return blocks


def _full(w: Writer, blocks: _Blocks, heights: tuple[Size, Size], n: Size) -> Snippet:
    if blocks.kind == "full":
        return blocks.text
    shape = f"({w.size(heights[0])}, {w.size(heights[1])}, {w.size(n)})"
    if blocks.kind == "constant":
        return Snippet(f"np.broadcast_to({blocks.text.grouped}[:, :, np.newaxis], {shape})")
    name = w.code.assign(f"np.zeros({shape})")
    return _on_diagonal(w, name, blocks.text, heights[0])


def _on_diagonal(w: Writer, name: Snippet, diagonal: Snippet, h: Size) -> Snippet:
    places = f"np.arange({w.size(h)})"
    w.code.do(f"{name}[{places}, {places}] += {diagonal}")
    return name


def _blocks_of(w: Writer, e: Expression, side: _Side) -> _Blocks | None:
    """A matrix whose blocks are diagonal, or None if it is not known to be one."""
    coefficient, scalars, array = parts(e)
    if array is None:
        return None
    found = _unscaled(w, array, side)
    factor = scale(coefficient, *scalars)
    if found is None or (isinstance(factor, N.Number) and factor.value == 1):
        return found
    if isinstance(factor, N.Number) and factor.value == -1:
        return _Blocks(found.kind, Snippet(f"-{found.text.grouped}", atom=False, fresh=True))
    text = f"{w.value(factor).grouped} * {found.text.grouped}"
    return _Blocks(found.kind, Snippet(text, atom=False, fresh=True))


def _unscaled(w: Writer, e: Expression, side: _Side) -> _Blocks | None:
    if isinstance(e, N.Kron):
        A = side.other(e)
        if A is None or A.is_column or A.rows == Size(1):
            return None
        return _Blocks("constant", w.value(A))
    if isinstance(e, N.Identity):
        height = e.rows.divided_by(side.n)
        return None if height is None else _Blocks("constant", Snippet(f"np.eye({w.size(height)})"))
    if isinstance(e, N.DiagonalMatrix):
        return _diagonal(w, e.argument, side)
    if isinstance(e, N.Product):
        return _product(w, e, side)
    return _sum(w, e, side) if isinstance(e, N.Sum) else None


def _diagonal(w: Writer, v: Expression, side: _Side) -> _Blocks | None:
    """diag(vec M): the entries of M, the index i last."""
    height = v.rows.divided_by(side.n)
    if height is None:
        return None
    if side.inner:
        return _Blocks("diagonal", w.value(transpose(unvec(v, side.n, height))))
    return _Blocks("diagonal", w.value(unvec(v, height, side.n)))


def _blocks_of_all(w: Writer, e: Expression, side: _Side) -> list[_Blocks] | None:
    """All terms or factors, or None if one of them has blocks that are not diagonal."""
    found = []
    for child in e.children:
        blocks = _blocks_of(w, child, side)
        if blocks is None:
            return None
        found.append(blocks)
    return found


def _product(w: Writer, e: N.Product, side: _Side) -> _Blocks | None:
    several = _blocks_of_all(w, e, side)
    if several is None:
        return None
    result = several[0]
    for blocks in several[1:]:
        result = _times(w, result, blocks)
    return result


def _times(w: Writer, A: _Blocks, B: _Blocks) -> _Blocks:
    a, b = A.text.grouped, B.text.grouped
    kinds = (A.kind, B.kind)
    if kinds == ("constant", "constant"):
        return _Blocks("constant", w.code.assign(f"{a} @ {b}"))
    if kinds == ("diagonal", "diagonal"):
        return _Blocks("diagonal", Snippet(f"{a} * {b}", atom=False, fresh=True))
    if A.kind == "diagonal":
        spread = f"{b}[:, :, np.newaxis]" if B.kind == "constant" else b
        return _Blocks("full", w.code.assign(f"{a}[:, np.newaxis, :] * {spread}"))
    if B.kind == "diagonal":
        spread = f"{a}[:, :, np.newaxis]" if A.kind == "constant" else a
        return _Blocks("full", w.code.assign(f"{spread} * {b}"))
    if A.kind == "constant":
        return _Blocks("full", w.code.assign(f"np.tensordot({a}, {b}, 1)"))
    if B.kind == "constant":
        turned = f"np.tensordot({B.text.transposed}, {a}, (1, 1)).transpose(1, 0, 2)"
        return _Blocks("full", w.code.assign(turned))
    return _Blocks("full", w.code.assign(f"np.einsum('akn,kbn->abn', {a}, {b})"))


def _sum(w: Writer, e: N.Sum, side: _Side) -> _Blocks | None:
    several = _blocks_of_all(w, e, side)
    if several is None:
        return None
    kinds = {blocks.kind for blocks in several}
    if len(kinds) == 1:
        return _Blocks(kinds.pop(), w.code.assign(_added([s.text for s in several])))
    rows, cols = e.rows.divided_by(side.n), e.cols.divided_by(side.n)
    assert rows is not None
    assert cols is not None
    dense = [
        s.text if s.kind == "full" else Snippet(f"{s.text.grouped}[:, :, np.newaxis]")
        for s in several
        if s.kind != "diagonal"
    ]
    shape = f"({w.size(rows)}, {w.size(cols)}, {w.size(side.n)})"
    if "full" not in kinds:
        dense.insert(0, Snippet(f"np.zeros({shape})"))
    total = w.code.assign(_added(dense) if len(dense) > 1 else f"{dense[0].grouped} + 0.0")
    for blocks in several:
        if blocks.kind == "diagonal":
            _on_diagonal(w, total, blocks.text, rows)
    return _Blocks("full", total)


def _added(texts: list[Snippet]) -> str:
    return " + ".join(text.grouped for text in texts)
