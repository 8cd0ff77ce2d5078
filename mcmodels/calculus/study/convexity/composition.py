"""Convexity by composition: from the parts to the whole.

A convex rising function of a convex one is convex, a convex falling one of a concave one is, and
any convex function of an affine one; sums and multiples by numbers of known sign keep it.

Boyd and Vandenberghe (2004), *Convex Optimization*, 3.2; Grant, Boyd and Ye (2006), "Disciplined
Convex Programming".
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    hadamard,
    is_symmetric,
    parts,
    power,
    scale,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.numbers import number as number_of
from mcmodels.calculus.study.convexity.atoms import domain_of, pieces_of
from mcmodels.calculus.study.convexity.curvature import (
    AFFINE,
    CONCAVE,
    CONSTANT,
    CONVEX,
    UNKNOWN,
    Curvature,
    common,
    times,
)
from mcmodels.calculus.study.convexity.forms import (
    index_taken,
    powers_of,
    s_shaped,
    weighted_logarithms,
)
from mcmodels.calculus.study.convexity.joined_pieces import of_choice
from mcmodels.calculus.study.convexity.matrix_products import of_product, of_square, of_trace
from mcmodels.calculus.study.convexity.quotients import (
    affine_quotient,
    base_of_positive_part,
    log_of_growth,
)
from mcmodels.calculus.study.convexity.ranges import Ranges, around_centre
from mcmodels.calculus.study.convexity.spectral import (
    as_function_of_eigenvalues,
    spectral_norm_argument,
    sum_of_squares,
)

__all__ = ["Composition"]

_LINEAR_WITH_SIGN = (
    N.Total,
    N.Trace,
    N.Diagonal,
    N.DiagonalMatrix,
    N.Vec,
    N.Unvec,
    N.Transpose,
    N.Stack,
    N.Sum,
    SumOver,
)
_SCALARS_OF_ENTRIES = (N.Total, N.Norm, N.LogSumExp, N.Power, F.Largest)


class Composition:
    """The curvature in x of an expression, entry by entry, for all values of other symbols.

    Parameters
    ----------
    x : Symbol
    ranges : Ranges
    """

    def __init__(self, x: N.Symbol, ranges: Ranges) -> None:
        self.x = x
        self.ranges = ranges
        self.unknown: list[Expression] = []
        self._known: dict[bytes, Curvature] = {}

    def of(self, e: Expression) -> Curvature:
        """What is proved of it."""
        if e.key not in self._known:
            self._known[e.key] = UNKNOWN
            self._known[e.key] = found = self._computed(e)
            if not found and not any(self._known.get(c.key) == UNKNOWN for c in e.children):
                self.unknown.append(e)
        return self._known[e.key]

    def is_affine(self, e: Expression) -> bool:
        """Whether it is a linear function of x plus a constant."""
        return self.of(e) >= AFFINE

    def varies(self, e: Expression) -> bool:
        """Whether it contains x."""
        return self.x in e.used

    def _computed(self, e: Expression) -> Curvature:
        if not self.varies(e):
            return CONSTANT
        if isinstance(e, N.Symbol):
            return AFFINE
        if isinstance(e, _SCALARS_OF_ENTRIES) and e.is_scalar:
            found = self._of_eigenvalues(e)
            if found:
                return found
        if isinstance(e, N.Trace):
            found = of_trace(self, e.argument)
            if found:
                return found
        if isinstance(e, N.Diagonal) and isinstance(e.argument, N.Product):
            found = of_square(self, e.argument)
            if found:
                return found
        if isinstance(e, _LINEAR_WITH_SIGN):
            return common(self.of(child) for child in e.children)
        if isinstance(e, N.Scaled | N.Hadamard):
            return self._of_factors(e)
        if isinstance(e, N.Kron | N.BlockSum | N.BlockTrace):
            return self.of_one_of(e.children)
        if isinstance(e, N.Product):
            return CONVEX if self._is_spectral_norm_squared(e) else of_product(self, e)
        if isinstance(e, F.Where):
            return of_choice(self, e)
        if isinstance(e, N.Power):
            return self._of_power(e)
        part = base_of_positive_part(e)
        if part is not None and self.of(part[0]) >= CONVEX:
            return times(CONVEX, part[1])
        if isinstance(e, N.Elementwise | F.Polygamma):
            return self._of_function(e)
        return self._of_convex_function(e)

    # -- functions of each entry ------------------------------------------------------------------

    def _of_function(self, e: N.Elementwise | F.Polygamma | N.Power) -> Curvature:
        inside = e.children[0]
        if isinstance(e, N.Elementwise) and e.name == "log":
            found = self._of_log(inside)
            if found:
                return found
        if isinstance(e, N.Elementwise) and e.name == "exp":
            logs = weighted_logarithms(inside)
            if logs is not None and self.of(logs) >= CONCAVE:
                return CONCAVE
        curvature = self.of(inside)
        low, high = self.ranges.of(inside)
        domain = domain_of(e)
        if domain is not None:
            # Cut at an end of its domain, the set of x that is left must be convex, too.
            if (low < domain[0] and "concave" not in curvature) or (
                high > domain[1] and "convex" not in curvature
            ):
                return UNKNOWN
            low, high = max(low, domain[0]), min(high, domain[1])
        found = UNKNOWN
        for piece in pieces_of(e):
            if not (piece.low <= low and high <= piece.high):
                continue
            needed = {1: CONVEX, -1: CONCAVE, 0: AFFINE}[piece.curvature * piece.slope]
            if curvature >= needed:
                found |= CONVEX if piece.curvature > 0 else CONCAVE
        return found

    def _of_log(self, inside: Expression) -> Curvature:
        """Of logarithms that bend another way than what they are taken of.

        log softmax(z) is z − logsumexp(z), log σ(z) is −softplus(−z), Φ is log-concave, and sums
        of exponentials are log-convex.
        """
        if self._is_log_convex(inside):
            return CONVEX
        growing = log_of_growth(inside)
        if growing is not None and self.of(growing) >= CONCAVE:
            return CONCAVE
        if isinstance(inside, N.Softmax):
            return CONCAVE if self.is_affine(inside.argument) else UNKNOWN
        if isinstance(inside, N.Det):
            fits = self.is_affine(inside.argument) and self.ranges.definite(inside.argument)
            return CONCAVE if fits else UNKNOWN
        found = s_shaped(inside)
        if found is None:
            return self._of_log_of_product(inside)
        z, rises = found
        return CONCAVE if self.of(z) >= (CONCAVE if rises else CONVEX) else UNKNOWN

    def _of_log_of_product(self, e: Expression) -> Curvature:
        """Of Σ pᵢ log bᵢ for a product of powers, where all bᵢ are positive if it is defined."""
        powers = powers_of(e)
        free = [(base, p) for base, p in powers if self.ranges.sign(base) != 1]
        if powers == [(e, 1)] or len(free) > 1:
            return UNKNOWN
        if any(p == int(p) and p % 2 == 0 for _, p in free):
            return UNKNOWN  # log x² is defined on both sides of 0
        return common(times(self._of_log_of(base), 1 if p > 0 else -1) for base, p in powers)

    def _of_log_of(self, base: Expression) -> Curvature:
        if not self.varies(base):
            return CONSTANT
        return (CONCAVE if self.of(base) >= CONCAVE else UNKNOWN) | (
            CONVEX if self._is_log_convex(base) else UNKNOWN
        )

    def _is_log_convex(self, e: Expression) -> bool:
        """Whether its logarithm is convex: exponentials, cosh, sums, and multiples by a number."""
        if not self.varies(e):
            return self.ranges.positive(e)
        if isinstance(e, SumOver):
            return self._is_log_convex(e.body) and not self.varies(e.condition)
        if isinstance(e, N.Sum | N.Total | N.Transpose):
            return all(map(self._is_log_convex, e.children))
        if isinstance(e, N.Scaled):
            return e.coefficient > 0 and all(map(self._is_log_convex, e.children))
        if isinstance(e, N.Elementwise) and e.name == "exp":
            return self.of(e.argument) >= CONVEX
        if isinstance(e, N.Power) and isinstance(e.exponent, N.Number) and e.exponent.value < 0:
            return self._is_concave_and_at_least_0(e.base)
        if isinstance(e, N.Elementwise) and e.name == "cosh":
            return self._size_is_convex(e.argument)
        if isinstance(e, N.Trace) and isinstance(e.argument, F.MatrixFunction):
            # log tr exp(A): the eigenvalues' logsumexp
            inside = e.argument.argument
            return e.argument.name == "expm" and is_symmetric(inside) and self.is_affine(inside)
        return False

    def _of_power(self, e: N.Power) -> Curvature:
        if not isinstance(e.exponent, N.Number):
            return self._of_exponential(e)
        if e.exponent.value >= Fraction(1, 2):  # a norm to the power of at least 1
            if self._is_spectral_norm_squared(e.base):
                return CONVEX
            root = around_centre(e.base) if isinstance(e.base, N.Product) else None
            if root is not None and e.base.is_scalar and self.is_affine(root[0]):
                centre = root[1]  # √(xᵀMx) is a norm, where M is constant
                if centre is None or (not self.varies(centre) and self.ranges.definite(centre)):
                    return CONVEX
            squares = sum_of_squares(e.base)  # norms of rows or columns
            if squares is not None and self._size_is_convex(squares[0]):
                return CONVEX if all(self._is_weight(f) for f in squares[1]) else UNKNOWN
            terms = e.base.terms if isinstance(e.base, N.Sum) else (e.base,)
            if all(map(self._is_square, terms)):
                return CONVEX  # a norm of the parts that are squared
        found = self._of_function(e) or self._of_p_norm(e)
        if found or not isinstance(e.base, N.Scaled | N.Hadamard):
            return found
        factors = [factor for factor, _ in powers_of(e.base)]
        if all(self.ranges.sign(factor) == 1 for factor in factors):
            return self._of_monomial([(b, p * e.exponent.value) for b, p in powers_of(e.base)])
        return UNKNOWN

    def _of_p_norm(self, e: N.Power) -> Curvature:
        """Of powers of (Σ |z|ᵖ)^(1/p), with p ≥ 1; with p < 1 of z ≥ 0, as the harmonic mean."""
        assert isinstance(e.exponent, N.Number)
        inside = e.base.argument if isinstance(e.base, N.Total) else None
        if not (isinstance(inside, N.Power) and isinstance(inside.exponent, N.Number)):
            return UNKNOWN
        p, z = inside.exponent.value, inside.base
        if p < 1 and p * e.exponent.value == 1:
            return CONCAVE if self._is_concave_and_at_least_0(z) else UNKNOWN
        is_norm = p >= 1 and p * e.exponent.value >= 1  # to the power of at least 1
        sizes = self.ranges.sign(z) == 1 or (p == int(p) and p % 2 == 0)
        return CONVEX if is_norm and sizes and self._size_is_convex(z) else UNKNOWN

    def _is_weight(self, factor: Expression) -> bool:
        return not self.varies(factor) and self.ranges.sign(factor) == 1

    def _is_square(self, e: Expression) -> bool:
        """Whether its root is the absolute value of a convex function, or constant."""
        number, scalars, array = parts(e)
        factors = [*scalars, *([] if array is None else [array])]
        varying = [factor for factor in factors if self.varies(factor)]
        constant = [factor for factor in factors if not self.varies(factor)]
        if number < 0 or any(self.ranges.sign(factor) != 1 for factor in constant):
            return False
        if not varying:
            return True
        if len(varying) > 1:
            return False
        (only,) = varying
        if isinstance(only, N.Total):
            inside = only.argument
            return all(
                map(self._is_square, inside.terms if isinstance(inside, N.Sum) else [inside])
            )
        if isinstance(only, N.Power) and isinstance(only.exponent, N.Number):
            if only.exponent.value >= 2 and only.exponent.value % 2 == 0:
                return self._size_is_convex(only.base)
            if self.ranges.sign(only.base) != 1:
                return False
            return self.of(power(only.base, number_of(only.exponent.value / 2))) >= CONVEX
        return (
            isinstance(only, N.Product)
            and only.is_scalar
            and of_square(self, only) == CONVEX
            and not any(isinstance(f, N.MatrixPower) and self.varies(f) for f in only.factors)
        )

    def _of_exponential(self, e: N.Power) -> Curvature:
        """Of aᵗ, which rises with t where a is above 1 and falls where it is below."""
        low, high = self.ranges.of(e.base)
        exponent = self.of(e.exponent)
        if self.varies(e.base) or not self.ranges.positive(e.base):
            return UNKNOWN
        if (
            self.is_affine(e.exponent)
            or (low >= 1 and exponent >= CONVEX)
            or (high <= 1 and exponent >= CONCAVE)
        ):
            return CONVEX
        return UNKNOWN

    def _is_spectral_norm_squared(self, base: Expression) -> bool:
        if not (isinstance(base, N.Product) and isinstance(base.factors[-1], F.Eigenvalues)):
            return False
        gram = base.factors[-1].argument
        last = index_taken(base)
        root = spectral_norm_argument(gram)
        if root is not None:
            return last == "last" and self.is_affine(root)
        half = around_centre(gram) if isinstance(gram, N.Product) else None
        return half is not None and half[1] is None and last == "last" and self.is_affine(half[0])

    # -- sums and products ------------------------------------------------------------------------

    def of_one_of(self, factors: Iterable[Expression]) -> Curvature:
        """That of a product that is linear in each factor, of which at most one varies."""
        varying = [factor for factor in factors if self.varies(factor)]
        if len(varying) != 1:
            return UNKNOWN
        sign = 1
        for factor in factors:
            if factor is not varying[0]:
                sign *= self.ranges.sign(factor)
        return times(self.of(varying[0]), sign)

    def _of_factors(self, e: Expression) -> Curvature:
        number, scalars, array = parts(e)
        factors = [*scalars]
        if isinstance(array, N.Hadamard):
            factors += array.factors
        elif array is not None:
            factors.append(array)
        constant = [factor for factor in factors if not self.varies(factor)]
        varying = [factor for factor in factors if self.varies(factor)]
        sign = 1 if number > 0 else -1
        for factor in constant:
            sign *= self.ranges.sign(factor)
        if len(varying) == 1:
            return times(self.of(varying[0]), sign)
        found = self._of_monomial([pair for factor in varying for pair in powers_of(factor)])
        if not found and len(varying) == 2:
            for one, other in (varying, varying[::-1]):
                found = found or self._of_entropy(one, other) or affine_quotient(self, one, other)
        if not found and all(map(self._is_log_convex, varying)):
            found = CONVEX
        return times(found, sign)

    def _of_entropy(self, z: Expression, other: Expression) -> Curvature:
        """Of z log(cz), with c ≥ 0: its second derivative is 1/z."""
        if not (isinstance(other, N.Elementwise) and other.name == "log" and self.is_affine(z)):
            return UNKNOWN
        inverse = power(z, N.Number(Fraction(-1)))
        inside = other.argument
        alike = z.is_scalar or (inside.rows, inside.cols) == (z.rows, z.cols)
        if not alike:
            return UNKNOWN
        c = scale(inside, inverse) if z.is_scalar else hadamard([inside, inverse])
        return CONVEX if not self.varies(c) and self.ranges.sign(c) == 1 else UNKNOWN

    def _of_monomial(self, powers: list[tuple[Expression, Fraction | float]]) -> Curvature:
        """Of a product of powers of what is at least 0.

        It is convex where all exponents are at most 0, or one is positive and the sum is at least
        1; and concave where none is negative and the sum is at most 1.
        """
        rising = [(base, p) for base, p in powers if p > 0 and self.varies(base)]
        varying = [(base, p) for base, p in powers if self.varies(base)]
        if any(self.ranges.sign(base) != 1 for base, _ in powers if not self.varies(base)):
            return UNKNOWN
        others = [base for base, p in varying if p < 0]
        total = sum(p for _, p in varying)
        if any(not self._is_concave_and_at_least_0(base) for base in others):
            return UNKNOWN
        if not rising:
            return CONVEX
        if len(rising) == 1 and total >= 1:
            base, p = rising[0]
            curvature = self.of(base)
            even = p == int(p) and p % 2 == 0 and curvature >= AFFINE
            if even or (curvature >= CONVEX and self.ranges.sign(base) == 1):
                return CONVEX
        if not others and total <= 1:
            bases = [base for base, _ in rising]
            return CONCAVE if all(map(self._is_concave_and_at_least_0, bases)) else UNKNOWN
        return UNKNOWN

    def _is_concave_and_at_least_0(self, e: Expression) -> bool:
        return self.of(e) >= CONCAVE and self.ranges.sign(e) == 1

    def _of_eigenvalues(self, e: Expression) -> Curvature:
        found = as_function_of_eigenvalues(e, self.x)
        if found is None or not self.is_affine(found[2]):
            return UNKNOWN
        g, v, A = found
        signed = [v] if self.ranges.definite(A) else []
        ranges = Ranges({*self.ranges.nonnegative, *signed})
        return Composition(v, ranges).of(g) & AFFINE

    # -- functions of arrays ----------------------------------------------------------------------

    def _of_convex_function(self, e: Expression) -> Curvature:
        inside = [self.of(child) for child in e.children]
        if isinstance(e, N.LogSumExp | F.Largest):
            return CONVEX if inside[0] >= CONVEX else UNKNOWN
        if isinstance(e, F.Pairwise) and e.name in ("maximum", "minimum"):
            needed = CONVEX if e.name == "maximum" else CONCAVE
            return needed if all(found >= needed for found in inside) else UNKNOWN
        if isinstance(e, N.Norm) and isinstance(e.argument, N.Product):
            gram = around_centre(e.argument)  # the norm of XXᵀ is that of the squared σ(X)
            if gram is not None and gram[1] is None and self.is_affine(gram[0]):
                return CONVEX
        if isinstance(e, N.Norm) or (isinstance(e, F.Pairwise) and e.name == "hypot"):
            return CONVEX if all(map(self._size_is_convex, e.children)) else UNKNOWN
        if isinstance(e, F.NuclearNorm):
            return CONVEX if inside[0] >= AFFINE else UNKNOWN
        if isinstance(e, N.LogDet):
            fits = inside[0] >= AFFINE and self.ranges.definite(e.argument)
            return CONCAVE if fits else UNKNOWN
        return UNKNOWN

    def _size_is_convex(self, e: Expression) -> bool:
        """Whether abs(e) is convex."""
        found, sign = self.of(e), self.ranges.sign(e)
        return found >= AFFINE or (
            (found >= CONVEX and sign == 1) or (found >= CONCAVE and sign == -1)
        )
