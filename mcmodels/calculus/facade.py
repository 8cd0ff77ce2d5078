"""What an expression offers beside its structure and operators: text, derivatives and numbers.

The methods lead from an expression to the rooms that are built on it, from the bottom (`core`) to
the top (`study`). So each imports what it calls when it is called, and only facades may. NumPy is
loaded by the methods that give numbers, and by no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcmodels.calculus.core.nesting import refuses_depth

if TYPE_CHECKING:
    import numpy as np

    from mcmodels.calculus.core.expression import Expression
    from mcmodels.calculus.study.derivation import Derivation

__all__ = ["ExpressionMethods"]


class ExpressionMethods:
    """The methods of `Expression` that call what is built on it."""

    __slots__ = ()

    # -- how it is written ------------------------------------------------------------------------

    @refuses_depth
    def __str__(self: Any) -> str:
        """Python text, which `parse` reads back."""
        from mcmodels.calculus.text.printing import python_text

        return python_text(self)

    @refuses_depth
    def __repr__(self: Any) -> str:
        return self.mathematics()

    @refuses_depth
    def mathematics(self: Any) -> str:
        """The expression as mathematics in plain text, as in ``(A + Aᵀ)x``."""
        from mcmodels.calculus.text.printing import mathematics

        return mathematics(self)

    @refuses_depth
    def latex(self: Any) -> str:
        """The expression as LaTeX, without dollar signs."""
        from mcmodels.calculus.text.printing import latex

        return latex(self)

    def _repr_latex_(self: Any) -> str:
        return f"$\\displaystyle {self.latex()}$"

    @refuses_depth
    def matrix_form(self: Any) -> Expression:
        """An equal expression with sums over indices written by whole arrays: Σᵢ yᵢxᵢ as Xᵀy.

        Returns
        -------
        Expression
            Sums that have no such form stay: those with a condition, and those in which matrices
            depend on the index, or vectors on two.
        """
        from mcmodels.calculus.derive.whole_arrays import matrix_form

        return matrix_form(self)

    # -- calculus -----------------------------------------------------------------------------

    @refuses_depth
    def differential(self: Any, *symbols: Any) -> Expression:
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
            If one of ``symbols`` is not a symbol, or the differential has no closed form.

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
        from mcmodels.calculus.derive.gradients import differential_by

        return differential_by(self, symbols)

    @refuses_depth
    def gradient(self: Any, x: Any, *, entries: str = "all") -> Expression:
        """The gradient of a scalar: the G of df = tr(Gᵀ dX), of the shape of ``x``.

        Where ``x`` is declared symmetric, dX is symmetric, and G is the symmetric one of all
        matrices that satisfy this. So for diagonal and triangular ones.

        Parameters
        ----------
        x : Expression or str
            A symbol, or its name.
        entries : {"all", "free"}, default="all"
            "free" gives, by a symmetric ``x``, the derivatives by the entries on and below the
            diagonal, each of which moves its mirror image: 2G − G∘I (Petersen & Pedersen 2012,
            (138)). Its `vech` is Dᵀ vec(G), the gradient by vech(x) (Magnus & Neudecker 2019, 3.8).

        Returns
        -------
        Expression or Tensor
            Of the shape of ``x``.

        Raises
        ------
        DerivativeError
            If the expression is not a scalar, ``x`` is not a symbol, or a derivative has no closed
            form.
        """
        from mcmodels.calculus.derive.tensor_derivatives import gradient

        return gradient(self, x, entries)

    @refuses_depth
    def jacobian(self: Any, x: Any) -> Expression:
        """The Jacobian: the J of vec(dF) = J vec(dX), rows for outputs and columns for inputs.

        Parameters
        ----------
        x : Expression or str
            A symbol, or its name.

        Returns
        -------
        Expression or Tensor
            Of as many rows as this expression has entries and as many columns as ``x`` has, both
            counted down the columns (vec). By a tensor, an array: see `tensor_derivative`.

        Raises
        ------
        DerivativeError
            If ``x`` is not a symbol, or a derivative has no closed form.
        """
        from mcmodels.calculus.derive.tensor_derivatives import jacobian

        return jacobian(self, x)

    @refuses_depth
    def hessian(self: Any, x: Any, y: Any = None) -> Expression:
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
        Expression or Tensor
            A row for each entry of ``x``, a column for each of ``y``; a scalar where both are
            scalars. By a tensor, an array: see `tensor_derivative`.

        Raises
        ------
        DerivativeError
            As for `gradient`.
        """
        from mcmodels.calculus.derive.tensor_derivatives import hessian

        return hessian(self, x, x if y is None else y)

    @refuses_depth
    def hessian_vector_product(self: Any, x: Any, V: Any) -> Expression:
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
        from mcmodels.calculus.derive.tensor_derivatives import hessian_vector_product

        return hessian_vector_product(self, x, V)

    @refuses_depth
    def derivation(self: Any, x: Any, order: int = 1) -> Derivation:
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
            As for `jacobian`; or if the order is neither 1 nor 2, or is 2 where this is an array.
        """
        from mcmodels.calculus.study.derivation import derive

        return derive(self, x, order)

    # -- numbers ------------------------------------------------------------------------------

    @refuses_depth
    def evaluate(self: Any, /, *, digits: Any = None, **values: Any) -> np.ndarray:
        """The value for given symbols.

        Parameters
        ----------
        digits : int, default=None
            How many decimal digits, from 1 to 400, by mpmath (``pip install 'mcmodels[digits]'``);
            None is float64. Numbers given as int, float, Fraction, Decimal, str or mpf are then
            taken exactly: ``"0.1"`` is 1/10, and 0.1 the float. An entry of the value in which
            terms cancel has an absolute error below 10**(-2 * digits). In an expression with a
            symbol named ``digits``, this is the value of that symbol.
        **values : float or array-like
            The value of each symbol by name; sizes that no symbol tells, as whole numbers. A
            derivative also takes the symbols of its function that it does not contain.

        Returns
        -------
        float or ndarray of float64
            Of this expression's shape. With ``digits``, an mpf or an array of mpf (of dtype
            object; where NumPy is not installed, nested lists), rounded to so many digits.
            ``mpmath.nstr(value, digits)`` shows them all.

        Raises
        ------
        ImportError
            If ``digits`` is given, and mpmath is not installed.
        ValueError
            If a value is missing, not finite or of another shape, or has a name that does not
            occur; or if the expression is not defined there (the logarithm of a negative number,
            the inverse of a singular matrix).
        """
        if digits is not None:
            from mcmodels.calculus.compute.fitting import known_names

            if "digits" not in known_names(self):
                from mcmodels.calculus.compute.digits.evaluation import evaluate_in_digits

                return evaluate_in_digits(self, values, digits)
            values["digits"] = digits
        from mcmodels.calculus.compute.evaluate import evaluate

        return evaluate(self, values)

    @refuses_depth
    def compile(self: Any, target: str = "numpy") -> Any:
        """A Python function of arrays that computes the value fast.

        Unlike `evaluate`, it looks neither for lost digits nor at kinks: it takes 0 where sign and
        step jump, also where all sides of a kink agree on another value.

        Parameters
        ----------
        target : {"numpy", "jax", "torch"}, default="numpy"
            The library of the arrays. Those other than NumPy must be installed.

        Returns
        -------
        CompiledFunction or ExportedFunction
            Takes the symbols by name; ``.source`` shows its code, which is plain NumPy and SciPy,
            JAX, or PyTorch.

        Raises
        ------
        ValueError
            If the library lacks a function that is needed; the message names it.
        """
        if target != "numpy":
            from mcmodels.calculus.compute.export.code import exported

            return exported(self, target)
        from mcmodels.calculus.compute.compiled import CompiledFunction

        return CompiledFunction(self)

    @refuses_depth
    def code(self: Any, language: str) -> str:
        """The expression as code in a language: a function ``f`` of the symbols, in their order.

        Parameters
        ----------
        language : {"numpy", "jax", "torch", "julia", "matlab", "r", "latex"}
            "latex" gives the formula alone, as `latex` does.

        Returns
        -------
        str
            Its functions take vectors as arrays of one dimension (in MATLAB, of one column), and
            names that the language reserves with an underscore behind.

        Raises
        ------
        ValueError
            If the language lacks a function that is needed; the message names it.
        """
        from mcmodels.calculus.compute.export.code import code

        return code(self, language)

    @refuses_depth
    def check(self: Any, x: Any, /, *, seed: int = 0, digits: Any = None, **values: Any) -> float:
        """The error of the gradient (or Jacobian) by ``x``, measured against differences.

        Parameters
        ----------
        x : Expression or str
            A symbol, or its name.
        seed : int, default=0
            Of the random instance.
        digits : int, default=None
            Decimal digits of both sides, as in `evaluate`; None is float64.
        **values : float or array-like
            Where to check; what is not given is drawn at random, symbolic sizes included.

        Returns
        -------
        float
            The largest deviation, relative to the largest entry. About 1e-9 or less when right;
            with ``digits``, about 10**(-3 * digits / 4). Where f chooses between cases, as relu,
            abs, maximum and where do, it is that of the worst of several points, on both sides of
            each threshold that is found.

        Raises
        ------
        DerivativeError
            As for `jacobian`.
        ValueError
            If a value does not fit, or no random point is found at which the expression and its
            derivative are defined.
        """
        from mcmodels.calculus.study.checks import check

        return check(self, x, seed=seed, values=values, digits=digits)
