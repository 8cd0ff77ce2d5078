"""Terms of logistic and generalized linear models: deviances by refits, and Wald's tests."""

import numpy as np
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
    results,
)
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning, SeparationWarning
from tests import certified
from tests.reports.designs import columns_of, dobson, treatment_pipeline, unbalanced

# Newton's method ends here and in statsmodels where deviances are exact to twice the digits of the
# gradient's tolerance; what differs is rounding, of some n·ε of the deviances.
AGREES = 1e-8


def glm_pipeline(family="poisson", drop="first", **options):
    return make_pipeline(
        OneHotEncoder(drop=drop), GeneralizedLinearRegressor(family, tol=1e-12, **options)
    )


def test_published_dobson():
    # anova(glm.D93, test = "Chisq") of R's ?glm; Dobson (1990), An Introduction to Generalized
    # Linear Models, p. 93.
    data = dobson()
    X, y = data[["outcome", "treatment"]], data.counts
    table = results(glm_pipeline().fit(X, y)).deviance_table(X, y)
    assert table.index.tolist() == ["(none)", "outcome", "treatment"]
    assert table["residual_deviance"].round(4).tolist() == [10.5814, 5.1291, 5.1291]
    assert table["residual_df"].tolist() == [8, 6, 4]
    assert table["deviance"].iloc[1:].round(4).tolist() == [5.4523, 0.0]
    assert table["df"].iloc[1:].tolist() == [2, 2]
    assert table["p_value"].iloc[1:].round(5).tolist() == [0.06547, 1.0]


FAMILIES = {
    "poisson": sm.families.Poisson(),
    "gamma": sm.families.Gamma(sm.families.links.Log()),
    "normal": sm.families.Gaussian(),
    "binomial": sm.families.Binomial(),
}


def targets(family, data):
    mean = np.exp(0.3 * (data.y - data.y.mean()))
    rng = np.random.default_rng(5)
    return {
        "poisson": lambda: rng.poisson(3 * mean).astype(float),
        "gamma": lambda: rng.gamma(3.0, mean / 3),
        "normal": lambda: data.y.to_numpy(),
        "binomial": lambda: (mean > rng.uniform(0.5, 1.5, len(data))).astype(float),
    }[family]()


def options(family):
    return {"link": "log"} if family == "gamma" else {}


def statsmodels_deviance(family, X, y):
    fit = sm.GLM(y, np.column_stack([np.ones(len(y)), X]), FAMILIES[family]).fit(tol=1e-14)
    return float(fit.deviance), int(np.linalg.matrix_rank(fit.model.exog)), fit


def refits(family, pipeline, X, y, kind):
    """Gains of deviance and of parameters, by statsmodels."""
    terms, columns = results(pipeline).terms, columns_of(pipeline, X)
    rows = []
    for k in range(len(terms.names)):
        gone = [j for other in terms.left_out(k, kind) for j in terms.columns[other]]
        big = [j for of in terms.columns for j in of if j not in gone]
        small = [j for j in big if j not in terms.columns[k]]
        before, n_small, _ = statsmodels_deviance(family, columns[:, small], y)
        after, n_big, _ = statsmodels_deviance(family, columns[:, big], y)
        rows.append((before - after, n_big - n_small))
    return np.array(rows), statsmodels_deviance(family, columns, y)


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("drop", ["first", "if_binary"])
@pytest.mark.parametrize("family", FAMILIES)
def test_tables_are_refits_by_statsmodels(family, drop, kind):
    data = unbalanced(21, 140)
    y = targets(family, data)
    model = GeneralizedLinearRegressor(family, tol=1e-12, **options(family))
    pipeline = treatment_pipeline(model, ["sex"], ["age"], drop=drop)
    pipeline.fit(data, y)
    table = results(pipeline).deviance_table(data, y, type=kind)
    gains, (left, n_params, whole) = refits(family, pipeline, data, y, kind)
    names = ["sex", "age", "sex:age"]
    np.testing.assert_allclose(table.loc[names, "deviance"], gains[:, 0], AGREES, atol=1e-9 * left)
    assert table.loc[names, "df"].tolist() == gains[:, 1].tolist()
    if family in ("poisson", "binomial"):
        p = stats.chi2.sf(gains[:, 0], gains[:, 1])
    else:  # by Pearson's dispersion of the whole model
        phi, df = whole.pearson_chi2 / whole.df_resid, whole.df_resid
        F = gains[:, 0] / gains[:, 1] / phi
        np.testing.assert_allclose(table.loc[names, "statistic"], F, AGREES)
        p = stats.f.sf(F, gains[:, 1], df)
    np.testing.assert_allclose(table.loc[names, "p_value"], p, rtol=1e-7)
    last = table.iloc[-1]
    column, of_df = ("residual_deviance", "residual_df") if kind == 1 else ("deviance", "df")
    np.testing.assert_allclose(last[column], left, AGREES)
    assert last[of_df] == len(data) - n_params


@pytest.mark.parametrize("kind", [1, 2])
def test_dependent_columns_have_the_same_tables(kind):
    # The default encoder keeps every level, and the likelihoods are those without one of them.
    data = unbalanced(22, 120)
    X = data[["region", "sex"]]
    for model, y in (
        (GeneralizedLinearRegressor("poisson", tol=1e-12), targets("poisson", data)),
        (LogisticRegression(C=np.inf, tol=1e-12), targets("binomial", data)),
    ):
        less = make_pipeline(OneHotEncoder(drop="first"), model).fit(X, y)
        expected = results(less).deviance_table(X, y, type=kind)
        with pytest.warns(RankDeficiencyWarning):
            full = make_pipeline(OneHotEncoder(), model).fit(X, y)
        found = results(full).deviance_table(X, y, type=kind)
        np.testing.assert_allclose(found, expected, rtol=AGREES, atol=1e-9)


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_tables_are_likelihood_ratios_of_refits(classes, kind):
    data = unbalanced(23, 150)
    y = np.digitize(data.y, np.quantile(data.y, [0.5] if classes == 2 else [0.3, 0.7]))
    pipeline = treatment_pipeline(LogisticRegression(C=np.inf, tol=1e-12), ["sex"], ["age"])
    pipeline.fit(data, y)
    said = results(pipeline)
    table = said.deviance_table(data, y, type=kind)
    columns, terms = columns_of(pipeline, data), said.terms
    for k, name in enumerate(terms.names):
        gone = [j for other in terms.left_out(k, kind) for j in terms.columns[other]]
        big = [j for of in terms.columns for j in of if j not in gone]
        small = [j for j in big if j not in terms.columns[k]]
        exog = [np.column_stack([np.ones(len(y)), columns[:, of]]) for of in (big, small)]
        model = sm.Logit if classes == 2 else sm.MNLogit
        theirs = [model(y, X).fit(disp=False, tol=1e-12, method="newton").llf for X in exog]
        gain = 2 * (theirs[0] - theirs[1])
        df = (classes - 1) * len(terms.columns[k])
        np.testing.assert_allclose(table.loc[name, "deviance"], gain, AGREES, atol=1e-8)
        assert table.loc[name, "df"] == df
        np.testing.assert_allclose(table.loc[name, "p_value"], stats.chi2.sf(gain, df), 1e-7)
    of_all = table.iloc[-1]
    left = of_all["residual_deviance" if kind == 1 else "deviance"]
    np.testing.assert_allclose(left, -2 * pipeline[-1].log_likelihood_, rtol=1e-12)
    n_free = (classes - 1) * (len(data)) - pipeline[-1].n_free_params_
    assert of_all["residual_df" if kind == 1 else "df"] == n_free


def test_the_last_term_is_the_likelihood_ratio_test():
    data = unbalanced(24, 150)
    y, X = data.y > data.y.median(), data[["age"]].assign(sex=1.0 * (data.sex == "m"))
    weights = np.arange(150) % 3
    big, small = (
        LogisticRegression(C=np.inf, tol=1e-12).fit(X[names], y, weights)
        for names in (["age", "sex"], ["age"])
    )
    test = likelihood_ratio_test(small, big)
    for kind in (1, 2):
        row = results(big).deviance_table(X, y, weights, type=kind).loc["sex"]
        # The same likelihoods by the same fits.
        np.testing.assert_allclose(row["statistic"], test.statistic, rtol=1e-9)
        np.testing.assert_allclose(row["p_value"], test.p_value, rtol=1e-8)


def test_offsets_and_streams():
    data = unbalanced(25, 120)
    X, exposure = data[["age"]].assign(sex=1.0 * (data.sex == "m")), 1.0 + np.arange(120) % 5
    y = np.random.default_rng(0).poisson(exposure).astype(float)
    model = GeneralizedLinearRegressor("poisson", tol=1e-12).fit(X, y, exposure=exposure)
    table = results(model).deviance_table(X, y, type=2, exposure=exposure)
    offset = np.log(exposure)

    def deviance(columns):
        A = np.column_stack([np.ones(120), X[columns]])
        return sm.GLM(y, A, sm.families.Poisson(), offset=offset).fit(tol=1e-14).deviance

    gains = [deviance([other]) - deviance(["age", "sex"]) for other in ("sex", "age")]
    np.testing.assert_allclose(table["deviance"].iloc[:2], gains, AGREES, atol=1e-9)
    with pytest.raises(ValueError, match="fitted with an offset or an exposure; pass that of"):
        results(model).deviance_table(X, y)
    with pytest.raises(TypeError, match=r"keyword argument 'offst'.* Did you mean 'offset'"):
        results(model).deviance_table(X, y, offst=exposure)
    logistic = LogisticRegression(C=np.inf, tol=1e-12).fit(X, y > 2)
    expected = results(logistic).deviance_table(X, y > 2, type=2)
    stream = RowStream(lambda: ((X[k : k + 50], (y > 2)[k : k + 50]) for k in (0, 50, 100)))
    found = results(logistic).deviance_table(stream, type=2)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_multinomial_terms_are_walds_tests_of_statsmodels():
    data = certified.table("anes96_mnlogit")
    names = ["logpopul", "selfLR", "age", "educ", "income"]
    model = LogisticRegression(C=np.inf, tol=1e-12).fit(data[names], data["PID"])
    terms = {"opinion": ["selfLR"], "person": ["age", "educ"], "place": ["logpopul"]}
    table = results(model).wald_test(terms=terms)
    theirs = sm.MNLogit(data["PID"], sm.add_constant(data[names])).fit(disp=False, tol=1e-12)
    K, P = 6, 6  # other classes, and parameters of each, the constant first
    for term, columns in terms.items():
        positions = [k * P + 1 + names.index(name) for k in range(K) for name in columns]
        expected = theirs.wald_test(np.eye(K * P)[positions], scalar=True)
        # Both invert a Hessian whose condition number is about 1e6 in these units.
        np.testing.assert_allclose(table.loc[term, "statistic"], expected.statistic, rtol=1e-8)
        np.testing.assert_allclose(table.loc[term, "p_value"], expected.pvalue, rtol=1e-7)
        assert table.loc[term, "df"] == len(positions)
    assert "df_denominator" not in table
    # The class that others are compared with does not matter.
    other = results(model).wald_test(terms=True, reference=3)
    np.testing.assert_allclose(other, results(model).wald_test(terms=True), rtol=1e-8)


def test_robust_terms_and_targets_together():
    data = unbalanced(26, 150)
    pipeline = treatment_pipeline(
        GeneralizedLinearRegressor("poisson", tol=1e-12), ["region"], ["age"], degree=1
    )
    y = targets("poisson", data)
    said = results(pipeline.fit(data, y))
    table = said.wald_test(terms=True, X=data, y=y, kind="HC0")
    theirs = smf.glm("y ~ C(region) + age", data.assign(y=y), family=sm.families.Poisson())
    fit = theirs.fit(cov_type="HC0", tol=1e-14)
    expected = fit.wald_test_terms(skip_single=False, scalar=True).table
    for name, other in (("region", "C(region)"), ("age", "age")):
        np.testing.assert_allclose(
            table.loc[name, "statistic"], expected.loc[other, "statistic"], rtol=AGREES
        )
    assert said.wald_test(terms=["age"], X=data, y=y, kind="HC0").equals(table.loc[["age"]])
    one = said.wald_test("age = 0" if "age" in said.model._fit.names else "`passthrough__age` = 0")
    np.testing.assert_allclose(said.wald_test(terms=["age"])["statistic"].iloc[0], one.statistic)
    # Several targets: the coefficients of a column in all of them.
    X = data[["age"]].assign(sex=1.0 * (data.sex == "m"))
    both = LinearRegression().fit(X, np.column_stack([data.y, data.age**2]))
    found = results(both).wald_test(terms=["sex"])
    stated = results(both).wald_test("`y0:sex` = 0, `y1:sex` = 0")
    np.testing.assert_allclose(found["statistic"].iloc[0], stated.statistic, rtol=1e-12)
    assert found["df"].iloc[0] == 2


def test_either_restrictions_or_terms():
    model = LinearRegression().fit(np.arange(8.0)[:, np.newaxis], np.arange(8.0) ** 2)
    for given in ({}, {"restrictions": "x0 = 0", "terms": True}, {"terms": False}):
        with pytest.raises(ValueError, match="either restrictions, such as 'age = 0', or terms"):
            results(model).wald_test(**given)


def test_fits_without_these_tests():
    data = unbalanced(27, 100)
    X, y = data[["age"]], data.y > 2
    penalised = results(LogisticRegression(C=2.0).fit(X, y))
    with pytest.raises(InferenceError, match=r"penalised \(C=2\), and coefficients that are"):
        penalised.wald_test(terms=True)
    with pytest.raises(InferenceError, match=r"analysis of deviance compares maxima .* penalised"):
        penalised.deviance_table(X, y)
    ridge = GeneralizedLinearRegressor("normal", alpha=1.0).fit(X, data.y)
    with pytest.raises(InferenceError, match="is penalised"):
        results(ridge).wald_test(terms=True)
    with pytest.raises(InferenceError, match="Jeffreys' prior"):
        results(FirthLogisticRegression().fit(X, y)).deviance_table(X, y)
    with pytest.raises(InferenceError, match=r"this is a LinearRegression; call anova\(\)"):
        results(LinearRegression().fit(X, data.y)).deviance_table(X, data.y)
    own = ObjectiveRegressor(lambda y, eta: (y - eta) ** 2).fit(X, data.y)
    with pytest.raises(InferenceError, match=r"ObjectiveRegressor; call wald_test\(terms=True\)"):
        results(own).deviance_table(X, data.y)
    survey = LogisticRegression(C=np.inf, weights="probability").fit(X, y)
    with pytest.raises(InferenceError, match="needs a likelihood"):
        results(survey).deviance_table(X, y)
    with pytest.raises(ValueError, match="type=3 must be 1 or 2"):
        results(LogisticRegression(C=np.inf).fit(X, y)).deviance_table(X, y, type=3)
    apart = data[["age"]].assign(apart=np.where(y, 1.0, 0.0))
    with pytest.warns(SeparationWarning):
        model = LogisticRegression(C=np.inf).fit(apart, y)
    with pytest.raises(InferenceError, match="has no largest likelihood"):
        results(model).deviance_table(apart, y)
