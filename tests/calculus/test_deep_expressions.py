"""Deep compositions: work in proportion to the size of what is found, counted in nodes; texts."""

from __future__ import annotations

import ast
import re

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import diagnose, exp, log, matrix, sigmoid, softplus, sqrt, tanh, vector
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.arithmetic import is_symmetric, orientation
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.derive.simplification import reading_size
from mcmodels.calculus.study.doctor.mistakes_of_rules import _groups
from mcmodels.calculus.text import printing
from mcmodels.calculus.text.printing import shared

x = vector("x", "n")

STEPS = {
    "sigmoid": sigmoid,
    "softplus": softplus,
    "tanh": tanh,
    "log(1 + u²)": lambda u: log(1 + u**2),
    "f∘f + f": lambda f: f * f + f,
    "1/(1 + u)": lambda u: 1 / (1 + u),
    "exp(−u)": lambda u: exp(-u),
    "√(1 + u²)": lambda u: sqrt(1 + u**2),
}


def slow(value):
    return pytest.param(value, marks=pytest.mark.slow)


def nested(name, depth):
    e = x
    for _ in range(depth):
        e = STEPS[name](e)
    return mc.sum(e)


def edges(e):
    count = 0
    for part in parts_of(e):
        count += 1 + len(part.children)
    return count


def counted(monkeypatch, work):
    """The result, and how many nodes were made."""
    made = 0
    identify = Expression._identify

    def one_more(self, children, label):
        nonlocal made
        made += 1
        identify(self, children, label)

    with monkeypatch.context() as patched:
        patched.setattr(Expression, "_identify", one_more)
        return work(), made


@pytest.mark.parametrize("name", STEPS)
def test_gradients_take_work_in_proportion_to_their_size(monkeypatch, name):
    """The part that is simplified has a bounded size: beside it, ten nodes for each edge."""
    f = nested(name, 40)
    gradient, made = counted(monkeypatch, lambda: f.gradient(x))
    assert made < 4000 + 10 * (edges(f) + edges(gradient))


@pytest.mark.parametrize("name", [name for name in STEPS if name != "f∘f + f"])
def test_hessians_take_work_in_proportion_to_their_size(monkeypatch, name):
    f = nested(name, 20)
    hessian, made = counted(monkeypatch, lambda: f.hessian(x))
    assert made < 25_000 + 12 * edges(hessian)


@pytest.mark.parametrize("name", [slow("sigmoid"), "tanh", "softplus"])
def test_derivatives_of_deep_compositions_are_right(name):
    """Against mpmath with 60 digits; rounding of some thousand operations is below 1e-10."""
    depth, at = 40, 0.7
    f = nested(name, depth)
    one = {
        "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
        "tanh": mpmath.tanh,
        "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)),
    }[name]

    def exact(u):
        for _ in range(depth):
            u = one(u)
        return u

    with mpmath.workdps(60):
        first, second = (float(mpmath.diff(exact, mpmath.mpf(at), k)) for k in (1, 2))
    values = {"x": np.array([at])}
    assert abs(f.gradient(x).evaluate(**values)[0] / first - 1) < 1e-10
    assert abs(f.hessian(x).compile()(**values)[0, 0] / second - 1) < 1e-10


def test_a_long_sum_of_short_terms_is_simplified_as_before():
    """It is long because it has many terms: factors are taken out of each."""
    count = 200
    total = sum((mc.sum(tanh(vector(f"a{i}", "n") * x) ** 2) for i in range(count)), mc.sum(x))
    gradient = total.gradient(x)
    one = mc.sum(tanh(vector("a0", "n") * x) ** 2).gradient(x)
    assert reading_size(gradient) <= count * (reading_size(one) + 1) + 10


# -- the doctor ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["softplus", slow("sigmoid"), slow("log(1 + u²)")],
)
def test_the_doctor_tries_no_more_of_a_deeper_function_than_it_has_room_for(monkeypatch, name):
    """Twice as deep may take eight times as many nodes; all groups of slopes would be 2²⁰."""
    counts = []
    for depth in (10, 20):
        f = nested(name, depth)
        claimed = f.gradient(x) + exp(x)  # which no mistake explains
        found, made = counted(monkeypatch, lambda f=f, claimed=claimed: diagnose(f, x, claimed))
        assert not found.correct
        counts.append(made)
    assert counts[1] < 9 * counts[0] + 20_000


def test_a_mistake_in_a_deep_function_is_still_named():
    f = nested("softplus", 30)
    assert diagnose(f, x, 2 * f.gradient(x)).mistake == "factor"
    inner = nested("softplus", 12)
    without_last = inner.gradient(x) / sigmoid(x)
    assert diagnose(inner, x, without_last).mistake == "chain rule"


def test_what_was_not_tried_is_told():
    f = nested("sigmoid", 30)
    found = diagnose(f, x, f.gradient(x) + exp(x))
    assert "no mistake that was tried" in found.explanation
    short = mc.sum(exp(x))
    assert "no known mistake" in diagnose(short, x, exp(x) + tanh(x)).explanation


def test_of_few_slopes_all_groups_are_tried_and_of_many_the_runs_from_the_ends():
    few = [vector(f"s{i}", "n") for i in range(4)]
    assert len({frozenset(group) for group in _groups(few)}) == 2**4 - 1
    many = [vector(f"s{i}", "n") for i in range(20)]
    groups = {frozenset(group) for group in _groups(many)}
    assert {frozenset([slope]) for slope in many} <= groups
    assert {frozenset(many[:i]) for i in range(1, 21)} <= groups
    assert {frozenset(many[-i:]) for i in range(1, 21)} <= groups
    assert len(groups) < 3 * 20


# -- texts with names of shared parts --------------------------------------------------------------


@pytest.fixture
def short_texts(monkeypatch):
    monkeypatch.setattr(shared, "LONGEST", 40)


def read_back(text, known):
    """The expression that Python statements end with, each name put in its place."""
    *definitions, last = ast.parse(text).body
    names = dict(known)
    for definition in definitions:
        value = compile(ast.Expression(definition.value), "text", "eval")
        names[definition.targets[0].id] = eval(value, {}, names)  # our own text
    return eval(compile(ast.Expression(last.value), "text", "eval"), {}, names)


FUNCTIONS = {
    "sum": mc.sum, "sigmoid": sigmoid, "softplus": softplus, "tanh": tanh, "log": log, "exp": exp,
    "sqrt": sqrt, "x": x,
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_text_with_names_is_the_expression(short_texts, name):
    f = nested(name, 6)
    for e in (f, f.gradient(x)):
        text = str(e)
        assert read_back(text, FUNCTIONS) == e, text


def test_texts_of_expressions_with_2_to_the_60_parts(monkeypatch):
    f = nested("f∘f + f", 60)
    for written in (f.mathematics(), f.latex(), str(f)):
        assert len(written) < 60_000
    assert f.mathematics().startswith("sum((t₅₈ + t₅₇ + ")
    assert "; t₂ = " in f.mathematics()
    assert r", \text{ where } t_{1} = " in f.latex()
    assert read_back(str(f), FUNCTIONS) == f


def test_every_part_is_named_before_it_is_used(short_texts):
    f = nested("f∘f + f", 20)
    seen: set[str] = set()
    for statement in str(f.gradient(x)).split("; "):
        name, _, value = statement.rpartition(" = ")
        assert set(re.findall(r"\bt\d+\b", value)) <= seen
        seen.add(name)


def test_names_avoid_those_of_symbols(short_texts):
    t1 = vector("t1", "n")
    e = t1
    for _ in range(6):
        e = e * e + e
    assert "u1 = " in str(e)
    assert "t2 = " not in str(e)


def test_a_text_that_can_be_read_has_no_names():
    f = nested("sigmoid", 8)
    assert "where" not in f.gradient(x).mathematics()
    assert ";" not in str(f.gradient(x))
    assert printing.shared.with_names(f) == ([], f)


def test_transposed_parts_keep_their_names_symmetric(short_texts):
    A, S = matrix("A", "n", "n"), matrix("S", "n", "n", symmetric=True)
    part = A + A.T + S * S
    e = mc.sum(part @ part @ A @ part + part * part)
    for _ in range(3):
        e = e * e + e
    named, _ = shared.with_names(e)
    symmetric = [symbol for symbol, _ in named if symbol.is_array and symbol.declared]
    assert symmetric
    assert all(symbol.declared == {"symmetric"} for symbol in symmetric)


# -- symmetry --------------------------------------------------------------------------------------


def test_symmetry_is_told_in_proportion_to_the_distinct_parts(monkeypatch):
    """Each part is looked at upright and turned, once; the tree has 2⁴⁰ parts."""
    A = matrix("A", "n", "n")
    e = A
    for _ in range(40):
        e = (e * e + e.T).T
    asked = []
    found = orientation._Forms._found
    monkeypatch.setattr(
        orientation._Forms, "_found", lambda *given: asked.append(given) or found(*given)
    )
    assert is_symmetric(e + e.T)
    assert not is_symmetric(e - 2 * e.T)
    assert len(asked) < 40 * len(list(parts_of(e)))


# -- texts of what is nested deep -----------------------------------------------------------------


@pytest.mark.parametrize("depth", [20, 45, 60, 80])
def test_texts_of_derivatives_nested_deep(depth):
    """Each is the gradient when it is read back; above 180 levels it is written with names."""
    W = matrix("W", "n", "n")
    f = x
    for _ in range(depth):
        f = sigmoid(W @ f)
    gradient = (x.T @ f).gradient(x)
    assert read_back(str(gradient), {**FUNCTIONS, "W": W}) == gradient
    is_deep = gradient.height > 180
    assert ("; t2 = " in str(gradient)) == is_deep
    assert (", where t₁ = " in gradient.mathematics()) == is_deep
    assert (r"\text{ where } t_{1}" in gradient.latex()) == is_deep


def test_no_written_part_is_nested_deep():
    f = x[0]
    for _ in range(100):
        f = sigmoid(f) + 1
    named, short = shared.with_names(f)
    assert named
    assert max(part.height for part in [short, *(part for _, part in named)]) <= shared._LEVELS + 2
