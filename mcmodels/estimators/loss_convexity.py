"""Whether a loss of the user's is convex in η: proved from its formula, or refuted by a witness.

A sum of convex functions of linear predictors is convex, and every minimum of it is global. The
calculus proves convexity for all targets, for those that are not negative, or for the two classes.
Witnesses are looked for first, as this takes less time.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mcmodels.calculus import Expression
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.rewriting import substitute
from mcmodels.calculus.study.convexity import proved_without_witness
from mcmodels.estimators.pointwise import PointwiseExpression
from mcmodels.exceptions import NonConvexLossWarning
from mcmodels.objectives.auxiliary import AuxiliaryLoss
from mcmodels.objectives.loss_probe import targets_of
from mcmodels.objectives.loss_witness import witness_against
from mcmodels.objectives.user_loss import CurvatureRange, UserLoss
from mcmodels.rows import ArrayRows, RowBlock, Rows

__all__ = ["LossConvexity", "convexity_of_loss"]


@dataclass(frozen=True)
class LossConvexity:
    """What is known before a fit.

    Parameters
    ----------
    is_convex : bool
        Whether the loss is proved to be convex for the targets of the rows.
    witness : CurvatureRange or None
        Where the loss of a target bends downwards; its ``smallest`` is the second derivative.
    """

    is_convex: bool = False
    witness: CurvatureRange | None = None

    def after(self, said: Iterable[Warning]) -> str:
        """What is known after a fit that gave these warnings: "convex", "not convex", "unknown"."""
        if self.is_convex:
            return "convex"
        bends = any(isinstance(warning, NonConvexLossWarning) for warning in said)
        return "not convex" if bends else "unknown"


def convexity_of_loss(
    loss: UserLoss | AuxiliaryLoss, rows: Rows, *, of_classes: bool
) -> LossConvexity:
    """What is known of the loss of these rows; nothing of a function, or of auxiliary parameters.

    Parameters
    ----------
    loss : UserLoss or AuxiliaryLoss
        The loss.
    rows : Rows
        The rows of the fit. A sample of the targets is read; all of those in memory, where the
        proof is for targets that are not negative.
    of_classes : bool
        Whether targets are 0 and 1.
    """
    if isinstance(loss, AuxiliaryLoss) or not isinstance(loss.derivatives, PointwiseExpression):
        return LossConvexity()
    expression = loss.derivatives.expression
    witness = witness_against(loss.derivatives, targets_of(rows))
    if witness is not None:
        return LossConvexity(witness=witness)
    if of_classes:
        return LossConvexity(_is_convex_for_classes(expression))
    # Targets in memory are read sooner than a proof for all numbers fails.
    of_counts = isinstance(rows, ArrayRows) and min(rows.reduce(_least_target)) >= 0
    return LossConvexity(_is_convex(expression, of_counts=of_counts))


def _least_target(block: RowBlock) -> list[float]:
    present = block.weights_or_ones > 0
    return [float(block.y.min(where=present, initial=np.inf))]


@functools.lru_cache(maxsize=256)
def _is_convex(loss: Expression, *, of_counts: bool) -> bool:
    """Whether it is proved for all targets; with ``of_counts``, for those of at least 0."""
    names = {symbol.name for symbol in loss.used}
    signs = ["y"] if of_counts and "y" in names else []
    return proved_without_witness(loss, "eta", nonnegative=signs).is_convex


@functools.lru_cache(maxsize=256)
def _is_convex_for_classes(loss: Expression) -> bool:
    """Whether it is proved for targets of 0 and of 1."""
    if _is_convex(loss, of_counts=True):
        return True
    y = [symbol for symbol in loss.used if symbol.name == "y"]
    each = [substitute(loss, dict.fromkeys(y, as_expression(code))) for code in (0, 1)]
    return all(
        _is_convex(part, of_counts=False)
        for part in each
        if any(symbol.name == "eta" for symbol in part.used)
    )
