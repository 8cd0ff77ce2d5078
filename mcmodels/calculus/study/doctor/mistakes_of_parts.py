"""Mistakes in one part of the result: a factor left out, a function forgotten, a sign inside."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    matmul,
    parts,
    power,
    scale,
    size_value,
    transpose,
    unvec,
    vec,
)
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of, rebuilt
from mcmodels.calculus.core.sizes import ONE
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.claimed_factors import factor_added
from mcmodels.calculus.study.doctor.differential_mistakes import slope_of
from mcmodels.calculus.study.doctor.mistakes_of_cases import indicators_of, set_to
from mcmodels.calculus.study.doctor.terms import (
    MOST_COMBINED,
    Variants,
    Words,
    edited,
    everywhere_first,
    substituted,
)

__all__ = [
    "argument_alone",
    "at_another_argument",
    "edits",
    "elementwise_product",
    "extra_derivative",
    "extra_term",
    "forgotten_function",
    "left_out_condition",
    "missing_indicator",
    "missing_inverse",
    "not_inverted",
    "not_normalised",
    "wrong_argument",
    "wrong_axis",
]


_SHARES = ("sigmoid", "norm_cdf", "step")
_MOST_SLOPES = 40  # derivatives of which each may stand beside each part


def edits(case: Case, variants: Variants) -> Iterator[Finding]:
    """Findings of the right derivative with one part of it replaced, everywhere or in one place."""
    for edit in everywhere_first(case.edits(variants)):
        if case.is_claimed_after(edit.local):
            yield Finding(str(edit), edit.result, edit.remedy)
    if not 1 < len(case.terms) <= MOST_COMBINED:
        return
    for term in case.terms:
        for edit in edited(term, variants):
            if case.is_claimed_with(term, edit.result):
                wrong = add([case.right, scale(-1, term), edit.result])
                where = f" (in the term {term.mathematics()})"
                yield Finding(f"{edit}{where}", wrong, edit.remedy + where)


def not_inverted(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """A matrix, and one over its entries, in the place of its inverse."""
    matrix = part.argument if isinstance(part, N.Transpose) else part
    if isinstance(matrix, N.MatrixPower) and matrix.is_inverse:
        yield matrix.base, Words("{} stands for {}: it is not inverted", (matrix.base, part))
        entries = power(matrix.base, number(-1))
        words = "{}, one over each entry, stands for the inverse {}"
        for turned in (entries, transpose(entries)):
            yield turned, Words(words, (turned, part))
    if isinstance(matrix, N.MatrixPower) and isinstance(matrix.exponent, N.Number):
        value = matrix.exponent.value
        if value < 0:
            by = scale(power(functions.det(matrix.base), number(-1)), N.Identity(part.rows))
            yield by, Words("{}, one over the determinant, stands for {}", (by, part))


def missing_inverse(case: Case) -> Iterator[Finding]:
    """A matrix in the place of its inverse."""
    yield from edits(case, not_inverted)


def missing_indicator(case: Case) -> Iterator[Finding]:
    """What a kink or a choice switches off is not switched off, or is nowhere switched on."""
    for indicator, on in indicators_of(case).items():
        text = indicator.mathematics()
        local = substituted(case.right, set_to(indicator, on, 1))
        if case.is_claimed_after(local):
            yield Finding(
                f"the indicator {text} is missing: nothing is switched off where it is 0",
                local.result,
                _with_the_indicator(case, indicator, on),
            )
            continue
        local = substituted(case.right, {indicator: set_to(indicator, on, 0)[indicator]})
        if case.is_claimed_after(local):
            yield Finding(
                f"{text} is taken to be 0 everywhere: one of two cases is missing",
                local.result,
                f"write {text} in place of 0",
            )


def _with_the_indicator(case: Case, indicator: Expression, on: dict[Expression, Expression]) -> str:
    """Multiply by the indicator: the whole, or the terms that it switches off."""
    text = indicator.mathematics()
    if (indicator.is_scalar or indicator.shape == case.right.shape) and all(
        not s.differs(s.claimed * s.value(indicator), s.right, case.tolerance) for s in case.samples
    ):
        return f"multiply by the indicator {text}"
    values = set_to(indicator, on, 1)
    switched = [term for term in case.terms if substituted(term, values).changed]
    good = simplify(add(switched)) if len(switched) < len(case.terms) else case.right
    bad = simplify(substituted(good, values).result)
    return (
        f"multiply by the indicator {text}: write {good.mathematics()} in place of "
        f"{bad.mathematics()}"
    )


def left_out_condition(case: Case) -> Iterator[Finding]:
    """Sums over all indices, in the place of those for which a condition holds."""
    conditions = [
        part.condition
        for part in parts_of(case.right)
        if isinstance(part, SumOver) and part.is_conditional
    ]
    for condition in dict.fromkeys(conditions):
        local = substituted(case.right, {condition: number(1)})
        if case.is_claimed_after(local):
            text = condition.mathematics()
            yield Finding(
                f"the condition of a sum is left out: it is over all indices, where {text} should "
                "be 1",
                local.result,
                f"write {text} in place of 1",
            )


def wrong_axis(case: Case) -> Iterator[Finding]:
    """Sums or softmax along columns, or over all entries, in the place of along rows."""

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        yield from _summed_along_the_other_axis(part)
        if isinstance(part, N.Softmax) and isinstance(part.argument, N.Vec):
            Z = part.argument.argument
            for one_by_one, what in (
                (N.Softmax(Z), "row"),
                (transpose(N.Softmax(transpose(Z))), "column"),
            ):
                words = f"softmax is taken of each {what} of {{}}, not of all entries"
                yield vec(one_by_one), Words(words, (Z,))
        if not isinstance(part, N.Softmax) or part.is_column:
            return
        Z = part.argument
        of_columns = transpose(N.Softmax(transpose(Z)))
        yield of_columns, Words("softmax is taken of each column of {}, not of each row", (Z,))
        of_all = unvec(N.Softmax(vec(Z)), Z.rows, Z.cols)
        yield of_all, Words("softmax is taken of all entries of {}, not of each row", (Z,))

    yield from edits(case, variants)


def _summed_along_the_other_axis(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """11ᵀA in the place of A11ᵀ, and the other way round; means, too."""
    if not isinstance(part, N.Product):
        return
    first = part.children[0]
    if isinstance(first, N.Ones) or isinstance(part.children[-1], N.Ones):
        inside = [factor for factor in part.children if not isinstance(factor, N.Ones)]
        if inside and not part.is_scalar:
            all_entries = functions.sum(matmul(inside))
            other = scale(all_entries, N.Ones(part.rows, part.cols))
            words = "{}, the sum of all entries, stands for {}, sums along one axis"
            yield other, Words(words, (all_entries, part))
    if len(part.children) < 3:
        return
    if all(isinstance(factor, N.Ones) for factor in part.children[-2:]):
        A = matmul(part.children[:-2])
        ones = [N.Ones(A.rows, ONE), N.Ones(ONE, A.rows)]
        other, ratio = matmul([*ones, A]), (A.cols, A.rows)
        words = "{}, sums of columns, stands for {}, sums of rows"
    elif isinstance(first, N.Ones) and isinstance(part.children[1], N.Ones):
        A = matmul(part.children[2:])
        ones = [N.Ones(A.cols, ONE), N.Ones(ONE, A.cols)]
        other, ratio = matmul([A, *ones]), (A.rows, A.cols)
        words = "{}, sums of rows, stands for {}, sums of columns"
    else:
        return
    yield other, Words(words, (other, part))
    many, few = (size_value(size) for size in ratio)
    yield scale(many, power(few, number(-1)), other), Words(words, (other, part))


def not_normalised(case: Case) -> Iterator[Finding]:
    """Something else in the place of softmax."""

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        if isinstance(part, N.Softmax):
            for name in ("exp", "sigmoid"):
                other = elementwise(name, part.argument)
                yield (
                    other,
                    Words("{} stands for {}; its entries do not sum to 1", (other, part)),
                )
            yield from _divided_by_another_sum(part)

    yield from edits(case, variants)


def _divided_by_another_sum(part: N.Softmax) -> Iterator[tuple[Expression, Words]]:
    """exp(z)/n and z/Σz in the place of softmax."""
    z, count = part.argument, part.rows if part.is_column else part.cols
    mean = scale(power(size_value(count), number(-1)), elementwise("exp", z))
    yield mean, Words("{} stands for {}: it is divided by a size, not by the sum", (mean, part))
    if part.is_column:
        plain = scale(power(functions.sum(z), number(-1)), z)
        yield plain, Words("{} stands for {}: exp is missing", (plain, part))


def argument_alone(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """The argument of a function in the place of its value."""
    if isinstance(part, N.Elementwise | N.Softmax):
        (inner,) = part.children
        yield inner, Words("{} stands for {}", (inner, part))


def forgotten_function(case: Case) -> Iterator[Finding]:
    """The argument of a function in the place of its value."""
    yield from edits(case, argument_alone)


def at_another_argument(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """A function taken at minus its argument, or at that without a factor."""
    if not isinstance(part, N.Elementwise | N.Softmax):
        return
    (inner,) = part.children
    other = rebuilt(part, [scale(-1, inner)])
    words = "the sign inside a function is wrong: {} stands for {}"
    yield other, Words(words, (other, part))
    if isinstance(inner, N.Scaled):
        coefficient, scalars, array = parts(inner)
        rest = [] if array is None else [array]
        words = "a factor inside a function is missing: {} stands for {}"
        if abs(coefficient) != 1:
            other = rebuilt(part, [scale(-1 if coefficient < 0 else 1, *scalars, *rest)])
            yield other, Words(words, (other, part))
        for i in range(len(scalars)):
            kept = [*scalars[:i], *scalars[i + 1 :]]
            other = rebuilt(part, [scale(coefficient, *kept, *rest)])
            yield other, Words(words, (other, part))


def wrong_argument(case: Case) -> Iterator[Finding]:
    """A function taken at minus its argument, or at that without a factor; 1 − σ for σ."""
    yield from edits(case, at_another_argument)
    if not case.is_long:
        yield from edits(case, _complement)


def _complement(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """A share in the place of the rest, and the rest in the place of the share."""
    is_share = isinstance(part, N.Elementwise) and part.name in _SHARES
    is_rest = isinstance(part, N.Sum) and len(part.children) == 2
    if is_share or is_rest:
        other = 1 - part
        if is_share or not isinstance(other, N.Sum):
            yield other, Words("{} stands for {}", (other, part))


def extra_derivative(case: Case) -> Iterator[Finding]:
    """The derivative of a function that cancels, or that is not there at all."""
    slopes: list[tuple[Expression, Expression]] = []
    for node in dict.fromkeys([*parts_of(case.right), *parts_of(case.f)]):
        if case.x not in node.used:
            continue
        slope = slope_of(node) if isinstance(node, N.Elementwise) else None
        if isinstance(node, N.Softmax):
            slope = hadamard([node, 1 - node])
        if slope is not None and slope.is_array and slope.shape == node.shape:
            slopes.append((node, slope))
    if len(slopes) > _MOST_SLOPES:
        return

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        slope_of_part = slope_of(part) if isinstance(part, N.Elementwise) else None
        if isinstance(part, N.Softmax) and case.x in part.used:
            slope_of_part = hadamard([part, 1 - part])
        if slope_of_part is not None:
            words = "{}, the derivative of {}, stands in its place"
            yield slope_of_part, Words(words, (slope_of_part, part))
        for node, slope in slopes:
            if node.used <= part.used and (part.rows, part.cols) == (slope.rows, slope.cols):
                yield (
                    hadamard([part, slope]),
                    Words(
                        "there is an extra factor {}: the derivative of {} does not stand here (it "
                        "cancels, or belongs to another loss)",
                        (slope, node),
                    ),
                )

    yield from edits(case, variants)


def elementwise_product(case: Case) -> Iterator[Finding]:
    """An elementwise product in the place of a matrix product, or the other way round."""

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        if not part.is_square or not part.is_array:
            return
        others: list[Expression] = []
        if isinstance(part, N.Product):
            for i in range(1, len(part.children)):
                left, right = matmul(part.children[:i]), matmul(part.children[i:])
                if left.shape == right.shape:
                    others += [hadamard([left, right]), hadamard([transpose(left), right]),
                               hadamard([left, transpose(right)])]  # fmt: skip
        if isinstance(part, N.Hadamard | N.Power):
            factors = _entrywise_factors(part)
            for i, factor in enumerate(factors):
                rest = hadamard([*factors[:i], *factors[i + 1 :]])
                for turned in (factor, transpose(factor)):
                    others += [matmul([turned, rest]), matmul([rest, turned])]
        for other in dict.fromkeys(others):
            kinds = ("a matrix product", "an elementwise product")
            if isinstance(part, N.Product):
                kinds = kinds[::-1]
            words = f"{{}}, {kinds[0]}, stands for {{}}, {kinds[1]}"
            yield other, Words(words, (other, part))

    yield from edits(case, variants)


def _entrywise_factors(part: Expression) -> list[Expression]:
    """The factors of an elementwise product, squares as two."""
    children = part.children if isinstance(part, N.Hadamard) else (part,)
    found: list[Expression] = []
    for child in children:
        square = isinstance(child, N.Power) and child.exponent == number(2)
        found += [child.base, child.base] if isinstance(child, N.Power) and square else [child]
    return found if len(found) > 1 else []


def extra_term(case: Case) -> Iterator[Finding]:
    """A term that is not there, as a penalty of what is not penalised."""
    candidates: list[Expression] = [case.x]
    candidates += [s for s in case.f.symbols if s.shape == case.x.shape and s != case.x]
    if not case.f.is_scalar:
        return
    for candidate in candidates:
        factor = factor_added(case, candidate)
        if factor is None or not factor.recognised:
            continue
        expression = factor.expression()
        assert expression is not None
        term = scale(expression, candidate)
        text = term.mathematics()
        yield Finding(
            f"there is an extra term {text}",
            add([case.right, term]),
            f"take the term {text} away: f has nothing that gives it",
        )
