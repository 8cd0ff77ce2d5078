"""Generalized linear models in the shell: the numbers of Python, in memory and in blocks."""

import json

import numpy as np
import pandas as pd
import pytest

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels.cli.model_files import load_model
from tests.test_cli import accepted, refused


@pytest.fixture
def claims(tmp_path):
    """A table of policies, as text and as Parquet."""
    rng = np.random.default_rng(0)
    n = 300
    frame = pd.DataFrame(
        {
            "age": rng.uniform(18, 80, n).round(2),
            "zone": rng.choice(["A", "B", "C"], n),
            "years": rng.uniform(0.2, 3.0, n).round(3),
            "shift": rng.normal(0, 0.3, n).round(3),
        }
    )
    mean = frame.years * np.exp(
        -0.5 - 0.02 * frame.age + 0.5 * (frame.zone == "B") + frame["shift"]
    )
    frame["claims"] = rng.poisson(mean)
    frame["cost"] = rng.gamma(2.0, 1.0, n) * mean.clip(lower=0.05)
    frame.to_csv(tmp_path / "claims.csv", index=False)
    frame.to_parquet(tmp_path / "claims.parquet")
    return frame, tmp_path


def design(frame):
    return np.column_stack([frame.age, frame.zone == "B", frame.zone == "C"]).astype(float)


OPTIONS = ("--features", "age", "zone", "--categorical", "zone", "--exposure", "years")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("covariance", ["nonrobust", "expected", "HC1"])
def test_a_fit_and_its_predictions_are_those_of_python(capsys, claims, kind, covariance):
    frame, folder = claims
    path, model_file, out = folder / f"claims.{kind}", folder / "m.model", folder / "out.csv"
    X = design(frame)
    options = [*OPTIONS, "--offset", "shift", "--family", "poisson", "--covariance", covariance]
    fit = ["fit", "glm", path, "--target", "claims", *options]
    report = json.loads(accepted(capsys, *fit, "--format", "json"))
    accepted(capsys, *fit, "--save", model_file)
    added = {"offset": frame["shift"], "exposure": frame.years}
    model = Glm("poisson").fit(X, frame.claims, **added)
    rows = () if covariance == "nonrobust" else (X, frame.claims)
    errors = np.sqrt(
        np.diagonal(model.covariance(*rows, kind=covariance, **(added if rows else {})))
    )
    (table,) = report["tables"]
    found = [(row["coefficient"], row["standard_error"]) for row in table["rows"]]
    # Two routes of rounding to the same optimum, whose gradients are below 1e-8 of the weight.
    np.testing.assert_allclose(found, np.column_stack([model.params_, errors]), rtol=1e-6)
    assert report["facts"]["exposure"] == "years"
    assert report["facts"]["offset"] == "shift"

    named = ["--exposure", "years", "--offset", "shift"]
    accepted(capsys, "predict", model_file, path, "-o", out, *named, "--intervals")
    predicted = pd.read_csv(out)
    np.testing.assert_allclose(predicted.prediction, model.predict(X, **added), rtol=1e-6)
    ends = model.predict_interval(X, kind="observation", **added)
    np.testing.assert_array_equal(predicted[["lower", "upper"]], ends[["lower", "upper"]])
    message = refused(capsys, "predict", model_file, path, "-o", out)
    assert "was fitted with an offset or an exposure; name the column of DATA" in message


def test_families_links_and_priors(capsys, claims):
    frame, folder = claims
    path, X = folder / "claims.csv", design(frame)
    cases = [
        (
            "gamma",
            "cost",
            ("--link", "log", "--dispersion", "deviance"),
            {"dispersion": "deviance"},
        ),
        ("tweedie", "cost", ("--power", "1.7"), {"power": 1.7}),
        ("negative_binomial", "claims", ("--theta", "0.4"), {"theta": 0.4}),
        ("poisson", "claims", ("--alpha", "2.5"), {"alpha": 2.5}),
        ("poisson", "claims", ("--prior", "jeffreys"), {"prior": "jeffreys"}),
        ("poisson", "claims", ("--no-intercept",), {"fit_intercept": False}),
    ]
    for family, target, options, parameters in cases:
        fit = ["fit", "glm", path, "--target", target, "--family", family, *OPTIONS, *options]
        report = json.loads(accepted(capsys, *fit, "--format", "json"))
        model = Glm(family, **parameters).fit(X, frame[target], exposure=frame.years)
        found = [row["coefficient"] for row in report["tables"][0]["rows"]]
        np.testing.assert_allclose(found, model.params_, rtol=1e-6, err_msg=family)


def test_saved_models_are_those_of_python(capsys, claims):
    _, folder = claims
    path, model_file = folder / "claims.parquet", folder / "m.model"
    options = ["--family", "negative_binomial", "--theta", "estimate", *OPTIONS]
    accepted(capsys, "fit", "glm", path, "--target", "claims", *options, "--save", model_file)
    model = load_model(model_file)["model"]
    assert model.theta_ >= 0
    assert np.isfinite(model.standard_errors_).all()
    assert model.get_params()["theta"] == "estimate"


def test_bad_columns_are_one_line(capsys, claims):
    _, folder = claims
    path = folder / "claims.csv"
    fit = ["fit", "glm", path, "--target", "claims", "--family", "poisson", "--features", "age"]
    message = refused(capsys, *fit, "--exposure", "zone")
    assert "the column of --exposure must be numeric" in message
    assert "did you mean 'years'" in refused(capsys, *fit, "--exposure", "yeers")
    assert "is named twice" in refused(capsys, *fit, "--exposure", "age")
    message = refused(capsys, *fit, "--exposure", "shift")
    assert "exposure must be positive" in message
    message = refused(capsys, *fit, "--exposure", "years", "--link", "identity")
    assert "exposure multiplies the mean, which needs link='log'" in message
    linear = folder / "linear.model"
    accepted(
        capsys, "fit", "linear", path, "--target", "claims", "--features", "age", "--save", linear
    )
    message = refused(
        capsys, "predict", linear, path, "-o", folder / "o.csv", "--exposure", "years"
    )
    assert message == "--offset and --exposure are those of generalized linear models"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_missing_exposures_are_refused_or_dropped(capsys, claims, kind):
    frame, folder = claims
    frame = frame.copy()
    frame.loc[[3, 7], "years"] = np.nan
    path, out = folder / f"gaps.{kind}", folder / "o.csv"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    fit = ["fit", "glm", path, "--target", "claims", "--family", "poisson", *OPTIONS]
    assert "missing values" in refused(capsys, *fit)
    saved = ["--drop-missing", "--save", folder / "m.model"]
    assert "2 of 300 rows, for missing values" in accepted(capsys, *fit, *saved)
    predict = ["predict", folder / "m.model", path, "-o", out, "--exposure", "years"]
    assert "missing values" in refused(capsys, *predict)
    accepted(capsys, *predict, "--drop-missing")
    assert len(pd.read_csv(out)) == 298
