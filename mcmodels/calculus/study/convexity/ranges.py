"""What is known of the entries of an expression, and whether a matrix is semidefinite.

Both hold for all values of the symbols, and are proved from the structure alone. Bounds are exact:
ratios of whole numbers, or infinite. They are closed, so a bound need not be reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import is_symmetric, matmul, parts, power, scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver, UnitAt
from mcmodels.calculus.study.convexity.intervals import (
    AT_LEAST_0,
    FROM_0_TO_1,
    INF,
    NEVER_AT_BOUNDS,
    OF_FUNCTION,
    ONE,
    PASSES,
    REAL,
    ZERO,
    Range,
    end_of_product,
    join,
    meet,
    of_sums,
)

__all__ = ["Ranges", "around_centre"]

_ZERO_ONE = (
    N.Identity,
    N.Unit,
    UnitAt,
    N.Selection,
    N.Commutation,
    N.DiagonalSelection,
    N.Duplication,
    N.Elimination,
    N.Triangle,
    N.Softmax,
    F.Hardmax,
)
_POWER_SERIES = frozenset({"exp", "expm1", "sinh", "cosh"})
_SAME_ENTRIES = (N.Transpose, N.Vec, N.Unvec, N.Diagonal, F.Largest)


class Ranges:
    """The ranges of entries and the definiteness of matrices, remembered for each part.

    Parameters
    ----------
    nonnegative : iterable of Expression
        Whose entries are at least 0 wherever the function is defined.
    """

    def __init__(self, nonnegative: Iterable[Expression] = ()) -> None:
        self.nonnegative = frozenset(nonnegative)
        self._ranges: dict[bytes, Range] = {}
        self._definite: dict[tuple[bytes, int], bool] = {}

    def of(self, e: Expression) -> Range:
        """Bounds of the entries."""
        if e.key not in self._ranges:
            low, high = self._computed(e)
            if e in self.nonnegative:
                low, high = max(low, ZERO), max(high, ZERO)
            self._ranges[e.key] = (low, high)
        return self._ranges[e.key]

    def sign(self, e: Expression) -> int:
        """1 where no entry is below 0, -1 where none is above, and 0 where neither is known."""
        low, high = self.of(e)
        return 1 if low >= 0 else -1 if high <= 0 else 0

    def positive(self, e: Expression) -> bool:
        """Whether all entries are above 0."""
        low, _ = self.of(e)
        if low > 0 or isinstance(e, N.Softmax):
            return True
        if isinstance(e, N.Scaled):
            factors = [*e.scalars, *([] if e.array is None else [e.array])]
            return e.coefficient > 0 and all(self.positive(factor) for factor in factors)
        if isinstance(e, N.Hadamard):
            return all(self.positive(factor) for factor in e.factors)
        if isinstance(e, SumOver):
            return not e.is_conditional and self.positive(e.body)
        if isinstance(e, N.Transpose | N.Total | N.Vec | N.Unvec | F.Largest):
            return self.positive(e.children[0])
        if isinstance(e, N.Power):
            return self.positive(e.base)
        if low == 0 and isinstance(e, N.Sum):
            return any(_never_at_bounds(term) for term in e.terms)
        if isinstance(e, N.Product) and len(e.factors) == 2:
            first = e.factors[0]
            taken = isinstance(first, N.Transpose) and isinstance(first.argument, N.Unit | UnitAt)
            return taken and self.positive(e.factors[1])
        return low == 0 and _never_at_bounds(e)

    def _computed(self, e: Expression) -> Range:
        if isinstance(e, N.Number):
            return Fraction(e.value), Fraction(e.value)
        if isinstance(e, N.Symbol):
            return FROM_0_TO_1 if "probability" in e.declared else REAL
        if isinstance(e, N.Ones):
            return ONE, ONE
        if isinstance(e, N.Zeros):
            return ZERO, ZERO
        if isinstance(e, N.SizeValue):
            return ONE, INF
        if isinstance(e, N.NamedNumber):
            return (Fraction(3), Fraction(4)) if e.name == "pi" else (Fraction(2), Fraction(3))
        if isinstance(e, _ZERO_ONE):
            return FROM_0_TO_1
        if isinstance(e, N.Norm | F.NuclearNorm):
            return AT_LEAST_0
        if isinstance(e, N.Diagonal) and self.definite(e.argument):
            return meet(self.of(e.argument), AT_LEAST_0)
        if isinstance(e, _SAME_ENTRIES):
            return self.of(e.children[0])
        if isinstance(e, N.DiagonalMatrix):
            return join([self.of(e.argument), (ZERO, ZERO)])
        if isinstance(e, N.Stack):
            return join([self.of(block) for block in e.blocks])
        if isinstance(e, F.Where):
            return join([self.of(e.left), self.of(e.right)])
        return self._of_operation(e)

    def _of_operation(self, e: Expression) -> Range:
        result = REAL
        if isinstance(e, N.Sum):
            lows, highs = zip(*(self.of(term) for term in e.terms), strict=True)
            result = (sum(lows[1:], lows[0]), sum(highs[1:], highs[0]))
        elif isinstance(e, N.Scaled):
            factors = [*e.scalars, *([] if e.array is None else [e.array])]
            result = self._times([(Fraction(e.coefficient),) * 2, *map(self.of, factors)])
        elif isinstance(e, N.Hadamard | N.Kron):
            result = self._times([self.of(factor) for factor in e.children])
        elif isinstance(e, N.Power):
            result = self._of_power(e)
        elif isinstance(e, N.Elementwise):
            result = self._of_function(e)
        elif isinstance(e, F.Polygamma):
            result = AT_LEAST_0 if e.order == 1 else REAL
        elif isinstance(e, F.Pairwise):
            result = self._of_pair(e)
        elif isinstance(e, N.Product):
            result = self._of_product(e)
        elif isinstance(e, N.Total):
            result = of_sums(self.of(e.argument))
            if self.definite(e.argument):  # 1ᵀM1
                result = meet(result, AT_LEAST_0)
        elif isinstance(e, SumOver):
            result = of_sums(self.of(e.body))
            result = join([result, (ZERO, ZERO)]) if e.is_conditional else result
        elif isinstance(e, N.Trace):
            is_nonnegative = self.definite(e.argument) or self._product_of_definite(e.argument)
            result = AT_LEAST_0 if is_nonnegative else of_sums(self.of(e.argument))
        elif isinstance(e, N.Det | F.Eigenvalues) and self.definite(e.children[0]):
            result = AT_LEAST_0
        return result

    def _times(self, ranges: list[Range]) -> Range:
        low, high = ranges[0]
        for other in ranges[1:]:
            ends = [end_of_product(a, b) for a in (low, high) for b in other]
            low, high = min(ends), max(ends)
        return low, high

    def _of_power(self, e: N.Power) -> Range:
        low, high = self.of(e.base)
        if not isinstance(e.exponent, N.Number):
            return AT_LEAST_0 if low >= 0 else REAL
        p = e.exponent.value
        if p != int(p):
            return FROM_0_TO_1 if p > 0 and high <= 1 else AT_LEAST_0
        k = int(p)
        if k < 0:
            if low <= 0 <= high:
                one_sign = low >= 0 or k % 2 == 0
                return AT_LEAST_0 if one_sign else (-INF, ZERO) if high <= 0 else REAL
            ends = [ZERO if math.isinf(end) else 1 / end for end in (low, high)]
            low, high, k = min(ends), max(ends), -k
        if k > 64:
            return AT_LEAST_0 if low >= 0 or k % 2 == 0 else REAL
        ends = [end**k for end in (low, high)]
        if k % 2 == 0:
            return (ZERO if low <= 0 <= high else min(ends)), max(ends)
        return ends[0], ends[1]

    def _of_function(self, e: N.Elementwise) -> Range:
        low, high = OF_FUNCTION.get(e.name, REAL)
        if e.name in PASSES:
            at, value = PASSES[e.name]
            inside = self.of(e.argument)
            if inside[0] >= at:
                low = max(low, value)
            if inside[1] <= at:
                high = min(high, value)
        return low, high

    def _of_pair(self, e: F.Pairwise) -> Range:
        a, b = self.of(e.left), self.of(e.right)
        if e.name == "maximum":
            return max(a[0], b[0]), max(a[1], b[1])
        if e.name == "minimum":
            return min(a[0], b[0]), min(a[1], b[1])
        return AT_LEAST_0

    def _of_product(self, e: N.Product) -> Range:
        if e.is_scalar and self.definite(e):
            return AT_LEAST_0
        factors = list(e.factors)
        if _takes_entries(factors[0]):
            return self.of(matmul(factors[1:]))
        if isinstance(factors[-1], N.Unit | UnitAt):
            return self.of(matmul(factors[:-1]))
        signs = [self.sign(factor) for factor in factors]
        return {1: AT_LEAST_0, -1: (-INF, ZERO), 0: REAL}[math.prod(signs)]

    # -- semidefinite matrices --------------------------------------------------------------------

    def definite(self, M: Expression, sign: int = 1) -> bool:
        """Whether M is symmetric and ``sign`` vᵀMv ≥ 0 for all v."""
        key = (M.key, sign)
        if key not in self._definite:
            self._definite[key] = False  # what leads back to itself proves nothing
            self._definite[key] = self._is_definite(M, sign)
        return self._definite[key]

    def _is_definite(self, M: Expression, sign: int) -> bool:
        if not M.is_square:
            return False
        if M.is_scalar and not isinstance(M, N.Product):
            low, high = self.of(M)
            return low >= 0 if sign > 0 else high <= 0
        if isinstance(M, N.Zeros):
            return True
        if isinstance(M, N.Symbol):
            diagonal = "diagonal" in M.declared and self.sign(M) == sign
            return ("positive_definite" in M.declared and sign > 0) or diagonal
        if isinstance(M, N.Identity | N.Ones):
            return sign > 0
        if isinstance(M, N.DiagonalMatrix):
            return self.sign(M.argument) == sign
        if isinstance(M, N.Scaled) and M.array is not None:
            factor = self.sign(scale(M.coefficient, *M.scalars))
            return factor != 0 and self.definite(M.array, factor * sign)
        if isinstance(M, N.Sum):
            return self._sum_is_definite(M, sign)
        if isinstance(M, SumOver):
            return self.definite(M.body, sign)
        if isinstance(M, N.Product):
            found = around_centre(M)
            if found is None:
                return M.is_scalar and self.sign(M) == sign
            centre = found[1]
            return sign > 0 if centre is None else self.definite(centre, sign)
        if isinstance(M, N.Kron):
            return any(
                self.definite(M.left, side) and self.definite(M.right, side * sign)
                for side in (1, -1)
            )
        return self._function_is_definite(M, sign)

    def _function_is_definite(self, M: Expression, sign: int) -> bool:
        if isinstance(M, N.Hadamard):
            return sign > 0 and all(self.definite(factor) for factor in M.factors)
        if isinstance(M, N.Power) and isinstance(M.exponent, N.Number):
            p = M.exponent.value
            return sign > 0 and p == int(p) > 0 and self.definite(M.base)
        if isinstance(M, N.Elementwise):  # a series of elementwise powers (Schur)
            return sign > 0 and M.name in _POWER_SERIES and self.definite(M.argument)
        if isinstance(M, N.MatrixPower) and isinstance(M.exponent, N.Number):
            k = M.exponent.value
            if k % 2 == 0:
                return sign > 0 and is_symmetric(M.base)
            return self.definite(M.base, sign)
        if isinstance(M, F.MatrixFunction):
            if M.name == "expm":
                return sign > 0 and is_symmetric(M.argument)
            return sign > 0 and M.name == "sqrtm" and self.definite(M.argument)
        return False

    def _sum_is_definite(self, M: N.Sum, sign: int) -> bool:
        terms = [scale(sign, term) for term in M.terms]
        others = [term for term in terms if not self.definite(term)]
        helpers = [term for term in terms if self.definite(term)]
        for term in others:
            partner = next((h for h in helpers if _outweighs(h, scale(-1, term), self)), None)
            if partner is None:
                return False
            helpers.remove(partner)
        return True

    def _product_of_definite(self, e: Expression) -> bool:
        """Whether a product, its factors moved in a circle, is one of two semidefinite matrices."""
        if not isinstance(e, N.Product):
            return False
        factors = list(e.factors)
        for start in range(len(factors)):
            turned = factors[start:] + factors[:start]
            for stop in range(1, len(turned)):
                first, second = turned[:stop], turned[stop:]
                if first[0].rows == first[-1].cols:
                    pair = (matmul(first), matmul(second))
                    if all(self.definite(part) for part in pair):
                        return True
        return False


def around_centre(e: N.Product) -> tuple[Expression, Expression | None] | None:
    """F and C of F C Fᵀ, or F and None of F Fᵀ; None of any other product."""
    factors = e.factors
    half = len(factors) // 2
    for left, right in zip(factors[:half], reversed(factors), strict=False):
        if transpose(left) != right:
            return None
    centre = factors[half] if len(factors) % 2 else None
    if centre is not None and half == 0:
        return None
    return matmul(factors[:half]), centre


def _outweighs(larger: Expression, smaller: Expression, ranges: Ranges) -> bool:
    """Whether ``larger - smaller`` is known to be semidefinite.

    diag(s) − ssᵀ is, where s ≥ 0 sums to one (the covariance of a draw); and I − P where P is
    symmetric and PP = P.
    """
    number, scalars, array = parts(larger)
    factor = scale(number, *scalars)
    if array is None or ranges.sign(factor) != 1:
        return False
    rest = scale(power(factor, N.Number(Fraction(-1))), smaller)
    if isinstance(array, N.DiagonalMatrix):
        s = array.argument
        shares = (isinstance(s, N.Softmax) and s.argument.is_column) or (
            isinstance(s, N.Symbol) and "probability" in s.declared
        )
        return shares and rest == matmul([s, transpose(s)])
    if isinstance(array, N.Identity):
        return is_symmetric(rest) and matmul([rest, rest]) == rest
    left = _inside(array)
    right = _inside(rest)
    if left is None or right is None or left[0] != right[0]:
        return False
    return _outweighs(left[1], right[1], ranges)


def _inside(e: Expression) -> tuple[Expression, Expression] | None:
    """F and C of F C Fᵀ, where C may be a product."""
    number, scalars, array = parts(e)
    if not isinstance(array, N.Product) or len(array.factors) < 3:
        return None
    first, last = array.factors[0], array.factors[-1]
    if transpose(first) != last:
        return None
    return first, scale(number, *scalars, matmul(array.factors[1:-1]))


def _takes_entries(factor: Expression) -> bool:
    if isinstance(factor, N.Transpose):
        return isinstance(factor.argument, N.Unit | UnitAt)
    return isinstance(factor, N.Selection)


def _never_at_bounds(e: Expression) -> bool:
    number, scalars, array = parts(e)
    factors = [*scalars, *([] if array is None else [array])]
    if len(factors) != 1 or not number:
        return False
    (only,) = factors
    return isinstance(only, N.Elementwise) and only.name in NEVER_AT_BOUNDS
