"""The form of an expression from which code is written."""

from __future__ import annotations

from mcmodels.calculus.compute.guards import guarded
from mcmodels.calculus.compute.stable import stabilised
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.indices import indices_in
from mcmodels.calculus.derive.whole_arrays import by_whole_arrays

__all__ = ["code_form"]


def code_form(expression: Expression) -> Expression:
    """An equal expression without overflow, sums over indices by whole arrays where they can be."""
    form = stabilised(expression)
    if indices_in(form):
        form = stabilised(by_whole_arrays(form))
    return guarded(form, keep_steps=False)
