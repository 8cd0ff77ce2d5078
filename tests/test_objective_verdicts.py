"""What the fit of a loss says: no convexity, kinks, no minimum, and what it refuses."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm

from mcmodels import (
    ObjectiveClassifier,
    ObjectiveRegressor,
)
from mcmodels.autodiff import NoRuleError
from mcmodels.calculus import scalar
from mcmodels.exceptions import (
    ConvergenceWarning,
    FlatObjectiveWarning,
    InferenceError,
    NoMinimumWarning,
    NonConvexLossWarning,
    NonSmoothLossWarning,
    RankDeficiencyWarning,
)
from tests.numerics import relative_error
from tests.objective_problems import BINARY, POISSON, pair, quietly
from tests.objectives.user_losses import LOSSES, poisson, problem

# -- curvature that is missing or negative --------------------------------------------------------


def test_huber_from_where_no_row_has_curvature():
    X, y = problem("numbers", seed=5)
    text = "0.5 * (y - eta)**2 - 0.5 * relu(abs(y - eta) - 0.01)**2"
    for offset in (0.0, 1e4):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = ObjectiveRegressor(text, fit_intercept=offset != 0).fit(X, y + offset)
        assert model.status_ == "converged"
        assert np.abs(model.gradient_).max() < 1e-8


@pytest.mark.parametrize("width", [1e-1, 1e-2, 1e-3])
def test_smoothed_quantiles_close_in_on_quantile_regression(width):
    X, y = problem("numbers", seed=5)
    text = f"{width} * softplus((y - eta) / {width}) - 0.3 * (y - eta)"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ObjectiveRegressor(text).fit(X, y)
    exact = sm.QuantReg(y, np.column_stack([X, np.ones(200)])).fit(q=0.7, max_iter=5000)
    r = y - np.column_stack([X, np.ones(200)]) @ exact.params
    least = np.sum(np.maximum(r, 0) - 0.3 * r)
    # Smoothing adds at most width·log 2 a row, and no fit is below the least pinball loss.
    assert least - 1e-9 * least <= model.objective_ <= least + 200 * width * np.log(2)


def test_a_start_that_is_stationary_and_no_minimum_is_left():
    X = np.ones((20, 1))
    model = ObjectiveRegressor("(eta**2 - 1)**2", fit_intercept=False)
    with pytest.warns(NonConvexLossWarning, match="The point reached is a minimum"):
        model.fit(X, np.zeros(20))
    assert abs(model.coef_[0]) == pytest.approx(1.0, rel=1e-10)
    assert model.converged_
    assert model.hessian_[0, 0] == pytest.approx(8 * 20, rel=1e-8)


def test_a_non_convex_loss_is_said_with_the_place():
    X, y = problem("numbers")
    y[7] += 30.0  # far outside
    message = (
        r"not convex: its second derivative is -\S+ at y=\S+, eta=\S+, in a row of the fit. The "
        r"point reached is a minimum \(least eigenvalue of the Hessian scaled to \S+ unit dia"
    )
    for model in pair("student"):
        with pytest.warns(NonConvexLossWarning, match=message):
            model.fit(X, y)
        assert model.converged_


def test_a_loss_that_is_non_convex_between_the_rows_is_said():
    X = np.linspace(-0.9, 0.9, 100)[:, np.newaxis]
    y = X[:, 0] + 0.01 * np.sin(np.arange(100))  # no residual ever reaches 1, where ℓ″ is zero
    with pytest.warns(NonConvexLossWarning, match="between its rows"):
        ObjectiveRegressor("log(1 + (y - eta)**2)").fit(X, y)


def test_a_penalty_that_outweighs_negative_curvature():
    X = np.linspace(-1, 1, 50)[:, np.newaxis]
    with pytest.warns(NonConvexLossWarning, match="is a minimum"):
        model = ObjectiveRegressor("-0.1 * eta**2 - eta * y", alpha=20.0, fit_intercept=False).fit(
            X, X[:, 0]
        )
    squares = (X**2).sum()
    assert model.coef_[0] == pytest.approx(squares / (20 - 0.2 * squares), rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("abs(y - eta)", r"the derivative of the loss jumps by 2 at y=(\S+), eta=\1:"),
        ("relu(y - eta) - 0.25 * (y - eta)", r"jumps by 1 at y=.* h\*softplus\(\(y-eta\)/h\)"),
        (lambda y, eta: np.abs(y - eta), r"jumps by 2 at y=(\S+), eta=\1:.*sqrt\(r\*\*2"),
        (lambda y, eta: (y - eta) ** 2 + np.where(eta > 0.1, 1.0, 0.0), "the loss jumps by 1 at y"),
    ],
)
def test_a_kink_is_said_with_the_place_and_the_remedy(loss, message):
    X, y = problem("numbers", n=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with pytest.warns(NonSmoothLossWarning, match=message):
            model = ObjectiveRegressor(loss, alpha=0.1).fit(X, y)
    assert np.isfinite(model.params_).all()


@pytest.mark.parametrize("name", [n for n in LOSSES if LOSSES[n].convex])
def test_smooth_convex_losses_warn_of_nothing(name):
    X, y = problem(LOSSES[name].targets)
    for model in pair(name):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(X, y)


# -- no minimum -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [200, 60_000])
def test_counts_that_are_zero_wherever_a_column_is_not(n):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((n, 2)), rng.random(n) < 0.2])
    y = rng.poisson(np.exp(X[:, 0])) * (X[:, 2] == 0)
    message = (
        r"keeps decreasing along a combination of the columns x2: it has no minimum.*"
        r"alpha > 0"
    )
    for loss in (POISSON, poisson):
        with pytest.warns(NoMinimumWarning, match=message):
            model = ObjectiveRegressor(loss, log_likelihood=True).fit(X, y)
        assert model.status_ == "no minimum"
        assert not model.converged_
        assert np.isfinite(model.params_).all()
        assert model.coef_[2] < -5
        with pytest.raises(InferenceError, match="has no minimum, and so no curvature at a min"):
            _ = model.standard_errors_
        penalised = ObjectiveRegressor(loss, alpha=1e-3).fit(X, y)
        assert penalised.converged_


def test_separated_classes():
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    with pytest.warns(NoMinimumWarning, match="columns x0"):
        model = ObjectiveClassifier(BINARY).fit(X, [0, 0, 1, 1])
    np.testing.assert_array_equal(model.predict(X), [0, 0, 1, 1])
    flat = ObjectiveClassifier("relu(1 - (2*y - 1) * eta)**2").fit(X, [0, 0, 1, 1])
    assert flat.objective_ == 0.0  # a minimum is attained
    assert flat.converged_


@pytest.mark.parametrize("loss", ["y * eta", "-(y - eta)**2", lambda y, eta: -eta, "exp(-eta)"])
def test_a_loss_without_a_least_value(loss):
    X, y = problem("numbers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonConvexLossWarning)
        with pytest.warns(NoMinimumWarning, match="Check the sign of the loss"):
            model = ObjectiveRegressor(loss).fit(X, y)
    assert np.isfinite(model.params_).all()
    assert model.status_ == "no minimum"


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X + np.array([1e9, 0, 0]),
        lambda X: X * [1e8, 1e-8, 1],
        lambda X: np.column_stack([X, X[:, 0]]),
        lambda X: np.column_stack([X, np.zeros(len(X))]),
    ],
    ids=["far", "scaled", "twice", "zero"],
)
def test_whether_a_minimum_was_reached_does_not_depend_on_units(change):
    X, y = problem("numbers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankDeficiencyWarning)
        with pytest.warns(NonConvexLossWarning, match="point reached is a minimum"):
            ObjectiveRegressor("log(1 + (y - eta)**2)").fit(change(X), y)


def test_nothing_is_called_a_minimum_where_there_is_none():
    X, y = problem("numbers")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ObjectiveRegressor("tanh(eta)*y").fit(X, 10 * y)
    said = [str(warning.message) for warning in caught]
    assert any("it has no minimum" in text for text in said)
    assert any("the loss is not convex" in text for text in said)
    assert not any("point reached" in text for text in said)


def test_a_fit_that_ends_at_the_edge_of_the_domain_says_so():
    X, y = problem("numbers")  # targets of both signs: -log(eta) wants eta at 0, where it ends
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with pytest.warns(NonConvexLossWarning, match="the loss is not convex"):
            ObjectiveRegressor("log(eta)*y").fit(X, y)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_zero_counts_that_fewer_rows_than_columns_fit_exactly_have_no_minimum(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((30, 100)), rng.poisson(1.0, 30)
    for loss, targets in ((POISSON, y), ("softplus(eta) - y*eta", y > 0)):
        with pytest.warns(NoMinimumWarning, match="keeps decreasing"):
            ObjectiveRegressor(loss).fit(X, targets)
    with pytest.warns(RankDeficiencyWarning):  # positive counts are fitted at finite predictors
        exact = ObjectiveRegressor(POISSON).fit(X, y + 1)
    # Interpolation by Newton's method ends at a step of 1e-10.
    assert relative_error(exact.predict(X), np.log(y + 1)) < 1e-8


# -- refusals -------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_names_target_and_predictor():
    X, y = problem("positive")
    y[3] = -1.0
    message = r"not finite where the fit starts: at y=-1, eta=\S+ it is nan"
    for loss in ("y * log(y) - y * eta + exp(eta)", lambda y, eta: y * np.log(y) + np.exp(eta) - y):
        with pytest.raises(ValueError, match=message):
            ObjectiveRegressor(loss).fit(X, y)


def test_a_loss_of_a_half_line_starts_where_it_is_finite():
    X, y = problem("positive")
    model = ObjectiveRegressor("y / eta + log(eta)")  # exponential with the identity link
    quietly(model, 0.02 * X, y)
    assert model.converged_
    assert np.abs(model.gradient_).max() < 1e-6


def test_what_mixes_rows_or_has_no_derivative_is_refused():
    X, y = problem("numbers")
    with pytest.raises(ValueError, match=r"loss returned shape \(\)"):
        ObjectiveRegressor(lambda y, eta: np.mean((y - eta) ** 2)).fit(X, y)
    with pytest.raises(ValueError, match="loss is not pointwise"):
        ObjectiveRegressor(lambda y, eta: (y - eta - np.mean(y - eta)) ** 2).fit(X, y)
    with pytest.raises(NoRuleError, match="nextafter"):
        ObjectiveRegressor(lambda y, eta: np.nextafter(eta, y)).fit(X, y)
    with pytest.raises(ValueError, match="without eta; there is nothing to fit"):
        ObjectiveRegressor(scalar("y") ** 2).fit(X, y)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": 3}, TypeError, "loss is a int; give an expression in the scalars y and eta"),
        ({"loss": "exp(eta) - tau * y"}, ValueError, "loss holds 'tau', a scalar"),
        ({"alpha": -1.0}, ValueError, "alpha=-1.0 must be at least 0"),
        ({"alpha": np.inf}, ValueError, "alpha=inf must be finite"),
        ({"log_likelihood": "yes"}, ValueError, "log_likelihood='yes' must be True or False"),
        ({"max_iter": 0}, ValueError, "max_iter=0 must be an integer of at least 1"),
        ({"inverse_link": "exp(y)"}, ValueError, "inverse_link holds 'y'"),
        ({"inverse_link": 3}, TypeError, "inverse_link is a int; give None"),
    ],
)
def test_parameters_are_checked(options, error, message):
    X, y = problem("numbers", n=20)
    model = ObjectiveRegressor("(y - eta)**2").set_params(**options)
    with pytest.raises(error, match=message):
        model.fit(X, y)


def test_classes_and_probabilities_are_checked():
    X, y = problem("classes")
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        ObjectiveClassifier(BINARY).fit(X, np.arange(200) % 3)
    with pytest.raises(ValueError, match="only one class in the rows of positive weight: 1"):
        ObjectiveClassifier(BINARY).fit(X, y, sample_weight=y)
    model = ObjectiveClassifier(BINARY).fit(X, y)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError) as refusal:
        _ = model.predict_proba
    assert "inverse_link, the probability of classes_[1]" in str(refusal.value)
    with pytest.raises(ValueError, match="the class 7, which was not in the training rows"):
        model.objective(X, np.where(y == 0, 7, 1))
    wrong = ObjectiveClassifier(BINARY, inverse_link="eta").fit(X, y)
    with pytest.raises(ValueError, match="it must be a probability"):
        wrong.predict_proba(X)


def test_dependent_columns_and_early_stops_are_said():
    X, y = problem("counts")
    with pytest.warns(RankDeficiencyWarning, match="columns x0, x3"):
        model = ObjectiveRegressor(POISSON).fit(np.column_stack([X, 2 * X[:, 0]]), y)
    full = ObjectiveRegressor(POISSON).fit(X, y)
    assert model.coef_[0] + 2 * model.coef_[3] == pytest.approx(full.coef_[0], rel=1e-8)
    with pytest.warns(ConvergenceWarning, match="stopped after 1 steps with the gradient"):
        ObjectiveRegressor(POISSON, max_iter=1).fit(X, y)


@pytest.mark.parametrize(
    ("category", "loss", "options"),
    [
        (ConvergenceWarning, POISSON, {"max_iter": 1}),
        (NonConvexLossWarning, "log(1 + (y - eta)**2)", {}),
        (NonSmoothLossWarning, "abs(y - eta)", {}),
        (NoMinimumWarning, "softplus(eta) - (y + 1)*eta", {}),
        (RankDeficiencyWarning, "(y - eta)**2", {}),
    ],
)
def test_warnings_point_at_the_call_of_fit(category, loss, options):
    X, y = problem("counts")
    if category is RankDeficiencyWarning:
        X = np.column_stack([X, X[:, 0]])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ObjectiveRegressor(loss, **options).fit(X, y)
    found = [warning for warning in caught if warning.category is category]
    assert [warning.filename for warning in found] == [__file__]


def test_an_objective_that_falls_along_the_intercept_names_no_column():
    X, _ = problem("counts")
    with pytest.warns(NoMinimumWarning, match="keeps decreasing along the intercept"):
        ObjectiveRegressor("exp(-eta)").fit(X, np.arange(len(X)))


@pytest.mark.parametrize("excess", [1e-1, 1e-2, 1e-3, 1e-5, 1e-7])
def test_a_little_negative_curvature_is_told_from_none(excess):
    """``η²/2 + a cos η`` has the second derivative ``1 - a cos η``, least at η = 0: ``1 - a``.

    It is at most 1 + a: the share of the curvature that is negative is half the excess of a over 1.
    """
    X = np.linspace(-4, 4, 81)[:, np.newaxis]
    y = X[:, 0]

    def fit(a):
        ObjectiveRegressor(f"eta**2/2 + {a!r}*cos(eta) - y*eta", fit_intercept=False).fit(X, y)

    with pytest.warns(NonConvexLossWarning, match="the loss is not convex") as caught:
        fit(1 + excess)
    text = str(next(w.message for w in caught if w.category is NonConvexLossWarning))
    curvature = float(text.partition("second derivative is ")[2].partition(" ")[0])
    # It is read at one row or point, and printed to three digits.
    assert -excess * (1 + 1e-2) <= curvature < 0
    for convex in (1.0, 1 - excess):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit(convex)


# -- whether there is a minimum: known from the shape of the loss ----------------------------------

# Decrease without bound, or towards a bound that they do not reach, whatever the rows are.
WITHOUT_MINIMUM = (
    "y*eta - softplus(eta)",  # the wrong sign
    "-softplus((2*y - 1)*eta)",
    "y*eta - exp(eta)",
    "-exp(eta)",
    "-eta**2",
    "-eta**4",
    "-sqrt(1 + (y - eta)**2)",
    "sqrt(1 + eta**2) - 1.5*eta",
    "eta",
    "exp(eta)",
    "tanh(eta)",
    "softplus(eta) - eta",
)
# Without an intercept, columns have both signs, and some rows lose what the others gain. The
# derivatives of -eta**4 are zero where the fit starts.
OF_THE_INTERCEPT = (
    "eta",
    "exp(eta)",
    "tanh(eta)",
    "softplus(eta) - eta",
    "sqrt(1 + eta**2) - 1.5*eta",
    "-eta**4",
)
# Zero in a whole interval, so that small parameters are minimisers of any data of this size.
FLAT = ("relu(eta - 5)**2", "relu(y - eta - 100)**2", "relu(eta - 100)**2 + relu(-100 - eta)**2")
# Strictly convex, and above some multiple of |eta|.
WITH_MINIMUM = (
    "(y - eta)**2",
    "sqrt(1 + (y - eta)**2)",
    "exp(eta) + exp(-eta) - y*eta",
    "eta**4 + eta**2",
)


def rows_of_losses(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 2)) * 10.0 ** rng.integers(-2, 3, 2)
    labels = (X[:, 0] + (seed % 2) * X[:, 0].std() * rng.normal(size=200) > 0).astype(int)
    weights = rng.integers(1, 5, 200).astype(float) if seed % 3 == 0 else None
    return X, labels, weights


def fit_and_warnings(loss, seed, **options):
    X, y, weights = rows_of_losses(seed)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = ObjectiveClassifier(loss, **options).fit(X, y, sample_weight=weights)
    return model, [warning.category for warning in said]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("loss", WITHOUT_MINIMUM)
def test_no_minimum_is_found_where_there_is_none(loss, intercept, seed):
    if not intercept and loss in OF_THE_INTERCEPT:
        return
    model, said = fit_and_warnings(loss, seed, fit_intercept=intercept)
    assert model.status_ == "no minimum"
    assert NoMinimumWarning in said


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("loss", WITH_MINIMUM)
def test_a_minimum_is_found_where_there_is_one(loss, seed):
    model, said = fit_and_warnings(loss, seed)
    assert model.status_ == "converged"
    assert not said
    # Relative to the sum of the terms, of which each is at most |ℓ′| |x| with |ℓ′| < 4.
    X, _, weights = rows_of_losses(seed)
    size = np.abs(np.column_stack([X, np.ones(200)])).T @ (
        np.ones(200) if weights is None else weights
    )
    assert (np.abs(model.gradient_) < 1e-7 * 4 * size).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("loss", FLAT)
def test_a_flat_minimum_is_said(loss, seed):
    model, said = fit_and_warnings(loss, seed)
    assert model.objective_ == 0
    assert said == [FlatObjectiveWarning]


@pytest.mark.parametrize("max_iter", [1, 2, 3])
def test_a_fit_that_was_stopped_early_has_a_minimum(max_iter):
    """Parameters that are still too small decrease the objective when they are multiplied."""
    for loss in WITH_MINIMUM:
        for seed in range(8):
            model, _ = fit_and_warnings(loss, seed, max_iter=max_iter)
            assert model.status_ in ("converged", "not converged")


def test_a_wrong_sign_with_a_small_penalty_has_a_minimum_far_out_only_without_an_intercept():
    """|η| grows linearly and the penalty as its square; the intercept is not penalised."""
    for seed in range(4):
        inside, _ = fit_and_warnings("y*eta - softplus(eta)", seed, alpha=1e-3, fit_intercept=False)
        assert inside.status_ == "converged"
        assert np.abs(inside.gradient_).max() < 1e-6
        without, _ = fit_and_warnings("y*eta - softplus(eta)", seed, alpha=1e-3)
        assert without.status_ == "no minimum"
