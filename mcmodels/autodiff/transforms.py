"""First derivatives of functions written in NumPy: gradients, Jacobians and their products.

Forward mode computes tangents together with the values; reverse mode records a tape, and computes
cotangents by going through it backwards: Griewank and Walther (2008), *Evaluating Derivatives*, 2nd
ed., §3.1–3.2.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from mcmodels.autodiff.arguments import (
    Argnums,
    kind,
    like_tree,
    real_leaves,
    require_shape,
    result_like,
    returned_array,
    unshared,
)
from mcmodels.autodiff.careful import has_nan
from mcmodels.autodiff.forward import Dual, Forward
from mcmodels.autodiff.recorded import Recorded
from mcmodels.autodiff.refusals import traced_call
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import Traced, constant
from mcmodels.autodiff.trees import Tree

__all__ = [
    "grad",
    "jacobian",
    "jvp",
    "value_and_grad",
    "vjp",
]


_FLOAT64 = np.dtype(np.float64)


def grad(
    f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """The gradient of a scalar function, by reverse mode.

    Parameters
    ----------
    f : callable
        NumPy code that returns a scalar, or an array of one entry.
    argnums : int, str, or sequence of them, default=0
        Positions or names of the arguments to differentiate by. Each is an array, or a dict, list,
        tuple or named tuple of arrays, to any depth. A list of numbers is an array.
    has_aux : bool, default=False
        Whether ``f`` returns a pair ``(value, aux)``, of which only the value is differentiated.

    Returns
    -------
    callable
        Takes the arguments of ``f``. Its result has the shape and floating-point type of the
        argument differentiated by (denominator layout), float64 for integers; for a container of
        arrays, a container like it. A tuple for several arguments. With ``has_aux`` the pair of
        gradient and ``aux``.

    Raises
    ------
    NoRuleError
        When called, if ``f`` uses a function that has no rule, or converts a value that is being
        differentiated to a plain array or number.
    ValueError
        When called, if ``f`` does not return a scalar.
    TypeError
        When called, for arguments that are not real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad
    >>> A = np.array([[2.0, 1.0], [0.0, 3.0]])
    >>> grad(lambda x: x @ A @ x)(np.array([1.0, 1.0]))
    array([5., 7.])
    >>> def loss(params, x):
    ...     return np.sum((params["w"] * x + params["b"]) ** 2)
    >>> gradient = grad(loss)({"w": np.array([1.0, 2.0]), "b": 0.5}, np.array([3.0, 1.0]))
    >>> gradient["w"], float(gradient["b"])
    (array([21.,  5.]), 12.0)
    """

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        recorded = Recorded(f, argnums, args, kwargs, has_aux=has_aux)
        recorded.require_scalar("grad")
        found = recorded.packed(recorded.slopes())
        return (found, recorded.aux) if has_aux else found

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """A scalar function together with its gradient, at hardly more than the cost of the gradient.

    Parameters
    ----------
    f, argnums, has_aux
        As for :func:`grad`, which also lists the errors that are raised.

    Returns
    -------
    callable
        Takes the arguments of ``f``; returns the pair of value and gradient. With ``has_aux`` the
        first of the pair is itself the pair ``(value, aux)``.

    Examples
    --------
    >>> from mcmodels.autodiff import value_and_grad
    >>> value, gradient = value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    >>> float(value), tuple(map(float, gradient))
    (6.0, (3.0, 2.0))
    """

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        recorded = Recorded(f, argnums, args, kwargs, has_aux=has_aux)
        recorded.require_scalar("value_and_grad")
        found = recorded.packed(recorded.slopes())
        return ((recorded.value, recorded.aux) if has_aux else recorded.value), found

    return both


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of a function, and the map from cotangents to gradients.

    Parameters
    ----------
    f : callable
        NumPy code that returns an array.
    *primals : array-like, or containers of arrays
        Its arguments.
    has_aux : bool, default=False
        Whether ``f`` returns a pair ``(value, aux)``, of which only the value is differentiated.

    Returns
    -------
    value : ndarray
        ``f(*primals)``.
    pullback : callable
        Maps u, of the shape of the value, to ``Jᵀu``: an array of the shape of the argument, or a
        container like it; a tuple of them for several.
    aux
        With ``has_aux`` only.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import vjp
    >>> value, pullback = vjp(np.sin, np.array([0.0, np.pi]))
    >>> pullback(np.array([1.0, 10.0]))
    array([  1., -10.])
    """
    # The pullback is called later, when the arrays passed in or returned may have been overwritten.
    argnums = 0 if len(primals) == 1 else tuple(range(len(primals)))
    copies = [_private_copies(real_leaves(x)) for x in primals]
    recorded = Recorded(f, argnums, copies, {}, has_aux=has_aux)
    recorded.require_value()

    def pullback(u: Any) -> Any:
        u = require_shape(u, shape_of(recorded.value), "u", "f returned")
        recorded.require_unchanged()
        return recorded.packed(recorded.pull(u))

    value = _private_copy(recorded.value)
    return (value, pullback, recorded.aux) if has_aux else (value, pullback)


def _private_copies(tree: Tree) -> Any:
    return tree.rebuilt([_private_copy(x) for x in tree.leaves])


def _private_copy(x: Any) -> Any:
    """A copy that no other code can write to."""
    return x if isinstance(x, Traced) else np.array(x)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of a function and its derivative along a direction, by forward mode.

    Parameters
    ----------
    f : callable
        NumPy code that returns an array.
    primals : sequence of array-like, or of containers of arrays
        Its arguments.
    tangents : sequence
        One direction v for each argument, of its shape, or a container like it.

    Returns
    -------
    value : ndarray
        ``f(*primals)``.
    tangent : ndarray, the shape of the value
        ``Jv``.

    Examples
    --------
    >>> from mcmodels.autodiff import jvp
    >>> value, tangent = jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    >>> float(value), float(tangent)
    (6.0, 3.0)
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, Sequence):
            raise TypeError(
                f"{name} must be a tuple with an entry for each argument, as in "
                f"jvp(f, (x,), (v,)); found {kind(given)}."
            )
    if len(primals) != len(tangents):
        raise ValueError(
            f"jvp needs a tangent for each primal; found {len(tangents)} for {len(primals)}."
        )
    tracer = Forward()
    arguments, given = [], []
    for i, (x, v) in enumerate(zip(primals, tangents, strict=True)):
        if _is_plain(x) and _is_plain(v) and x.shape == v.shape:
            arguments.append(Dual(x, tracer, v))
            given += [x, v]
            continue
        tree = real_leaves(x)
        directions = like_tree(v, tree, f"tangents[{i}]", "the argument is")
        points = [x.snapshot() if isinstance(x, Traced) else x for x in tree.leaves]
        duals = [Dual(*parts) for parts in zip(points, repeat(tracer), directions)]
        arguments.append(tree.rebuilt(duals))
        given += [*points, *directions]
    returned = traced_call(f, arguments, {})
    tracer.ended = True
    y = returned_array(returned, tracer)
    if isinstance(y, Dual) and y.tracer is tracer:
        if has_nan(y.tangent):
            return _by_tape(f, primals, tangents)
        return unshared(y.value, given), result_like(y.value, unshared(y.tangent, given))
    return y, result_like(y, np.zeros(shape_of(y)))


def _is_plain(x: Any) -> bool:
    """Whether it is a plain array of float64, as most arguments are."""
    return type(x) is np.ndarray and x.dtype is _FLOAT64


def _by_tape(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, Any]:
    """The value and the derivative along a direction, where quotients may be 0/0."""
    recorded = Recorded(f, tuple(range(len(primals))), primals, {})
    trees = [real_leaves(x) for x in primals]
    directions = [
        v
        for i, (x, tree) in enumerate(zip(tangents, trees, strict=True))
        for v in like_tree(x, tree, f"tangents[{i}]", "the argument is")
    ]
    tangent = recorded.along(directions)
    return recorded.value, result_like(recorded.value, tangent)


def jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """The Jacobian of a function: rows are outputs, columns inputs.

    The function is called once. Its tape is then swept backwards once for each output, or forwards
    once for each input, whichever needs fewer sweeps.

    Parameters
    ----------
    f : callable
        NumPy code that returns an array.
    argnums, has_aux
        As for :func:`grad`.

    Returns
    -------
    callable
        Takes the arguments of ``f``. Its result has the shape of ``f(x)`` followed by that of
        ``x``: (m, n) for a vector of m and a vector of n. For a container of arrays, a container
        like it; a tuple for several arguments. With ``has_aux`` the pair of it and ``aux``.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import jacobian
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[0] ** 2, x[1]]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [4., 0.],
           [0., 1.]])
    """

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        recorded = Recorded(f, argnums, args, kwargs, has_aux=has_aux)
        size = np.size(constant(recorded.value))
        few = [size <= np.size(constant(x)) for x in recorded.points]
        rows = recorded.rows() if any(few) else []
        found = recorded.packed(
            [rows[i] if backwards else recorded.columns(i) for i, backwards in enumerate(few)]
        )
        return (found, recorded.aux) if has_aux else found

    return derivative
