"""Wald tests of terms where columns depend on each other: those of a coding without that."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.base import clone

from mcmodels import GeneralizedLinearRegressor, LinearRegression, LogisticRegression, results
from mcmodels.exceptions import DependentTermWarning, RankDeficiencyWarning
from tests.reports.designs import squares_left, treatment_pipeline, unbalanced

DATA = unbalanced(1, 150)
CLASSES = np.digitize(DATA.y, np.quantile(DATA.y, [0.3, 0.7]))
MODELS = {
    "linear": (LinearRegression(), DATA.y),
    "logistic": (LogisticRegression(C=np.inf, tol=1e-12), DATA.y > 2),
    "three classes": (LogisticRegression(C=np.inf, tol=1e-12), CLASSES),
    "poisson": (GeneralizedLinearRegressor("poisson", tol=1e-12), np.clip(DATA.y, 0, 9).round()),
}
# Both are functions of the same fitted rows; the minimisers agree to 1e-12.
AGREES = 1e-9


def fitted(model, y, drop, degree=1):
    pipeline = treatment_pipeline(model, ["region", "sex"], ["age"], degree=degree, drop=drop)
    with pytest.warns(RankDeficiencyWarning):
        return results(pipeline.fit(DATA, y))


@pytest.mark.parametrize("kind", [None, "HC1"])
@pytest.mark.parametrize("name", MODELS)
def test_all_levels_have_the_tests_of_all_but_one(name, kind):
    model, y = MODELS[name]
    rows = {} if kind is None else {"X": DATA, "y": y, "kind": kind}
    full = fitted(model, y, None).wald_test(terms=True, **rows)
    less = treatment_pipeline(model, ["region", "sex"], ["age"], degree=1).fit(DATA, y)
    expected = results(less).wald_test(terms=True, **rows)
    np.testing.assert_allclose(full, expected, rtol=AGREES)
    assert full.loc["region", "df"] == 2 * (2 if name == "three classes" else 1)


@pytest.mark.parametrize("type_", [1, 2])
def test_robust_tables_do_not_depend_on_the_coding(type_):
    full = fitted(LinearRegression(), DATA.y, None, 2).anova(DATA, DATA.y, kind="HC1", type=type_)
    less = fitted(LinearRegression(), DATA.y, "first", 2).anova(
        DATA, DATA.y, kind="HC1", type=type_
    )
    np.testing.assert_allclose(full, less, rtol=AGREES)


def test_main_effects_beside_their_interactions_have_no_test():
    crossed = fitted(LinearRegression(), DATA.y, None, 2)
    advice = r"region, sex, age: no test .*0 degrees of freedom\). Call anova\(type=2\) for region"
    for ask in (lambda: crossed.anova(type=3), lambda: crossed.wald_test(terms=True)):
        with pytest.warns(DependentTermWarning, match=advice) as said:
            table = ask()
        assert len(said) == 1  # nothing is tested at a baseline
        assert table.loc[["region", "sex", "age"], "df"].tolist() == [0, 0, 0]
        assert table.loc[["region", "sex", "age"], "p_value"].isna().all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert crossed.anova(type=2)["df"].tolist() == [2, 1, 1, 2, 2, 1, 140]
    counts = GeneralizedLinearRegressor("poisson")
    crossed = fitted(counts, np.clip(DATA.y, 0, 9).round(), None, 2)
    with pytest.warns(
        DependentTermWarning, match=r"Call deviance_table\(X, y, type=2\) for region"
    ):
        crossed.wald_test(terms=True)


COLUMNS = {
    "constant": lambda X: 7.3 + 0 * X.age,
    "far constant": lambda X: 1e8 + 0.1 + 0 * X.age,
    "doubled": lambda X: X.age,
    "moved": lambda X: 1e3 - 2 * X.age,
    "sum": lambda X: X.age - 3 * X.male,
}


def one_more(name):
    X = pd.DataFrame({"age": DATA.age, "male": 1.0 * (DATA.sex == "m"), "third": DATA.age**3 % 2})
    return X, X.assign(more=COLUMNS[name](X))


@pytest.mark.parametrize("type_", [1, 2, 3, None])
@pytest.mark.parametrize("kind", [None, "HC3"])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_dependent_column_takes_no_test_from_the_others(column, kind, type_):
    """The rows of the other terms are those of the fit without the column."""
    less, X = one_more(column)
    nothing = {"constant": [], "far constant": [], "doubled": ["age"], "moved": ["age"]}
    nothing = [*([] if type_ == 1 else nothing.get(column, ["age", "male"])), "more"]
    options = {} if kind is None else {"y": DATA.y, "kind": kind}
    said = [results(LinearRegression().fit(X_, DATA.y)) for X_ in (less,)]
    with pytest.warns(RankDeficiencyWarning):
        said.append(results(LinearRegression().fit(X, DATA.y)))
    tables = []
    for one, rows in zip(said, (less, X), strict=True):
        rows = {} if kind is None else {"X": rows}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DependentTermWarning)
            tables.append(
                one.wald_test(terms=True, **rows, **options)
                if type_ is None
                else one.anova(type=type_, **rows, **options)
            )
    kept = [name for name in tables[0].index if name not in nothing]
    # The same projections of the same rows; far constants leave the rounding of their mean.
    np.testing.assert_allclose(tables[1].loc[kept], tables[0].loc[kept], rtol=1e-9)
    lost = tables[1].loc[nothing]
    assert (lost["df"] == 0).all()
    assert lost[["p_value", "statistic" if type_ is None else "F"]].isna().all(axis=None)
    if "sum_of_squares" in lost:
        assert (lost["sum_of_squares"] == 0).all()


@pytest.mark.parametrize("name", ["logistic", "three classes", "poisson"])
@pytest.mark.parametrize("column", COLUMNS)
def test_deviances_beside_a_dependent_column(column, name):
    model, y = MODELS[name]
    less, X = one_more(column)
    small = results(clone(model).fit(less, y))
    with pytest.warns(RankDeficiencyWarning):
        big = results(clone(model).fit(X, y))
    with pytest.warns(DependentTermWarning, match="^more: no test .*eave out"):
        table = big.deviance_table(X, y)
    expected = small.deviance_table(less, y)
    # Deviances at the same maximum, where the gradient is zero: the error is that of the sum.
    np.testing.assert_allclose(table.iloc[:-1], expected, rtol=1e-8)
    assert table.loc["more", ["df", "deviance"]].tolist() == [0, 0]
    assert table.loc["more", ["statistic", "p_value"]].isna().all()
    with pytest.warns(DependentTermWarning, match="more: no test"):
        table = big.deviance_table(X, y, type=2)
    np.testing.assert_allclose(
        table.loc["third"], small.deviance_table(less, y, type=2).loc["third"], rtol=1e-8
    )


def generated(seed):
    """Two factors, some cells of which are empty or determine others, numbers, an interaction."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(250, 320))  # so that no cell has one class alone
    one, two = rng.integers(0, 4, n), rng.integers(0, 3, n)
    if seed % 2:
        two[one == 1] = 0
    if seed % 3 == 0:
        two = np.where(one == 2, 2, np.minimum(two, 1))
    number = rng.normal(size=n) * 10.0 ** rng.integers(-4, 5)
    unit = number / np.std(number)
    one, two = (
        (codes[:, np.newaxis] == np.unique(codes)[seed % 4 < 2 :]).astype(float)
        for codes in (one, two)
    )
    blocks = {"one": one, "two": two, "number": number[:, np.newaxis]}
    if seed % 2:
        blocks["one:two"] = np.einsum("ij,ik->ijk", one, two).reshape(n, -1)
    more = {0: np.full(n, 7.3), 1: 2 * number + 3, 2: unit + one[:, 0], 3: unit}
    if seed % 5 in more:
        blocks["more"] = more[seed % 5][:, np.newaxis]
    ends = np.cumsum([0, *(block.shape[1] for block in blocks.values())])
    terms = {name: list(range(*ends[k : k + 2])) for k, name in enumerate(blocks)}
    weights = 1.0 * rng.integers(0, 4, n) if seed % 3 == 1 else np.ones(n)
    signal = one[:, 0] + unit + rng.normal(size=n)
    return np.column_stack(list(blocks.values())), signal, weights, terms


def base_of(terms, name, type_):
    """The columns that a term is tested beside; the one interaction is named so."""
    names = list(terms)
    others = (
        names[: names.index(name)] if type_ == 1 else [other for other in names if other != name]
    )
    if type_ == 2 and name in ("one", "two"):
        others = [other for other in others if other != "one:two"]
    return [j for other in others for j in terms[other]]


def independent(X, weights, columns):
    """Some of the columns, with the span of all beside a constant, taken in their order."""
    X = X[weights > 0]
    X = X - X.mean(axis=0)
    lengths, kept = np.linalg.norm(X, axis=0), []
    for j in columns:
        tried = [*kept, j]
        # Independent columns here have singular values above 1e-4, dependent ones below 1e-13.
        if lengths[j] > 1e-9 and (
            np.linalg.svd(X[:, tried] / lengths[tried], compute_uv=False)[-1] > 1e-8
        ):
            kept = tried
    return kept


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.DependentTermWarning")
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.BaselineTestWarning")
@pytest.mark.parametrize("solver", ["auto", "normal", "pinv"])
@pytest.mark.parametrize("seed", range(20))
def test_sums_of_squares_are_those_of_projections(seed, solver):
    """Squares that NumPy's least squares leaves with and without the term, of any columns."""
    X, y, weights, terms = generated(seed)
    model = LinearRegression(solver=solver).fit(X, y, weights)
    stated = {name: [f"x{j}" for j in columns] for name, columns in terms.items()}
    total = squares_left(X[:, []], y, weights)[0]
    for type_ in (1, 2, 3):
        table = results(model).anova(type=type_, terms=stated)
        for name, columns in terms.items():
            base = base_of(terms, name, type_)
            before, after = (independent(X, weights, of) for of in (base, [*base, *columns]))
            (left, _), (least, _) = (squares_left(X[:, of], y, weights) for of in (before, after))
            assert table.loc[name, "df"] == len(after) - len(before)
            # Condition numbers are up to 100; squares of normal equations lose twice the digits.
            close = pytest.approx(left - least, abs=1e-11 * total)
            assert table.loc[name, "sum_of_squares"] == close


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.DependentTermWarning")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", range(8))
def test_walds_tests_are_those_of_independent_columns(seed, name):
    """The span of the others first: what the term adds are coefficients of its own columns."""
    X, signal, weights, terms = generated(seed)
    model = MODELS[name][0]
    y = {
        "linear": signal,
        "logistic": signal > np.random.default_rng(seed).logistic(size=len(signal)),
        "three classes": np.arange(len(signal)) // 2 % 3,
        "poisson": np.clip(signal + 1, 0, None).round(),
    }[name]
    said = results(clone(model).fit(X, y, weights))
    stated = {term: [f"x{j}" for j in columns] for term, columns in terms.items()}
    table = said.wald_test(terms=stated)
    for term, columns in terms.items():
        base = base_of(terms, term, 3)
        before, after = (independent(X, weights, of) for of in (base, [*base, *columns]))
        extra = [f"x{k}" for k in range(len(before), len(after))]
        assert table.loc[term, "df"] == len(extra) * (2 if name == "three classes" else 1)
        if extra:
            less = results(clone(model).fit(X[:, after], y, weights))
            expected = less.wald_test(terms={"term": extra}).loc["term"]
            np.testing.assert_allclose(table.loc[term], expected, rtol=1e-8, err_msg=term)


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.DependentTermWarning")
@pytest.mark.parametrize("type_", [1, 2])
@pytest.mark.parametrize("seed", range(8))
def test_deviances_are_those_of_statsmodels_with_independent_columns(seed, type_):
    X, signal, weights, terms = generated(seed)
    y = np.clip(signal + 1, 0, None).round()
    stated = {name: [f"x{j}" for j in columns] for name, columns in terms.items()}
    model = GeneralizedLinearRegressor("poisson", tol=1e-12).fit(X, y, weights)
    table = results(model).deviance_table(X, y, weights, type=type_, terms=stated)

    def deviance(columns):
        A = X[:, columns] / np.linalg.norm(X[:, columns], axis=0)
        found = sm.GLM(y, sm.add_constant(A), sm.families.Poisson(), freq_weights=weights)
        return found.fit(tol=1e-12, maxiter=100).deviance

    for name, columns in terms.items():
        base = base_of(terms, name, type_)
        before, after = (independent(X, weights, of) for of in (base, [*base, *columns]))
        assert table.loc[name, "df"] == len(after) - len(before)
        close = pytest.approx(deviance(before) - deviance(after), abs=1e-9 * deviance([]))
        assert table.loc[name, "deviance"] == close
