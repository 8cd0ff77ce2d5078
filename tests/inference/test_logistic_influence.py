"""Influence and residuals of rows, and columns left out: GLM, Newton steps by hand, refits."""

import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse, stats
from scipy.special import expit

from mcmodels import LogisticRegression, RowStream, likelihood_ratio_test
from mcmodels.exceptions import InferenceError
from tests import certified
from tests.inference.test_logistic_model import FAR, THEIRS, fitted, glm, rows_of, with_ones
from tests.numerics import relative_error

DFBETAS = [f"dfbetas_x{j}" for j in range(4)] + ["dfbetas_(intercept)"]


def gradient_and_hessian(theta, Z, y, w, penalty):
    p = expit(Z @ theta)
    ridge = penalty * np.append(np.ones(len(theta) - 1), 0.0)
    return Z.T @ (w * (p - y)) + ridge * theta, (Z.T * (w * p * (1 - p))) @ Z + np.diag(ridge)


def centred(seed, n=120):
    """Columns of length one about zero, whose normal equations keep their digits."""
    X, y = rows_of(seed, n=n)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("intercept", [True, False])
def test_against_glm(seed, intercept):
    X, y = rows_of(seed)
    X = X if intercept else X - X.mean(axis=0)
    model = fitted(X, y, fit_intercept=intercept)
    family = sm.families.Binomial()
    fit = sm.GLM(y, with_ones(X, intercept), family=family).fit(
        tol=1e-14, tol_criterion="params", maxiter=30
    )
    theirs, ours = fit.get_influence(), model.influence(X, y)
    for column, expected in {
        "leverage": theirs.hat_matrix_diag,
        "cooks_distance": theirs.cooks_distance[0],
        "standardized_residual": theirs.resid_studentized,
        "pearson_residual": fit.resid_pearson,
        "deviance_residual": fit.resid_deviance,
    }.items():
        np.testing.assert_allclose(ours[column], expected, rtol=THEIRS, err_msg=column)
    assert relative_error(ours.iloc[:, 5:], theirs.dfbetas) < THEIRS
    # The trace of a projection: the number of parameters.
    assert ours["leverage"].sum() == pytest.approx(model.params_.size, rel=1e-10)
    for kind in ("deviance", "pearson"):
        np.testing.assert_allclose(model.residuals(X, y, kind=kind), ours[f"{kind}_residual"])
    deviance = np.sum(model.residuals(X, y) ** 2)
    assert deviance == pytest.approx(-2 * model.log_likelihood_, rel=1e-13)


def test_titanic_against_glm():
    about, data = certified.answers("titanic_survival"), certified.table("titanic_survival")
    X, y = data[about["terms"]], data[about["response"]]
    ours, theirs = fitted(X, y).influence(X, y), glm(X.to_numpy(), y.to_numpy()).get_influence()
    assert list(ours.columns[5:]) == [f"dfbetas_{t}" for t in (*about["terms"], "(intercept)")]
    np.testing.assert_allclose(ours["leverage"], theirs.hat_matrix_diag, rtol=THEIRS)
    np.testing.assert_allclose(ours["cooks_distance"], theirs.cooks_distance[0], rtol=THEIRS)
    assert relative_error(ours.iloc[:, 5:], theirs.dfbetas) < THEIRS


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("C", [np.inf, 0.8])
def test_one_newton_step_without_the_row(weighted, C):
    X, y = centred(0)
    rng = np.random.default_rng(0)
    w = rng.integers(0, 4, len(y)).astype(float) if weighted else np.ones(len(y))
    model = fitted(X, y, w, C=C, tol=0)
    ours = model.influence(X, y, w if weighted else None)
    Z, theta = with_ones(X), model.params_
    _, H = gradient_and_hessian(theta, Z, y, w, 1 / C)
    for i in range(len(y)):
        without = w.copy()
        without[i] = 0.0
        slope, curvature = gradient_and_hessian(theta, Z, y, without, 1 / C)
        change = np.linalg.solve(curvature, slope)  # θ̂ minus the step's end
        expected = change / np.sqrt(np.diagonal(np.linalg.inv(H)))
        # A gradient that is zero up to 1e-14, divided by standard errors of about 0.2.
        np.testing.assert_allclose(ours.loc[i, DFBETAS], expected, rtol=1e-9, atol=1e-12)
        # Cook's distance is the length of what the step leaves of the whole's curvature, without
        # a penalty and but for one factor 1 - h.
        h = ours.loc[i, "leverage"]
        p = expit(Z[i] @ theta)
        hand = w[i] * p * (1 - p) * Z[i] @ np.linalg.solve(H, Z[i])
        assert h == pytest.approx(hand, rel=1e-10)
        if C == np.inf:
            length = change @ H @ change / len(theta)
            assert ours.loc[i, "cooks_distance"] == pytest.approx(length, rel=1e-8, abs=1e-20)


def test_refits_without_each_row():
    X, y = centred(1)
    model = fitted(X, y)
    ours, errors = model.influence(X, y), model.standard_errors_
    refits = np.array([fitted(np.delete(X, i, 0), np.delete(y, i)).params_ for i in range(len(y))])
    truth = (model.params_ - refits) / errors
    steps = ours[DFBETAS].to_numpy()
    # One Newton step is off by a term of second order in the change, which is 0.46 standard errors
    # at most here: 0.05 is seen, and the same row and parameter are moved most.
    assert np.abs(steps - truth).max() < 0.15 * np.abs(truth).max()
    assert np.abs(steps).argmax() == np.abs(truth).argmax()


def test_weights_names_index_and_storages():
    X, y = rows_of(2)
    w = np.random.default_rng(2).integers(0, 3, len(y)).astype(float)
    data = pd.DataFrame(X, columns=list("pqrs"), index=np.arange(len(X)) + 500)
    labels = np.array(["no", "yes"])[y]
    model = LogisticRegression(C=np.inf).fit(data, labels, sample_weight=w)
    ours = model.influence(data, labels, w)
    assert list(ours.index) == list(data.index)
    assert ours.columns[-1] == "dfbetas_(intercept)"
    absent = ours[w == 0]
    assert (absent.drop(columns="leverage") == 0).all(axis=None)
    assert (absent["leverage"] == 0).all()
    # Leverage of one row of a pair given twice is half of the pair's.
    rows = np.repeat(np.arange(len(y)), w.astype(int))
    repeated = fitted(X[rows], y[rows]).influence(X[rows], y[rows])
    summed = repeated["leverage"].groupby(rows).sum()
    np.testing.assert_allclose(ours["leverage"][w > 0], summed, rtol=1e-9)
    squares = (repeated["pearson_residual"] ** 2).groupby(rows).sum()
    np.testing.assert_allclose(ours["pearson_residual"][w > 0] ** 2, squares, rtol=1e-8)
    streamed = LogisticRegression(C=np.inf).fit(
        RowStream(
            lambda: ((X[i : i + 70], y[i : i + 70], w[i : i + 70]) for i in range(0, 300, 70))
        )
    )
    plain = fitted(X, y, w)
    for other, rows_in in (
        (plain, sparse.csr_array(X)),
        (plain, np.asfortranarray(X)),
        (pickle.loads(pickle.dumps(plain)), X),
        (streamed, X),
    ):
        # Sums in another order, in coordinates of condition below 1e3.
        assert relative_error(other.influence(rows_in, y, w), ours) < 1e-10
    single = X.astype(np.float32)
    rounded, double = fitted(single, y), fitted(single.astype(float), y)
    expected = double.influence(single.astype(float), y)
    assert relative_error(rounded.influence(single, y), expected) < 1e-10


def test_far_from_zero():
    X, y = rows_of(3)
    there = X + FAR
    ours, expected = fitted(there, y).influence(there, y), fitted(X, y).influence(X, y)
    # All but the intercept's; the entries are rounded to 1e-10.
    assert relative_error(ours.iloc[:, :-1], expected.iloc[:, :-1]) < 1e-8


def test_residuals_of_rows_all_but_certain():
    model = fitted([[0.0], [1], [2], [3], [4], [5]], [0, 0, 1, 0, 1, 1])
    x = np.array([[-1000.0], [-500], [-50], [0], [50], [1000]])
    eta = model.decision_function(x)
    for label, sign in ((1, 1.0), (0, -1.0)):
        y = np.full(6, label)
        pearson = model.residuals(x, y, kind="pearson")
        # (y - p)/√(p(1 - p)) has the logarithm ∓η/2, and -2 log p(y) is about 2|η| far out.
        np.testing.assert_allclose(np.log(np.abs(pearson)), -sign * eta / 2, rtol=1e-13)
        deviance = model.residuals(x, y)
        assert np.isfinite(deviance).all()
        assert (sign * deviance >= 0).all()  # zero where its square underflows
        wrong = sign * eta < -50
        np.testing.assert_allclose(deviance[wrong], sign * np.sqrt(2 * np.abs(eta[wrong])))
        assert (np.abs(deviance[sign * eta > 800]) < 1e-150).all()
    with pytest.raises(ValueError, match="y holds the class 2, which was not in the training rows"):
        model.residuals(x, [0, 1, 2, 0, 1, 1])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("columns", [[3], [2, 3]])
@pytest.mark.parametrize("intercept", [True, False])
def test_score_test_by_dense_formulas(seed, columns, intercept):
    X, y = centred(seed)
    w = np.random.default_rng(seed).integers(0, 4, len(y)).astype(float)
    kept, candidate = np.delete(X, columns, axis=1), X[:, columns]
    model = fitted(kept, y, w, fit_intercept=intercept, tol=0)
    ours = model.score_test(kept, y, candidate, w)
    # Of the whole design at the restricted fit: Uᵀ H⁻¹ U.
    Z = np.column_stack([candidate, with_ones(kept, intercept)])
    theta = np.append(np.zeros(len(columns)), model.params_)
    p = expit(Z @ theta)
    U, H = Z.T @ (w * (y - p)), (Z.T * (w * p * (1 - p))) @ Z
    # Columns of condition below ten: rounding alone.
    assert ours.statistic == pytest.approx(U @ np.linalg.solve(H, U), rel=1e-10)
    assert ours.df == len(columns)
    assert ours.p_value == pytest.approx(stats.chi2.sf(ours.statistic, ours.df), rel=1e-12)
    rows = np.repeat(np.arange(len(y)), w.astype(int))
    repeated = fitted(kept[rows], y[rows], fit_intercept=intercept, tol=0)
    again = repeated.score_test(kept[rows], y[rows], candidate[rows])
    assert again.statistic == pytest.approx(ours.statistic, rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_score_test_against_glm_and_the_likelihood_ratio(seed):
    X, y = rows_of(seed)
    kept = X[:, [0, 2, 3]]
    small, big = fitted(kept, y), fitted(X, y)
    ours = small.score_test(kept, y, pd.Series(X[:, 1], name="age"))
    assert ours.hypothesis == "age is not needed"
    theirs = glm(kept, y).score_test(exog_extra=X[:, 1:2])
    assert ours.statistic == pytest.approx(float(theirs.statistic[0]), rel=THEIRS)
    assert ours.p_value == pytest.approx(float(theirs.pvalue[0]), rel=10 * THEIRS)
    # Equal to first order; with 300 rows they are of one size.
    ratio = likelihood_ratio_test(small, big)
    assert 0.7 * ratio.statistic - 0.2 < ours.statistic < 1.3 * ratio.statistic + 0.2


def test_score_test_of_candidates_in_any_unit_and_place():
    X, y = rows_of(4)
    kept = X[:, :2]
    model = fitted(kept, y)
    expected = model.score_test(kept, y, X[:, 2:]).statistic
    # Multiples, sums with columns that are there, and constants change nothing but rounding.
    moved = X[:, 2:] * [1e-8, 1e8] + [0, 3e9] + kept[:, [0]] * [1e-8, 1e8]
    assert model.score_test(kept, y, moved).statistic == pytest.approx(expected, rel=1e-9)
    # A clock that counts seconds: its mean is 1e8 times its spread, and it is not constant.
    clock = 1.6e9 + 16 * X[:, 2] / X[:, 2].std()
    alone = model.score_test(kept, y, X[:, 2]).statistic
    # Entries are rounded to 1e-7 of 16.
    assert model.score_test(kept, y, clock).statistic == pytest.approx(alone, rel=1e-6)
    # What the fitted columns leave of a candidate is 1e-5 of it, with eleven digits.
    fitted_columns = kept[:, 0] - 3 * kept[:, 1]
    other = X[:, 2] * fitted_columns.std() / X[:, 2].std()
    near = model.score_test(kept, y, fitted_columns + 1e-5 * other)
    assert near.statistic == pytest.approx(alone, rel=1e-6)
    with pytest.raises(InferenceError, match="is a linear combination of the fitted columns"):
        model.score_test(kept, y, fitted_columns + 1e-8 * other)


def test_refusals():
    X, y = rows_of(5)
    kept = X[:, :2]
    model = fitted(kept, y)
    for candidate in (
        kept[:, 0] - 3 * kept[:, 1] + 4,
        np.full(len(y), 0.1),
        np.column_stack([X[:, 2], X[:, 2] + kept[:, 0]]),
    ):
        with pytest.raises(InferenceError, match="is a linear combination of the fitted columns"):
            model.score_test(kept, y, candidate)
    with pytest.raises(InferenceError, match="zero in all rows of positive weight"):
        model.score_test(kept, y, np.zeros(len(y)))
    for shape in ((2 * len(y),), (2, len(y))):
        with pytest.raises(ValueError, match="one value for each of the 300 rows"):
            model.score_test(kept, y, np.ones(shape))
    with pytest.raises(InferenceError, match=r"a score test.*penalised"):
        fitted(kept, y, C=1.0).score_test(kept, y, X[:, 2])
    with pytest.raises(ValueError, match="X has 299 rows; the model was fitted to 300"):
        model.influence(kept[1:], y[1:])
    with pytest.raises(ValueError, match="'raw'"):
        model.residuals(kept, y, kind="raw")
