"""Forms that rules of composition look for: products of powers, 1 − σ(z), an entry of a vector."""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import parts, scale, size_value
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study.convexity.ranges import around_centre

__all__ = ["index_taken", "powers_of", "s_shaped", "weighted_logarithms"]


def s_shaped(e: Expression) -> tuple[Expression, bool] | None:
    """z, and whether it rises with z, of σ(z), Φ(z), 1 − σ(z) and 1 − Φ(z); else None."""
    rises = True
    if isinstance(e, N.Sum) and len(e.terms) == 2:
        falling = [scale(-1, term) for term in e.terms if not isinstance(term, N.Ones | N.Number)]
        ones = [term for term in e.terms if isinstance(term, N.Ones | N.Number)]
        if len(falling) != 1 or (isinstance(ones[0], N.Number) and ones[0].value != 1):
            return None
        e, rises = falling[0], False
    if isinstance(e, N.Elementwise) and e.name in ("sigmoid", "norm_cdf"):
        return e.argument, rises
    return None


def powers_of(e: Expression) -> list[tuple[Expression, Fraction | float]]:
    """The bases and exponents of which it is the product; of xᵀx, the norm of x."""
    number, scalars, array = parts(e)
    if isinstance(e, N.Scaled | N.Hadamard):
        factors = [*scalars, *([] if number == 1 else [N.Number(number)])]
        if isinstance(array, N.Hadamard):
            factors += array.factors
        elif array is not None:
            factors.append(array)
        return [pair for factor in factors for pair in powers_of(factor)]
    if isinstance(e, N.Power) and isinstance(e.exponent, N.Number):
        return [(e.base, e.exponent.value)]
    if isinstance(e, N.Product) and e.is_scalar:
        found = around_centre(e)
        if found is not None and found[1] is None:
            return [(N.Norm(found[0]), Fraction(2))]
    return [(e, Fraction(1))]


def index_taken(e: N.Product) -> str | None:
    """Which entry a row eᵢᵀ takes of what stands beside it: the first, the last, or None."""
    row = e.factors[0]
    if len(e.factors) != 2 or not isinstance(row, N.Transpose):
        return None
    if not isinstance(row.argument, N.Unit):
        return None
    index, size = row.argument.index, row.argument.rows.number
    if index == -1 or (size is not None and index == size - 1):
        return "last"
    return "first" if index == 0 or (size is not None and index == -size) else None


def weighted_logarithms(e: Expression) -> Expression | None:
    """The z of Σ wᵢ log zᵢ, the wᵢ ≥ 0 of at most one in all: the log of a geometric mean."""
    number, scalars, array = parts(e)
    if array is not None:
        return None
    for k, scalar in enumerate(scalars):
        logs, weight = scalar, [number, *scalars[:k], *scalars[k + 1 :]]
        if isinstance(scalar, N.Total):
            logs = scalar.argument
            weight.append(size_value(logs.rows * logs.cols))
        elif isinstance(scalar, N.Product) and len(scalar.factors) == 2:
            row, logs = scalar.factors
            shares = row.argument if isinstance(row, N.Transpose) else row
            if not (isinstance(shares, N.Symbol) and "probability" in shares.declared):
                continue
        if isinstance(logs, N.Elementwise) and logs.name == "log":
            total = scale(*weight)
            if isinstance(total, N.Number) and 0 < total.value <= 1:
                return logs.argument
    return None
