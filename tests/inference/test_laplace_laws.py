"""Laws of Laplace's approximation that give its numbers by another way."""

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_diabetes, load_iris

from mcmodels import MLPClassifier, MLPRegressor
from mcmodels.exceptions import InferenceError
from mcmodels.inference.laplace import NetworkPosterior
from mcmodels.objectives.network import Network
from mcmodels.rows import ArrayRows

# γ is a trace of a matrix of at most 15 rows whose condition is below 1e4: rounding of 1e-16 grows
# to 1e-11 at most.
ROUNDING = 1e-10
OPTIONS = {"tol": 1e-8, "max_iter": 10_000, "solver": "newton-cg", "random_state": 0}


def standardised(load):
    X, y = load(return_X_y=True)
    return (X - X.mean(0)) / X.std(0), y


def curvature_of_rows(model, X, w):
    """H without the penalty, over W in C order and then b, and the penalty's diagonal P."""
    n, p = X.shape
    design = np.column_stack([X, np.ones(n)])
    if isinstance(model, MLPRegressor):
        blocks = np.ones((n, 1, 1))
    elif len(model.classes_) == 2:
        probability = model.predict_proba(X)[:, 1]
        blocks = (probability * (1 - probability))[:, np.newaxis, np.newaxis]
    else:
        probability = model.predict_proba(X)
        blocks = np.array([np.diag(q) - np.outer(q, q) for q in probability])
    K = blocks.shape[1]
    H = sum(
        weight * np.kron(np.outer(x, x), block)
        for weight, x, block in zip(w, design, blocks, strict=True)
    )
    return H, np.diag(np.repeat([1.0] * p + [0.0], K))


@pytest.mark.parametrize("task", ["one target", "two classes", "three classes"])
@pytest.mark.parametrize("curvature", ["last_layer", "full"])
@pytest.mark.parametrize("alpha", [0.5, 30.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_effective_parameters_without_hidden_layers(task, curvature, alpha, weighted):
    """γ = tr((H + P)⁻¹ H), as in ridge regression; H is that of the rows, P of the penalty."""
    X, y = standardised(load_diabetes if task == "one target" else load_iris)
    if task == "two classes":
        y = (y == 1).astype(int)
    w = np.random.default_rng(0).integers(1, 4, len(y)).astype(float) if weighted else None
    kind = MLPRegressor if task == "one target" else MLPClassifier
    model = kind((), alpha=alpha, **OPTIONS).fit(X, y, w)
    found = model.laplace(X, y, w, curvature=curvature).effective_parameters
    H, P = curvature_of_rows(model, X, np.ones(len(y)) if w is None else w)
    # With three classes nothing depends on a common intercept: H + P is singular along it.
    expected = np.trace(np.linalg.pinv(H + alpha * P, rcond=1e-12) @ H)
    assert found == pytest.approx(expected, rel=ROUNDING)
    # The penalty matters, so that a share of it would show.
    assert found < len(H) - 0.05


@pytest.mark.parametrize("curvature", ["last_layer", "full"])
def test_effective_parameters_of_a_hidden_layer(curvature):
    """γ = tr(H⁻¹(H - αP)) with the Hessian of the estimator, and σ² by its definition."""
    X, y = standardised(load_diabetes)
    y = (y - y.mean()) / y.std()
    alpha = 5.0
    model = MLPRegressor((3,), "tanh", alpha=alpha, **OPTIONS).fit(X, y)
    laplace = model.laplace(X, y, curvature=curvature)
    H = model.hessian(X, y)
    penalised = np.r_[np.ones(sum(W.size for W in model.coefs_)), np.zeros(3 + 1)]
    if curvature == "last_layer":
        last = np.r_[30:33, len(H) - 1]  # after the 10×3 weights of the hidden layer; and its bias
        H, penalised = H[np.ix_(last, last)], penalised[last]
    gamma = np.trace(np.linalg.solve(H, H - alpha * np.diag(penalised)))
    assert laplace.effective_parameters == pytest.approx(gamma, rel=ROUNDING)
    noise = np.sum((y - model.predict(X)) ** 2) / (len(y) - gamma)
    np.testing.assert_allclose(
        laplace.covariance, noise * np.linalg.inv(H), rtol=0, atol=1e-10 * noise
    )
    # Student's t with n - γ degrees of freedom.
    found = laplace.predict_interval(X[:1], level=0.9)
    half = (found["upper"] - found["lower"]) / 2 / found["standard_error"]
    assert half[0] == pytest.approx(stats.t.ppf(0.95, len(y) - gamma), rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_noise_of_several_targets_is_that_of_all_their_residuals(weighted):
    """Without a penalty and hidden layers, σ̂² = Σ wᵢ‖rᵢ‖² / K(n - P), as in least squares."""
    X, y = standardised(load_diabetes)
    Y = np.column_stack([(y - y.mean()) / y.std(), X[:, 0] ** 2])
    w = np.random.default_rng(0).integers(1, 4, len(y)).astype(float) if weighted else None
    model = MLPRegressor((), alpha=0.0, **OPTIONS).fit(X, Y, w)
    posterior = model.laplace(X, Y, w).posterior
    unit = np.ones(len(y)) if w is None else w
    design = np.column_stack([X, np.ones(len(y))])
    theta = np.linalg.lstsq(design * np.sqrt(unit)[:, np.newaxis], Y * np.sqrt(unit)[:, np.newaxis])
    df = 2 * (unit.sum() - design.shape[1])
    assert posterior.df == pytest.approx(df, rel=1e-9)
    # The minimum is flat: its value has the square of the relative error of the fit, 1e-8.
    squares = unit @ ((Y - design @ theta[0]) ** 2).sum(axis=1)
    assert posterior.dispersion == pytest.approx(squares / df, rel=1e-9)


@pytest.mark.parametrize(("slope", "refused"), [(1e-5, True), (1e-7, False)])
def test_outputs_that_depend_on_what_has_no_curvature(slope, refused):
    """At x = 0 the output depends on b alone, of which the flat direction has a small share."""
    network = Network((1, 1), "identity")
    flat = np.array([[1.0], [slope]]) / np.hypot(1.0, slope)
    root = np.array([[0.0], [1.0]])
    posterior = NetworkPosterior(
        network, np.zeros(2), "full", root, flat, 1.0, 1.0, np.inf, shift_invariant=False
    )
    rows = ArrayRows(np.zeros((3, 1)), intercept=False)
    if refused:
        with pytest.raises(InferenceError, match="the training rows do not determine"):
            posterior.outputs(rows)
    else:
        np.testing.assert_array_equal(posterior.outputs(rows)[1], np.ones((3, 1)))
