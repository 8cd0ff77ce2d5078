"""Effects and means where levels never come together: what is determined, and NaN for the rest."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    results,
)
from mcmodels.exceptions import InferenceError, NotEstimableWarning

SHOWN = ["estimate", "standard_error"]
# The same span by other columns: fits of 150 rows end where gradients are 1e-10, and errors have
# factorisations of matrices of condition 1e3.
SAME = {"rtol": 1e-7, "atol": 1e-9}


def rows(n=150):
    """Level "c" of the first factor is never beside "q" of the second."""
    rng = np.random.default_rng(2)
    X = pd.DataFrame(
        {
            "g": rng.choice(list("abc"), n),
            "h": rng.choice(["p", "q"], n),
            "x": rng.normal(size=n),
        }
    )
    X = X[~((X["g"] == "c") & (X["h"] == "q"))].reset_index(drop=True)
    return X, rng.poisson(np.exp(0.3 * X["x"] + (X["g"] == "b")))


def crossed(model, X, y, drop):
    factors = make_column_transformer(
        (OneHotEncoder(drop=drop, sparse_output=False), ["g", "h"]), remainder="passthrough"
    )
    products = PolynomialFeatures(2, interaction_only=True, include_bias=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RankDeficiencyWarning
        return results(make_pipeline(factors, products, model).fit(X, y))


class Cells:
    """The same model by hand, with a mean and a slope for each cell that has rows.

    An interaction of g and x, and of h and x, has not a slope for each cell: it is one of its own.
    """

    def __init__(self, model, X, y):
        self.cells = sorted({*zip(X["g"], X["h"], strict=True)})
        self.fitted = clone(model).set_params(fit_intercept=False).fit(self.columns(X), y)

    def columns(self, X):
        of = [(X["g"] == g) & (X["h"] == h) for g, h in self.cells]
        slopes = [(X["g"] == g) * X["x"] for g in "abc"] + [(X["h"] == "q") * X["x"]]
        return np.column_stack([*of, *slopes]).astype(float)

    def mean(self, X):
        """The average prediction of rows, and its standard error by the delta method."""
        Z, theta = self.columns(X), self.fitted.params_
        linear = isinstance(self.fitted, LinearRegression)
        p = Z @ theta if linear else np.exp(Z @ theta)
        slope = np.ones(len(Z)) if linear else p
        J = (slope[:, np.newaxis] * Z).mean(axis=0)
        return p.mean(), np.sqrt(J @ self.fitted.covariance_ @ J)


@pytest.mark.parametrize("drop", ["first", None])
@pytest.mark.parametrize("name", ["linear", "poisson", "own"])
def test_what_is_determined_is_that_of_means_of_cells(name, drop):
    X, y = rows()
    model = {
        "linear": LinearRegression(),
        "poisson": GeneralizedLinearRegressor("poisson"),
        "own": ObjectiveRegressor("exp(eta) - y*eta", inverse_link=np.exp, log_likelihood=True),
    }[name]
    found, cells = crossed(model, X, y, drop), Cells(model, X, y)
    with pytest.warns(NotEstimableWarning, match="c q: the rows of the fit do not determine this"):
        means = found.marginal_means(X, ["g", "h"])
    middle = X.head(1).assign(x=X["x"].mean())
    for g, h in itertools.product("abc", "pq"):
        expected = cells.mean(middle.assign(g=g, h=h)) if (g, h) in cells.cells else (np.nan,) * 2
        np.testing.assert_allclose(means.loc[(g, h), SHOWN], expected, **SAME)
    with pytest.warns(NotEstimableWarning, match="^p h q - p, q g c - a: "):
        effects = found.marginal_effects(X, ["g", "h"], by="h")
    assert list(effects["estimate"].isna()) == [False, False, True, False, True, False]
    assert (effects["estimate"].isna() == effects["lower"].isna()).all()
    with pytest.warns(NotEstimableWarning):
        given = found.predictions(X[X["h"] == "q"], at={"g": ["b", "c"]})
    expected = cells.mean(X[X["h"] == "q"].assign(g="b"))
    np.testing.assert_allclose(given.iloc[0][SHOWN].astype(float), expected, **SAME)
    assert given.iloc[1].isna().all()


@pytest.mark.parametrize("drop", ["first", None])
def test_rows_without_a_determined_effect_have_none(drop):
    X, y = rows()
    found = crossed(GeneralizedLinearRegressor("poisson"), X, y, drop)
    with pytest.warns(NotEstimableWarning, match="are no combination of the rows of the fit"):
        effects = found.marginal_effects(X, ["g", "x"], at="rows")
    lost = effects["g", "c - a"].isna()
    assert (lost == (X["h"] == "q")).all()
    assert not effects.drop(columns=[("g", "c - a")]).isna().any(axis=None)


def test_contrasts_are_adjusted_for_those_that_there_are():
    X, y = rows()
    found = crossed(LinearRegression(), X, y, "first")
    with pytest.warns(NotEstimableWarning, match="^c - a, c - b: "):
        pairs = found.contrasts(X, "g")
    with pytest.warns(NotEstimableWarning):
        plain = found.contrasts(X, "g", adjust=None)
    with pytest.warns(NotEstimableWarning):
        holm = found.contrasts(X, "g", adjust="holm")
    assert pairs["p_value"].isna().tolist() == [False, True, True]
    for table in (pairs, holm):  # one contrast is tested once
        np.testing.assert_allclose(table.iloc[0], plain.iloc[0], rtol=1e-12)


def test_intervals_of_rows_that_are_not_determined_have_one_warning():
    X, y = rows()
    found = crossed(LinearRegression(), X, y, "first")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        table = found.predict_interval(pd.DataFrame({"g": ["c", "c"], "h": ["p", "q"], "x": 0.0}))
    assert table["standard_error"].isna().tolist() == [False, True]
    assert [of.category for of in told] == [NotEstimableWarning]


@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_a_column_of_zeros_changes_no_interval(model):
    """Indicators of a level, or of a cell, that no row has are zero in every row."""
    X, y = rows()
    dense = X[["x"]].assign(square=X["x"] ** 2)
    model, y = {
        "poisson": (GeneralizedLinearRegressor("poisson"), y),
        "logistic": (LogisticRegression(C=np.inf), y > 1),
    }[model]
    plain = results(clone(model).fit(dense, y))
    wide = dense.assign(none=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RankDeficiencyWarning
        found = results(clone(model).fit(wide, y))
    for ask in (
        lambda of, X: of.predict_interval(X),
        lambda of, X: of.with_covariance(X, y, kind="HC3").predict_interval(X),
        lambda of, X: of.influence(X, y)[["leverage", "cooks_distance"]],
    ):
        # Fits end where gradients are 1e-10 in other coordinates.
        np.testing.assert_allclose(ask(found, wide), ask(plain, dense), **SAME)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_separates_classes_has_the_names_of_the_steps(n_classes):
    X, _ = rows()
    y = np.arange(len(X)) % n_classes
    y[X["g"] == "c"] = 0
    steps = make_column_transformer((OneHotEncoder(drop="first"), ["g", "h"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SeparationWarning
        found = results(make_pipeline(steps, LogisticRegression(C=np.inf)).fit(X, y))
    with pytest.raises(
        InferenceError, match="the columns 'onehotencoder__g_c': the likelihood has"
    ):
        found.wald_test(terms=True)
    named = LogisticRegression(C=np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        named.fit(pd.DataFrame({"x1": X["h"] == "q", "x0": X["g"] == "c"}).astype(float), y)
    with pytest.raises(InferenceError, match="the columns 'x0': the likelihood has"):
        results(named).wald_test("x1 = 0")
