"""Verdicts of logistic fits where numbers are extreme: huge C, weights, scales, and near ties.

The references are exact (fractions) or have 40 to 60 digits, as in test_logistic_verdicts.py.
"""

import mpmath
import numpy as np
import pytest

from mcmodels import LogisticRegression, ObjectiveClassifier, ObjectiveRegressor
from mcmodels.exceptions import ConvergenceWarning
from tests.exact_separation import exactly_separated
from tests.objective_problems import quietly
from tests.test_logistic_verdicts import LEFT, TABLE, step_that_is_left

SOLVERS = ["auto", "newton-cg"]


def fitted(X, y, weights=None, **options):
    return quietly(LogisticRegression(**({"C": np.inf} | options)), X, y, weights)


# -- a penalty that is hardly there ----------------------------------------------------------------


def reach_that_is_left(X, y, weights, C, intercept, params):
    """Largest change of a linear predictor by Newton's step on the penalised objective."""
    with mpmath.workdps(60):
        rows = [mpmath.matrix([*x, 1.0][: len(params)]) for x in X.tolist()]
        theta, p = mpmath.matrix(params.tolist()), X.shape[1]
        gradient, hessian = mpmath.zeros(len(theta), 1), mpmath.zeros(len(theta))
        for row, own, weight in zip(rows, y.tolist(), weights.tolist(), strict=True):
            margin = (2 * own - 1) * (row.T * theta)[0]
            other = 1 / (1 + mpmath.exp(margin))
            gradient -= weight * (2 * own - 1) * other * row
            hessian += weight * other * (1 - other) * row * row.T
        for j in range(p):
            gradient[j] += theta[j] / mpmath.mpf(C)
            hessian[j, j] += 1 / mpmath.mpf(C)
        step = mpmath.lu_solve(hessian, -gradient)
        return float(max(abs((row.T * step)[0]) for row in rows))


@pytest.mark.parametrize("C", [1e10, 1e16, 1e50, 1e300])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_table_has_its_log_odds_whatever_small_penalty_there_is(C, solver):
    """Newton's first step saturates the rows at x = 0; a penalty of 1e-16 gives no curvature."""
    for a, b, c, d in [(10, 1, 2, 497), (53, 2, 1, 306), (1e6, 1, 1, 1e6), (1, 1, 1, 1)]:
        model = fitted(*TABLE, np.array([a, b, c, d], dtype=float), C=C, solver=solver)
        assert model.status_ == "converged", (a, b, c, d)
        # The penalty moves the coefficient by β/C over a curvature of at least 0.4: 1e-8 at 1e10.
        assert model.coef_[0, 0] == pytest.approx(np.log(a * d / (b * c)), rel=1e-7, abs=1e-8)
        assert model.intercept_[0] == pytest.approx(np.log(b / a), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("solver", SOLVERS)
def test_converged_is_near_the_minimum_however_small_the_penalty(solver):
    """Of separated classes, too, where the penalty alone holds the minimum."""
    rng = np.random.default_rng(8)
    converged = 0
    for _ in range(80):
        n, p = rng.integers(4, 14), rng.integers(1, 4)
        X, y = rng.integers(-3, 4, (n, p)).astype(float), rng.integers(0, 2, n)
        if y.min() == y.max():
            continue
        weights = 10.0 ** rng.integers(0, rng.choice([1, 4, 7]), n)
        C, intercept = 10.0 ** rng.choice([2, 5, 8, 11, 20, 100, 300]), bool(rng.random() < 0.7)
        model = fitted(X, y, weights, C=C, fit_intercept=intercept, solver=solver)
        if model.status_ == "converged":
            converged += 1
            left = reach_that_is_left(X, y, weights, C, intercept, model.params_)
            # The step that proves a minimum nearby may change predictors by as much.
            assert left <= 0.5, (X, y, weights, C)
        else:
            # Up to 1e11, float64 holds the margins, of about log C, and their slopes.
            assert C > 1e11, (X, y, weights, C)
    assert converged > 40


def test_a_fit_that_stalls_with_a_penalty_asks_for_more():
    with pytest.warns(ConvergenceWarning, match="penalise more"):
        LogisticRegression(C=1e50).fit(*TABLE, sample_weight=[3, 1, 0, 1e5])


# -- a gradient is never left out ------------------------------------------------------------------

FIRST_ROWS = [[0, -1, 3], [-1, -1, 0], [2, 0, -1], [2, 3, -1], [-3, 0, -1], [0, -2, 1]]
STUCK = (
    [*FIRST_ROWS, [1, 0, 2], [-3, -3, 2]],
    [0, 1, 1, 0, 0, 0, 1, 1],
    [1e6, 10, 100, 10, 10, 10, 1e6, 1e3],
)


@pytest.mark.parametrize("solver", SOLVERS)
def test_rows_that_are_certain_do_not_make_a_safe_step_endless(solver):
    """After four steps all margins are above 200 but one, at -4000, and it has no curvature."""
    X, y, weights = (np.array(part, dtype=float) for part in STUCK)
    model = fitted(X, y.astype(int), weights, solver=solver)
    assert model.status_ == "converged"
    assert step_that_is_left(X, y.astype(int), weights, model.params_) < LEFT


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("far", [10.0, 1e3, 1e5])
def test_a_start_where_no_row_has_curvature_is_left(solver, far):
    """All rows of class 1 are on the wrong side, and the rows of class 0 weigh so much more."""
    rng = np.random.default_rng(4)
    X = rng.integers(100, 120, (16, 2)).astype(float)
    y = np.arange(16) % 2
    weights = np.where(y == 0, 1e16, 1.0)
    model = LogisticRegression(C=np.inf, fit_intercept=False, solver=solver, warm_start=True)
    assert quietly(model, X, y, weights).status_ == "converged"
    expected = model.objective_
    model.params_ = -far * np.array([0.3, 0.8])
    assert quietly(model, X, y, weights).status_ == "converged"
    # Of the decrease, 8e3 roundings of the objective cannot be seen.
    assert model.objective_ == pytest.approx(expected, rel=2e-12)


# -- scales ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weight", [1e-200, 1e-120, 1.0, 1e120, 1e240])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20, 1e60])
def test_squares_of_the_gradient_outside_float64_change_no_verdict(weight, scale, solver):
    """The gradient is of the size ``weight · scale``, its square beyond 1e±308."""
    if weight * scale**2 > 1e290 or weight * scale**2 < 1e-250:
        return
    rng = np.random.default_rng(0)
    for intercept in (False, True):
        X = rng.normal(size=(30, 2))
        y = (X[:, 0] + rng.logistic(size=30) > 0).astype(int)
        plain = fitted(X, y, fit_intercept=intercept)
        model = fitted(X * scale, y, np.full(30, weight), fit_intercept=intercept, solver=solver)
        assert model.status_ == "converged"
        # Both fits leave a step of 1e-8 √Σw standard errors at the most.
        np.testing.assert_allclose(model.coef_ * scale, plain.coef_, rtol=1e-7)


def test_weights_whose_products_underflow_are_refused():
    for model in (LogisticRegression(C=np.inf), LogisticRegression(C=1.0)):
        with pytest.raises(ValueError, match=r"the weights sum to 6e-300.*multiply them"):
            model.fit(TABLE[0] * 1e20, TABLE[1], sample_weight=[1e-300, 2e-300, 1e-300, 2e-300])
    # Beside others, they are as good as none.
    model = fitted(*TABLE, np.array([3, 1e-300, 2.0, 4.0]))
    assert model.status_ in ("not converged", "separated")


@pytest.mark.parametrize("power", [-300, -150, 150, 300])
def test_separation_does_not_depend_on_scales(power):
    """A direction is found among those of rows that rest, in whatever units."""
    rng = np.random.default_rng(9)
    found = 0
    for _ in range(20):
        n = int(rng.integers(12, 25))
        X = rng.integers(-2, 3, (n, 2)).astype(float)
        # One column tells the classes apart except in the rows where it is zero.
        apart = rng.integers(-1, 2, n)
        y = np.where(apart == 0, rng.integers(0, 2, n), apart > 0).astype(int)
        X = np.column_stack([X, apart - X[:, 0]])
        if y.min() == y.max():
            continue
        scaled = X * 2.0 ** np.array([0, power, -power])
        expected = exactly_separated(X, y)
        for solver in SOLVERS:
            model = fitted(scaled, y, solver=solver)
            assert (model.status_ == "separated") == expected, (X, y, solver)
        found += expected
    assert found > 10


# -- near ties -------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_third_class_is_separated_beside_two_that_hardly_overlap(solver):
    """float64 takes the overlap of two classes for none: both shall rest while the third goes."""
    rng = np.random.default_rng(10)
    for _ in range(25):
        x = np.sort(rng.normal(size=24))
        y = np.repeat([0, 1, 2], 8)
        x[8] = x[7] - 10.0 ** -rng.uniform(8, 12)
        x[16:] += 1e-3
        X = x[:, np.newaxis]
        assert exactly_separated(X, y, n_classes=3)
        assert fitted(X, y, solver=solver).status_ == "separated", x
        assert not exactly_separated(X[:16], y[:16])


# -- nothing to fit --------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 3])
def test_columns_of_zeros_without_an_intercept(columns):
    """Every parameter gives the same objective; the shortest are zero."""
    X, y = np.zeros((6, columns)), np.array([0, 1, 2, 0, 1, 1])
    for labels in (y, y > 0):
        for solver in SOLVERS:
            model = fitted(X, labels, fit_intercept=False, solver=solver)
            assert model.status_ == "rank deficient"
            assert not model.params_.any()
            assert model.objective_ == pytest.approx(6 * np.log(len(np.unique(labels))), rel=1e-15)
    classifier = ObjectiveClassifier("softplus(eta) - y*eta", fit_intercept=False)
    regressor = ObjectiveRegressor("(y - eta)**2", fit_intercept=False)
    for model in (quietly(classifier, X, y > 0), quietly(regressor, X, y * 1.0)):
        assert model.status_ == "rank deficient"
        assert not model.params_.any()


# -- several classes -------------------------------------------------------------------------------


@pytest.mark.parametrize("C", [1e4, 1e8, 1e10, 1e12])
def test_dependent_columns_under_a_small_penalty_converge(C):
    """A penalty makes the minimum unique: here of all levels of a factor, and a column twice."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        level, x = rng.integers(0, 4, 1000), rng.standard_normal(1000)
        X = np.column_stack([x, np.eye(4)[level]])
        eta = X @ rng.standard_normal((5, 4)) + [0.0, 0.0, 1.0, 2.0]
        y = (eta + rng.gumbel(size=eta.shape)).argmax(axis=1)
        assert fitted(np.column_stack([X, 2.54 * x]), y, C=C).status_ == "converged"


@pytest.mark.parametrize("seed", [674, 659, 819])
def test_weights_over_many_decades_take_no_hundred_steps(seed):
    """Steps along a class with hardly any weight must not hold up those of the others."""
    rng = np.random.default_rng(seed)
    n_classes, n, p = int(rng.integers(3, 6)), int(rng.choice([40, 200])), int(rng.integers(1, 4))
    half = [2, 4, 8, 12][seed % 4] / 2
    X = rng.standard_normal((n, p))
    eta = X @ rng.standard_normal((p, n_classes)) * 2
    y = (eta + rng.gumbel(size=(n, n_classes))).argmax(axis=1)
    model = fitted(X, y, 10.0 ** rng.uniform(-half, half, n))
    assert model.status_ == "converged"
    assert model.n_iter_[0] < 70  # 37 to 63 steps
