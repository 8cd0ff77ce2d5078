"""NumPy code for matrix products in their cheapest order, and for traces and sums of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.compiling import chains
from mcmodels.calculus.compute.compiling.applying import applied
from mcmodels.calculus.compute.compiling.code import Snippet, is_line
from mcmodels.calculus.compute.compiling.diagonal_blocks import sandwich
from mcmodels.calculus.compute.compiling.signs import is_nonnegative
from mcmodels.calculus.compute.compiling.tails import logistic_pair, root_of_logistic_pair
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import matmul, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import ONE

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["WRITERS"]


def _product(w: Writer, e: N.Product) -> Snippet:
    if not e.is_scalar:
        c = e.children
        if isinstance(c[0], N.Commutation) and not is_line(matmul(c[1:])):
            return _applied_left(w, c[0], matmul(c[1:]))
        if isinstance(c[-1], N.Commutation) and not is_line(matmul(c[:-1])):
            flipped = transpose(matmul(c[:-1]))
            return _applied_left(w, transpose(c[-1]), flipped).transposed
    special = sandwich(w, e.children) or _as_square(w, e)
    if special is not None:
        return special
    return _ordered(w, list(e.children), chains.best_order(e.children, w.sizes))


def _applied_left(w: Writer, factor: Expression, operand: Expression) -> Snippet:
    done = applied(w, factor, w.value(operand), is_line(operand))
    assert done is not None, "a permutation is never formed"
    return done


def _as_square(w: Writer, e: N.Product) -> Snippet | None:
    """Pᵀ D P with no negative entry in D as RᵀR with R = √D P: half the work, and symmetric."""
    c = e.children
    half, odd = divmod(len(c), 2)
    if not all(transpose(c[i]) == c[-1 - i] for i in range(half)):
        return None
    middle = c[half] if odd else None
    if middle is not None and not (
        isinstance(middle, N.DiagonalMatrix) and is_nonnegative(middle.argument)
    ):
        return None
    right = c[half + odd :]
    inner, cols = right[0].rows.value(w.sizes), right[-1].cols.value(w.sizes)
    cost = chains.cost_of_order(right, w.sizes) + inner * cols**2 / 2
    if cost > chains.cost_of_order(c, w.sizes):
        return None
    R = w.value(matmul(right))
    if not R.text.replace(".T", "").isidentifier():
        R = w.code.assign(R)  # it is written twice
    if middle is not None:
        root = _root(w, middle.children[0]).grouped
        line = is_line(matmul(right))
        scaled = f"{root} * {R}" if line else f"{root}[:, np.newaxis] * {R}"
        R = w.code.assign(Snippet(scaled, atom=False, fresh=True))
    if e.is_scalar:
        return Snippet(f"{R} @ {R}", atom=False, product=True)
    if right[0].rows == ONE:
        return Snippet(f"np.outer({R}, {R})", fresh=True)
    return Snippet(f"{R.transposed} @ {R}", atom=False, fresh=True, product=True)


def _root(w: Writer, entries: Expression) -> Snippet:
    if isinstance(entries, N.Hadamard) and len(entries.children) == 2:
        pair = logistic_pair(entries.children)
        if pair is not None:
            return root_of_logistic_pair(w, entries.children[pair[0]])
    return Snippet(f"np.sqrt({w.value(entries)})", fresh=True)


def _ordered(w: Writer, factors: list[Expression], tree: chains.Tree) -> Snippet:
    """The product in the order of the tree."""
    if isinstance(tree, int):
        return w.value(factors[tree])
    left, right = tree
    first = factors[left] if isinstance(left, int) else None
    second = factors[right] if isinstance(right, int) else None
    left_shape, right_shape = _interval(factors, left), _interval(factors, right)
    if first is not None and chains.is_special(first):
        other = _named(w, factors, right)
        done = applied(w, first, other, is_line(right_shape))
        if done is not None:
            return done
    if second is not None and chains.is_special(second):
        other = _named(w, factors, left)
        line = is_line(left_shape)
        flipped = other if line else other.transposed
        done = applied(w, transpose(second), flipped, line)
        if done is not None:
            return done if line else done.transposed
    a, b = _named(w, factors, left), _named(w, factors, right)
    if left_shape.is_column and right_shape.rows == ONE:
        return Snippet(f"np.outer({a}, {b})", fresh=True)
    return Snippet(f"{a.grouped} @ {b.grouped}", atom=False, fresh=True, product=True)


def _interval(factors: list[Expression], tree: chains.Tree) -> Expression:
    """The factors that a tree spans, as one product."""
    first, last = tree, tree
    while not isinstance(first, int):
        first = first[0]
    while not isinstance(last, int):
        last = last[1]
    return factors[first] if first == last else N.Product(tuple(factors[first : last + 1]))


def _named(w: Writer, factors: list[Expression], tree: chains.Tree) -> Snippet:
    """The product of a tree under a name that equal products share."""
    if isinstance(tree, int):
        return w.value(factors[tree])
    product = _interval(factors, tree)
    flipped = N.Product(tuple(transpose(factor) for factor in reversed(product.children)))
    if product.key not in w.known and flipped.key in w.known:
        found = w.known[flipped.key]
        return found if is_line(product) else found.transposed
    if product.key not in w.known:
        w.known[product.key] = w.code.assign(_ordered(w, factors, tree))
    return w.known[product.key]


def _trace(w: Writer, e: N.Trace) -> Snippet:
    """tr(AB) as the sum of A∘Bᵀ, without the product."""
    argument = e.argument
    if not isinstance(argument, N.Product):
        return Snippet(f"np.trace({w.value(argument)})")
    c = argument.children
    k = chains.best_split(c, w.sizes)
    left, right = matmul(c[:k]), transpose(matmul(c[k:]))
    a, b = w.value(left), w.value(right)
    if is_line(left):
        return Snippet(f"{a.grouped} @ {b.grouped}", atom=False, product=True)
    return Snippet(f"np.vdot({a}, {b})")


def _total(w: Writer, e: N.Total) -> Snippet:
    argument = e.argument
    if isinstance(argument, N.Hadamard) and len(argument.children) == 2:
        a, b = (w.value(child) for child in argument.children)
        return Snippet(f"np.vdot({a}, {b})")
    return Snippet(f"np.sum({w.value(argument)})")


def _norm(w: Writer, e: N.Norm) -> Snippet:
    return Snippet(f"np.linalg.norm({w.value(e.argument)})")


def _diagonal(w: Writer, e: N.Diagonal) -> Snippet:
    argument = e.argument
    if isinstance(argument, N.Product):
        c = argument.children
        k = chains.best_split(c, w.sizes)
        a, b = matmul(c[:k]), matmul(c[k:])
        if not (is_line(a) or is_line(b)):
            return Snippet(f"np.einsum('ij,ji->i', {w.value(a)}, {w.value(b)})", fresh=True)
    return Snippet(f"np.diagonal({w.value(argument)})")


WRITERS: dict[type[Expression], Callable[[Writer, Any], Snippet]] = {
    N.Product: _product,
    N.Trace: _trace,
    N.Norm: _norm,
    N.Total: _total,
    N.Diagonal: _diagonal,
}
