"""Values of constant arrays: ones, unit vectors, selections, commutation and duplication."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.undefined import EvaluationError, place_of, shape_of
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import UnitAt
from mcmodels.plain import np

__all__ = ["CONSTANT_VALUES", "Values", "duplication", "elimination"]

Values = Callable[[Any, list[Array], Any, Mapping[str, int]], Array]


def _commutation(e: Any, sizes: Any) -> Array:
    m, n = e.m.value(sizes), e.n.value(sizes)
    return np.eye(m * n)[np.arange(m * n).reshape(n, m).T.ravel()]


def _selection(e: Any, sizes: Any) -> Array:
    n = e.n.value(sizes)
    result = np.zeros((n * n, n))
    result[np.arange(n) * (n + 1), np.arange(n)] = 1
    return result


def _unit(e: Any, sizes: Any) -> Array:
    n = e.rows.value(sizes)
    if not -n <= e.index < n:
        raise EvaluationError(f"index {e.index} is outside a vector of {n}")
    result = np.zeros((n, 1))
    result[e.index] = 1
    return result


def _unit_at(e: UnitAt, c: list[Array], sizes: Any) -> Array:
    n, place = e.rows.value(sizes), int(c[0][0, 0].real) + e.shift
    if not 0 <= place < n:
        raise EvaluationError(f"index {place} is outside a vector of {n}")
    result = np.zeros((n, 1))
    result[place] = 1
    return result


def elimination(n: int) -> Array:
    """The L of vech(A) = L vec(A)."""
    cols, rows = np.triu_indices(n)  # the order of vech: down the columns
    return np.eye(n * n)[cols * n + rows]


def duplication(n: int) -> Array:
    """The D of vec(A) = D vech(A), where A is symmetric."""
    cols, rows = np.triu_indices(n)
    result = np.zeros((n * n, len(rows)))
    result[cols * n + rows, np.arange(len(rows))] = 1
    result[rows * n + cols, np.arange(len(rows))] = 1
    return result


def _entries_taken(e: N.Selection, sizes: Any) -> Array:
    start, stop, length = place_of(e, sizes)
    return np.eye(stop - start, length, start)


CONSTANT_VALUES: dict[type[Expression], Values] = {
    N.Identity: lambda e, c, xp, s: xp.array(np.eye(*shape_of(e, s))),
    N.Zeros: lambda e, c, xp, s: xp.array(np.zeros(shape_of(e, s))),
    N.Ones: lambda e, c, xp, s: xp.array(np.ones(shape_of(e, s))),
    N.Unit: lambda e, c, xp, s: xp.array(_unit(e, s)),
    UnitAt: lambda e, c, xp, s: xp.array(_unit_at(e, c, s)),
    N.Commutation: lambda e, c, xp, s: xp.array(_commutation(e, s)),
    N.DiagonalSelection: lambda e, c, xp, s: xp.array(_selection(e, s)),
    N.Triangle: lambda e, c, xp, s: xp.array(np.tri(e.rows.value(s))),
    N.Duplication: lambda e, c, xp, s: xp.array(duplication(e.n.value(s))),
    N.Elimination: lambda e, c, xp, s: xp.array(elimination(e.n.value(s))),
    N.Selection: lambda e, c, xp, s: xp.array(_entries_taken(e, s)),
}
