"""The form of an expression from which code is written."""

from __future__ import annotations

from mcmodels.calculus.compute.guards import guarded
from mcmodels.calculus.compute.stable.forms import stabilised
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.axis_functions import by_rows
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.indices import indices_in
from mcmodels.calculus.core.rewriting import parts_of, rewrite
from mcmodels.calculus.derive.whole_arrays import by_whole_arrays

__all__ = ["code_form", "may_hide_overflow"]


def code_form(expression: Expression) -> Expression:
    """An equal expression without overflow, sums over indices by whole arrays where they can be."""
    form = stabilised(expression)
    if indices_in(form):
        form = stabilised(by_whole_arrays(form))
    if form.tensors:
        form = rewrite(form, _by_rows)
    return guarded(form, keep_steps=False)


def _by_rows(part: Expression) -> Expression | None:
    return by_rows(part) if isinstance(part, AxisSoftmax | AxisLogSumExp) else None


def may_hide_overflow(form: Expression) -> bool:
    """Whether an infinity on the way could become a 0 in silence, as that of x² in x/√(1 + x²)."""
    return any(
        isinstance(part, N.Power)
        and not isinstance(part.base, N.Symbol)
        and bool(part.base.used)
        and not (isinstance(part.exponent, N.Number) and part.exponent.value > 0)
        for part in parts_of(form)
    )
