"""Differentials: the rules applied to a whole expression, at once or one layer after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mcmodels.calculus.core.arithmetic import scale, transpose, zeros_like
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Differential, Scaled, Symbol, Transpose, Unevaluated
from mcmodels.calculus.core.rewriting import rewrite
from mcmodels.calculus.derive.rules import Rule, rule_of

__all__ = ["differential", "differential_steps"]


def differential(
    expression: Expression,
    variables: frozenset[Symbol],
    known: dict[bytes, Expression] | None = None,
) -> Expression:
    """d(expression), where ``variables`` vary and all other symbols are constant.

    Parameters
    ----------
    expression : Expression
    variables : frozenset of Symbol
    known : dict of bytes to Expression, optional
        The differentials of parts, by their keys, where the same variables vary; those that are
        made are added.
    """
    known = {} if known is None else known

    def d(part: Expression) -> Expression:
        if not part.depends_on(variables):
            return zeros_like(part)
        if isinstance(part, Symbol):
            return Differential(part)
        if part.key not in known:
            known[part.key] = rule_of(part).apply(part, d)
        return known[part.key]

    return d(expression)


def differential_steps(
    expression: Expression, variables: frozenset[Symbol]
) -> Iterator[tuple[list[Rule], Expression, Expression]]:
    """The same, one layer of unevaluated d's after another: rules, before and after."""
    before: Expression = _unevaluated(expression, variables)
    while True:
        used: dict[str, Rule] = {}
        after = rewrite(before, _layer(variables, used))
        if not used:
            return
        if after != before:
            yield list(used.values()), before, after
        before = after


def _layer(
    variables: frozenset[Symbol], used: dict[str, Rule]
) -> Callable[[Expression], Expression | None]:
    """Carry out the outermost d's, and note the rules used."""

    def d(part: Expression) -> Expression:
        return _unevaluated(part, variables)

    def carry_out(node: Expression) -> Expression | None:
        if not isinstance(node, Unevaluated):
            return None
        argument = node.children[0]
        rule = rule_of(argument)
        used[rule.name] = rule
        return rule.apply(argument, d)

    return carry_out


def _unevaluated(part: Expression, variables: frozenset[Symbol]) -> Expression:
    """d(part); d of a constant, d(Xᵀ) = (dX)ᵀ and d(2X) = 2 dX take no step of their own."""
    if not part.depends_on(variables):
        return zeros_like(part)
    if isinstance(part, Symbol):
        return Differential(part)
    if isinstance(part, Transpose):
        return transpose(_unevaluated(part.argument, variables))
    if isinstance(part, Scaled) and len(part.children) == 1:
        return scale(part.coefficient, _unevaluated(part.children[0], variables))
    return Unevaluated(part, variables)
