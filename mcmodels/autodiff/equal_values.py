"""Which values are known to be equal, or multiples of each other.

On a tape two values are equal if the same function made them of equal arguments. Each is a linear
form: a sum of multiples of values that no sum or multiple made. So ``2 * x`` is known to be twice
x, and ``x + 1`` written twice to be one value. Nothing is recorded for this: the tape is read when
a recognised form asks.

In forward mode a value and its tangent are all that the derivative sees, so they are compared. At 0
that does not say what a quotient of two values tends to, so there no multiple is known.

Value numbering: Cocke and Schwartz (1970), *Programming Languages and Their Compilers*, New York
University.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.captured import SMALL
from mcmodels.autodiff.tracing import Traced

__all__ = ["LinearForms", "equal", "is_multiple", "ratio", "ratio_of"]

_DEEPEST = 12  # functions of functions that are looked through
_MOST = 8  # terms of a linear form
_ONE = "1"
_ROUNDING = 4 * float(np.finfo(float).eps)  # relative, of a product and a quotient

# Coefficients by the keys of values; the number 1 has the key "1".
Form = dict[Hashable, float]


class LinearForms:
    """The linear forms of the values on a tape.

    Parameters
    ----------
    entries : list
        The lines of the tape.
    """

    def __init__(self, entries: Sequence[Any]) -> None:
        self._entries = entries
        self._found: dict[int, Form] = {}
        # Numbers for the keys of values, which hold those of their arguments: below 0, as those of
        # inputs are their lines.
        self._numbers: dict[Hashable, int] = {}

    def of(self, line: int, depth: int = _DEEPEST) -> Form:
        """The value of a line as a sum of multiples of others."""
        found = self._found.get(line)
        if found is not None:
            return found
        rule, _, values, kwargs, parents = self._entries[line]
        if rule is None or not depth:
            return {line: 1.0}
        lines = dict(parents)
        forms = [
            self.of(lines[i], depth - 1) if i in lines else _plain_form(value)
            for i, value in enumerate(values)
        ]
        combine = _LINEAR.get(rule.function) if not kwargs else None
        form = None if combine is None else combine(*forms)
        if form is None or len(form) > _MOST:
            key = (
                id(rule),
                tuple(frozenset(part.items()) for part in forms),
                tuple((name, _key(value)) for name, value in kwargs.items()),
            )
            form = {self._numbers.setdefault(key, -1 - len(self._numbers)): 1.0}
        self._found[line] = form
        return form

    def first_lines(self, last: int) -> list[int]:
        """For each line up to this one the first with the same value."""
        known: dict[Hashable, int] = {}
        return [
            known.setdefault(frozenset(self.of(line).items()), line) for line in range(last + 1)
        ]


def _sum(a: Form, b: Form) -> Form:
    total = dict(a)
    for key, c in b.items():
        total[key] = total.get(key, 0.0) + c
    return {key: c for key, c in total.items() if c}


def _multiple(a: Form, factor: float) -> Form:
    return {key: c * factor for key, c in a.items()}


def _product(a: Form, b: Form) -> Form | None:
    if a.keys() == {_ONE}:
        a, b = b, a
    return _multiple(a, b[_ONE]) if b.keys() == {_ONE} else None


def _quotient(a: Form, b: Form) -> Form | None:
    return _multiple(a, 1.0 / b[_ONE]) if b.keys() == {_ONE} else None


_LINEAR: dict[Any, Any] = {
    np.add: _sum,
    np.subtract: lambda a, b: _sum(a, _multiple(b, -1.0)),
    np.negative: lambda a: _multiple(a, -1.0),
    np.positive: lambda a: a,
    np.multiply: _product,
    np.divide: _quotient,
}


def _plain_form(value: Any) -> Form:
    if isinstance(value, float | int | np.floating | np.integer) and value != 0:
        return {_ONE: float(value)}
    return {_key(value): 1.0}


def _key(value: Any) -> Hashable:
    """A key of a constant: equal for equal numbers, small arrays, and the same large array."""
    if isinstance(value, np.ndarray):
        if value.size <= SMALL and not value.dtype.hasobject:
            return value.shape, value.dtype.str, value.tobytes()
        return id(value)
    if isinstance(value, Traced):  # of another derivative
        parts = (value.tracer, value.value, getattr(value, "tangent", None))
        return getattr(value, "line", None), *map(id, parts)
    if isinstance(value, tuple | list):
        return type(value), *map(_key, value)
    if isinstance(value, slice):
        return slice, *map(_key, (value.start, value.stop, value.step))
    return (type(value), value) if isinstance(value, Hashable) else id(value)


def ratio_of(a: Form, b: Form) -> float | None:
    """The number c with a = c b, if there is one."""
    if not b or a.keys() != b.keys():
        return None
    ratios = {a[key] / c for key, c in b.items()}
    return ratios.pop() if len(ratios) == 1 else None


def equal(u: Any, v: Any) -> bool:
    """Whether two values of the same derivatives, or plain arrays, are equal."""
    if isinstance(u, Traced) or isinstance(v, Traced):
        same_tracer = isinstance(u, Traced) and isinstance(v, Traced) and u.tracer is v.tracer
        return same_tracer and u.tracer.same(u, v)
    return np.array_equal(u, v)


def ratio(u: Any, v: Any) -> float | None:
    """The number c with u = c v, if one is known: of arrays without zeros, up to rounding."""
    if isinstance(u, Traced) or isinstance(v, Traced):
        same_tracer = isinstance(u, Traced) and isinstance(v, Traced) and u.tracer is v.tracer
        return u.tracer.ratio(u, v) if same_tracer else None
    a, b = np.asarray(u), np.asarray(v)
    if a.shape != b.shape or not a.size or not b.all():
        return None
    c = float(a.flat[0] / b.flat[0])
    return c if is_multiple(a, b, c) else None


def is_multiple(u: Any, v: Any, c: float) -> bool:
    """Whether u = c v, up to rounding."""
    if isinstance(u, Traced) or isinstance(v, Traced):
        found = ratio(u, v)
        return found is not None and abs(found - c) <= _ROUNDING * abs(c)
    return bool(np.all(np.abs(u - c * v) <= _ROUNDING * np.abs(u)))
