"""Perfect fits of generalized linear models: the dispersion is that of rounding errors."""

import warnings

import numpy as np
import pytest

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import likelihood_ratio_test
from mcmodels.exceptions import InferenceError, PerfectFitWarning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
FAR = X * [1e-3, 1e3] + [1e3, -1e5]
ETA = X @ [0.5, -0.3] + 1.0
# Families whose dispersion is estimated, and targets that the link makes exactly of the features.
PERFECT = {
    "normal": (Glm(), ETA),
    "normal far": (Glm(), ETA + 1e6),
    "gamma": (Glm("gamma"), np.exp(ETA)),
    "gamma constant": (Glm("gamma"), np.full(60, 2.0)),
    "inverse gaussian": (Glm("inverse_gaussian"), np.exp(ETA)),
    "tweedie": (Glm("tweedie"), np.exp(ETA)),
    "quasi Poisson": (Glm("poisson", dispersion="pearson"), np.exp(ETA)),
    "deviance": (Glm("gamma", dispersion="deviance"), np.exp(ETA)),
    "precision": (Glm("gamma", weights="precision"), np.exp(ETA)),
    "penalty": (Glm("gamma", alpha=1e-30), np.exp(ETA)),
}


@pytest.mark.parametrize("rows", [X, FAR], ids=["near", "far"])
@pytest.mark.parametrize(("model", "y"), PERFECT.values(), ids=PERFECT)
def test_a_perfect_fit_is_said(model, y, rows):
    """Errors of 1e-16 and t statistics of 1e16 were printed in silence."""
    model.fit(rows, y)
    text = str(model.summary())
    assert "essentially perfect fit" in text
    table = model.summary().to_frame()
    if model.alpha == 0:
        assert not (np.abs(table["t"][np.isfinite(table["t"])]) > 1e6).any()
    results = [
        lambda: model.covariance(rows, y, kind="HC1"),
        lambda: model.predict_interval(rows[:3]),
        lambda: model.marginal_effects(rows),
    ]
    if model.dispersion_ > 0:  # else it is refused
        results.append(lambda: model.wald_test("x0 = 0"))
        results.append(lambda: model.influence(rows, y))
    for result in results:
        with pytest.warns(PerfectFitWarning, match="y: the residuals are rounding errors"):
            result()
    if model.alpha == 0:
        for method in (model.profile_intervals, model.likelihood_ratio_tests):
            with pytest.raises(InferenceError, match="the fit is perfect, up to rounding"):
                method(rows, y)
        small = Glm(**model.get_params()).fit(rows[:, :1], y)
        with pytest.raises(InferenceError, match="perfect"):
            likelihood_ratio_test(small, model)


@pytest.mark.parametrize("rows", [X, FAR], ids=["near", "far"])
@pytest.mark.parametrize("family", ["normal", "gamma", "inverse_gaussian", "tweedie"])
@pytest.mark.parametrize("noise", [1e-5, 1e-2])
def test_a_close_fit_is_none(family, rows, noise):
    """Relative errors of 1e-5 are data: rounding is 1e-11 at the most, for columns 1e5 wide."""
    mean = ETA if family == "normal" else np.exp(ETA)
    y = mean * (1 + noise * RNG.normal(size=60))
    model = Glm(family).fit(rows, y)
    assert "perfect" not in str(model.summary())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.profile_intervals(rows, y, parameters="x0")
        model.predict_interval(rows[:3])


def test_a_known_dispersion_needs_no_residuals():
    counts = np.array([4.0, 2.0, 7.0])
    model = Glm("poisson").fit(X[:3], counts)  # as many rows as parameters
    assert "perfect" not in str(model.summary())
    known = Glm("gamma", dispersion=0.5).fit(X, np.exp(ETA))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        known.profile_intervals(X, np.exp(ETA))


# -- an estimated θ --------------------------------------------------------------------------------


def test_steps_of_the_fits_that_find_theta_count():
    """They were left out: "iterations 0"."""
    rng = np.random.default_rng(3)
    y = rng.poisson(3 * rng.gamma(0.5, 2, 60))
    model = Glm("negative_binomial", theta="estimate").fit(X, y)
    # Two fits at least, of which the first, from the intercept, needs more than one step.
    assert model.n_iter_ > 3


def test_theta_at_its_border_is_said_and_has_no_standard_error():
    y = np.round(np.exp(0.3 + 0.4 * X[:, 0]))
    with pytest.warns(UserWarning, match="theta goes to zero"):
        model = Glm("negative_binomial", theta="estimate").fit(X, y)
    assert model.theta_ == 0
    with pytest.raises(InferenceError, match="theta_ is 0, the border of its range"):
        _ = model.theta_standard_error_
    assert "theta           0 (Poisson's, the limit)" in str(model.summary())
