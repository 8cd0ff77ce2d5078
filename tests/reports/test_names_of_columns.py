"""What columns are called changes no number: text, numbers, names of the intercept."""

import numpy as np
import pandas as pd
import pytest

from mcmodels import LinearRegression, compare, fit_formula, results

pytest.importorskip("formulaic")

RNG = np.random.default_rng(3)
N = 60
DATA = pd.DataFrame(
    {"y": RNG.normal(size=N), "a": RNG.normal(size=N), "g": RNG.choice(list("pq"), N)}
)
NAMES = [("a", "g"), (0, 1), (1, 0), ("1", "Intercept"), ("Intercept", "1")]


def renamed(names):
    """Results of ``y ~ a*g`` where the columns a and g have other names, and the table."""
    table = DATA.rename(columns=dict(zip("ag", names, strict=True)))
    a, g = (f"`{name}`" for name in names)
    return results(fit_formula(f"y ~ {a}*{g}", table, LinearRegression())), table


def numbers(names):
    found, table = renamed(names)
    a, g = names
    return {
        "effects": found.marginal_effects(table),
        "one": found.marginal_effects(table, a, by=g),
        "at": found.predictions(table, at={a: 0.5, g: ["p", "q"]}),
        "middle": found.marginal_effects(table, at="means"),
        "contrasts": found.contrasts(table, g),
        "anova": found.anova(),
        "terms": found.wald_test(terms=True),
        "robust": found.marginal_effects(table, kind="HC1"),
    }


@pytest.mark.parametrize("names", NAMES[1:])
def test_names_change_no_number(names):
    expected = numbers(NAMES[0])
    for what, table in numbers(names).items():
        assert table.shape == expected[what].shape, what  # no row was left out
        # The same arithmetic of the same columns.
        np.testing.assert_array_equal(table.to_numpy(), expected[what].to_numpy(), err_msg=what)


def test_the_nearest_name_is_told_as_it_is():
    found, table = renamed((10, 1))
    with pytest.raises(ValueError, match=r"variables: X has no input '10'; did you mean 10\?"):
        found.marginal_effects(table, "10")
    with pytest.raises(ValueError, match="by: X has no input 7; there are y, 10, 1"):
        found.marginal_effects(table, by=7)


def test_pictures_of_levels_of_a_column_whose_name_is_a_number():
    pytest.importorskip("matplotlib")
    from mcmodels.plots import EffectDisplay

    table = DATA.assign(g=RNG.integers(0, 3, N)).rename(columns={"g": 1})
    fit = fit_formula("y ~ a + C(`1`)", table, LinearRegression())
    display = EffectDisplay.from_estimator(fit, table, 1)
    assert not display.is_numeric
    expected = fit.predict(pd.DataFrame({"a": table["a"].mean(), 1: [0, 1, 2]}))
    np.testing.assert_allclose(display.tables[None]["prediction"], expected, rtol=1e-12)


def test_a_column_that_is_called_as_the_intercept():
    """It keeps its row beside models without it, and its place in pictures."""
    named = DATA[["a"]].rename(columns={"a": "(intercept)"})
    one = LinearRegression().fit(named, DATA["y"])
    null = LinearRegression().fit(DATA[["a"]], DATA["y"] + 1.0)
    found = compare(one, null).to_frame().xs("coefficient", level="measure").to_numpy()
    expected = [[one.coef_[0], np.nan], [np.nan, null.coef_[0]], [one.intercept_, null.intercept_]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["(intercept)", "slope at the (intercept)"])
def test_pictures_leave_out_the_intercept_alone(name):
    pytest.importorskip("matplotlib")
    from mcmodels.plots import CoefficientDisplay

    model = LinearRegression().fit(DATA[["a"]].rename(columns={"a": name}), DATA["y"])
    (table,) = CoefficientDisplay.from_estimator(model).tables.values()
    assert list(table["coefficient"]) == list(model.coef_)
