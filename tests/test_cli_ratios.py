"""Odds and rate ratios in the shell: the numbers of Python, in memory and in blocks."""

import json

import numpy as np
import pandas as pd
import pytest

from mcmodels import GeneralizedLinearRegressor, LogisticRegression
from tests.test_cli import ROUNDING, accepted, refused, run


@pytest.fixture
def visits(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 2)), columns=["age", "dose"])
    eta = 0.5 * frame.age - 0.3 * frame.dose
    frame["count"] = rng.poisson(np.exp(eta))
    frame["ill"] = np.where(rng.random(200) < 1 / (1 + np.exp(-eta)), "yes", "no")
    frame["three"] = np.digitize(eta + rng.logistic(size=200), [-0.7, 0.7])
    frame.to_csv(tmp_path / "visits.csv", index=False)
    frame.to_parquet(tmp_path / "visits.parquet")
    return frame, tmp_path


CASES = {
    "logistic": (["logistic", "--C", "inf"], "ill", LogisticRegression(C=np.inf)),
    "three": (["logistic", "--C", "inf"], "three", LogisticRegression(C=np.inf)),
    "glm": (["glm", "--family", "poisson"], "count", GeneralizedLinearRegressor("poisson")),
}


@pytest.mark.parametrize("option", ["--exponentiate", "--odds-ratios"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("covariance", ["nonrobust", "HC1"])
@pytest.mark.parametrize("case", CASES)
def test_they_are_those_of_python(capsys, visits, case, covariance, kind, option):
    frame, folder = visits
    (model, *options), target, estimator = CASES[case]
    fit = ["fit", model, folder / f"visits.{kind}", "--target", target, *options, option]
    fit += ["--features", "age", "dose", "--covariance", covariance]
    report = json.loads(accepted(capsys, *fit, "--format", "json"))
    X, y = frame[["age", "dose"]], frame[target]
    rows = () if covariance == "nonrobust" else (X, y)
    expected = estimator.fit(X, y).summary(*rows, kind=covariance, exponentiate=True)
    assert report["facts"]["coefficients as"] == expected.facts["coefficients as"]
    assert len(report["tables"]) == len(expected.tables)
    for found, (heading, table) in zip(report["tables"], expected.tables.items(), strict=True):
        assert found["heading"] == str(heading)
        for row, (name, numbers) in zip(found["rows"], table.iterrows(), strict=True):
            assert row.pop("name") == name
            # Fits of rows in other blocks end at other rounding errors.
            np.testing.assert_allclose(list(row.values()), numbers, rtol=1e3 * ROUNDING)
    assert ("Wald χ²" in report["statistics"]) == (covariance == "HC1")
    text = accepted(capsys, *fit)
    assert "delta method" in text
    lines = accepted(capsys, *fit, "--format", "csv").splitlines()
    assert len(lines) == 1 + sum(map(len, expected.tables.values()))


def test_other_links_and_models_are_refused(capsys, visits):
    path = visits[1] / "visits.csv"
    fit = ["fit", "glm", path, "--target", "count", "--features", "age", "--exponentiate"]
    assert "link='identity'" in refused(capsys, *fit)
    fit = ["fit", "linear", path, "--target", "count", "--features", "age", "--odds-ratios"]
    assert "unrecognized arguments: --odds-ratios" in refused(capsys, *fit)


def test_without_standard_errors_there_are_ratios_all_the_same(capsys, tmp_path):
    path = tmp_path / "twice.csv"
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=80)})
    frame["b"], frame["y"] = 2 * frame.a, rng.integers(0, 2, 80)
    frame.to_csv(path, index=False)
    options = ["fit", "logistic", path, "--target", "y", "--C", "inf", "--format", "json"]
    found = {}
    for more in ([], ["--odds-ratios"]):
        code, out, _ = run(capsys, *options, *more)  # it warns of the dependent columns
        assert code == 0
        found[bool(more)] = [row["coefficient"] for row in json.loads(out)["tables"][0]["rows"]]
    ratios, logs = ([v for v in found[key] if v is not None] for key in (True, False))
    assert [v is None for v in found[True]] == [v is None for v in found[False]]
    assert len(logs) == 1  # the intercept: a and b depend on each other
    np.testing.assert_allclose(ratios, np.exp(logs), rtol=1e-12)
