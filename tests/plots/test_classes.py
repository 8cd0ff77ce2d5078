"""Pictures of more than two classes: their numbers by brute force."""

import numpy as np
import pytest
from scipy import optimize, special, stats

from mcmodels import LogisticRegression, results
from mcmodels.inference.class_differences import ClassDifferences
from mcmodels.plots import (
    CurvatureDisplay,
    ProfileDisplay,
    ResidualsDisplay,
    SeparationDisplay,
)
from tests.plots import displays


def log_loss(theta, X, codes):
    """The sum of ``-log p`` of the rows; θ has a row for each class."""
    eta = np.column_stack([X, np.ones(len(X))]) @ theta.T
    return float((special.logsumexp(eta, axis=1) - eta[np.arange(len(X)), codes]).sum())


@pytest.mark.parametrize("C", [np.inf, 0.5])
def test_the_surface_is_the_least_over_all_other_parameters(C):
    _, X, y = displays.three_classes()
    X = X - X.mean()  # so that BFGS of this test is well conditioned
    model = LogisticRegression(C=C).fit(X, y)
    codes = np.searchsorted(model.classes_, y)
    names = ("versicolor:Sepal.Width", "virginica:Sepal.Length")
    display = CurvatureDisplay.from_estimator(model, X, y, parameters=names)
    found = display.surface
    # The covariance of the two differences is that of the summary.
    table = results(model).summary().tables
    errors = [
        table["versicolor"].loc["Sepal.Width", "standard_error"],
        table["virginica"].loc["Sepal.Length", "standard_error"],
    ]
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), errors, rtol=1e-9)

    def objective(theta):
        penalty = 0.0 if np.isinf(C) else 0.5 / C * (theta[:, :2] ** 2).sum()
        return log_loss(theta, X.to_numpy(), codes) + penalty

    def least_at(a, b):
        def of(free):
            theta = free.reshape(3, 3).copy()
            theta[1, 1] = theta[0, 1] + a
            theta[2, 0] = theta[0, 0] + b
            return objective(theta)

        # The gradient norm that is asked for leaves less than 1e-9 of the objective.
        options = {"gtol": 1e-6, "maxiter": 5000}
        return optimize.minimize(of, model.params_.ravel(), method="BFGS", options=options).fun

    least = objective(model.params_)
    for i, j in ((0, 3), (-1, -1), (8, 14)):
        excess = 2.0 * (least_at(found.first[j], found.second[i]) - least)
        # BFGS with differences for a gradient: 1e-8 of an objective of some hundred.
        assert found.drop[i, j] == pytest.approx(excess, abs=2e-5)


def test_derivatives_in_differences_of_classes():
    model, X, y = displays.three_classes()
    for held in (0, 2):
        of = ClassDifferences(model._objective_on(X, y, None), model.params_, held)
        point = of.start + 0.01 * np.arange(of.start.size)
        step, eye = 1e-5, np.eye(point.size)
        slopes = [(of.value(point + step * e) - of.value(point - step * e)) / 2e-5 for e in eye]
        # Differences of a sum of 150: rounding 1e-14·150/1e-5, truncation 1e-10·f‴.
        np.testing.assert_allclose(of.gradient(point), slopes, rtol=1e-6, atol=1e-6)
        rows = [(of.gradient(point + step * e) - of.gradient(point - step * e)) / 2e-5 for e in eye]
        np.testing.assert_allclose(of.hessian(point), rows, rtol=1e-5, atol=1e-5)
        v = np.cos(np.arange(point.size))
        product = of.hessian_vector_product(point, v)
        np.testing.assert_allclose(product, of.hessian(point) @ v, rtol=1e-10, atol=1e-9)
        # Where all classes move alike, no probability changes.
        np.testing.assert_allclose(
            np.diff(of.at(of.start), axis=0), np.diff(model.params_, axis=0), atol=1e-12
        )


def test_margins_of_several_classes():
    model, X, y = displays.three_separated()
    display = SeparationDisplay.from_estimator(model, X, y)
    Z = np.column_stack([X, np.ones(len(X))])
    d = np.vstack([np.zeros(3), display.direction.reshape(2, 3)])
    assert np.abs(display.direction).max() == 1.0
    codes = np.searchsorted(model.classes_, y)
    some = 0.0
    for k in range(3):
        for other, drawn in display.margins(k):
            wanted = Z[codes == k] @ (d[k] - d[other])
            np.testing.assert_allclose(drawn, wanted, atol=1e-12)
            assert drawn.min() >= -1e-12
            some = max(some, drawn.max())
    assert some > 0.1
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == list(model.classes_)
    assert display.names[0] == "versicolor:Petal.Length"


@pytest.mark.parametrize("label", [None, "setosa"])
def test_quantile_residuals_of_one_class(label):
    model, X, y = displays.three_classes()
    display = ResidualsDisplay.from_estimator(model, X, y, label=label)
    position = 2 if label is None else 0
    p = model.predict_proba(X)[:, position]
    np.testing.assert_allclose(display.fitted, p)
    is_of = y == model.classes_[position]
    u = stats.norm.cdf(display.residuals)
    assert ((u <= 1 - p + 1e-12) == ~is_of).all()
    assert [ax.axison for ax in display.axes_] == [True, True, True, False]
    assert display.leverage is None
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        ResidualsDisplay.from_estimator(model, 1.5 * X, y, label=label)


def test_they_are_normal_where_the_model_is_right():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(2000, 2))
    theta = np.array([[0.0, 0.0], [1.0, -1.0], [-0.5, 1.5]])
    y = np.argmax(X @ theta.T + rng.gumbel(size=(2000, 3)), axis=1)
    model = LogisticRegression(C=np.inf).fit(X, y)
    for label in range(3):
        found = ResidualsDisplay.from_estimator(model, X, y, label=label).residuals
        assert stats.kstest(found, "norm").pvalue > 1e-3


def test_profiles_of_several_classes_are_their_intervals():
    model, X, y = displays.three_classes()
    name = "virginica:Sepal.Width"
    display = ProfileDisplay.from_estimator(model, X, y, parameter=name)
    row = model.profile_intervals(X, y, parameters=[name]).iloc[0]
    assert display.ends == (row["lower"], row["upper"])
    # At an end twice the drop of the likelihood is the quantile, by refits of the rest.
    codes, at = np.searchsorted(model.classes_, y), display.ends[1]

    def of(free):
        theta = np.vstack([np.zeros(3), free.reshape(2, 3)])
        theta[2, 1] = at
        return log_loss(theta, X.to_numpy() - X.mean().to_numpy(), codes)

    start = (model.params_[1:] - model.params_[0]).ravel()
    least = optimize.minimize(of, start * 0, method="BFGS", options={"gtol": 1e-6}).fun
    excess = 2.0 * (least - log_loss(model.params_, X.to_numpy(), codes))
    # The end is searched for to 1e-6 of the drop, and BFGS leaves less.
    assert excess == pytest.approx(stats.chi2.ppf(0.95, 1), abs=1e-4)
