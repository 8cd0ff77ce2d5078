"""Standard errors, likelihoods and sandwiches of logistic fits: references, laws, refusals."""

import pickle
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse

from mcmodels import LogisticRegression, RowStream, likelihood_ratio_test
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning, SeparationWarning
from tests import certified
from tests.numerics import central_differences, complex_step, relative_error

# statsmodels inverts the information matrix of the raw columns, whose condition here is about 1e8:
# half of the digits of float64 are left to compare. About 1e-10 is seen.
THEIRS = 1e-8
# The same sums in another order, in coordinates of condition below 1e3.
EXACT = 1e-11
FAR = np.array([1e6, 0.0, 0.0, 0.0])


def rows_of(seed, n_classes=2, n=300):
    """Correlated columns, far from zero, scaled over four decades, the last 0 or 1; and labels."""
    rng = np.random.default_rng(seed)
    base = rng.standard_normal((n, 3)) + 0.7 * rng.standard_normal((n, 1))
    base = np.column_stack([base, rng.random(n) < 0.4])
    eta = (base - [0, 0, 0, 0.4]) @ rng.standard_normal((4, n_classes))
    y = (eta + rng.gumbel(size=eta.shape)).argmax(axis=1)
    return base * [1, 30, 0.01, 1] + [0, 400, 0.2, 0], y


def with_ones(X, intercept=True):
    return np.column_stack([X, np.ones(len(X))]) if intercept else X


def fitted(X, y, w=None, **options):
    return LogisticRegression(**{"C": np.inf} | options).fit(X, y, sample_weight=w)


@cache
def binary(seed, intercept):
    """Our fit, and statsmodels' Logit, on data in which all else is the same."""
    X, y = rows_of(seed)
    X = X if intercept else X - X.mean(axis=0)
    return X, y, fitted(X, y, fit_intercept=intercept), logit(X, y, intercept)


def logit(X, y, intercept=True, model=sm.Logit, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a tolerance of 1e-14 is not always reached
        return model(y, with_ones(X, intercept)).fit(
            method="newton", tol=1e-14, maxiter=100, disp=0, **options
        )


def glm(X, y, **options):
    """The deviance is flat at its minimum: only the parameters tell when all digits are there."""
    model = sm.GLM(y, with_ones(X), family=sm.families.Binomial(), **options)
    return model.fit(tol=1e-14, tol_criterion="params", maxiter=30)


def shown(model, *rows, **options):
    return model.summary(*rows, **options).to_frame()


@pytest.mark.parametrize("name", ["titanic_survival", "mtcars_am", "mtcars_vs", "menarche"])
def test_against_sixty_digits(name):
    about, data = certified.answers(name), certified.table(name)
    X, y, w = data[about["terms"]], data[about["response"]], None
    if about["trials_column"]:  # counts are weights of one row for yes and one for no
        w = np.concatenate([y, data[about["trials_column"]] - y]).astype(float)
        X, y = pd.concat([X, X]), np.repeat([1, 0], len(y))
    model, exact = fitted(X, y, w), fitted(X, y, w, tol=0)
    order = [*about["terms"], "intercept"]
    expected = [float(about["standard_errors"][term]) for term in order]
    # 8e-13 is seen for titanic, where the last Newton step left 2e-12 in the parameters. Below
    # 4e-14, without a tolerance: all that float64 holds, times the condition of the rows.
    np.testing.assert_allclose(model.standard_errors_, expected, rtol=5e-12)
    np.testing.assert_allclose(exact.standard_errors_, expected, rtol=2e-13)
    np.testing.assert_allclose(
        model.params_, [float(about["params"][t]) for t in order], rtol=1e-11
    )
    # At a maximum errors of the parameters are squared: rounding alone is left.
    assert model.log_likelihood_ == pytest.approx(float(about["log_likelihood"]), rel=1e-14)
    null = float(about["log_likelihood_null"])
    assert model.null_log_likelihood_ == pytest.approx(null, rel=1e-14)
    if about["aic"]:
        assert model.aic_ == pytest.approx(float(about["aic"]), rel=1e-14)


def test_several_classes_against_fifty_digits():
    about, data = certified.answers("anes96_mnlogit"), certified.table("anes96_mnlogit")
    frame = shown(fitted(data[about["terms"]], data[about["response"]], tol=0))
    order = [f"class{k}.{t}" for k in range(1, 7) for t in (*about["terms"], "intercept")]
    # 3e-14 is seen with a tolerance of zero, 3e-12 with that of the default.
    for column, key in (("standard_error", "standard_errors"), ("coefficient", "params")):
        expected = [float(about[key][name]) for name in order]
        np.testing.assert_allclose(frame[column], expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("intercept", [True, False])
def test_two_classes_against_logit(seed, intercept):
    _, _, model, theirs = binary(seed, intercept)
    assert relative_error(model.covariance_, theirs.cov_params()) < THEIRS
    frame = shown(model, level=0.9)
    for column, expected in {
        "coefficient": theirs.params,
        "standard_error": theirs.bse,
        "z": theirs.tvalues,
        "p_value": theirs.pvalues,
    }.items():
        np.testing.assert_allclose(frame[column], expected, rtol=10 * THEIRS, err_msg=column)
    assert relative_error(frame[["lower", "upper"]], theirs.conf_int(0.1)) < THEIRS
    intervals = model.confidence_intervals(0.9)
    np.testing.assert_array_equal(intervals, frame[["lower", "upper"]])
    # Likelihoods are flat at their maximum; only that of statsmodels' null fit is less exact.
    ours = [model.log_likelihood_, model.null_log_likelihood_, model.mcfadden_r_squared_]
    np.testing.assert_allclose(ours, [theirs.llf, theirs.llnull, theirs.prsquared], rtol=1e-9)
    np.testing.assert_allclose([model.aic_, model.bic_], [theirs.aic, theirs.bic], rtol=1e-12)
    if intercept:
        test = model.likelihood_ratio_test_
        assert test.df == theirs.df_model
        assert test.statistic == pytest.approx(theirs.llr, rel=1e-8)
        assert test.p_value == pytest.approx(theirs.llr_pvalue, rel=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_counts_against_glm(seed):
    X, y = rows_of(seed)
    w = np.random.default_rng(seed).integers(0, 4, len(y)).astype(float)
    model = fitted(X, y, w)
    theirs = glm(X, y, freq_weights=w)
    assert relative_error(model.covariance_, theirs.cov_params()) < THEIRS
    ours = [model.log_likelihood_, model.null_log_likelihood_, model.aic_]
    np.testing.assert_allclose(ours, [theirs.llf, theirs.llnull, theirs.aic], rtol=1e-12)
    # theirs counts rows in log n; we count what the weights stand for.
    bic = -2 * theirs.llf + 5 * np.log(w.sum())
    assert model.bic_ == pytest.approx(bic, rel=1e-12)


@pytest.mark.parametrize("reference", [0, 1, 2, 3])
def test_several_classes_against_mnlogit(reference):
    X, y = rows_of(5, n_classes=4)
    # MNLogit compares with its first class.
    first = np.where(y == reference, -1, y)
    model, theirs = fitted(X, y), logit(X, first, model=sm.MNLogit)
    frame = shown(model, reference=reference)
    assert list(frame.index.levels[0]) == [k for k in range(4) if k != reference]
    params, errors = np.asarray(theirs.params), np.asarray(theirs.bse)
    np.testing.assert_allclose(frame["coefficient"], params.T.ravel(), rtol=THEIRS)
    np.testing.assert_allclose(frame["standard_error"], errors.T.ravel(), rtol=THEIRS)
    np.testing.assert_allclose(frame["p_value"], theirs.pvalues.T.ravel(), rtol=10 * THEIRS)
    intervals = model.confidence_intervals(0.95, reference=reference)
    assert relative_error(intervals, np.reshape(theirs.conf_int(), (-1, 2))) < THEIRS
    ours = [model.log_likelihood_, model.null_log_likelihood_, model.aic_, model.bic_]
    expected = [theirs.llf, theirs.llnull, theirs.aic, theirs.bic]
    np.testing.assert_allclose(ours, expected, rtol=1e-9)
    assert model.likelihood_ratio_test_.p_value == pytest.approx(theirs.llr_pvalue, rel=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("ways", [0, 1, 2])
def test_sandwiches_against_statsmodels(n_classes, ways):
    X, y = rows_of(7, n_classes)
    rng = np.random.default_rng(0)
    groups = np.column_stack([rng.integers(0, 13, len(y)), rng.integers(0, 8, len(y))])
    groups = groups[:, 0] if ways == 1 else groups
    ours = {"kind": "cluster", "groups": groups} if ways else {"kind": "HC0"}
    about = {"cov_type": "cluster", "cov_kwds": {"groups": groups}} if ways else {"cov_type": "HC0"}
    theirs = logit(X, y, model=sm.Logit if n_classes == 2 else sm.MNLogit, **about)
    frame = shown(fitted(X, y), X, y, **ours)
    np.testing.assert_allclose(
        frame["standard_error"], np.asarray(theirs.bse).T.ravel(), rtol=THEIRS
    )


@pytest.mark.parametrize("kind", ["HC1", "HC2", "HC3"])
def test_corrected_sandwiches_by_dense_formulas(kind):
    # statsmodels calls HC1 to HC3 what is HC0 for logistic fits.
    X, y, model, _ = binary(1, True)
    Z, p = with_ones(X), model.predict_proba(X)[:, 1]
    A = np.linalg.inv((Z.T * (p * (1 - p))) @ Z)
    h = p * (1 - p) * np.einsum("ij,jk,ik->i", Z, A, Z)
    n, P = Z.shape
    squares = (y - p) ** 2 * {"HC1": n / (n - P), "HC2": 1 / (1 - h), "HC3": 1 / (1 - h) ** 2}[kind]
    expected = A @ (Z.T * squares) @ Z @ A
    # np.linalg.inv of a matrix of condition 1e8.
    assert relative_error(model.covariance(X, y, kind=kind), expected) < THEIRS


def test_iris_two_species_against_logit():
    data = pd.read_csv(certified.DATASETS / "iris.csv")
    data = data[data.Species != "setosa"]
    X, y = data.iloc[:, :4], data.Species
    frame = shown(fitted(X, y))
    theirs = logit(X.to_numpy(), (y == "virginica").to_numpy().astype(float))
    np.testing.assert_allclose(frame["standard_error"], theirs.bse, rtol=THEIRS)
    assert list(frame.index) == [*data.columns[:4], "(intercept)"]


def minus_log_posterior(X, y, penalty, shape):
    """Written anew, for complex parameters."""

    def value(theta):
        coef = theta.reshape(shape)
        eta = with_ones(X) @ np.atleast_2d(coef).T
        eta = np.column_stack([np.zeros(len(X)), eta]) if eta.shape[1] == 1 else eta
        loss = np.log(np.exp(eta).sum(axis=1)) - eta[np.arange(len(y)), y]
        return loss.sum() + penalty * (coef[..., :-1] ** 2).sum() / 2

    return value


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("C", [np.inf, 0.5])
def test_covariance_inverts_the_hessian_by_differences(n_classes, C):
    X, y = rows_of(2, n_classes)
    X = (X - X.mean(axis=0)) / X.std(axis=0) + 1
    model = fitted(X, y, C=C)
    value = minus_log_posterior(X, y, 1 / C, model.params_.shape)
    H = central_differences(lambda t: complex_step(value, t), model.params_.ravel())
    expected = np.linalg.inv(H) if n_classes == 2 else np.linalg.pinv(H, rcond=1e-7)
    # Differences of step 1e-3 are good to 1e-11, times the condition of H, about 1e2.
    assert relative_error(model.covariance_, expected) < 1e-8


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", ["nonrobust", "HC0", "HC1"])
def test_weights_are_counts_and_order_does_not_matter(seed, n_classes, kind):
    X, y = rows_of(seed, n_classes)
    rng = np.random.default_rng(seed)
    w = rng.integers(0, 4, len(y))
    rows = rng.permutation(np.repeat(np.arange(len(y)), w))
    weighted, repeated = fitted(X, y, w.astype(float)), fitted(X[rows], y[rows])
    ours = weighted.covariance(X, y, w.astype(float), kind=kind)
    assert relative_error(ours, repeated.covariance(X[rows], y[rows], kind=kind)) < EXACT
    assert weighted.bic_ == pytest.approx(repeated.bic_, rel=1e-13)
    np.testing.assert_allclose(shown(weighted), shown(repeated), rtol=1e-9, atol=1e-12)


def test_class_weights_are_weights():
    X, y = rows_of(0, 3)
    by_class = fitted(X, y, class_weight={0: 2.0, 1: 1.0, 2: 3.0})
    by_row = fitted(X, y, np.array([2.0, 1.0, 3.0])[y])
    assert relative_error(by_class.covariance_, by_row.covariance_) < EXACT
    assert by_class.null_log_likelihood_ == pytest.approx(by_row.null_log_likelihood_, rel=1e-14)
    HC0 = by_class.covariance(X, y, kind="HC0")
    assert (
        relative_error(HC0, by_row.covariance(X, y, np.array([2.0, 1, 3])[y], kind="HC0")) < EXACT
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", ["nonrobust", "HC0"])
def test_units_and_origins_of_columns(n_classes, kind):
    X, y = rows_of(3, n_classes)
    units = np.array([1e-9, 1e9, 1e4, 1.0])

    def slopes(moved):
        V = fitted(moved, y).covariance(moved, y, kind=kind)
        errors = np.sqrt(np.diagonal(V)).reshape(-1, 5)[:, :4]
        return errors

    assert relative_error(slopes(X * units) * units, slopes(X)) < EXACT
    # At 1e6 an entry is rounded to 1e-10, which is all that the shift may cost: 1e-11 is seen.
    # Squares formed about zero would cost all but four digits.
    assert relative_error(slopes(X + FAR), slopes(X)) < 1e-9


def test_a_saturated_multinomial_is_two_counts():
    counts = np.array([[7, 20, 13], [31, 4, 16]])  # cells: group by class
    X = np.repeat([[0.0], [1.0]], 3, axis=0)
    y = np.tile(["a", "b", "c"], 2)
    model = fitted(X, y, counts.ravel().astype(float))
    log = np.log(counts)
    for reference in range(3):
        others = [k for k in range(3) if k != reference]
        frame = shown(model, reference="abc"[reference])
        odds = log[:, others] - log[:, [reference]]
        variances = 1 / counts[:, others] + 1 / counts[:, [reference]]
        # Log-odds and their errors in closed form; the fit ends within 1e-12 of them.
        expected = np.column_stack([odds[1] - odds[0], odds[0]]).ravel()
        np.testing.assert_allclose(frame["coefficient"], expected, rtol=1e-10)
        errors = np.sqrt(np.column_stack([variances.sum(axis=0), variances[0]])).ravel()
        np.testing.assert_allclose(frame["standard_error"], errors, rtol=1e-10)


def test_penalised_fits_state_a_posterior():
    X, y = rows_of(4)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = fitted(X, y, C=0.3)
    Z, p = with_ones(X), model.predict_proba(X)[:, 1]
    H = (Z.T * (p * (1 - p))) @ Z + np.diag([1, 1, 1, 1, 0]) / 0.3
    assert relative_error(model.covariance_, np.linalg.inv(H)) < EXACT
    frame = shown(model)
    assert list(frame.columns) == ["coefficient", "standard_error", "lower", "upper"]
    assert "normal prior of variance C" in str(model.summary())
    assert "p_value" in shown(model, p_values=True)
    assert "p_value" not in shown(fitted(X, y), p_values=False)
    likelihood = np.log(np.where(y == 1, p, 1 - p)).sum()
    assert model.log_likelihood_ == pytest.approx(likelihood, rel=1e-13)
    for of in ("aic_", "bic_", "likelihood_ratio_test_"):
        with pytest.raises(InferenceError, match=r"penalised \(C=0.3\).*C=np.inf"):
            getattr(model, of)
    three, codes = rows_of(4, 3)
    model = fitted(three, codes, C=2.0)
    # Intercepts sum to zero over the classes: the pseudoinverse of H, of condition 1e9 here.
    assert relative_error(model.covariance_, np.linalg.pinv(model.hessian_)) < 1e-8


def test_nested_fits():
    X, y, big, _ = binary(0, True)
    small = fitted(X[:, :2], y)
    test = likelihood_ratio_test(small, big)
    expected = 2 * (logit(X, y).llf - logit(X[:, :2], y).llf)
    assert (test.df, test.statistic) == (2, pytest.approx(expected, rel=1e-9))
    with pytest.raises(InferenceError, match="no intercept"):
        _ = binary(0, False)[2].likelihood_ratio_test_


def test_what_is_not_determined_is_refused():
    X = np.array([[0.0], [1], [2], [3]])
    with pytest.warns(SeparationWarning):
        model = fitted(X, [0, 0, 1, 1])
    for of in ("covariance_", "standard_errors_", "aic_", "likelihood_ratio_test_"):
        with pytest.raises(InferenceError, match=r"classes are separated.*Penalise"):
            getattr(model, of)
    X, y = rows_of(0)
    data = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "twice a": 2 * X[:, 0]})
    with pytest.warns(RankDeficiencyWarning):
        model = fitted(data, y)
    assert model.summary().notes[0].startswith("NA: Leave out one of a, twice a")
    for found in (
        model.standard_errors_,
        np.diagonal(model.covariance(data, y, kind="HC0")),
    ):
        assert np.isnan(found).tolist() == [True, False, True, False]
    assert np.isnan(model.marginal_effects(data)["coefficient"]).tolist() == [True, False, True]


def test_what_cannot_be_answered_is_refused():
    X, y = rows_of(0, 3)
    model, two = fitted(X, y), fitted(X, y == 1)
    with pytest.raises(InferenceError, match="single cluster"):
        model.covariance(X, y, kind="cluster", groups=np.zeros(len(y)))
    for kind in ("HC2", "HC3"):
        with pytest.raises(InferenceError, match=r"not defined for more than two classes.*HC0"):
            model.covariance(X, y, kind=kind)
    with pytest.raises(ValueError, match=r"reference=7 is not a class.*0, 1, 2"):
        model.summary(reference=7)
    with pytest.raises(ValueError, match="reference='b' is not a class"):
        model.summary(reference="b")
    with pytest.raises(ValueError, match="log-odds are of True against False"):
        two.summary(reference=True)
    with pytest.raises(ValueError, match=r"'x9', which is not a parameter.*x0"):
        two.wald_test("x9 = 0")
    for few in (X[:-1], y[:-1]), (X[:0:-1], y[:0:-1]):
        with pytest.raises(ValueError, match=r"X has 299 rows; the model was fitted to 300"):
            model.covariance(*few, kind="HC0")
    with pytest.raises(ValueError, match="weights of the rows sum to"):
        model.covariance(X, y, np.full(len(y), 2.0), kind="HC0")
    for of in ("influence", "residuals"):
        with pytest.raises(InferenceError, match=f"{of} is for two classes, and there are 3"):
            getattr(model, of)(X, y)
    with pytest.raises(InferenceError, match="score_test is for two classes, and there are 3"):
        model.score_test(X, y, X[:, 0] ** 2)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_other_ways_to_the_same_fit(n_classes):
    X, y = rows_of(6, n_classes)
    whole = fitted(X, y)
    kept = pickle.loads(pickle.dumps(whole))
    np.testing.assert_array_equal(kept.covariance_, whole.covariance_)
    assert str(kept.summary()) == str(whole.summary())
    streamed = LogisticRegression(C=np.inf).fit(
        RowStream(lambda: ((X[i : i + 50], y[i : i + 50]) for i in range(0, len(y), 50)))
    )
    for other in (streamed, fitted(sparse.csr_array(X), y)):
        # Sums in another order, of squares about zero in the sparse case.
        assert relative_error(other.covariance_, whole.covariance_) < 1e-9
        np.testing.assert_allclose(shown(other), shown(whole), rtol=1e-8)
        HC0 = other.covariance(X, y, kind="HC0")
        assert relative_error(HC0, whole.covariance(X, y, kind="HC0")) < 1e-9
    single = X.astype(np.float32)
    rounded = fitted(single, y)
    # The same numbers in float64 are the same problem.
    assert relative_error(rounded.covariance_, fitted(single.astype(float), y).covariance_) < EXACT
