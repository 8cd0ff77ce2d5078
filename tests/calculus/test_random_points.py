"""Random points are found where an expression is defined in a small or a distant region alone."""

import numpy as np
import pytest

from mcmodels.calculus import diagnose, inv, log, matrix, parse, scalar
from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.study.instances import random_instance

X, x = matrix("X", "n", "n"), scalar("x")


@pytest.mark.parametrize("seed", range(6))
def test_a_determinant_is_drawn_until_it_is_positive(seed):
    f = parse("log(det(X))", X="n,n")
    assert diagnose(f, "X", inv(X).T, seed=seed).correct
    assert diagnose(f, "X", 2 * inv(X).T, seed=seed).mistake == "factor"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "text",
    [
        "arccosh(x)",
        "log(log(x))",
        "log(log(log(x)))",
        "log(x-2)",
        "log(x-100)",
        "log(-x-5)",
        "log(a-x)+log(x-b)",
        "sqrt(x^2-50)",
        "arcsin(x/3)+log(x-2)",
        "log(1-x-y)+log(x)+log(y)",
    ],
)
def test_a_check_finds_its_point(text, seed):
    f = parse(text)
    # Differences beside the end of a region are wrong by up to 1e-6.
    assert f.check("x", seed=seed) < 1e-6
    values, _ = random_instance([f], seed)
    assert all(np.isfinite(array).all() for array in values.values())


def test_the_first_draws_are_what_they_were():
    values, _ = random_instance([x], 3)
    assert values[x][0, 0] == np.random.default_rng(3).standard_normal((1, 1))[0, 0]


def test_what_is_defined_nowhere_is_refused():
    with pytest.raises(EvaluationError, match="no random values were found"):
        random_instance([log(-(x**2) - 1)], 0)
