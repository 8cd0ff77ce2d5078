"""Separated classes: certificates that the likelihood has a maximum, or that it has none.

With ``a = x̃ ⊗ (e_own - e_other)`` for a row and another class (for two classes ``(2y - 1) x̃``), the
margin ``aᵀθ`` is by how much the linear predictor of the row's own class is the larger one. Classes
are separated when some direction d has ``aᵀd ≥ 0`` for all a, not all zero. Then, and only then, the
likelihood has no maximum (Albert and Anderson 1984, *On the existence of maximum likelihood
estimates in logistic regression models*, Biometrika 71(1), §3).

**There is a maximum** when some λ > 0 has ``Σ λ a = 0`` (Stiemke's lemma). At any θ the gradient is
``-Σ λ a`` with λ the weights times the probabilities of the other classes. A Newton step δ changes λ
to ``λ (1 + change of the log-probability)`` to first order, and then the sum is zero. So the step
itself is a proof if it changes no difference of linear predictors by 1 or more.

**There is none** when a direction is found and checked: rows whose margin grows along it by more than
the rounding error of the margin; and rows whose margin it does not change at all, which rational
arithmetic decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, LARGE_DESIGN

# Along a direction scaled so that the margins of diverging rows grow by 1: rows whose margin grows
# by more than the first number are to be separated, those that change by less than the second are
# to be left alone. Between them no direction is proposed.
_GROWS, _RESTS = 0.25, 1e-2
# Entries of a direction are left out where they contribute less than this to every margin.
_NEGLIGIBLE_ENTRY = 1e-3
# With a margin above this, the exponential of minus the margin is zero in float64.
_NO_LOSS = 745.0
# Largest problem in rational arithmetic: unknowns, and distinct rows that must not change.
_MOST_UNKNOWNS, _MOST_DISTINCT = 60, 5000


def largest_change(rows: Rows, params: Array, step: Array) -> float:
    """Largest change of a difference of linear predictors by a step.

    Rows so far on their own side that their loss is exactly zero do not count: the others prove that
    there is a maximum without them.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes.
    params, step : ndarray of shape (P,) or (K, P)
        Parameters, and a change of them.
    """

    def change(block: RowBlock) -> _Largest:
        eta = block.X.predictor(step, own=False)
        spread = np.abs(eta) if eta.ndim == 1 else np.ptp(eta, axis=1)
        return _Largest(float(spread.max(initial=0.0)))

    def change_where_it_counts(block: RowBlock) -> _Largest:
        counts = _signed(block, params)[0] <= _NO_LOSS
        return _Largest(float(np.abs(_signed(block, step)[0])[counts].max(initial=0.0)))

    largest = rows.reduce(change).value
    return largest if largest <= 0.5 else rows.reduce(change_where_it_counts).value


def separates(rows: Rows, direction: Array) -> Array | None:
    """A direction near a given one that separates the classes, or None; what is returned is proved.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes as targets: 0 and 1 for a direction of shape (P,), else
        0, …, K-1 for (K, P).
    direction : ndarray of shape (P,) or (K, P)
        Parameters, or a Newton step.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        found = _checked(rows, direction, None)
        if found.separated:
            return direction
        if not (found.proposed and np.isfinite(direction).all()):
            return None
    largest = rows.reduce(_largest_entries)
    contribution = np.abs(direction) * largest.values
    if direction.ndim == 2:
        # A vector added to all classes changes no margin: as many entries as possible become zero.
        direction = direction - np.median(direction, axis=0)
        contribution = np.abs(direction) * largest.values
    sparse = np.where(contribution > _NEGLIGIBLE_ENTRY, direction, 0.0)
    for proposed in (sparse, direction):
        exact = _orthogonal_to_resting_rows(rows, direction, proposed)
        if exact is not None and _checked(rows, exact, direction).separated:
            return exact
        if np.array_equal(sparse, direction):
            break
    return None


def proposed_by_linear_program(rows: Rows, shape: tuple[int, ...]) -> Array | None:
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
    """
    unknowns = np.arange(np.prod(shape))
    if rows.n_present * unknowns.size > LARGE_DESIGN:
        return None

    def distinct(block: RowBlock) -> _Distinct:
        every = np.ones((block.X.n_rows, max(1, (shape[0] if len(shape) > 1 else 2) - 1)), bool)
        found = _differences(block, every, shape, unknowns)
        if len(shape) == 1:
            found *= (2.0 * block.y - 1.0)[:, np.newaxis]
        return _Distinct.of(found)

    A = rows.reduce(distinct).rows
    if len(A) > _MOST_DISTINCT:
        return None
    scale = np.abs(A).max(axis=0)
    scale[scale == 0] = 1.0
    A = A / scale
    m = len(A)
    solved = linprog(
        np.concatenate([np.zeros(unknowns.size), -np.ones(m)]),
        A_ub=sparse.hstack([sparse.csr_array(-A), sparse.eye_array(m)]),
        b_ub=np.zeros(m),
        bounds=[(None, None)] * unknowns.size + [(0, 1)] * m,
    )
    if solved.x is None or not solved.fun < -_GROWS:
        return None
    return (solved.x[: unknowns.size] / scale).reshape(shape)


# -- margins ---------------------------------------------------------------------------------------


def _signed(block: RowBlock, direction: Array) -> tuple[Array, Array]:
    """Margins of shape (n_rows, others), and bounds of their rounding errors."""
    eta = block.X.predictor(direction)
    size = _absolute(block.X, np.abs(direction))
    terms = block.X.X.shape[1] + 2
    if eta.ndim == 1:
        margins = ((2.0 * block.y - 1.0) * eta)[:, np.newaxis]
        return margins, (terms * FLOAT64_EPSILON * size)[:, np.newaxis]
    index = np.arange(eta.shape[0])
    others = np.ones(eta.shape, dtype=bool)
    others[index, block.y] = False
    own = eta[index, block.y][:, np.newaxis]
    bound = (terms + 1) * FLOAT64_EPSILON * (size[index, block.y][:, np.newaxis] + size)
    shape = (eta.shape[0], -1)
    return (own - eta)[others].reshape(shape), bound[others].reshape(shape)


def _absolute(X: Any, params: Array) -> Array:
    """``|X̃||θ|``."""
    coef = params[..., :-1] if X.intercept else params
    size = abs(X.X) @ coef.T
    return size + params[..., -1] if X.intercept else size


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
        margins, bound = _signed(block, direction)
        grows = margins > bound
        unproved = ~grows
        if rested_by is not None:
            unproved &= ~_rests(_signed(block, rested_by)[0])
        settled = (margins >= _GROWS) | _rests(margins)
        return _Checked(bool(grows.any()), bool(unproved.any()), bool(settled.all()))

    return rows.reduce(summarise)


def _rests(margins: Array) -> Any:
    return np.abs(margins) <= _RESTS


def _largest_entries(block: RowBlock) -> _LargestEntries:
    X = abs(block.X.X)
    largest = X.max(axis=0)
    largest = np.ravel(largest.toarray() if hasattr(largest, "toarray") else largest)
    return _LargestEntries(np.append(largest, 1.0) if block.X.intercept else largest)


# -- rational arithmetic ---------------------------------------------------------------------------


def _orthogonal_to_resting_rows(rows: Rows, resting: Array, proposed: Array) -> Array | None:
    """The direction nearest to ``proposed`` along which resting rows do not change at all.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes.
    resting : ndarray
        Rows rest that rest along this direction.
    proposed : ndarray, the shape of ``resting``
        Entries that are zero here stay zero.
    """
    unknowns = np.nonzero(proposed.ravel())[0]
    if not 0 < unknowns.size <= _MOST_UNKNOWNS:
        return None

    def distinct(block: RowBlock) -> _Distinct:
        still = _rests(_signed(block, resting)[0])
        return _Distinct.of(_differences(block, still, proposed.shape, unknowns))

    equations = rows.reduce(distinct).rows
    if len(equations) > _MOST_DISTINCT:
        return None
    basis = _null_space(equations, unknowns.size)
    if not basis:
        return None
    found = np.zeros(proposed.size)
    found[unknowns] = _projected(basis, proposed.ravel()[unknowns])
    return found.reshape(proposed.shape)


def _differences(block: RowBlock, chosen: Array, shape: tuple[int, ...], unknowns: Array) -> Array:
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


def _null_space(equations: Array, size: int) -> list[list[Fraction]] | None:
    """A basis of the vectors that are orthogonal to all equations; None if there is only zero."""
    pivots: dict[int, list[Fraction]] = {}
    for equation in equations:
        row = [Fraction(value) for value in equation.tolist()]
        for column, pivot in pivots.items():
            if row[column]:
                factor = row[column]
                row = [a - factor * b for a, b in zip(row, pivot, strict=True)]
        column = next((j for j, value in enumerate(row) if value), -1)
        if column < 0:
            continue
        row = [value / row[column] for value in row]
        for other, pivot in pivots.items():
            if pivot[column]:
                factor = pivot[column]
                pivots[other] = [a - factor * b for a, b in zip(pivot, row, strict=True)]
        pivots[column] = row
        if len(pivots) == size:
            return None
    basis = []
    for free in set(range(size)) - set(pivots):
        vector = [Fraction(0)] * size
        vector[free] = Fraction(1)
        for column, pivot in pivots.items():
            vector[column] = -pivot[free]
        basis.append(vector)
    return basis


def _projected(basis: list[list[Fraction]], target: Array) -> Array:
    """The combination of exact vectors that is nearest to a target, each entry rounded once."""
    N = np.array([[float(value) for value in vector] for vector in basis])
    coefficients = [Fraction(c) for c in np.linalg.lstsq(N.T, target)[0].tolist()]
    exact = [
        sum((c * vector[j] for c, vector in zip(coefficients, basis, strict=True)), Fraction(0))
        for j in range(target.size)
    ]
    return np.array([float(value) for value in exact])


# -- sums over blocks ------------------------------------------------------------------------------


@dataclass
class _Largest:
    value: float

    def __add__(self, other: _Largest) -> _Largest:
        return _Largest(max(self.value, other.value))


@dataclass
class _LargestEntries:
    values: Array

    def __add__(self, other: _LargestEntries) -> _LargestEntries:
        return _LargestEntries(np.maximum(self.values, other.values))


@dataclass
class _Distinct:
    rows: Array

    @classmethod
    def of(cls, rows: Array) -> _Distinct:
        distinct = np.unique(rows, axis=0) if rows.size else rows
        return cls(distinct[: _MOST_DISTINCT + 1])

    def __add__(self, other: _Distinct) -> _Distinct:
        return _Distinct.of(np.concatenate([self.rows, other.rows]))
