"""Fits without rows of a model whose penalty was chosen have that penalty."""

import numpy as np
import pandas as pd
import pytest

from mcmodels import LogisticRegression, attribution, bootstrap, leave_one_out, most_influential


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


@pytest.mark.parametrize("groups", [{"a": ["x"], "b": ["y", "z"]}, {"a": ["x"]}, "each"])
def test_several_chosen_penalties_are_those_of_fits_that_are_made_again(groups):
    """Columns have names, which the rows of some of these fits have not."""
    X, y = problem()
    X = pd.DataFrame(X, columns=list("xyz"))
    chosen = LogisticRegression(C="evidence", penalty_groups=groups).fit(X, y)

    def refitted(kept):
        model = LogisticRegression(C=chosen.C_, penalty_groups=groups)
        return model.fit(X[kept], y[kept])

    found = leave_one_out(chosen, X, y, method="exact")
    scores = []
    for i in range(len(y)):
        model = refitted(np.arange(len(y)) != i)
        scores.append(np.log(model.predict_proba(X[i : i + 1])[0, y[i]]))
    # Each fit ends within 1e-8 of its minimum.
    assert found.log_score_ == pytest.approx(sum(scores), rel=1e-7)
    effects = attribution(chosen, X, y, of="x").refit([4, 7])
    for i, effect in effects.items():
        change = refitted(np.arange(len(y)) != i).coef_[0, 0] - chosen.coef_[0, 0]
        assert effect == pytest.approx(change, rel=1e-5)
    influential = most_influential(chosen, X, y, of="z", change="sign")
    kept = ~np.isin(np.arange(len(y)), influential.rows)
    without = influential.to_frame()["coefficient"].iloc[-1]
    assert without == pytest.approx(refitted(kept).coef_[0, 2], rel=1e-5)
    draws = [
        bootstrap(model, X, y, draws=5, steps="converged", random_state=0).draws_
        for model in (chosen, refitted(np.ones(len(y), dtype=bool)))
    ]
    np.testing.assert_allclose(draws[0], draws[1], rtol=1e-6, atol=1e-8)
