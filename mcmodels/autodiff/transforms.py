"""Derivatives of functions written in NumPy: gradients, Jacobians, Hessians and their products.

Forward mode computes tangents together with the values; reverse mode records a tape, and computes
cotangents by going through it backwards: Griewank and Walther (2008), *Evaluating Derivatives*, 2nd
ed., §3.1–3.2. Hessians are forward derivatives of reverse gradients: §5.1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.arguments import (
    Argnums,
    positions_of,
    real_array,
    require_shape,
    result_like,
    returned_array,
    unshared,
)
from mcmodels.autodiff.forward import Dual, Forward
from mcmodels.autodiff.recorded import Recorded
from mcmodels.autodiff.refusals import traced_call
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import Traced, constant

__all__ = [
    "grad",
    "hessian",
    "hessian_vector_product",
    "jacobian",
    "jvp",
    "value_and_grad",
    "vjp",
]


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The gradient of a scalar function, by reverse mode.

    Parameters
    ----------
    f : callable
        NumPy code that returns a scalar.
    argnums : int or sequence of int, default=0
        Positions of the arguments to differentiate by.

    Returns
    -------
    callable
        Takes the arguments of ``f``. Its result has the shape and floating-point type of the
        argument differentiated by (denominator layout), float64 for integers. A tuple for several
        arguments.

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
    """
    both = value_and_grad(f, argnums)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A scalar function together with its gradient, at hardly more than the cost of the gradient.

    Parameters
    ----------
    f, argnums
        As for :func:`grad`, which also lists the errors that are raised.

    Returns
    -------
    callable
        Takes the arguments of ``f``; returns the pair of value and gradient.

    Examples
    --------
    >>> from mcmodels.autodiff import value_and_grad
    >>> value, gradient = value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    >>> float(value), tuple(map(float, gradient))
    (6.0, (3.0, 2.0))
    """

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        recorded = Recorded(f, argnums, args, kwargs)
        recorded.require_scalar("grad")
        return recorded.value, recorded.packed(
            recorded.pull(np.ones_like(constant(recorded.value)))
        )

    return both


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The value of a function, and the map from cotangents to gradients.

    Parameters
    ----------
    f : callable
        NumPy code that returns an array.
    *primals : array-like
        Its arguments.

    Returns
    -------
    value : ndarray
        ``f(*primals)``.
    pullback : callable
        Maps u, of the shape of the value, to ``Jᵀu``: an array of the shape of the argument, a
        tuple of them for several.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import vjp
    >>> value, pullback = vjp(np.sin, np.array([0.0, np.pi]))
    >>> pullback(np.array([1.0, 10.0]))
    array([  1., -10.])
    """
    # The pullback is called later, when the arrays passed in or returned may have been overwritten.
    primals = tuple(map(_private_copy, map(real_array, primals)))
    recorded = Recorded(f, tuple(range(len(primals))), primals, {})

    def pullback(u: Any) -> Any:
        found = recorded.pull(require_shape(u, shape_of(recorded.value), "u", "f returned"))
        return found[0] if len(primals) == 1 else tuple(found)

    return _private_copy(recorded.value), pullback


def _private_copy(x: Any) -> Any:
    """A copy that no other code can write to."""
    return x if isinstance(x, Traced) else np.array(x)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of a function and its derivative along a direction, by forward mode.

    Parameters
    ----------
    f : callable
        NumPy code that returns an array.
    primals : sequence of array-like
        Its arguments.
    tangents : sequence of array-like
        One direction v for each argument, of its shape.

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
    if len(primals) != len(tangents):
        raise ValueError(
            f"jvp needs a tangent for each primal; found {len(tangents)} for {len(primals)}."
        )
    tracer = Forward()
    inputs = []
    for i, (x, v) in enumerate(zip(map(real_array, primals), tangents, strict=True)):
        direction = require_shape(v, shape_of(x), f"tangents[{i}]", "the argument is")
        inputs.append(Dual(x, tracer, direction))
    y = returned_array(traced_call(f, inputs, {}), tracer)
    if isinstance(y, Dual) and y.tracer is tracer:
        given = [part for x in inputs for part in (x.value, x.tangent)]
        return unshared(y.value, given), result_like(y.value, unshared(y.tangent, given))
    return y, result_like(y, np.zeros(shape_of(y)))


def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The Jacobian of a function: rows are outputs, columns inputs.

    The function is called once. Its tape is then swept backwards once for each output, or forwards
    once for each input, whichever needs fewer sweeps.

    Parameters
    ----------
    f : callable
        NumPy code that returns an array.
    argnums : int or sequence of int, default=0
        Positions of the arguments to differentiate by.

    Returns
    -------
    callable
        Takes the arguments of ``f``. Its result has the shape of ``f(x)`` followed by that of
        ``x``: (m, n) for a vector of m and a vector of n. A tuple for several arguments.

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
        recorded = Recorded(f, argnums, args, kwargs)
        size = np.size(constant(recorded.value))
        few = [size <= np.size(constant(x)) for x in recorded.points]
        rows = recorded.rows() if any(few) else []
        return recorded.packed(
            [rows[i] if backwards else recorded.columns(i) for i, backwards in enumerate(few)]
        )

    return derivative


def hessian(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """The Hessian of a scalar function, by forward sweeps over its reverse gradient.

    Parameters
    ----------
    f : callable
        NumPy code that returns a scalar.
    argnum : int, default=0
        Position of the argument to differentiate by.

    Returns
    -------
    callable
        Takes the arguments of ``f``. Its result has the shape of ``x`` twice: (n, n) for a vector
        of n. For a matrix the entries are in C order, unlike the vec convention of
        :mod:`mcmodels.calculus`.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """

    @functools.wraps(f)
    def second(*args: Any, **kwargs: Any) -> Any:
        recorded = Recorded(grad(f, argnum), argnum, args, kwargs)
        return recorded.columns(0)

    return second


def hessian_vector_product(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """The Hessian of a scalar function times a vector, without the Hessian: forward over reverse.

    Parameters
    ----------
    f : callable
        NumPy code that returns a scalar.
    argnum : int, default=0
        Position of the argument x to differentiate by.

    Returns
    -------
    callable
        Takes the arguments of ``f``, then the vector, which has the shape of x. The result has the
        same shape.

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
        *arguments, vector = args
        (k,) = positions_of(argnum, arguments)
        x = real_array(arguments[k])
        vector = require_shape(vector, shape_of(x), "the vector", "the argument is")

        def gradient(x: Any) -> Any:
            return grad(f, k)(*arguments[:k], x, *arguments[k + 1 :], **kwargs)

        return jvp(gradient, (x,), (vector,))[1]

    return product
