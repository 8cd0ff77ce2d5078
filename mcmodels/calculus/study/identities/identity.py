"""One identity of matrix calculus: what is differentiated, by what, and where it is printed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from mcmodels.calculus.core import nodes
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import substitute
from mcmodels.calculus.study.derivation import Derivation
from mcmodels.calculus.text.printing import mathematics

__all__ = ["Identity"]


@dataclass(frozen=True, repr=False)
class Identity:
    """A derivative that textbooks print; printing it shows the formula.

    Nothing but the expression is written down: the derivatives are derived when asked for.

    Attributes
    ----------
    name : str
        Unique in the catalogue.
    theme : str
        The section of the cheat sheet that it stands in.
    expression : Expression
        What is differentiated.
    variable : Expression or None
        By what; None where the identity is one of differentials, in all symbols at once.
    source : str
        A textbook that has it.
    order : int
        2 where the Hessian belongs to it, else 1.
    remark : str
        What a reader should know beside it, often what follows from it.
    where : tuple of (str, Expression)
        Letters that stand for parts in the formulas, larger parts first.

    Examples
    --------
    >>> from mcmodels.calculus import identities
    >>> identities.named("quadratic form")
    f = xᵀAx
    ∂f/∂x = (A + Aᵀ)x
    ∂²f/∂x² = A + Aᵀ
    """

    name: str
    theme: str
    expression: Expression
    variable: Expression | None
    source: str
    order: int = 2
    remark: str = ""
    where: tuple[tuple[str, Expression], ...] = ()

    @property
    def letter(self) -> str:
        """What the expression is called in the statement: f of a scalar, F of an array."""
        return "f" if self.expression.is_scalar else "F"

    @cached_property
    def differential(self) -> Expression:
        """The differential, in all symbols."""
        return self.expression.differential()

    @cached_property
    def gradient(self) -> Expression | None:
        """The gradient, where the expression is a scalar and there is a variable."""
        if self.variable is None or not self.expression.is_scalar:
            return None
        return self.expression.gradient(self.variable)

    @cached_property
    def jacobian(self) -> Expression | None:
        """The Jacobian, where the expression is an array and there is a variable."""
        if self.variable is None or self.expression.is_scalar:
            return None
        return self.expression.jacobian(self.variable)

    @cached_property
    def hessian(self) -> Expression | None:
        """The Hessian, where it belongs to the identity."""
        if self.gradient is None or self.order < 2:
            return None
        return self.expression.hessian(self.variable)

    @property
    def formulas(self) -> tuple[str, ...]:
        """Expression, first derivative and, where it belongs to the identity, Hessian."""
        first = self.gradient if self.jacobian is None else self.jacobian
        if self.variable is None:
            first = self.differential
        found = (self.expression, first, self.hessian)
        return tuple(self._written(formula) for formula in found if formula is not None)

    def _written(self, formula: Expression) -> str:
        for name, part in self.where:
            symbol = nodes.Symbol(name, part.rows, part.cols, frozenset())
            formula = substitute(formula, {part: symbol})
        return mathematics(formula)

    @property
    def letters(self) -> str:
        """What the letters stand for, as in "h = tanh(Wx + b)"; empty where there are none."""
        texts = []
        for i, (name, part) in enumerate(self.where):
            others = replace(self, where=self.where[i + 1 :])
            texts.append(f"{name} = {others._written(part)}")
        return ", ".join(reversed(texts))

    @property
    def statement(self) -> str:
        """The identity as mathematics, a line for each derivative."""
        if self.variable is None:
            before, after = self.formulas
            return f"d({before}) = {after}"
        by, letter = mathematics(self.variable), self.letter
        names = (letter, f"∂{letter}/∂{by}", f"∂²{letter}/∂{by}²")
        lines = [f"{name} = {text}" for name, text in zip(names, self.formulas, strict=False)]
        return "\n".join([*lines, f"where {self.letters}"] if self.where else lines)

    def __str__(self) -> str:
        return self.statement

    __repr__ = __str__

    def derivation(self) -> Derivation:
        """The steps, up to the Hessian where it belongs to the identity.

        Raises
        ------
        ValueError
            If the identity is one of differentials: it is a rule, from which derivations are made.
        """
        if self.variable is None:
            raise ValueError(f"{self.name!r} is a rule of differentials, with nothing to derive")
        return self.expression.derivation(self.variable, self.order)

    def check(self, seed: int = 0) -> float:
        """The largest error of its derivatives and of the steps, measured at random values.

        Gradient, Jacobian and Hessian are compared with finite differences; the steps, and rules of
        differentials, with the complex step.

        Parameters
        ----------
        seed : int, default=0
            Of the random values.

        Returns
        -------
        float
            Relative to the largest entry. About 1e-9 or less when right.
        """
        if self.variable is None:
            from mcmodels.calculus.study.checks import check_differential  # which needs NumPy

            return check_differential(self.expression, self.differential, seed)
        errors = [self.derivation().check(seed), self.expression.check(self.variable, seed=seed)]
        if self.order == 2 and self.gradient is not None:
            errors.append(self.gradient.check(self.variable, seed=seed))
        return max(errors)
