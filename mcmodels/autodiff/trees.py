"""Parameters in containers: dicts, lists, tuples and named tuples, as the arrays that they hold."""

from __future__ import annotations

import copy
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any, NamedTuple

import numpy as np

from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import Traced

__all__ = ["Tree", "holds_arrays", "joined", "map_leaves", "parted", "tree_of"]


class Tree(NamedTuple):
    """The arrays of an argument, and how they are put back in their places.

    Parameters
    ----------
    leaves : list
        The arrays and numbers, in the order in which the containers hold them.
    places : list of str
        Where each of them is, as the user would write it: ``"['layers'][0]"``.
    rebuilt : callable
        Makes containers like those of the argument from as many other leaves.
    """

    leaves: list[Any]
    places: list[str]
    rebuilt: Callable[[Sequence[Any]], Any]


_only = operator.itemgetter(0)


def holds_arrays(x: Any) -> bool:
    """Whether an argument is a container of arrays, and no array itself.

    A list or tuple of numbers, or of lists of numbers of one length, is an array, as NumPy takes
    it. All other lists and tuples, named tuples and mappings are containers.
    """
    if isinstance(x, Mapping) or _is_named(x):
        return True
    return isinstance(x, list | tuple) and not (
        all(map(_is_part_of_array, x)) and _form(x) is not None
    )


def _form(x: Any) -> tuple[int, ...] | None:
    """The shape of a list of numbers, or of lists of numbers; None if it has none."""
    if not isinstance(x, list | tuple):
        return ()
    forms = {_form(part) for part in x}
    if len(forms) > 1 or None in forms:
        return None
    return (len(x), *(forms.pop() if forms else ()))  # type: ignore[misc]


def _is_named(x: Any) -> bool:
    return isinstance(x, tuple) and hasattr(x, "_fields")


def _is_part_of_array(x: Any) -> bool:
    if isinstance(x, list | tuple) and not _is_named(x):
        return all(map(_is_part_of_array, x))
    return isinstance(x, Number) or (isinstance(x, Traced) and x.shape == ())  # type: ignore[attr-defined]


def tree_of(x: Any, place: str = "") -> Tree:
    """The arrays of an argument; of an array, the array itself. None holds nothing."""
    if type(x) is np.ndarray or isinstance(x, Traced):
        return Tree([x], [place], _only)
    if x is None and place:
        return Tree([], [], lambda leaves: None)
    if not holds_arrays(x):
        return Tree([x], [place], _only)
    keys: Sequence[Any] = list(x) if isinstance(x, Mapping) else range(len(x))
    names = x._fields if _is_named(x) else None
    parts = [tree_of(x[key], place + (f".{names[key]}" if names else f"[{key!r}]")) for key in keys]

    def rebuilt(leaves: Sequence[Any]) -> Any:
        children, start = [], 0
        for part in parts:
            stop = start + len(part.leaves)
            children.append(part.rebuilt(leaves[start:stop]))
            start = stop
        return _like(x, keys, children)

    leaves = [leaf for part in parts for leaf in part.leaves]
    return Tree(leaves, [at for part in parts for at in part.places], rebuilt)


def _like(x: Any, keys: Sequence[Any], children: list[Any]) -> Any:
    """A container of the kind of x that holds other children."""
    if isinstance(x, Mapping):
        made = copy.copy(x) if hasattr(x, "__setitem__") else dict(x)
        for key, child in zip(keys, children, strict=True):
            made[key] = child
        return made
    return type(x)(*children) if _is_named(x) else type(x)(children)


def map_leaves(change: Callable[[Any], Any], x: Any) -> Any:
    """The same containers with each leaf changed; what holds no arrays stays a leaf."""
    tree = tree_of(x)
    return tree.rebuilt([change(leaf) for leaf in tree.leaves])


def joined(leaves: Sequence[Any]) -> Any:
    """Arrays one after another, as a vector; a single one as it is."""
    if len(leaves) == 1:
        return leaves[0]
    return np.concatenate([np.ravel(leaf) for leaf in leaves]) if leaves else np.zeros(0)


def parted(vector: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """What was joined, as arrays of these shapes; further axes stay behind them."""
    if len(shapes) <= 1:
        return [vector] * len(shapes)
    stops = np.cumsum([math.prod(shape) for shape in shapes])
    after = shape_of(vector)[1:]
    parts = np.split(vector, stops[:-1])
    return [np.reshape(part, shape + after) for part, shape in zip(parts, shapes, strict=True)]
