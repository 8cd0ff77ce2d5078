"""Derivatives that the user knows: ``rule``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.captured import kept_options
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import DerivativeRule, NoRuleError, Traced, apply
from mcmodels.autodiff.transforms import vjp
from mcmodels.autodiff.trees import tree_of

__all__ = ["refuse_traced", "rule"]


def rule(
    *,
    vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a function its derivative, where it calls what cannot be followed, or by a better way.

    One of the two is enough: the other is its transpose, which is derived from it. Both are NumPy
    code, and are differentiated themselves for second derivatives. Whether they are right is
    checked by :func:`mcmodels.check_rule`.

    Parameters
    ----------
    vjp : callable, default=None
        ``vjp(g, y, *args, **kwargs)`` returns ``Jᵢᵀg`` for each positional argument of the
        function, in a tuple; None for an argument without a derivative. For a single argument it
        may return the array itself. g has the shape of the result y.
    jvp : callable, default=None
        ``jvp(tangents, y, *args, **kwargs)`` returns ``Σᵢ Jᵢ vᵢ``, in the shape of y. The tangents
        are a tuple with one array for each positional argument; zeros for those that do not vary.

    Returns
    -------
    callable
        A decorator of functions that take arrays, and return one array. Keyword arguments are not
        differentiated.

    Raises
    ------
    TypeError
        If neither is given.
    NoRuleError
        When a derivative is taken by an argument that has none.

    Notes
    -----
    Source: Griewank and Walther (2008), *Evaluating Derivatives*, 2nd ed., §3.1–3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, rule
    >>> import math
    >>> @rule(vjp=lambda g, y, x: g * 2 / np.sqrt(np.pi) * np.exp(-(x**2)))
    ... def erf(x):
    ...     return np.array([math.erf(number) for number in x])
    >>> grad(lambda x: np.sum(erf(x)))(np.array([0.0, 1.0])).round(4)
    array([1.1284, 0.4151])
    """
    if vjp is None and jvp is None:
        raise TypeError("rule needs vjp=…, jvp=…, or both.")

    given = _Given(vjp, jvp)

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        name = getattr(f, "__qualname__", repr(f))

        def function(*args: Any, **kwargs: Any) -> Any:
            returned = f(*args, **kwargs)
            refuse_traced([returned], name)
            return np.asarray(returned)

        known = DerivativeRule(
            name,
            function,
            inspect.getdoc(f) or name,
            functools.partial(given.push, name),
            functools.partial(given.pull, name),
        )

        @functools.wraps(f)
        def ruled(*args: Any, **kwargs: Any) -> Any:
            for key, value in kwargs.items():
                if any(isinstance(leaf, Traced) for leaf in tree_of(value).leaves):
                    raise NoRuleError(
                        f"{name} has no rule for the derivative by its keyword argument {key!r}; "
                        "only positional arguments are differentiated."
                    )
            return apply(known, args, kept_options(kwargs))

        return ruled

    return decorate


def refuse_traced(leaves: Sequence[Any], name: str) -> None:
    """Refuse what a function returned where it holds a value that is being differentiated."""
    if any(isinstance(leaf, Traced) for leaf in leaves):
        raise NoRuleError(
            f"{name} computes with a value that is being differentiated and is none of its "
            "arguments; make it a positional argument."
        )


class _Given:
    """The maps of a derivative, of which one may be missing: it is the transpose of the other."""

    def __init__(self, vjp: Callable[..., Any] | None, jvp: Callable[..., Any] | None) -> None:
        self._vjp, self._jvp = vjp, jvp

    def push(
        self, name: str, i: int, dx: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        """``Jᵢ dx``."""
        if self._jvp is None:
            zero = np.zeros(shape_of(y))
            return vjp(lambda g: self.pull(name, i, g, y, args, kwargs), zero)[1](dx)
        tangents = [dx if k == i else np.zeros(shape_of(x)) for k, x in enumerate(args)]
        found = self._jvp(tuple(tangents), y, *args, **kwargs)
        return _of_shape(found, shape_of(y), f"jvp of {name}", "the result")

    def pull(
        self, name: str, i: int, g: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        """``Jᵢᵀ g``."""
        shape = shape_of(args[i])
        if self._vjp is None:
            zero = np.zeros(shape)
            return vjp(lambda v: self.push(name, i, v, y, args, kwargs), zero)[1](g)
        found = self._vjp(g, y, *args, **kwargs)
        parts = found if isinstance(found, tuple) else (found,)
        if len(parts) != len(args):
            raise ValueError(
                f"vjp of {name} returned {len(parts)} parts; it must return one for each of the "
                f"{len(args)} positional arguments."
            )
        if parts[i] is None:
            raise NoRuleError(f"{name} has no rule for the derivative by its argument {i + 1}.")
        return _of_shape(parts[i], shape, f"vjp of {name}", f"argument {i + 1}")


def _of_shape(found: Any, shape: tuple[int, ...], what: str, of: str) -> Any:
    if shape_of(found) != shape:
        raise ValueError(f"{what} returned shape {shape_of(found)}; {of} has shape {shape}.")
    return found
