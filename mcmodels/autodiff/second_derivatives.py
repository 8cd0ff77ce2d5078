"""Hessians, and their products with vectors: forward derivatives of reverse gradients.

Griewank and Walther (2008), *Evaluating Derivatives*, 2nd ed., §5.1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from mcmodels.autodiff.arguments import (
    Argnums,
    is_single,
    like_tree,
    places_of,
    real_leaves,
)
from mcmodels.autodiff.recorded import Recorded
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.transforms import jvp
from mcmodels.autodiff.trees import joined, parted

__all__ = ["hessian", "hessian_vector_product"]


def hessian(
    f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """The Hessian of a scalar function, by forward sweeps over its reverse gradient.

    Parameters
    ----------
    f : callable
        NumPy code that returns a scalar.
    argnums : int, str, or sequence of them, default=0
        As for :func:`grad`.
    has_aux : bool, default=False
        Whether ``f`` returns a pair ``(value, aux)``, of which only the value is differentiated.

    Returns
    -------
    callable
        Takes the arguments of ``f``. Its result has the shape of ``x`` twice: (n, n) for a vector
        of n. For a matrix the entries are in C order, unlike the vec convention of
        :mod:`mcmodels.calculus`.

        For several arguments, a tuple of tuples: the entry ``[i][j]`` has the derivatives by
        argument i and then by argument j, and their shapes one after the other. For a dict of
        arrays, a dict of dicts, and so for other containers. With ``has_aux`` the pair of Hessian
        and ``aux``.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    >>> blocks = hessian(lambda p: p["a"] ** 2 * p["b"])({"a": 1.0, "b": 2.0})
    >>> float(blocks["a"]["a"]), float(blocks["a"]["b"]), float(blocks["b"]["b"])
    (4.0, 2.0, 0.0)
    """

    @functools.wraps(f)
    def second(*args: Any, **kwargs: Any) -> Any:
        places = places_of(argnums, f, args, kwargs)
        wanted: Argnums = places[0] if is_single(argnums) else places
        slopes = functools.partial(_all_slopes, f, "hessian", places, has_aux)
        recorded = Recorded(slopes, wanted, args, kwargs, has_aux=has_aux)
        shapes = [shape_of(x) for x in recorded.points]
        columns = [parted(recorded.columns(j), shapes) for j in range(len(shapes))]
        found = recorded.packed([recorded.packed(row) for row in zip(*columns, strict=True)])
        return (found, recorded.aux) if has_aux else found

    return second


def _all_slopes(
    f: Callable[..., Any], operator: str, places: Any, has_aux: bool, *args: Any, **kwargs: Any
) -> Any:
    """The gradient by all arrays of some arguments: one after another, of a single one as it is."""
    recorded = Recorded(f, places, args, kwargs, has_aux=has_aux)
    recorded.require_scalar(operator)
    found = joined(recorded.slopes())
    return (found, recorded.aux) if has_aux else found


def hessian_vector_product(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The Hessian of a scalar function times a vector, without the Hessian: forward over reverse.

    Parameters
    ----------
    f : callable
        NumPy code that returns a scalar.
    argnums : int, str, or sequence of them, default=0
        As for :func:`grad`.

    Returns
    -------
    callable
        Takes the arguments of ``f``, then the vector, which has the shape of x, or is a container
        like it; a tuple of them for several arguments. The result is like the vector.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import hessian_vector_product
    >>> product = hessian_vector_product(lambda x: np.sum(x**3))
    >>> product(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """

    @functools.wraps(f)
    def product(*args: Any, **kwargs: Any) -> Any:
        if len(args) + len(kwargs) < 2:
            raise TypeError(
                "hessian_vector_product(f) takes the arguments of f, and then the vector; found "
                f"{len(args) + len(kwargs)} in all."
            )
        *arguments, vector = args
        places = places_of(argnums, f, arguments, kwargs)
        single = is_single(argnums)
        if not single and len(vector) != len(places):
            raise ValueError(
                f"the vector has {len(vector)} parts, and argnums names {len(places)} arguments."
            )
        points = [kwargs[k] if isinstance(k, str) else arguments[k] for k in places]
        vectors = [vector] if single else list(vector)
        trees = [real_leaves(x) for x in points]
        tangents = [
            tree.rebuilt(like_tree(v, tree, "the vector", "the argument is"))
            for v, tree in zip(vectors, trees, strict=True)
        ]

        def slopes(*points: Any) -> Any:
            moved, named = list(arguments), dict(kwargs)
            for k, x in zip(places, points, strict=True):
                if isinstance(k, str):
                    named[k] = x
                else:
                    moved[k] = x
            return _all_slopes(f, "hessian_vector_product", places, False, *moved, **named)

        shapes = [shape_of(x) for tree in trees for x in tree.leaves]
        parts = parted(jvp(slopes, points, tangents)[1], shapes)
        packed, start = [], 0
        for tree in trees:
            stop = start + len(tree.leaves)
            packed.append(tree.rebuilt(parts[start:stop]))
            start = stop
        return packed[0] if single else tuple(packed)

    return product
