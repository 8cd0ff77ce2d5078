"""Constant factors: whether one array is a multiple of others at all points, and of what kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.core.arithmetic import power, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Elementwise, Number, SizeValue, Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.plain import np

__all__ = ["LARGEST_DENOMINATOR", "USUAL", "Factor", "Quantity", "ratios_of", "recognise"]

LARGEST_DENOMINATOR = 12  # of ratios that people write by mistake; more would fit by chance
USUAL = {Fraction(n) for n in ("-1", "2", "1/2", "-2", "-1/2", "4", "1/4", "-4", "-1/4")}
_EXPONENTS = (1, -1, 2, -2)

Positions = Array


@dataclass(frozen=True)
class Quantity:
    """A scalar that a factor may be made of: a size, a scalar symbol, a scalar part of a formula.

    Attributes
    ----------
    text : str
    values : tuple of float
        One for each point.
    expression : Expression or None
        None where there is no formula.
    """

    text: str
    values: tuple[float, ...]
    expression: Expression | None

    @property
    def is_plain(self) -> bool:
        """Whether it is a number, a size or a symbol."""
        return self.expression is None or isinstance(self.expression, Number | SizeValue | Symbol)

    @property
    def is_constant(self) -> bool:
        """Whether it is a number such as √π."""
        e = self.expression
        return e is not None and not e.used and not e.size_names


@dataclass(frozen=True)
class Factor:
    """A number times powers of quantities.

    Attributes
    ----------
    number : Fraction or float
    powers : tuple of (Quantity, int)
    also : tuple of str
        Sizes that the number, or one over it, may stand for at the only point there is.
    """

    number: Fraction | float
    powers: tuple[tuple[Quantity, int], ...] = ()
    also: tuple[str, ...] = ()

    @property
    def recognised(self) -> bool:
        """Whether it is made of whole numbers and quantities alone."""
        return isinstance(self.number, Fraction)

    @property
    def is_of_functions(self) -> bool:
        """Whether it has a function such as log(z), or two parts of the formula: few mean that."""
        parts = [q.expression for q, _ in self.powers if not q.is_plain]
        return len(parts) > 1 or any(isinstance(part, Elementwise) for part in parts)

    def expression(self) -> Expression | None:
        """The factor as a formula, where all its quantities have one."""
        parts: list[Expression] = [number(self.number)]
        for quantity, exponent in self.powers:
            if quantity.expression is None:
                return None
            parts.append(power(quantity.expression, number(exponent)))
        return scale(*parts)

    def inverse(self) -> Factor:
        """The reciprocal of the factor."""
        powers = tuple((quantity, -exponent) for quantity, exponent in self.powers)
        return Factor(1 / self.number, powers, self.also)

    def __str__(self) -> str:
        above: list[str] = []
        below: list[str] = []
        for quantity, exponent in self.powers:
            text = quantity.text + ("²" if abs(exponent) == 2 else "")
            (above if exponent > 0 else below).append(text)
        value = abs(self.number)
        if isinstance(value, Fraction):
            if value.numerator != 1 or not above:
                above.insert(0, str(value.numerator))
            if value.denominator != 1:
                below.insert(0, str(value.denominator))
        else:
            above.insert(0, f"{value:.6g}")
        text = "·".join(above)
        if below:
            under = "·".join(below)
            text += f"/({under})" if len(below) > 1 else f"/{under}"
        sizes = " or ".join(
            f"1/{size}" if abs(float(self.number)) < 1 else size for size in self.also
        )
        return ("−" if self.number < 0 else "") + text + (f" (= {sizes})" if sizes else "")

    def statement(self) -> str:
        """A sentence for something that is this factor times the right one."""
        if not self.powers and self.number == -1:
            return "the sign is wrong (an extra factor −1)"
        if not self.powers and self.recognised and self.number < 0:
            return f"it is {self} times the right one: the sign is wrong, too"
        other = self.inverse()
        missing = all(exponent < 0 for _, exponent in self.powers) and (
            isinstance(self.number, Fraction) and abs(self.number.numerator) == 1
        )
        extra = all(exponent > 0 for _, exponent in self.powers) and (
            isinstance(self.number, Fraction) and self.number.denominator == 1
        )
        if missing:
            return f"the factor {other} is missing"
        return f"there is an extra factor {self}" if extra else f"it is {self} times the right one"

    def remedy(self, of: str = "") -> str:
        """What makes the right one of something that is this factor times it.

        Parameters
        ----------
        of : str
            What is to be multiplied or divided; empty for the whole.
        """
        what = f" {of}" if of else ""
        size = Factor(self.number if self.number > 0 else -self.number, self.powers, self.also)
        if size.number == 1 and not self.powers:
            return f"turn the sign{f' of {of}' if of else ''}"
        if not self.recognised:
            return "look for the constant in the derivation"
        extra = all(exponent > 0 for _, exponent in self.powers) and (
            isinstance(self.number, Fraction) and self.number.denominator == 1
        )
        action = f"divide{what} by {size}" if extra else f"multiply{what} by {size.inverse()}"
        return f"{action}, and turn the sign" if self.number < 0 else action


def ratios_of(pairs: Sequence[tuple[Array, Array]], allowed: Sequence[float]) -> list[float] | None:
    """The numbers c with found = c·base at each point, or None where there is none.

    Parameters
    ----------
    pairs : sequence of (found, base)
    allowed : sequence of float
        How far each found may be from c·base.
    """
    ratios = []
    for (found, base), limit in zip(pairs, allowed, strict=True):
        if found.shape != base.shape:
            return None
        with np.errstate(all="ignore"):  # a NaN is no multiple
            size = float(np.abs(base).max(initial=0))  # of values of 1e200, no square is taken
            if not size > 0:
                return None
            unit = base / size
            square = float(np.sum(unit * unit))
            if not np.sqrt(square) * size > limit:
                return None
            ratio = float(np.sum(found / size * unit)) / square
            if not np.abs(found - ratio * base).max() <= limit:
                return None
        ratios.append(ratio)
    return ratios


def recognise(
    ratios: Sequence[float], quantities: Sequence[Quantity], tolerance: float | Array
) -> Factor | None:
    """The simplest factor with these values at the points; None where they have nothing in common.

    At a single point any value is constant: it is a factor that is not `recognised` then, unless
    it is simple.

    Parameters
    ----------
    ratios : sequence of float
    quantities : sequence of Quantity
    tolerance : float or ndarray
        How well each ratio is known, relative. Where one is known badly, the others still tell.
    """
    values = np.array(ratios)
    if not np.isfinite(values).all() or (values == 0).any():
        return None
    tolerance = np.broadcast_to(np.asarray(tolerance, dtype=float), values.shape)
    best = int(np.argmin(tolerance))
    constant = _simple(values, tolerance)
    single = len(values) == 1
    if constant is not None and (not single or constant in USUAL):
        return Factor(constant, (), _sizes_equal_to(constant, quantities) if single else ())
    for powers, rest in _monomials_that_leave_a_number(values, quantities, tolerance):
        simple = _simple(rest, tolerance)
        if simple is not None and (simple in USUAL or simple == 1 or not single):
            return _joined(simple, powers)
    if constant is not None:
        return Factor(constant)
    value = float(values[best])
    if (np.abs(values - value) <= tolerance * np.abs(values).max()).all():
        for whole, exponent in ((round(1 / value), -1), (round(value), 1)):
            if whole and abs(value**exponent / whole - 1) <= tolerance[best]:
                return Factor(Fraction(whole) ** exponent)
        return Factor(value)
    return None


def _joined(value: Fraction, powers: tuple[tuple[Quantity, int], ...]) -> Factor:
    """A factor with one number: 100/49 for 2 · 50/49."""
    rest = []
    for quantity, exponent in powers:
        e = quantity.expression
        if abs(value) != 1 and isinstance(e, Number) and isinstance(e.value, Fraction):
            value *= e.value**exponent
        else:
            rest.append((quantity, exponent))
    return Factor(value, tuple(rest))


def _simple(values: Array, tolerance: Array) -> Fraction | None:
    """The ratio of small whole numbers that all values are."""
    if not np.isfinite(values).all():
        return None
    value = float(values[np.argmin(tolerance)])
    simple = Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
    if simple == 0 or abs(simple.numerator) > LARGEST_DENOMINATOR:
        return None
    close = np.abs(values - float(simple)) <= tolerance * abs(float(simple))
    return simple if close.all() else None


def _monomials_that_leave_a_number(
    values: Array, quantities: Sequence[Quantity], tolerance: Array
) -> Iterator[tuple[tuple[tuple[Quantity, int], ...], Array]]:
    """Monomials by which the values are about one number at all points, with what is left.

    Most are not, and many monomials are looked at for each term of a long sum: so all at once.
    """
    usable = [q for q in quantities if all(np.isfinite(q.values)) and all(q.values)]
    first, second, exponents = _monomials(tuple(q.is_constant for q in usable))
    if not usable or tolerance.max() >= 1:
        return
    at = np.array([q.values for q in usable])
    best = np.argmin(tolerance)
    with np.errstate(all="ignore"):
        factors = at[first] ** exponents[:, :1] * at[second] ** exponents[:, 1:]
        rest = values / factors
        # Two numbers, each within its tolerance of a third.
        allowed = (tolerance + tolerance[best]) / (1.0 - tolerance.max())
        apart = np.abs(rest - rest[:, best, None]) / allowed
        one_number = apart.max(axis=1) <= np.abs(rest[:, best])
    for k in np.flatnonzero(one_number):
        powers = [(usable[first[k]], int(exponents[k, 0]))]
        if exponents[k, 1]:
            powers.append((usable[second[k]], int(exponents[k, 1])))
        yield tuple(powers), rest[k]


@lru_cache(maxsize=64)
def _monomials(constants: tuple[bool, ...]) -> tuple[Positions, Positions, Array]:
    """Products of powers of one or two of some quantities: their positions, and their exponents.

    Of a single one the second exponent is 0. Squares of constant quantities are left out.
    """
    found = [
        (i, i, exponent, 0)
        for exponent in _EXPONENTS
        for i, is_constant in enumerate(constants)
        if abs(exponent) == 1 or not is_constant
    ]
    found += [
        (i, j, *signs)
        for i, j in combinations(range(len(constants)), 2)
        for signs in ((1, 1), (-1, -1), (1, -1), (-1, 1))
    ]
    table = np.array(found, dtype=np.intp).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2:].astype(np.float64)


def _sizes_equal_to(constant: Fraction, quantities: Sequence[Quantity]) -> tuple[str, ...]:
    known = [(q.text, q.values[0]) for q in quantities if q.values[0]]
    return tuple(text for text, value in known if float(constant) in (value, 1 / value))
