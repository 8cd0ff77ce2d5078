"""LinearRegression: constructed solutions, scikit-learn's, leverage, and what it warns of."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model
from scipy import sparse

from mcmodels import LinearRegression, RowStream
from mcmodels.exceptions import ConstantTargetWarning, RankDeficiencyWarning
from tests.numerics import relative_error
from tests.problems import exact_least_squares, linear_problem
from tests.versions import BEFORE_1_9

SHAPES = {
    "tall": (60, 5, None),
    "tall deficient": (60, 6, 3),
    "wide": (8, 20, None),
    "wide deficient": (9, 20, 4),
    "square": (12, 12, None),
}
SOLVERS = ("auto", "refined", "normal", "pinv")
# The construction itself carries rounding of about the condition (10) times ε; the normal
# equations square it. 1e-8 relative is what is promised to users, 1e-12 what is reached.
CONSTRUCTED = 1e-12


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("n_targets", [None, 2])
@pytest.mark.parametrize("as_sparse", [True, False])
def test_constructed_solution(shape, solver, intercept, weighted, n_targets, as_sparse):
    n, p, rank = SHAPES[shape]
    X, y, w, coef, b = linear_problem(
        0, n, p, rank=rank, intercept=intercept, weighted=weighted, n_targets=n_targets
    )
    model = LinearRegression(solver=solver, fit_intercept=intercept)
    model.fit(sparse.csr_array(X) if as_sparse else X, y, w)
    assert relative_error(model.coef_, coef) < CONSTRUCTED
    assert relative_error(model.intercept_ * np.ones_like(b), b) < CONSTRUCTED * 10
    true_rank = rank or min(n - intercept, p)
    assert model.rank_ == true_rank
    expected = np.geomspace(10, 1, true_rank) * np.sqrt(n)
    assert relative_error(model.singular_[:true_rank], expected) < 1e-12
    assert model.singular_.shape == (min(n, p),)
    assert np.all(model.singular_[true_rank:] <= 1e-10 * model.singular_[0])
    if true_rank == p:
        assert model.condition_number_ == pytest.approx(10, rel=1e-10)
        assert model.status_ == "converged"
    else:
        assert model.condition_number_ == np.inf
        assert model.status_ == "rank deficient"


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("as_sparse", [True, False])
@pytest.mark.parametrize("intercept", [True, False])
def test_agrees_with_scikit_learn(shape, dtype, weighted, as_sparse, intercept):
    n, p, rank = SHAPES[shape]
    X, y, w, *_ = linear_problem(1, n, p, rank=rank, weighted=weighted, n_targets=2)
    X = X.astype(dtype)
    noisy = dtype == "float32" and (rank is not None)
    if noisy and BEFORE_1_9:
        pytest.skip("scikit-learn before 1.9 has no cutoff to see the rank behind float32 noise")
    # scikit-learn gets the same numbers in float64, so that the comparison is with least squares
    # and not with its float32 arithmetic; its cutoff is set to see the rank behind float32 noise.
    tol = 1e-5 if dtype == "float32" else 1e-11
    cutoff = {} if BEFORE_1_9 else {"tol": tol}  # tol is no cutoff, or is not there, before 1.9
    reference = sklearn.linear_model.LinearRegression(fit_intercept=intercept, **cutoff)
    reference.fit(X.astype(float), y, w)
    model = LinearRegression(fit_intercept=intercept)
    model.fit(sparse.csr_array(X) if as_sparse else X, y, w)
    # In float32 the dependency is broken by rounding, and each solver cuts its noise off in its
    # own coordinates: the solutions agree to that noise, 1e-7 times the condition.
    assert relative_error(model.coef_, reference.coef_) < (1e-4 if noisy else 1e-8)
    assert model.rank_ == reference.rank_
    fitted = reference.predict(X.astype(float))
    # Predictions of float32 rows are rounded to float32, a relative error of at most 6e-8.
    rounding = 6e-8 if dtype == "float32" else 1e-8
    assert relative_error(model.predict(X), fitted) < (1e-5 if noisy else rounding)


@pytest.mark.parametrize("solver", SOLVERS)
def test_float32_rows_lose_nothing_in_the_sums(solver):
    """At 300,000 rows a float32 accumulation would be off in the third digit."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((300_000, 3)).astype(np.float32) + 50
    y = X.astype(float) @ [1.0, -2.0, 0.5] + 3
    model = LinearRegression(solver=solver).fit(X, y)
    assert relative_error(model.coef_, [1.0, -2.0, 0.5]) < 1e-10


def test_shapes_are_scikit_learns():
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
    for target in (y, y[:, :1], y[:, 0]):
        ours = LinearRegression().fit(X, target)
        theirs = sklearn.linear_model.LinearRegression().fit(X, target)
        assert ours.coef_.shape == theirs.coef_.shape
        assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
        assert ours.predict(X).shape == theirs.predict(X).shape
        assert ours.params_.shape == ours.gradient_.shape == (*ours.coef_.shape[:-1], 4)
    assert LinearRegression(fit_intercept=False).fit(X, y[:, 0]).intercept_ == 0.0


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", ["tall", "tall deficient"])
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")
def test_hat_matrix_projects_and_leverage_is_its_diagonal(intercept, weighted, shape):
    n, p, rank = SHAPES[shape]
    X, y, w, *_ = linear_problem(4, n, p, rank=rank, intercept=intercept, weighted=weighted)
    model = LinearRegression(fit_intercept=intercept).fit(X, y, w)
    H = model.hat_matrix(X, w)
    assert relative_error(H @ y, model.predict(X)) < 1e-12
    assert relative_error(H @ H, H) < 1e-12
    assert relative_error(model.leverage(X, w), np.diag(H)) < 1e-13
    assert model.leverage(X, w).sum() == pytest.approx(model.rank_ + intercept, rel=1e-12)
    assert relative_error(model.leverage(sparse.csr_array(X), w), np.diag(H)) < 1e-11


def test_leverage_is_what_a_fitted_value_moves_with_its_observation():
    X, y, *_ = linear_problem(5, 25, 3)
    model = LinearRegression().fit(X, y)
    moved = y.copy()
    moved[7] += 1.0
    change = LinearRegression().fit(X, moved).predict(X)[7] - model.predict(X)[7]
    assert model.leverage(X)[7] == pytest.approx(change, rel=1e-11)


def test_dependent_columns_are_named():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(rng.standard_normal((40, 3)), columns=["age", "income", "tenure"])
    frame["sum"] = frame["age"] + frame["tenure"]
    with pytest.warns(
        RankDeficiencyWarning, match=r"rank 3 where 4.*'age', 'tenure', 'sum'\."
    ) as seen:
        LinearRegression().fit(frame, frame["income"])
    assert "'income'" not in str(seen[0].message)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e8 + 0.1])
def test_a_constant_column_is_named_and_gets_no_coefficient(solver, constant):
    X = np.random.default_rng(7).standard_normal((50, 3))
    X[:, 1] = constant
    with pytest.warns(RankDeficiencyWarning, match=r"rank 2 where 3.*columns x1\."):
        model = LinearRegression(solver=solver).fit(X, X[:, 0])
    assert abs(model.coef_[1]) < 1e-12
    assert model.coef_[0] == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("solver", ["auto", "normal"])
@pytest.mark.parametrize("constant", [0.0, 1 / 3, 1e8 + 0.1])
def test_a_constant_column_of_rows_in_parts_repeats_the_intercept(solver, constant):
    """As in one fit, though no row can be read again; other dependent columns are not constant."""
    X = np.random.default_rng(7).standard_normal((50, 3))
    X[:, 1] = constant
    model = LinearRegression(solver=solver)
    for part in (slice(0, 20), slice(20, 33), slice(33, 50)):
        with pytest.warns(RankDeficiencyWarning, match="every row: x1, though fit_intercept=True"):
            model.partial_fit(X[part], X[part, 0])
    X[:, 1] = X[:, 0] + X[:, 2]
    with pytest.warns(RankDeficiencyWarning, match="x0, x1, x2") as seen:
        LinearRegression(solver=solver).partial_fit(X, X[:, 0])
    assert "Constant" not in str(seen[0].message)


def test_more_columns_than_rows_are_counted_not_listed():
    X = np.random.default_rng(8).standard_normal((5, 30))
    with pytest.warns(RankDeficiencyWarning, match="5 rows for 30 columns"):
        LinearRegression().fit(X, X[:, 0])


def test_a_constant_target_is_noticed():
    X = np.random.default_rng(9).standard_normal((20, 2))
    with pytest.warns(ConstantTargetWarning, match="y takes a single value"):
        model = LinearRegression().fit(X, np.full(20, 0.3))
    assert np.abs(model.coef_).max() < 1e-15
    assert model.intercept_ == pytest.approx(0.3, rel=1e-15)


def test_a_constant_target_is_noticed_by_number_and_in_a_stream():
    X = np.random.default_rng(9).standard_normal((20, 2))
    Y = np.column_stack([X[:, 0], np.full(20, 0.3)])
    with pytest.warns(ConstantTargetWarning, match=r"targets \[1\] of y"):
        LinearRegression().fit(X, Y)
    stream = RowStream([(X[:12], Y[:12]), (X[12:], Y[12:])])
    with pytest.warns(ConstantTargetWarning, match=r"targets \[1\] of y") as found:
        LinearRegression().fit(stream)
    assert found[0].filename == __file__


def test_a_good_fit_is_silent():
    X, y, *_ = linear_problem(10, 40, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LinearRegression().fit(X, y)
        model.predict(X)
    assert model.solver_ == "normal"


def test_rcond_decides_what_counts_as_dependent():
    rng = np.random.default_rng(11)
    X = rng.standard_normal((50, 2))
    X = np.column_stack([X, X[:, 0] + 1e-5 * rng.standard_normal(50)])
    y = rng.standard_normal(50)
    assert LinearRegression().fit(X, y).rank_ == 3
    for solver in SOLVERS:
        with pytest.warns(RankDeficiencyWarning):
            assert LinearRegression(rcond=1e-3, solver=solver).fit(X, y).rank_ == 2


def test_auto_says_which_factorisation_it_used():
    easy = linear_problem(12, 60, 4, condition=10)
    hard = linear_problem(12, 60, 4, condition=1e9)
    assert LinearRegression().fit(easy.X, easy.y).solver_ == "normal"
    assert LinearRegression().fit(hard.X, hard.y).solver_ == "pinv"


@pytest.mark.parametrize("condition", [1e2, 1e5, 1e8])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("intercept", [True, False])
def test_auto_solves_ill_conditioned_rows_to_the_last_digits(condition, weighted, intercept):
    """Against the exact rational solution of the float64 rows."""
    X, y, w, *_ = linear_problem(
        13, 14, 3, condition=condition, weighted=weighted, intercept=intercept
    )
    model = LinearRegression(fit_intercept=intercept).fit(X, y, w)
    Z = np.column_stack([X, np.ones(14)]) if intercept else X
    exact = exact_least_squares(Z, y, np.ones(14) if w is None else w)
    # One rounding of the result; what is lost beyond it grows with the square of ε only.
    assert relative_error(model.params_, exact) < 4e-16


@pytest.mark.parametrize("n", [100, 3000, 20_000, 100_000])
def test_equal_rows_do_not_hide_a_dependency(n):
    """All indicators of a factor beside an intercept: rounding errors of equal rows are equal."""
    rng = np.random.default_rng(0)
    for levels in (2, 3, 6):
        codes = np.sort(rng.choice(levels, n, p=rng.dirichlet(np.full(levels, 0.5))))
        present = np.unique(codes)
        X = (codes[:, np.newaxis] == present).astype(float)
        y = rng.normal(size=n)
        if len(present) == 1:
            continue
        with pytest.warns(RankDeficiencyWarning):
            model = LinearRegression().fit(X, y)
        assert model.rank_ == len(present) - 1
        means = np.array([y[codes == level].mean() for level in present])
        # The fitted values are the means of the groups; they are below 1, and sums of n terms.
        assert np.abs(model.predict(np.eye(len(present))) - means).max() < 1e-12
