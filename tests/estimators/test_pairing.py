"""Arguments whose rows do not belong together: pandas indexes in another order, masked arrays."""

import functools
import inspect

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
)
from mcmodels.exceptions import InferenceError

N = 40
rng = np.random.default_rng(0)
LABELS = [f"row {i}" for i in range(N)]
X = pd.DataFrame(rng.normal(size=(N, 2)), columns=["a", "b"], index=LABELS)
TARGET = 2 * X["a"] + pd.Series(rng.normal(size=N), index=LABELS)
CLASSES = (TARGET > 0).astype(int)
OTHER = rng.permutation(N)
WITH_ROWS = {
    "sample_weight": pd.Series(rng.integers(1, 4, N).astype(float), index=LABELS),
    "groups": pd.Series(np.arange(N) % 7, index=LABELS),
    "candidate": pd.Series(rng.normal(size=N), index=LABELS),
    "offset": pd.Series(rng.normal(size=N), index=LABELS),
}
MODELS = {
    "linear": (LinearRegression(), TARGET),
    "logistic": (LogisticRegression(C=np.inf), CLASSES),
    "own": (ObjectiveRegressor("(y - eta)**2", log_likelihood=True), TARGET),
    "firth": (FirthLogisticRegression(), CLASSES),
    "glm": (GeneralizedLinearRegressor(), TARGET),
    "tuned logistic": (LogisticRegression(C="loo"), CLASSES),
    "tuned glm": (GeneralizedLinearRegressor(alpha="loo"), TARGET),
    "own classes": (
        ObjectiveClassifier(
            "softplus(eta) - y*eta", inverse_link="sigmoid(eta)", log_likelihood=True
        ),
        CLASSES,
    ),
    "network": (MLPRegressor((2,), random_state=0, max_iter=500, alpha=1.0), TARGET),
    "network classes": (MLPClassifier((2,), random_state=0, max_iter=500, alpha=1.0), CLASSES),
    "pca": (PCA(), None),
}
FIRST = {
    "wald_test": {"restrictions": "a = 0"},
    "delta_method": {"g": lambda theta: theta[..., 0]},
    "wild_bootstrap_test": {"parameter": "a"},
}


def calls():
    """Every public method of every model that takes rows together with something."""
    for case, (model, y) in MODELS.items():
        for name, method in inspect.getmembers(type(model), inspect.isfunction):
            taken = inspect.signature(method).parameters
            beside = [*(["y"] if y is not None else []), *WITH_ROWS]
            for argument in beside:
                by_kind = argument == "groups" and ("robust" in taken or "groups" in taken)
                by_kind |= argument == "offset" and "robust" in taken and has_offset(model)
                if name.startswith("_") or "X" not in taken or name in ("fit_transform", "set"):
                    continue
                if not hasattr(model, name):  # without an inverse link, say
                    continue
                if case.startswith("tuned") and name != "criterion_curve":  # as without
                    continue
                if argument in taken or by_kind:
                    yield pytest.param(case, name, argument, id=f"{case}-{name}-{argument}")


def has_offset(model):
    return "offset" in inspect.signature(type(model).fit).parameters


def arguments_of(case, name):
    model, y = MODELS[case]
    taken = inspect.signature(getattr(type(model), name)).parameters
    given = dict(WITH_ROWS, y=y)
    found = {key: given[key] for key in taken if key in given and given[key] is not None}
    if "groups" in taken or "robust" in taken:
        found["groups"] = given["groups"]
    if {"kind", "groups"} <= set(taken) or "robust" in taken:
        found["kind"] = "cluster"
    if "robust" in taken and has_offset(model):
        found["offset"] = given["offset"]
    return found


def called(case, name, **changed):
    """The method of this name, of a model that is fitted to the unchanged rows."""
    prototype, y = MODELS[case]
    model, given = type(prototype)(**prototype.get_params()), arguments_of(case, name)
    options = dict(FIRST.get(name, {}))
    if name not in ("fit", "partial_fit"):
        of_fit = {key: given[key] for key in given if key in ("sample_weight", "offset")}
        model.fit(X, y, **of_fit)
    if name == "partial_fit" and "classes" in inspect.signature(model.partial_fit).parameters:
        options["classes"] = np.unique(y)
    if name == "hessian_vector_product":
        options["vector"] = np.ones_like(model.params_)
    return getattr(model, name)(X=X, **options, **(given | changed))


@functools.cache
def is_answered(case, name):
    """Whether the method of this name takes the unchanged arguments."""
    called(case, name)
    return True


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("case", "name", "argument"), list(calls()))
def test_the_same_labels_in_another_order_are_refused(case, name, argument):
    assert is_answered(case, name)
    value = arguments_of(case, name)[argument]
    with pytest.raises(ValueError, match="same index labels in another order"):
        called(case, name, **{argument: value.iloc[OTHER]})


def test_what_is_paired_by_the_same_order_or_by_other_labels_is_fitted():
    expected = LinearRegression().fit(X, TARGET).coef_
    for other in (
        TARGET.to_numpy(),
        TARGET.reset_index(drop=True),
        TARGET.set_axis([label.upper() for label in LABELS]),
        TARGET.to_frame(),
    ):
        assert np.array_equal(LinearRegression().fit(X, other).coef_.ravel(), expected)
    # Labels that occur more than once, as after concat: the same order is the same order.
    twice = pd.concat([X, X]), pd.concat([TARGET, TARGET])
    np.testing.assert_allclose(LinearRegression().fit(*twice).coef_, expected, rtol=1e-12)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(N),
        pd.date_range("2020-01-01", periods=N),
        pd.MultiIndex.from_product([range(4), range(10)]),
        pd.Index([*range(N - 1), "last"]),
        pd.Index(np.arange(N) // 2),
    ],
    ids=["range", "dates", "levels", "mixed", "repeated"],
)
def test_every_kind_of_index(index):
    frame, y = X.set_axis(index), TARGET.set_axis(index)
    LinearRegression().fit(frame, y)
    with pytest.raises(ValueError, match=r"X and y have the same index labels.*y\.loc\[X\.index\]"):
        LinearRegression().fit(frame, y.iloc[::-1])
    # The slope of pairs by label is 2; by position it is another.
    assert abs(LinearRegression().fit(frame, y.to_numpy()[::-1]).coef_[0] - 2) > 0.5


LABELLED = pd.RangeIndex(N + 2)
KINDS = {
    "numbers": LABELLED + 10,
    "range": LABELLED,
    "text": pd.Index([f"row {i}" for i in LABELLED]),
    "dates": pd.date_range("2020-01-01", periods=N + 2, tz="UTC"),
    "periods": pd.period_range("2020-01", periods=N + 2, freq="M"),
    "levels": pd.MultiIndex.from_product([range(2), range(N // 2 + 1)]),
    "mixed": pd.Index([*LABELLED[:-1], "last"]),
    "categories": pd.CategoricalIndex([f"row {i}" for i in LABELLED]),
    "overlapping": pd.IntervalIndex.from_arrays(np.arange(N + 2), np.arange(N + 2) + 3),
    "missing": pd.Index([np.nan, *LABELLED[1:]]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_indexes_that_share_most_labels_in_other_rows(kind):
    r = np.random.default_rng(1)
    frame = pd.DataFrame(r.normal(size=(N + 2, 2)), columns=["a", "b"], index=KINDS[kind])
    y, at = 2 * frame["a"], np.arange(N + 2)
    some, others = ~np.isin(at, [3, 9]), ~np.isin(at, [20, 30])
    with pytest.raises(ValueError, match=rf"share {N - 2} of {N} index labels, \d+ of them in oth"):
        LinearRegression().fit(frame[some], y[others])
    with pytest.raises(ValueError, match=r"share \d+ of 30 index labels"):
        LinearRegression().fit(frame.sample(30, random_state=0), y.sample(30, random_state=1))
    common = frame[some].index.intersection(y[others].index)
    # What the error advises pairs the rows: the slope is 2, but for rounding.
    found = LinearRegression().fit(frame[frame.index.isin(common)], y[y.index.isin(common)])
    assert found.coef_[0] == pytest.approx(2.0, rel=1e-12)
    # A lag moves every label alike; positions alone and few common labels say nothing.
    LinearRegression().fit(frame.iloc[:-1], y.iloc[1:])
    LinearRegression().fit(frame[some], y[others].reset_index(drop=True))
    LinearRegression().fit(frame.iloc[[*range(25), 30]], y.iloc[[*range(16, 42)]])


def test_targets_and_weights_beside_an_array():
    weights = WITH_ROWS["sample_weight"].iloc[OTHER]
    with pytest.raises(ValueError, match="y and sample_weight have the same index labels"):
        LinearRegression().fit(X.to_numpy(), TARGET, sample_weight=weights)


def test_a_block_of_a_stream():
    stream = RowStream(lambda: iter([(X, TARGET), (X, TARGET.iloc[OTHER])]))
    with pytest.raises(ValueError, match="same index labels in another order"):
        LinearRegression().fit(stream)


def masked(values):
    array = np.asarray(values, dtype=float)
    return np.ma.array(array, mask=np.arange(array.size).reshape(array.shape) == 3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("case", "name", "argument"), list(calls()))
def test_masked_arrays_are_refused(case, name, argument):
    value = arguments_of(case, name)[argument]
    with pytest.raises(ValueError, match=f"{argument} is a masked array with 1 masked"):
        called(case, name, **{argument: masked(value)})


@pytest.mark.parametrize("case", MODELS)
def test_masked_rows_are_refused(case):
    model, y = MODELS[case]
    with pytest.raises(ValueError, match=r"X\[1\] is a masked array with 1 masked"):
        model.fit(list(masked(X)), y)
    with pytest.raises(ValueError, match="X is a masked array"):
        model.fit(masked(X), y)
    fitted = type(model)(**model.get_params()).fit(X.to_numpy(), y)
    for name in ("predict", "transform", "predict_proba", "decision_function", "predict_interval"):
        if hasattr(fitted, name):
            with pytest.raises(ValueError, match="X is a masked array"):
                getattr(fitted, name)(masked(X))
    with pytest.raises(ValueError, match="params is a masked array"):
        fitted.objective(X.to_numpy(), y, params=np.ma.array(fitted.params_, mask=True))
    # Where nothing is masked there is nothing behind a mask.
    whole = type(model)(**model.get_params()).fit(np.ma.array(X.to_numpy()), y)
    assert np.array_equal(np.ravel(whole.params_), np.ravel(fitted.params_))


@pytest.mark.parametrize("case", MODELS)
def test_masked_coefficients_are_refused(case):
    model, y = MODELS[case]
    fitted = type(model)(**model.get_params()).fit(X, y)
    for name in type(fitted)._coefficients:
        kept = getattr(fitted, name)
        parts = kept if isinstance(kept, list) else [kept]
        hidden = [np.ma.array(np.asarray(part, dtype=float), mask=True) for part in parts]
        setattr(fitted, name, hidden if isinstance(kept, list) else hidden[0])
        with pytest.raises(InferenceError, match=f"{name} is not an array of numbers.*masked"):
            fitted.transform(X) if case == "pca" else fitted.predict(X)
        setattr(fitted, name, kept)


@pytest.mark.parametrize("case", ["linear", "logistic"])
def test_masked_restrictions_are_refused(case):
    model, y = MODELS[case]
    fitted = type(model)(**model.get_params()).fit(X, y)
    R = np.eye(fitted.params_.size)[:2]
    for restrictions in (np.ma.array(R, mask=R == 0), (R, np.ma.array([0.0, 1.0], mask=[0, 1]))):
        with pytest.raises(ValueError, match="is a masked array"):
            fitted.wald_test(restrictions)
    with pytest.raises(ValueError, match="what g returns is a masked array"):
        fitted.delta_method(lambda theta: np.ma.array(theta, mask=theta > 0))
