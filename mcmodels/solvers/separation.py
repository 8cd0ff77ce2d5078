"""Separated classes: directions that prove that the likelihood has no maximum.

The margin of a row is the predictor of its own class minus that of another class. A direction d
separates the classes if no margin decreases along it and some margin increases. For two classes:
``(2yᵢ - 1) x̃ᵢᵀd ≥ 0`` for all i, not all zero (Albert and Anderson 1984, *On the existence of
maximum likelihood estimates in logistic regression models*, Biometrika 71(1), §3). Then, and only
then, the likelihood has no maximum.

A Newton step proposes a direction: it adds about 1 to the margins of rows that are separated, and
about 0 to the others. A direction is a proof if each margin increases by more than its rounding
error, or does not change at all, which rational arithmetic decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows
from mcmodels.solvers.null_space import nearest_in, null_space
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, LARGE_DESIGN

# A direction is looked at if each margin increases by at least the first number, or changes by no
# more than the second. In the exact direction, the latter shall not change at all.
_GROWS, _RESTS = 0.25, 1e-2
# What a margin may shrink by, as a share of the largest growth, where rounding may do it: a linear
# program has seven digits.
_NEARLY = 1e-6
# Entries that contribute less than this to every margin are left out first.
_NEGLIGIBLE_ENTRY = 1e-3
# Most linear programs, in each of which more rows shall rest.
_MOST_PROGRAMS = 4
# Largest problem in rational arithmetic: entries of the direction, and distinct rows. With numbers
# of 53 bits it takes five seconds.
_MOST_UNKNOWNS, _MOST_DISTINCT = 100, 5000


def separates(rows: Rows, direction: Array) -> Array | None:
    """A direction near a given one that separates the classes, or None; what is returned is proved.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes as targets: 0 and 1 for a direction of shape (P,), else
        0, …, K-1 for (K, P). With one output, rows with ½ are of neither class: they must rest.
    direction : ndarray of shape (P,) or (K, P)
        Parameters, or a Newton step.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        found = _checked(rows, direction, None)
        if found.separated:
            return direction
        if not (found.proposed and np.isfinite(direction).all()):
            return None
    largest = rows.reduce(_largest_entries).values
    contribution = np.abs(direction) * largest
    if direction.ndim == 2:
        # A vector added to all classes changes no margin: as many entries as possible become zero.
        direction = direction - np.median(direction, axis=0)
        contribution = np.abs(direction) * largest
    sparse = np.where(contribution > _NEGLIGIBLE_ENTRY, direction, 0.0)
    for proposed in (sparse, direction):
        exact = _orthogonal_to_resting_rows(rows, direction, proposed, largest)
        if exact is not None and _checked(rows, exact, direction).separated:
            return exact
        if np.array_equal(sparse, direction):
            break
    return None


def separates_by_linear_program(rows: Rows, shape: tuple[int, ...]) -> Array | None:
    """A direction that separates the classes, or None; what is returned is proved.

    A linear program in float64 takes a tiny overlap for none, and lets rows grow that cannot but
    rest. So the rows that rest along the exact direction nearest to its own shall rest in another.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes.
    shape : tuple of int
        The shape of the parameters.
    """
    resting: Array | None = None
    for _ in range(_MOST_PROGRAMS):
        proposed = proposed_by_linear_program(rows, shape, resting)
        if proposed is None:
            return None
        found = separates(rows, proposed)
        if found is not None:
            return found
        if len(shape) > 1:
            proposed = proposed - proposed.mean(axis=0)
        largest = rows.reduce(_largest_entries).values
        resting = _orthogonal_to_resting_rows(rows, proposed, proposed, largest)
        if resting is None:
            return None
    return None


def nearly_separates(rows: Rows, shape: tuple[int, ...]) -> Array | None:
    """A direction that separates the classes but for rounding of the columns, or None.

    Columns that should add up to others, as those of a B-spline in one level of a factor, do so
    within their rounding. Then rows shrink a little along a direction in which others grow: in
    exact arithmetic there is a maximum, at coefficients of ``1e16`` and no use. Nothing is proved.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes.
    shape : tuple of int
        The shape of the parameters.
    """
    direction = proposed_by_linear_program(rows, shape)
    if direction is None:
        return None

    def ends(block: RowBlock) -> Largest:
        margins = _margins_with_errors(block, direction)[0]
        return Largest(np.array([-margins.min(initial=0.0), margins.max(initial=0.0)]))

    shrinks, grows = rows.reduce(ends).values
    return direction if shrinks <= _NEARLY * grows else None


def proposed_by_linear_program(
    rows: Rows, shape: tuple[int, ...], resting: Array | None = None
) -> Array | None:
    """A direction that separates the classes as far as float64 can tell, or None.

    It maximises ``Σ s`` subject to ``aᵀd ≥ s`` and ``0 ≤ s ≤ 1`` for every distinct vector a
    (Konis 2007, *Linear programming algorithms for detecting separated data in binary logistic
    regression models*, thesis, Oxford, §4). None also where there are too many of them.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes.
    shape : tuple of int
        The shape of the parameters.
    resting : ndarray of this shape, default=None
        ``aᵀd = 0`` for vectors that rest along this direction.
    """
    unknowns = np.arange(np.prod(shape))
    if rows.n_present * unknowns.size > LARGE_DESIGN:
        return None

    def distinct(block: RowBlock) -> _Distinct:
        every = np.ones((block.X.n_rows, max(1, (shape[0] if len(shape) > 1 else 2) - 1)), bool)
        found = _differences(block, every, shape, unknowns)
        must_rest = np.zeros(len(found))
        if len(shape) == 1:
            side = 2.0 * block.y - 1.0
            must_rest = np.where(side == 0, 1.0, 0.0)
            found *= np.where(side == 0, 1.0, side)[:, np.newaxis]
        return _Distinct.of(np.column_stack([found, must_rest]))

    A = rows.reduce(distinct).rows
    if len(A) > _MOST_DISTINCT:
        return None
    A, still = A[:, :-1], A[:, -1] > 0
    if resting is not None:
        still |= _rests(A @ resting.ravel())
    scale = np.abs(A).max(axis=0)
    scale[scale == 0] = 1.0
    A = A / scale
    m = int(np.count_nonzero(~still))
    solved = linprog(
        np.concatenate([np.zeros(unknowns.size), -np.ones(m)]),
        A_ub=sparse.hstack([sparse.csr_array(-A[~still]), sparse.eye_array(m)]),
        b_ub=np.zeros(m),
        A_eq=np.pad(A[still], [(0, 0), (0, m)]),
        b_eq=np.zeros(len(A) - m),
        bounds=[(None, None)] * unknowns.size + [(0, 1)] * m,
    )
    if solved.x is None or not solved.fun < -_GROWS:
        return None
    return (solved.x[: unknowns.size] / scale).reshape(shape)


# -- margins ---------------------------------------------------------------------------------------


def margins_of(y: Any, eta: Array) -> Array:
    """``η_own - η_other``, shape (n_rows, 1) for two classes and (n_rows, K - 1) for K.

    Of a row of one output that must rest, whose code is ½, it is ``-|η|``.
    """
    if eta.ndim == 1:
        side = 2.0 * y - 1.0
        return np.where(side == 0, -np.abs(eta), side * eta)[:, np.newaxis]
    own, others = _own_and_others(y, eta)
    return own - others


def _own_and_others(y: Any, values: Array) -> tuple[Array, Array]:
    index = np.arange(values.shape[0])
    others = np.ones(values.shape, dtype=bool)
    others[index, y] = False
    return values[index, y][:, np.newaxis], values[others].reshape(values.shape[0], -1)


def _margins_with_errors(block: RowBlock, direction: Array) -> tuple[Array, Array]:
    """Margins along a direction, and bounds of their rounding errors."""
    X = np.asarray(block.X.dense(), dtype=np.float64)
    coef = direction[..., :-1] if block.X.intercept else direction
    eta, size = X @ coef.T, np.abs(X) @ np.abs(coef).T
    if block.X.intercept:
        eta, size = eta + direction[..., -1], size + np.abs(direction[..., -1])
    error = (X.shape[1] + 4) * FLOAT64_EPSILON * size
    if eta.ndim == 1:
        return margins_of(block.y, eta), error[:, np.newaxis]
    own, others = _own_and_others(block.y, error)
    return margins_of(block.y, eta), own + others


@dataclass
class _Checked:
    """What the margins of rows along a direction show; two are merged by ``+``.

    Parameters
    ----------
    growing : bool
        Whether some margin certainly grows.
    unproved : bool
        Whether some margin may shrink, that of resting rows apart.
    proposed : bool
        Whether every margin grows or rests.
    """

    growing: bool
    unproved: bool
    proposed: bool

    @property
    def separated(self) -> bool:
        """Whether the direction is proved to separate."""
        return self.growing and not self.unproved

    def __add__(self, other: _Checked) -> _Checked:
        return _Checked(
            self.growing or other.growing,
            self.unproved or other.unproved,
            self.proposed and other.proposed,
        )


def _checked(rows: Rows, direction: Array, rested_by: Array | None) -> _Checked:
    """Margins along a direction; rows that rest along ``rested_by`` are known not to change."""

    def summarise(block: RowBlock) -> _Checked:
        margins, bound = _margins_with_errors(block, direction)
        grows = margins > bound
        unproved = ~grows
        if rested_by is not None:
            unproved &= ~_rests(_margins_with_errors(block, rested_by)[0])
        settled = (margins >= _GROWS) | _rests(margins)
        return _Checked(bool(grows.any()), bool(unproved.any()), bool(settled.all()))

    return rows.reduce(summarise)


def grows(block: RowBlock, direction: Array) -> Any:
    """Which rows of one output certainly grow along a direction, shape (n_rows,)."""
    margins, bound = _margins_with_errors(block, direction)
    return (margins > bound)[:, 0]


def _rests(margins: Array) -> Any:
    return np.abs(margins) <= _RESTS


def _largest_entries(block: RowBlock) -> Largest:
    return Largest(block.X.magnitudes().max(axis=0))


# -- rational arithmetic ---------------------------------------------------------------------------


def _orthogonal_to_resting_rows(
    rows: Rows, resting: Array, proposed: Array, largest: Array
) -> Array | None:
    """The direction nearest to ``proposed`` along which resting rows do not change at all.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes.
    resting : ndarray
        Rows rest that rest along this direction.
    proposed : ndarray, the shape of ``resting``
        Entries that are zero here stay zero.
    largest : ndarray of shape (P,)
        Largest entries of the columns. Distances are measured with columns of this length.
    """
    unknowns = np.nonzero(proposed.ravel())[0]
    if not 0 < unknowns.size <= _MOST_UNKNOWNS:
        return None

    def distinct(block: RowBlock) -> _Distinct:
        still = _rests(_margins_with_errors(block, resting)[0])
        return _Distinct.of(_differences(block, still, proposed.shape, unknowns))

    equations = rows.reduce(distinct).rows
    if len(equations) > _MOST_DISTINCT:
        return None
    basis = null_space(equations, unknowns.size)
    if not basis:
        return None
    found = np.zeros(proposed.size)
    scale = largest[unknowns % proposed.shape[-1]]
    scale[scale == 0] = 1.0
    found[unknowns] = nearest_in(basis, proposed.ravel()[unknowns], scale)
    return found.reshape(proposed.shape)


def _differences(block: RowBlock, chosen: Any, shape: tuple[int, ...], unknowns: Any) -> Array:
    """The vectors ``a`` of the chosen rows and other classes, in the unknowns alone."""
    P = shape[-1]
    classes, columns = np.divmod(unknowns, P)
    index, position = np.nonzero(chosen)
    X = block.X.X[index]
    needed = columns[columns < X.shape[1]]
    part = X[:, needed]
    part = part.toarray() if hasattr(part, "toarray") else np.asarray(part)
    x = np.ones((len(index), unknowns.size))
    x[:, columns < X.shape[1]] = part
    if len(shape) == 1:
        return x
    own = block.y[index][:, np.newaxis]
    other = (position + (position >= block.y[index]))[:, np.newaxis]
    return x * ((classes == own).astype(float) - (classes == other))


# -- sums over blocks ------------------------------------------------------------------------------


class Largest:
    """Largest values; two are merged by ``+``."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __add__(self, other: Largest) -> Largest:
        return Largest(np.maximum(self.values, other.values))


@dataclass
class _Distinct:
    rows: Array

    @classmethod
    def of(cls, rows: Array) -> _Distinct:
        distinct = np.unique(rows, axis=0) if rows.size else rows
        return cls(distinct[: _MOST_DISTINCT + 1])

    def __add__(self, other: _Distinct) -> _Distinct:
        return _Distinct.of(np.concatenate([self.rows, other.rows]))
