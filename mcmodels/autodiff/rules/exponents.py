"""Exponents of exponentials that are written otherwise: ``2**x``, ``np.exp(x)**2``, their products.

Such a value remembers its exponent as a sum of multiples, which is computed when a form asks for
it. So ``np.log(1 + 2.0**x)`` and ``np.log(1 + np.exp(x)**2)`` are logarithms of sums of
exponentials, too.
"""

from __future__ import annotations

import math
from typing import Any

from mcmodels.autodiff.rules.origins import is_number, made, origin
from mcmodels.autodiff.tracing import CHANGED, Origin, Traced, is_complex

__all__ = ["KINDS", "exponent_of", "negative_of", "of_number", "power", "product", "quotient"]

# The origins of exponentials: of one value, and of a sum of multiples of values.
KINDS = frozenset(("exp", "exponent"))
_MOST = 4  # terms of a sum

Terms = list[tuple[float, Any]]


def _terms(x: Any) -> Terms | None:
    """The exponent of an exponential as multiples of values; of a positive number its logarithm."""
    if not isinstance(x, Traced):
        if not (is_number(x) and 0 < x < math.inf):
            return None
        return [] if x == 1 else [(math.log(x), 1.0)]
    if (found := origin(x, "exp")) is not None:
        return [(1.0, found[0])]
    found = origin(x, "exponent")
    return None if found is None else list(zip(found[::2], found[1::2], strict=True))


def _may_be_exponential(x: Any) -> bool:
    """Whether a value may be an exponential, or is a number; it is not yet looked into."""
    if isinstance(x, Traced):
        return x.origin is not None and (x.origin[0] in KINDS or x.origin[0] == CHANGED)
    return is_number(x)


def exponent_of(x: Any) -> Any:
    """The u with x = exp(u), for an exponential or a positive number; else None."""
    if not isinstance(x, Traced):
        return float(math.log(x)) if is_number(x) and 0 < x < math.inf else None
    if x.origin is None:
        return None
    if (found := origin(x, "exp")) is not None:
        return found[0]
    terms = _terms(x)
    if not terms:
        return None
    total = None
    for c, u in terms:
        part = u if c == 1.0 else negative_of(u) if c == -1.0 else c * u
        total = part if total is None else total + part
    return total


def negative_of(u: Any) -> Any:
    """``-u``, and u for what was made as -u."""
    found = origin(u, "negative")
    return -u if found is None else found[0]


def _remembered(terms: Terms | None) -> Origin | None:
    if not terms or len(terms) > _MOST or not any(isinstance(u, Traced) for _, u in terms):
        return None
    return made("exponent", *(part for term in terms for part in term))


def of_number(base: float, u: Any) -> Origin | None:
    """What ``base**u`` remembers."""
    if not (0 < base < math.inf) or base == 1 or is_complex(u):
        return None
    return made("exponent", math.log(base), u)


def power(x: Any, k: float) -> Origin | None:
    """What the power k of an exponential remembers; None if it is none."""
    terms = _terms(x) if k != 0 and isinstance(x, Traced) and _may_be_exponential(x) else None
    return None if terms is None else _remembered([(k * c, u) for c, u in terms])


def product(a: Any, b: Any) -> Origin | None:
    """What the product of two exponentials remembers; None if one of them is none."""
    return _joined(a, b, 1.0)


def quotient(a: Any, b: Any) -> Origin | None:
    """What the quotient of two exponentials, or positive numbers, remembers."""
    return _joined(a, b, -1.0)


def _joined(a: Any, b: Any, sign: float) -> Origin | None:
    if not (_may_be_exponential(a) and _may_be_exponential(b)):
        return None
    first, second = _terms(a), _terms(b)
    if first is None or second is None:
        return None
    total = list(first)
    for c, u in second:
        for k, (before, v) in enumerate(total):
            if u is v:
                total[k] = (before + sign * c, v)
                break
        else:
            total.append((sign * c, u))
    return _remembered([(c, u) for c, u in total if c != 0])
