"""A value in as many digits as are asked for, in as many as that takes, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mcmodels.calculus.compute.digits.functions import mpmath
from mcmodels.calculus.compute.digits.given import exact_rows
from mcmodels.calculus.compute.digits.noise import Noise, Range, is_choice
from mcmodels.calculus.compute.digits.rows import Rows, entries, largest_of, mapped
from mcmodels.calculus.compute.digits.walking import walk_exactly
from mcmodels.calculus.compute.undefined import EvaluationError, warn_of_kink
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.rewriting import parts_of

__all__ = ["certified"]

_MORE = 15  # digits of the first computation, beyond those asked for
_ROUNDING = 1000  # times the measured effect of rounding: below that, a value is rounding
_FEWEST_OF_ZERO = 500  # digits in which a value must be rounding, to be taken for 0
_MOST = 15_000  # digits of any computation


def certified(
    form: Expression,
    given: Mapping[Symbol, Rows],
    sizes: Mapping[str, int],
    digits: int,
    checked: bool = True,
    as_a_whole: bool = False,
    shown: Expression | None = None,
    tell: Callable[[Expression], None] = warn_of_kink,
) -> tuple[Rows, int]:
    """The value, and the digits in which it was computed.

    It is accepted where a computation with its last digits changed agrees, in the digits asked for
    and relative to the value, with one in more than twice the digits. A value is 0 where it is
    nothing but rounding in two computations of 500 digits and more, the second in twice as many:
    then it is below 10^(−250). More digits are taken where the numbers given are small or large,
    so that what their twelfth powers leave of a sum is not taken for 0.

    Parameters
    ----------
    form : Expression
    given : mapping of Symbol to lists of rows
        The numbers as they were given.
    sizes : mapping of str to int
    digits : int
    checked : bool
        Whether each part must be finite.
    as_a_whole : bool
        Whether digits are counted relative to the largest entry, and not in each.
    shown : Expression, optional
        What messages name, where the form is one that was made of it.
    tell : callable
        Takes each part that has a kink at this point; it warns of it, where nothing is given.

    Raises
    ------
    EvaluationError
        If it is not defined, or has no such digits.
    """
    mp = mpmath().mp
    shown = form if shown is None else shown
    reach = Range()
    met: list[Expression] = []  # kinks of the last computation
    ignored: list[Expression] = []  # those of computations with changed digits
    signs = (1, -1) if any(map(is_choice, parts_of(form))) else (1,)

    def clean(working: int) -> Rows:
        with mp.workdps(working):
            met.clear()
            found = walk_exactly(
                form, exact_rows(given), sizes, checked, seen=reach.see, tell=met.append
            )
        if not all(mp.isfinite(entry) for entry in entries(found)):
            raise EvaluationError("{} is not finite here", shown)
        return found

    def rough(working: int) -> list[Rows] | None:
        """With the last digits changed; None where it is not defined so."""
        try:
            with mp.workdps(working):
                return [
                    walk_exactly(
                        form,
                        exact_rows(given),
                        sizes,
                        checked,
                        changed=Noise(sign).changed,
                        tell=ignored.append,
                    )
                    for sign in signs
                ]
        except (EvaluationError, ArithmeticError):
            return None

    def told(result: Rows, working: int) -> tuple[Rows, int]:
        for part in met:
            tell(part)
        return result, working

    working = digits + _MORE
    before = rough(working)
    were_rounding: list[bool] | None = None  # the entries, when there were many digits before
    was_refused = False
    while True:
        working = 2 * working + _MORE
        if working > _MOST:
            raise _no_digits(shown, digits, working // 2)
        is_many = working >= max(_FEWEST_OF_ZERO, reach.digits)
        try:
            found = clean(working)
        except EvaluationError:
            if was_refused and is_many:  # what is divided by may be 0 in few digits only
                raise
            was_refused, before = is_many, None
            continue
        with mp.workdps(working):
            agreeing = _agree(before, found, digits, as_a_whole)
            if all(agreeing):
                return told(found, working)
            before = rough(working)
            if working < max(_FEWEST_OF_ZERO, reach.digits):
                continue
            are_rounding = _are_rounding(found, before, working)
            if were_rounding is None:
                were_rounding = are_rounding
                continue
            zeros = [a and b for a, b in zip(were_rounding, are_rounding, strict=True)]
            if all(near or zero for near, zero in zip(agreeing, zeros, strict=True)):
                return told(_with_zeros(found, zeros), working)
            raise _no_digits(shown, digits, working)


def _no_digits(shown: Expression, digits: int, working: int) -> EvaluationError:
    return EvaluationError(
        "{} keeps fewer than {} digits here, even where it is computed in {}: it is at a "
        "singularity, at a jump, or smaller than that",
        shown,
        digits,
        working,
    )


def _agree(before: list[Rows] | None, found: Rows, digits: int, as_a_whole: bool) -> list[bool]:
    """For each entry, whether it agrees in so many digits; at a precision that is set."""
    count = len(entries(found))
    if before is None:
        return [False] * count
    small = mpmath().mp.mpf(10) ** -digits
    if as_a_whole:
        off = max(largest_of(mapped(lambda a, b: a - b, found, each)) for each in before)
        return [bool(off <= small * largest_of(found))] * count
    return [
        all(abs(a - b) <= small * abs(b) for a in each)
        for b, *each in zip(entries(found), *map(entries, before), strict=True)
    ]


def _are_rounding(found: Rows, changed: list[Rows] | None, working: int) -> list[bool]:
    """For each entry, whether it is below the effect of changed digits, and that is small."""
    if changed is None:
        return [False] * len(entries(found))
    small = mpmath().mp.mpf(10) ** -(working // 2)
    result = []
    for b, *each in zip(entries(found), *map(entries, changed), strict=True):
        noise = max(abs(a - b) for a in each)
        result.append(bool(abs(b) <= _ROUNDING * noise and noise <= small))
    return result


def _with_zeros(found: Rows, zeros: list[bool]) -> Rows:
    flags = iter(zeros)
    nothing = mpmath().mp.mpf(0)
    return [[nothing if next(flags) else entry for entry in row] for row in found]
