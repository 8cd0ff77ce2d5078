"""What weights are holds for every storage: tables, distinct rows, partitions, command line."""

import json

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    RowStream,
    scan,
)
from mcmodels.cli.model_files import load_model
from mcmodels.exceptions import InferenceError
from tests.test_cli import accepted, refused

pytest.importorskip("pyarrow")

# Sums over the same rows in other blocks differ by rounding errors; the fits are well conditioned.
RTOL = 1e-8
MODELS = {
    "linear": (lambda kind: LinearRegression(weights=kind), "y"),
    "logistic": (lambda kind: LogisticRegression(C=np.inf, tol=1e-12, weights=kind), "label"),
    "three classes": (lambda kind: LogisticRegression(tol=1e-12, weights=kind), "kind"),
    "glm": (lambda kind: GeneralizedLinearRegressor("gamma", tol=1e-12, weights=kind), "y"),
    "own loss": (
        lambda kind: ObjectiveRegressor(
            "exp(eta) - y*eta", log_likelihood=True, tol=1e-12, weights=kind
        ),
        "y",
    ),
}


def table(n=1500):
    """Rows that repeat, with weights that repeat, too: what distinct rows are made for."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"zone": rng.choice(["a", "b", "c"], n), "night": rng.random(n) < 0.4})
    eta = 0.5 * (frame["zone"] == "c") - 0.4 * frame["night"]
    frame["y"] = np.rint(4 * rng.gamma(4.0, np.exp(eta) / 4)) / 4 + 0.25
    frame["label"] = rng.random(n) < 1 / (1 + np.exp(-eta))
    frame["kind"] = rng.choice(["x", "y", "z"], n)
    frame["w"] = rng.integers(0, 4, n) / 2
    frame["firm"] = rng.integers(0, 9, n)
    return frame


FRAME = table()
X = pd.DataFrame(
    {
        "zone_b": (FRAME["zone"] == "b") * 1.0,
        "zone_c": (FRAME["zone"] == "c") * 1.0,
        "night": FRAME["night"] * 1.0,
    }
)


def in_memory(name, kind):
    make, target = MODELS[name]
    y = FRAME[target].to_numpy()
    return make(kind).fit(X, y, FRAME["w"].to_numpy()), y


@pytest.mark.parametrize("compress", [True, None, False])
@pytest.mark.parametrize("kind", ["precision", "probability"])
@pytest.mark.parametrize("name", MODELS)
def test_rows_that_repeat_are_not_put_together(name, kind, compress):
    """Scores of rows of precisions or of a sample do not add up as counts do."""
    make, target = MODELS[name]
    model, y = in_memory(name, kind)
    options = {"features": ["zone", "night"], "categorical": ["zone"], "weights": "w"}
    rows = scan(FRAME, target, **options, groups="firm", compress=compress)
    other = make(kind).fit(rows)
    assert other.n_observations_ == model.n_observations_ == (FRAME["w"] > 0).sum()
    np.testing.assert_allclose(other.covariance_, model.covariance_, rtol=RTOL, atol=1e-12)
    w = FRAME["w"].to_numpy()
    for options in ({"kind": "HC0"}, {"kind": "cluster"}):
        groups = {"groups": FRAME["firm"].to_numpy()} if options["kind"] == "cluster" else {}
        np.testing.assert_allclose(
            other.covariance(rows, **options),
            model.covariance(X, y, w, **options, **groups),
            rtol=RTOL,
            atol=1e-12,
        )
    if name != "own loss":
        assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-10)


@pytest.mark.parametrize("kind", ["precision", "probability"])
@pytest.mark.parametrize("name", MODELS)
def test_collections_of_dask(name, kind):
    da = pytest.importorskip("dask.array")
    make, _ = MODELS[name]
    model, y = in_memory(name, kind)
    w = FRAME["w"].to_numpy()
    data = [
        da.from_array(np.asarray(part), chunks=(400, *np.shape(part)[1:])) for part in (X, y, w)
    ]
    other = make(kind).fit(*data)
    assert other.n_observations_ == model.n_observations_
    np.testing.assert_allclose(other.covariance_, model.covariance_, rtol=RTOL, atol=1e-12)
    np.testing.assert_allclose(
        other.covariance(*data, kind="HC0"),
        model.covariance(X, y, w, kind="HC0"),
        rtol=RTOL,
        atol=1e-12,
    )
    if name == "logistic":
        found = other.residuals(data[0], data[1], sample_weight=data[2]).compute()
        np.testing.assert_allclose(found, model.residuals(X, y, sample_weight=w), rtol=1e-6)


def test_residuals_of_a_partition_without_a_weight():
    da = pytest.importorskip("dask.array")
    y, w = FRAME["label"].to_numpy(), FRAME["w"].to_numpy().copy()
    w[:400] = 0.0
    model = MODELS["logistic"][0]("precision").fit(X, y, w)
    parts = [
        da.from_array(np.asarray(part), chunks=(400, *np.shape(part)[1:])) for part in (X, y, w)
    ]
    found = model.residuals(parts[0], parts[1], sample_weight=parts[2]).compute()
    assert not found[:400].any()
    np.testing.assert_allclose(found, model.residuals(X, y, sample_weight=w), rtol=1e-9)


def test_a_class_of_weight_zero_in_a_stream():
    rows = RowStream(lambda: [(X.to_numpy(), FRAME["kind"].to_numpy())])
    options = {"class_weight": {"x": 1.0, "y": 2.0, "z": 0.0}}
    model = LogisticRegression(weights="precision", **options)
    with pytest.raises(ValueError, match="class_weight has a factor of 0"):
        model.fit(rows)
    arrays = model.fit(X, FRAME["kind"])
    assert arrays.n_observations_ == (FRAME["kind"] != "z").sum()
    assert LogisticRegression(**options).fit(rows).converged_


@pytest.mark.parametrize("model", ["linear", "logistic", "glm"])
@pytest.mark.parametrize("kind", ["precision", "probability"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_command_line(capsys, tmp_path, model, kind, form):
    target = MODELS[model][1]
    data, file = tmp_path / f"trips.{form}", tmp_path / "trips.model"
    columns = [target, "zone", "night", "w"]
    frame = FRAME[columns].assign(night=FRAME["night"] * 1, **{target: FRAME[target] * 1})
    frame.to_csv(data, index=False) if form == "csv" else frame.to_parquet(data)
    options = ["--target", target, "--weights", "w", "--weights-are", kind, "--categorical", "zone"]
    options += {"logistic": ["--C", "inf"], "glm": ["--family", "gamma"]}.get(model, [])
    out = accepted(capsys, "fit", model, data, *options, "--save", file, "--format", "json")
    report = json.loads(out)
    expected, _ = in_memory(model, kind)
    found = {row["name"]: row["standard_error"] for row in report["tables"][0]["rows"]}
    assert found["night"] == pytest.approx(expected.standard_errors_[2], rel=1e-6)
    assert report["facts"]["weights are"] == expected._fit.weighting.description
    loaded = load_model(file)["model"]
    assert loaded.weights == kind
    assert loaded.n_observations_ == expected.n_observations_
    np.testing.assert_allclose(
        np.sort(loaded.standard_errors_), np.sort(expected.standard_errors_), rtol=1e-6
    )
    if kind == "probability":
        with pytest.raises(InferenceError, match="pseudo-likelihood"):
            loaded.aic_  # noqa: B018
    message = refused(capsys, "fit", model, data, *options[:2], "--weights-are", "pweights")
    assert "pweights" in message


@pytest.mark.parametrize("class_weight", [None, {0: 3.0, 1: 0.5}, "balanced"])
def test_residuals_in_partitions_have_the_factors_of_classes_once(class_weight):
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((60, 2)), rng.uniform(0.5, 2.0, 60)
    y = (X[:, 0] + rng.standard_normal(60) > 0).astype(int)
    w[:20] = 0.0  # a partition without weight
    model = LogisticRegression(weights="precision", class_weight=class_weight).fit(X, y, w)
    da = pytest.importorskip("dask.array")
    there = [da.from_array(values, chunks=(20, *values.shape[1:])) for values in (X, y, w)]
    found = model.residuals(there[0], there[1], sample_weight=there[2]).compute()
    # The roots of the two factors are multiplied in another order.
    np.testing.assert_allclose(found, model.residuals(X, y, sample_weight=w), rtol=1e-14)
