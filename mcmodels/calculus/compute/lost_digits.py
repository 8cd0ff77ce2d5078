"""Whether a value in float64 has lost its digits: terms cancelled, or small ones were absorbed.

Parts that may have lost digits are seen while the value is computed. It is computed again, with
each result changed by some units in the last place, and with the values given changed a little.
Where the first changes it much more than the second explains, the digits are lost by the formula,
and not by the question: Vignes (1993), Mathematics and Computers in Simulation 35(3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.digits.noise import is_exact
from mcmodels.calculus.compute.undefined import takes_step_or_sign
from mcmodels.calculus.compute.underflows import has_underflowed
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import UnitAt
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.plain import np
from mcmodels.user_warnings import LostDigitsWarning, warn_user

__all__ = ["DIGITS", "Choices", "Doubt", "Noise", "digits_left", "warn_of_lost_digits"]

DIGITS = 15.0
"""Those of a float64."""
Changed = Callable[[Expression, list[Array], Array], Array]

_LARGEST = 256  # entries of a part that is looked at: beyond, it takes time, and terms average out
_CANCELLED = 1e-4  # of the largest term
_ABSORBED = 1e-9  # of the sum
_HIGH = 1e4  # an exponent that magnifies rounding
_LOW = 8.0  # one that does not
_NOISE = 2.0**-50  # relative: 4 units in the last place
_MOVE = 1e-10  # relative, of the values given
_RUNS = 3
_LOST = 1e-6  # relative: nine digits of fifteen are lost
_MORE_THAN_GIVEN = 100.0  # times what a rounding of the values given explains
_WHOLE = 2.0**50
_DRAWN = 1024
_MOVED = (N.Transpose, N.Vec, N.Unvec, N.Stack, N.Diagonal, N.DiagonalMatrix)
_LINEAR = (*_MOVED, N.Scaled, N.Hadamard, N.Product, N.Selection, N.Kron)
_ARITHMETIC = (N.Sum, N.Scaled, N.Hadamard, N.Product, N.Total, N.Trace, N.Power, N.Kron)


class Doubt:
    """What was seen while a value was computed.

    Attributes
    ----------
    of_digits : bool
        Whether terms have cancelled, or a small one was absorbed where that counts.
    of_range : list of Expression
        The parts that have underflowed.
    watched : mapping of bytes to bool
        The keys of the parts that are looked at, and whether it counts what they absorb.
    underflows : bool
        Whether something has underflowed since the last part.
    """

    def __init__(self, expression: Expression) -> None:
        self.of_digits = self.underflows = False
        self.of_range: list[Expression] = []
        self.watched = _watched(expression)

    def see(self, part: Expression, children: list[Array], result: Array) -> None:
        """Look at a part, the values of its children and its own."""
        if self.underflows:
            if has_underflowed(part, children, result):
                self.of_range.append(part)
            self.underflows = False
        counts = self.watched.get(part.key)
        if counts is None or self.of_digits or not children or result.size > _LARGEST:
            return
        if isinstance(part, N.Power):
            self.of_digits = bool(np.abs(children[1]).max() > _HIGH)
        else:
            self.of_digits = _loses_digits(children, result, _ABSORBED if counts else 0.0)
        self.underflows = False

    def underflow(self, kind: str, flag: int) -> None:
        """What NumPy calls at an underflow."""
        self.underflows = True


@lru_cache(maxsize=512)
def _watched(expression: Expression) -> dict[bytes, bool]:
    """Keys of the parts that may lose digits which the values given have.

    With each of them, whether something around it magnifies its rounding: where there are only
    products, low powers, and sums that are watched themselves, what is absorbed does not count.
    """
    magnified: dict[bytes, bool] = {expression.key: False}
    watched: dict[bytes, bool] = {}
    for part in reversed(list(parts_of(expression))):  # parents before children
        within = magnified[part.key] or not _keeps_digits(part)
        for child in part.children:
            magnified[child.key] = within or magnified.get(child.key, False)
        if _may_lose_digits(part):
            watched[part.key] = magnified[part.key]
    return watched


def _keeps_digits(part: Expression) -> bool:
    """Whether its relative error is a few times that of its children, unless it is seen."""
    if isinstance(part, N.Power):
        return isinstance(part.exponent, N.Number) and abs(float(part.exponent.value)) <= _LOW
    if isinstance(part, N.Sum):
        return part.is_scalar
    return isinstance(part, (*_MOVED, N.Scaled, N.Hadamard))


@lru_cache(maxsize=512)
def _may_choose(expression: Expression) -> bool:
    return any(map(_chooses, parts_of(expression)))


def _chooses(part: Expression) -> bool:
    return isinstance(part, F.Where) or takes_step_or_sign(part)


def _may_lose_digits(part: Expression) -> bool:
    if isinstance(part, N.Power):
        exponent = part.exponent
        return not isinstance(exponent, N.Number) or abs(float(exponent.value)) > _HIGH
    if not isinstance(part, N.Sum):
        return False
    # What is left of sums of products of symbols has the digits that they have. A number given may
    # be absorbed in a constant.
    if len(part.children) == 2 and all(map(_is_given, part.children)):
        return False  # it is rounded once, and to 0 only where it is 0
    constant = any(not child.used for child in part.children)
    return part.is_scalar or constant or not all(map(_is_multilinear, part.children))


def _is_given(term: Expression) -> bool:
    """Whether it is a value given, without rounding: a symbol, an entry of one, minus one."""
    if isinstance(term, N.Symbol):
        return True
    if not is_exact(term):
        return False
    arrays = [child for child in term.children if not _is_place(child)]
    return all(map(_is_given, arrays))


def _is_place(factor: Expression) -> bool:
    inner = factor.argument if isinstance(factor, N.Transpose) else factor
    return isinstance(inner, N.Unit | UnitAt | N.Selection)


def _is_multilinear(term: Expression) -> bool:
    symbols: list[Expression] = []
    waiting = [term]
    while waiting:
        part = waiting.pop()
        if isinstance(part, N.Symbol):
            symbols.append(part)
        elif isinstance(part, _LINEAR) or not part.used:
            waiting.extend(part.children)
        else:
            return False
    return len(symbols) == len(set(symbols))


def _loses_digits(children: list[Array], result: Array, absorbed: float) -> bool:
    """Whether a sum is much smaller than a term, or a term than a share ``absorbed`` of it."""
    if result.size == 1 and all(child.size == 1 for child in children):
        size = abs(result.item())
        for child in children:
            term = abs(child.item())
            if size < _CANCELLED * term or 0 < term < absorbed * size:
                return True
        return False
    sizes = np.abs(result)
    high, low = sizes / _CANCELLED, sizes * absorbed
    for child in children:
        each = np.abs(child)
        within = (each <= high) & (each >= low)
        if not within.all() and (~within & (each != 0)).any():
            return True
    return False


class Choices:
    """What is chosen at a point, so that it is chosen again where values change a little.

    Attributes
    ----------
    has_ties : bool
        Whether something stands at the boundary of a choice.
    """

    def __init__(self) -> None:
        self._chosen: dict[bytes, Array] = {}
        self.has_ties = False

    def seen(self, part: Expression, children: list[Array], result: Array) -> Array:
        """Remember what a part chooses."""
        if _chooses(part):
            self._chosen[part.key] = children[0] > 0 if isinstance(part, F.Where) else result
            self.has_ties = self.has_ties or not children[0].all()
        return result

    def again(self, part: Expression, children: list[Array], result: Array) -> Array:
        """The value of a part with what it chose then."""
        chosen = self._chosen.get(part.key)
        if chosen is None:
            return result
        return np.where(chosen, *children[1:]) if isinstance(part, F.Where) else chosen


class Noise:
    """Changes of results in their last digits, by random numbers.

    Parameters
    ----------
    seed : int
    choices : Choices
    """

    def __init__(self, seed: int, choices: Choices) -> None:
        self._units, self._next = _units(seed), 0
        self._choices = choices

    def changed(self, part: Expression, children: list[Array], result: Array) -> Array:
        """A result with its last digits changed, unless it is exact."""
        if not children or is_exact(part):
            return self._choices.again(part, children, result)
        if isinstance(part, _ARITHMETIC) and all(map(_is_whole, (*children, result))):
            return result
        units = self._drawn(result.shape)
        size: Any = result
        if isinstance(part, N.Sum):
            size = _rounded_size(children)
        elif isinstance(part, N.Elementwise) and _is_whole(2 * result):
            units = units * (children[0] != 0)  # exp(0) = 1, and cos(0), are exact
        return result + units * (_NOISE * size)

    def _drawn(self, shape: tuple[int, ...]) -> Array:
        """The next of the random numbers, which begin again behind the last."""
        start, count = self._next, math.prod(shape)
        self._next += count
        if self._next <= len(self._units):
            return self._units[start : self._next].reshape(shape)
        self._next = start = (start + 1) % 61  # another number each time
        return np.resize(self._units[start:], shape)


@lru_cache(maxsize=_RUNS)
def _units(seed: int) -> Array:
    """Numbers of random signs between a half and one in size: to draw some anew takes longer."""
    rng = np.random.default_rng(seed)
    return rng.choice((-1.0, 1.0), _DRAWN) * rng.uniform(0.5, 1.0, _DRAWN)


def _rounded_size(terms: list[Array]) -> Any:
    """The sum of the sizes of some arrays; 0 where they are added without rounding.

    Knuth, The Art of Computer Programming, volume 2, section 4.2.2.
    """
    added: list[Any] = list(terms)
    if all(term.size == 1 for term in terms):
        added = [term.item() for term in terms]
    total: Any = added[0]
    rounds: Any = False
    for term in added[1:]:
        found = total + term
        part = found - total
        rounds = rounds | ((total - (found - part)) + (term - part) != 0)
        total = found
    return rounds * sum(map(abs, added))


def _is_whole(array: Array) -> bool:
    if array.size == 1:
        number = array.item()
        return abs(number) < _WHOLE and number == round(number)
    return bool((np.abs(array) < _WHOLE).all() and (array == np.round(array)).all())


def digits_left(
    expression: Expression,
    compute: Callable[[Mapping[N.Symbol, Array], Changed], Array],
    given: Mapping[N.Symbol, Array],
    result: Array,
    choices: Choices,
) -> float:
    """The digits of the worst entry; 15 where no more than nine are lost, or by what was given.

    Parameters
    ----------
    expression : Expression
    compute : callable
        The value, from those of symbols and a function that replaces the values of parts.
    given : mapping of Symbol to array
    result : ndarray
        The value that is judged.
    choices : Choices
        Takes those that are made at this point.
    """
    if _may_choose(expression):
        compute(given, choices.seen)
    by_rounding = np.zeros(result.shape)
    for seed in range(_RUNS):
        noisy = compute(given, Noise(seed, choices).changed)
        by_rounding = np.fmax(by_rounding, np.abs(noisy - result))
    lost = by_rounding > _LOST * np.abs(result)
    by_what_is_given = np.zeros(result.shape)
    for seed in range(_RUNS):
        if not lost.any():
            break
        rng = np.random.default_rng(seed)
        moved = {
            symbol: array * (1 + _MOVE * rng.choice((-1.0, 1.0), array.shape))
            if "integer" not in symbol.declared
            else array
            for symbol, array in given.items()
        }
        by_what_is_given = np.fmax(by_what_is_given, np.abs(compute(moved, choices.again) - result))
        explained = _MORE_THAN_GIVEN * by_what_is_given * (_NOISE / _MOVE)
        lost &= ~(by_rounding <= explained)
    if not lost.any():
        return DIGITS
    size = np.abs(result)[lost]
    share = float(np.max(np.where(size > 0, by_rounding[lost] / np.maximum(size, 1e-300), 1.0)))
    return max(0.0, -math.log10(share)) if math.isfinite(share) and share > 0 else 0.0


def warn_of_lost_digits(expression: Expression, left: float) -> None:
    """Say how many digits a value has."""
    warn_user(
        f"{expression} keeps about {int(left)} of 15 digits here: terms cancel in it. "
        "evaluate(…, digits=20) gives all of them, by mpmath",
        LostDigitsWarning,
    )
