"""Expressions: shape, children, identity, and what a user can ask of one."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.nesting import refuses_depth
from mcmodels.calculus.operator_methods import OperatorMethods
from mcmodels.calculus.sizes import ONE, ShapeError, Size

if TYPE_CHECKING:
    import numpy as np

    from mcmodels.calculus.compiled import CompiledFunction
    from mcmodels.calculus.derivation import Derivation
    from mcmodels.calculus.nodes import Symbol

__all__ = ["Expression"]


class Expression(OperatorMethods):
    """A scalar, vector or matrix written with symbols; immutable.

    Made by `scalar`, `vector`, `matrix`, Python's operators and the functions of
    `mcmodels.calculus`. Two expressions are equal (``==``) when they are written alike, up to the
    order of terms in a sum and of factors in an elementwise product.

    Its ``shape`` is ``()`` for a scalar, ``(n,)`` for a (column) vector, ``(m, n)`` for a matrix;
    a row is ``(1, n)``, and sizes are int or str.
    """

    __slots__ = (
        "children",
        "cols",
        "context",
        "hash",
        "height",
        "key",
        "label",
        "rows",
        "size_names",
        "used",
    )

    commutative = False
    children: tuple[Expression, ...]
    height: int
    key: bytes
    hash: int

    def __init__(
        self,
        rows: Size,
        cols: Size,
        children: tuple[Expression, ...] = (),
        label: tuple[object, ...] = (),
    ) -> None:
        self.rows, self.cols, self.children, self.label = rows, cols, children, label
        self.height = 1 + max((child.height for child in children), default=0)
        self.used: frozenset[Symbol] = frozenset()
        self.context: frozenset[Symbol] = frozenset()
        self.size_names = frozenset(rows.names + cols.names)
        for child in children:
            if not child.used <= self.used:
                self.used = self.used | child.used
            if not child.size_names <= self.size_names:
                self.size_names = self.size_names | child.size_names
        if len(children) > 1:
            _check_names(self.used, self.size_names)
        keys = [child.key for child in children]
        if self.commutative:
            keys.sort()
        own = f"{type(self).__name__}|{label}|{rows}|{cols}|{len(keys)}|"
        self.key = blake2b(own.encode() + b"".join(keys), digest_size=16).digest()
        self.hash = hash(self.key)

    # -- what it is ---------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int | str, ...]:
        """The shape of its value: of no, one or two sizes."""
        sizes = () if self.is_scalar else (self.rows,) if self.is_column else (self.rows, self.cols)
        return tuple(size.factor if not size.names else str(size) for size in sizes)

    @property
    def symbols(self) -> tuple[Expression, ...]:
        """The symbols in it, sorted by name."""
        return tuple(sorted(self.used, key=lambda symbol: symbol.name))

    @property
    def is_scalar(self) -> bool:
        """Whether it is 1×1."""
        return self.rows == ONE and self.cols == ONE

    @property
    def is_column(self) -> bool:
        """Whether it has one column: a vector, or a scalar."""
        return self.cols == ONE

    @property
    def is_square(self) -> bool:
        """Whether it has as many rows as columns."""
        return self.rows == self.cols

    @property
    def is_array(self) -> bool:
        """Whether it is no scalar."""
        return not self.is_scalar

    def depends_on(self, symbols: frozenset[Symbol]) -> bool:
        """Whether any of ``symbols`` occurs in it."""
        return not self.used.isdisjoint(symbols)

    def within(self, symbols: frozenset[Symbol]) -> Expression:
        """The same expression, whose sizes the values of ``symbols`` may tell, too.

        A derivative need not contain all symbols of its function, and still depends on its sizes:
        the Hessian 2I of ‖x‖² is n×n. So its function's values can be given to it.
        """
        result = object.__new__(type(self))
        for kind in type(self).__mro__:
            for slot in getattr(kind, "__slots__", ()):
                setattr(result, slot, getattr(self, slot))
        result.context = symbols - self.used
        return result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.key == other.key

    def __hash__(self) -> int:
        return self.hash

    def __reduce__(self) -> Any:
        from mcmodels.calculus.pickling import pickled

        return pickled(self)

    def __bool__(self) -> bool:
        raise TypeError("an expression is neither true nor false; compare two with ==")

    def __iter__(self) -> Iterator[Expression]:
        raise TypeError("an expression cannot be iterated over; index it with numbers")

    # -- how it is written --------------------------------------------------------------------

    @refuses_depth
    def __str__(self) -> str:
        """Python text, which `parse` reads back."""
        from mcmodels.calculus.printing import python_text

        return python_text(self)

    @refuses_depth
    def __repr__(self) -> str:
        return self.mathematics()

    @refuses_depth
    def mathematics(self) -> str:
        """The expression as mathematics in plain text, as in ``(A + Aᵀ)x``."""
        from mcmodels.calculus.printing import mathematics

        return mathematics(self)

    @refuses_depth
    def latex(self) -> str:
        """The expression as LaTeX, without dollar signs."""
        from mcmodels.calculus.printing import latex

        return latex(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    # -- calculus -----------------------------------------------------------------------------

    @refuses_depth
    def differential(self, *symbols: Any) -> Expression:
        """The differential, linear in the differentials of the symbols.

        Parameters
        ----------
        *symbols : Expression or str
            The symbols that vary, or their names; none stands for all of them.

        Returns
        -------
        Expression
            Of the same shape. The differential of a symbol ``x`` is a symbol named ``dx``.

        Raises
        ------
        DerivativeError
            If one of ``symbols`` is no symbol, or the differential has no closed form.

        References
        ----------
        Magnus and Neudecker (2019), *Matrix Differential Calculus*, 3rd ed., chapters 5 and 8.

        Examples
        --------
        >>> from mcmodels.calculus import matrix, vector
        >>> x, A = vector("x", "n"), matrix("A", "n", "n")
        >>> (x.T @ A @ x).differential(x)
        (dx)ᵀAx + xᵀA dx
        >>> (x.T @ A @ x).differential()
        (dx)ᵀAx + xᵀ dA x + xᵀA dx
        """
        from mcmodels.calculus.derivatives import differential_by

        return differential_by(self, symbols)

    @refuses_depth
    def gradient(self, x: Any) -> Expression:
        """The gradient of a scalar: the G of df = tr(Gᵀ dX), of the shape of ``x``.

        Where ``x`` is declared symmetric, dX is symmetric, and G is the symmetric one of all
        matrices that satisfy this.

        Parameters
        ----------
        x : Expression or str
            A symbol, or its name.

        Returns
        -------
        Expression
            Of the shape of ``x``.

        Raises
        ------
        DerivativeError
            If the expression is no scalar, ``x`` is no symbol, or a derivative has no closed form.
        """
        from mcmodels.calculus.derivatives import gradient

        return gradient(self, x)

    @refuses_depth
    def jacobian(self, x: Any) -> Expression:
        """The Jacobian: the J of vec(dF) = J vec(dX), rows for outputs and columns for inputs.

        Parameters
        ----------
        x : Expression or str
            A symbol, or its name.

        Returns
        -------
        Expression
            Of as many rows as this expression has entries and as many columns as ``x`` has, both
            counted down the columns (vec).

        Raises
        ------
        DerivativeError
            If ``x`` is no symbol, or a derivative has no closed form.
        """
        from mcmodels.calculus.derivatives import jacobian

        return jacobian(self, x)

    @refuses_depth
    def hessian(self, x: Any, y: Any = None) -> Expression:
        """The Hessian of a scalar: the Jacobian, by ``y``, of the gradient by ``x``.

        Where ``x`` is a matrix, its entries are counted down the columns (vec). Where it is
        declared symmetric, the Hessian is for symmetric directions: d²f = vec(dX)ᵀ H vec(dX).

        Parameters
        ----------
        x : Expression or str
            A symbol, or its name.
        y : Expression or str, default=None
            A symbol for mixed second derivatives; None takes ``x``.

        Returns
        -------
        Expression
            A row for each entry of ``x``, a column for each of ``y``; a scalar where both are
            scalars.

        Raises
        ------
        DerivativeError
            As for `gradient`.
        """
        from mcmodels.calculus.derivatives import hessian

        return hessian(self, x, x if y is None else y)

    @refuses_depth
    def hessian_vector_product(self, x: Any, V: Any) -> Expression:
        """The derivative of the gradient by ``x`` in direction ``V``, of the shape of ``x``.

        Parameters
        ----------
        x : Expression or str
            A symbol, or its name.
        V : Expression
            The direction, of the shape of ``x``; symmetric where ``x`` is declared so.

        Returns
        -------
        Expression

        Raises
        ------
        DerivativeError
            As for `gradient`.
        ShapeError
            If ``V`` has another shape than ``x``.
        """
        from mcmodels.calculus.derivatives import hessian_vector_product

        return hessian_vector_product(self, x, V)

    @refuses_depth
    def derivation(self, x: Any, order: int = 1) -> Derivation:
        """The gradient (or the Hessian), derived step by step.

        Parameters
        ----------
        x : Expression or str
            A symbol, or its name.
        order : {1, 2}, default=1
            1 derives the gradient of a scalar, or the Jacobian of anything else; 2 goes on to the
            Hessian.

        Returns
        -------
        Derivation
            Its last line is what `gradient`, `jacobian` or `hessian` returns.

        Raises
        ------
        DerivativeError
            As for `jacobian`; or if the order is neither 1 nor 2, or is 2 where this is no scalar.
        """
        from mcmodels.calculus.derivation import derive

        return derive(self, x, order)

    # -- numbers ------------------------------------------------------------------------------

    @refuses_depth
    def evaluate(self, /, **values: Any) -> np.ndarray:
        """The value for given symbols.

        Parameters
        ----------
        **values : float or array-like
            The value of each symbol by name; sizes that no symbol tells, as whole numbers. Names
            that do not occur are ignored, so that a function and its derivatives take the same.

        Returns
        -------
        float or ndarray of float64
            Of this expression's shape.

        Raises
        ------
        ValueError
            If a value is missing, not finite or of another shape, or if the expression is not
            defined there (the logarithm of a negative number, the inverse of a singular matrix).
        """
        from mcmodels.calculus.evaluate import evaluate

        return evaluate(self, values)

    def compile(self) -> CompiledFunction:
        """A Python function of arrays that computes the value fast.

        Returns
        -------
        CompiledFunction
            Takes the symbols by name; ``.source`` shows its code, which is plain NumPy and SciPy.
        """
        from mcmodels.calculus.compiled import CompiledFunction

        return CompiledFunction(self)

    @refuses_depth
    def check(self, x: Any, /, *, seed: int = 0, **values: Any) -> float:
        """The error of the gradient (or Jacobian) by ``x``, measured against differences.

        Parameters
        ----------
        x : Expression or str
            A symbol, or its name.
        seed : int, default=0
            Of the random instance.
        **values : float or array-like
            Where to check; what is not given is drawn at random, symbolic sizes included.

        Returns
        -------
        float
            The largest deviation, relative to the largest entry. About 1e-9 or less when right.

        Raises
        ------
        DerivativeError
            As for `jacobian`.
        ValueError
            If a value does not fit, or no random point is found at which the expression and its
            derivative are defined.
        """
        from mcmodels.calculus.checks import check

        return check(self, x, seed=seed, values=values)


def _check_names(used: frozenset[Symbol], size_names: frozenset[str]) -> None:
    names: dict[str, Symbol] = {}
    for symbol in used:
        other = names.setdefault(symbol.name, symbol)
        if other != symbol:
            first, second = sorted([other.described(), symbol.described()])
            raise ShapeError(
                f"the name {symbol.name!r} stands for two symbols, {first} and {second}; rename one"
            )
        if symbol.name in size_names:
            raise ShapeError(
                f"the name {symbol.name!r} stands for a size and for a symbol, "
                f"{symbol.described()}; rename one"
            )
