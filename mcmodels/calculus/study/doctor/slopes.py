"""The derivative of f where the slope of one part of it is another one."""

from __future__ import annotations

from mcmodels.calculus.core.arithmetic import hadamard, matmul, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import trace
from mcmodels.calculus.study.doctor.case import Case

__all__ = ["with_slope"]


def with_slope(case: Case, node: Expression, slope: Expression) -> Expression | None:
    """The derivative of f with this slope of a part, where it is the one claimed.

    Of a scalar part the slope is its gradient, else that of each entry by that entry of x.
    """
    if node.is_scalar:
        wrong = trace(matmul([transpose(slope), case.dX]))
    else:
        wrong = hadamard([slope, case.dX])
    return case.identified_within(node, case.d(node), wrong)
