"""Effects of leaving out rows on a number of a fit: against fits without them, and by laws."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model
from scipy import sparse, stats
from sklearn.base import clone

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    attribution,
    loss_on,
    most_influential,
    prediction_at,
)
from mcmodels.exceptions import InferenceError, LeverageWarning, SecondOrderWarning
from mcmodels.reweighting import effects as effects_module

TIGHT = 1e-13


def read(name):
    return pd.read_csv(f"datasets/{name}.csv")


def duncan():
    table = read("duncan")
    return LinearRegression(), table[["income", "education"]], table["prestige"], "income"


def titanic():
    table = read("titanic_survival")
    model = LogisticRegression(C=np.inf, tol=TIGHT)
    return model, table.drop(columns="survived"), table["survived"], "age"


def admissions():
    table = read("admissions")
    model = LogisticRegression(C=0.5, tol=TIGHT)
    return model, table[["gre", "gpa", "rank"]] / [100, 1, 1], table["admit"], "gpa"


def iris():
    table = read("iris")
    X = table.drop(columns="Species")
    model = LogisticRegression(C=1.0, tol=TIGHT)
    return model, X, table["Species"], ("virginica", "Sepal.Width")


def quine():
    table = read("quine")
    X = pd.get_dummies(table.drop(columns="Days"), drop_first=True).astype(float)
    model = GeneralizedLinearRegressor(family="poisson", tol=TIGHT)
    return model, X, table["Days"], "Sex_M"


def journals():
    table = read("journals")
    X = np.log(table[["price", "citations"]] + 1.0)
    model = ObjectiveRegressor("log(cosh(eta - y))", tol=TIGHT)
    return model, X, np.log(table["subs"]), "citations"


DATA = {
    "linear": duncan,
    "two classes": titanic,
    "two classes, penalty": admissions,
    "three classes": iris,
    "poisson": quine,
    "own loss": journals,
}


def functions(model, X, y):
    """f by its name: a coefficient, functions of the parameters, a prediction, a loss."""
    label = {"output": model.classes_[-1]} if hasattr(model, "classes_") else {}
    return {
        "params": lambda theta: np.exp(theta.ravel()[0] / 3) * theta.ravel()[1],
        "prediction": prediction_at(X.iloc[7], **label),
        "loss": loss_on(X.iloc[::3], y.iloc[::3]),
    }


def value_of(model, of, X, y):
    """F, computed from the public methods of the model."""
    if of == "params":
        return functions(model, X, y)["params"](model.params_)
    if of == "prediction":
        row = X.iloc[[7]]
        return float(
            model.predict_proba(row)[0, -1] if hasattr(model, "classes_") else model.predict(row)[0]
        )
    penalty = model.objective(X.iloc[::3], y.iloc[::3]) - without_penalty(model, X, y)
    return (model.objective(X.iloc[::3], y.iloc[::3]) - penalty) / len(X.iloc[::3])


def without_penalty(model, X, y):
    alike = clone(model)
    if hasattr(model, "C"):
        alike.set_params(C=np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alike.fit(X, y)
    alike.params_ = model.params_
    return alike.objective(X.iloc[::3], y.iloc[::3])


@pytest.mark.parametrize("name", DATA)
def test_effects_of_rows_of_real_data_are_those_of_refits(name):
    model, X, y, coefficient = DATA[name]()
    model.fit(X, y)
    some = np.arange(0, len(X), max(len(X) // 60, 1))
    for of in (coefficient, *functions(model, X, y).values()):
        first = attribution(model, X, y, of=of)
        second = attribution(model, X, y, of=of, order=2)
        exact = first.refit(X.index[some])
        # Near its minimum a loss is no linear function: there the second order is needed.
        ranked = second if first.of == "mean loss" else first
        rank = stats.spearmanr(exact, ranked.effects.iloc[some]).statistic
        assert rank >= 0.99, (name, first.of)
        errors = [np.abs(found.effects.iloc[some] - exact).to_numpy() for found in (first, second)]
        # The second order is better; of squared errors both may be rounding.
        assert errors[1].max() <= errors[0].max() + 1e-12 * np.abs(exact).max()
        # What is left is of third order: of the row with the largest leverage, up to 0.11.
        assert errors[1].max() <= 0.12 * np.abs(exact).max()


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("of", ["params", "prediction", "loss"])
def test_an_exact_effect_is_the_change_of_the_number_in_a_fit_without_the_row(name, of):
    model, X, y, _ = DATA[name]()
    model.fit(X, y)
    found = attribution(model, X, y, of=functions(model, X, y)[of])
    assert found.value == pytest.approx(value_of(model, of, X, y), rel=1e-12)
    row = found.top(1).index[0]
    kept = X.index != row
    fewer = clone(model).fit(X[kept], y[kept])
    # f uses the rows of all data, not those of the fit.
    expected = value_of(fewer, of, X, y) - value_of(model, of, X, y)
    # Both fits are minima to about 1e-10 of a standard error; f is not smaller than the effect.
    tolerance = 1e-9 * max(abs(found.value), abs(expected))
    assert found.refit(row).iloc[0] == pytest.approx(expected, abs=tolerance)


def test_of_least_squares_the_effects_of_the_first_order_are_exact():
    model, X, y, of = duncan()
    model.fit(X, y)
    found = attribution(model, X, y, of=of)
    expected = [
        LinearRegression().fit(X.drop(index=row), y.drop(index=row)).coef_[0] - model.coef_[0]
        for row in X.index
    ]
    # A few hundred rounding errors of a coefficient below one.
    assert found.effects.to_numpy() == pytest.approx(np.array(expected), abs=1e-13)
    assert found.effects.index.equals(X.index)


def test_published_coefficients_without_ministers_and_conductors():
    # Fox and Weisberg, An R Companion to Applied Regression, 2nd ed., §6.3: Duncan's regression
    # without these two occupations, as printed.
    model, X, y, _ = duncan()
    names = read("duncan")["occupation"].where(lambda name: name.isin(["minister", "conductor"]))
    groups = np.where(names.notna(), "both", X.index.astype(str))
    published = {"intercept": -6.40899, "income": 0.86740, "education": 0.33224}
    model.fit(X, y)
    for of, value in published.items():
        found = attribution(model, X, y, of=of, groups=groups)
        assert found.to_frame()["without"]["both"] == pytest.approx(value, abs=5e-6)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", [name for name in DATA if name != "linear"])
def test_errors_of_the_orders_shrink_with_the_weight_that_is_removed(name, order):
    # A copy of a row with the share t of its weight is left out: the error of order 1 is of the
    # order t², that of order 2 of t³. A tenth of t leaves a hundredth, and a thousandth.
    model, X, y, _ = DATA[name]()
    X, y = X.reset_index(drop=True), y.reset_index(drop=True)
    row = 30
    twice_X, twice_y = pd.concat([X, X.iloc[[row]]]), pd.concat([y, y.iloc[[row]]])
    twice_X, twice_y = (part.reset_index(drop=True) for part in (twice_X, twice_y))
    of = functions(model.fit(X, y), X, y)["params"]
    errors = []
    for share in (0.8, 0.08):
        weights = np.ones(len(twice_X))
        weights[row], weights[-1] = 1 - share, share
        fitted = clone(model).fit(twice_X, twice_y, weights)
        found = attribution(fitted, twice_X, twice_y, weights, of=of, order=order)
        weights[-1] = 0.0
        fewer = clone(model).fit(twice_X, twice_y, weights)
        exact = of(fewer.params_) - of(fitted.params_)
        errors.append(abs(found.effects.iloc[-1] - exact))
    # Higher orders have a part in the larger error; below are rounding errors of the fits.
    assert errors[1] <= 4 * 10.0 ** -(order + 1) * errors[0] + 1e-12


@pytest.mark.parametrize("name", DATA)
def test_a_small_weight_has_the_effect_of_a_difference_quotient_in_the_weight(name):
    model, X, y, _ = DATA[name]()
    X, y = X.reset_index(drop=True), y.reset_index(drop=True)
    row, h, share = 12, 1e-3, 1e-6
    of = functions(model.fit(X, y), X, y)["params"]
    values = []
    for change in (h, -h):
        weights = np.ones(len(X))
        weights[row] += change
        values.append(of(clone(model).fit(X, y, weights).params_))
    twice_X, twice_y = pd.concat([X, X.iloc[[row]]]), pd.concat([y, y.iloc[[row]]])
    weights = np.ones(len(twice_X))
    weights[row], weights[-1] = 1 - share, share
    fitted = clone(model).fit(twice_X, twice_y, weights)
    twice_X, twice_y = (part.reset_index(drop=True) for part in (twice_X, twice_y))
    found = attribution(fitted, twice_X, twice_y, weights, of=of).effects.iloc[-1]
    # The quotient is right to h², about 1e-6, and to rounding of the fits, 1e-13/h.
    assert -found / share == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("order", [1, 2])
def test_groups_of_one_row_are_rows(name, order):
    model, X, y, of = DATA[name]()
    model.fit(X, y)
    rows = attribution(model, X, y, of=of, order=order)
    codes = np.arange(len(X))[::-1]
    groups = attribution(model, X, y, of=of, groups=codes, order=order)
    # The same systems by another route: of G in place of H, conditioned alike.
    size = np.abs(rows.effects).max()
    assert groups.effects.to_numpy()[::-1] == pytest.approx(
        rows.effects.to_numpy(), rel=1e-9, abs=1e-11 * size
    )


@pytest.mark.parametrize("name", DATA)
def test_effects_of_groups_are_those_of_fits_without_them(name):
    model, X, y, of = DATA[name]()
    model.fit(X, y)
    groups = np.array(["a", "b", "c", "d", "e"])[np.arange(len(X)) % 5]
    groups = np.where(np.arange(len(X)) < 6, "few", groups)
    found = attribution(model, X, y, of=of, groups=groups, order=2)
    assert list(found.effects.index) == ["a", "b", "c", "d", "e", "few"]
    kept = groups != "few"
    fewer = clone(model).fit(X[kept], y[kept])
    change = attribution(fewer, X[kept], y[kept], of=of).value - found.value
    # Both fits have ended at a tolerance.
    assert found.refit("few").iloc[0] == pytest.approx(change, rel=1e-7)
    # Six rows at once, of 45 to 1046: terms of third order are a fifth of a small effect.
    assert found.effects["few"] == pytest.approx(change, rel=0.2, abs=0.05 * abs(found.value))
    if name == "linear":  # one step is exact
        exact = found.refit(list(found.effects.index))
        assert found.effects.to_numpy() == pytest.approx(exact.to_numpy(), rel=1e-9)


@pytest.mark.parametrize("name", DATA)
def test_permuted_rows_have_the_same_effects(name):
    model, X, y, of = DATA[name]()
    order = np.random.default_rng(0).permutation(len(X))
    first = attribution(model.fit(X, y), X, y, of=of)
    Xp, yp = X.iloc[order], y.iloc[order]
    second = attribution(clone(model).fit(Xp, yp), Xp, yp, of=of)
    size = np.abs(first.effects).max()
    assert second.effects[first.effects.index].to_numpy() == pytest.approx(
        first.effects.to_numpy(), abs=1e-8 * size
    )


def test_a_row_of_weight_two_is_left_out_whole_and_one_of_weight_zero_has_no_effect():
    model, X, y, of = titanic()
    weights = np.ones(len(X))
    weights[[3, 5]] = 2.0, 0.0
    found = attribution(model.fit(X, y, weights), X, y, weights, of=of, order=2)
    twice = pd.concat([X, X.iloc[[3]]]).drop(index=5)
    labels = pd.concat([y, y.iloc[[3]]]).drop(index=5)
    groups = np.arange(len(twice))
    groups[-1] = 3
    alike = attribution(
        clone(model).fit(twice, labels), twice, labels, of=of, order=2, groups=groups
    )
    assert found.effects[5] == 0
    assert found.effects[3] == pytest.approx(alike.effects[3], rel=1e-8)
    assert found.refit([3, 5]).to_numpy() == pytest.approx([alike.refit(3).iloc[0], 0], rel=1e-8)


def test_effects_are_linear_in_the_function():
    model, X, y, _ = titanic()
    model.fit(X, y)
    for order in (1, 2):
        f, g, both = (
            attribution(model, X, y, of=of, order=order).effects
            for of in (
                lambda theta: theta[0] ** 2,
                prediction_at(X.iloc[3]),
                lambda theta: theta[0] ** 2 * 3.0,
            )
        )
        # Rounding of values below one.
        assert both.to_numpy() == pytest.approx(3.0 * f.to_numpy(), abs=1e-15)
        assert not np.allclose(f, g)


def test_names_are_those_of_the_table():
    model, X, y, _ = iris()
    model.fit(X, y)
    by_text = attribution(model, X, y, of="virginica:Sepal.Width")
    by_pair = attribution(model, X, y, of=("virginica", "Sepal.Width"))
    difference = attribution(model, X, y, of=lambda theta: theta[2, 1] - theta[0, 1])
    assert by_text.value == by_pair.value == pytest.approx(difference.value, rel=1e-14)
    assert by_text.effects.equals(by_pair.effects)
    assert by_text.effects.to_numpy() == pytest.approx(difference.effects.to_numpy(), rel=1e-9)
    intercept = attribution(model, X, y, of="virginica:intercept")
    assert intercept.of == "virginica:(intercept)"
    with pytest.raises(ValueError, match=r"no coefficient; there are .*Did you mean"):
        attribution(model, X, y, of="virginica:SepalWidth")


def test_several_targets():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(30, 2))
    Y = X @ [[1.0, 2.0], [0.5, -1.0]] + rng.normal(size=(30, 2))
    model = LinearRegression().fit(X, Y)
    alone = LinearRegression().fit(X, Y[:, 1])
    expected = attribution(alone, X, Y[:, 1], of="x0")
    found = attribution(model, X, Y, of=("y1", "x0"))
    assert found.effects.to_numpy() == pytest.approx(expected.effects.to_numpy(), rel=1e-11)
    for of in (
        lambda theta: theta[0, 0] * theta[1, 1] ** 2,
        prediction_at(X[4], output="y1"),
        loss_on(X[:9], Y[:9]),
    ):
        found = attribution(model, X, Y, of=of, order=2)
        # The fit is exact; f is quadratic, but the first, of the third degree.
        assert found.effects.to_numpy() == pytest.approx(
            found.refit(range(30)).to_numpy(), rel=1e-9, abs=1e-2 * np.abs(found.effects).max()
        )


@pytest.mark.parametrize("storage", ["sparse", "stream", "float32", "fortran"])
def test_storages_have_the_same_effects(storage):
    model, X, y, _ = titanic()
    X, y = X.to_numpy(dtype=np.float64), y.to_numpy()
    expected = attribution(model.fit(X, y), X, y, of="x1", order=2)
    given = {
        "sparse": lambda: sparse.csr_array(X),
        "stream": lambda: RowStream(
            [(X[k : k + 300], y[k : k + 300]) for k in range(0, 1046, 300)]
        ),
        "float32": lambda: X.astype(np.float32),
        "fortran": lambda: np.asfortranarray(X),
    }[storage]()
    rows = (given,) if storage == "stream" else (given, y)
    other = clone(model).fit(*rows)
    found = attribution(other, *rows, of="x1", order=2)
    # float32 rows differ by 1e-7 of themselves.
    tolerance = 1e-5 if storage == "float32" else 1e-9
    assert found.effects.to_numpy() == pytest.approx(expected.effects.to_numpy(), rel=tolerance)
    assert found.refit([7]).iloc[0] == pytest.approx(expected.refit([7]).iloc[0], rel=tolerance)
    groups = np.arange(len(X)) // 9
    grouped = [
        attribution(*some, of="x1", groups=groups).effects.to_numpy()
        for some in ((other, *rows), (model, X, y))
    ]
    assert grouped[0] == pytest.approx(grouped[1], rel=tolerance)


@pytest.mark.parametrize("prior", ["offset", "exposure"])
def test_offsets_and_exposures(prior):
    rng = np.random.default_rng(2)
    X, given = rng.normal(size=(60, 2)), rng.uniform(0.5, 2.0, 60)
    y = rng.poisson(given * np.exp(0.3 * X[:, 0]))
    model = GeneralizedLinearRegressor(family="poisson", tol=TIGHT)
    model.fit(X, y, **{prior: given})
    at = prediction_at(X[3], **{prior: given[3]})
    found = attribution(model, X, y, of=at, order=2, **{prior: given})
    assert found.value == pytest.approx(model.predict(X[[3]], **{prior: given[[3]]})[0], rel=1e-12)
    without = np.arange(60) != 3
    fewer = clone(model).fit(X[without], y[without], **{prior: given[without]})
    expected = fewer.predict(X[[3]], **{prior: given[[3]]})[0] - found.value
    assert found.refit(3).iloc[0] == pytest.approx(expected, rel=1e-8)
    assert found.effects[3] == pytest.approx(expected, rel=0.02)


def test_classes_of_an_own_loss():
    model = ObjectiveClassifier(
        "log(1 + exp(eta)) - y*eta", inverse_link="1/(1 + exp(-eta))", tol=TIGHT
    )
    logistic, X, y, _ = titanic()
    model.fit(X, y)
    logistic.fit(X, y)
    for of in ("age", prediction_at(X.iloc[0]), prediction_at(X.iloc[0], output=0)):
        found, expected = (attribution(m, X, y, of=of, order=2) for m in (model, logistic))
        assert found.value == pytest.approx(expected.value, rel=1e-9)
        size = np.abs(expected.effects).max()
        assert found.effects.to_numpy() == pytest.approx(
            expected.effects.to_numpy(), abs=1e-8 * size
        )


def test_a_table_with_exact_effects_of_the_largest():
    model, X, y, of = titanic()
    found = attribution(model.fit(X, y), X, y, of=of)
    table = found.to_frame(exact=4)
    assert table["exact"].notna().sum() == 4
    assert set(table.index[table["exact"].notna()]) == set(found.top(4).index)
    assert table["without"].to_numpy() == pytest.approx(found.value + table["effect"].to_numpy())
    shown = repr(found)
    assert "age" in shown
    assert "1046 rows" in shown
    assert list(found.to_frame().columns) == ["effect", "without"]


def test_a_row_that_alone_determines_a_coefficient_is_named():
    X = np.zeros((12, 2))
    X[:, 0] = np.arange(12)
    X[5, 1] = 1.0
    y = X[:, 0] + np.sin(np.arange(12.0))
    model = LinearRegression().fit(X, y)
    with pytest.warns(LeverageWarning, match="without 5"):
        found = attribution(model, X, y, of="x1")
    assert np.flatnonzero(np.isnan(found.effects)).tolist() == [5]
    with pytest.warns(LeverageWarning, match="exact effect"):
        assert np.isnan(found.refit(5).iloc[0])
    with pytest.warns(LeverageWarning):
        grouped = attribution(model, X, y, of="x1", groups=np.arange(12) // 2)
    assert np.flatnonzero(np.isnan(grouped.effects)).tolist() == [2]
    # The other coefficient is determined without it, and the same: the row was fitted exactly.
    for of in ("x0", lambda theta: theta[0] ** 2, prediction_at([3.0, 0.0])):
        other = attribution(model, X, y, of=of, order=2)
        assert other.effects[5] == pytest.approx(0.0, abs=1e-12)
        assert other.refit(5).iloc[0] == pytest.approx(0.0, abs=1e-12)
    with pytest.warns(LeverageWarning):
        attribution(model, X, y, of=prediction_at([3.0, 1.0]))


@pytest.mark.parametrize("name", ["linear", "two classes", "poisson"])
def test_groups_with_indicators_of_their_own(name):
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(5), 12)
    X = np.column_stack([rng.normal(size=60), groups[:, np.newaxis] == np.arange(1, 5)])
    eta = X[:, 0] / 2 + groups / 5
    model, y = {
        "linear": (LinearRegression(), eta + rng.normal(size=60)),
        "two classes": (LogisticRegression(C=np.inf), (eta > rng.logistic(size=60)).astype(int)),
        "poisson": (GeneralizedLinearRegressor(family="poisson"), rng.poisson(np.exp(eta))),
    }[name]
    model.fit(X, y)
    found = attribution(model, X, y, of="x0", groups=groups, order=2)
    exact = found.refit(range(5))
    for group in range(5):
        kept = groups != group
        columns = [0, *(k for k in range(1, 5) if k not in (group, 1 if group == 0 else 0))]
        fewer = clone(model).fit(X[kept][:, columns], y[kept])
        expected = fewer.coef_.ravel()[0] - found.value
        # The same fit with other columns.
        assert exact[group] == pytest.approx(expected, rel=1e-6)
        assert found.effects[group] == pytest.approx(
            expected, rel=1e-9 if name == "linear" else 0.1, abs=0 if name == "linear" else 0.02
        )
    with pytest.warns(LeverageWarning):
        own = attribution(model, X, y, of="x3", groups=groups)
    assert np.isnan(own.effects[3])


def test_a_row_without_which_the_classes_are_separated_has_no_exact_effect():
    X = np.array([[0.0], [1], [2], [3], [4], [5], [6], [3.5]])
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    y[3], X[3] = 1, 2.5
    X[4], y[4] = 2.7, 0
    model = LogisticRegression(C=np.inf).fit(X, y)
    found = attribution(model, X, y, of="x0")
    with pytest.warns(LeverageWarning, match="without 4"):
        assert np.isnan(found.refit(4).iloc[0])


def test_planted_errors_are_found(monkeypatch):
    # The checks of this file would see a wrong formula: here, a step without the leverage.
    model, X, y, of = duncan()
    model.fit(X, y)
    right = attribution(model, X, y, of=of).effects

    monkeypatch.setattr(effects_module, "left_out", lambda terms: _Plain(terms.slope))
    wrong = attribution(model, X, y, of=of).effects
    exact = attribution(model, X, y, of=of).refit(X.index).to_numpy()
    assert right.to_numpy() == pytest.approx(exact, abs=1e-12)
    assert np.abs(wrong - exact).max() > 0.05 * np.abs(exact).max()


class _Plain:
    def __init__(self, factor):
        self.factor = factor


def test_what_is_refused():
    model, X, y, _ = titanic()
    model.fit(X, y)
    with pytest.raises(ValueError, match="order=3 must be 1 or 2"):
        attribution(model, X, y, of="age", order=3)
    with pytest.raises(TypeError, match="name of a coefficient"):
        attribution(model, X, y, of=3)
    with pytest.raises(ValueError, match="training rows"):
        attribution(model, X.iloc[:-1], y.iloc[:-1], of="age")
    with pytest.raises(TypeError, match="must return one real number"):
        attribution(model, X, y, of=lambda theta: theta)
    with pytest.raises(InferenceError, match="of is nan"):
        attribution(model, X, y, of=lambda theta: theta[0] * np.nan)
    with pytest.raises(ValueError, match="takes one row, and X has 2"):
        attribution(model, X, y, of=prediction_at(X.iloc[:2]))
    with pytest.raises(ValueError, match=r"output=7 is not a class; there are \[0, 1\]"):
        attribution(model, X, y, of=prediction_at(X.iloc[0], output=7))
    with pytest.raises(KeyError, match="9999 is no label of the rows"):
        attribution(model, X, y, of="age").refit(9999)
    with pytest.raises(ValueError, match=r"groups has shape \(2,\); pass one label for each of"):
        attribution(model, X, y, of="age", groups=[1, 2])
    with pytest.raises(ValueError, match="single label 'all'"):
        attribution(model, X, y, of="age", groups=["all"] * len(X))
    with pytest.raises(ValueError, match="no label in row 1"):
        attribution(model, X, y, of="age", groups=[1.0, np.nan] + [1.0] * 1044)
    with pytest.raises(TypeError, match="order=2 needs second derivatives"):
        attribution(model, X, y, of=lambda theta: float(np.asarray(theta)[0]), order=2)
    with pytest.raises(TypeError, match="attribution got offset, and fits of this LinearRegr"):
        attribution(LinearRegression().fit(X, y), X, y, of="age", offset=np.ones(len(X)))
    peer = sklearn.linear_model.LogisticRegression().fit(X, y)
    with pytest.raises(
        TypeError, match="comes from sklearn; attribution needs a model of mcmodels"
    ):
        attribution(peer, X, y, of="age")
    with pytest.raises(TypeError, match="PCA"):
        attribution(PCA().fit(X), X, of="age")
    with pytest.raises(InferenceError, match="Jeffreys"):
        attribution(FirthLogisticRegression().fit(X, y), X, y, of="age")


def test_coefficients_that_are_not_determined_are_refused():
    X = np.random.default_rng(0).normal(size=(20, 3))
    X[:, 2] = X[:, 0] + X[:, 1]
    y = X[:, 0] + np.sin(np.arange(20.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LinearRegression().fit(X, y)
    with pytest.raises(InferenceError, match="not estimable"):
        attribution(model, X, y, of="x0")
    found = attribution(model, X, y, of=lambda theta: theta[0] - theta[1])
    reduced = X[:, :2]
    alike = attribution(
        LinearRegression().fit(reduced, y), reduced, y, of=lambda theta: theta[0] - theta[1]
    )
    assert found.effects.to_numpy() == pytest.approx(alike.effects.to_numpy(), abs=1e-12)


def test_an_estimated_theta_is_refused():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 1))
    y = rng.negative_binomial(2, 2 / (2 + np.exp(X[:, 0])))
    model = GeneralizedLinearRegressor(family="negative_binomial", theta="estimate").fit(X, y)
    with pytest.raises(InferenceError, match=r"theta was estimated.*Fit with theta="):
        attribution(model, X, y, of="x0")


def near_the_limit_of_its_link():
    rng = np.random.default_rng(0)
    x = np.append(rng.uniform(1, 2, 60), 0.0)
    y = np.append(rng.gamma(8, 1 / 8, 60) / x[:-1], 200.0)
    X = pd.DataFrame({"a": x})
    return GeneralizedLinearRegressor("gamma", link="inverse", tol=TIGHT).fit(X, y), X, y


@pytest.mark.parametrize("grouped", [False, True])
def test_rows_of_which_the_second_term_is_larger_than_the_first_are_named(grouped):
    model, X, y = near_the_limit_of_its_link()
    groups = np.arange(61) if grouped else None
    first = attribution(model, X, y, of="a", groups=groups)
    with pytest.warns(SecondOrderWarning, match=r"first for .*60.*\.refit\(rows\)"):
        second = attribution(model, X, y, of="a", groups=groups, order=2)
    exact = first.refit(60).iloc[0]
    assert abs(second.effects[60] - exact) > abs(first.effects[60] - exact)


def test_no_second_term_is_doubted_where_the_first_is_nearly_zero():
    with warnings.catch_warnings():
        warnings.simplefilter("error", SecondOrderWarning)
        model, X, y, of = quine()
        model = model.fit(X, y)
        attribution(model, X, y, of=of, order=2)
        attribution(model, X, y, of=loss_on(X, y), order=2)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("of", ["prediction", "loss"])
def test_an_attribution_can_be_pickled(name, of):
    model, X, y, _ = DATA[name]()
    model.fit(X, y)
    found = attribution(model, X, y, of=functions(model, X, y)[of])
    again = pickle.loads(pickle.dumps(found))
    pd.testing.assert_series_equal(again.effects, found.effects)
    label = X.index[0]
    assert again.refit(label).tolist() == found.refit(label).tolist()


def test_unknown_keywords_are_refused_with_those_that_there_are():
    model, X, y, of = duncan()
    model.fit(X, y)
    with pytest.raises(TypeError, match=r"'bogus'\. There are sample_weight, of, groups, order"):
        attribution(model, X, y, of=of, bogus=1)
    with pytest.raises(
        TypeError, match=r"'foo'\. There are sample_weight, of, change, kind, groups"
    ):
        most_influential(model, X, y, of=of, foo=1)
    with pytest.raises(TypeError, match=r"'group'\. Did you mean 'groups'"):
        attribution(model, X, y, of=of, group=1)
    for function in (attribution, most_influential):
        with pytest.raises(TypeError, match="got offset, and fits of this LinearRegression have"):
            function(model, X, y, of=of, offset=np.ones(len(X)))


@pytest.mark.parametrize("rows", [slice(0, 2), [slice(0, 2)], [[0, 1], [2, 3]], [{1}]])
def test_what_is_no_label_is_refused_by_name(rows):
    model, X, y, of = duncan()
    found = attribution(model.fit(X, y), X, y, of=of)
    with pytest.raises((TypeError, KeyError), match=r"must be a label of the rows|is no label"):
        found.refit(rows)
    with pytest.raises(TypeError, match=r"rows=slice\(0, 2, None\) must be a label of the rows"):
        found.refit(slice(0, 2))


@pytest.mark.parametrize("step", [lambda theta: theta[0] > 0, lambda theta: np.sign(theta[1])])
def test_functions_without_a_slope_are_refused(step):
    model, X, y = LinearRegression(), *rows_of_a_line()
    model.fit(X, y)
    with pytest.raises(InferenceError, match="of has a slope of zero at the fit"):
        attribution(model, X, y, of=step)


def test_a_function_that_is_least_at_the_fit_has_effects_of_second_order():
    model, X, y = LinearRegression(), *rows_of_a_line()
    here = model.fit(X, y).params_

    def distance(theta):
        return np.sum((theta - here) ** 2)

    with pytest.raises(InferenceError, match="or order=2 where it is curved"):
        attribution(model, X, y, of=distance)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the second term is larger than none, and that is no doubt
        found = attribution(model, X, y, of=distance, order=2)
    for row in (0, 3):
        kept = np.arange(len(X)) != row
        moved = LinearRegression().fit(X[kept], y[kept]).params_ - here
        # A quadratic function of a fit that one step finds: exact but for rounding.
        assert found.effects[row] == pytest.approx(moved @ moved, rel=1e-9)


def rows_of_a_line():
    rng = np.random.default_rng(12)
    X = rng.normal(size=(20, 2))
    return X, X[:, 0] + rng.normal(size=20)
