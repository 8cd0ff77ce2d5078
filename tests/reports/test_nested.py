"""Nested models one after another: statsmodels, and the tables of one model."""

import numpy as np
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from statsmodels.stats.anova import anova_lm

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    anova,
    likelihood_ratio_test,
    results,
)
from mcmodels.exceptions import InferenceError
from tests.reports.designs import dobson, treatment_pipeline, unbalanced

DATA = unbalanced(31, 150)


def test_linear_models_are_those_of_statsmodels():
    weights = 1.0 + np.arange(150) % 3
    formulas = ["y ~ age", "y ~ age + C(sex)", "y ~ age * C(sex)"]
    theirs = anova_lm(*(smf.wls(f, DATA, weights=weights).fit() for f in formulas))
    columns = treatment_pipeline(LinearRegression(), ["sex"], ["age"]).fit(DATA, DATA.y)[:-1]
    X = columns.transform(DATA)
    models = [
        LinearRegression(weights="precision").fit(X[:, of], DATA.y, weights)
        for of in ([1], [1, 0], [1, 0, 2])
    ]
    table = anova(*models)
    expected = theirs[["df_diff", "ss_diff", "df_resid", "ssr", "F", "Pr(>F)"]]
    # Differences of squares of residuals, of some n·ε each.
    np.testing.assert_allclose(table.iloc[1:, :5], expected.iloc[1:, :5].to_numpy(), rtol=1e-9)
    # F has the degrees of freedom of the variance, 146, in each row, as in R; statsmodels takes
    # those of each model, which are the same in the last row.
    p = stats.f.sf(expected["F"].iloc[1:], 1, 146)
    np.testing.assert_allclose(table["p_value"].iloc[1:], p, rtol=1e-8)
    np.testing.assert_allclose(table["p_value"].iloc[-1], expected["Pr(>F)"].iloc[-1], rtol=1e-8)
    np.testing.assert_allclose(table.iloc[0, 2:4], expected.iloc[0, 2:4].to_numpy(), rtol=1e-12)
    assert table.columns.tolist() == [
        "df",
        "sum_of_squares",
        "residual_df",
        "residual_sum_of_squares",
        "F",
        "p_value",
    ]
    # By the variance of the largest: those of its terms in that order.
    terms = {"age": ["x0"], "sex": ["x1"], "both": ["x2"]}
    first = results(models[-1]).anova(type=1, terms=terms)
    np.testing.assert_allclose(table["F"].iloc[1:], first["F"].iloc[1:3], rtol=1e-9)


@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_other_models_are_the_table_of_terms(family):
    data = dobson()
    X, y = data[["outcome", "treatment"]], data.counts
    options = {"link": "log", "tol": 1e-12}
    models = [
        make_pipeline(OneHotEncoder(drop="first"), GeneralizedLinearRegressor(family, **options))
        for _ in range(2)
    ]
    big = models[1].fit(X, y)
    table, terms = anova(models[0].fit(X[["outcome"]], y), big), results(big).deviance_table(X, y)
    assert table.columns.tolist() == terms.columns.tolist()
    # The same models by the same algorithm, from other starts.
    np.testing.assert_allclose(table.iloc[0, 2:4], terms.iloc[1, 2:4], rtol=1e-9)
    np.testing.assert_allclose(table.iloc[1], terms.iloc[2], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_models_are_the_table_of_terms(classes):
    y = np.digitize(DATA.y, np.quantile(DATA.y, [0.4] if classes == 2 else [0.3, 0.7]))
    X = DATA[["age"]].assign(sex=1.0 * (DATA.sex == "m"))
    small, big = (
        LogisticRegression(C=np.inf, tol=1e-12).fit(X[of], y) for of in (["age"], ["age", "sex"])
    )
    expected = results(big).deviance_table(X, y).iloc[1:]
    np.testing.assert_allclose(anova(small, big).iloc[1], expected.iloc[1], rtol=1e-8)


def test_what_is_not_nested():
    X, y = DATA[["age"]].assign(sex=1.0 * (DATA.sex == "m")), DATA.y
    age, sex, both = (LinearRegression().fit(X[of], y) for of in (["age"], ["sex"], ["age", "sex"]))
    with pytest.raises(ValueError, match="two or more fitted models, and 1 was given"):
        anova(both)
    with pytest.raises(ValueError, match=r"models 1 \(small\) and 2 \(big\): big has 2 param"):
        anova(age, sex, both)
    with pytest.raises(ValueError, match=r"models 1 \(small\) and 2 \(big\): big has 2 param"):
        anova(both, age)
    other = LinearRegression().fit(X, y + np.arange(150))
    with pytest.raises(ValueError, match="not fitted to the same rows and target"):
        anova(age, other)
    with pytest.raises(TypeError, match="models 1"):
        anova(age, "both")
    two = np.column_stack([y, y**2])
    with pytest.raises(InferenceError, match="anova is for one target"):
        anova(LinearRegression().fit(X[["age"]], two), LinearRegression().fit(X, two))

    def loss(y, t):
        return (y - t) ** 2

    own = [ObjectiveRegressor(loss).fit(X[of], y) for of in (["age"], ["age", "sex"])]
    with pytest.raises(InferenceError, match=r"models 1 \(small\) and 2 \(big\): a log-likel"):
        anova(*own)
    own = [
        ObjectiveRegressor(loss, log_likelihood=True).fit(X[of], y)
        for of in (["age"], ["age", "sex"])
    ]
    with pytest.raises(InferenceError, match="anova is of linear, logistic and generalized"):
        anova(*own)


def named_differently(*transformers, verbose, use):
    columns = ColumnTransformer(
        list(transformers), remainder="passthrough", verbose_feature_names_out=verbose
    )
    return make_pipeline(columns, LinearRegression()).fit(DATA[use], DATA.y)


def test_columns_under_other_names_are_named_with_the_remedy():
    def models(verbose):
        sex = ("factor", OneHotEncoder(drop="first"), ["sex"])
        return (
            named_differently(("left", "passthrough", ["age"]), verbose=verbose, use=["age"]),
            named_differently(sex, verbose=verbose, use=["sex", "age"]),
        )

    what = "column 'left__age' of small is not among the columns of big by its name, though one of"
    remedy = "factor__sex_m, remainder__age has the same sums.*verbose_feature_names_out=False"
    for ask in (anova, likelihood_ratio_test):
        with pytest.raises(ValueError, match=f"{what} {remedy}"):
            ask(*models(True))
    found, X = anova(*models(False)), DATA[["age"]].assign(sex=1.0 * (DATA.sex == "m"))
    plain = [LinearRegression().fit(X[of].to_numpy(), DATA.y) for of in (["age"], ["age", "sex"])]
    np.testing.assert_allclose(found, anova(*plain), rtol=1e-9)
    # Without prefixes there is nothing to leave out; other columns are another matter.
    renamed = LinearRegression().fit(X[["age"]].set_axis(["years"], axis=1), DATA.y)
    big = LinearRegression().fit(X, DATA.y)
    with pytest.raises(ValueError, match=r"'years' of small .*same sums.* in both models\.$"):
        likelihood_ratio_test(renamed, big)
    other = LinearRegression().fit(X[["age"]].rename(columns={"age": "square"}) ** 2, DATA.y)
    with pytest.raises(
        ValueError, match=r"'square' of small is not among the columns of big\. Fit"
    ):
        likelihood_ratio_test(other, big)
