"""The doctor on long sums: findings as of short ones, and work that grows with the length."""

from __future__ import annotations

import pytest

from mcmodels.calculus import diagnose, exp, matrix, norm, scalar, softplus, tanh, vector
from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study.doctor.terms import written_size

x = vector("x", "n")


def exponential(i):
    return exp(vector(f"a{i}", "n").T @ x) / (i + 1)


def quadratic(i):
    residual = matrix(f"A{i}", "n", "n") @ x - vector(f"b{i}", "n")
    return residual.T @ residual


def logistic(i):
    return mc.sum(softplus(matrix(f"X{i}", "m", "n") @ x))


def squashed(i):
    return mc.sum(tanh(vector(f"w{i}", "n") * x))


KINDS = (exponential, quadratic, logistic, squashed)


def in_all(make, wrong, count):
    terms = [make(i) for i in range(count)]
    return arithmetic.add(terms), arithmetic.add([wrong(i) for i in range(count)])


def in_one(make, wrong, count):
    """The mistake in one term, beside others of every kind."""
    terms = [make(0), *(KINDS[i % 4](i) for i in range(1, count))]
    claimed = [wrong(0), *(term.gradient(x) for term in terms[1:])]
    return arithmetic.add(terms), arithmetic.add(claimed)


def sign_of(make):
    return lambda i: -make(i).gradient(x)


def transposed_layout(i):
    A = matrix(f"A{i}", "n", "n")
    return 2 * A @ (A @ x - vector(f"b{i}", "n"))


def without_slope(i):
    return vector(f"w{i}", "n")


def forgotten_sigmoid(i):
    X = matrix(f"X{i}", "m", "n")
    return X.T @ (X @ x)


MISTAKES = [
    (in_all, exponential, lambda i: 2 * exponential(i).gradient(x), "factor"),
    (in_all, quadratic, transposed_layout, "assumed symmetric"),
    (in_one, quadratic, transposed_layout, "mixed layout"),
    (in_one, exponential, lambda i: 0 * x, "dropped term"),
    (in_one, exponential, sign_of(exponential), "sign of a term"),
    (in_one, squashed, sign_of(squashed), "sign of a term"),
    (in_one, squashed, lambda i: 3 * squashed(i).gradient(x), "factor of a term"),
    (in_one, squashed, without_slope, "dropped term"),
    (in_one, logistic, forgotten_sigmoid, "forgotten function"),
]


@pytest.mark.parametrize(
    ("where", "make", "wrong", "name"),
    MISTAKES,
    ids=[f"{w.__name__}-{m.__name__}-{n}" for w, m, _, n in MISTAKES],
)
def test_a_long_sum_is_judged_as_a_short_one(where, make, wrong, name):
    for count in (3, 40):
        f, claimed = where(make, wrong, count)
        found = diagnose(f, x, claimed)
        assert found.mistake == name, (count, str(found))
        assert found.reproduced is not None


@pytest.mark.parametrize("make", KINDS)
def test_the_work_grows_with_the_number_of_terms(monkeypatch, make):
    """Nodes made are counted: three times as many terms may take four times as many, not nine."""
    made = [0]
    identify = Expression._identify

    def counted(self, *arguments):
        made[0] += 1
        identify(self, *arguments)

    monkeypatch.setattr(Expression, "_identify", counted)
    counts = []
    for count in (20, 60):
        f, claimed = in_all(make, lambda i: make(i).gradient(x) * norm(x), count)
        made[0] = 0
        assert not diagnose(f, x, claimed).correct
        counts.append(made[0])
    assert counts[1] < 4 * counts[0], counts


def test_what_is_nested_takes_work_by_its_parts_not_by_its_text(monkeypatch):
    """The text of f = f² + f, twelve times, has thousands of parts, and is not written."""
    z = scalar("z")
    f = z
    for _ in range(12):
        f = f * f + f
    claimed = 2 * f.gradient(z)
    assert written_size(f) > 10_000
    made = [0]
    identify = Expression._identify

    def counted(self, *arguments):
        made[0] += 1
        identify(self, *arguments)

    monkeypatch.setattr(Expression, "_identify", counted)
    found = diagnose(f, z, claimed)
    assert found.mistake == "factor"
    assert made[0] < 10_000
    assert len(str(found)) < 1000
