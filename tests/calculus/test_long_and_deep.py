"""Long sums and deep compositions: work in proportion to their size, counted in nodes."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import convexity, logsumexp, matrix, scalar, sigmoid, softplus, tanh, vector
from mcmodels.calculus.compute.compiling.writing import write_function
from mcmodels.calculus.compute.stable.tails import with_exact_tails
from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.arithmetic import exponentials
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study import convexity as room
from mcmodels.calculus.study.convexity import witness

x, z = vector("x", "p"), scalar("z")


def gated(i):
    u = vector(f"a{i}", "p") * x
    return mc.sum(u**2 * sigmoid(u))


def squashed(i):
    return mc.sum(tanh(vector(f"a{i}", "p") * x) ** 2)


def weighted_logistic(i):
    return scalar(f"c{i}") * softplus(vector(f"a{i}", "p").T @ x)


def weighted_softmax(i):
    return scalar(f"c{i}") * logsumexp(matrix(f"A{i}", "k", "p") @ x)


def sum_of(make, count):
    return arithmetic.add([make(i) for i in range(count)])


def nodes_made(monkeypatch, work):
    """How many nodes are made while something is done."""
    made = 0
    identify = Expression._identify

    def counted(self, children, label):
        nonlocal made
        made += 1
        identify(self, children, label)

    with monkeypatch.context() as patched:
        patched.setattr(Expression, "_identify", counted)
        work()
    return made


def of_gradient(f):
    return lambda: f.gradient(x)


def of_hessian(f):
    return lambda: f.hessian(x)


def of_code_of_gradient(f):
    gradient = f.gradient(x)
    return lambda: write_function(gradient, sorted(s.name for s in gradient.used), {"p": 5})


def of_code_of_hessian(f):
    hessian = f.hessian(x)
    return lambda: write_function(hessian, sorted(s.name for s in hessian.used), {"p": 5})


def of_convexity(f):
    return lambda: convexity(f, x)


@pytest.mark.parametrize(
    ("make", "of"),
    [
        (make, of)
        for make in (gated, squashed)
        for of in (of_gradient, of_hessian, of_code_of_gradient, of_code_of_hessian)
    ]
    + [(make, of_convexity) for make in (weighted_logistic, weighted_softmax)],
)
def test_work_grows_with_the_number_of_terms(monkeypatch, make, of):
    """Three times as many terms may take four times as many nodes; a square would be nine."""
    short, long = (nodes_made(monkeypatch, of(sum_of(make, count))) for count in (10, 30))
    assert long < 4 * short


def test_conditions_are_tried_as_often_in_long_sums(monkeypatch):
    """A symbol of one open term among several cannot decide alone: no search for each symbol."""
    tried = {}
    for count in (3, 30):
        calls = []
        proved = room._proved

        def counted(*given, proved=proved, calls=calls):
            calls.append(given)
            return proved(*given)

        with monkeypatch.context() as patched:
            patched.setattr(room, "_proved", counted)
            found = convexity(sum_of(weighted_logistic, count), x)
        tried[count] = len(calls)
        assert found.where.startswith("convex where")
    assert tried[3] == tried[30]


def test_one_symbol_that_all_open_terms_hold_is_still_found():
    c = scalar("c")
    f = c * softplus(vector("a", "p").T @ x) + c * softplus(vector("b", "p").T @ x)
    assert convexity(f, x).where == "convex where c ≥ 0"
    with_convex = f + softplus(vector("d", "p").T @ x)
    assert convexity(with_convex, x).where == "convex where c ≥ 0"


def test_the_search_for_a_witness_takes_fewer_values_of_long_functions(monkeypatch):
    """A search that finds nothing: 80 and 160 terms take as many values, and 2 terms take more."""
    counts = {}
    for count in (2, 80, 160):
        f = sum_of(weighted_logistic, count) ** 2
        values = []
        with monkeypatch.context() as patched:
            patched.setattr(
                witness._Values, "__call__", lambda *given, values=values: values.append(0) or 0.0
            )
            assert witness.find_witness(f, x, frozenset(), None) is None
        counts[count] = len(values)
    assert 0 < counts[80] == counts[160] < counts[2] / 10


def test_pairs_of_factors_are_looked_at_only_where_they_may_join(monkeypatch):
    """σ(u) and 1 − σ(v) never join; a derivative of a deep composition has many of both."""
    asked = []
    pair = exponentials._pair
    monkeypatch.setattr(exponentials, "_pair", lambda *given: asked.append(given) or pair(*given))
    f = z
    for _ in range(8):
        f = sigmoid(f)
    f.hessian(z)
    assert not asked


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_tails_of_all_terms_keep_their_digits(name):
    """Against mpmath with 60 digits; rounding of some ten operations is below 1e-13."""
    function, exact = {
        "sigmoid": (lambda u: sigmoid(u) - sigmoid(u) ** 2, lambda u: 1 / (2 + 2 * mpmath.cosh(u))),
        "tanh": (lambda u: 1 - tanh(u) ** 2, lambda u: 1 / mpmath.cosh(u) ** 2),
    }[name]
    slopes = [7, 11, 13, 17]
    weights = [scalar(f"w{i}") for i in slopes]
    opened = [w * t for i, w in zip(slopes, weights, strict=True) for t in function(i * z).children]
    with mpmath.workdps(60):
        expected = float(mpmath.fsum(i * exact(3 * mpmath.mpf(i)) for i in slopes))
    found = arithmetic.add(opened).evaluate(z=3.0, **{f"w{i}": float(i) for i in slopes})
    assert abs(found / expected - 1) < 1e-13


def test_what_one_polynomial_leaves_is_part_of_another():
    """(σ(a) − σ(a)²)(1 − σ(b)), multiplied out: both roots are taken out, in either order."""
    a, b = scalar("a"), scalar("b")
    terms = [
        sigmoid(a),
        -(sigmoid(a) ** 2),
        -sigmoid(a) * sigmoid(b),
        sigmoid(a) ** 2 * sigmoid(b),
    ]
    expected = sigmoid(a) * sigmoid(-a) * sigmoid(-b)
    for order in ((0, 1, 2, 3), (3, 1, 2, 0), (2, 3, 0, 1)):
        assert with_exact_tails(arithmetic.add([terms[i] for i in order])) == expected
    w = scalar("w")
    beside = arithmetic.add([*terms, w * sigmoid(b), 0.5 * w])
    assert with_exact_tails(beside) == expected + w * sigmoid(b) + 0.5 * w


def test_terms_without_such_functions_stay_where_they_are():
    c = scalar("c")
    y = sigmoid(z)
    found = with_exact_tails(arithmetic.add([c, y, z * y, -(y**2), z**2, -z * y**2]))
    assert found is not None
    expected = (c, y * sigmoid(-z), z * y * sigmoid(-z), z**2)
    assert found.children == expected
    assert with_exact_tails(arithmetic.add([c, y, z * y])) is None


def test_values_and_code_agree_for_a_long_sum():
    """Both sum the same 40 terms of size one: rounding is far below 1e-12."""
    f = sum_of(gated, 40)
    rng = np.random.default_rng(0)
    values = {symbol.name: rng.standard_normal(3) for symbol in f.used}
    hessian = f.hessian(x)
    np.testing.assert_allclose(
        hessian.compile()(**values), hessian.evaluate(**values), rtol=1e-12, atol=1e-12
    )
    assert f.check(x) < 1e-8  # of central differences
