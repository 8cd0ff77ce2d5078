"""Mistakes that change the whole: a factor, the layout, a symmetry taken for granted."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, scale, transpose, zeros_like
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import diag
from mcmodels.calculus.core.nodes import Symbol, Total
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of, substitute
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.gradients import derivative
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.study.doctor.assumptions import symbols_assumed_symmetric
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.claimed_factors import factor_of
from mcmodels.calculus.study.doctor.factors import Factor
from mcmodels.calculus.study.doctor.terms import Local, changed_terms, expanded, instead
from mcmodels.plain import np

__all__ = [
    "another_variable",
    "assumed_probability",
    "assumed_symmetric",
    "commuted",
    "merged_as_symmetric",
    "not_differentiated",
    "not_symmetrised",
    "odd_factor",
    "overall_factor",
    "sign_of_a_scalar",
    "symmetric_convention",
    "transposed",
]


_RULES = frozenset({"chain rule", "dropped term", "product rule", "quotient rule"})
_RULES |= {"wrong derivative"}


def overall_factor(case: Case) -> Iterator[Finding]:
    """A factor of the whole that is made of numbers, sizes or scalars of the formula."""
    factor = factor_of(case, case.right)
    if factor is not None and factor.recognised:
        expression = factor.expression()
        yield Finding(
            factor.statement(),
            None if expression is None else scale(expression, case.right),
            factor.remedy(),
            _RULES if _comes_of_a_rule(case, factor) else frozenset(),
        )


def _comes_of_a_rule(case: Case, factor: Factor) -> bool:
    """Whether it varies with the number x that f is of: a rule was forgotten, and no constant."""
    return (
        case.x.is_scalar
        and (case.f.used == {case.x} or abs(factor.number) != 1)
        and any(
            quantity.expression is not None and case.x in quantity.expression.used
            for quantity, _ in factor.powers
        )
    )


def odd_factor(case: Case) -> Iterator[Finding]:
    """A factor of the whole that is some number."""
    factor = factor_of(case, case.right)
    if factor is not None and not factor.recognised:
        expression = factor.expression()
        assert expression is not None
        yield Finding(
            f"it is {factor} times the right one, at every entry", scale(expression, case.right)
        )


def sign_of_a_scalar(case: Case) -> Iterator[Finding]:
    """The sign is right at some points only, as where |det X| stands for det X."""
    signs = []
    for sample in case.samples:
        for sign in (1.0, -1.0):
            if not sample.differs(sample.claimed, sign * sample.right, case.tolerance):
                signs.append(sign)
                break
    if len(signs) < len(case.samples) or len(set(signs)) == 1:
        return
    for quantity in case.quantities:
        e = quantity.expression
        if e is not None and [np.sign(value) for value in quantity.values] == signs:
            text = quantity.text
            yield Finding(
                f"|{text}| stands for {text}: the sign is wrong where {text} is negative",
                scale(elementwise("sign", e), case.right),
                f"write {text} in place of |{text}|"
                + (", which is exp of its logdet" if isinstance(e, N.Det) else ""),
            )


def transposed(case: Case) -> Iterator[Finding]:
    """The transpose, perhaps with a factor."""
    if case.right.is_scalar:
        return
    turned = transpose(case.right)
    factor = factor_of(case, turned)
    if factor is not None and factor.recognised:
        other = "numerator layout; the gradient here has the shape of the variable"
        if not case.f.is_scalar:
            other = "denominator layout; the rows of a Jacobian here are the outputs"
        words, remedy = f"it is the transpose of the right {case.kind} ({other})", ""
        expression = factor.expression()
        assert expression is not None
        if expression != number(1):
            words += f", and {factor.statement()}"
            remedy = f"transpose it, and {factor.remedy()}"
        yield Finding(words, scale(expression, turned), remedy)


def commuted(case: Case) -> Iterator[Finding]:
    """A Jacobian over entries that are counted along the rows."""
    if case.f.is_scalar:
        return
    by_f = arithmetic.commutation(case.f.rows, case.f.cols)
    by_x = transpose(arithmetic.commutation(case.x.rows, case.x.cols))
    for name, factors in (
        ("of the output", [by_f, case.right]),
        ("of the variable", [case.right, by_x]),
        ("of output and variable", [by_f, case.right, by_x]),
    ):
        wrong = arithmetic.matmul(factors)
        if wrong != case.right and case.is_claimed(wrong):
            yield Finding(
                f"the entries {name} are counted along the rows; here vec stacks columns", wrong
            )


def not_differentiated(case: Case) -> Iterator[Finding]:
    """0, as for a function that x is not in."""
    if not any(sample.claimed.any() for sample in case.samples):
        f, x = case.f.mathematics(), case.x.mathematics()
        yield Finding(
            f"{f} is not differentiated: 0 is claimed, though {x} is in it",
            zeros_like(case.right),
            f"write {case.right.mathematics()} in place of 0",
        )


def another_variable(case: Case, any_shape: bool = False) -> Iterator[Finding]:
    """The derivative by another symbol of the same shape, or of any."""
    for symbol in case.f.symbols:
        if symbol == case.x or (symbol.shape == case.x.shape) == any_shape:
            continue
        terms = case.f.children if isinstance(case.f, N.Sum) else (case.f,)
        part = add([term for term in terms if symbol in term.used])
        try:
            if not _may_be_by(case, part, symbol):
                continue
            wrong = derivative(part, symbol)
        except DerivativeError:
            continue
        if case.is_claimed(wrong):
            yield Finding(
                f"it is the {case.kind} by {symbol.mathematics()}, not by {case.x.mathematics()}",
                wrong,
                f"differentiate by {case.x.mathematics()}",
            )


def _may_be_by(case: Case, part: Expression, symbol: Expression) -> bool:
    """Whether the differential by a symbol is as claimed in a few directions.

    A long sum has many symbols, and a differential takes less time than a derivative.
    """
    if not isinstance(symbol, Symbol) or symbol.shape != case.x.shape:
        return True
    if symbol.declared != case.x.declared:  # the directions are those of x
        return True
    return case.is_claimed_along(differential(part, frozenset([symbol])), symbol)


def symmetric_convention(case: Case) -> Iterator[Finding]:
    """Another convention for symmetric matrices: doubled or one-sided entries."""
    if not (case.f.is_scalar and case.x.is_array and case.x.is_square):
        return
    G, name = case.right, case.x.mathematics()
    diagonal = diag(diag(G))
    symmetric = add([G, transpose(G)])
    for wrong, words in (
        (
            add([symmetric, scale(-1, diagonal)]),
            f"the entries beside the diagonal count twice, as they do when {name} is symmetric and "
            "its entries on one side of the diagonal are the variables",
        ),
        (
            scale(number(1) / 2, symmetric),
            f"it is the symmetric part of the gradient, as though {name} were symmetric",
        ),
        (symmetric, f"it is G + Gᵀ for the gradient G, as though {name} were symmetric"),
    ):
        if case.is_claimed(wrong):
            yield Finding(words, wrong)


def not_symmetrised(case: Case) -> Iterator[Finding]:
    """A gradient by a symmetric matrix whose symmetric part is the right one."""
    if not case.f.is_scalar or "symmetric" not in case.x.declared:
        return
    name = case.x.mathematics()
    if all(
        not sample.differs((sample.claimed + sample.claimed.T) / 2, sample.right, case.tolerance)
        for sample in case.samples
    ):
        plain = case.derive_plain(case.df)
        forms = (form for form in (plain, transpose(plain)) if case.is_claimed(form))
        yield Finding(
            f"{name} is symmetric, and this matrix is not: it gives the right df for every "
            "symmetric direction, but of all matrices that do the gradient is the symmetric one, "
            "(G + Gᵀ)/2 of this G",
            next(forms, None),
        )


def assumed_probability(case: Case) -> Iterator[Finding]:
    """The answer for vectors whose entries sum to one, which are not declared so."""
    for part in dict.fromkeys(parts_of(case.right)):
        if not (isinstance(part, Total) and isinstance(part.argument, Symbol)):
            continue
        wrong = substitute(case.right, {part: number(1)})
        if part.argument.is_column and case.is_claimed(wrong):
            name = part.argument.mathematics()
            yield Finding(
                f"the entries of {name} are taken to sum to 1, as those of a one-hot vector do: "
                f"{wrong.mathematics()} is right only there",
                wrong,
            )


def merged_as_symmetric(case: Case) -> Iterator[Finding]:
    """The answer for symmetric matrices that are not declared so, where this is the simplest word.

    That is where two terms become one, or where the variable itself is taken to be symmetric.
    """
    for chosen, finding in case.once("assumed symmetric", _assumed_symmetric):
        assert finding.reproduced is not None
        if chosen == (case.x,) or len(expanded(finding.reproduced)) < len(case.terms):
            yield finding


def assumed_symmetric(case: Case) -> Iterator[Finding]:
    """The answer for symmetric matrices that are not declared so."""
    for _, finding in case.once("assumed symmetric", _assumed_symmetric):
        yield finding


def _assumed_symmetric(case: Case) -> Iterator[tuple[tuple[Symbol, ...], Finding]]:
    written = set(parts_of(case.right))
    for chosen in symbols_assumed_symmetric(case.f):
        stand_in: dict[Expression, Expression] = {
            A: Symbol(A.name, A.rows, A.cols, A.declared | {"symmetric"}) for A in chosen
        }
        back = {new: old for old, new in stand_in.items()}
        turned = {new: transpose(old) for new, old in back.items()}
        both = any(A in written and transpose(A) in written for A in chosen)
        ways = [back, turned] if both or case.x in chosen else [back]
        for answers in _symmetric_answers(case, chosen, stand_in, ways):
            for local in answers:
                if case.is_claimed_after(local) and local.result != case.right:
                    yield chosen, _of_symmetric(case, chosen, local.result)
                    break


def _of_symmetric(case: Case, chosen: tuple[Symbol, ...], returned: Expression) -> Finding:
    names = " and ".join(A.mathematics() for A in chosen)
    conditions = ", ".join(f"{transpose(A).mathematics()} = {A.mathematics()}" for A in chosen)
    return Finding(
        f"{names} {'are' if len(chosen) > 1 else 'is'} taken to be symmetric: "
        f"{returned.mathematics()} is right only where {conditions}",
        returned,
        ""
        if len(expanded(returned)) < len(case.terms)
        else "keep the transposes, or declare the matrix with symmetric=True where it is",
    )


def _symmetric_answers(
    case: Case,
    chosen: tuple[Symbol, ...],
    stand_in: dict[Expression, Expression],
    ways: list[dict[Expression, Expression]],
) -> Iterator[Iterator[Local]]:
    """The answers, each with the stand-ins replaced in several ways."""

    def replaced(back: dict[Expression, Expression]) -> Local:
        def change(term: Expression) -> Expression:
            return substitute(substitute(term, stand_in), back)

        return changed_terms(case.right, change, chosen)

    yield (replaced(back) for back in ways)
    if case.x in chosen:
        answer = derivative(substitute(case.f, stand_in), stand_in[case.x])
        yield (instead(case.right, substitute(answer, back)) for back in ways)
