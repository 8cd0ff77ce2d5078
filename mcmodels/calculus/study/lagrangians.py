"""Functions under constraints: the Lagrangian and its conditions."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.core import functions
from mcmodels.calculus.core.arithmetic import (
    add,
    inner_product,
    inverse,
    is_zero,
    matmul,
    power,
    scale,
    transpose,
    vec,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Number, Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.rewriting import substitute
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.core.symbols import matrix, scalar, vector
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.derive.simplification import reading_size
from mcmodels.calculus.study.constraints import (
    Constraints,
    is_stiefel,
    is_symmetric_matrix,
    jacobian_of,
    listed,
    require_x,
    share_along,
    shares_along_two,
)
from mcmodels.calculus.study.equalities import Equalities, orthogonal_groups

if TYPE_CHECKING:
    from mcmodels.calculus.study.critical_points import CriticalPoint

__all__ = ["Lagrangian", "lagrangian"]


@dataclass(frozen=True, repr=False, eq=False)
class Lagrangian:
    """f − Σ λᵢ gᵢ, and what follows from it; printing it shows the formula.

    Attributes
    ----------
    objective : Expression
        The function ``f``.
    constraints : tuple of Expression
        The gᵢ, which are 0.
    multipliers : tuple of Expression
        The symbols λᵢ, each of the shape of its constraint.
    expression : Expression
        f − Σ λᵢ gᵢ; of arrays, the inner product of λᵢ and gᵢ.
    using : mapping of Expression to Expression
        Further equations that hold.

    Examples
    --------
    >>> from mcmodels.calculus import lagrangian, matrix, vector
    >>> v, S = vector("v", "n"), matrix("S", "n", "n", symmetric=True)
    >>> L = lagrangian(v.T @ S @ v, v.T @ v - 1)
    >>> L
    vᵀSv − λ(vᵀv − 1)
    >>> L.stationarity(v)
    2Sv − 2λv
    """

    objective: Expression
    constraints: tuple[Expression, ...]
    multipliers: tuple[Expression, ...]
    expression: Expression
    using: Mapping[Expression, Expression] = field(default_factory=dict)

    def stationarity(self, x: Any) -> Expression:
        """The gradient by ``x``, which is 0 at a critical point."""
        return self.expression.gradient(x)

    def conditions(self, x: Any) -> tuple[Expression, ...]:
        """What is 0 at a critical point: the gradient by ``x``, and the constraints."""
        return (self.stationarity(x), *self.constraints)

    def bordered_hessian(self, x: Any) -> Expression:
        """[[0, J], [Jᵀ, H]], with the Jacobian J of the constraints and the Hessian H by ``x``.

        Of a symmetric constraint, J has a row for each entry on and below the diagonal (vech).

        References
        ----------
        Magnus and Neudecker (2019), *Matrix Differential Calculus*, 3rd ed., 7.13.
        """
        symbol = gradients.symbol_of(self.expression, x)
        J = jacobian_of(self.constraints, symbol)
        H = self.expression.hessian(symbol)
        corner = functions.zeros(J.rows, J.rows)
        return functions.block([[corner, J], [transpose(J), H]]).within(self.expression.known)

    def multiplier_formulas(self, x: Any) -> dict[Expression, Expression]:
        """The multipliers at a critical point, as formulas without multipliers.

        They are λ = (JJᵀ)⁻¹J∇f, with the Jacobian J of the constraints, where J has full row rank;
        the constraints are used to shorten them. Of one scalar constraint g, λ = xᵀ∇f / xᵀ∇g where
        that is shorter and g makes xᵀ∇g a number: wᵀCw under wᵀSw = 1, sum(a) for Σ aᵢ log xᵢ under
        sum(x) = 1.

        References
        ----------
        Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., (18.21).
        """
        return self._formulas_by_multiplier(gradients.symbol_of(self.expression, x), shortest=True)

    def _formulas_by_multiplier(
        self, symbol: Symbol, *, shortest: bool
    ) -> dict[Expression, Expression]:
        pairs = [
            (multiplier, constraint)
            for multiplier, constraint in zip(self.multipliers, self.constraints, strict=True)
            if symbol in constraint.used
        ]
        if not pairs:
            require_x(self.constraints, symbol)
        found = self._formulas(symbol, tuple(constraint for _, constraint in pairs))
        if shortest and len(found) == 1 and pairs[0][1].is_scalar:
            found = [min([*found, *self._along_x(symbol, pairs[0][1])], key=reading_size)]
        return {
            multiplier: formula.within(self.expression.known)
            for (multiplier, _), formula in zip(pairs, found, strict=True)
        }

    def _formulas(self, symbol: Symbol, constraints: tuple[Expression, ...]) -> list[Expression]:
        known = Equalities.of_constraints(self.constraints, symbol, self.using)
        G = gradients.gradient(self.objective, symbol)
        if len(constraints) == 1:
            only = constraints[0]
            if is_stiefel(only, symbol):
                XG = matmul([transpose(symbol), G])
                formula = scale(_QUARTER, add([XG, transpose(XG)]))
                return [known.used_in(formula)]
            if only.is_scalar:
                slope = gradients.gradient(only, symbol)
                return [share_along(known, slope, G)]
            if only.is_column:
                J = gradients.jacobian(only, symbol)
                formula = matmul([inverse(matmul([J, transpose(J)])), J, vec(G)])
                return [known.used_in(formula)]
        if not all(constraint.is_scalar for constraint in constraints):
            raise ShapeError(
                "formulas of multipliers are known of one constraint, or of several that are "
                f"scalars; found {', '.join(str(g) for g in constraints)}. "
                "stationarity() gives the equations"
            )
        slopes = [gradients.gradient(constraint, symbol) for constraint in constraints]
        result: list[Expression] = [number(0)] * len(slopes)
        for places in orthogonal_groups(known, slopes):
            if all(is_zero(known.used_in(inner_product(slopes[i], G))) for i in places):
                continue
            if len(places) == 1:
                result[places[0]] = share_along(known, slopes[places[0]], G)
                continue
            if len(places) == 2:
                found = shares_along_two(known, [slopes[i] for i in places], G)
                result[places[0]], result[places[1]] = found
                continue
            J = jacobian_of(tuple(constraints[i] for i in places), symbol)
            stacked = matmul([inverse(matmul([J, transpose(J)])), J, vec(G)])
            for row, i in enumerate(places):
                result[i] = known.used_in(stacked[row])
        return result

    def _along_x(self, symbol: Symbol, constraint: Expression) -> list[Expression]:
        """xᵀ∇f / xᵀ∇g, where the constraint makes xᵀ∇g a number, as wᵀSw = 1 does."""
        known = Equalities.of_constraints(self.constraints, symbol, self.using)
        slope = gradients.gradient(constraint, symbol)
        below = known.used_in(inner_product(symbol, slope))
        if not isinstance(below, Number) or below.value == 0:
            return []
        above = inner_product(symbol, gradients.gradient(self.objective, symbol))
        return [known.used_in(scale(above, power(below, number(-1))))]

    def solved(self, x: Any) -> Expression:
        """The gradient by ``x`` with the multipliers in it replaced by (JJᵀ)⁻¹J∇f.

        Where the constraints hold, it is the gradient's projection on the tangent space.
        """
        symbol = gradients.symbol_of(self.expression, x)
        known = Equalities.of_constraints(self.constraints, symbol, self.using)
        formulas = self._formulas_by_multiplier(symbol, shortest=False)
        found = known.used_in(substitute(self.stationarity(symbol), formulas))
        return found.within(self.expression.known)

    def critical_point(self, x: Any, at: Any) -> CriticalPoint:
        """Whether a critical point is a minimum, a maximum or a saddle under the constraints.

        Parameters
        ----------
        x : Expression or str
            The symbol that varies, or its name.
        at : array-like or mapping of str to array-like
            The value of ``x``, or those of all symbols by name. Multipliers that are left out are
            computed from the point.

        Returns
        -------
        CriticalPoint
            Its eigenvalues are those of the Hessian by ``x`` on the tangent space of the
            constraints, of which they are second derivatives along curves on the constraint set.

        Raises
        ------
        ValueError
            If a constraint is not 0 there, its Jacobian has not full rank, or the gradient is not
            0 on the tangent space.

        References
        ----------
        Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., theorems 12.5 and 12.6.
        """
        from mcmodels.calculus.study.constrained_points import constrained_point  # loads NumPy

        return constrained_point(self, x, at)

    def __str__(self) -> str:
        return str(self.expression)

    def __repr__(self) -> str:
        return self.expression.mathematics()

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


_QUARTER = power(number(4), number(-1))


def lagrangian(
    f: Expression,
    constraints: Constraints,
    *,
    using: Mapping[Expression, Any] | None = None,
) -> Lagrangian:
    """The Lagrangian f − Σ λᵢ gᵢ of a scalar under equality constraints gᵢ = 0.

    Parameters
    ----------
    f : Expression
        A scalar, to be minimised or maximised.
    constraints : Expression, or list of Expression, or mapping of str to Expression
        What is 0, as ``x.T @ x - 1``; the keys of a mapping are the names of the multipliers.
        Otherwise they are λ, or λ₁, λ₂ and so on, and Λ of matrices.
    using : mapping of Expression to Expression, optional
        Further equations that hold, as ``{S @ u: mu * u}``; formulas are shortened by them.

    Returns
    -------
    Lagrangian
        The multiplier of a symmetric constraint is symmetric.

    Raises
    ------
    DerivativeError
        If ``f`` is no scalar.
    ShapeError
        If there is no constraint, or one is no expression with symbols.

    References
    ----------
    Magnus and Neudecker (2019), *Matrix Differential Calculus*, 3rd ed., 7.11 to 7.14.

    Examples
    --------
    The first principal component: Sv = λv, and λ is the variance along v.

    >>> from mcmodels.calculus import lagrangian, matrix, vector
    >>> v, S = vector("v", "n"), matrix("S", "n", "n", symmetric=True)
    >>> L = lagrangian(v.T @ S @ v, v.T @ v - 1)
    >>> L
    vᵀSv − λ(vᵀv − 1)
    >>> L.stationarity(v)
    2Sv − 2λv
    >>> L.multiplier_formulas(v)
    {λ: vᵀSv}
    >>> L.critical_point(v, at={"S": [[3, 0], [0, 1]], "v": [1, 0]}).kind
    'maximum'
    """
    gradients.require_scalar(f)
    named = _named(f, constraints)
    multipliers, terms = [], [f]
    for name, constraint in named.items():
        multiplier = _multiplier(name, constraint)
        multipliers.append(multiplier)
        terms.append(scale(-1, inner_product(multiplier, constraint)))
    given = {left: as_expression(right) for left, right in (using or {}).items()}
    return Lagrangian(f, tuple(named.values()), tuple(multipliers), add(terms), given)


def _multiplier(name: str, constraint: Expression) -> Expression:
    if constraint.is_scalar:
        return scalar(name)
    if constraint.is_column:
        return vector(name, constraint.rows)
    symmetric = is_symmetric_matrix(constraint)
    return matrix(name, constraint.rows, constraint.cols, symmetric=symmetric)


def _named(f: Expression, constraints: Constraints) -> dict[str, Expression]:
    given = listed(constraints)
    if isinstance(constraints, Mapping):
        return dict(zip(constraints, given, strict=True))
    taken = {symbol.name for g in (f, *given) for symbol in g.used}
    taken |= {name for g in (f, *given) for name in g.size_names}
    result: dict[str, Expression] = {}
    for position, constraint in enumerate(given, start=1):
        is_matrix = constraint.is_array and not constraint.is_column
        stem = "Lambda" if is_matrix else "lambda"
        name = (stem if is_matrix else "lambda_") if len(given) == 1 else f"{stem}_{position}"
        while name in taken:
            name = f"{stem}_{position}"
            position += 1
        taken.add(name)
        result[name] = constraint
    return result
