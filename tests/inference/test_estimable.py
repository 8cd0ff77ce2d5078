"""What the data determine: results of dependent columns are those of independent ones."""

import warnings

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
)
from mcmodels.exceptions import (
    FitWarning,
    IndefiniteCovarianceWarning,
    InferenceError,
    NotEstimableWarning,
)
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import Estimate

pytestmark = pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")

# Both fits have relative errors of about κε times a few; κ of these designs is below 1e3. Gradients
# are below 1e-13 of the weight at the end of Newton's method.
CLOSE = {"rtol": 1e-10, "atol": 1e-11}
KINDS = [
    ("HC0", {}),
    ("HC1", {}),
    ("HC2", {}),
    ("HC3", {}),
    ("cluster", {"groups": 10}),
    ("two-way", {"groups": (40, 37)}),
    ("HAC", {"max_lags": 3}),
]


def indicators(codes, names):
    return pd.DataFrame(
        (codes[:, np.newaxis] == np.arange(len(names))).astype(float), columns=names
    )


def design(seed, n=120):
    """Dependent columns, and independent ones with the same span; which columns are outside.

    One to four factors with all levels, some with an empty cell or an interaction; copies and sums
    of columns; columns in the order of a shuffle, with an intercept.
    """
    rng = np.random.default_rng(seed)
    numbers = pd.DataFrame(rng.normal(size=(n, 3)), columns=["x", "z", "v"])
    numbers["z"] += 5.0 * rng.choice([0, 3]) + numbers["x"] * rng.choice([0.0, 0.8])
    numbers["v"] *= 10.0 ** rng.integers(-3, 4)
    big, small, inside = [numbers], [numbers], set()
    codes = []
    for k in range(rng.integers(1, 5)):
        levels = int(rng.integers(2, 5))
        codes.append(np.concatenate([np.arange(levels), rng.integers(0, levels, n - levels)]))
        factor = indicators(codes[k], [f"{'abcd'[k]}_{j}" for j in range(levels)])
        big.append(factor)
        small.append(factor.iloc[:, 1:])
        inside |= set(factor.columns)
    if rng.random() < 0.5 and len(codes) > 1:
        both = pd.Series(codes[0] * 10 + codes[1])
        cells = sorted(set(both))[: 10 ** int(rng.integers(1, 3))]
        cells = [cell for cell in cells if (both == cell).sum() > 3]  # others are empty
        crossed = pd.DataFrame({f"ab_{cell}": (both == cell) * 1.0 for cell in cells})
        big.append(crossed)
    if rng.random() < 0.5:
        big.append(pd.DataFrame({"copy": 3.0 * numbers["x"]}))
        inside |= {"x", "copy"}
    if rng.random() < 0.5:
        big.append(pd.DataFrame({"sum": numbers["z"] - 2.0 * numbers["v"] + 1.0}))
    dependent = pd.concat(big, axis=1)
    dependent = dependent[rng.permutation(dependent.columns)]
    # Independent columns of the same span, by exact ranks of few columns.
    kept = []
    ones = np.ones((n, 1))
    for name in dependent.columns:
        tried = np.column_stack([ones, dependent[[*kept, name]]])
        unit = tried / np.linalg.norm(tried, axis=0)
        if np.linalg.matrix_rank(unit, tol=1e-9) == tried.shape[1]:
            kept.append(name)
    outside = [
        name
        for name in dependent.columns
        if np.linalg.matrix_rank(
            (other := np.column_stack([ones, dependent.drop(columns=name)]))
            / np.linalg.norm(other, axis=0),
            tol=1e-9,
        )
        == len(kept)
    ]
    y = numbers["x"] + codes[0] + rng.normal(size=n) + 0.2 * numbers["z"]
    return dependent, dependent[kept], outside, y.to_numpy(), rng


def models(y, rng):
    n = len(y)
    counts = rng.poisson(np.exp(np.clip(0.2 * y, -2, 2)))
    score = y - np.median(y)
    return {
        "linear": (LinearRegression(), y),
        "logistic": (LogisticRegression(C=np.inf), (score + 2 * rng.logistic(size=n) > 0) * 1),
        "classes": (LogisticRegression(C=np.inf), rng.integers(0, 3, n)),
        "firth": (FirthLogisticRegression(), (score + 2 * rng.logistic(size=n) > 0) * 1),
        "poisson": (GeneralizedLinearRegressor("poisson"), counts),
        "gamma": (GeneralizedLinearRegressor("gamma", link="log"), np.exp(0.3 * y)),
        "negative binomial": (
            GeneralizedLinearRegressor("negative_binomial", theta=2.0),
            counts,
        ),
        "own": (ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True), counts),
    }


NAMES = list(models(np.zeros(5), np.random.default_rng(0)))


def pair(seed, name, weights=None, **options):
    """Fits of dependent and independent columns, or a skip where there is no maximum."""
    big, small, outside, y, rng = design(seed)
    model, target = models(y, rng)[name]
    if name != "linear":
        model.set_params(tol=1e-13)  # beyond what else stops Newton's method
    w = None if weights is None else rng.integers(0, 4, len(y)).astype(float)
    if weights is not None:
        options = {**options, "weights": weights}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        fits = [
            type(model)(**(model.get_params() | options)).fit(X, target, w) for X in (big, small)
        ]
    if fits[1].status_ != "converged":
        pytest.skip("separated classes")
    assert fits[0].status_ == ("converged" if big.shape == small.shape else "rank deficient")
    return *fits, big, small, outside, target, w


def grouped(options, n):
    if "groups" not in options:
        return options
    groups = options["groups"]
    columns = [np.arange(n) % g for g in np.atleast_1d(groups)]
    return {"groups": columns[0] if len(columns) == 1 else np.column_stack(columns)}


def rows_of(table, names, classes):
    """The rows of single features; of classes in each."""
    return [f"{k}:{name}" for k in classes for name in names] if classes else names


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(12))
def test_what_is_outside_the_dependency_is_the_same(name, seed):
    big, small, X, Z, outside, y, _ = pair(seed, name)
    classes = [1, 2] if name == "classes" else None
    chosen = rows_of(X, outside, classes)
    found, expected = big.confidence_intervals(), small.confidence_intervals()
    known = found.index[found.notna().all(axis=1)]
    np.testing.assert_array_equal(found.notna().all(axis=1), found.notna().any(axis=1))
    # NaN where, and only where, the ranks without the column say so.
    assert set(known) - set(rows_of(X, ["(intercept)"], classes)) == set(chosen)
    np.testing.assert_allclose(found.loc[chosen], expected.loc[chosen], **CLOSE)
    assert big.n_free_params_ == small.n_free_params_
    if name not in ("firth", "own"):
        for of in ("aic_", "bic_", "log_likelihood_"):
            np.testing.assert_allclose(getattr(big, of), getattr(small, of), rtol=1e-10)
    errors = np.atleast_2d(big.standard_errors_)
    assert np.isnan(errors[:, : X.shape[1]]).any(axis=0).tolist() == [
        column not in outside for column in X.columns
    ]
    diagonal = np.sqrt(np.diagonal(big.covariance_))
    np.testing.assert_array_equal(diagonal, errors.ravel())
    table = big.likelihood_ratio_tests(X, y)
    other = small.likelihood_ratio_tests(Z, y, parameters=outside)
    # Statistics are differences of objectives of about 100, each to 1e-13 of it.
    np.testing.assert_allclose(table.loc[outside, "statistic"], other["statistic"], atol=1e-8)
    lost = [column for column in X.columns if column not in outside]
    assert (table.loc[lost, "df"] == 0).all()
    assert table.loc[lost, ["statistic", "p_value"]].isna().all(axis=None)
    for shown in (str(big.summary()), big.summary()._repr_html_()):
        assert ("not determined (NA)" in " ".join(shown.split())) == bool(lost)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(8))
def test_predictions_and_effects_are_the_same(name, seed):
    big, small, X, Z, outside, _, _ = pair(seed, name)
    if name in ("linear", "poisson", "gamma", "negative binomial"):
        for kind in ("mean", "observation"):
            found, expected = (
                model.predict_interval(rows, kind=kind) for model, rows in ((big, X), (small, Z))
            )
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
    elif name != "own":
        np.testing.assert_allclose(big.predict_interval(X), small.predict_interval(Z), **CLOSE)
    if name in ("linear", "own"):
        return
    chosen = rows_of(X, outside, [0, 1, 2] if name == "classes" else None)
    for at in ("average", "means", "rows"):
        found, expected = big.marginal_effects(X, at=at), small.marginal_effects(Z, at=at)
        if at == "rows":
            found, expected = found.T, expected.T
        np.testing.assert_allclose(found.loc[chosen], expected.loc[chosen], rtol=1e-9, atol=1e-10)
        assert found.drop(index=chosen).isna().all(axis=None)


@pytest.mark.parametrize("name", ["linear", "logistic", "poisson"])
@pytest.mark.parametrize("weights", [None, "frequency", "precision", "probability"])
@pytest.mark.parametrize("seed", range(3))
def test_influence_is_the_same(name, weights, seed):
    big, small, X, Z, outside, y, w = pair(seed, name, weights)
    found, expected = big.influence(X, y, w), small.influence(Z, y, w)
    measures = [column for column in expected if not column.startswith("dfbetas_")]
    measures += [f"dfbetas_{column}" for column in outside]
    np.testing.assert_allclose(found[measures], expected[measures], rtol=1e-9, atol=1e-10)
    lost = [f"dfbetas_{column}" for column in X.columns if column not in outside]
    assert found[lost].isna().all(axis=None)


@pytest.mark.parametrize("name", ["linear", "logistic", "classes", "poisson", "own"])
@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("weights", [None, "precision"])
def test_robust_errors_are_the_same(name, kind, options, weights):
    compared = 0
    for seed in range(3):
        big, small, X, Z, outside, y, w = pair(seed, name, weights)
        if name == "classes" and kind in ("HC2", "HC3"):
            continue
        given = grouped(options, len(y))
        given["kind"] = "cluster" if kind == "two-way" else kind
        chosen = rows_of(X, outside, [1, 2] if name == "classes" else None)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = big.confidence_intervals(0.9, X, y, w, **given)
            expected = small.confidence_intervals(0.9, Z, y, w, **given)
        if any(issubclass(one.category, IndefiniteCovarianceWarning) for one in said):
            continue  # negative eigenvalues are set to zero, which depends on the coordinates
        compared += 1
        np.testing.assert_allclose(found.loc[chosen], expected.loc[chosen], rtol=1e-9, atol=1e-9)
        assert found.drop(index=chosen).filter(regex="^(?!.*intercept)", axis=0).isna().all(None)
    assert compared or (name == "classes" and kind in ("HC2", "HC3"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(6))
def test_contrasts_and_their_mutants(name, seed):
    """Differences of rows are estimable; with a part of 1e-6 along the null space they are not."""
    big, small, X, Z, _, _, _ = pair(seed, name)
    if X.shape == Z.shape:
        return
    rng = np.random.default_rng(seed)
    K = 2 if name == "classes" else 1
    parts = []
    for rows in (X, Z):
        design = np.column_stack([rows, np.ones(len(rows))])
        mix = np.random.default_rng(seed).normal(size=(2, len(rows))) / len(rows)
        parts.append(np.kron(np.eye(K)[:1], mix @ design))
    tests = [model.wald_test(R) for model, R in zip((big, small), parts, strict=True)]
    np.testing.assert_allclose(tests[0].statistic, tests[1].statistic, rtol=1e-9, atol=1e-10)
    assert tests[0].df == tests[1].df

    def of_params(R):
        return lambda params: R[:, : params.size] @ params.ravel()

    if K == 1:
        found = big.delta_method(of_params(parts[0]))
        other = small.delta_method(of_params(parts[1]))
        np.testing.assert_allclose(found.standard_error, other.standard_error, rtol=1e-9)
    # The null space by other means: the SVD of columns of unit length.
    full = np.column_stack([X, np.ones(len(X))])
    unit = np.linalg.norm(full - full.mean(axis=0), axis=0)
    unit[-1] = np.linalg.norm(full[:, -1])
    _, values, Vt = np.linalg.svd(full / unit)
    null = Vt[np.count_nonzero(values > 1e-9 * values[0]) :]
    along = null.T @ rng.normal(size=len(null))
    for row in parts[0]:
        scaled = row[: len(unit)] / unit
        mutant = scaled + 1e-6 * np.linalg.norm(scaled) / np.linalg.norm(along) * along
        mutant = np.kron(np.eye(K)[:1], (mutant * unit)[np.newaxis])
        with pytest.raises(InferenceError, match="is not estimable"):
            big.wald_test(mutant)
        if K == 1:
            with pytest.raises(InferenceError, match="is not estimable"):
                big.delta_method(of_params(mutant))


# -- classification --------------------------------------------------------------------------------


def integer_design(seed):
    """Columns of small integers with a known null space, in units of very different size."""
    rng = np.random.default_rng(seed)
    p, d = int(rng.integers(3, 9)), int(rng.integers(1, 3))
    free = p - d
    n = int(rng.integers(free + 3, 60))
    independent = rng.integers(-4, 5, size=(n, free)).astype(float)
    mixing = rng.integers(-2, 3, size=(free, d))
    mixing[0, ~mixing.any(axis=0)] = 1
    offset = rng.integers(-3, 4, size=d)
    X = np.column_stack([independent, independent @ mixing + offset])
    null = np.vstack([mixing, -np.eye(d), offset[np.newaxis]]).astype(float)
    order = rng.permutation(p)
    null = np.vstack([null[:-1][order], null[-1:]])
    X = X[:, order]
    scale = 2.0 ** rng.integers(-30, 31, size=p)
    shift = rng.integers(0, 2, size=p) * rng.integers(0, 10**6, size=p)
    X = X + shift
    null[-1] -= shift @ null[:-1]
    return X * scale, np.vstack([null[:-1] / scale[:, np.newaxis], null[-1:]]), scale, rng


@pytest.mark.parametrize("model", [LinearRegression(), GeneralizedLinearRegressor("poisson")])
@pytest.mark.parametrize("seed", range(60))
def test_integer_designs_are_classified_as_their_null_spaces_say(model, seed):
    X, null, scale, rng = integer_design(seed)
    full = np.column_stack([X, np.ones(len(X))])
    assert not (full @ null).any()  # exact: powers of two and small integers
    if np.linalg.matrix_rank((X - X.mean(axis=0)) / scale) + null.shape[1] < X.shape[1]:
        pytest.skip("the other columns depend on each other, too")
    model.fit(X, rng.poisson(2.0, len(X)))
    if model.status_ == "separated":
        pytest.skip("no maximum")
    # A parameter is estimable if no null vector has it.
    units = np.append(scale, 1.0)
    outside = ~(null != 0).any(axis=1)
    np.testing.assert_array_equal(np.isfinite(model.standard_errors_), outside)
    space = model._fit.estimable
    C = rng.integers(-3, 4, size=(20, len(units))) / 1.0
    C = C * units  # of any columns
    expected = ~((C @ null) != 0).any(axis=1)
    rows = rng.integers(-2, 3, size=(20, len(X))) @ full
    np.testing.assert_array_equal(space.are_estimable(C), expected)
    assert space.are_estimable(rows).all()


@pytest.mark.parametrize("distance", [1e-9, 1e-6])
@pytest.mark.parametrize("model", [LinearRegression(), LogisticRegression(C=np.inf)])
def test_columns_that_nearly_depend_are_determined(model, distance):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(80, 3))
    X[:, 2] = X[:, 0] + distance * rng.normal(size=80)
    model.fit(X, rng.integers(0, 2, 80))
    assert model.status_ == "converged"
    assert np.isfinite(model.standard_errors_).all()


def test_a_space_is_judged_in_any_units():
    """The Estimate, and nothing else, knows what is estimable: also after several images."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    X = np.column_stack([X, X[:, 0] - X[:, 1]]) * [1e-8, 1.0, 1e8]
    estimate = LinearRegression().fit(X, rng.normal(size=30))._fit.estimate
    J = np.array([[1e-8, 0, 1e8, 0], [0, 1.0, -1e8, 0], [0, 0, 1e8, 0], [0, 0, 0, 1.0]])
    image = estimate.image(J, J @ estimate.params, tuple("abcd"), partly=True)
    assert image.determined.tolist() == [True, True, False, True]
    again = image.image(np.eye(4)[[2, 3]], image.params[[2, 3]], ("c", "d"), partly=True)
    assert again.determined.tolist() == [False, True]
    with pytest.raises(InferenceError, match="c is not estimable"):
        image.image(np.eye(4)[[2]], image.params[[2]], ("c",))
    assert isinstance(image, Estimate)


# -- beside others ---------------------------------------------------------------------------------


def test_contrasts_against_statsmodels_with_a_pseudoinverse():
    sm = pytest.importorskip("statsmodels.api")
    for seed in range(6):
        big, _, X, _, _, y, _ = pair(seed, "linear")
        design = np.column_stack([X, np.ones(len(X))])
        other = sm.OLS(y, design).fit(method="pinv")
        R = np.random.default_rng(seed).normal(size=(3, len(X))) @ design / len(X)
        for row in R:
            theirs, ours = other.t_test(row), big.wald_test(row)
            # statsmodels inverts X'X by a pseudoinverse, which has κ²ε.
            assert ours.statistic == pytest.approx(float(theirs.tvalue.item()) ** 2, rel=1e-8)
            assert ours.p_value == pytest.approx(float(theirs.pvalue), rel=1e-7, abs=1e-14)
        joint = other.f_test(R)
        assert big.wald_test(R).statistic == pytest.approx(float(joint.fvalue), rel=1e-8)
        robust = sm.OLS(y, design).fit(method="pinv", cov_type="HC1")
        row = R[0]
        found = big.wald_test(row, X, y, kind="HC1").statistic
        # Their HC1 divides by n minus the rank, too.
        assert found == pytest.approx(float(robust.t_test(row).tvalue.item()) ** 2, rel=1e-8)


def test_the_plant_growth_of_r():
    """Dobson's plant weights: R's ``summary(lm(weight ~ group, PlantGrowth))`` prints these."""
    control = [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14]
    first = [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69]
    second = [6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26]
    X = indicators(np.repeat(np.arange(3), 10), ["ctrl", "trt1", "trt2"])
    y = np.concatenate([control, first, second])
    model = LinearRegression().fit(X, y)
    printed = {
        "trt1 - ctrl": (-0.3710, 0.2788, -1.331, 0.1944),
        "trt2 - ctrl": (0.4940, 0.2788, 1.772, 0.0877),
        "intercept + ctrl": (5.0320, 0.1971, 25.527, None),
    }
    directions = {"trt1 - ctrl": [-1, 1, 0, 0], "trt2 - ctrl": [-1, 0, 1, 0]}
    directions["intercept + ctrl"] = [1, 0, 0, 1]
    for name, (value, error, t, p) in printed.items():
        c = np.array(directions[name], dtype=float)
        found = model.delta_method(lambda theta, c=c: c @ theta)
        # Half a unit of the last digit that is printed.
        assert found.estimate == pytest.approx(value, abs=5e-5)
        assert found.standard_error == pytest.approx(error, abs=5e-5)
        test = model.wald_test(f"{name} = 0")
        assert np.sqrt(test.statistic) == pytest.approx(abs(t), abs=5e-4)
        if p is not None:
            assert test.p_value == pytest.approx(p, abs=5e-5)
    assert model.f_test_.statistic == pytest.approx(4.846, abs=5e-4)
    assert model.f_test_.p_value == pytest.approx(0.01591, abs=5e-6)
    assert model.r_squared_ == pytest.approx(0.2641, abs=5e-5)
    assert model.adjusted_r_squared_ == pytest.approx(0.2096, abs=5e-5)


# -- words -----------------------------------------------------------------------------------------


def words_of(columns, intercept=True):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(columns)
    with pytest.warns(FitWarning) as said:
        model = LinearRegression(fit_intercept=intercept).fit(frame, rng.normal(size=len(frame)))
    return str(said[0].message), model


def test_the_remedy_comes_first_and_names_the_columns():
    codes = np.arange(40)
    g = indicators(codes % 3, ["g_a", "g_b", "g_c"])
    h = indicators(codes % 4 // 2, ["h_0", "h_1"])
    x = pd.DataFrame({"x": np.sqrt(codes)})
    said, model = words_of(pd.concat([g, h, x], axis=1))
    assert said.startswith(
        "Encode with OneHotEncoder(drop=\"first\"), or leave out one of 'g_a', 'g_b', 'g_c', which "
        'sum to the intercept; encode with OneHotEncoder(drop="first"), or leave out one of '
        "'h_0', 'h_1', which sum to the intercept: X has rank 4 where 6 would be full"
    )
    assert (
        model.summary()
        .notes[0]
        .startswith(
            'NA: Encode with OneHotEncoder(drop="first"), or leave out one of g_a, g_b, g_c,'
        )
    )
    with pytest.raises(
        InferenceError, match=r"g_b = 1 cannot be tested.*\+1 g_a, \+1 g_b, \+1 g_c"
    ):
        model.wald_test("g_a = g_c, g_b = 1")
    # Half the sum is no factor; without an intercept two factors depend on each other.
    said, _ = words_of({"a": g["g_a"] / 2, "b": g["g_b"] / 2, "c": g["g_c"] / 2})
    assert said.startswith("Leave out one of 'a', 'b', 'c', which depend on each other: X has")
    said, _ = words_of(pd.concat([g, h], axis=1), intercept=False)
    assert said.startswith("Leave out one of 'g_a', 'g_b', 'g_c', 'h_0', 'h_1', which depend on")
    said, _ = words_of({"x": x["x"], "one": np.ones(40)})
    assert said.startswith("Leave out 'one', which is constant: X has rank 1")


def test_rows_outside_the_span_are_named():
    rng = np.random.default_rng(0)
    X = indicators(rng.integers(0, 3, 60), ["g_a", "g_b", "g_c"]).assign(x=rng.normal(size=60))
    new = X.head(4).copy()
    new.iloc[2, :3] = 0.0  # a level that the encoder does not know
    for model, y in (
        (LinearRegression(), rng.normal(size=60)),
        (LogisticRegression(C=np.inf), rng.integers(0, 2, 60)),
        (LogisticRegression(C=np.inf), rng.integers(0, 3, 60)),
        (GeneralizedLinearRegressor("poisson"), rng.poisson(2, 60)),
    ):
        model.fit(X, y)
        with pytest.warns(NotEstimableWarning, match=r"row\(s\) 2 are no combination"):
            found = model.predict_interval(new)
        lost = found.drop(columns=found.filter(regex="predict|probab")).isna()
        assert lost.all(axis=1).tolist() == lost.any(axis=1).tolist() == [False, False, True, False]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.predict_interval(X)
            if not isinstance(model, LinearRegression):
                model.marginal_effects(X, at="rows")
        if not isinstance(model, LinearRegression):
            for at in ("average", "rows"):
                with pytest.warns(NotEstimableWarning, match="2 are no combination"):
                    model.marginal_effects(new, at=at)


def test_functions_without_rules_are_judged_by_differences():
    rng = np.random.default_rng(0)
    X = indicators(rng.integers(0, 3, 60), ["g_a", "g_b", "g_c"]).assign(x=rng.normal(size=60))
    model = LinearRegression().fit(X, rng.normal(size=60))

    def opaque(of):
        return lambda theta: np.float64(np.exp(of([float(value) for value in theta])))

    def difference(theta):
        return theta[0] - theta[2]

    exact = model.delta_method(lambda theta: np.exp(difference(theta)))
    found = model.delta_method(opaque(difference))
    # Extrapolated differences have ten digits.
    assert found.standard_error == pytest.approx(exact.standard_error, rel=1e-9)
    with pytest.raises(InferenceError, match="g is not estimable"):
        model.delta_method(opaque(lambda theta: theta[0]))


def test_a_space_without_a_row():
    """No column with a spread: nothing but the mean of the rows is known."""
    model = LinearRegression().fit(np.ones((5, 2)), np.arange(5.0))
    space = model._fit.estimable
    assert isinstance(space, EstimableSpace)
    assert space.are_estimable(np.array([[1.0, 1, 1], [1, 0, 1], [0, 0, 1]])).tolist() == [
        True,
        False,
        False,
    ]
    assert model.predict_interval(np.ones((1, 2))).iloc[0, 0] == pytest.approx(2.0)
