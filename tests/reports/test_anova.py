"""Analysis of variance by terms: published tables, statsmodels, refits, laws, refusals."""

import warnings

import mpmath
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from statsmodels.stats.anova import anova_lm

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    results,
)
from mcmodels.exceptions import (
    BaselineTestWarning,
    InferenceError,
    PerfectFitWarning,
    RankDeficiencyWarning,
)
from tests import certified
from tests.reports.designs import (
    columns_of,
    duncan,
    moore,
    squares_left,
    sum_pipeline,
    treatment_pipeline,
    unbalanced,
    warpbreaks,
)

# Squares by a factor and by statsmodels' or NumPy's orthogonal factorisation of the same rows: both
# have some n·ε = 1e-14 of rounding errors, times the condition numbers of these designs, below 1e3.
AGREES = 1e-8


def test_published_moore():
    # The tables that ?Anova of R's package car prints (Fox and Weisberg, An R Companion to Applied
    # Regression, §5.3), to the printed digits.
    data = moore()
    said = results(
        sum_pipeline(LinearRegression(), "category", "status").fit(data, data.conformity)
    )
    two, three = said.anova(type=2), said.anova(type=3)
    assert two["sum_of_squares"].round(2).tolist() == [11.61, 212.21, 175.49, 817.76]
    assert two["df"].tolist() == [2, 1, 2, 39]
    assert two["F"].iloc[:3].round(4).tolist() == [0.2770, 10.1207, 4.1846]
    assert two["p_value"].iloc[:3].round(6).tolist() == [0.759564, 0.002874, 0.022572]
    assert three["sum_of_squares"].round(1).tolist() == [36.0, 239.6, 175.5, 817.8]
    assert three["F"].iloc[:3].round(4).tolist() == [0.8589, 11.4250, 4.1846]
    assert three["p_value"].iloc[:3].round(6).tolist() == [0.431492, 0.001657, 0.022572]
    assert two.index.tolist()[-1] == "(residuals)"


def test_published_warpbreaks():
    # summary(aov(breaks ~ wool * tension, warpbreaks)) of R: balanced, so that the types agree.
    data = warpbreaks()
    said = results(sum_pipeline(LinearRegression(), "wool", "tension").fit(data, data.breaks))
    for kind in (1, 2, 3):
        table = said.anova(type=kind)
        assert table["sum_of_squares"].round(0).tolist() == [451, 2034, 1003, 5745]
        assert table["df"].tolist() == [1, 2, 2, 48]
        assert table["F"].iloc[:3].round(3).tolist() == [3.765, 8.498, 4.189]
        assert table["p_value"].iloc[:3].round(6).tolist() == [0.058213, 0.000693, 0.021044]


def assert_is(ours, theirs, names):
    """A table is statsmodels'; ``names`` maps its terms to ours."""
    for term, name in (names | {"Residual": "(residuals)"}).items():
        expected = theirs.loc[term]
        np.testing.assert_allclose(ours.loc[name, "sum_of_squares"], expected["sum_sq"], AGREES)
        assert ours.loc[name, "df"] == expected["df"]
        if name != "(residuals)":
            np.testing.assert_allclose(ours.loc[name, "F"], expected["F"], AGREES)
            np.testing.assert_allclose(ours.loc[name, "p_value"], expected["PR(>F)"], AGREES)
    assert len(ours) == len(names) + 1


OF_TWO = {
    "C({0}, Sum)": "C({0}, Sum)",
    "C({1}, Sum)": "C({1}, Sum)",
    "C({0}, Sum):C({1}, Sum)": "C({0}, Sum):C({1}, Sum)",
}
EXPERIMENTS = {
    "moore": (moore(), "category", "status", "conformity"),
    "warpbreaks": (warpbreaks(), "wool", "tension", "breaks"),
    "generated": (unbalanced(1, 150), "region", "sex", "y"),
    "small cells": (unbalanced(2, 45), "region", "sex", "y"),
}


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_two_factors_are_those_of_statsmodels(name, kind):
    data, one, two, y = EXPERIMENTS[name]
    names = {key.format(one, two): value.format(one, two) for key, value in OF_TWO.items()}
    fitted = sum_pipeline(LinearRegression(), one, two).fit(data, data[y])
    theirs = smf.ols(f"{y} ~ C({one}, Sum) * C({two}, Sum)", data).fit()
    assert_is(results(fitted).anova(type=kind), anova_lm(theirs, typ=kind), names)


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("drop", ["first", None])
@pytest.mark.parametrize("name", ["duncan", "generated"])
def test_factors_and_numbers_are_those_of_statsmodels(name, drop, kind):
    # The default encoder keeps all levels, which depend on each other: sums of squares do not.
    data, y, factors, numbers = {
        "duncan": (duncan(), "prestige", ["type"], ["income", "education"]),
        "generated": (unbalanced(3), "y", ["region", "sex"], ["age"]),
    }[name]
    pipeline = treatment_pipeline(LinearRegression(), factors, numbers, drop=drop)
    with pytest.warns(RankDeficiencyWarning):  # products of the indicators of a factor are zero
        pipeline.fit(data, data[y])
    named = {variable: f"C({variable})" for variable in factors} | {n: n for n in numbers}
    said = results(pipeline)
    ours = said.anova(type=kind)
    if kind == 1:  # the order of terms is another one in their formulas
        refits = by_refits(pipeline, data, data[y], 1)
        np.testing.assert_allclose(ours["sum_of_squares"].iloc[:-1], refits[:, 0], AGREES)
        assert ours["df"].iloc[:-1].tolist() == refits[:, 1].tolist()
        return
    formula = [":".join(named[v] for v in term.split(":")) for term in said.terms.names]
    theirs = anova_lm(smf.ols(f"{y} ~ {' + '.join(formula)}", data).fit(), typ=2)
    for term, name in zip(formula, said.terms.names, strict=True):
        found = theirs.loc[term] if term in theirs.index else theirs.loc[swapped(term)]
        np.testing.assert_allclose(ours.loc[name, "sum_of_squares"], found["sum_sq"], AGREES)
        np.testing.assert_allclose(ours.loc[name, "F"], found["F"], AGREES)
        assert ours.loc[name, "df"] == found["df"]


@pytest.mark.parametrize("kind", [1, 2])
def test_empty_cells_are_refits(kind):
    # A cell without rows makes a column of the interaction depend on others.
    data = unbalanced(1, 150).query("region != 'c' or sex != 'm'")
    pipeline = sum_pipeline(LinearRegression(), "region", "sex")
    with pytest.warns(RankDeficiencyWarning):
        pipeline.fit(data, data.y)
    table, refits = results(pipeline).anova(type=kind), by_refits(pipeline, data, data.y, kind)
    np.testing.assert_allclose(table["sum_of_squares"].iloc[:-1], refits[:, 0], AGREES)
    assert table["df"].tolist() == [2, 1, 1, len(data) - 5]


def swapped(term):
    return ":".join(reversed(term.split(":")))


def by_refits(pipeline, X, y, kind, weights=None):
    """Sums of squares and degrees of freedom by fits with and without each term, by NumPy."""
    terms, columns = results(pipeline).terms, columns_of(pipeline, X)
    found = []
    for k in range(len(terms.names)):
        gone = [j for other in terms.left_out(k, kind) for j in terms.columns[other]]
        big = [j for of in terms.columns for j in of if j not in gone]
        small = [j for j in big if j not in terms.columns[k]]
        before, n_small = squares_left(columns[:, small], y, weights)
        after, n_big = squares_left(columns[:, big], y, weights)
        found.append((before - after, n_big - n_small))
    return np.array(found)


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.BaselineTestWarning")
def test_generated_designs_are_refits(seed, weighted, kind):
    data = unbalanced(10 + seed, 120)
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, 120).astype(float) if weighted else None
    pipeline = treatment_pipeline(LinearRegression(), ["region", "sex"], ["age"], degree=3)
    with pytest.warns(RankDeficiencyWarning):  # products of the indicators of one factor
        pipeline.fit(data, data.y, linearregression__sample_weight=weights)
    said = results(pipeline)
    table = said.anova(data, data.y, weights, type=kind)
    expected = by_refits(pipeline, data, data.y, kind, weights)
    # Differences of squares of residuals lose the digits of what they are small beside.
    size = float(np.ptp(data.y) ** 2)
    np.testing.assert_allclose(
        table["sum_of_squares"].iloc[:-1], expected[:, 0], AGREES, atol=1e-12 * size
    )
    assert table["df"].iloc[:-1].tolist() == expected[:, 1].tolist()
    n = 120 if weights is None else weights.sum()
    left, rank = squares_left(columns_of(pipeline, data), data.y, weights)
    np.testing.assert_allclose(table["sum_of_squares"].iloc[-1], left, AGREES)
    assert table["df"].iloc[-1] == n - rank
    F = expected[:, 0] / expected[:, 1] / (left / (n - rank))
    np.testing.assert_allclose(table["F"].iloc[:-1], F, AGREES, atol=1e-10)
    p = stats.f.sf(table["F"].iloc[:-1], expected[:, 1], n - rank)
    np.testing.assert_allclose(table["p_value"].iloc[:-1], p, 1e-12)  # the same function


def test_the_types_differ_on_these_designs():
    # Else none of the tests above would tell one type from another.
    data = unbalanced(1)
    said = results(sum_pipeline(LinearRegression(), "region", "sex").fit(data, data.y))
    squares = [said.anova(type=kind)["sum_of_squares"] for kind in (1, 2, 3)]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert abs(squares[one].iloc[0] / squares[other].iloc[0] - 1) > 0.05


def exact_sequence(X, y):
    """What each column adds to those before it and a constant, in 60 digits, by Gram-Schmidt."""
    with mpmath.workdps(60):
        basis = [[mpmath.mpf(1)] * len(y)]
        target = [mpmath.mpf(float(value)) for value in y]
        found = []
        for j in range(-1, X.shape[1]):
            column = basis[0] if j < 0 else [mpmath.mpf(float(value)) for value in X[:, j]]
            for q in basis if j >= 0 else []:
                share = mpmath.fdot(q, column) / mpmath.fdot(q, q)
                column = [a - share * b for a, b in zip(column, q, strict=True)]
            if j >= 0:
                basis.append(column)
            share = mpmath.fdot(column, target) / mpmath.fdot(column, column)
            if j >= 0:
                found.append(float(share**2 * mpmath.fdot(column, column)))
        return np.array(found)


# Relative errors that are allowed of types 1 and 3. With one thread and OpenBLAS they were found to
# be 1e-15 and 4e-16 (longley, norris, pontius), 2e-13 and 5e-15 (Wampler: powers of one number),
# 3e-8 and 8e-16 (Filip, of condition number 5e9 after scaling: the first powers are what is left
# after all others). Other orders of the sums may have up to a hundred times that.
CERTIFIED = {
    "longley": (1e-13, 1e-13),
    "norris": (3e-14, 3e-14),
    "pontius": (3e-14, 3e-14),
    "wampler1": (3e-11, 5e-13),
    "wampler4": (3e-11, 5e-13),
    "filip": (3e-6, 1e-12),
}


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.PerfectFitWarning")
@pytest.mark.parametrize("name", CERTIFIED)
def test_certified_data_in_high_precision(name):
    X, y = certified.linear_data(name)
    said, (of_first, of_third) = results(LinearRegression().fit(X, y)), CERTIFIED[name]
    found = said.anova(type=1)["sum_of_squares"].iloc[:-1]
    np.testing.assert_allclose(found, exact_sequence(X, y), rtol=of_first)
    # Each last in the sequence is what it adds to all others.
    found = said.anova(type=3)["sum_of_squares"].iloc[:-1]
    p = X.shape[1]
    last = [exact_sequence(np.roll(X, p - 1 - j, axis=1), y)[-1] for j in range(p)]
    np.testing.assert_allclose(found, last, rtol=of_third)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_scales_and_places_of_a_number_change_nothing(scale):
    # Beside marginality the models of type 2 are the same whatever the zero and unit of age.
    data = unbalanced(4)
    moved = data.assign(age=scale * (data.age + 1e3))

    def table(X):
        pipeline = treatment_pipeline(LinearRegression(), ["sex"], ["age"]).fit(X, data.y)
        return results(pipeline).anova(type=2)

    # Products with indicators lie 500 standard deviations from zero: κ² of about 1e6 times ε.
    np.testing.assert_allclose(table(moved), table(data), rtol=1e-8)


def test_weights_are_rows_and_zero_is_absence():
    data = unbalanced(5)
    weights = np.arange(len(data)) % 3
    repeated = data.loc[data.index.repeat(weights)]

    def fit(X, w=None):
        pipeline = treatment_pipeline(LinearRegression(), ["sex"], ["age"])
        return results(pipeline.fit(X, X.y, linearregression__sample_weight=w))

    # The same sums in another order.
    np.testing.assert_allclose(fit(data, weights).anova(), fit(repeated).anova(), rtol=1e-10)
    precise = treatment_pipeline(LinearRegression(weights="precision"), ["sex"], ["age"])
    precise.fit(data, data.y, linearregression__sample_weight=weights + 1.0)
    theirs = smf.wls("y ~ C(sex) * age", data, weights=weights + 1.0).fit()
    found, expected = results(precise).anova(), anova_lm(theirs, typ=2)
    np.testing.assert_allclose(
        found["F"].iloc[:3], expected.loc[["C(sex)", "age", "C(sex):age"], "F"], AGREES
    )


def test_type_three_is_walds_test_and_without_an_intercept():
    data = unbalanced(6)
    for intercept in (True, False):
        model = LinearRegression(fit_intercept=intercept)
        said = results(sum_pipeline(model, "region", "sex").fit(data, data.y))
        wald, table = said.wald_test(terms=True), said.anova(type=3)
        # Two formulas of the same test.
        np.testing.assert_allclose(wald["statistic"], table["F"].iloc[:-1], rtol=1e-10)
        np.testing.assert_allclose(wald["p_value"], table["p_value"].iloc[:-1], rtol=1e-9)
        one = said.wald_test("c0 = 0, c1 = 0")
        np.testing.assert_allclose(one.statistic, wald["statistic"].iloc[0], rtol=1e-10)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize("type_", [2, 3])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_robust_tables_are_those_of_statsmodels(name, type_, kind):
    # statsmodels and car's white.adjust take the same hypotheses.
    data, one, two, y = EXPERIMENTS[name]
    fitted = sum_pipeline(LinearRegression(), one, two).fit(data, data[y])
    theirs = smf.ols(f"{y} ~ C({one}, Sum) * C({two}, Sum)", data).fit()
    expected = anova_lm(theirs, typ=type_, robust=kind.lower())
    table = results(fitted).anova(data, data[y], type=type_, kind=kind)
    names = [key.format(one, two) for key in OF_TWO]
    assert table.columns.tolist() == ["df", "df_denominator", "F", "p_value"]
    np.testing.assert_allclose(table.loc[names, "F"], expected.loc[names, "F"], AGREES)
    np.testing.assert_allclose(table.loc[names, "p_value"], expected.loc[names, "PR(>F)"], AGREES)
    assert table.loc["(residuals)", "df"] == expected.loc["Residual", "df"]


def test_robust_tests_of_type_one_and_of_clusters():
    data = unbalanced(7)
    said = results(sum_pipeline(LinearRegression(), "region", "sex").fit(data, data.y))
    # By the classical covariance the same formula gives the classical table.
    groups = np.arange(len(data)) % 12
    for type_ in (1, 2, 3):
        table = said.anova(data, data.y, type=type_, kind="cluster", groups=groups)
        assert table["df_denominator"].iloc[:3].tolist() == [11, 11, 11]
        # Of all parameters from a term on, the squares in the order of the terms add up.
    V = said.covariance(data, data.y, kind="cluster", groups=groups)[:5, :5]
    theta = said.model.coef_
    table = said.anova(data, data.y, type=1, kind="cluster", groups=groups)
    total = theta @ np.linalg.solve(V, theta)
    np.testing.assert_allclose((table["F"] * table["df"]).iloc[:3].sum(), total, rtol=1e-9)
    # Of type 2: what all parameters of a term and of those that contain it have beside these.
    table = said.anova(data, data.y, type=2, kind="cluster", groups=groups)
    for k, (term, inner) in enumerate(((slice(0, 2), [3, 4]), (slice(2, 3), [3, 4]))):
        both = [*range(*term.indices(5)), *inner]
        gain = [theta[of] @ np.linalg.solve(V[np.ix_(of, of)], theta[of]) for of in (both, inner)]
        F = (gain[0] - gain[1]) / (len(both) - 2)
        np.testing.assert_allclose(table["F"].iloc[k], F, rtol=1e-9)
    own = said.anova(data, data.y, kind="CR2", groups=groups)
    assert own["df_denominator"].iloc[:3].nunique() > 1
    with pytest.raises(InferenceError, match=r"'C.region, Sum.' cannot be tested"):
        # Two clusters give a covariance of rank one, and three parameters come later.
        said.anova(data, data.y, type=1, kind="cluster", groups=np.arange(len(data)) % 2)
    for few in (3, 4):  # rounding errors make such a covariance look regular
        with pytest.raises(InferenceError, match="cannot be tested in a model"):
            said.anova(data, data.y, type=1, kind="cluster", groups=np.arange(len(data)) % few)


def test_survey_weights_have_robust_tests():
    data = unbalanced(8)
    weights = 1.0 + np.arange(len(data)) % 4
    model = LinearRegression(weights="probability")
    pipeline = sum_pipeline(model, "region", "sex")
    pipeline.fit(data, data.y, linearregression__sample_weight=weights)
    said = results(pipeline)
    wald, table = said.wald_test(terms=True), said.anova(type=3)
    assert table.columns.tolist() == ["df", "df_denominator", "F", "p_value"]
    np.testing.assert_allclose(table["F"].iloc[:3], wald["statistic"], rtol=1e-12)
    with pytest.raises(InferenceError, match="kind='nonrobust' is the inverse"):
        said.anova(kind="nonrobust")


def test_rows_are_checked_and_storage_does_not_matter():
    data = unbalanced(9)
    pipeline = treatment_pipeline(LinearRegression(), ["sex"], ["age"]).fit(data, data.y)
    said = results(pipeline)
    expected = said.anova()
    pd.testing.assert_frame_equal(said.anova(data, data.y), expected)
    with pytest.raises(ValueError, match="these are not the rows that the model was fitted to"):
        said.anova(data, data.y + 1.0)
    with pytest.raises(ValueError, match="kind='HC3' reads the training rows again; pass X and y"):
        said.anova(kind="HC3")
    with pytest.raises(TypeError, match="unexpected keyword argument 'group'"):
        said.anova(group=1)
    X = columns_of(pipeline, data)
    terms = {"sex": ["x0"], "age": ["x1"], "sex:age": ["x2"]}
    parts = LinearRegression()
    for block in np.array_split(np.arange(len(X)), 4):
        parts.partial_fit(X[block], data.y.to_numpy()[block])
    # The factor of a stream, and the moments of all rows.
    np.testing.assert_allclose(results(parts).anova(terms=terms), expected, rtol=1e-9)


def test_baselines_of_type_three_are_warned_of():
    data = unbalanced(0)
    treatment = treatment_pipeline(LinearRegression(), ["sex"], ["age"]).fit(data, data.y)
    with pytest.warns(BaselineTestWarning, match="age: with type=3 and the interaction sex:age"):
        results(treatment).anova(type=3)
    nothing = LinearRegression(fit_intercept=False).fit(columns_of(treatment, data), data.y)
    terms = {"sex": ["x0"], "age": ["x1"], "sex:age": ["x2"]}
    with pytest.warns(BaselineTestWarning, match="the test of age is of its effect at the base"):
        results(nothing).anova(type=3, terms=terms)
    centred = make_pipeline(
        treatment_pipeline(StandardScaler(), ["sex"], ["age"], degree=1),
        PolynomialFeatures(2, interaction_only=True, include_bias=False),
        LinearRegression(),
    ).fit(data, data.y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results(centred).anova(type=3)
        results(treatment).anova(type=2)
        results(sum_pipeline(LinearRegression(), "region", "sex").fit(data, data.y)).anova(type=3)


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
def test_models_that_have_no_analysis_of_variance():
    data = unbalanced(0)
    X, y = data[["age"]], data.y
    with pytest.raises(InferenceError, match=r"this is a LogisticRegression; call deviance_table"):
        results(LogisticRegression(C=np.inf).fit(X, y > 0)).anova()
    with pytest.raises(InferenceError, match=r"a GeneralizedLinearRegressor; call deviance_table"):
        results(GeneralizedLinearRegressor("normal").fit(X, y)).anova()
    with pytest.raises(InferenceError, match="PCA has no anova"):
        results(PCA().fit(data[["age", "y"]])).anova()
    with pytest.raises(TypeError, match="MLPRegressor, a network"):
        results(MLPRegressor(max_iter=5).fit(X, y))
    with pytest.raises(InferenceError, match="anova is for one target, and y had 2"):
        results(LinearRegression().fit(X, np.column_stack([y, y**2]))).anova()
    with pytest.raises(InferenceError, match="nothing is left to estimate the noise from"):
        results(LinearRegression().fit(X[:2], y[:2])).anova()
    with pytest.warns(RankDeficiencyWarning):
        fitted = make_pipeline(PolynomialFeatures(0), LinearRegression()).fit(X, y)
    with pytest.raises(InferenceError, match="has no terms"):
        results(fitted).anova()
    for wrong in (0, 4, "II", True):
        with pytest.raises(ValueError, match=f"type={wrong!r} must be 1 or 2 or 3"):
            results(LinearRegression().fit(X, y)).anova(type=wrong)


def test_a_perfect_fit_is_said():
    X = np.arange(20.0).reshape(10, 2) ** 2
    model = LinearRegression().fit(X, X[:, 0] + 3)
    with pytest.warns(PerfectFitWarning):
        results(model).anova()


def test_longley_by_statsmodels():
    data = sm.datasets.longley.load_pandas().data
    names = ["GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR"]
    theirs = smf.ols(f"TOTEMP ~ {' + '.join(names)}", data).fit()
    ours = results(LinearRegression().fit(data[names], data["TOTEMP"]))
    for kind in (1, 2, 3):
        # The condition number of longley is 5e9 before scaling, of which statsmodels loses half.
        expected = anova_lm(theirs, typ=kind).loc[names]
        np.testing.assert_allclose(ours.anova(type=kind)["F"].iloc[:-1], expected["F"], 1e-6)
