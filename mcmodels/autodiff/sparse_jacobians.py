"""Jacobians with few entries that are not zero: columns that share no row need one sweep together.

Curtis, Powell and Reid (1974), *On the estimation of sparse Jacobian matrices*, Journal of the
Institute of Mathematics and its Applications 13; Gebremedhin, Manne and Pothen (2005), *What color
is your Jacobian?*, SIAM Review 47(4), §3.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mcmodels.autodiff.recorded import Recorded
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import NoRuleError, Traced

__all__ = ["sparse_jacobian"]

# An entry beside the pattern is seen if it is more than this share of the others of its row. Less
# may be rounding, where entries are differences of large numbers.
_LEAST_SEEN = 1e-8


def sparse_jacobian(f: Callable[..., Any], pattern: Any = None) -> Callable[..., Any]:
    """The Jacobian of a function of a vector as a sparse matrix, by few sweeps.

    Columns that have no row in common are found in one forward sweep; or rows that have no column
    in common in one backward sweep, if that needs fewer. A tridiagonal Jacobian takes three sweeps,
    whatever its size.

    Parameters
    ----------
    f : callable
        NumPy code of a vector of n numbers; returns a vector of m.
    pattern : array-like or sparse matrix of shape (m, n), default=None
        Nonzero where the Jacobian may be. By default it is found at the first call: the whole
        Jacobian is computed there, and at two points beside it, and the pattern is kept for points
        of the same length.

    Returns
    -------
    callable
        Takes the arguments of ``f``, and returns a CSR array of shape (m, n) with an entry wherever
        the pattern has one.

    Raises
    ------
    ValueError
        When called, if the Jacobian has an entry where the pattern has none. Each call makes sure
        by one more sweep, along a random direction.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import sparse_jacobian
    >>> derivative = sparse_jacobian(lambda x: x[1:] * x[:-1])
    >>> derivative(np.array([1.0, 2.0, 3.0])).toarray()
    array([[2., 1., 0.],
           [0., 3., 2.]])
    """
    known: dict[tuple[int, int], sparse.csr_array] = {}
    given = None if pattern is None else sparse.csr_array(sparse.csr_array(pattern) != 0)

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        recorded = Recorded(f, 0, args, kwargs)
        (x,) = recorded.points
        if isinstance(x, Traced):
            raise NoRuleError(
                "sparse_jacobian returns a sparse matrix, which is not differentiated; use "
                "jacobian inside of other derivatives."
            )
        shape = _length(recorded.value, "the function returned"), _length(x, "the argument is")
        found = given
        if found is None:
            if shape not in known:
                known[shape] = _found_pattern(f, args, kwargs)
            found = known[shape]
        elif found.shape != shape:
            raise ValueError(f"pattern has shape {found.shape}, and the Jacobian {shape}.")
        matrix = _recovered(recorded, found)
        _require_all_entries(recorded, matrix)
        return matrix

    return derivative


def _length(x: Any, what: str) -> int:
    shape = shape_of(x)
    if len(shape) != 1:
        raise ValueError(
            f"sparse_jacobian is of functions from vectors to vectors; {what} of shape {shape}."
        )
    return shape[0]


def _found_pattern(f: Callable[..., Any], args: Any, kwargs: Any) -> sparse.csr_array:
    """Where the Jacobian is not zero, at a point and at two beside it."""
    x = np.asarray(args[0], dtype=np.float64)
    rng = np.random.default_rng(0)
    size = np.abs(x).max(initial=0.0) or 1.0
    found = None
    for away in (0.0, 1e-3, 1e-2):
        point = x + away * size * rng.uniform(-1.0, 1.0, x.shape)
        recorded = Recorded(f, 0, (point, *args[1:]), kwargs)
        m = len(recorded.value)
        (dense,) = recorded.rows() if m <= len(x) else (recorded.columns(0),)
        there = np.asarray(dense) != 0
        found = there if found is None else found | there
    return sparse.csr_array(found)


def _recovered(recorded: Recorded, pattern: sparse.csr_array) -> sparse.csr_array:
    by_column, by_row = _colours(pattern), _colours(pattern.T.tocsr())
    rows, columns = pattern.nonzero()
    if by_column.max(initial=-1) <= by_row.max(initial=-1):
        seeds = by_column == np.arange(by_column.max(initial=-1) + 1)[:, np.newaxis]
        products = [_pushed(recorded, seed.astype(np.float64)) for seed in seeds]
        entries = np.array(products).reshape(len(products), -1)[by_column[columns], rows]
    else:
        seeds = by_row == np.arange(by_row.max(initial=-1) + 1)[:, np.newaxis]
        products = [recorded.pull(seed.astype(np.float64))[0] for seed in seeds]
        entries = np.array(products).reshape(len(products), -1)[by_row[rows], columns]
    return sparse.csr_array((entries, (rows, columns)), shape=pattern.shape)


def _pushed(recorded: Recorded, v: npt.NDArray[np.float64]) -> Any:
    found = recorded.push(v)
    return np.zeros(shape_of(recorded.value)) if found is None else found


def _colours(pattern: sparse.csr_array) -> npt.NDArray[np.intp]:
    """A colour for each column, so that columns of one colour have no row in common.

    Greedy, the columns with most entries first.
    """
    by_column, by_row = pattern.tocsc(), pattern.tocsr()
    colours = np.full(pattern.shape[1], -1, dtype=np.intp)
    for j in np.argsort(-np.diff(by_column.indptr), kind="stable"):
        rows = by_column.indices[by_column.indptr[j] : by_column.indptr[j + 1]]
        near = [by_row.indices[by_row.indptr[i] : by_row.indptr[i + 1]] for i in rows]
        taken = np.unique(colours[np.concatenate(near)]) if near else np.empty(0, dtype=np.intp)
        taken = taken[taken >= 0]
        free = np.flatnonzero(taken != np.arange(len(taken)))
        colours[j] = free[0] if len(free) else len(taken)
    return colours


def _require_all_entries(recorded: Recorded, matrix: sparse.csr_array) -> None:
    """Refuse a pattern that misses an entry: a product with a random vector would differ."""
    v = np.random.default_rng(1).uniform(0.5, 1.5, matrix.shape[1])
    product = _pushed(recorded, v)
    difference = np.abs(product - matrix @ v)
    bound = _LEAST_SEEN * (np.abs(matrix) @ v + np.abs(product))
    wrong = np.flatnonzero(difference > bound)
    if len(wrong):
        raise ValueError(
            f"the Jacobian has an entry in row {wrong[0]} where the pattern has none; give a "
            "pattern that has every entry that may differ from zero, at any point."
        )
