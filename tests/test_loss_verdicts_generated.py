"""No verdict on a loss is wrong: of generated losses, closed forms tell whether a minimum exists.

Each loss is a sum of terms whose limits along a ray are known: a term of order ``t`` to a power, or
an exponential, dominates. Whether a minimum exists follows from signs alone, without a fit.
"""

import itertools
import warnings

import numpy as np
import pytest
import sklearn.exceptions

import mcmodels.exceptions
from mcmodels import LogisticRegression, MLPClassifier, ObjectiveClassifier, ObjectiveRegressor
from mcmodels.exceptions import (
    ConvergenceWarning,
    FitWarning,
    FlatObjectiveWarning,
    InferenceError,
    NoMinimumWarning,
    NonConvexLossWarning,
    SeparationWarning,
)
from tests.objective_problems import quietly

# With an intercept, and columns that take both signs, η may go to ±∞ in all rows.
# Losses that fall without bound for η → ∞ or -∞, whatever y in {0, 1}.
BOTTOMLESS = [
    "y*eta - softplus(eta)",
    "y*eta - exp(eta)",
    "-exp(eta)",
    "-exp(-2*eta)",
    "-exp(eta**2)",
    "-exp(exp(eta))",
    "-softplus(eta)",
    "-eta**4",
    "eta**3",
    "-relu(eta)**2",
    "-(y - eta)**2",
    "-(y - eta)**4",
    "-sqrt(1 + eta**2)",
    "-log(1 + eta**2)",
    "-sqrt(sqrt(1 + eta**2))",
    "-eta**2 + cos(eta)",
    "y*eta",
    "eta + sin(eta)/2",
    "relu(eta) - 2*eta",
    "exp(eta) - exp(2*eta)",
    "exp(eta) + 3*eta - eta*exp(eta)",
]
# Positive losses that tend to their infimum 0 for η → ∞ in all rows, and have it nowhere.
APPROACHED = ["exp(-eta)", "softplus(-3*eta)", "1/(1 + eta**2)", "exp(-exp(eta))", "exp(-eta**2)"]
# Losses that tend to +∞ on both sides: a minimum exists if the columns are independent.
BOUNDED = [
    "(y - eta)**2",
    "(y - eta)**4",
    "(y - eta)**6",
    "exp(eta) + exp(-2*eta) - y*eta",
    "softplus(eta) + softplus(-eta) - y*eta/2",
    "sqrt(1 + (y - eta)**2)",
    "log(1 + (y - eta)**2)",
    "(eta**2 - 1)**2 - y*eta",
    "eta**2 + 3*cos(2*eta)",
    "1e-9*(y - eta)**2",
    "1e9 + (y - eta)**2",
]
# Zero in an interval around every start, or on a half-line that is reached: flat.
FLAT = [
    "relu(eta - 5)**2",
    "relu(eta - 5)**3",
    "relu(abs(eta - y) - 30)**2",
    "relu(-eta - 2)**2",
    "relu(eta - 50)**4 + relu(-eta - 50)**2",
]


def data(seed, n=60):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    y = (X[:, 0] + rng.logistic(size=n) > 0).astype(int)
    return X, y, rng.integers(1, 6, n).astype(float)


def fitted(loss, X, y, w=None, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = ObjectiveClassifier(loss, **options).fit(X, y, w)
    return model, [warning.category for warning in caught]


WAYS = list(itertools.product([0, 1], [False, True], [False, True]))


@pytest.mark.parametrize("loss", BOTTOMLESS)
def test_a_loss_that_falls_without_bound_has_no_minimum(loss):
    """Its sign is that of its leading term, which an intercept takes to -∞ in all rows."""
    for seed, weighted, intercept in WAYS:
        X, y, w = data(seed)
        # Without an intercept a column of ones is the same ray.
        design = X if intercept else np.column_stack([X, np.ones(len(X))])
        model, said = fitted(loss, design, y, w if weighted else None, fit_intercept=intercept)
        assert model.status_ == "no minimum", (loss, seed, weighted, intercept)
        assert NoMinimumWarning in said
        assert np.isfinite(model.params_).all()
        assert np.isfinite(model.objective_)


@pytest.mark.parametrize(
    "loss", ["-exp(eta)", "-eta**4", "-(y - eta)**4", "eta**3", "-exp(eta**2)"]
)
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 100.0])
def test_a_quadratic_penalty_does_not_outweigh_a_faster_decrease(loss, alpha):
    """The intercept is not penalised; without one, the leading term is above a square.

    Near zero the penalty wins: a local minimum may be found there, and is one by its Hessian.
    """
    for intercept in (False, True):
        X, y, _ = data(3)
        model, said = fitted(loss, X, y, alpha=alpha, fit_intercept=intercept)
        if intercept:
            assert model.status_ == "no minimum"
        elif model.status_ == "converged":
            assert np.linalg.eigvalsh(model.hessian_)[0] > 0
            assert NonConvexLossWarning in said
        else:
            assert model.status_ == "no minimum"


@pytest.mark.parametrize(
    "loss",
    [
        "cos(eta) + eta",
        "-5*softplus(eta) - 0.3*cos(eta)",
        "0.3*exp(0.5*eta) + 0.3*cos(eta) - 0.3*sqrt(1 + (eta - y)**2)",
        "3*sin(eta) - sqrt(sqrt(1 + eta**4))",
    ],
)
def test_a_wave_on_a_slope_does_not_hide_that_it_falls_for_ever(loss):
    """Linear or faster on one side; where the wave is steeper there are local minima, too."""
    for seed, weighted, _ in WAYS:
        X, y, w = data(seed)
        model, said = fitted(loss, X, y, w if weighted else None, alpha=0.1)
        if model.status_ == "converged":
            assert np.linalg.eigvalsh(model.hessian_)[0] > 0
        else:
            assert model.status_ == "no minimum", (loss, seed, weighted)
            assert NoMinimumWarning in said


@pytest.mark.parametrize("loss", APPROACHED)
def test_an_infimum_that_is_nowhere_attained_is_no_minimum(loss):
    for seed, weighted, _ in WAYS:
        X, y, w = data(seed)
        model, said = fitted(loss, X, y, w if weighted else None)
        assert model.status_ == "no minimum", (loss, seed)
        assert NoMinimumWarning in said


@pytest.mark.parametrize("loss", BOUNDED)
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_a_loss_that_grows_on_both_sides_has_a_minimum(loss, alpha):
    for seed, weighted, intercept in WAYS:
        X, y, w = data(seed)
        w = w if weighted else None
        model, said = fitted(loss, X, y, w, fit_intercept=intercept, alpha=alpha)
        assert NoMinimumWarning not in said, (loss, seed, weighted, intercept)
        assert FlatObjectiveWarning not in said
        assert model.status_ == "converged", (loss, seed, weighted, intercept)
        assert_is_stationary(model, X, y, w)
        assert np.linalg.eigvalsh(model.hessian_)[0] > 0
        assert_nothing_is_lower_nearby(model, X, y, w)


def assert_is_stationary(model, X, y, w):
    """The gradient beside the sum of the sizes of its terms, from differences of single rows."""
    rows = np.column_stack([X, np.ones(len(X))])[:, : model.params_.size]
    weights = np.ones(len(X)) if w is None else w
    eta = rows @ model.params_
    h = 1e-5
    loss = model._loss_of_user()
    up, down = (loss.value(y.astype(float), eta + s) for s in (h, -h))
    terms = np.abs(rows).T @ (weights * np.abs(up - down) / (2 * h))
    # tol allows 1e-8 of the weights; Newton's last step leaves less. At an exact fit terms vanish.
    assert (np.abs(model.gradient_) <= 1e-6 * terms + 1e-8 * weights.sum()).all()


def assert_nothing_is_lower_nearby(model, X, y, w, sizes=(1e-4, 1e-2)):
    rng = np.random.default_rng(0)
    for size in sizes:
        for _ in range(10):
            other = model.params_ + size * rng.standard_normal(model.params_.size)
            there = model.objective(X, y, other, sample_weight=w)
            # A sum of 60 terms: some hundred roundings.
            assert there >= model.objective_ - 1e-13 * abs(model.objective_)


def drawn_term(rng):
    """A term of η, and for η → ±∞ its order (exponential before power, by rate) and sign."""
    a = rng.choice([-1.0, 1.0]) * rng.choice([0.01, 0.3, 1.0, 5.0])
    b = rng.choice([-2.0, -1.0, -0.5, 0.5, 1.0, 3.0])
    nothing, linear = ((0, 0.0), 0.0), (1, 1.0)
    up, down = b > 0, b < 0
    return [
        (f"{a}*exp({b}*eta)", ((2, b), a) if up else nothing, ((2, -b), a) if down else nothing),
        (f"{a}*eta", (linear, a), (linear, -a)),
        (f"{a}*(eta - y)**2", ((1, 2.0), a), ((1, 2.0), a)),
        (f"{a}*eta**4", ((1, 4.0), a), ((1, 4.0), a)),
        (f"{a}*sqrt(1 + (eta - y)**2)", (linear, a), (linear, a)),
        (f"{a}*cos(eta)", nothing, nothing),
        (
            f"{a}*softplus({b}*eta)",
            (linear, a * b) if up else nothing,
            (linear, -a * b) if down else nothing,
        ),
    ][rng.integers(7)]


def sign_of_leading(terms):
    """The sign of the sum of terms far away: that of the highest order that does not cancel."""
    total = {}
    for order, coefficient in terms:
        total[order] = total.get(order, 0.0) + coefficient
    left = {order: c for order, c in total.items() if abs(c) > 1e-12}  # sums of a few numbers ≤ 15
    return np.sign(left[max(left)]) if left else 0.0


@pytest.mark.parametrize("seed", range(4))
def test_no_verdict_on_a_drawn_loss_is_wrong(seed):
    """Sums of up to three terms, with and without weights, a penalty, an intercept.

    Where the sum tends to +∞ at both ends there is a minimum. Elsewhere a local one may be found,
    and is one by its Hessian; or it is said that there is none, which is wrong of no other loss.
    """
    rng = np.random.default_rng(seed)
    for _ in range(40):
        terms = [drawn_term(rng) for _ in range(rng.integers(1, 4))]
        loss = " + ".join(f"({text})" for text, _, _ in terms)
        ends = [sign_of_leading([term[side] for term in terms]) for side in (1, 2)]
        X, y = rng.standard_normal((30, 2)), rng.standard_normal(30)
        w = rng.integers(1, 4, 30).astype(float) if rng.random() < 0.5 else None
        model = ObjectiveRegressor(
            loss, alpha=rng.choice([0.0, 0.1]), fit_intercept=bool(rng.random() < 0.7)
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if len({text.lstrip("-") for text, _, _ in terms}) < len(terms):
                continue  # terms may cancel, and nothing is left to fit
            model.fit(X, y, w)
        said = [warning.category for warning in caught]
        assert model.status_ in ("converged", "no minimum"), loss
        if min(ends) > 0:
            assert model.status_ == "converged", loss
        if model.status_ == "converged":
            # tol bounds the gradient by 1e-8 of at most 90 of weight, or rounding of values does.
            bound = 1e-6 * max(1.0, abs(model.objective_))
            assert np.abs(model.gradient_).max() <= bound, loss
            flat = FlatObjectiveWarning in said
            assert flat or np.linalg.eigvalsh(model.hessian_)[0] > 0, loss
            # A local minimum may be narrow: that of θ²/20 - 5η⁴ at zero.
            assert_nothing_is_lower_nearby(model, X, y, w, sizes=(1e-4,))


@pytest.mark.parametrize("loss", FLAT)
def test_a_flat_loss_is_said(loss):
    for seed, weighted, intercept in WAYS:
        X, y, w = data(seed)
        model, said = fitted(loss, X, y, w if weighted else None, fit_intercept=intercept)
        assert model.status_ == "converged"
        assert not model.hessian_.any()
        assert said == [FlatObjectiveWarning], (loss, seed)


def test_a_flat_loss_is_said_with_what_is_flat():
    X, y, _ = data(0)
    with pytest.warns(
        FlatObjectiveWarning, match="in all directions of the columns x0, x1"
    ) as said:
        ObjectiveRegressor("relu(eta - 5)**2").fit(X, y)
    assert "Check the loss where eta is 0, or penalise (alpha > 0)" in str(said[0].message)
    assert said[0].filename == __file__
    with pytest.warns(FlatObjectiveWarning, match="along a direction of the intercept"):
        ObjectiveRegressor("relu(eta - 5)**2", alpha=1.0).fit(X, y)
    # The rows in which x2 is not zero have no curvature, the others do.
    with pytest.warns(FlatObjectiveWarning, match="along a direction of the columns x2 at"):
        ObjectiveRegressor("(1 - y)*(eta - 1)**2 + y*relu(eta - 50)**2").fit(
            np.column_stack([X * (y == 0)[:, np.newaxis], y]), y
        )


def test_dependent_columns_are_not_called_flat():
    X, y, _ = data(0)
    for offset in (0.0, 1e7):
        model, said = fitted("(y - eta)**4", np.column_stack([X + offset, X[:, 0] + offset]), y)
        assert model.status_ == "rank deficient"
        assert FlatObjectiveWarning not in said


@pytest.mark.parametrize("power", [4, 6, 8, 10, 16, 30])
def test_an_exact_fit_of_a_power_has_a_minimum(power):
    """Newton's steps shrink by (p-2)/(p-1) only: long, with a gradient that is small."""
    X, _, _ = data(0)
    y = 3 + X @ [1.0, -2.0]
    for loss in (f"(y - eta)**{power}", f"1 + (y - eta)**{power}"):
        model = quietly(ObjectiveRegressor(loss), X, y)
        assert model.status_ != "no minimum"
        # 1e-8, the tolerance of a gradient, is a power p - 1 of the residual.
        assert np.abs(model.predict(X) - y).max() < 1e-8 ** (1 / power) * 2


@pytest.mark.parametrize(
    "loss", ["cos(eta)", "cos(eta) + 0*y", "(eta**2 - 1)**2", "1 - exp(-eta**2)*eta**2"]
)
def test_a_start_at_a_maximum_is_left_and_says_nothing_of_minima(loss):
    for seed in range(10):
        X, y, _ = data(seed, 20)
        model, said = fitted(loss, X[:, :1], y, fit_intercept=False)
        assert model.status_ == "converged"
        assert model.hessian_[0, 0] > 0
        assert NoMinimumWarning not in said


def test_a_term_that_overflows_early_does_not_make_a_minimum_of_none():
    """``log(1 + exp(eta))`` is inf from η = 710: the loss seems to be -inf there, but is η² - η."""
    X, y, _ = data(0)
    model, said = fitted("(y - eta)**2 - log(1 + exp(eta)) - 3*cos(eta)", X, y)
    assert model.status_ == "converged"
    assert NoMinimumWarning not in said


def test_the_printed_cases():
    X = np.random.default_rng(2).normal(size=(200, 2))
    y = (X[:, 0] > 0).astype(int)
    for loss in ("y*eta - softplus(eta)", "y*eta - exp(eta)"):
        for labels in (y, 1 - y, (X[:, 0] > 0.5).astype(int), np.where(X[:, 0] > 0, "a", "b")):
            model, said = fitted(loss, X, labels)
            assert model.status_ == "no minimum"
            assert NoMinimumWarning in said
    model, said = fitted("relu(eta - 5)**2", X, y)
    assert said == [FlatObjectiveWarning]


# -- a penalty that is hardly there ----------------------------------------------------------------

TABLE = np.array([[0.0], [0], [1], [1]]), np.array([0, 1, 0, 1])
EMPTY_CELLS = [(53, 2, 0, 306), (0, 1, 1e6, 5), (30, 0, 0, 7), (1e6, 0, 1, 30), (2, 30, 0, 1e6)]


@pytest.mark.parametrize("loss", ["softplus(eta) - y*eta", "softplus(-(2*y - 1)*eta)"])
@pytest.mark.parametrize("alpha", [1e-3, 1e-6, 1e-9, 1e-16])
def test_a_penalty_gives_a_minimum_however_small_it_is(loss, alpha):
    """The loss falls for ever where classes are separated, but ever less; the penalty grows."""
    rng = np.random.default_rng(6)
    problems = [(*TABLE, np.array(cells, dtype=float)) for cells in EMPTY_CELLS]
    for _ in range(20):
        X = rng.normal(size=(20, 2))
        problems.append((X, (X[:, 0] > 0).astype(int), rng.integers(1, 6, 20).astype(float)))
    for X, y, w in problems:
        model, said = fitted(loss, X, y, w, alpha=alpha)
        assert model.status_ != "no minimum", (X, y, w)
        assert NoMinimumWarning not in said
        if model.status_ == "converged" and alpha >= 1e-9:
            # The derivative in the intercept is zero, and the coefficients balance the slopes:
            # both up to what converged allows.
            assert np.abs(model.gradient_).max() < 1e-8 * w.sum()


@pytest.mark.parametrize("intercept_falls", ["exp(-eta)", "softplus(-3*eta)", "exp(-eta) + 0*y"])
@pytest.mark.parametrize("alpha", [1e-9, 1e-3, 10.0])
def test_along_the_intercept_no_penalty_grows(intercept_falls, alpha):
    for seed in range(5):
        X, y, w = data(seed)
        model, said = fitted(intercept_falls, X, y, w, alpha=alpha)
        assert model.status_ == "no minimum"
        assert NoMinimumWarning in said


@pytest.mark.parametrize("loss", ["log(1 + exp(eta)) - y*eta", "softplus(eta) - y*eta"])
def test_rounding_does_not_hide_that_a_table_has_an_empty_cell(loss):
    """At a margin of 38 the objective may change by a rounding error, up or down."""
    for a, c, d in itertools.product([1, 2, 5, 30, 1e3], [1, 2, 30], [1, 5, 30, 1e3]):
        for cells in ((a, c, 0, d), (a, 0, c, d)):
            model, said = fitted(loss, *TABLE, np.array(cells, dtype=float))
            assert model.status_ == "no minimum" or FlatObjectiveWarning in said, cells


# -- classes of warnings --------------------------------------------------------------------------


def test_what_did_not_converge_is_caught_as_such():
    for category in (SeparationWarning, NoMinimumWarning):
        assert issubclass(category, ConvergenceWarning)
        assert issubclass(category, sklearn.exceptions.ConvergenceWarning)
        assert issubclass(category, FitWarning)
    assert not issubclass(FlatObjectiveWarning, sklearn.exceptions.ConvergenceWarning)
    assert "FlatObjectiveWarning" in mcmodels.exceptions.__all__
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    y = np.array([0, 0, 1, 1])
    models = (LogisticRegression(C=np.inf), ObjectiveClassifier("softplus(eta) - y*eta"))
    for model in models:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
            model.fit(X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("error", sklearn.exceptions.ConvergenceWarning)
            with pytest.raises(ConvergenceWarning):
                model.fit(X, y)


# -- networks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("activation", ["identity", "tanh", "relu", "logistic"])
def test_separable_rows_leave_no_critical_point(solver, activation):
    """Twice the coefficients of the last layer, a lower loss: no gradient is zero."""
    X = np.random.default_rng(2).normal(size=(200, 2))
    y = (X[:, 0] > 0).astype(int)
    for tol, labels in itertools.product((1e-4, 1e-6, 1e-8), (y, y + (X[:, 0] > 1))):
        model = MLPClassifier((4,), activation, alpha=0.0, tol=tol, solver=solver, max_iter=3000)
        quietly(model.set_params(random_state=0, compute_hessian=True), X, labels)
        if model.score(X, labels) < 1:
            continue
        with pytest.raises(InferenceError, match=r"critical_point_ is not available"):
            _ = model.critical_point_


def test_a_critical_point_is_named_once_it_is_near():
    X = np.random.default_rng(2).normal(size=(200, 2))
    y = (X[:, 0] > 0).astype(int)
    options = {"alpha": 1e-4, "random_state": 0, "compute_hessian": True, "max_iter": 5000}
    far = quietly(MLPClassifier((4,), "tanh", tol=1e-4, **options), X, y)
    with pytest.raises(InferenceError, match=r"no critical point is near.*Lower tol"):
        _ = far.critical_point_
    near = quietly(MLPClassifier((4,), "tanh", tol=1e-9, **options), X, y)
    assert near.critical_point_.kind == "minimum"
