"""What was claimed, as values at points beside the right ones."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import substitute
from mcmodels.calculus.study.doctor.samples import (
    Sample,
    natural_value,
    shape_of,
    value_of_claimed,
)
from mcmodels.calculus.study.doctor.terms import expanded
from mcmodels.calculus.study.instances import Instance
from mcmodels.plain import np

__all__ = ["claimed_value", "in_symbols_of", "sample_at", "unsqueezed", "value_or_nan"]


def in_symbols_of(f: Expression, claimed: Expression) -> Expression:
    """The claimed expression with the symbols of f, where declarations alone differ."""
    own = {symbol.name: symbol for symbol in f.used}
    replaced: dict[Expression, Expression] = {}
    for symbol in claimed.used:
        other = own.get(symbol.name, symbol)
        if other != symbol:
            if (other.rows, other.cols) != (symbol.rows, symbol.cols):
                raise ValueError(
                    f"{symbol.name!r} is {other.described()} in f, and {symbol.described()} in "
                    "what is claimed; use the same symbol in both"
                )
            replaced[symbol] = other
    return substitute(claimed, replaced) if replaced else claimed


def claimed_value(claimed: Any, instance: Instance, f: Expression, right: Expression) -> Array:
    """The value of an expression or a function at a point."""
    if isinstance(claimed, Expression):
        return value_or_nan(claimed, instance)
    return unsqueezed(value_of_claimed(claimed, instance, right), f, right)


def value_or_nan(expression: Expression, instance: Instance) -> Array:
    """The value of an expression; NaN where it has none."""
    try:
        return natural_value(expression, instance)
    except EvaluationError:
        return np.full(shape_of(expression, instance[1]), np.nan)


def unsqueezed(claim: Array, f: Expression, right: Expression) -> Array:
    """The claim in one dimension, where it is a Jacobian of one column written with two."""
    if not f.is_scalar and right.is_column and claim.ndim == 2 and claim.shape[1] == 1:
        return claim[:, 0]
    return claim


def sample_at(right: Expression, instance: Instance, claim: Array) -> Sample:
    """A claim at a point, beside the right derivative there."""
    values, sizes = instance
    value = natural_value(right, instance)
    largest = sum(
        float(np.abs(natural_value(term, instance)).max(initial=0)) for term in expanded(right)
    )
    return Sample(values, sizes, value, claim, largest)
