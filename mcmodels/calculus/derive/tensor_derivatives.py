"""Derivatives as arrays of any rank: the indices of what is differentiated, then those of x.

A differential is linear in dX: a sum of terms, each a nest of products, traces, diagonals around
dX. Each term is a sum of products of entries, with dX among the factors. The derivative is that sum
without dX, whose indices are now those of the result (Laue, Mitterreiter and Giesen, 2018). The
gradient of a scalar is found from the outside (`trace_form`), further derivatives from dX on.
"""

from __future__ import annotations

from typing import Any, NoReturn

from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.contraction import contracted
from mcmodels.calculus.core.einsum_nodes import Axes, Einsum, Factor, Lengths, TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Differential, Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of, substitute
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size
from mcmodels.calculus.core.tensors import Tensor, axes_of, dims_of, shaped
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.gradients import symbol_of, without_probability
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.derive.vec_form import jacobian_of_linear

__all__ = [
    "gradient",
    "hessian",
    "hessian_vector_product",
    "jacobian",
    "refuse_tensor",
    "tensor_derivative",
]

Sizes = tuple[Size, ...]


def gradient(f: Expression, x: Any, entries: str = "all") -> Any:
    """The work of `Expression.gradient`, in the shape of ``x``."""
    G = gradients.gradient(f, x, entries)
    symbol = symbol_of(f, x)
    return shaped(G, symbol.dims) if isinstance(symbol, TensorSymbol) else G


def jacobian(F: Expression, x: Any) -> Any:
    """The work of `Expression.jacobian`; by a tensor, all derivatives as an array."""
    if isinstance(symbol_of(F, x), TensorSymbol):
        return tensor_derivative(F, x)
    return gradients.jacobian(F, x)


def hessian(f: Expression, x: Any, y: Any) -> Any:
    """The work of `Expression.hessian`; by a tensor, all second derivatives as an array."""
    if any(isinstance(symbol_of(f, by), TensorSymbol) for by in (x, y)):
        gradients.require_scalar(f)
        return tensor_derivative(f, x, y)
    return gradients.hessian(f, x, y)


def hessian_vector_product(f: Expression, x: Any, V: Any) -> Any:
    """The work of `Expression.hessian_vector_product`, in the shape of ``x``."""
    symbol = symbol_of(f, x)
    if not isinstance(symbol, TensorSymbol):
        return gradients.hessian_vector_product(f, x, V)
    if not (isinstance(V, Tensor) and V.dims == symbol.dims):
        raise ShapeError(
            f"a Hessian-vector product by {symbol.name} needs a direction of shape {symbol.shape}; "
            f"found {V}"
        )
    return shaped(gradients.hessian_vector_product(f, symbol, V.entries), symbol.dims)


def refuse_tensor(F: Tensor) -> NoReturn:
    """Raise the error for what is done with scalars alone."""
    raise DerivativeError(
        f"a gradient, a Hessian and a derivation are those of a scalar; {F} has the shape "
        f"{F.shape}. jacobian() and tensor_derivative give all its derivatives; or take a sum first"
    )


def tensor_derivative(f: Any, *symbols: Any) -> Any:
    """All derivatives by one symbol after another, as an array: of matrices, without vec.

    The entry at the indices of ``f`` and then those of each symbol is the derivative of that entry
    of ``f`` by those entries of the symbols. So that of a scalar by a matrix is its gradient, and
    by the matrix twice the Hessian of rank four. By a symmetric matrix, dX is symmetric, and the
    derivative is the symmetric one.

    Parameters
    ----------
    f : Expression or Tensor
    *symbols : Expression, Tensor or str
        Symbols or their names; a symbol again for each derivative by it.

    Returns
    -------
    Tensor or Expression
        Of the rank of all together; a `Tensor` of three and more.

    Raises
    ------
    DerivativeError
        If no symbol is given, one is none, or a derivative has no closed form.

    References
    ----------
    Laue, Mitterreiter and Giesen (2018), "Computing higher order derivatives of matrix and tensor
    expressions", *Advances in Neural Information Processing Systems* 31.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, norm, tensor_derivative
    >>> U, V, T = matrix("U", "m", "k"), matrix("V", "n", "k"), matrix("T", "m", "n")
    >>> tensor_derivative(norm(T - U @ V.T) ** 2, U, U)
    2 [Σₛ δᵢₗ Vₛⱼ Vₛᵣ]ᵢⱼₗᵣ
    """
    if not symbols:
        raise DerivativeError("a derivative is taken by one symbol or more; found none")
    F, axes = axes_of(f)
    found = [symbol_of(F, x) for x in symbols]
    free, variables, stands_for = without_probability(F, *found)
    result = free
    for x in variables:
        if result.is_scalar and not axes:
            result = gradients.gradient(result, x)
        else:
            result = simplify(_by(result, axes, x))
        axes += _axes(x)
    result = substitute(result, stands_for).within(F.known).as_derivative()
    return shaped(result, Lengths(axes)) if len(axes) > 2 else result


def _axes(e: Expression, dims: Lengths | None = None) -> Sizes:
    """The sizes of the axes of an array, of which the shape of a tensor is known."""
    if isinstance(e, TensorSymbol):
        return e.dims.of
    if dims is not None:
        return dims.of
    return () if e.is_scalar else (e.rows,) if e.is_column else (e.rows, e.cols)


def _by(F: Expression, axes: Sizes, x: Symbol) -> Expression:
    """The derivative by one symbol."""
    dF = differential(F, frozenset([x]))
    forward = _Forward(dF, Differential(x), _axes(x))
    D = forward.derivative(dF, axes)
    return forward.as_declared(D, axes, x.declared)


class _Forward:
    """The derivative of what is linear in dX."""

    def __init__(self, whole: Expression, dX: Differential, axes: Sizes) -> None:
        self.dX = dX
        self.sizes: dict[int, Size] = {}
        self.x = self.fresh(axes)
        self.known: dict[bytes, Expression] = {}
        self.uses: dict[bytes, int] = {}
        for part in parts_of(whole):
            for child in part.children:
                self.uses[child.key] = self.uses.get(child.key, 0) + 1

    def fresh(self, axes: Sizes) -> Axes:
        """New indices of these sizes."""
        start = len(self.sizes)
        self.sizes |= enumerate(axes, start)
        return tuple(range(start, start + len(axes)))

    def derivative(self, M: Expression, axes: Sizes) -> Expression:
        """All derivatives of M, whose axes are given."""
        out = self.fresh(axes)
        found = [[self.by_vec(M, out)]] if _is_vec(M, out) else self.terms_within(M, out)
        terms = [contracted(factors, (*out, *self.x), self.sizes) for factors in found]
        if not terms:
            return contracted([(number(0), ())], (*out, *self.x), self.sizes)
        return arithmetic.add(terms)

    def terms(self, M: Expression, out: Axes) -> list[list[Factor]]:
        """The terms of the derivative of M at the indices ``out``, each a list of factors."""
        if self.dX not in M.used:
            return []
        if _is_vec(M, out):
            return [[self.by_vec(M, out)]]
        if self.uses.get(M.key, 0) > 1 and M != self.dX:
            # A part that is used again is derived once.
            if M.key not in self.known:
                self.known[M.key] = self.derivative(M, _axes(M, dims_of(M)))
            return [[(self.known[M.key], (*out, *self.x))]]
        return self.terms_within(M, out)

    def terms_within(self, M: Expression, out: Axes) -> list[list[Factor]]:
        """The terms, from those of the parts of M."""
        if self.dX not in M.used:
            return []
        if M == self.dX:
            return [[(_delta(self.sizes[i]), (i, p)) for i, p in zip(out, self.x, strict=True)]]
        if isinstance(M, N.Sum):
            return [term for child in M.children for term in self.terms(child, out)]
        opened = self.opened(M, out)
        if opened is None:
            return [[self.by_vec(M, out)]]
        (place,) = [i for i, (e, _) in enumerate(opened) if self.dX in e.used]
        inner, at = opened.pop(place)
        return [[*opened, *term] for term in self.terms(inner, at)]

    def opened(self, M: Any, out: Axes) -> list[Factor] | None:
        """The factors of the entry of M at ``out``; None where M is no product of entries."""
        match M:
            case N.Scaled():
                factors: list[Factor] = [(number(M.coefficient), ())]
                factors += [(scalar, ()) for scalar in M.scalars]
                return factors if M.array is None else [*factors, (M.array, out)]
            case N.Product():
                chain = out if len(out) == 2 else self._ends(M, out)
                inner = [self.fresh((e.cols,))[0] for e in M.children[:-1]]
                places = [chain[0], *inner, chain[1]]
                return [(e, self._natural(e, places[i : i + 2])) for i, e in enumerate(M.children)]
            case N.Hadamard():
                return [(e, out) for e in M.children]
            case N.Transpose() if len(out) == 2:
                return [(M.argument, self._natural(M.argument, out[::-1]))]
            case N.Total():
                return [(M.argument, self.fresh(_axes(M.argument, dims_of(M.argument))))]
            case N.Trace():
                (i,) = self.fresh((M.argument.rows,))
                return [(M.argument, (i, i))]
            case N.DiagonalMatrix():
                return [(M.argument, out[:1]), (arithmetic.identity(M.rows), out)]
            case N.Diagonal():
                return [(M.argument, (out[0], out[0]))]
            case Einsum():
                names = dict(zip(M.output, out, strict=True))
                for axis, size in enumerate(M.lengths.of):
                    if axis not in names:
                        (names[axis],) = self.fresh((size,))
                return [(e, tuple(names[axis] for axis in at)) for e, at in M.factors]
        return None

    def _ends(self, M: Expression, out: Axes) -> Axes:
        """Indices of the rows and columns of a product that is a column or a scalar."""
        rows = out if out else self.fresh((M.rows,))
        return (*rows, *self.fresh((M.cols,)))

    def _natural(self, e: Expression, at: Any) -> Axes:
        """The indices of an array of rows and columns that it shows as axes."""
        if e.is_scalar:
            return ()
        return (at[0],) if e.is_column else (at[0], at[1])

    def by_vec(self, M: Expression, out: Axes) -> Factor:
        """The derivative as a matrix (vec), with its entries named one by one."""
        J = jacobian_of_linear(M, self.dX)
        shape = M.rows, M.cols
        by = self.dX.rows, self.dX.cols
        # The indices, those that run fastest first: vec runs down columns, a tensor along its last.
        rows = out[::-1] if len(out) > 2 else out
        columns = self.x[::-1] if len(self.x) > 2 else self.x
        if len(rows) + len(columns) > 2:
            return arithmetic.vec(J), (*rows, *columns)[::-1]
        if not columns:
            return (J if len(rows) < 2 else arithmetic.unvec(J, *shape)), rows
        if not rows:
            flat = arithmetic.transpose(J)
            return (flat if len(columns) < 2 else arithmetic.unvec(flat, *by)), columns
        return J, (*rows, *columns)

    def as_declared(self, D: Expression, axes: Sizes, declared: frozenset[str]) -> Expression:
        """The derivative by directions of the declared structure."""
        if not declared & N.LINEAR:
            return D
        out = self.fresh(axes)
        i, j = self.x
        n = self.sizes[i]
        flipped = contracted([(D, (*out, j, i))], (*out, i, j), self.sizes)
        mirrored = arithmetic.scale(number(1) / 2, arithmetic.add([D, flipped]))
        masks = {
            "diagonal": (arithmetic.identity(n), (i, j)),
            "lower_triangular": (N.Triangle(n), (i, j)),
            "upper_triangular": (N.Triangle(n), (j, i)),
        }
        for word, mask in masks.items():
            if word in declared:
                return contracted([(D, (*out, i, j)), mask], (*out, i, j), self.sizes)
        return mirrored


def _is_vec(M: Expression, out: Axes) -> bool:
    """Whether an expression stands for the entries of a tensor, of which there is one index."""
    return len(out) == 1 and dims_of(M) is not None


def _delta(size: Size) -> Expression:
    return arithmetic.identity(size) if size != ONE else number(1)
