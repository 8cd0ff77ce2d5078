"""C and alpha chosen by a criterion: against brute force, closed forms, and the laws of fits."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import GridSearchCV, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mcmodels
from mcmodels import FirthLogisticRegression, GeneralizedLinearRegressor, LogisticRegression
from mcmodels.exceptions import ConvergenceWarning, InferenceError, PenaltyBoundWarning
from mcmodels.rows import RowStream

CRITERIA = ("loo", "evidence", "aic")


def classes(n=300, p=8, K=2, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = scale * X @ rng.standard_normal((p, K)) / np.sqrt(p)
    return X, np.argmax(eta + rng.gumbel(size=(n, K)), axis=1)


def targets(family, n=250, p=6, seed=1):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = X @ rng.standard_normal(p) / 3
    if family == "normal":
        return X, eta + rng.standard_normal(n)
    if family == "gamma":
        return X, np.exp(eta) * rng.gamma(2.0, 0.5, n)
    if family == "binomial":
        return X, (rng.standard_normal(n) < eta).astype(float)
    return X, rng.poisson(np.exp(eta)).astype(float)


def brute_force(model, X, y, parameter):
    """The least criterion over a grid of refits, each from its own fit at a given penalty."""
    values = np.logspace(-5, 5, 101) * getattr(model, parameter)
    return np.nanmin(model.criterion_curve(X, y, values=values)["criterion"])


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("K", [2, 3])
def test_the_criterion_at_the_chosen_C_is_the_least(criterion, K):
    X, y = classes(K=K)
    model = LogisticRegression(C=criterion).fit(X, y)
    assert model.criterion_ <= brute_force(model, X, y, "C_") + 1e-4
    # The search ends where the model promises less than 3e-5 nats: with a curvature of up to Kp/2
    # that leaves slopes of up to 0.03.
    assert abs(model.criterion_gradient_) < 3e-2
    assert model.criterion_path_["criterion"].min() == pytest.approx(model.criterion_, abs=1e-6)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("normal", {}),
        ("poisson", {}),
        ("gamma", {}),
        ("negative_binomial", {"theta": 0.5}),
        ("binomial", {"link": "probit"}),
    ],
)
def test_the_criterion_at_the_chosen_alpha_is_the_least(family, options, criterion):
    X, y = targets(family)
    model = GeneralizedLinearRegressor(family, alpha=criterion, **options).fit(X, y)
    assert model.criterion_ <= brute_force(model, X, y, "alpha_") + 1e-4
    assert abs(model.criterion_gradient_) < 1e-2


@pytest.mark.parametrize("data", [load_breast_cancer, load_iris])
def test_real_data_within_half_a_nat_of_brute_force(data):
    X, y = data(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    model = LogisticRegression(C="loo").fit(X, y)
    assert model.criterion_ <= brute_force(model, X, y, "C_") + 1e-3


def test_more_columns_than_rows():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 200))
    y = (X[:, :3].sum(axis=1) + rng.standard_normal(60) > 0).astype(int)
    model = LogisticRegression(C="loo").fit(X, y)
    assert model.criterion_ <= brute_force(model, X, y, "C_") + 1e-3


def test_loo_of_least_squares_is_that_of_RidgeCV():
    X, y = targets("normal")
    model = GeneralizedLinearRegressor(alpha="loo").fit(X, y)
    grid = np.exp(np.log(model.alpha_) + np.linspace(-0.2, 0.2, 81))
    theirs = RidgeCV(grid, scoring="neg_mean_squared_error").fit(X, y)
    # Ours ends where the derivative is below 0.01 nats, which is within 2 % of the minimum here.
    assert abs(model.criterion_gradient_) < 1e-2
    assert model.alpha_ == pytest.approx(theirs.alpha_, rel=0.02)
    assert model.criterion_ == pytest.approx(-theirs.best_score_ * len(y) / 2, rel=1e-6)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-3)


@pytest.mark.slow
def test_test_loss_is_that_of_cross_validation():
    """On ten random data sets, the loss on new rows is not worse than that of LogisticRegressionCV.

    Its mean difference, over its standard error, is what is bounded.
    """
    differences = []
    for seed in range(10):
        X, y = classes(n=600, p=12, seed=seed, scale=(0.3, 1.0, 3.0)[seed % 3])
        X, X_new, y, y_new = train_test_split(X, y, test_size=0.5, random_state=seed)
        ours = LogisticRegression(C="loo").fit(X, y)
        theirs = LogisticRegressionCV(
            Cs=10, cv=5, scoring="neg_log_loss", l1_ratios=(0,), use_legacy_attributes=False
        ).fit(X, y)
        losses = [
            -np.log(model.predict_proba(X_new)[np.arange(len(y_new)), y_new]).mean()
            for model in (ours, theirs)
        ]
        differences.append(losses[0] - losses[1])
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    assert np.mean(differences) < 2 * error + 1e-3


def test_a_fit_with_the_chosen_number_is_the_same_fit():
    X, y = classes()
    chosen = LogisticRegression(C="loo").fit(X, y)
    given = LogisticRegression(C=chosen.C_).fit(X, y)
    np.testing.assert_allclose(chosen.params_, given.params_, rtol=1e-7)
    np.testing.assert_allclose(chosen.covariance_, given.covariance_, rtol=1e-6)
    np.testing.assert_allclose(chosen.hessian_, given.hessian_, rtol=1e-7)
    assert chosen.objective_ == pytest.approx(given.objective_, rel=1e-12)
    assert chosen.objective(X, y) == pytest.approx(chosen.objective_, rel=1e-12)
    np.testing.assert_allclose(chosen.gradient(X, y), chosen.gradient_, atol=1e-8)
    assert given.C_ == chosen.C_
    assert LogisticRegression(C=49).fit(X, y).C_ == 49.0
    assert GeneralizedLinearRegressor(alpha=0.3).fit(X, y).alpha_ == 0.3


@pytest.mark.parametrize("criterion", CRITERIA)
def test_groups_have_penalties_of_their_own(criterion):
    X, y = classes(n=400)
    X = pd.DataFrame(X, columns=list("abcdefgh"))
    groups = {"first": ["a", "b"], "second": [2, "d", -1]}
    model = LogisticRegression(C=criterion, penalty_groups=groups).fit(X, y)
    assert list(model.C_) == ["first", "second", "other"]
    assert max(map(abs, model.criterion_gradient_.values())) < 1e-2
    of_column = np.array([0, 0, 1, 1, 2, 2, 2, 1])
    alphas = 1 / np.array(list(model.C_.values()))[of_column]
    # The gradient, Hessian and objective are those of the penalties.
    eta = X @ model.coef_[0] + model.intercept_[0]
    probability = 1 / (1 + np.exp(-eta))
    gradient = X.to_numpy().T @ (probability - y) + alphas * model.coef_[0]
    np.testing.assert_allclose(gradient, 0.0, atol=1e-5)
    losses = np.logaddexp(0.0, eta) - y * eta
    objective = losses.sum() + (alphas * model.coef_[0] ** 2).sum() / 2
    assert model.objective_ == pytest.approx(objective, rel=1e-12)
    assert model.log_likelihood_ == pytest.approx(-losses.sum(), rel=1e-12)
    D = probability * (1 - probability)
    hessian = (X.T * D.to_numpy()) @ X.to_numpy() + np.diag(alphas)
    np.testing.assert_allclose(model.hessian_[:8, :8], hessian, rtol=1e-9, atol=1e-9)
    # No single penalty is better, and varying one at a time gains nothing.
    single = LogisticRegression(C=criterion).fit(X, y)
    assert model.criterion_ <= single.criterion_ + 1e-3
    for group in model.C_:
        values = model.C_[group] * np.array([0.5, 0.9, 1.1, 2.0])
        curve = model.criterion_curve(X, y, group=group, values=values)
        assert (curve["criterion"] > model.criterion_ - 1e-4).all()


def test_scaled_columns_have_scaled_penalties():
    """Columns times c have coefficients by c: groups of scaled columns have alpha times c²."""
    X, y = classes(n=400, p=6)
    groups = {"a": [0, 1, 2], "b": [3, 4, 5]}
    plain = LogisticRegression(C="evidence", penalty_groups=groups).fit(X, y)
    scaled = LogisticRegression(C="evidence", penalty_groups=groups).fit(X * [1, 1, 1, 7, 7, 7], y)
    assert scaled.C_["b"] == pytest.approx(plain.C_["b"] / 49, rel=0.02)
    assert scaled.C_["a"] == pytest.approx(plain.C_["a"], rel=0.02)
    # Where a criterion is flat, penalties are found to a per cent or so, and it to 1e-5.
    assert scaled.criterion_ == pytest.approx(plain.criterion_, abs=1e-4)


def test_automatic_relevance_determination_drops_noise():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((500, 12))
    y = (2 * X[:, 0] - 1.5 * X[:, 1] + rng.logistic(size=500) > 0).astype(int)
    with pytest.warns(PenaltyBoundWarning, match=r"C='evidence' of 'x.*nearly zero"):
        model = LogisticRegression(C="evidence", penalty_groups="each").fit(X, y)
    assert list(model.C_) == [f"x{j}" for j in range(12)]
    assert np.abs(model.coef_[0, :2]).min() > 1.0
    assert (np.abs(model.coef_[0, 2:]) < 1e-3).sum() >= 5
    assert "C by group: x0" in str(model.summary())


def test_noise_alone_ends_at_the_bound_of_an_infinite_penalty():
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((200, 5)), rng.integers(0, 2, 200)
    with pytest.warns(PenaltyBoundWarning, match="C='evidence' ended at the bound C=.*left out"):
        model = LogisticRegression(C="evidence").fit(X, y)
    assert np.abs(model.coef_).max() < 1e-3


def test_a_criterion_that_is_a_str_of_numpy_is_shown_as_text():
    x = np.tile([-1.0, 1.0], 20)
    X, y = x[:, np.newaxis], np.repeat([0, 1], 20)  # the column says nothing of the classes
    with pytest.warns(PenaltyBoundWarning, match=r"^C='aic' ended at the bound"):
        LogisticRegression(C=np.str_("aic")).fit(X, y)
    with pytest.raises(ValueError, match=r"^C='aic' needs"):
        LogisticRegression(C=np.str_("aic"), solver="newton-cg").fit(X, y)


def test_separated_classes_end_at_the_bound_of_no_penalty():
    # Far apart, so that no row is wrong without itself.
    X = np.repeat([-1.0, 1.0], 20)[:, np.newaxis] + np.tile(np.linspace(-0.1, 0.1, 20), 2)[:, None]
    with pytest.warns(PenaltyBoundWarning, match=r"fit without one \(C=np.inf\)"):
        model = LogisticRegression(C="loo").fit(X, X[:, 0] > 0)
    assert model.C_ > 1e4
    assert np.isfinite(model.params_).all()


@pytest.mark.parametrize("storage", ["sparse", "stream", "float32"])
def test_any_storage_has_the_same_penalty(storage):
    X, y = classes(n=400)
    reference = LogisticRegression(C="loo").fit(X, y)
    if storage == "sparse":
        other = LogisticRegression(C="loo").fit(sparse.csr_array(X), y)
    elif storage == "float32":
        other = LogisticRegression(C="loo").fit(X.astype(np.float32), y)
    else:
        blocks = [(X[k : k + 100], y[k : k + 100]) for k in range(0, 400, 100)]
        other = LogisticRegression(C="loo").fit(RowStream(lambda: iter(blocks)))
    # Float32 columns differ by 6e-8; the criterion is flat at its minimum.
    assert other.criterion_ == pytest.approx(reference.criterion_, rel=1e-6)
    assert other.C_ == pytest.approx(reference.C_, rel=1e-2)


def test_weights_count_rows_where_a_criterion_does():
    X, y = classes(n=200)
    weights = np.ones(200)
    weights[:20] = 0.0
    absent = LogisticRegression(C="loo").fit(X[20:], y[20:])
    zero = LogisticRegression(C="loo").fit(X, y, weights)
    assert zero.criterion_ == pytest.approx(absent.criterion_, rel=1e-8)
    twice = LogisticRegression(C="evidence").fit(X, y, np.full(200, 2.0))
    repeated = LogisticRegression(C="evidence").fit(np.tile(X, (2, 1)), np.tile(y, 2))
    assert twice.criterion_ == pytest.approx(repeated.criterion_, rel=1e-8)


def test_class_weights_and_offsets_are_in_the_criterion():
    X, y = classes(n=300)
    model = LogisticRegression(C="loo", class_weight={0: 2.0, 1: 1.0}).fit(X, y)
    weighted = LogisticRegression(C="loo").fit(X, y, np.where(y == 0, 2.0, 1.0))
    assert model.criterion_ == pytest.approx(weighted.criterion_, rel=1e-8)
    X, y = targets("poisson")
    offset = np.linspace(-1, 1, len(y))
    model = GeneralizedLinearRegressor("poisson", alpha="loo").fit(X, y, offset=offset)
    exposed = GeneralizedLinearRegressor("poisson", alpha="loo")
    exposed.fit(X, y, exposure=np.exp(offset))
    assert model.criterion_ == pytest.approx(exposed.criterion_, rel=1e-8)
    curve = model.criterion_curve(X, y, values=[model.alpha_], offset=offset)
    assert curve["criterion"][0] == pytest.approx(model.criterion_, rel=1e-8)


def test_a_given_dispersion_is_that_of_the_evidence():
    X, y = targets("normal")
    free = GeneralizedLinearRegressor(alpha="evidence").fit(X, y)
    # The dispersion of largest evidence: 2f/(n - 1), f the least objective in deviances.
    phi = (free.deviance_ + free.alpha_ * (free.coef_**2).sum()) / (len(y) - 1)
    given = GeneralizedLinearRegressor(alpha="evidence", dispersion=phi).fit(X, y)
    assert given.alpha_ == pytest.approx(free.alpha_, rel=1e-2)


def test_beside_scikit_learn():
    X, y = classes(n=200)
    model = LogisticRegression(C="loo")
    assert clone(model).get_params()["C"] == "loo"
    assert cross_validate(model, X, y, cv=3)["test_score"].mean() > 0.6
    search = GridSearchCV(model, {"fit_intercept": [True, False]}, cv=3).fit(X, y)
    assert search.best_estimator_.C_ > 0
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C="evidence")).fit(X, y)
    assert pipeline[-1].criterion_ > 0
    fitted = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.C_ == fitted.C_
    pd.testing.assert_frame_equal(again.criterion_path_, fitted.criterion_path_)


def test_what_is_said_of_a_chosen_penalty():
    X, y = classes()
    model = LogisticRegression(C="loo").fit(X, y)
    text = " ".join(str(model.summary()).split())
    assert "C was chosen by approximate leave-one-out: errors are those for this C" in text
    X, y = targets("normal")
    text = " ".join(str(GeneralizedLinearRegressor(alpha="aic").fit(X, y).summary()).split())
    assert "alpha was chosen by AIC with effective degrees of freedom" in text
    assert "was chosen" not in str(GeneralizedLinearRegressor(alpha=1.0).fit(X, y).summary())


def test_the_path_and_the_curve():
    X, y = classes()
    model = LogisticRegression(C="evidence").fit(X, y)
    path = model.criterion_path_
    assert list(path) == ["C", "criterion", "edf"]
    assert (path["edf"].diff()[path["C"].diff() > 0] > 0).all()
    curve = model.criterion_curve(X, y)
    assert len(curve) == 25
    assert curve["C"].is_monotonic_increasing
    assert curve["edf"].is_monotonic_increasing
    assert curve["criterion"].min() >= model.criterion_ - 1e-6
    with pytest.raises(ValueError, match="not the rows"):
        model.criterion_curve(X + 1.0, y)
    with pytest.raises(ValueError, match=r"values=.* must be a list of positive numbers"):
        model.criterion_curve(X, y, values=[-1.0])
    with pytest.raises(ValueError, match="values is empty"):
        model.criterion_curve(X, y, values=[])
    with pytest.raises(ValueError, match="one penalty for all columns"):
        model.criterion_curve(X, y, group="a")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"C": "cv"}, "must be a number, or the name of a criterion"),
        ({"C": 1.0, "penalty_groups": "each"}, "one number for all"),
        ({"C": [1.0, 2.0], "penalty_groups": "each"}, r"C=\[1.0, 2.0\], which is no dict"),
        ({"C": "loo", "penalty_groups": "all"}, "penalty_groups='all' is not known"),
        ({"C": "loo", "penalty_groups": [0, 1]}, "must be a dict"),
        ({"C": "loo", "penalty_groups": {}}, None),
        ({"C": "loo", "penalty_groups": {"a": []}}, r"penalty_groups\['a'\] has no columns"),
        ({"C": "loo", "penalty_groups": {"a": ["z"]}}, "'z', which is no column of X"),
        ({"C": "loo", "penalty_groups": {"a": [99]}}, "position 99, and X has 8"),
        ({"C": "loo", "penalty_groups": {"a": [0], "b": [1, 0]}}, "in the groups 'a' and 'b'"),
        ({"C": "loo", "penalty_groups": {"other": [0]}}, "named 'other'"),
        ({"C": "loo", "penalty_groups": {"a": [0.5]}}, "names or positions"),
        ({"C": "loo", "penalty_groups": {1: [0]}}, "names are text"),
        ({"C": "loo", "solver": "newton-cg"}, "solver='newton-cg' does not form"),
        ({"C": "aic", "weights": "probability"}, "C='aic' needs a likelihood.*Take C='loo'"),
    ],
)
def test_what_cannot_be_is_refused(parameters, message):
    X, y = classes()
    model = LogisticRegression(**parameters)
    if message is None:  # no group is named: all columns are one, "other"
        assert list(model.fit(X, y).C_) == ["other"]
        return
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("columns", [slice(0, 2), None, 1.5, np.array(2)])
def test_groups_that_are_no_lists_are_refused(columns):
    X, y = classes(p=3)
    with pytest.raises(ValueError, match=r"penalty_groups\['x'\].*must be a list of names or pos"):
        LogisticRegression(C="loo", penalty_groups={"x": columns}).fit(X, y)


def test_what_cannot_be_is_refused_by_families():
    X, y = targets("poisson")
    with pytest.raises(ValueError, match="theta='estimate'"):
        GeneralizedLinearRegressor("negative_binomial", theta="estimate", alpha="loo").fit(X, y)
    with pytest.raises(ValueError, match="these are two priors"):
        GeneralizedLinearRegressor("poisson", alpha="loo", prior="jeffreys").fit(X, y)
    with pytest.raises(ValueError, match="alpha='best' must be a number"):
        GeneralizedLinearRegressor("poisson", alpha="best").fit(X, y)


def test_attributes_of_a_criterion_are_those_of_a_chosen_penalty():
    X, y = classes()
    model = LogisticRegression().fit(X, y)
    for name in ("criterion_", "criterion_gradient_", "criterion_path_", "effective_freedom_"):
        with pytest.raises(InferenceError, match="C was given as a number"):
            getattr(model, name)
    with pytest.raises(AttributeError, match="criterion_curve is of a penalty that was chosen"):
        model.criterion_curve(X, y)
    assert not hasattr(FirthLogisticRegression(), "criterion_curve")
    with pytest.raises((InferenceError, NotFittedError)):
        LogisticRegression(C="loo").objective(X, y, params=np.zeros(9))


def test_likelihood_tests_refuse_a_chosen_penalty():
    X, y = classes()
    model = LogisticRegression(C="evidence", penalty_groups={"a": [0]}).fit(X, y)
    with pytest.raises(InferenceError, match="penalised"):
        _ = model.likelihood_ratio_test_
    assert (model.standard_errors_ > 0).all()
    assert np.isfinite(model.covariance(X, y)).all()


def test_a_search_that_does_not_end_warns(monkeypatch):
    monkeypatch.setattr(mcmodels.reweighting.penalty_search, "_ROUNDS", 1)
    monkeypatch.setattr(mcmodels.reweighting.penalty_search, "_MOST_DIPS", 0)
    X, y, weights = wide_classes(27)
    with pytest.warns(ConvergenceWarning, match="the search for C stopped after.*criterion_curve"):
        LogisticRegression(C="aic").fit(X, y, sample_weight=weights)
    for name in ("_ROUNDS_OF_SEVERAL", "_MOST_FITS"):
        monkeypatch.setattr(mcmodels.reweighting.penalty_search, name, 1)
    X, y = classes()
    with pytest.warns(ConvergenceWarning, match="the search for C stopped after.*fewer groups"):
        LogisticRegression(C="loo", penalty_groups="each").fit(X, y)


def wide_classes(seed):
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(60, 90)), rng.integers(1, 5, size=60) * 1.0
    return X, (X[:, 0] + rng.logistic(size=60) > 0) * 1, weights


@pytest.mark.parametrize("seed", [27, 37, 80, 127])
def test_a_coarse_path_with_weights_ends_where_the_derivative_is_zero(seed):
    X, y, weights = wide_classes(seed)
    model = LogisticRegression(C="aic").fit(X, y, sample_weight=weights)
    curve = model.criterion_curve(X, y, weights, values=model.C_ * np.exp(np.linspace(-3, 3, 13)))
    assert model.criterion_ <= curve["criterion"].min() + 1e-6
    assert abs(model.criterion_gradient_) <= 1e-2


def test_a_pole_of_leave_one_out_is_passed_over():
    rng = np.random.default_rng(17)
    X = rng.standard_t(2, size=(40, 4))
    y = rng.wald(np.exp(np.clip(X[:, 0], -3, 3)), 2.0)
    model = GeneralizedLinearRegressor("inverse_gaussian", alpha="loo").fit(X, y)
    assert model.alpha_ == pytest.approx(376, rel=0.01)
    assert model.criterion_ == pytest.approx(42.331, abs=1e-3)
    assert abs(model.criterion_gradient_) < 1e-2
    assert not np.isfinite(model.criterion_path_["criterion"]).all()


def test_a_minimum_between_a_pole_and_a_point_that_was_tried_is_found():
    rng = np.random.default_rng(109)
    X = rng.standard_t(2, size=(40, 4))
    y = rng.wald(np.exp(np.clip(X[:, 0], -3, 3)), 2.0)
    model = GeneralizedLinearRegressor("inverse_gaussian", alpha="loo").fit(X, y)
    curve = model.criterion_curve(X, y, values=np.logspace(-3, 6, 91))
    # Without coefficients the criterion is 104, next to a pole it has no bound, and between: 52.
    assert model.criterion_ <= curve["criterion"].min() + 1e-6
    assert len(model.criterion_path_) <= 25


@pytest.mark.parametrize(("n", "p"), [(500, 20), (1_000, 10), (2_000, 20)])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_few_fits_are_enough_where_there_are_many_rows(criterion, n, p):
    for seed in range(5):
        X, y = classes(n=n, p=p, seed=seed)
        model = LogisticRegression(C=criterion).fit(X, y)
        assert len(model.criterion_path_) <= 5
        assert abs(model.criterion_gradient_) <= 1e-2


def test_an_intercept_far_from_zero_and_units_change_nothing():
    X, y = classes(n=400)
    near = LogisticRegression(C="loo").fit(X, y)
    far = LogisticRegression(C="loo").fit(X + 1e4, y)
    assert far.criterion_ == pytest.approx(near.criterion_, rel=1e-7)
    assert far.C_ == pytest.approx(near.C_, rel=1e-2)
    small = LogisticRegression(C="loo").fit(X * 1e-3, y)
    assert small.C_ == pytest.approx(near.C_ * 1e6, rel=1e-2)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("unit", [1e-100, 1e100])
def test_columns_in_any_unit(unit):
    X, y = classes(p=3)
    reference = LogisticRegression(C="loo").fit(X, y)
    model = LogisticRegression(C="loo").fit(X * unit, y)
    assert model.C_ * unit**2 == pytest.approx(reference.C_, rel=1e-2)
    np.testing.assert_allclose(model.coef_ * unit, reference.coef_, rtol=1e-2)


@pytest.mark.parametrize("criterion", ["evidence", "aic"])
def test_without_residuals_an_estimated_dispersion_has_no_criterion(criterion):
    X, _ = targets("normal")
    with pytest.raises(ValueError, match=f"alpha='{criterion}': at no penalty.*no residuals"):
        GeneralizedLinearRegressor(alpha=criterion).fit(X, np.ones(len(X)))


@pytest.mark.parametrize("p", [5, 19, 30])
def test_aic_without_a_lower_bound_is_refused(p):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, p))
    y = X @ np.ones(p) if p == 5 else rng.normal(size=20)
    with pytest.raises(ValueError, match=r"alpha='aic' has no lower bound.*alpha='loo'"):
        GeneralizedLinearRegressor(alpha="aic").fit(X, y)
    y = X[:, 0] + rng.normal(size=20)
    model = GeneralizedLinearRegressor(alpha="aic", dispersion=1.0).fit(X, y)
    assert abs(model.criterion_gradient_) < 1e-2


def test_aic_without_a_lower_bound_is_refused_where_the_weakest_fits_fail():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 30))
    y = rng.gamma(2, np.exp(X[:, 0] / 2) / 2)
    with pytest.raises(ValueError, match="alpha='aic' has no lower bound"):
        GeneralizedLinearRegressor("tweedie", alpha="aic").fit(X, y)


def test_a_curve_is_nan_where_rounding_errors_alone_are_left():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(24, 33))
    y = rng.normal(size=24) + X[:, 0]
    model = GeneralizedLinearRegressor(alpha="loo").fit(X, y)
    values = np.array([1e-12, 1e-11, 1e-10, 1e-9, 1e-2, 10.0])
    with pytest.warns(ConvergenceWarning, match=r"NaN at 4 of 6 values of alpha.*rounding"):
        curve = model.criterion_curve(X, y, values=values)
    design = np.column_stack([X, np.ones(24)])
    for alpha, found in zip(values[4:], curve["criterion"][4:], strict=True):
        H = design.T @ design + np.diag(np.r_[np.full(33, alpha), 0.0])
        hat = design @ np.linalg.solve(H, design.T)
        left_out = (y - hat @ y) / (1.0 - np.diagonal(hat))
        assert found == pytest.approx(left_out @ left_out / 2, rel=1e-8)


def test_constant_and_repeated_columns_have_penalties():
    X, y = classes(p=3)
    wide = np.column_stack([X, X[:, 0], np.ones(len(X))])
    groups = {"first": [0, 3], "constant": [4]}
    model = LogisticRegression(C="evidence", penalty_groups=groups).fit(wide, y)
    assert np.isfinite(model.standard_errors_).all()
    assert model.coef_[0, 0] == pytest.approx(model.coef_[0, 3], rel=1e-6)
    assert abs(model.coef_[0, 4]) < 1e-6


def test_tables_and_callbacks():
    pytest.importorskip("sklearn.callback")
    from sklearn.callback import ProgressBar

    X, y = classes(n=200)
    frame = pd.DataFrame(X, columns=list("abcdefgh")).assign(y=y)
    rows = mcmodels.scan(frame, target="y", features=list("abcdefgh"))
    scanned = LogisticRegression(C="loo", penalty_groups={"k": ["a", "b"]})
    scanned.set_callbacks(ProgressBar()).fit(rows)
    plain = LogisticRegression(C="loo", penalty_groups={"k": [0, 1]}).fit(X, y)
    assert scanned.criterion_ == pytest.approx(plain.criterion_, rel=1e-6)


def test_more_parameters_than_a_hessian_has_room_for(monkeypatch):
    monkeypatch.setattr(mcmodels.solvers.room, "LARGEST_SIDE", 5)
    X, y = classes(n=100, p=8)
    with pytest.raises(ValueError, match="C='loo' needs the Hessian, which is not formed"):
        LogisticRegression(C="loo").fit(X, y)
