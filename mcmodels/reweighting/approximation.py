"""Fits without each row, or each group of rows, by one step or to second order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.jeffreys import Prior
from mcmodels.reweighting.jeffreys_steps import steps_with_prior
from mcmodels.reweighting.one_step import left_out, left_out_groups
from mcmodels.reweighting.row_parts import portions, taken
from mcmodels.reweighting.second_order import ThirdDerivatives, corrected, corrected_groups
from mcmodels.reweighting.sums_without import SumNearFit
from mcmodels.reweighting.whitened_fit import GROUP, WhitenedFit
from mcmodels.rows import RowBlock

__all__ = [
    "Approximation",
    "approximate_groups",
    "approximate_rows",
    "approximate_with_prior",
    "row_steps",
]


@dataclass(frozen=True)
class Approximation:
    """Fits without each of m rows or groups, approximately.

    Parameters
    ----------
    fitted : ndarray of shape (n, K)
        Linear predictors of the rows by the fit of all rows.
    first : ndarray of shape (n, K)
        Those by the fits without them, by one Newton step.
    eta : ndarray of shape (n, K)
        The best that are known: with the correction of second order, where there is one. NaN in
        rows without which the Hessian is singular.
    lengths : ndarray of shape (m,)
        Lengths of the steps.
    reach : ndarray of shape (n,)
        Lengths of the rows z.
    change_of_sum : ndarray of shape (m,), or None
        ``Dᵀu + uᵀCu/2`` of each step.
    steps : ndarray of shape (m, R), or None
        The steps, of groups.
    """

    fitted: Array
    first: Array
    eta: Array
    lengths: Array
    reach: Array
    change_of_sum: Array | None
    steps: Array | None


def approximate_rows(
    fit: WhitenedFit, third: ThirdDerivatives | None, near: SumNearFit | None
) -> Approximation:
    """Fits without each row, in one pass."""
    K = fit.basis.n_outputs

    def without(block: RowBlock) -> Array:
        terms = fit.terms(block)
        first = left_out(terms)
        eta, steps = first.eta, np.empty((0, 0))
        if third is not None:
            better = corrected(fit, block, terms, first, third)
            eta, steps = better.eta, better.steps
        elif K > 1 or near is not None:
            steps = np.einsum("ikr,ik->ir", terms.Z, first.factor)
        squares = np.einsum("ikr,ikr->i", terms.Z, terms.Z)
        reach = np.sqrt(squares)
        if not steps.size:
            lengths = reach * np.abs(first.factor[:, 0])
        else:
            lengths = np.sqrt(np.einsum("ir,ir->i", steps, steps))
        columns = [terms.eta, first.eta, lengths, reach]
        if third is not None:
            columns.append(eta)
        if near is not None:
            columns.append(near.along(steps))
        return np.column_stack(columns)

    found = fit.rows.map(lambda block: _by_portions(block, fit, without))
    rest = found[:, 2 * K + 2 :]
    return Approximation(
        found[:, :K],
        found[:, K : 2 * K],
        found[:, K : 2 * K] if third is None else rest[:, :K],
        found[:, 2 * K],
        found[:, 2 * K + 1],
        None if near is None else rest[:, -1],
        None,
    )


def approximate_groups(
    fit: WhitenedFit,
    count: int,
    third: ThirdDerivatives | None,
    near: SumNearFit | None,
) -> Approximation:
    """Fits without each of the groups 0, …, count - 1."""
    K = fit.basis.n_outputs
    first = left_out_groups(fit, count)
    steps = first if third is None else corrected_groups(fit, first, third)

    def without(block: RowBlock) -> Array:
        Z, code = fit.basis.rows_of(block), block.extras[GROUP]
        eta = block.linear_predictor(fit.params).reshape(-1, K)
        changes = [np.einsum("ikr,ir->ik", Z, found[code]) for found in (first, steps)]
        reach = np.sqrt(np.einsum("ikr,ikr->i", Z, Z))
        return np.column_stack([eta, eta + changes[0], eta + changes[1], reach])

    found = fit.rows.map(lambda block: _by_portions(block, fit, without))
    return Approximation(
        found[:, :K],
        found[:, K : 2 * K],
        found[:, 2 * K : 3 * K],
        np.sqrt(np.einsum("mr,mr->m", steps, steps)),
        found[:, 3 * K],
        None if near is None else near.along(steps),
        steps,
    )


def approximate_with_prior(fit: WhitenedFit, prior: Prior) -> Approximation:
    """Fits with Jeffreys' prior without each row, by one step."""
    steps = steps_with_prior(fit, prior)

    def without(block: RowBlock) -> Array:
        Z = fit.basis.rows_of(block)[:, 0]
        eta = block.linear_predictor(fit.params).reshape(block.X.n_rows)
        change = np.einsum("ir,ir->i", Z, steps[block.rows])
        return np.column_stack([eta, eta + change, np.sqrt(np.einsum("ir,ir->i", Z, Z))])

    found = fit.rows.map(without)
    lengths = np.sqrt(np.einsum("ir,ir->i", steps, steps))
    eta = found[:, 1:2]
    return Approximation(found[:, :1], eta, eta, lengths, found[:, 2], None, steps)


def row_steps(fit: WhitenedFit, third: ThirdDerivatives | None) -> Array:
    """The steps to the fits without each row, shape (n, R), in one pass."""

    def without(block: RowBlock) -> Array:
        terms = fit.terms(block)
        first = left_out(terms)
        if third is not None:
            return corrected(fit, block, terms, first, third).steps
        return np.einsum("ikr,ik->ir", terms.Z, first.factor)

    return fit.rows.map(lambda block: _by_portions(block, fit, without))


def _by_portions(block: RowBlock, fit: WhitenedFit, transform: object) -> Array:
    """Results for the rows of a block, of which as many at a time are transformed as have room."""
    assert callable(transform)
    entries = fit.basis.n_outputs * max(fit.basis.size, 1)
    parts = [transform(taken(block, rows)) for rows in portions(block.X.n_rows, entries)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
