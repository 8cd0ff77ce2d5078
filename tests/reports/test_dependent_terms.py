"""Wald tests of terms where columns depend on each other: those of a coding without that."""

import numpy as np
import pytest

from mcmodels import GeneralizedLinearRegressor, LinearRegression, LogisticRegression, results
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning
from tests.reports.designs import treatment_pipeline, unbalanced

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


def test_main_effects_beside_their_interactions_are_not_estimable():
    with pytest.raises(InferenceError, match="the term 'region' is not estimable"):
        fitted(LinearRegression(), DATA.y, None, 2).wald_test(terms=True)
