"""What acts entry by entry: sums, multiples by scalars, elementwise products and powers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

from mcmodels.calculus.core.arithmetic.constants import (
    is_zero,
    ones,
    require_same_shape,
    shape_text,
    zeros_like,
)
from mcmodels.calculus.core.arithmetic.transposes import transpose, transposes
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import (
    Elementwise,
    Hadamard,
    Number,
    Ones,
    Power,
    Product,
    Scaled,
    SizeValue,
    Sum,
    Total,
    Transpose,
    Triangle,
    Zeros,
)
from mcmodels.calculus.core.numbers import (
    Value,
    as_value,
    is_in_range,
    product_and_power_of_ten,
    raised,
)
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size

__all__ = [
    "Powers",
    "add",
    "assemble",
    "hadamard",
    "parts",
    "power",
    "recognises",
    "scale",
    "size_value",
]

Powers = list[tuple[Expression, Expression]]  # factors, each as a base and an exponent

# One object each, so that the many factors without a number or an exponent cost no arithmetic.
_ONE = Fraction(1)
_EXPONENT_ONE = Number(_ONE)

# Functions that stand below in quotients that have a name, or beside an exponential.
_JOINING = frozenset({"sigmoid", "cosh", "cos", "norm_cdf", "erfc"})

# What is made of exponentials, by operation: `exponentials`, above this module, enters it here.
_RECOGNISED: dict[str, Callable[..., Any]] = {}


def recognises(operation: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the decorated function as the one that recognises what an operation makes."""

    def enter(rule: Callable[..., Any]) -> Callable[..., Any]:
        _RECOGNISED[operation] = rule
        return rule

    return enter


def parts(expression: Expression) -> tuple[Value, tuple[Expression, ...], Expression | None]:
    """An expression as number, scalar factors and array (None where it is a scalar)."""
    if isinstance(expression, Number):
        return expression.value, (), None
    if isinstance(expression, Scaled):
        return expression.coefficient, expression.scalars, expression.array
    if expression.is_scalar:
        return _ONE, (expression,), None
    return _ONE, (), expression


def assemble(number: Value, scalars: Sequence[Expression], array: Expression | None) -> Expression:
    """The expression of which these are the `parts`."""
    return scale(number, *scalars, *([] if array is None else [array]))


def scale(*factors: Expression | Value | int) -> Expression:
    """The product of numbers, scalars and at most one array."""
    coefficient: Value = _ONE
    scalars: dict[bytes, tuple[Expression, Expression]] = {}
    made: dict[bytes, Expression] = {}  # the factors that occur once, which are powers already
    array: Expression | None = None
    waiting = list(reversed(factors))
    while waiting:
        factor = waiting.pop()
        if not isinstance(factor, Expression):
            if factor is not _ONE:
                coefficient *= as_value(factor)
            continue
        number, inner, body = parts(factor)
        if number is not _ONE:
            coefficient *= number
        if body is not None:
            assert array is None, "at most one array"
            array = body
        for scalar in inner:
            base, exponent = base_and_exponent(scalar)
            if base.key in scalars:
                exponent = add([scalars[base.key][1], exponent])
                made.pop(base.key, None)
            else:
                made[base.key] = scalar
            scalars[base.key] = (base, exponent)
    if len(scalars) > 1 and any(_may_join(base) for base, _ in scalars.values()):
        joined = _RECOGNISED["product"](list(scalars.values()))
        if joined is not None:
            rest = [] if array is None else [array]
            return scale(coefficient, *(power(*pair) for pair in joined), *rest)
    if any(isinstance(base, Total) for base, _ in scalars.values()):
        found = _RECOGNISED["multiple"](list(scalars.values()), array)
        if found is not None:
            rest = [] if found[1] is None else [found[1]]
            return scale(coefficient, *(power(*pair) for pair in found[0]), *rest)
    merged: list[Expression] = []
    for key, (base, exponent) in scalars.items():
        if key in made:
            merged.append(made[key])
            continue
        number, inner, _ = parts(power(base, exponent))
        if number is not _ONE:
            coefficient *= number
        merged.extend(inner)
    if coefficient is not _ONE and not is_in_range(coefficient):
        numbers = [parts(f)[0] if isinstance(f, Expression) else as_value(f) for f in factors]
        if 0 in numbers:
            return Number(Fraction(0)) if array is None else zeros_like(array)
        return _scale_out_of_range(factors, numbers)
    if isinstance(array, Zeros):
        return array
    if isinstance(array, Sum) and coefficient == -1 and not merged:
        return Sum(tuple(scale(-1, term) for term in array.children))
    return _scaled(coefficient, tuple(merged), array)


def _scale_out_of_range(
    factors: Sequence[Expression | Value | int], numbers: Sequence[Value]
) -> Expression:
    """The same product with a power of ten for what no float64 is, as 10⁻⁴⁰⁰."""
    m, k = product_and_power_of_ten(numbers)
    rest = [assemble(_ONE, *parts(f)[1:]) for f in factors if isinstance(f, Expression)]
    ten = [] if k == 0 else [Power(Number(Fraction(10)), Number(Fraction(k)))]
    return scale(m, *ten, *rest)


def _may_join(base: Expression) -> bool:
    """Whether a factor can be part of what `exponentials` recognises in a product."""
    if isinstance(base, Transpose):
        base = base.argument
    if isinstance(base, Product):
        return isinstance(base.children[-1], Ones)
    return isinstance(base, Sum) or (isinstance(base, Elementwise) and base.name in _JOINING)


def _scaled(
    coefficient: Value, scalars: tuple[Expression, ...], array: Expression | None
) -> Expression:
    if isinstance(coefficient, float):
        coefficient = as_value(coefficient)
    if array is None:
        if not scalars:
            return Number(coefficient)
        if coefficient == 1 and len(scalars) == 1:
            return scalars[0]
        if coefficient == -1 and len(scalars) == 1 and isinstance(scalars[0], Sum):
            return Sum(tuple(scale(-1, term) for term in scalars[0].children))
    elif coefficient == 1 and not scalars:
        return array
    return Scaled(coefficient, scalars, array)


def base_and_exponent(expression: Expression) -> tuple[Expression, Expression]:
    """Any expression as an elementwise power."""
    if isinstance(expression, Power):
        return expression.base, expression.exponent
    return expression, _EXPONENT_ONE


def add(terms: Iterable[Expression]) -> Expression:
    """The sum of one or more terms of equal shape; like terms are added."""
    collected: dict[tuple[bytes, ...], tuple[Value, Expression]] = {}
    shape: Expression | None = None
    waiting = list(terms)[::-1]
    turned: list[tuple[bytes, ...]] = []  # names of terms such as 3(A + B)ᵀ
    while waiting:
        term = waiting.pop()
        if shape is None:
            shape = term
        require_same_shape("a sum", shape, term)
        if isinstance(term, Sum):
            waiting.extend(reversed(term.children))
            continue
        if isinstance(term, Transpose) and isinstance(term.argument, Sum):
            waiting.extend(transpose(inner) for inner in reversed(term.argument.children))
            continue
        number, scalars, array = parts(term)
        if isinstance(array, Zeros):
            continue
        body = array if array is not None else scalars[0] if len(scalars) == 1 else None
        if isinstance(body, Sum) and len(scalars) == (array is None):
            waiting.extend(scale(number, inner) for inner in reversed(body.children))
            continue
        keys = sorted(scalar.key for scalar in scalars)
        name = (b"" if array is None else array.key, *keys)
        if name in collected:
            number += collected[name][0]
            term = _scaled(number, scalars, array)
        elif not scalars and isinstance(array, Transpose) and isinstance(array.argument, Sum):
            turned.append(name)
        collected[name] = (number, term)
    assert shape is not None, "a sum has terms"
    if turned and len(collected) > 1:
        for name in turned:
            opened = _opened(*collected[name])
            if any(_name(inner) in collected for inner in opened):
                collected[name] = (Fraction(0), shape)
                others = [term for number, term in collected.values() if number != 0]
                return add([*others, *opened])
    result = [term for number, term in collected.values() if number != 0]
    if not result:
        return zeros_like(shape)
    return result[0] if len(result) == 1 else Sum(tuple(result))


def _name(term: Expression) -> tuple[bytes, ...]:
    """What terms have in common that are added to one."""
    _, scalars, array = parts(term)
    return (b"" if array is None else array.key, *sorted(scalar.key for scalar in scalars))


def _opened(number: Value, term: Expression) -> list[Expression]:
    """The terms of a multiple of a transposed sum."""
    array = parts(term)[2]
    assert isinstance(array, Transpose)
    return [scale(number, transpose(inner)) for inner in array.argument.children if number != 0]


def hadamard(factors: Sequence[Expression]) -> Expression:
    """The elementwise product of one or more arrays of equal shape."""
    first = factors[0]
    if first.is_scalar:
        return scale(*factors)
    coefficients: list[Expression | Value] = []
    bases: dict[bytes, tuple[Expression, Expression]] = {}
    made: dict[bytes, Expression] = {}  # as in `scale`
    waiting = list(reversed(factors))
    while waiting:
        factor = waiting.pop()
        require_same_shape("an elementwise product", first, factor)
        number, scalars, array = parts(factor)
        if number is not _ONE:
            coefficients.append(number)
        coefficients += scalars
        assert array is not None
        if isinstance(array, Zeros):
            return array
        if isinstance(array, Transpose) and isinstance(array.argument, Hadamard):
            waiting.extend(transpose(inner) for inner in reversed(array.argument.children))
            continue
        if isinstance(array, Hadamard):
            waiting.extend(reversed(array.children))
            continue
        if isinstance(array, Ones):
            continue
        base, exponent = _elementwise_base(array)
        if base.key in bases:
            exponent = add([bases[base.key][1], exponent])
            made.pop(base.key, None)
        else:
            made[base.key] = array
        bases[base.key] = (base, exponent)
    if len(bases) > 1 and any(_may_join(base) for base, _ in bases.values()):
        joined = _RECOGNISED["product"](list(bases.values()))
        if joined is not None:
            powers = [power(base, exponent) for base, exponent in joined]
            coefficients += [factor for factor in powers if factor.is_scalar]
            return scale(*coefficients, hadamard([p for p in powers if p.is_array]))
    arrays = []
    for key, (base, exponent) in bases.items():
        if key in made:
            arrays.append(made[key])
            continue
        number, scalars, array = parts(power(base, exponent))
        if number is not _ONE:
            coefficients.append(number)
        coefficients += scalars
        assert array is not None
        if not isinstance(array, Ones):
            arrays.append(array)
    if not arrays:
        return scale(*coefficients, Ones(first.rows, first.cols))
    if len(arrays) == 1:
        return scale(*coefficients, arrays[0])
    if all(isinstance(factor, Transpose) for factor in arrays):
        inner = Hadamard(tuple(factor.children[0] for factor in arrays))
        return scale(*coefficients, Transpose(inner))
    return scale(*coefficients, Hadamard(tuple(arrays)))


def _elementwise_base(array: Expression) -> tuple[Expression, Expression]:
    """Base and exponent of an elementwise power, or of the transpose of one."""
    if isinstance(array, Transpose) and isinstance(array.argument, Power):
        return transpose(array.argument.base), array.argument.exponent
    return base_and_exponent(array)


def power(base: Expression, exponent: Expression) -> Expression:
    """The elementwise power ``base ** exponent`` with a scalar exponent."""
    if exponent is _EXPONENT_ONE:
        return base
    if not exponent.is_scalar:
        raise ShapeError(
            f"an exponent must be a scalar; found {shape_text(exponent)} ({exponent}). "
            "Write exp(y * log(x)) for an elementwise exponent"
        )
    value = exponent.value if isinstance(exponent, Number) else None
    if value == 1:
        return base
    if value == 0:
        return ones(base.rows, base.cols)
    if value is not None and value < 0 and is_zero(base):
        raise ValueError("zero cannot be raised to a negative power (a division by zero)")
    if isinstance(base, Ones) or (isinstance(base, Number) and base.value == 1):
        return base
    if isinstance(base, Number) and value is not None:
        result = raised(base.value, value)
        return Power(base, exponent) if result is None else Number(result)
    whole = isinstance(value, Fraction) and value.denominator == 1
    if isinstance(base, Zeros | Triangle) and value is not None and value > 0:
        return base
    if isinstance(base, Scaled) and whole:
        return scale(
            power(Number(base.coefficient), exponent),
            *(power(scalar, exponent) for scalar in base.scalars),
            *([] if base.array is None else [power(base.array, exponent)]),
        )
    if isinstance(base, Hadamard) and whole:
        return hadamard([power(factor, exponent) for factor in base.children])
    if isinstance(base, Power) and whole:
        return power(base.base, scale(base.exponent, exponent))
    if isinstance(base, Power | Hadamard | Scaled) and value is not None and _has_power(base):
        found = _RECOGNISED["root"](base, value)
        if found is not None:
            return found
    if isinstance(base, Transpose):
        return transpose(power(base.argument, exponent))
    if isinstance(base, Product):
        return _power_of_repeated(base, exponent)
    if isinstance(base, Sum) and value is not None and (value < 0 or not whole):
        found = _RECOGNISED["power"](base, value)
        if found is not None:
            return found
    return Power(base, exponent)


def _has_power(e: Expression) -> bool:
    """Whether it, or a factor of it, is a power."""
    array = e.array if isinstance(e, Scaled) else None
    factors = (e, *e.children, *(array.children if isinstance(array, Hadamard) else ()))
    return any(isinstance(factor, Power) for factor in factors)


def _power_of_repeated(base: Product, exponent: Expression) -> Expression:
    """(u1ᵀ)ᵖ = uᵖ1ᵀ, and so for 1vᵀ: what is repeated is raised once."""
    first, *_, last = base.children
    before: tuple[Expression, ...]
    after: tuple[Expression, ...]
    if isinstance(last, Ones) and last.rows == ONE:
        line, before, after = base.children[:-1], (), (last,)
    elif isinstance(first, Ones) and first.is_column:
        line, before, after = base.children[1:], (first,), ()
    else:
        return Power(base, exponent)
    inner = line[0] if len(line) == 1 else Product(line)
    if isinstance(inner, Ones) or ONE not in (inner.rows, inner.cols):
        return Power(base, exponent)
    number, scalars, array = parts(power(inner, exponent))
    assert array is not None
    chain = array.children if isinstance(array, Product) else (array,)
    return scale(number, *scalars, Product((*before, *chain, *after)))


def size_value(size: Size) -> Expression:
    """A symbolic size as a number in an expression."""
    return add(scale(factor, *map(SizeValue, names)) for factor, names in size.terms)


@transposes(Scaled)
def _transposed_multiple(node: Scaled) -> Expression:
    assert node.array is not None
    return scale(node.coefficient, *node.scalars, transpose(node.array))


@transposes(Hadamard)
def _transposed_product(node: Hadamard) -> Expression:
    # `hadamard` writes Aᵀ * Bᵀ as (A * B)ᵀ, and any other product with its factors transposed.
    return hadamard([transpose(factor) for factor in node.children])
