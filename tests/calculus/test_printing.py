"""Tests of mathematics as text: literally, and by what must hold of any notation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import pytest

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import (
    eye,
    logdet,
    matrix,
    matrix_power,
    norm,
    ones,
    scalar,
    sigmoid,
    softmax,
    sqrt,
    sum,
    trace,
    unit,
    vec,
    vector,
)
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.derive.rules import DerivativeError
from tests.calculus import printed
from tests.calculus.printed_functions import FUNCTIONS_LATEX, FUNCTIONS_PLAIN

x, y = vector("x", "n"), vector("y", "n")
A, M = matrix("A", "n", "n"), matrix("M", "m", "n")
c, lam, rate = scalar("c"), scalar("lam"), scalar("rate")

PLAIN = [*printed.PLAIN, *FUNCTIONS_PLAIN]
LATEX = [*printed.LATEX, *FUNCTIONS_LATEX]
EXPRESSIONS = [expression for expression, _ in PLAIN]


@pytest.mark.parametrize(("expression", "text"), PLAIN, ids=[text for _, text in PLAIN])
def test_plain_text(expression: Expression, text: str) -> None:
    assert repr(expression) == text
    assert expression.mathematics() == text


@pytest.mark.parametrize(("expression", "text"), LATEX, ids=[text for _, text in LATEX])
def test_latex(expression: Expression, text: str) -> None:
    assert expression.latex() == text


def parts(expression: Expression) -> set[Expression]:
    """The expression and all expressions in it."""
    found = {expression}
    for child in expression.children:
        found |= parts(child)
    return found


@pytest.mark.parametrize("rows", [PLAIN, LATEX], ids=["plain", "latex"])
def test_the_tables_cover_every_node(rows: list[tuple[Expression, str]]) -> None:
    covered = {type(part).__name__ for expression, _ in rows for part in parts(expression)}
    assert covered >= {*N.__all__, *F.__all__}


def derived(expression: Expression) -> list[Expression]:
    """The differential, and the gradient or Jacobian by each symbol, of an expression."""
    if any(isinstance(symbol, N.Differential) for symbol in expression.symbols):
        return []
    found = []
    for symbol in expression.symbols:
        try:
            if expression.is_scalar:
                found.append(expression.gradient(symbol))
            found.append(expression.jacobian(symbol))
        except DerivativeError:  # powers with a symbolic exponent have none in closed form
            continue
    return found


@pytest.fixture(scope="module")
def many() -> list[Expression]:
    """The expressions of the table, all parts of them, and their derivatives."""
    found = {part for expression in EXPRESSIONS for part in parts(expression)}
    derivatives = {part for expression in EXPRESSIONS for part in derived(expression)}
    assert len(derivatives) > 150, "most expressions of the table can be differentiated"
    return [*found, *(part for expression in derivatives for part in parts(expression))]


def outline(expression: Expression) -> object:
    """What an expression is, up to the sizes of I, 0 and eᵢ and the order of terms."""
    if isinstance(expression, N.Zeros) or expression == number(0):
        return "0"
    children = [outline(child) for child in expression.children]
    if expression.commutative:
        children.sort(key=repr)
    return type(expression).__name__, expression.label, tuple(children)


@pytest.mark.parametrize("notation", [Expression.mathematics, Expression.latex])
def test_different_expressions_look_different(
    many: list[Expression], notation: Callable[[Expression], str]
) -> None:
    written: dict[object, dict[object, str]] = defaultdict(dict)
    for expression in many:
        names = tuple(symbol.name for symbol in expression.symbols)
        written[notation(expression), names].setdefault(outline(expression), str(expression))
    alike = {text: list(found.values()) for text, found in written.items() if len(found) > 1}
    assert alike == {}


def test_plain_text_has_no_stray_spaces_and_closes_its_parentheses(many: list[Expression]) -> None:
    for expression in many:
        text = repr(expression)
        assert "  " not in text
        assert text == text.strip()
        assert text.count("(") == text.count(")")


def braces_fault(text: str) -> str | None:
    """What is wrong with the groups of a LaTeX text: unbalanced, or a double superscript."""
    opened: list[bool] = []  # whether each open group is a superscript
    after_superscript = False
    for i, letter in enumerate(text):
        if letter == "{":
            opened.append(text[i - 1 : i] == "^")
            after_superscript = False
        elif letter == "}":
            if not opened:
                return f"closed but not opened at {i}"
            after_superscript = opened.pop()
        elif letter == "^" and after_superscript:
            return f"double superscript at {i}"
        else:
            after_superscript = False
    return f"{len(opened)} not closed" if opened else None


@pytest.mark.parametrize("faulty", ["{a", "a}", "}{", r"x^{2}^{3}"])
def test_faulty_braces_are_found(faulty: str) -> None:
    assert braces_fault(faulty) is not None


def test_latex_braces_and_delimiters_balance(many: list[Expression]) -> None:
    for expression in many:
        text = expression.latex()
        assert braces_fault(text) is None, text
        assert text.count(r"\left") == text.count(r"\right"), text
        assert text.count("(") == text.count(")"), text
        assert text.isascii(), text


def test_scalar_factors_stand_in_the_order_of_textbooks() -> None:
    assert repr(lam * c * x) == "λcx"
    assert repr((x.T @ y) * c * norm(x) * x) == "c‖x‖ (xᵀy)x"
    assert repr(sqrt(lam) * c * x) == "c√λ x"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (scalar("sigma") * (c + 1), sigmoid(c + 1) * scalar("sigma") ** 2),
        (scalar("d") * scalar("x"), scalar("x").differential() * scalar("x")),
        (scalar("ab") + scalar("a") * scalar("b"), 2 * scalar("ab")),
        (vector("mu", "n") + vector("μ", "n"), 2 * vector("μ", "n")),
        (unit(0, "n") + x, vector("e0", "n") + x),
        (eye("n") + A, matrix("I_n", "n", "n") + A),
        (-(c**2), (-c) ** 2),
        (ones("m*n"), ones("m", "n")),
        (softmax(M, axis=1), softmax(vec(M))),
        (trace(matrix_power(A, 2)), trace(A) ** 2),
        (trace(A**2), trace(matrix_power(A, 2))),
        (sum(x) ** 2, sum(x**2)),
        (logdet(A) ** 2, logdet(matrix_power(A, 2))),
        ((c**lam) ** rate, c ** (lam * rate)),
        (norm(A), norm(vec(A))),
    ],
)
def test_look_alikes_are_told_apart(one: Expression, other: Expression) -> None:
    assert repr(one) != repr(other)
    assert one.latex() != other.latex()


def test_notebooks_show_latex() -> None:
    assert (x.T @ x)._repr_latex_() == r"$\displaystyle x^{\top} x$"
