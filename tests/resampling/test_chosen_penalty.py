"""Fits without rows of a model whose penalty was chosen have that penalty."""

import numpy as np
import pytest

from mcmodels import LogisticRegression, attribution, leave_one_out, most_influential
from mcmodels.exceptions import InferenceError


def problem():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(80, 3))
    return X, (X @ [1.0, -0.5, 0.0] + rng.normal(size=80) > 0).astype(int)


def test_a_model_with_a_chosen_penalty_is_left_out_with_that_number():
    X, y = problem()
    chosen = LogisticRegression(C="loo").fit(X, y)
    given = LogisticRegression(C=chosen.C_).fit(X, y)
    for method in ("newton", "exact"):
        of_chosen = leave_one_out(chosen, X, y, method=method, random_state=0)
        of_given = leave_one_out(given, X, y, method=method, random_state=0)
        # Both fits end within 1e-8 of the minimum.
        assert of_chosen.log_score_ == pytest.approx(of_given.log_score_, rel=1e-6)
    effects = [attribution(model, X, y, of="x0").refit([4, 7]) for model in (chosen, given)]
    np.testing.assert_allclose(effects[0], effects[1], rtol=1e-5)
    rows = [most_influential(model, X, y, of="x2", change="sign").rows for model in (chosen, given)]
    np.testing.assert_array_equal(*rows)


def test_several_chosen_penalties_are_refused_where_fits_are_made_again():
    X, y = problem()
    model = LogisticRegression(C="evidence", penalty_groups={"a": [0], "b": [1, 2]}).fit(X, y)
    exact = leave_one_out(model, X, y, method="exact").log_score_
    # Every row has a step of its own, which needs no other fit.
    assert leave_one_out(model, X, y, method="newton").log_score_ == pytest.approx(exact, rel=1e-2)
    with pytest.raises(InferenceError, match="each of several groups"):
        most_influential(model, X, y, of="x0", change="sign")
