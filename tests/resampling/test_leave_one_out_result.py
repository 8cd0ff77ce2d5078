"""What `leave_one_out` returns: table, sums, errors, differences, scorers; and what it refuses."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import xlogy
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import PoissonRegressor, Ridge
from sklearn.metrics import d2_pinball_score, d2_tweedie_score, mean_poisson_deviance
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, LeaveOneOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
    QuantileRegressor,
    leave_one_out,
)
from mcmodels.exceptions import ConvergenceWarning, InferenceError, NoMeanWarning
from tests.resampling.brute_force import log_scores_by_refits

N = 40


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(2)
    X, noise = rng.normal(size=(N, 3)), rng.logistic(size=N)
    eta = X @ [1.0, -0.5, 0.2]
    return {
        "X": X,
        "number": eta + noise,
        "two": np.where(eta + noise > 0, "yes", "no"),
        "count": rng.poisson(np.exp(eta / 2)),
        "w": rng.integers(1, 4, N).astype(float),
        "g": np.repeat(np.arange(N // 4), 4),
    }


def logistic(data, *columns, **options):
    X = data["X"][:, list(columns)] if columns else data["X"]
    return leave_one_out(
        LogisticRegression(tol=1e-11).fit(X, data["two"]), X, data["two"], **options
    )


def test_the_table(data):
    names = [f"row {k}" for k in range(N)]
    frame = pd.DataFrame(data["X"], columns=["a", "b", "c"], index=names)
    model = LogisticRegression().fit(frame, data["two"])
    table = leave_one_out(model, frame, data["two"]).to_frame()
    assert list(table.index) == names
    assert list(table) == ["probability_no", "probability_yes", "log_score", "loss", "exact"]
    own = np.where(data["two"] == "yes", table["probability_yes"], table["probability_no"])
    assert table["log_score"].to_numpy() == pytest.approx(np.log(own), rel=1e-12)
    assert table["loss"].to_numpy() == pytest.approx(-2 * np.log(own), rel=1e-12)
    both = np.column_stack([data["number"], data["X"][:, 0] ** 2])
    table = leave_one_out(LinearRegression().fit(data["X"], both), data["X"], both).to_frame()
    assert list(table)[:2] == ["prediction_0", "prediction_1"]
    squares = (both - table[["prediction_0", "prediction_1"]]) ** 2
    assert table["loss"].to_numpy() == pytest.approx(squares.sum(axis=1))


def test_sums_and_standard_errors(data):
    X, y, w = data["X"], data["number"], data["w"]
    plain = leave_one_out(LinearRegression().fit(X, y), X, y)
    assert plain.log_score_ == pytest.approx(plain.log_scores.sum())
    deviation = plain.log_scores.std(ddof=1)
    assert plain.standard_error_ == pytest.approx(np.sqrt(N) * deviation)
    assert plain.loss_ == pytest.approx(plain.losses.mean())
    # Weights that count rows: those of the rows, each as often as it was there.
    counted = leave_one_out(LinearRegression().fit(X, y, w), X, y, w)
    scores = np.repeat(counted.log_scores, w.astype(int))
    assert counted.log_score_ == pytest.approx(scores.sum())
    assert counted.standard_error_ == pytest.approx(np.sqrt(len(scores)) * scores.std(ddof=1))
    # Precisions: rows are rows. Of a survey, each row is a draw.
    precise = leave_one_out(LinearRegression(weights="precision").fit(X, y, w), X, y, w)
    assert precise.log_score_ == pytest.approx(precise.log_scores.sum())
    survey = leave_one_out(LinearRegression(weights="probability").fit(X, y, w), X, y, w)
    added = w * survey.log_scores
    assert survey.log_score_ == pytest.approx(added.sum())
    assert survey.standard_error_ == pytest.approx(np.sqrt(N) * added.std(ddof=1))
    grouped = leave_one_out(LinearRegression().fit(X, y), X, y, groups=data["g"])
    sums = np.bincount(data["g"], grouped.log_scores)
    assert grouped.standard_error_ == pytest.approx(np.sqrt(len(sums)) * sums.std(ddof=1))


def test_differences_of_two_models(data):
    first, second = logistic(data), logistic(data, 1, 2)
    found = first.compare(second)
    difference = first.log_scores - second.log_scores
    assert found.difference == pytest.approx(first.log_score_ - second.log_score_)
    assert found.standard_error == pytest.approx(np.sqrt(N) * difference.std(ddof=1))
    assert second.compare(first).difference == pytest.approx(-found.difference)
    assert first.compare(first).standard_error == 0.0
    assert "first less second" in repr(found)
    assert "standard error" in found._repr_html_()
    grouped = [logistic(data, *columns, groups=data["g"]) for columns in ((), (1, 2))]
    sums = np.bincount(data["g"], grouped[0].log_scores - grouped[1].log_scores)
    expected = np.sqrt(len(sums)) * sums.std(ddof=1)
    assert grouped[0].compare(grouped[1]).standard_error == pytest.approx(expected)


@pytest.mark.parametrize("dispersion", [1000.0, "pearson", "deviance"])
@pytest.mark.parametrize("family", ["poisson", "binomial", "negative_binomial"])
def test_a_dispersion_of_counts_is_not_in_their_log_score(family, dispersion):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30, 3))
    y = rng.poisson(np.exp(X[:, 0])) * 1.0
    if family == "binomial":
        y = np.minimum(y, 1.0)
    plain = GeneralizedLinearRegressor(family).fit(X, y)
    quasi = GeneralizedLinearRegressor(family, dispersion=dispersion).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = leave_one_out(quasi, X, y), leave_one_out(plain, X, y)
        steps = [leave_one_out(model, X, y, method="newton") for model in (quasi, plain)]
    # The same fits, whose rounding errors differ.
    assert first.log_scores == pytest.approx(second.log_scores, rel=1e-10)
    assert first.kind == second.kind == "probability"
    assert first.compare(second).difference == pytest.approx(0.0, abs=1e-8)
    assert steps[0].log_scores == pytest.approx(steps[1].log_scores, rel=1e-10)


def test_counts_of_the_tweedie_family_have_no_dispersion_in_their_log_score():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30, 3))
    y = rng.poisson(np.exp(X[:, 0])) * 1.0
    tweedie = leave_one_out(GeneralizedLinearRegressor("tweedie", power=1).fit(X, y), X, y)
    poisson = leave_one_out(GeneralizedLinearRegressor("poisson").fit(X, y), X, y)
    assert tweedie.log_score_ == pytest.approx(poisson.log_score_, rel=1e-10)


def test_an_estimated_theta_has_no_dispersion_in_its_log_score():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(12, 1))
    y = rng.negative_binomial(2, 0.3, 12) * 1.0
    plain, quasi = (
        GeneralizedLinearRegressor("negative_binomial", theta="estimate", dispersion=phi)
        for phi in ("auto", "pearson")
    )
    first = leave_one_out(plain.fit(X, y), X, y)
    second = leave_one_out(quasi.fit(X, y), X, y)
    assert second.log_scores == pytest.approx(first.log_scores, rel=1e-8)


def test_other_rows_and_other_scores_are_not_compared(data):
    X, y = data["X"], data["number"]
    first = leave_one_out(LinearRegression().fit(X, y), X, y)
    fewer = leave_one_out(LinearRegression().fit(X[1:], y[1:]), X[1:], y[1:])
    for other, why in (
        (fewer, "targets differ"),
        (leave_one_out(LinearRegression().fit(X, y, data["w"]), X, y, data["w"]), "weights differ"),
        (leave_one_out(LinearRegression().fit(X, y), X, y, groups=data["g"]), "groups differ"),
    ):
        with pytest.raises(ValueError, match=why):
            first.compare(other)
    own = ObjectiveRegressor("log(cosh(eta - y))").fit(X, y)
    with pytest.raises(ValueError, match=r"kind 'density'.*kind 'loss'"):
        first.compare(leave_one_out(own, X, y))
    with pytest.raises(TypeError, match="other is a float"):
        first.compare(1.0)
    counts = leave_one_out(LinearRegression().fit(X, data["count"]), X, data["count"])
    poisson = GeneralizedLinearRegressor("poisson").fit(X, data["count"])
    with pytest.raises(ValueError, match=r"kind 'density'.*kind 'probability'"):
        counts.compare(leave_one_out(poisson, X, data["count"]))


def test_scorers_of_scikit_learn_for_classes(data):
    found = logistic(data)
    model = LogisticRegression(tol=1e-11)
    accuracy = cross_val_score(model, data["X"], data["two"], cv=LeaveOneOut()).mean()
    assert found.score("accuracy") == pytest.approx(accuracy)
    assert found.score("neg_log_loss") == pytest.approx(found.log_scores.mean(), rel=1e-12)
    p, yes = found.predictions[:, 1], data["two"] == "yes"
    pairs = p[yes][:, np.newaxis] > p[~yes]
    assert found.score("roc_auc") == pytest.approx(pairs.mean())


def test_scorers_of_scikit_learn_for_numbers(data):
    X, y, g = data["X"], data["number"], data["g"]
    found = leave_one_out(LinearRegression().fit(X, y), X, y)
    scoring = "neg_mean_squared_error"
    expected = cross_val_score(LinearRegression(), X, y, cv=LeaveOneOut(), scoring=scoring).mean()
    assert found.score(scoring) == pytest.approx(expected, rel=1e-10)
    grouped = leave_one_out(LinearRegression().fit(X, y), X, y, groups=g)
    folds = cross_val_score(
        LinearRegression(), X, y, cv=LeaveOneGroupOut(), groups=g, scoring=scoring
    )
    assert grouped.score(scoring) == pytest.approx(folds.mean(), rel=1e-10)  # equal groups
    assert found.score(lambda model, X, y: float(model.predict(X)[0])) == found.predictions[0]
    weighted = leave_one_out(LinearRegression().fit(X, y, data["w"]), X, y, data["w"])
    squares = (weighted.predictions - y) ** 2
    expected = -np.average(squares, weights=data["w"])
    assert weighted.score(scoring) == pytest.approx(expected)


def test_no_scorer_is_the_score_of_the_estimator(data):
    X, y, two = data["X"], data["number"], data["two"]
    assert logistic(data).score(None) == logistic(data).score("accuracy")
    for model in (LinearRegression(), Ridge(), make_pipeline(StandardScaler(), Ridge())):
        found = leave_one_out(model.fit(X, y), X, y)
        assert found.score() == found.score("r2")
    own = ObjectiveRegressor("log(cosh(eta - y))").fit(X, y)
    found = leave_one_out(own, X, y)
    assert found.score(None) == found.score("r2")
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, scoring="neg_mean_squared_error").fit(X, y)
    found = leave_one_out(search, X, y)
    assert found.score(None) == found.score("neg_mean_squared_error")
    search = GridSearchCV(LogisticRegression(), {"C": [1.0]}).fit(X, two)
    found = leave_one_out(search, X, two)
    assert found.score(None) == found.score("accuracy")
    quantile = QuantileRegressor(quantile=0.3).fit(X, y)
    found = leave_one_out(quantile, X, y)
    expected = d2_pinball_score(y, found.predictions, alpha=0.3)
    assert found.score(None) == pytest.approx(expected)
    foreign = PoissonRegressor().fit(X, data["count"])
    with pytest.raises(InferenceError, match="PoissonRegressor has one of its own"):
        leave_one_out(foreign, X, data["count"]).score(None)
    with pytest.raises(TypeError, match="scoring is a int"):
        found.score(3)


@pytest.mark.parametrize("weighted", [False, True])
def test_no_scorer_of_a_generalized_linear_model_is_explained_deviance(data, weighted):
    X, y = data["X"], data["count"]
    w = data["w"] if weighted else None
    model = GeneralizedLinearRegressor("poisson").fit(X, y, w)
    found = leave_one_out(model, X, y, w)
    expected = d2_tweedie_score(y, found.predictions, sample_weight=w, power=1)
    assert found.score(None) == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")
def test_explained_deviance_with_an_exposure(data):
    X, y = data["X"], data["count"]
    exposure = np.linspace(1.0, 3.0, N)
    model = GeneralizedLinearRegressor("poisson", tol=1e-12)
    found = leave_one_out(model.fit(X, y, exposure=exposure), X, y, exposure=exposure)
    one = np.zeros((N, 1))
    constant = clone(model).fit(one, y, exposure=exposure).predict(one, exposure=exposure)
    left, null = (mean_poisson_deviance(y, mu) for mu in (found.predictions, constant))
    assert found.score(None) == pytest.approx(1 - left / null, rel=1e-8)


def test_explained_deviance_where_theta_is_estimated(data):
    X, y = data["X"][:15], np.random.default_rng(0).negative_binomial(1, 0.2, 15) * 1.0
    model = GeneralizedLinearRegressor("negative_binomial", theta="estimate").fit(X, y)
    explained = leave_one_out(model, X, y).score(None)
    assert explained < model.score(X, y)

    def deviance(y, mu, theta):
        return 2 * (xlogy(y, y / mu) - (y + 1 / theta) * np.log((1 + theta * y) / (1 + theta * mu)))

    left = 0.0
    for i in range(15):  # θ and μ are those of the fit without the row
        fewer = clone(model).fit(np.delete(X, i, axis=0), np.delete(y, i))
        left += deviance(y[i], fewer.predict(X[[i]])[0], fewer.theta_)
    null = deviance(y, y.mean(), model.theta_).sum()
    # Both fits have ended at their tolerance.
    assert explained == pytest.approx(1 - left / null, rel=1e-6)


def test_scores_of_probabilities_are_refused_by_name_of_models_without(data):
    X, y = data["X"], data["number"]
    for model in (LinearRegression(), Ridge()):
        found = leave_one_out(model.fit(X, y), X, y)
        for scoring in ("roc_auc", "neg_log_loss"):
            why = f"scoring='{scoring}' needs .*{type(model).__name__} is a regressor; .*'r2'"
            with pytest.raises(InferenceError, match=why):
                found.score(scoring)


def test_it_is_printed_pickled_and_copied(data):
    found = logistic(data, groups=data["g"])
    text = repr(found)
    assert "10 groups of 40 rows" in text
    assert "fitted exactly: all" in text
    assert "<table" in found._repr_html_()
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert again.log_score_ == found.log_score_
        assert np.array_equal(again.steps, found.steps)
    newton = logistic(data, method="newton")
    before = newton.log_score_
    assert "off" not in repr(newton)  # nothing is computed to be printed
    assert newton.error_ > 0
    assert "off" in repr(newton)
    assert newton.log_score_ == before
    assert not newton.exact_rows.any()


@pytest.mark.parametrize("method", ["newton", "second-order", "exact"])
def test_steps_are_those_to_the_predictors(data, method):
    for groups in (None, data["g"]):
        found = logistic(data, method=method, groups=groups)
        fit = found.training.fit
        changes = fit.basis.parameters(found.steps.T)[:, 0]
        theta = np.asarray(fit.params) + changes[found.codes]
        eta = np.einsum("ij,ij->i", data["X"], theta[:, :-1]) + theta[:, -1]
        assert eta == pytest.approx(found.eta[:, 0], rel=1e-9, abs=1e-9)


def test_models_that_were_chosen_by_a_search_or_stand_in_a_pipeline(data):
    X, y = data["X"], data["two"]
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=3).fit(X, y)
    best = search.best_estimator_
    assert leave_one_out(best, X, y).log_score_ == pytest.approx(
        leave_one_out(clone(best).fit(X, y), X, y).log_score_
    )
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-11)).fit(X, y)
    found = leave_one_out(pipeline, X, y)
    scores, _ = log_scores_by_refits(pipeline, X, y)
    assert found.log_scores == pytest.approx(scores, rel=1e-9)
    assert found.compare(logistic(data)).difference == pytest.approx(
        found.log_score_ - logistic(data).log_score_
    )


NORMAL = "log_sigma + (y - eta)**2 * exp(-2*log_sigma) / 2"
OTHERS = {
    "quantile": (QuantileRegressor(quantile=0.3), "number"),
    "network": (MLPRegressor((2,), max_iter=20, random_state=0), "number"),
    "theta": (GeneralizedLinearRegressor("negative_binomial", theta="estimate"), "count"),
    "l1": (ObjectiveRegressor("log(cosh(eta - y))", l1=2.0), "number"),
    "auxiliary": (ObjectiveRegressor(NORMAL, auxiliary={"log_sigma": 0.0}), "number"),
    "ridge of scikit-learn": (Ridge(), "number"),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.filterwarnings("ignore")
def test_other_models_are_fitted_again(data, name):
    model, kind = OTHERS[name]
    X, y = data["X"], data[kind]
    found = leave_one_out(clone(model).fit(X, y), X, y)
    for row in (0, 17):
        kept = np.arange(N) != row
        fitted = clone(model).fit(X[kept], y[kept])
        assert found.predictions[row] == pytest.approx(fitted.predict(X[[row]])[0], rel=1e-12)
        if name == "quantile":
            error = y[row] - found.predictions[row]
            assert found.losses[row] == pytest.approx(max(0.3 * error, -0.7 * error), abs=1e-12)
    assert found.error_ == 0.0
    with pytest.raises(InferenceError, match="no steps"):
        _ = found.steps
    with pytest.raises(InferenceError, match="leave method out"):
        leave_one_out(clone(model).fit(X, y), X, y, method="newton")


def test_firth_by_one_step_from_the_start_and_by_groups(data):
    X, y = data["X"], data["two"]
    model = FirthLogisticRegression(tol=1e-11).fit(X, y)
    exact = leave_one_out(model, X, y, method="exact")
    scores, _ = log_scores_by_refits(model, X, y)
    assert exact.log_scores == pytest.approx(scores, rel=1e-8)
    newton = leave_one_out(model, X, y, method="newton", random_state=0)
    assert abs(newton.log_score_ - exact.log_score_) <= newton.error_ + 1e-8
    # The step has the change of the prior in it.
    of_fit = newton.fits.approximation.fitted
    left = np.abs(newton.eta - exact.eta).sum() / np.abs(exact.eta - of_fit).sum()
    assert left < 0.05
    grouped = leave_one_out(model, X, y, groups=data["g"])
    scores, _ = log_scores_by_refits(model, X, y, codes=data["g"])
    assert grouped.log_scores == pytest.approx(scores, rel=1e-8)


def test_what_is_refused(data):
    X, y = data["X"], data["number"]
    model = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        leave_one_out(model, X + 1, y)
    with pytest.raises(ValueError, match=r"groups has shape \(3,\)"):
        leave_one_out(model, X, y, groups=[1, 2, 3])
    with pytest.raises(ValueError, match="single label 1"):
        leave_one_out(model, X, y, groups=np.ones(N, dtype=int))
    with pytest.raises(ValueError, match="no label in row 0"):
        leave_one_out(model, X, y, groups=[None, *range(N - 1)])
    with pytest.raises(ValueError, match="method='exactly' is not known"):
        leave_one_out(model, X, y, method="exactly")
    with pytest.raises(NotFittedError):
        leave_one_out(LinearRegression(), X, y)
    with pytest.raises(TypeError, match="is the class LinearRegression"):
        leave_one_out(LinearRegression, X, y)
    with pytest.raises(TypeError, match="no fitted regressor"):
        leave_one_out(PCA().fit(X), X, y)
    with pytest.raises(ValueError, match="offset was given, and LinearRegression takes none"):
        leave_one_out(model, X, y, offset=y)
    one = np.where(np.arange(N) < 20, 1.0, 0.0)
    halves = np.arange(N) // 20
    with pytest.raises(ValueError, match="a single group has all of the weight"):
        leave_one_out(LinearRegression().fit(X, y, one), X, y, one, groups=halves)
    index = pd.Index(range(N))
    frame = pd.DataFrame(X, index=index)
    frame.columns = ["a", "b", "c"]
    backwards = pd.Series(data["g"], index=index[::-1])
    with pytest.raises(ValueError, match="another order"):
        leave_one_out(LinearRegression().fit(frame, y), frame, y, groups=backwards)
    early = LogisticRegression(max_iter=1, C=np.inf)
    with pytest.warns(ConvergenceWarning):
        early.fit(100 * X, data["two"])
    with pytest.raises(InferenceError, match="did not converge"):
        leave_one_out(early, 100 * X, data["two"])
    many = np.random.default_rng(0).normal(size=(1001, 1))
    with pytest.raises(InferenceError, match=r"needs 1001 fits.*groups"):
        leave_one_out(Ridge().fit(many, many[:, 0]), many, many[:, 0])


def test_a_perfect_fit_has_no_log_scores(data):
    X = data["X"]
    y = X @ [1.0, 2.0, 3.0] + 4.0
    found = leave_one_out(LinearRegression().fit(X, y), X, y)
    assert found.predictions == pytest.approx(y)
    with pytest.raises(InferenceError, match="perfect"):
        _ = found.log_score_


def test_targets_that_are_combinations_of_each_other_have_no_density(data):
    X = data["X"]
    Y = np.column_stack([data["number"], X[:, 0] - data["number"]])
    found = leave_one_out(LinearRegression().fit(X, Y), X, Y)
    with pytest.raises(InferenceError, match="perfect"):
        _ = found.log_score_


def test_rows_without_a_mean_by_the_fit_without_them():
    # A line through counts: without the last row it is below zero there.
    X = np.array([[0.0], [1.0], [2.0], [3.0], [6.0]])
    y = np.array([9.0, 7.0, 4.0, 2.0, 1.0])
    model = GeneralizedLinearRegressor("poisson", link="identity").fit(X, y)
    with pytest.warns(NoMeanWarning, match=r"row\(s\) 4 "):
        found = leave_one_out(model, X, y)
    assert found.log_scores[4] == -np.inf
    assert found.separated_ == []


def test_without_degrees_of_freedom_there_are_predictions_and_no_log_scores():
    X = np.array([[0.0], [1.0], [3.0]])
    y = np.array([1.0, 2.0, 2.0])
    found = leave_one_out(LinearRegression().fit(X, y), X, y)
    lines = [np.polyval(np.polyfit(np.delete(X[:, 0], i), np.delete(y, i), 1), X[i, 0])
             for i in range(3)]  # fmt: skip
    assert found.predictions == pytest.approx(lines)
    assert "log_score" not in found.to_frame()
    assert "no degree of freedom" in repr(found)
    with pytest.raises(InferenceError, match="no degree of freedom"):
        _ = found.log_score_
