"""Effects of leaving out rows of networks: against descents without them, and by laws."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from scipy import stats

from mcmodels import (
    LinearRegression,
    MLPClassifier,
    MLPRegressor,
    RowStream,
    attribution,
    loss_on,
    prediction_at,
)
from mcmodels.exceptions import ConvergenceWarning, InferenceError

N = 300


def rows():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 3))
    noise = rng.normal(size=(N, 2))
    numbers = np.column_stack([np.sin(X[:, 0]) + X[:, 1], X[:, 2]]) + noise / 2
    two = (X[:, 0] + rng.logistic(size=N) > 0).astype(int)
    return X, numbers, two, np.where(X[:, 1] > 0.5, 2, two)


def network(kind, **options):
    settings = {"random_state": 0, "tol": 1e-9, "max_iter": 3000, "activation": "tanh"} | options
    return kind(hidden_layer_sizes=(3,), **settings)


def cases():
    X, numbers, two, three = rows()
    counts = np.random.default_rng(0).poisson(np.exp(numbers[:, 0] / 2))
    return {
        "one target": (network(MLPRegressor, alpha=1.0), X, numbers[:, 0], None),
        "two targets": (network(MLPRegressor, alpha=0.3, activation="logistic"), X, numbers, "y1"),
        "counts": (network(MLPRegressor, alpha=3.0, loss="poisson"), X, counts, None),
        "two classes": (network(MLPClassifier, alpha=2.0), X, two, 0),
        "three classes": (network(MLPClassifier, alpha=2.0), X, three, 2),
    }


@pytest.mark.parametrize("name", cases())
def test_effects_are_those_of_descents_without_the_rows(name):
    model, X, y, output = cases()[name]
    model.fit(X, y)
    some = list(range(0, N, 20))
    for of in (prediction_at(X[3], output=output), lambda params: np.sum(params[:4] ** 2)):
        found = attribution(model, X, y, of=of)
        assert found.damping == 0
        exact = found.refit(some)
        assert stats.spearmanr(exact, found.effects[some]).statistic >= 0.97, found.of
        assert np.median(np.abs(exact - found.effects[some])) <= 0.15 * np.median(np.abs(exact))


@pytest.mark.parametrize("name", cases())
def test_values_are_those_of_the_model(name):
    model, X, y, output = cases()[name]
    model.fit(X, y)
    found = attribution(model, X, y, of=prediction_at(X[3], output=output))
    if isinstance(model, MLPClassifier):
        expected = model.predict_proba(X[[3]])[0, list(model.classes_).index(output)]
    else:
        expected = np.ravel(model.predict(X[[3]]))[-1]
    assert found.value == pytest.approx(expected, rel=1e-12)
    loss = attribution(model, X, y, of=loss_on(X[:50], y[:50]))
    penalty = model.objective(X[:50], y[:50])
    alpha = model.alpha / 2 * sum(np.sum(W**2) for W in model.coefs_)
    assert loss.value == pytest.approx((penalty - alpha) / 50, rel=1e-9)


@pytest.mark.parametrize("name", cases())
def test_a_small_weight_has_the_effect_of_a_difference_quotient_in_the_weight(name):
    model, X, y, output = cases()[name]
    model.set_params(tol=1e-11, solver="newton-cg").fit(X, y)
    row, h = 5, 1e-3
    of = prediction_at(X[3], output=output)
    effect = attribution(model, X, y, of=of).effects[row]
    values = []
    for change in (h, -h):
        weights = np.ones(N)
        weights[row] += change
        again = copy.deepcopy(model).set_params(warm_start=True, tol=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            again.fit(X, y, weights)
        values.append(attribution(again, X, y, weights, of=of).value)
    # Central differences are right to h²; gradients of 1e-11 leave errors of 1e-8 of the effect.
    assert -effect == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-4)


def test_without_hidden_units_that_bend_it_is_the_infinitesimal_jackknife_of_ridge():
    # identity and one unit: predictions are linear in x, and wᵢ∇ℓᵢᵀH⁻¹∇f is known of the network.
    X, numbers, *_ = rows()
    y = numbers[:, 0]
    model = network(MLPRegressor, alpha=0.5).fit(X, y)
    of = prediction_at(X[3])
    H = model.hessian(X, y)
    objectives = [model.gradient(X[[i]], y[[i]]) for i in range(20)]
    penalty = model.alpha * np.concatenate(
        [*(W.ravel() for W in model.coefs_), *(0.0 * b for b in model.intercepts_)]
    )
    size = 1e-6
    gradient = np.array(
        [
            (value_at(model, X[[3]], unit * size) - value_at(model, X[[3]], -unit * size))
            / (2 * size)
            for unit in np.eye(len(penalty))
        ]
    )
    solution = np.linalg.solve(H, gradient)
    params = model.params_
    expected = [
        solution @ (g - model.alpha * np.where(penalty != 0, params, 0.0)) for g in objectives
    ]
    found = attribution(model, X, y, of=of).effects[:20]
    # The gradient by differences is right to 1e-9; the solve to 1e-8.
    assert found.to_numpy() == pytest.approx(np.array(expected), rel=1e-5, abs=1e-9)


def value_at(model, X, change):
    params = model.params_.copy()
    model.params_ = params + change
    value = float(model.predict(X)[0])
    model.params_ = params
    return value


def test_weights_groups_and_streams():
    X, numbers, *_ = rows()
    y = numbers[:, 0]
    weights = np.ones(N)
    weights[[2, 4]] = 0.0, 3.0
    model = network(MLPRegressor, alpha=1.0).fit(X, y, weights)
    of = prediction_at(X[3])
    found = attribution(model, X, y, weights, of=of)
    assert found.effects[2] == 0
    groups = np.arange(N) // 10
    grouped = attribution(model, X, y, weights, of=of, groups=groups)
    sums = found.effects.groupby(groups).sum()
    assert grouped.effects.to_numpy() == pytest.approx(sums.to_numpy(), rel=1e-9, abs=1e-15)
    assert grouped.to_frame(exact=1)["exact"].notna().sum() == 1
    stream = RowStream(
        [(X[k : k + 70], y[k : k + 70], weights[k : k + 70]) for k in range(0, N, 70)]
    )
    by_stream = attribution(model, stream, of=of)
    # Sums of blocks in another order; the solve is right to 1e-8.
    assert by_stream.effects.to_numpy() == pytest.approx(found.effects.to_numpy(), abs=1e-8)
    assert by_stream.refit([4]).iloc[0] == pytest.approx(found.refit([4]).iloc[0], rel=1e-4)


def test_a_saddle_is_damped_and_says_so():
    X, numbers, *_ = rows()
    model = network(MLPRegressor, alpha=0.0, tol=1e-3).fit(X[:12], numbers[:12, 0])
    with pytest.warns(ConvergenceWarning, match="no strict minimum"):
        found = attribution(model, X[:12], numbers[:12, 0], of=lambda params: params @ params)
    assert found.damping > 0
    assert np.isfinite(found.effects).all()


def test_what_is_refused():
    X, numbers, two, _ = rows()
    y = numbers[:, 0]
    model = network(MLPRegressor, alpha=1.0).fit(X, y)
    with pytest.raises(ValueError, match="order=2 is for models with linear predictors"):
        attribution(model, X, y, of=prediction_at(X[0]), order=2)
    with pytest.raises(TypeError, match="no function of a network"):
        attribution(model, X, y, of="x0")
    with pytest.raises(InferenceError, match="of is nan at the parameters"):
        attribution(model, X, y, of=lambda params: params[0] * np.nan)
    with pytest.raises(ValueError, match="not the rows"):
        attribution(model, X, y[::-1], of=prediction_at(X[0]))
    with pytest.raises(ValueError, match="takes one row"):
        attribution(model, X, y, of=prediction_at(X[:2]))
    with pytest.raises(ValueError, match=r"groups has shape \(2,\)"):
        attribution(model, X, y, of=prediction_at(X[0]), groups=[0, 1])
    early = network(MLPClassifier, alpha=1.0, early_stopping=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        early.fit(X, two)
    with pytest.raises(InferenceError, match="early_stopping=False"):
        attribution(early, X, two, of=prediction_at(X[0]))
    with pytest.raises(InferenceError, match="after partial_fit"):
        attribution(network(MLPRegressor).partial_fit(X, y), X, y, of=prediction_at(X[0]))
    with pytest.raises(ValueError, match="one prediction for each row"):
        attribution(LinearRegression().fit(X, y), X, y, of=prediction_at(X[0], output="z"))


def test_an_attribution_of_a_network_can_be_pickled():
    model, X, y, output = cases()["one target"]
    model.fit(X, y)
    found = attribution(model, X, y, of=prediction_at(X[3], output=output))
    again = pickle.loads(pickle.dumps(found))
    assert again.refit(0).tolist() == found.refit(0).tolist()


def test_functions_without_a_slope_are_refused():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 2))
    network = MLPRegressor((2,), activation="tanh", alpha=1.0, tol=1e-6, random_state=0)
    network.fit(X, X[:, 0])
    with pytest.raises(InferenceError, match="of has a slope of zero at the fit"):
        attribution(network, X, X[:, 0], of=lambda theta: theta[0] > 0)
