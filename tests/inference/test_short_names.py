"""Names of few letters differ where the names do."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from mcmodels import LinearRegression, compare, fit_formula
from mcmodels.inference.short_names import short_names

# Interactions of a spline with a factor: they differ in two places.
PRODUCTS = [
    f"bs(yrs_married, df=5)[{k}]:C(religious)[T.{level}]" for k in range(1, 6) for level in "234"
]
LETTERS = ["".join(of) + "x" * 30 + "".join(of[::-1]) for of in itertools.product("abc", repeat=4)]


@pytest.mark.parametrize("most", [3, 8, 12, 20, 22, 40])
@pytest.mark.parametrize("names", [PRODUCTS, LETTERS, PRODUCTS + LETTERS], ids=["ab", "x", "both"])
def test_they_differ_and_are_short(names, most):
    short = short_names(names, most)
    assert len(set(short)) == len(names)
    assert max(map(len, short)) <= max(most, len("…#100"))


def test_equal_names_stay_equal():
    names = [*PRODUCTS, *PRODUCTS[::-1]]
    short = short_names(names, 12)
    assert short[: len(PRODUCTS)] == short[: len(PRODUCTS) - 1 : -1]


def test_factors_of_a_product_stay_readable():
    assert short_names(PRODUCTS, 40)[4] == "bs(yrs_marr…, df=5)[2]:C(religious)[T.3]"
    assert short_names(["a:b" * 20, "c"], 9) == ["a:ba…ba:b", "c"]


def test_rows_of_tables_differ():
    pytest.importorskip("formulaic")
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        {"a_long_name_of_a_number": rng.uniform(0, 1, 90), "y": rng.normal(size=90)}
    )
    data["another_long_name"] = rng.choice(["left", "middle", "right"], 90)
    formula = "y ~ bs(a_long_name_of_a_number, df=4)*another_long_name"
    fit = fit_formula(formula, data, LinearRegression())
    for text in (str(fit[-1].summary()), str(compare(fit, fit))):
        names = {
            line.split("  ")[0] for line in text.splitlines() if re.match(r"bs\(|another", line)
        }
        assert len(names) == fit[-1].coef_.size, text
