"""Functions of one row, applied to every row: ``vmap``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.filling import settled
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import Traced, stack_list
from mcmodels.autodiff.trees import Tree, holds_arrays, tree_of

__all__ = ["vmap"]


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: int = 0) -> Callable[..., Any]:
    """A function of one row as a function of all rows, stacked; with ``grad`` inside, row by row.

    The function is called once for each row, in a loop of Python, so that any function will do. It
    saves writing the loop, not its time: NumPy's broadcasting is faster where it can be used.

    Parameters
    ----------
    f : callable
        Takes arrays, or containers of arrays; returns an array, or a container of arrays.
    in_axes : int, None, or sequence of them, default=0
        For each positional argument the axis that is mapped over, or None for an argument that is
        the same in every call. One number is for all arguments. In a container, all arrays are
        mapped over this axis.
    out_axes : int, default=0
        The axis along which the results are stacked.

    Returns
    -------
    callable
        Takes the arguments of ``f``; keyword arguments are the same in every call.

    Raises
    ------
    ValueError
        When called, if no argument is mapped, their lengths along the axis differ, or there are no
        rows, so that the shape of a result is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, vmap
    >>> def loss(w, x, y):
    ...     return (x @ w - y) ** 2
    >>> X, y = np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([1.0, 3.0])
    >>> vmap(grad(loss), in_axes=(None, 0, 0))(np.array([1.0, 1.0]), X, y)
    array([[4., 8.],
           [6., 2.]])
    """

    @functools.wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        single = in_axes is None or isinstance(in_axes, int)
        axes: Sequence[Any] = [in_axes] * len(args) if single else list(in_axes)
        if len(axes) != len(args):
            raise ValueError(
                f"in_axes has {len(axes)} entries, and there are {len(args)} positional arguments."
            )
        trees = [None if axis is None else _arrays(x) for x, axis in zip(args, axes, strict=True)]
        n_rows = _length(trees, axes)
        results = []
        for i in range(n_rows):
            row = [
                x if tree is None else _at(tree, axis, i)
                for x, tree, axis in zip(args, trees, axes, strict=True)
            ]
            results.append(f(*row, **kwargs))
        return _stacked(results, out_axes)

    return mapped


def _arrays(x: Any) -> Tree:
    """The arrays of an argument, of any type: they may be positions, or truth values."""
    tree = tree_of(x)
    leaves = [stack_list(settled(leaf)) for leaf in tree.leaves]
    return tree._replace(leaves=[x if isinstance(x, Traced) else np.asarray(x) for x in leaves])


def _length(trees: Sequence[Tree | None], axes: Sequence[Any]) -> int:
    lengths: dict[int, str] = {}
    for number, (tree, axis) in enumerate(zip(trees, axes, strict=True)):
        for x, place in [] if tree is None else zip(tree.leaves, tree.places, strict=True):
            name = f"argument {number}{place}"
            shape = shape_of(x)
            if not -len(shape) <= axis < len(shape):
                raise ValueError(f"{name} has shape {shape}, and no axis {axis} to map over.")
            lengths.setdefault(shape[axis], name)
    if not lengths:
        raise ValueError("vmap needs an argument with an axis to map over; in_axes has none.")
    if len(lengths) > 1:
        found = " and ".join(f"{length} ({name})" for length, name in lengths.items())
        raise ValueError(f"the mapped axes have different lengths: {found}.")
    (length,) = lengths
    if length == 0:
        raise ValueError("the mapped axis has no entries, so the shape of a result is not known.")
    return length


def _at(tree: Tree, axis: int, i: int) -> Any:
    return tree.rebuilt([x[(slice(None),) * (axis % len(shape_of(x))) + (i,)] for x in tree.leaves])


def _stacked(results: Sequence[Any], axis: int) -> Any:
    """The results of all rows in one array, or in one container of arrays."""
    if not (holds_arrays(results[0]) or isinstance(results[0], tuple | list)):
        return np.stack(results, axis=axis)
    trees = [tree_of(result) for result in results]
    if any(tree.places != trees[0].places for tree in trees):
        raise ValueError("the function returned other containers for some rows than for the first.")
    columns = zip(*(tree.leaves for tree in trees), strict=True)
    return trees[0].rebuilt([np.stack(column, axis=axis) for column in columns])
