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
