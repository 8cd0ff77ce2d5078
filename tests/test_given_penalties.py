"""C and alpha as numbers of groups of columns: against scipy, single penalties, and chosen ones."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import GeneralizedLinearRegressor, LogisticRegression, compare, results
from mcmodels import likelihood_ratio_test as ratio_test
from mcmodels.exceptions import InferenceError
from mcmodels.rows import RowStream

GROUPS = {"a": [0, 3], "b": [1]}
GIVEN = {"a": 0.2, "other": 5.0, "b": 40.0}
OF_COLUMN = np.array([0, 1, 2, 0, 2])  # a, b, other
ALPHAS = np.array([1 / 0.2, 1 / 40.0, 1 / 5.0])[OF_COLUMN]


def rows(K=2, n=150, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal([0.0, 1.0, 0.0, -2.0, 0.0], 1.0, size=(n, 5))
    eta = X @ rng.normal(size=(5, K)) / 2
    return X, np.argmax(eta + rng.gumbel(size=(n, K)), axis=1)


def counts(seed=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 5))
    return X, rng.poisson(np.exp(X @ [0.4, -0.3, 0.2, 0.0, 0.1]) * rng.gamma(2.0, 0.5, 200))


def classes(**options):
    return LogisticRegression(C=GIVEN, penalty_groups=GROUPS, **options)


def family(name, **options):
    given = {group: 1 / C for group, C in GIVEN.items()}
    return GeneralizedLinearRegressor(name, alpha=given, penalty_groups=GROUPS, **options)


def written_out(X, y, K):
    """The objective of logistic regression over raveled parameters, by its definition."""

    def objective(params):
        params = params.reshape(-1, 6)
        eta = X @ params[:, :5].T + params[:, 5]
        if K == 2:
            losses = np.logaddexp(0.0, eta[:, 0]) - y * eta[:, 0]
        else:
            losses = np.logaddexp.reduce(eta, axis=1) - eta[np.arange(len(y)), y]
        return losses.sum() + (ALPHAS * params[:, :5] ** 2).sum() / 2

    return objective


@pytest.mark.parametrize("K", [2, 3])
def test_the_minimum_is_that_of_scipy(K):
    X, y = rows(K)
    model = classes().fit(X, y)
    objective = written_out(X, y, K)
    found = optimize.minimize(objective, np.zeros(6 * (K if K > 2 else 1)), tol=1e-12)
    params = found.x.reshape(-1, 6)
    if K > 2:  # a number that is added to all intercepts changes nothing
        params[:, 5] -= params[:, 5].mean()
    # scipy's BFGS takes differences, and ends where they have no more digits.
    np.testing.assert_allclose(np.atleast_2d(model.params_), params, atol=2e-5)
    assert model.objective_ == pytest.approx(objective(model.params_.ravel()), rel=1e-13)
    assert model.objective_ <= found.fun + 1e-9
    assert model.objective(X, y) == pytest.approx(model.objective_, rel=1e-13)
    assert np.abs(model.gradient(X, y)).max() < 1e-6
    assert model.C_ == GIVEN
    assert list(model.C_) == ["a", "b", "other"]


@pytest.mark.parametrize("name", ["normal", "poisson", "gamma"])
def test_the_minimum_of_families_is_that_of_scipy(name):
    X, y = counts()
    y = y + 1.0 if name == "gamma" else y * 1.0
    model = family(name).fit(X, y)

    def objective(params):
        eta = X @ params[:5] + params[5]
        losses = {
            "normal": (y - eta) ** 2 / 2,
            "poisson": np.exp(eta) - y * eta,
            "gamma": y * np.exp(-eta) + eta,
        }[name]
        return losses.sum() + (ALPHAS * params[:5] ** 2).sum() / 2

    found = optimize.minimize(objective, np.zeros(6), tol=1e-12)
    np.testing.assert_allclose(model.params_, found.x, atol=2e-5)
    assert objective(model.params_) <= found.fun + 1e-9
    assert model.alpha_ == {group: 1 / C for group, C in GIVEN.items()}


@pytest.mark.parametrize("K", [2, 3])
def test_scaled_columns_have_one_penalty(K):
    """``α c²/2`` is ``c′²/2`` of columns that are divided by √α: an independent way to the fit."""
    X, y = rows(K)
    grouped, single = classes().fit(X, y), LogisticRegression(C=1.0).fit(X / np.sqrt(ALPHAS), y)
    np.testing.assert_allclose(grouped.coef_ * np.sqrt(ALPHAS), single.coef_, rtol=1e-7)
    assert grouped.objective_ == pytest.approx(single.objective_, rel=1e-12)
    assert grouped.log_likelihood_ == pytest.approx(single.log_likelihood_, rel=1e-12)
    if K == 2:
        scale = np.append(1 / np.sqrt(ALPHAS), 1.0)
        covariance = single.covariance_ * np.outer(scale, scale)
        np.testing.assert_allclose(grouped.covariance_, covariance, rtol=1e-7)
        robust = single.covariance(X / np.sqrt(ALPHAS), y, kind="HC0") * np.outer(scale, scale)
        np.testing.assert_allclose(grouped.covariance(X, y, kind="HC0"), robust, rtol=1e-6)
        np.testing.assert_allclose(
            grouped.influence(X, y)["leverage"],
            single.influence(X / np.sqrt(ALPHAS), y)["leverage"],
            rtol=1e-6,
        )


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.PenaltyBoundWarning")
@pytest.mark.parametrize("criterion", ["loo", "evidence", "aic"])
@pytest.mark.parametrize("groups", [GROUPS, "each", {}, {"all": range(5)}])
def test_chosen_penalties_can_be_given_again(criterion, groups):
    X, y = rows(n=400)
    chosen = LogisticRegression(C=criterion, penalty_groups=groups).fit(X, y)
    given = clone(chosen).set_params(C=chosen.C_).fit(X, y)
    # The last step of both is below 1e-10 of the parameters, of which the largest are about one.
    np.testing.assert_allclose(given.params_, chosen.params_, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(given.hessian_, chosen.hessian_, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(given.covariance_, chosen.covariance_, rtol=1e-9, atol=1e-12)
    assert given.objective_ == pytest.approx(chosen.objective_, rel=1e-12)
    assert given.C_ == chosen.C_
    with pytest.raises(InferenceError, match="C was given as numbers"):
        _ = given.criterion_
    with pytest.raises(AttributeError, match="criterion_curve is of a penalty that was chosen"):
        given.criterion_curve(X, y)


def test_chosen_penalties_of_families_can_be_given_again():
    X, y = counts()
    chosen = GeneralizedLinearRegressor("poisson", alpha="loo", penalty_groups=GROUPS).fit(X, y)
    given = clone(chosen).set_params(alpha=chosen.alpha_).fit(X, y)
    np.testing.assert_allclose(given.params_, chosen.params_, rtol=1e-10)
    np.testing.assert_allclose(given.covariance_, chosen.covariance_, rtol=1e-9)
    assert given.alpha_ == chosen.alpha_


def test_an_estimated_theta_beside_penalties_of_groups():
    X, y = counts()
    model = family("negative_binomial", theta="estimate").fit(X, y)
    same = family("negative_binomial", theta=model.theta_).fit(X, y)
    # θ is found to 1e-12 of its logarithm, fits to 1e-10 of the weights.
    np.testing.assert_allclose(model.params_, same.params_, rtol=1e-7)
    assert 0 < model.theta_standard_error_ < 10
    likelihoods = [
        family("negative_binomial", theta=model.theta_ * factor).fit(X, y).log_likelihood_
        for factor in (0.8, 1.25)
    ]
    assert max(likelihoods) < model.log_likelihood_


def test_any_storage_and_conjugate_gradients():
    X, y = rows()
    reference = classes().fit(X, y)
    blocks = [(X[k : k + 50], y[k : k + 50]) for k in range(0, 150, 50)]
    others = [
        classes().fit(sparse.csr_array(X), y),
        classes().fit(RowStream(lambda: iter(blocks))),
        classes(solver="newton-cg").fit(X, y),
    ]
    for other in others:
        np.testing.assert_allclose(other.params_, reference.params_, rtol=1e-6, atol=1e-8)


def test_more_columns_than_rows():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 80))
    y = (X[:, 0] + rng.normal(size=30) > 0).astype(int)
    groups = {"a": range(40), "b": range(40, 80)}
    model = LogisticRegression(C={"a": 1.0, "b": 0.1}, penalty_groups=groups).fit(X, y)
    alphas = np.repeat([1.0, 10.0], 40)
    eta = X @ model.coef_[0] + model.intercept_
    slope = X.T @ (1 / (1 + np.exp(-eta)) - y) + alphas * model.coef_[0]
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)


def test_tables_name_columns_and_pipelines_take_them():
    X, y = rows()
    frame = pd.DataFrame(X, columns=list("pqrst"))
    named = LogisticRegression(C=GIVEN, penalty_groups={"a": ["p", "s"], "b": ["q"]})
    fitted = clone(named).fit(frame, y)
    np.testing.assert_allclose(fitted.params_, classes().fit(X, y).params_, rtol=1e-12)
    each = {name: 1 / alpha for name, alpha in zip("pqrst", ALPHAS, strict=True)}
    by_column = LogisticRegression(C=each, penalty_groups="each").fit(frame, y)
    np.testing.assert_allclose(by_column.params_, fitted.params_, rtol=1e-9)
    assert by_column.C_ == pytest.approx(each)
    text = " ".join(str(fitted.summary()).split())
    assert "C by group: a 0.2, b 40, other 5" in text
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), named).fit(frame, y)
    assert "C by group: a 0.2" in " ".join(str(results(pipeline).summary()).split())
    assert len(results(pipeline).marginal_effects(frame)) == 5
    assert len(compare(fitted, fitted).to_frame())
    again = pickle.loads(pickle.dumps(fitted))
    assert again.C_ == fitted.C_


def test_tests_of_the_likelihood_say_that_the_fit_is_penalised():
    X, y = rows()
    big, small = classes().fit(X, y), LogisticRegression(C=np.inf).fit(X[:, :2], y)
    with pytest.raises(ValueError, match=r"big was fitted with a penalty .C by group"):
        ratio_test(small, big)
    with pytest.raises(InferenceError, match="penalised"):
        results(big).likelihood_ratio_tests(X, y)


def test_searches_over_dicts():
    X, y = rows()
    grid = [GIVEN, {"a": 1.0, "b": 1.0, "other": 1.0}, {"a": 1e-3, "b": 1e-3, "other": 1e-3}]
    search = GridSearchCV(classes(), {"C": grid}, scoring="neg_log_loss", cv=3).fit(X, y)
    scores = [
        cross_val_score(clone(classes()).set_params(C=C), X, y, scoring="neg_log_loss", cv=3)
        for C in grid
    ]
    expected = [score.mean() for score in scores]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected, rtol=1e-9)
    assert search.best_params_["C"] == grid[int(np.argmax(expected))]


def test_derivatives_without_a_fit():
    X, y = rows()
    fitted, assigned = classes().fit(X, y), classes()
    assigned.coef_, assigned.intercept_ = fitted.coef_, fitted.intercept_
    assigned.classes_ = fitted.classes_
    assert assigned.objective(X, y) == pytest.approx(fitted.objective_, rel=1e-12)
    np.testing.assert_allclose(assigned.hessian(X, y), fitted.hessian_, rtol=1e-9, atol=1e-9)
    # As a single number, a dict that was set after the fit is that of derivatives from then on.
    fitted.set_params(C={"a": 1.0, "b": 1.0, "other": 1.0})
    plain = written_out(X, y, 2)(fitted.params_) - (ALPHAS * fitted.coef_[0] ** 2).sum() / 2
    expected = plain + (fitted.coef_**2).sum() / 2
    assert fitted.objective(X, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"C": GIVEN}, "penalty_groups, which says what the groups are, is missing"),
        ({"C": {}, "penalty_groups": GROUPS}, "no number for 'a', 'b', 'other'; each"),
        ({"C": {"a": 1.0, "b": 2.0}, "penalty_groups": GROUPS}, "no number for 'other'.*no other"),
        ({"C": GIVEN | {"c": 1.0}, "penalty_groups": GROUPS}, "'c', which is no group.*'a', 'b'"),
        ({"C": GIVEN | {0: 1.0}, "penalty_groups": GROUPS}, "0, which is no group"),
        ({"C": GIVEN | {"a": -1.0}, "penalty_groups": GROUPS}, r"C\['a'\]=-1.0 must be greater"),
        ({"C": GIVEN | {"a": 0.0}, "penalty_groups": GROUPS}, r"C\['a'\]=0.0 must be greater"),
        ({"C": GIVEN | {"a": "x"}, "penalty_groups": GROUPS}, r"C\['a'\]='x' must be a number"),
        ({"C": GIVEN | {"a": np.nan}, "penalty_groups": GROUPS}, r"C\['a'\]=nan must be a num"),
        ({"C": GIVEN | {"a": np.inf}, "penalty_groups": GROUPS}, "leaves a group without.*C=inf"),
        ({"C": GIVEN | {"a": 1e-320}, "penalty_groups": GROUPS}, "1/C overflows"),
        ({"C": 1.0, "penalty_groups": GROUPS}, "Give C a dict"),
        ({"C": [1.0, 2.0], "penalty_groups": GROUPS}, "Give C a dict"),
    ],
)
def test_what_is_no_penalty_of_groups_is_refused(parameters, message):
    X, y = rows()
    model = LogisticRegression(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "coef_")


def test_what_is_refused_by_families():
    X, y = counts()
    with pytest.raises(ValueError, match=r"alpha\['a'\]=0.*leaves a group without.*alpha=0 "):
        family("poisson").set_params(alpha={"a": 0, "b": 1, "other": 1}).fit(X, y)
    with pytest.raises(ValueError, match=r"alpha\['a'\]=inf is not finite"):
        family("poisson").set_params(alpha={"a": np.inf, "b": 1, "other": 1}).fit(X, y)
    with pytest.raises(ValueError, match=r"alpha\['b'\]=-1 must be at least 0"):
        family("poisson").set_params(alpha={"a": 1, "b": -1, "other": 1}).fit(X, y)
    with pytest.raises(ValueError, match="these are two priors"):
        family("poisson", prior="jeffreys").fit(X, y)
    with pytest.raises(NotFittedError):
        _ = family("poisson").alpha_
