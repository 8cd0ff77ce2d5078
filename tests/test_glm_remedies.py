"""What warnings and errors of generalized linear models tell the user to do."""

import warnings

import numpy as np
import pandas as pd
import pytest

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import LogisticRegression
from mcmodels.exceptions import InferenceError, NoMinimumWarning, SeparationWarning

GROUP = np.repeat([[0.0], [1.0]], 6, axis=0)
COUNTS = np.array([0.0] * 6 + [1, 2, 0, 3, 1, 2])


def test_a_group_without_a_count_is_no_wrong_sign_of_a_loss():
    """The remedy of own losses was the first that users of a family read."""
    with pytest.warns(NoMinimumWarning, match=r"take prior='jeffreys'") as said:
        model = Glm("poisson").fit(GROUP, COUNTS)
    assert not any("sign of the loss" in str(warning.message) for warning in said)
    with pytest.raises(InferenceError, match=r"take prior='jeffreys'"):
        _ = model.standard_errors_
    finite = Glm("poisson", prior="jeffreys").fit(GROUP, COUNTS)
    assert finite.status_ == "converged"


@pytest.mark.parametrize("model", [LogisticRegression(C=np.inf), Glm("binomial")], ids=str)
def test_separated_classes_have_a_prior_to_go_to(model):
    with pytest.warns(SeparationWarning, match=r"FirthLogisticRegression, or prior='jeffreys'"):
        model.fit(GROUP, (COUNTS > 0) | (GROUP[:, 0] > 0))


def test_a_feature_called_as_the_intercept_is_not_taken_for_it():
    """Its interval was given as that of the intercept."""
    X = pd.DataFrame({"(intercept)": np.arange(12.0), "b": np.sin(np.arange(12.0))})
    model = Glm("poisson").fit(X, COUNTS + 1)
    for method in (model.profile_intervals, model.score_intervals, model.likelihood_ratio_tests):
        with pytest.raises(ValueError, match="a feature and the intercept, too"):
            method(X, COUNTS + 1, parameters=["(intercept)"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.profile_intervals(X, COUNTS + 1, parameters="b")


def test_rates_beside_another_link_are_weighted_by_precisions():
    """The remedy did not say so: as frequencies, robust errors of rates are wrong.

    With the log link both ways are there, and say the same.
    """
    rng = np.random.default_rng(0)
    X, years = rng.normal(size=(80, 2)), rng.uniform(0.2, 5.0, 80)
    y = rng.poisson(years * np.exp(0.3 * X[:, 0])).astype(float)
    with pytest.raises(ValueError, match=r"y/exposure with the exposure as sample_weight and wei"):
        Glm("poisson", link="sqrt").fit(X, y, exposure=years)
    known = Glm("poisson", tol=1e-12).fit(X, y, exposure=years)
    rates = Glm("poisson", weights="precision", tol=1e-12).fit(X, y / years, years)
    np.testing.assert_allclose(rates.params_, known.params_, rtol=1e-8)
    for kind in ("nonrobust", "HC0", "HC1", "HC2", "HC3"):
        np.testing.assert_allclose(
            rates.covariance(X, y / years, years, kind=kind),
            known.covariance(X, y, kind=kind, exposure=years),
            rtol=1e-7,
        )
