"""Arrays of any rank: what a user writes, `einsum`, and functions of each entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NoReturn, TypeVar

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core import operators
from mcmodels.calculus.core.arithmetic import parts, scale
from mcmodels.calculus.core.axis_forms import as_softmax
from mcmodels.calculus.core.choices import compare
from mcmodels.calculus.core.contraction import contracted
from mcmodels.calculus.core.einsum_nodes import (
    AxisLogSumExp,
    AxisSoftmax,
    Einsum,
    Lengths,
    TensorLike,
    TensorSymbol,
)
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.function_nodes import Hardmax, Pairwise, Polygamma, Where
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size
from mcmodels.calculus.core.subscripts import read_subscripts, sizes_of_indices
from mcmodels.calculus.core.symbols import matrix, require_name, scalar, vector
from mcmodels.calculus.tensor_facade import TensorMethods

__all__ = [
    "Tensor",
    "axes_of",
    "dims_of",
    "einsum",
    "of_all_entries",
    "of_each_entry",
    "of_entries",
    "shaped",
    "tensor",
]

Function = TypeVar("Function", bound=Callable[..., Any])


class Tensor(TensorMethods, TensorLike):
    """An array of three or more dimensions, written with symbols; immutable.

    Made by `tensor`, `einsum`, functions of each entry, and ``+ - * / **`` of tensors of one shape,
    or of a tensor and a scalar. `sum`, `mean`, `norm`, `amax` and `amin` give a scalar. Two tensors
    are equal (``==``) when they are written alike, up to the names of indices and the order of
    terms and factors.

    Attributes
    ----------
    entries : Expression
        The vector of its entries, the last index running fastest, as in NumPy.
    shape : tuple of int or str

    Examples
    --------
    >>> from mcmodels.calculus import einsum, tensor, vector
    >>> T, x = tensor("T", ("n", "m", "k")), vector("x", "k")
    >>> T.shape
    ('n', 'm', 'k')
    >>> einsum("ijk,k->ij", T, x)
    [Σₗ Tᵢⱼₗ xₗ]ᵢⱼ
    """

    __array_ufunc__ = None
    __slots__ = ("dims", "entries")

    def __init__(self, entries: Expression, dims: Lengths) -> None:
        self.entries = entries
        self.dims = dims

    @property
    def shape(self) -> tuple[int | str, ...]:  # type: ignore[override]
        """The shape of the value: a size for each dimension."""
        return self.dims.shown

    @property
    def symbols(self) -> tuple[Expression, ...]:
        """The symbols in it, sorted by name."""
        return self.entries.symbols

    @property
    def height(self) -> int:
        """The levels of nesting."""
        return self.entries.height

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tensor) and (self.entries, self.dims) == (
            other.entries,
            other.dims,
        )

    def __hash__(self) -> int:
        return hash((self.entries, self.dims))

    def __reduce__(self) -> Any:
        return Tensor, (self.entries, self.dims)

    def __bool__(self) -> bool:
        raise TypeError("a tensor is neither true nor false; compare two with ==")

    def __iter__(self) -> NoReturn:
        raise TypeError("a tensor cannot be iterated over")

    def __getitem__(self, index: Any) -> NoReturn:
        raise ShapeError(
            f"a tensor of rank {len(self.shape)} has no index in brackets; multiply by a unit "
            "vector, as in einsum('ijk,i->jk', T, unit(0, n))"
        )

    @property
    def T(self) -> NoReturn:
        """Refused: axes are exchanged by `einsum`."""
        raise ShapeError(
            f"a tensor of rank {len(self.shape)} has no transpose; name its axes, as in "
            "einsum('ijk->kji', T)"
        )

    def __matmul__(self, other: Any) -> NoReturn:
        raise ShapeError(
            "@ is the product of matrices; name the axes of a tensor, as in "
            "einsum('ijk,kl->ijl', T, A)"
        )

    __rmatmul__ = __matmul__

    def _with(self, operation: str, operator: Callable[..., Expression], *given: Any) -> Tensor:
        """What an operation of each entry gives of this and others."""
        _require_alike(operation, given)
        entries = [_entries(value) if isinstance(value, Tensor) else value for value in given]
        result = operator(*entries)
        parts_ = [value.entries if isinstance(value, Tensor) else value for value in given]
        known = result.known.union(*(e.known for e in parts_ if isinstance(e, Expression)))
        return shaped(result if known == result.known else result.within(known), self.dims)

    def __add__(self, other: Any) -> Tensor:
        return self._with("+", operators.add, self, other)

    def __radd__(self, other: Any) -> Tensor:
        return self._with("+", operators.add, other, self)

    def __sub__(self, other: Any) -> Tensor:
        return self._with("-", operators.subtract, self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return self._with("-", operators.subtract, other, self)

    def __mul__(self, other: Any) -> Tensor:
        return self._with("*", operators.multiply, self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return self._with("*", operators.multiply, other, self)

    def __truediv__(self, other: Any) -> Tensor:
        quotient = self._with("/", operators.divide, self, other)
        softmax = as_softmax(quotient.entries, self.dims)
        return quotient if softmax is None else shaped(softmax, self.dims)

    def __rtruediv__(self, other: Any) -> Tensor:
        return self._with("/", operators.divide, other, self)

    def __pow__(self, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            raise ShapeError("the exponent of a tensor is a scalar; write exp(log(T) * S)")
        return self._with("**", operators.power, self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return self._with("**", operators.power, other, self)

    def __neg__(self) -> Tensor:
        return shaped(scale(-1, self.entries), self.dims)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return shaped(elementwise("abs", self.entries), self.dims)

    def __gt__(self, other: Any) -> Tensor:
        return self._with(">", _comparison(">"), self, other)

    def __ge__(self, other: Any) -> Tensor:
        return self._with(">=", _comparison(">="), self, other)

    def __lt__(self, other: Any) -> Tensor:
        return self._with("<", _comparison("<"), self, other)

    def __le__(self, other: Any) -> Tensor:
        return self._with("<=", _comparison("<="), self, other)


def _entries(tensor: Tensor) -> Expression:
    """The entries; the number 0 where all are 0, so that a function of them has one value."""
    return number(0) if isinstance(tensor.entries, N.Zeros) else tensor.entries


def _comparison(operator: str) -> Callable[..., Expression]:
    return lambda left, right: compare(operator, left, right)


def _require_alike(operation: str, given: Sequence[Any]) -> None:
    """Refuse operands of different shapes, but scalars."""
    tensors = [value for value in given if isinstance(value, Tensor)]
    first = tensors[0]
    for value in given:
        other = value if isinstance(value, Tensor) else as_expression(value)
        if isinstance(other, Tensor):
            fits, shape = other.dims == first.dims, other.shape
        else:
            fits, shape = other.is_scalar, other.shape
        if not fits:
            raise ShapeError(
                f"{operation} takes tensors of one shape, or scalars; found {first.shape} "
                f"({first}) and {shape} ({other}). einsum multiplies arrays of other shapes, as in "
                "einsum('ijk,k->ijk', T, x)"
            )


def shaped(entries: Expression, dims: Lengths) -> Tensor:
    """The tensor of a vector of entries."""
    coefficient, scalars, array = parts(entries)
    if isinstance(array, N.Ones) or (array is None and dims.product != ONE):
        # A constant, whose shape is that of a sum of products of ones.
        axes = tuple(range(len(dims.of)))
        ones = contracted([], axes, dict(enumerate(dims.of)))
        known = entries.known
        entries = scale(coefficient, *scalars, ones).within(known)
    return Tensor(entries, dims)


def tensor(name: str, shape: Sequence[int | str | Size]) -> Any:
    """An array of any rank.

    Parameters
    ----------
    name : str
        A Python name.
    shape : sequence of int or str
        A size for each dimension: a number, a name, or a product such as ``"m*n"``.

    Returns
    -------
    Tensor or Expression
        A `Tensor` of three or more dimensions; of fewer, what `matrix`, `vector` and `scalar` give.

    Raises
    ------
    ShapeError
        If the name cannot be that of a symbol (see `scalar`), or a size is none.

    Examples
    --------
    >>> from mcmodels.calculus import einsum, tensor, vector
    >>> T, x = tensor("T", ("n", "n", "n")), vector("x", "n")
    >>> f = einsum("ijk,i,j,k->", T, x, x, x)
    >>> f.gradient(T)
    [xᵢ xⱼ xₖ]ᵢⱼₖ
    """
    if isinstance(shape, str | Size) or not isinstance(shape, Sequence):
        raise ShapeError(f"the shape of a tensor is a tuple of sizes; found {shape!r}")
    sizes = tuple(Size.of(size) for size in shape)
    if len(sizes) <= 2:
        return (scalar, vector, matrix)[len(sizes)](name, *sizes)
    require_name(name, frozenset().union(*(size.all_names for size in sizes)))
    return _symbol(TensorSymbol(name, Lengths(sizes)))


def _symbol(symbol: TensorSymbol) -> Tensor:
    return Tensor(symbol, symbol.dims)


def axes_of(value: Any) -> tuple[Expression, tuple[Size, ...]]:
    """An array as an expression, and the sizes of its axes."""
    if isinstance(value, Tensor):
        return value.entries, value.dims.of
    e = as_expression(value)
    if e.is_scalar:
        return e, ()
    return e, ((e.rows,) if e.is_column else (e.rows, e.cols))


def einsum(subscripts: str, *operands: Any) -> Any:
    """Σ of products of entries over the indices that the result does not have.

    What is a product of matrices is written as one.

    Parameters
    ----------
    subscripts : str
        As in `numpy.einsum`, without an ellipsis: a letter for each axis of each operand, and
        behind ``->`` those of the result. A vector has one index, a scalar none.
    *operands : Expression, Tensor or number

    Returns
    -------
    Expression or Tensor
        A `Tensor` where the result has three or more indices.

    Raises
    ------
    ShapeError
        If the subscripts do not fit the operands, or an index has two sizes. An axis of size 1 is
        not repeated, as NumPy does.

    Examples
    --------
    >>> from mcmodels.calculus import einsum, matrix, tensor, vector
    >>> T, A, x = tensor("T", ("n", "m", "k")), matrix("A", "n", "m"), vector("x", "m")
    >>> einsum("ij,j->i", A, x)
    Ax
    >>> einsum("ijk,ij->k", T, A)
    [Σⱼₗ Aⱼₗ Tⱼₗᵢ]ᵢ
    """
    terms, output = read_subscripts(subscripts, len(operands))
    arrays = [axes_of(operand) for operand in operands]
    sizes = sizes_of_indices(subscripts, terms, [axes for _, axes in arrays], operands)
    place = {letter: i for i, letter in enumerate(sizes)}
    axes = tuple(place[letter] for letter in output)
    named = {place[letter]: size for letter, size in sizes.items()}
    factors = [
        (e, tuple(place[letter] for letter in term))
        for (e, _), term in zip(arrays, terms, strict=True)
    ]
    result = contracted(factors, axes, named)
    known = result.known.union(*(e.known for e, _ in arrays))
    result = result if known == result.known else result.within(known)
    dims = Lengths(tuple(named[axis] for axis in axes))
    return Tensor(result, dims) if len(axes) > 2 else result


# -- functions of entries -------------------------------------------------------------------------


def of_each_entry(function: Function) -> Function:
    """The function, which also takes tensors of one shape and scalars, entry by entry."""

    @wraps(function)
    def applied(*given: Any) -> Any:
        for value in given:
            if isinstance(value, Tensor):
                if len(given) == 1 and _is_permuted(value.entries):
                    return _of_permuted(applied, value)
                return value._with(function.__name__, function, *given)
        return function(*given)

    return applied  # type: ignore[return-value]


def _is_permuted(e: Expression) -> bool:
    """Whether a tensor is another one with its axes in another order."""
    return isinstance(e, Einsum) and len(e.operands) == 1 and sorted(*e.terms) == sorted(e.output)


def _of_permuted(function: Callable[[Tensor], Tensor], T: Tensor) -> Tensor:
    """f(T) as the permuted f of what is permuted, so that the parts of f and of T meet."""
    e: Any = T.entries
    ((inner, at),) = e.factors
    sizes = dict(enumerate(e.lengths.of))
    result = function(Tensor(inner, Lengths(tuple(sizes[axis] for axis in at))))
    entries = contracted([(result.entries, at)], e.output, sizes)
    return shaped(entries.within(T.entries.known), T.dims)


def of_all_entries(function: Function) -> Function:
    """The function of all entries, a scalar, also of those of a tensor."""

    @wraps(function)
    def applied(x: Any, *options: Any, **named: Any) -> Any:
        if not isinstance(x, Tensor):
            return function(x, *options, **named)
        if options or any(value is not None for value in named.values()):
            raise ShapeError(
                f"{function.__name__} of a tensor is that of all entries, and takes no other "
                "argument; sum(abs(T)) is the 1-norm, einsum('ijk->i', T) sums along axes"
            )
        return function(x.entries)

    return applied  # type: ignore[return-value]


def of_entries(function: Function) -> Function:
    """The function of a vector, also of the entries of a tensor, the last index running fastest."""

    @wraps(function)
    def applied(x: Any, *options: Any) -> Any:
        return function(x.entries if isinstance(x, Tensor) else x, *options)

    return applied  # type: ignore[return-value]


_ENTRYWISE = (
    N.Sum, N.Scaled, N.Hadamard, N.Power, N.Elementwise, N.Unevaluated, Pairwise, Polygamma, Where,
    Hardmax, N.Softmax,
)  # fmt: skip


def dims_of(e: Expression) -> Lengths | None:
    """The shape of the tensor whose entries an expression is; None where it is none.

    What holds no tensor, and vectors of as many entries beside tensors, are none.
    """
    if not e.tensors:
        return None
    known: dict[bytes, Lengths | None] = {}

    def found(part: Expression) -> Lengths | None:
        if part.key not in known:
            known[part.key] = computed(part)
        return known[part.key]

    def computed(part: Expression) -> Lengths | None:
        if not part.is_column:
            return None
        if isinstance(part, N.Differential):
            return found(part.of)
        if isinstance(part, TensorSymbol | AxisSoftmax):
            return part.dims
        if isinstance(part, AxisLogSumExp):
            return Lengths(part.dims.of[:-1])
        if isinstance(part, Einsum):
            return part.dims if len(part.output) > 2 else None
        if not isinstance(part, _ENTRYWISE):
            return None
        arrays = [
            child
            for child in part.children
            if (child.rows, child.cols) == (part.rows, part.cols)
            and not isinstance(parts(child)[2], N.Ones | N.Zeros)
        ]
        kinds = {found(child) for child in arrays}
        return kinds.pop() if len(kinds) == 1 else None

    return found(e) if e.rows != ONE else None
