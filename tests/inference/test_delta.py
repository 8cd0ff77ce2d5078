"""The delta method: exact Jacobians, functions that cannot be followed, standard errors."""

import numpy as np
import pytest
import scipy.linalg
import statsmodels.api as sm
from sklearn.utils.validation import check_is_fitted

from mcmodels import LinearRegression, LogisticRegression, autodiff
from mcmodels.exceptions import InferenceError
from mcmodels.inference.delta import jacobian
from tests.inference.problems import rows_of, with_ones


def smooth(theta):
    return np.array([theta[0] / theta[1], np.exp(theta[2]) * np.sin(theta[0]), theta @ theta])


def of_smooth(theta):
    a, b, c = theta
    return np.array(
        [
            [1 / b, -a / b**2, 0],
            [np.exp(c) * np.cos(a), 0, np.exp(c) * np.sin(a)],
            2 * theta,
        ]
    )


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("made", [np.array, list, tuple, np.stack])
def test_the_jacobian_is_exact(scale, made):
    theta = np.array([0.7, -1.3, 0.4]) * [scale, scale, 1]

    def g(theta):
        a, b, c = theta
        return made([a / b, np.exp(c) * np.sin(a), theta @ theta])

    found = jacobian(g, theta, np.diag(np.abs(theta) / 10))
    # The same arithmetic but for the order of products: a few ulps of the largest term.
    np.testing.assert_allclose(found, of_smooth(theta), rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: np.array([float(v) for v in value]),
        lambda value: np.asarray(value, dtype=float),
        lambda value: np.fft.irfft(np.fft.rfft(value), 3),
        lambda value: scipy.linalg.solve(np.eye(3), value),
    ],
)
def test_functions_without_a_rule_are_differenced(spoil):
    theta = np.array([0.7, -1.3, 0.4])
    with pytest.raises((TypeError, ValueError)):
        autodiff.jacobian(lambda t: spoil(smooth(t)))(theta)
    found = jacobian(lambda t: spoil(smooth(t)), theta, np.diag([0.1, 0.2, 0.1]))
    # Extrapolated differences of a smooth function: ten digits were seen.
    np.testing.assert_allclose(found, of_smooth(theta), rtol=1e-9, atol=1e-10)


def test_a_linear_function_is_the_wald_test():
    X, y, *_ = rows_of(0)
    model = LinearRegression().fit(X, y)
    found = model.delta_method(lambda theta: theta[0] - 2 * theta[3])
    test = model.wald_test("x0 = 2*x3")
    assert (found.estimate / found.standard_error) ** 2 == pytest.approx(test.statistic, rel=1e-12)
    assert isinstance(found.estimate, float)
    lower, upper = found.interval(0.9)
    assert upper - lower == pytest.approx(2 * 1.658211 * found.standard_error, rel=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_against_statsmodels(seed):
    X, y, _, groups = rows_of(seed)
    label = (y > np.median(y)).astype(int)
    model = LogisticRegression(C=np.inf).fit(X, label)
    theirs = sm.Logit(label, with_ones(X)).fit(disp=0, method="newton", tol=1e-12)

    def odds(theta):
        return np.exp(theta[:2]) / theta[-1]

    J = np.zeros((2, 5))
    ratio = odds(theirs.params)
    J[0, 0], J[1, 1], J[:, 4] = ratio[0], ratio[1], -ratio / theirs.params[-1]
    found = model.delta_method(odds)
    np.testing.assert_allclose(found.estimate, ratio, rtol=1e-8)
    np.testing.assert_allclose(found.covariance, J @ theirs.cov_params() @ J.T, rtol=1e-7)
    robust = model.delta_method(odds, X, label, kind="cluster", groups=groups[:, 0])
    V = model.covariance(X, label, kind="cluster", groups=groups[:, 0])
    np.testing.assert_allclose(robust.covariance, J @ V @ J.T, rtol=1e-7)
    assert robust.interval()[0].shape == (2,)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("real", [True, False])
def test_a_prediction_far_from_the_origin(classes, real):
    """A column at 1e6: the intercept's error is 1e6 times that of what is predicted."""
    X, y, *_ = rows_of(4)
    y = X[:, 1] / X[:, 1].std() + np.random.default_rng(4).standard_normal(120)
    label = np.digitize(y, np.quantile(y, [0.5] if classes == 2 else [0.3, 0.7]))
    shift = np.array([1e6, 0, 0, 0])
    near = LogisticRegression(C=np.inf, tol=0).fit(X, label)
    far = LogisticRegression(C=np.inf, tol=0).fit(X + shift, label)

    def probability(at):
        def g(theta):
            if theta.ndim == 1:
                return 1 / (1 + np.exp(-(theta[:-1] @ at + theta[-1])))
            odds = np.exp(theta[:, :-1] @ at + theta[:, -1])
            return odds[1] / odds.sum()

        return (lambda theta: np.real(g(theta))) if real else g

    expected = near.predict_interval(X[:1]).to_numpy()
    expected = expected[0, 1] if classes == 2 else expected.reshape(3, 4)[1, 1]
    # The parameters hold the predictor to 1e-10; differences of it over 1e-3 errors to 1e-6.
    tolerance = 1e-4 if real else 1e-7
    found = far.delta_method(probability(X[0] + shift)).standard_error
    assert found == pytest.approx(expected, rel=tolerance)


def test_shapes_are_those_of_the_parameters():
    X, y, *_ = rows_of(1)
    model = LogisticRegression(C=np.inf).fit(X, np.digitize(y, np.quantile(y, [0.3, 0.6])))
    found = model.delta_method(lambda theta: theta[1] - theta[0])
    contrasts = model.summary().to_frame().loc[1]
    np.testing.assert_allclose(found.estimate, contrasts["coefficient"], rtol=1e-10)
    np.testing.assert_allclose(found.standard_error, contrasts["standard_error"], rtol=1e-9)
    matrix = model.delta_method(lambda theta: theta.T @ theta)
    assert matrix.estimate.shape == matrix.standard_error.shape == (5, 5)
    assert matrix.covariance.shape == (25, 25)


def test_the_fit_is_not_changed_by_g():
    X, y, *_ = rows_of(2)
    model = LinearRegression().fit(X, y)
    before = model.params_.copy()

    def greedy(theta):
        theta *= 0
        return theta.sum()

    model.delta_method(greedy)
    np.testing.assert_array_equal(model.params_, before)
    check_is_fitted(model)


def test_what_has_no_derivative_is_refused():
    X, y, *_ = rows_of(3)
    model = LinearRegression().fit(X, y)
    with pytest.raises(InferenceError, match="not finite"):
        model.delta_method(lambda theta: np.full(2, np.nan))
    with pytest.raises(InferenceError, match="no finite derivative"):
        model.delta_method(lambda theta: 0.0 if float(theta[0]) == model.params_[0] else np.inf)


def test_functions_that_are_saturated():
    """Slopes of 1e-93 to 1e-300: degrees of freedom as of the parameters, no lost variances."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 3))
    y = X @ [0.5, 110.0, 400.0] + rng.standard_normal(60)
    model, groups = LinearRegression(fit_intercept=False).fit(X, y), np.arange(60) % 7
    options = {"kind": "CR2", "groups": groups}
    found = model.delta_method(np.tanh, X, y, **options)
    own = model.delta_method(lambda b: b, X, y, **options)
    slopes = 1 / np.cosh(model.params_) ** 2
    np.testing.assert_allclose(
        found.values.standard_errors[:2], (slopes * own.values.standard_errors)[:2], rtol=1e-12
    )
    # The square of the last slope is no number of float64: the value is 1 in all its digits.
    assert found.values.standard_errors[2] == 0.0
    np.testing.assert_allclose(found.values.df[:2], own.values.df[:2], rtol=1e-10)
